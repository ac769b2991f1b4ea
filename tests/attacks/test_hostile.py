"""Hostile files are rejected inputs, which the pipeline quarantines; none is decoded farther than the limits allow.

What a child process may do to the run, whatever it reads, is `tests/apart`'s matter; that the others of a request go
on is shown in `tests/flows`.
"""

from __future__ import annotations

import io
import struct
import zlib

import pikepdf
import pytest

from tasks.errors import RejectedInputError
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import Limits

LIMITS = Limits()


def png_bomb() -> bytes:
    """A few hundred bytes that say they are 20 billion pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 150_000, 150_000, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def endless_tiff() -> bytes:
    """A TIFF whose directory of the second page is that of the first."""
    entry = struct.pack("<HHII", 256, 3, 1, 1)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 8)


def image_bomb_in_pdf() -> bytes:
    """A page whose one image inflates to a gigabyte."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        image = pdf.make_stream(zlib.compress(bytes(1_000_000)))
        image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        image.Width, image.Height, image.BitsPerComponent = 32_000, 32_000, 8
        image.ColorSpace, image.Filter = pikepdf.Name.DeviceGray, pikepdf.Name.FlateDecode
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=image))
        page.Contents = pdf.make_stream(b"q 600 0 0 800 0 0 cm /I Do Q")
        pdf.save(out)
    return out.getvalue()


HOSTILE = {"png": png_bomb, "tif": endless_tiff, "image.pdf": image_bomb_in_pdf}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_rejected(name: str) -> None:
    data = HOSTILE[name]()
    assert len(data) < 100_000
    with pytest.raises(RejectedInputError):
        list(rasterise(data, inspect(data, f"hostile.{name}", LIMITS), LIMITS))
