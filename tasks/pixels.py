"""Large pictures, changed from one form to another without standing in memory several times.

Rule kept here: a whole page is never held in more than two forms at once; Pillow takes four bytes for a pixel in
colour, and gives its pixels away through a copy of them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROWS = 256
"""Height of the bands that are changed at a time, px."""


def bands(height: int) -> Iterator[slice]:
    """The rows of a page, some at a time."""
    return (slice(top, min(top + ROWS, height)) for top in range(0, height, ROWS))


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a picture in mode L or RGB, as an array of its own: (height, width) or (height, width, 3)."""
    depth = () if image.mode == "L" else (len(image.getbands()),)
    pixels = np.empty((image.height, image.width, *depth), np.uint8)
    for rows in bands(image.height):
        pixels[rows] = np.asarray(image.crop((0, rows.start, image.width, rows.stop)))
    return pixels


def image_of(pixels: NDArray[np.uint8]) -> Image.Image:
    """A picture of the pixels, in mode L or RGB."""
    image = Image.new("L" if pixels.ndim == 2 else "RGB", (pixels.shape[1], pixels.shape[0]))
    for rows in bands(len(pixels)):
        image.paste(Image.fromarray(pixels[rows]), (0, rows.start))
    return image


def converted(
    pixels: NDArray[np.uint8], mode: str, channel: int = 0, rows: Iterable[slice] | None = None
) -> NDArray[np.uint8]:
    """One channel of RGB pixels in another of Pillow's modes: (height, width); 0 outside `rows`, if they are given."""
    found = np.zeros(pixels.shape[:2], np.uint8)
    wanted = (slice(0, len(pixels)),) if rows is None else rows
    for part in wanted:
        for band in bands(part.stop - part.start):
            here = slice(part.start + band.start, part.start + band.stop)
            changed = np.asarray(Image.fromarray(pixels[here]).convert(mode))
            found[here] = changed if changed.ndim == 2 else changed[..., channel]
    return found


def darkest(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The least of the channels of each pixel: (height, width)."""
    found = np.empty(pixels.shape[:2], np.uint8)
    for rows in bands(len(pixels)):
        part = pixels[rows]
        np.minimum(part[..., 0], part[..., 1], out=found[rows])  # a reduction along three values takes ten times that
        for channel in range(2, part.shape[2]):
            np.minimum(found[rows], part[..., channel], out=found[rows])
    return found


def is_neutral(pixels: NDArray[np.uint8]) -> bool:
    """Whether all channels are equal everywhere, as they are in one channel alone."""
    if pixels.ndim == 2:
        return True
    parts = (pixels[rows] for rows in bands(len(pixels)))
    return all(bool((part[..., :1] == part).all()) for part in parts)


def histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each of the 256 values occurs."""
    counts = np.zeros(256, np.int64)
    for rows in bands(len(pixels)):
        counts += np.bincount(pixels[rows].ravel(), minlength=256)  # which takes eight bytes for each
    return counts
