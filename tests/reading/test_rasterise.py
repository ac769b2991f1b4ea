"""Is a raster what a reader of the record sees, with the pixels the source holds?"""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pymupdf
import pytest
from PIL import Image

from tasks.errors import CorruptFileError, LimitExceededError
from tasks.geometry import Box
from tasks.model import PageRaster
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import Limits
from tests.reading.papers import (
    Pixels,
    bilevel,
    image_file,
    ink_of,
    pdf_with,
    scan_pdf,
    text_pixels,
    write_lines,
)

pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")

GREY = text_pixels(200)
BLACK_WHITE = bilevel(GREY)
RAMP = (np.add.outer(np.arange(160), np.arange(112)) // 2 + 40).astype(np.uint8)
TINTED = np.stack([RAMP, RAMP // 2, 255 - RAMP], axis=2)
NO_LIMITS_CHANGED = Limits()


def pages_of(data: bytes, limits: Limits = NO_LIMITS_CHANGED) -> list[PageRaster]:
    return list(rasterise(data, inspect(data, limits=limits), limits))


def page_of(data: bytes) -> PageRaster:
    (page,) = pages_of(data)
    return page


# ------------------------------------------------------------------------------------------------ scans in PDFs


@pytest.mark.parametrize("dpi", [(200, 200), (150, 150), (204, 98), (204, 196), (300, 300)])
def test_a_bilevel_scan_keeps_its_very_pixels_and_both_resolutions(dpi: tuple[int, int]) -> None:
    page = page_of(scan_pdf(BLACK_WHITE, dpi))
    assert page.mode == "bilevel"
    assert np.array_equal(page.pixels, BLACK_WHITE)
    assert page.dpi == pytest.approx(dpi, abs=0.1)
    assert page.grids == ()


@pytest.mark.parametrize(("rotation", "turns"), [(90, 3), (180, 2), (270, 1)])
def test_a_rotated_fax_page_is_turned_without_blur_and_its_resolutions_with_it(rotation: int, turns: int) -> None:
    page = page_of(scan_pdf(BLACK_WHITE, (204, 98), rotation=rotation))
    assert np.array_equal(page.pixels, np.rot90(BLACK_WHITE, turns))
    assert page.dpi == pytest.approx((204, 98) if turns == 2 else (98, 204), abs=0.2)


@pytest.mark.parametrize(("pixels", "mode"), [(GREY, "grey"), (TINTED, "colour")])
def test_a_jpeg_scan_is_what_its_own_decoder_makes_of_it(pixels: Pixels, mode: str) -> None:
    page = page_of(scan_pdf(pixels, kind="JPEG"))
    with Image.open(io.BytesIO(image_file(pixels, "JPEG"))) as image:
        decoded = np.asarray(image)
    assert page.mode == mode
    assert [(grid.step, grid.origin, grid.colour) for grid in page.grids] == [
        ((8, 8), (0, 0), False),
        ((16, 16), (0, 0), True),
    ][: 1 if mode == "grey" else 2]
    assert np.abs(page.pixels.astype(int) - decoded).max() <= 4


def test_a_scan_in_strips_is_put_together_at_its_own_resolution() -> None:
    def draw(page: pymupdf.Page) -> None:
        edges = np.linspace(0, len(GREY), 4).astype(int)
        for top, bottom in pairwise(edges):
            place = pymupdf.Rect(0, top * 0.36, GREY.shape[1] * 0.36, bottom * 0.36)
            page.insert_image(place, stream=image_file(GREY[top:bottom], "PNG"), keep_proportion=False)

    page = page_of(pdf_with(draw, (GREY.shape[1] * 0.36, GREY.shape[0] * 0.36)))
    assert np.array_equal(page.pixels, GREY)


def test_a_scan_with_margins_is_still_a_scan() -> None:
    width, height = BLACK_WHITE.shape[1] * 0.36, BLACK_WHITE.shape[0] * 0.36
    data = image_file(Image.fromarray(BLACK_WHITE).convert("1"), "PNG")
    place = (36, 36, 36 + width, 36 + height)
    page = page_of(
        pdf_with(lambda page: page.insert_image(place, stream=data, keep_proportion=False), (width + 72, height + 72))
    )
    assert page.mode == "bilevel"
    assert page.dpi == pytest.approx((200, 200), abs=0.3)
    assert np.mean(page.pixels[100:-100, 100:-100] == BLACK_WHITE[: page.height_px - 200]) > 0.99


def test_text_hidden_below_a_scan_leaves_the_pixels_alone_and_is_told_as_a_hint() -> None:
    def draw(page: pymupdf.Page) -> None:
        write_lines(page, ["hidden below"])
        page.insert_image(page.rect, stream=image_file(Image.fromarray(BLACK_WHITE).convert("1"), "PNG"))

    size = BLACK_WHITE.shape[1] * 0.36, BLACK_WHITE.shape[0] * 0.36
    page = page_of(pdf_with(draw, size))
    assert page.mode == "bilevel"
    assert np.array_equal(page.pixels, BLACK_WHITE)
    assert [word.text for word in page.layer] == ["hidden", "below"]


def test_an_annotation_on_a_scan_is_part_of_what_the_record_shows() -> None:
    data = scan_pdf(np.full((800, 600), 255, np.uint8))
    with pymupdf.open(stream=data) as document:
        document[0].add_freetext_annot((20, 20, 180, 60), "added by hand", fontsize=14)
        data = document.tobytes()
    page = page_of(data)
    assert page.pixels.shape == (800, 600)
    assert (page.pixels < 128).any()


def test_writing_over_a_coarse_background_picture_is_drawn_finely() -> None:
    background = image_file(np.full((150, 110), 200, np.uint8), "JPEG")

    def draw(page: pymupdf.Page) -> None:
        page.insert_image(page.rect, stream=background, keep_proportion=False)
        write_lines(page)

    assert page_of(pdf_with(draw)).dpi == pytest.approx((200, 200), abs=0.5)


# ------------------------------------------------------------------------------------------------ drawn pages


def test_a_born_digital_page_is_drawn_at_200_dpi_grey_unless_it_has_colour() -> None:
    grey = page_of(pdf_with(write_lines))
    assert (grey.mode, grey.grids) == ("grey", ())
    assert grey.dpi == pytest.approx((200, 200), abs=0.3)
    colour = page_of(pdf_with(lambda page: page.draw_rect((50, 50, 90, 90), fill=(1, 0, 0))))
    assert colour.mode == "colour"
    assert colour.pixels.shape[2] == 3
    assert tuple(colour.pixels[190, 190]) == (255, 0, 0)


def test_a_page_with_a_fine_picture_is_drawn_finer_up_to_300_dpi() -> None:
    fine = image_file(np.zeros((600, 600), np.uint8), "PNG")
    page = page_of(pdf_with(lambda page: page.insert_image((50, 50, 120, 120), stream=fine)))
    assert page.dpi == pytest.approx((300, 300), abs=0.5)


def test_a_wall_plan_is_drawn_as_fine_as_the_limit_allows() -> None:
    data = pdf_with(write_lines, (3000, 2000))
    limits = Limits(max_pixels_per_page=10_000_000)
    (page,) = pages_of(data, limits)
    assert 9_000_000 < page.width_px * page.height_px <= 10_000_000
    assert page.dpi[0] == pytest.approx(page.dpi[1], rel=0.01)
    with pytest.raises(LimitExceededError):
        pages_of(data, Limits(max_pixels_per_page=200_000))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_words_of_the_text_layer_lie_on_their_ink(rotation: int) -> None:
    page = page_of(pdf_with(lambda page: write_lines(page, ["Roster"]), rotation=rotation))
    (word,) = page.layer
    ink = ink_of(page.pixels)
    assert (word.text, word.confidence, word.line) == ("Roster", 100.0, 0)
    assert word.box.padded(2).contains(ink)
    assert ink.padded(20).contains(word.box)


def test_lines_of_the_text_layer_are_counted() -> None:
    page = page_of(pdf_with(lambda page: write_lines(page, ["one two", "three"])))
    assert [(word.text, word.line) for word in page.layer] == [("one", 0), ("two", 0), ("three", 1)]


# ------------------------------------------------------------------------------------------------ image files


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_lzw", "tiff_deflate", None])
@pytest.mark.parametrize("photometric", [0, 1])
def test_a_bilevel_tiff_keeps_its_pixels(compression: str | None, photometric: int) -> None:
    image = Image.fromarray(BLACK_WHITE).convert("1")
    options = {"compression": compression} if compression else {}
    page = page_of(image_file(image, "TIFF", dpi=(204, 98), tiffinfo={262: photometric}, **options))
    assert page.mode == "bilevel"
    assert np.array_equal(page.pixels, BLACK_WHITE)
    assert page.dpi == (204, 98)


def test_every_frame_of_a_tiff_is_a_page_in_order() -> None:
    frames = [Image.fromarray(np.full((30 + n, 40), 60 * n, np.uint8)) for n in range(4)]
    pages = pages_of(image_file(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert [(page.page, page.height_px, int(page.pixels[0, 0])) for page in pages] == [
        (n, 30 + n, 60 * n) for n in range(4)
    ]


@pytest.mark.parametrize(
    ("image", "kind", "options", "expected", "mode"),
    [
        (Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "TIFF", {}, 0, "bilevel"),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF", {}, (255, 0, 0), "colour"),
        (Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG", {}, 255, "bilevel"),
        (Image.new("LA", (8, 8), (0, 102)), "PNG", {}, 153, "grey"),
        (Image.new("RGB", (8, 8), (90, 90, 90)), "PNG", {}, 90, "grey"),
        (Image.new("RGB", (8, 8), (9, 90, 90)).quantize(4), "PNG", {}, (9, 90, 90), "colour"),
        (Image.fromarray(np.full((8, 8), 51 * 257, np.uint16)), "PNG", {}, 51, "grey"),
        (Image.fromarray(np.full((8, 8), 51 * 257, np.uint16)), "TIFF", {}, 51, "grey"),
    ],
)
def test_every_kind_of_pixel_comes_out_as_seen_on_white_paper(
    image: Image.Image, kind: str, options: dict[str, object], expected: object, mode: str
) -> None:
    page = page_of(image_file(image, kind, **options))
    assert page.mode == mode
    assert page.pixels.dtype == np.uint8
    assert np.array_equal(page.pixels, np.full_like(page.pixels, expected))


def test_a_tiff_with_jpeg_inside_has_the_jpeg_grid() -> None:
    (in_tiff,) = page_of(image_file(Image.fromarray(GREY).convert("RGB"), "TIFF", compression="jpeg")).grids
    (alone,) = page_of(image_file(GREY, "JPEG")).grids
    assert in_tiff.step == alone.step == (8, 8)
    assert page_of(image_file(GREY, "PNG")).grids == ()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_the_camera_orientation_is_applied_to_pixels_and_resolution(kind: str, orientation: int, turns: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {"exif": exif, "dpi": (200, 100)}
    page = page_of(image_file(GREY, kind, **options))
    plain = page_of(image_file(GREY, kind, dpi=(200, 100)))
    assert np.array_equal(page.pixels, np.rot90(plain.pixels, turns))
    assert page.dpi == ((100, 200) if turns % 2 else (200, 100))


@pytest.mark.parametrize(("stated", "taken"), [(None, 200), (72, 200), (1, 200), (30_000, 200), (300, 300), (96, 96)])
def test_a_resolution_that_cannot_be_true_is_not_believed(stated: int | None, taken: int) -> None:
    large = np.full((4500, 3000), 255, np.uint8)
    data = image_file(large, "PNG", **({"dpi": (stated, stated)} if stated else {}))
    assert page_of(data).dpi == pytest.approx((taken, taken), abs=0.1)


# ------------------------------------------------------------------------------------------------ damage


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "group4"}), ("TIFF", {"compression": "jpeg"})],
)
def test_a_truncated_image_is_corrupt_and_never_half_a_page(kind: str, options: dict[str, str]) -> None:
    image = Image.fromarray(BLACK_WHITE)
    image = image.convert("1" if options.get("compression") == "group4" else "RGB")
    data = image_file(image, kind, **options)
    assert len(pages_of(data)) == 1
    with pytest.raises(CorruptFileError):
        pages_of(data[: len(data) * 6 // 10])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_image_in_a_pdf_names_its_page(kind: str) -> None:
    with pymupdf.open() as document:
        for _ in range(3):
            page = document.new_page()
            page.insert_image(page.rect, stream=image_file(GREY if _ else GREY[::2], kind))
        xref = document[1].get_images()[0][0]
        cut = document.xref_stream_raw(xref)
        document.update_stream(xref, cut[: len(cut) // 2], compress=False)
        if kind == "JPEG":
            document.xref_set_key(xref, "Filter", "/DCTDecode")
        data = document.tobytes()
    pages = rasterise(data, inspect(data))
    assert next(pages).page == 0
    with pytest.raises(CorruptFileError, match="page 2"):
        next(pages)
    # The same complaint twice in one process must be heard twice.
    with pytest.raises(CorruptFileError, match="page 2"):
        pages_of(data)


def test_a_jpeg_in_a_pdf_that_only_lacks_its_end_marker_is_read() -> None:
    with pymupdf.open(stream=scan_pdf(GREY, kind="JPEG")) as document:
        xref = document[0].get_images()[0][0]
        document.update_stream(xref, document.xref_stream_raw(xref)[:-2], compress=False)
        document.xref_set_key(xref, "Filter", "/DCTDecode")
        assert ink_of(page_of(document.tobytes()).pixels).area > 0


# ------------------------------------------------------------------------------------------------ the whole


def test_pages_are_made_one_at_a_time() -> None:
    with pymupdf.open() as document:
        for _ in range(3):
            document.new_page()
        data = document.tobytes()
    pages = rasterise(data, inspect(data))
    assert next(pages).page == 0
    assert next(pages).page == 1


def test_the_same_file_gives_the_same_pixels() -> None:
    data = pdf_with(write_lines)
    assert np.array_equal(page_of(data).pixels, page_of(data).pixels)


def test_a_box_of_the_page_is_a_box_of_its_pixels() -> None:
    page = page_of(pdf_with(lambda page: page.draw_rect((72, 36, 144, 108), fill=(0, 0, 0), color=None)))
    assert ink_of(page.pixels) == Box(200, 100, 400, 300)
