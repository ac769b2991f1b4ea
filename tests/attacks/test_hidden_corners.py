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

from tasks.geometry import Box, Grid, union
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate.again import check_again
from tasks.redaction.gate.checks import FAULTS
from tasks.redaction.gate.source import look_at_source
from tasks.redaction.gate.values import check_values
from tasks.redaction.gate.values_in_pdf import check_visible
from tasks.redaction.gate.verdict import ELSEWHERE, check_record, named_checks
from tasks.redaction.paint import paint_marks
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, blocks_of, draw_page, record_of

Name = pikepdf.Name
SIZE = (1240, 900)
WHOLE = Box(0, 0, *SIZE)


def codes(data: bytes, record: DrawnRecord, **changes: Any) -> set[str]:
    plan, transcript = changes.get("plan", record.plan), changes.get("transcript", record.transcript)
    return {finding.code for finding in check_record(data, plan, transcript).findings}


def test_every_attack_of_the_list_has_a_named_check() -> None:
    answered = {code for found in (named_checks(True), ELSEWHERE) for codes in found.values() for code in codes}
    assert answered == set(FAULTS)
    assert {f"A{n:02}" for n in range(31)} <= answered


def test_every_check_of_something_other_than_an_output_is_named() -> None:
    checks = (look_at_source, check_values, check_visible, check_again)
    assert list(ELSEWHERE) == [check.__name__.replace("_", "-") for check in checks]


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


def unfinished(pdf: pikepdf.Pdf, page: Any) -> None:
    """A deflated stream that says all it has to say and never ends: what is begun behind it nobody inflates."""
    deflate = zlib.compressobj()
    coded = deflate.compress(page.Contents.read_bytes()) + deflate.flush(zlib.Z_SYNC_FLUSH)
    page.Contents.write(coded, filter=Name.FlateDecode)


PLANTED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "bytes behind the samples of a JPEG": ("A19", faults.in_scan(b"call me")),
    "one byte behind the samples of a JPEG": ("A19", faults.in_scan(b"\x55")),
    "other bits behind the samples of a JPEG": ("A19", faults.on_image(filling_bits)),
    "bytes behind a content stream": ("A19", faults.behind_stream("/Contents")),
    "bytes behind a character map": ("A19", faults.behind_stream("/ToUnicode")),
    "a content stream without an end": ("A19", faults.on_page(unfinished)),
    "a comment in the content": ("A19", faults.on_content(lambda c: c.replace(b"\nET", b"\n% call me\nET"))),
    "a comment in an object": ("A19", faults.in_object(b"/Type/Catalog", b"% call me\n")),
    "an entry written twice": ("A19", faults.in_object(b"/Type/Catalog", b"/Lang(fr)")),
    "an entry of null": ("A19", faults.in_object(b"/Type/Catalog", b"/Jordan null")),
    "a number in a free entry": ("A19", free_entry),
    "a comment behind the table": ("A19", lambda d: d.replace(b"\ntrailer\n", b"\n%call me\ntrailer\n")),
    "a table said to begin earlier": (
        "A19",
        lambda d: re.sub(rb"startxref\n(\d+)", lambda m: b"startxref\n%d" % (int(m[1]) - 1), d),
    ),
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
    "a language that is none": ("A33", faults.with_language("ring the desk")),
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


@pytest.mark.parametrize(
    "plant",
    [free_entry, lambda d: d.replace(b"trailer\n<<", b"trailer\n<<%call me\n")],
    ids=["a free entry", "a comment in the trailer"],
)
def test_what_a_table_or_its_trailer_holds_besides_is_named(
    record: DrawnRecord, good: bytes, plant: Callable[[bytes], bytes]
) -> None:
    bad = plant(good)
    assert bad != good
    (finding,) = check_record(bad, record.plan, record.transcript).findings
    assert (finding.code, finding.message) == ("A19", "The cross-reference table holds other bytes.")


@pytest.mark.parametrize("entry", [b"/Size 1632960123 ", b"/Jordan null "])
def test_what_readers_pass_over_in_a_trailer_is_named(record: DrawnRecord, good: bytes, entry: bytes) -> None:
    """The first of two entries of one name, and an entry that is null, are gone for whoever opens the file."""
    bad = good.replace(b"trailer\n<<", b"trailer\n<<" + entry)
    assert bad != good
    (finding,) = check_record(bad, record.plan, record.transcript).findings
    assert (finding.code, finding.message) == ("A19", "The trailer holds an entry that readers pass over.")


