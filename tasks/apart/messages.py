"""What caller, mother and child say to each other, beside the frames."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.apart.bounds import Bounds

PACKET_BYTES = 4096

LAYERS_JOB = "layers"
"""A job of every mother: the layers as a child of hers finds them."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a mother is told at her start.

    Attributes:
        jobs: the module whose `JOBS` can be called.
        scratch: her folder for temporary files, the only one her children may write in.
        readable: what they may read and run.
        outside: the namespaces of the caller.
        bounds: of every child.
        counted: whether the processes of a child can be counted apart from the caller's.
    """

    jobs: str
    scratch: str
    readable: tuple[str, ...]
    outside: tuple[str, ...]
    bounds: Bounds
    counted: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the job's name and the processor seconds each process of the child may take."""

    job: str
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call's child ended.

    Attributes:
        status: as `waitpid` says it.
        cpu_s: processor seconds of the child and all below it.
    """

    status: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first blob of an answer: `code` "" means success, else an error's code and detail."""

    code: str = ""
    detail: str = ""
