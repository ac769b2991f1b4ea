"""What of a line is read once more: all that is not a plain word beyond doubt, and what stands around it."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.geometry import Box
from tasks.model import Word
from tasks.reading.second import recognise_lines
from tasks.reading.stretches import beyond_doubt, by_line, still_to_read
from tests.reading.papers import text_pixels

HEIGHT = 40
"""Of a line as it is found, margin included; its letters are 28 px tall."""


def word(text: str, x0: int, x1: int, confidence: float = 96.0, y0: int = 106) -> Word:
    return Word(text, Box(x0, y0, x1, y0 + 28), confidence, 0)


LINE = Box(100, 100, 1100, 100 + HEIGHT)
KNOWN = [
    word("Please", 110, 200),
    word("ring", 215, 270),
    word("the", 285, 330),
    word("office", 800, 890),
    word("today", 905, 990),
]


def inked(*boxes: Box) -> np.ndarray:
    ink = np.zeros((300, 1200), np.uint8)
    for box in (*(known.box for known in KNOWN), *boxes):
        ink[box.y0 : box.y1, box.x0 : box.x1] = 1
    return ink


@pytest.mark.parametrize("text", ["Please", "ring,", "(the", "don't", "well-known", "“Yes.”", "I", "a"])
def test_plain_words_are_beyond_doubt(text: str) -> None:
    assert beyond_doubt([word(text, 0, 90)])


@pytest.mark.parametrize(
    "text", ["020", "l0", "desk@example", "example.org", "B", "07", "+44", "M1", "/", "e-mail:x", "x_y", "£5", "ﬁne"]
)
def test_whatever_a_contact_detail_may_hold_is_not(text: str) -> None:
    assert not beyond_doubt([word(text, 0, 90)])


def test_a_word_read_less_surely_is_not() -> None:
    assert not beyond_doubt([word("Please", 0, 90, confidence=89.9)])


def test_a_line_without_known_words_is_read_whole() -> None:
    assert still_to_read(inked(), LINE, []) == (LINE.x0, LINE.x1)


def test_a_line_of_known_words_is_not_read() -> None:
    assert still_to_read(inked(), LINE, [known.box for known in KNOWN]) is None


def test_what_stands_between_is_read_with_a_word_on_either_side() -> None:
    start, end = still_to_read(inked(Box(400, 106, 700, 134)), LINE, [known.box for known in KNOWN]) or (0, 0)
    assert KNOWN[1].box.x1 <= start < KNOWN[2].box.x0
    assert KNOWN[3].box.x1 < end <= KNOWN[4].box.x0


def test_what_stands_at_an_end_is_read_to_that_end() -> None:
    start, end = still_to_read(inked(Box(1010, 106, 1080, 134)), LINE, [known.box for known in KNOWN]) or (0, 0)
    assert (KNOWN[3].box.x1 <= start < KNOWN[4].box.x0, end) == (True, LINE.x1)


def test_a_lonely_stroke_as_tall_as_a_digit_is_read() -> None:
    assert still_to_read(inked(Box(600, 108, 603, 130)), LINE, [known.box for known in KNOWN])


def test_specks_are_not_read() -> None:
    assert still_to_read(inked(Box(600, 118, 603, 122)), LINE, [known.box for known in KNOWN]) is None


def test_a_word_stands_on_the_line_it_shares_most_rows_with() -> None:
    upper, lower = Box(100, 100, 1100, 140), Box(100, 135, 1100, 175)
    low, between, aside = word("low", 200, 260, y0=142), word("far", 200, 260, y0=210), word("aside", 1200, 1260)
    assert by_line([upper, lower], [KNOWN[1], low, between, aside, KNOWN[0]]) == [[KNOWN[0], KNOWN[1]], [low]]


def test_a_word_over_two_lines_stands_on_none() -> None:
    tall = Word("tall", Box(200, 100, 260, 185), 96.0, 0)
    assert by_line([LINE], [tall]) == [[]]


def test_lines_are_the_same_words_whatever_is_known_of_them() -> None:
    """What is known is not read, what is not known is, and each word stands on its line once."""
    page = text_pixels(
        lines=("Please ring the duty desk on 020 7946 0123 before noon", "and the night desk after that hour")
    )
    whole = recognise_lines(page)
    known = [Word(w.text.upper(), w.box, 99.0, 0) for w in whole if beyond_doubt([w])]
    partly = recognise_lines(page, known)
    assert [w.text.lower() for w in partly] == [w.text.lower() for w in whole]
    assert [w.line for w in partly] == [w.line for w in whole]
    digits = [w.text for w in partly if w.text.isdigit()]
    assert digits == ["020", "7946", "0123"]
    assert {"PLEASE", "NOON", "NIGHT"} <= {w.text for w in partly} >= {"on", "before"}
