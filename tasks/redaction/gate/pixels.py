"""The painted pixels: under each mark there is one value and the printed exemption, in the image object itself.

Rules kept here: the image object is decoded by itself, so nothing drawn over it counts; what a mark must look like is
drawn again here, from the plan alone, and compared.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box
from tasks.model import Finding, Mark
from tasks.pixels import converted, image_of, pixels_of
from tasks.redaction.gate.checks import page_check
from tasks.redaction.gate.output import PageView

STRAY, CUT_STRAY = 2, 48
"""How far a JPEG's pixels may stray from the same mark coded again with the page's own tables, in grey levels: in
blocks that a mark covers, which hold nothing else; and in those it shares with its surroundings, which ring into it."""

JPEG_BLOCK = 8

WHITE, DARK = 200, 80
"""Grey levels of paper and ink."""


CRISP = 110
"""Step between neighbouring pixels that only unblurred letters have, in grey levels."""


@page_check("A07", "A23")
def marks_are_one_opaque_value(view: PageView) -> Iterator[Finding]:
    """Each mark is the fill and the print that follows from the plan; nothing shines through."""
    rows = rows_of_blocks(view.regions, view.transcript.height_px)
    inside, wanted, light = covered(view), expected_marks(view), luma(view, rows)
    pixels = view.pixels if view.pixels.ndim == 3 else view.pixels[..., None]
    allowed, cut = 0, np.zeros(inside.shape, np.bool_)
    if view.image.Filter == "/DCTDecode":
        for band in rows:
            np.copyto(wanted[band], light[band], where=~inside[band])
            cut[band] = ~_whole_blocks(inside[band])
        code_again(view, wanted, rows)
        allowed = STRAY
    for mark in view.marks:
        for region in mark.regions:
            place = np.s_[region.y0 : region.y1, region.x0 : region.x1]
            strayed = np.abs(pixels[place].astype(np.int16) - wanted[place][..., None]).max(axis=2, initial=0)
            dimmed = np.abs(light[place].astype(np.int16) - wanted[place])  # colours of a cut block smear into it
            bad = np.where(cut[place], dimmed > CUT_STRAY, strayed > allowed)
            if bad.shape != (region.height, region.width) or bad.any():
                yield _name_fault(view, region)
                break


def rows_of_blocks(boxes: Iterable[Box], height: int) -> list[slice]:
    """The rows of a page whose blocks meet one of these places, as bands from top to bottom; `height` is the page's."""
    touched = np.zeros(-(-height // JPEG_BLOCK) + 1, np.int8)
    for box in boxes:
        touched[max(0, box.y0) // JPEG_BLOCK : -(-max(0, min(box.y1, height)) // JPEG_BLOCK)] = 1
    edges = np.flatnonzero(np.diff(touched, prepend=0)) * JPEG_BLOCK
    return [slice(int(top), min(int(end), height)) for top, end in zip(edges[::2], edges[1::2], strict=True)]


def covered(view: PageView) -> NDArray[np.bool_]:
    """Which pixels of the page marks cover."""
    inside = np.zeros((view.transcript.height_px, view.transcript.width_px), np.bool_)
    for region in view.regions:
        inside[region.y0 : region.y1, region.x0 : region.x1] = True
    return inside


def luma(view: PageView, rows: Sequence[slice]) -> NDArray[np.uint8]:
    """The page's lightness as JPEG codes it: (height, width); of a page in colour in these rows alone."""
    return view.pixels if view.pixels.ndim == 2 else converted(view.pixels, "L", rows=rows)


def code_again(view: PageView, picture: NDArray[np.uint8], rows: Sequence[slice], table: int = 0) -> None:
    """Make one component look as after the loss of the page's own JPEG coding: each block for itself, by its table.

    Args:
        view: the page.
        picture: uint8 (height, width), changed in place.
        rows: bands of whole blocks, from top to bottom, that are changed; at the page's end a block may be cut.
        table: 0 for lightness, 1 for a colour.
    """
    if not rows:
        return
    with Image.open(io.BytesIO(view.image.read_raw_bytes()), formats=["JPEG"]) as coded:
        tables = coded.quantization  # type: ignore[attr-defined]
    out = io.BytesIO()
    bands = np.concatenate([picture[band] for band in rows])
    image_of(bands).save(out, "JPEG", qtables={0: tables.get(table, tables[0])})
    with Image.open(out) as again:
        bands = pixels_of(again)
    top = 0
    for band in rows:
        height = band.stop - band.start
        picture[band] = bands[top : top + height]
        top += height


def _whole_blocks(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of blocks that lie wholly inside; past the page's edge a block repeats what is at the edge."""
    height, width = inside.shape
    padded = np.pad(inside, ((0, -height % JPEG_BLOCK), (0, -width % JPEG_BLOCK)), mode="edge")
    rows, columns = padded.shape[0] // JPEG_BLOCK, padded.shape[1] // JPEG_BLOCK
    whole = padded.reshape(rows, JPEG_BLOCK, columns, JPEG_BLOCK).all(axis=(1, 3))
    return whole.repeat(JPEG_BLOCK, 0).repeat(JPEG_BLOCK, 1)[:height, :width]


def _name_fault(view: PageView, region: Box) -> Finding:
    """A07 when bare paper or crisp ink shows, A23 when something covers it but lets it through."""
    grey = view.grey[region.y0 : region.y1, region.x0 : region.x1].astype(np.int16)
    if grey.size:
        paper = (grey >= WHITE).mean()
        between = ((grey > DARK) & (grey < WHITE)).mean()
        crisp = bool((np.abs(np.diff(grey, axis=1)) >= CRISP).any())
        if paper > 0.25 and between < 0.2 and (crisp or between == 0):
            return Finding("A07", view.number, region, "A mark does not cover the page's image.")
    return Finding("A23", view.number, region, "A mark is not one opaque value.")


def expected_marks(view: PageView) -> NDArray[np.uint8]:
    """What the marks of a page must look like: (height, width), all black but for the print, which is 255.

    In each mark the exemption is printed in the first region that has room for it, unless it would touch the print of
    an earlier mark.
    """
    expected = np.zeros((view.transcript.height_px, view.transcript.width_px), np.uint8)
    printed: list[Box] = []
    for mark in view.marks:
        place = next(filter(None, (_print_place(view, mark, region) for region in mark.regions)), None)
        if place is None or any(place[0].meets(other) for other in printed):
            continue
        box, shape = place
        printed.append(box)
        expected[box.y0 : box.y1, box.x0 : box.x1][shape] = 255
    return expected


def _print_place(view: PageView, mark: Mark, region: Box) -> tuple[Box, NDArray[np.bool_]] | None:
    """Type of 0.55 of the height across the text, 5 to 10 pt and 9 px or more, centred, a quarter free at both ends."""
    turns = view.quarter_turns
    dpi_along, dpi_across = view.transcript.dpi if turns % 2 == 0 else view.transcript.dpi[::-1]
    along, across = (region.width, region.height) if turns % 2 == 0 else (region.height, region.width)
    type_px = int(min(0.55 * across, 10 * dpi_across / 72))
    if type_px < 9 or type_px < 5 * dpi_across / 72:
        return None
    ink = _print(mark.exemption, type_px, round(dpi_along / dpi_across, 2))
    if ink.shape[1] + across // 2 > along:
        return None
    shape = np.rot90(ink, -turns)
    height, width = shape.shape
    x, y = region.x0 + (region.width - width) // 2, region.y0 + (region.height - height) // 2
    return Box(x, y, x + width, y + height), shape


@lru_cache(maxsize=256)
def _print(text: str, type_px: int, stretch: float) -> NDArray[np.bool_]:
    """A text in Pillow's built-in typeface without shades, cut to its ink, stretched where pixels are not square."""
    sheet = Image.new("1", (type_px * (len(text) + 2), type_px * 3))
    ImageDraw.Draw(sheet).text((type_px, type_px), text, fill=1, font=ImageFont.load_default(type_px))
    ink = sheet.crop(sheet.getbbox())
    if stretch != 1:
        ink = ink.resize((max(1, round(ink.width * stretch)), ink.height), Image.Resampling.NEAREST)
    return np.asarray(ink, dtype=np.bool_)
