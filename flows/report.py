"""What Prefect's UI tells of a request and of all requests: artifacts made anew at the end of each run.

Rules kept here: Prefect keeps artifacts in its database, so they hold numbers, kinds, codes and references, never a
name of a record, a text or a value; pictures only of redacted pages that passed the gate, too small to read a word in;
and a table that cannot be made never fails the run whose work is done.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec
from urllib.parse import quote
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State as PrefectState
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from tasks.caseload import UNSAFE, CaseRow, caseload, caseload_of
from tasks.casework import load_case, refuse_to_say
from tasks.decisions import read_log
from tasks.disclosure.schedule import KIND_WORDS
from tasks.model import STATE_MEANING, Outcome, RecordOutcome, RequestStatus, State
from tasks.reviews import RecordSummary, pack_address, summarise, thumbnails
from tasks.status import INCOMPLETE, load_status
from tasks.survey import Survey
from tasks.workplace import Workplace

P = ParamSpec("P")

THUMBNAILS = 8
"""Of a request; each takes some 3 kB of Prefect's database."""

PICTURES_IN_A_ROW = 4
"""Anything beside a table Prefect's UI puts one below the other."""

MOST_DOUBTS = 40
MOST_ROWS = 1000


def artifact_key(kind: str, reference: str = "") -> str:
    """Prefect allows lower-case letters, digits and dashes."""
    safe = "".join(c if c.isalnum() and c.isascii() else "-" for c in reference.lower())
    return f"{kind}-{safe}" if reference else kind


def _never_failing(show: Callable[P, None]) -> Callable[P, None]:
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            show(*args, **kwargs)
        except Exception as error:  # the text may quote what it is about
            get_run_logger().warning("%s could not be shown: %s", show.__name__.strip("_"), type(error).__name__)

    return safe


def finish(place: Workplace, reference: str, state: PrefectState[Any]) -> PrefectState[Any]:
    """Tell in Prefect's UI what a run came to; returns its state.

    Prefect's own filter for states knows its own names only, so each run is also tagged with the name of its end.
    """
    show_request(place, reference)
    show_caseload(place)
    _tag(str(state.name).lower())
    get_run_logger().info("%s What to do next stands under Artifacts: %s", state.message or "", _report_key(reference))
    return state


@_never_failing
def _tag(name: str) -> None:
    if flow_run.id is None:
        return
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(str(flow_run.id)), tags=sorted({*flow_run.tags, name}))


def _report_key(reference: str) -> str:
    return artifact_key("report", reference)


def report_address(reference: str) -> str:
    """Where Prefect's UI shows all versions of a request's report; relative, whatever address the UI has."""
    return f"/artifacts/key/{_report_key(reference)}"


# ------------------------------------------------------------------------------------------------ one request


@_never_failing
def show_request(place: Workplace, reference: str) -> None:
    """The report on one request, under the same key after every run: its versions are its history."""
    status = load_status(place, reference)
    (row,) = caseload(place, reference)
    summaries: Sequence[RecordSummary] = ()
    pictures: list[tuple[int, int, bytes]] = []
    if status.dossier:
        _, case = load_case(place, reference, status.dossier)
        summaries = summarise(place, case)
        pictures = thumbnails(place, case, THUMBNAILS)
    parts = [
        _head(place, status, row),
        _records(reference, status.records, summaries),
        _kinds(summaries),
        _doubts(summaries),
        _decisions(place, reference),
    ]
    if status.dossier:
        refuse_to_say(place, case, "\n\n".join(parts))
    create_markdown_artifact(
        "\n\n".join(filter(None, [*parts, _pictures(pictures)])),
        key=_report_key(reference),
        description=f"{reference}: {status.state}",
    )


def _head(place: Workplace, status: RequestStatus, row: CaseRow) -> str:
    reference, shown = status.reference, status.dossier[:16]
    lines = [f"# {reference}: {status.state.capitalize()}", STATE_MEANING[status.state][0]]
    if status.reason:
        lines.append(f"**Why:** {status.reason}")
    if row.due or row.clock == "stopped":
        when = row.due or "the clock stands still until the requester answers"
        days = "" if row.days_left is None else f", working days: {_days(row)}"
        lines.append(f"**Answer due:** {when}{days}")
    if status.state is not State.HELD or status.reason.startswith(INCOMPLETE):
        lines.append(f"**What to do next:** {row.action}")
    else:
        lines += [
            "**What to do next:**",
            f"1. Look: `foi review {reference} --output review/` writes the review pack. It is restricted; it lies "
            f"below `{pack_address(place, reference)}`.",
            f"2. Correct, if needed: the pack makes the `foi correct` command, or run `correct/by-officer` "
            f"here (Deployments) with dossier `{shown}`.",
            f"3. Decide: run `release/by-officer` here (Deployments) with reference `{reference}`, dossier `{shown}` "
            f'and your name; or `foi release {reference} --dossier {shown} --reviewer "YOUR NAME"`.',
        ]
    if status.version:
        address = f"{place.public_url}/disclosures/{quote(reference)}/index.html"
        word = "The notice" if status.state is State.WITHDRAWN else f"Version {status.version}"
        lines.append(f"**Public:** [{word}]({address}), as everybody sees it.")
    lines.append("[All requests, overdue first](/artifacts/key/caseload)")
    return "\n\n".join(lines)


