"""The marks themselves: what their places give away.

Rule kept here: what the plan says is judged too, because a file that shows exactly a careless plan is still a leak.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import Box, Grid, union
from tasks.model import Finding, Kind, Mark
from tasks.pixels import converted
from tasks.redaction.gate.checks import FAULTS, file_check, page_check
from tasks.redaction.gate.output import Output, PageView
from tasks.redaction.gate.pixels import JPEG_BLOCK, code_again, covered, expected_marks, luma, rows_of_blocks

RINGING, FAINT, LEAST_REST = 5.0, 24, 8
"""Mean stray of a cut block's rest from bare paper, coded alike, that is more than coding (at most 3.3 on 150 drawn
pages and the demo's); what still counts as paper, in grey levels; and how many pixels it takes to judge."""

NEUTRAL = 128
"""What JPEG's two colours are where there is none."""

TURNED = 3
"""A mark this many times as long across the page's text as along it lies over text that runs the other way."""

SHADES = 10
"""How far the shade of paper that was coded may lie from what a block shows of it, in grey levels."""


@file_check("A28")
def plan_and_file_belong_together(output: Output) -> Iterator[Finding]:
    """Same source, same number of pages, in plan, transcript and file."""
    pages = {len(output.pdf.pages), len(output.reader), output.plan.pages, len(output.transcript.pages)}
    if len(pages) != 1 or output.plan.source_sha256 != output.transcript.source_sha256:
        yield Finding("A28", None, None, "Plan, transcript and file do not belong together.")
    if any(not 0 <= mark.page < output.plan.pages for mark in output.plan.marks):
        yield Finding("A28", None, None, "A mark stands on a page that is not there.")


@page_check("A20")
def no_ringing_is_left_beside_marks(view: PageView) -> Iterator[Finding]:
    """Where a mark cuts a block of the source's compression, the rest of the block is bare paper, or plain ink.

    A block that holds hidden text holds its ringing too, in lightness and in colour. Paper beside a mark looks as paper
    does once it is coded as the page is; ringing is what that does not explain. A block with a neighbour's ink in it
    cannot be judged so.
    """
    places = [(region, grid, _reach(view, region, grid)) for region in view.regions for grid in view.transcript.grids]
    rows = rows_of_blocks((around for _, _, around in places if around.area), view.transcript.height_px)
    light, inside = luma(view, rows), covered(view)
    cells = list(_cells(places, light, inside))
    if not cells:
        return
    faulty: dict[Box, None] = {}
    for plane in _planes(view, light, rows):
        faulty |= dict.fromkeys(_ringing(view, plane, inside, cells))
    for region in faulty:
        yield Finding("A20", view.number, region, f"A mark leaves {FAULTS['A20']}.")


def _ringing(view: PageView, plane: _Plane, inside: NDArray[np.bool_], cells: Sequence[_Cell]) -> Iterator[Box]:
    """The marks beside which one component of the page shows what paper does not explain."""
    bare = _bare(view, plane, inside, cells)
    for cell in cells:
        if not cell.bare or cell.rest < LEAST_REST or (cell.grid.colour and not plane.table):
            continue
        place, rest = _cut(cell.block), ~inside[_cut(cell.block)]
        there = plane.seen[place][rest].astype(np.int16)
        if _stray(there, bare.coded[place][rest]) > RINGING and _least_stray(view, plane, bare, cell.block, rest):
            yield cell.region


@dataclass(frozen=True, slots=True)
class _Cell:
    """A block that a mark cuts.

    Attributes:
        region: of the mark.
        grid: the blocks it is one of.
        around: all that what the mark hides may ring in.
        block: its place.
        rest: how many px of it no mark covers.
        bare: whether they, and the file's own blocks that they lie in, show no more than paper: ink rings through
            all of a block that it is coded in.
    """

    region: Box
    grid: Grid
    around: Box
    block: Box
    rest: int
    bare: bool


def _cells(
    places: Sequence[tuple[Box, Grid, Box]], light: NDArray[np.uint8], inside: NDArray[np.bool_]
) -> Iterator[_Cell]:
    for region, grid, around in places:
        if inside[_cut(around)].all():
            continue
        outside = ~inside[_cut(around)]
        for block in _blocks(around, grid):
            shades = light[_cut(block)][outside[_cut(block.moved(-around.x0, -around.y0))]]
            if shades.size:
                own = _cut(_own_blocks(block))
                bare = _is_even(shades) and _is_even(light[own][~inside[own]])
                yield _Cell(region, grid, around, block, shades.size, bare)


@dataclass(frozen=True, slots=True)
class _Plane:
    """One component of the page as JPEG codes it, in the rows of blocks that marks can ring in.

    Attributes:
        seen: (height, width).
        marked: what marks look like in it, the same.
        table: its table in the file.
        rows: bands outside which the component says nothing.
    """

    seen: NDArray[np.uint8]
    marked: NDArray[np.uint8]
    table: int
    rows: Sequence[slice]


