"""What the terminal shows: rich tables and progress bars over plain values."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from infra.doctor import Check
from infra.redact_folder import Input, Outcome
from tasks.caseload import CaseRow
from tasks.disclosure.verify import Verdict
from tasks.model import RecordOutcome

LEAST_TABLE_WIDTH = 120
"""Columns of a terminal from which on the caseload is a table: reasons and what to do next need room for sentences."""

MOST_WIDTH = 10_000

COLOURS = {
    "redacted": "green", "published": "green", "passed": "green", "ok": "green",
    "held": "yellow", "waiting": "yellow", "unlisted": "yellow", "new": "yellow", "processing": "cyan",
    "rejected": "red", "refused": "red", "failed": "red", "quarantined": "red", "blocked": "red",
    "damaged": "red", "unsafe": "red",
}  # fmt: skip


def escape(untrusted: str) -> str:
    """Text for the terminal: no markup, no control characters, nothing that turns the direction of what follows."""
    return escape_markup("".join(c for c in untrusted if unicodedata.category(c)[0] != "C"))


def outcome_text(outcome: str) -> Text:
    """The word for an outcome, in its colour."""
    return Text(outcome, style=COLOURS.get(outcome, ""))


def _plain(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = column in {"pages", "marks", "version", "days"}
        whole = column in {"reference", "outcome", "state", "due"}
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    return table


@contextmanager
def redaction_progress(console: Console, files: int) -> Iterator[Callable[[Input, str], None]]:
    """A bar that counts files read and files done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bars = {"read": progress.add_task("read", total=files), "done": progress.add_task("done", total=files)}
        yield lambda _input, stage: progress.advance(bars[stage])


def redaction_table(outcomes: Sequence[Outcome]) -> Table:
    """One row a file, and the totals."""
    table = _plain("", "file", "outcome", "pages", "marks", "why")
    for one in outcomes:
        table.add_row(
            escape(str(one.input.stem)),
            outcome_text(one.outcome),
            str(one.pages or ""),
            str(one.marks),
            escape(one.reason),
        )
    counts = {word: sum(o.outcome == word for o in outcomes) for word in dict.fromkeys(o.outcome for o in outcomes)}
    table.caption = ", ".join(f"{count} {word}" for word, count in counts.items())
    table.caption_justify = "left"
    return table


def _headline(verdict: Verdict) -> str:
    if not verdict.ok:
        return "This does NOT hold what it claims."
    if verdict.trusted:
        return "Everything holds."
    return "Everything is in one piece. Who signed it was not checked: give the publisher's key with --key."


def verdict_table(verdict: Verdict, title: str = "") -> Table:
    """One row a check, in plain words; `title` where it answers another question than whether a bundle holds."""
    table = _plain(title or _headline(verdict), "", "check", "")
    for check in verdict.checks:
        table.add_row(
            Text("ok", style="green") if check.ok else Text("FAILED", style="bold red"),
            check.name,
            escape(check.sentence),
        )
    return table


def records_table(records: Sequence[RecordOutcome], title: str = "") -> Table:
    """One row a file of a request."""
    table = _plain(title, "file", "outcome", "pages", "marks", "why")
    for one in records:
        name = escape(one.name.removeprefix("records/"))
        table.add_row(name, outcome_text(one.outcome), str(one.pages or ""), str(one.marks or ""), escape(one.reason))
    return table


def caseload_table(rows: Sequence[CaseRow]) -> Table:
    """Every request, overdue first, then the soonest due."""
    table = _plain("", "reference", "state", "version", "due", "days", "why", "next")
    for row in rows:
        left = "" if row.days_left is None else str(row.days_left)
        table.add_row(
            escape(row.reference),
            outcome_text(row.state),
            str(row.version or ""),
            row.due or ("stopped" if row.clock == "stopped" else ""),
            Text(left, style="bold red" if row.overdue else ""),
            escape(row.reason),
            escape(row.action),
        )
    if not rows:
        table.add_row("no request yet", "", "", "", "", "", "foi submit DIR")
    return table


def show_caseload(console: Console, rows: Sequence[CaseRow], wide: bool = False) -> None:
    """The caseload as the terminal has room for it; `wide`: as a table whose lines are never broken."""
    table = caseload_table(rows)
    if wide:
        console.width = max(
            console.width, Measurement.get(console, console.options.update(width=MOST_WIDTH), table).maximum
        )
    console.print(table if console.width >= LEAST_TABLE_WIDTH else caseload_lines(rows))


def caseload_lines(rows: Sequence[CaseRow]) -> Table:
    """The same where a table has no room: where each request stands, and indented below it why and what to do next."""
    lines = Table.grid()
    for row in rows:
        head = Text.assemble(Text.from_markup(escape(row.reference), style="bold"), "  ", outcome_text(row.state))
        due = ", ".join(filter(None, (row.due and f"due {row.due}", _days_left(row))))
        head.append(f"  {due}" if due else "", style="bold red" if row.overdue else "")
        told = Table.grid(padding=(0, 1, 0, 0))
        told.add_column(no_wrap=True)
        told.add_column(overflow="fold")
        for word, text in (("why", row.reason), ("next", row.action)):
            if text:
                told.add_row(f"    {word}", escape(text))
        lines.add_row(head)
        lines.add_row(told)
    if not rows:
        lines.add_row("no request yet; next: foi submit DIR")
    return lines


def _days_left(row: CaseRow) -> str:
    if row.days_left is None:
        return {"stopped": "clock stopped", "answered": "answered"}.get(row.clock, "")
    return f"{-row.days_left} working days overdue" if row.overdue else f"{row.days_left} working days left"


def request_table(row: CaseRow) -> Table:
    """One request with its files."""
    head = f"{escape(row.reference)}  [{COLOURS.get(row.state, 'white')}]{row.state}[/]"
    if row.reason:
        head += f"  {escape(row.reason)}"
    head += f"\nnext: {escape(row.action)}"
    if row.due:
        head += f"\ndue:  {row.due}"
    if left := _days_left(row):
        head += f" ({left})" if row.due else f"\ndue:  {left}"
    if row.dossier:
        head += f"\ndossier: {row.dossier}"
    return records_table(row.records, head)


def doctor_table(checks: Sequence[Check]) -> Table:
    """One row a thing the pipeline needs."""
    table = _plain("", "", "what", "found", "do")
    for check in checks:
        word = "ok" if check.ok else ("MISSING" if check.needed else check.otherwise)
        table.add_row(
            Text(word, style="green" if check.ok else "red" if check.needed else "yellow"),
            escape(check.name),
            escape(check.found),
            "" if check.ok else escape(check.action),
        )
    return table
