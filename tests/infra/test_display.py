"""What the terminal shows of the caseload, in a window of 80 columns and in a wide one."""

from __future__ import annotations

import pytest
from rich.console import Console

from infra.display import show_caseload
from tasks.caseload import CaseRow

WHY = "request.json is not valid. received: not a date like 2026-11-02"
NEXT = "Look at it with `foi review`, then `foi release`, `foi correct` or `foi hold`."
ROWS = (
    CaseRow("01.FOI.26.012345", "held", "waiting for a person's release", NEXT, 2, "2026-11-20", -3, "running", "", ()),
    CaseRow(
        "R" * 64, "quarantined", WHY, "Correct what the reason names and upload it again.", 0, "", None, "", "", ()
    ),
    CaseRow("R-3", "waiting", "", "Upload what is missing.", 0, "", None, "stopped", "", ()),
    CaseRow("R-4", "published", "", "Nothing.", 1, "2026-11-20", None, "answered", "", ()),
)


def shown(width: int, rows: tuple[CaseRow, ...] = ROWS, *, wide: bool = False) -> list[str]:
    console = Console(width=width, no_color=True)
    with console.capture() as capture:
        show_caseload(console, rows, wide)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_eighty_columns_hold_everything_and_break_no_word() -> None:
    lines = shown(80)
    assert max(map(len, lines)) <= 80
    assert "01.FOI.26.012345  held  due 2026-11-20, 3 working days overdue" in lines
    assert "R-3  waiting  clock stopped" in lines
    assert "R-4  published  due 2026-11-20, answered" in lines
    words = " ".join(lines).split()
    for row in ROWS:
        told = f"{row.reference} {row.state} {row.reason} {row.action}".split()
        assert not set(told) - set(words)
    assert len(lines) <= 4 * len(ROWS)


def test_a_wide_window_has_a_table() -> None:
    (head, *_) = [line for line in shown(160) if line]
    assert head.split() == ["reference", "state", "version", "due", "days", "why", "next"]


def test_wide_breaks_no_line_however_narrow_the_window() -> None:
    (line,) = [line for line in shown(80, wide=True) if "01.FOI.26.012345" in line]
    assert line.endswith(NEXT)


@pytest.mark.parametrize("width", [80, 160])
def test_nothing_yet_says_what_to_do(width: int) -> None:
    assert "foi submit DIR" in " ".join(shown(width, ()))
