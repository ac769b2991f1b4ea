"""The content streams: one image, one invisible text block, nothing else.

Rule kept here: operators are allowed by name; which finding an unknown one raises follows from what it does.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator

import pikepdf

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, file_check, page_check
from tasks.redaction.gate.output import Output, PageView

OPERATORS: dict[str, str] = {
    operator: code
    for code, operators in {
        "": "q Q cm Do BT ET Tf Tr Tm Tj",
        "A04": "CS cs SC SCN sc scn G g RG rg K k Tc Tw Tz TL Ts Td TD T* TJ ' \"",
        "A08": "m l c v y h re S s f F f* B B* b b* n W W* sh w J j M d",
        "A17": "MP DP BMC BDC EMC",
        "A23": "gs",
    }.items()
    for operator in operators.split()
}
"""The finding each operator raises, "" for those that are allowed; one that is not here raises A06."""

ONCE = {"Do": "A06", "BT": "A06", "ET": "A06", "cm": "A06", "q": "A06", "Q": "A06", "Tf": "A04", "Tr": "A04"}
"""Operators a page has once, and the finding when it has another number of them."""

FONT = frozenset({"/Type", "/Subtype", "/BaseFont", "/Encoding", "/DescendantFonts", "/ToUnicode"})
DESCENDANT = frozenset({"/Type", "/Subtype", "/BaseFont", "/CIDSystemInfo", "/FontDescriptor", "/DW", "/CIDToGIDMap"})


@page_check("A04", "A06", "A08", "A15", "A17", "A23")
def has_only_known_operators(view: PageView) -> Iterator[Finding]:
    """The image is drawn once, then one block of invisible text follows."""
    codes: set[str] = set()
    count: Counter[str] = Counter()
    for instruction in view.instructions:
        operator = str(instruction.operator)
        count[operator] += 1
        if operator == "Tr" and int(instruction.operands[0]) != 3:
            codes.add("A04")
        code = OPERATORS.get(operator, "A06")
        if operator in ("BDC", "BMC", "DP", "MP") and str(instruction.operands[0]) == "/OC":
            code = "A15"
        if operator != "EMC" or not codes & {"A15", "A17"}:  # the end of a section is not a second fault
            codes.add(code)
    codes.discard("")
    order = [str(i.operator) for i in view.instructions]
    codes |= {code for operator, code in ONCE.items() if count[operator] != 1 and not codes & {code, "A08"}}
    if not codes and (order[:6] != ["q", "cm", "Do", "Q", "BT", "Tf"] or order[6] != "Tr" or order[-1] != "ET"):
        codes.add("A06")
    for code in sorted(codes):
        yield Finding(code, view.number, None, f"The page holds {FAULTS[code]}.")


@file_check("A04")
def has_one_font_without_shapes(output: Output) -> Iterator[Finding]:
    """All pages share one font; its glyphs have no area and its tables carry no names."""
    fonts = {font.objgen: font for page in output.pdf.pages for font in page.obj.Resources.get("/Font", {}).values()}
    if len(fonts) != 1 or not all(_is_invisible_font(font) for font in fonts.values()):
        yield Finding("A04", None, None, f"The file holds {FAULTS['A04']}.")


def _is_invisible_font(font: pikepdf.Object) -> bool:
    (descendant,) = font.DescendantFonts
    if set(font.keys()) - FONT or set(descendant.keys()) - DESCENDANT:
        return False
    program = descendant.FontDescriptor.FontFile2.read_bytes()
    (count,) = struct.unpack_from(">H", program, 4)
    tables = {}
    for i in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", program, 12 + 16 * i)
        tables[tag] = program[offset : offset + length]
    used = 12 + 16 * count + sum(len(table) + -len(table) % 4 for table in tables.values())
    return used == len(program) and tables[b"name"] == b"\0\0\0\0\0\6" and _has_no_area(tables[b"glyf"])


def _has_no_area(glyphs: bytes) -> bool:
    """Whether all glyphs are alike, each one contour of two points: nothing that could be seen."""
    one = glyphs[:20]
    contours, last_point = struct.unpack_from(">h8xH", one)
    return len(one) == 20 and (contours, last_point) == (1, 1) and glyphs == one * (len(glyphs) // 20)
