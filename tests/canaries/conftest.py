"""A running pipeline of its own, with a folder of its own for temporary files, so that both can be searched whole."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from rich.console import Console

from infra.desk import create_run
from infra.embedded import Stack
from infra.up import open_stack
from tasks.store import S3Store

TIMEOUT_S = 240

T = TypeVar("T")


@dataclass
class Aviary:
    """The stack, its store in the administrator's name, Prefect's API, and where temporary files go."""

    stack: Stack
    api: httpx.Client
    temporary: Path
    said: list[bytes] = field(default_factory=list)
    """What commands printed."""

    @property
    def store(self) -> S3Store:
        return self.stack.store

    def run(self, deployment: str, **parameters: object) -> dict[str, Any]:
        """Start a run and wait for its end."""
        made = create_run(self.api, deployment, parameters)

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = self.api.get(f"/flow_runs/{made}").raise_for_status().json()
            return found if found["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None

        return self.until(ended)

    @staticmethod
    def until(look: Callable[[], T | None]) -> T:
        """What `look` gives as soon as it gives something."""
        deadline = time.monotonic() + TIMEOUT_S
        while (found := look()) is None:
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.3)
        return found


@pytest.fixture(scope="package")
def aviary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aviary]:
    temporary = tmp_path_factory.mktemp("temporary")
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(temporary)
    try:
        state = tmp_path_factory.mktemp("aviary")
        with (
            open_stack(Console(quiet=True), state, allow_unreviewed=True) as stack,
            httpx.Client(base_url=stack.environment["PREFECT_API_URL"], timeout=30) as api,
        ):
            yield Aviary(stack, api, temporary)
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
