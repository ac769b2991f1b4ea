"""Run a job apart: in a fresh, locked-in process that may crash, hang or be taken over without harm to the caller.

Source files come from strangers and PyMuPDF is not thread-safe, so nothing that parses a source runs in the process
that holds credentials. A *mother* process imports the jobs once and forks a child for every call: a clean address
space each time for the price of a fork.

Rules kept here:

* What comes back from a child is bytes in frames of a bounded size, never pickles; a child cannot make its caller run
  code, fill its memory or wait for ever.
* The mother never sees a blob: the child reads the call and writes the answer itself. A child therefore finds nothing
  of an earlier record in the memory it was forked from.
* A layer that keeps children in is in force in every child of a mother, or reported as missing; never assumed.

    caller.py   Apart, in the process that holds credentials
    mother.py   the process that forks
    layers.py   what keeps a child in: namespaces, seccomp, Landlock
    bounds.py   what a child may use up
    frames.py   blobs in a file
    details.py  what a child may say of an error
    scratch.py  the private folder
"""

from tasks.apart.bounds import Bounds
from tasks.apart.caller import (
    DEFAULT_TIMEOUT_S,
    Apart,
    ChildAnswerError,
    ChildCrashedError,
    ChildTimedOutError,
    NoRoomError,
    ReadersNotStartedError,
)
from tasks.apart.frames import Job
from tasks.apart.layers import LAYERS, Layer

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "LAYERS",
    "Apart",
    "Bounds",
    "ChildAnswerError",
    "ChildCrashedError",
    "ChildTimedOutError",
    "Job",
    "Layer",
    "NoRoomError",
    "ReadersNotStartedError",
]
