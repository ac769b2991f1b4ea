"""Which blocks a JPEG says it has, and what is assumed of one that says nothing."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pymupdf
import pytest
from PIL import Image

from tasks.errors import CorruptFileError
from tasks.geometry import Box, Grid
from tasks.model import PageRaster
from tasks.reading.blocks import MOST_GRIDS, UNKNOWN, Edges, jpeg_edges
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import Limits
from tests.reading.papers import pdf_with

NOISE = np.random.default_rng(1).integers(0, 256, (96, 96, 3)).astype(np.uint8)


def coded(sampling: str = "4:2:0", mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    options = {**({"subsampling": sampling} if mode == "RGB" else {}), **more}
    Image.fromarray(NOISE).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def page_of(data: bytes) -> PageRaster:
    (page,) = rasterise(data, inspect(data), Limits())
    return page


@pytest.mark.parametrize(
    ("sampling", "coarsest"), [("4:4:4", (8, 8)), ("4:2:2", (16, 8)), ("4:2:0", (16, 16)), ("4:1:1", (16, 16))]
)
def test_the_blocks_of_the_colours_are_those_of_the_frame_header(sampling: str, coarsest: tuple[int, int]) -> None:
    jpeg = coded(sampling)
    if sampling == "4:1:1":  # which Pillow writes as 4:2:0: by hand, four samples of lightness beside each other
        at = jpeg.index(b"\xff\xc0")
        jpeg = jpeg[: at + 11] + b"\x41" + jpeg[at + 12 :]
        coarsest = (32, 8)
    assert jpeg_edges(jpeg) == Edges((8, 8), coarsest)


def test_other_kinds_have_their_frame_headers_too() -> None:
    assert jpeg_edges(coded(mode="L")) == Edges((8, 8), (8, 8))
    assert jpeg_edges(coded(progressive=True)).coarsest == (16, 16)
    assert jpeg_edges(coded(comment=b"\xff\xc0" * 50)).coarsest == (16, 16)


@pytest.mark.parametrize("cut", [0, 2, 5, 100, 165])
def test_a_jpeg_without_a_frame_header_is_taken_for_coarse(cut: int) -> None:
    jpeg = coded()
    assert jpeg.index(b"\xff\xc0") > 100
    assert jpeg_edges(jpeg[:cut]) == UNKNOWN


def test_factors_that_cannot_be_are_taken_for_coarse() -> None:
    jpeg = coded()
    at = jpeg.index(b"\xff\xc0")
    assert jpeg_edges(jpeg[: at + 11] + b"\x00" + jpeg[at + 12 :]) == UNKNOWN


def test_a_page_without_a_trace_of_colour_has_no_blocks_of_colours() -> None:
    out = io.BytesIO()
    Image.fromarray(NOISE).convert("L").convert("RGB").save(out, "JPEG", subsampling="4:2:0")
    assert [grid.step for grid in page_of(out.getvalue()).grids] == [(8, 8)]


def test_jpeg_2000_is_lossy_and_its_reach_unknown() -> None:
    out = io.BytesIO()
    Image.fromarray(NOISE).save(out, "JPEG2000", quality_mode="dB", quality_layers=[30])
    page = page_of(pdf_with(lambda page: page.insert_image(page.rect, stream=out.getvalue()), (96, 96)))
    assert [grid.step for grid in page.grids] == [(16, 16)]


def test_images_beside_each_other_have_blocks_of_their_own() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_image((0, 0, 96, 96), stream=coded())
        page.insert_image((100, 3, 196, 99), stream=coded(mode="L"))

    first, colours, second = page_of(pdf_with(draw, (200, 100))).grids
    assert (first.place, first.origin) == (Box(0, 0, 96, 96), (0, 0))
    assert colours.colour and colours.place == first.place
    assert (second.place, second.origin, second.step) == (Box(100, 3, 196, 99), (4, 3), (8, 8))


def test_a_tilted_image_has_blocks_of_any_origin() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_image((0, 0, 96, 96), stream=coded(mode="L"))
        xref = page.get_contents()[-1]
        drawing = page.parent.xref_stream(xref).replace(b"q\n", b"q 0.9 0.3 -0.3 0.9 20 10 cm\n", 1)
        page.parent.update_stream(xref, drawing)

    (grid,) = page_of(pdf_with(draw, (120, 120))).grids
    assert grid.rim >= max(grid.step) > 8


def test_very_many_images_have_one_grid_that_takes_them_all_in() -> None:
    def draw(page: pymupdf.Page) -> None:
        for n in range(MOST_GRIDS + 8):
            x, y = n % 8 * 20.3, n // 8 * 20.7
            page.insert_image((x, y, x + 16.1 + n / 50, y + 16.1), stream=coded(mode="L"), keep_proportion=False)

    page = page_of(pdf_with(draw, (170, 140)))
    (grid,) = page.grids
    assert grid.rim >= max(grid.step)
    assert grid.place.contains(Box(2, 2, 600, 400))


def test_a_scan_has_the_blocks_that_mupdf_finds_by_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """One image on the page and one in the file, which is the same: it is not decoded to know that."""
    asked: list[bool] = []
    told = pymupdf.Page.get_image_info

    def listen(page: pymupdf.Page, hashes: bool = False, xrefs: bool = False) -> object:
        asked.append(xrefs)
        return told(page, hashes, xrefs)

    monkeypatch.setattr(pymupdf.Page, "get_image_info", listen)
    jpeg = pdf_with(lambda page: page.insert_image((0, 0, 96, 96), stream=coded()), (96, 96))
    light, colours = page_of(jpeg).grids
    assert (light.step, light.place, colours.step) == ((8, 8), Box(0, 0, 96, 96), (16, 16))
    assert asked and not any(asked)
    twice = pdf_with(lambda page: [page.insert_image((0, y, 96, 96 + y), stream=coded()) for y in (0, 9)], (96, 105))
    assert page_of(twice).grids
    assert any(asked)


@pytest.mark.parametrize("unused", ["lossless", "of the same length", "another JPEG", "no stream"])
def test_an_inline_image_is_not_taken_for_the_one_object_of_its_size(unused: str) -> None:
    """The object is not shown; what is shown is a JPEG in the page's own operators."""

    def draw(page: pymupdf.Page) -> None:
        page.insert_image((0, 0, 96, 96), pixmap=pymupdf.Pixmap(pymupdf.csGRAY, (0, 0, 96, 96), False))
        jpeg = coded(mode="L")
        image = b"q 96 0 0 96 0 0 cm BI /W 96 /H 96 /CS /G /BPC 8 /F /DCT ID " + jpeg + b" EI Q"
        document = page.parent
        document.update_stream(page.get_contents()[-1], image)
        xref = page.get_images(full=True)[0][0]
        if unused == "of the same length":
            size = page.get_image_info()[0]["size"] - 57
            document.update_stream(xref, zlib.compress(bytes(96 * 96)).ljust(size, b"\0"), compress=False)
            document.xref_set_key(xref, "Filter", "/FlateDecode")
        elif unused == "another JPEG":
            document.update_stream(xref, coded(mode="L", quality=20), compress=False)
            document.xref_set_key(xref, "Filter", "/DCTDecode")
        elif unused == "no stream":
            document.update_object(xref, "<</Subtype/Image/Width 96/Height 96/Filter/DCTDecode>>")

    data = pdf_with(draw, (96, 96))
    if unused == "no stream":
        with pytest.raises(CorruptFileError):
            page_of(data)
        return
    grids = page_of(data).grids
    assert (16, 16) in [grid.step for grid in grids]
    assert all(min(grid.step) >= 16 for grid in grids)


