"""The painted pixels: under each mark there is one value and the printed exemption, in the image object itself.

Rules kept here: the image object is decoded by itself, so nothing drawn over it counts; what a mark must look like is
drawn again here, from the plan alone, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box
from tasks.model import Finding, Mark
from tasks.redaction.gate.checks import page_check
from tasks.redaction.gate.output import PageView

FLAT = 12
"""How far a JPEG may stray from the fill where nothing is printed, in grey levels."""

PRINTED, PRINTED_MEAN = 180, 24
"""How far it may stray within 8 px of print, and there on average: coarse JPEG rings at the edges of white letters
(measured at quality 30: at most 137, 17 on average in a block)."""

WHITE, DARK = 200, 80
"""Grey levels of paper and ink."""


CRISP = 110
"""Step between neighbouring pixels that only unblurred letters have, in grey levels."""


@page_check("A07", "A23")
def marks_are_one_opaque_value(view: PageView) -> Iterator[Finding]:
    """Each mark is the fill and the print that follows from the plan; nothing shines through."""
    expected, near_print = expected_marks(view)
    lossy = view.image.Filter == "/DCTDecode"
    pixels = view.pixels if view.pixels.ndim == 3 else view.pixels[..., None]
    for mark in view.marks:
        for region in mark.regions:
            rows, columns = slice(region.y0, region.y1), slice(region.x0, region.x1)
            wanted = expected[rows, columns, None].astype(np.int16)
            strayed = np.abs(pixels[rows, columns].astype(np.int16) - wanted).max(axis=2)
            near = near_print[rows, columns]
            allowed = np.where(near, PRINTED, FLAT) if lossy else 0
            muddy = near.any() and strayed[near].mean() > PRINTED_MEAN
            if strayed.shape != (region.height, region.width) or (strayed > allowed).any() or muddy:
                yield _name_fault(view, region)
                break


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


def expected_marks(view: PageView) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What the marks of a page must look like, and where print is near; both (height, width).

    Fill is 0, print is 255. In each mark the exemption is printed in the first region that has room for it, unless it
    would touch the print of an earlier mark.
    """
    known = view.transcript
    expected = np.zeros((known.height_px, known.width_px), np.uint8)
    near = np.zeros(expected.shape, np.bool_)
    printed: list[Box] = []
    for mark in view.marks:
        place = next(filter(None, (_print_place(view, mark, region) for region in mark.regions)), None)
        if place is None or any(place[0].meets(other) for other in printed):
            continue
        box, shape = place
        printed.append(box)
        expected[box.y0 : box.y1, box.x0 : box.x1][shape] = 255
        around = box.snapped(8, known.width_px, known.height_px)
        near[around.y0 : around.y1, around.x0 : around.x1] = True
    return expected, near


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
