"""Faults in corners that readers pass over: each raises its own finding and no other."""

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
from PIL import Image

from tasks.geometry import Box
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate import ELSEWHERE, FAULTS, check_again, check_record, named_checks
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

Name = pikepdf.Name
SIZE = (1240, 900)


def codes(data: bytes, record: DrawnRecord, **changes: Any) -> set[str]:
    plan, transcript = changes.get("plan", record.plan), changes.get("transcript", record.transcript)
    return {finding.code for finding in check_record(data, plan, transcript).findings}


def test_every_attack_of_the_list_has_a_named_check() -> None:
    answered = {code for found in (named_checks(True), ELSEWHERE) for codes in found.values() for code in codes}
    assert answered == set(FAULTS)
    assert {f"A{n:02}" for n in range(31)} <= answered


# ------------------------------------------------------------------------------------------------ planted


def free_entry(data: bytes) -> bytes:
    """A telephone number as the offset of an object that is not there."""
    table = data.rindex(b"\nxref") + 1
    count = int(re.match(rb"xref\s+0 (\d+)", data[table:])[1])  # type: ignore[index]
    rows = data.rindex(b" n \n", table) + 4
    entry = b"1632960123 00000 f \n"
    longer = data[:rows].replace(b"xref\n0 %d" % count, b"xref\n0 %d" % (count + 1)) + entry + data[rows:]
    return longer.replace(b"/Size %d" % count, b"/Size %d" % (count + 1))


def taller_jpeg(image: Any) -> None:
    """More rows in the coding than the page shows."""
    width, height = SIZE
    with pikepdf.open(io.BytesIO(record_of(draw_page(size=(width, height + 16))).apply())) as taller:
        image.write(taller.pages[0].Resources.XObject["/Im1"].read_raw_bytes(), filter=Name.DCTDecode)


def fourth_channel(image: Any) -> None:
    """A JPEG of four channels that a viewer shows as three, or not at all."""
    with Image.open(io.BytesIO(image.read_raw_bytes())) as picture:
        cmyk, out = picture.convert("CMYK"), io.BytesIO()
    cmyk.save(out, "JPEG", quality=90)
    image.write(out.getvalue(), filter=Name.DCTDecode)


def unused_table(image: Any) -> None:
    """A second quantisation table: 64 bytes of anything."""
    raw = image.read_raw_bytes()
    image.write(raw[:2] + b"\xff\xdb\0\x43\x03" + bytes(range(64)) + raw[2:], filter=Name.DCTDecode)


def filling_bits(image: Any) -> None:
    """The bits that fill up the last byte of the samples, which are ones, as zeros."""
    raw = bytearray(image.read_raw_bytes())
    raw[-3] &= 0xFE
    image.write(bytes(raw), filter=Name.DCTDecode)


def other_filter(image: Any) -> None:
    image.write(b"\0" * 64, filter=Name.RunLengthDecode)


def with_parameter(image: Any) -> None:
    image.DecodeParms.Note = pikepdf.String("call me")


def profile(image: Any) -> None:
    image.ColorSpace = pikepdf.Array([Name.ICCBased, pikepdf.Dictionary(N=1)])


def on_entry(path: str, key: str, value: Any) -> Callable[[bytes], bytes]:
    def plant(font: Any) -> None:
        descendant = font.DescendantFonts[0]
        holder = {"font": font, "descendant": descendant, "descriptor": descendant.FontDescriptor}[path]
        holder[key] = value

    return faults.on_font(plant)


def renamed(kind: str, old: str, new: str) -> Callable[[bytes], bytes]:
    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        held = page.Resources[kind]
        held[new] = held[old]
        del held[old]
        page.Contents.write(page.Contents.read_bytes().replace(old.encode() + b" ", new.encode() + b" "))

    return faults.on_page(plant)


def one_row_more(cmap: bytes) -> bytes:
    """A character that no text uses."""
    counted = re.sub(rb"(\d+) beginbfchar", lambda m: b"%d beginbfchar" % (int(m[1]) + 1), cmap)
    return counted.replace(b"\nendbfchar", b"\n<00fe> <0041>\nendbfchar")


