"""The mother: imports the jobs once, locks herself in, and forks a child for every call.

    python -m tasks.apart.mother ORDERS        with the caller's socket as standard input

She is told by packets on that socket, one a call, each with two files: the call's frame and an empty one for the
answer. She says nothing but how the child ended. While a child is at work, anything on the socket, its end above all,
means that nobody waits any more.

Rule kept here: when she answers, the child and everything it started are gone, and so are their files.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import re
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tasks.apart.bounds import bind, bound_to
from tasks.apart.frames import Job, read_frame, write_frame
from tasks.apart.layers import (
    LANDLOCK,
    SECCOMP,
    Fence,
    adopt_orphans,
    die_with,
    go_first,
    hide_memory,
    lock_in,
    report,
    standing,
)
from tasks.apart.messages import LAYERS_JOB, PACKET_BYTES, Call, Ended, Orders, Verdict
from tasks.apart.scratch import empty
from tasks.codec import decode, encode
from tasks.errors import FoiError, LimitExceededError

_CLEARING_S = 5.0
_NOT_LOCKED_IN = 70

_HAS_LOADED = 3
"""Exit status of a child that did well and had to load what `load` of its jobs loads: before the next such job the
mother does, once for all. It is all a child can make her do, and of her own files."""


class Mother:
    """One mother; see the module."""

    def __init__(self, orders: Orders, caller: socket.socket) -> None:
        self._orders = orders
        self._caller = caller
        self._scratch = Path(orders.scratch)
        self._pid = os.getpid()
        hide_memory()
        adopt_orphans()
        self._fence = Fence(orders.readable, self._scratch)
        self._module = importlib.import_module(orders.jobs)
        self._jobs: dict[str, Job] = dict(self._module.JOBS)
        self._has_loaded: Callable[[], bool] = getattr(self._module, "has_loaded", lambda: True)
        self._needing: set[str] = set()
        why_not = {SECCOMP: lock_in(), LANDLOCK: self._fence.why_not}
        status = standing()

        def report_layers() -> list[bytes]:
            found = report(bound_to(orders.bounds), orders.outside, status, why_not)
            return [encode(found)]

        self._jobs[LAYERS_JOB] = report_layers

    def serve(self) -> None:
        """Answer calls until the caller goes away."""
        gc.freeze()
        while True:
            packet, files, _, _ = socket.recv_fds(self._caller, PACKET_BYTES, 2)
            if not packet:
                return
            call = decode(packet, Call)
            if call.job in self._needing and not self._has_loaded():
                self._module.load()
                gc.freeze()
            before = _cpu_of_children()
            status = self._run(call, *files)
            for file in files:
                os.close(file)
            cleared = _end_descendants()
            empty(self._scratch)
            if status is None or not cleared:
                return  # nobody waits; or our end takes with it what cannot be ended otherwise
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _HAS_LOADED:
                self._needing.add(call.job)
                status = 0
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._caller.send(encode(Ended(status, _cpu_of_children() - before)))

    def _run(self, call: Call, asked: int, answer: int) -> int | None:
        """How the child ended, as `waitpid` says it; None when the caller has gone."""
        pid = os.fork()
        if pid == 0:
            try:
                self._be_child(call, asked, answer)
            finally:
                os._exit(_NOT_LOCKED_IN)
        ending = os.pidfd_open(pid)
        try:
            ready, _, _ = select.select([ending, self._caller.fileno()], [], [])
            if ending not in ready:
                return None
            return os.waitpid(pid, 0)[1]
        finally:
            os.close(ending)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def _be_child(self, call: Call, asked: int, answer: int) -> None:
        had_loaded = self._has_loaded()
        self._caller.close()
        die_with(self._pid)
        os.setsid()
        go_first()
        bind(self._orders.bounds, call.cpu_s, self._orders.counted)
        self._fence.enter()
        try:
            write_frame(answer, _answer(self._jobs[call.job], read_frame(asked)))
        except OSError as error:
            too_large = error.errno == errno.EFBIG
            write_frame(answer, [encode(_TOO_LARGE if too_large else Verdict("error", type(error).__name__))])
        os._exit(_HAS_LOADED if self._has_loaded() and not had_loaded else 0)


def _cpu_of_children() -> float:
    """Processor seconds of all children reaped so far, and of what they reaped."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


_TOO_LARGE = Verdict(LimitExceededError.code, "The result is too large.")


def _answer(job: Job, blobs: list[bytes]) -> list[bytes]:
    try:
        return [encode(Verdict()), *job(*blobs)]
    except FoiError as error:
        return [encode(Verdict(error.code, error.detail))]
    except Exception as error:  # its text may quote the record; its type may not
        if isinstance(error, MemoryError) or re.search("memory|alloc", str(error), re.IGNORECASE):
            return [encode(Verdict(LimitExceededError.code, "Memory."))]
        return [encode(Verdict("error", type(error).__name__))]


def _end_descendants() -> bool:
    """Kill and reap whatever a child left; orphans have become ours. False when they multiply faster than we kill."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    until = time.monotonic() + _CLEARING_S
    while time.monotonic() < until:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        with contextlib.suppress(OSError):
            for pid in map(int, children.read_text().split()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)
    return False


def main() -> None:
    """Entry of the mother process."""
    caller = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to handle; we end with its socket
    Mother(decode(sys.argv[1].encode(), Orders), caller).serve()


if __name__ == "__main__":
    main()
