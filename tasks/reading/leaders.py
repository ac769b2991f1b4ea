"""Lines of dots that lead the eye from a name to its number: taken out of the raster, put back as a word.

Rule kept here: Tesseract takes a line of dots for a rule or a picture and drops the number behind it with it. Without
the dots both are read; the dots come back as one word between them, since they say that the two belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tasks.geometry import Box, union
from tasks.model import Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_DOT_IN = 0.03
LONGEST_GAP_IN = 0.12
LEAST_DOTS = 6
LEADER = "....."
"""What a line of dots is as a word."""

REGULAR = 0.5
"""How far a gap may stray from the line's usual one, as a share of it."""

OVERLAP = 2.0
"""How far a line of dots may seem to reach into its number, in heights of the number."""

NEXT_WORD = 2.5
"""How far behind the dots their number may begin, in heights of the word before them."""


def find_leaders(pixels: NDArray[np.uint8], dpi: int) -> tuple[Box, ...]:
    """The lines of dots on a page.

    Args:
        pixels: (height, width), dark text on light.
        dpi: of `pixels`.

    Returns:
        Boxes around at least `LEAST_DOTS` dots of one size at regular distances on one level.
    """
    _, ink = cv2.threshold(pixels, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    largest = max(3.0, LARGEST_DOT_IN * dpi)
    stats = stats[1:]
    dots = stats[(stats[:, 2] <= largest) & (stats[:, 3] <= largest) & (stats[:, 4] >= 2)]
    leaders = []
    for run in _runs(dots, LONGEST_GAP_IN * dpi, max(1.5, largest / 4)):
        gaps = np.diff(run[:, 0])
        usual = float(np.median(gaps))
        if (np.abs(gaps - usual) <= REGULAR * usual + 1).mean() >= 0.8:
            leaders.append(
                Box(
                    int(run[:, 0].min()),
                    int(run[:, 1].min()),
                    int((run[:, 0] + run[:, 2]).max()),
                    int((run[:, 1] + run[:, 3]).max()),
                )
            )
    return tuple(sorted(_joined(leaders, LONGEST_GAP_IN * dpi), key=lambda box: (box.y0, box.x0)))


def _joined(leaders: Sequence[Box], gap: float) -> list[Box]:
    """Pieces of one line of dots made one: on coarse paper the dots lie on two levels."""
    joined: list[Box] = []
    for box in sorted(leaders, key=lambda box: box.x0):
        for i, other in enumerate(joined):
            if abs(box.center[1] - other.center[1]) <= box.height + other.height and box.x0 - other.x1 <= gap:
                joined[i] = union((other, box))
                break
        else:
            joined.append(box)
    return joined


def _runs(dots: NDArray[Any], gap: float, level: float) -> list[NDArray[Any]]:
    """Dots in rows of at least `LEAST_DOTS`, each from left to right; at most `gap` apart and `level` up or down."""
    middles = dots[:, 1] + dots[:, 3] / 2
    order = np.lexsort((dots[:, 0], np.round(middles / (2 * level))))
    rows: list[list[int]] = []
    open_rows: list[list[int]] = []
    for i in order.tolist():
        for row in reversed(open_rows[-8:]):
            last = row[-1]
            if abs(middles[i] - middles[last]) <= level and 0 < dots[i, 0] - dots[last, 0] <= gap:
                row.append(i)
                break
        else:
            row = [i]
            rows.append(row)
            open_rows.append(row)
    return [dots[row] for row in rows if len(row) >= LEAST_DOTS]


def without_leaders(pixels: NDArray[np.uint8], leaders: Sequence[Box]) -> NDArray[np.uint8]:
    """The raster with the dots painted over in the colour of the paper."""
    if not leaders:
        return pixels
    bare = pixels.copy()
    paper = np.uint8(np.percentile(pixels, 75))
    for box in leaders:
        bare[max(0, box.y0 - 1) : box.y1 + 1, max(0, box.x0 - 1) : box.x1 + 1] = paper
    return bare


def put_back(words: Sequence[Word], leaders: Sequence[Box]) -> tuple[Word, ...]:
    """The words with each leader between the word before it and the number behind it, all three on one line.

    A leader that follows no word is left out.
    """
    if not leaders:
        return tuple(words)
    found = list(words)
    for leader in leaders:
        before = _beside(found, leader, left=True)
        if before is None:
            continue
        line = found[before].line
        dots = Word(LEADER, Box(leader.x0, found[before].box.y0, leader.x1, found[before].box.y1), 100.0, line)
        behind = _beside(found, leader, left=False)
        if behind is None:
            found.insert(before + 1, dots)
            continue
        number = found[behind]
        if number.line == line:
            found.insert(max(before, behind - 1) + 1, dots)
            continue
        moved = [w for w in found if w.line == number.line and w.box.x0 >= number.box.x0]
        found = [w for w in found if not any(w is m for m in moved)]
        at = max(i for i, w in enumerate(found) if w.line == line)
        found[at + 1 : at + 1] = [dots, *(replace(w, line=line) for w in moved)]
    return tuple(found)


def _beside(words: Sequence[Word], leader: Box, *, left: bool) -> int | None:
    """The index of the word that ends before a leader, or begins behind it, on its level and close to it."""
    best: tuple[int, int] | None = None
    for i, word in enumerate(words):
        box = word.box
        if not box.y0 - 2 <= leader.center[1] <= box.y1 + 0.3 * box.height or word.text == LEADER:
            continue
        gap = leader.x0 - box.x1 if left else box.x0 - leader.x1
        # On worn paper the first strokes of a number pass for dots.
        least = -0.5 * box.height if left or box.x1 <= leader.x1 else -OVERLAP * box.height
        if least <= gap <= NEXT_WORD * box.height and (best is None or gap < best[0]):
            best = (gap, i)
    return None if best is None else best[1]
