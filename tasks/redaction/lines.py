"""Where a mark's boxes lie, given the regions that were claimed.

Rules kept here: a region is never made smaller; it grows to the whole line height and to a coarse width, but only into
empty space, because the width of a box betrays what it hides (Bland, Iyer and Levchenko, PETS 2023) and a neighbouring
word is not ours to take. A slanted line arrives as a staircase of small regions and stays one.

Everything here happens in *line space*: page space turned by quarter turns so that the text at hand runs left to right.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import Box, Grid, union
from tasks.model import PageTranscript, Word

END_PAD = 0.15
"""Grown at both ends of a region, in line heights: recognised word boxes are tight, ink is not."""

SIDE_PAD = 0.10
"""Grown above and below a line, in line heights."""

LINE_GROWTH = 0.30
"""How far a region may grow above and below to take in its line's tallest words, in line heights."""

NEIGHBOUR_GAP = 1.0
"""Claims on one line with less than this and no word between them become one mark, in line heights."""

GRAZED = 0.1
"""A word whose line shares less than this with a mark's lies above or below it, in the lower one's heights."""

HAIR = 0.15
"""Kept free before a neighbouring word, in line heights."""

HAIRLINE_PX = 1
"""Kept free above and below a mark where it grows towards the room of a neighbouring line."""

CLEAR = 0.15
"""Kept free beside a mark where it grows towards a neighbouring word, in heights of that word."""

LEVEL = 1.12
"""Neighbouring boxes become one when it is at most this much taller than they are."""

TALL, LOW = frozenset("bdfhijklt"), frozenset("gjpqy")
"""Small letters that rise above the others, and those that hang below the base."""

RISE, HANG = 0.43, 0.28
"""How far letters rise above the small ones, in heights of these; how far they hang, in heights of those that rise."""

WIDTHS = (2, 4, 6, 8, 12, 18, 27, 40, 60)
"""The widths a box may have, in line heights: coarse enough that ten in a hundred staff addresses share each."""


ROW_PX = 64
"""Height of the rows boxes are looked up by."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The way between page space and line space; exact, because it is made of quarter turns.

    Attributes:
        quarter_turns: as `Frame.quarter_turns`: how often the page is turned anticlockwise to make the text level.
        width: of the page, px.
        height: of the page, px.
    """

    quarter_turns: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of line space, px."""
        return (self.height, self.width) if self.quarter_turns % 2 else (self.width, self.height)

    def to_line(self, box: Box) -> Box:
        """A page-space box in line space."""
        match self.quarter_turns % 4:
            case 1:
                return Box(box.y0, self.width - box.x1, box.y1, self.width - box.x0)
            case 2:
                return Box(self.width - box.x1, self.height - box.y1, self.width - box.x0, self.height - box.y0)
            case 3:
                return Box(self.height - box.y1, box.x0, self.height - box.y0, box.x1)
        return box

    def to_page(self, box: Box) -> Box:
        """A line-space box in page space."""
        match self.quarter_turns % 4:
            case 1:
                return Box(self.width - box.y1, box.x0, self.width - box.y0, box.x1)
            case 2:
                return Box(self.width - box.x1, self.height - box.y1, self.width - box.x0, self.height - box.y0)
            case 3:
                return Box(box.y0, self.height - box.x1, box.y1, self.height - box.x0)
        return box


class Shelf:
    """Boxes found by their height on the page: whoever asks looks at the lines around, not at the whole page."""

    def __init__(self, boxes: Iterable[Box]) -> None:
        self._rows: dict[int, list[tuple[int, Box]]] = defaultdict(list)
        for numbered in enumerate(dict.fromkeys(boxes)):
            for row in range(numbered[1].y0 // ROW_PX, (numbered[1].y1 - 1) // ROW_PX + 1):
                self._rows[row].append(numbered)

    def near(self, box: Box, beyond_px: int = 0) -> list[Box]:
        """The boxes in the rows of a box and `beyond_px` above and below; each once, and more than that among them."""
        rows = range((box.y0 - beyond_px) // ROW_PX, (box.y1 - 1 + beyond_px) // ROW_PX + 1)
        return list(dict(found for row in rows for found in self._rows.get(row, ())).values())


def words_in_order(page: PageTranscript) -> NDArray[np.int64]:
    """The primary reading's words: (n, 4) boxes in reading order, in line space, px."""
    if not page.readings:
        return np.zeros((0, 4), np.int64)
    frame = page.readings[0].frame
    turn = Turn(frame.quarter_turns, page.width_px, page.height_px)
    boxes = (turn.to_line(frame.box_to_page(word.box)) for word in page.readings[0].words)
    return np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], np.int64).reshape(-1, 4)


