"""The second reader: what it reads stands where it is printed, and it needs nothing but this machine."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tasks.geometry import Box, union
from tasks.reading.second import recognise_lines, recognise_places
from tasks.reading.versions import SECOND_READER, reader_version
from tests.reading.papers import ink_of, text_pixels

LINES = ("Duty desk 020 7946 0123", "roster.desk@example.org")


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return text_pixels(lines=LINES)


def test_both_lines_are_read_in_their_order(page: np.ndarray) -> None:
    words = recognise_lines(page)
    assert "".join(word.text for word in words).replace(" ", "") == "".join(LINES).replace(" ", "")
    assert [word.line for word in words] == sorted(word.line for word in words)
    assert all(0 <= word.confidence <= 100 for word in words)


def test_words_stand_on_their_ink(page: np.ndarray) -> None:
    words = recognise_lines(page)
    ink = ink_of(page)
    around = union(word.box for word in words)
    assert around.padded(6).contains(ink)
    assert ink.padded(12).contains(around)


def test_places_are_read_where_they_stand(page: np.ndarray) -> None:
    ink = ink_of(page)
    height, width = page.shape
    lower = Box(0, (ink.y0 + ink.y1) // 2, width, height)
    words = recognise_places(page, (lower,))
    assert "".join(word.text for word in words).replace(" ", "") == LINES[1]
    assert ink.padded(12).contains(union(word.box for word in words))


def test_a_word_that_the_edge_of_a_place_cuts_is_left_out(page: np.ndarray) -> None:
    ink = ink_of(page)
    words = recognise_places(page, (Box(0, 0, ink.x0 + ink.width // 3, page.shape[0]),))
    assert all(word.box.x1 < ink.x0 + ink.width // 3 - 2 for word in words)


def test_an_empty_page_has_no_words() -> None:
    assert recognise_lines(np.full((400, 300), 255, np.uint8)) == ()


def test_the_reader_says_what_it_is() -> None:
    assert reader_version().startswith(f"{SECOND_READER} 3.")


def test_importing_the_room_does_not_import_the_engine() -> None:
    """It costs a second, which `foi status` need not pay."""
    code = "import sys, tasks.reading.ocr; sys.exit('rapidocr' in sys.modules or 'onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
