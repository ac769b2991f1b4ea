"""The marks themselves: what their places give away.

Rule kept here: what the plan says is judged too, because a file that shows exactly a careless plan is still a leak.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import Box, union
from tasks.model import Finding, Kind, Mark
from tasks.redaction.gate.checks import FAULTS, file_check, page_check
from tasks.redaction.gate.output import Output, PageView
from tasks.redaction.gate.pixels import JPEG_BLOCK, coded_again, covered, expected_marks, luma

RINGING, FAINT, LEAST_REST = 5.0, 24, 8
"""Mean stray of a cut block's rest from bare paper, coded alike, that is more than coding (at most 3.3 on 150 drawn
pages and the demo's); what still counts as paper, in grey levels; and how many pixels it takes to judge."""

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

    A block that holds hidden text holds its ringing too. Paper beside a mark looks as paper does once it is coded as
    the page is; ringing is what that does not explain. A block with a neighbour's ink in it cannot be judged so.
    """
    known = view.transcript
    size = known.width_px, known.height_px
    cut = [region for region in view.regions if region.snapped(known.grid, *size) != region]
    if not cut:
        return
    inside, seen = covered(view), luma(view)
    marked = expected_marks(view)
    bare, blocks = np.where(inside, marked, seen), []
    for region in cut:
        around = region.snapped(known.grid, *size)
        rest = ~inside[_cut(around)]
        if not rest.any():
            continue
        paper = np.uint8(np.median(seen[_cut(around)][rest]))
        bare[_cut(around)][rest] = paper
        blocks += [(region, block, paper) for block in _blocks(around, known.grid)]
    if view.image.Filter == "/DCTDecode":
        bare = coded_again(view, bare)
    for region, block, paper in blocks:
        rest = ~inside[_cut(block)]
        there = seen[_cut(block)][rest].astype(np.int16)
        if there.size < LEAST_REST or rest.all() or np.abs(there - paper).max() > FAINT:
            continue
        if (
            _stray(there, bare[_cut(block)][rest]) > RINGING
            and _least_stray(view, block, marked, inside, seen) > RINGING
        ):
            yield Finding("A20", view.number, region, f"A mark leaves {FAULTS['A20']}.")


def _stray(there: NDArray[np.int16], bare: NDArray[np.uint8]) -> float:
    """Mean distance of pixels from bare paper; its own shade of paper is no ringing."""
    strayed = there - bare.astype(np.int16)
    return float(np.abs(strayed - np.median(strayed)).mean())


def _least_stray(
    view: PageView, block: Box, marked: NDArray[np.uint8], inside: NDArray[np.bool_], seen: NDArray[np.uint8]
) -> float:
    """The same for the shade of paper that explains a block best: coarse coding rounds neighbouring shades apart."""
    mask = inside[_cut(block)]
    there = seen[_cut(block)][~mask].astype(np.int16)
    middle = int(np.median(there))
    tiles = []
    for shade in range(max(0, middle - SHADES), min(255, middle + SHADES) + 1):
        tile = np.where(mask, marked[_cut(block)], np.uint8(shade)).astype(np.uint8)
        tiles.append(np.pad(tile, ((0, -tile.shape[0] % JPEG_BLOCK), (0, -tile.shape[1] % JPEG_BLOCK)), mode="edge"))
    sheet = np.hstack(tiles)
    coded = coded_again(view, sheet) if view.image.Filter == "/DCTDecode" else sheet
    width = tiles[0].shape[1]
    starts = range(0, sheet.shape[1], width)
    return min(_stray(there, coded[: mask.shape[0], x : x + mask.shape[1]][~mask]) for x in starts)


def _cut(box: Box) -> tuple[slice, slice]:
    return slice(box.y0, box.y1), slice(box.x0, box.x1)


def _blocks(around: Box, grid: int) -> list[Box]:
    return [
        Box(x, y, min(x + grid, around.x1), min(y + grid, around.y1))
        for y in range(around.y0, around.y1, grid)
        for x in range(around.x0, around.x1, grid)
    ]


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
        # Snapping makes a mark taller by up to two blocks less two pixels, whatever it hides.
        line = across - 2 * (view.transcript.grid - 1)
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
