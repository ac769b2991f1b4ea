"""Small real files, and ways to spoil them: blindly, and where the format hurts."""

from __future__ import annotations

import io
import random
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache

import pikepdf
import pymupdf

from tests.hostile.files import HOSTILE, good_pdf, scanned_pdf
from tests.hostile.images import paper, saved

MOST_BYTES = 30_000
"""Of a hostile file that serves as a seed."""

SLOW = re.compile("1-GiB|bomb|million|never-done|billion|100000|larger-than-said|endless|deep")
"""Hostile files whose every mutant would take seconds."""

NUMBERS = (0, 1, -1, 7, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
KEYS = rb"/(?:[A-Z][A-Za-z0-9]*)"
NAMES = (
    *(b"/Kids", b"/Parent", b"/Count", b"/Contents", b"/Resources", b"/MediaBox", b"/Length", b"/Filter", b"/Rotate"),
    *(b"/XObject", b"/Font", b"/Pattern", b"/ColorSpace", b"/SMask", b"/Subtype", b"/Image", b"/Form", b"/Annots"),
    *(b"/DCTDecode", b"/JPXDecode", b"/JBIG2Decode", b"/CCITTFaxDecode", b"/LZWDecode", b"/RunLengthDecode"),
    *(b"/DeviceN", b"/Indexed", b"/ICCBased", b"/Lab", b"/Separation", b"/DeviceCMYK", b"/Type3", b"/Prev", b"/W"),
)
OPERATORS = (b" q ", b" Q ", b" cm ", b" Do ", b" re ", b" W n ", b" f* ", b" BT ", b" ET ", b" Tj ", b" sh ", b" gs ")
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)


