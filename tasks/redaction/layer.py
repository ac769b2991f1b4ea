"""The text layer: what a reader hears, searches and copies.

Rules kept here: only words of the primary reading that were surely read and meet no mark, each at its place, and at
each mark what is withheld under which exemption; nothing else. All of it is invisible and in one font without shapes.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import Box, Frame, Point
from tasks.model import Mark, PageTranscript, Word
from tasks.redaction.lines import Shelf, Turn, anchor, words_in_order
from tasks.redaction.sure import unsure_words

Place = tuple[float, float, float, float]

LEAST_INK = 32
"""Contrast in grey levels below which a place is blank."""

ADVANCE = 0.5
"""Width of every character of the font, in type sizes."""


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A word and its place.

    Words are set level (or turned by quarter turns) even when their line is slanted by a degree or two: poppler and
    pdfium break a word whose letters do not share a base.

    Attributes:
        place: (x0, y0, x1, y1) in page space.
        quarter_turns: as `Frame.quarter_turns`.
    """

    text: str = field(repr=False)
    place: Place
    quarter_turns: int


def withheld_label(mark: Mark) -> str:
    """What the text layer says in a mark's place."""
    return f"[withheld: {mark.exemption}]"


def place_text(page: PageTranscript, marks: Sequence[Mark]) -> list[PlacedText]:
    """The text layer of a page in reading order.

    Args:
        page: its primary reading gives the words.
        marks: of this page.
    """
    reading = page.readings[0] if page.readings else None
    turns = reading.frame.quarter_turns % 4 if reading else 0
    regions = Shelf(region for mark in marks for region in mark.regions)
    told = _told_before(page, marks)
    unsure = unsure_words(page, regions)
    placed: list[PlacedText] = []
    at = 0
    lines = [(reading.frame, line) for line in reading.lines()] if reading else []
    for frame, line in lines:
        for word, box in _levelled(line, _shown(line, frame, regions)):
            placed += [_place_label(mark, turns) for mark in told.pop(at, ())]
            text = _printable(word.text) if at not in unsure else ""
            place = _free_place(_level_place(frame, box), regions) if text else None
            if place is not None:
                placed.append(PlacedText(text, place, turns))
            at += 1
    placed += [_place_label(mark, turns) for _, marks_left in sorted(told.items()) for mark in marks_left]
    return placed


def on_ink(placed: Iterable[PlacedText], pixels: NDArray[np.uint8], marks: Sequence[Mark]) -> list[PlacedText]:
    """The layer without words whose place on the page is blank: readers sometimes see words in an empty place.

    Args:
        placed: of the page, px.
        pixels: of the page, painted; the notices of marks stay in any case.
        marks: of the page.
    """
    notices = {withheld_label(mark) for mark in marks}
    return [item for item in placed if item.text in notices or _contrast(pixels, item.place) >= LEAST_INK]


def _contrast(pixels: NDArray[np.uint8], place: Place) -> int:
    """Levels between the lightest and the darkest pixel of a place, in the channel that differs most."""
    x0, y0, x1, y1 = (max(0, int(v)) for v in place)
    patch = pixels[y0 : y1 + 1, x0 : x1 + 1]
    return int(np.max(patch.max(axis=(0, 1)).astype(int) - patch.min(axis=(0, 1)))) if patch.size else 0


def write_layer(
    paragraphs: Iterable[Iterable[PlacedText]], codes: dict[str, int], height_px: int, dpi: tuple[float, float]
) -> Iterator[str]:
    """The content-stream operators of a text layer: one text block, in it one piece of marked content a paragraph.

    Args:
        paragraphs: in reading order; the n-th is marked with the identifier n (ISO 32000-1, 14.7.4).
        codes: the font's code of each character.
        height_px: of the page.
        dpi: (horizontal, vertical).
    """
    yield "BT\n/F1 1 Tf\n3 Tr"
    across, up = 72 / dpi[0], 72 / dpi[1]
    for number, paragraph in enumerate(paragraphs):
        yield f"/P <</MCID {number}>> BDC"
        for item in paragraph:
            hexed = "".join(f"{codes[char]:04x}" for char in item.text + " ")
            yield f"{' '.join(_number(value) for value in _matrix(item, height_px, across, up))} Tm <{hexed}> Tj"
        yield "EMC"
    yield "ET"


def _matrix(item: PlacedText, height_px: int, across: float, up: float) -> tuple[float, ...]:
    """The text matrix that stretches a word over its place; `across` and `up` are points to a pixel."""
    x0, x1 = item.place[0] * across, item.place[2] * across
    y0, y1 = (height_px - item.place[3]) * up, (height_px - item.place[1]) * up
    width, height = x1 - x0, y1 - y0
    advance = ADVANCE * len(item.text)
    match item.quarter_turns:
        case 0:
            return width / advance, 0.0, 0.0, height, x0, y0
        case 1:
            return 0.0, -height / advance, width, 0.0, x0, y1
        case 2:
            return -width / advance, 0.0, 0.0, -height, x1, y1
        case _:
            return 0.0, height / advance, -width, 0.0, x1, y0


