"""Pages without colour, for policies that ask for it.

Rule kept here: what a colour printer adds to every page to tell who printed it (tracking dots: a raster of faint yellow
dots) is gone, and what a reader sees is not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.model import PageRaster

PAPER = 232
"""Grey level from which on a page is paper. The dots keep up to a tenth of their depth in the lightness of a JPEG."""


def without_colour(raster: PageRaster) -> PageRaster:
    """The page in shades of grey: the darker of red and green, which yellow leaves alone; paper is white.

    Grey and bilevel pages are given back as they are.
    """
    if raster.pixels.ndim == 2:
        return raster
    grey = raster.pixels[..., :2].min(axis=2)
    return replace(raster, pixels=np.where(grey >= PAPER, np.uint8(255), grey), mode="grey")
