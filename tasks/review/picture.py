"""A page as a picture to look at: small enough for a browser, the same bytes every time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUALITY = 72
TALLEST = 4
"""Height in widths; a strip that is longer is made narrower."""

SHRINKING = Image.Resampling.HAMMING
"""Small print reads as well as after Lanczos, for half its time."""


def encode_picture(pixels: NDArray[np.uint8], widest_px: int) -> bytes:
    """A page's pixels as a JPEG of at most this width; (height, width) grey or (height, width, 3) RGB."""
    picture = Image.fromarray(pixels)
    share = min(1.0, widest_px / picture.width, TALLEST * widest_px / picture.height)
    if share < 1:
        size = max(1, round(share * picture.width)), max(1, round(share * picture.height))
        picture = picture.resize(size, Image.Resampling.BOX if share < 1 / 3 else SHRINKING)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
