"""Which stretch of a line is still to be read, where another reader is beyond doubt about the rest.

Rule kept here: only plain words are ever beyond doubt. Whatever holds a digit or a mark, as every contact detail but a
name does, is read by both readers, and so is ink that no word stands on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tasks.geometry import Box
from tasks.model import Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEYOND_DOUBT = 90.0
"""Confidence of Tesseract from which on a plain word is right."""

INK_SHARE = 0.7
"""Share of a found line's height that is a line of letters; the rest is margin."""

SPARE, APART = 0.1, 0.3
"""Over the height of letters: by how much ink may stand out of a word's box, and how far from its next ink a stretch
may be cut."""

LETTER_WIDE, LETTER_TALL = 0.25, 0.4
"""Smallest width, and smallest height, over the height of letters, of ink that may be one; the rest is specks."""

TOO_TALL = 2.0
"""A word over more lines than one covers none."""

_PLAIN = re.compile(r"[(\"'‘“]?(?:[A-Za-z]{2,}(?:['’-][A-Za-z]+)*|[aAI])[.,;:)\"'’”?!]{0,2}")


def beyond_doubt(words: Iterable[Word]) -> tuple[Word, ...]:
    """Those that another reader need not be asked about: made of letters, and read with high confidence."""
    return tuple(word for word in words if word.confidence >= BEYOND_DOUBT and _PLAIN.fullmatch(word.text))


def by_line(lines: Sequence[Box], words: Iterable[Word]) -> list[list[Word]]:
    """The words that stand on each line, from the left; each word on one line, those between lines on none."""
    standing: list[list[Word]] = [[] for _ in lines]
    for word in words:
        shared, at = max(((_shared_rows(line, word.box), at) for at, line in enumerate(lines)), default=(0, 0))
        if shared and _stands_on(lines[at], word.box, shared):
            standing[at].append(word)
    return [sorted(line, key=lambda word: word.box.x0) for line in standing]


def _stands_on(line: Box, box: Box, shared: int) -> bool:
    return shared > 0.5 * min(box.height, line.height) and box.height < TOO_TALL * line.height


def _shared_rows(line: Box, box: Box) -> int:
    """How many rows a word has in common with a line that it meets; 0 with others."""
    if box.x0 >= line.x1 or line.x0 >= box.x1:
        return 0
    return max(0, min(box.y1, line.y1) - max(box.y0, line.y0))


def still_to_read(ink: NDArray[np.uint8], line: Box, known: Sequence[Box]) -> tuple[int, int] | None:
    """From where to where a line holds ink that no known word stands on, with one known word on either side.

    Args:
        ink: (height, width), 1 where there is ink.
        line: as it was found, margin included, within the mask.
        known: boxes of the words on it that need no reading, from the left.

    Returns:
        First column, and the one behind the last; None when there is no such ink.
    """
    if not known:
        return line.x0, line.x1
    letters = INK_SHARE * line.height
    margin = round((line.height - letters) / 2)
    rows = ink[line.y0 + margin : line.y1 - margin, line.x0 : line.x1].astype(bool)
    spare = round(SPARE * letters)
    for box in known:
        rows[:, max(0, box.x0 - spare - line.x0) : max(0, box.x1 + spare - line.x0)] = False
    columns = np.flatnonzero(rows.any(axis=0))
    runs = [run for run in _runs(columns, APART * letters) if _may_be_letters(rows[:, slice(*run)], letters)]
    if not runs:
        return None
    first, last = line.x0 + runs[0][0], line.x0 + runs[-1][1]
    before = [box for box in known if box.x1 <= first]
    behind = [box for box in known if box.x0 >= last]
    far = round(APART * letters)
    start = max(before[-1].x0 - far, before[-2].x1 if before[1:] else line.x0) if before else line.x0
    end = min(behind[0].x1 + far, behind[1].x0 if behind[1:] else line.x1) if behind else line.x1
    return max(line.x0, start), min(line.x1, end)


def _runs(columns: NDArray[np.intp], gap: float) -> list[tuple[int, int]]:
    """First and last of columns that stand no further than a gap from one another."""
    if not columns.size:
        return []
    parts = np.split(columns, np.flatnonzero(np.diff(columns) > gap) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]


def _may_be_letters(ink: NDArray[np.bool_], letters: float) -> bool:
    """Whether ink is as wide as a letter, or as tall."""
    inked = np.flatnonzero(ink.any(axis=1))
    return ink.shape[1] >= LETTER_WIDE * letters or int(inked[-1] - inked[0]) + 1 >= LETTER_TALL * letters
