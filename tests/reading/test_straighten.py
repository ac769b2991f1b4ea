"""Does every word find its way back to its ink, however the page lay?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.geometry import Box, Frame
from tasks.reading.straighten import lay_out, lift_panels, straighten, to_grey, without_specks
from tests.reading.papers import bilevel, forward, ink_of, raster_of, skewed, text_pixels

PAGE = text_pixels(200)

frames = st.builds(
    Frame,
    page_width=st.integers(200, 3000),
    page_height=st.integers(200, 3000),
    scale_x=st.floats(0.5, 3),
    scale_y=st.floats(0.5, 3),
    quarter_turns=st.integers(0, 3),
    skew_deg=st.floats(-7, 7),
)


@given(frame=frames, x=st.floats(0, 1), y=st.floats(0, 1))
def test_a_point_goes_to_reading_space_and_back(frame: Frame, x: float, y: float) -> None:
    point = x * frame.page_width, y * frame.page_height
    # A page is scaled to a whole number of pixels, which moves its far edge by up to one of them.
    assert frame.point_to_page(*forward(frame, *point)) == pytest.approx(point, abs=2.5)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize("skew_deg", [0.0, 2.0, -3.0])
@pytest.mark.parametrize("scale", [(1.0, 1.0), (1.0, 2.0), (0.75, 1.5)])
def test_ink_in_reading_space_is_found_on_the_page(
    quarter_turns: int, skew_deg: float, scale: tuple[float, float]
) -> None:
    page = np.full((400, 600), 255, np.uint8)
    page[80:110, 400:520] = 0
    frame = Frame(600, 400, *scale, quarter_turns, skew_deg)
    laid_out = lay_out(page, frame, 600)
    assert laid_out.pixels.shape == frame.size[::-1]
    found = frame.box_to_page(ink_of(laid_out.pixels))
    slack = 2 + round(120 * abs(np.sin(np.radians(skew_deg))) * 2)
    assert found.padded(2).contains(Box(400, 80, 520, 110))
    assert Box(400, 80, 520, 110).padded(slack).contains(found)


@pytest.mark.parametrize("clockwise_deg", [-3.0, -1.0, 0.8, 2.5])
@pytest.mark.parametrize("turns", [0, 1])
def test_skew_is_measured_and_taken_out(clockwise_deg: float, turns: int) -> None:
    page = np.rot90(skewed(PAGE, clockwise_deg), turns)
    frame = straighten(raster_of(page), np.ascontiguousarray(page)).frame
    assert frame.skew_deg == pytest.approx(clockwise_deg, abs=0.3)
    assert frame.quarter_turns % 2 == turns


def test_a_level_page_at_a_good_resolution_is_not_touched() -> None:
    raster = raster_of(PAGE)
    reading = straighten(raster, to_grey(raster))
    assert reading.frame == Frame(raster.width_px, raster.height_px)
    assert np.array_equal(reading.pixels, PAGE)


@pytest.mark.parametrize(
    ("dpi", "reading_dpi"),
    [((100, 100), 225), ((150, 150), 225), ((204, 98), 204), ((220, 220), 220), ((250, 250), 200), ((600, 600), 200)],
)
def test_the_reading_raster_is_square_and_of_a_resolution_tesseract_likes(
    dpi: tuple[float, float], reading_dpi: int
) -> None:
    raster = raster_of(np.full((300, 400), 255, np.uint8), dpi)
    reading = straighten(raster, raster.pixels)
    assert reading.dpi == reading_dpi
    assert reading.pixels.shape == (round(300 * reading_dpi / dpi[1]), round(400 * reading_dpi / dpi[0]))


def test_a_dark_panel_is_turned_light_and_the_rest_is_left_alone() -> None:
    page = np.vstack([PAGE, 255 - PAGE, PAGE])
    lifted = lift_panels(page, 200)
    height = len(PAGE)
    assert np.array_equal(lifted[: height - 8], PAGE[:-8])
    assert np.array_equal(lifted[height + 8 : 2 * height - 8], PAGE[8:-8])
    assert np.array_equal(lifted[2 * height + 8 :], PAGE[8:])


def test_a_light_panel_on_a_dark_page_stays_light() -> None:
    page = np.pad(255 - text_pixels(200, ["WALK", "PAST?"], size=60), ((0, 600), (0, 0)))
    page[-550:-50, 100:1000] = PAGE[50:550, 50:950]
    lifted = lift_panels(page, 200)
    assert np.array_equal(lifted[-530:-70, 120:980], page[-530:-70, 120:980])
    assert np.array_equal(lifted[10:700], 255 - page[10:700])


def test_black_edges_all_round_are_not_a_panel() -> None:
    page = np.full((2000, 1500), 255, np.uint8)
    page[:60] = page[-60:] = 0
    page[:, :60] = page[:, -60:] = 0
    page[800:1000, 300:1200] = 128
    assert np.array_equal(lift_panels(page, 200)[100:-100, 100:-100], page[100:-100, 100:-100])


def test_large_black_letters_are_not_a_panel() -> None:
    page = text_pixels(200, ["WANTED"], size=80)
    assert np.array_equal(lift_panels(page, 200), page)


def test_a_copiers_specks_go_and_the_words_stay() -> None:
    clean = bilevel(PAGE)
    dots = np.random.default_rng(1).random(clean.shape) < 0.02
    # Only dots on blank paper: those that touch a letter are part of its shape now.
    paper = np.ones_like(clean, bool)
    for dy in (-2, -1, 0, 1, 2):
        for dx in (-2, -1, 0, 1, 2):
            paper &= np.roll(clean, (dy, dx), (0, 1)) == 255
    cleaned = without_specks(np.where(dots & paper, 0, clean).astype(np.uint8))
    assert (cleaned != clean).sum() < 0.1 * (dots & paper).sum()
    assert np.array_equal(without_specks(clean), clean)
