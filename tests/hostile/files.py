"""A folder of hostile files, made by code: each file is wrong in its own way, and each has an end that is right for it.

`HOSTILE` lists them. A file that can be read ends as a redacted file; any other as rejected with one of the codes that
are named with it. Bombs are small: what they declare or unpack to is what is large.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pikepdf
import pymupdf
from PIL import Image

from tests.hostile import images, pdf
from tests.hostile.images import grey_tiff, paper, png, saved
from tests.hostile.pdf import TEXT, deflated, drawing, objects, page, stream, with_image, write

REDACTED = "redacted"
CORRUPT, LIMIT, UNKNOWN, LOCKED, EMPTY = "corrupt", "over-limit", "unsupported-media", "encrypted", "empty-file"
CRASHED, ENDLESS = "child-crashed", "child-timed-out"

HUGE = 100_000
"""Pixels a side that nobody scans, and pages that nobody files."""

ORIENTATIONS = range(2, 9)


@dataclass(frozen=True)
class Hostile:
    """One file.

    Attributes:
        name: of the file; the suffix may lie.
        make: its bytes, the same each time.
        ends: `redacted`, or codes of rejections.
    """

    name: str
    make: Callable[[], bytes]
    ends: frozenset[str]


HOSTILE: list[Hostile] = []
Maker = Callable[[], bytes]


def hostile(name: str, *ends: str) -> Callable[[Maker], Maker]:
    """Enter a maker into the list."""

    def enter(make: Maker) -> Maker:
        HOSTILE.append(Hostile(name, cache(make), frozenset(ends)))
        return make

    return enter


def enter(name: str, make: Maker, *ends: str) -> None:
    """The same for a maker that is an expression."""
    hostile(name, *ends)(make)


@cache
def good_pdf() -> bytes:
    """A sound page of text."""
    return drawing(TEXT)


@cache
def scanned_pdf() -> bytes:
    """A sound page that is one picture."""
    with pymupdf.open() as document:
        sheet = document.new_page(width=pdf.WIDTH, height=pdf.HEIGHT)
        sheet.insert_image(sheet.rect, stream=saved(paper(), "PNG"))
        return bytes(document.tobytes())


def with_pikepdf(change: Callable[[pikepdf.Pdf], None], **options: object) -> bytes:
    """The sound page after a change by another library."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_pdf())) as document:
        change(document)
        document.save(out, deterministic_id="encryption" not in options, **options)
    return out.getvalue()


# ------------------------------------------------------------------------------------------------ hardly a file

enter("no-bytes.pdf", lambda: b"", EMPTY)
enter("no-bytes.tif", lambda: b"", EMPTY)
enter("one-byte.pdf", lambda: b"%", UNKNOWN)
enter("one-byte.png", lambda: b"\x89", UNKNOWN)
enter("header-only.pdf", lambda: b"%PDF-1.7\n", CORRUPT)
enter("header-only.png", lambda: b"\x89PNG\r\n\x1a\n", CORRUPT)
enter("header-only.jpg", lambda: b"\xff\xd8\xff\xe0", CORRUPT)
enter("header-only.tif", lambda: b"II*\0", CORRUPT)
enter("big-tiff-header-only.tif", lambda: b"II+\0\x08\0\0\0", CORRUPT)
enter("zeros.pdf", lambda: bytes(4096), UNKNOWN)
enter("zeros-after-header.pdf", lambda: b"%PDF-1.7\n" + bytes(65536), CORRUPT)
enter("xref-of-nothing.pdf", lambda: b"%PDF-1.7\nxref\n0 0\ntrailer<<>>\nstartxref\n9\n%%EOF", CORRUPT)

# ------------------------------------------------------------------------------------------------ something else

enter("page.html.pdf", lambda: b"<html><script>alert(1)</script></html>", UNKNOWN)
enter("drawing.svg.pdf", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', UNKNOWN)
enter("animation.gif.pdf", lambda: saved(paper(), "GIF", save_all=True, append_images=[paper("1")]), UNKNOWN)
enter("picture.webp.png", lambda: saved(paper("RGB"), "WEBP"), UNKNOWN)
enter("picture.bmp.jpg", lambda: saved(paper(), "BMP"), UNKNOWN)
enter("photo.heic.jpg", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), UNKNOWN)
enter("photo.jp2.jpg", lambda: saved(paper(), "JPEG2000"), UNKNOWN)
enter("program.pdf", lambda: b"\x7fELF\x02\x01\x01" + bytes(200), UNKNOWN)
enter("macro.docx.pdf", lambda: _zip("word/document.xml", b"<w:document/>"), UNKNOWN)
enter("scan.png.pdf", lambda: saved(paper(), "PNG"), REDACTED)
enter("letter.pdf.jpg", good_pdf, REDACTED)
enter("pdf-then-zip.pdf", lambda: good_pdf() + _zip("payload.exe", b"MZ"), REDACTED)
enter("zip-then-pdf.pdf", lambda: _zip("payload.exe", b"MZ") + good_pdf(), REDACTED)
enter("jpeg-then-pdf.jpg", lambda: saved(paper(), "JPEG") + good_pdf(), REDACTED)
enter("html-then-pdf.pdf", lambda: b"<script>alert(1)</script>\n" + good_pdf(), REDACTED)
enter("pdf-in-a-png.png", lambda: _png_after(images.chunk(b"tEXt", b"x\0" + good_pdf())), REDACTED)


