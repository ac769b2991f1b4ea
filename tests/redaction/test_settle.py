"""Marks on the compression grid: grown to whole blocks, but not over a neighbouring line; cut blocks are calmed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.geometry import Box
from tasks.redaction.lines import Shelf, settle
from tasks.redaction.paint import _median, calm
from tests.redaction.drawn import blocks_of

SIZE = (400, 300)
BLOCKS = blocks_of(8, *SIZE)
MARK = Box(101, 101, 203, 123)
WHOLE = Box(96, 96, 208, 128)


def test_without_neighbours_a_mark_covers_whole_blocks() -> None:
    assert settle(MARK, BLOCKS, SIZE, Shelf([])) == WHOLE


def test_without_a_grid_a_mark_stays_as_it_is() -> None:
    assert settle(MARK, (), SIZE, Shelf([Box(100, 124, 200, 140)])) == MARK


@pytest.mark.parametrize(
    ("word", "side"),
    [
        (Box(110, 80, 190, 98), "y0"),
        (Box(110, 126, 190, 144), "y1"),
        (Box(60, 102, 99, 122), "x0"),
        (Box(205, 102, 260, 122), "x1"),
    ],
)
def test_a_mark_stops_before_a_word_that_is_not_claimed(word: Box, side: str) -> None:
    got = settle(MARK, BLOCKS, SIZE, Shelf([word]))
    assert not got.meets(word)
    assert got.contains(MARK)
    assert getattr(got, side) != getattr(WHOLE, side)
    assert all(getattr(got, other) == getattr(WHOLE, other) for other in ("x0", "y0", "x1", "y1") if other != side)


def test_a_word_that_touches_the_claim_does_not_make_it_smaller() -> None:
    assert settle(MARK, BLOCKS, SIZE, Shelf([Box(110, 118, 190, 140)])).contains(MARK)


def test_a_mark_at_the_edge_stays_on_the_page() -> None:
    assert settle(Box(390, 290, 405, 305), BLOCKS, SIZE, Shelf([])) == Box(384, 288, 400, 300)


@pytest.mark.parametrize("channels", [0, 3])
def test_the_rest_of_a_cut_block_holds_paper_and_ink_alone(channels: int) -> None:
    rng = np.random.default_rng(4)
    page = rng.integers(225, 246, (300, 400)).astype(np.uint8)  # ringing and grain
    page[126:128, 110:190:4] = page[126:128, 111:190:4] = 20  # tops of the line below, within the same blocks
    page = np.stack([page] * 3, axis=2) if channels else page
    before = page.copy()
    calm(page, [MARK], BLOCKS)
    rest = np.ones(page.shape[:2], np.bool_)
    rest[MARK.y0 : MARK.y1, MARK.x0 : MARK.x1] = False
    strip = np.zeros_like(rest)
    strip[WHOLE.y0 : WHOLE.y1, WHOLE.x0 : WHOLE.x1] = True
    for y in range(WHOLE.y0, WHOLE.y1, 8):
        for x in range(WHOLE.x0, WHOLE.x1, 8):
            block = page[y : y + 8, x : x + 8][rest[y : y + 8, x : x + 8]].reshape(-1, channels or 1)
            assert len(np.unique(block, axis=0)) <= 2
    assert (page[126:128, 110:190:4] < 40).all()
    assert np.array_equal(page[~strip], before[~strip])


def test_a_block_between_two_marks_has_one_shade_of_paper() -> None:
    page = np.random.default_rng(6).integers(225, 246, (300, 400)).astype(np.uint8)
    page[:, 152:] -= 12  # a shadow falls on the second mark
    calm(page, [Box(96, 96, 155, 120), Box(157, 96, 240, 120)], BLOCKS)
    assert len(np.unique(page[96:120, 155:157])) <= 3  # one a block


def test_a_pixel_between_marks_is_paper_too() -> None:
    page = np.random.default_rng(6).integers(225, 246, (40, 40)).astype(np.uint8)
    marks = [Box(0, 0, 40, 20), Box(0, 21, 40, 40), Box(0, 20, 20, 21), Box(21, 20, 40, 21)]
    before = int(page[20, 20])
    calm(page, marks, blocks_of(8, 40, 40))
    assert page[20, 20] == before


def test_a_mark_of_whole_blocks_changes_nothing_around() -> None:
    page = np.random.default_rng(5).integers(0, 256, (300, 400)).astype(np.uint8)
    before = page.copy()
    calm(page, [WHOLE], BLOCKS)
    assert np.array_equal(page, before)


@given(arrays(np.uint8, st.integers(1, 9)), arrays(np.uint8, st.tuples(st.integers(1, 9), st.just(3))))
def test_a_counted_median_is_numpys(shades: np.ndarray, colours: np.ndarray) -> None:
    assert _median(shades) == np.median(shades)
    assert np.array_equal(_median(colours), np.median(colours, axis=0))
