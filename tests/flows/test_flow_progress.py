"""The progress of a run moves page by page and never backwards."""

from __future__ import annotations

import time

from flows.progress import Progress
from tasks.model import Outcome, RecordOutcome
from tasks.steps import StepResult
from tasks.workplace import Workplace


def progress_of(*pages: int) -> Progress:
    outcomes = {n: RecordOutcome(f"records/{n}.tif", Outcome.TAKEN_IN, count) for n, count in enumerate(pages, 1)}
    made = Progress(Workplace.__new__(Workplace), "R-1", "", outcomes, (), None)
    made._saved_at = time.monotonic()  # no status is due before the test is over
    return made


def test_every_page_read_moves_the_bar() -> None:
    progress = progress_of(40, 10)
    seen = [progress.percent]
    for pages in (8, 16, 24, 32, 40):
        progress.pages_read(1, pages)
        seen.append(progress.percent)
    progress.pages_read(2, 10)
    seen.append(progress.percent)
    assert seen == sorted(set(seen))
    assert seen[0] == 0
    assert seen[-1] == 60
    assert progress.outcomes[1].reason == "40 of 40 pages read"


def test_records_that_were_read_before_count_as_read() -> None:
    progress = progress_of(40, 10)
    progress.resume({1}, [RecordOutcome("records/2.tif", Outcome.QUARANTINED, reason="damaged")])
    assert progress.percent == 60
    assert progress.outcomes[2].outcome is Outcome.QUARANTINED
    assert progress.rejected == {2}


def test_what_was_set_aside_is_no_work() -> None:
    progress = progress_of(10, 10)
    progress.save = lambda *_args, **_changes: None  # type: ignore[method-assign]
    progress.pages_read(1, 10)
    assert progress.percent == 30
    assert progress.set_aside(StepResult(2, rejected="corrupt"))
    assert progress.percent == 60
