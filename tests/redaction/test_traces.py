"""What is hidden leaves no trace: two sources that differ only in what is hidden give the very same page.

A JPEG spreads ink over its block, colours over blocks of 16 px and a little beyond; blocks begin where the image lies
on the page, not where the page does. Whatever is left of that outside a mark would differ between the two.
"""

from __future__ import annotations

import dataclasses
import io
import zlib
from collections.abc import Callable

import numpy as np
import pikepdf
import pymupdf
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box, Frame, Grid
from tasks.model import Detection, Kind, PageRaster, PageTranscript, Reading, Transcript, Word
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import Limits
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate.verdict import check_record
from tasks.redaction.plan import plan_record
from tasks.request import Policy
from tests.redaction.drawn import SOURCE

SIZE = 997, 611
"""No multiple of a block, so that turning the page moves them."""

HERE = (300, 203)
HIDDEN = ("ring 020 7946 0123", "visit Mx Example!!")
SEEN = "A line that stays, some way below"


def paper(hidden: str, ink: tuple[int, int, int]) -> Image.Image:
    """A page with faint grain, one line to hide, and one to keep."""
    grain = np.random.default_rng(3).normal(0, 2, (SIZE[1], SIZE[0], 3))
    page = Image.fromarray(np.clip(244 + grain, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(page)
    pen.text(HERE, hidden, fill=ink, font=ImageFont.load_default(27))
    pen.text((300, 330), SEEN, fill=(30, 30, 30), font=ImageFont.load_default(27))
    return page


def jpeg(page: Image.Image, sampling: str = "4:2:0", quality: int = 60, **more: object) -> bytes:
    out = io.BytesIO()
    page.save(out, "JPEG", quality=quality, **({"subsampling": sampling} if page.mode == "RGB" else {}), **more)
    return out.getvalue()


def as_file(sampling: str) -> Callable[[Image.Image], bytes]:
    return lambda page: jpeg(page, sampling)


def as_grey(page: Image.Image) -> bytes:
    return jpeg(page.convert("L"))


def turned(orientation: int) -> Callable[[Image.Image], bytes]:
    """Stored so that the EXIF tag brings it upright."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return lambda page: jpeg(page.transpose(Image.Transpose(back)), exif=exif)


def in_tiff(page: Image.Image) -> bytes:
    out = io.BytesIO()
    page.save(out, "TIFF", compression="jpeg", quality=60)
    return out.getvalue()


def stored_again(page: Image.Image) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg(page.convert("L"), quality=40))).save(out, "PNG")
    return out.getvalue()


def in_pdf(
    offset: tuple[float, float] = (0, 0), scale: float = 1.0, rotation: int = 0, grey: bool = False
) -> Callable[[Image.Image], bytes]:
    """A scan set into a page; 1 pt a px of the scan at scale 1."""

    def make(page: Image.Image) -> bytes:
        document = pymupdf.open()
        sheet = document.new_page(width=SIZE[0] * scale + 2 * offset[0], height=SIZE[1] * scale + 2 * offset[1])
        place = (*offset, offset[0] + SIZE[0] * scale, offset[1] + SIZE[1] * scale)
        sheet.insert_image(place, stream=jpeg(page.convert("L") if grey else page), keep_proportion=False)
        sheet.set_rotation(rotation)
        data: bytes = document.tobytes()
        return data

    return make


def in_two_steps(page: Image.Image) -> bytes:
    """The JPEG deflated once more."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(in_pdf(grey=True)(page))) as pdf:
        (image,) = (o for o in pdf.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image")
        filters = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.DCTDecode])
        image.write(zlib.compress(image.read_raw_bytes()), filter=filters)
        pdf.save(out)
    return out.getvalue()


def inline(page: Image.Image) -> bytes:
    coded = jpeg(page)
    drawing = (
        f"q {SIZE[0]} 0 0 {SIZE[1]} 0 0 cm BI /W {SIZE[0]} /H {SIZE[1]} /CS /RGB /BPC 8 /F /DCT ID ".encode()
        + coded
        + b"\nEI Q"
    )
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=SIZE)
        pdf.pages[0].Contents = pdf.make_stream(drawing)
        pdf.save(out)
    return out.getvalue()


def raster_of(data: bytes) -> PageRaster:
    (raster,) = rasterise(data, inspect(data), Limits())
    return raster


