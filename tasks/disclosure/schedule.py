"""The schedule: what is withheld, where, and why; never the value.

Rule kept here: a row is made of a mark's place, kind and exemption. A mark does not carry the text below it, so a row
cannot. The CSV is safe to open in a spreadsheet: no cell can start a formula.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tasks.codec import encode
from tasks.disclosure.plain import safe_cell
from tasks.disclosure.wording import listed, plural
from tasks.geometry import Box, union
from tasks.model import Dossier, Kind, Mark, RedactedRecord, WithheldRecord

KIND_WORDS: dict[Kind, tuple[str, str]] = {
    Kind.EMAIL: ("e-mail address", "e-mail addresses"),
    Kind.PHONE: ("telephone number", "telephone numbers"),
    Kind.FAX: ("fax number", "fax numbers"),
    Kind.PAGER: ("pager number", "pager numbers"),
    Kind.RADIO: ("radio identity", "radio identities"),
    Kind.EXTENSION: ("internal extension", "internal extensions"),
    Kind.ADDRESS: ("postal address", "postal addresses"),
    Kind.POSTCODE: ("postcode", "postcodes"),
    Kind.URL: ("web or intranet address", "web or intranet addresses"),
    Kind.HANDLE: ("account name", "account names"),
    Kind.CODE: ("QR code or barcode", "QR codes or barcodes"),
    Kind.TERM: ("other detail", "other details"),
    Kind.BOX: ("part marked by a person", "parts marked by a person"),
}
"""Singular and plural of each kind as a reader sees it."""

_REASONS = {
    "s.31(1)(a)": "Disclosure would be likely to prejudice the prevention or detection of crime.",
    "s.40(2)": "Personal data of someone other than the requester; disclosure would not be lawful or fair.",
}
_NOT_CONTACTS = {Kind.TERM, Kind.BOX}

WHOLE_RECORD = "whole record"
NOT_INCLUDED = "not included"


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One mark, or one whole record: withheld under an exemption, or not included because it could not be read.

    Attributes:
        record: number of the record.
        title: of the record.
        file: name of the redacted record below `data/records/`; "" for a whole record.
        mark: number of the mark in its record; 0 for a whole record.
        page: 1-based; 0 for a whole record.
        place: in words, e.g. `top left`.
        kinds: as in `KIND_WORDS`, singular; `whole record` or `not included`.
        exemption: e.g. `s.31(1)(a)`; "" for a record that is not withheld.
        reason: one sentence.
        boxes: the painted boxes (x0, y0, x1, y1) in px of the page, half-open, origin top left.
    """

    record: int
    title: str
    file: str
    mark: int
    page: int
    place: str
    kinds: tuple[str, ...]
    exemption: str
    reason: str
    boxes: tuple[tuple[int, int, int, int], ...] = ()


def kind_words(kinds: Sequence[Kind]) -> str:
    """`e-mail address and telephone number`."""
    return listed([KIND_WORDS[kind][0] for kind in kinds])


def place_of(box: Box, page_px: tuple[int, int]) -> str:
    """Where a box lies on its page, in words: one of nine places.

    Args:
        box: page space.
        page_px: (width, height) of the page.
    """
    x, y = box.center
    column = min(2, max(0, int(3 * x / page_px[0])))
    row = min(2, max(0, int(3 * y / page_px[1])))
    words = f"{('top', 'middle', 'bottom')[row]} {('left', 'centre', 'right')[column]}"
    return "centre" if words == "middle centre" else words


def _reason(mark: Mark) -> str:
    if mark.reason:
        return mark.reason
    reason = _REASONS.get(mark.exemption, "See the response for why this exemption applies.")
    return reason if _NOT_CONTACTS.intersection(mark.kinds) else f"Unpublished contact detail. {reason}"


