"""The one font: no shapes, no names, and a character map that maps and says nothing.

Rule kept here: how many characters the text uses is all that may differ between two fonts of ours. Their dictionaries
are known value by value, the program is built again here byte by byte, the map row by row.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pikepdf

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, file_check
from tasks.redaction.gate.output import Output, says

Name = pikepdf.Name
NAME = Name("/FOIAAA+Invisible")
DESCRIPTOR: dict[str, Any] = {
    "Type": Name("/FontDescriptor"),
    "FontName": NAME,
    "Flags": 4,
    "FontBBox": pikepdf.Array([0, 0, 500, 1000]),
    "ItalicAngle": 0,
    "Ascent": 1000,
    "Descent": 0,
    "CapHeight": 1000,
    "StemV": 80,
}
DESCENDANT: dict[str, Any] = {
    "Type": Name("/Font"),
    "Subtype": Name("/CIDFontType2"),
    "BaseFont": NAME,
    "DW": 500,
    "CIDToGIDMap": Name("/Identity"),
}
FONT: dict[str, Any] = {
    "Type": Name("/Font"),
    "Subtype": Name("/Type0"),
    "BaseFont": NAME,
    "Encoding": Name("/Identity-H"),
}
PROGRAM, MAP = frozenset({"/Length", "/Filter", "/Length1"}), frozenset({"/Length", "/Filter"})

GLYPH = bytes.fromhex("0001 0000 0000 01f4 03e8 0001 0000 31 01 01f4 03e8")
"""One contour of two points, from the origin to the far corner and back: nothing that could be seen."""

FIXED: dict[bytes, bytes] = {
    tag: bytes.fromhex(content).ljust(size, b"\0")
    for tag, size, content in (
        (b"cmap", 36, "0000 0001 0003 0001 0000000c 0004 0018 0000 0002 0002 0000 0000 ffff 0000 ffff 0001"),
        (b"head", 54, "00010000 00010000 00000000 5f0f3cf5 0000 03e8 " + "00" * 20 + "01f4 03e8 0000 0008 0002"),
        (b"hhea", 36, "00010000 03e8 0000 0000 01f4 " + "00" * 22 + "0001"),
        (b"name", 6, "0000 0000 0006"),
        (b"post", 32, "00030000 00000000 0000 0000 00000001"),
    )
} | {
    b"OS/2": bytes.fromhex("0004 01f4 0190 0005")
    + bytes(50)
    + b"    "
    + bytes.fromhex("0040 ffff ffff 03e8 0000 0000 03e8")
    + bytes(8)
    + bytes.fromhex("0000 03e8 03e8 0000 0020 0000")
}
"""Tables that always hold the same: no names of the font, none of glyphs, no dates, no maker (Apple, TrueType Reference
Manual)."""

WHOLE = 0xB1B0AFBA
"""What the sum of a program and its adjustment make together."""

CMAP = re.compile(
    rb"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
    rb"/CIDSystemInfo <</Registry \(Adobe\) /Ordering \(UCS\) /Supplement 0>> def\n"
    rb"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
    rb"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
    rb"(?:\d{1,3} beginbfchar\n(?:<[0-9a-f]{4}> <(?:[0-9a-f]{4}){1,2}>\n)+endbfchar\n)+"
    rb"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
)
BLOCK = re.compile(rb"(\d+) beginbfchar\n(.*?)endbfchar", re.DOTALL)
ROW = re.compile(rb"<([0-9a-f]{4})> <([0-9a-f]{4,8})>")


@file_check("A04")
def has_one_font_without_shapes(output: Output) -> Iterator[Finding]:
    """All pages share one font, and its glyphs have no area."""
    fonts = _fonts(output)
    if len(fonts) != 1 or not all(map(_has_no_shapes, fonts)):
        yield Finding("A04", None, None, f"The file holds {FAULTS['A04']}.")


@file_check("A32")
def has_a_font_that_says_nothing(output: Output) -> Iterator[Finding]:
    """Its dictionaries, its program and its character map hold what text needs, and no more."""
    for font in _fonts(output):
        # A font with shapes is a fault of its own.
        if font.Subtype == "/Type0" and _has_no_shapes(font) and not _says_nothing(font):
            yield Finding("A32", None, None, f"The file holds {FAULTS['A32']}.")


def _fonts(output: Output) -> list[Any]:
    """The fonts of all pages, each once."""
    found = (font for page in output.pdf.pages for font in page.obj.Resources.get("/Font", {}).values())
    return list({font.objgen: font for font in found}.values())


def _program(font: Any) -> bytes:
    (descendant,) = font.DescendantFonts
    program: bytes = descendant.FontDescriptor.FontFile2.read_bytes()
    return program


def _has_no_shapes(font: Any) -> bool:
    """Whether each glyph of a font's program is the same contour of two points."""
    glyphs = _tables(_program(font))[b"glyf"]
    contours, last_point = struct.unpack_from(">h8xH", glyphs)
    return (contours, last_point) == (1, 1) and glyphs == glyphs[: len(GLYPH)] * (len(glyphs) // len(GLYPH))


def _tables(program: bytes) -> dict[bytes, bytes]:
    """The tables of a font's program by tag."""
    (count,) = struct.unpack_from(">H", program, 4)
    entries = (struct.unpack_from(">4s4xII", program, 12 + 16 * i) for i in range(count))
    return {tag: program[offset : offset + length] for tag, offset, length in entries}


def _says_nothing(font: Any) -> bool:
    (descendant,) = font.DescendantFonts
    descriptor, cmap = descendant.FontDescriptor, font.ToUnicode.read_bytes()
    return (
        says(font, **FONT, DescendantFonts=font.DescendantFonts, ToUnicode=font.ToUnicode)
        and says(descendant, **DESCENDANT, CIDSystemInfo=descendant.CIDSystemInfo, FontDescriptor=descriptor)
        and says(descendant.CIDSystemInfo, Registry="Adobe", Ordering="Identity", Supplement=0)
        and says(descriptor, **DESCRIPTOR, FontFile2=descriptor.FontFile2)
        and set(descriptor.FontFile2.keys()) <= PROGRAM
        and descriptor.FontFile2.Length1 == len(_program(font))
        and set(font.ToUnicode.keys()) <= MAP
        and _has_a_bare_map(cmap)
        and _program(font) == program_of(len(ROW.findall(_rows(cmap))))
    )


def program_of(glyphs: int) -> bytes:
    """The program of a font of so many characters: its tables by tag, their sums, and the sum of all."""
    tables = {
        **FIXED,
        b"glyf": GLYPH * glyphs,
        b"hmtx": struct.pack(">H", 500) + bytes(2 + 2 * glyphs),
        b"loca": struct.pack(f">{glyphs + 2}H", 0, *(i * len(GLYPH) // 2 for i in range(glyphs + 1))),
        b"maxp": struct.pack(">IHHH", 0x00010000, glyphs + 1, 2, 1).ljust(32, b"\0"),
    }
    directory, body, first = b"", b"", 12 + 16 * len(tables)
    for tag, content in sorted(tables.items()):
        directory += struct.pack(">4sIII", tag, _sum(content), first + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    program = struct.pack(">IHHHH", 0x00010000, len(tables), 128, 3, 32) + directory + body
    at = program.index(FIXED[b"head"], first) + 8
    return program[:at] + struct.pack(">I", (WHOLE - _sum(program)) & 0xFFFFFFFF) + program[at + 4 :]


def _sum(content: bytes) -> int:
    """Of its 32-bit numbers, the last filled up with zeros."""
    padded = content + bytes(-len(content) % 4)
    numbers: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(numbers) & 0xFFFFFFFF


def _has_a_bare_map(cmap: bytes) -> bool:
    """Codes 1, 2, ... to characters in their own order: in another order they could spell something.

    The rows stand in blocks of a hundred, each with the number of its rows.
    """
    blocks = [(int(count), ROW.findall(rows)) for count, rows in BLOCK.findall(_rows(cmap))]
    rows = [row for _, found in blocks for row in found]
    chars = [bytes.fromhex(char.decode()).decode("utf-16-be") for _, char in rows]
    return (
        CMAP.fullmatch(cmap) is not None
        and [(count, len(found)) for count, found in blocks] == [(n, n) for n in _hundreds(len(rows))]
        and [int(code, 16) for code, _ in rows] == list(range(1, len(rows) + 1))
        and all(len(char) == 1 for char in chars)
        and all(before < char for before, char in pairwise(chars))
    )


def _hundreds(count: int) -> list[int]:
    return [min(100, count - first) for first in range(0, count, 100)]


def _rows(cmap: bytes) -> bytes:
    """The mappings, behind the range of codes, which has rows of its own."""
    return cmap.partition(b"endcodespacerange")[2]
