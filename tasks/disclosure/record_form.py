"""The one form of a published record: read strictly, built again from what was read, and compared byte by byte.

Rule kept here: a record is written by one program, so everything in it has one place and one spelling: a picture a
page, invisible words behind it, their font, their tags, a title and a language. What is not one of these has no place,
and no parser's leniency decides what is passed over. It shares no code with what writes records, or with the gate.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape

import pikepdf
from PIL import Image

UNREAD = "Picture of the page. No text was read from it."
PRODUCER = "foi-disclosure"
SPACE = " "
IDENTIFIER_BYTES = 16

_HEADER = re.compile(rb"%PDF-1\.7\n%\xc2\xb5\xc2\xb6\n% {0,80}\n\n")
_STREAM = re.compile(rb"<<[^\n]*/Length (\d{1,10})[^\n]*>>")
_PICTURE = re.compile(
    rb"<</Type/XObject/Subtype/Image/Width (\d{1,6})/Height (\d{1,6})/ColorSpace/(DeviceGray|DeviceRGB)"
    rb"/BitsPerComponent (?:1|8)/Length \d+/Filter/(DCTDecode|FlateDecode|CCITTFaxDecode)(?:/DecodeParms<<[^<>]*>>)?>>"
)
_PAGE = re.compile(rb"<</Type/Page/Parent 2 0 R/MediaBox\[0 0 (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)\]")
_INFO = re.compile(rb"<</Title(\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f]*>)/Producer\(" + PRODUCER.encode() + rb"\)>>")
_LANGUAGE = re.compile(rb"/Lang\(([a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?)\)")
_TAIL = re.compile(
    rb"trailer\n<</Size (\d+)/Info (\d+) 0 R/Root 1 0 R/ID\[(<[0-9A-F]{32}>|\((?:\\.|[^\\()])*\))\3\]>>\n"
    rb"startxref\n(\d+)\n%%EOF\n",
    re.DOTALL,
)

_NUMBER = rb"-?\d{1,7}(?:\.\d{1,3})?"
_DRAWN = re.compile(
    rb"(/Artifact BMC|/Figure <</MCID 0>> BDC)\n"
    rb"q (" + _NUMBER + rb") 0 0 (" + _NUMBER + rb") 0 0 cm /Im1 Do Q\nEMC\nBT\n/F1 1 Tf\n3 Tr"
)
_PARAGRAPH = re.compile(rb"\n/P <</MCID (\d{1,6})>> BDC((?:\n[-0-9. ]+ Tm <[0-9a-f]+> Tj)*)\nEMC")
_WORD = re.compile(rb"\n" + rb" ".join([rb"(" + _NUMBER + rb")"] * 6) + rb" Tm <((?:[0-9a-f]{4})+)> Tj")

_METADATA = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>{producer}</pdf:Producer>
<pdfuaid:part>1</pdfuaid:part>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


class OtherFormError(ValueError):
    """The file has another form than a record; the message says, in words, what part of it."""


@dataclass(frozen=True, slots=True)
class LaidText:
    """A word of the layer. `place` is (x0, y0, x1, y1) as shares of the page's width and height, from the top left."""

    text: str = field(repr=False)
    place: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class RecordPage:
    """A page: its picture's size in px, its own in points, and the words behind the picture."""

    picture_px: tuple[int, int]
    size_pt: tuple[float, float]
    words: tuple[LaidText, ...]