@dataclass(frozen=True, slots=True)
class _Bare:
    """A plane with bare paper around its marks: before and after coding; both say nothing outside the plane's rows."""

    drawn: NDArray[np.uint8]
    coded: NDArray[np.uint8]


def _planes(view: PageView, light: NDArray[np.uint8], rows: Sequence[slice]) -> Iterator[_Plane]:
    yield _Plane(light, expected_marks(view), 0, rows)
    if view.pixels.ndim == 3:
        for n in (1, 2):
            seen = converted(view.pixels, "YCbCr", n, rows)
            yield _Plane(seen, np.broadcast_to(np.uint8(NEUTRAL), light.shape), 1, rows)


def _bare(view: PageView, plane: _Plane, inside: NDArray[np.bool_], cells: Sequence[_Cell]) -> _Bare:
    """The plane as it were if there were bare paper around all marks."""
    drawn = np.zeros_like(plane.seen)
    for band in plane.rows:
        drawn[band] = np.where(inside[band], plane.marked[band], plane.seen[band])
    papers: dict[Box, np.uint8] = {}
    for cell in cells:
        # A neighbour's ink stays: where the file's own blocks lie otherwise, it rings into the next one.
        if not cell.bare or (cell.grid.colour and not plane.table):
            continue
        if cell.around not in papers:
            rest = ~inside[_cut(cell.around)]
            papers[cell.around] = np.uint8(np.median(plane.seen[_cut(cell.around)][rest]))
        np.copyto(drawn[_cut(cell.block)], papers[cell.around], where=~inside[_cut(cell.block)])
    coded = drawn
    if view.image.Filter == "/DCTDecode":
        coded = drawn.copy()
        code_again(view, coded, plane.rows, plane.table)
    return _Bare(drawn, coded)


