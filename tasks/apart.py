"""Run a job apart: in a fresh process that may crash, hang or be killed without harm to the caller.

Source files come from strangers and PyMuPDF is not thread-safe, so nothing that parses a source runs in the process
that holds credentials. A *mother* process imports the jobs once and forks a child for every call: a clean address
space each time for the price of a fork.

Rule kept here: what comes back from a child is bytes in frames, never pickles; a child cannot make its caller run code.

A frame is a count (4 bytes, big endian) and that many blobs, each a length (8 bytes) and its bytes. The first blob of
a call is JSON `{"job", "timeout_s"}`; of a reply `{"code", "detail"}`, where code "" means success.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import queue
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tasks.codec import decode, encode
from tasks.errors import CorruptFileError, FoiError, LimitExceededError, ReaderUnavailableError, all_errors

Job = Callable[..., Sequence[bytes]]

DEFAULT_TIMEOUT_S = 3600.0
_COUNT, _LENGTH = struct.Struct(">I"), struct.Struct(">Q")
_CRASHED, _TIMED_OUT = "child-crashed", "child-timed-out"


class ChildCrashedError(CorruptFileError):
    """The process that parsed the file died: the file is hostile, or memory ran out."""

    code = "child-crashed"
    message = "The process that read the file died."


class ChildTimedOutError(LimitExceededError):
    """The process that parsed the file did not finish in its time."""

    code = "child-timed-out"
    message = "Reading the file took longer than its limit."


def write_frame(stream: IO[bytes], blobs: Sequence[bytes]) -> None:
    """Write one frame."""
    stream.write(_COUNT.pack(len(blobs)))
    for blob in blobs:
        stream.write(_LENGTH.pack(len(blob)))
        stream.write(blob)
    stream.flush()


def read_frame(stream: RawIOBase | IO[bytes]) -> list[bytes] | None:
    """Read one frame; None at the end of the stream.

    Raises:
        EOFError: the stream ended inside a frame.
    """
    try:
        count = _COUNT.unpack(_exactly(stream, _COUNT.size))[0]
    except EOFError:
        return None
    return [_exactly(stream, _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]) for _ in range(count)]


def _exactly(stream: RawIOBase | IO[bytes], size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0:
        part = stream.read(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Apart:
    """A handful of mothers, each serving one call at a time; safe to use from several threads.

    Args:
        slots: how many calls may run at once.
        scratch: private folder for the children's temporary files; default a new one, removed at the end.
        jobs: the module whose `JOBS` can be called.
    """

    def __init__(self, slots: int, scratch: Path | None = None, jobs: str = "tasks.jobs") -> None:
        self._jobs = jobs
        self._own_scratch = scratch is None
        self._scratch = scratch or Path(tempfile.mkdtemp(prefix="foi-"))
        self._idle: queue.LifoQueue[subprocess.Popen[bytes] | None] = queue.LifoQueue()
        for _ in range(slots):
            self._idle.put(None)

    def __enter__(self) -> Self:
        """Nothing starts before the first call."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        """Stop the mothers and remove the temporary files."""
        while not self._idle.empty():
            self._stop(self._idle.get_nowait())
        if self._own_scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def call(self, job: str, *blobs: bytes, timeout_s: float = DEFAULT_TIMEOUT_S) -> tuple[bytes, ...]:
        """Run the job of that name (see `tasks.jobs`) on `blobs` in a fresh child.

        Raises:
            FoiError: the job's own error, rebuilt here from its code.
            ChildCrashedError: the child died without an answer.
            ChildTimedOutError: it was killed after `timeout_s` seconds.
        """
        mother = self._idle.get()
        try:
            if mother is None or mother.poll() is not None:
                mother = self._start()
            reply = self._exchange(mother, job, blobs, timeout_s)
        except BaseException:
            self._stop(mother)
            mother = None
            raise
        finally:
            self._idle.put(mother)
        verdict = decode(reply[0], dict[str, str])
        if verdict["code"]:
            raise _error(verdict["code"], verdict["detail"])
        return tuple(reply[1:])

    def _exchange(
        self, mother: subprocess.Popen[bytes], job: str, blobs: Sequence[bytes], timeout_s: float
    ) -> list[bytes]:
        assert mother.stdin and mother.stdout  # noqa: S101 - both are pipes by construction
        try:
            write_frame(mother.stdin, [encode({"job": job, "timeout_s": timeout_s}), *blobs])
            reply = read_frame(mother.stdout)
        except (OSError, EOFError):
            reply = None
        if not reply:
            raise ReaderUnavailableError("The process that starts readers died.")
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tasks.apart", str(self._scratch), self._jobs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**_modest_environment(), "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )

    @staticmethod
    def _stop(mother: subprocess.Popen[bytes] | None) -> None:
        if mother is None:
            return
        for pipe in (mother.stdin, mother.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            mother.wait(timeout=5)
        except subprocess.TimeoutExpired:
            mother.kill()
            mother.wait()


def _modest_environment() -> dict[str, str]:
    # What the mother needs to find Python and Tesseract, and no credential of its parent.
    wanted = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TESSDATA_PREFIX", "HOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in wanted if name in os.environ}  # a child's start, not a setting


def _error(code: str, detail: str) -> FoiError:
    for kind in all_errors():
        if kind.code == code:
            return kind(detail)
    return FoiError(f"{code} {detail}".strip())


# ------------------------------------------------------------------------------------------------ in the mother


def serve(requests: RawIOBase, replies: IO[bytes], jobs: Mapping[str, Job], scratch: Path) -> None:
    """Answer calls until the caller goes away."""
    gc.freeze()
    while (call := read_frame(requests)) is not None:
        head = decode(call[0], dict[str, str | float])
        folder = Path(tempfile.mkdtemp(prefix="job-", dir=scratch))
        try:
            reply = _run_in_child(jobs[str(head["job"])], call[1:], float(head["timeout_s"]), folder, requests.fileno())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if reply is None:
            return
        replies.write(reply)
        replies.flush()


def _run_in_child(job: Job, blobs: Sequence[bytes], timeout_s: float, folder: Path, caller: int) -> bytes | None:
    """The child's reply frame, or one that says how it died; None when the caller has gone."""
    inward, outward = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(inward)
        os.setsid()
        tempfile.tempdir = str(folder)
        os.environ["TMPDIR"] = str(folder)
        with os.fdopen(outward, "wb") as stream:
            write_frame(stream, _answer(job, blobs))
        os._exit(0)
    os.close(outward)
    try:
        return _collect(pid, inward, time.monotonic() + timeout_s, caller)
    finally:
        os.close(inward)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _collect(pid: int, inward: int, deadline: float, caller: int) -> bytes | None:
    chunks: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(inward, selectors.EVENT_READ)
        selector.register(caller, selectors.EVENT_READ)  # readable before we answered: it has gone
        while True:
            ready = {key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
            if not ready:
                return _frame_of(_TIMED_OUT)
            if inward in ready:
                chunk = os.read(inward, 1 << 20)
                if not chunk:
                    break
                chunks.append(chunk)
            elif caller in ready:
                return None
    _, status = os.waitpid(pid, 0)
    return b"".join(chunks) if status == 0 and chunks else _frame_of(_CRASHED)


def _frame_of(code: str) -> bytes:
    blob = encode({"code": code, "detail": ""})
    return _COUNT.pack(1) + _LENGTH.pack(len(blob)) + blob


def _answer(job: Job, blobs: Sequence[bytes]) -> list[bytes]:
    try:
        return [encode({"code": "", "detail": ""}), *job(*blobs)]
    except FoiError as error:
        return [encode({"code": error.code, "detail": error.detail})]
    except MemoryError:
        return [encode({"code": LimitExceededError.code, "detail": "Memory."})]
    except Exception as error:  # its text may quote the record; its type may not
        return [encode({"code": "error", "detail": type(error).__name__})]


def main() -> None:
    """Entry of the mother process: `python -m tasks.apart SCRATCH JOBS`."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not enter the protocol
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to handle; we end with its pipe
    jobs = importlib.import_module(sys.argv[2]).JOBS
    # Unbuffered, so that the selector sees what the caller sends and nothing waits in between.
    serve(os.fdopen(0, "rb", buffering=0), replies, jobs, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