def anchor(words: NDArray[np.int64], regions: Sequence[Box]) -> tuple[int, bool]:
    """The word a mark stands for in the order of reading.

    Args:
        words: (n, 4) boxes in reading order, in line space.
        regions: of the mark, in line space.

    Returns:
        The ordinal of the first word that is covered by more than half, and True; else of the nearest word (a step down
        the page counts more than one along the line), and False. (0, False) when there are no words.
    """
    if not len(words):
        return 0, False
    x0, y0, x1, y1 = words.T
    covered = np.zeros(len(words), np.bool_)
    for region in regions:
        shared_x = np.minimum(x1, region.x1) - np.maximum(x0, region.x0)
        shared_y = np.minimum(y1, region.y1) - np.maximum(y0, region.y0)
        covered |= 2 * shared_x.clip(0) * shared_y.clip(0) > (x1 - x0) * (y1 - y0)
    if covered.any():
        return int(covered.argmax()), True
    first = regions[0]
    across = np.abs((y0 + y1) / 2 - first.center[1])
    along = np.maximum(0, np.maximum(x0 - first.x1, first.x0 - x1))
    return int((4 * across + along).argmin()), False


def line_room(word: Word) -> Box:
    """A word's box with the room its line has for letters that rise or hang, whether it has such letters or not.

    A mark in that room takes no ink, but it sits on the neighbouring line and spoils it to read.
    """
    letters = [char for char in word.text if char.isalnum()]
    tall = any(char in TALL or char.isdigit() or char.isupper() for char in letters)
    low = any(char in LOW for char in letters)
    if not letters or (tall and low):
        return word.box
    h = word.box.height
    small = h if not low else h / (1 + HANG * (1 + RISE))
    above = 0 if tall else round(RISE * small)
    below = 0 if low else round(HANG * (h if tall else (1 + RISE) * h))
    return Box(word.box.x0, word.box.y0 - above, word.box.x1, word.box.y1 + below)


@dataclass(frozen=True, slots=True)
class Piece:
    """One claimed region in line space; `claim` is the ordinal of the detection it belongs to."""

    box: Box
    claim: int


