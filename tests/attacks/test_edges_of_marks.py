"""What is left beside a mark, on every side and on turned pages; and what of it is read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tasks.geometry import Box
from tasks.model import DRAWN_TEXT, Kind, RedactionPlan, Transcript
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate.verdict import check_record
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

NUMBER = "020 7946 0123"


def codes(data: bytes, record: DrawnRecord, **changes: Any) -> set[str]:
    plan, transcript = changes.get("plan", record.plan), changes.get("transcript", record.transcript)
    return {finding.code for finding in check_record(data, plan, transcript, changes.get("reread")).findings}


# ------------------------------------------------------------------------------------------------ tops and tails


def uncovered(record: DrawnRecord, share: float, above: bool) -> RedactionPlan:
    """The plan with the number's mark drawn back so far that it leaves a share of the digits' height."""
    reading = record.transcript.pages[0].readings[0]
    (mark,) = record.plan.marks
    (r,) = mark.regions
    word = next(reading.frame.box_to_page(word.box) for word in reading.words if word.text == "7946")
    turns = reading.frame.quarter_turns
    down, across = round(share * word.height), round(share * word.width)
    # The side of the page that is above the text: its top, and from there on clockwise.
    cut = (
        Box(r.x0, word.y0 + down, r.x1, r.y1),
        Box(r.x0, r.y0, word.x1 - across, r.y1),
        Box(r.x0, r.y0, r.x1, word.y1 - down),
        Box(word.x0 + across, r.y0, r.x1, r.y1),
    )[(turns if above else turns + 2) % 4]
    return dataclasses.replace(record.plan, marks=(dataclasses.replace(mark, regions=(cut,)),))


@pytest.fixture(scope="module", params=range(4))
def one_number(request: pytest.FixtureRequest) -> DrawnRecord:
    lines = ("The desk is open all day.", f"Ring {NUMBER} before noon.", "The barrier opens early.")
    drawn = draw_page(lines, {NUMBER: Kind.PHONE}, mode="bilevel", quarter_turns=request.param, size=(900, 400))
    return record_of(drawn)


@pytest.mark.parametrize("above", [True, False])
def test_tops_and_tails_are_found_however_the_page_is_turned(one_number: DrawnRecord, above: bool) -> None:
    for share, expected in ((0, set()), (0.2, set()), (0.35, {"A09"}), (0.5, {"A09"})):
        plan = uncovered(one_number, share, above)
        data = apply_marks(one_number.rasters(), plan, one_number.transcript, "x")
        assert codes(data, one_number, plan=plan) == expected, share


@pytest.mark.parametrize(("paper", "expected"), [(70, {"A09"}), (60, set())])
def test_what_stands_out_must_be_seen(one_number: DrawnRecord, paper: int, expected: set[str]) -> None:
    """Of less contrast than print has it is a stain; ink is black here."""
    plan = uncovered(one_number, 0.5, above=True)
    pages = [
        dataclasses.replace(page.raster, pixels=np.minimum(page.raster.pixels, paper)) for page in one_number.pages
    ]
    grey = [dataclasses.replace(raster, mode="grey") for raster in pages]
    data = apply_marks(grey, plan, one_number.transcript, "x")
    assert codes(data, one_number, plan=plan) & {"A09"} == expected


@pytest.mark.parametrize(
    ("along", "across", "expected"),
    [(0.6, 0.5, {"A09"}), (0.4, 0.5, set()), (0.6, 0.3, set()), (0.4, 0.3, set())],
)
def test_a_mark_that_only_grazes_a_word_hides_none_of_it(
    one_number: DrawnRecord, along: float, across: float, expected: set[str]
) -> None:
    """Less than two fifths of its height, or half of its length: the word was not meant."""
    reading = one_number.transcript.pages[0].readings[0]
    box = next(word.box for word in reading.words if word.text == "7946")
    end = Box(box.x1 - round(along * box.width), box.y1 - round(across * box.height), box.x1, box.y1)
    (mark,) = one_number.plan.marks
    grazing = dataclasses.replace(mark, regions=(reading.frame.box_to_page(end),))
    plan = dataclasses.replace(one_number.plan, marks=(grazing,))
    data = apply_marks(one_number.rasters(), plan, one_number.transcript, "x")
    assert codes(data, one_number, plan=plan) & {"A09"} == expected


def test_a_word_that_is_not_withheld_may_stand_out(one_number: DrawnRecord) -> None:
    plan = dataclasses.replace(uncovered(one_number, 0.5, above=True), withheld=())
    data = apply_marks(one_number.rasters(), plan, one_number.transcript, "x")
    assert codes(data, one_number, plan=plan) == set()


# ------------------------------------------------------------------------------------------------ what is read again


def sheets_of(record: DrawnRecord, confidence: float = 50.0) -> list[np.ndarray]:
    """What is read again round the marks of a record all of whose words were read with one confidence."""
    record = dataclasses.replace(record, transcript=read_with(confidence, record.transcript))
    seen: list[np.ndarray] = []

    def reread(sheets: Sequence[np.ndarray], dpi: float) -> list[list[str]]:
        assert dpi == 200
        seen.extend(sheets)
        return [[] for _ in sheets]

    assert codes(record.apply(), record, reread=reread) == set()
    return seen


def read_with(confidence: float, transcript: Transcript, reader: str = "tesseract") -> Transcript:
    pages = [
        dataclasses.replace(
            page,
            readings=tuple(
                dataclasses.replace(
                    r, reader=reader, words=tuple(dataclasses.replace(w, confidence=confidence) for w in r.words)
                )
                for r in page.readings
            ),
        )
        for page in transcript.pages
    ]
    return dataclasses.replace(transcript, pages=tuple(pages))


@pytest.mark.parametrize(
    ("text", "confidence", "read"),
    [
        ("harbour", 95.0, False),
        ("(harbour),", 95.0, False),
        ("harbour", 79.0, True),
        ("harb0ur", 95.0, True),
        ("harbour.desk", 95.0, True),
        ("at", 95.0, False),
        ("a", 95.0, True),
        ("OO", 95.0, True),  # a pair of digits as likely
        ("SOS", 95.0, True),
        ("jane", 95.0, True),  # a part of what is hidden
    ],
)
def test_plain_words_read_well_are_not_read_again(text: str, confidence: float, read: bool) -> None:
    values = {"jane.doe@harwich.example": Kind.EMAIL}
    record = record_of(draw_page(("jane.doe@harwich.example", text), values, mode="bilevel", size=(700, 200)))
    sheets = sheets_of(record, confidence)
    assert any((sheet < 128).any() for sheet in sheets) == read


def told(*lines: str) -> DrawnRecord:
    """A page that a program drew and every word of which is certain; its numbers are marked."""
    record = record_of(draw_page(lines, {NUMBER: Kind.PHONE}, mode="bilevel", size=(900, 80 + 41 * len(lines))))
    return dataclasses.replace(record, transcript=read_with(100.0, record.transcript, DRAWN_TEXT))


def heard_around(record: DrawnRecord, plan: RedactionPlan) -> tuple[set[str], list[np.ndarray]]:
    """What a gate says whose recogniser sees no word, and what it was given."""
    seen: list[np.ndarray] = []

    def blind(sheets: Sequence[np.ndarray], dpi: float) -> list[list[str]]:
        seen.extend(sheets)
        return [[] for _ in sheets]

    data = apply_marks(record.rasters(), plan, record.transcript, "x")
    return codes(data, record, plan=plan, reread=blind), seen


def test_certain_words_of_other_lines_are_not_read_again_whatever_they_hold() -> None:
    beside = told(f"ring {NUMBER} or 4471", "x", "y")
    above = told("4471 desk.7 a", f"{NUMBER}", "b 12/3 desk.8")
    assert any((sheet < 128).any() for sheet in heard_around(beside, beside.plan)[1])
    assert not any((sheet < 128).any() for sheet in heard_around(above, above.plan)[1])
    read = dataclasses.replace(above, transcript=read_with(100.0, above.transcript))
    assert any((sheet < 128).any() for sheet in heard_around(read, read.plan)[1])


def test_rows_of_dots_are_certain_and_what_is_written_on_them_is_not() -> None:
    record = told("Ring ............ now", f"{NUMBER}")
    assert any((sheet < 128).any() for sheet in heard_around(record, record.plan)[1])


def test_certain_words_are_judged_without_being_read_again() -> None:
    record = told("The desk is open.", f"Ring {NUMBER} today", f"or {NUMBER} at night")
    assert heard_around(record, record.plan)[0] == set()
    first, *_ = record.plan.marks
    forgotten = dataclasses.replace(record.plan, marks=(first,))
    found, sheets = heard_around(record, forgotten)
    assert "A09" in found
    assert not any((sheet < 128).any() for sheet in sheets)


@pytest.mark.parametrize(
    ("beside", "below", "found"),
    [
        ("020 7946", "012 seen", True),
        ("O20 7946", "O12 seen", True),
        ("020 7946", "seen", False),
        ("020", "and 7946", False),
    ],
)
def test_certain_words_are_judged_together_with_those_of_the_marks_own_line(
    beside: str, below: str, found: bool
) -> None:
    """Seven digits of ten in a row, though they go on in the next line, and though letters stand for some."""
    record = told(f"{NUMBER} {beside}", below, "end")
    assert ("A09" in heard_around(record, record.plan)[0]) == found


def test_the_band_round_a_mark_is_enlarged_and_shows_what_stands_beside(one_number: DrawnRecord) -> None:
    (sheet,) = sheets_of(one_number)
    (mark,) = one_number.plan.marks
    (r,) = mark.regions
    page = one_number.transcript.pages[0]
    turned = page.readings[0].frame.quarter_turns % 2 == 1
    h = r.width if turned else r.height
    band = (r.padded(h, 3 * h) if turned else r.padded(3 * h, h)).clipped(page.width_px, page.height_px)
    along, across = (band.height, band.width) if turned else (band.width, band.height)
    scale = 200 / 150
    assert sheet.shape == (round(scale * across) + 48, round(scale * along) + 48)
    # The mark itself is white; above, below and beside it there are words, level, and the margin of the sheet is blank.
    line = round(scale * h)
    middle = sheet[24 + line + 6 : -24 - line - 6]
    dark = np.flatnonzero((middle < 128).any(axis=0))
    gap = np.diff(dark).max()
    assert gap > scale * (r.height if turned else r.width) - 20
    assert (sheet[:24] == 255).all() and (sheet[-24:] == 255).all()
    assert (sheet[:, :24] == 255).all() and (sheet[:, -24:] == 255).all()
    assert (sheet[24 : 24 + line] < 128).any() and (sheet[-24 - line : -24] < 128).any()


def of_lines(*hidden: int, lines: int = 12, **page: Any) -> DrawnRecord:
    """A page of lines, some with a number of their own."""
    numbers = {f"020 7946 0{100 + n}": Kind.PHONE for n in hidden}
    texts = [f"ring 020 7946 0{100 + n} now" if n in hidden else f"line {n} of the memo" for n in range(lines)]
    return record_of(draw_page(texts, numbers, mode="bilevel", size=(900, 80 + 41 * lines), **page))


def test_bands_that_meet_are_one_and_others_stand_apart() -> None:
    near, far = sheets_of(of_lines(3, 4)), sheets_of(of_lines(1, 9))
    assert len(near) == len(far) == 1
    white = (far[0] == 255).all(axis=1)
    runs = np.flatnonzero(np.diff(white.astype(int)) == 1)
    assert len(runs) > len(np.flatnonzero(np.diff((near[0] == 255).all(axis=1).astype(int)) == 1))
    assert far[0].shape[0] > near[0].shape[0] + 24


def test_many_bands_need_several_sheets_of_bounded_length() -> None:
    many = sheets_of(of_lines(*range(1, 116, 4), lines=118))
    assert len(many) == 2
    assert all(sheet.shape[0] <= 3500 + 48 for sheet in many)
    assert sum(sheet.shape[0] for sheet in many) > 3500


def test_nothing_is_read_again_without_marks() -> None:
    assert sheets_of(record_of(draw_page(("Nothing to see here",), {}, size=(600, 200)))) == []


def test_a_page_of_high_resolution_is_not_made_smaller() -> None:
    fine = of_lines(3, lines=6, dpi=(600, 600))
    (sheet,) = sheets_of(fine)
    ((r,),) = [mark.regions for mark in fine.plan.marks]
    page = fine.transcript.pages[0]
    band = r.padded(3 * r.height, r.height).clipped(page.width_px, page.height_px)
    assert sheet.shape == (band.height + 48, band.width + 48)


def test_a_page_of_low_resolution_is_enlarged_three_times_at_most() -> None:
    coarse = of_lines(3, lines=6, dpi=(60, 60))
    (sheet,) = sheets_of(coarse)
    ((r,),) = [mark.regions for mark in coarse.plan.marks]
    page = coarse.transcript.pages[0]
    band = r.padded(3 * r.height, r.height).clipped(page.width_px, page.height_px)
    assert sheet.shape == (3 * band.height + 48, 3 * band.width + 48)
