"""Pages of a redacted file as pictures so small that nothing on them can be read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pymupdf

from tasks.review.picture import TALLEST, encode_picture

FINER = 2
"""Times the size that is wanted: so it is drawn, and then made smaller."""


def sketch_pages(pdf: bytes, pages: Iterable[int], widest_px: int) -> list[bytes]:
    """A grey JPEG of at most that width for each of those pages (0-based).

    Drawn small at once: at its own resolution, a page would take five times as long.

    Args:
        pdf: of ours; what strangers made goes through `tasks.reading.rasterise`, which knows its limits.
        pages: which.
        widest_px: their width; a long strip comes out narrower.
    """
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return [_sketch(document[page], widest_px) for page in pages]


def _sketch(page: pymupdf.Page, widest_px: int) -> bytes:
    scale = FINER * min(widest_px / page.rect.width, TALLEST * widest_px / page.rect.height)
    drawn = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csGRAY, alpha=False)
    return encode_picture(np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.stride), widest_px)
