"""QR codes and barcodes: they carry contact details that no OCR sees.

Rule kept here: looked for on the page raster itself, at full resolution first, because a module may be 2 px wide.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import zxingcpp

from tasks.geometry import Box
from tasks.model import PageRaster, Symbol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def find_symbols(raster: PageRaster, grey: NDArray[np.uint8]) -> tuple[Symbol, ...]:
    """Every QR code and barcode of a page, from top to bottom.

    Args:
        raster: the page.
        grey: the page as one channel.

    Returns:
        Symbols in page space. A QR code that is seen but cannot be decoded is returned with empty text: a telephone
        may still make sense of it. Other undecoded symbols are not, since dense text often looks like one.
    """
    decoded, undecoded = [], []
    for code in zxingcpp.read_barcodes(grey, return_errors=True):
        corners = [getattr(code.position, side) for side in ("top_left", "top_right", "bottom_right", "bottom_left")]
        xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
        box = Box(min(xs), min(ys), math.ceil(max(xs)) + 1, math.ceil(max(ys)) + 1)
        box = box.clipped(raster.width_px, raster.height_px)
        if box.area and code.valid:
            decoded.append(Symbol(str(code.format), code.text, box))
        elif box.area and _is_surely_a_code(code.format, box, raster.dpi):
            undecoded.append(Symbol(str(code.format), "", box))
    found = decoded
    # A damaged code is tried at several sizes and reported each time; its largest outline stands for all.
    for symbol in sorted(undecoded, key=lambda symbol: -symbol.box.area):
        if not any(symbol.box.meets(other.box) for other in found):
            found.append(symbol)
    return tuple(sorted(found, key=lambda symbol: (symbol.box.y0, symbol.box.x0)))


def _is_surely_a_code(symbology: zxingcpp.BarcodeFormat, box: Box, dpi: tuple[float, float]) -> bool:
    """Whether an undecoded symbol has the shape of a QR code: its three corner marks were found, in a square."""
    across, down = box.width / dpi[0], box.height / dpi[1]
    return symbology == zxingcpp.BarcodeFormat.QRCode and 0.8 < across / down < 1.25
