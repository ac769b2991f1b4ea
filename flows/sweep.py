"""The nightly truth: every request in the intake bucket that has no current result is processed, and a report says how.

Events are hints (they get lost on every server); this listing is what nothing escapes. A request whose listing is the
one of its last settled run costs one listing and one status document. The sweep makes the runs and waits for them; how
many are at work at once is the limit of their work queue. Whatever is wrong with one request stands in the report and
touches no other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run
from prefect.states import Completed
from prefect.states import State as PrefectState

from flows.announce import EVENT
from flows.patience import patiently
from flows.patrol import end_lost_runs
from flows.place import open_place
from flows.runs import ON_REQUEST, PROCESSING, Runs, open_runs
from flows.settings import Settings
from flows.states import quoting_nothing
from tasks import steps
from tasks.disclosure.clock import due_date, is_stopped, working_days_left
from tasks.errors import FoiError, InvalidRequestError, StoreUnavailableError
from tasks.intake import REQUEST_FILE
from tasks.model import RequestStatus, State
from tasks.request import REFERENCE, parse_request
from tasks.status import SETTLED, find_status, list_request, listing_digest, now
from tasks.workplace import Workplace

FINISHED = "foi.sweep.finished"
DUE_SOON = "foi.request.due-soon"

SOON_DAYS = 3
"""Working days before the due date from which somebody is told."""

OVER = frozenset({State.PUBLISHED, State.WITHDRAWN})
"""States in which no clock runs."""

UNKNOWN = "unknown"
FAULTY = frozenset({State.FAILED, State.BLOCKED, State.QUARANTINED, UNKNOWN})

_WAIT = timedelta(hours=20)
_POLL_S = 5.0
_SILENCE = timedelta(minutes=10)  # the sweep has not seen whether the server was away: see flows.patrol
_EVENTS_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Look:
    """One request, looked at.

    Attributes:
        listing: the digest of what is in its folder when it must be processed, else "".
        due: last day for an answer; None when there is no clock to show.
        announced: whether an event told of it.
    """

    reference: str
    state: str
    reason: str = ""
    listing: str = ""
    due: date | None = None
    days_left: int | None = None
    announced: bool = True

    @property
    def is_due_soon(self) -> bool:
        """Whether the answer is due within days, or overdue."""
        return self.days_left is not None and self.days_left <= SOON_DAYS


@flow(name="sweep", flow_run_name="nightly sweep", persist_result=False)
def sweep() -> PrefectState:
    """Process every request that is new, changed, failed or forgotten, and report on all."""
    settings = Settings()
    with quoting_nothing(), open_place(settings) as place, open_runs(settings) as runs:
        lost = len(end_lost_runs(runs, _SILENCE))
        folders = patiently(lambda: list(place.store.list_folders(place.buckets.intake)))
        references = [name for name in folders if REFERENCE.fullmatch(name)]
        unsafe = len(folders) - len(references)
        before = _look_at_all(place, runs, references)
        submitted = _submit(runs, before)
        _wait_for(runs, submitted)
        told = {str(event["resource"].get("reference")) for event in runs.told(EVENT, datetime.now(UTC) - _EVENTS_KEPT)}
        damaged = patiently(lambda: steps.rebuild_log(place))
        after = [
            replace(now_, announced=look.reference in told or not look.listing)
            for look, now_ in zip(before, _look_at_all(place, runs, references), strict=True)
        ]
        create_markdown_artifact(
            report(after, submitted, unsafe, lost, damaged),
            key="sweep-report",
            description="Every request after the sweep",
        )
        _tell(runs, after, len(submitted))
    message = f"{len(submitted)} of {len(references)} submitted"
    return Completed(message=f"{message}; {unsafe} folders have unsafe names." if unsafe else f"{message}.")


# ------------------------------------------------------------------------------------------------ the work


def _at_work(runs: Runs) -> set[str]:
    """References about which some run is at work or waits for a worker."""
    return {run.reference for run in (*runs.started(), *runs.due())}


def _look_at_all(place: Workplace, runs: Runs, references: Iterable[str]) -> list[Look]:
    """Each request as it is now; a store that is away for a moment does not cost the night."""
    return [patiently(lambda ref=reference: _look(place, ref, _at_work(runs))) for reference in references]


def _look(place: Workplace, reference: str, at_work: set[str]) -> Look:
    """The request as it is now; what goes wrong with it is its reason."""
    try:
        listing = listing_digest(place, list_request(place, reference))
        status = find_status(place, reference)
        look = Look(reference, *(("new", "") if status is None else (str(status.state), status.reason)))
        due = reference not in at_work and (status is None or not _is_settled(status, listing))
        return _with_clock(place, replace(look, listing=listing if due else ""))
    except StoreUnavailableError:
        raise  # no request's fault
    except FoiError as error:
        return Look(reference, UNKNOWN, str(error))
    except Exception as error:  # a status document that nobody can read; its text may hold names
        return Look(reference, UNKNOWN, f"{type(error).__name__}: its status cannot be read", listing="unreadable")


def _is_settled(status: RequestStatus, listing: str) -> bool:
    return status.listing == listing and status.state in SETTLED


def _with_clock(place: Workplace, look: Look) -> Look:
    """With the day on which an answer is due (s.10), unless it was given or the requester is asked to clarify."""
    key = f"{look.reference}/{REQUEST_FILE}"
    if look.state in OVER or place.store.head(place.buckets.intake, key) is None:
        return look
    try:
        request = parse_request(place.store.get(place.buckets.intake, key), look.reference)
    except InvalidRequestError:
        return look
    if is_stopped(request.clarification):
        return look
    due = due_date(request.received, request.clarification)
    return replace(look, due=due, days_left=working_days_left(datetime.now(UTC).date(), due))


def _submit(runs: Runs, looks: Iterable[Look]) -> list[str]:
    """Make a run for each request that is to be processed; returns their references."""
    submitted = []
    for look in looks:
        if look.listing:
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
    sections = {
        f"Due within {SOON_DAYS} working days, or overdue": [row for row in rows if row.is_due_soon],
        "Failed, blocked or quarantined": [
            r for r in rows if r.state in {"failed", "blocked", "quarantined", "unknown"}
        ],
        "Held for a person": [row for row in rows if row.state == State.HELD],
        "Processed, though no event had told of them": [r for r in rows if r.reference in done and not r.announced],
        "All requests": rows,
    }
    parts += [f"## {head}\n\n{_table(some)}" for head, some in sections.items() if some]
    return "\n\n".join(parts) + "\n"


def _table(rows: Iterable[Look]) -> str:
    lines = [
        f"| {row.reference} | {row.state} | {row.due or ''} | {'' if row.days_left is None else row.days_left} "
        f"| {row.reason.replace('|', ' ')} |"
        for row in rows
    ]
    return "\n".join(
        ("| request | state | due | working days left | reason |", "| --- | --- | --- | ---: | --- |", *lines)
    )