def test_a_lossy_object_beside_a_bilevel_image_may_show() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_image((0, 0, 96, 96), stream=coded(mode="L"))
        image = b"q 96 0 0 96 0 0 cm BI /W 8 /H 8 /CS /G /BPC 1 ID " + bytes(range(8)) + b" EI Q"
        page.parent.update_stream(page.get_contents()[-1], image)

    (grid,) = page_of(pdf_with(draw, (96, 96))).grids
    assert min(grid.step) > 8


def test_an_image_in_a_pattern_is_taken_for_coarse() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_image((0, 0, 96, 96), stream=coded(mode="L"))
        document = page.parent
        (image, *_), *_ = page.get_images()
        pattern = document.get_new_xref()
        document.update_object(
            pattern,
            "<</Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 96 96]/XStep 96/YStep 96"
            f"/Resources<</XObject<</I {image} 0 R>>>>>>",
        )
        document.update_stream(pattern, b"q 96 0 0 96 0 0 cm /I Do Q")
        document.xref_set_key(page.xref, "Resources", f"<</Pattern<</P {pattern} 0 R>>/XObject<</I {image} 0 R>>>>")
        document.update_stream(page.get_contents()[-1], b"/Pattern cs /P scn 0 0 150 150 re f")

    page = page_of(pdf_with(draw, (150, 150)))
    (grid,) = page.grids
    assert min(grid.step) > 16


@pytest.mark.parametrize(
    ("low", "high", "whole"),
    [(8, 16, (8, 16)), (9, 16, (8, 16)), (8, 17, (8, 24)), (7, 8, (0, 8)), (0, 1, (0, 8)), (95, 96, (88, 96))],
)
def test_whole_blocks(low: int, high: int, whole: tuple[int, int]) -> None:
    grid = Grid(Box(0, 0, 96, 96), (8, 8))
    assert grid.whole(Box(low, low, high, high)) == Box(whole[0], whole[0], whole[1], whole[1])


@pytest.mark.parametrize("step", [5.33, 7.25, 8.0, 14.47, 16.0])
@pytest.mark.parametrize("origin", [0.0, 2.6, 11.25])
def test_whole_blocks_are_whole_once_and_for_all(step: float, origin: float) -> None:
    grid = Grid(Box(0, 0, 400, 400), (step, step), (origin, origin))
    for x in range(0, 380, 7):
        once = grid.whole(Box(x, x, x + 13, x + 13))
        assert once.contains(Box(x, x, x + 13, x + 13))
        assert grid.whole(once) == once
        cells = list(grid.cells(once))
        assert sum(cell.area for cell in cells) == once.area
        assert len(set(cells)) == len(cells)


def test_a_box_beside_the_image_is_left_alone() -> None:
    grid = Grid(Box(100, 100, 200, 200), (8, 8), (4, 4))
    assert grid.whole(Box(10, 10, 33, 33)) == Box(10, 10, 33, 33)
    assert grid.whole(Box(90, 110, 111, 131)) == Box(90, 108, 116, 132)
    assert list(grid.cells(Box(10, 10, 33, 33))) == []
