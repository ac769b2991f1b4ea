"""A bundle as somebody received it: a folder or a zip, untrusted, into a mapping from path to bytes.

Rule kept here: nothing of it is unpacked to disk, nothing outside the bundle is read, and no archive makes us read more
than the limits.
"""

from __future__ import annotations

import errno
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.disclosure.bag import write_zip
from tasks.disclosure.verdict import Check

MAX_FILES = 20_000
MAX_BYTES = 4_000_000_000
MAX_RATIO = 200
"""Bytes out per byte in of one zip entry; ours are stored (1)."""

_BLOCK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
)
"""What the parser raises for a zip that is none; in a real file also an OSError, for a place before its start."""
_UNSAFE = re.compile(r"^/|\\|^[A-Za-z]:|\x00")


class UnsafeBundleError(ValueError):
    """The bundle tries to be more than files below one folder; the message says how."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The files of a bundle by path; and, if it came in a zip, what that says of itself and the folder in it."""

    files: dict[str, bytes]
    packing: Check | None = None
    folder: str | None = None


def _below(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with one common top folder taken off, when the bag lies in one."""
    if "bagit.txt" in files:
        return files
    tops = {path.split("/", 1)[0] for path in files}
    if len(tops) == 1 and f"{next(iter(tops))}/bagit.txt" in files:
        return {path.split("/", 1)[1]: data for path, data in files.items()}
    return files


def _read_zip(file: BinaryIO) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    try:
        if file.read(2) != b"PK":
            raise UnsafeBundleError("This is no zip, and so no bundle.")
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise UnsafeBundleError("The zip holds too many files.")
            for entry in entries:
                name = entry.filename
                if _UNSAFE.search(name) or any(part in ("", ".", "..") for part in name.split("/")):
                    raise UnsafeBundleError("The zip holds a path that leads out of its folder.")
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise UnsafeBundleError("The zip is packed in an unusual way.")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise UnsafeBundleError("The zip holds a link.")
                if name in files:
                    raise UnsafeBundleError("The zip holds two files of the same name.")
                total += entry.file_size
                if total > MAX_BYTES or entry.file_size > MAX_RATIO * max(1, entry.compress_size):
                    raise UnsafeBundleError("The zip unpacks to far more than it should.")
                with archive.open(entry) as packed:
                    data = packed.read(entry.file_size + 1)
                if len(data) != entry.file_size:
                    raise UnsafeBundleError("The zip unpacks to far more than it should.")
                files[name] = data
    except UnsafeBundleError:
        raise
    except _DAMAGED:
        raise UnsafeBundleError("The zip is damaged or locked.") from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # the disk's fault, not the zip's
            raise
        raise UnsafeBundleError("The zip is damaged or locked.") from None
    return files


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise UnsafeBundleError("The folder holds a link.")
        if not path.is_file():
            continue
        total += path.stat().st_size
        if total > MAX_BYTES or len(files) >= MAX_FILES:
            raise UnsafeBundleError("The folder holds too much.")
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def _packing(file: BinaryIO, files: dict[str, bytes]) -> Check:
    """Whether a zip is, byte for byte, the one that is made of these files: then nothing hides between them."""
    name = "zip"
    tops = {path.split("/", 1)[0] for path in files}
    inside = {path.split("/", 1)[1]: data for path, data in files.items() if "/" in path}
    file.seek(0)
    with tempfile.TemporaryFile() as again:
        if len(tops) == 1 and len(inside) == len(files):
            write_zip(again, inside, next(iter(tops)))
        again.seek(0)
        while (block := file.read(_BLOCK)) == again.read(_BLOCK):
            if not block:
                return Check(name, True, f"The zip holds these {len(files)} files and not a byte beside them.")
    sentence = (
        "The zip is damaged, holds something beside the files, or was packed by another program than the publisher's. "
        "Fetch it again; if only its packing is in doubt, unpack it and check the folder."
    )
    return Check(name, False, sentence)


def open_bundle(bundle: Path | BinaryIO) -> Opened:
    """The files of a bundle.

    Args:
        bundle: its folder, its zip, or its zip as an open file.

    Raises:
        UnsafeBundleError: it is damaged, or tries to be more than files below one folder.
        OSError: the path cannot be read.
    """
    if not isinstance(bundle, Path):
        files = _read_zip(bundle)
        inside = _below(files)
        return Opened(inside, _packing(bundle, files), "" if inside is files else next(iter(files)).split("/", 1)[0])
    if bundle.is_dir():
        if not (bundle / "bagit.txt").exists() and (versions := sorted(bundle.glob("v*/bagit.txt"))):
            names = " ".join(path.parent.name for path in versions)
            raise UnsafeBundleError(f"This folder holds versions of a disclosure: give one of them ({names}).")
        return Opened(_below(_read_folder(bundle)))
    with bundle.open("rb") as file:
        return open_bundle(file)