def swollen(size: int) -> Callable[[bytes], bytes]:
    """A content stream that is a few kilobytes long and inflates to many megabytes."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Contents.write(zlib.compress(page.Contents.read_bytes() + b" " * size, 9), filter=Name.FlateDecode)

    return faults.on_page(plant)


PLANTED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "bytes behind the samples of a JPEG": ("A19", faults.in_scan(b"call me")),
    "one byte behind the samples of a JPEG": ("A19", faults.in_scan(b"\x55")),
    "other bits behind the samples of a JPEG": ("A19", faults.on_image(filling_bits)),
    "bytes behind a content stream": ("A19", faults.behind_stream("/Contents")),
    "bytes behind a character map": ("A19", faults.behind_stream("/ToUnicode")),
    "a comment in the content": ("A19", faults.on_content(lambda c: c.replace(b"\nET", b"\n% call me\nET"))),
    "a comment in an object": ("A19", faults.in_object(b"/Type/Catalog", b"% call me\n")),
    "an entry written twice": ("A19", faults.in_object(b"/Type/Catalog", b"/Lang(fr)")),
    "an entry of null": ("A19", faults.in_object(b"/Type/Catalog", b"/Jordan null")),
    "a number in a free entry": ("A19", free_entry),
    "a comment behind the table": ("A19", lambda d: d.replace(b"\ntrailer\n", b"\n%call me\ntrailer\n")),
    "a comment in the header": ("A19", faults.in_object(b"\n1 0 obj", b"\n% call me\n")),
    "a segment of no use in a JPEG": ("A18", faults.with_segment(0xDC, b"call me")),
    "a restart interval": ("A18", faults.with_segment(0xDD, b"\0\0")),
    "a table of no use in a JPEG": ("A19", faults.on_image(unused_table)),
    "an ICC profile of the image": ("A18", faults.on_image(profile)),
    "rows below the page": ("A31", faults.on_image(taller_jpeg)),
    "a character set": ("A32", on_entry("descriptor", "/CharSet", pikepdf.String("/call/me"))),
    "a font's family": ("A32", on_entry("descriptor", "/FontFamily", pikepdf.String("Jordan"))),
    "widths": ("A32", on_entry("font", "/Widths", pikepdf.Array([500]))),
    "a maker in the font": ("A32", faults.in_table(b"OS/2", 58, b"JORD")),
    "a date in the font": ("A32", faults.in_table(b"head", 20, b"\0\0\0\0\xd0\0\0\0")),
    "bearings in the font": ("A32", faults.in_table(b"hmtx", 6, b"ab")),
    "glyphs in another order": ("A32", faults.in_table(b"loca", 2, b"\0\x0a")),
    "a comment in the character map": ("A32", faults.on_map(lambda m: m.replace(b"\nend\nend", b"\n% me\nend\nend"))),
    "a row too many in the character map": (
        "A32",
        faults.on_map(one_row_more),
    ),
    "an order that spells": ("A32", faults.spelling),
    "an image with a name": ("A33", renamed("/XObject", "/Im1", "/Jordan")),
    "a font with a name": ("A33", renamed("/Font", "/F1", "/Jordan")),
    "an identifier that says something": (
        "A33",
        lambda d: re.sub(rb"/ID ?\[ ?<\w+> ?<\w+> ?\]", b"/ID[<4a6f7264><616e>]", d),
    ),
    "a language that is none": ("A33", faults.in_root("/Lang", lambda pdf: pikepdf.String("ring the desk"))),
    "a switch that is a text": (
        "A33",
        faults.in_root("/ViewerPreferences", lambda pdf: pikepdf.Dictionary(DisplayDocTitle="call me")),
    ),
    "a stream that swells": ("A29", swollen(20_000_000)),
}


@pytest.mark.parametrize(("code", "plant"), PLANTED.values(), ids=PLANTED.keys())
def test_a_fault_in_a_corner_raises_its_own_finding_only(
    record: DrawnRecord, good: bytes, code: str, plant: Callable[[bytes], bytes]
) -> None:
    bad = plant(good)
    assert bad != good
    assert codes(bad, record) == {code}


def test_a_fourth_channel(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: such a JPEG says in an application segment how its channels are meant."""
    assert "A31" in codes(faults.on_image(fourth_channel)(good), record)