def where(raster: PageRaster, other: PageRaster) -> Box:
    """Where the two differ strongly: the ink to hide, as a reader would place it."""
    a, b = (r.pixels if r.pixels.ndim == 2 else r.pixels.min(axis=2) for r in (raster, other))
    ys, xs = np.nonzero((a < 150) != (b < 150))
    return Box(int(xs.min()) - 1, int(ys.min()) - 1, int(xs.max()) + 2, int(ys.max()) + 2)


def redacted(raster: PageRaster, claimed: Box, words: tuple[Word, ...] = ()) -> tuple[NDArray[np.uint8], set[str]]:
    """The page as published, and what the gate says of it."""
    frame = Frame(raster.width_px, raster.height_px)
    page = PageTranscript(
        0, raster.width_px, raster.height_px, raster.dpi, raster.grids, (Reading("drawn", frame, words),)
    )
    transcript = Transcript(SOURCE, (page,))
    claim = Detection(Kind.PHONE, 0, (claimed,), "020 7946 0123", 0.9, "phone.drawn")
    plan = plan_record(transcript, [claim], Policy())
    pdf = apply_marks([raster], plan, transcript, "x")
    report = check_record(pdf, plan, transcript)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        picture = pikepdf.PdfImage(opened.pages[0].Resources.XObject["/Im1"]).as_pil_image()
        return np.asarray(picture), {finding.code for finding in report.findings}


BLUE, GREY = (40, 40, 200), (60, 60, 60)

SOURCES: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 4:2:0": as_file("4:2:0"),
    "jpeg 4:2:2": as_file("4:2:2"),
    "jpeg 4:4:4": as_file("4:4:4"),
    "grey jpeg": as_grey,
    **{f"turned by tag {n}": turned(n) for n in range(2, 9)},
    "tiff": in_tiff,
    "png of a jpeg": stored_again,
    "pdf": in_pdf(),
    "pdf, rotated": in_pdf(rotation=90),
    "pdf, upside down": in_pdf(rotation=180),
    "pdf, set in by whole px": in_pdf(offset=(35, 51)),
    "pdf, grey, set in": in_pdf(offset=(35, 51), grey=True),
    "pdf, set in by parts of a px": in_pdf(offset=(35.3, 51.6)),
    "pdf, drawn smaller": in_pdf(offset=(100.0, 80.0), scale=0.217),
    "pdf, set in and rotated": in_pdf(offset=(35, 51), rotation=270),
    "pdf, deflated once more": in_two_steps,
    "pdf, inline": inline,
}


@pytest.mark.parametrize("ink", [BLUE, GREY], ids=["blue", "grey"])
@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_hidden_leaves_no_trace(kind: str, ink: tuple[int, int, int]) -> None:
    one, two = (raster_of(SOURCES[kind](paper(hidden, ink))) for hidden in HIDDEN)
    claimed = where(one, two)
    assert one.grids == two.grids
    (first, faults), (second, _) = redacted(one, claimed), redacted(two, claimed)
    assert not np.array_equal(one.pixels, two.pixels)
    assert first.shape == second.shape
    ys, xs = np.nonzero((first != second) if first.ndim == 2 else (first != second).any(axis=2))
    assert not len(ys), (len(ys), (xs.min(), ys.min(), xs.max(), ys.max()), claimed)
    assert not faults


def test_blocks_taken_for_others_leave_traces() -> None:
    """That the pages above are equal is because their blocks are known: with others, they differ."""
    one, two = (raster_of(turned(3)(paper(hidden, BLUE))) for hidden in HIDDEN)
    light, colour = one.grids
    assert (light.step, light.origin, light.rim) == ((8, 8), (SIZE[0] % 8, SIZE[1] % 8), 0)
    assert (colour.step, colour.origin, colour.rim) == ((16, 16), (SIZE[0] % 16, SIZE[1] % 16), 1)
    claimed = where(one, two)

    def differs(*grids: Grid) -> bool:
        first, second = (redacted(dataclasses.replace(raster, grids=grids), claimed)[0] for raster in (one, two))
        return not np.array_equal(first, second)

    assert not differs(light, colour)
    assert differs()
    assert differs(light)
    assert differs(light, dataclasses.replace(colour, rim=0))