def _zip(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


# ------------------------------------------------------------------------------------------------ names

GOOD_PNG = saved(paper(), "PNG")
enter("new\nline.png", lambda: GOOD_PNG, REDACTED)
enter("bell\x07 and \x1b[2Jescape.png", lambda: GOOD_PNG, REDACTED)
enter("right to left \u202egpj.png", lambda: GOOD_PNG, REDACTED)
enter("n" * 251 + ".png", lambda: GOOD_PNG, REDACTED)
enter("é" * 125 + ".png", lambda: GOOD_PNG, REDACTED)
enter("half a character \udcff.png", lambda: GOOD_PNG, REDACTED)
enter("[bold]markup[red] {{7*7}} $(id) `id` %s.png", lambda: GOOD_PNG, REDACTED)
enter("-option.png", lambda: GOOD_PNG, REDACTED)

# ------------------------------------------------------------------------------------------------ PDF: structure


@hostile("page-tree-loop.pdf", CORRUPT)
def page_tree_loop() -> bytes:
    """The page tree is its own child."""
    return write({**objects(), 2: b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>"})


@hostile("page-tree-ladder.pdf", CORRUPT, LIMIT, REDACTED)
def page_tree_ladder() -> bytes:
    """Each of 200 levels names the next twice: 2²⁰⁰ pages for whoever walks the tree."""
    levels = {
        n: b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R %d 0 R]/Count 2>>" % (n - 1, n + 1, n + 1) for n in range(10, 210)
    }
    tree = b"<</Type/Pages/Kids[10 0 R]/Count 2>>"
    return write({**objects(), 2: tree, **levels, 210: page().replace(b"/Parent 2", b"/Parent 209")})


@hostile("page-tree-ladder-to-itself.pdf", ENDLESS, CORRUPT)
def page_tree_ladder_to_itself() -> bytes:
    """The same, and the second level says that it lies below a lower one. Found by chance: MuPDF climbs for ever."""
    return page_tree_ladder().replace(b"/Parent 10 0 R", b"/Parent 186 0 R")


@hostile("page-tree-deep.pdf", CORRUPT, LIMIT, REDACTED, ENDLESS)
def page_tree_deep() -> bytes:
    """The one page lies below 10,000 levels."""
    levels = {n: b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>" % (n - 1, n + 1) for n in range(10, 10_010)}
    return write({**objects(), 2: b"<</Type/Pages/Kids[10 0 R]/Count 1>>", **levels, 10_010: page()})


enter(
    "pages-100000-of-one.pdf",
    lambda: write({**objects(), 2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * HUGE, HUGE)}),
    CORRUPT,
    LIMIT,
)


@hostile("pages-100000.pdf", LIMIT)
def pages_100000() -> bytes:
    """As many pages as that, each of them there."""
    pages = dict.fromkeys(range(10, 10 + HUGE), b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>")
    kids = b" ".join(b"%d 0 R" % n for n in pages)
    return write({**objects(), 2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, HUGE), **pages})


enter(
    "pages-claimed.pdf",
    lambda: write({**objects(), 2: b"<</Type/Pages/Kids[3 0 R]/Count 2000000000>>"}),
    LIMIT,
    CORRUPT,
    REDACTED,
)
enter("pages-negative.pdf", lambda: write({**objects(), 2: b"<</Type/Pages/Kids[3 0 R]/Count -1>>"}), CORRUPT, REDACTED)
enter("pages-none.pdf", lambda: write({**objects(), 2: b"<</Type/Pages/Kids[]/Count 0>>"}), CORRUPT)
enter("page-is-a-number.pdf", lambda: write({**objects(), 3: b"42"}), CORRUPT, REDACTED)
enter("page-is-the-catalogue.pdf", lambda: write({**objects(), 2: b"<</Kids[1 0 R]/Count 1>>"}), CORRUPT, REDACTED)
enter("parent-loop.pdf", lambda: write({**objects(), 2: objects()[2][:-2] + b"/Parent 2 0 R>>"}), CORRUPT, REDACTED)
enter("page-missing.pdf", lambda: write({n: o for n, o in objects().items() if n != 3}), CORRUPT)
enter("catalogue-missing.pdf", lambda: write({n: o for n, o in objects().items() if n != 1}), CORRUPT, REDACTED)


@hostile("previous-loop.pdf", CORRUPT, REDACTED)
def previous_loop() -> bytes:
    """The cross-reference section before this one is this one."""
    plain = good_pdf()
    start = plain.rindex(b"xref\n0 ")
    return plain.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev %d" % start)


@hostile("previous-chain.pdf", CORRUPT, REDACTED)
def previous_chain() -> bytes:
    """Twenty thousand revisions, each of nothing."""
    out = bytearray(good_pdf())
    before = out.rindex(b"xref\n0 ")
    for _ in range(20_000):
        here = len(out)
        out += b"xref\n0 0\ntrailer<</Size 6/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (before, here)
        before = here
    return bytes(out)


@hostile("cross-linked.pdf", CORRUPT, REDACTED)
def cross_linked() -> bytes:
    """The cross-reference table sends every number to its neighbour's object."""
    written, places = pdf.body(objects())
    shifted = {n: places[n % 5 + 1] for n in places}
    tail = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(written)
    return written + pdf.table(shifted) + tail


@hostile("xref-beyond-the-end.pdf", CORRUPT, REDACTED)
def xref_beyond_the_end() -> bytes:
    """Every object is said to lie beyond the end of the file."""
    written, places = pdf.body(objects())
    tail = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(written)
    return written + pdf.table({n: 9_000_000_000 + n for n in places}) + tail


@hostile("xref-of-a-thousand-million.pdf", CORRUPT, REDACTED, LIMIT)
def xref_of_a_thousand_million() -> bytes:
    """A cross-reference stream that says it has a thousand million entries."""
    written, _ = pdf.body(objects())
    index = deflated(bytes(100_000), b"/Type/XRef/W[1 4 2]/Index[0 1000000000]/Size 1000000000/Root 1 0 R")
    return written + b"9 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (index, len(written))


@hostile("length-is-itself.pdf", CORRUPT, REDACTED)
def length_is_itself() -> bytes:
    """A stream whose length is the stream."""
    return drawing(TEXT, {4: b"<</Length 4 0 R>>stream\n%s\nendstream" % TEXT})


enter("length-too-large.pdf", lambda: drawing(TEXT, {4: b"<</Length 2147483647>>stream\n" + TEXT}), CORRUPT, REDACTED)
enter("length-negative.pdf", lambda: drawing(TEXT, {4: b"<</Length -5>>stream\n" + TEXT}), CORRUPT, REDACTED)
enter("references-loop.pdf", lambda: drawing(TEXT, {4: b"8 0 R", 8: b"9 0 R", 9: b"8 0 R"}), CORRUPT, REDACTED)
enter("arrays-deep.pdf", lambda: drawing(TEXT, {8: b"[" * HUGE + b"]" * HUGE}, more=b"/X 8 0 R"), CORRUPT, REDACTED)
enter("dictionaries-deep.pdf", lambda: drawing(TEXT, {5: b"<</A" * HUGE}), CORRUPT, REDACTED)
enter("contents-loop.pdf", lambda: drawing(TEXT, {8: b"[8 0 R 4 0 R 8 0 R]"}, contents=b"8 0 R"), CORRUPT, REDACTED)


@hostile("object-stream-of-itself.pdf", CORRUPT, REDACTED)
def object_stream_of_itself() -> bytes:
    """The catalogue lies in an object stream that lies in itself."""
    written, places = pdf.body({n: o for n, o in objects().items() if n != 1})
    inner = b"1 0 6 29 <</Type/Catalog/Pages 2 0 R>> null"
    packed = deflated(inner, b"/Type/ObjStm/N 2/First 9/Extends 6 0 R")
    written += b"6 0 obj\n%s\nendobj\n" % packed
    lines = [struct.pack(">BIH", 0, 0, 0), struct.pack(">BIH", 2, 6, 0)]
    lines += [struct.pack(">BIH", 1, places[n], 0) for n in range(2, 6)]
    lines += [struct.pack(">BIH", 2, 6, 1), struct.pack(">BIH", 1, len(written), 0)]
    index = stream(b"".join(lines), b"/Type/XRef/W[1 4 2]/Size 8/Root 1 0 R")
    return written + b"7 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (index, len(written))


@hostile("object-stream-bomb.pdf", CORRUPT, REDACTED, LIMIT)
def object_stream_bomb() -> bytes:
    """An object stream of 300 MB of spaces."""
    return drawing(TEXT, {8: _bomb(300, b"/Type/ObjStm/N 30000000/First 299000000", b" ")}, more=b"/X 8 0 R")


# ------------------------------------------------------------------------------------------------ PDF: bombs


@cache
def _bomb(mebibytes: int, entries: bytes = b"", of: bytes = b" ", times: int = 2) -> bytes:
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(of * (1 << 20)) for _ in range(mebibytes)) + packer.flush()
    return deflated(data, entries, times - 1).replace(b"/FlateDecode" * (times - 1), b"/FlateDecode" * times)


enter("content-of-1-GiB.pdf", lambda: drawing(b"", {4: _bomb(1024, times=3)}), CORRUPT, LIMIT, REDACTED, ENDLESS)
enter(
    "image-of-1-GiB.pdf",
    lambda: drawing(
        b"q 216 0 0 108 0 0 cm /I Do Q",
        {6: _bomb(1024, b"/Subtype/Image/Width 32768/Height 32768/BitsPerComponent 8/ColorSpace/DeviceGray", b"\0")},
        resources=b"/XObject<</I 6 0 R>>",
    ),
    LIMIT,
)
enter(
    "image-larger-than-said.pdf",
    lambda: drawing(
        b"q 216 0 0 108 0 0 cm /I Do Q",
        {6: _bomb(256, b"/Subtype/Image/Width 300/Height 150/BitsPerComponent 8/ColorSpace/DeviceGray", b"\0")},
        resources=b"/XObject<</I 6 0 R>>",
    ),
    REDACTED,
    CORRUPT,
    LIMIT,
)
GREY = b"/BitsPerComponent 8/ColorSpace/DeviceGray"
enter("image-declares-10-gigapixels.pdf", lambda: with_image(b"/Width 100000/Height 100000" + GREY, b"\0"), LIMIT)
enter("image-size-indirect.pdf", lambda: _image_size_indirect(), LIMIT)
enter("image-of-no-width.pdf", lambda: with_image(b"/Width 0/Height 150" + GREY, b"\0"), CORRUPT, REDACTED)
enter("image-of-negative-height.pdf", lambda: with_image(b"/Width 9/Height -9" + GREY, bytes(81)), CORRUPT, REDACTED)
enter("image-cut.pdf", lambda: with_image(b"/Width 300/Height 150" + GREY, bytes(99)), CORRUPT, REDACTED)
enter("image-of-64-bits.pdf", lambda: with_image(b"/Width 9/Height 9/BitsPerComponent 64/ColorSpace/DeviceGray", b"\0"), CORRUPT, REDACTED)  # fmt: skip  # noqa: E501
enter("inline-image-huge.pdf", lambda: drawing(b"q 216 0 0 108 0 0 cm BI /W 99999 /H 99999 /BPC 8 /CS /G ID x EI Q"), LIMIT, CORRUPT)  # fmt: skip  # noqa: E501
enter("filters-200.pdf", lambda: drawing(TEXT, {4: deflated(TEXT, times=200)}), REDACTED, CORRUPT)
enter("filter-unknown.pdf", lambda: drawing(TEXT, {4: stream(TEXT, b"/Filter/Nothing")}), CORRUPT, REDACTED)
enter("predictor-huge.pdf", lambda: drawing(TEXT, {4: deflated(TEXT, b"/DecodeParms<</Predictor 12/Columns 2147483647/Colors 2147483647/BitsPerComponent 16>>")}), CORRUPT, REDACTED)  # fmt: skip  # noqa: E501
enter("flate-cut.pdf", lambda: drawing(TEXT, {4: _cut_flate()}), CORRUPT, REDACTED)


def _image_size_indirect() -> bytes:
    image = stream(b"\0", b"/Type/XObject/Subtype/Image/Width 7 0 R/Height 7 0 R" + GREY)
    return drawing(b"q 216 0 0 108 0 0 cm /I Do Q", {6: image, 7: b"100000"}, resources=b"/XObject<</I 6 0 R>>")


def _cut_flate() -> bytes:
    packed = zlib.compress(TEXT * 50)
    return stream(packed[: len(packed) // 2], b"/Filter/FlateDecode")


FILTERS = ("JBIG2Decode", "JPXDecode", "DCTDecode", "CCITTFaxDecode", "LZWDecode", "RunLengthDecode", "ASCII85Decode")
for _filter in FILTERS:
    enter(
        f"garbage-for-{_filter}.pdf",
        lambda name=_filter: with_image(
            b"/Width 300/Height 150%s/Filter/%s"
            % (GREY if name != "JBIG2Decode" else GREY.replace(b"8", b"1"), name.encode()),
            images.noise((40, 40)).tobytes(),
        ),
        CORRUPT,
        REDACTED,
    )


@hostile("jpx-larger-than-said.pdf", CORRUPT, LIMIT)
def jpx_larger_than_said() -> bytes:
    """The dictionary says 300 × 150; the JPEG 2000 inside says 4,000 million pixels."""
    made = saved(paper(), "JPEG2000", no_jp2=True)
    at = made.index(b"\xff\x51") + 6
    inside = made[:at] + struct.pack(">II", 65_000, 65_000) + made[at + 8 :]
    return with_image(b"/Width 300/Height 150/Filter/JPXDecode" + GREY, inside)


@hostile("jpeg-larger-than-said.pdf", CORRUPT, LIMIT, REDACTED)
def jpeg_larger_than_said() -> bytes:
    """The dictionary says 300 × 150; the JPEG inside says 4,000 million pixels."""
    return with_image(b"/Width 300/Height 150/Filter/DCTDecode" + GREY, _jpeg_of_size(65_000, 65_000))


# ------------------------------------------------------------------------------------------------ PDF: pages

BOXES = {
    "huge": b"[0 0 1000000 1000000]",
    "infinite": b"[0 0 1e38 1e38]",
    "of-no-size": b"[0 0 0 0]",
    "of-no-height": b"[0 0 216 0]",
    "upside-down": b"[216 108 0 0]",
    "far-away": b"[-1e9 -1e9 -999999784 -999999892]",
    "of-words": b"[/a /b /c /d]",
    "of-one-number": b"[7]",
    "thread-thin": b"[0 0 14400 1]",
}
for _name, _box in BOXES.items():
    enter(f"box-{_name}.pdf", lambda box=_box: drawing(TEXT, box=box), REDACTED, CORRUPT, LIMIT, CRASHED)
enter("rotated-by-45.pdf", lambda: drawing(TEXT, more=b"/Rotate 45"), REDACTED, CORRUPT)
enter("rotated-by-a-name.pdf", lambda: drawing(TEXT, more=b"/Rotate/Left"), REDACTED, CORRUPT)
enter("rotated-by-2000000000.pdf", lambda: drawing(TEXT, more=b"/Rotate 2000000000"), REDACTED, CORRUPT)
enter("user-unit-huge.pdf", lambda: drawing(TEXT, more=b"/UserUnit 1e9"), REDACTED, CORRUPT, LIMIT)
enter("user-unit-negative.pdf", lambda: drawing(TEXT, more=b"/UserUnit -1"), REDACTED, CORRUPT, LIMIT)
enter("crop-outside.pdf", lambda: drawing(TEXT, more=b"/CropBox[900 900 999 999]"), REDACTED, CORRUPT)

enter("operators-a-million.pdf", lambda: drawing(TEXT, {4: deflated(TEXT + b" 1 1 m 9 9 l S" * 1_000_000)}), REDACTED, LIMIT, ENDLESS)  # fmt: skip  # noqa: E501
enter("states-deep.pdf", lambda: drawing(TEXT, {4: deflated(b"q " * 1_000_000 + TEXT)}), REDACTED, CORRUPT, LIMIT)
enter("states-unbalanced.pdf", lambda: drawing(b"Q " * 100_000 + TEXT), REDACTED, CORRUPT)
enter("clips-deep.pdf", lambda: drawing(TEXT, {4: deflated(b"q 0 0 216 108 re W n " * 100_000 + TEXT)}), REDACTED, CORRUPT, LIMIT, ENDLESS)  # fmt: skip  # noqa: E501
enter("marked-content-deep.pdf", lambda: drawing(b"/P BMC " * 100_000 + TEXT), REDACTED, CORRUPT)
enter("numbers-long.pdf", lambda: drawing(b"9" * HUGE + b" 0 m " + TEXT), REDACTED, CORRUPT)
enter("string-without-end.pdf", lambda: drawing(b"BT (" + b"(" * HUGE), REDACTED, CORRUPT)
enter("dashes-endless.pdf", lambda: drawing(b"[1e-30 1e-30] 0 d 9 w 0 0 m 216 108 l S " + TEXT), REDACTED, CORRUPT, ENDLESS, LIMIT)  # fmt: skip  # noqa: E501


@hostile("form-of-itself.pdf", REDACTED, CORRUPT)
def form_of_itself() -> bytes:
    """A form that draws itself."""
    form = stream(b"/X Do " + TEXT, b"/Subtype/Form/BBox[0 0 216 108]/Resources<</XObject<</X 6 0 R>>>>")
    return drawing(b"/X Do", {6: form}, resources=b"/XObject<</X 6 0 R>>")


@hostile("forms-billion-laughs.pdf", REDACTED, CORRUPT, LIMIT, ENDLESS)
def forms_billion_laughs() -> bytes:
    """Ten forms, each of which draws the next ten times."""
    forms = {
        n: stream(
            b"/X Do " * 10,
            b"/Subtype/Form/BBox[0 0 216 108]/Resources<</XObject<</X %d 0 R>>>>" % (n + 1),
        )
        for n in range(10, 20)
    }
    last = stream(b"0 0 9 9 re f", b"/Subtype/Form/BBox[0 0 216 108]")
    return drawing(b"/X Do", {**forms, 20: last}, resources=b"/XObject<</X 10 0 R>>")


@hostile("forms-deep.pdf", REDACTED, CORRUPT, LIMIT)
def forms_deep() -> bytes:
    """A form in a form, 5,000 times."""
    forms = {
        n: stream(b"/X Do", b"/Subtype/Form/BBox[0 0 216 108]/Resources<</XObject<</X %d 0 R>>>>" % (n + 1))
        for n in range(10, 5010)
    }
    last = stream(b"0 0 9 9 re f", b"/Subtype/Form/BBox[0 0 216 108]")
    return drawing(b"/X Do", {**forms, 5010: last}, resources=b"/XObject<</X 10 0 R>>")


@hostile("glyph-of-itself.pdf", REDACTED, CORRUPT)
def glyph_of_itself() -> bytes:
    """A Type 3 font whose letter is written in the font."""
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 65/LastChar 65"
        b"/Widths[1000]/Encoding<</Differences[65/A]>>/CharProcs<</A 6 0 R>>/Resources<</Font<</F1 5 0 R>>>>>>"
    )
    glyph = stream(b"1000 0 d0 BT /F1 900 Tf (AAAA) Tj ET 0 0 500 500 re f")
    return drawing(b"BT /F1 20 Tf 20 20 Td (AAAA) Tj ET", {5: font, 6: glyph})


@hostile("pattern-of-itself.pdf", REDACTED, CORRUPT, ENDLESS)
def pattern_of_itself() -> bytes:
    """A tiling pattern that is painted with itself."""
    pattern = stream(
        b"/Pattern cs /P scn 0 0 9 9 re f",
        b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9/Resources<</Pattern<</P 6 0 R>>>>",
    )
    return drawing(b"/Pattern cs /P scn 0 0 216 108 re f", {6: pattern}, resources=b"/Pattern<</P 6 0 R>>")


def _pattern(step: bytes, drawn: bytes = b"0 0 1 1 re f") -> bytes:
    pattern = stream(
        drawn, b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep %s/YStep %s/Resources<<>>" % (step, step)
    )
    return drawing(b"/Pattern cs /P scn 0 0 216 108 re f", {6: pattern}, resources=b"/Pattern<</P 6 0 R>>")


enter("pattern-never-done.pdf", lambda: _pattern(b"0.0001", b"0 0 1 1 re f " * 200), REDACTED, CORRUPT, ENDLESS, LIMIT)
enter("pattern-of-no-step.pdf", lambda: _pattern(b"0"), REDACTED, CORRUPT, ENDLESS, LIMIT)


@hostile("mesh-of-noise.pdf", REDACTED, CORRUPT, ENDLESS)
def mesh_of_noise() -> bytes:
    """A shading of patches whose corners are noise."""
    mesh = stream(
        images.noise((200, 200)).tobytes(),
        b"/ShadingType 7/ColorSpace/DeviceRGB/BitsPerCoordinate 16/BitsPerComponent 8/BitsPerFlag 8"
        b"/Decode[-9999 9999 -9999 9999 0 1 0 1 0 1]",
    )
    return drawing(b"/S sh", {6: mesh}, resources=b"/Shading<</S 6 0 R>>")


@hostile("function-of-itself.pdf", REDACTED, CORRUPT)
def function_of_itself() -> bytes:
    """A stitching function whose part is itself."""
    function = b"<</FunctionType 3/Domain[0 1]/Functions[6 0 R 6 0 R]/Bounds[.5]/Encode[0 1 0 1]>>"
    shading = b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 216 0]/Function 6 0 R>>"
    return drawing(b"/S sh", {6: function, 7: shading}, resources=b"/Shading<</S 7 0 R>>")


@hostile("colour-space-of-itself.pdf", REDACTED, CORRUPT)
def colour_space_of_itself() -> bytes:
    """An indexed colour space on itself."""
    return drawing(
        b"/C cs 0 sc 0 0 99 99 re f " + TEXT,
        {6: b"[/Indexed 6 0 R 255 <00>]"},
        resources=b"/Font<</F1 5 0 R>>/ColorSpace<</C 6 0 R>>",
    )


@hostile("mask-of-itself.pdf", REDACTED, CORRUPT)
def mask_of_itself() -> bytes:
    """An image that is its own soft mask."""
    return with_image(b"/Width 9/Height 9/SMask 6 0 R" + GREY, bytes(81))


@hostile("font-garbage.pdf", REDACTED, CORRUPT)
def font_garbage() -> bytes:
    """An embedded font that is noise."""
    font = b"<</Type/Font/Subtype/TrueType/BaseFont/X/FirstChar 32/LastChar 33/Widths[1 1]/FontDescriptor 6 0 R>>"
    descriptor = b"<</Type/FontDescriptor/FontName/X/Flags 4/FontBBox[0 0 1 1]/FontFile2 7 0 R>>"
    return drawing(TEXT, {5: font, 6: descriptor, 7: stream(images.noise((90, 90)).tobytes(), b"/Length1 8100")})


@hostile("unicode-map-bomb.pdf", REDACTED, CORRUPT, LIMIT, ENDLESS)
def unicode_map_bomb() -> bytes:
    """A map to Unicode that gives every code a long text."""
    ranges = b"1 beginbfrange <0000> <ffff> <%s> endbfrange " % (b"0041" * 250)
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>"
    return drawing(TEXT, {5: font, 6: deflated(ranges * 200)})


# ------------------------------------------------------------------------------------------------ PDF: more than pages


@hostile("javascript.pdf", REDACTED)
def javascript() -> bytes:
    """Scripts on opening, on the page, in the name tree."""
    script = b"<</S/JavaScript/JS(while\\(1\\){app.alert\\(1\\)})>>"
    catalogue = b"<</Type/Catalog/Pages 2 0 R/OpenAction %s/AA<</WC %s>>/Names<</JavaScript<</Names[(a) %s]>>>>>>" % (
        (script,) * 3
    )
    return write({**objects(more=b"/AA<</O %s>>" % script), 1: catalogue})


@hostile("launch-and-fetch.pdf", REDACTED)
def launch_and_fetch() -> bytes:
    """Actions that start a program and ask another host."""
    launch = b"<</S/Launch/F(/bin/sh)/Next<</S/URI/URI(http://collector.example.org/)>>>>"
    link = b"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 216 108]/A %s>>]" % launch
    return write({**objects(more=link), 1: b"<</Type/Catalog/Pages 2 0 R/OpenAction %s>>" % launch})


@hostile("external-stream.pdf", REDACTED, CORRUPT)
def external_stream() -> bytes:
    """The page's content lies in a file of the machine that reads it."""
    return drawing(TEXT, {4: b"<</F(/etc/passwd)/Length 0>>stream\n\nendstream"})


@hostile("xfa.pdf", REDACTED)
def xfa() -> bytes:
    """An XFA form with entities that expand without end."""
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    form = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">%s]><xdp>&a11;</xdp>' % laughs
    catalogue = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</XFA 6 0 R/Fields[]>>>>"
    return write({**objects(), 1: catalogue, 6: stream(form)})


@hostile("portfolio.pdf", REDACTED)
def portfolio() -> bytes:
    """A portfolio: the page is a cover, the records are embedded."""

    def change(document: pikepdf.Pdf) -> None:
        document.attachments["records.pdf"] = pikepdf.AttachedFileSpec(document, good_pdf())
        document.Root.Collection = pikepdf.Dictionary(Type=pikepdf.Name.Collection, View=pikepdf.Name.T)

    return with_pikepdf(change)


@hostile("outline-loop.pdf", REDACTED)
def outline_loop() -> bytes:
    """An outline whose next item is itself."""
    catalogue = b"<</Type/Catalog/Pages 2 0 R/Outlines 6 0 R>>"
    item = b"<</Title(x)/Parent 6 0 R/Next 7 0 R/First 6 0 R/Dest[3 0 R/Fit]>>"
    return write({**objects(), 1: catalogue, 6: b"<</First 7 0 R/Last 7 0 R/Count 9>>", 7: item})


@hostile("fields-loop.pdf", REDACTED, CORRUPT)
def fields_loop() -> bytes:
    """A form field that is its own parent and child."""
    catalogue = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>"
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(x)/V(y)/Rect[9 9 99 30]/Parent 6 0 R/Kids[6 0 R]/DA(/F1 0 Tf)>>"
    return write({**objects(more=b"/Annots[6 0 R]"), 1: catalogue, 6: field})


@hostile("field-below-the-catalogue.pdf", REDACTED, CORRUPT)
def field_below_the_catalogue() -> bytes:
    """The parent of a field is the catalogue, and its child the field. Found by chance: its name has no end."""
    return fields_loop().replace(b"/Parent 6 0 R", b"/Parent 1 0 R")


@hostile("annotations-100000.pdf", REDACTED, LIMIT, ENDLESS)
def annotations_100000() -> bytes:
    """A hundred thousand annotations on one page."""
    one = b"<</Type/Annot/Subtype/Square/Rect[9 9 99 30]/C[1 0 0]>>"
    return drawing(TEXT, {6: b"[%s]" % (one * HUGE)}, more=b"/Annots 6 0 R")


@hostile("layers-10000.pdf", REDACTED, CORRUPT, LIMIT)
def layers_10000() -> bytes:
    """Ten thousand layers, each the member of the next."""
    groups = dict.fromkeys(range(10, 10010), b"<</Type/OCG/Name(x)>>")
    references = b" ".join(b"%d 0 R" % n for n in groups)
    catalogue = b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[%s]/D<</Order[%s]>>>>>>" % (references, references)
    return write({**objects(), 1: catalogue, **groups})


# ------------------------------------------------------------------------------------------------ PDF: locked

LOCKS = {2: (3, False), 3: (4, False), 4: (4, True), 5: (5, True), 6: (6, True)}
for _revision in (2, 3, 4, 5, 6):
    for _user, _end in (("", REDACTED), ("secret", LOCKED)):
        enter(
            f"encrypted-r{_revision}-{'with' if _user else 'without'}-password.pdf",
            lambda r=_revision, u=_user: with_pikepdf(
                lambda _: None,
                encryption=pikepdf.Encryption(owner="owner", user=u, R=r, aes=r > 3, metadata=r > 3),
                static_id=True,
            ),
            _end,
        )


@hostile("encrypted-for-certificates.pdf", LOCKED, CORRUPT)
def encrypted_for_certificates() -> bytes:
    """Readable by holders of certificates only."""
    lock = b"<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s4/V 2/Length 128/Recipients[<308201>]>>"
    return write({**objects(), 8: lock}, b"/Encrypt 8 0 R/ID[<00><00>]")


@hostile("encrypted-by-nonsense.pdf", LOCKED, CORRUPT)
def encrypted_by_nonsense() -> bytes:
    """The standard lock with a key of a million bits and no passwords."""
    lock = b"<</Filter/Standard/V 4/R 4/Length 1000000/O()/U()/P -1/CF<</StdCF<</CFM/X>>>>/StmF/StdCF>>"
    return write({**objects(), 8: lock}, b"/Encrypt 8 0 R/ID[<00><00>]")


# ------------------------------------------------------------------------------------------------ cut off


def _cut(make: Maker, quarters: int) -> Maker:
    return lambda: make()[: len(make()) * quarters // 4]


for _quarters in (1, 2, 3):
    enter(f"cut-at-{_quarters}-quarters.jpg", _cut(lambda: saved(paper(), "JPEG"), _quarters), CORRUPT)
    enter(f"cut-at-{_quarters}-quarters.png", _cut(lambda: GOOD_PNG, _quarters), CORRUPT)
    enter(f"cut-at-{_quarters}-quarters.tif", _cut(lambda: saved(paper(), "TIFF"), _quarters), CORRUPT)
    enter(f"cut-at-{_quarters}-quarters.pdf", _cut(scanned_pdf, _quarters), CORRUPT)

# ------------------------------------------------------------------------------------------------ PNG

ROWS = zlib.compress(b"".join(b"\0" + bytes(300) for _ in range(150)))


def _png_after(between: bytes) -> bytes:
    return GOOD_PNG[:33] + between + GOOD_PNG[33:]


enter("declares-10-gigapixels.png", lambda: png(HUGE, HUGE, ROWS), LIMIT)
enter("declares-the-most.png", lambda: png(2**31 - 1, 2**31 - 1, ROWS), LIMIT)
enter("declares-nothing.png", lambda: png(0, 0, ROWS), CORRUPT)
enter("declares-no-height.png", lambda: png(300, 0, ROWS), CORRUPT)
enter("long-and-thin.png", lambda: png(60_000, 100, zlib.compress(bytes(60_001 * 100))), LIMIT)
enter("depth-of-7.png", lambda: png(300, 150, ROWS, depth=7), CORRUPT)
enter("colour-kind-9.png", lambda: png(300, 150, ROWS, colour=9), CORRUPT)
enter("rows-short.png", lambda: png(300, 150, zlib.compress(bytes(99))), CORRUPT)
enter("rows-bomb.png", lambda: png(300, 150, zlib.compress(bytes(1 << 28), 9)), REDACTED, CORRUPT)
enter("text-bomb.png", lambda: _png_after(images.chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 28), 9))), CORRUPT, REDACTED)  # fmt: skip  # noqa: E501
enter("profile-bomb.png", lambda: _png_after(images.chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 28), 9))), CORRUPT, REDACTED)  # fmt: skip  # noqa: E501
enter("texts-100000.png", lambda: _png_after(images.chunk(b"tEXt", b"x\0y") * HUGE), CORRUPT, REDACTED)
enter("chunk-too-long.png", lambda: GOOD_PNG[:33] + b"\x7f\xff\xff\xffIDAT" + GOOD_PNG[41:], CORRUPT, REDACTED)
enter("sums-wrong.png", lambda: GOOD_PNG[:29] + b"\0\0\0\0" + GOOD_PNG[33:], CORRUPT)
enter("palette-missing.png", lambda: png(300, 150, ROWS, colour=3), CORRUPT, REDACTED)
enter("animated.png", lambda: saved(paper(), "PNG", save_all=True, append_images=[paper("1").convert("L")]), REDACTED)
enter("16-bit-grey.png", lambda: saved(paper().convert("I;16"), "PNG"), REDACTED)
enter("16-bit-colour.png", lambda: png(300, 150, zlib.compress(bytes(1801 * 150)), depth=16, colour=2), REDACTED)
enter("1-bit-palette.png", lambda: saved(paper("1").convert("P"), "PNG", bits=1), REDACTED)
enter("transparent.png", lambda: saved(Image.new("RGBA", (300, 150), (0, 0, 0, 0)), "PNG"), REDACTED)
enter("one-pixel.png", lambda: saved(Image.new("L", (1, 1)), "PNG"), REDACTED)
enter("one-row-of-noise.png", lambda: saved(images.noise((4000, 1)).convert("1"), "PNG"), REDACTED)
enter("one-column-of-noise.png", lambda: saved(images.noise((1, 4000)).convert("1"), "PNG"), REDACTED)
enter("one-row.png", lambda: saved(Image.new("L", (3000, 1)), "PNG"), REDACTED, CRASHED)

