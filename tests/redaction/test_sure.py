"""Which words the text layer carries: none that may be the remains of a detail that nobody recognised."""

from __future__ import annotations

import pytest

from tasks.geometry import Box, Frame
from tasks.model import PageTranscript, Reading, Word
from tasks.redaction.lines import Shelf
from tasks.redaction.sure import BADLY_READ, CERTAIN, UNREAD, UNSHAKEN, unsure_words

SIZE = (1600, 1000)
GLYPH, SPACE, HEIGHT = 12, 10, 20


def reading(name: str, *lines: list[tuple[str, float]], top: int = 100) -> Reading:
    """Lines of words with their confidences, a space apart."""
    words = []
    for n, line in enumerate(lines):
        x = 100
        for text, confidence in line:
            words.append(Word(text, Box(x, top + 40 * n, x + GLYPH * len(text), top + 40 * n + HEIGHT), confidence, n))
            x += GLYPH * len(text) + SPACE
    return Reading(name, Frame(*SIZE), tuple(words))


def left_out(*readings: Reading, marks: tuple[Box, ...] = ()) -> list[str]:
    page = PageTranscript(0, *SIZE, (200, 200), (), readings)
    unsure = unsure_words(page, Shelf(marks))
    return [word.text for i, word in enumerate(readings[0].words) if i in unsure]


def test_words_read_surely_stay() -> None:
    line = [("Meetings", 96.0), ("begin", 71.0), ("at", 88.0), ("9.30am,", 92.0), ("—", 61.0), ("£1,816", 93.0)]
    assert left_out(reading("tesseract --psm 3", line)) == []


def test_a_word_hardly_read_is_left_out() -> None:
    assert left_out(reading("tesseract --psm 3", [("hargreates", 55.0), ("said", 96.0)])) == ["hargreates"]


@pytest.mark.parametrize("seen", ["Zara", ""])
def test_a_word_that_another_make_of_reader_saw_otherwise_is_left_out(seen: str) -> None:
    first = reading("tesseract --psm 3", [("dara", 74.0), ("went", 74.0), ("home", UNSHAKEN)])
    second = reading("rapidocr", [(seen or "....", 90.0), ("went", 90.0), ("hone", 90.0)])
    assert left_out(first, second) == ["dara"]


def test_words_are_confirmed_whatever_their_case_and_where_others_parted_them() -> None:
    first = reading("tesseract --psm 3", [("went", 74.0), ("home.", 74.0)])
    run_together = reading("rapidocr", [("WENTHOME", 90.0)])
    assert left_out(first, run_together) == []


@pytest.mark.parametrize("name", ["tesseract --psm 3 at 0.75x", "text-layer"])
def test_a_second_pass_and_the_source_itself_are_no_other_reader(name: str) -> None:
    assert left_out(reading("tesseract --psm 3", [("dara", 74.0)]), reading(name, [("Zara", 90.0)])) == []


@pytest.mark.parametrize("text", ["PNET/foi", "HTTP://", "‘Police."])
def test_what_one_reader_alone_half_read_between_punctuation_is_left_out(text: str) -> None:
    assert left_out(reading("tesseract --psm 3", [(text, 70.0), ("and", 96.0)])) == [text]
    assert left_out(reading("tesseract --psm 3", [(text, 80.0), ("and", 96.0)])) == []


def test_a_word_beside_unread_ink_is_left_out_unless_it_is_plain() -> None:
    line = [("notify", 96.0), ("declan", 85.0), ("elling?", UNREAD - 1), ("uk", 85.0), ("now", 85.0)]
    assert left_out(reading("tesseract --psm 3", line)) == ["declan", "elling?", "uk"]


def test_a_speck_taken_for_a_sign_is_no_unread_ink() -> None:
    assert left_out(reading("tesseract --psm 3", [("declan", 85.0), ("|", 1.0), ("went", 85.0)])) == ["|"]


def test_on_a_page_that_reads_badly_a_word_beside_a_mark_has_to_be_certain() -> None:
    line = [("Ask", CERTAIN), ("Records", 93.0), ("MgautG@eCapual", 0.0)]
    marks = (Box(100 + GLYPH * 10 + 2 * SPACE, 95, 600, 125),)
    rubble = [("~" * 20 + "x", 10.0)] * 2
    plain = [("plain" * 10, 96.0)] * 3
    assert 42 / (42 + 24) > BADLY_READ > 42 / (42 + 174)
    assert "Records" in left_out(reading("tesseract --psm 3", line, rubble), marks=marks)
    assert "Ask" not in left_out(reading("tesseract --psm 3", line, rubble), marks=marks)
    assert "Records" not in left_out(reading("tesseract --psm 3", line, rubble, plain), marks=marks)


def test_a_page_nobody_read_has_no_words() -> None:
    assert unsure_words(PageTranscript(0, *SIZE, (200, 200), (), ()), Shelf(())) == frozenset()
