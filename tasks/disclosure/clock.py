"""When the Act wants an answer.

Rule kept here: section 10 of the Freedom of Information Act 2000. The day of receipt is day 0, even when nobody works
that day; the answer is due by the 20th working day after it. A working day is any day but Saturday, Sunday, Christmas
Day, Good Friday and a bank holiday in *any part* of the United Kingdom (s.10(6)): the union of the nations' calendars.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import holidays

from tasks.request import Exchange

RESPONSE_DAYS = 20
"""Section 10(1)."""

INTERNAL_REVIEW_DAYS = 40
"""Time to ask for an internal review, by the section 45 code of practice."""

_NATIONS = ("ENG", "NIR", "SCT", "WLS")


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """Every bank holiday of `year` in at least one of the four nations."""
    return frozenset(day for nation in _NATIONS for day in holidays.country_holidays("GB", subdiv=nation, years=year))


def is_working_day(day: date) -> bool:
    """Whether `day` counts under s.10(6)."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def working_day_after(start: date, count: int) -> date:
    """The `count`-th working day after `start`; `start` itself is day 0."""
    day = start
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def clock_start(received: date, clarification: Sequence[Exchange] = ()) -> date:
    """Day 0: the receipt of the request, or of the latest answer to a question of the authority (s.1(3)).

    An answer without a date, or dated before the request, does not move the clock: the earlier day binds us.
    """
    start, asked = received, False
    for exchange in clarification:
        if exchange.sender == "authority":
            asked = True
        elif asked:
            asked = False
            if exchange.date is not None:
                start = max(start, exchange.date)
    return start


def is_stopped(clarification: Sequence[Exchange]) -> bool:
    """Whether the authority waits for an answer, so that the clock does not run (s.1(3))."""
    return bool(clarification) and clarification[-1].sender == "authority"


def due_date(received: date, clarification: Sequence[Exchange] = ()) -> date:
    """The last day on which a response is in time (s.10(1))."""
    return working_day_after(clock_start(received, clarification), RESPONSE_DAYS)


def internal_review_deadline(responded: date) -> date:
    """The last day on which a requester may ask for an internal review of a response sent on `responded`."""
    return working_day_after(responded, INTERNAL_REVIEW_DAYS)


def working_days_left(today: date, due: date) -> int:
    """Working days after `today` up to and including `due`; negative when overdue."""
    low, high = sorted((today, due))
    days = sum(is_working_day(low + timedelta(days=n + 1)) for n in range((high - low).days))
    return days if today <= due else -days
