"""Is a file taken for what it is, and refused before it can do harm?"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pymupdf
import pytest
from PIL import Image

from tasks.errors import (
    CorruptFileError,
    EmptyFileError,
    EncryptedFileError,
    LimitExceededError,
    RejectedInputError,
    UnsupportedMediaError,
)
from tasks.model import Media
from tasks.reading.media import decoding, inspect
from tasks.reading.settings import JPEG, PDF, PNG, TIFF, Limits
from tests.reading.papers import bilevel, image_file, pdf_with, text_pixels, write_lines

# pytest puts its own warning filters over those the module sets when imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
    pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning"),
]

PAPER = np.full((60, 80), 255, np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_declaring(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def tiff_declaring(width: int, height: int) -> bytes:
    entries = [(256, 4, width), (257, 4, height), (258, 3, 1), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 4)]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + directory + struct.pack("<I", 0)


def pdf_with_image_declaring(width: int, height: int) -> bytes:
    with pymupdf.open() as document:
        document.new_page()
        xref = document.get_new_xref()
        document.update_object(
            xref,
            f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8/ColorSpace/DeviceGray>>",
        )
        document.update_stream(xref, b"\0" * 100)
        return document.tobytes()


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (image_file(PAPER, "PNG"), Media(PNG, 1)),
        (image_file(PAPER, "JPEG"), Media(JPEG, 1)),
        (image_file(PAPER, "TIFF"), Media(TIFF, 1)),
        (pdf_with(lambda page: None), Media(PDF, 1)),
        (b"junk from a mail gateway\n" + pdf_with(lambda page: None), Media(PDF, 1)),
    ],
)
def test_content_decides_the_type(data: bytes, media: Media) -> None:
    assert inspect(data) == media


def test_a_misleading_suffix_is_noted_and_not_believed() -> None:
    assert inspect(image_file(PAPER, "PNG"), "records/memo.pdf") == Media(PNG, 1, ("named-as-another-type",))
    assert inspect(image_file(PAPER, "PNG"), "records/memo.PNG") == Media(PNG, 1)


def test_all_frames_of_a_tiff_are_counted() -> None:
    frames = [PAPER, PAPER.T.copy(), PAPER]
    first, *others = (Image.fromarray(frame) for frame in frames)
    assert inspect(image_file(first, "TIFF", save_all=True, append_images=others)).pages == 3


def test_what_a_pdf_carries_beside_its_pages_is_noted() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        write_lines(page)
        page.add_text_annot((50, 50), "seen")
        document.embfile_add("a.txt", b"content")
        notes = inspect(document.tobytes()).notes
    assert {"has-text-layer", "has-annotations", "has-attachments"} <= set(notes)
    assert inspect(pdf_with(lambda page: None)).notes == ()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyFileError),
        (b"PK\x03\x04 a spreadsheet", UnsupportedMediaError),
        (b"<html><body>not a record</body></html>", UnsupportedMediaError),
        (b"%PDF-1.7\n%%EOF", CorruptFileError),
        (b"\x89PNG\r\n\x1a\nnot really", CorruptFileError),
        (b"\xff\xd8\xff\xe0 not really", CorruptFileError),
        (b"II*\0\xff\xff\xff\x7f", CorruptFileError),
        (png_declaring(10_000, 10_000), LimitExceededError),
        (png_declaring(200_000, 200_000), LimitExceededError),
        (tiff_declaring(10_000, 10_000), LimitExceededError),
        (tiff_declaring(60_000, 60_000), LimitExceededError),
        (pdf_with_image_declaring(10_000, 10_000), LimitExceededError),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_own_error(data: bytes, error: type[RejectedInputError]) -> None:
    with pytest.raises(error) as caught:
        inspect(data, "records/tel 020 7946 0123.bin")
    assert caught.value.subject == "records/tel 020 7946 0123.bin"
    assert "7946" not in str(caught.value)


def test_a_600_dpi_a3_scan_is_within_the_limits() -> None:
    assert inspect(png_declaring(7016, 9921)).pages == 1
    assert inspect(pdf_with_image_declaring(7016, 9921)).pages == 1


def test_bytes_and_pages_are_limited() -> None:
    with pytest.raises(LimitExceededError):
        inspect(image_file(PAPER, "PNG"), limits=Limits(max_bytes=10))
    frame = Image.fromarray(PAPER)
    with pytest.raises(LimitExceededError):
        inspect(image_file(frame, "TIFF", save_all=True, append_images=[frame] * 3), limits=Limits(max_pages=3))
    with pymupdf.open() as document:
        for _ in range(4):
            document.new_page()
        data = document.tobytes()
    assert inspect(data, limits=Limits(max_pages=4)).pages == 4
    with pytest.raises(LimitExceededError):
        inspect(data, limits=Limits(max_pages=3))


@pytest.mark.parametrize("user_password", ["", "secret"])
def test_only_a_pdf_that_needs_a_password_to_open_is_refused(user_password: str) -> None:
    with pymupdf.open() as document:
        document.new_page()
        data = document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw=user_password)
    if user_password:
        with pytest.raises(EncryptedFileError):
            inspect(data)
    else:
        assert inspect(data).pages == 1


def test_a_pdf_cut_off_in_transfer_is_corrupt_and_one_that_lost_its_index_is_repaired() -> None:
    with pymupdf.open() as document:
        for _ in range(3):
            page = document.new_page()
            page.insert_image(page.rect, stream=image_file(bilevel(text_pixels(100)), "PNG"))
        data = document.tobytes()
    with pytest.raises(CorruptFileError):
        inspect(data[: len(data) * 3 // 10])
    assert "repaired" in inspect(data[:-30]).notes


def test_nothing_is_printed_about_damaged_files(capfd: pytest.CaptureFixture[str]) -> None:
    data = pdf_with(lambda page: write_lines(page))
    for damaged in (data[: len(data) // 2], data.replace(b"endobj", b"endxbj"), data[:200]):
        try:
            inspect(damaged)
        except RejectedInputError:
            continue
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_what_a_decoder_raises_rejects_the_file_and_a_defect_of_ours_stays_visible() -> None:
    """Ours is what a line of this program raises; a decoder's frames lie deeper."""
    with pytest.raises(CorruptFileError) as caught, decoding("Page 3.", "memo.pdf"):
        struct.unpack(">I", b"")  # of this test, which is no part of the program
    assert caught.value.subject == "memo.pdf"
    ours = compile("def slip(): return {}['missing']", "slip.py", "exec")
    program: dict[str, object] = {"__name__": "tasks.reading.slip"}
    exec(ours, program)  # noqa: S102
    with pytest.raises(KeyError), decoding("Page 3."):
        program["slip"]()  # type: ignore[operator]
    with pytest.raises(LimitExceededError), decoding("Page 3."):
        raise MemoryError


@pytest.mark.parametrize(("width", "height"), [(30_000, 10), (10, 30_000)])
def test_a_page_with_a_side_longer_than_tesseract_reads_is_refused(width: int, height: int) -> None:
    with pytest.raises(LimitExceededError):
        inspect(png_declaring(width, height))
    with pytest.raises(LimitExceededError):
        inspect(tiff_declaring(width, height))


def test_a_page_tree_that_lists_what_is_no_page_is_corrupt() -> None:
    with pymupdf.open() as document:
        document.new_page()
        page = document.page_xref(0)
        data = document.tobytes().replace(b"\n%d 0 obj\n<<" % page, b"\n%d 0 obj\n42 <<" % page)
    with pytest.raises(CorruptFileError):
        inspect(data)


def test_a_circular_page_tree_is_corrupt() -> None:
    with pymupdf.open() as document:
        document.new_page()
        tree = int(document.xref_get_key(document.pdf_catalog(), "Pages")[1].split()[0])
        document.xref_set_key(tree, "Kids", f"[{tree} 0 R {document.page_xref(0)} 0 R]")
        document.xref_set_key(tree, "Count", "2")
        data = document.tobytes()
    with pytest.raises(CorruptFileError):
        inspect(data)
