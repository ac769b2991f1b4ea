"""The source, before anything is marked: redactions that somebody made on paper and that do not hide.

Rule kept here: what is found here holds nothing back by itself; it asks a person to look, because what a marker pen
covers, what shines through from the other side, or what was printed in the colour of the paper, was not read with the
page and so is not marked either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.geometry import Box, union
from tasks.model import Finding, PageRaster
from tasks.pixels import bands, histogram
from tasks.redaction.gate.checks import FAULTS, Reread

LOOK_DPI, READING_DPI = 100.0, 200.0

DARK, STROKE_PX, LEAST_PX = 128, 7, (30, 8)
"""At `LOOK_DPI`: mean grey level of a covered place, what is too thin to cover a line of text, and its least width and
height."""

LEAST_FULL, TALLEST_PX = 0.75, 100
"""Share of its box that a cover fills, pictures seldom; and how tall covers of some lines are, px at `LOOK_DPI`."""

FLAT, VISIBLE = 6, 110
"""Contrast in grey levels below which a cover hides, and above which print on a dark ground is plain to see."""

FAINT = (10, 60)
"""How far the print of the other side is darker than paper, in grey levels."""

LEAST_SHARE, PAPER_PX, HALO_PX, SOFT_PX = 0.002, 15, 5, 0.8
"""Share of a page that must be faint to be worth reading; size of the neighbourhood whose lightest is paper, how far
ink blurs into it, and how much of the grain is smoothed, px at `LOOK_DPI`."""

LEAST_LETTERS = 100
"""Faint marks of a letter's size that may be print."""

UNSEEN, EVEN, BESIDE_INK_PX = 12, 0.5, 19
"""How near to the shade of the paper print is not seen, in grey levels; share of a page that must be of one shade for
the rest to mean anything; and the neighbourhood of ink that rings, px."""

LEAST_UNSEEN, PALE, GRAIN = 6, 200, 2
"""Marks of a letter's size that may be a word, what of them is left to see once the page is made small, and how far the
coding of a photograph lets even paper stray, in grey levels: finer print does not survive it."""

LINE_GAP_PX, SHORTEST_PX, HIGHEST_PX, MOST_LINES = 15, 25, 40, 8
"""What parts two words of a line at most, the least length and the greatest height of a line, px at `LOOK_DPI`; and how
many lines are read: dust gives hundreds, and takes longer to read than a page of print."""

LEAST_WORD, WORDS_SEEN_THROUGH = 4, 5
"""Letters or digits that make a word no accident; and how many such words are a page."""


def look_at_source(raster: PageRaster, reread: Reread) -> tuple[Finding, ...]:
    """Dark areas that hold text once stretched, print of the other side, print in the paper's colour; all A24.

    Args:
        raster: one page of the source.
        reread: reads grey pixels at a resolution in dpi and gives the words it is sure of.

    Returns:
        One finding for each covered place (page space), one for the page when its back can be read, and one for the
        place of print nobody sees. Bilevel pages have no shades that could hold any of them.
    """
    if raster.mode == "bilevel":
        return ()
    grey = raster.pixels if raster.pixels.ndim == 2 else cv2.cvtColor(raster.pixels, cv2.COLOR_RGB2GRAY)
    page = np.asarray(grey, dtype=np.uint8)
    looks = (_covers_that_show, _back_that_shows, _print_nobody_sees)
    return tuple(finding for look in looks for finding in look(raster, page, reread))


def _covers_that_show(raster: PageRaster, page: NDArray[np.uint8], reread: Reread) -> Iterator[Finding]:
    looks = {
        box: _at_reading_dpi(stretched, raster.dpi)
        for box in _dark_places(raster, page)
        if (stretched := _stretch(page[box.y0 : box.y1, box.x0 : box.x1])) is not None
    }
    # All on one sheet first: nearly always there is nothing, and a page is read once.
    if not looks or not any(map(_is_word, reread(_sheet(list(looks.values())), READING_DPI))):
        return
    for box, look in looks.items():
        if any(map(_is_word, reread(_sheet([look]), READING_DPI))):
            yield Finding("A24", raster.page, box, f"The page has {FAULTS['A24']}.")


