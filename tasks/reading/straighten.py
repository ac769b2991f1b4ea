"""From a page raster to the raster that is read: grey, square, upright, level, dark on light.

Rule kept here: every geometric change is one of the three steps of `tasks.geometry.Frame`, in its order, so that
each word finds its way back to the page; changes of tone (inverting a dark panel) move nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tasks.geometry import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.model import PageRaster

    Grey = NDArray[np.uint8]

LOW_DPI, LOW_TARGET_DPI = 160.0, 225.0
HIGH_DPI, HIGH_TARGET_DPI = 240.0, 200.0
"""Up to 160 dpi a page is enlarged, above 240 reduced, between left alone. Measured on 18 scans: 300 dpi pages read at
200 give 206 of 209 items for 84 % of the time that 204 take at 300; 150 dpi pages read at 225 give 204 of 219 for 82 %
of the time that 205 take at 300."""

MAX_READING_PX = 40_000_000

ESTIMATE_DPI = 100
"""Skew and orientation are measured on a small copy; 100 dpi still separates lines of 7 pt text."""

MAX_SKEW_DEG = 7.0
LEVEL_ENOUGH_DEG = 0.3
"""Tesseract's own baseline fit takes up less than this without a trace in the words."""

LONGEST_GLYPH_IN = 0.6
SHORTEST_RULE_IN = 0.3
SIDEWAYS_RATIO = 1.25

LARGEST_SPECK_PX = 3
MANY_SPECKS = 0.003
"""Specks per pixel: some 12,000 on an A4 page at 200 dpi. With fewer, Tesseract reads no better without them."""

PANEL_DPI = 50
DARK = 115
SMALLEST_PANEL_IN = (0.6, 0.12)
"""Width and height in inches: room for a word."""

SMALLEST_LIGHT_IN = (0.6, 0.35)
"""A light area within a panel; lower ones are lines of heavy letters."""

RECTANGULAR = 0.6
"""Share of its bounding box that a panel fills, at least."""


@dataclass(frozen=True, slots=True)
class ReadingRaster:
    """What an engine reads: (height, width) grey pixels, their place on the page, their resolution."""

    pixels: Grey
    frame: Frame
    dpi: int


@dataclass(frozen=True, slots=True)
class Slant:
    """How lines of text lie: straightening angle (degrees anticlockwise) and how sharply lines separate at it."""

    skew_deg: float
    sharpness: float


def to_grey(raster: PageRaster) -> Grey:
    """The page as one channel, freed of the specks a bad copier strews over it."""
    if raster.mode == "bilevel":
        return without_specks(raster.pixels)
    return raster.pixels if raster.pixels.ndim == 2 else _u8(cv2.cvtColor(raster.pixels, cv2.COLOR_RGB2GRAY))


