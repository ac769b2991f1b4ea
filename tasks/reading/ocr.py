"""One page raster to everything that can be read on it.

Rule kept here: effort follows doubt. A page that reads well is read once; a page that does not is read again in
another way, and both readings are kept, because each way fails on other words. On a page that reads well the places
that do not (underlined, stamped, written by hand) are read by the second reader. Words are never dropped, whatever
their confidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tasks.geometry import Frame
from tasks.model import PageRaster, PageTranscript, Reading
from tasks.reading.doubt import UNREADABLE_MEAN, Assessment, assess, find_doubts, mean_confidence, places_to_read
from tasks.reading.engine import find_turns, recognise
from tasks.reading.leaders import find_leaders, put_back, without_leaders
from tasks.reading.second import recognise_lines, recognise_places
from tasks.reading.settings import DEFAULT_SETTINGS, OcrSettings
from tasks.reading.straighten import ReadingRaster, lay_out, straighten, to_grey, turned_over, zoomed
from tasks.reading.stretches import beyond_doubt
from tasks.reading.symbols import find_symbols
from tasks.reading.tighten import tighten
from tasks.reading.versions import SECOND_READER
from tasks.reading.weave import weave

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

NO_SECOND_GUESS = ("-c invert_threshold=0",)
"""Tesseract would read each unsure line again inverted: 4 % of the time on 38 scans, for no
item more, since panels are lifted before."""


FIRST_READER = "tesseract --psm 3"

COARSER, MUCH_UNSURE, MUCH_UNREAD = 0.75, 0.15, 0.25
"""Zoom of a bad page's second reading by Tesseract: half the cost of the first, and other words fail; and the shares of
unsure characters, and of ink that no word covers, from which on it finds what the second reader does not (nothing on
the 28 doubtful development pages with fewer unsure characters)."""

LEAST_PAGE_PX = 6
"""Shorter side of a page below which not even the smallest letter of a fax finds room."""

SECOND_LOOK_DPI = 300.0
SECOND_LOOK_PSMS = (6, 11)
"""One block of lines, and scattered words: both fail on other words than mode 3 does."""


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
    if min(raster.width_px, raster.height_px) < LEAST_PAGE_PX:
        return _without_words(raster)
    grey = to_grey(raster)
    laid_out, primary = _read_upright(raster, grey, settings)
    assessment = assess(laid_out, primary.words)
    readings = [primary]
    known = beyond_doubt(primary.words)
    if settings.second_look and is_doubtful(assessment):
        if assessment.low > MUCH_UNSURE or assessment.uncovered > MUCH_UNREAD:
            again = lay_out(grey, zoomed(laid_out.frame, COARSER), round(laid_out.dpi * COARSER))
            readings.append(_read(again, f"tesseract --psm 3 at {COARSER:g}x", 3, settings))
        readings.append(Reading(SECOND_READER, laid_out.frame, recognise_lines(laid_out.pixels, known)))
    elif settings.second_look and (places := places_to_read(laid_out, assessment)):
        woven = weave(primary.words, recognise_places(laid_out.pixels, places, known), assessment.passed_over)
        if woven:
            readings.append(Reading(SECOND_READER, laid_out.frame, woven, whole=False))
    if raster.layer:
        readings.append(Reading("text-layer", Frame(raster.width_px, raster.height_px), raster.layer))
    return PageTranscript(
        page=raster.page,
        width_px=raster.width_px,
        height_px=raster.height_px,
        dpi=raster.dpi,
        grids=raster.grids,
        readings=tuple(readings),
        symbols=find_symbols(raster, grey),
        doubts=find_doubts(laid_out, assessment),
        unread=tuple(laid_out.frame.box_to_page(patch) for patch in assessment.patches),
    )


def _without_words(raster: PageRaster) -> PageTranscript:
    """The transcript of a page on which no letter finds room; the engines refuse such a page."""
    frame = Frame(raster.width_px, raster.height_px)
    readings = (
        Reading(FIRST_READER, frame, ()),
        *((Reading("text-layer", frame, raster.layer),) if raster.layer else ()),
    )
    return PageTranscript(raster.page, raster.width_px, raster.height_px, raster.dpi, raster.grids, readings)


def read_again(raster: PageRaster, page: PageTranscript, settings: OcrSettings = DEFAULT_SETTINGS) -> PageTranscript:
    """The same page with a second look added: larger, and segmented in two other ways.

    Dear, so it is kept for pages on which something readable was left.

    Args:
        raster: the page.
        page: what was read of it; its readings stay, and stay first.
        settings: how to read it.

    Raises:
        ReaderUnavailableError: Tesseract failed or did not finish in time.
    """
    if min(raster.width_px, raster.height_px) < LEAST_PAGE_PX:
        return page
    grey = to_grey(raster)
    frame = page.readings[0].frame
    dpi = raster.dpi[0] * frame.scale_x
    again = lay_out(grey, zoomed(frame, SECOND_LOOK_DPI / dpi), round(SECOND_LOOK_DPI))
    looks = [_read(again, f"tesseract --psm {psm} again", psm, settings) for psm in SECOND_LOOK_PSMS]
    if settings.second_look and not any(reading.reader == SECOND_READER and reading.whole for reading in page.readings):
        looks.append(Reading(SECOND_READER, again.frame, recognise_lines(again.pixels)))
    return replace(page, readings=(*page.readings, *looks))


def is_doubtful(assessment: Assessment) -> bool:
    """Whether a page is worth reading in other ways.

    Of 106 development pages these thresholds choose 49. The second reader there is within two points of recall, in each
    scan quality, of a finer pass of Tesseract as well and the second reader on every page. They were set on 38 of the
    pages, where further passes gained little below 7 % of unsure characters.
    """
    return assessment.low > 0.07 or assessment.uncovered > 0.08


def _read_upright(raster: PageRaster, grey: Grey, settings: OcrSettings) -> tuple[ReadingRaster, Reading]:
    """The primary reading. A page on its side is asked about beforehand; one upside down shows by its words."""
    laid_out = straighten(raster, grey)
    sideways = bool(laid_out.frame.quarter_turns)
    if sideways:
        turns, confidence = find_turns(laid_out.pixels, timeout_s=settings.timeout_s)
        if turns % 2 and confidence > 1:
            sideways, laid_out = False, straighten(raster, grey, sideways=False)
        elif turns == 2:
            laid_out = turned_over(grey, laid_out)
    primary = _read(laid_out, FIRST_READER, 3, settings)
    if primary.words and mean_confidence(primary.words) < UNREADABLE_MEAN:
        other = _other_way(raster, grey, laid_out, sideways, settings)
        if other is not None:
            again = _read(other, FIRST_READER, 3, settings)
            if mean_confidence(again.words) > mean_confidence(primary.words):
                return other, again
    return laid_out, primary


def _other_way(
    raster: PageRaster, grey: Grey, laid_out: ReadingRaster, sideways: bool, settings: OcrSettings
) -> ReadingRaster | None:
    """How else a page may lie whose words say nothing; None when nothing speaks for another way."""
    if sideways:
        return straighten(raster, grey, sideways=False)
    turns, confidence = find_turns(laid_out.pixels, timeout_s=settings.timeout_s)
    return turned_over(grey, laid_out) if turns == 2 and confidence > 1 else None


def _read(laid_out: ReadingRaster, reader: str, psm: int, settings: OcrSettings) -> Reading:
    leaders = find_leaders(laid_out.pixels, laid_out.dpi)
    words = recognise(
        without_leaders(laid_out.pixels, leaders),
        psm=psm,
        dpi=laid_out.dpi,
        language=settings.language,
        timeout_s=settings.timeout_s,
        options=NO_SECOND_GUESS,
    )
    return Reading(reader, laid_out.frame, put_back(tighten(laid_out.pixels, words), leaders))
