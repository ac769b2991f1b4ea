"""The text layer word by word: each was read there once, lies on ink, and a mark holds its notice and no more."""

from __future__ import annotations

import dataclasses
import io
import re
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pikepdf
import pytest

from tasks.geometry import Box
from tasks.model import Word
from tasks.redaction.gate.verdict import check_record
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, draw_page, record_of


def codes(data: bytes, record: DrawnRecord, **changes: Any) -> set[str]:
    plan, transcript = changes.get("plan", record.plan), changes.get("transcript", record.transcript)
    return {finding.code for finding in check_record(data, plan, transcript).findings}


def word_of(record: DrawnRecord, text: str) -> Word:
    return next(word for word in record.transcript.pages[0].readings[0].words if word.text == text)


def with_word(record: DrawnRecord, text: str, change: Callable[[Word], Word | None]) -> Any:
    """The transcript with another word in one's place, or none."""
    page = record.transcript.pages[0]
    words = (change(word) if word.text == text else word for word in page.readings[0].words)
    reading = dataclasses.replace(page.readings[0], words=tuple(word for word in words if word is not None))
    return dataclasses.replace(record.transcript, pages=(dataclasses.replace(page, readings=(reading,)),))


def moved(x_px: int, y_px: int) -> Callable[[Word], Word]:
    return lambda word: dataclasses.replace(
        word, box=Box(word.box.x0 + x_px, word.box.y0 + y_px, word.box.x1 + x_px, word.box.y1 + y_px)
    )


# ------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("arrangements", set()),
        ("arrangernents", set()),  # eleven letters of thirteen
        ("arranged", {"A05"}),
        ("Arrangement", set()),
        ("xxxxxxxxxxxx", {"A05"}),
        ("", {"A05"}),
    ],
)
def test_a_word_agrees_with_what_was_read_there(
    record: DrawnRecord, good: bytes, read: str, expected: set[str]
) -> None:
    other = with_word(record, "arrangements", lambda word: dataclasses.replace(word, text=read))
    assert codes(good, record, transcript=other) == expected


@pytest.mark.parametrize(
    ("x_px", "y_px", "expected"),
    [(0, 0, set()), (6, 6, set()), (0, 30, {"A05"}), (0, -30, {"A05"}), (-90, 0, {"A05"}), (90, 0, {"A05"})],
)
def test_a_word_stands_where_it_was_read(
    record: DrawnRecord, good: bytes, x_px: int, y_px: int, expected: set[str]
) -> None:
    other = with_word(record, "barrier", moved(x_px, y_px))
    assert codes(good, record, transcript=other) == expected


def test_a_word_that_was_never_read(record: DrawnRecord, good: bytes) -> None:
    assert codes(good, record, transcript=with_word(record, "barrier", lambda word: None)) == {"A05"}


def test_each_word_of_a_reading_speaks_for_one(record: DrawnRecord, good: bytes) -> None:
    word = word_of(record, "barrier")
    x, y = word.box.x0 * 72 / 150, (900 - word.box.y1) * 72 / 150
    assert codes(faults.say(good, "barrier", x, y), record) == {"A05"}


def whitened(data: bytes, box: Box, level: int = 255, print_level: int | None = None) -> bytes:
    """The page without the ink of a place, stored without loss; or with very pale ink."""

    def plant(image: Any) -> None:
        pixels = np.array(pikepdf.PdfImage(image).as_pil_image().convert("RGB"))
        place = np.s_[box.y0 : box.y1, box.x0 : box.x1]
        ink = pixels[place].min(axis=2) < 128
        pixels[place] = level
        if print_level is not None:
            pixels[place][ink] = print_level
        parms = pikepdf.Dictionary(Columns=pixels.shape[1], Colors=3, BitsPerComponent=8, Predictor=15)
        rows = b"".join(b"\0" + row.tobytes() for row in pixels)
        image.write(zlib.compress(rows), filter=pikepdf.Name.FlateDecode, decode_parms=parms)

    return faults.on_image(plant)(data)


