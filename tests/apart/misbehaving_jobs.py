"""Jobs that do what hostile files make parsers do."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from tasks.errors import CorruptFileError


def echo(*blobs: bytes) -> list[bytes]:
    return list(blobs)


def crash() -> list[bytes]:
    os.abort()


def hang() -> list[bytes]:
    time.sleep(600)
    return []


def hang_in_subprocess(marker: bytes) -> list[bytes]:
    subprocess.run(["sleep", marker.decode()], check=False)
    return []


def reject() -> list[bytes]:
    raise CorruptFileError("Page 3.", subject="somebody's name.pdf")


def fail_with_text() -> list[bytes]:
    raise ValueError("call me on 07700 900123")


def print_noise() -> list[bytes]:
    os.write(1, b"noise on standard output")
    print("more noise", flush=True)
    return [b"quiet"]


def litter() -> list[bytes]:
    path = Path(tempfile.mkdtemp()) / "left-behind"
    path.write_bytes(b"secret")
    return [str(path).encode()]


def tell_environment(name: bytes) -> list[bytes]:
    return [os.environ.get(name.decode(), "").encode()]


def tell_pid() -> list[bytes]:
    return [str(os.getpid()).encode()]


JOBS = {
    function.__name__: function
    for function in (
        echo,
        crash,
        hang,
        hang_in_subprocess,
        reject,
        fail_with_text,
        print_noise,
        litter,
        tell_environment,
        tell_pid,
    )
}
