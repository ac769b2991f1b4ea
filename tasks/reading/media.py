"""What a source file is, found out before anything in it is decoded.

Rule kept here: the content decides, never the name; and every size a file declares is checked against `Limits`
before a decoder is asked to believe it (a 100 KB PNG may declare 100 gigapixels). PyMuPDF is not thread-safe: call
`inspect` from one thread at a time.
"""

from __future__ import annotations

import io
import re
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

import pymupdf
from PIL import Image

from tasks.errors import (
    CorruptFileError,
    EmptyFileError,
    EncryptedFileError,
    FoiError,
    LimitExceededError,
    UnsupportedMediaError,
)
from tasks.model import Media
from tasks.reading.settings import DEFAULT_LIMITS, JPEG, MAX_SIDE_PX, PDF, PNG, SUFFIXES, TIFF, Limits

PILLOW_FORMATS = {TIFF: "TIFF", JPEG: "JPEG", PNG: "PNG"}

PDF_HEADER_WITHIN_BYTES = 1024
"""Readers accept junk before `%PDF-` up to here (ISO 32000-1, annex H, note 13)."""

# MuPDF's own complaints name fonts and objects of the record; they stay off our output.
pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)
# Our limit is stricter than the one Pillow warns at, and it refuses instead of warning. Its other warnings are about
# metadata, which nothing here uses.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def inspect(untrusted: bytes, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Media:
    """What the file is, how many pages it has, and what is odd about it.

    Args:
        untrusted: the whole file.
        name: its key or path; only carried as the error's subject and compared with the content.
        limits: what to refuse.

    Raises:
        EmptyFileError: zero bytes.
        UnsupportedMediaError: neither PDF, TIFF, JPEG nor PNG.
        EncryptedFileError: a PDF that does not open with the empty password.
        CorruptFileError: the type's own decoder does not open it, or it has no page.
        LimitExceededError: more bytes, pages or declared pixels than `limits`.
    """
    if not untrusted:
        raise EmptyFileError(subject=name)
    if len(untrusted) > limits.max_bytes:
        raise LimitExceededError(f"{len(untrusted)} bytes, limit {limits.max_bytes}.", subject=name)
    media_type = sniff(untrusted)
    if media_type is None:
        raise UnsupportedMediaError(subject=name)
    suffix = PurePosixPath(name).suffix.lower()
    notes = ["named-as-another-type"] if suffix and SUFFIXES.get(suffix) != media_type else []
    pages, more = (
        _inspect_pdf(untrusted, name, limits)
        if media_type == PDF
        else _inspect_image(untrusted, media_type, name, limits)
    )
    return Media(media_type, pages, tuple(sorted([*notes, *more])))


def sniff(untrusted: bytes) -> str | None:
    """The media type by the first bytes, None when it is none of ours."""
    if untrusted.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TIFF
    if untrusted.startswith(b"\xff\xd8\xff"):
        return JPEG
    if untrusted.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if b"%PDF-" in untrusted[:PDF_HEADER_WITHIN_BYTES]:
        return PDF
    return None


@contextmanager
def decoding(failure: str, name: str = "") -> Iterator[None]:
    """Around a decoder at work: whatever it raises says that the file is at fault; none promises a base class.

    What our own code raises, outside any library, is a defect of ours and passes as it is.

    Args:
        failure: what it means when the decoder gives up.
        name: the error's subject.

    Raises:
        CorruptFileError: the decoder gave up.
        LimitExceededError: it had not enough memory, or Pillow's own limit on pixels was passed.
    """
    try:
        yield
    except FoiError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise LimitExceededError("An image declares too many pixels.", subject=name) from None
    except Exception as error:
        if isinstance(error, MemoryError) or re.search("memory|alloc", str(error), re.IGNORECASE):
            raise LimitExceededError("Memory.", subject=name) from None
        if _is_our_own(error):
            raise
        raise CorruptFileError(failure, subject=name) from None


