"""Image files written chunk by chunk and tag by tag, so that each can be wrong in exactly one way."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

SIZE = (300, 150)
Entry = tuple[int, int, int, int]
"""Tag, type, count, value or place of a TIFF's entry."""


def paper(mode: str = "L", size: tuple[int, int] = SIZE) -> Image.Image:
    """A small page with two lines of text."""
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    draw.text((20, 30), "The hall is closed on Monday.", 0, font_size=16)
    draw.text((20, 80), "Ask at the front desk.", 0, font_size=16)
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file that Pillow makes of it."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A PNG's chunk with its sum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes, *, depth: int = 8, colour: int = 0, between: bytes = b"") -> bytes:
    """A PNG of these pixels, whatever they are, behind this header."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + between + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def directory(entries: Sequence[Entry], following: int = 0) -> bytes:
    """A TIFF's directory, little-endian."""
    lines = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<H", len(entries)) + lines + struct.pack("<I", following)


def tiff(entries: Sequence[Entry], data: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory at 8; the data lie behind it."""
    return b"II*\0" + struct.pack("<I", 8) + directory(entries, following) + data


def tiff_data_at(entries: int) -> int:
    """Where the data of `tiff` begin when it has so many entries."""
    return 8 + 2 + 12 * entries + 4


def grey_tiff(width: int, height: int, data: bytes, **changed: int) -> bytes:
    """An 8-bit TIFF of one strip; any entry can be given another value."""
    tags = {
        "width": (256, width),
        "height": (257, height),
        "bits": (258, 8),
        "compression": (259, 1),
        "photometric": (262, 1),
        "offset": (273, tiff_data_at(9)),
        "samples": (277, 1),
        "rows": (278, height),
        "length": (279, len(data)),
    }
    return tiff([(tag, 4, 1, changed.get(name, value)) for name, (tag, value) in tags.items()], data)


def with_orientation(orientation: int) -> bytes:
    """A JPEG that a camera held so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(paper(), "JPEG", exif=exif)


def noise(size: tuple[int, int], mode: str = "L") -> Image.Image:
    """Pixels that no filter makes smaller; the same each time."""
    rng = np.random.default_rng(5)
    channels = (3,) if mode == "RGB" else ()
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8))
