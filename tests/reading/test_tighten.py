"""Boxes that are too tall for their line lose the lines around, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.geometry import Box
from tasks.model import Word
from tasks.reading.tighten import tighten, usual_height

PITCH, HEIGHT = 40, 20


@pytest.fixture
def page() -> np.ndarray:
    """Five lines of letters 20 px tall, one every 40 px, as black bars with gaps."""
    pixels = np.full((5 * PITCH, 400), 255, np.uint8)
    for line in range(5):
        for x in range(20, 380, 12):
            pixels[line * PITCH + 10 : line * PITCH + 10 + HEIGHT, x : x + 6] = 0
    return pixels


def words_with(box: Box) -> list[Word]:
    usual = [Word("word", Box(20, i * PITCH + 10, 80, i * PITCH + 10 + HEIGHT), 90.0, i) for i in range(5)]
    return [*usual, Word("tall", box, 90.0, 5)]


def test_a_box_over_parts_of_three_lines_shrinks_to_the_middle_one(page: np.ndarray) -> None:
    tall = Box(100, PITCH * 2 - 15, 300, PITCH * 3 + 12)
    got = tighten(page, words_with(tall))[-1].box
    assert (got.x0, got.x1) == (100, 300)
    assert 0 <= PITCH * 2 + 10 - got.y0 <= 2
    assert 0 <= got.y1 - (PITCH * 2 + 10 + HEIGHT) <= 2


def test_a_heading_keeps_its_height(page: np.ndarray) -> None:
    page[2 * PITCH + 5 : 3 * PITCH + 5, 100:300] = 0
    heading = Box(98, 2 * PITCH + 4, 302, 3 * PITCH + 6)
    assert tighten(page, words_with(heading))[-1].box.height >= PITCH


def test_the_dot_of_an_i_belongs_to_its_word(page: np.ndarray) -> None:
    sheet = np.full((200, 400), 255, np.uint8)
    sheet[100:125, 100:140] = 0
    sheet[93:97, 110:116] = 0
    box = Box(98, 70, 142, 130)
    assert tighten(sheet, words_with(box))[-1].box.y0 <= 93


def test_words_of_usual_height_stay_as_they_are(page: np.ndarray) -> None:
    words = words_with(Box(100, 10, 200, 32))
    assert tighten(page, words) == tuple(words)


def test_a_box_without_ink_stays_as_it_is(page: np.ndarray) -> None:
    blank = np.full_like(page, 255)
    words = words_with(Box(100, 0, 200, 90))
    assert tighten(blank, words) == tuple(words)


def test_usual_height_counts_words_only() -> None:
    assert usual_height([Word("|", Box(0, 0, 2, 400), 10.0, 0), *words_with(Box(0, 0, 9, 20))]) == HEIGHT
    assert usual_height([]) == 0
