"""A disk small enough to be filled."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MIB = 1024 * 1024
WHY_NOT = "no file system can be mounted here, so none can be filled"


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path | None]:
    """The folder, made, with a file system of its own of so many bytes; None where that may not be mounted."""
    folder.mkdir()
    options = ("-o", f"size={size},mode=1777")
    done = subprocess.run(("mount", "-t", "tmpfs", *options, "tmpfs", str(folder)), capture_output=True, check=False)
    if done.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    """The same for a test that is skipped where there is none."""
    with small_disk(folder, size) as there:
        if there is None:
            pytest.skip(WHY_NOT)
        yield there


def fill(folder: Path, but_for: int = 0) -> Path:
    """Fill the disk of a folder but for so many bytes; returns the file that does."""
    filling = folder / "filling"
    with filling.open("wb") as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
            file.flush()
    with filling.open("r+b") as file:
        file.truncate(max(0, file.seek(0, 2) - but_for))
    return filling
