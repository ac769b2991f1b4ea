"""What this program and everything it starts take: processor seconds and memory, of whole processes.

Rule kept here: nothing is lost. Readers outlive the process that started them by a moment, so this program adopts
orphans (`man 2 PR_SET_CHILD_SUBREAPER`) and counts them as its own.
"""

from __future__ import annotations

import ctypes
import os
import resource
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_EVERY_S = 0.2
_MIB = 1 << 20


def adopt_orphans() -> None:
    """Make this program the parent of whatever its children leave behind."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "orphans cannot be adopted")


def reap_orphans() -> None:
    """Wait for every child there still is; only for programs all of whose own children have ended."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def cpu_s_below() -> float:
    """Processor seconds of all that this program started so far, those that ended included, without its own."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


class OwnCpu:
    """Processor seconds of some processes that live long, each without what it started, by a name."""

    def __init__(self, name_of: Callable[[psutil.Process], str]) -> None:
        self._name_of = name_of
        self._names: dict[int, str] = {}
        self._seen: dict[int, float] = {}

    def look(self) -> None:
        """Take in what there is now; of a process that ended, what was seen last counts."""
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                # A process is named late: between its start and its program it looks like the one that started it.
                name = self._names.get(process.pid) or self._name_of(process)
                if name:
                    self._names[process.pid] = name
                    self._seen[process.pid] = sum(process.cpu_times()[:2])

    def by_name(self) -> Counter[str]:
        """What was seen so far."""
        total: Counter[str] = Counter()
        for pid, seconds in self._seen.items():
            total[self._names[pid]] += seconds  # type: ignore[assignment]
        return total


@dataclass(slots=True)
class Memory:
    """What was seen at its highest, MiB.

    Attributes:
        largest: resident in one process.
        together: of all processes at one moment, shared pages counted once.
    """

    largest: float = 0
    together: float = 0

    def look(self) -> None:
        """Take in what there is now."""
        together = 0.0
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                taken = process.memory_full_info()
                self.largest = max(self.largest, taken.rss / _MIB)
                together += taken.pss / _MIB
        self.together = max(self.together, together)


@contextmanager
def memory_watched() -> Iterator[Memory]:
    """The memory of all that this program starts, looked at five times a second."""
    memory = Memory()
    with looking(memory.look):
        yield memory


@contextmanager
def looking(look: Callable[[], None]) -> Iterator[None]:
    """Look five times a second."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY_S):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