# ------------------------------------------------------------------------------------------------ JPEG


def _jpeg_of_size(width: int, height: int, mode: str = "L") -> bytes:
    made = saved(paper(mode), "JPEG")
    at = made.index(b"\xff\xc0") + 5
    return made[:at] + struct.pack(">HH", height, width) + made[at + 4 :]


enter("declares-65500-squared.jpg", lambda: _jpeg_of_size(65_500, 65_500), LIMIT)
enter("declares-no-lines.jpg", lambda: _jpeg_of_size(300, 0), CORRUPT)
enter("declares-taller.jpg", lambda: _jpeg_of_size(300, 2000), CORRUPT)
enter("declares-smaller.jpg", lambda: _jpeg_of_size(16, 16), REDACTED, CORRUPT)
enter("cmyk-inverted.jpg", lambda: saved(paper("CMYK"), "JPEG"), REDACTED)
enter("progressive.jpg", lambda: saved(paper("RGB"), "JPEG", progressive=True), REDACTED)
enter("scans-without-end.jpg", lambda: _many_scans(), REDACTED, CORRUPT, LIMIT)
enter("exif-garbage.jpg", lambda: _with_segment(b"\xff\xe1", b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(90)), REDACTED)
enter("exif-loop.jpg", lambda: _with_segment(b"\xff\xe1", b"Exif\0\0" + images.tiff([(0x8769, 4, 1, 8)], b"", 8)), REDACTED)  # fmt: skip  # noqa: E501
enter("frames-said-to-be-1000.jpg", lambda: _with_segment(b"\xff\xe2", b"MPF\0" + images.tiff([(0xB001, 4, 1, 1000), (0xB002, 7, 16000, 9)])), REDACTED, CORRUPT)  # fmt: skip  # noqa: E501
enter("tables-of-noise.jpg", lambda: _tables_of_noise(), CORRUPT, REDACTED)
for _orientation in ORIENTATIONS:
    enter(f"orientation-{_orientation}.jpg", lambda n=_orientation: images.with_orientation(n), REDACTED)
