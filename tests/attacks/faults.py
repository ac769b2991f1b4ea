"""Planting: each function takes a good output and puts one fault into it."""

from __future__ import annotations

import dataclasses
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pymupdf
from PIL import Image, ImageFilter

from tasks.geometry import Box
from tasks.model import RedactionPlan
from tests.redaction.drawn import DrawnRecord

Name = pikepdf.Name


def resave(data: bytes, change: Callable[[pikepdf.Pdf], None] = lambda pdf: None) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)
        pdf.save(out, static_id=True, fix_metadata_version=False)
    return out.getvalue()


def on_page(change: Callable[[pikepdf.Pdf, Any], None]) -> Callable[[bytes], bytes]:
    return lambda data: resave(data, lambda pdf: change(pdf, pdf.pages[0].obj))


def on_content(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def replace(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Contents.write(change(page.Contents.read_bytes()))

    return on_page(replace)


def on_image(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    return on_page(lambda pdf, page: change(page.Resources.XObject["/Im1"]))


# ------------------------------------------------------------------------------------------------ text


LAST = b"\nEMC\nET"
"""The end of the last paragraph."""


def codes_of_chars(data: bytes) -> dict[str, str]:
    """The code of each character of the layer's font, in hexadecimal digits."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        cmap = pdf.pages[0].Resources.Font["/F1"].ToUnicode.read_bytes()
    rows = re.findall(rb"<([0-9a-f]{4})> <([0-9a-f]{4})>", cmap)
    return {chr(int(char, 16)): code.decode() for code, char in rows}


def say(data: bytes, word: str, x_pt: float, y_pt: float) -> bytes:
    """Another word at the end of our own invisible layer's last paragraph; its letters must be in the font."""
    codes = codes_of_chars(data)
    hexed = "".join(codes[c] for c in word)
    shown = f"\n12 0 0 12 {x_pt} {y_pt} Tm <{hexed}> Tj".encode()
    return on_content(lambda content: content.replace(LAST, shown + LAST))(data)


def place_of(record: DrawnRecord, mark: int = 0) -> tuple[float, float]:
    """A point in a mark, pt."""
    page = record.pages[0].transcript
    region = record.plan.marks[mark].regions[0]
    return (region.x0 + 6) * 72 / page.dpi[0], (page.height_px - region.y1 + 6) * 72 / page.dpi[1]


def with_live_text(data: bytes, record: DrawnRecord) -> bytes:
    """What a word processor's black box leaves: real text, then something over it."""
    x, y = place_of(record)

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Resources.Font["/F2"] = pdf.make_indirect(
            pikepdf.Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        )
        text = f"BT /F2 9 Tf 1 0 0 1 {x} {y} Tm (ring me) Tj ET\n".encode()
        page.Contents.write(text + page.Contents.read_bytes())

    return on_page(plant)(data)


# ------------------------------------------------------------------------------------------------ objects


def with_annotation(subtype: str) -> Callable[[bytes], bytes]:
    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        note = pikepdf.Dictionary(Type=Name.Annot, Subtype=Name("/" + subtype), Rect=[100, 100, 200, 120])
        page.Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(note)]))

    return on_page(plant)


def with_attachment(data: bytes) -> bytes:
    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["note.txt"] = b"hello"

    return resave(data, plant)


XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq><rdf:li>{}</rdf:li>
</rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def with_xmp(text: str = "someone") -> Callable[[bytes], bytes]:
    def plant(pdf: pikepdf.Pdf) -> None:
        xmp = XMP.format(text).encode()
        pdf.Root.Metadata = pdf.make_stream(xmp, Type=Name.Metadata, Subtype=Name.XML)

    return lambda data: resave(data, plant)


def with_info(key: str, value: str) -> Callable[[bytes], bytes]:
    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo[key] = value

    return lambda data: resave(data, plant)


