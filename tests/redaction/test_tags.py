"""The tags of a record: what a screen reader hears, in which order, and at what cost."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image

from tasks.geometry import Box
from tasks.model import Kind, Mark
from tasks.redaction.layer import PlacedText
from tasks.redaction.paragraphs import paragraphs_of
from tests.pdf_ua import BEYOND_A_SCAN, complaints
from tests.redaction.drawn import MEMO, DrawnRecord, draw_page, record_of

LETTER = ("Dear resident,", "We write about the works in", "your street, which begin soon.", "", "Yours sincerely")


def heard(data: bytes, folder: Path) -> str:
    """The tree with its words, as poppler tells it."""
    path = folder / "heard.pdf"
    path.write_bytes(data)
    told = subprocess.run(["pdfinfo", "-struct-text", path], capture_output=True, text=True, check=True)
    assert told.stderr == ""
    return told.stdout


# ------------------------------------------------------------------------------------------------ what is heard


def test_each_page_is_a_section_of_paragraphs_with_notices_in_the_order_of_reading(tmp_path: Path) -> None:
    page = draw_page(("Agenda", "", "Ring 020 7946 0123 before noon", "or write to the site office."), page=0)
    told = heard(record_of(page, draw_page(LETTER, page=1)).apply(), tmp_path)
    lines = [line.strip().removesuffix(' "') for line in told.splitlines()]
    assert lines == [
        "Document",
        "Sect",
        "P (block)",
        '"Agenda',
        "P (block)",
        '"Ring [withheld: s.31(1)(a)] before noon or write to the site office.',
        "Sect",
        "P (block)",
        '"Dear resident, We write about the works in your street, which begin soon.',
        "P (block)",
        '"Yours sincerely',
    ]


def test_a_page_without_words_is_heard_as_a_picture(tmp_path: Path) -> None:
    data = record_of(draw_page(lines=(), secrets={})).apply()
    told = heard(data, tmp_path)
    assert "Figure" in told and "P (block)" not in told
    with pikepdf.open(io.BytesIO(data)) as pdf:
        tree: Any = pdf.Root.StructTreeRoot
        assert str(tree.K.K[0].K[0].Alt) == "Picture of the page. No text was read from it."


def test_title_language_and_the_claim_stand_where_readers_look_for_them() -> None:
    data = record_of(draw_page()).apply("Minutes & <notes> \u2013 May")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        with pdf.open_metadata() as xmp:
            assert xmp["dc:title"] == "Minutes & <notes> \u2013 May"
            assert xmp["dc:language"] == {"en-GB"}
            assert xmp["pdfuaid:part"] == "1"
        assert bool(pdf.Root.MarkInfo.Marked) and bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert [str(page.obj.Tabs) for page in pdf.pages] == ["/S"]


# ------------------------------------------------------------------------------------------------ paragraphs


def word(text: str, x: float, y: float, width: float = 60, height: float = 10, turns: int = 0) -> PlacedText:
    place = (x, y, x + width, y + height)
    if turns == 1:
        place = (-y - height, x, -y, x + width)
    elif turns == 2:
        place = (-x - width, -y - height, -x, -y)
    elif turns == 3:
        place = (y, -x - width, y + height, -x)
    return PlacedText(text, place, turns)


def grouped(*words: PlacedText) -> list[str]:
    return [" ".join(item.text for item in paragraph) for paragraph in paragraphs_of(words)]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_lines_close_below_one_another_are_one_paragraph(turns: int) -> None:
    lines = [word("a", 0, 0, turns=turns), word("b", 70, 1, turns=turns), word("c", 0, 18, turns=turns)]
    assert grouped(*lines) == ["a b c"]


@pytest.mark.parametrize(
    ("what", "second"),
    [
        ("a gap", word("b", 0, 40)),
        ("another column", word("b", 300, 16)),
        ("a heading's type", word("b", 0, 16, height=18)),
        ("a line above", word("b", 0, -30)),
    ],
)
def test_a_break(what: str, second: PlacedText) -> None:
    assert grouped(word("a", 0, 0), second) == ["a", "b"]


def test_an_indented_line_and_one_of_small_letters_go_on() -> None:
    assert grouped(word("A", 15, 0, height=11), word("or", 0, 17, height=8)) == ["A or"]


def test_no_words_make_no_paragraph() -> None:
    assert grouped() == []


def test_what_is_hidden_moves_no_break() -> None:
    """A value far below its line's words, covered whole: the tags are those of the words that are left."""
    drawn = draw_page(("Ring 020 7946 0123 before noon", "or write to us."))
    words = list(drawn.transcript.readings[0].words)
    low = [replace(w, box=Box(w.box.x0, w.box.y0, w.box.x1, w.box.y1 + 9)) if w.text == "7946" else w for w in words]
    readings = (replace(drawn.transcript.readings[0], words=tuple(low)),)
    moved = replace(drawn, transcript=replace(drawn.transcript, readings=readings))
    mark = Mark(1, 0, (Box(150, 60, 560, 130),), (Kind.PHONE,), "s.31(1)(a)")
    made = []
    for page in (drawn, moved):
        record = record_of(page)
        made.append(replace(record, plan=replace(record.plan, marks=(mark,))).apply())
    assert made[0] == made[1]


# ------------------------------------------------------------------------------------------------ PDF/UA


def many_pages() -> DrawnRecord:
    modes: list[dict[str, Any]] = [
        {},
        {"mode": "bilevel", "quarter_turns": 1},
        {"mode": "colour", "skew_deg": 2.0},
        {"lines": (), "secrets": {}},
        {"mode": "bilevel", "dpi": (204, 98)},
        {"lines": ("A single line \u2013 “caf\u00e9”",), "secrets": {}},
    ]
    return record_of(*(draw_page(page=number, **mode) for number, mode in enumerate(modes)))


def untitled(pdf: Any) -> None:
    del pdf.Root.ViewerPreferences


def unmarked(pdf: Any) -> None:
    del pdf.Root.MarkInfo


def untagged_picture(pdf: Any) -> None:
    contents = pdf.pages[0].obj.Contents
    contents.write(contents.read_bytes().replace(b"/Artifact BMC", b"/Artifact BMC EMC").replace(b"Q\nEMC", b"Q", 1))


def figure_without_words(pdf: Any) -> None:
    del pdf.Root.StructTreeRoot.K.K[3].K[0]["/Alt"]


def tag_that_is_none(pdf: Any) -> None:
    pdf.Root.StructTreeRoot.K.K[0].K[0].S = pikepdf.Name.Paragraph


SPOILT: list[Callable[[Any], None]] = [untitled, unmarked, untagged_picture, figure_without_words, tag_that_is_none]


@pytest.mark.slow
def test_the_machine_checks_of_pdf_ua_pass_and_would_fail(tmp_path: Path) -> None:
    good = tmp_path / "good.pdf"
    good.write_bytes(many_pages().apply("Minutes \u2013 <draft> & notes"))
    for spoil in SPOILT:
        with pikepdf.open(good) as pdf:
            spoil(pdf)
            pdf.save(tmp_path / f"{spoil.__name__}.pdf", fix_metadata_version=False)
    found = complaints(sorted(tmp_path.glob("*.pdf")))
    assert found.pop(str(good)) <= BEYOND_A_SCAN
    assert len(found) == len(SPOILT)
    for path, rules in found.items():
        assert rules - BEYOND_A_SCAN, Path(path).stem


# ------------------------------------------------------------------------------------------------ size


def office_page() -> tuple[DrawnRecord, bytes]:
    """A bilevel page of an office scanner at 200 dpi, with dust and ragged edges, and its source (TIFF, group 4)."""
    page = draw_page([*MEMO, "", *MEMO, "", *MEMO], mode="bilevel", size=(1654, 2339), dpi=(200, 200), type_px=30)
    chance = np.random.default_rng(1)
    pixels = page.raster.pixels.copy()
    rough = chance.random(pixels.shape) < 0.25
    edge = (pixels != np.roll(pixels, 1, axis=1)) | (pixels != np.roll(pixels, 1, axis=0))
    pixels[rough & edge] = 255 - pixels[rough & edge]
    pixels[chance.random(pixels.shape) < 0.0004] = 0
    scan = io.BytesIO()
    Image.fromarray(pixels).convert("1", dither=Image.Dither.NONE).save(scan, "TIFF", compression="group4")
    return record_of(replace(page, raster=replace(page.raster, pixels=pixels))), scan.getvalue()


def test_a_bilevel_office_scan_grows_by_less_than_a_third_and_stays_bilevel() -> None:
    record, scan = office_page()
    data = record.apply()
    assert len(data) < len(scan) * 4 / 3
    with pikepdf.open(io.BytesIO(data)) as pdf:
        image: Any = pdf.pages[0].obj.Resources.XObject["/Im1"]
        assert (image.BitsPerComponent, image.Filter) == (1, "/CCITTFaxDecode")


def test_tags_cost_little() -> None:
    """Beside words and picture: less than 150 bytes a paragraph and 2.5 kB a file."""
    record = record_of(draw_page(), draw_page(page=1))
    data = record.apply()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        tree: Any = pdf.Root.StructTreeRoot
        paragraphs = sum(len(section.K) for section in tree.K.K)
        del pdf.Root.StructTreeRoot, pdf.Root.Metadata
        bare = io.BytesIO()
        pdf.save(bare, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        whole = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(whole, object_stream_mode=pikepdf.ObjectStreamMode.disable, fix_metadata_version=False)
    assert len(whole.getvalue()) - len(bare.getvalue()) < 2500 + 150 * paragraphs
