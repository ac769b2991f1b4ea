"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

TIMEOUT_S = 240

T = TypeVar("T")


def until(look: Callable[[], T | None]) -> T:
    """What `look` gives as soon as it gives something."""
    deadline = time.monotonic() + TIMEOUT_S
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.3)
    return found


def eventually(holds: Callable[[], bool], patience_s: float = 60) -> bool:
    """Whether it holds before patience ends."""
    deadline = time.monotonic() + patience_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def run_ended(api: httpx.Client, run: str) -> dict[str, Any]:
    """The flow run, once it has ended."""

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = api.get(f"/flow_runs/{run}").raise_for_status().json()
        return found if found["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

    return until(look)
