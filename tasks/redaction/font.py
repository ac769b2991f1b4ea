"""A font without shapes: what an invisible text layer is set in.

Written here rather than taken along, so that the output holds nothing but what this code put there. One glyph for each
character used, all of one width: a contour of two points, which has an extent but no area. (With glyphs that are
empty altogether, pdfium passes over text that runs up or down the page.) A TrueType file: Apple, "TrueType Reference
Manual"; ISO/IEC 14496-22.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

UNITS_PER_EM = 1000
ADVANCE_UNITS = 500


def build_font(glyphs: int) -> bytes:
    """A TrueType file of `glyphs` glyphs without area beside .notdef, which is empty."""
    count = glyphs + 1
    glyph = _glyph()
    tables = {
        b"OS/2": _os2(),
        b"cmap": struct.pack(">HH", 0, 1) + struct.pack(">HHI", 3, 1, 12) + _empty_cmap(),
        b"glyf": glyph * glyphs,
        b"head": _head(),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x00010000, UNITS_PER_EM, 0, 0, ADVANCE_UNITS, *[0] * 11, 1),
        b"hmtx": struct.pack(">Hh", ADVANCE_UNITS, 0) + b"\0\0" * (count - 1),
        b"loca": struct.pack(f">{count + 1}H", 0, *(i * len(glyph) // 2 for i in range(count))),
        b"maxp": struct.pack(">I14H", 0x00010000, count, 2, 1, *[0] * 11),
        b"name": struct.pack(">HHH", 0, 0, 6),
        b"post": struct.pack(">IIhhIIIII", 0x00030000, 0, 0, 0, 1, 0, 0, 0, 0),
    }
    return _assemble(tables)


def to_unicode(chars: Sequence[str]) -> bytes:
    """The CMap from codes 1, 2, ... to `chars` (ISO 32000-1, 9.10.3)."""
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
        "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def",
        "1 begincodespacerange",
        "<0000> <ffff>",
        "endcodespacerange",
    ]
    for start in range(0, len(chars), 100):
        block = chars[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{start + i:04x}> <{char.encode('utf-16-be').hex()}>" for i, char in enumerate(block, 1)]
        lines.append("endbfchar")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode("ascii")


def _glyph() -> bytes:
    """One contour from the origin to the far corner and back."""
    on_curve, same_x, same_y = 0x01, 0x10, 0x20
    box = struct.pack(">hhhhh", 1, 0, 0, ADVANCE_UNITS, UNITS_PER_EM)
    points = struct.pack(">BBhh", on_curve | same_x | same_y, on_curve, ADVANCE_UNITS, UNITS_PER_EM)
    return box + struct.pack(">HH", 1, 0) + points


def _empty_cmap() -> bytes:
    """Format 4 with its closing segment only: characters are reached by glyph number, never by code."""
    return struct.pack(">HHHHHHH", 4, 24, 0, 2, 2, 0, 0) + struct.pack(">HHHhH", 0xFFFF, 0, 0xFFFF, 1, 0)


def _head() -> bytes:
    """Table head with a checksum adjustment of 0 and no dates."""
    magic, flags = 0x5F0F3CF5, 0
    box = (0, 0, ADVANCE_UNITS, UNITS_PER_EM)
    version = 0x00010000
    return struct.pack(">IIIIHHqqhhhhHHhhh", version, version, 0, magic, flags, UNITS_PER_EM, 0, 0, *box, 0, 8, 2, 0, 0)


def _os2() -> bytes:
    return struct.pack(
        ">HhHHHhhhhhhhhhhh10sIIII4sHHHhhhHHIIhhHHH",
        4, ADVANCE_UNITS, 400, 5, 0, *[0] * 11, b"\0" * 10, 0, 0, 0, 0, b"    ", 0x40, 0xFFFF, 0xFFFF,
        UNITS_PER_EM, 0, 0, UNITS_PER_EM, 0, 0, 0, UNITS_PER_EM, UNITS_PER_EM, 0, 0x20, 0,
    )  # fmt: skip


def _assemble(tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    header = struct.pack(">IHHHH", 0x00010000, count, power * 16, power.bit_length() - 1, (count - power) * 16)
    offset = 12 + 16 * count
    directory, body = b"", b""
    for tag, data in sorted(tables.items()):
        directory += struct.pack(">4sIII", tag, _checksum(data), offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    font = bytearray(header + directory + body)
    head = offset + sum(len(d) + -len(d) % 4 for t, d in sorted(tables.items()) if t < b"head")
    struct.pack_into(">I", font, head + 8, (0xB1B0AFBA - _checksum(bytes(font))) & 0xFFFFFFFF)
    return bytes(font)


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFFFFFF
