"""Lines, cells and columns of one reading, before anything is searched in it.

Rule kept here: never one space-joined soup. Words are searched in *flows*, runs of lines that a reader would read one
after the other in one column, and in *fields*, a label with the value it governs, wherever on the page that stands.

All measures are in line heights, so they hold at any resolution.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tasks.contacts.text import line_height
from tasks.geometry import Box, same_row, union
from tasks.model import Reading, Word

CELL_GAP = 1.9
"""Gap between two words, in line heights, that parts two cells. Justified text stays below it most of the time."""

LINE_STEP = 1.3
"""Largest gap between two lines of one flow, in line heights."""

ONE_SIZE = 2.2
"""Largest ratio of the heights of two lines of one flow."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Words side by side on one visual line: a whole line, or a cell of one.

    Attributes:
        height: line height, px.
        justified: the wide gaps between its words come from justified text, not from columns.
    """

    words: tuple[Word, ...] = field(repr=False)
    box: Box
    height: float
    justified: bool = False

    @property
    def text(self) -> str:
        """The words, space-joined."""
        return " ".join(w.text for w in self.words)


def segment_of(words: Sequence[Word]) -> Segment:
    """A segment of at least one word."""
    return Segment(tuple(words), union(w.box for w in words), line_height(words))


def lines_of(reading: Reading) -> list[Segment]:
    """The lines as the reader saw them."""
    return [segment_of(line) for line in reading.lines()]


def split_at_gaps(line: Segment, gap: float = CELL_GAP) -> list[Segment]:
    """The cells of a line: it is cut where words are further apart than `gap` line heights."""
    if line.justified:
        return [line]
    cells: list[list[Word]] = [[]]
    reach = 0
    for word in line.words:
        if cells[-1] and word.box.x0 - reach > gap * line.height:
            cells.append([])
        cells[-1].append(word)
        reach = max(reach, word.box.x1)
    return [segment_of(words) for words in cells]


def _overlap_x(a: Box, b: Box) -> int:
    return min(a.x1, b.x1) - max(a.x0, b.x0)


def _stands_below(above: Segment, below: Segment) -> bool:
    """Whether a line is near enough below another, in its column, to go on with it."""
    step = below.box.y0 - above.box.y1
    return (
        -0.7 * min(above.height, below.height) <= step <= LINE_STEP * max(above.height, below.height)
        and below.box.center[1] > above.box.center[1]
        and _overlap_x(above.box, below.box) > 0.3 * min(above.box.width, below.box.width)
    )


def _of_one_size(a: Segment, b: Segment) -> bool:
    return max(a.height, b.height) <= ONE_SIZE * min(a.height, b.height)


def chain(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Flows: each segment is followed by the nearest one below it in its column, and has one predecessor only."""
    order = sorted(segments, key=lambda s: (s.box.y0, s.box.x0))
    tops = [s.box.y0 for s in order]
    successor: dict[int, int] = {}
    taken: set[int] = set()
    for i, above in enumerate(order):
        first = bisect_left(tops, above.box.y0 + 1)
        best: tuple[float, int] | None = None
        for j in range(first, len(order)):
            below = order[j]
            if below.box.y0 > above.box.y1 + LINE_STEP * max(above.height, below.height, 2 * above.height):
                break
            if j != i and j not in taken and _stands_below(above, below):
                # The left edge decides between equals: text wraps to the left edge.
                rank = below.box.center[1] + 0.05 * abs(below.box.x0 - above.box.x0)
                if best is None or rank < best[0]:
                    best = (rank, j)
        # A heading goes on with no line beyond the one under it.
        if best is not None and _of_one_size(above, order[best[1]]):
            successor[i] = best[1]
            taken.add(best[1])
    flows = []
    for i in range(len(order)):
        if i in taken:
            continue
        flow, at = [order[i]], i
        while at in successor:
            at = successor[at]
            flow.append(order[at])
        flows.append(flow)
    return flows


def _gaps(line: Segment) -> list[int]:
    """Gaps between the words, px, without those beside a lone mark of punctuation."""
    return [
        b.box.x0 - a.box.x1
        for a, b in zip(line.words, line.words[1:], strict=False)
        if any(c.isalnum() for c in a.text) and any(c.isalnum() for c in b.text)
    ]


def _evenly_spread(line: Segment) -> bool:
    gaps = _gaps(line)
    return bool(gaps) and min(gaps) > 0.5 * line.height and max(gaps) <= 1.5 * min(gaps) + 0.3 * line.height


