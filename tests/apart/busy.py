"""Jobs that take processor time."""

from __future__ import annotations

import subprocess
import sys
import time


def spin(seconds: bytes) -> list[bytes]:
    """Half of it here, half in a process of its own."""
    half = float(seconds) / 2
    while time.process_time() < half:
        pass
    loop = f"import time\nwhile time.process_time() < {half}: pass"
    subprocess.run([sys.executable, "-c", loop], check=True)
    return []


LOADED: list[str] = []


def has_loaded() -> bool:
    """Whether this process has what `needing` needs."""
    return bool(LOADED)


def load() -> None:
    """As a mother does."""
    LOADED.append("before")


def needing() -> list[bytes]:
    """Where it was loaded."""
    if not LOADED:
        LOADED.append("here")
    return [LOADED[0].encode()]


def plain() -> list[bytes]:
    """A job that needs nothing."""
    return [b""]


JOBS = {"spin": spin, "needing": needing, "plain": plain}
