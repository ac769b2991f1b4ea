"""Columns of contact details over all readings of a page: what one reading saw of a column holds for the others.

Rule kept here: a head that one reading lost still governs its column when another reading has it, and a column whose
cells are for the most part contact details needs no head at all. Only cells that could be such a value are taken.

Places are compared in shares of the reading's width and height, because readings of one page differ in scale; readings
straightened by different angles are not compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tasks.contacts.common_words import is_common_word
from tasks.contacts.fields import NUMBER_KINDS, ValueField, accepted_words, is_number_like
from tasks.geometry import Box, union
from tasks.model import Kind, Reading, Word

_LEAST_ROWS = 3
_LEAST_ALIGNED = 4
"""How many addresses must begin at one edge before it counts as a column's."""
_TEXT_KINDS = frozenset({Kind.EMAIL, Kind.URL, Kind.HANDLE})
_NO_NUMBER = re.compile(r"\W*(?:\d{1,2}[:/.]\d{1,2}(?:[:/.]\d{2,4})?|\d{1,3}(?:,\d{3})+|\d+%|[£$€].*)\W*")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of short numbers; all measures are shares of the reading's width and height.

    Attributes:
        tall: height of its words.
        pitch: from one of its rows to the next.
    """

    kind: Kind
    left: float
    right: float
    top: float
    bottom: float
    tall: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was claimed in one reading: for each claim its kind and the ordinals of its words."""

    reading: Reading
    claims: tuple[tuple[Kind, tuple[int, ...]], ...]


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _height(words: Sequence[Word]) -> float:
    heights = sorted(w.box.height for w in words)
    return float(heights[len(heights) // 2]) if heights else 1.0


def _column(kind: Kind, cells: Sequence[Sequence[Word]], reading: Reading) -> Column:
    width, height = reading.frame.size
    margin = _height([w for cell in cells for w in cell])
    left = _quantile([cell[0].box.x0 for cell in cells], 0.2) - margin
    right = _quantile([cell[-1].box.x1 for cell in cells], 0.85) + margin
    top = min(w.box.y0 for cell in cells for w in cell) - 2 * margin
    bottom = max(w.box.y1 for cell in cells for w in cell) + 2 * margin
    rows = sorted(cell[0].box.center[1] for cell in cells)
    pitch = _quantile([below - above for above, below in pairwise(rows)], 0.5)
    return Column(kind, left / width, right / width, top / height, bottom / height, margin / height, pitch / height)


def headed_columns(fields: Sequence[ValueField], words: Sequence[Word], reading: Reading) -> Iterator[Column]:
    """The columns of numbers below the heads of one reading.

    Args:
        fields: one for each row, as `column_fields` gives them.
        words: of the laid-out reading, in the reading's order.
        reading: where they stand.
    """
    index = {id(word): i for i, word in enumerate(words)}
    rows: dict[tuple[Kind, tuple[int, ...]], list[list[Word]]] = defaultdict(list)
    for value in fields:
        accepted = accepted_words(value) if value.kind in NUMBER_KINDS else ()
        if accepted:
            head = tuple(index[id(w)] for w in value.label)
            rows[value.kind, head].append([reading.words[index[id(w)]] for w in accepted])
    for (kind, _), cells in rows.items():
        if len(cells) >= _LEAST_ROWS:
            yield _column(kind, cells, reading)


def unheaded_columns(claimed: Claimed) -> Iterator[Column]:
    """Columns of short numbers that stand, row for row, between a telephone number and another contact detail."""
    owner = {i: kind for kind, words in claimed.claims for i in words}
    words = claimed.reading.words
    cells: list[list[Word]] = []
    for run in _number_runs(claimed.reading, set(owner)):
        before, after = _beside(words, run[0], -1), _beside(words, run[-1], 1)
        if owner.get(before) is Kind.PHONE and owner.get(after) in (Kind.PHONE, *_TEXT_KINDS):
            cells.append([words[i] for i in run])
    while len(cells) >= _LEAST_ROWS:
        margin = 3 * _height([w for cell in cells for w in cell])
        middle = _quantile([cell[0].box.center[0] for cell in cells], 0.5)
        aligned = [cell for cell in cells if abs(cell[0].box.center[0] - middle) <= margin]
        if len(aligned) >= _LEAST_ROWS:
            yield _column(Kind.EXTENSION, aligned, claimed.reading)
        cells = [cell for cell in cells if not any(cell is a for a in aligned)]


def _beside(words: Sequence[Word], i: int, step: int) -> int:
    """The ordinal of the nearest word with a letter or digit before or after word `i` on its line, or -1."""
    at = i + step
    while 0 <= at < len(words) and words[at].line == words[i].line:
        if sum(c.isalnum() for c in words[at].text) > 1:
            return at
        at += step
    return -1


def _number_runs(reading: Reading, taken: set[int]) -> Iterator[list[int]]:
    """Runs of neighbouring words that read as one number of three to eight digits and that nothing claims yet."""
    words = reading.words
    run: list[int] = []
    for i in range(len(words) + 1):
        fits = (
            i < len(words) and i not in taken and is_number_like(words[i].text) and any(map(str.isalnum, words[i].text))
        )
        fits = fits and not _NO_NUMBER.fullmatch(words[i].text)
        near = bool(run) and i < len(words) and words[i].line == words[run[-1]].line
        near = near and words[i].box.x0 - words[run[-1]].box.x1 <= 1.0 * max(words[i].box.height, 1)
        if run and not (fits and near):
            digits = sum(c.isdigit() for j in run for c in words[j].text)
            if 3 <= digits <= 8:
                yield run
            run = []
        if fits:
            run.append(i)


def numbers_in(columns: Sequence[Column], claimed: Claimed) -> Iterator[tuple[Kind, tuple[int, ...]]]:
    """What nobody claimed yet and stands in one of `columns`: its kind and the ordinals of its words."""
    if not columns:
        return
    width, height = claimed.reading.frame.size
    taken = {i for _, words in claimed.claims for i in words}
    for run in _number_runs(claimed.reading, taken):
        boxes = [claimed.reading.words[i].box for i in run]
        x0, x1, y = boxes[0].x0 / width, boxes[-1].x1 / width, boxes[0].center[1] / height
        for column in columns:
            if column.left <= x0 and x1 <= column.right and column.top <= y <= column.bottom:
                yield column.kind, tuple(run)
                break


def to_the_edge(claimed: Claimed) -> Iterator[tuple[Kind, tuple[int, ...]]]:
    """Claims of addresses whose first name was torn off, grown to the left edge that those of their column share."""
    words = claimed.reading.words
    texts = [(kind, sorted(ordinals)) for kind, ordinals in claimed.claims if kind in _TEXT_KINDS and ordinals]
    starts = [words[ordinals[0]].box.x0 for _, ordinals in texts]
    h = _height(words)
    taken = {i for _, ordinals in claimed.claims for i in ordinals}
    for kind, ordinals in texts:
        first = ordinals[0]
        grown: list[int] = []
        at = first - 1
        while at >= 0 and words[at].line == words[first].line and at not in taken and len(grown) < 4:
            if words[at + 1].box.x0 - words[at].box.x1 > 1.2 * h or is_common_word(words[at].text):
                break
            grown.append(at)
            if sum(abs(words[at].box.x0 - start) <= 0.8 * h for start in starts) >= _LEAST_ALIGNED:
                before = words[at - 1] if at > 0 and words[at - 1].line == words[at].line else None
                if before is None or words[at].box.x0 - before.box.x1 > 0.7 * h or not before.text.isalnum():
                    yield kind, (*reversed(grown), *ordinals)
                    break
            at -= 1


_LEAST_FULL = 0.6
"""Share of a table's rows that must have a known number in a column before the others are taken to have one too."""
_ROWS_TO_TRUST = 6


def unread_cells(columns: Sequence[Column], seen: Sequence[Claimed]) -> Iterator[tuple[Kind, Reading, Box]]:
    """Cells of a column of numbers in which no reading found anything, though their rows are there.

    A worn table keeps most of its rows. Where a row's other contact details were read and its number was not, the
    number's place is given.

    Args:
        columns: of all readings.
        seen: the readings that see the page under the same angle, with what is claimed in each.

    Yields:
        The column's kind, and the cell's box in the space of the reading it is given with.
    """
    frame = seen[0].reading.frame
    width, height = frame.size
    places = [(kind, *_place_of(one.reading, ordinals)) for one in seen for kind, ordinals in one.claims if ordinals]
    for column in columns:
        inside = [
            (top, bottom)
            for kind, left, top, right, bottom in places
            if kind in NUMBER_KINDS and column.left <= (left + right) / 2 <= column.right
        ]
        rows = _rows_of([p[1:] for p in places if p[0] in _TEXT_KINDS and not column.left <= p[1] <= column.right])
        rows = [(y, tall) for y, tall in rows if column.top <= y <= column.bottom]
        empty = [(y, tall) for y, tall in rows if not any(t - tall / 2 < y < b + tall / 2 for t, b in inside)]
        if len(rows) >= _ROWS_TO_TRUST and len(rows) - len(empty) >= _LEAST_FULL * len(rows):
            for y, tall in empty:
                x0, x1 = round(column.left * width), round(column.right * width)
                yield (
                    column.kind,
                    seen[0].reading,
                    Box(x0, round((y - tall / 2) * height), x1, round((y + tall / 2) * height)),
                )


def _place_of(reading: Reading, ordinals: Sequence[int]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the first line of a claim in shares of the reading's size."""
    width, height = reading.frame.size
    first = reading.words[ordinals[0]].line
    box = union(reading.words[i].box for i in ordinals if reading.words[i].line == first)
    return box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height


def _rows_of(places: Sequence[tuple[float, float, float, float]]) -> list[tuple[float, float]]:
    """Middle and height of the rows on which the places stand, one for each row."""
    rows: list[tuple[float, float]] = []
    for _, top, _, bottom in sorted(places, key=lambda p: (p[1] + p[3]) / 2):
        middle, tall = (top + bottom) / 2, bottom - top
        if not rows or middle - rows[-1][0] > 0.6 * max(tall, rows[-1][1]):
            rows.append((middle, tall))
    return rows