def pad_piece(box: Box, line_words: Shelf, obstacles: Shelf, rooms: Shelf, slanted: bool) -> Box:
    """A region grown to its line's whole height and a little beyond its ends.

    Args:
        box: the region.
        line_words: all words of the page, slanted ones in level parts; those beside the region on its line say how
            tall the line is.
        obstacles: words that are no part of any claim; growth stops before them, but never inside the region.
        rooms: the same with the room of their lines.
        slanted: whether lines of the page rise or fall, so that only what stands close speaks for a region.
    """
    h = box.height
    near = (0.5 if slanted else 2) * h
    beside = [
        w
        for w in line_words.near(box)
        if box.y0 < (w.y0 + w.y1) / 2 < box.y1 and w.height <= 1.5 * h and w.x0 < box.x1 + near and w.x1 > box.x0 - near
    ]
    reach = round(LINE_GROWTH * h)
    side = max(2, round(SIDE_PAD * h))
    # What was claimed may have been padded already: only what is not yet beyond the words' ink is added.
    top = max(box.y0 - reach, min([box.y0, *(w.y0 - side for w in beside)] if beside else [box.y0 - side]))
    bottom = min(box.y1 + reach, max([box.y1, *(w.y1 + side for w in beside)] if beside else [box.y1 + side]))
    end = max(2, round(END_PAD * h))
    left, right = box.x0 - end, box.x1 + end
    for room in rooms.near(box, h):
        if room.x0 < right and room.x1 > left:
            if room.center[1] <= box.y0:
                top = max(top, min(room.y1 + HAIRLINE_PX, box.y0 - 1))
            elif room.center[1] >= box.y1:
                bottom = min(bottom, max(room.y0 - HAIRLINE_PX, box.y1 + 1))
    for word in obstacles.near(box, h):
        if word.x0 < box.x1 and word.x1 > box.x0:
            continue
        if word.y0 < box.y1 and word.y1 > box.y0:
            if word.x1 <= box.x0:
                left = max(left, min((word.x1 + box.x0) // 2, box.x0 - 1))
            else:
                right = min(right, max((word.x0 + box.x1 + 1) // 2, box.x1 + 1))
    return Box(left, top, right, bottom)


def _on_one_line(a: Box, b: Box) -> bool:
    return min(a.y1, b.y1) - max(a.y0, b.y0) >= 0.5 * min(a.height, b.height)


def _between(a: Box, b: Box, obstacles: Shelf) -> bool:
    """Whether a foreign word stands in the gap of two boxes of one line."""
    first, second = sorted((a, b))
    gap = Box(first.x1, max(a.y0, b.y0), second.x0, min(a.y1, b.y1))
    return gap.area > 0 and any(word.meets(gap) for word in obstacles.near(gap))


def chain_pieces(pieces: Sequence[Piece], obstacles: Shelf) -> list[list[Piece]]:
    """Pieces grouped into runs that lie beside one another on one visual line, each from left to right."""
    parent = list(range(len(pieces)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    order = sorted(range(len(pieces)), key=lambda i: pieces[i].box)
    tallest = max((p.box.height for p in pieces), default=0)
    for at, i in enumerate(order):
        a = pieces[i].box
        for j in order[at + 1 :]:
            b = pieces[j].box
            if b.x0 - a.x1 > NEIGHBOUR_GAP * tallest:
                break
            near = b.x0 - a.x1 <= NEIGHBOUR_GAP * min(a.height, b.height)
            if near and _on_one_line(a, b) and not _between(a, b, obstacles):
                parent[find(j)] = find(i)
    chains: dict[int, list[Piece]] = {}
    for i in order:
        chains.setdefault(find(i), []).append(pieces[i])
    return list(chains.values())


def level_boxes(chain: Sequence[Piece]) -> list[Box]:
    """The boxes of one chain without gaps: level neighbours become one box, a staircase keeps its steps."""
    limit = LEVEL * median(p.box.height for p in chain)
    boxes: list[Box] = []
    for piece in chain:
        if boxes:
            joined = union([boxes[-1], piece.box])
            if joined.height <= limit or boxes[-1].contains(piece.box):
                boxes[-1] = joined
                continue
        boxes.append(piece.box)
    return [
        Box(a.x0, a.y0, max(a.x1, b.x0), a.y1) if b is not None else a for a, b in [*pairwise(boxes), (boxes[-1], None)]
    ]


def coarse_width(width: float, h: float) -> int:
    """The next of the few widths a box may have, px."""
    heights = next((step for step in WIDTHS if step * h >= width), width / h)
    return math.ceil(heights * h)


def coarsest_step(grids: Iterable[Grid]) -> int:
    """The longest edge of a block, px; 1 where nothing was compressed with loss."""
    return math.ceil(max((side for grid in grids if not grid.colour for side in grid.step), default=1))


def widen(boxes: list[Box], margins: tuple[int, int], obstacles: Shelf, rooms: Shelf, step: int) -> list[Box]:
    """A chain's boxes grown to a coarse width: at the end of the line first, at its start when there is no room.

    Args:
        boxes: from left to right, as `level_boxes` gives them.
        margins: where text begins and ends on the page, px in line space.
        obstacles: words that are no part of any claim.
        rooms: the same with the room of their lines.
        step: edge of the blocks that the boxes will be snapped to, px.
    """
    h = median(b.height for b in boxes)
    around = union(boxes)
    missing = coarse_width(around.width, h) - around.width
    hair = max(2, round(HAIR * h)) + step - 1
    last = max(range(len(boxes)), key=lambda i: boxes[i].x1)
    first = min(range(len(boxes)), key=lambda i: boxes[i].x0)

    def blocking(box: Box) -> list[Box]:
        near = [*obstacles.near(box), *rooms.near(box)]
        return [w for w in near if min(w.y1, box.y1) - max(w.y0, box.y0) > GRAZED * min(w.height, box.height)]

    end = boxes[last]
    room = min([margins[1], *(w.x0 - hair for w in blocking(end) if w.x1 > end.x1 and w.x0 >= end.x0)])
    grown = max(0, min(missing, room - end.x1))
    boxes[last] = Box(end.x0, end.y0, end.x1 + grown, end.y1)
    start = boxes[first]
    room = max([margins[0], *(w.x1 + hair for w in blocking(start) if w.x0 < start.x0 and w.x1 <= start.x1)])
    grown = max(0, min(missing - grown, start.x0 - room))
    boxes[first] = Box(start.x0 - grown, start.y0, start.x1, start.y1)
    return boxes


def resting_grid(page: PageTranscript, quarter_turns: int) -> Grid:
    """The heights at which marks begin and end where nothing else says so: thirds of a line of the page.

    Tight boxes would show whether what they hide has letters that rise or hang.

    Args:
        page: its words tell how tall a line is.
        quarter_turns: of the text at hand.
    """
    third = float(max(1, round(median(heights) / 3))) if (heights := _heights(page)) else 1.0
    whole = Box(0, 0, page.width_px, page.height_px)
    return Grid(whole, (third, 1.0) if quarter_turns % 2 else (1.0, third))


def _heights(page: PageTranscript) -> list[float]:
    """The heights of the primary reading's words, px in page space."""
    if not page.readings:
        return []
    frame = page.readings[0].frame
    scale = frame.scale_x if frame.quarter_turns % 2 else frame.scale_y
    return [word.box.height / scale for word in page.readings[0].words]


def settle(box: Box, grids: Sequence[Grid], size: tuple[int, int], foreign: Shelf, rooms: Shelf | None = None) -> Box:
    """A box grown to whole blocks of compression on every side where no neighbouring word stands in the way.

    Where one does, the edge stops at the word; what is left of the block is calmed when the mark is painted.

    Args:
        box: in page space.
        grids: the blocks the source was compressed in.
        size: (width, height) of the page, px.
        foreign: words that are no part of any claim, in page space.
        rooms: the same with the room of their lines.
    """
    box = box.clipped(*size)
    full = box.snapped(grids, *size)
    if full == box:
        return box
    x0, y0, x1, y1 = full.x0, full.y0, full.x1, full.y1
    step = coarsest_step(grids)
    words = [(word, max(2, round(CLEAR * min(word.width, word.height)))) for word in foreign.near(full, step)]
    words += [(room, 0) for room in rooms.near(full, step)] if rooms else []
    for word, hair in words:
        if not word.padded(hair).meets(full):
            continue
        if word.x0 < box.x1 and word.x1 > box.x0:
            if word.center[1] < box.y0:
                y0 = max(y0, min(word.y1 + hair, box.y0))
            elif word.center[1] > box.y1:
                y1 = min(y1, max(word.y0 - hair, box.y1))
        elif word.x1 <= box.x0:
            x0 = max(x0, min(word.x1 + hair, box.x0))
        elif word.x0 >= box.x1:
            x1 = min(x1, max(word.x0 - hair, box.x1))
    return Box(x0, y0, x1, y1)