enter("orientation-99.jpg", lambda: images.with_orientation(99), REDACTED)


def _with_segment(marker: bytes, data: bytes) -> bytes:
    made = saved(paper(), "JPEG")
    return made[:2] + marker + struct.pack(">H", len(data) + 2) + data + made[2:]


def _many_scans() -> bytes:
    """A progressive JPEG that repeats one scan 2,000 times."""
    made = saved(paper(), "JPEG", progressive=True)
    starts = [n for n in range(len(made)) if made[n : n + 2] == b"\xff\xda"]
    last = made[starts[-1] : -2]
    return made[:-2] + last * 2000 + made[-2:]


def _tables_of_noise() -> bytes:
    made = saved(paper(), "JPEG")
    at = made.index(b"\xff\xc4") + 5
    return made[:at] + images.noise((28, 1)).tobytes() + made[at + 28 :]


# ------------------------------------------------------------------------------------------------ TIFF

enter("declares-10-gigapixels.tif", lambda: grey_tiff(HUGE, HUGE, bytes(99)), LIMIT)
enter("declares-nothing.tif", lambda: grey_tiff(0, 0, bytes(99)), CORRUPT)
enter("strip-beyond-the-end.tif", lambda: grey_tiff(300, 150, bytes(45_000), offset=2**31), CORRUPT)
enter("strip-is-the-header.tif", lambda: grey_tiff(300, 150, bytes(45_000), offset=0), REDACTED, CORRUPT)
enter("strip-too-short.tif", lambda: grey_tiff(300, 150, bytes(99)), CORRUPT)
enter("bits-255.tif", lambda: grey_tiff(300, 150, bytes(45_000), bits=255), CORRUPT)
enter("samples-60000.tif", lambda: grey_tiff(300, 150, bytes(45_000), samples=60_000), CORRUPT)
enter("compression-unknown.tif", lambda: grey_tiff(300, 150, bytes(45_000), compression=4242), CORRUPT)
enter("photometric-unknown.tif", lambda: grey_tiff(300, 150, bytes(45_000), photometric=4242), CORRUPT)
enter("float.tif", lambda: saved(paper().convert("F"), "TIFF"), REDACTED)
enter("float-not-numbers.tif", lambda: _float_not_numbers(), REDACTED, CORRUPT)
enter("32-bit.tif", lambda: saved(paper().convert("I"), "TIFF"), REDACTED)
enter("16-bit-grey.tif", lambda: saved(paper().convert("I;16"), "TIFF"), REDACTED)
enter("lab.tif", lambda: saved(Image.new("LAB", (300, 150), (200, 128, 128)), "TIFF"), REDACTED)
enter("cmyk.tif", lambda: saved(paper("CMYK"), "TIFF"), REDACTED)
enter("planar.tif", lambda: saved(paper("RGB"), "TIFF", tiffinfo={284: 2}), REDACTED, CORRUPT)
enter("g4.tif", lambda: saved(paper("1"), "TIFF", compression="group4"), REDACTED)
enter("g4-strips-of-noise.tif", lambda: _g4_of_noise(), CORRUPT, REDACTED)
enter("g4-strip-emptied.tif", lambda: _g4_emptied(), CORRUPT, REDACTED)
enter("lzw-of-noise.tif", lambda: grey_tiff(300, 150, images.noise((300, 150)).tobytes(), compression=5), CORRUPT)
enter("deflate-bomb.tif", lambda: grey_tiff(300, 150, zlib.compress(bytes(1 << 28), 9), compression=8), REDACTED, CORRUPT)  # fmt: skip  # noqa: E501
enter("jpeg-of-noise.tif", lambda: grey_tiff(300, 150, images.noise((99, 99)).tobytes(), compression=7), CORRUPT)
enter("directory-loop.tif", lambda: _directory_loop(), REDACTED, CORRUPT)
enter("directories-100000.tif", lambda: _directories(HUGE), LIMIT)
enter("directory-of-65535-entries.tif", lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(9999), CORRUPT)
enter("strips-a-thousand-million.tif", lambda: _strips_a_thousand_million(), CORRUPT, LIMIT)
enter("tiles-bomb.tif", lambda: _tiles_bomb(), CORRUPT, LIMIT)
enter("pages-of-many-sizes.tif", lambda: _pages_of_many_sizes(), REDACTED, CRASHED)
enter("second-page-huge.tif", lambda: _second_page(HUGE), LIMIT)
enter("second-page-damaged.tif", lambda: _second_page(300), CORRUPT)