def with_title(title: str) -> Callable[[bytes], bytes]:
    """Another title, in both places that say it."""

    def plant(pdf: pikepdf.Pdf) -> None:
        xmp = pdf.Root.Metadata.read_bytes()
        pdf.Root.Metadata.write(xmp.replace(str(pdf.docinfo["/Title"]).encode(), title.encode()))
        pdf.docinfo["/Title"] = title

    return lambda data: resave(data, plant)


def with_language(language: str) -> Callable[[bytes], bytes]:
    """Another language, in both places that say it."""

    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Metadata.write(pdf.Root.Metadata.read_bytes().replace(b"en-GB", language.encode()))
        pdf.Root.Lang = pikepdf.String(language)

    return lambda data: resave(data, plant)


def in_root(key: str, make: Callable[[pikepdf.Pdf], Any]) -> Callable[[bytes], bytes]:
    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.Root[key] = make(pdf)

    return lambda data: resave(data, plant)


def with_bookmark(data: bytes) -> bytes:
    def plant(pdf: pikepdf.Pdf) -> None:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Contact list", 0))

    return resave(data, plant)


def with_layer(data: bytes) -> bytes:
    """A layer that is switched off, and content in it."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        group = pdf.make_indirect(pikepdf.Dictionary(Type=Name.OCG, Name="Hidden"))
        pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[group], D=pikepdf.Dictionary(OFF=[group], Order=[group]))
        page.Resources.Properties = pikepdf.Dictionary(L1=group)
        page.Contents.write(page.Contents.read_bytes().replace(b"BT", b"/OC /L1 BDC\nBT") + b"\nEMC")

    return on_page(plant)(data)


def with_orphan_image(data: bytes, record: DrawnRecord) -> bytes:
    """The untouched page, coded, in an object that nothing refers to."""
    source = io.BytesIO()
    Image.fromarray(record.pages[0].raster.pixels).save(source, "JPEG")
    file: Any = pymupdf.open(stream=data)
    number = file.get_new_xref()
    height, width = record.pages[0].raster.pixels.shape[:2]
    file.update_object(
        number,
        f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8>>",
    )
    file.update_stream(number, source.getvalue(), compress=0)
    file.xref_set_key(number, "Filter", "/DCTDecode")
    saved: bytes = file.tobytes(garbage=0, no_new_id=True)
    return re.sub(rb"(?<=\n)% Written by [^\n]*", lambda m: b"%" + b" " * (len(m[0]) - 1), saved, count=1)


def with_second_image(data: bytes, record: DrawnRecord) -> bytes:
    """The untouched page as the value of an entry of the page's own image name: referenced, never drawn."""
    source = io.BytesIO()
    Image.fromarray(record.pages[0].raster.pixels).save(source, "JPEG")
    height, width = record.pages[0].raster.pixels.shape[:2]

    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Spare = pdf.make_stream(
            source.getvalue(), Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height,
            ColorSpace=Name.DeviceGray, BitsPerComponent=8, Filter=Name.DCTDecode,
        )  # fmt: skip

    return resave(data, plant)


def with_revision(data: bytes, folder: Path) -> bytes:
    path = folder / "revised.pdf"
    path.write_bytes(data)
    file: Any = pymupdf.open(path)
    file.set_metadata({"title": file.metadata["title"], "producer": "foi-disclosure"})
    file.saveIncr()
    file.close()
    return path.read_bytes()


def with_thumbnail(data: bytes) -> bytes:
    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Thumb = pdf.make_stream(
            bytes(64), Width=8, Height=8, ColorSpace=Name.DeviceGray, BitsPerComponent=8, Subtype=Name.Image
        )

    return on_page(plant)(data)


def with_soft_mask(data: bytes) -> bytes:
    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Resources.XObject["/Im1"].SMask = pdf.make_stream(
            bytes(64), Type=Name.XObject, Subtype=Name.Image, Width=8, Height=8, ColorSpace=Name.DeviceGray,
            BitsPerComponent=8,
        )  # fmt: skip

    return on_page(plant)(data)


# ------------------------------------------------------------------------------------------------ bytes


