"""The one font: no shapes, no names, and a character map that maps and says nothing.

Rule kept here: every table and entry is known by its name and size; what could hold a word is empty or fixed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, file_check
from tasks.redaction.gate.output import Output

FONT = frozenset({"/Type", "/Subtype", "/BaseFont", "/Encoding", "/DescendantFonts", "/ToUnicode"})
DESCENDANT = frozenset({"/Type", "/Subtype", "/BaseFont", "/CIDSystemInfo", "/FontDescriptor", "/DW", "/CIDToGIDMap"})
DESCRIPTOR = frozenset(
    [
        "/Type",
        "/FontName",
        "/Flags",
        "/FontBBox",
        "/ItalicAngle",
        "/Ascent",
        "/Descent",
        "/CapHeight",
        "/StemV",
        "/FontFile2",
    ]
)
SYSTEM = {"/Registry": "Adobe", "/Ordering": "Identity", "/Supplement": "0"}
PROGRAM, MAP = frozenset({"/Length", "/Filter", "/Length1"}), frozenset({"/Length", "/Filter"})
NAME = "/FOIAAA+Invisible"

TABLES = frozenset({b"OS/2", b"cmap", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"name", b"post"})
FIXED = {b"name": b"\0\0\0\0\0\6", b"post": b"\0\3" + bytes(13) + b"\1" + bytes(16)}
"""Tables that always hold the same: no names of the font, none of glyphs (Apple, TrueType Reference Manual)."""

SIZES = {b"OS/2": 96, b"cmap": 36, b"head": 54, b"hhea": 36, b"maxp": 32, b"post": 32}
GLYPH = 20

CMAP = re.compile(
    rb"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
    rb"/CIDSystemInfo <</Registry \(Adobe\) /Ordering \(UCS\) /Supplement 0>> def\n"
    rb"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
    rb"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
    rb"(?:\d{1,3} beginbfchar\n(?:<[0-9a-f]{4}> <(?:[0-9a-f]{4}){1,2}>\n)+endbfchar\n)+"
    rb"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
)
ROW = re.compile(rb"<([0-9a-f]{4})> <([0-9a-f]{4,8})>")


@file_check("A04")
def has_one_font_without_shapes(output: Output) -> Iterator[Finding]:
    """All pages share one font, and its glyphs have no area."""
    fonts = _fonts(output)
    if len(fonts) != 1 or not all(_has_no_area(_tables(font)[b"glyf"]) for font in fonts):
        yield Finding("A04", None, None, f"The file holds {FAULTS['A04']}.")


@file_check("A32")
def has_a_font_that_says_nothing(output: Output) -> Iterator[Finding]:
    """Its dictionaries, its program and its character map hold what text needs, and no more."""
    for font in _fonts(output):
        if font.Subtype == "/Type0" and not (
            _has_known_entries(font) and _has_a_bare_program(font) and _has_a_bare_map(font)
        ):
            yield Finding("A32", None, None, f"The file holds {FAULTS['A32']}.")


def _fonts(output: Output) -> list[Any]:
    """The fonts of all pages, each once."""
    found = (font for page in output.pdf.pages for font in page.obj.Resources.get("/Font", {}).values())
    return list({font.objgen: font for font in found}.values())


def _has_known_entries(font: Any) -> bool:
    (descendant,) = font.DescendantFonts
    descriptor = descendant.FontDescriptor
    return (
        set(font.keys()) == FONT
        and set(descendant.keys()) == DESCENDANT
        and set(descriptor.keys()) == DESCRIPTOR
        and {key: str(value) for key, value in descendant.CIDSystemInfo.items()} == SYSTEM
        and set(descriptor.FontFile2.keys()) <= PROGRAM
        and set(font.ToUnicode.keys()) <= MAP
        and font.BaseFont == descendant.BaseFont == descriptor.FontName == NAME
    )


def _tables(font: Any) -> dict[bytes, bytes]:
    """The tables of a font's program by tag.

    Raises:
        ValueError: they do not fill it.
    """
    (descendant,) = font.DescendantFonts
    program = descendant.FontDescriptor.FontFile2.read_bytes()
    (count,) = struct.unpack_from(">H", program, 4)
    tables = {}
    for i in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", program, 12 + 16 * i)
        tables[tag] = program[offset : offset + length]
    if 12 + 16 * count + sum(len(table) + -len(table) % 4 for table in tables.values()) != len(program):
        raise ValueError("bytes between tables")
    return tables


def _has_no_area(glyphs: bytes) -> bool:
    """Whether all glyphs are alike, each one contour of two points: nothing that could be seen."""
    one = glyphs[:GLYPH]
    contours, last_point = struct.unpack_from(">h8xH", one)
    return len(one) == GLYPH and (contours, last_point) == (1, 1) and glyphs == one * (len(glyphs) // GLYPH)


def _has_a_bare_program(font: Any) -> bool:
    """Tables of known sizes; no dates, no maker's mark, one width, glyphs one behind another, as many as characters."""
    tables = _tables(font)
    glyphs = len(tables[b"glyf"]) // GLYPH
    wanted = [0, *(i * GLYPH // 2 for i in range(glyphs + 1))]
    return (
        set(tables) == TABLES
        and all(len(tables[tag]) == size for tag, size in SIZES.items())
        and all(tables[tag] == content for tag, content in FIXED.items())
        and tables[b"head"][20:36] == bytes(16)
        and tables[b"OS/2"][32:42] == bytes(10)
        and tables[b"OS/2"][58:62] == b"    "
        and tables[b"hmtx"][2:] == bytes(2 + 2 * glyphs)
        and list(struct.unpack(f">{len(tables[b'loca']) // 2}H", tables[b"loca"])) == wanted
        and glyphs == len(_rows(font.ToUnicode.read_bytes()))
    )


def _has_a_bare_map(font: Any) -> bool:
    """Codes 1, 2, ... to characters in their own order: in another order they could spell something."""
    cmap = font.ToUnicode.read_bytes()
    rows = _rows(cmap)
    chars = [bytes.fromhex(char.decode()).decode("utf-16-be") for _, char in rows]
    return (
        CMAP.fullmatch(cmap) is not None
        and [int(code, 16) for code, _ in rows] == list(range(1, len(rows) + 1))
        and all(len(char) == 1 for char in chars)
        and all(before < char for before, char in pairwise(chars))
    )


def _rows(cmap: bytes) -> list[tuple[bytes, bytes]]:
    """(code, character) of each mapping, in hexadecimal digits."""
    found: list[tuple[bytes, bytes]] = ROW.findall(cmap.partition(b"endcodespacerange")[2])
    return found