def test_another_coding(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: what no reader here decodes shows no mark either."""
    assert "A31" in codes(faults.on_image(other_filter)(good), record)


def test_a_note_in_the_parameters_of_a_coding() -> None:
    bilevel = record_of(draw_page(mode="bilevel"))
    assert codes(faults.on_image(with_parameter)(bilevel.apply()), bilevel) == {"A31"}


def test_the_digest_of_the_source_as_identifier(record: DrawnRecord, good: bytes) -> None:
    bad = re.sub(rb"/ID\[<\w+><\w+>\]", b"/ID[<%b><%b>]" % ((b"5f" * 16,) * 2), good)
    assert codes(bad, record) == {"A33"}


def test_a_picture_larger_than_its_page_is_not_decoded(record: DrawnRecord, good: bytes) -> None:
    def plant(image: Any) -> None:
        image.Width, image.Height = 200_000, 200_000

    assert codes(faults.on_image(plant)(good), record) == {"A29"}


# ------------------------------------------------------------------------------------------------ pixels


def shining(levels: int) -> Callable[[Any, Any, Box], Any]:
    """What a viewer shows as black, and what stretching its contrast shows as text."""
    return lambda painted, source, region: np.where(source < 128, np.uint8(0), np.uint8(levels))


@pytest.mark.parametrize("levels", [8, 11, 30])
def test_a_text_that_shines_faintly_through_a_jpeg(record: DrawnRecord, good: bytes, levels: int) -> None:
    assert codes(faults.recode(record, shining(levels), good), record) == {"A23"}


def test_a_text_faintly_under_the_print_of_a_mark(record: DrawnRecord, good: bytes) -> None:
    """Where the exemption is printed the coding strays most, and the hidden text least."""

    def under(painted: Any, source: Any, region: Box) -> Any:
        return np.where(painted > 200, painted, np.where(source < 128, painted, painted // 2 + 14)).astype(np.uint8)

    assert codes(faults.recode(record, under, good), record) == {"A23"}


def ringing(record: DrawnRecord, data: bytes) -> bytes:
    """Noise as faint as a JPEG's ringing in what marks leave of their blocks; stored without loss."""

    def plant(image: Any) -> None:
        painted = np.array(pikepdf.PdfImage(image).as_pil_image().convert("L"))
        for mark in record.plan.marks:
            for r in mark.regions:
                around = r.snapped(8, *SIZE)
                noise = np.random.default_rng(3).integers(-20, 20, (around.height, around.width))
                cut = np.s_[around.y0 : around.y1, around.x0 : around.x1]
                inside = painted[cut].copy()
                painted[cut] = np.clip(240 + noise, 0, 255)
                y, x = r.y0 - around.y0, r.x0 - around.x0
                rows, columns = slice(y, y + r.height), slice(x, x + r.width)
                painted[cut][rows, columns] = inside[rows, columns]
        parms = pikepdf.Dictionary(Columns=painted.shape[1], Colors=1, BitsPerComponent=8, Predictor=15)
        rows_ = b"".join(b"\0" + row.tobytes() for row in painted)
        image.write(zlib.compress(rows_), filter=Name.FlateDecode, decode_parms=parms)

    return faults.on_image(plant)(data)


def test_ringing_beside_a_mark() -> None:
    page = draw_page(jpeg=False)
    drawn = record_of(page)
    tight = [
        dataclasses.replace(m, regions=tuple(Box(r.x0 // 8 * 8 + 3, r.y0 // 8 * 8 + 3, r.x1, r.y1) for r in m.regions))
        for m in drawn.plan.marks
    ]
    plan = dataclasses.replace(drawn.plan, marks=tuple(tight))
    blocks = (dataclasses.replace(page.transcript, grid=8, readings=page.transcript.readings),)
    known = dataclasses.replace(drawn.transcript, pages=blocks)
    clean = apply_marks(drawn.rasters(), plan, drawn.transcript, "x")
    marked = dataclasses.replace(drawn, plan=plan)
    before = codes(clean, drawn, plan=plan, transcript=known)
    assert "A20" not in before
    assert codes(ringing(marked, clean), drawn, plan=plan, transcript=known) - before == {"A20"}


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_notice_as_wide_as_what_is_hidden(turns: int) -> None:
    """The text of a notice is stretched over its mark: a width of its own would tell what a printed one hides."""
    drawn = record_of(draw_page(quarter_turns=turns))
    data = drawn.apply()

    def stretch(content: bytes) -> bytes:
        lines = content.split(b"\n")
        notices = [i for i, line in enumerate(lines) if line.endswith(b"Tj") and line.count(b"<") and _is_notice(line)]
        for i in notices:
            numbers = lines[i].split(b" ")
            along = 0 if turns % 2 == 0 else 1
            numbers[along] = b"%.3f" % (float(numbers[along]) * 0.8)
            lines[i] = b" ".join(numbers)
        assert notices
        return b"\n".join(lines)

    codes_of = faults.codes_of_chars(data)
    opening = codes_of["["] + codes_of["w"]

    def _is_notice(line: bytes) -> bool:
        return (b"<" + opening.encode()) in line

    assert codes(data, drawn) == set()
    assert codes(faults.on_content(stretch)(data), drawn) == {"A22"}


# ------------------------------------------------------------------------------------------------ grey, and twice


def test_colour_where_none_is_wanted() -> None:
    colour = record_of(draw_page(mode="colour", jpeg=False))
    wanted = dataclasses.replace(colour.plan, grey=True)
    assert codes(colour.apply(), colour) == set()
    assert codes(colour.apply(), colour, plan=wanted) == {"A27"}


def test_the_same_input_gives_the_same_bytes(record: DrawnRecord, good: bytes) -> None:
    assert check_again(good, record.apply()) == ()
    (finding,) = check_again(good, record.apply(title="another"))
    assert finding.code == "A30"