def _flush(line: Segment, other: Segment) -> bool:
    """Whether two lines end at the same edge on both sides, as lines of a justified paragraph do."""
    reach = 0.7 * max(line.height, other.height)
    return abs(line.box.x0 - other.box.x0) <= reach and abs(line.box.x1 - other.box.x1) <= reach


def mark_justified(lines: Sequence[Segment]) -> list[Segment]:
    """The lines, those of justified text marked: evenly spread, and flush on both sides with a line above or below."""
    flush: set[int] = set()
    for flow in chain(lines):
        for above, below in itertools.pairwise(flow):
            if _flush(above, below):
                flush.update((id(above), id(below)))
    return [replace(s, justified=True) if id(s) in flush and _evenly_spread(s) else s for s in lines]


def level_words(reading: Reading) -> tuple[Word, ...]:
    """The reading's words as if its lines ran level: a text layer is as slanted as the scan it lies on."""
    slopes = sorted(
        (line[-1].box.center[1] - line[0].box.center[1]) / (line[-1].box.center[0] - line[0].box.center[0])
        for line in reading.lines()
        if line[-1].box.x0 - line[0].box.x1 > 6 * line_height(line)
    )
    slope = slopes[len(slopes) // 2] if len(slopes) >= 3 else 0.0
    if not 0.004 < abs(slope) < 0.2:
        return reading.words
    return tuple(replace(w, box=_sheared(w.box, slope)) for w in reading.words)


def _sheared(box: Box, slope: float) -> Box:
    rise = abs(round(slope * box.width / 2))
    drop = round(slope * box.center[0])
    height = max(4, box.height - 2 * rise)
    top = round(box.center[1] - height / 2) - drop
    return Box(box.x0, top, box.x1, top + height)


@dataclass(frozen=True, slots=True)
class Layout:
    """One reading, laid out.

    Attributes:
        words: of the reading, levelled, in its order.
        lines: as the reader saw them.
        cells: the lines cut at column gaps, top to bottom.
    """

    words: tuple[Word, ...] = field(repr=False)
    lines: tuple[Segment, ...]
    cells: tuple[Segment, ...]

    def flows(self) -> Iterator[list[Segment]]:
        """Columns of lines, then columns of cells where these differ."""
        by_line = chain(self.lines)
        yield from by_line
        seen = {tuple(id(w) for s in flow for w in s.words) for flow in by_line}
        for flow in chain(self.cells):
            if tuple(id(w) for s in flow for w in s.words) not in seen:
                yield flow

    def right_of(self, cell: Segment, reach: float = 30.0) -> Segment | None:
        """The next cell on the same row, at most `reach` line heights away."""
        found = [
            c
            for c in self._near(cell.box.y0 - cell.box.height, cell.box.y1 + cell.box.height)
            if c is not cell
            and same_row(cell.box, c.box)
            and -0.3 * cell.height <= c.box.x0 - cell.box.x1 <= reach * cell.height
        ]
        return min(found, key=lambda c: c.box.x0, default=None)

    def left_of(self, cell: Segment, reach: float = 30.0) -> Segment | None:
        """The nearest cell before this one on the same row, at most `reach` line heights away."""
        found = [
            c
            for c in self._near(cell.box.y0 - cell.box.height, cell.box.y1 + cell.box.height)
            if c is not cell
            and same_row(cell.box, c.box)
            and -0.3 * cell.height <= cell.box.x0 - c.box.x1 <= reach * cell.height
        ]
        return max(found, key=lambda c: c.box.x1, default=None)

    def below(self, cell: Segment, reach: float = 2.2) -> Segment | None:
        """The nearest cell under this one's left edge, at most `reach` line heights down."""
        found = [
            c
            for c in self._near(cell.box.y0 + 1, cell.box.y1 + reach * cell.height)
            if c is not cell
            and c.box.center[1] > cell.box.y1
            and c.box.y0 - cell.box.y1 <= reach * cell.height
            and c.box.x0 < cell.box.x1 + cell.height
            and c.box.x1 > cell.box.x0
        ]
        return min(found, key=lambda c: (c.box.y0, c.box.x0), default=None)

    def _near(self, top: float, bottom: float) -> list[Segment]:
        return [c for c in self.cells if c.box.y0 <= bottom and c.box.y1 >= top]


def lay_out(reading: Reading) -> Layout:
    """The layout of a reading."""
    words = level_words(reading)
    lines = mark_justified(lines_of(replace(reading, words=words)))
    cells = sorted((c for line in lines for c in split_at_gaps(line)), key=lambda s: (s.box.y0, s.box.x0))
    return Layout(words, tuple(lines), tuple(cells))
