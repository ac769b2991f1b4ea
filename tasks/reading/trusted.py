"""Pages whose text layer may be believed: drawn by a program, and compared with their pixels.

Rule kept here: the layer is believed of a whole page or of nothing on it, and only when every pixel of the page is
accounted for. A page that leaves a doubt is read as if it had no layer.

1. Nothing stands out from its surroundings, by however little, but what lies in the box of a letter of the layer or
   on a straight line longer than letters are: no image, no outline, no field, no stamp.
2. Every letter is drawn like the others of its form, so it is neither covered, cut nor drawn over. A form is one
   outline of one font under one character; the program that drew the page draws it alike everywhere.
3. Of every form, letters were read by Tesseract from the pixels, in words of the sample, as the layer has them
   (`tasks.reading.sample`). What is not drawn like the others of its form (underlined, at a rule) is in the sample
   itself.

So a letter that was not read is the same drawing as one that was, and what is seen but not in the layer has no pixels
to be made of. The pages of a batch share one sample: their fonts are the same, and Tesseract takes a tenth of a second
to start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tasks.geometry import Box, Frame
from tasks.model import DRAWN_TEXT, Drawn, PageRaster, PageTranscript, Reading, Word
from tasks.reading.leaders import LEADER
from tasks.reading.sample import Drawing, find_confirmed, number_forms
from tasks.reading.settings import OcrSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Shapes = NDArray[np.float32]

LARGEST_PX = 10_000_000
"""A3 at 200 dpi is 7.7 million; several pages are in memory at once."""

OVERHANG = 0.1
"""How far a letter's ink may reach beyond its box, in heights of the box."""

LONGEST_STROKE_IN = 0.3
"""A straight line at least so long is a rule or the edge of a panel. Digits of such strokes are half an inch high."""

CELL_PX, SPECK_CELLS, MOST_SPECKS = 4, 2, 6
"""Corners of panels and ends of rules leave specks: their greatest side in cells of so many px, and how many there may
be on a page, fewer than a number has digits. Of 15 honest pages one had two."""

MOST_BARS = 16
"""Upright rules side by side; a bar code has more."""

LEAST_CONTRAST = 64
"""Between a letter and its ground, in grey levels."""

INKED = 48
"""Of 255, what a pixel must be covered to belong to a word's box."""

ROWS, COLUMNS, LIKE = 10, 5, 0.25
"""A letter's box in cells, and how much of a cell may be inked otherwise than in its form. Of 60,000 letters on 40
pages 99.5 % stay below; any two digits of one font differ by more, 0.26 at least and nearly always 0.33, so that even a
font that passes itself off as another could not exchange them."""

MOST_ODD = 100
"""Letters of a page unlike their form, up to which it is worth reading them."""


@dataclass(frozen=True, slots=True)
class Supposition:
    """A page on which nothing contradicts its layer so far.

    Attributes:
        page: as it will stand in the transcript, if the layer is believed.
        ink: (height, width): 255 where a letter covers a pixel whole, 0 on its ground.
        shapes: (letters, cells): how much of each cell of each letter's box is ink, 0 to 1.
    """

    page: PageTranscript
    drawn: Drawn = field(repr=False)
    ink: Grey = field(repr=False)
    shapes: Shapes = field(repr=False)


def suppose(raster: PageRaster) -> Supposition | None:
    """The page with its layer for words, if its pixels show the layer's letters and nothing else; None otherwise."""
    drawn = raster.drawn
    if drawn is None or raster.grids or raster.width_px * raster.height_px > LARGEST_PX:
        return None
    if not _shows_only(raster, drawn):
        return None
    grey = raster.pixels if raster.pixels.ndim == 2 else cv2.cvtColor(raster.pixels, cv2.COLOR_RGB2GRAY)
    inked = _ink_of_words(np.asarray(grey, np.uint8), drawn)
    if inked is None:
        return None
    ink, boxes = inked
    frame = Frame(raster.width_px, raster.height_px)
    reading = Reading(DRAWN_TEXT, frame, tuple(_words(drawn, boxes)))
    page = PageTranscript(raster.page, raster.width_px, raster.height_px, raster.dpi, raster.grids, (reading,))
    return Supposition(page, drawn, ink, _shapes(ink, drawn.boxes))


def confirm(supposed: Sequence[Supposition], settings: OcrSettings) -> list[PageTranscript]:
    """Those pages of one record of which the sample confirms every letter.

    Raises:
        ReaderUnavailableError: Tesseract failed or did not finish in time.
        ConfigurationError: Tesseract or its language data is missing.
    """
    if not supposed:
        return []
    kept = [(one, odd) for one, odd in zip(supposed, _odd_letters(supposed), strict=True) if odd.sum() <= MOST_ODD]
    confirmed = find_confirmed([Drawing(one.drawn, one.ink, odd) for one, odd in kept], settings)
    return [one.page for (one, _), is_so in zip(kept, confirmed, strict=True) if is_so]


# ------------------------------------------------------------------------------------------------ strokes


