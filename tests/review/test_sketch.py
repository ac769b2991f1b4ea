"""Sketches of redacted pages show where ink is, and no more."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tasks.review.sketch import sketch_pages
from tests.pictures import encoded


def pdf_of(*sizes: tuple[int, int]) -> bytes:
    """Pages with a black bar over their upper half."""
    pages = [Image.new("L", size, 255) for size in sizes]
    for page in pages:
        ImageDraw.Draw(page).rectangle((0, 0, page.width, page.height // 2), fill=0)
    return encoded(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=100)


@pytest.mark.parametrize(
    ("size", "wanted"), [((827, 1169), (120, 170)), ((1169, 827), (120, 85)), ((100, 2000), (24, 480))]
)
def test_a_sketch_is_as_small_as_was_asked_and_shows_what_is_black(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    (sketch,) = sketch_pages(pdf_of(size), [0], 120)
    with Image.open(io.BytesIO(sketch)) as picture:
        assert picture.mode == "L"
        assert abs(picture.width - wanted[0]) <= 1
        assert abs(picture.height - wanted[1]) <= 1
        pixels = np.asarray(picture)
    third = len(pixels) // 3
    assert pixels[:third].mean() < 10
    assert pixels[-third:].mean() > 245


def test_only_the_pages_that_were_asked_for_and_the_same_bytes_each_time() -> None:
    pdf = pdf_of((827, 1169), (1169, 827), (827, 827))
    first = sketch_pages(pdf, range(2), 120)
    assert len(first) == 2
    assert first == sketch_pages(pdf, range(2), 120)