def _is_our_own(error: Exception) -> bool:
    """Whether it was raised by a line of this program and not within a library."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__", "")).startswith("tasks.")


def check_pixels(width: int, height: int, limits: Limits, page: int, name: str = "") -> None:
    """Refuse a declared image size; `page` is 0-based.

    Raises:
        LimitExceededError: too many pixels.
        CorruptFileError: no pixels.
    """
    if width <= 0 or height <= 0:
        raise CorruptFileError(f"Page {page + 1} has no pixels.", subject=name)
    if width * height > limits.max_pixels_per_page:
        raise LimitExceededError(
            f"Page {page + 1}: {width} x {height} px, limit {limits.max_pixels_per_page} px.", subject=name
        )


def check_page(width: int, height: int, limits: Limits, page: int, name: str = "") -> None:
    """Refuse the declared size of an image that is a page; `page` is 0-based.

    Raises:
        LimitExceededError: too many pixels, or a side longer than Tesseract reads.
        CorruptFileError: no pixels.
    """
    check_pixels(width, height, limits, page, name)
    if max(width, height) > MAX_SIDE_PX:
        raise LimitExceededError(
            f"Page {page + 1}: {width} x {height} px, limit {MAX_SIDE_PX} px a side.", subject=name
        )


def open_pdf(untrusted: bytes, name: str = "") -> pymupdf.Document:
    """The PDF, opened; the caller closes it.

    Raises:
        CorruptFileError: MuPDF cannot open or repair it.
        EncryptedFileError: it needs a password.
    """
    with decoding("The PDF does not open.", name):
        document = pymupdf.open(stream=untrusted, filetype="pdf")
    if document.needs_pass:
        document.close()
        raise EncryptedFileError(subject=name)
    return document


def open_image(untrusted: bytes, media_type: str, name: str = "") -> Image.Image:
    """The image file, its header read and nothing decoded; the caller closes it.

    Raises:
        CorruptFileError: the header is damaged.
        LimitExceededError: it declares more pixels than even Pillow opens.
    """
    with decoding("The image's header cannot be read.", name):
        return Image.open(io.BytesIO(untrusted), formats=[PILLOW_FORMATS[media_type]])


def _inspect_image(untrusted: bytes, media_type: str, name: str, limits: Limits) -> tuple[int, list[str]]:
    with open_image(untrusted, media_type, name) as image:
        if media_type != TIFF:
            check_page(*image.size, limits, 0, name)
            with decoding("The image's frames cannot be counted.", name):
                return 1, ["has-more-frames"] if getattr(image, "n_frames", 1) > 1 else []
        pages = 0
        for page in range(limits.max_pages + 1):
            with decoding(f"Page {page + 1} cannot be read.", name):
                try:
                    image.seek(page)
                except EOFError:
                    break
            check_page(*image.size, limits, page, name)
            pages += 1
    _check_pages(pages, limits, name)
    return pages, []


def _inspect_pdf(untrusted: bytes, name: str, limits: Limits) -> tuple[int, list[str]]:
    with open_pdf(untrusted, name) as document, decoding("The PDF's structure cannot be read.", name):
        pages = document.page_count
        _check_pages(pages, limits, name)
        _check_nothing_was_cut_off(document, name)
        for width, height in _declared_image_sizes(document):
            if width * height > limits.max_pixels_per_page:
                raise LimitExceededError(
                    f"An image of {width} x {height} px, limit {limits.max_pixels_per_page} px.", subject=name
                )
        notes = list(_pdf_notes(document, untrusted))
    return pages, notes


def _check_pages(pages: int, limits: Limits, name: str) -> None:
    if pages < 1:
        raise CorruptFileError("It has no page.", subject=name)
    if pages > limits.max_pages:
        raise LimitExceededError(f"More than {limits.max_pages} pages.", subject=name)


def _check_nothing_was_cut_off(document: pymupdf.Document, name: str) -> None:
    """Refuse a PDF whose page tree lists pages that are gone or no page: MuPDF would draw them blank."""
    for page in range(document.page_count):
        if not document.xref_object(document.page_xref(page), compressed=True).startswith("<<"):
            raise CorruptFileError(f"Page {page + 1} is missing.", subject=name)


def _declared_image_sizes(document: pymupdf.Document) -> Iterator[tuple[int, int]]:
    """(width, height) in px of every image object, referenced or not, without decoding one."""
    for xref in range(1, document.xref_length()):
        if document.xref_get_key(xref, "Subtype") == ("name", "/Image"):
            sizes = [document.xref_get_key(xref, key) for key in ("Width", "Height")]
            if all(kind == "int" for kind, _ in sizes):
                yield int(sizes[0][1]), int(sizes[1][1])


def _pdf_notes(document: pymupdf.Document, untrusted: bytes) -> Iterator[str]:
    if document.is_repaired:
        yield "repaired"
    if document.embfile_count():
        yield "has-attachments"
    if document.is_form_pdf:
        yield "has-form-fields"
    if document.get_ocgs():
        yield "has-layers"
    if untrusted.count(b"%%EOF") > 1:
        yield "has-revisions"
    # Both loops stop at the first page that has one.
    if any(page.first_annot is not None for page in document.pages()):
        yield "has-annotations"
    if any(page.get_text("text").strip() for page in document.pages()):
        yield "has-text-layer"
