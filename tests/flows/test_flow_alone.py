"""One run at a time publishes a request, as Prefect's own database decides it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from flows.alone import RunOverError, enter, leave
from flows.runs import Run, Runs
from infra.deploy import PrefectApi
from tests.flows.conftest import Pipeline

pytestmark = [pytest.mark.flow, pytest.mark.slow]

REFERENCE = "ALONE-1"
ROUNDS = 6
SOON_S = 60.0
"""Long for a right that is free, short of the minutes after which a patrol would end a run that says nothing."""


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


class LosingLine(httpx.HTTPTransport):
    """A line to the server on which some questions arrive, and their answers do not.

    Attributes:
        is_lost: which.
        lost: how many were.
    """

    def __init__(self, is_lost: Callable[[httpx.Request], bool]) -> None:
        super().__init__()
        self.is_lost = is_lost
        self.lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if self.is_lost(request):
            self.lost += 1
            answer.read()
            raise httpx.ReadTimeout("", request=request)
        return answer


def test_runs_that_all_want_to_publish_do_it_one_after_the_other(pipeline: Pipeline, runs: list[Run]) -> None:
    # Until all waited for each other until the patrol ended them, they met here, all inside at once.
    inside, worst, done = threading.Semaphore(len(runs)), [0], [0]

    def publish(run: Run) -> None:
        with httpx.Client(base_url=pipeline.api.base_url, timeout=60) as client:
            known = Runs(client)
            for _ in range(ROUNDS):
                right = enter(known, run.id, REFERENCE, wait_s=SOON_S)
                assert right
                inside.acquire()
                worst[0] = max(worst[0], len(runs) - inside._value)
                time.sleep(0.1)
                done[0] += 1
                inside.release()
                leave(known, right)

    with ThreadPoolExecutor(len(runs)) as threads:
        list(threads.map(publish, runs))
    assert (worst[0], done[0]) == (1, len(runs) * ROUNDS)


def test_a_run_that_ended_without_a_word_holds_nobody_up_and_another_request_never_did(
    pipeline: Pipeline, runs: list[Run]
) -> None:
    known = Runs(pipeline.api)
    dead, mine, _ = runs
    assert enter(known, dead.id, REFERENCE, wait_s=5)
    assert not enter(known, mine.id, REFERENCE, wait_s=2)
    assert enter(known, mine.id, "ANOTHER-1", wait_s=2)
    known.settle(dead, "CRASHED", "Crashed", "its process is gone")
    assert enter(known, mine.id, REFERENCE, wait_s=5)


def test_a_run_that_is_taken_for_dead_while_it_waits_does_not_go_in_and_the_next_does(
    pipeline: Pipeline, runs: list[Run]
) -> None:
    known = Runs(pipeline.api)
    holder, waiting, third = runs
    right = enter(known, holder.id, REFERENCE, wait_s=5)
    assert right

    def wait() -> None:
        with httpx.Client(base_url=pipeline.api.base_url, timeout=60) as client, pytest.raises(RunOverError):
            enter(Runs(client), waiting.id, REFERENCE, wait_s=SOON_S)

    with ThreadPoolExecutor(1) as thread:
        waited = thread.submit(wait)
        known.settle(waiting, "CRASHED", "Crashed", "No sign of life.")
        leave(known, right)
        waited.result()
    assert enter(known, third.id, REFERENCE, wait_s=5)


def test_answers_that_get_lost_give_the_right_to_no_second_run_and_take_it_from_nobody(
    pipeline: Pipeline, runs: list[Run]
) -> None:
    mine, other, _ = runs
    made_once = LosingLine(lambda asked: asked.method == "POST" and not made_once.lost)
    removed = LosingLine(lambda asked: asked.method == "DELETE")
    known = Runs(pipeline.api)

    def told_over(line: LosingLine) -> httpx.Client:
        address = urlsplit(str(pipeline.api.base_url))
        return httpx.Client(base_url=address.geturl(), transport=line, timeout=60)

    with told_over(made_once) as client:
        right = enter(Runs(client), mine.id, REFERENCE, wait_s=5)  # what was asked again finds its own
        assert right
        assert made_once.lost == 1
    assert not enter(known, other.id, REFERENCE, wait_s=2)
    with told_over(removed) as client:
        leave(Runs(client, pauses_s=(0.1,)), right)
        assert removed.lost == 2
    theirs = enter(known, other.id, REFERENCE, wait_s=5)
    assert theirs
    known.remove_variable(right)  # as a question that arrives late
    assert not enter(known, mine.id, REFERENCE, wait_s=2)
