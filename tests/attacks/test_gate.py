"""Every planted fault raises its own finding and no other; good outputs raise none."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pikepdf
import pytesseract
import pytest
from PIL import Image

from tasks.geometry import Box
from tasks.model import Finding, Kind, Mark
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate import checks, verdict
from tasks.redaction.gate.checks import CHECKS, FAULTS
from tasks.redaction.gate.verdict import check_record, named_checks
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, blocks_of, draw_page, record_of

Name = pikepdf.Name


@pytest.fixture(scope="module")
def bilevel() -> DrawnRecord:
    return record_of(draw_page(mode="bilevel"))


@pytest.fixture(scope="module")
def drawn_colour() -> DrawnRecord:
    return record_of(draw_page(mode="colour", jpeg=False))


def codes(data: bytes, record: DrawnRecord, **changes: object) -> set[str]:
    plan = changes.get("plan", record.plan)
    transcript = changes.get("transcript", record.transcript)
    report = check_record(data, plan, transcript, changes.get("reread"))  # type: ignore[arg-type]
    return {finding.code for finding in report.findings}


def read(sheets: Sequence[np.ndarray], dpi: float) -> list[list[str]]:
    config = f"--psm 6 --dpi {dpi:.0f}"
    return [str(pytesseract.image_to_string(Image.fromarray(sheet), config=config)).split() for sheet in sheets]


# ------------------------------------------------------------------------------------------------ good outputs


GOOD: dict[str, dict[str, object]] = {
    "grey JPEG": {},
    "bilevel": {"mode": "bilevel"},
    "colour JPEG": {"mode": "colour"},
    "drawn colour, lossless": {"mode": "colour", "jpeg": False},
    "fax resolution": {"mode": "bilevel", "dpi": (204, 98)},
    "turned once": {"quarter_turns": 1},
    "turned twice": {"quarter_turns": 2},
    "turned three times, bilevel": {"quarter_turns": 3, "mode": "bilevel"},
    "skewed": {"skew_deg": 2.5},
    "skewed the other way, colour": {"skew_deg": -1.3, "mode": "colour"},
    "turned and skewed": {"quarter_turns": 1, "skew_deg": -3.0},
    "no marks": {"secrets": {}},
    "no marks, colour": {"secrets": {}, "mode": "colour"},
    "large type": {"type_px": 34, "size": (1654, 1200), "dpi": (200, 200)},
    "a headline": {"lines": ("Ring 020 7946 0123",), "type_px": 70, "size": (1240, 300)},
    "blank": {"lines": (), "secrets": {}},
}


@pytest.mark.parametrize("settings", GOOD.values(), ids=GOOD.keys())
def test_a_good_output_raises_nothing(settings: dict[str, object]) -> None:
    record = record_of(draw_page(**settings))  # type: ignore[arg-type]
    report = check_record(record.apply(), record.plan, record.transcript)
    assert report.findings == ()
    assert report.passed


def test_a_good_record_of_many_modes_raises_nothing() -> None:
    settings = [
        settings for name, settings in GOOD.items() if not name.startswith("no marks")
    ]  # it shows what the others hide
    record = record_of(*(draw_page(page=i, **known) for i, known in enumerate(settings)))  # type: ignore[arg-type]
    report = check_record(record.apply(), record.plan, record.transcript)
    assert report.findings == ()
    assert report.pages == len(settings)


def test_a_good_output_reread_raises_nothing(record: DrawnRecord, good: bytes) -> None:
    report = check_record(good, record.plan, record.transcript, read)
    assert report.findings == ()
    assert "surroundings-reread" in report.checks
    assert "surroundings-reread" not in check_record(good, record.plan, record.transcript).checks


def test_saving_anew_is_no_fault_in_itself(record: DrawnRecord, good: bytes) -> None:
    """So that what the planted faults raise is theirs, and not the saving's."""
    assert codes(faults.resave(good), record) == set()


def test_every_check_answers_known_attacks() -> None:
    assert {code for codes in named_checks(True).values() for code in codes} <= set(FAULTS)