def _records(reference: str, outcomes: Sequence[RecordOutcome], summaries: Sequence[RecordSummary]) -> str:
    rows = [
        "## Records",
        "| record | pages | marks | to be looked at | gate |",
        "|---|---|---|---|---|",
    ]
    for one in summaries:
        pages = ", ".join(str(page) for page in sorted({doubt[0] for doubt in one.doubts}))
        look = f"page {pages}" if pages else ""
        rows.append(f"| {one.number} | {one.pages} | {one.marks} | {look} | {one.gate} |")
    if not summaries:
        rows = ["## Records"]
    counts = {outcome: sum(one.outcome is outcome for one in outcomes) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    return "\n".join(rows) + (f"\n\nFiles: {told}. `foi status {reference}` names them and says why." if told else "")


def _kinds(summaries: Sequence[RecordSummary]) -> str:
    """A list: Prefect's UI breaks no line in a table, and cuts off what is too long."""
    lines = []
    for one in summaries:
        kinds = ", ".join(f"{count} {KIND_WORDS[kind][count != 1]}" for kind, count in sorted(one.kinds.items()))
        lines.append(f"- Record {one.number}: {kinds or 'nothing'}")
    return "\n".join(["## What was found", *lines]) if lines else ""


def _doubts(summaries: Sequence[RecordSummary]) -> str:
    found = [(one.number, *doubt) for one in summaries for doubt in one.doubts]
    if not found:
        return ""
    worst = sorted(found, key=lambda doubt: (-doubt[4], doubt[:3]))
    lines = [f"- Record {record}, page {page}: {message}" for record, page, _, message, _ in worst[:MOST_DOUBTS]]
    if len(worst) > MOST_DOUBTS:
        lines.append(f"- and {len(worst) - MOST_DOUBTS} more: see the review pack.")
    return "\n".join(["## Look at these first", *lines])


def _decisions(place: Workplace, reference: str) -> str:
    log = read_log(place, reference)
    if not log.decisions:
        return ""
    rows = [
        f"| {d.number} | {d.at.replace('T', ' ').rstrip('Z')} | {d.act} | {d.by} | `{d.dossier[:16]}` |"
        for d in log.decisions
    ]
    warning = "" if log.whole else "\n\n**The log of decisions is damaged or has a gap: nothing can be released.**"
    return (
        "\n".join(["## Decisions", "| | when (UTC) | what | who | dossier |", "|---|---|---|---|---|", *rows]) + warning
    )


def _pictures(pictures: Sequence[tuple[int, int, bytes]]) -> str:
    if not pictures:
        return ""
    heads = [f"record {record}, page {page}" for record, page, _ in pictures]
    shown = [
        f"![{head}](data:image/jpeg;base64,{base64.b64encode(data).decode()})"
        for head, (_, _, data) in zip(heads, pictures, strict=True)
    ]
    rows = [_row(heads[:PICTURES_IN_A_ROW]), _row(["---"] * min(len(heads), PICTURES_IN_A_ROW))]
    for first in range(0, len(shown), PICTURES_IN_A_ROW):
        if first:
            rows.append(_row(heads[first : first + PICTURES_IN_A_ROW]))
        rows.append(_row(shown[first : first + PICTURES_IN_A_ROW]))
    return "\n".join(["## First pages, as redacted", "", *rows])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


# ------------------------------------------------------------------------------------------------ all requests


@_never_failing
def show_caseload(place: Workplace, survey: Survey | None = None) -> None:
    """The table of all requests, overdue first.

    Args:
        place: of the requests.
        survey: that has looked at them just now; None makes one, of what their statuses tell.
    """
    if survey is None:
        survey = Survey(place)
        survey.glance()
        survey.remember()
    rows = caseload_of(survey)
    late = sum(row.overdue for row in rows)
    held = sum(1 for row in rows if row.state == State.HELD)
    description = f"{len(rows)} requests, {late} overdue, {held} held for a person"
    create_table_artifact(caseload_rows(rows[:MOST_ROWS]), key=artifact_key("caseload"), description=description)


def _days(row: CaseRow) -> str:
    if row.days_left is None:
        return row.clock if row.clock == "answered" else ""
    return f"{-row.days_left} OVERDUE" if row.overdue else f"{row.days_left} left"


def caseload_rows(rows: Sequence[CaseRow]) -> list[dict[str, str]]:
    """The caseload as Prefect shows tables. Folders whose names are no references are told apart by number only."""
    shown = []
    for number, row in enumerate(rows, 1):
        shown.append(
            {
                "reference": row.reference if row.state != UNSAFE else f"(folder {number})",
                "state": row.state,
                "due": row.due or ("clock stopped" if row.clock == "stopped" else ""),
                "working days": _days(row),
                "next": f"[Report]({report_address(row.reference)}). {row.action}"
                if row.state in {*State}
                else row.action,
                "why": row.reason,
            }
        )
    return shown