def without_specks(bilevel: Grey) -> Grey:
    """The same pixels without lone black or white dots, when there are so many that they disturb layout analysis.

    The dot of an i or a full stop is larger: at 200 dpi a stop of 8 pt text has about 9 px.
    """
    if bilevel.shape[0] < 8:  # no page; and OpenCV dies of a picture without rows
        return bilevel
    cleaned = bilevel
    middle = slice(bilevel.shape[0] * 3 // 8, bilevel.shape[0] * 5 // 8)
    for dots in (0, 255):
        # A quarter of the page tells whether the whole is worth the time.
        if _specks(bilevel[middle], dots)[1] > MANY_SPECKS:
            cleaned = np.where(_specks(cleaned, dots)[0], np.uint8(255 - dots), cleaned)
    return cleaned


def _specks(bilevel: Grey, dots: int) -> tuple[NDArray[np.bool_], float]:
    """Where the specks of one colour are, and how many per pixel."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(_u8(bilevel == dots), connectivity=8)
    tiny = stats[:, cv2.CC_STAT_AREA] <= LARGEST_SPECK_PX
    tiny[0] = False
    return tiny[labels], float(tiny.sum()) / bilevel.size


def square_frame(raster: PageRaster, zoom: float = 1.0) -> tuple[Frame, int]:
    """The frame that gives equal dpi both ways at a resolution Tesseract likes, and that resolution."""
    dpi_x, dpi_y = raster.dpi
    finest = max(dpi_x, dpi_y)
    target = LOW_TARGET_DPI if finest <= LOW_DPI else HIGH_TARGET_DPI if finest > HIGH_DPI else finest
    target *= zoom
    pixels = raster.width_px * raster.height_px * (target / dpi_x) * (target / dpi_y)
    target *= min(1.0, math.sqrt(MAX_READING_PX / max(1.0, pixels)))
    return Frame(raster.width_px, raster.height_px, target / dpi_x, target / dpi_y), round(target)


def straighten(raster: PageRaster, grey: Grey, sideways: bool | None = None) -> ReadingRaster:
    """The page as it is best read, all but the turn between upright and upside down, or left and right.

    A page whose lines run vertically is turned by one quarter; whether that is the right one of two is for
    `tasks.reading.ocr` to find out with the engine's help.

    Args:
        raster: the page.
        grey: the page as one channel, from `to_grey`.
        sideways: whether lines run vertically; None when the page has to tell. Columns of equal width set in a
            typewriter's face look as if they did.
    """
    frame, dpi = square_frame(raster)
    small = _resized(grey, zoomed(frame, ESTIMATE_DPI / dpi))
    across, down = estimate_slants(small)
    if sideways is None:
        sideways = down.sharpness > SIDEWAYS_RATIO * across.sharpness
    slant = down if sideways else across
    frame = replace(frame, quarter_turns=1 if sideways else 0, skew_deg=_worthwhile(slant.skew_deg))
    return lay_out(grey, frame, dpi)


def lay_out(grey: Grey, frame: Frame, dpi: int) -> ReadingRaster:
    """The page's pixels in the space of `frame`, dark on light; `dpi` is the resolution that gives."""
    return ReadingRaster(lift_panels(_transformed(grey, frame), dpi), frame, dpi)


def turned_over(grey: Grey, reading: ReadingRaster) -> ReadingRaster:
    """The same reading raster turned upside down."""
    frame = replace(reading.frame, quarter_turns=(reading.frame.quarter_turns + 2) % 4)
    return lay_out(grey, frame, reading.dpi)


def _transformed(grey: Grey, frame: Frame) -> Grey:
    turned = np.rot90(_resized(grey, frame), frame.quarter_turns)
    if not frame.skew_deg:
        return np.ascontiguousarray(turned)
    height, width = turned.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), frame.skew_deg, 1.0)
    straight = cv2.warpAffine(
        np.ascontiguousarray(turned), matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(255,)
    )
    return _u8(straight)


def estimate_slants(small: Grey) -> tuple[Slant, Slant]:
    """How lines lie when read across, and when the page is first turned a quarter anticlockwise.

    Args:
        small: the page at `ESTIMATE_DPI`.
    """
    ink = text_ink(small)
    ys, xs = np.nonzero(ink)
    height, width = ink.shape
    # After a quarter turn anticlockwise the pixel at (x, y) lies at (y, width - x).
    return _slant(xs, ys, width, height), _slant(ys, width - 1 - xs, height, width)


def lift_panels(grey: Grey, dpi: int) -> Grey:
    """The same raster with light text on dark panels turned into dark text on light.

    A panel is an area that stays dark when strokes of text are averaged away, and is wide and high enough to hold a
    word. Black scan edges qualify as well, and turning them white does no harm.
    """
    height, width = grey.shape
    scale = PANEL_DPI / dpi
    small_size = max(1, round(width * scale)), max(1, round(height * scale))
    small = _u8(cv2.resize(grey, small_size, interpolation=cv2.INTER_AREA))
    dark = cv2.medianBlur(small, 5) < DARK
    panels = _panels(_areas(_u8(dark), SMALLEST_PANEL_IN), _areas(_u8(~dark), SMALLEST_LIGHT_IN))
    if not panels.any():
        return grey
    lifted = grey.copy()
    _, labels, stats, _ = cv2.connectedComponentsWithStats(panels, connectivity=8)
    for label, (x, y, w, h, _) in enumerate(stats[1:].tolist(), start=1):
        # One small pixel more on each side, so that the rim of the panel can be wiped with it.
        x0, y0, x1, y1 = max(0, x - 1), max(0, y - 1), min(x + w + 1, small.shape[1]), min(y + h + 1, small.shape[0])
        rows = slice(round(y0 / scale), min(height, round(y1 / scale)))
        columns = slice(round(x0 / scale), min(width, round(x1 / scale)))
        _lift(lifted[rows, columns], _u8(labels[y0:y1, x0:x1] == label))
    return lifted


def _lift(grey: Grey, mask: Grey) -> None:
    """Invert one panel in place, make its ground white, and wipe its rim (half dark, half light: a false rule).

    Args:
        grey: the panel and a little around it.
        mask: the same place at `PANEL_DPI`.
    """
    size = grey.shape[1], grey.shape[0]
    kernel = np.ones((3, 3), np.uint8)
    core, reach = (
        cv2.resize(shape, size, interpolation=cv2.INTER_NEAREST).astype(bool)
        for shape in (cv2.erode(mask, kernel), cv2.dilate(mask, kernel))
    )
    if not core.any():
        return
    inverted = 255.0 - grey[core]
    ground = max(1.0, float(np.median(inverted)))
    grey[reach & ~core] = 255
    grey[core] = np.clip(inverted * (255.0 / ground), 0, 255).astype(np.uint8)


