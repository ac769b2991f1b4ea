"""Two worlds for jobs: the machine as it is, and the same without bubblewrap."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.apart import Apart

JOBS = "tests.apart.misbehaving_jobs"
WITH, WITHOUT = "in-namespaces", "without-namespaces"
PROGRAMS = ("sleep", "true", "setpriv", "tesseract")


def enclose(kind: str, programs: Path, patch: pytest.MonkeyPatch) -> None:
    """Leave the machine as it is, or take bubblewrap off the path; skip where it is not there to begin with."""
    if kind == WITH:
        if shutil.which("bwrap") is None:
            pytest.skip("needs namespaces: bubblewrap is not installed")
        return
    programs.mkdir(exist_ok=True)
    for name in PROGRAMS:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    patch.setenv("PATH", str(programs))


def needs(apart: Apart, *names: str) -> None:
    """Skip where the machine lacks a layer, and say which."""
    for layer in apart.layers():
        if layer.name in names and not layer.active:
            pytest.skip(f"needs {layer.name}: {layer.found}. {layer.action}")


def is_running(command: str) -> bool:
    """Whether a process with exactly this command line is alive."""
    return subprocess.run(["/usr/bin/pgrep", "-f", f"^{command}$"], capture_output=True, check=False).returncode == 0


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Fail when it does not become true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
