"""Pages into files, as scanners, fax servers and office programs leave them.

Rule kept here: no clock and no random identifier, so that a seed gives the same bytes; what hides beside the pages is
returned with the file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import pymupdf
from PIL import Image

from infra.demo import containers
from tests.corpus.cast import Cast
from tests.corpus.marked import plain
from tests.corpus.qualities import Page

WHEN = "D:20240311090000Z"
SINGLE = ("png", "jpg")


@dataclass(frozen=True, slots=True)
class Packed:
    """A file, the name of its form, and what hides in it: where -> the contact detail."""

    suffix: str
    form: str
    content: bytes = field(repr=False)
    hidden: dict[str, str] = field(default_factory=dict, repr=False)


def pack(pages: Sequence[Page], cast: Cast) -> Packed:
    """The pages in a form that suits them."""
    modes = {page.mode for page in pages}
    if "vector" in modes:
        return _document(pages, cast, "pdf_digital" if modes == {"vector"} else "pdf_mixed")
    if "bilevel" in modes:
        if modes == {"bilevel"} and cast.random.random() < 0.65:
            return Packed(".tif", "tiff_g4", containers.tiff_g4([page.scan for page in pages if page.scan]))
        return _document(pages, cast, "pdf_scan")
    if len(pages) == 1 and cast.random.random() < 0.4:
        return _picture(pages[0], cast)
    baggage, hidden = _baggage(cast)
    ocr = cast.random.random() < 0.35 and not any(page.quarter_turns for page in pages)
    scans = [page.scan for page in pages if page.scan]
    content = containers.pdf(scans, pages[0].jpeg_quality, baggage, ocr)
    return Packed(".pdf", "pdf_ocr" if ocr else "pdf_scan", content, hidden)


def _picture(page: Page, cast: Cast) -> Packed:
    assert page.scan is not None
    if page.quality == "clean" and page.mode == "grey":
        return Packed(".png", "png", containers.png(page.scan))
    author = plain(cast.email(cast.person()))
    return Packed(".jpg", "jpg", containers.jpeg(page.scan, page.jpeg_quality, {0x013B: author}), {"exif": author})


def _baggage(cast: Cast) -> tuple[containers.Baggage, dict[str, str]]:
    """Half of the files carry something."""
    hidden: dict[str, str] = {}
    info, attachments, note = {"Producer": "ScanGate 4.2", "CreationDate": WHEN}, {}, ""
    if cast.random.random() < 0.5:
        info["Author"] = hidden["author"] = plain(cast.email(cast.person()))
    if cast.random.random() < 0.25:
        hidden["attachment"] = plain(cast.mobile())
        attachments["cover.txt"] = f"Ring {hidden['attachment']} about these.".encode()
    if cast.random.random() < 0.25:
        note = f"Checked with {plain(cast.phone())}"
        hidden["note"] = note.removeprefix("Checked with ")
    return containers.Baggage(info, "", attachments, note), hidden


def _document(pages: Sequence[Page], cast: Cast, form: str) -> Packed:
    """A PDF of drawn and scanned pages, each at its own size and resolution."""
    whole, hidden = pymupdf.open(), {}
    for page in pages:
        if page.scan is None:
            page.leaf.document.subset_fonts()
            whole.insert_pdf(page.leaf.document)
            continue
        across, down = page.scan.dpi
        width, height = page.size_px
        sheet = whole.new_page(width=width * 72 / across, height=height * 72 / down)
        sheet.insert_image(sheet.rect, stream=_image(page), keep_proportion=False)
    if cast.random.random() < 0.5:
        hidden["author"] = plain(cast.email(cast.person()))
        whole.set_metadata({"author": hidden["author"], "creationDate": WHEN, "modDate": WHEN})
    content = whole.tobytes(deflate=True, garbage=3, no_new_id=True)
    whole.close()
    return Packed(".pdf", form, content, hidden)


def _image(page: Page) -> bytes:
    assert page.scan is not None
    if page.mode != "bilevel":
        return containers.jpeg(page.scan, page.jpeg_quality)
    out = io.BytesIO()
    Image.fromarray(page.scan.pixels).convert("1", dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()
