"""How well a page was read, judged by the page itself.

Rule kept here: a judgement never removes a word; it asks for another pass, or for a person. Every measure is a share
between 0 and 1, so that the worst of several can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tasks.geometry import Box, joined
from tasks.model import Doubt, Word
from tasks.reading.straighten import ESTIMATE_DPI, ReadingRaster, text_ink

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW_CONFIDENCE = 60.0
"""Tesseract's own scale; a working threshold, not calibrated against wrong characters."""

HOPELESS_CONFIDENCE = 40.0
UNREADABLE_MEAN = 45.0
"""Nine scans upside down read at a mean of 20 to 32; of 38 the right way up the worst reached 52."""

SPECK_PX = 3
UNREAD_IN = (0.5, 0.1)
"""Smallest unread patch worth naming, width and height in inches: a short e-mail name written by hand."""

PLACE_IN, AROUND_IN = (0.4, 0.07), (0.6, 0.3)
"""Smallest patch worth reading again, width and height in inches (underlined digits of small print), and what is read
with it on each side."""

LEAST_UNREAD_IN = (0.2, 0.07)
"""Smallest unread patch that may be a value behind a label: three digits of small print."""

MAX_UNREAD = 200
MAX_PATCHES = 12
INKY = 0.0004
"""Share of inked pixels that makes a page more than blank: one line of small print on A4."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """How well one reading covers its page.

    Attributes:
        mean: mean confidence over characters, 0 to 100; 0 without words.
        low: share of characters below `LOW_CONFIDENCE`.
        uncovered: share of text-like ink that no word covers.
        ink: share of the page that is text-like ink.
        characters: how many were read with some confidence.
        patches: places of the reading that hold ink but no word one can rely on, largest first, in its space.
        passed_over: the same, and places where all that is printed is underlined, which makes one thing of its letters.
    """

    mean: float
    low: float
    uncovered: float
    ink: float
    characters: int
    patches: tuple[Box, ...]
    passed_over: tuple[Box, ...]


def mean_confidence(words: Sequence[Word]) -> float:
    """Mean over characters, 0 to 100; 0 without words."""
    return sum(len(word.text) * word.confidence for word in words) / max(1, sum(len(word.text) for word in words))


def assess(reading: ReadingRaster, words: Sequence[Word]) -> Assessment:
    """Compare what was read with the ink that is there."""
    scale = ESTIMATE_DPI / reading.dpi
    height, width = reading.pixels.shape
    small = cv2.resize(
        reading.pixels, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    ).astype(np.uint8)
    ink = _without_specks(text_ink(small))
    covered, relied_on = np.zeros_like(ink), np.zeros_like(ink)
    for word in words:
        box = Box(*(round(side * scale) for side in (word.box.x0, word.box.y0, word.box.x1, word.box.y1))).padded(1)
        box = box.clipped(small.shape[1], small.shape[0])
        covered[box.y0 : box.y1, box.x0 : box.x1] = 1
        if word.confidence >= HOPELESS_CONFIDENCE:
            relied_on[box.y0 : box.y1, box.x0 : box.x1] = 1
    total = int(ink.sum())
    underlined = _without_specks(text_ink(small, without_rules=True))
    weight = max(1, sum(len(word.text) for word in words))
    return Assessment(
        mean=mean_confidence(words),
        low=sum(len(word.text) for word in words if word.confidence < LOW_CONFIDENCE) / weight,
        uncovered=int((ink & (1 - covered)).sum()) / max(1, total),
        ink=total / ink.size,
        characters=sum(len(word.text) for word in words if word.confidence >= HOPELESS_CONFIDENCE),
        patches=_patches(ink & (1 - relied_on), 1 / scale, width, height),
        passed_over=_patches((ink | underlined) & (1 - relied_on), 1 / scale, width, height),
    )


def places_to_read(reading: ReadingRaster, assessment: Assessment) -> tuple[Box, ...]:
    """What is worth reading again of a page that was read well as a whole.

    Returns:
        The larger unread places, with what stands around them; those that meet are one. From the top, in px of the
        reading.
    """
    height, width = reading.pixels.shape
    least = [side * reading.dpi for side in PLACE_IN]
    around = [round(side * reading.dpi) for side in AROUND_IN]
    large = [patch for patch in assessment.passed_over if patch.width >= least[0] and patch.height >= least[1]]
    return tuple(joined(patch.padded(*around).clipped(width, height) for patch in large[:MAX_PATCHES]))


def find_doubts(reading: ReadingRaster, assessment: Assessment) -> tuple[Doubt, ...]:
    """Why a person should look at the page; empty for a page that was read well."""
    doubts = []
    if assessment.ink > INKY and assessment.characters < 3:
        doubts.append(Doubt("inky-but-wordless", "There is ink on the page, and no word of it was read.", 0.9))
    elif assessment.low > 0.12:
        message = f"{round(assessment.low * 100)} % of the characters were read with low confidence."
        doubts.append(Doubt("low-confidence", message, min(0.9, round(assessment.low * 2, 2))))
    # On a page that reads badly everywhere the line above says it; patches would be all over it.
    if assessment.low <= 0.35:
        width, height = (side * reading.dpi for side in UNREAD_IN)
        large = [patch for patch in assessment.patches if patch.width >= width and patch.height >= height]
        for patch in large[:MAX_PATCHES]:
            score = min(0.7, round(0.1 + 0.15 * patch.width / reading.dpi, 2))
            message = "Something looks like writing and could not be read."
            doubts.append(Doubt("handwriting-like", message, score, reading.frame.box_to_page(patch)))
    return tuple(doubts)


def _without_specks(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    kept = stats[:, cv2.CC_STAT_AREA] > SPECK_PX
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.uint8)


def _patches(unread: NDArray[np.uint8], enlarge: float, width: int, height: int) -> tuple[Box, ...]:
    """Boxes around clusters of unread ink that are as large as a short word and inked like one, largest first."""
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (11, 3))
    joined = cv2.morphologyEx(unread, cv2.MORPH_CLOSE, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    inked = np.bincount(labels.ravel(), weights=unread.ravel().astype(np.float64), minlength=count)
    found = []
    for label in range(1, count):
        x, y, w, h, _ = (int(value) for value in stats[label])
        large = w >= LEAST_UNREAD_IN[0] * ESTIMATE_DPI and h >= LEAST_UNREAD_IN[1] * ESTIMATE_DPI
        if large and 0.08 < inked[label] / (w * h) < 0.7:
            box = Box(int(x * enlarge), int(y * enlarge), round((x + w) * enlarge), round((y + h) * enlarge))
            found.append(box.clipped(width, height))
    return tuple(sorted(found, key=lambda box: (-box.area, box))[:MAX_UNREAD])