def test_the_checks_are_those_that_whoever_gets_a_report_knows_of() -> None:
    assert tuple(named_checks(True)) == CHECKS


# ------------------------------------------------------------------------------------------------ faults by resaving


def colour_key(image: pikepdf.Object) -> None:
    image.Mask = pikepdf.Array([255, 255])


def inverted(image: pikepdf.Object) -> None:
    image.Decode = pikepdf.Array([1, 0])


def xmp_of_image(image: pikepdf.Object) -> None:
    image.Metadata = pikepdf.Dictionary(Title="x")


def dictionary(**entries: object) -> Callable[[pikepdf.Pdf], pikepdf.Object]:
    return lambda pdf: pikepdf.Dictionary(**entries)  # type: ignore[arg-type]


def set_page(key: str, value: object) -> Callable[[bytes], bytes]:
    return faults.on_page(lambda pdf, page: page.__setitem__(key, value))


def add_state(pdf: pikepdf.Pdf, page: pikepdf.Object) -> None:
    page.Resources.ExtGState = pikepdf.Dictionary(G1=pikepdf.Dictionary(ca=0.5))
    page.Contents.write(b"/G1 gs\n" + page.Contents.read_bytes())


CURVE = b"10 10 m 20 20 30 30 40 10 c f\n"
SCRIPT = {"S": Name.JavaScript, "JS": "app.alert(1)"}

PLANTED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "an unapplied redaction": ("A02", faults.with_annotation("Redact")),
    "a square annotation": ("A03", faults.with_annotation("Square")),
    "a highlight annotation": ("A03", faults.with_annotation("Highlight")),
    "white text": ("A04", faults.on_content(lambda c: c.replace(b"3 Tr", b"1 1 1 rg 0 Tr"))),
    "filled text": ("A04", faults.on_content(lambda c: c.replace(b"3 Tr", b"0 Tr"))),
    "no render mode": ("A04", faults.on_content(lambda c: c.replace(b"3 Tr", b""))),
    "a word that is nowhere": ("A05", lambda d: faults.say(d, "office", 400, 40)),
    "another word than the page's": ("A05", lambda d: faults.say(d, "office", 60, 380)),
    "the image drawn twice": ("A06", faults.on_content(lambda c: c.replace(b"/Im1 Do", b"/Im1 Do /Im1 Do"))),
    "an image over the text": (
        "A06",
        faults.on_content(lambda c: c[c.index(b"BT") :] + b"\n" + c[: c.index(b"BT")]),
    ),
    "an inline image": (
        "A06",
        faults.on_content(lambda c: b"BI /W 1 /H 1 /CS /G /BPC 8 ID \x00 EI\n" + c),
    ),
    "a curved cover": ("A08", faults.on_content(lambda c: c + b"\n" + CURVE)),
    "an author": ("A11", faults.with_info("/Author", "A person")),
    "a creation date": ("A11", faults.with_info("/CreationDate", "D:20230101000000Z")),
    "another producer": ("A11", faults.with_info("/Producer", "Scanner 3000")),
    "XMP": ("A11", faults.with_xmp()),
    "private data": ("A11", faults.in_root("/PieceInfo", dictionary(App=pikepdf.Dictionary()))),
    "an attachment": ("A12", faults.with_attachment),
    "an associated file": ("A12", faults.in_root("/AF", lambda pdf: pikepdf.Array())),
    "a portfolio": ("A12", faults.in_root("/Collection", dictionary(View=Name.D))),
    "a shrunk crop box": ("A14", set_page("/CropBox", [0, 100, 595, 400])),
    "a page larger than its image": ("A14", set_page("/MediaBox", [0, 0, 800, 800])),
    "a turned page": ("A14", set_page("/Rotate", 90)),
    "an image larger than the page": ("A14", faults.on_content(lambda c: c.replace(b"q 595.2 ", b"q 900 "))),
    "a hidden layer": ("A15", faults.with_layer),
    "bookmarks": ("A16", faults.with_bookmark),
    "named destinations": ("A16", faults.in_root("/Dests", dictionary(Secret=pikepdf.Array()))),
    "page labels": ("A16", faults.in_root("/PageLabels", dictionary(Nums=pikepdf.Array()))),
    "actual text": (
        "A17",
        faults.on_content(lambda c: c.replace(b"BT", b"/Span <</ActualText (other)>> BDC\nBT") + b"\nEMC"),
    ),
    "a structure tree": ("A17", faults.in_root("/StructTreeRoot", dictionary(Type=Name.StructTreeRoot))),
    "a form": ("A17", faults.in_root("/AcroForm", dictionary(Fields=pikepdf.Array()))),
    "a field": ("A17", faults.with_annotation("Widget")),
    "a script at opening": ("A17", faults.in_root("/OpenAction", dictionary(**SCRIPT))),
    "a named script": (
        "A17",
        faults.in_root("/Names", dictionary(JavaScript=pikepdf.Dictionary(Names=pikepdf.Array()))),
    ),
    "actions of a page": ("A17", set_page("/AA", pikepdf.Dictionary(O=pikepdf.Dictionary(**SCRIPT)))),
    "a thumbnail": ("A18", faults.with_thumbnail),
    "EXIF": ("A18", faults.with_segment(0xE1, b"Exif\0\0II*\0")),
    "an ICC profile": ("A18", faults.with_segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(128))),
    "a comment in a JPEG": ("A18", faults.with_segment(0xFE, b"scanned by me")),
    "metadata of an image": ("A18", faults.on_image(xmp_of_image)),
    "bytes behind a JPEG's end": ("A19", faults.behind_image(b"behind")),
    "bytes behind the file's end": ("A19", lambda d: d + b"hello"),
    "bytes between objects": ("A19", faults.between_objects),
    "a soft mask": ("A21", faults.with_soft_mask),
    "a colour-key mask": ("A21", faults.on_image(colour_key)),
    "a transparency group": ("A21", set_page("/Group", pikepdf.Dictionary(S=Name.Transparency))),
    "an inverting decode array": ("A23", faults.on_image(inverted)),
    "a half-opaque graphics state": ("A23", faults.on_page(add_state)),
    "a withheld value in the title": ("A25", faults.with_title("Mail of Jordan.Example@police.example")),
    "a withheld number in the title": ("A25", faults.with_title("Ring +44 20 7946 O123")),
}


