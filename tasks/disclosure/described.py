"""What a bundle's schedule says, and whether the spreadsheet says the same.

Rule kept here: `schedule.json` is read as exactly the type it is written in, or it is not a schedule.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from typing import Annotated

import msgspec

from tasks.codec import decode
from tasks.disclosure.schedule import CSV_HEADER, csv_forms

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
Box = tuple[Count, Count, Count, Count]


@dataclass(frozen=True, slots=True)
class DescribedRow:
    """One withheld part, or a record withheld as a whole; as `ScheduleRow`."""

    record: Count
    title: str
    file: str
    mark: Count
    page: Count
    place: str
    kinds: tuple[str, ...]
    exemption: str
    reason: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    number: Count
    title: str
    file: str
    sha256: str
    pages_px: tuple[tuple[Count, Count], ...]
    marks: Count


@dataclass(frozen=True, slots=True)
class _Schedule:
    reference: str
    title: str
    records: tuple[_Record, ...]
    rows: tuple[DescribedRow, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """One record as `schedule.json` describes it, with its own rows."""

    title: str
    file: str
    sha256: str
    pages_px: tuple[tuple[int, int], ...]
    marks: int
    rows: tuple[DescribedRow, ...]

    @property
    def boxes(self) -> list[tuple[int, Box]]:
        """(1-based page, box in px) of every withheld part."""
        return [(row.page, box) for row in self.rows for box in row.boxes]

    @property
    def exemptions(self) -> list[str]:
        """The exemption of each of `boxes`."""
        return [row.exemption for row in self.rows for _ in row.boxes]


@dataclass(frozen=True, slots=True)
class DescribedCase:
    """A whole schedule."""

    reference: str
    title: str
    records: tuple[Described, ...]
    rows: tuple[DescribedRow, ...]


def read_schedule(untrusted: bytes) -> DescribedCase:
    """What a `schedule.json` says.

    Raises:
        ValueError: it is not a schedule.
    """
    try:
        schedule = decode(untrusted, _Schedule)
    except (ValueError, RecursionError):
        raise ValueError("not a schedule") from None
    own: dict[tuple[str, int], list[DescribedRow]] = {}
    for row in schedule.rows:
        own.setdefault((row.file, row.record), []).append(row)
    records = tuple(
        Described(one.title, one.file, one.sha256, one.pages_px, one.marks, tuple(own.get((one.file, one.number), ())))
        for one in schedule.records
    )
    if not all(row.boxes for record in records for row in record.rows):
        raise ValueError("a part without a place")
    return DescribedCase(schedule.reference, schedule.title, records, schedule.rows)


def agrees_with_csv(case: DescribedCase, table: bytes) -> bool:
    """Whether the spreadsheet has the same rows."""
    try:
        lines = list(csv.reader(io.StringIO(table.decode("utf-8"), newline="")))
    except (ValueError, csv.Error):
        return False
    return (
        len(lines) == len(case.rows) + 1
        and lines[0] == list(CSV_HEADER)
        and all(line in csv_forms(asdict(row)) for line, row in zip(lines[1:], case.rows, strict=True))
    )
