"""The nightly truth: every request in the intake bucket that has no current result is processed, and a report says how.

Events are hints (they get lost on every server); this listing is what nothing escapes. A request whose listing is the
one of its last settled run costs its lines in the listings, and nothing of it is read: see `tasks.survey`. The sweep
makes the runs and waits for them; how many are at work at once is the limit of their work queue. Whatever is wrong with
one request stands in the report and touches no other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.states import State as PrefectState

from flows.announce import EVENT
from flows.patience import patiently
from flows.patrol import end_lost_runs
from flows.place import open_place
from flows.report import report_address, show_caseload
from flows.runs import ON_REQUEST, PROCESSING, Runs, open_runs
from flows.settings import Settings
from flows.states import quoting_nothing
from tasks import steps
from tasks.model import State
from tasks.status import now
from tasks.survey import SOON_DAYS, Look, Survey

FINISHED = "foi.sweep.finished"
DUE_SOON = "foi.request.due-soon"

_WAIT = timedelta(hours=20)
_POLL_S = 5.0
_SILENCE = timedelta(minutes=10)  # the sweep has not seen whether the server was away: see flows.patrol
_EVENTS_KEPT = timedelta(days=7)


@flow(name="sweep", flow_run_name="nightly sweep", persist_result=False)
def sweep() -> PrefectState:
    """Process every request that is new, changed, failed or forgotten, and report on all."""
    settings = Settings()
    with quoting_nothing(), open_place(settings) as place, open_runs(settings) as runs:
        lost = len(end_lost_runs(runs, _SILENCE))
        survey = patiently(lambda: Survey(place))
        before = patiently(survey.look)
        submitted = _submit(runs, before)
        _wait_for(runs, submitted)
        told = {str(event["resource"].get("reference")) for event in runs.told(EVENT, datetime.now(UTC) - _EVENTS_KEPT)}
        damaged = patiently(lambda: steps.rebuild_log(place))
        untold = set(submitted) - told
        after = [replace(look, announced=look.reference not in untold) for look in patiently(survey.look_again)]
        patiently(survey.remember)
        create_markdown_artifact(
            report(after, submitted, survey.unsafe, lost, damaged),
            key="sweep-report",
            description="Every request after the sweep",
        )
        show_caseload(place, survey)  # the clock has gone on, whether or not there was a run
        _tell(runs, after, len(submitted))
    message = f"{len(submitted)} of {len(before)} submitted"
    unsafe = f"; {survey.unsafe} folders have unsafe names" if survey.unsafe else ""
    return Completed(message=f"{message}{unsafe}.")


# ------------------------------------------------------------------------------------------------ the work


def _submit(runs: Runs, looks: Iterable[Look]) -> list[str]:
    """Make a run for each request that is to be processed, unless one is at work; returns their references."""
    at_work = {run.reference for run in (*runs.started(), *runs.due())}
    submitted = []
    for look in looks:
        if look.listing and look.reference not in at_work:
            runs.create(ON_REQUEST, f"{look.reference}@{look.listing}@{flow_run.id or now()}", reference=look.reference)
            submitted.append(look.reference)
    return submitted


def _wait_for(runs: Runs, references: Iterable[str]) -> None:
    """Return when no run is at work on any of them, or the next night is near."""
    awaited = set(references)
    deadline = time.monotonic() + _WAIT.total_seconds()
    while awaited and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        awaited &= {run.reference for run in (*runs.started(PROCESSING), *runs.due(PROCESSING))}


# ------------------------------------------------------------------------------------------------ the report


def _tell(runs: Runs, looks: Iterable[Look], submitted: int) -> None:
    """Events for those who are to be told: what is due, and that a sweep has finished."""
    today = datetime.now(UTC).date().isoformat()
    for look in looks:
        if look.is_due_soon:
            resource = f"foi.request.{look.reference}"
            payload = {"due": str(look.due), "days_left": look.days_left, "state": look.state}
            labels = {"reference": look.reference}
            runs.tell(DUE_SOON, resource, labels, payload, once=f"{look.reference} {today}")
    runs.tell(FINISHED, "foi.sweep", {}, {"submitted": submitted}, once=str(flow_run.id or now()))


def report(
    looks: Iterable[Look], submitted: Iterable[str], unsafe: int = 0, lost: int = 0, damaged: Sequence[str] = ()
) -> str:
    """What the night came to, as Markdown: counts, then what needs a person, then all. References and reasons only."""
    rows = sorted(looks, key=lambda look: (look.days_left is None, look.days_left or 0, look.reference))
    done = set(submitted)
    states = sorted({row.state for row in rows})
    counts = [f"| {state} | {sum(row.state == state for row in rows)} |" for state in states]
    parts = [
        f"# {len(rows)} requests, {len(done)} processed in this sweep",
        "\n".join(("| state | requests |", "| --- | ---: |", *counts)) if counts else "The intake bucket is empty.",
    ]
    if unsafe:
        parts.append(f"**{unsafe} folders** have names that are no references; upstream must rename them.")
    if lost:
        parts.append(f"**{lost} runs** had lost their process and were ended.")
    if damaged:
        entries = ", ".join(f"`{key}`" for key in damaged)
        parts.append(f"**Entries of the disclosure log are damaged**; restore them from a backup: {entries}.")
    sections = (
        (
            f"Due within {SOON_DAYS} working days, or overdue",
            "Do these first.",
            [row for row in rows if row.is_due_soon],
        ),
        (
            "Failed, blocked or quarantined",
            "The report of each says why, and what to do next. What failed, the next sweep tries again.",
            [row for row in rows if row.state in {"failed", "blocked", "quarantined", "unknown"}],
        ),
        (
            "Held for a person",
            "The report of each says how to look at it, correct it and release it.",
            [row for row in rows if row.state == State.HELD],
        ),
        (
            "Processed, though no event had told of them",
            "If these become many, look at the logs of the watcher and of the webhook receiver.",
            [row for row in rows if row.reference in done and not row.announced],
        ),
    )
    parts += [
        f"## {head}\n\n{what_to_do}\n\n{_table(some, linked=True)}" for head, what_to_do, some in sections if some
    ]
    if rows:
        parts.append(f"## All requests\n\n{_table(rows)}")
    return "\n\n".join(parts) + "\n"


def _table(rows: Iterable[Look], *, linked: bool = False) -> str:
    lines = [
        f"| {f'[{row.reference}]({report_address(row.reference)})' if linked else row.reference} | {row.state} "
        f"| {row.due or ''} | {'' if row.days_left is None else row.days_left} | {row.reason.replace('|', ' ')} |"
        for row in rows
    ]
    return "\n".join(("| request | state | due | days left | reason |", "| --- | --- | --- | ---: | --- |", *lines))