def _float_not_numbers() -> bytes:
    pixels = struct.pack("<ffff", float("nan"), float("inf"), float("-inf"), 0.5) * 4
    return images.tiff(
        [
            (256, 4, 1, 4),
            (257, 4, 1, 4),
            (258, 4, 1, 32),
            (259, 4, 1, 1),
            (262, 4, 1, 1),
            (273, 4, 1, images.tiff_data_at(10)),
            (277, 4, 1, 1),
            (278, 4, 1, 4),
            (279, 4, 1, len(pixels)),
            (339, 3, 1, 3),
        ],
        pixels,
    )


def _g4_of_noise() -> bytes:
    noise = images.noise((99, 20)).tobytes()
    return grey_tiff(300, 150, noise, bits=1, compression=4)


def _g4_emptied() -> bytes:
    made = saved(paper("1"), "TIFF", compression="group4")
    with Image.open(io.BytesIO(made)) as image:
        offset, length = image.tag_v2[273][0], image.tag_v2[279][0]
    return made[: offset + 40] + bytes(length - 40) + made[offset + length :]


def _directory_loop() -> bytes:
    made = grey_tiff(300, 150, bytes(45_000))
    end = images.tiff_data_at(9) - 4
    return made[:end] + struct.pack("<I", 8) + made[end + 4 :]