@pytest.mark.parametrize(("code", "plant"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_raises_its_own_finding_only(
    record: DrawnRecord, good: bytes, code: str, plant: Callable[[bytes], bytes]
) -> None:
    bad = plant(good)
    assert bad != good
    assert codes(bad, record) == {code}


# ------------------------------------------------------------------------------------------------ faults that need more


def test_words_of_the_layer_in_a_mark(record: DrawnRecord, good: bytes) -> None:
    x, y = faults.place_of(record)
    assert codes(faults.say(good, "office", x, y), record) == {"A01"}


def test_live_text_under_a_mark(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: live text is text in a mark, in another font and mode, in a block of its own, and untagged."""
    assert codes(faults.with_live_text(good, record), record) == {"A01", "A04", "A06", "A17"}


def test_a_mark_that_leaves_the_scan_untouched(record: DrawnRecord, good: bytes) -> None:
    assert codes(faults.repaint(record, faults.untouched, good), record) == {"A07"}


def test_a_mark_in_the_colour_of_the_paper(record: DrawnRecord, good: bytes) -> None:
    """Nothing shows in it, nor that anything was withheld."""

    def whitened(painted: np.ndarray, source: np.ndarray, region: Box) -> np.ndarray:
        return np.full_like(painted, 255)

    assert codes(faults.repaint(record, whitened, good), record) == {"A07"}


def test_a_vector_box_over_the_untouched_scan(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: the box is drawn by path operators."""
    bare = faults.repaint(record, faults.untouched, good)
    x, y = faults.place_of(record)
    box = f"\n{x - 4} {y - 4} 120 16 re f".encode()
    assert codes(faults.on_content(lambda content: content + box)(bare), record) == {"A07", "A08"}


@pytest.mark.parametrize(
    "change", [faults.pixelated, faults.blurred, faults.half_opaque, faults.faintly_shining], ids=lambda f: f.__name__
)
def test_a_mark_that_is_not_one_opaque_value(
    record: DrawnRecord, good: bytes, change: Callable[..., np.ndarray]
) -> None:
    assert codes(faults.repaint(record, change, good), record) == {"A23"}


def test_tops_of_letters_above_a_mark(bilevel: DrawnRecord) -> None:
    plan = faults.smaller(bilevel.plan, top_px=14)
    data = apply_marks(bilevel.rasters(), plan, bilevel.transcript, "x")
    assert codes(data, bilevel, plan=plan) == {"A09"}


def test_the_first_half_of_a_value_beside_a_mark_is_found_by_rereading(bilevel: DrawnRecord) -> None:
    """Only reading again tells it from a word that may stand there."""
    number = next(m for m in bilevel.plan.marks if m.kinds == (Kind.PHONE,))
    first = number.regions[0]
    short = dataclasses.replace(number, regions=(Box(first.x1 - 40, first.y0, first.x1, first.y1),))
    plan = dataclasses.replace(bilevel.plan, marks=tuple(short if m is number else m for m in bilevel.plan.marks))
    pages = tuple(
        dataclasses.replace(page, readings=(dataclasses.replace(page.readings[0], words=()),))
        for page in bilevel.transcript.pages
    )
    blind = dataclasses.replace(bilevel.transcript, pages=pages)
    data = apply_marks(bilevel.rasters(), plan, blind, "x")
    without = codes(data, bilevel, plan=plan, transcript=blind)
    assert codes(data, bilevel, plan=plan, transcript=blind, reread=read) == without | {"A09"}


def test_an_orphan_of_the_original_image(record: DrawnRecord, good: bytes) -> None:
    assert codes(faults.with_orphan_image(good, record), record) == {"A10"}


def test_the_original_image_as_a_second_object(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: what refers to it is an unknown entry."""
    assert codes(faults.with_second_image(good, record), record) == {"A10", "A17"}


def test_an_earlier_revision(record: DrawnRecord, good: bytes, tmp_path: Path) -> None:
    assert codes(faults.with_revision(good, tmp_path), record) == {"A13"}


def test_bytes_behind_a_group_4_image(bilevel: DrawnRecord) -> None:
    bad = faults.behind_image(b"behind")(bilevel.apply())
    assert codes(bad, bilevel) == {"A19"}


def test_bytes_behind_a_deflated_image(drawn_colour: DrawnRecord) -> None:
    bad = faults.behind_image(b"behind")(drawn_colour.apply())
    assert codes(bad, drawn_colour) == {"A19"}


def test_marks_off_the_grid_beside_nothing_faint_are_no_fault(bilevel: DrawnRecord) -> None:
    """The same file, from a source that was compressed in blocks: two levels are no ringing."""
    blocks = blocks_of(8, bilevel.pages[0].raster.width_px, bilevel.pages[0].raster.height_px)
    pages = tuple(dataclasses.replace(page, grids=blocks) for page in bilevel.transcript.pages)
    transcript = dataclasses.replace(bilevel.transcript, pages=pages)
    assert codes(bilevel.apply(), bilevel, transcript=transcript) == set()


def test_a_mark_as_wide_as_what_it_hides() -> None:
    record = record_of(draw_page(["Ring 7 at noon"], {}, mode="bilevel"))
    word = record.pages[0].transcript.readings[0].words[1]
    assert word.text == "7"
    alone = dataclasses.replace(record.pages[0].transcript.readings[0], words=(word,))
    page = dataclasses.replace(record.pages[0].transcript, readings=(alone,))
    transcript = dataclasses.replace(record.transcript, pages=(page,))
    mark = Mark(1, 0, (word.box.padded(3),), (Kind.EXTENSION,), "s.31(1)(a)")
    plan = dataclasses.replace(record.plan, marks=(mark,))
    data = apply_marks(record.rasters(), plan, transcript, "x")
    assert codes(data, record, plan=plan, transcript=transcript) == {"A22"}
    # Blocks of mere colours make no mark taller.
    colours = tuple(dataclasses.replace(grid, colour=True) for grid in blocks_of(16, page.width_px, page.height_px))
    known = dataclasses.replace(transcript, pages=(dataclasses.replace(page, grids=colours),))
    assert codes(data, record, plan=plan, transcript=known) == {"A22"}


def test_a_mark_between_close_neighbours_may_be_narrow() -> None:
    record = record_of(draw_page(["Ring 7 at noon"], {}, mode="bilevel"))
    word = record.pages[0].transcript.readings[0].words[1]
    mark = Mark(1, 0, (word.box.padded(2, 3),), (Kind.EXTENSION,), "s.31(1)(a)")
    plan = dataclasses.replace(record.plan, marks=(mark,))
    data = apply_marks(record.rasters(), plan, record.transcript, "x")
    assert codes(data, record, plan=plan) == set()


@pytest.mark.parametrize(
    "value", ["Operations desk", "0perat1ons  DESK", "22:00 on 14 March 2023.", "Parking arrangements"]
)
def test_a_withheld_value_in_the_words_that_are_left(record: DrawnRecord, good: bytes, value: str) -> None:
    plan = dataclasses.replace(record.plan, withheld=(*record.plan.withheld, value))
    assert codes(good, record, plan=plan) == {"A25"}


def test_a_withheld_value_in_xmp(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: XMP is a fault of its own."""
    assert codes(faults.with_xmp("jordan.example@police.example")(good), record) == {"A11", "A25"}


def test_a_plan_of_another_source(record: DrawnRecord, good: bytes) -> None:
    assert codes(good, record, plan=dataclasses.replace(record.plan, source_sha256="00" * 32)) == {"A28"}


def test_a_mark_on_a_page_that_is_not_there(record: DrawnRecord, good: bytes) -> None:
    astray = dataclasses.replace(record.plan.marks[0], number=99, page=7)
    plan = dataclasses.replace(record.plan, marks=(*record.plan.marks, astray))
    assert codes(good, record, plan=plan) == {"A28"}


def test_a_missing_page() -> None:
    """Inseparable: its tags keep the page, which no reader shows, and its image in the file."""
    record = record_of(draw_page(), draw_page(page=1, secrets={}))
    one_less = faults.resave(record.apply(), lambda pdf: pdf.pages.__delitem__(1))
    assert codes(one_less, record) == {"A10", "A17", "A28"}


def encrypted(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


SPOILT = {
    "empty": lambda data: b"",
    "text": lambda data: b"not a PDF",
    "cut": lambda data: data[: len(data) // 2],
    "locked": encrypted,
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_a_file_that_does_not_open(record: DrawnRecord, good: bytes, spoil: Callable[[bytes], bytes]) -> None:
    assert codes(spoil(good), record) == {"A00"}


def test_a_check_that_cannot_finish_is_a_finding(
    record: DrawnRecord, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(view: object) -> Iterator[Finding]:
        raise RuntimeError("text of the record")

    monkeypatch.setattr(verdict, "PAGE_CHECKS", [checks.PageCheck("breaks", ("A05",), breaks)])
    report = check_record(good, record.plan, record.transcript)
    assert [f.code for f in report.findings] == ["A05"]
    assert "text of the record" not in report.findings[0].message


def test_findings_never_hold_a_value(record: DrawnRecord, good: bytes) -> None:
    bad = faults.with_xmp("jordan.example@police.example")(faults.repaint(record, faults.untouched, good))
    report = check_record(bad, record.plan, record.transcript)
    assert report.findings
    for finding in report.findings:
        assert not any(value in repr(finding) for value in record.plan.withheld)


def test_the_report_speaks_of_exactly_these_bytes(record: DrawnRecord, good: bytes) -> None:
    report = check_record(good, record.plan, record.transcript)
    again = check_record(good + b"\n", record.plan, record.transcript)
    assert report.file_sha256 != again.file_sha256
    assert report.passed
