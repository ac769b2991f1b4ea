from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.disclosure.clock import (
    bank_holidays,
    clock_start,
    due_date,
    is_stopped,
    is_working_day,
    working_day_after,
    working_days_left,
)
from tasks.request import Exchange


def asked(day: str | None = None) -> Exchange:
    return Exchange.model_validate({"from": "authority", "date": day, "text": "Which period?"})


def answered(day: str | None = None) -> Exchange:
    return Exchange.model_validate({"from": "requester", "date": day, "text": "This year."})


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-23", "2026-12-22"),
        ("2026-03-02", "2026-03-31"),
        ("2026-07-01", "2026-07-30"),
        ("2026-12-07", "2027-01-08"),
    ],
)
def test_twenty_working_days_over_the_union_of_the_nations_holidays(received: str, due: str) -> None:
    assert due_date(date.fromisoformat(received)) == date.fromisoformat(due)


@pytest.mark.parametrize(
    "day",
    ["2026-01-02", "2026-03-17", "2026-07-13", "2026-08-03", "2026-11-30", "2026-12-25", "2026-04-03", "2026-08-31"],
)
def test_a_holiday_of_one_nation_is_no_working_day(day: str) -> None:
    assert not is_working_day(date.fromisoformat(day))


def test_a_holiday_that_moves_from_a_weekend_counts_on_its_substitute_day() -> None:
    assert date(2026, 12, 28) in bank_holidays(2026)
    assert date(2027, 1, 4) in bank_holidays(2027)


def test_received_on_a_sunday_is_day_nought() -> None:
    assert due_date(date(2026, 3, 1)) == date(2026, 3, 30)
    assert due_date(date(2026, 2, 28)) == due_date(date(2026, 3, 1)) == due_date(date(2026, 2, 27))


def test_an_answer_starts_the_clock_afresh() -> None:
    assert due_date(date(2026, 2, 2), [asked("2026-02-05"), answered("2026-03-02")]) == date(2026, 3, 31)


def test_the_latest_of_several_answers_counts() -> None:
    letters = [asked(), answered("2026-02-10"), asked(), answered("2026-03-02")]
    assert clock_start(date(2026, 2, 2), letters) == date(2026, 3, 2)


@pytest.mark.parametrize(
    "letters",
    [
        [asked("2026-02-05")],
        [asked("2026-02-05"), answered(None)],
        [answered("2026-03-02")],
        [asked("2026-01-05"), answered("2026-01-09")],
        [],
    ],
    ids=["no answer", "undated answer", "nobody asked", "answered before receipt", "none"],
)
def test_nothing_else_moves_the_clock(letters: list[Exchange]) -> None:
    assert clock_start(date(2026, 2, 2), letters) == date(2026, 2, 2)


def test_the_clock_stands_while_the_authority_waits() -> None:
    assert is_stopped([asked()])
    assert not is_stopped([asked(), answered()])
    assert not is_stopped([])


@given(st.dates(date(2020, 1, 1), date(2035, 1, 1)), st.integers(1, 60))
def test_days_left_undoes_days_after(start: date, count: int) -> None:
    due = working_day_after(start, count)
    assert is_working_day(due)
    assert working_days_left(start, due) == count
    assert working_days_left(due, start) == -count
