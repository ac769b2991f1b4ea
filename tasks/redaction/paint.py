"""Painting: the hidden pixels are gone before anything is encoded.

Rule kept here: inside a mark there are two values only, the fill and the white of the exemption printed on it, and the
print depends on the mark's place and exemption alone, so an independent reader can draw it again and compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box
from tasks.model import Mark

FILL, INK = 0, 255

LEAST_CONTRAST, INK_SHARE = 48.0, 0.5
"""What counts as ink in a cut block: this far from the paper's grey, and this share of the way to the darkest."""

SPECK_PX = 4
"""Fewer inked pixels than this in a cut block are no part of a letter one would miss."""

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
    """A copy of a page with its marks painted, and what a cut block keeps of hidden text calmed.

    Args:
        pixels: uint8, (height, width) or (height, width, 3).
        marks: of this page.
        dpi: (horizontal, vertical).
        quarter_turns: how often the page is turned anticlockwise to make its text level; the print follows the text.
        grid: edge in px of the blocks the source was compressed in.

    Returns:
        Same shape and type.
    """
    painted = pixels.copy()
    ordered = sorted(marks, key=lambda mark: mark.number)
    calm(painted, [region for mark in ordered for region in mark.regions], grid)
    for mark in ordered:
        for region in mark.regions:
            painted[region.y0 : region.y1, region.x0 : region.x1] = FILL
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


def calm(pixels: NDArray[np.uint8], regions: Sequence[Box], grid: int) -> None:
    """Reduce what surrounds marks within the blocks they cut to paper and ink, in place.

    A block of a JPEG that holds hidden text holds its ringing too (about 350 faint pixels within 8 px of a tight box);
    with two values a block, nothing fainter than a neighbour's ink is left.

    Args:
        pixels: uint8, (height, width) or (height, width, 3), before the marks are filled.
        regions: of all marks of the page.
        grid: edge of a block, px.
    """
    height, width = pixels.shape[:2]
    wholes = {region: region.snapped(grid, width, height) for region in regions}
    if all(region == whole for region, whole in wholes.items()):
        return
    filled = np.zeros((height, width), dtype=np.bool_)
    for region in regions:
        filled[region.y0 : region.y1, region.x0 : region.x1] = True
    done: set[tuple[int, int]] = set()
    for region, whole in wholes.items():
        if whole == region:
            continue
        part = (slice(whole.y0, whole.y1), slice(whole.x0, whole.x1))
        grey = pixels[part] if pixels.ndim == 2 else pixels[part].mean(axis=2)
        rest = ~filled[part]
        if not rest.any():
            continue
        depth = np.abs(grey.astype(np.float32) - np.median(grey[rest]))
        ink = depth > max(LEAST_CONTRAST, INK_SHARE * float(depth[rest].max()))
        for y in range(whole.y0, whole.y1, grid):
            for x in range(whole.x0, whole.x1, grid):
                block = (slice(y, min(y + grid, whole.y1)), slice(x, min(x + grid, whole.x1)))
                open_here = ~filled[block]
                if (y, x) in done or not open_here.any():
                    continue
                done.add((y, x))
                inked = open_here & ink[y - whole.y0 : y - whole.y0 + grid, x - whole.x0 : x - whole.x0 + grid]
                if not _stands_out(pixels[block], inked, open_here & ~inked):
                    inked = np.zeros_like(inked)
                for there in (open_here & ~inked, inked):
                    if there.any():
                        pixels[block][there] = np.median(pixels[block][there], axis=0)


def _stands_out(block: NDArray[np.uint8], ink: NDArray[np.bool_], paper: NDArray[np.bool_]) -> bool:
    """Whether what counts as ink in a block is plainly ink beside the block's own paper, and more than a speck."""
    if int(ink.sum()) < SPECK_PX or not paper.any():
        return not paper.any()
    return bool(np.abs(np.median(block[ink]) - np.median(block[paper])) >= 2 * LEAST_CONTRAST)


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