def behind_image(extra: bytes) -> Callable[[bytes], bytes]:
    def plant(image: Any) -> None:
        filter_, parms = image.Filter, image.get("/DecodeParms")
        image.write(image.read_raw_bytes() + extra, filter=filter_, decode_parms=parms)

    return on_image(plant)


def with_segment(marker: int, payload: bytes) -> Callable[[bytes], bytes]:
    def plant(image: Any) -> None:
        raw = image.read_raw_bytes()
        segment = bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload
        image.write(raw[:2] + segment + raw[2:], filter=Name.DCTDecode)

    return on_image(plant)


def inserted(data: bytes, at: int, extra: bytes) -> bytes:
    """Bytes put in at an offset, and the cross-reference table mended, as a careful forger would."""
    table = data.rindex(b"\nxref") + 1
    rows = data[table : data.index(b"trailer", table)]
    moved = re.sub(
        rb"(\d{10}) (\d{5} n)", lambda m: b"%010d %b" % (int(m[1]) + len(extra) * (int(m[1]) >= at), m[2]), rows
    )
    data = data[:table] + moved + data[table + len(rows) :]
    data = data[:at] + extra + data[at:]
    return re.sub(rb"startxref\n\d+", b"startxref\n%d" % (data.rindex(b"\nxref") + 1), data)


def in_object(mark: bytes, extra: bytes) -> Callable[[bytes], bytes]:
    """Bytes put in before the first place of a mark."""
    return lambda data: inserted(data, data.index(mark), extra)


def in_scan(extra: bytes) -> Callable[[bytes], bytes]:
    """Bytes put in where a JPEG's samples end and its end mark has not come."""

    def plant(image: Any) -> None:
        raw = image.read_raw_bytes()
        image.write(raw[:-2] + extra + raw[-2:], filter=Name.DCTDecode)

    return on_image(plant)


def behind_stream(key: str) -> Callable[[bytes], bytes]:
    """Bytes behind the end of a deflated stream, within its length: the page's content or the character map."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        stream = page.Contents if key == "/Contents" else page.Resources.Font["/F1"].ToUnicode
        coded = zlib.compress(stream.read_bytes()) + b"behind"
        stream.write(coded, filter=Name.FlateDecode)

    return on_page(plant)


def between_objects(data: bytes) -> bytes:
    table = data.rindex(b"xref\n0 ")
    extra = b"% nothing to see\n"
    moved = data[:table] + extra + data[table:]
    return re.sub(rb"startxref\n\d+", b"startxref\n%d" % (table + len(extra)), moved)


# ------------------------------------------------------------------------------------------------ fonts


def on_font(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    return on_page(lambda pdf, page: change(page.Resources.Font["/F1"]))


def on_map(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return on_font(lambda font: font.ToUnicode.write(change(font.ToUnicode.read_bytes())))


def on_program(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def plant(font: Any) -> None:
        file = font.DescendantFonts[0].FontDescriptor.FontFile2
        file.write(change(file.read_bytes()))

    return on_font(plant)


def in_table(tag: bytes, at: int, content: bytes) -> Callable[[bytes], bytes]:
    """Bytes written over a table of the font's program."""

    def write(program: bytes) -> bytes:
        entry = program.index(tag, 12)
        start = int.from_bytes(program[entry + 8 : entry + 12], "big") + at
        return program[:start] + content + program[start + len(content) :]

    return on_program(write)


def spelling(data: bytes) -> bytes:
    """The codes of two characters exchanged, everywhere: the page says the same, the map's order says something."""

    def exchange(text: bytes) -> bytes:
        return re.sub(rb"000[12]", lambda m: b"0002" if m[0] == b"0001" else b"0001", text)

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        unicode = page.Resources.Font["/F1"].ToUnicode
        rows = re.findall(rb"<0001> <(\w+)>\n<0002> <(\w+)>", unicode.read_bytes())[0]
        old = b"<0001> <%b>\n<0002> <%b>" % rows
        unicode.write(unicode.read_bytes().replace(old, b"<0001> <%b>\n<0002> <%b>" % rows[::-1]))
        content = page.Contents.read_bytes()
        strings = re.compile(rb"<([0-9a-f]+)> Tj")

        def shown(match: re.Match[bytes]) -> bytes:
            codes = [match[1][i : i + 4] for i in range(0, len(match[1]), 4)]
            return b"<" + b"".join(exchange(code) for code in codes) + b"> Tj"

        page.Contents.write(strings.sub(shown, content))

    return on_page(plant)(data)


