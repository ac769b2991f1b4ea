"""One run at a time publishes a request, as Prefect's own database decides it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from flows.alone import PUBLISHING, RUNNING, enter
from flows.runs import Run, Runs
from infra.deploy import PrefectApi
from tests.flows.conftest import Pipeline

pytestmark = [pytest.mark.flow, pytest.mark.slow]

REFERENCE = "ALONE-1"
ROUNDS = 2


@pytest.fixture
def runs(pipeline: Pipeline) -> Iterator[list[Run]]:
    """Three runs that no worker takes, oldest first."""
    prefect = PrefectApi(pipeline.api)
    deployment = prefect.ask("GET", "/deployments/name/release/by-officer")["id"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    given = {"reference": REFERENCE, "dossier": "0" * 64, "reviewer": "A. Officer"}
    body = {"parameters": given, "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": tomorrow}}}
    known = Runs(pipeline.api)
    path = f"/deployments/{deployment}/create_flow_run"
    made = [known.read(str(prefect.ask("POST", path, body)["id"])) for _ in range(3)]
    yield sorted(made, key=lambda run: run.order)
    for run in made:
        known.settle(run, "CANCELLED", "Cancelled", "")


def test_runs_that_all_want_to_publish_do_it_one_after_the_other(pipeline: Pipeline, runs: list[Run]) -> None:
    inside, worst, done = threading.Semaphore(len(runs)), [0], [0]

    def publish(run: Run) -> None:
        with httpx.Client(base_url=pipeline.api.base_url, timeout=60) as client:
            known = Runs(client)
            for _ in range(ROUNDS):
                assert enter(known, run, REFERENCE, wait_s=280)
                inside.acquire()
                worst[0] = max(worst[0], len(runs) - inside._value)
                time.sleep(0.3)
                done[0] += 1
                inside.release()
                known.settle(run, "RUNNING", RUNNING, "")

    with ThreadPoolExecutor(len(runs)) as threads:
        list(threads.map(publish, runs))
    assert (worst[0], done[0]) == (1, len(runs) * ROUNDS)


def test_a_run_that_ended_without_a_word_holds_nobody_up_and_another_request_never_did(
    pipeline: Pipeline, runs: list[Run]
) -> None:
    known = Runs(pipeline.api)
    dead, mine, _ = runs
    assert enter(known, dead, REFERENCE, wait_s=5)
    assert not enter(known, mine, REFERENCE, wait_s=2)
    assert enter(known, mine, "ANOTHER-1", wait_s=2)
    known.settle(dead, "CRASHED", "Crashed", "its process is gone")
    assert enter(known, mine, REFERENCE, wait_s=5)
    assert known.read(mine.id).state == PUBLISHING
