"""What a child, and each process that it starts, may use up. The kernel holds them to it."""

from __future__ import annotations

import math
import resource
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of every child; time comes with the call, pages and pixels are the readers' (`tasks.reading.media`).

    Attributes:
        memory_bytes: address space of one process. A page of 80 million pixels, the most that is read, takes 2.1 GiB.
        file_bytes: of one file, the answer included; also of all temporary files together where the scratch folder is
            the child's own.
        open_files: descriptors of one process.
        processes: processes and threads of one child together; holds only where the child has a user namespace of its
            own and the caller is not root, otherwise the caller's other processes would count.
    """

    memory_bytes: int = 4096 * MIB
    file_bytes: int = 1024 * MIB
    open_files: int = 256
    processes: int = 128


def bind(bounds: Bounds, cpu_s: float, own_user_namespace: bool) -> None:
    """Put this process and its descendants under the bounds, for good.

    Args:
        bounds: memory, files, processes.
        cpu_s: processor seconds of each process, even if nobody is left to watch the clock.
        own_user_namespace: whether only children of ours are counted among the processes.
    """
    wanted = {
        resource.RLIMIT_AS: bounds.memory_bytes,
        resource.RLIMIT_FSIZE: bounds.file_bytes,
        resource.RLIMIT_NOFILE: bounds.open_files,
        resource.RLIMIT_CORE: 0,  # a core file would hold the record
        resource.RLIMIT_CPU: math.ceil(cpu_s) + 1,
    }
    if own_user_namespace:
        wanted[resource.RLIMIT_NPROC] = bounds.processes
    for what, value in wanted.items():
        _, hard = resource.getrlimit(what)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (most, most))


def bound_to(bounds: Bounds) -> bool:
    """Whether this process is under the bounds on memory, files and descriptors."""
    wanted = {
        resource.RLIMIT_AS: bounds.memory_bytes,
        resource.RLIMIT_FSIZE: bounds.file_bytes,
        resource.RLIMIT_NOFILE: bounds.open_files,
    }
    return all(0 <= resource.getrlimit(what)[1] <= value for what, value in wanted.items())