@dataclass(frozen=True, slots=True)
class RecordForm:
    """All that a record says beside its pictures."""

    title: str
    language: str
    pages: tuple[RecordPage, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    said: bytes
    data: bytes = b""


def read_form(pdf: bytes) -> RecordForm:
    """A record's pages and words.

    Raises:
        OtherFormError: it is not, byte for byte, of the form of a record.
    """
    try:
        return _read(pdf)
    except OtherFormError:
        raise
    except Exception:  # whatever a hostile file provokes, it is not of the form
        raise OtherFormError("structure that cannot be read") from None


def _read(pdf: bytes) -> RecordForm:
    objects, end = _objects(pdf)
    language = _LANGUAGE.search(objects[0].said)
    chars = _characters(_inflated(objects[6].data))
    pages: list[RecordPage] = []
    wanted: list[bytes] = []
    kids: list[int] = []
    sections: list[int] = []
    parents: list[bytes] = []
    at = 8
    while at < len(objects) and (picture := _PICTURE.fullmatch(objects[at].said)):
        number = at + 1  # of the object
        page = _PAGE.match(objects[at + 2].said)
        if page is None:
            raise OtherFormError("a page with other entries than ours")
        words, paragraphs = _words(_inflated(objects[at + 1].data), page, chars)
        _check_picture(objects[at], picture)
        size = float(page[1]), float(page[2])
        pages.append(RecordPage((int(picture[1]), int(picture[2])), size, words))
        parts = [number + 4 + i for i in range(max(1, paragraphs))]
        wanted += _page_objects(number, picture, objects[at : at + 2], page, len(kids), parts, paragraphs)
        kids.append(number + 2)
        sections.append(number + 3)
        parents.append(b"%d[%b]" % (len(parents), _references(parts)))
        at += 4 + len(parts)
    info = at + 1
    said = _INFO.fullmatch(objects[at].said) if at < len(objects) else None
    if said is None or language is None or not pages:
        raise OtherFormError("an object that is not of its pages")
    title = _text(said[1])
    metadata = _METADATA.format(title=escape(title), language=language[1].decode(), producer=PRODUCER).encode()
    program = _font_program(len(chars))
    unicode = objects[6]
    whole = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(%b)/ViewerPreferences<</DisplayDocTitle true>>/MarkInfo<</Marked true>>"
        b"/Metadata %d 0 R/StructTreeRoot %d 0 R>>" % (language[1], info + 1, info + 3),
        b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(kids), _references(kids)),
        b"<</S/Document/P %d 0 R/K[%b]>>" % (info + 3, _references(sections)),
        b"<</Length1 %d/Length %d/Filter/FlateDecode>>" % (len(program), len(objects[3].data)),
        b"<</Type/FontDescriptor/FontName/FOIAAA+Invisible/Flags 4/FontBBox[0 0 500 1000]/ItalicAngle 0/Ascent 1000"
        b"/Descent 0/CapHeight 1000/StemV 80/FontFile2 4 0 R>>",
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/FOIAAA+Invisible/CIDSystemInfo<</Registry(Adobe)"
        b"/Ordering(Identity)/Supplement 0>>/FontDescriptor 5 0 R/DW 500/CIDToGIDMap/Identity>>",
        b"<</Length %d/Filter/FlateDecode>>" % len(unicode.data),
        b"<</Type/Font/Subtype/Type0/BaseFont/FOIAAA+Invisible/Encoding/Identity-H/DescendantFonts[6 0 R]"
        b"/ToUnicode 7 0 R>>",
        *wanted,
        objects[at].said,
        b"<</Type/Metadata/Subtype/XML/Length %d>>" % len(metadata),
        b"<</Nums[%b]>>" % b"".join(parents),
        b"<</Type/StructTreeRoot/K 3 0 R/ParentTree %d 0 R/ParentTreeNextKey %d>>" % (info + 2, len(pages)),
    ]
    if [entry.said for entry in objects] != whole:
        raise OtherFormError("entries that none of our records has")
    if objects[info].data != metadata:
        raise OtherFormError("metadata beside its title and language")
    if _inflated(objects[3].data) != program:
        raise OtherFormError("a font with something in it")
    if int(end[2]) != info or len(bytes(pikepdf.Object.parse(end[3]))) != IDENTIFIER_BYTES:
        raise OtherFormError("a trailer of another form")
    return RecordForm(title, language[1].decode(), tuple(pages))


def _text(literal: bytes) -> str:
    """A string as our writer writes it: UTF-16 behind its mark, else Latin-1."""
    raw = bytes(pikepdf.Object.parse(literal))
    return raw[2:].decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")


