"""What can be put into a record beside its pages: `foi verify` names it, whichever way it got there."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from tasks.disclosure.inspect_record import RecordFaults, inspect_record
from tasks.disclosure.record_form import read_form
from tasks.redaction.document import DocumentWriter
from tasks.redaction.encode import ImageStream, encode_bilevel, encode_jpeg, encode_lossless
from tests.attacks import faults
from tests.disclosure.examples import MARKS, MINUTES, NO_WORDS, PAGE_PX, painted_page
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

SECRET = "020 7946 0123"
TITLE = "A drawn record"


@cache
def drawn(mode: str = "grey", quarter_turns: int = 0, jpeg: bool = True, dpi: float = 150.0) -> DrawnRecord:
    page = draw_page(mode=mode, quarter_turns=quarter_turns, jpeg=jpeg, dpi=(dpi, dpi))  # type: ignore[arg-type]
    return record_of(page, draw_page(lines=(), secrets={}, page=1))


def inspected(pdf: bytes, record: DrawnRecord, **changes: Any) -> RecordFaults:
    pages = [(page.raster.width_px, page.raster.height_px) for page in record.pages]
    marked = [(mark, box) for mark in record.plan.marks for box in mark.regions]
    boxes = [(mark.page + 1, (box.x0, box.y0, box.x1, box.y1)) for mark, box in marked]
    exemptions = changes.pop("exemptions", [mark.exemption for mark, _ in marked])
    return inspect_record(pdf, pages, boxes, exemptions, changes.pop("title", TITLE))


# ---------------------------------------------------------------------------------------------- what we write


@pytest.mark.parametrize(
    ("mode", "turns", "jpeg", "dpi"),
    [
        ("grey", 0, True, 150.0),
        ("grey", 1, False, 150.0),
        ("bilevel", 0, False, 203.7),
        ("bilevel", 2, False, 150.0),
        ("colour", 0, True, 72.0),
        ("colour", 3, False, 400.0),
    ],
)
def test_a_record_hides_nothing_whatever_its_pages(mode: str, turns: int, jpeg: bool, dpi: float) -> None:
    record = drawn(mode, turns, jpeg, dpi)
    assert any(word.text.startswith("[withheld: ") for word in read_form(record.apply()).pages[0].words)
    assert inspected(record.apply(), record) == RecordFaults()


@pytest.mark.parametrize("title", ["Café (draft) \\ naïve – 日本", "a) (b", "x\u00a0y", "\u202egnp.exe\x00", "x" * 300])
def test_any_title_may_be_a_records(title: str) -> None:
    assert inspected(drawn().apply(title), drawn(), title=title) == RecordFaults()


def test_another_title_than_the_schedules_is_named() -> None:
    assert inspected(drawn().apply(SECRET), drawn()).hidden == ("another title than the schedule's",)


# ---------------------------------------------------------------------------------------------- other structure


def add_content(pdf: Any, operators: bytes, *, first: bool = False) -> None:
    pdf.pages[0].Resources.Font["/F2"] = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    pdf.pages[0].contents_add(pdf.make_stream(operators), prepend=first)


def say(render: bytes) -> bytes:
    return b"BT /F2 12 Tf %b 70 300 Td (%b) Tj ET" % (render, SECRET.encode())


def information(pdf: Any) -> None:
    pdf.docinfo["/Secret"] = SECRET


def alternative(pdf: Any) -> None:
    pdf.Root.StructTreeRoot.K.K[0].K[0]["/Alt"] = pikepdf.String(SECRET)


def expansion(pdf: Any) -> None:
    pdf.Root.StructTreeRoot.K.K[0].K[0]["/E"] = pikepdf.String(SECRET)


def stream_of_its_own(pdf: Any) -> None:
    pdf.Root["/Foo"] = pdf.make_stream(b"the original")


def outline(pdf: Any) -> None:
    with pdf.open_outline() as tree:
        tree.root.append(pikepdf.OutlineItem(SECRET, 0))


def cropped(pdf: Any) -> None:
    page = pdf.pages[0]
    width, height = (float(side) for side in page.mediabox[2:])
    page.obj.MediaBox = Array([0, 0, width + 3000, height])
    add_content(pdf, b"BT /F2 12 Tf 2000 70 Td (%b) Tj ET" % SECRET.encode())


def image_of(pdf: Any) -> Any:
    return pdf.pages[0].Resources.XObject["/Im1"]


def colour_key(pdf: Any) -> None:
    image_of(pdf)["/Mask"] = Array([0, 60])
    add_content(pdf, say(b"0 g"), first=True)


def form(pdf: Any) -> None:
    shown = pdf.make_stream(say(b"1 g"), Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 1000, 1000]))
    pdf.pages[0].Resources.XObject["/Fx"] = shown


def names(pdf: Any) -> None:
    pdf.Root.Names = Dictionary(Dests=Dictionary(Names=Array([SECRET, Array([pdf.pages[0].obj, Name.Fit])])))


PLANTS: dict[str, Callable[[Any], None]] = {
    "information": information,
    "alternative": alternative,
    "expansion": expansion,
    "stream": stream_of_its_own,
    "outline": outline,
    "cropped": cropped,
    "colour key": colour_key,
    "form": form,
    "names": names,
    "labels": lambda pdf: pdf.Root.__setitem__("/PageLabels", Dictionary(Nums=Array([0, Dictionary(P=SECRET)]))),
    "base": lambda pdf: pdf.Root.__setitem__("/URI", Dictionary(Base="http://evil.example/")),
    "private": lambda pdf: pdf.pages[0].obj.__setitem__("/Foo", pikepdf.String(SECRET)),
    "inverted": lambda pdf: image_of(pdf).__setitem__("/Decode", Array([1, 0])),
    "below": lambda pdf: add_content(pdf, say(b"0 g"), first=True),
    "above": lambda pdf: add_content(pdf, say(b"1 g")),
    "unseen": lambda pdf: add_content(pdf, say(b"3 Tr")),
    "repainted": lambda pdf: add_content(pdf, b"q 1 g 0 0 2000 2000 re f Q " + say(b"0 g")),
    "inline": lambda pdf: add_content(pdf, b"q BI /W 2 /H 2 /CS /G /BPC 8 ID abcd EI Q"),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_what_is_planted_with_a_pdf_library_is_found(plant: Callable[[Any], None]) -> None:
    found = inspected(faults.resave(drawn().apply(), plant), drawn())
    assert found.hidden


@pytest.mark.parametrize("name", ["repainted", "colour key"])
def test_a_page_that_shows_something_else_than_its_picture_is_named(name: str) -> None:
    """Whatever the file says of itself: a viewer was asked."""
    found = inspected(faults.resave(drawn().apply(), PLANTS[name]), drawn())
    assert "page 1 shows something else than its picture" in found.pages


# ---------------------------------------------------------------------------------------------- bytes


def shifted(pdf: bytes, at: int, more: bytes) -> bytes:
    """The file with bytes put in and every offset made right again."""
    changed = pdf[:at] + more + pdf[at:]
    head, table = changed[: changed.rindex(b"\nxref") + 1], changed[changed.rindex(b"\nxref") + 1 :]

    def moved(found: re.Match[bytes]) -> bytes:
        offset = int(found[1])
        return b"%010d 00000 n" % (offset + len(more) if offset >= at else offset)

    table = re.sub(rb"(\d{10}) 00000 n", moved, table)
    return head + re.sub(rb"startxref\n\d+", b"startxref\n%d" % len(head), table)


def between(pdf: bytes) -> bytes:
    return shifted(pdf, pdf.index(b"5 0 obj"), b"99 0 obj\n<</Foo(secret)>>\nendobj\n\n")


BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "before": (lambda pdf: b"secret\n" + pdf, "before its beginning"),
    "in the header": (lambda pdf: pdf.replace(b"%  ", b"%se", 1), "before its beginning"),
    "between objects": (between, "between its objects"),
    "before the table": (
        lambda pdf: shifted(pdf, pdf.rindex(b"\nxref") + 1, b"9 0 obj\n<<>>\nendobj\n"),
        "between its objects",
    ),
    "in the table": (lambda pdf: pdf.replace(b"0000000000 65535 f", b"0000012345 65535 f"), "between its objects"),
    "before the end": (lambda pdf: pdf.replace(b"%%EOF", b"%secret\n%%EOF"), "trailer"),
    "after the end": (lambda pdf: pdf + b"secret", "after its end"),
    "blanks after the end": (lambda pdf: pdf + b"\n\0" * 1000, "after its end"),
    "a number of another object": (lambda pdf: pdf.replace(b"/K 0>>", b"/K 9>>", 1), "entries"),
    "a tag of another kind": (lambda pdf: pdf.replace(b"/S/P/P", b"/S/H/P", 1), "entries"),
}


@pytest.mark.parametrize(("change", "words"), BYTES.values(), ids=BYTES)
def test_bytes_that_no_reader_looks_at_are_found(change: Callable[[bytes], bytes], words: str) -> None:
    pdf = drawn().apply()
    assert change(pdf) != pdf
    assert any(words in fault for fault in inspected(change(pdf), drawn()).hidden)


def test_a_bit_anywhere_but_in_a_stream_or_the_identifier_is_seen() -> None:
    """Spelling leaves no room: what a reader would pass over, or read as the same, is another form."""
    pdf = drawn().apply()
    spared = [range(*found.span()) for found in re.finditer(rb"(?s)stream\n.*?\nendstream|/ID\[.*\]", pdf)]
    unseen = []
    for at in range(0, len(pdf), 3):
        if any(at in place for place in spared):
            continue
        bad = bytearray(pdf)
        bad[at] ^= 0x20
        if inspected_form(bytes(bad)):
            unseen.append(at)
    assert unseen == []


def inspected_form(pdf: bytes) -> bool:
    """Whether a file has the form of a record and says the same as the genuine one."""
    try:
        return read_form(pdf) == read_form(drawn().apply())
    except ValueError:
        return False


# ---------------------------------------------------------------------------------------------- pictures and words


def written(
    content: bytes = NO_WORDS,
    paragraphs: int = 0,
    chars: str = " ",
    stream: ImageStream | None = None,
    title: str = MINUTES,
) -> bytes:
    """A record of one painted page, made by our own writer out of what it is given."""
    writer = DocumentWriter(title, "en-GB", list(chars))
    stream = stream or encode_jpeg(np.asarray(painted_page(boxes())), keep_chroma=True)
    writer.add_page(stream, content, (PAGE_PX[0] * 72 / 75, PAGE_PX[1] * 72 / 75), paragraphs)
    return writer.finish()


def boxes() -> list[Any]:
    return [box for mark in MARKS if mark.page == 0 for box in mark.regions]


def inspected_page(pdf: bytes, exemption: str = "s.31(1)(a)") -> RecordFaults:
    places = [(1, (box.x0, box.y0, box.x1, box.y1)) for box in boxes()]
    return inspect_record(pdf, [PAGE_PX], places, [exemption] * len(places), MINUTES)


def laid(text: str, x_px: float, y_px: float, height_px: float = 12.0) -> tuple[bytes, int, str]:
    """Content of one word whose top left corner is at a place, paragraphs, characters."""
    chars = "".join(sorted({*text, " "}))
    codes = "".join(f"{chars.index(char) + 1:04x}" for char in text + " ")
    x, y, height = (round(v, 2) for v in (x_px * 0.96, (PAGE_PX[1] - y_px - height_px) * 0.96, height_px * 0.96))
    word = f"BT\n/F1 1 Tf\n3 Tr\n/P <</MCID 0>> BDC\n{height:g} 0 0 {height:g} {x:g} {y:g} Tm <{codes}> Tj\nEMC\nET"
    return word.encode(), 1, chars


def test_the_notice_of_a_mark_and_a_word_on_ink_are_no_fault() -> None:
    assert inspected_page(written()) == RecordFaults()
    assert inspected_page(written(*laid("[withheld: s.31(1)(a)]", 70, 84, 8))) == RecordFaults()
    assert inspected_page(written(*laid("minutes", 60, 137))) == RecordFaults()


@pytest.mark.parametrize("text", [SECRET, SECRET.replace(" ", ""), "[withheld: 7946]", "[withheld: s.40(2)]"])
def test_words_in_a_withheld_part_are_found(text: str) -> None:
    assert inspected_page(written(*laid(text, 70, 84, 8))).hidden == ("page 1: words in a withheld part",)


@pytest.mark.parametrize("place", [(20, 5), (500, 860), (-4000, 137), (60, -400), (3000, 137)])
def test_words_where_nothing_is_seen_are_found(place: tuple[float, float]) -> None:
    assert inspected_page(written(*laid("unseen", *place, 8))).hidden == ("page 1: words where the page is blank",)


@pytest.mark.parametrize(
    "content",
    [
        NO_WORDS + b"\n% secret",
        NO_WORDS + b"\nq 1 g 0 0 9 9 re f Q",
        NO_WORDS.replace(b"3 Tr", b"0 Tr"),
        b"q 0.001 0 0 0.001 0 0 cm /Im1 Do Q\n" + NO_WORDS,
        NO_WORDS.replace(b"/F1 1", b"/F1  1"),
        laid("minutes", 60, 137)[0].replace(b" Tj", b" Tj (x) '"),
        laid("minutes", 60, 137)[0].replace(b"MCID 0", b"MCID 1"),
        laid("minutes", 60, 137)[0].replace(b"EMC", b"/Span <</ActualText(x)>> BDC EMC EMC"),
    ],
)
def test_anything_else_in_a_pages_content_is_found(content: bytes) -> None:
    paragraphs = int(b"MCID" in content)
    assert inspected_page(written(content, paragraphs, " eimnstu")).hidden


def with_data(stream: ImageStream, data: bytes) -> ImageStream:
    return ImageStream(stream.width, stream.height, stream.entries, data)


def jpeg() -> ImageStream:
    return encode_jpeg(np.asarray(painted_page(boxes())), keep_chroma=True)


def deflated() -> ImageStream:
    return encode_lossless(np.asarray(painted_page(boxes())))


def group4() -> ImageStream:
    return encode_bilevel(np.asarray(painted_page(boxes(), bilevel=True).convert("L")))


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


PICTURES: dict[str, Callable[[], ImageStream]] = {
    "behind a JPEG": lambda: with_data(jpeg(), jpeg().data + SECRET.encode()),
    "comment": lambda: with_data(jpeg(), b"\xff\xd8" + segment(0xFE, SECRET.encode()) + jpeg().data[2:]),
    "application": lambda: with_data(jpeg(), b"\xff\xd8" + segment(0xE1, b"Exif\0\0") + jpeg().data[2:]),
    "two JPEGs": lambda: with_data(jpeg(), jpeg().data + jpeg().data),
    "behind deflated": lambda: with_data(deflated(), deflated().data + SECRET.encode()),
    "more rows": lambda: with_data(deflated(), zlib.compress(zlib.decompress(deflated().data) + b"\0" * 621)),
    "behind group 4": lambda: with_data(group4(), group4().data + SECRET.encode()),
    "higher than said": lambda: ImageStream(620, 877, jpeg().entries, encode_jpeg(TALL, keep_chroma=True).data),
}
TALL = np.asarray(painted_page([]).resize((620, 900)))


@pytest.mark.parametrize("stream", PICTURES.values(), ids=PICTURES)
def test_a_picture_carries_nothing_beside_its_pixels(stream: Callable[[], ImageStream]) -> None:
    assert any("picture" in fault or "stream" in fault for fault in inspected_page(written(stream=stream())).hidden)


@pytest.mark.parametrize("stream", [deflated, group4], ids=["deflated", "group 4"])
def test_pictures_of_every_coding_hold_without_it(stream: Callable[[], ImageStream]) -> None:
    assert inspected_page(written(stream=stream())) == RecordFaults()


@pytest.mark.parametrize("bad", [b"", b"%PDF-1.7", b"%PDF-1.7\n%\xc2\xb5\xc2\xb6\n% \n\n1 0 obj\n", b"\0" * 1000])
def test_what_is_no_record_is_an_answer(bad: bytes) -> None:
    assert inspected(bad, drawn()).hidden
