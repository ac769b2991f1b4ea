"""Pixels to the one image stream of an output page.

Rules kept here: bilevel stays one bit (CCITT G4); everything else is encoded once; no application segments, comments or
other carriers of metadata are left in a stream.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from tasks.pixels import bands, image_of, is_neutral

JPEG_QUALITY, RESAMPLED_QUALITY = 75, 65
"""For pages that were JPEG on the grid they have now, which cost what they did; and for pages drawn anew, where the
remains of an earlier JPEG are noise that would be coded at twice the size."""

MOST_OPTIMISED = 80_000_000
"""Up to so many samples codes are fitted to the page; to do so, libjpeg holds all coefficients, two bytes for each."""

JPEG_GRID = 8
"""Edge of JPEG's blocks, px."""

LOSSLESS_ALLOWANCE = 1.0
"""A lossless page may be this many times as large as its JPEG before JPEG is taken."""

LEAST_QUALITY, SAMPLED_BANDS, LEAST_BLOCKS, MOST_BLOCKS, STRAY, MATCH = 30, 3, 200, 1500, 1.5, 0.9
"""How the source's quality is sought: from which on, in every third band, in how many of its blocks, how far a
coefficient may lie from a multiple of its step (rounding moves it), and what share of them must not lie farther."""

LOW_STEPS = {(0, 1): 11, (1, 0): 12, (1, 1): 12, (0, 2): 10, (2, 0): 14}
"""Steps of low frequencies (row, column) in the luminance table of ITU-T T.81, annex K, at quality 50."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
COSINES = np.array(
    [[(0.5 if v else 0.125**0.5) * np.cos((2 * x + 1) * v * np.pi / 16) for x in range(8)] for v in range(8)],
    np.float32,
)
"""The orthonormal cosine transform of eight samples."""


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
    with _room_for(pixels):
        image_of(pixels).save(
            out,
            "JPEG",
            quality=quality,
            optimize=pixels.size <= MOST_OPTIMISED,
            subsampling="4:4:4" if keep_chroma else "4:2:0",
        )
    return ImageStream(
        pixels.shape[1],
        pixels.shape[0],
        (("ColorSpace", _colour_space(pixels)), ("BitsPerComponent", "8"), ("Filter", "/DCTDecode")),
        _without_application_segments(out.getvalue()),
    )


@contextmanager
def _room_for(pixels: NDArray[np.uint8]) -> Iterator[None]:
    """Let Pillow's buffer hold a whole JPEG: with optimised tables it cannot grow, and one byte a pixel is too few.

    Noise in three full channels takes more; the finest steps used here leave no more than two bytes a sample.
    """
    before = ImageFile.MAXBLOCK
    ImageFile.MAXBLOCK = max(before, 2 * pixels.size + 65536)
    try:
        yield
    finally:
        ImageFile.MAXBLOCK = before


def encode_lossless(pixels: NDArray[np.uint8]) -> ImageStream:
    """Deflate with PNG row predictors.

    Args:
        pixels: uint8 (height, width) grey or (height, width, 3) RGB.
    """
    out = io.BytesIO()
    image_of(pixels).save(out, "PNG", compress_level=6)
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


def in_fewest_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same page in one channel when all three are equal."""
    if pixels.ndim == 3 and is_neutral(pixels):
        return np.ascontiguousarray(pixels[..., 0])
    return pixels


def is_bilevel(grey: NDArray[np.uint8]) -> bool:
    """Whether there is nothing but black and white."""
    return not any(np.any((grey[rows] > 0) & (grey[rows] < 255)) for rows in bands(len(grey)))


def wants_lossless(pixels: NDArray[np.uint8]) -> bool:
    """Whether a page is drawn, not photographed: then lossless is small, and sharper.

    Judged on every eighth band of 16 rows, so that a photograph is not compressed twice.
    """
    bands = [pixels[y : y + 16] for y in range(0, pixels.shape[0], 128)]
    sample = np.ascontiguousarray(np.concatenate(bands))
    jpeg = encode_jpeg(sample, keep_chroma=True, quality=RESAMPLED_QUALITY)
    return len(encode_lossless(sample).data) <= LOSSLESS_ALLOWANCE * len(jpeg.data)


