"""The patrol, on a real server: runs whose process is gone are ended and taken up again, and only those."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from flows.patrol import CRASHES, Patrol, end_lost_runs
from flows.runs import Run, Runs
from tests.flows.conftest import Pipeline
from tests.flows.test_flow_events import about, invalid, request_json
from tests.pictures import encoded, typed
from tests.waiting import until

pytestmark = [pytest.mark.flow, pytest.mark.endurance, pytest.mark.timeout(900)]

SILENCE = timedelta(seconds=45)  # signs of life come every 30 seconds


@pytest.fixture
def runs(pipeline: Pipeline) -> Iterator[Runs]:
    with httpx.Client(base_url=pipeline.api.base_url, timeout=60) as patient:
        yield Runs(patient)


def descendants(pid: int) -> list[int]:
    """Every process below one, by /proc."""
    parents = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names, not paths
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:  # noqa: PTH123
                    parents[int(entry)] = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found


def running(runs: Runs, reference: str) -> Run | None:
    return next((run for run in runs.started() if run.reference == reference and run.kind == "RUNNING"), None)


def test_a_run_that_is_alive_is_left_alone(pipeline: Pipeline, runs: Runs) -> None:
    pages = {f"records/{n}.png": encoded(typed(f"Memo number {n}."), "PNG", dpi=(150, 150)) for n in range(2)}
    pipeline.upload("ALIVE-1", {**pages, "request.json": request_json("ALIVE-1")})
    run = until(lambda: running(runs, "ALIVE-1"))
    assert until(lambda: runs.is_alive(run, SILENCE) or None)
    assert end_lost_runs(runs, SILENCE) == []
    pipeline.settled("ALIVE-1", "held", "published", "blocked")


def test_a_run_whose_worker_died_with_it_is_ended_and_taken_up_again(pipeline: Pipeline, runs: Runs) -> None:
    pages = {f"records/{n}.png": encoded(typed(f"Memo number {n}."), "PNG", dpi=(150, 150)) for n in range(3)}
    pipeline.upload("DEAD-1", {**pages, "request.json": request_json("DEAD-1")})
    lost = until(lambda: running(runs, "DEAD-1"))
    worker = pipeline.stack.pids["worker"]
    for pid in [worker, *descendants(worker)]:
        os.kill(pid, signal.SIGKILL)
    pipeline.stack.restart("worker")
    ended = pipeline.ended(lost.id)["state"]  # by the new worker, before the run's silence tells
    assert (ended["name"], ended["message"]) == ("Crashed", "Its process ended with its worker.")
    patrol = Patrol(runs, lambda: None, SILENCE)

    def gone_round() -> Run | None:
        patrol.go_round()
        return next((run for run in about(runs, "DEAD-1") if run.id != lost.id), None)

    until(gone_round)
    pipeline.settled("DEAD-1", "held", "published", "blocked")
    made = len(about(runs, "DEAD-1"))
    Patrol(runs, lambda: None, SILENCE).go_round()  # another one finds nothing left to do
    assert len(about(runs, "DEAD-1")) == made


def test_what_crashes_again_and_again_is_left_to_the_sweep(pipeline: Pipeline, runs: Runs) -> None:
    pipeline.upload("AGAIN-1", {"request.json": invalid("AGAIN-1")})
    pipeline.settled("AGAIN-1", "quarantined")
    for _ in range(CRASHES + 1):
        run = pipeline.start("process-request/on-request", reference="AGAIN-1")
        pipeline.ended(run)
        runs.settle(runs.read(run), "CRASHED", "Crashed", "killed by the test")
    before = len(about(runs, "AGAIN-1"))
    Patrol(runs, lambda: None, SILENCE).go_round()
    assert len(about(runs, "AGAIN-1")) == before
    crashed = runs.ended(datetime.now(UTC) - timedelta(hours=1), crashed=True)
    assert sum(run.reference == "AGAIN-1" for run in crashed) == CRASHES + 1


def test_a_server_that_was_away_is_told_again_of_what_came_lately(pipeline: Pipeline) -> None:
    told: list[str] = []
    away = Runs(pipeline.api.__class__(base_url="http://127.0.0.1:9/api"))
    patrol = Patrol(away, lambda: told.append("again"), SILENCE)
    with pytest.raises(Exception, match="did not answer"):
        patrol.go_round()
    assert told == []
    patrol.runs = Runs(pipeline.api)
    patrol.go_round()
    assert told == ["again"]
    patrol.go_round()
    assert told == ["again"]