def _directories(count: int) -> bytes:
    """So many directories, each a page of one pixel."""
    tags = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1)]  # fmt: skip  # noqa: E501
    length = 2 + 12 * len(tags) + 4
    parts = [images.directory(tags, 8 + length * (n + 1) if n + 1 < count else 0) for n in range(count)]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(parts)


def _strips_a_thousand_million() -> bytes:
    made = grey_tiff(300, 150, bytes(45_000))
    for tag in (273, 279):
        made = made.replace(struct.pack("<HHI", tag, 4, 1), struct.pack("<HHI", tag, 4, 1_000_000_000))
    return made


def _tiles_bomb() -> bytes:
    """Tiles of 2³¹ pixels a side on a page of 300 x 150."""
    tags = [(256, 300), (257, 150), (258, 8), (259, 8), (262, 1), (277, 1), (322, 2**31 - 16), (323, 2**31 - 16)]
    data = zlib.compress(bytes(1 << 20))
    entries = [(tag, 4, 1, value) for tag, value in tags]
    return images.tiff([*entries, (324, 4, 1, images.tiff_data_at(10)), (325, 4, 1, len(data))], data)


def _pages_of_many_sizes() -> bytes:
    others = [paper("1", (120, 400)), Image.new("RGB", (1, 1)), paper("RGB", (400, 90))]
    return saved(paper(), "TIFF", save_all=True, append_images=others)


def _second_page(side: int) -> bytes:
    """A sound page, then one that declares `side` and has no pixels."""
    first = grey_tiff(300, 150, bytes(45_000))
    end = images.tiff_data_at(9) - 4
    second = grey_tiff(side, side, b"", offset=2**30, length=45_000)[8:]
    return first[:end] + struct.pack("<I", len(first)) + first[end + 4 :] + second


def names() -> Iterator[str]:
    """For the ids of tests: plain, and short."""
    for number, one in enumerate(HOSTILE):
        yield f"{number:03}-{ascii(one.name)[1:40]}"
