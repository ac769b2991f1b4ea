"""Every request with where it stands, when its answer is due, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tasks.disclosure.clock import clock_start, due_date, internal_review_deadline, is_stopped, working_days_left
from tasks.errors import IncompleteResponseError, InvalidRequestError, UnknownRequestError
from tasks.intake import REQUEST_FILE
from tasks.model import STATE_MEANING, RecordOutcome, State
from tasks.request import REFERENCE, Request, parse_request
from tasks.status import INCOMPLETE, find_status, list_references
from tasks.survey import OVER, Case, Survey
from tasks.workplace import Workplace

NEW, DAMAGED, UNSAFE = "new", "damaged", "unsafe"
"""What stands in place of a state where there is none."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One request as `foi status` shows it. Restricted: `records` holds file names.

    Attributes:
        due: ISO date by which the answer is due (s.10); "" when that is not known or the clock stands still.
        days_left: working days up to and including that date, negative when overdue; None when no clock runs.
        clock: `running`, `stopped` (the requester was asked something), `answered`, or "" when it is not known.
    """

    reference: str
    state: str
    reason: str
    action: str
    version: int
    due: str
    days_left: int | None
    clock: str
    dossier: str
    records: tuple[RecordOutcome, ...]

    @property
    def overdue(self) -> bool:
        """Whether the time to answer is over."""
        return self.days_left is not None and self.days_left < 0


def caseload(place: Workplace, reference: str | None = None, today: date | None = None) -> list[CaseRow]:
    """Every request (or the one named), overdue first: those with a status, and those that no run has seen.

    Raises:
        UnknownRequestError: the named one is neither.
    """
    today = today or datetime.now(UTC).date()
    if reference:
        there = place.has(f"status/{reference}.json")
        known = {reference} if there else set()
        lying = {reference} if any(place.store.list(place.buckets.intake, f"{reference}/")) else set()
    else:
        known = set(list_references(place))
        lying = set(place.store.list_folders(place.buckets.intake))
    rows = [_row(place, name, today, name in known) for name in sorted(known | lying)]
    if reference and not rows:
        raise UnknownRequestError(subject=reference)
    return _overdue_first(rows)


def caseload_of(survey: Survey, today: date | None = None) -> list[CaseRow]:
    """Every request as a survey last looked at it, overdue first: nothing is read again, and no files are told."""
    today = today or datetime.now(UTC).date()
    return _overdue_first(_row_of(case, today) for case in survey.cases())


def _overdue_first(rows: Iterable[CaseRow]) -> list[CaseRow]:
    return sorted(rows, key=lambda row: (row.days_left is None, row.days_left or 0, row.reference))


def _row(place: Workplace, reference: str, today: date, known: bool) -> CaseRow:
    status = find_status(place, reference) if known else None
    request = _request(place, reference)
    if request is None:
        return _row_of(Case(reference, known, status), today)
    start, stopped = clock_start(request.received, request.clarification), is_stopped(request.clarification)
    return _row_of(Case(reference, known, status, start, stopped), today)


def _row_of(case: Case, today: date) -> CaseRow:
    reference, status = case.reference, case.status
    clock, due = _clock(case)
    left = working_days_left(today, due) if due and clock == "running" else None
    written = due.isoformat() if due else ""
    if status is None:
        state, reason, action = _unseen(reference, case.known)
        return CaseRow(reference, state, reason, action, 0, written, left, clock, "", ())
    action = STATE_MEANING[status.state][1]
    if status.state is State.HELD and status.reason.startswith(INCOMPLETE):
        action = f"{IncompleteResponseError.action[:-1]}: foi process {reference}."
    if status.state is State.PUBLISHED:
        until = internal_review_deadline(datetime.fromisoformat(status.updated).date())
        action = f"Nothing. The requester may ask for an internal review until {until.isoformat()}."
    return CaseRow(
        reference,
        str(status.state),
        status.reason,
        action,
        status.version,
        written,
        left,
        clock,
        status.dossier,
        status.records,
    )


def _unseen(reference: str, known: bool) -> tuple[str, str, str]:
    """State, reason and action of a request without a status that can be read."""
    if not REFERENCE.fullmatch(reference):
        return UNSAFE, "the folder's name is not a safe reference", "Ask upstream to rename the folder."
    if known:
        return DAMAGED, "its status document cannot be read; a run writes it anew", f"foi process {reference}"
    return NEW, "no run has seen it yet", f"Wait a minute: its event starts one. Else: foi process {reference}"


def _clock(case: Case) -> tuple[str, date | None]:
    """How the statutory clock stands, and when the answer is due."""
    if case.start is None:
        return "", None
    if case.status and case.status.state in OVER:
        return "answered", due_date(case.start)
    return ("stopped", None) if case.stopped else ("running", due_date(case.start))


def _request(place: Workplace, reference: str) -> Request | None:
    key = f"{reference}/{REQUEST_FILE}"
    if place.store.head(place.buckets.intake, key) is None:
        return None
    try:
        return parse_request(place.store.get(place.buckets.intake, key), reference)
    except InvalidRequestError:
        return None
