"""Which words of a page were read surely enough to be said aloud, copied and searched.

Rule kept here: the text layer need not carry what may be the remains of a contact detail that nobody recognised, and a
word that is not there helps nobody; so in doubt a word is left out. What is painted does not depend on it.

Measured on the development corpus: of 26,600 words outside marks that were read with `LEAST_CONFIDENCE`, 2 % are left
out for the company they keep; half of these are no words that stand on the page.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tasks.geometry import Box
from tasks.model import PageTranscript, Reading, Word
from tasks.redaction.lines import ROW_PX, Shelf

LEAST_CONFIDENCE = 60.0
"""A word read less surely is left out, whatever stands around it."""

UNSHAKEN = 90.0
"""From this confidence on a word stands although a reader of another make saw something else, or unread ink is near."""

CERTAIN = 95.0
"""The same on a page that reads badly as a whole."""

PLAINLY_READ = 75.0
"""From this confidence on a single reader is believed that punctuation stands inside a word."""

UNREAD = 30.0
"""Below this confidence a word is ink that nobody read."""

BADLY_READ = 1 / 3
"""Share of characters read with less than `LEAST_CONFIDENCE` that makes a page one that reads badly."""

NEXT_TO = 1.0
"""Words with a smaller gap stand beside one another, in heights of the lower one."""

LAYER = "text-layer"
"""The reader of a source's own words, which saw no ink."""

_PLAIN = re.compile(r"[^\W_£€]*[£€]?[^\W_]+(?:[-'’][^\W\d_]+)?[.,;:)]{0,2}")


def unsure_words(page: PageTranscript, regions: Shelf) -> frozenset[int]:
    """Ordinals of the primary reading's words, line by line, that the text layer leaves out.

    Args:
        page: its other readings confirm words, or do not.
        regions: of the page's marks.
    """
    reading = page.readings[0] if page.readings else None
    if reading is None:
        return frozenset()
    heard = Heard.of(page)
    badly = share_unsure(reading) >= BADLY_READ
    left_out: set[int] = set()
    at = 0
    for line in reading.lines():
        covered = [is_covered(reading.frame.box_to_page(word.box), regions) for word in line]
        for i, word in enumerate(line):
            if _is_unsure(word, heard, reading) or _keeps_bad_company(line, covered, i, badly):
                left_out.add(at + i)
        at += len(line)
    return frozenset(left_out)


class Heard:
    """What readers of another make than the primary one saw, found by its place."""

    def __init__(self, others: Sequence[Reading]) -> None:
        self._rows: dict[int, list[tuple[Box, str]]] = defaultdict(list)
        for reading in others:
            for word in reading.words:
                box = reading.frame.box_to_page(word.box)
                for row in _rows(box):
                    self._rows[row].append((box, bare(word.text)))

    @classmethod
    def of(cls, page: PageTranscript) -> Heard | None:
        """None when one make of reader saw the page alone."""
        make = page.readings[0].reader.split()[0]
        others = [r for r in page.readings if r.reader.split()[0] != make and r.reader != LAYER and r.whole]
        return cls(others) if others else None

    def confirms(self, word: str, place: Box) -> bool:
        """Whether one of them read these letters and digits there, in a word of its own or within one."""
        sought = bare(word)
        return any(sought in text for row in _rows(place) for box, text in self._rows.get(row, ()) if box.meets(place))


def _is_unsure(word: Word, heard: Heard | None, reading: Reading) -> bool:
    if word.confidence < LEAST_CONFIDENCE:
        return True
    if word.confidence >= UNSHAKEN or not bare(word.text):
        return False
    if heard is None:
        return word.confidence < PLAINLY_READ and not _PLAIN.fullmatch(word.text)
    return not heard.confirms(word.text, reading.frame.box_to_page(word.box))


def _keeps_bad_company(line: Sequence[Word], covered: Sequence[bool], at: int, badly: bool) -> bool:
    """Whether a word may be a piece of what beside it was not read or, on a bad page, of what is withheld there."""
    word = line[at]
    if word.confidence >= (CERTAIN if badly else UNSHAKEN):
        return False
    for beside in _beside(line, at):
        if covered[beside]:
            if badly:
                return True
        elif line[beside].confidence < UNREAD and len(bare(line[beside].text)) > 1:
            return True
    return False


def _beside(line: Sequence[Word], at: int) -> Iterator[int]:
    """The neighbours of a word on its line that hold a letter or digit and stand close to it."""
    for left, right, other in ((at - 1, at, at - 1), (at, at + 1, at + 1)):
        if left >= 0 and right < len(line) and bare(line[other].text):
            a, b = line[left].box, line[right].box
            if b.x0 - a.x1 < NEXT_TO * min(a.height, b.height):
                yield other


def share_unconfirmed(page: PageTranscript, regions: Shelf) -> float:
    """The share of the primary reading's words that are neither hidden nor plain, and that no other reader saw so.

    0 when one make of reader saw the page alone.
    """
    heard = Heard.of(page) if page.readings else None
    if heard is None:
        return 0.0
    frame = page.readings[0].frame
    words = [(word, frame.box_to_page(word.box)) for word in page.readings[0].words if bare(word.text)]
    alone = sum(
        word.confidence < UNSHAKEN and not is_covered(place, regions) and not heard.confirms(word.text, place)
        for word, place in words
    )
    return alone / max(1, len(words))


def share_unsure(reading: Reading) -> float:
    """The share of a reading's characters in words below `LEAST_CONFIDENCE`."""
    unsure = sum(len(word.text) for word in reading.words if word.confidence < LEAST_CONFIDENCE)
    return unsure / max(1, sum(len(word.text) for word in reading.words))


def is_covered(box: Box, regions: Shelf) -> bool:
    """Whether the middle of a word is hidden."""
    x, y = box.center
    return any(r.x0 <= x < r.x1 and r.y0 <= y < r.y1 for r in regions.near(box))


def _rows(box: Box) -> range:
    return range(box.y0 // ROW_PX, box.y1 // ROW_PX + 1)


def bare(text: str) -> str:
    """The letters and digits of a word, in lower case."""
    return "".join(char for char in text.lower() if char.isalnum())