# ------------------------------------------------------------------------------------------------ pixels


def recode(record: DrawnRecord, change: Callable[[Any, Any, Box], Any], data: bytes) -> bytes:
    """As `repaint`, coded as the page was: JPEG with the same tables."""
    source = record.pages[0].raster.pixels

    def plant(image: Any) -> None:
        raw = image.read_raw_bytes()
        with Image.open(io.BytesIO(raw)) as picture:
            tables, painted = picture.quantization, np.array(picture.convert("L"))  # type: ignore[attr-defined]
        for mark in record.plan.marks:
            for r in mark.regions:
                cut = np.s_[r.y0 : r.y1, r.x0 : r.x1]
                painted[cut] = change(painted[cut], source[cut], r)
        image.write(bare_jpeg(painted, tables), filter=Name.DCTDecode)

    return on_image(plant)(data)


def bare_jpeg(pixels: Any, tables: dict[int, list[int]] | None = None) -> bytes:
    """A JPEG of grey pixels without application segments."""
    out = io.BytesIO()
    chosen = {"qtables": {0: tables[0]}} if tables else {"quality": 75}
    Image.fromarray(pixels).save(out, "JPEG", optimize=True, **chosen)
    return re.sub(rb"^(\xff\xd8)\xff\xe0\0\x10.{14}", rb"\1", out.getvalue(), count=1, flags=re.DOTALL)


def repaint(record: DrawnRecord, change: Callable[[Any, Any, Box], Any], data: bytes) -> bytes:
    """The page's image, lossless, with what `change(painted, source, region)` gives in every mark's place."""
    source = record.pages[0].raster.pixels

    def plant(image: Any) -> None:
        painted = np.array(pikepdf.PdfImage(image).as_pil_image().convert("L"))
        for mark in record.plan.marks:
            for r in mark.regions:
                cut = np.s_[r.y0 : r.y1, r.x0 : r.x1]
                painted[cut] = change(painted[cut], source[cut], r)
        parms = pikepdf.Dictionary(Columns=painted.shape[1], Colors=1, BitsPerComponent=8, Predictor=15)
        rows = b"".join(b"\0" + row.tobytes() for row in painted)
        image.write(zlib.compress(rows), filter=Name.FlateDecode, decode_parms=parms)

    return on_image(plant)(data)


def pixelated(painted: Any, source: Any, region: Box) -> Any:
    small = Image.fromarray(source).resize(
        (max(1, region.width // 8), max(1, region.height // 8)), Image.Resampling.BOX
    )
    return np.asarray(small.resize((region.width, region.height), Image.Resampling.NEAREST))


def blurred(painted: Any, source: Any, region: Box) -> Any:
    return np.asarray(Image.fromarray(source).filter(ImageFilter.GaussianBlur(6)))


def half_opaque(painted: Any, source: Any, region: Box) -> Any:
    return (source // 2).astype(np.uint8)


def faintly_shining(painted: Any, source: Any, region: Box) -> Any:
    """All black to the eye: what is hidden is there in the lowest bits."""
    return (source // 16).astype(np.uint8)


def untouched(painted: Any, source: Any, region: Box) -> Any:
    return source


def smaller(plan: RedactionPlan, top_px: int = 0, left_px: int = 0) -> RedactionPlan:
    """The plan with each mark's first box cut at the top or at the left."""
    marks = []
    for mark in plan.marks:
        first = mark.regions[0]
        cut = Box(first.x0 + left_px, first.y0 + top_px, first.x1, first.y1)
        marks.append(dataclasses.replace(mark, regions=(cut, *mark.regions[1:])))
    return dataclasses.replace(plan, marks=tuple(marks))
