"""Words laid out as text, and the way back from every character to its word.

Rule kept here: nothing is lost. The text holds every character of every word in order, parted only by layout
characters, each of which says what the page shows: a space between neighbours, a tab at a gap a column could end at,
a line feed at the end of a line. A recogniser decides which of these its values may cross.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tasks.model import Word

NO_WORD = -1
"""Owner of a layout character."""

COLUMN_GAP = 1.3
"""Gap between words, in line heights, from which on it is written as a tab."""


@dataclass(frozen=True, slots=True)
class LineText:
    """One or more lines of words as text.

    Attributes:
        text: the words with layout characters between them.
        owner: for each character the index of its word in `words`, or `NO_WORD`.
        words: in reading order.
    """

    text: str = field(repr=False)
    owner: tuple[int, ...] = field(repr=False)
    words: tuple[Word, ...] = field(repr=False)

    def words_of(self, start: int, end: int) -> tuple[int, ...]:
        """Indices of the words that have a character in `text[start:end]`, in order."""
        return tuple(sorted({i for i in self.owner[start:end] if i != NO_WORD}))

    def span_of(self, index: int) -> tuple[int, int]:
        """(start, end) of the text of word `index`."""
        start = self.owner.index(index)
        return start, start + len(self.words[index].text)


def line_height(words: Sequence[Word]) -> float:
    """Typical height of the words of a line, px: the upper middle, so that a dash or a dot does not count."""
    heights = sorted(w.box.height for w in words)
    return float(max(1, heights[(2 * len(heights)) // 3])) if heights else 1.0


def text_of_lines(lines: Iterable[Sequence[Word]], spread: Iterable[bool] | None = None) -> LineText:
    """The text of visual lines, each a sequence of words from left to right.

    Args:
        lines: top to bottom.
        spread: for each line whether it is justified text, whose wide gaps are no columns; default is no line.
    """
    parts: list[str] = []
    owner: list[int] = []
    words: list[Word] = []
    for line, justified in zip_longest(lines, spread or (), fillvalue=False):
        assert not isinstance(line, bool)  # noqa: S101  there is no flag without a line
        height = line_height(line)
        for position, word in enumerate(line):
            if words:
                gap = word.box.x0 - words[-1].box.x1
                parts.append("\n" if position == 0 else "\t" if gap > COLUMN_GAP * height and not justified else " ")
                owner.append(NO_WORD)
            parts.append(word.text)
            owner.extend([len(words)] * len(word.text))
            words.append(word)
    return LineText("".join(parts), tuple(owner), tuple(words))
