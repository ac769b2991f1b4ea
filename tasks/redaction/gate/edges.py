"""The surroundings of marks: tops, tails and ends of what they hide.

Rules kept here: a word of a value may not stand out above or below its mark; and when a reader is at hand,
an enlarged band round every mark is read again, painted as it is, and may not yield a substantial part of a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.geometry import Box, joined
from tasks.model import DRAWN_TEXT, Finding, Reading, Word
from tasks.redaction.gate.checks import RereadAll, page_check
from tasks.redaction.gate.output import PageView
from tasks.redaction.gate.values import CONFUSED_DIGITS, national_digits

STANDS_OUT = 0.25
"""Share of a word's height that may not be left above or below a mark with ink in it."""

TOUCHING_PX = 2
"""Rows beside a mark in which the ink of a letter that it cuts has to go on."""

LEAST_RUN, LEAST_GROUP, MOST_TOKENS = 8, 4, 8
"""Least letters of a word that runs tokens of a value together, least digits of a group; most such tokens."""

HIDDEN_PART = 0.4
"""Least share of a word's height a mark hides when it was meant to hide all of it."""

ENOUGH = 0.7
"""Share of a value that is substantial."""

READ_WELL, SHORTEST_PLAIN, PUNCTUATION = 80.0, 2, ".,;:!?()'\"-"
"""Least confidence (0 to 100) and least letters of a word that need not be read again, and what may stand around it."""

LINES_AROUND, ENDS_AROUND = 1, 3
"""What of a mark's surroundings is read again, in heights of its line: above and below it, and at both ends."""

TALLEST_LINE_PX = 100
"""Height of a mark from which on it covers several lines."""

LEAST_INK = 64
"""Contrast of ink, in grey levels."""

READING_DPI = 200.0
"""What a trimmed mark leaves is read at it as often as at 300 (43 and 41 of 107 on scans of the corpus), for 0.68 of
the time."""

LONGEST_SHEET_PX = 3500
GAP_PX = 24
"""Blank rows between two bands of a sheet."""


@page_check("A09")
def no_tops_or_tails_are_left(view: PageView) -> Iterator[Finding]:
    """Words of withheld values that a mark hides are hidden in their whole height."""
    parts = _parts_of(view.output.plan.withheld)
    for reading in view.transcript.readings[:1]:
        upright = reading.frame.quarter_turns % 2 == 0
        for word in reading.words:
            if _folded(word.text) not in parts:
                continue  # not part of a value: a neighbour that a mark grazes
            for place in reading.frame.regions_to_page(word.box):
                hidden = [r for r in view.regions if _hides_part(r, place, upright)]
                if hidden and any(
                    _is_cut_off(view, rest, touching) for rest, touching in _rests(place, hidden, upright)
                ):
                    yield Finding("A09", view.number, place, "Part of a hidden word stands out beside its mark.")


@lru_cache(maxsize=8)
def _parts_of(withheld: tuple[str, ...]) -> frozenset[str]:
    """What a word may hold of a value and of little else: a group of digits, or several tokens run together.

    Single tokens of letters ("police", "road") stand in neighbouring lines too, where a mark may graze them.
    """
    parts: set[str] = set()
    for value in withheld:
        tokens = [_folded(token) for token in re.split(r"[\W_]+", value) if token]
        for start, first in enumerate(tokens):
            runs = accumulate(tokens[start : start + MOST_TOKENS])
            parts |= {run for run in runs if run != first and len(run) >= LEAST_RUN}
            parts |= {first} if first.isdigit() and len(first) >= LEAST_GROUP else set()
    return frozenset(parts)


def _folded(text: str) -> str:
    """Letters and digits only, in lower case."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _hides_part(region: Box, place: Box, upright: bool) -> bool:
    """Whether a mark lies over most of a word's length and much of its height: more than a graze."""
    shared = region.intersection(place)
    if shared.width <= 0 or shared.height <= 0:
        return False
    along, across = shared.width / place.width, shared.height / place.height
    if not upright:
        along, across = across, along
    return along >= 0.5 and across >= HIDDEN_PART


def _rests(place: Box, hidden: Sequence[Box], upright: bool) -> list[tuple[Box, Box]]:
    """What of a word lies across its marks, above and below them as it is read, if it is more than a hair.

    Each with the rows of it that touch the marks.
    """
    if not upright:
        return [(_exchanged(a), _exchanged(b)) for a, b in _rests(_exchanged(place), [*map(_exchanged, hidden)], True)]
    top, bottom = min(r.y0 for r in hidden), max(r.y1 for r in hidden)
    rests = [
        (Box(place.x0, place.y0, place.x1, top), Box(place.x0, top - TOUCHING_PX, place.x1, top)),
        (Box(place.x0, bottom, place.x1, place.y1), Box(place.x0, bottom, place.x1, bottom + TOUCHING_PX)),
    ]
    return [(rest, touching) for rest, touching in rests if rest.height > STANDS_OUT * place.height]


