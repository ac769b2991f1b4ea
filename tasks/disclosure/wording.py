"""Dates, sizes, counts and lists as people read them.

Rule kept here: pure functions of plain values, without templates, so that whoever checks a bundle says things the same
way as whoever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from tasks.model import Approver


def long_date(value: date | str) -> str:
    """`4 March 2026`, from a date or an ISO string."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value).date()
    return f"{value.day} {value:%B %Y}"


def file_size(size: int) -> str:
    """`940 bytes`, `12 kB`, `3.4 MB`: decimal units."""
    if size < 1000:
        return f"{size} bytes"
    if size < 999_500:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1_000_000:.1f} MB"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 page`, `1,234 pages`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """`one, two and three`."""
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def approval_words(people: Sequence[str], at: str) -> str:
    """What is said of an approval: `was approved on 4 March 2026 by A. Officer`, without a full stop.

    Args:
        people: who approved, as the statement names them.
        at: ISO 8601.

    Raises:
        ValueError: `at` is no moment.
    """
    day = long_date(at)
    if list(people) == [Approver.BY_POLICY]:
        return f"was approved on {day} under the publisher’s policy; no person reviewed it"
    return f"was approved on {day} by {listed(people)}"