def _row(record: RedactedRecord, mark: Mark) -> ScheduleRow:
    return ScheduleRow(
        record=record.number,
        title=record.title,
        file=record.file_name,
        mark=mark.number,
        page=mark.page + 1,
        place=place_of(union(mark.regions), record.pages[mark.page]),
        kinds=tuple(KIND_WORDS[kind][0] for kind in mark.kinds),
        exemption=mark.exemption,
        reason=_reason(mark),
        boxes=tuple((box.x0, box.y0, box.x1, box.y1) for box in mark.regions),
    )


def _whole(record: WithheldRecord) -> ScheduleRow:
    return ScheduleRow(
        record=record.number,
        title=record.title,
        file="",
        mark=0,
        page=0,
        place=WHOLE_RECORD,
        kinds=(WHOLE_RECORD if record.exemption else NOT_INCLUDED,),
        exemption=record.exemption,
        reason=record.reason,
    )


def schedule_rows(dossier: Dossier) -> tuple[ScheduleRow, ...]:
    """The rows of a dossier, by record and mark."""
    rows = [_row(record, mark) for record in dossier.records for mark in record.marks]
    rows += [_whole(record) for record in dossier.withheld]
    return tuple(sorted(rows, key=lambda row: (row.record, row.mark)))


def withheld_words(records: Iterable[RedactedRecord]) -> tuple[str, ...]:
    """What is withheld from some records, most frequent first: `3 telephone numbers`, `1 e-mail address`.

    Parts that hold several kinds come last, together, so that the counts add up to the marks.
    """
    counts = Counter(mark.kinds for record in records for mark in record.marks)
    single = sorted(((count, kinds[0]) for kinds, count in counts.items() if len(kinds) == 1), key=lambda c: (-c[0], c))
    words = [f"{count:,} {KIND_WORDS[kind][count != 1]}" for count, kind in single]
    mixed = {kinds: count for kinds, count in counts.items() if len(kinds) > 1}
    if mixed:
        among = [KIND_WORDS[kind][1] for kind in KIND_WORDS if any(kind in kinds for kinds in mixed)]
        words.append(f"{plural(sum(mixed.values()), 'part')} with more than one of these: {listed(among)}")
    return tuple(words)


CSV_HEADER = ("record", "title", "file", "mark", "page", "place", "kind", "exemption", "reason")


def csv_cells(row: Mapping[str, Any]) -> list[str]:
    """One row of the CSV, from a row of the JSON."""
    return [safe_cell(value) for value in _values(row)]


def csv_forms(row: Mapping[str, Any]) -> tuple[list[str], ...]:
    """`csv_cells`, and as they were written before formulas behind separators and unseen characters were known."""
    return csv_cells(row), [_former_cell(value) for value in _values(row)]


def _values(row: Mapping[str, Any]) -> tuple[object, ...]:
    numbers = row["mark"] or "", row["page"] or ""
    kinds = " and ".join(row["kinds"])
    return row["record"], row["title"], row["file"], *numbers, row["place"], kinds, row["exemption"], row["reason"]


def _former_cell(value: object) -> str:
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    text = " ".join(str(value).split("\0"))
    danger = text.lstrip(" '\"\u00a0\ufeff").startswith(starts) or text.startswith(starts)
    return " ".join(("'" + text if danger else text).splitlines())


def schedule_csv(rows: Sequence[ScheduleRow]) -> bytes:
    """The rows as CSV (RFC 4180, UTF-8, header first)."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_HEADER)
    writer.writerows(csv_cells(asdict(row)) for row in rows)
    return text.getvalue().encode()


def schedule_json(dossier: Dossier, rows: Sequence[ScheduleRow]) -> bytes:
    """The rows as JSON, with what is needed to check them: each record's file and its pages in px."""
    return encode(
        {
            "reference": dossier.reference,
            "title": dossier.title,
            "coordinates": "px of the page image, origin top left, half-open boxes [x0, y0, x1, y1]; pages from 1",
            "records": [
                {
                    "number": record.number,
                    "title": record.title,
                    "file": record.file_name,
                    "sha256": record.sha256,
                    "size": record.size,
                    "pages_px": record.pages,
                    "marks": len(record.marks),
                }
                for record in dossier.records
            ],
            "rows": [asdict(row) for row in rows],
        }
    )
