"""Scans into files, as scanners, fax servers and people with a PDF editor write them.

Rule kept here: no clock, no random identifiers; every date is given. What hides in a file beside its pages is planted
here and nowhere else.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pymupdf
from PIL import Image

from infra.demo.scanning import Scan

OCR_SLIPS = (("l", "1"), ("rn", "m"), ("0", "O"), ("5", "S"), ("e", "c"), ("w", "vv"), ("g", "q"), ("i", "j"))
"""Letters that an old reader took for others."""


@dataclass(frozen=True, slots=True)
class Baggage:
    """What a PDF carries beside its pages.

    Attributes:
        info: entries of /Info, names as in ISO 32000-1 §14.3.3; dates as PDF dates.
        xmp: the metadata packet, or "".
        attachments: file name to bytes.
        old_note: text of a sticky note that an earlier revision still holds, or "".
    """

    info: Mapping[str, str] = field(default_factory=dict, repr=False)
    xmp: str = field(default="", repr=False)
    attachments: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    old_note: str = field(default="", repr=False)


def jpeg(scan: Scan, quality: int, exif: Mapping[int, str] | None = None) -> bytes:
    """One scan as a JPEG; `exif` by tag number."""
    tags = Image.Exif()
    for tag, value in (exif or {}).items():
        tags[tag] = value
    out = io.BytesIO()
    Image.fromarray(scan.pixels).save(out, "JPEG", quality=quality, dpi=scan.dpi, exif=tags)
    return out.getvalue()


def png(scan: Scan, levels: int = 16) -> bytes:
    """One grey scan as a PNG, kept to a few grey levels as office scanners do."""
    step = 255 / (levels - 1)
    few = Image.fromarray(((scan.pixels / step).round() * step).round().astype("uint8"))
    out = io.BytesIO()
    few.save(out, "PNG", optimize=False, compress_level=9, dpi=scan.dpi)
    return out.getvalue()


def tiff_g4(scans: Sequence[Scan]) -> bytes:
    """Black and white scans as one TIFF, CCITT Group 4, one page a scan."""
    pages = [Image.fromarray(scan.pixels).convert("1", dither=Image.Dither.NONE) for scan in scans]
    out = io.BytesIO()
    first, rest = pages[0], pages[1:]
    first.save(out, "TIFF", compression="group4", dpi=scans[0].dpi, save_all=bool(rest), append_images=rest)
    return out.getvalue()


def pdf(scans: Sequence[Scan], quality: int, baggage: Baggage | None = None, ocr: bool = False) -> bytes:
    """Scans as the JPEG pages of a PDF.

    Args:
        scans: one a page.
        quality: of the JPEGs.
        baggage: what else to plant.
        ocr: put an old reader's text under each image, its slips and gaps included (see `misread`).
    """
    baggage = baggage or Baggage()
    document = pymupdf.open()
    for scan in scans:
        height, width = scan.pixels.shape[:2]
        scale = 72 / scan.dpi[0]
        page = document.new_page(width=width * scale, height=height * scale)
        if ocr:
            _lay_text(page, scan, scale)
        page.insert_image(page.rect, stream=jpeg(scan, quality))
    for name, content in baggage.attachments.items():
        xref = document.embfile_add(name, content, filename=name)
        for key in ("Params/CreationDate", "Params/ModDate"):
            document.xref_set_key(xref, key, f"({baggage.info['CreationDate']})")
    if baggage.xmp:
        document.set_xml_metadata(baggage.xmp)
    _write_info(document, baggage.info)
    note = _pin_note(document, baggage.old_note) if baggage.old_note else 0
    whole: bytes = document.tobytes(deflate=True, no_new_id=True)
    if note:
        page = document[0]
        without = document.xref_object(page.xref, compressed=True).replace(f"/Annots[{note} 0 R]", "")
        whole = append_revision(whole, {page.xref: without})
    document.close()
    return whole


def misread(words: Sequence[str]) -> list[str]:
    """The words as an old reader saw them: every ninth has a slip, every twenty-third is missing (empty)."""
    seen = []
    for number, word in enumerate(words, 1):
        if number % 9 == 4:
            slips = [pair for pair in OCR_SLIPS if pair[0] in word]
            word = word.replace(*slips[number % len(slips)], 1) if slips else word
        seen.append("" if number % 23 == 11 else word)
    return seen


def append_revision(pdf_bytes: bytes, objects: Mapping[int, str]) -> bytes:
    """The PDF saved once more by appending (ISO 32000-1 §7.5.6): changed objects only, everything old left in place."""
    previous = int(re.findall(rb"startxref\s+(\d+)", pdf_bytes)[-1])
    trailer = re.findall(rb"trailer\s*<<(.*?)>>\s*startxref", pdf_bytes, re.DOTALL)[-1]
    out, entries = bytearray(pdf_bytes.rstrip() + b"\n"), bytearray()
    for number, body in sorted(objects.items()):
        entries += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body.encode("latin-1"))
    start = len(out)
    out += b"xref\n" + entries + b"trailer\n<<" + re.sub(rb"/Prev\s+\d+", b"", trailer)
    return bytes(out + b"/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (previous, start))


def cut_short(content: bytes, share: float) -> bytes:
    """The first part of a file, as an interrupted transfer leaves it."""
    return content[: int(len(content) * share)]


def _lay_text(page: pymupdf.Page, scan: Scan, scale: float) -> None:
    layer = page.new_shape()
    for word, seen in zip(scan.words, misread([word.text for word in scan.words]), strict=True):
        if seen:
            size = (word.right - word.left) * scale / max(pymupdf.get_text_length(seen, "helv", 1), 0.1)
            layer.insert_text(
                (word.left * scale, word.baseline * scale), seen, fontsize=size, fontname="helv", render_mode=3
            )
    layer.commit()


def _write_info(document: pymupdf.Document, info: Mapping[str, str]) -> None:
    if info:
        xref = document.get_new_xref()
        document.update_object(xref, f"<<{''.join(f'/{k}{pymupdf.get_pdf_str(v)}' for k, v in info.items())}>>")
        document.xref_set_key(-1, "Info", f"{xref} 0 R")


def _pin_note(document: pymupdf.Document, text: str) -> int:
    note: int = document.get_new_xref()
    look = "/Type/Annot/Subtype/Text/Name/Note/Rect[60 740 80 760]/F 4/C[1 0.9 0.3]"
    document.update_object(note, f"<<{look}/Contents{pymupdf.get_pdf_str(text)}>>")
    document.xref_set_key(document[0].xref, "Annots", f"[{note} 0 R]")
    return note