def source_quality(pixels: NDArray[np.uint8], seen: NDArray[np.bool_] | None = None) -> int:
    """The quality to code a page with that was JPEG on the grid it has now: as its source, at most `JPEG_QUALITY`.

    Coding at the source's own steps loses nothing again and costs what the source cost; finer steps would code its
    quantisation noise. The source's steps show in the pixels: the cosine coefficients of its blocks stand at multiples
    of them (Fan and de Queiroz, "Identification of bitmap compression history", 2003). Judged on the blocks with most
    contrast, at the lowest frequencies, for libjpeg's scaled tables; without a match it is `JPEG_QUALITY`.

    Args:
        pixels: uint8 (height, width) grey or (height, width, 3) RGB, as it will be coded.
        seen: bool (height, width), the pixels that may be judged by; default all. Blocks that marks touch are not among
            them: what a mark hides must not choose how its page is coded.
    """
    seen = np.ones(pixels.shape[:2], np.bool_) if seen is None else seen
    pixels, seen = _sampled(pixels), _sampled(seen)
    luma = np.concatenate([_luma(pixels[rows]) for rows in bands(len(pixels))])
    clipped = np.concatenate([_clipped(pixels[rows]) for rows in bands(len(pixels))])
    blocks = _blocks(luma)
    blocks = blocks[~_blocks(clipped | ~seen).any(axis=(1, 2))]
    if len(blocks) < LEAST_BLOCKS:
        return JPEG_QUALITY
    contrast = np.ptp(blocks.reshape(len(blocks), -1), axis=1)
    waves = COSINES @ blocks[np.argsort(-contrast, kind="stable")[:MOST_BLOCKS]] @ COSINES.T
    fits = [_fit(waves, quality) for quality in range(LEAST_QUALITY, JPEG_QUALITY)]
    best = int(np.argmax(fits))
    return LEAST_QUALITY + best if fits[best] > MATCH else JPEG_QUALITY


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    samples = pixels.astype(np.float32)
    return samples if samples.ndim == 2 else samples @ LUMA


def _clipped(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a sample may have been beyond what a byte holds."""
    extremes = (pixels < 1) | (pixels > 254)
    return extremes if pixels.ndim == 2 else np.any(extremes, axis=2)


def _sampled(page: NDArray[Any]) -> NDArray[Any]:
    """Every few bands of blocks of a page."""
    bands = page.shape[0] // JPEG_GRID
    chosen = page[: bands * JPEG_GRID].reshape(bands, JPEG_GRID, *page.shape[1:])[::SAMPLED_BANDS]
    return chosen.reshape(-1, *page.shape[1:])


def _fit(waves: NDArray[np.float32], quality: int) -> float:
    """The least share, over low frequencies, of coefficients that stand at multiples of a quality's steps."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    shares = []
    for (v, u), base in LOW_STEPS.items():
        step = max(1.0, float((base * scale + 50) // 100))
        strayed = np.abs(waves[:, v, u] / step - np.round(waves[:, v, u] / step)) * step
        shares.append(float((strayed < STRAY).mean()))
    return min(shares)


def _blocks(page: NDArray[Any]) -> NDArray[Any]:
    """A page cut into whole blocks: (n, 8, 8)."""
    rows, columns = page.shape[0] // JPEG_GRID, page.shape[1] // JPEG_GRID
    cut = page[: rows * JPEG_GRID, : columns * JPEG_GRID].reshape(rows, JPEG_GRID, columns, JPEG_GRID)
    return cut.swapaxes(1, 2).reshape(-1, JPEG_GRID, JPEG_GRID)


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
