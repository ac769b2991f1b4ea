"""Pixels to the one image stream of an output page.

Rules kept here: bilevel stays one bit (CCITT G4); everything else is encoded once; no application segments, comments or
other carriers of metadata are left in a stream.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.model import Mode

JPEG_QUALITY, RESAMPLED_QUALITY = 75, 65
"""For pages that were JPEG on the grid they have now, which cost what they did; and for pages drawn anew, where the
remains of an earlier JPEG are noise that would be coded at twice the size."""

JPEG_GRID = 8
"""Edge of JPEG's blocks, px."""

LOSSLESS_ALLOWANCE = 1.0
"""A lossless page may be this many times as large as its JPEG before JPEG is taken."""


@dataclass(frozen=True, slots=True)
class ImageStream:
    """An image as PDF stores it: `entries` are the dictionary's entries beside its size."""

    width: int
    height: int
    entries: tuple[tuple[str, str], ...]
    data: bytes = field(repr=False)


def encode_bilevel(pixels: NDArray[np.uint8]) -> ImageStream:
    """One bit a pixel, CCITT group 4, black ink as the code's black.

    Args:
        pixels: uint8 (height, width), 0 or 255.
    """
    height, width = pixels.shape
    out = io.BytesIO()
    ink = Image.fromarray(np.where(pixels < 128, np.uint8(255), np.uint8(0))).convert("1", dither=Image.Dither.NONE)
    rows_per_strip = 278
    ink.save(out, "TIFF", compression="group4", tiffinfo={rows_per_strip: height})
    with Image.open(out) as tiff:
        (start,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]  # type: ignore[attr-defined]
    return ImageStream(
        width,
        height,
        (
            ("ColorSpace", "/DeviceGray"),
            ("BitsPerComponent", "1"),
            ("Filter", "/CCITTFaxDecode"),
            ("DecodeParms", f"<</K -1/Columns {width}/Rows {height}>>"),
        ),
        out.getvalue()[start : start + length],
    )


def encode_jpeg(pixels: NDArray[np.uint8], keep_chroma: bool, quality: int = JPEG_QUALITY) -> ImageStream:
    """Baseline JPEG without application segments.

    Args:
        pixels: uint8 (height, width) grey or (height, width, 3) RGB.
        keep_chroma: full colour resolution. With halved chroma the colours beside a mark would run into it.
        quality: of libjpeg, 1 to 100.
    """
    out = io.BytesIO()
    Image.fromarray(pixels).save(
        out, "JPEG", quality=quality, optimize=True, subsampling="4:4:4" if keep_chroma else "4:2:0"
    )
    return ImageStream(
        pixels.shape[1],
        pixels.shape[0],
        (("ColorSpace", _colour_space(pixels)), ("BitsPerComponent", "8"), ("Filter", "/DCTDecode")),
        _without_application_segments(out.getvalue()),
    )


def encode_lossless(pixels: NDArray[np.uint8]) -> ImageStream:
    """Deflate with PNG row predictors.

    Args:
        pixels: uint8 (height, width) grey or (height, width, 3) RGB.
    """
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=6)
    height, width = pixels.shape[:2]
    colours = 1 if pixels.ndim == 2 else 3
    return ImageStream(
        width,
        height,
        (
            ("ColorSpace", _colour_space(pixels)),
            ("BitsPerComponent", "8"),
            ("Filter", "/FlateDecode"),
            ("DecodeParms", f"<</Predictor 15/Colors {colours}/BitsPerComponent 8/Columns {width}>>"),
        ),
        _png_data(out.getvalue()),
    )


def wants_lossless(pixels: NDArray[np.uint8], mode: Mode, grid: int) -> bool:
    """Whether a page that never was JPEG is drawn, not photographed: then lossless is small, and sharper.

    Judged on every eighth band of 16 rows, so that a photograph is not compressed twice.
    """
    if mode == "bilevel" or grid != 1:
        return False
    bands = [pixels[y : y + 16] for y in range(0, pixels.shape[0], 128)]
    sample = np.ascontiguousarray(np.concatenate(bands))
    jpeg = encode_jpeg(sample, keep_chroma=True, quality=RESAMPLED_QUALITY)
    return len(encode_lossless(sample).data) <= LOSSLESS_ALLOWANCE * len(jpeg.data)


def _colour_space(pixels: NDArray[np.uint8]) -> str:
    return "/DeviceGray" if pixels.ndim == 2 else "/DeviceRGB"


def _without_application_segments(jpeg: bytes) -> bytes:
    """A JPEG without its APPn and COM segments (ITU-T T.81, B.2.4)."""
    kept, at = [jpeg[:2]], 2
    while jpeg[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", jpeg, at + 2)
        if not (0xE0 <= jpeg[at + 1] <= 0xEF or jpeg[at + 1] == 0xFE):
            kept.append(jpeg[at : at + 2 + length])
        at += 2 + length
    return b"".join((*kept, jpeg[at:]))


def _png_data(png: bytes) -> bytes:
    """The joined IDAT chunks of a PNG."""
    data, at = [], 8
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        if name == b"IDAT":
            data.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(data)
