"""Word boxes made as tall and wide as the ink they stand for.

Rule kept here: a box only loses rows and columns that hold no ink of its word: the lines above and below, noise, and
the margin a detector adds. On speckled or slanted pages Tesseract gives some words the height of two lines; a mark
over such a box would take the lines around with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tasks.geometry import Box
from tasks.model import Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

TALL = 1.25
"""A word this many times as tall as is usual on the page is looked at."""

BRIDGED = 0.2
"""Blank rows within a word, over the usual height: the gap below the dot of an i, above an underline."""

FAINT = 0.08
"""Share of the fullest row's ink below which a row holds a speck, a descender of the line above, or nothing."""


def usual_height(words: Sequence[Word]) -> float:
    """Median height in px of words with at least two letters or digits; 0 when there are none."""
    heights = [word.box.height for word in words if sum(c.isalnum() for c in word.text) > 1]
    return float(median(heights)) if heights else 0.0


def tighten(pixels: NDArray[np.uint8], words: Sequence[Word]) -> tuple[Word, ...]:
    """The words with boxes that are too tall cut to the line they stand on.

    Args:
        pixels: (height, width), dark text on light, the raster the words were read from.
        words: boxes in px of `pixels`.

    Returns:
        As many words in the same order.
    """
    usual = usual_height(words)
    if not usual or not any(word.box.height > TALL * usual for word in words):
        return tuple(words)
    ink = find_ink(pixels, usual)
    return tuple(
        replace(word, box=cut_to_line(ink, word.box, usual)) if word.box.height > TALL * usual else word
        for word in words
    )


def find_ink(pixels: NDArray[np.uint8], usual: float) -> NDArray[np.uint8]:
    """Ink as 1 in a mask of the same shape; the neighbourhood it is judged in is three lines wide."""
    block = max(15, round(3 * usual)) | 1
    return cv2.adaptiveThreshold(pixels, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 20).astype(
        np.uint8
    )


def cut_to_line(ink: NDArray[np.uint8], box: Box, usual: float) -> Box:
    """The rows of a box that hold its own line: the inkiest run of rows, with a row to spare on both sides."""
    rows = ink[box.y0 : box.y1, box.x0 : box.x1].sum(axis=1, dtype=np.int64)
    if not rows.size or not rows.max():
        return box
    inky = rows > FAINT * float(rows.max())
    bridged = max(1, round(BRIDGED * usual))
    runs: list[list[int]] = []
    for y in np.flatnonzero(inky).tolist():
        if runs and y - runs[-1][1] <= bridged:
            runs[-1][1] = y
        else:
            runs.append([y, y])
    top, bottom = max(runs, key=lambda run: int(rows[run[0] : run[1] + 1].sum()))
    if bottom - top + 1 < 0.5 * usual:
        return box
    spare = max(1, round(0.06 * usual))
    return Box(box.x0, max(box.y0, box.y0 + top - spare), box.x1, min(box.y1, box.y0 + bottom + 1 + spare))
