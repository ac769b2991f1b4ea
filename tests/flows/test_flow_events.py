"""Events on the real servers: whatever comes twice, late, early, in heaps or not at all, each request ends the same."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from flows.announce import LONGEST_QUIET_S, QUIET_S, Submission, event_of
from flows.runs import JOINED, Run, Runs
from tasks.model import State
from tasks.status import find_status
from tests.flows.conftest import Pipeline
from tests.pictures import encoded, typed
from tests.waiting import until

pytestmark = [pytest.mark.flow, pytest.mark.endurance, pytest.mark.timeout(900)]

HOUR = timedelta(hours=1)
MEMO = encoded(typed("A short memo about posters."), "PNG", dpi=(150, 150))


def request_json(reference: str, **fields: object) -> bytes:
    return json.dumps(
        {
            "reference": reference,
            "title": "Posters",
            "received": "2026-03-02",
            "request_text": "Please send the posters.",
            **fields,
        }
    ).encode()


def invalid(reference: str) -> bytes:
    """A request that is settled, as quarantined, without reading a record."""
    return request_json(reference, received="on a Monday")


@pytest.fixture
def runs(pipeline: Pipeline) -> Iterator[Runs]:
    with httpx.Client(base_url=pipeline.api.base_url, timeout=60) as patient:
        yield Runs(patient)


def about(runs: Runs, *references: str) -> list[Run]:
    """Every run about them that was made within the hour, those that joined too."""
    since = datetime.now(UTC) - HOUR
    found = {run.id: run for run in (*runs.made(since), *runs.ended(since, name=JOINED))}
    return [run for run in found.values() if run.reference in references]


def quiet(runs: Runs, *references: str) -> list[Run]:
    """All runs about them, once none is at work or waits."""

    def look() -> list[Run] | None:
        found = about(runs, *references)
        return found if found and all(run.kind in {"COMPLETED", "FAILED", "CRASHED"} for run in found) else None

    return until(look)


def tell(pipeline: Pipeline, *references: str, copies: int = 1, etag: str = "e") -> None:
    """Events as if the store had told of writes of these, each `copies` times, each another write."""
    bucket = pipeline.place.buckets.intake
    events = [
        event_of(Submission(bucket, reference, etag, uuid4().hex), datetime.now(UTC))
        for _ in range(copies)
        for reference in references
    ]
    for start in range(0, len(events), 100):
        pipeline.api.post("/events", json=events[start : start + 100], timeout=60).raise_for_status()


@pytest.fixture
def sleeping_watcher(pipeline: Pipeline) -> Iterator[int]:
    """The watcher, stopped in its tracks: its events are lost until it goes on."""
    pid = pipeline.stack.pids["watcher"]
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


def test_a_thousand_uploads_at_once_make_few_runs_and_change_nothing(pipeline: Pipeline, runs: Runs) -> None:
    """Each upload is an event of the store; what Prefect is told of them is bounded by time, not by their number."""
    references = [f"HEAP-{n}" for n in range(4)]
    for reference in references:
        pipeline.upload(reference, {"request.json": invalid(reference)})
        pipeline.settled(reference, "quarantined")
    before = {reference: find_status(pipeline.place, reference) for reference in references}
    started = time.monotonic()
    for _ in range(250):
        for reference in references:
            pipeline.upload(reference, {"request.json": invalid(reference)})
    seconds = time.monotonic() - started
    until(lambda: len(about(runs, *references)) >= 2 * len(references) or None)
    time.sleep(LONGEST_QUIET_S)  # by then the last was told
    ended = Counter(run.state for run in quiet(runs, *references))
    assert ended.total() <= len(references) * (3 + math.ceil(seconds / QUIET_S))
    assert set(ended) <= {JOINED, "Unchanged", "Quarantined"}
    assert {reference: find_status(pipeline.place, reference) for reference in references} == before


def test_runs_that_wait_are_done_by_the_one_that_starts(pipeline: Pipeline, runs: Runs) -> None:
    """Events that did not come through watcher or receiver: each makes a run, and hardly any a process.

    Prefect on SQLite gives up an event that it cannot write within a minute, so not each of the twelve has to arrive.
    """
    pipeline.upload("DOZEN-1", {"request.json": invalid("DOZEN-1")})
    pipeline.settled("DOZEN-1", "quarantined")
    tell(pipeline, "DOZEN-1", copies=12)
    until(lambda: len(about(runs, "DOZEN-1")) > 8 or None)
    ended = Counter(run.state for run in quiet(runs, "DOZEN-1"))
    assert ended[JOINED] >= 6
    assert set(ended) <= {JOINED, "Unchanged", "Quarantined"}


def test_an_event_before_its_upload_waits_for_it(pipeline: Pipeline, runs: Runs) -> None:
    tell(pipeline, "EARLY-1")
    pipeline.settled("EARLY-1", "waiting")
    pipeline.upload("EARLY-1", {"records/memo.png": MEMO})
    tell(pipeline, "EARLY-1")
    quiet(runs, "EARLY-1")
    assert pipeline.settled("EARLY-1", "waiting").reason == "request.json has not arrived"
    pipeline.upload("EARLY-1", {"request.json": invalid("EARLY-1")})
    pipeline.settled("EARLY-1", "quarantined")


def test_an_event_that_comes_after_a_newer_one_changes_nothing(pipeline: Pipeline, runs: Runs) -> None:
    pipeline.upload("LATE-1", {"request.json": request_json("LATE-1", titel="x")})
    old = pipeline.place.store.head(pipeline.place.buckets.intake, "LATE-1/request.json")
    assert old is not None
    pipeline.upload("LATE-1", {"request.json": invalid("LATE-1")})
    until(lambda: "received" in pipeline.settled("LATE-1", "quarantined").reason or None)
    quiet(runs, "LATE-1")
    status = find_status(pipeline.place, "LATE-1")
    tell(pipeline, "LATE-1", etag=old.etag)
    time.sleep(1)
    quiet(runs, "LATE-1")
    assert find_status(pipeline.place, "LATE-1") == status


def test_a_lost_event_is_made_good_by_the_sweep_and_its_report_says_so(
    pipeline: Pipeline, runs: Runs, sleeping_watcher: int
) -> None:
    pipeline.upload("LOST-1", {"request.json": invalid("LOST-1")})
    pipeline.place.store.put(pipeline.place.buckets.work, "status/BROKEN-1.json", b"not a status")
    pipeline.upload("BROKEN-1", {"request.json": invalid("BROKEN-1")})
    pipeline.upload("SOON-1", {"request.json": request_json("SOON-1", records=[{"file": "records/late.png"}])})
    sweep = pipeline.ended(pipeline.start("sweep/nightly"))
    assert sweep["state_type"] == "COMPLETED", sweep["state"]["message"]
    assert find_status(pipeline.place, "LOST-1").state is State.QUARANTINED  # type: ignore[union-attr]
    asked = {"artifacts": {"flow_run_id": {"any_": [sweep["id"]]}}}
    artifacts = pipeline.api.post("/artifacts/filter", json=asked).raise_for_status().json()
    made = {artifact["key"]: artifact["data"] for artifact in artifacts}
    assert {row["reference"] for row in json.loads(made["caseload"])} >= {"LOST-1", "SOON-1"}
    said = made["sweep-report"]
    never_told = said.partition("## Processed, though no event had told of them")[2].partition("##")[0]
    assert "| [LOST-1](/artifacts/key/report-lost-1) | quarantined |" in never_told
    faulty = said.partition("## Failed, blocked or quarantined")[2].partition("##")[0]
    assert "| [BROKEN-1](" in faulty
    due = said.partition("## Due within 3 working days, or overdue")[2].partition("##")[0]
    assert "| [SOON-1](/artifacts/key/report-soon-1) | waiting | 2026-03-31 | -" in due
    os.kill(sleeping_watcher, signal.SIGCONT)
    until(lambda: len(quiet(runs, "LOST-1")) > 1 or None)
    assert find_status(pipeline.place, "LOST-1").state is State.QUARANTINED  # type: ignore[union-attr]
    pipeline.place.store.delete(pipeline.place.buckets.work, "status/BROKEN-1.json")


def test_of_runs_started_together_one_works_and_none_misses_what_came_meanwhile(pipeline: Pipeline, runs: Runs) -> None:
    reference = "TURN-1"
    pages = {f"records/{n}.png": encoded(typed(f"Memo number {n}."), "PNG", dpi=(150, 150)) for n in range(3)}
    pipeline.upload(reference, {**pages, "request.json": request_json(reference)})
    until(lambda: [run for run in about(runs, reference) if run.kind == "RUNNING"] or None)
    made = [pipeline.start("process-request/on-request", reference=reference) for _ in range(3)]
    pipeline.upload(reference, {"records/late.png": MEMO, "request.json": request_json(reference, title="Late")})
    for run in made:
        pipeline.ended(run)
    ended = quiet(runs, reference)
    overlapping = [run for run in ended if run.state not in {JOINED, "Unchanged"}]
    assert len(overlapping) <= 2, [run.state for run in ended]
    assert sum(run.state == JOINED for run in ended) >= 2
    status = find_status(pipeline.place, reference)
    assert status is not None
    assert {record.name for record in status.records} == {*pages, "records/late.png"}


def test_no_more_requests_are_at_work_at_once_than_the_limit(pipeline: Pipeline, runs: Runs) -> None:
    references = [f"LIMIT-{n}" for n in range(6)]
    for reference in references:
        pipeline.upload(reference, {"request.json": invalid(reference)})
    most = 0
    while any(find_status(pipeline.place, reference) is None for reference in references):
        most = max(most, len(runs.started("process-request")))
        time.sleep(0.3)
    assert 1 <= most <= 2
