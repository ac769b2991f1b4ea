"""The paragraphs of a text layer: what a screen reader goes through with one key.

Rule kept here: only places that are published decide, those of visible words and of the notices of marks; nothing that
is hidden can move a break. Where it is not sure, a line is a paragraph of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tasks.redaction.layer import Place, PlacedText

SAME_LINE = 0.5
"""Share of the lower of two heights by which words of one line overlap."""

USUAL_STEP = 1.3
"""Most distance between the middles of a paragraph's lines, in the page's usual steps from line to line."""

FARTHEST_LINE = 3.0
"""Most distance in heights of the words, on a page of few lines or wide ones."""

FARTHEST_START = 2.0
"""Most distance between the beginnings of a paragraph's lines, in heights: an indent, not another column."""

LIKE_HEIGHT = 1.6
"""Most that the heights of a paragraph's lines differ: more is a heading and what follows it."""

Span = tuple[float, float, float, float]
"""(start, top, end, bottom) as if the text ran level."""


@dataclass(slots=True)
class Line:
    """Words beside one another; `span` is the place of them all."""

    span: Span
    words: list[PlacedText]

    @property
    def height(self) -> float:
        """Of the words, in px."""
        return self.span[3] - self.span[1]

    def step_to(self, other: Line) -> float:
        """From the middle of this line down to the middle of another, in px."""
        return (other.span[1] + other.span[3] - self.span[1] - self.span[3]) / 2


def paragraphs_of(placed: Iterable[PlacedText]) -> list[list[PlacedText]]:
    """The words of a page by paragraph, in their order.

    Args:
        placed: in reading order.
    """
    lines = _lines_of(placed)
    going_on = [_goes_on(line, after) for line, after in pairwise(lines)]
    steps = [line.step_to(after) for (line, after), goes in zip(pairwise(lines), going_on, strict=True) if goes]
    farthest = USUAL_STEP * median(steps) if steps else 0.0
    paragraphs = [list(line.words) for line in lines[:1]]
    for (line, after), goes in zip(pairwise(lines), going_on, strict=True):
        if goes and line.step_to(after) <= farthest:
            paragraphs[-1] += after.words
        else:
            paragraphs.append(list(after.words))
    return paragraphs


def _lines_of(placed: Iterable[PlacedText]) -> list[Line]:
    lines: list[Line] = []
    for item in placed:
        span = _levelled(item.place, item.quarter_turns)
        if lines and _overlap(lines[-1].span, span):
            old = lines[-1].span
            lines[-1].span = (min(old[0], span[0]), min(old[1], span[1]), max(old[2], span[2]), max(old[3], span[3]))
            lines[-1].words.append(item)
        else:
            lines.append(Line(span, [item]))
    return lines


def _levelled(place: Place, quarter_turns: int) -> Span:
    x0, y0, x1, y1 = place
    match quarter_turns:
        case 0:
            return x0, y0, x1, y1
        case 1:
            return y0, -x1, y1, -x0
        case 2:
            return -x1, -y1, -x0, -y0
        case _:
            return -y1, x0, -y0, x1


def _overlap(line: Span, span: Span) -> bool:
    shared = min(line[3], span[3]) - max(line[1], span[1])
    return shared >= SAME_LINE * min(line[3] - line[1], span[3] - span[1])


def _goes_on(line: Line, after: Line) -> bool:
    """Whether the next line could belong to the same paragraph, were it near enough for this page."""
    small, large = sorted((line.height, after.height))
    return (
        large <= LIKE_HEIGHT * small
        and 0 < line.step_to(after) <= FARTHEST_LINE * small
        and abs(after.span[0] - line.span[0]) <= FARTHEST_START * large
    )
