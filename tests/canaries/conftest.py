"""A running pipeline of its own, with a folder of its own for temporary files, so that both can be searched whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from infra.deploy import PrefectApi
from infra.desk import create_run
from infra.embedded import Stack
from infra.up import open_stack
from tasks.store import S3Store
from tests.authority import write_policy
from tests.waiting import run_ended


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
        return run_ended(self.api, create_run(PrefectApi(self.api), deployment, parameters))


@pytest.fixture(scope="package")
def aviary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aviary]:
    temporary = tmp_path_factory.mktemp("temporary")
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(temporary)
    try:
        state = tmp_path_factory.mktemp("aviary")
        policy = write_policy(tmp_path_factory.mktemp("policy"))
        with (
            open_stack(Console(quiet=True), state, allow_unreviewed=True, policy=policy) as stack,
            httpx.Client(base_url=stack.environment["PREFECT_API_URL"], timeout=30) as api,
        ):
            yield Aviary(stack, api, temporary)
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