# ------------------------------------------------------------------------------------------------ seeds


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Names and bytes of sound files of every kind that is read, and of small hostile ones."""
    sound = [*_pdfs(), *_images()]
    odd = [(one.name, one.make()) for one in HOSTILE if not SLOW.search(one.name)]
    return (*sound, *((name, data) for name, data in odd if 0 < len(data) <= MOST_BYTES))


def _pdfs() -> list[tuple[str, bytes]]:
    pages = {
        "grey.pdf": saved(paper(), "PNG"),
        "colour.pdf": saved(paper("RGB"), "JPEG"),
        "g4.pdf": saved(paper("1"), "TIFF", compression="group4"),
        "jpx.pdf": saved(paper(), "JPEG2000"),
    }
    made = [("text.pdf", good_pdf()), ("scan.pdf", scanned_pdf())]
    for name, picture in pages.items():
        with pymupdf.open() as document:
            sheet = document.new_page(width=216, height=108)
            sheet.insert_image(sheet.rect, stream=picture)
            sheet.insert_text((20, 90), "Room 4, ask for the key.")
            sheet.add_highlight_annot((20, 20, 90, 40))
            made.append((name, bytes(document.tobytes(deflate=True))))
            made.append((f"packed-{name}", _packed(made[-1][1])))
    return made


def _packed(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return out.getvalue()


def _images() -> list[tuple[str, bytes]]:
    made = [(f"{mode.replace(';', '-')}.png", saved(paper().convert(mode), "PNG")) for mode in ("1", "L", "I;16")]
    made += [(f"{mode}.png", saved(paper("RGB").convert(mode), "PNG")) for mode in ("P", "RGB", "RGBA", "LA")]
    made += [(f"{mode}.jpg", saved(paper(mode), "JPEG")) for mode in ("L", "RGB", "CMYK")]
    made += [("progressive.jpg", saved(paper("RGB"), "JPEG", progressive=True))]
    for packing in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        made.append((f"{packing}.tif", saved(paper(), "TIFF", compression=packing)))
    for packing in ("group3", "group4", "tiff_ccitt"):
        made.append((f"{packing}.tif", saved(paper("1"), "TIFF", compression=packing)))
    several = saved(paper("1"), "TIFF", compression="tiff_lzw", save_all=True, append_images=[paper("RGB"), paper()])
    return [*made, ("several.tif", several), ("float.tif", saved(paper().convert("F"), "TIFF"))]


# ------------------------------------------------------------------------------------------------ mutations

Mutation = Callable[[random.Random, bytearray], bytearray]


def mutated(chance: random.Random) -> tuple[str, bytes]:
    """One spoilt file, the same for the same state of `chance`: its name, and its bytes."""
    name, seed = chance.choice(seeds())
    data = bytearray(seed)
    ways = BLIND + (IN_PDF if b"%PDF-" in seed[:1024] else IN_IMAGES)
    for _ in range(1 + int(chance.expovariate(0.5))):
        if data:
            data = chance.choice(ways)(chance, data)
    return name, bytes(data)


def _flip(chance: random.Random, data: bytearray) -> bytearray:
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _truncate(chance: random.Random, data: bytearray) -> bytearray:
    return data[: chance.randrange(len(data) + 1)]


def _drop(chance: random.Random, data: bytearray) -> bytearray:
    start = chance.randrange(len(data))
    del data[start : start + chance.choice((1, 2, 16, 256, 4096))]
    return data


def _repeat(chance: random.Random, data: bytearray) -> bytearray:
    start = chance.randrange(len(data))
    part = data[start : start + chance.choice((1, 16, 256))]
    data[start:start] = part * chance.choice((1, 2, 100))
    return data


def _splice(chance: random.Random, data: bytearray) -> bytearray:
    other = chance.choice(seeds())[1]
    start, end = sorted((chance.randrange(len(other)), chance.randrange(len(other))))
    at = chance.randrange(len(data))
    data[at : at + chance.choice((0, end - start))] = other[start:end]
    return data


def _overwrite_number(chance: random.Random, data: bytearray) -> bytearray:
    shape = chance.choice(("<H", ">H", "<I", ">I"))
    value = chance.choice(NUMBERS) % (1 << 8 * struct.calcsize(shape))
    at = chance.randrange(len(data))
    data[at : at + struct.calcsize(shape)] = struct.pack(shape, value)
    return data


def _in_match(pattern: bytes, give: Callable[[random.Random, list[bytes]], bytes]) -> Mutation:
    """Replace one match of the pattern by what `give` makes of all matches."""

    def change(chance: random.Random, data: bytearray) -> bytearray:
        found = list(re.finditer(pattern, data))
        if found:
            one = chance.choice(found)
            data[one.start() : one.end()] = give(chance, [bytes(match[0]) for match in found])
        return data

    return change


def _number(chance: random.Random, _: list[bytes]) -> bytes:
    return chance.choice((b"%d" % chance.choice(NUMBERS), b"1e38", b"-1e38", b".000001", b"null", b"[]", b"9" * 40))


def _in_stream(chance: random.Random, data: bytearray) -> bytearray:
    """Change what a compressed stream unpacks to."""
    found = list(STREAM.finditer(data))
    if not found:
        return data
    one = chance.choice(found)
    try:
        inner = bytearray(zlib.decompressobj().decompress(one[1], 1 << 20))
        packed = True
    except zlib.error:
        inner, packed = bytearray(one[1]), False
    if inner:
        inner = chance.choice((_flip, _repeat, _drop, _operator, _token))(chance, inner)
    data[one.start(1) : one.end(1)] = zlib.compress(bytes(inner)) if packed else inner
    return data


def _operator(chance: random.Random, data: bytearray) -> bytearray:
    at = chance.randrange(len(data))
    data[at:at] = chance.choice(OPERATORS) * chance.choice((1, 1, 1000))
    return data


def _nest(chance: random.Random, data: bytearray) -> bytearray:
    at = chance.randrange(len(data))
    data[at:at] = chance.choice((b"[", b"<<", b"<</A", b"(")) * chance.choice((1, 50, 5000))
    return data


def _sum_again(chance: random.Random, data: bytearray) -> bytearray:
    """Change a PNG's chunk and make its sum right."""
    starts = [match.start() for match in re.finditer(rb"IHDR|IDAT|PLTE|tRNS|iCCP|tEXt|eXIf|acTL|fcTL|pHYs", data)]
    if not starts:
        return data
    at = chance.choice(starts)
    length = min(int.from_bytes(data[max(0, at - 4) : at], "big"), len(data) - at - 8)
    if length <= 0:
        return data
    for _ in range(chance.choice((1, 4))):
        data[at + 4 + chance.randrange(length)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    data[at + 4 + length : at + 8 + length] = struct.pack(">I", zlib.crc32(data[at : at + 4 + length]))
    return data


def _tag(chance: random.Random, data: bytearray) -> bytearray:
    """Change a field of one entry of a TIFF's first directory."""
    if len(data) < 24 or data[:2] not in (b"II", b"MM"):
        return _overwrite_number(chance, data)
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    if at + 2 > len(data):
        return data
    (entries,) = struct.unpack_from(order + "H", data, at)
    entry = at + 2 + 12 * chance.randrange(max(1, min(entries, 40)))
    field, shape = chance.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "I"), (8, "H")))
    if entry + 12 <= len(data):
        value = chance.choice((*NUMBERS, chance.randrange(70_000))) % (1 << 8 * struct.calcsize(shape))
        struct.pack_into(order + shape, data, entry + field, value)
    return data


def _segment(chance: random.Random, data: bytearray) -> bytearray:
    """Change a byte soon after a JPEG's marker."""
    markers = [match.start() for match in re.finditer(rb"\xff[\xc0-\xfe]", data)]
    if markers:
        at = min(len(data) - 1, chance.choice(markers) + chance.randrange(1, 24))
        data[at] = chance.choice((0, 1, 2, 3, 4, 17, 127, 255, chance.randrange(256)))
    return data


_token = _in_match(rb"-?\d+(?:\.\d+)?", _number)
BLIND: tuple[Mutation, ...] = (_flip, _flip, _truncate, _drop, _repeat, _splice, _overwrite_number)
IN_PDF: tuple[Mutation, ...] = (
    *(_token, _token, _in_stream, _in_stream, _in_stream, _nest),
    _in_match(KEYS, lambda chance, found: chance.choice((*NAMES, *found))),
    _in_match(rb"\d+ 0 R", lambda chance, found: chance.choice((*found, b"99 0 R", b"0 0 R", b"1 0 R"))),
    _in_match(rb"\[[^\[\]]*\]", lambda chance, found: chance.choice((*found, b"[]", b"null"))),
    _in_match(rb"<<|>>|obj|endobj|stream|endstream|xref|trailer", lambda chance, found: chance.choice((*found, b" "))),
)
IN_IMAGES: tuple[Mutation, ...] = (_sum_again, _sum_again, _tag, _tag, _segment, _segment, _overwrite_number)
