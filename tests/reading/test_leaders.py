"""Lines of dots between a name and its number neither hide the number nor part the two."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.geometry import Box
from tasks.model import Word
from tasks.reading.leaders import LEADER, find_leaders, put_back, without_leaders
from tasks.reading.ocr import read_page
from tests.reading.papers import raster_of, text_of, text_pixels

LINES = tuple(f"{name} {'.' * 40}{number}" for name, number in (("Ashgrove E", 57371), ("Inkpen Q", 9437)))


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return text_pixels(lines=LINES)


def test_every_line_of_dots_is_found(page: np.ndarray) -> None:
    leaders = find_leaders(page, 200)
    assert len(leaders) == len(LINES)
    assert all(box.width > 10 * box.height for box in leaders)


def test_a_page_of_sentences_has_none() -> None:
    assert find_leaders(text_pixels(lines=["The report was filed. It ran to 12 pages...", "i.e. e.g. etc."]), 200) == ()


def test_without_its_dots_a_page_keeps_its_letters(page: np.ndarray) -> None:
    bare = without_leaders(page, find_leaders(page, 200))
    assert find_leaders(bare, 200) == ()
    assert 0.5 < (bare < 128).sum() / (page < 128).sum() < 1


def test_names_and_numbers_are_read_with_the_dots_between_them(page: np.ndarray) -> None:
    transcript = read_page(raster_of(page))
    assert f"Ashgrove E {LEADER} 57371" in text_of(transcript)
    assert f"Inkpen Q {LEADER} 9437" in text_of(transcript)
    lines = {word.text: word.line for word in transcript.readings[0].words}
    assert lines["Ashgrove"] == lines["57371"] != lines["Inkpen"]


def test_a_number_that_was_read_apart_joins_its_name() -> None:
    words = [Word("Oldacre", Box(0, 0, 80, 20), 90.0, 1), Word("55305", Box(300, 0, 360, 20), 90.0, 7)]
    back = put_back(words, [Box(90, 15, 295, 19)])
    assert [(word.text, word.line) for word in back] == [("Oldacre", 1), (LEADER, 1), ("55305", 1)]


def test_dots_that_follow_no_word_are_left_out() -> None:
    words = [Word("55305", Box(300, 0, 360, 20), 90.0, 7)]
    assert put_back(words, [Box(90, 15, 295, 19)]) == tuple(words)


def test_dots_on_two_levels_are_one_line_of_dots() -> None:
    page = np.full((200, 600), 255, np.uint8)
    for n in range(40):
        y = 100 if n < 20 else 103
        page[y : y + 4, 60 + n * 10 : 64 + n * 10] = 0
    (leader,) = find_leaders(page, 200)
    assert (leader.x0, leader.x1) == (60, 454)
