"""A running pipeline: the embedded stack with keys, deployments and watcher, as `foi up` makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from flows.place import open_place
from flows.settings import Settings
from infra.deploy import PrefectApi
from infra.desk import create_run
from infra.embedded import Stack
from infra.gateway import load_account
from infra.up import open_stack
from tasks.model import RequestStatus
from tasks.status import find_status
from tasks.workplace import Workplace
from tests.authority import write_policy
from tests.flows.sink import Sink
from tests.waiting import run_ended, until


@dataclass
class Pipeline:
    """A running stack, seen as an upstream system and an operator see it."""

    stack: Stack
    place: Workplace
    api: httpx.Client
    policy: Path | None = None

    def upload(self, reference: str, files: dict[str, bytes]) -> None:
        """Put objects into the intake bucket in the order given."""
        for name, data in files.items():
            self.place.store.put(self.place.buckets.intake, f"{reference}/{name}", data)

    def runs(self, reference: str) -> list[dict[str, Any]]:
        """Runs named after the reference, oldest first."""
        asked = {"flow_runs": {"name": {"any_": [reference]}}, "sort": "EXPECTED_START_TIME_ASC"}
        found: list[dict[str, Any]] = self.api.post("/flow_runs/filter", json=asked).raise_for_status().json()
        return found

    def start(self, deployment: str, **parameters: object) -> str:
        """Create a run of a deployment; returns its id."""
        return create_run(PrefectApi(self.api), deployment, parameters)

    def ended(self, run: str) -> dict[str, Any]:
        """The run, once it has ended."""
        return run_ended(self.api, run)

    def settled(self, reference: str, *states: str) -> RequestStatus:
        """The request's status, once it is in one of the states."""

        def look() -> RequestStatus | None:
            status = find_status(self.place, reference)
            return status if status and status.state in states else None

        return until(look)


@contextmanager
def seen(stack: Stack, state: Path, policy: Path, auth: tuple[str, str] | None = None) -> Iterator[Pipeline]:
    """A running stack from outside: its store with the keys to everything, its Prefect with what that asks for."""
    admin = load_account(state / "store" / "credentials.json")
    settings = Settings(
        store_endpoint=stack.environment["FOI_STORE_ENDPOINT"],
        store_access_key=admin.access_key,
        store_secret_key=admin.secret_key,
        policy_file=policy,
    )
    address = stack.environment["PREFECT_API_URL"]
    with open_place(settings) as place, httpx.Client(base_url=address, auth=auth) as api:
        yield Pipeline(stack, place, api, policy)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The pipeline, running; requests that ask for no review are published."""
    state: Path = tmp_path_factory.mktemp("pipeline")
    policy = write_policy(tmp_path_factory.mktemp("policy"))
    with (
        open_stack(Console(quiet=True), state, allow_unreviewed=True, policy=policy) as stack,
        seen(stack, state, policy) as running,
    ):
        yield running


@pytest.fixture
def sink() -> Iterator[Sink]:
    started = Sink()
    yield started
    started.close()
