"""Tables of Prefect's UI: what needs a person comes first, and each line leads to the report that says what to do."""

from __future__ import annotations

from datetime import date

from flows.report import caseload_rows
from flows.sweep import report
from tasks.caseload import CaseRow
from tasks.survey import Look

HELD = CaseRow("R.1", "held", "waiting for a person's release", "Look.", 0, "2026-11-20", -3, "running", "", ())
NEW = CaseRow("R.2", "new", "no run has seen it yet", "Wait.", 0, "", None, "", "", ())
UNSAFE = CaseRow("..", "unsafe", "no safe reference", "Ask.", 0, "", None, "", "", ())


def test_the_caseload_leads_to_the_report_of_each_request_that_has_one() -> None:
    held, new, unsafe = caseload_rows([HELD, NEW, UNSAFE])
    assert held["next"] == "[Report](/artifacts/key/report-r-1). Look."
    assert held["working days"] == "3 OVERDUE"
    assert (new["reference"], new["next"]) == ("R.2", "Wait.")
    assert (unsafe["reference"], unsafe["next"]) == ("(folder 3)", "Ask.")


def test_the_sweep_says_what_to_do_about_each_group_with_the_overdue_first() -> None:
    looks = (
        Look("R.1", "held", "waiting for a person's release"),
        Look("R.2", "quarantined", "a | b"),
        Look("R.3", "waiting", "", due=date(2026, 11, 20), days_left=-3, announced=False),
        Look("R.4", "published"),
    )
    said = report(looks, submitted=["R.3"], unsafe=1, lost=2, damaged=["entries/R.4/v1.json"])
    heads = [line.removeprefix("## ") for line in said.splitlines() if line.startswith("## ")]
    assert heads == [
        "Due within 3 working days, or overdue",
        "Failed, blocked or quarantined",
        "Held for a person",
        "Processed, though no event had told of them",
        "All requests",
    ]
    sections = dict(zip(heads, said.split("\n## ")[1:], strict=True))
    for head, reference in zip(heads, ("R.3", "R.2", "R.1", "R.3"), strict=False):
        rows = [line for line in sections[head].splitlines() if line.startswith("| [")]
        assert [row.split("]")[0] for row in rows] == [f"| [{reference}"]
        assert f"(/artifacts/key/report-{reference.lower().replace('.', '-')})" in rows[0]
        assert sections[head].splitlines()[2].endswith(".")  # the sentence that says what to do
    assert "| a   b |" in sections["Failed, blocked or quarantined"]
    assert said.startswith("# 4 requests, 1 processed in this sweep")
    for told in ("| published | 1 |", "**1 folders**", "**2 runs**", "`entries/R.4/v1.json`"):
        assert told in said
