"""Painting: the hidden pixels are gone before anything is encoded.

Rule kept here: inside a mark there are two values only, the fill and the white of the exemption printed on it, and the
print depends on the mark's place and exemption alone, so an independent reader can draw it again and compare.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box
from tasks.model import Mark

FILL, INK = 0, 255

LABEL_HEIGHT = 0.55
"""Type size of the printed exemption, in box heights."""

LABEL_MAX_PT, LABEL_MIN_PT, LABEL_MIN_PX = 10.0, 5.0, 9
"""Largest and smallest type size; smaller than both minima it is not printed."""


def paint_marks(
    pixels: NDArray[np.uint8],
    marks: Iterable[Mark],
    dpi: tuple[float, float],
    quarter_turns: int = 0,
    grid: int = 1,
) -> NDArray[np.uint8]:
    """A copy of a page with its marks painted.

    Args:
        pixels: uint8, (height, width) or (height, width, 3).
        marks: of this page.
        dpi: (horizontal, vertical).
        quarter_turns: how often the page is turned anticlockwise to make its text level; the print follows the text.
        grid: edge in px of the blocks the page will be compressed in; the fill is grown to it.

    Returns:
        Same shape and type.
    """
    painted = pixels.copy()
    height, width = painted.shape[:2]
    ordered = sorted(marks, key=lambda mark: mark.number)
    for mark in ordered:
        for region in mark.regions:
            box = region.snapped(grid, width, height)
            painted[box.y0 : box.y1, box.x0 : box.x1] = FILL
    printed: list[Box] = []
    for mark in ordered:
        for region in mark.regions:
            placed = label_on(region, mark.exemption, dpi, quarter_turns)
            if placed is None:
                continue
            box, shape = placed
            if not any(box.meets(other) for other in printed):
                painted[box.y0 : box.y1, box.x0 : box.x1][shape] = INK
                printed.append(box)
            break
    return painted


def label_on(
    region: Box, text: str, dpi: tuple[float, float], quarter_turns: int
) -> tuple[Box, NDArray[np.bool_]] | None:
    """Where the exemption is printed in a region, and its pixels; None when it does not fit.

    The type is `LABEL_HEIGHT` of the region's height across the text, at most `LABEL_MAX_PT`; the print stands in the
    middle and keeps a quarter of that height free at both ends.
    """
    along_dpi, across_dpi = dpi if quarter_turns % 2 == 0 else dpi[::-1]
    along, across = (region.width, region.height) if quarter_turns % 2 == 0 else (region.height, region.width)
    size_px = int(min(LABEL_HEIGHT * across, LABEL_MAX_PT * across_dpi / 72))
    if size_px < max(LABEL_MIN_PX, LABEL_MIN_PT * across_dpi / 72):
        return None
    shape = np.rot90(_draw_label(text, size_px, round(along_dpi / across_dpi, 2)), -quarter_turns)
    height, width = shape.shape
    if (width if quarter_turns % 2 == 0 else height) + across // 2 > along:
        return None
    x, y = region.x0 + (region.width - width) // 2, region.y0 + (region.height - height) // 2
    return Box(x, y, x + width, y + height), shape


@lru_cache(maxsize=256)
def _draw_label(text: str, size_px: int, stretch: float) -> NDArray[np.bool_]:
    """The print as a bitmap cut to its ink, in Pillow's built-in typeface, without shades."""
    font = ImageFont.load_default(size_px)
    canvas = Image.new("1", (size_px * (len(text) + 2), size_px * 3))
    ImageDraw.Draw(canvas).text((size_px, size_px), text, fill=1, font=font)
    box = canvas.getbbox()
    if box is None:
        return np.zeros((1, 1), dtype=np.bool_)
    cut = canvas.crop(box)
    if stretch != 1:
        cut = cut.resize((max(1, round(cut.width * stretch)), cut.height), Image.Resampling.NEAREST)
    return np.asarray(cut, dtype=np.bool_)
