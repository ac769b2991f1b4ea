"""Bytes of a source file to page rasters, one page in memory at a time.

Rule kept here: a raster is what a reader of the record sees, at the resolution and in the colours the source holds.

* Pages stand as displayed: /Rotate and EXIF orientation are applied, annotations and form fields are drawn.
* A page that is one scan (whole or in strips) is drawn at the scan's own pixels, 1:1. At that scale MuPDF copies
  samples and blurs nothing: the raster equals the decoded image, and whatever else is visible still lies on top.
* Any other page is drawn at `DRAWN_DPI`, finer when it holds a finer image, up to `FINEST_DRAWN_DPI`.

PyMuPDF is not thread-safe: the whole iteration must happen in one thread (or one process per document).
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pymupdf
from PIL import Image, ImageFile, ImageOps

from tasks.errors import CorruptFileError, LimitExceededError
from tasks.geometry import Box
from tasks.model import Media, Mode, PageRaster, Word
from tasks.pixels import bands, converted, histogram, pixels_of
from tasks.reading.blocks import BLOCK_PX, grids_of_image, grids_of_page
from tasks.reading.drawn import MOST_WORDS, find_drawn, has_annotations
from tasks.reading.media import check_page, check_pixels, decoding, open_image, open_pdf
from tasks.reading.settings import DEFAULT_LIMITS, JPEG, MAX_SIDE_PX, PDF, TIFF, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

DRAWN_DPI = 200.0
"""For pages drawn by a program: Tesseract reads the same words as at 300 dpi with four fifths of the time, and the
published page is half the size; print sharpness is not what a disclosure needs."""

FINEST_DRAWN_DPI = 300.0
COARSEST_SCAN_WITH_OVERLAY_DPI = 150.0
"""A picture coarser than this with text or lines drawn over it is a background, not a scan."""

SCAN_COVERS = 0.5
SCAN_BELOW_OVERLAY_COVERS = 0.9
"""Share of the page that images of one resolution must cover to make it a scan: when nothing else shows, a scan with
margins will do; otherwise it may be a letter with a photograph."""

DEFAULT_DPI = 200.0
SANE_DPI = (50.0, 1300.0)
LONGEST_SIDE_IN = 60.0
"""A resolution tag that makes a page longer than A0 is wrong (cameras write 72)."""

NEUTRAL_CHROMA = 8
"""Channels that differ by at most this are grey: the rounding of a JPEG's colour transform."""

ORIENTATION = 0x0112
SIDEWAYS_ORIENTATIONS = (5, 6, 7, 8)


def rasterise(
    untrusted: bytes,
    media: Media,
    limits: Limits = DEFAULT_LIMITS,
    pages: Sequence[int] | None = None,
    *,
    text: bool = True,
) -> Iterator[PageRaster]:
    """Every page of a file as pixels, in order.

    Args:
        untrusted: the whole file.
        media: what `tasks.reading.media.inspect` said of it.
        limits: the same limits it was inspected with.
        pages: 0-based, rising; None for all. The others are not decoded.
        text: whether their text layer is wanted too.

    Yields:
        One `PageRaster` a page; `bilevel` when its pixels are only 0 and 255, `grey` when no pixel has a colour.

    Raises:
        CorruptFileError: a page cannot be decoded whole; its 1-based number is in the detail.
        LimitExceededError: a page would have too many pixels even at the coarsest resolution.
        EncryptedFileError: a PDF that needs a password.
    """
    wanted = range(media.pages) if pages is None else pages
    if media.type == PDF:
        return _pdf_pages(untrusted, media, limits, wanted, text)
    return _image_pages(untrusted, media, limits, wanted)


# ------------------------------------------------------------------------------------------------ PDF