def _exchanged(box: Box) -> Box:
    """The box with x and y changed for one another."""
    return Box(box.y0, box.x0, box.y1, box.x1)


def _is_cut_off(view: PageView, rest: Box, touching: Box) -> bool:
    """Whether ink goes on from under a mark: what a blank row parts from it is a rule, a speck or another line."""
    return _has_ink(view, rest) and _has_ink(view, touching)


def _has_ink(view: PageView, box: Box) -> bool:
    patch = view.grey[box.y0 : box.y1, box.x0 : box.x1]
    return bool(patch.size) and _shows_ink(patch)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around the marks of a page, to be read again.

    Attributes:
        page: 0-based.
        sheets: enlarged bands round the marks, stitched on as few sheets as hold them, at `READING_DPI`.
        known: what stands there and is certain, in reading order; much of it is not on the sheets.
    """

    page: int
    sheets: tuple[NDArray[np.uint8], ...] = field(repr=False)
    known: tuple[str, ...] = field(default=(), repr=False)

    @property
    def size_px(self) -> int:
        """Of all sheets."""
        return sum(sheet.size for sheet in self.sheets)


def surroundings(view: PageView) -> Surroundings:
    """The bands round a page's marks; no sheets when nothing there needs to be read."""
    bands = _bands(view) if fragment_tests(view.output.plan.withheld) else []
    if not bands:
        return Surroundings(view.number, ())
    page, known = _unexplained(view, bands), _certain_words(view, bands)
    scale = max(1.0, min(3.0, READING_DPI / min(view.transcript.dpi)))
    cuts = [
        _enlarged(cut, view.quarter_turns, scale)
        for band in bands
        if _shows_ink(cut := page[band.y0 : band.y1, band.x0 : band.x1])
    ]
    return Surroundings(view.number, tuple(_sheets(cuts)), known)


def reread_surroundings(
    around: Sequence[Surroundings], withheld: tuple[str, ...], reread: RereadAll
) -> Iterator[Finding]:
    """Read what lies around the marks of some pages, each sheet by itself."""
    tests = fragment_tests(withheld)
    pages = [one.page for one in around for _ in one.sheets]
    read = zip(pages, reread([sheet for one in around for sheet in one.sheets], READING_DPI), strict=True)
    found = set()
    told = ((one.page, spelling) for one in around for spelling in _spellings(one.known))
    for page, texts in (*told, *read):
        words = Words.of(texts)
        if page not in found and any(test(words) for test in tests):
            found.add(page)
            yield Finding("A09", page, None, "A substantial part of a withheld value can be read beside a mark.")


def _bands(view: PageView) -> list[Box]:
    """The marks with a line above, a line below and a few characters at both ends; bands that meet are one."""
    upright = view.quarter_turns % 2 == 0
    bands = [
        _around(region, upright, LINES_AROUND).clipped(view.transcript.width_px, view.transcript.height_px)
        for region in view.regions
    ]
    return joined(bands)


def _around(region: Box, upright: bool, lines: int) -> Box:
    """A mark with so many lines above and below it and a few characters at both ends."""
    h = min(region.height if upright else region.width, TALLEST_LINE_PX)
    return region.padded(ENDS_AROUND * h, lines * h) if upright else region.padded(lines * h, ENDS_AROUND * h)


def _unexplained(view: PageView, bands: Sequence[Box]) -> NDArray[np.uint8]:
    """The page with its marks made white, so that they are not read as anything, and with them what is read anyway.

    A word that was read well, has no sign but letters and stands in no withheld value is no part of a number or an
    address; reading it again takes most of the time and cannot change the verdict. Words that are certain are judged
    as they are (`_certain_words`), and so are white but for those in a mark's own line, which may go on with what the
    mark leaves.

    Args:
        view: the page.
        bands: what will be read of it.
    """
    page = np.array(view.grey)
    values = "\n".join(map(_folded, view.output.plan.withheld))
    upright = view.quarter_turns % 2 == 0
    own_lines = [_around(region, upright, 0) for region in view.regions]
    for reading in view.transcript.readings[:1]:
        for word in reading.words:
            plain = word.confidence >= READ_WELL and _is_plain(word.text) and _folded(word.text) not in values
            if plain or _is_certain(reading, word):
                places = reading.frame.regions_to_page(word.box)
                if _meet(places, bands) and not _meet(places, view.regions if plain else own_lines):
                    for place in places:
                        page[place.y0 : place.y1, place.x0 : place.x1] = 255
    for region in view.regions:
        page[region.y0 : region.y1, region.x0 : region.x1] = 255
    return page


