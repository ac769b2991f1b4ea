"""Only the rows that marks lie in are coded again; they look as they do when the whole page is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tasks.geometry import Box
from tasks.pixels import converted, darkest
from tasks.redaction.gate.output import Output, PageView
from tasks.redaction.gate.pixels import code_again, rows_of_blocks
from tests.redaction.drawn import draw_page, record_of


@pytest.mark.parametrize(
    ("boxes", "rows"),
    [
        ([], []),
        ([Box(3, 8, 9, 16)], [slice(8, 16)]),
        ([Box(3, 7, 9, 17)], [slice(0, 24)]),
        ([Box(0, 0, 1, 1), Box(5, 90, 9, 100)], [slice(0, 8), slice(88, 100)]),
        ([Box(0, 30, 1, 34), Box(0, 40, 1, 41), Box(0, 10, 1, 12)], [slice(8, 16), slice(24, 48)]),
        ([Box(0, -5, 1, 120)], [slice(0, 100)]),
        ([Box(0, -40, 1, -20), Box(0, 120, 1, 140)], []),
    ],
)
def test_rows_take_in_whole_blocks(boxes: list[Box], rows: list[slice]) -> None:
    assert rows_of_blocks(boxes, 100) == rows


@pytest.mark.parametrize("mode", ["grey", "colour"])
def test_bands_look_as_when_the_whole_page_is_coded_again(mode: str) -> None:
    record = record_of(draw_page(mode=mode, size=(1241, 901)))  # type: ignore[arg-type]
    output = Output(record.apply(), record.plan, record.transcript)
    try:
        view = PageView(output, record.transcript.pages[0])
        assert str(view.image.Filter) == "/DCTDecode"
        height = view.transcript.height_px
        picture = np.random.default_rng(3).integers(0, 256, view.grey.shape, np.uint8)
        whole, part = picture.copy(), picture.copy()
        code_again(view, whole, [slice(0, height)])
        rows = rows_of_blocks([Box(0, 20, 9, 33), Box(0, height - 3, 9, height)], height)
        code_again(view, part, rows)
        for band in rows:
            assert np.array_equal(part[band], whole[band])
            assert not np.array_equal(part[band], picture[band])
            part[band] = picture[band]
        assert np.array_equal(part, picture)
    finally:
        output.close()


def test_the_darkest_channel_is_the_least() -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (600, 40, 3), np.uint8)
    assert np.array_equal(darkest(pixels), pixels.min(axis=2))


def test_rows_are_converted_as_pillow_converts_the_page() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (600, 40, 3), np.uint8)
    whole = np.asarray(Image.open(io.BytesIO(_png(pixels))).convert("YCbCr"))[..., 1]
    rows = [slice(3, 300), slice(560, 600)]
    found = converted(pixels, "YCbCr", 1, rows)
    for band in rows:
        assert np.array_equal(found[band], whole[band])
    assert not found[:3].any() and not found[300:560].any()
    assert np.array_equal(converted(pixels, "YCbCr", 1), whole)


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