@dataclass(frozen=True, slots=True)
class _Placement:
    """One image on a page: its resolution along the axes of the unrotated page (dpi) and its place (pt)."""

    dpi: tuple[float, float]
    place: pymupdf.Rect
    bits: int
    channels: int


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How to draw one page: size in px as displayed, whether only grey can come out, whether to force 0 and 255."""

    width_px: int
    height_px: int
    grey: bool
    bilevel: bool


def _pdf_pages(
    untrusted: bytes, media: Media, limits: Limits, wanted: Sequence[int], text: bool
) -> Iterator[PageRaster]:
    with open_pdf(untrusted) as document:
        with decoding("Its pages cannot be counted."):
            pages = document.page_count
        if pages != media.pages:
            raise CorruptFileError(f"It has {pages} pages, not {media.pages}.")
        for number in wanted:
            # MuPDF swallows a complaint that equals the one before; a line of our own keeps each page's complete.
            pymupdf.mupdf.fz_warn(f"page {number + 1}")
            pymupdf.TOOLS.reset_mupdf_warnings()
            with decoding(f"Page {number + 1} cannot be drawn."):
                raster = _pdf_page(document, number, limits, text)
                if _lost_content(document, number, pymupdf.TOOLS.mupdf_warnings()):
                    raise CorruptFileError(f"Something on page {number + 1} cannot be decoded.")
            yield raster


def _pdf_page(document: pymupdf.Document, number: int, limits: Limits, text: bool) -> PageRaster:
    page = document[number]
    placements = _placements(page, limits)
    drawing = _plan_drawing(page, placements, limits)
    matrix = pymupdf.Matrix(drawing.width_px / page.rect.width, drawing.height_px / page.rect.height)
    pixmap = page.get_pixmap(
        matrix=matrix, colorspace=pymupdf.csGRAY if drawing.grey else pymupdf.csRGB, alpha=False, annots=True
    )
    samples = np.array(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)
    samples = samples[:, :, 0] if pixmap.n == 1 else samples
    pixels, mode = _settle(samples, bilevel=drawing.bilevel)
    to_px = page.rotation_matrix * matrix
    layer = _layer(page, to_px, pixmap.width, pixmap.height) if text else ()
    return PageRaster(
        page=number,
        pixels=pixels,
        mode=mode,
        dpi=(round(pixmap.width / page.rect.width * 72, 2), round(pixmap.height / page.rect.height * 72, 2)),
        grids=tuple(grids_of_page(page, to_px, samples)),
        layer=layer,
        drawn=find_drawn(page, to_px) if layer and not placements and len(layer) <= MOST_WORDS else None,
    )


def _placements(page: pymupdf.Page, limits: Limits) -> list[_Placement]:
    """The images that show on the page, each checked against the limits before anything is decoded."""
    whole = page.rect * page.derotation_matrix
    found = []
    for info in page.get_image_info():
        check_pixels(max(1, info["width"]), max(1, info["height"]), limits, page.number)
        a, b, c, d, _, _ = info["transform"]
        across, down = math.hypot(a, b), math.hypot(c, d)
        place = pymupdf.Rect(info["bbox"]) & whole
        if place.is_empty or across < 1 or down < 1:
            continue
        dpi = info["width"] / across * 72, info["height"] / down * 72
        found.append(_Placement(dpi if abs(a) >= abs(b) else dpi[::-1], place, info["bpc"], info["colorspace"]))
    return found


def _plan_drawing(page: pymupdf.Page, placements: list[_Placement], limits: Limits) -> _Drawing:
    overlay = _has_overlay(page)
    scan = _scan_images(page, placements, SCAN_BELOW_OVERLAY_COVERS if overlay else SCAN_COVERS)
    if scan and (not overlay or max(scan[0].dpi) >= COARSEST_SCAN_WITH_OVERLAY_DPI):
        # Strips of one scan may differ by a rounding; the widest image gives the best estimate.
        best = max(scan, key=lambda p: p.place.width * p.place.height)
        dpi_x, dpi_y = best.dpi
    else:
        finest = max((max(p.dpi) for p in placements), default=0.0)
        dpi_x = dpi_y = min(max(DRAWN_DPI, finest), FINEST_DRAWN_DPI)
    if page.rotation in (90, 270):
        dpi_x, dpi_y = dpi_y, dpi_x
    width_px, height_px = _fit(page.rect.width / 72 * dpi_x, page.rect.height / 72 * dpi_y, limits, page.number)
    return _Drawing(
        width_px,
        height_px,
        grey=bool(scan) and not overlay and all(p.channels == 1 for p in placements),
        bilevel=bool(scan) and all(p.bits == 1 for p in placements),
    )


def _scan_images(page: pymupdf.Page, placements: list[_Placement], least_cover: float) -> list[_Placement]:
    """The images when they are one scan, whole or in strips, and cover that share of the page; none otherwise."""
    if not placements:
        return []
    largest = max(placements, key=lambda p: p.place.width * p.place.height)
    strips = [p for p in placements if all(abs(a / b - 1) < 0.02 for a, b in zip(p.dpi, largest.dpi, strict=True))]
    covered = sum(p.place.width * p.place.height for p in strips)
    whole = page.rect.width * page.rect.height
    return strips if len(strips) == len(placements) and covered >= least_cover * whole else []


def _has_overlay(page: pymupdf.Page) -> bool:
    """Whether something besides images shows: an annotation, a field, anything painted after the first image."""
    if has_annotations(page):
        return True
    operations = [kind for kind, _ in page.get_bboxlog()]
    first = next((i for i, kind in enumerate(operations) if kind.startswith("fill-im")), len(operations))
    return any(not kind.startswith(("fill-im", "ignore-text")) for kind in operations[first:])


def _fit(width: float, height: float, limits: Limits, number: int) -> tuple[int, int]:
    """The page's size in px, made smaller when it would pass the limit (a born-digital plan may be metres wide)."""
    share = math.sqrt(limits.max_pixels_per_page / max(1.0, width * height))
    shrink = min(1.0, share, MAX_SIDE_PX / max(1.0, width, height))
    if shrink < 0.25:
        raise LimitExceededError(
            f"Page {number + 1} would have {width:.0f} x {height:.0f} px, limit {limits.max_pixels_per_page} px."
        )
    size = (round, math.floor)[shrink < 1]
    return max(1, size(width * shrink)), max(1, size(height * shrink))