def _sheet(looks: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Places one below another, level, each in both shades: print under a pen is darker than it, through it lighter."""
    level = [
        np.rot90(look, turns)
        for look in looks
        for turns in ((1, 3) if look.shape[0] > 2 * look.shape[1] else (0,))  # print beside it may run up or down
    ]
    both = [shade for look in level for shade in (look, 255 - look)]
    return _stacked(both)


def _stacked(looks: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Places one below another, with some of their own ground around them."""
    width = max(look.shape[1] for look in looks)
    return np.concatenate([np.pad(look, ((20, 20), (20, 20 + width - look.shape[1])), mode="edge") for look in looks])


def _dark_places(raster: PageRaster, page: NDArray[np.uint8]) -> list[Box]:
    """Places darker than print can make them, page space, without their rims."""
    small, scale = _at_look_dpi(page, raster.dpi)
    dark = np.asarray(small < DARK, dtype=np.uint8)
    solid = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((STROKE_PX, STROKE_PX), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    places = []
    for x, y, width, height, area in stats[1:count].tolist():
        large = max(width, height) >= LEAST_PX[0] and min(width, height) >= LEAST_PX[1]
        if large and area >= LEAST_FULL * width * height and min(width, height) <= TALLEST_PX:
            rim = 2
            sides = (
                (x + rim) * scale[0],
                (y + rim) * scale[1],
                (x + width - rim) * scale[0],
                (y + height - rim) * scale[1],
            )
            places.append(Box(*(round(side) for side in sides)).clipped(raster.width_px, raster.height_px))
    return [place for place in places if place.area]


def _stretch(place: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """A dark place over the whole range of greys; None when it is flat, or plain to see as it is."""
    calm = np.asarray(cv2.medianBlur(np.ascontiguousarray(place), 3), dtype=np.float32)
    low, high = np.percentile(calm, (1, 97))
    if not FLAT <= high - low <= VISIBLE:
        return None
    return np.asarray(np.clip((calm - low) * (255 / (high - low)), 0, 255), dtype=np.uint8)


def _back_that_shows(raster: PageRaster, page: NDArray[np.uint8], reread: Reread) -> Iterator[Finding]:
    small, scale = _at_look_dpi(page, raster.dpi)
    soft = np.asarray(cv2.GaussianBlur(small, (0, 0), SOFT_PX), dtype=np.uint8)  # print seen through paper is soft
    paper = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, np.ones((PAPER_PX, PAPER_PX), np.uint8))
    depth = np.asarray(cv2.subtract(np.asarray(paper), soft), dtype=np.uint8)
    rim = np.ones((2 * HALO_PX + 1, 2 * HALO_PX + 1), np.uint8)
    ink = cv2.dilate(np.asarray(depth > FAINT[1], dtype=np.uint8), rim)
    depth = np.where(ink > 0, np.uint8(0), depth)
    faint = depth > FAINT[0]
    if faint.mean() < LEAST_SHARE or _letters(faint) < LEAST_LETTERS:
        return
    darkest = float(np.percentile(depth[faint], 90))
    back = 255 - np.clip(depth * (255 / darkest), 0, 255).astype(np.uint8)
    dpi = raster.dpi[0] / scale[0], raster.dpi[1] / scale[1]
    mirrored = np.ascontiguousarray(_at_reading_dpi(back, dpi)[:, ::-1])
    if sum(map(_is_word, reread(mirrored, READING_DPI))) >= WORDS_SEEN_THROUGH:
        yield Finding("A24", raster.page, None, "The print of the other side can be read through the page.")


def _print_nobody_sees(raster: PageRaster, page: NDArray[np.uint8], reread: Reread) -> Iterator[Finding]:
    """Whoever stretches the contrast of what is published reads it; a page drawn by a program has even paper."""
    counts = histogram(page)
    paper = int(counts.argmax())
    nearly = counts[max(0, paper - UNSEEN) : paper + UNSEEN + 1].sum() - counts[paper]
    if counts[paper] < EVEN * page.size or not nearly:
        return
    shown = _drawn_black(page, paper, GRAIN if raster.grids else 0)
    small, scale = _at_look_dpi(shown, raster.dpi)
    if _letters(small < PALE) < LEAST_UNSEEN:
        return
    lines = [
        Box(*(round(side) for side in (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])))
        .padded(BESIDE_INK_PX)
        .clipped(raster.width_px, raster.height_px)
        for x0, y0, x1, y1 in _lines(small < PALE)
    ]
    looks = [_at_reading_dpi(shown[line.y0 : line.y1, line.x0 : line.x1], raster.dpi) for line in lines]
    if looks and any(map(_is_word, reread(_stacked(looks), READING_DPI))):
        yield Finding("A24", raster.page, union(lines), "Print in the colour of the paper can be read.")


def _drawn_black(page: NDArray[np.uint8], paper: int, grain: int) -> NDArray[np.uint8]:
    """What stands out from the paper by more than its grain and less than can be seen, away from ink."""
    shown = np.empty_like(page)
    for rows in bands(len(page)):
        top = max(0, rows.start - BESIDE_INK_PX)
        depth = np.abs(page[top : rows.stop + BESIDE_INK_PX].astype(np.int16) - paper)
        near_ink = cv2.dilate(np.asarray(depth > UNSEEN, np.uint8), np.ones((BESIDE_INK_PX, BESIDE_INK_PX), np.uint8))
        unseen = (depth > grain) & (near_ink == 0)
        shown[rows] = np.where(unseen, np.uint8(0), np.uint8(255))[rows.start - top :][: rows.stop - rows.start]
    return shown


def _lines(unseen: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """The longest runs of marks side by side that may be lines of print: (x0, y0, x1, y1)."""
    joined = cv2.morphologyEx(unseen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, LINE_GAP_PX), np.uint8))
    stats = cv2.connectedComponentsWithStats(joined, connectivity=8)[2][1:].tolist()
    lines = [
        (x, y, x + width, y + height)
        for x, y, width, height, _ in stats
        if width >= SHORTEST_PX and 4 <= height <= min(HIGHEST_PX, width)
    ]
    return sorted(sorted(lines, key=lambda line: line[0] - line[2])[:MOST_LINES], key=lambda line: line[1])


def _letters(faint: NDArray[np.bool_]) -> int:
    """How many marks of a letter's or a short word's size there are."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(faint.astype(np.uint8), connectivity=8)
    width, height, area = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_AREA]
    return int(((height >= 4) & (height <= 16) & (width >= 3) & (width <= 80) & (area >= 8)).sum())


def _at_look_dpi(page: NDArray[np.uint8], dpi: tuple[float, float]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """A page made small, and page px per px of it."""
    size = [max(1, round(side * LOOK_DPI / d)) for side, d in zip(page.shape[::-1], dpi, strict=True)]
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), (page.shape[1] / size[0], page.shape[0] / size[1])


def _at_reading_dpi(cut: NDArray[np.uint8], dpi: Sequence[float]) -> NDArray[np.uint8]:
    size = [max(1, round(side * READING_DPI / d)) for side, d in zip(cut.shape[::-1], dpi, strict=True)]
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _is_word(text: str) -> bool:
    return sum(char.isalnum() for char in text) >= LEAST_WORD