def _references(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


# ------------------------------------------------------------------------------------------------ the file


def _objects(pdf: bytes) -> tuple[list[_Object], re.Match[bytes]]:
    """The objects in their order, number 1 first, and the match of the trailer: no byte is between or behind them."""
    header = _HEADER.match(pdf)
    if header is None:
        raise OtherFormError("something before its beginning")
    at, objects, offsets = header.end(), list[_Object](), list[int]()
    while pdf.startswith(start := b"%d 0 obj\n" % (len(objects) + 1), at):
        offsets.append(at)
        at += len(start)
        close = pdf.index(b"\n", at)
        said, at = pdf[at:close], close + 1
        data = b""
        if pdf.startswith(b"stream\n", at):
            length = _STREAM.fullmatch(said)
            if length is None:
                raise OtherFormError("a stream of unknown length")
            at += len(b"stream\n")
            data, at = pdf[at : at + int(length[1])], at + int(length[1])
            if not pdf.startswith(b"\nendstream\n", at):
                raise OtherFormError("bytes behind the end of a stream")
            at += len(b"\nendstream\n")
        if not pdf.startswith(b"endobj\n\n", at):
            raise OtherFormError("bytes between its objects")
        at += len(b"endobj\n\n")
        objects.append(_Object(said, data))
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%b\n" % (len(objects) + 1, rows)
    if not pdf.startswith(table, at):
        raise OtherFormError("bytes between its objects, or another table of them")
    tail = _TAIL.match(pdf, at + len(table))
    if tail is None or int(tail[1]) != len(objects) + 1 or int(tail[4]) != at:
        raise OtherFormError("a trailer of another form")
    if tail.end() != len(pdf):
        raise OtherFormError("an earlier revision or data after its end")
    return objects, tail


def _inflated(data: bytes) -> bytes:
    inflate = zlib.decompressobj()
    found = inflate.decompress(data, 1 << 28)
    if not inflate.eof or inflate.unused_data:
        raise OtherFormError("bytes behind the end of a stream's data")
    return found


# ------------------------------------------------------------------------------------------------ pages


def _page_objects(
    number: int,
    picture: re.Match[bytes],
    streams: Sequence[_Object],
    page: re.Match[bytes],
    index: int,
    parts: Sequence[int],
    paragraphs: int,
) -> Iterator[bytes]:
    """What the objects of a page say: picture, content, page, section, its parts. `number` is the picture's."""
    yield _picture_entries(picture, len(streams[0].data))
    yield b"<</Length %d/Filter/FlateDecode>>" % len(streams[1].data)
    box = b"[0 0 %b %b]" % (page[1], page[2])
    yield (
        b"<</Type/Page/Parent 2 0 R/MediaBox%b/CropBox%b/Resources<</XObject<</Im1 %d 0 R>>/Font<</F1 8 0 R>>>>"
        b"/Contents %d 0 R/StructParents %d/Tabs/S>>" % (box, box, number, number + 1, index)
    )
    section = number + 3
    yield b"<</S/Sect/P 3 0 R/K[%b]>>" % _references(parts)
    figure = b"/Figure/Alt(%b)/A<</O/Layout/Placement/Block/BBox%b>>" % (UNREAD.encode(), box)
    for i in range(len(parts)):
        yield b"<</S%b/P %d 0 R/Pg %d 0 R/K %d>>" % (b"/P" if paragraphs else figure, section, number + 2, i)


def _words(content: bytes, page: re.Match[bytes], chars: Sequence[str]) -> tuple[tuple[LaidText, ...], int]:
    """The words of a content stream and how many paragraphs they make."""
    width, height = float(page[1]), float(page[2])
    drawn = _DRAWN.match(content)
    if drawn is None or abs(float(drawn[2]) - width) > 0.01 or abs(float(drawn[3]) - height) > 0.01:
        raise OtherFormError("a page that does not show exactly its picture")
    at, paragraphs, words = drawn.end(), 0, list[LaidText]()
    while found := _PARAGRAPH.match(content, at):
        if int(found[1]) != paragraphs:
            raise OtherFormError("words out of their order")
        begin, end = found.span(2)
        while begin < end:
            word = _WORD.match(content, begin, end)
            if word is None:
                raise OtherFormError("words of another form")
            words.append(_laid(word, width, height, chars))
            begin = word.end()
        at, paragraphs = found.end(), paragraphs + 1
    if content[at:] != b"\nET" or drawn[1].startswith(b"/Figure") != (paragraphs == 0):
        raise OtherFormError("something drawn beside its picture")
    return tuple(words), paragraphs


def _laid(word: re.Match[bytes], width: float, height: float, chars: Sequence[str]) -> LaidText:
    a, b, c, d, e, f = (float(word[i]) for i in range(1, 7))
    codes = [int(word[7][i : i + 4], 16) for i in range(0, len(word[7]), 4)]
    if not all(0 < code <= len(chars) for code in codes):
        raise OtherFormError("words of another form")
    text = "".join(chars[code - 1] for code in codes)
    if not text.endswith(SPACE):
        raise OtherFormError("words of another form")
    length = 0.5 * (len(text) - 1)
    corners = [(x * a + y * c + e, x * b + y * d + f) for x in (0.0, length) for y in (0.0, 1.0)]
    xs, ys = [x / width for x, _ in corners], [1 - y / height for _, y in corners]
    return LaidText(text.removesuffix(SPACE), (min(xs), min(ys), max(xs), max(ys)))


# ------------------------------------------------------------------------------------------------ pictures


def _picture_entries(picture: re.Match[bytes], length: int) -> bytes:
    width, height, colours, coding = picture.groups()
    bits, parameters = b"8", b""
    if coding == b"CCITTFaxDecode":
        bits, parameters = b"1", b"/DecodeParms<</K -1/Columns %b/Rows %b>>" % (width, height)
    elif coding == b"FlateDecode":
        channels = 3 if colours == b"DeviceRGB" else 1
        parameters = b"/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent 8/Columns %b>>" % (channels, width)
    return (
        b"<</Type/XObject/Subtype/Image/Width %b/Height %b/ColorSpace/%b/BitsPerComponent %b/Length %d/Filter/%b%b>>"
        % (width, height, colours, bits, length, coding, parameters)
    )


def _check_picture(stream: _Object, picture: re.Match[bytes]) -> None:
    """Whether the coded picture has the rows and columns its entries say, and ends where its pixels end."""
    width, height = int(picture[1]), int(picture[2])
    channels = 3 if picture[3] == b"DeviceRGB" else 1
    match picture[4]:
        case b"DCTDecode":
            whole = _is_bare_jpeg(stream.data, width, height, channels)
        case b"FlateDecode":
            whole = len(_inflated(stream.data)) == height * (width * channels + 1)
        case _:
            whole = channels == 1 and _is_bare_group4(stream.data, width, height)
    if not whole:
        raise OtherFormError("something within or behind a picture")


def _is_bare_jpeg(data: bytes, width: int, height: int, channels: int) -> bool:
    """Whether a baseline JPEG has only tables, one frame and one scan, and ends with it (ITU-T T.81, annex B)."""
    tables, frame, scan = {0xDB, 0xC4}, 0xC0, 0xDA
    if data[:2] != b"\xff\xd8" or data[-2:] != b"\xff\xd9":
        return False
    at, frames = 2, list[bytes]()
    while True:
        mark, marker, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF or marker not in {*tables, frame, scan}:
            return False
        segment, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker == frame:
            frames.append(segment)
        elif marker == scan:
            break
    if len(frames) != 1 or len(frames[0]) != 6 + 3 * channels or len(segment) != 4 + 2 * channels:
        return False
    if struct.unpack_from(">BHHB", frames[0]) != (8, height, width, channels):
        return False
    return re.search(rb"\xff[^\x00]", data[at:-2]) is None and data[-3] != 0xFF


def _is_bare_group4(data: bytes, width: int, height: int) -> bool:
    """Group 4 has one coding for each picture (ITU-T T.6): coding it again gives the same bytes."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(_as_tiff(data, width, height)), formats=["TIFF"]) as tiff:
        tiff.save(out, "TIFF", compression="group4", tiffinfo={278: height})
    with Image.open(out) as tiff:
        (start,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]  # type: ignore[attr-defined]
    return data == out.getvalue()[start : start + length]


def _as_tiff(data: bytes, width: int, height: int) -> bytes:
    """A group 4 stream as the one strip of a TIFF."""
    tags = [(256, width), (257, height), (258, 1), (259, 4), (262, 1), (273, 122), (277, 1), (278, height)]
    entries = [*tags, (279, len(data))]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries)
    return struct.pack("<2sHI", b"II", 42, 8) + directory + struct.pack("<I", 0) + data


# ------------------------------------------------------------------------------------------------ font


def _characters(cmap: bytes) -> list[str]:
    """The characters of codes 1, 2, ... in a map that is written in the one way."""
    rows = re.findall(rb"^<([0-9a-f]{4})> <([0-9a-f]{4,8})>$", cmap.partition(b"endcodespacerange")[2], re.MULTILINE)
    chars = [bytes.fromhex(value.decode()).decode("utf-16-be") for _, value in rows]
    lines = [
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap",
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange",
    ]
    for start in range(0, len(chars), 100):
        block = chars[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{start + i:04x}> <{char.encode('utf-16-be').hex()}>" for i, char in enumerate(block, 1)]
        lines.append("endbfchar")
    lines.append("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend")
    if cmap != "\n".join(lines).encode() or not all(a < b for a, b in pairwise(chars)):
        raise OtherFormError("a font with something in it")
    if any(len(char) != 1 for char in chars):
        raise OtherFormError("a font with something in it")
    return chars


_FONT_TABLES = {
    b"OS/2": "000401f4"
    "01900005" + "00" * 50 + "20202020"
    "0040ffff"
    "ffff03e8" + "00" * 4 + "03e8" + "00" * 6 + "0000000003e803e8000000200000",
    b"cmap": "00000001000300010000000c0004001800000002000200000000ffff0000ffff00010000",
    b"hhea": "0001000003e80000000001f4" + "00" * 22 + "0001",
    b"name": "000000000006",
    b"post": "00030000" + "00" * 11 + "01" + "00" * 16,
}
"""The tables that are the same in every record's font, hex."""
_HEAD = "0001000000010000", "5f0f3cf5000003e8" + "00" * 16 + "0000000001f403e800000008000200000000"
"""Before and behind the checksum of the whole font, hex."""
_GLYPH = "00010000000001f403e800010000310101f403e8"
"""A contour without area, hex."""


def _font_program(glyphs: int) -> bytes:
    """The font of a record with so many characters (TrueType): an empty glyph, then one shape for all."""
    tables = {tag: bytes.fromhex(table) for tag, table in _FONT_TABLES.items()} | {
        b"glyf": bytes.fromhex(_GLYPH) * glyphs,
        b"head": bytes.fromhex(_HEAD[0] + "00000000" + _HEAD[1]),
        b"hmtx": b"\x01\xf4" + bytes(2 * glyphs + 2),
        b"loca": b"".join(struct.pack(">H", max(0, 10 * (i - 1))) for i in range(glyphs + 2)),
        b"maxp": struct.pack(">I4H", 0x10000, glyphs + 1, 2, 1, 0) + bytes(20),
    }
    power = len(tables).bit_length() - 1
    directory = struct.pack(">IHHHH", 0x10000, len(tables), 16 << power, power, 16 * (len(tables) - (1 << power)))
    body, at, adjusted = b"", len(directory) + 16 * len(tables), 0
    for tag, table in sorted(tables.items()):
        adjusted = at + len(body) + 8 if tag == b"head" else adjusted
        directory += struct.pack(">4sIII", tag, _sum(table), at + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    program = directory + body
    checksum = struct.pack(">I", (0xB1B0AFBA - _sum(program)) & 0xFFFFFFFF)
    return program[:adjusted] + checksum + program[adjusted + 4 :]


def _sum(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFFFFFF
