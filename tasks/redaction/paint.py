"""Painting: the hidden pixels are gone before anything is encoded.

Rule kept here: inside a mark there are two values only, the fill and the white of the exemption printed on it, and the
print depends on the mark's place and exemption alone, so an independent reader can draw it again and compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box, Grid
from tasks.model import Mark
from tasks.redaction.encode import JPEG_GRID

FILL, INK = 0, 255

LEAST_CONTRAST, INK_SHARE = 48.0, 0.5
"""What counts as ink in a cut block: this far from the paper's grey, and this share of the way to the darkest."""

LIKE_INK = 0.7
"""Share of the contrast of the ink around that a neighbour's ink has at least; ringing reaches a third of it."""

FAINT = 24
"""Grey levels from paper up to which something is no ink of a neighbour's that a reader would miss."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Share of each channel in what JPEG codes as lightness."""

THIRDS: NDArray[np.float32] = (np.arange(3 * 255 + 1) / 3).astype(np.float32)
"""The mean of three samples, by their sum."""

MOST_PX = 1 << 16

OWN_BLOCKS = Grid(Box(0, 0, MOST_PX, MOST_PX), (float(JPEG_GRID), float(JPEG_GRID)))
"""The blocks in which the page is coded again."""

SPOT_PX = 64
"""Blocks so near to each other share their paper."""

CLEAN_BLOCKS = 3
"""How far around a cut block its paper's shade is looked for, in blocks."""

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
    grids: Sequence[Grid] = (),
) -> None:
    """Paint the marks of a page in place, and calm what a cut block keeps of hidden text.

    Args:
        pixels: uint8, (height, width) or (height, width, 3).
        marks: of this page.
        dpi: (horizontal, vertical).
        quarter_turns: how often the page is turned anticlockwise to make its text level; the print follows the text.
        grids: the blocks the source was compressed in.
    """
    ordered = sorted(marks, key=lambda mark: mark.number)
    calm(pixels, [region for mark in ordered for region in mark.regions], grids)
    for mark in ordered:
        for region in mark.regions:
            pixels[region.y0 : region.y1, region.x0 : region.x1] = FILL
    printed: list[Box] = []
    for mark in ordered:
        for region in mark.regions:
            placed = label_on(region, mark.exemption, dpi, quarter_turns)
            if placed is None:
                continue
            box, shape = placed
            if not any(box.meets(other) for other in printed):
                pixels[box.y0 : box.y1, box.x0 : box.x1][shape] = INK
                printed.append(box)
            break


def calm(pixels: NDArray[np.uint8], regions: Sequence[Box], grids: Sequence[Grid]) -> None:
    """Reduce what surrounds marks within the blocks they cut to paper and ink, in place.

    A block of a JPEG that holds hidden text holds its ringing too (about 350 faint pixels within 8 px of a tight box),
    and its shade says how much ink there is. So paper takes its shade from the nearest blocks that no mark touches,
    and nothing fainter than a neighbour's ink is left.

    Args:
        pixels: uint8, (height, width) or (height, width, 3), before the marks are filled.
        regions: of all marks of the page.
        grids: the blocks the source was compressed in.
    """
    height, width = pixels.shape[:2]
    filled, touched = np.zeros((height, width), np.bool_), np.zeros((height, width), np.bool_)
    for region in regions:
        filled[_cut(region)] = touched[_cut(region)] = True
        for grid in grids:
            touched[_cut(surroundings(region, grid, width, height))] = True
    if np.array_equal(filled, touched):
        return
    for grid in sorted(grids, key=lambda grid: grid.colour):
        shades: dict[tuple[int, int], tuple[Any, Any]] = {}
        beyond = round(CLEAN_BLOCKS * max(grid.step))
        rings_on = not _lies_on(grid, OWN_BLOCKS)
        cells = {
            cell: None for region in regions for cell in grid.cells(surroundings(region, grid, width, height))
        }  # one that two marks touch, once
        for cell in cells:
            seen = ~filled[_cut(cell)]
            if seen.any():
                spot = cell.x0 // SPOT_PX, cell.y0 // SPOT_PX
                if spot not in shades:
                    near = Box(*(SPOT_PX * side for side in (*spot, spot[0] + 1, spot[1] + 1)))
                    near = near.padded(beyond).clipped(width, height)
                    shades[spot] = _shades(pixels[_cut(near)][::2, ::2], ~touched[_cut(near)][::2, ::2])
                paper, ink = shades[spot]
                if paper is None:  # marks all around
                    paper = _median(pixels[_cut(cell)][seen])
                if grid.colour:
                    _bleach(pixels[_cut(cell)], seen, paper)
                else:
                    _reduce(pixels[_cut(cell)], seen, paper, ink)
                    if rings_on:
                        _smooth(pixels[_cut(OWN_BLOCKS.whole(cell).clipped(width, height))], paper)


