"""The font, byte by byte and entry by entry: whatever is turned in it is a finding."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest

from tasks.redaction import font as writer
from tasks.redaction.gate.font import has_a_font_that_says_nothing, has_one_font_without_shapes, program_of
from tasks.redaction.gate.verdict import check_record
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

Name, Dictionary = pikepdf.Name, pikepdf.Dictionary


class Opened:
    """A good output, of which only the font is judged, again and again."""

    def __init__(self, data: bytes) -> None:
        self.pdf = pikepdf.open(io.BytesIO(data))

    @property
    def font(self) -> Any:
        return self.pdf.pages[0].Resources.Font["/F1"]

    @property
    def descriptor(self) -> Any:
        return self.font.DescendantFonts[0].FontDescriptor

    def codes(self) -> set[str]:
        """Of what the checks of the font find; one that cannot finish is a finding."""
        found = set()
        for code, check in (("A04", has_one_font_without_shapes), ("A32", has_a_font_that_says_nothing)):
            try:
                found |= {finding.code for finding in check(self)}  # type: ignore[arg-type]
            except Exception:
                found.add(code)
        return found


@pytest.fixture
def opened(good: bytes) -> Opened:
    return Opened(good)


@pytest.mark.parametrize("count", [1, 2, 52, 99, 100, 101, 700])
def test_the_gate_builds_the_program_that_the_writer_builds(count: int) -> None:
    """It shares no code with it, so each would notice a change of the other."""
    assert program_of(count) == writer.build_font(count)


def test_no_byte_of_the_program_can_be_turned(opened: Opened) -> None:
    file = opened.descriptor.FontFile2
    program = file.read_bytes()
    unnoticed = []
    for at in range(len(program)):
        for bits in (0x01, 0x80):
            file.write(program[:at] + bytes((program[at] ^ bits,)) + program[at + 1 :])
            if not opened.codes():
                unnoticed.append(at)
    assert unnoticed == []


@pytest.mark.parametrize("change", [lambda p: p + b"\0\0\0\0", lambda p: p[:-4], lambda p: p[:4] + p, lambda p: b""])
def test_a_program_longer_or_shorter(opened: Opened, change: Callable[[bytes], bytes]) -> None:
    opened.descriptor.FontFile2.write(change(opened.descriptor.FontFile2.read_bytes()))
    assert opened.codes()


def test_glyphs_for_more_characters_than_there_are(opened: Opened) -> None:
    file = opened.descriptor.FontFile2
    count = len(file.read_bytes())
    for glyphs in range(40, 70):
        program = writer.build_font(glyphs)
        file.write(program)
        assert opened.codes() == (set() if len(program) == count else {"A32"})


def test_shapes_are_a_fault_of_their_own(opened: Opened) -> None:
    file = opened.descriptor.FontFile2
    program = file.read_bytes()
    glyph = program.index(bytes.fromhex("00010000000001f403e8"))
    for at, value in ((0, b"\0\2"), (10, b"\0\2"), (20, b"\0\2"), (36, b"\2")):
        file.write(program[: glyph + at] + value + program[glyph + at + len(value) :])
        assert opened.codes() == {"A04"}


def test_a_simple_font_is_a_fault_of_its_own(opened: Opened) -> None:
    """It has neither program nor map that could say something, but shapes."""
    opened.pdf.pages[0].Resources.Font["/F1"] = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    assert opened.codes() == {"A04"}


def test_two_fonts(record: DrawnRecord, good: bytes) -> None:
    """One a page, each with nothing in it."""
    two = record_of(draw_page(), draw_page(page=1))
    data = two.apply()

    def plant(pdf: pikepdf.Pdf) -> None:
        own = pdf.pages[1].Resources.Font
        own["/F1"] = pdf.make_indirect(pikepdf.Dictionary(dict(own["/F1"].items())))

    assert check_record(data, two.plan, two.transcript).findings == ()
    report = check_record(faults.resave(data, plant), two.plan, two.transcript)
    assert {finding.code for finding in report.findings} == {"A04"}


HOLDERS = ("font", "descendant", "descriptor", "system")


def holder(opened: Opened, name: str) -> Any:
    descendant = opened.font.DescendantFonts[0]
    return {
        "font": opened.font,
        "descendant": descendant,
        "descriptor": opened.descriptor,
        "system": descendant.CIDSystemInfo,
    }[name]


@pytest.mark.parametrize("name", HOLDERS)
def test_every_entry_is_there_and_says_what_it_says(opened: Opened, name: str) -> None:
    held = holder(opened, name)
    for key in sorted(held.keys()):
        kept = held[key]
        del held[key]
        assert opened.codes(), key
        if not isinstance(kept, pikepdf.Object) or not kept.is_indirect:
            other = kept + 1 if isinstance(kept, int) else Name("/Jordan") if isinstance(kept, Name) else Dictionary()
            elsewhere = (name, key) == ("font", "/Subtype")  # what is read with another kind of font is A05
            if not isinstance(kept, pikepdf.Array | pikepdf.Dictionary) and not elsewhere:
                held[key] = other
                assert opened.codes() & {"A04", "A32"}, key
        held[key] = kept
        assert opened.codes() == set(), key
    held["/Note"] = 7
    assert opened.codes() == {"A32"}


def test_no_entry_of_a_box_can_be_turned(opened: Opened) -> None:
    for at in range(4):
        opened.descriptor.FontBBox[at] += 1
        assert opened.codes() == {"A32"}
        opened.descriptor.FontBBox[at] -= 1
    assert opened.codes() == set()


def test_the_length_of_the_program_is_its_length(record: DrawnRecord, good: bytes) -> None:
    def plant(font: Any) -> None:
        font.DescendantFonts[0].FontDescriptor.FontFile2.Length1 = 7700900

    report = check_record(faults.on_font(plant)(good), record.plan, record.transcript)
    assert {finding.code for finding in report.findings} == {"A32"}


@pytest.mark.parametrize("stream", ["FontFile2", "ToUnicode"])
def test_an_entry_of_a_stream(opened: Opened, stream: str) -> None:
    held = opened.descriptor.FontFile2 if stream == "FontFile2" else opened.font.ToUnicode
    held["/Note"] = pikepdf.String("call me")
    assert opened.codes() == {"A32"}


def test_many_characters_are_no_fault() -> None:
    """More than a hundred stand in several blocks, more than 255 need both bytes of a code."""
    letters = [chr(code) for code in range(0xC0, 0x250)]
    lines = ["".join(letters[at : at + 9]) for at in range(0, 360, 9)]
    drawn = record_of(draw_page([" ".join(lines[at : at + 4]) for at in range(0, 40, 4)], {}))
    data = drawn.apply()
    assert check_record(data, drawn.plan, drawn.transcript).findings == ()
    opened = Opened(data)
    cmap = opened.font.ToUnicode.read_bytes()
    assert cmap.count(b"beginbfchar") > 2
    opened.font.ToUnicode.write(cmap.replace(b"\n100 beginbfchar", b"\n99 beginbfchar", 1))
    assert opened.codes() == {"A32"}
    opened.font.ToUnicode.write(cmap.replace(b"endbfchar\n100 beginbfchar\n", b"", 1))
    assert opened.codes() == {"A32"}
    opened.font.ToUnicode.write(cmap)
    assert opened.codes() == set()


def row(cmap: bytes, code: int) -> bytes:
    first = cmap.index(b"<%04x> " % code)
    return cmap[first : cmap.index(b"\n", first) + 1]


MAPS: dict[str, Callable[[bytes], bytes]] = {
    "a row less": lambda m: m.replace(row(m, 3), b""),
    "a character twice": lambda m: m.replace(row(m, 3)[7:], row(m, 2)[7:], 1),
    "two characters for a code": lambda m: m.replace(row(m, 2), row(m, 2)[:-2] + b"0041>\n"),
    "other capitals": lambda m: m.replace(b"<ffff>", b"<FFFF>"),
    "other blanks": lambda m: m.replace(b"> <", b">  <", 1),
    "another system": lambda m: m.replace(b"(UCS)", b"(SCU)"),
    "another supplement": lambda m: m.replace(b"/Supplement 0", b"/Supplement 7"),
    "another name": lambda m: m.replace(b"/Adobe-Identity-UCS", b"/Jordan-Example"),
    "a larger code space": lambda m: m.replace(b"<0000> <ffff>", b"<0001> <ffff>"),
    "a longer end": lambda m: m + b"\n",
    "a comment before": lambda m: b"%\n" + m,
}


@pytest.mark.parametrize("change", MAPS.values(), ids=MAPS)
def test_a_map_that_says_something(opened: Opened, change: Callable[[bytes], bytes]) -> None:
    cmap = opened.font.ToUnicode.read_bytes()
    changed = change(cmap)
    assert changed != cmap
    opened.font.ToUnicode.write(changed)
    assert opened.codes() == {"A32"}
