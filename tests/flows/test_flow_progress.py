"""The progress of a run moves page by page and never backwards."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from flows import progress as progress_module
from flows.progress import Progress
from tasks.model import Outcome, RecordOutcome, State
from tasks.steps import StepResult
from tasks.workplace import Workplace
from tests.waiting import until


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


def saved_by(progress: Progress) -> list[tuple[State, list[Outcome]]]:
    """What is written from now on: the request's state, and where each record stands."""
    written: list[tuple[State, list[Outcome]]] = []
    save = Progress.save

    def noted(state: State, reason: str = "", **changes: Any) -> None:
        with contextlib.suppress(AttributeError):  # there is no store
            save(progress, state, reason, **changes)
        written.append((state, [outcome.outcome for outcome in progress.outcomes.values()]))

    progress.save = noted  # type: ignore[method-assign]
    return written


def test_stages_that_follow_each_other_closely_are_written_together_and_none_stays_unsaid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress_module, "STAGE_EVERY_S", 0.2)
    progress = progress_of(1, 1, 1)
    written = saved_by(progress)
    for number in (1, 2, 3):
        progress.advance(number, Outcome.READ)
        progress.advance(number, Outcome.FOUND)
    assert written == []
    until(lambda: written or None)
    assert written == [(State.PROCESSING, [Outcome.FOUND] * 3)]
    time.sleep(0.3)
    assert len(written) == 1
    progress.advance(1, Outcome.PLANNED)
    assert len(written) == 2  # it was quiet for long enough


def test_what_a_person_has_to_act_on_is_written_at_once() -> None:
    progress = progress_of(1, 1)
    written = saved_by(progress)
    progress.advance(1, Outcome.REFUSED, reason="The gate found A26.")
    progress.set_aside(StepResult(2, rejected="corrupt"))
    assert [outcomes for _, outcomes in written] == [
        [Outcome.REFUSED, Outcome.TAKEN_IN],
        [Outcome.REFUSED, Outcome.QUARANTINED],
    ]


def test_the_end_of_a_run_is_not_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "STAGE_EVERY_S", 0.1)
    progress = progress_of(1)
    written = saved_by(progress)
    progress.advance(1, Outcome.PASSED)
    progress.finish(Outcome.HELD)
    progress.save(State.HELD, "waiting")
    time.sleep(0.3)
    assert written == [(State.HELD, [Outcome.HELD])]