def test_a_word_that_the_pixels_do_not_show() -> None:
    record = record_of(draw_page(mode="colour", jpeg=False))
    good = record.apply()
    place = word_of(record, "barrier").box.padded(5)
    assert codes(whitened(good, place), record) == {"A05"}
    assert codes(whitened(good, place, 255, 246), record) == {"A05"}
    assert codes(whitened(good, place, 255, 240), record) == set()
    inner = Box(place.x0 + 40, place.y0, place.x1, place.y1)
    assert codes(whitened(good, inner), record) == set()


# ------------------------------------------------------------------------------------------------ notices


def notice_lines(data: bytes, content: bytes) -> list[bytes]:
    known = faults.codes_of_chars(data)
    opening = ("<" + known["["] + known["w"] + known["i"]).encode()
    return [line for line in content.split(b"\n") if opening in line]


@pytest.mark.parametrize(("times", "expected"), [(1, set()), (60, {"A01"})])
def test_a_notice_many_times_over(record: DrawnRecord, good: bytes, times: int, expected: set[str]) -> None:
    """Their number could say something."""

    def repeat(content: bytes) -> bytes:
        first = notice_lines(good, content)[0]
        return content.replace(first, b"\n".join([first] * times), 1)

    assert codes(faults.on_content(repeat)(good), record) == expected


def test_a_notice_in_another_place(record: DrawnRecord, good: bytes) -> None:
    """Where there is no mark it was read nowhere."""

    def astray(content: bytes) -> bytes:
        first = notice_lines(good, content)[0]
        moved_line = re.sub(rb"(\S+) (\S+) Tm", b"60 20 Tm", first)
        assert moved_line != first
        return content.replace(first, moved_line, 1)

    assert "A05" in codes(faults.on_content(astray)(good), record)


@pytest.mark.parametrize("text", ["[withheld: s.40(2)]", "[withheld: s.31(1)(a)"])
def test_another_notice_than_the_marks(record: DrawnRecord, good: bytes, text: str) -> None:
    """A shorter one, or another exemption, in a mark."""
    known = faults.codes_of_chars(good)
    if set(text) <= set(known):
        x, y = faults.place_of(record)
        assert "A01" in codes(faults.say(good, text, x, y), record)
    marks = tuple(dataclasses.replace(mark, exemption="s.40(2)") for mark in record.plan.marks)
    other = dataclasses.replace(record.plan, marks=marks)
    assert {"A01", "A23"} <= codes(good, record, plan=other)


def test_what_only_another_reader_finds_in_a_mark(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: text in a form of its own, which is no image either."""
    x, y = faults.place_of(record)

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        text = f"BT /F2 9 Tf 1 0 0 1 {x} {y} Tm (ring me) Tj ET".encode()
        font = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        page.Resources.XObject["/Fm1"] = pdf.make_stream(
            text,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=pikepdf.Array([0, 0, 600, 500]),
            Resources=pikepdf.Dictionary(Font=pikepdf.Dictionary(F2=font)),
        )
        page.Contents.write(page.Contents.read_bytes() + b"\n/Fm1 Do")

    found = check_record(faults.on_page(plant)(good), record.plan, record.transcript).findings
    assert {"A01", "A05", "A06"} <= {finding.code for finding in found}
    assert {f.message for f in found if f.code == "A01"} == {"Another reader finds text in a mark."}


@pytest.mark.parametrize("turns", range(4))
def test_text_that_meets_a_mark_on_a_turned_page(turns: int) -> None:
    drawn = record_of(draw_page(quarter_turns=turns))
    data = drawn.apply()
    x, y = faults.place_of(drawn)
    assert codes(data, drawn) == set()
    assert codes(faults.say(data, "office", x, y), drawn) == {"A01"}


def test_the_page_of_a_finding_is_named(record: DrawnRecord) -> None:
    two = record_of(draw_page(("Nothing to hide",), {}), draw_page(page=1))
    data = two.apply()

    def plant(pdf: pikepdf.Pdf) -> None:
        contents = pdf.pages[1].obj.Contents
        contents.write(contents.read_bytes().replace(b"3 Tr", b"0 Tr"))

    (finding,) = check_record(faults.resave(data, plant), two.plan, two.transcript).findings
    assert (finding.code, finding.page) == ("A04", 1)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.pages) == 2
