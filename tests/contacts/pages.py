"""Synthetic readings: words set on a page as a reader would report them."""

from collections.abc import Sequence

from tasks.geometry import Box, Frame
from tasks.model import Detection, PageTranscript, Reading, Symbol, Word

HEIGHT = 20
GLYPH = 10


def place(text: str, x: int, y: int, line: int, confidence: float = 95.0) -> list[Word]:
    """Words of one run of text from (x, y) on, 10 px a glyph, 20 px high."""
    words = []
    for token in text.split():
        words.append(Word(token, Box(x, y, x + GLYPH * len(token), y + HEIGHT), confidence, line))
        x += GLYPH * (len(token) + 1)
    return words


def reading_of(
    rows: Sequence[Sequence[tuple[int, str]]], *, step: int = 30, confidence: float = 95.0, frame: Frame | None = None
) -> Reading:
    """A reading of rows, each a sequence of (x, text) cells."""
    words = []
    for n, row in enumerate(rows):
        for x, text in row:
            words += place(text, x, 100 + n * step, n, confidence)
    return Reading("test", frame or Frame(2000, 2000), tuple(words))


def page_of(*readings: Reading, symbols: tuple[Symbol, ...] = (), page: int = 0) -> PageTranscript:
    """A page of 2000 x 2000 px."""
    return PageTranscript(page, 2000, 2000, (200.0, 200.0), (), readings, symbols)


def lines_page(text: str, confidence: float = 95.0) -> PageTranscript:
    """A page of one column, a row for each line of `text`."""
    return page_of(reading_of([[(100, line)] for line in text.splitlines()], confidence=confidence))


def covered_words(page: PageTranscript, detections: Sequence[Detection]) -> list[str]:
    """The words of the first reading that detections cover, in order."""
    regions = [r for d in detections for r in d.regions]
    return [
        w.text
        for w in page.readings[0].words
        for b in [w.box]
        if sum(b.intersection(r).area for r in regions if r.meets(b)) >= 0.9 * b.area
    ]