def _areas(mask: Grey, smallest_in: tuple[float, float]) -> Grey:
    """What of a mask is at least so wide and high, with the letters that stand in it."""
    mask = _u8(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_RECT, (5, 3))))
    smallest = round(smallest_in[0] * PANEL_DPI), round(smallest_in[1] * PANEL_DPI)
    mask = _u8(cv2.morphologyEx(mask, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, smallest)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(_u8(1 - mask), connectivity=4)
    largest = LONGEST_GLYPH_IN * PANEL_DPI
    letters = (stats[:, cv2.CC_STAT_WIDTH] < largest) & (stats[:, cv2.CC_STAT_HEIGHT] < largest)
    letters[0] = False
    return mask | _u8(letters[labels])


def _panels(dark: Grey, light: Grey) -> Grey:
    """The mask of dark areas, made whole where noise or heavy letters have broken it.

    An area that is nearly its own rectangle becomes that rectangle, less the light areas that lie in it. Black edges
    round a scan are not nearly a rectangle.
    """
    panels = dark.copy()
    for x, y, w, h, area in cv2.connectedComponentsWithStats(dark, connectivity=4)[2][1:]:
        if area >= RECTANGULAR * w * h:
            place = slice(y, y + h), slice(x, x + w)
            panels[place] |= 1 - light[place]
    return panels


def zoomed(frame: Frame, zoom: float) -> Frame:
    """The same frame at `zoom` times the resolution."""
    return replace(frame, scale_x=frame.scale_x * zoom, scale_y=frame.scale_y * zoom)


def _resized(grey: Grey, frame: Frame) -> Grey:
    size = frame.scaled_size
    if size == (grey.shape[1], grey.shape[0]):
        return grey
    shrinks = frame.scale_x * frame.scale_y < 1
    return _u8(cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC))


def _u8(pixels: Any) -> Grey:
    return np.asarray(pixels, dtype=np.uint8)


def _worthwhile(skew_deg: float) -> float:
    return round(skew_deg, 2) if LEVEL_ENOUGH_DEG < abs(skew_deg) < MAX_SKEW_DEG else 0.0


def text_ink(small: Grey, *, without_rules: bool = False) -> Grey:
    """Ink of glyph-sized things: rules, boxes, photographs and scan edges say nothing about lines of text.

    Args:
        small: the page at `ESTIMATE_DPI`.
        without_rules: whether long straight strokes are taken out first; an underline makes one thing of all its
            letters, which is too long for a glyph.
    """
    ink = _u8(cv2.adaptiveThreshold(small, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 15))
    if without_rules:
        stroke = round(SHORTEST_RULE_IN * ESTIMATE_DPI)
        across, down = (
            _u8(cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(size, np.uint8))) for size in ((1, stroke), (stroke, 1))
        )
        ink &= ~(across | down)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(_u8(ink), connectivity=8)
    longest = LONGEST_GLYPH_IN * ESTIMATE_DPI
    kept = (stats[:, cv2.CC_STAT_WIDTH] < longest) & (stats[:, cv2.CC_STAT_HEIGHT] < longest)
    kept[0] = False
    return _u8(kept[labels])


def _slant(xs: NDArray[np.intp], ys: NDArray[np.intp], width: int, height: int) -> Slant:
    """The shear that makes the row profile of ink sharpest: coarse to fine."""
    if xs.size < 200:
        return Slant(0.0, 0.0)
    offset = xs - width / 2
    bins = height + width

    def sharpness(angle: float) -> float:
        # A page turned clockwise by a is straightened by turning it anticlockwise by a: y' = y - x tan a.
        rows = (ys - offset * math.tan(math.radians(angle)) + width / 4).astype(np.int32)
        profile = np.bincount(np.clip(rows, 0, bins - 1), minlength=bins).astype(np.float64)
        return float(np.square(np.diff(profile)).sum())

    best = 0.0
    for step, reach in ((0.5, MAX_SKEW_DEG), (0.1, 0.5)):
        angles = [best + step * i for i in range(-round(reach / step), round(reach / step) + 1)]
        best = max(angles, key=sharpness)
    return Slant(best, sharpness(best) / float(xs.size))