def _number(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _printable(text: str) -> str:
    """A word without control characters, unassigned ones and surrogates."""
    return "".join(char for char in text if unicodedata.category(char)[0] not in "CZ")


def _levelled(line: Sequence[Word], shown: Sequence[Word]) -> Iterator[tuple[Word, Box]]:
    """Each word of a line with its box on the line's common base and height, so that a reader keeps the line whole.

    Both are those of the words that are shown: what is hidden moves nothing.
    """
    base = round(median(word.box.y1 for word in shown or line))
    height = round(median(word.box.height for word in shown or line))
    for word in line:
        box = word.box
        if 0.4 * height <= box.height <= 1.6 * height and abs(box.y1 - base) <= 0.35 * height:
            box = Box(box.x0, base - height, box.x1, base)
        yield word, Box(box.x0, box.y0, max(box.x1, box.x0 + 1), max(box.y1, box.y0 + 1))


def _shown(line: Sequence[Word], frame: Frame, shelf: Shelf) -> list[Word]:
    """The words of a line whose middle is in no mark."""
    boxes = [(word, frame.box_to_page(word.box)) for word in line]
    return [
        word
        for word, box in boxes
        if not any(r.x0 <= box.center[0] < r.x1 and r.y0 <= box.center[1] < r.y1 for r in shelf.near(box))
    ]


def _level_place(frame: Frame, box: Box) -> Place:
    """A reading-space box in page space, set level about the middle of its slanted place."""
    quad = frame.quad_to_page(box)
    middle_x, middle_y = sum(p[0] for p in quad) / 4, sum(p[1] for p in quad) / 4
    along, across = math.dist(quad[0], quad[1]), math.dist(quad[0], quad[3])
    width, height = (along, across) if frame.quarter_turns % 2 == 0 else (across, along)
    return (
        max(0.0, middle_x - width / 2),
        max(0.0, middle_y - height / 2),
        min(float(frame.page_width), middle_x + width / 2),
        min(float(frame.page_height), middle_y + height / 2),
    )


def _free_place(place: Place, shelf: Shelf) -> Place | None:
    """A word's place if it meets no mark, what is left of it when a mark only grazes it, None when it is covered."""
    x0, y0, x1, y1 = place
    around = Box(math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1))
    regions = [region for region in shelf.near(around) if region.meets(around)]
    limit = min(x1 - x0, y1 - y0)
    for share in (0.0, 0.1, 0.2, 0.3):
        dx, dy = min(share * (x1 - x0), limit), min(share * (y1 - y0), limit)
        for left, top, right, bottom in ((0, 1, 0, 0), (0, 0, 0, 1), (0, 1, 0, 1), (1, 0, 0, 0), (0, 0, 1, 0)):
            rest = (x0 + left * dx, y0 + top * dy, x1 - right * dx, y1 - bottom * dy)
            if not any(r.x0 < rest[2] and rest[0] < r.x1 and r.y0 < rest[3] and rest[1] < r.y1 for r in regions):
                return rest if rest[0] < rest[2] and rest[1] < rest[3] else None
    return None


def _told_before(page: PageTranscript, marks: Sequence[Mark]) -> dict[int, list[Mark]]:
    """The marks told before the word of each ordinal: the first they cover, or the one after the nearest."""
    told: dict[int, list[Mark]] = defaultdict(list)
    if marks:
        turn = Turn(page.readings[0].frame.quarter_turns if page.readings else 0, page.width_px, page.height_px)
        words = words_in_order(page)
        for mark in marks:
            ordinal, covered = anchor(words, [turn.to_line(region) for region in mark.regions])
            told[ordinal if covered else ordinal + 1].append(mark)
    return told


def _place_label(mark: Mark, quarter_turns: int) -> PlacedText:
    """What is withheld, on one line at the start of a mark's largest region."""
    text = withheld_label(mark)
    region = max(mark.regions, key=lambda r: r.area)
    turn = Turn(quarter_turns, 0, 0)
    box = turn.to_line(region)
    height = min(box.height - 2.0, 1.5 * box.width / (ADVANCE * len(text)))
    gap = min(0.3 * height, 0.1 * box.width)
    width = min(box.width - 2 * gap, ADVANCE * len(text) * height)
    middle = box.center[1]
    line = (box.x0 + gap, middle - height / 2, box.x0 + gap + width, middle + height / 2)
    corners = [_to_page(turn.quarter_turns, x, y) for x, y in (line[:2], line[2:])]
    (ax, ay), (bx, by) = corners
    return PlacedText(text, (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)), quarter_turns)


def _to_page(quarter_turns: int, x: float, y: float) -> Point:
    """A point of a line space of size 0 in page space; the inverse of `Turn.to_line`."""
    return ((x, y), (-y, x), (-x, -y), (y, -x))[quarter_turns]
