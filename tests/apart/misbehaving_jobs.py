"""Jobs that do what hostile files make parsers do. Each says what it was let do, or does not come back."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tasks.errors import CorruptFileError, LeakFoundError

_libc = ctypes.CDLL(None, use_errno=True)


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


def spin() -> list[bytes]:
    while True:
        pass


def run_out_of_time() -> list[bytes]:
    os.kill(os.getpid(), signal.SIGXCPU)
    return []


def reject() -> list[bytes]:
    raise CorruptFileError("Page 3 is missing.", subject="somebody's name.pdf")


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


def litter_and_hang() -> list[bytes]:
    litter()
    return hang()


def litter_under_lock() -> list[bytes]:
    folder = Path(tempfile.mkdtemp())
    (folder / "left-behind").write_bytes(b"secret")
    folder.chmod(0)
    return [str(folder).encode()]


def count_litter() -> list[bytes]:
    return [str(len(list(Path(tempfile.gettempdir()).iterdir()))).encode()]


def tell_environment(name: bytes) -> list[bytes]:
    return [os.environ.get(name.decode(), "").encode()]


def tell_pid() -> list[bytes]:
    return [str(os.getpid()).encode()]


# ------------------------------------------------------------------------------------------------ too much


def allocate_without_end() -> list[bytes]:
    kept = []
    while True:
        kept.append(b"x" * (64 << 20))


def allocate_in_subprocess() -> list[bytes]:
    program = "kept = []\nwhile True: kept.append(b'x' * (64 << 20))"
    return [str(subprocess.run([sys.executable, "-c", program], check=False).returncode).encode()]


def open_files_without_end() -> list[bytes]:
    kept: list[int] = []
    try:
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return [str(len(kept)).encode()]


def write_without_end() -> list[bytes]:
    """One file as large as it may be."""
    written = 0
    with tempfile.TemporaryFile(buffering=0) as file:
        try:
            while True:
                written += file.write(bytes(1 << 16))
        except OSError:
            return [str(written).encode()]


def write_files_without_end() -> list[bytes]:
    """As many files as there is room for."""
    folder = Path(tempfile.mkdtemp())
    for number in range(1000):
        try:
            (folder / str(number)).write_bytes(bytes(1 << 16))
        except OSError:
            return [str(number).encode()]
    return [b"1000"]


def multiply() -> list[bytes]:
    """Two hundred processes."""
    for number in range(200):
        try:
            if os.fork() == 0:
                time.sleep(30)
                os._exit(0)
        except OSError:
            return [str(number).encode()]
    return [b"200"]


def answer_without_end() -> list[bytes]:
    return [bytes(1 << 20)] * 64


# ------------------------------------------------------------------------------------------------ out of the fence


def _tried(act: Callable[[], object]) -> bytes:
    try:
        act()
    except OSError as error:
        return type(error).__name__.encode()
    return b"done"


def open_sockets(port: bytes) -> list[bytes]:
    def connect() -> None:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
            connection.sendall(b"out")

    kinds = ((socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_INET6, socket.SOCK_STREAM), (socket.AF_UNIX, 1))
    return [_tried(connect), *(_tried(lambda kind=kind: socket.socket(*kind)) for kind in kinds)]


def reach_out_from_subprocess(port: bytes) -> list[bytes]:
    program = f"import socket; socket.create_connection(('127.0.0.1', {int(port)}), timeout=5).sendall(b'out')"
    return [b"done" if subprocess.run([sys.executable, "-c", program], check=False).returncode == 0 else b"refused"]


def write_to(*paths: bytes) -> list[bytes]:
    return [_tried(lambda path=path: Path(path.decode()).write_bytes(b"was here")) for path in paths]


def read_from(*paths: bytes) -> list[bytes]:
    return [_tried(lambda path=path: Path(path.decode()).read_bytes()) for path in paths]


def read_memory_of(pid: bytes) -> list[bytes]:
    return [*read_from(b"/proc/%s/environ" % pid, b"/proc/%s/maps" % pid), _call("ptrace", 16, int(pid), 0, 0)]


def read_memory_of_parent() -> list[bytes]:
    return read_memory_of(str(os.getppid()).encode())


def _call(name: str, *arguments: int | bytes) -> bytes:
    ctypes.set_errno(0)
    return b"done" if getattr(_libc, name)(*arguments) == 0 else b"refused"


def gain_powers() -> list[bytes]:
    new_user_namespace = 0x10000000
    return [
        _call("unshare", new_user_namespace),
        _call("mount", b"none", tempfile.mkdtemp().encode(), b"tmpfs", 0, 0),
        _call("setns", 0, 0),
        _tried(lambda: os.chroot("/")),
    ]


def kill_parent() -> list[bytes]:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.5)
    return [b"still here"]


def signal_process(pid: bytes) -> list[bytes]:
    return [_tried(lambda: os.kill(int(pid), signal.SIGTERM))]


def leave_grandchildren(marker: bytes) -> list[bytes]:
    """Processes in sessions of their own, whose parents are gone, deaf to polite signals."""
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                    signal.signal(number, signal.SIG_IGN)
                os.execvp("sleep", ["sleep", marker.decode()])  # noqa: S606
            os._exit(0)
    time.sleep(0.2)
    return [b"left"]


def leave_grandchildren_and_hang(marker: bytes) -> list[bytes]:
    leave_grandchildren(marker)
    return hang()


# ------------------------------------------------------------------------------------------------ lies


def write_answer(raw: bytes) -> list[bytes]:
    """Put bytes where the frame of an answer belongs, into every file at hand."""
    for file in range(3, 32):
        try:
            if stat.S_ISREG(os.fstat(file).st_mode):
                os.ftruncate(file, 0)
                os.pwrite(file, raw, 0)
        except OSError:
            continue
    os._exit(0)


def answer_sparse() -> list[bytes]:
    """A file that claims to be large and takes no room."""
    write = struct.pack(">IQ", 1, (1 << 40)) + b"{}"
    return write_answer(write)


def report_leak() -> list[bytes]:
    raise LeakFoundError("A05")


def reject_at_length() -> list[bytes]:
    raise CorruptFileError("x" * 5000)


JOBS = {
    name: function
    for name, function in list(globals().items())
    if callable(function) and not name.startswith("_") and getattr(function, "__module__", "") == __name__
}
