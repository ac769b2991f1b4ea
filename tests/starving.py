"""A real Tesseract with too little memory: the limit that holds in the cage, lower for what is started than for us."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def starving_tesseract(limit_bytes: int) -> Iterator[None]:
    """What this process starts inside gets so much address space; 0 for as much as we have."""

    class Starved(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, preexec_fn=starve, **more)

    def starve() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))

    ours = subprocess.Popen
    if limit_bytes:
        subprocess.Popen = Starved  # type: ignore[misc]
    try:
        yield
    finally:
        subprocess.Popen = ours  # type: ignore[misc]
