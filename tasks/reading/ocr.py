"""One page raster to everything that can be read on it.

Rule kept here: effort follows doubt. A page that reads well is read once; a page that does not is read again in
another way, and both readings are kept, because each way fails on other words. Words are never dropped, whatever
their confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tasks.geometry import Frame
from tasks.model import PageRaster, PageTranscript, Reading
from tasks.reading.doubt import UNREADABLE_MEAN, Assessment, assess, find_doubts
from tasks.reading.engine import engine_version, find_turns, recognise
from tasks.reading.straighten import ReadingRaster, lay_out, straighten, to_grey, turned_over, zoomed
from tasks.reading.symbols import find_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

__all__ = ["OcrSettings", "engine_version", "read_page"]

NO_SECOND_GUESS = ("-c invert_threshold=0",)
"""Tesseract would read each unsure line again inverted: 8 % of the time for nothing, since panels are lifted before."""


@dataclass(frozen=True, slots=True)
class OcrSettings:
    """How to read.

    Attributes:
        timeout_s: wall-clock seconds for one pass over one page.
        language: Tesseract's traineddata.
        extra_passes: how many further passes a doubtful page may cost, 0 to 2.
    """

    timeout_s: float = 120
    language: str = "eng"
    extra_passes: int = 2


DEFAULT_SETTINGS = OcrSettings()


@dataclass(frozen=True, slots=True)
class Pass:
    """One more way to read a page: how to prepare it, and how Tesseract segments it."""

    name: str
    psm: int
    prepare: Callable[[Grey, ReadingRaster], ReadingRaster]


def read_page(raster: PageRaster, settings: OcrSettings = DEFAULT_SETTINGS) -> PageTranscript:
    """Everything read on one page.

    Args:
        raster: the page.
        settings: how to read it.

    Returns:
        Readings with their frames, the first one primary; the source's text layer last, as a reading of its own in
        page space. Symbols and doubts are in page space.

    Raises:
        ReaderUnavailableError: Tesseract failed or did not finish in time.
        ConfigurationError: Tesseract or its language data is missing.
    """
    grey = to_grey(raster)
    laid_out, primary = _read_upright(raster, grey, settings)
    assessment = assess(laid_out, primary.words)
    readings = [primary]
    for way in choose_passes(assessment)[: settings.extra_passes]:
        prepared = way.prepare(grey, laid_out)
        readings.append(_read(prepared, f"tesseract --psm {way.psm} {way.name}", way.psm, settings))
    if raster.layer:
        readings.append(Reading("text-layer", Frame(raster.width_px, raster.height_px), raster.layer))
    return PageTranscript(
        page=raster.page,
        width_px=raster.width_px,
        height_px=raster.height_px,
        dpi=raster.dpi,
        grid=raster.grid,
        readings=tuple(readings),
        symbols=find_symbols(raster, grey),
        doubts=find_doubts(laid_out, assessment),
    )


def choose_passes(assessment: Assessment) -> tuple[Pass, ...]:
    """Further ways to read the page, the most promising first; none when it reads well."""
    if assessment.low > 0.12 or assessment.uncovered > 0.15:
        return ENLARGED, ENLARGED_SHARP
    if assessment.low > 0.06 or assessment.uncovered > 0.08:
        return (ENLARGED,)
    return ()


def _read_upright(raster: PageRaster, grey: Grey, settings: OcrSettings) -> tuple[ReadingRaster, Reading]:
    """The primary reading. A page on its side is asked about beforehand; one upside down shows by its words."""
    laid_out = straighten(raster, grey)
    sideways = bool(laid_out.frame.quarter_turns)
    if sideways and find_turns(laid_out.pixels, timeout_s=settings.timeout_s)[0] == 2:
        laid_out = turned_over(grey, laid_out)
    primary = _read(laid_out, "tesseract --psm 3", 3, settings)
    if not sideways and primary.words and assess(laid_out, primary.words).mean < UNREADABLE_MEAN:
        turns, confidence = find_turns(laid_out.pixels, timeout_s=settings.timeout_s)
        if turns == 2 and confidence > 1:
            laid_out = turned_over(grey, laid_out)
            primary = _read(laid_out, "tesseract --psm 3", 3, settings)
    return laid_out, primary


def _read(laid_out: ReadingRaster, reader: str, psm: int, settings: OcrSettings) -> Reading:
    words = recognise(
        laid_out.pixels,
        psm=psm,
        dpi=laid_out.dpi,
        language=settings.language,
        timeout_s=settings.timeout_s,
        options=NO_SECOND_GUESS,
    )
    return Reading(reader, laid_out.frame, words)


def _enlarged(zoom: float) -> Callable[[Grey, ReadingRaster], ReadingRaster]:
    return lambda grey, base: lay_out(grey, zoomed(base.frame, zoom), round(base.dpi * zoom))


def _enlarged_sharp(grey: Grey, base: ReadingRaster) -> ReadingRaster:
    """Twice the size, each pixel black or white by its surroundings: lifts faint text off a stained page."""
    large = _enlarged(2.0)(grey, base)
    window = large.dpi // 8 | 1
    sharp = cv2.adaptiveThreshold(
        cv2.GaussianBlur(large.pixels, (3, 3), 0), 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, window, 12
    ).astype(np.uint8)
    return ReadingRaster(sharp, large.frame, large.dpi)


ENLARGED = Pass("1.5x", 3, _enlarged(1.5))
ENLARGED_SHARP = Pass("2x sharp", 3, _enlarged_sharp)