LOST_CONTENT = (
    "cannot load content stream",
    "padding truncated image",
    "read error; treating as end of file",
    "not a stream",
    "non-page object",
    "cannot draw",
    "premature end of data",
    "image width is zero",
    "image height is zero",
    "image depth is too large",
    "inline image size",
    "read JPX header",
    "too many indirections",
)
JPEG_END = b"\xff\xd9"
CUT_JPEG = "premature end of file in jpeg"


def _lost_content(document: pymupdf.Document, number: int, complaints: str) -> bool:
    """Whether MuPDF left something out. It draws what it can and only complains; the record would not be whole."""
    if any(sign in complaints for sign in LOST_CONTENT):
        return True
    if CUT_JPEG not in complaints:
        return False
    # MuPDF says the same of a JPEG that lacks half its rows and of one that only lacks its end marker.
    jpegs = (entry[0] for entry in document.get_page_images(number) if entry[8] == "DCTDecode")
    return any(_is_cut(document.xref_stream_raw(xref)) for xref in jpegs)


def _is_cut(jpeg: bytes) -> bool:
    """Whether rows are missing: libjpeg fills what never came with mid grey, down to the last block."""
    try:
        with (
            decoding("A JPEG cannot be read."),
            Image.open(io.BytesIO(jpeg + JPEG_END), formats=["JPEG"]) as image,
        ):
            progressive = "progressive" in image.info
            cut = _ends_grey(image)
    except CorruptFileError:
        return True
    return (progressive and not jpeg.rstrip(b"\0\r\n").endswith(JPEG_END)) or cut


def _ends_grey(jpeg: Image.Image) -> bool:
    """Whether the last block is exactly mid grey, as libjpeg leaves what never came."""
    right, bottom = jpeg.size
    last_block = jpeg.crop((max(0, right - BLOCK_PX), max(0, bottom - BLOCK_PX), right, bottom))
    return bool((np.asarray(last_block.convert("RGB")) == 128).all())


def _layer(page: pymupdf.Page, to_px: pymupdf.Matrix, width: int, height: int) -> tuple[Word, ...]:
    """Words of the text layer in page space, whatever the layer claims they are."""
    words: list[Word] = []
    lines: dict[tuple[int, int], int] = {}
    a, b, c, d, e, f = to_px.a, to_px.b, to_px.c, to_px.d, to_px.e, to_px.f
    for x0, y0, x1, y1, text, block, line, _ in page.get_text("words"):
        xs = a * x0 + c * y0 + e, a * x1 + c * y1 + e  # the page may be turned, but only by quarters
        ys = b * x0 + d * y0 + f, b * x1 + d * y1 + f
        box = Box(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))
        box = box.clipped(width, height)
        if text.strip() and box.area:
            words.append(Word(text, box, 100.0, lines.setdefault((block, line), len(lines))))
    return tuple(words)


# ------------------------------------------------------------------------------------------------ images


def _image_pages(untrusted: bytes, media: Media, limits: Limits, wanted: Sequence[int]) -> Iterator[PageRaster]:
    if media.pages == 1:  # the decoder keeps a copy as long as the file is open
        for number in wanted:
            yield _only_page(untrusted, media, limits, number)
        return
    with open_image(untrusted, media.type) as image:
        for number in wanted:
            yield _image_page(image, untrusted, media, limits, number)


