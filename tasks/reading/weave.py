"""What one reader made of the places that another left unread, set into the other's reading.

Rule kept here: a value that only the second reader saw keeps its company, the label before it and the lines above and
below, which the first reader saw; and a place that the first reader was sure of stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from tasks.geometry import Box, same_row, union
from tasks.model import Word

SURE = 80.0
"""Confidence from which on a word of the first reading stands beside a filled place."""

GRAZED = 0.2
"""Share of the smaller of two boxes that both have when one only grazes the other."""

NEXT_TO = 1.0
"""Widest gap between words of one line, in heights of the lower one."""


def weave(read: Sequence[Word], again: Sequence[Word], unread: Sequence[Box]) -> tuple[Word, ...]:
    """A reading with its unread places filled in.

    Args:
        read: the first reading, line by line.
        again: what was read once more, line by line, in the space of `read`.
        unread: the places that `read` says nothing reliable about.

    Returns:
        Words of `again` that stand in such a place, others on their lines where `read` is not sure, and all words of
        `read` that these do not stand on; lines are numbered anew, in reading order. Nothing when no place is filled.
    """
    sure = [word.box for word in read if word.confidence >= SURE]
    new: list[Word] = []
    for _, words in groupby(again, key=lambda word: word.line):
        line = list(words)
        filling = [_is_met(word.box, unread) for word in line]
        if any(filling):
            new += [word for word, fills in zip(line, filling, strict=True) if fills or not _is_met(word.box, sure)]
    if not new:
        return ()
    taken = [word.box for word in new]
    kept = [word for word in read if not _is_met(word.box, taken)]
    lines = [list(line) for _, line in groupby(kept, key=lambda word: word.line)]
    for _, words in groupby(new, key=lambda word: word.line):
        _set_in(lines, list(words))
    return tuple(replace(word, line=ordinal) for ordinal, line in enumerate(lines) for word in line)


def _is_met(box: Box, boxes: Sequence[Box]) -> bool:
    """Whether a box shares more than an edge with one of others."""
    return any(
        box.meets(other) and box.intersection(other).area > GRAZED * min(box.area, other.area) for other in boxes
    )


def _set_in(lines: list[list[Word]], words: list[Word]) -> None:
    """Put words where they are read: into the line they stand on, or as a line before the next one below."""
    here = union(word.box for word in words)
    for line in lines:
        if _continues(union(word.box for word in line), here):
            line[:] = sorted([*line, *words], key=lambda word: word.box.x0)
            return
    below = (at for at, line in enumerate(lines) if _is_below(union(word.box for word in line), here))
    lines.insert(next(below, len(lines)), words)


def _continues(line: Box, here: Box) -> bool:
    """Whether two parts of a line belong together."""
    lower = min(line.height, here.height)
    gap = max(line.x0, here.x0) - min(line.x1, here.x1)
    return same_row(line, here) and gap < NEXT_TO * lower


def _is_below(line: Box, here: Box) -> bool:
    """Whether a line stands below a place, in the same column."""
    return line.center[1] > here.center[1] and line.x0 < here.x1 and here.x0 < line.x1