def _own_blocks(block: Box) -> Box:
    """The blocks in which the file codes a place."""
    return Box(
        block.x0 // JPEG_BLOCK * JPEG_BLOCK,
        block.y0 // JPEG_BLOCK * JPEG_BLOCK,
        -(-block.x1 // JPEG_BLOCK) * JPEG_BLOCK,
        -(-block.y1 // JPEG_BLOCK) * JPEG_BLOCK,
    )


def _is_even(shades: NDArray[np.uint8]) -> bool:
    """Whether pixels show no more than paper."""
    low, high = int(shades.min()), int(shades.max())
    if high - low <= FAINT:
        return True
    if high - low > 2 * FAINT + 1:  # wherever the middle lies
        return False
    middle = int(np.median(shades))
    return max(high - middle, middle - low) <= FAINT


def _reach(view: PageView, region: Box, grid: Grid) -> Box:
    """How far what a mark hides may ring: its blocks, and what their samples run into when they are drawn."""
    if not region.meets(grid.place):
        return Box(region.x0, region.y0, region.x0, region.y0)
    (left, right), (top, bottom) = (
        _lines_around(low, high, grid.origin[axis], grid.step[axis])
        for axis, (low, high) in enumerate(((region.x0, region.x1), (region.y0, region.y1)))
    )
    blocks = Box(left, top, right, bottom).intersection(grid.place).padded(grid.rim)
    return blocks.clipped(view.transcript.width_px, view.transcript.height_px)


def _lines_around(low: int, high: int, origin: float, step: float) -> tuple[int, int]:
    """The last line of a grid before a place and the first behind another; a px that a line crosses is at both."""
    first = origin + step * ((low + 0.999 - origin) // step)
    last = origin - step * ((origin - high + 0.999) // step)
    return int((first + 0.001) // 1), -int((-last + 0.001) // 1)


def _blocks(around: Box, grid: Grid) -> list[Box]:
    """A place cut where blocks meet."""
    xs, ys = (
        sorted({low, high, *_lines(low, high, grid.origin[axis], grid.step[axis])})
        for axis, (low, high) in enumerate(((around.x0, around.x1), (around.y0, around.y1)))
    )
    return [Box(x0, y0, x1, y1) for y0, y1 in pairwise(ys) for x0, x1 in pairwise(xs)]


def _lines(low: int, high: int, origin: float, step: float) -> list[int]:
    first, count = int((low - origin) // step), int((high - low) / step) + 2
    return [line for n in range(count) if low < (line := round(origin + step * (first + n))) < high]


def _stray(there: NDArray[np.int16], bare: NDArray[np.uint8]) -> float:
    """Mean distance of pixels from bare paper; its own shade of paper is no ringing."""
    strayed = there - bare.astype(np.int16)
    if np.ptp(strayed) <= RINGING:  # most blocks: no mean can be more
        return 0.0
    return float(np.abs(strayed - np.median(strayed)).mean())


def _least_stray(view: PageView, plane: _Plane, bare: _Bare, block: Box, rest: NDArray[np.bool_]) -> bool:
    """Whether no shade of paper explains a block: coarse coding rounds neighbouring shades apart."""
    there = plane.seen[_cut(block)][rest].astype(np.int16)
    middle = int(np.median(there))
    height, width = plane.seen.shape
    whole = _own_blocks(block)
    tile = bare.drawn[whole.y0 : min(whole.y1, height), whole.x0 : min(whole.x1, width)]
    tile = np.pad(tile, ((0, whole.height - tile.shape[0]), (0, whole.width - tile.shape[1])), mode="edge")
    place = np.s_[block.y0 - whole.y0 : block.y1 - whole.y0, block.x0 - whole.x0 : block.x1 - whole.x0]
    tiles = []
    for shade in range(max(0, middle - SHADES), min(255, middle + SHADES) + 1):
        tiles.append(tile.copy())
        tiles[-1][place][rest] = shade
    coded = np.hstack(tiles)
    if view.image.Filter == "/DCTDecode":
        code_again(view, coded, (slice(0, len(coded)),), plane.table)
    looks = (coded[:, n * whole.width : (n + 1) * whole.width][place][rest] for n in range(len(tiles)))
    return min(_stray(there, look) for look in looks) > RINGING


def _cut(box: Box) -> tuple[slice, slice]:
    return slice(box.y0, box.y1), slice(box.x0, box.x1)


@page_check("A22")
def widths_say_little(view: PageView) -> Iterator[Finding]:
    """No mark is narrower than twice its height where there is room for more."""
    for mark in view.marks:
        if {Kind.CODE, Kind.BOX} & set(mark.kinds):
            continue
        box = union(mark.regions)
        level = view.quarter_turns % 2 == 0
        along, across = (box.width, box.height) if level else (box.height, box.width)
        if across > TURNED * along:  # text up the margin
            level, along, across = not level, across, along
        line = across - _grown_by_snapping(view)
        if len(mark.regions) == 1 and along < 1.5 * line and not _is_hemmed_in(view, box, across, level):
            yield Finding("A22", view.number, box, "A mark is so narrow that its width betrays its content.")


@page_check("A22")
def notices_say_little(view: PageView) -> Iterator[Finding]:
    """The text of a notice stands where its mark and exemption put it, so its width tells nothing of what is hidden."""
    places = [(f"[withheld: {mark.exemption}]", _notice_place(view, mark)) for mark in view.marks]
    for shown in view.shown:
        if view.is_label(shown) and not any(
            text == shown.text and all(abs(a - b) <= 1 for a, b in zip(place, shown.box, strict=True))
            for text, place in places
        ):
            box = Box(*(int(side) for side in shown.box))
            yield Finding("A22", view.number, box, "A notice does not stand where its mark puts it.")


def _grown_by_snapping(view: PageView) -> float:
    """How much taller a mark may be than its line, whatever it hides, px.

    It may begin and end with a block of the source's compression; where there are none, with thirds of a line.
    """
    heights = [word.box.height for reading in view.transcript.readings[:1] for word in reading.words]
    third = float(np.median(heights)) / 3 if heights else 1.0
    edge = max((side for grid in view.transcript.grids if not grid.colour for side in grid.step), default=1.0)
    return max(2 * (edge - 1), third - 1)


def _notice_place(view: PageView, mark: Mark) -> tuple[float, float, float, float]:
    """In the middle of the largest region, from three tenths of its height on; as tall as its width leaves it."""
    region, text = max(mark.regions, key=lambda r: r.area), f"[withheld: {mark.exemption}]"
    upright = view.quarter_turns % 2 == 0
    along, across = (region.width, region.height) if upright else (region.height, region.width)
    height = min(across - 2.0, 3.0 * along / len(text))
    gap = min(0.3 * height, 0.1 * along)
    width = min(along - 2 * gap, 0.5 * len(text) * height)
    top = (across - height) / 2
    match view.quarter_turns:
        case 0:
            x, y = region.x0 + gap, region.y0 + top
        case 1:
            x, y = region.x0 + top, region.y0 + gap
        case 2:
            x, y = region.x1 - gap - width, region.y0 + top
        case _:
            x, y = region.x0 + top, region.y1 - gap - width
    return (x, y, x + width, y + height) if upright else (x, y, x + height, y + width)


def _hides(region: Box, word: Box) -> bool:
    return region.meets(word) and 2 * region.intersection(word).area >= word.area


def _is_hemmed_in(view: PageView, box: Box, across: int, level: bool) -> bool:
    """Whether words or the page's edge stand close on both sides, so that a mark could not be wider."""
    page = view.transcript
    if level:
        before = Box(box.x0 - 2 * across, box.y0, box.x0, box.y1)
        behind = Box(box.x1, box.y0, box.x1 + 2 * across, box.y1)
    else:
        before = Box(box.x0, box.y0 - 2 * across, box.x1, box.y0)
        behind = Box(box.x0, box.y1, box.x1, box.y1 + 2 * across)
    words = [reading.frame.box_to_page(word.box) for reading in page.readings for word in reading.words]
    words = [word for word in words if not any(_hides(region, word) for region in view.regions)]
    whole = Box(0, 0, page.width_px, page.height_px)
    return all(not whole.contains(side) or any(word.meets(side) for word in words) for side in (before, behind))