def test_an_earlier_table_without_its_end_mark(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: it stands between two objects. Cut behind it and given an end mark, the file opens as it was."""
    table = good[good.rindex(b"\nxref") + 1 : good.rindex(b"startxref")]
    bad = faults.inserted(good, good.rindex(b"endobj") + 7, table)
    assert codes(bad, record) == {"A13", "A19"}


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


def test_a_jpeg_larger_than_it_is_said_to_be_is_not_decoded(record: DrawnRecord, good: bytes) -> None:
    def plant(image: Any) -> None:
        raw = image.read_raw_bytes()
        at = raw.index(b"\xff\xc0") + 5
        image.write(raw[:at] + b"\xea\x60\xea\x60" + raw[at + 4 :], filter=Name.DCTDecode)

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
                around = r.snapped(blocks_of(8, *SIZE), *SIZE)
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
    blocks = (dataclasses.replace(page.transcript, grids=blocks_of(8, page.raster.width_px, page.raster.height_px)),)
    known = dataclasses.replace(drawn.transcript, pages=blocks)
    clean = apply_marks(drawn.rasters(), plan, drawn.transcript, "x")
    marked = dataclasses.replace(drawn, plan=plan)
    before = codes(clean, drawn, plan=plan, transcript=known)
    assert "A20" not in before
    assert codes(ringing(marked, clean), drawn, plan=plan, transcript=known) - before == {"A20"}


BLOCKS: dict[str, tuple[Grid, Box]] = {
    "set in by a few px": (Grid(WHOLE, (8, 8), (3, 5)), Box(-3, -2, 3, 2)),
    "16 px wide": (Grid(WHOLE, (16, 8), (4, 1)), Box(-4, 0, 5, 0)),
    "not a whole number of px": (Grid(WHOLE, (7.23, 14.47), (1.6, 9.2)), Box(-2, -6, 2, 6)),
    "before the image's own place": (Grid(Box(8, 16, 1100, 880), (8, 8), (803, 405)), Box(-2, -2, 2, 2)),
    "running into the next": (Grid(WHOLE, (8, 8), (0, 0), rim=3), Box(-2, -2, 2, 2)),
}
"""Blocks, and where around a mark of whole blocks there is ringing: px beyond each of its sides, as of a box."""


def gate_on(
    grid: Grid, beyond: Box, tint: bool = False, amplitude: int = 20, quality: int = 0
) -> tuple[set[str], set[str]]:
    """What the gate says of a mark that leaves so much of its blocks, as bare paper and with ringing in it.

    Args:
        grid: what the transcript says of the blocks.
        beyond: what of them is left at each side.
        tint: whether colours ring, in one lightness.
        amplitude: of the ringing, grey levels.
        quality: of the JPEG the page is coded as; 0 for none.
    """
    page = draw_page(jpeg=False, mode="colour" if tint else "grey")
    drawn = record_of(page)
    mark = union([grid.whole(drawn.plan.marks[0].regions[0].padded(1))]).clipped(*SIZE)
    if not grid.rim:
        mark = Box(mark.x0 - beyond.x0, mark.y0 - beyond.y0, mark.x1 - beyond.x1, mark.y1 - beyond.y1)
    plan = dataclasses.replace(drawn.plan, marks=(dataclasses.replace(drawn.plan.marks[0], regions=(mark,)),))
    pages = (dataclasses.replace(page.transcript, grids=(grid,)),)
    known = dataclasses.replace(drawn.transcript, pages=pages)
    around = Box(mark.x0 + beyond.x0, mark.y0 + beyond.y0, mark.x1 + beyond.x1, mark.y1 + beyond.y1)

    def said(by: int) -> set[str]:
        noise = np.random.default_rng(3).integers(-by, by + 1, (around.height, around.width))
        pixels = np.full((SIZE[1], SIZE[0], 3), 200 if tint else 240, np.uint8)
        ringing = np.stack([200 + 0 * noise, 128 + noise, 128 + 0 * noise], axis=2).astype(np.uint8)
        pixels[around.y0 : around.y1, around.x0 : around.x1] = (
            np.asarray(Image.fromarray(ringing, "YCbCr").convert("RGB"))
            if tint
            else np.clip(240 + noise, 0, 255)[..., None]
        )
        raster = dataclasses.replace(page.raster, grids=(), pixels=pixels if tint else pixels[..., 0])
        data = apply_marks([raster], plan, drawn.transcript, "x")
        if quality:
            painted = raster.pixels.copy()
            paint_marks(painted, plan.marks, raster.dpi)
            out = io.BytesIO()
            Image.fromarray(painted).save(out, "JPEG", quality=quality, optimize=True)
            bare = re.sub(rb"^(\xff\xd8)\xff\xe0\0\x10.{14}", rb"\1", out.getvalue(), count=1, flags=re.DOTALL)
            data = faults.on_image(lambda image: image.write(bare, filter=Name.DCTDecode))(data)
        return codes(data, drawn, plan=plan, transcript=known)

    return said(0), said(amplitude)


@pytest.mark.parametrize("quality", [0, 50, 75])
@pytest.mark.parametrize("kind", BLOCKS)
def test_ringing_beside_a_mark_wherever_blocks_begin(kind: str, quality: int) -> None:
    bare, ringing = gate_on(*BLOCKS[kind], quality=quality)
    assert ringing - bare == {"A20"}
    assert "A20" not in bare


def test_ringing_of_colours_alone() -> None:
    grid = Grid(WHOLE, (16, 16), (0, 0), rim=1, colour=True)
    bare, ringing = gate_on(grid, Box(-1, -1, 1, 1), tint=True, amplitude=40)
    assert ringing - bare == {"A20"}
    assert "A20" not in bare


def test_ringing_out_of_reach_of_a_mark_is_the_pages_own() -> None:
    bare, far = gate_on(Grid(Box(0, 0, 60, 60), (8, 8)), Box(-3, -3, 3, 3))
    assert far == bare


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