def _only_page(untrusted: bytes, media: Media, limits: Limits, number: int) -> PageRaster:
    with open_image(untrusted, media.type) as image:
        return _image_page(image, untrusted, media, limits, number)


def _image_page(image: Image.Image, untrusted: bytes, media: Media, limits: Limits, number: int) -> PageRaster:
    with decoding(f"Page {number + 1} cannot be decoded."):
        if media.type == TIFF:
            image.seek(number)
        check_page(*image.size, limits, number)
        dpi = _dpi(image)
        orientation = image.getexif().get(ORIENTATION, 1)
        # WeasyPrint, once imported, makes all of Pillow fill missing rows instead of refusing the file.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        image.load()
        if media.type == JPEG and _ends_grey(image):
            raise CorruptFileError(f"Page {number + 1} lacks its last rows.")
        decoded, bilevel = _decode(image if orientation == 1 else ImageOps.exif_transpose(image))
        pixels, mode = _settle(decoded, bilevel)
        grids = () if mode == "bilevel" else tuple(grids_of_image(image, untrusted, orientation, decoded))
    return PageRaster(
        page=number,
        pixels=pixels,
        mode=mode,
        dpi=dpi[::-1] if orientation in SIDEWAYS_ORIENTATIONS else dpi,
        grids=grids,
    )


def _dpi(image: Image.Image) -> tuple[float, float]:
    """The resolution the file states, `DEFAULT_DPI` when it states none or nonsense."""
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return DEFAULT_DPI, DEFAULT_DPI
    sane = all(SANE_DPI[0] <= value <= SANE_DPI[1] for value in (x, y))
    if not sane or max(image.width / x, image.height / y) > LONGEST_SIDE_IN or not 1 / 3 < x / y < 3:
        return DEFAULT_DPI, DEFAULT_DPI
    return round(x, 2), round(y, 2)


def _decode(image: Image.Image) -> tuple[Pixels, bool]:
    """Pixels of any Pillow image as grey or RGB, and whether it was 1-bit."""
    if image.mode == "1":
        return np.where(np.asarray(image), np.uint8(255), np.uint8(0)), True
    if image.mode.startswith(("I", "F")):
        return _to_bytes(np.asarray(image)), False
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return pixels_of(Image.alpha_composite(white, image).convert("RGB")), False
    return pixels_of(image if image.mode in ("L", "RGB") else image.convert("RGB")), False


def _to_bytes(deep: NDArray[Any]) -> Pixels:
    """16-bit, 32-bit and floating samples as 8-bit ones."""
    values = deep.astype(np.float32)
    if deep.dtype == np.uint16:
        top, low = 65535.0, 0.0
    else:
        low, top = float(min(0.0, values.min())), float(values.max())
        top = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    scaled = np.clip((values - low) * (255.0 / max(top - low, 1e-9)) + 0.5, 0, 255)
    return np.asarray(scaled, dtype=np.uint8)


# ------------------------------------------------------------------------------------------------ both


def _settle(pixels: Pixels, bilevel: bool = False) -> tuple[Pixels, Mode]:
    """The same pixels in the fewest channels that lose nothing.

    Args:
        pixels: (height, width) or (height, width, 3).
        bilevel: the source is 1-bit, so greys can only be the edges of what was drawn over it or a resampling.
    """
    if pixels.ndim == 3:
        if _has_colour(pixels):
            return np.ascontiguousarray(pixels), "colour"
        # Lightness: a single channel would carry the blocks of the colours into it.
        pixels = converted(pixels, "L")
    pixels = np.ascontiguousarray(pixels)
    if bilevel or _only_extremes(pixels[::16, ::16]):
        between = int(histogram(pixels)[1:255].sum())
        if between == 0:
            return pixels, "bilevel"
        if bilevel:
            return np.where(pixels >= 128, np.uint8(255), np.uint8(0)), "bilevel"
    return pixels, "grey"


def _only_extremes(pixels: Pixels) -> bool:
    return bool(np.isin(pixels, (0, 255)).all())


def _has_colour(pixels: Pixels) -> bool:
    # A coarse look settles nearly every colour page; only pages that look grey are checked pixel by pixel.
    for sample in (pixels[::16, ::16], *(pixels[rows] for rows in bands(len(pixels)))):
        red, green, blue = cv2.split(np.ascontiguousarray(sample))
        if max(int(cv2.absdiff(red, green).max()), int(cv2.absdiff(green, blue).max())) > NEUTRAL_CHROMA:
            return True
    return False
