"""The marks themselves: what their places give away.

Rule kept here: what the plan says is judged too, because a file that shows exactly a careless plan is still a leak.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.geometry import Box, union
from tasks.model import Finding, Kind
from tasks.redaction.gate.checks import file_check, page_check
from tasks.redaction.gate.output import Output, PageView


@file_check("A28")
def plan_and_file_belong_together(output: Output) -> Iterator[Finding]:
    """Same source, same number of pages, in plan, transcript and file."""
    pages = {len(output.pdf.pages), len(output.reader), output.plan.pages, len(output.transcript.pages)}
    if len(pages) != 1 or output.plan.source_sha256 != output.transcript.source_sha256:
        yield Finding("A28", None, None, "Plan, transcript and file do not belong together.")
    if any(not 0 <= mark.page < output.plan.pages for mark in output.plan.marks):
        yield Finding("A28", None, None, "A mark stands on a page that is not there.")


@page_check("A20")
def marks_lie_on_the_grid(view: PageView) -> Iterator[Finding]:
    """Edges are multiples of the source's block size or the page's edge, so no ringing of hidden text is left."""
    known = view.transcript
    for region in view.regions:
        if not region.area or region.snapped(known.grid, known.width_px, known.height_px) != region:
            yield Finding("A20", view.number, region, "A mark does not lie on the compression grid.")


@page_check("A22")
def widths_say_little(view: PageView) -> Iterator[Finding]:
    """No mark is narrower than twice its height where there is room for more."""
    for mark in view.marks:
        if {Kind.CODE, Kind.BOX} & set(mark.kinds):
            continue
        box = union(mark.regions)
        along, across = (box.width, box.height) if view.quarter_turns % 2 == 0 else (box.height, box.width)
        # Snapping makes a mark taller by up to two blocks less two pixels, whatever it hides.
        line = across - 2 * (view.transcript.grid - 1)
        if len(mark.regions) == 1 and along < 1.5 * line and not _is_hemmed_in(view, box, across):
            yield Finding("A22", view.number, box, "A mark is so narrow that its width betrays its content.")


def _hides(region: Box, word: Box) -> bool:
    return region.meets(word) and 2 * region.intersection(word).area >= word.area


def _is_hemmed_in(view: PageView, box: Box, across: int) -> bool:
    """Whether words or the page's edge stand close on both sides, so that a mark could not be wider."""
    page = view.transcript
    if view.quarter_turns % 2 == 0:
        before = Box(box.x0 - 2 * across, box.y0, box.x0, box.y1)
        behind = Box(box.x1, box.y0, box.x1 + 2 * across, box.y1)
    else:
        before = Box(box.x0, box.y0 - 2 * across, box.x1, box.y0)
        behind = Box(box.x0, box.y1, box.x1, box.y1 + 2 * across)
    words = [reading.frame.box_to_page(word.box) for reading in page.readings for word in reading.words]
    words = [word for word in words if not any(_hides(region, word) for region in view.regions)]
    whole = Box(0, 0, page.width_px, page.height_px)
    return all(not whole.contains(side) or any(word.meets(side) for word in words) for side in (before, behind))
