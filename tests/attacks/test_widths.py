"""What a mark's place and width give away: little, on real plans; and what it must look like, printed."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from tasks.geometry import Box
from tasks.model import Kind, Mark, Mode
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate.verdict import check_record
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

FIRST = ("adam", "alex", "charlie", "david", "emma", "hannah", "jordan", "oliver", "rebecca", "samantha")
LAST = ("ball", "clark", "evans", "green", "harris", "mitchell", "norton", "patel", "richardson", "thompson")
STAFF = [f"{first}.{last}@police.example" for first, last in itertools.product(FIRST, LAST)]
FEWEST = 10


def codes(data: bytes, record: DrawnRecord, **changes: Any) -> set[str]:
    plan, transcript = changes.get("plan", record.plan), changes.get("transcript", record.transcript)
    return {finding.code for finding in check_record(data, plan, transcript).findings}


# ------------------------------------------------------------------------------------------------ how many fit


def width_of(address: str, mode: Mode, type_px: int) -> int:
    """Of the box that our planner puts over an address on a line of its own."""
    drawn = draw_page((f"Write to {address}",), {address: Kind.EMAIL}, mode=mode, type_px=type_px, size=(1240, 160))
    (mark,) = record_of(drawn).plan.marks
    (region,) = mark.regions
    return region.width


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "type_px"), [("bilevel", 24), ("grey", 24), ("bilevel", 18)])
def test_ten_of_a_hundred_staff_addresses_fit_any_box(mode: Mode, type_px: int) -> None:
    """Whoever knows the hundred cannot tell by the width alone which of ten it is."""
    step = 8 if mode == "grey" else 2  # blocks of compression and rounding; no content shows in less
    widths = [width_of(address, mode, type_px) for address in STAFF]
    for width in set(widths):
        fit = sum(abs(other - width) <= step for other in widths)
        assert fit >= FEWEST, (width, fit)


# ------------------------------------------------------------------------------------------------ how narrow


def narrow(turns: int, words: tuple[str, ...], pad_px: int, across_px: int, kind: Kind) -> tuple[DrawnRecord, bytes]:
    """A mark over the second word of a line, with the words given beside it and no others known."""
    drawn = record_of(draw_page(["Ring 7 at noon"], {}, mode="bilevel", quarter_turns=turns, size=(600, 300)))
    page = drawn.transcript.pages[0]
    reading = page.readings[0]
    known = tuple(word for word in reading.words if word.text in words)
    place = reading.frame.box_to_page(next(word for word in reading.words if word.text == "7").box)
    region = place.padded(pad_px, across_px) if turns % 2 == 0 else place.padded(across_px, pad_px)
    pages = (dataclasses.replace(page, readings=(dataclasses.replace(reading, words=known),)),)
    transcript = dataclasses.replace(drawn.transcript, pages=pages)
    plan = dataclasses.replace(drawn.plan, marks=(Mark(1, 0, (region,), (kind,), "s.31(1)(a)"),))
    record = dataclasses.replace(drawn, transcript=transcript, plan=plan)
    return record, record.apply()


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(
    ("words", "pad_px", "kind", "expected"),
    [
        (("7",), 3, Kind.EXTENSION, {"A22"}),
        (("7", "Ring"), 3, Kind.EXTENSION, {"A22"}),
        (("7", "at"), 3, Kind.EXTENSION, {"A22"}),
        (("7", "Ring", "at"), 3, Kind.EXTENSION, set()),
        (("7",), 7, Kind.EXTENSION, {"A22"}),
        (("7", "Ring", "at"), 7, Kind.EXTENSION, set()),  # grazes both, and hides neither
        (("7",), 40, Kind.EXTENSION, set()),
        (("7",), 3, Kind.CODE, set()),
        (("7",), 3, Kind.BOX, set()),
    ],
)
def test_a_narrow_mark_with_room_beside_it(
    turns: int, words: tuple[str, ...], pad_px: int, kind: Kind, expected: set[str]
) -> None:
    record, data = narrow(turns, words, pad_px, 4, kind)
    assert codes(data, record) == expected


@pytest.mark.parametrize(("apart", "expected"), [(1.7, set()), (2.3, {"A22"})])
@pytest.mark.parametrize("turns", range(4))
def test_words_two_heights_away_leave_room(turns: int, apart: float, expected: set[str]) -> None:
    """On either side; nearer ones hem a mark in."""
    for side in (-1, 1):
        record, data = narrow(turns, ("7", "Ring", "at"), 3, 4, Kind.EXTENSION)
        page = record.transcript.pages[0]
        reading = page.readings[0]
        (mark,) = record.plan.marks
        height = mark.regions[0].height if turns % 2 == 0 else mark.regions[0].width
        seven = next(word.box for word in reading.words if word.text == "7")
        words = []
        for word in reading.words:
            box = word.box
            if word.text == ("Ring" if side < 0 else "at"):
                near = seven.x0 - 3 - apart * height if side < 0 else seven.x1 + 3 + apart * height
                shift = round(near - (box.x1 if side < 0 else box.x0))
                box = Box(box.x0 + shift, box.y0, box.x1 + shift, box.y1)
            words.append(dataclasses.replace(word, box=box))
        pages = (dataclasses.replace(page, readings=(dataclasses.replace(reading, words=tuple(words)),)),)
        transcript = dataclasses.replace(record.transcript, pages=pages)
        assert codes(data, record, transcript=transcript) - {"A05"} == expected  # its word was read elsewhere


def test_a_mark_over_text_up_the_margin_is_judged_along_its_text() -> None:
    """Three times as tall as wide on a level page: its text runs up."""
    drawn = record_of(draw_page(["Nothing else"], {}, mode="bilevel", size=(600, 400)))
    for height, expected in ((120, set()), (45, {"A22"})):
        mark = Mark(1, 0, (Box(20, 150, 50, 150 + height),), (Kind.PHONE,), "s.31(1)(a)")
        plan = dataclasses.replace(drawn.plan, marks=(mark,))
        data = apply_marks(drawn.rasters(), plan, drawn.transcript, "x")
        assert codes(data, drawn, plan=plan) == expected


def test_a_mark_of_several_boxes_is_judged_by_none() -> None:
    drawn = record_of(draw_page(["Nothing else"], {}, mode="bilevel", size=(600, 400)))
    boxes = (Box(300, 150, 320, 180), Box(300, 200, 320, 230))
    plan = dataclasses.replace(drawn.plan, marks=(Mark(1, 0, boxes, (Kind.ADDRESS,), "s.31(1)(a)"),))
    data = apply_marks(drawn.rasters(), plan, drawn.transcript, "x")
    assert codes(data, drawn, plan=plan) == set()


# ------------------------------------------------------------------------------------------------ what it looks like


@pytest.mark.parametrize("turns", range(4))
def test_marks_that_overlap_are_printed_on_once(turns: int) -> None:
    """The second print would run into the first, and neither could be read."""
    drawn = record_of(draw_page(["Nothing else"], {}, mode="bilevel", quarter_turns=turns, size=(600, 600)))
    boxes = (Box(200, 200, 420, 420), Box(206, 204, 426, 424))
    marks = tuple(Mark(n, 0, (box,), (Kind.BOX,), "s.31(1)(a)") for n, box in enumerate(boxes, 1))
    plan = dataclasses.replace(drawn.plan, marks=marks)
    data = apply_marks(drawn.rasters(), plan, drawn.transcript, "x")
    assert codes(data, drawn, plan=plan) == set()


@pytest.mark.parametrize("dpi", [(204, 98), (204, 196), (300, 134), (150, 150)])
def test_prints_of_every_size_are_those_that_the_writer_prints(dpi: tuple[float, float]) -> None:
    """The gate shares no code with it; where pixels are not square a print is stretched, and rounded to whole ones."""
    drawn = record_of(draw_page([], {}, mode="bilevel", dpi=dpi, size=(1240, 2000)))
    page = drawn.transcript.pages[0]
    boxes, top, height = [], 20, round(0.13 * dpi[1])
    while top + height < page.height_px - 20 and height < 60:
        boxes.append(Box(100, top, 1100, top + height))
        top, height = top + height + 4, height + 1
    texts = ("s.31(1)(a)", "s.40(2)", "s.43(2)")
    marks = tuple(Mark(n, 0, (box,), (Kind.BOX,), texts[n % 3]) for n, box in enumerate(boxes, 1))
    plan = dataclasses.replace(drawn.plan, marks=marks)
    data = apply_marks(drawn.rasters(), plan, drawn.transcript, "x")
    assert codes(data, drawn, plan=plan) == set()


LOOKS: dict[str, dict[str, Any]] = {
    "level": {},
    "turned once": {"quarter_turns": 1},
    "upside down": {"quarter_turns": 2},
    "turned back": {"quarter_turns": 3},
    "fax": {"dpi": (204, 98)},
    "small type": {"type_px": 12},
    "large type": {"type_px": 44},
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_the_print_of_a_mark_is_where_and_what_it_must_be(look: dict[str, Any]) -> None:
    """Two levels bear no stray: one pixel of the print gone, one beside it, or all of it gone is a finding."""
    record = record_of(draw_page(mode="bilevel", **look))
    good = record.apply()
    assert codes(good, record) == set()

    def without(painted: Any, source: Any, region: Box) -> Any:
        return painted * 0

    def one_less(painted: Any, source: Any, region: Box) -> Any:
        changed = painted.copy()
        ys, xs = (changed > 128).nonzero()
        if len(ys):
            changed[ys[0], xs[0]] = 0
        return changed

    def one_more(painted: Any, source: Any, region: Box) -> Any:
        changed = painted.copy()
        changed[1, 1] = 255
        return changed

    printed = [False]

    def seen(painted: Any, source: Any, region: Box) -> Any:
        printed[0] |= bool((painted > 128).any())
        return painted

    eight_bits = faults.on_image(lambda image: image.__setitem__("/BitsPerComponent", 8))
    assert codes(eight_bits(faults.repaint(record, seen, good)), record) == set()
    for change in (without, one_less) if printed[0] else ():
        assert codes(eight_bits(faults.repaint(record, change, good)), record) == {"A23"}
    assert codes(eight_bits(faults.repaint(record, one_more, good)), record) == {"A23"}
