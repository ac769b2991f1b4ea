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


JOBS = {"spin": spin}