def _certain_words(view: PageView, bands: Sequence[Box]) -> tuple[str, ...]:
    """What is certain of these bands, in reading order, outside marks."""
    placed = (
        (word, reading.frame.regions_to_page(word.box))
        for reading in view.transcript.readings[:1]
        for word in reading.words
        if _is_certain(reading, word)
    )
    return tuple(word.text for word, places in placed if _meet(places, bands) and not _meet(places, view.regions))


def _is_certain(reading: Reading, word: Word) -> bool:
    """Whether a page's own drawing tells of a word; of a row of dots it does not tell what is written on it."""
    return reading.reader == DRAWN_TEXT and bool(_folded(word.text))


def _spellings(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Words as they are, and with the letters that stand for digits: whoever draws a page may exchange them."""
    if words:
        yield words
        yield tuple(word.translate(CONFUSED_DIGITS) if any(c.isdigit() for c in word) else word for word in words)


def _meet(places: Sequence[Box], others: Sequence[Box]) -> bool:
    return any(place.meets(other) for place in places for other in others)


def _is_plain(text: str) -> bool:
    bare = text.strip(PUNCTUATION)
    is_digits = bare.translate(CONFUSED_DIGITS).isdigit()  # OO, SO, Il: as likely misread
    return len(bare) >= SHORTEST_PLAIN and bare.isalpha() and not is_digits


def _shows_ink(cut: NDArray[np.uint8]) -> bool:
    return int(cut.max(initial=0)) - int(cut.min(initial=255)) >= LEAST_INK


def _enlarged(cut: NDArray[np.uint8], quarter_turns: int, scale: float) -> NDArray[np.uint8]:
    """A band, level and enlarged."""
    level = np.ascontiguousarray(np.rot90(cut, quarter_turns))
    across, along = level.shape
    image = Image.fromarray(level)
    return np.asarray(image.resize((round(along * scale), round(across * scale)), Image.Resampling.BICUBIC))


def _sheets(cuts: Sequence[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Bands one below another on white sheets of bounded length."""
    sheet: list[NDArray[np.uint8]] = []
    for cut in cuts:
        if sheet and sum(c.shape[0] + GAP_PX for c in sheet) + cut.shape[0] > LONGEST_SHEET_PX:
            yield _stitch(sheet)
            sheet = []
        sheet.append(cut)
    if sheet:
        yield _stitch(sheet)


def _stitch(cuts: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    width = max(c.shape[1] for c in cuts) + 2 * GAP_PX
    height = sum(c.shape[0] + GAP_PX for c in cuts) + GAP_PX
    sheet = np.full((height, width), 255, np.uint8)
    y = GAP_PX
    for cut in cuts:
        sheet[y : y + cut.shape[0], GAP_PX : GAP_PX + cut.shape[1]] = cut
        y += cut.shape[0] + GAP_PX
    return sheet


@dataclass(frozen=True, slots=True)
class Words:
    """What was read on a sheet: its words, folded, and the digits of neighbouring numeric ones run together."""

    folded: tuple[str, ...] = field(repr=False)
    digits: str = field(repr=False)

    @classmethod
    def of(cls, read: Sequence[str]) -> Words:
        """The words as `fragment_tests` look at them; in `digits` other words are breaks."""
        words = [unicodedata.normalize("NFKC", word) for word in read]
        runs = []
        for word in words:
            digits = "".join(c for c in word if c.isdigit())
            runs.append(digits if 2 * len(digits) >= len(word) else " ")
        return cls(tuple(word.casefold() for word in words), "".join(runs))


@lru_cache(maxsize=8)
def fragment_tests(withheld: tuple[str, ...]) -> tuple[Callable[[Words], bool], ...]:
    """How to tell that words hold a substantial part of a value; none for values too short to tell.

    A number: seven tenths of its digits in a row, at least 7. An e-mail address: seven tenths of its local part,
    ending or starting where that does, in a word with a sign that no name has (@, a dot, a digit). Other values: no
    test, since their words stand elsewhere on the same page for good reasons.
    """
    return tuple(test for value in withheld if (test := _fragment_test(value)))


def _fragment_test(value: str) -> Callable[[Words], bool] | None:
    if "@" in value:
        local = value.split("@")[0].strip().casefold().replace(" ", "")
        least = max(5, round(ENOUGH * len(local)))
        return lambda words: any(_holds_local_part(word, local, least) for word in words.folded)
    digits = national_digits(value)
    if len(digits) < 7 or 2 * len(digits) < sum(c.isalnum() for c in value):
        return None
    least = max(7, round(ENOUGH * len(digits)))
    parts = {digits[i : i + least] for i in range(len(digits) - least + 1)}
    return lambda words: any(part in words.digits for part in parts)


def _holds_local_part(word: str, local: str, least: int) -> bool:
    if len(local) < least or not (local[:least] in word or (local[-least:] + "@") in word):
        return False
    return "@" in word or any(c.isdigit() for c in word) or "." in word.strip(".")