def _shows_only(raster: PageRaster, drawn: Drawn) -> bool:
    """Whether nothing stands out from its surroundings but letters and long straight lines."""
    kernel = np.ones((3, 3), np.uint8)
    steps = cv2.morphologyEx(raster.pixels, cv2.MORPH_GRADIENT, kernel)
    strays = np.asarray(steps if steps.ndim == 2 else cv2.max(cv2.max(*cv2.split(steps)[:2]), steps[..., 2]), np.uint8)
    _wipe(strays, drawn)
    strays = np.asarray(strays > 0, np.uint8)
    if not strays.any():
        return True
    longest = round(LONGEST_STROKE_IN * min(raster.dpi))
    across = cv2.morphologyEx(strays, cv2.MORPH_OPEN, np.ones((1, longest), np.uint8))
    upright = cv2.morphologyEx(strays, cv2.MORPH_OPEN, np.ones((longest, 1), np.uint8))
    bars = np.diff(upright[:: 2 * CELL_PX].astype(np.int8), axis=1) > 0
    if int(bars.sum(axis=1).max(initial=0)) > MOST_BARS:
        return False
    lines = cv2.dilate(cv2.max(across, upright), kernel)
    return _are_specks(np.where(np.asarray(lines) > 0, np.uint8(0), strays))


def _wipe(strays: Grey, drawn: Drawn) -> None:
    """Take out what lies in the letters' boxes, and what may hang over."""
    reach = OVERHANG * (drawn.boxes[:, 3] - drawn.boxes[:, 1])
    low = np.maximum(0, np.floor(drawn.boxes[:, :2] - reach[:, None] - 1)).astype(int).tolist()
    high = np.ceil(drawn.boxes[:, 2:] + reach[:, None] + 1).astype(int).tolist()
    for (x0, y0), (x1, y1) in zip(low, high, strict=True):
        strays[y0:y1, x0:x1] = 0


def _are_specks(strays: Grey) -> bool:
    """Whether what is left of a page, 0 and 1, is small and little. Cells of it take a tenth of the time."""
    cells = cv2.dilate(strays, np.ones((CELL_PX, CELL_PX), np.uint8), anchor=(0, 0))[::CELL_PX, ::CELL_PX]
    count, _, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(cells), connectivity=8)
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    return count - 1 <= MOST_SPECKS and int(sides.max(initial=0)) <= SPECK_CELLS


# ------------------------------------------------------------------------------------------------ letters


def _ink_of_words(grey: Grey, drawn: Drawn) -> tuple[Grey, list[Box]] | None:
    """How much of each pixel letters cover, 0 to 255, and the box of each word's ink; None when one hardly shows."""
    ink = np.zeros_like(grey)
    height, width = grey.shape
    boxes = []
    for word in drawn.words:
        around = drawn.boxes[word.first : word.end]
        x0, y0 = (max(0, int(side)) for side in around[:, :2].min(axis=0))
        x1, y1 = (int(side) + 1 for side in around[:, 2:].max(axis=0))
        place = np.s_[y0 : min(y1, height), x0 : min(x1, width)]
        cut = grey[place]
        low, high = (int(cut.min()), int(cut.max())) if cut.size else (0, 0)
        if high - low < LEAST_CONTRAST:
            return None
        covered = np.asarray(cv2.absdiff(cut, np.full_like(cut, high if 2 * cut.mean() > low + high else low)))
        covered = np.asarray(cv2.convertScaleAbs(covered, alpha=255.0 / (high - low)), np.uint8)
        np.maximum(ink[place], covered, out=ink[place])
        left, top, across, down = cv2.boundingRect(np.asarray(covered > INKED, np.uint8))
        boxes.append(Box(x0 + left, y0 + top, x0 + left + across, y0 + top + down))
    return ink, boxes


def _words(drawn: Drawn, boxes: Sequence[Box]) -> Iterator[Word]:
    """The layer's words on their ink."""
    for word, box in zip(drawn.words, boxes, strict=True):
        yield Word(LEADER if word.text.startswith(LEADER) else word.text, box, 100.0, word.line)


def _shapes(ink: Grey, boxes: NDArray[np.float32]) -> Shapes:
    """The share of ink in each cell of each box, to a fraction of a pixel: from sums over all rectangles."""
    sums = cv2.integral(ink)
    x0, y0, x1, y1 = boxes.astype(np.float64).T
    xs = np.clip(x0[:, None] + (x1 - x0)[:, None] * np.linspace(0, 1, COLUMNS + 1), 0, ink.shape[1] - 1e-3)
    ys = np.clip(y0[:, None] + (y1 - y0)[:, None] * np.linspace(0, 1, ROWS + 1), 0, ink.shape[0] - 1e-3)
    column, row = xs.astype(int)[:, None, :], ys.astype(int)[:, :, None]
    right, below = xs[:, None, :] - column, ys[:, :, None] - row
    upper = sums[row, column] * (1 - right) + sums[row, column + 1] * right
    lower = sums[row + 1, column] * (1 - right) + sums[row + 1, column + 1] * right
    corners = upper * (1 - below) + lower * below
    cells = np.diff(np.diff(corners, axis=1), axis=2).reshape(len(boxes), -1)
    area = 255 * (x1 - x0) * (y1 - y0) / (ROWS * COLUMNS)
    return np.asarray(cells / area[:, None], np.float32)


def _odd_letters(supposed: Sequence[Supposition]) -> list[NDArray[np.bool_]]:
    """Of each page, the letters that are not drawn like most of their form."""
    drawn = [one.drawn for one in supposed]
    numbers = zip(drawn, number_forms(drawn), strict=True)
    of_form = np.concatenate([np.array(forms, np.int32)[page.of_form] for page, forms in numbers])
    shapes = np.concatenate([one.shapes for one in supposed])
    order = np.argsort(of_form, kind="stable")
    odd = np.zeros(len(of_form), np.bool_)
    for alike in np.split(order, np.cumsum(np.bincount(of_form))[:-1]):
        odd[alike] = (np.abs(shapes[alike] - np.median(shapes[alike], axis=0)) > LIKE).any(axis=1)
    return np.split(odd, np.cumsum([len(one.shapes) for one in supposed])[:-1])