def _lies_on(grid: Grid, other: Grid) -> bool:
    """Whether each block of one grid is some whole blocks of another."""
    return grid.rim == 0 and all(
        grid.step[axis] % other.step[axis] == 0 == (grid.origin[axis] - other.origin[axis]) % other.step[axis]
        for axis in (0, 1)
    )


def surroundings(region: Box, grid: Grid, width: int, height: int) -> Box:
    """The blocks that a mark touches and what they run into; of no area when it does not meet the image."""
    if not region.meets(grid.place):
        return Box(region.x0, region.y0, region.x0, region.y0)
    return grid.whole(region).padded(grid.rim).clipped(width, height)


def _reduce(block: NDArray[np.uint8], seen: NDArray[np.bool_], paper: Any, ink: Any) -> None:
    """Give what is seen of a block two values, of the paper and the ink around it, or one.

    Args:
        block: changed in place.
        seen: what of it no mark covers.
        paper: its shade or colour.
        ink: the same, None when there is none around.
    """
    grey, ground = _grey(block), _level(paper)
    depth = np.abs(grey - ground)
    inked = seen & (depth > max(LEAST_CONTRAST, INK_SHARE * float(depth[seen].max())))
    usual = 2 * LEAST_CONTRAST / LIKE_INK if ink is None else abs(_level(ink) - ground)
    least = min(2 * LEAST_CONTRAST, LIKE_INK * usual)
    if np.count_nonzero(inked) < SPECK_PX or abs(float(np.median(grey[inked])) - ground) < least:
        inked = np.zeros_like(inked)
    else:
        block[inked] = _median(block[inked]) if ink is None else ink
    block[seen & ~inked] = paper


def _smooth(block: NDArray[np.uint8], paper: Any) -> None:
    """Give what is no ink beside a calmed place the paper's shade: grain would ring into it when it is coded again."""
    block[np.abs(_grey(block) - _level(paper)) <= LEAST_CONTRAST] = paper


def _bleach(block: NDArray[np.uint8], seen: NDArray[np.bool_], paper: Any) -> None:
    """Give what is seen of a block the colour of the paper: faint things become paper, others keep their lightness."""
    light = block.astype(np.float32) if block.ndim == 2 else block.astype(np.float32) @ LUMA
    ground = float(paper if block.ndim == 2 else paper @ LUMA)
    faint = seen & (np.abs(light - ground) <= FAINT)
    if block.ndim == 3:
        tinted = light[..., None] * (np.asarray(paper, np.float32) / max(1.0, ground))
        block[seen] = np.clip(tinted + 0.5, 0, 255).astype(np.uint8)[seen]
    block[faint] = paper


def _shades(place: NDArray[np.uint8], chosen: NDArray[np.bool_]) -> tuple[Any, Any]:
    """The medians of the paper and of the ink among the chosen pixels; None for what there is too little of."""
    if int(chosen.sum()) < SPECK_PX:
        return None, None
    grey, found = _grey(place)[chosen], place[chosen]
    ink = np.abs(grey - np.median(grey)) > LEAST_CONTRAST
    shades = (_median(found[part]) if int(part.sum()) >= SPECK_PX else None for part in (~ink, ink))
    paper, dark = shades
    return paper, dark


def _grey(place: NDArray[np.uint8]) -> NDArray[np.float32]:
    if place.ndim == 2:
        return place.astype(np.float32)
    sums = place[..., 0].astype(np.intp) + place[..., 1] + place[..., 2]  # what `mean` does takes several times that
    return np.asarray(THIRDS[sums], np.float32)


def _median(shades: NDArray[np.uint8]) -> Any:
    """Of grey levels (n,), or of each channel of colours (n, 3): counted, for to sort them takes several times that."""
    middles = (len(shades) - 1) // 2, len(shades) // 2
    counts = (np.bincount(channel, minlength=256).cumsum() for channel in shades.reshape(len(shades), -1).T)
    medians = [np.searchsorted(count, middles, side="right").mean() for count in counts]
    return medians[0] if shades.ndim == 1 else np.array(medians)


def _level(shade: Any) -> float:
    """The lightness of a shade or colour, as `_grey` has it."""
    return float(shade) if np.ndim(shade) == 0 else float(shade[0] + shade[1] + shade[2]) / 3


def _cut(box: Box) -> tuple[slice, slice]:
    return slice(box.y0, box.y1), slice(box.x0, box.x1)


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
