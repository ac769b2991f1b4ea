"""What a scanner, a copier or a fax machine makes of a page.

Rule kept here: the order of a real device. The sheet lies a little askew on the glass, light falls on it, the lens
softens it, the sensor adds noise, and only then electronics decide on grey levels or on black and white.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from infra.demo.paper import Paper, Pixels, clouds
from infra.demo.sheet import PlacedWord, Sheet

FAX_DPI = (204, 196)
"""ITU-T T.30 fine resolution: across and down."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """How a device sees a page.

    Attributes:
        skew_degrees: anticlockwise, about the sheet's centre.
        shift_mm: how far right and down the sheet lies.
        lid: reflectance of what is behind the sheet.
        blur_px: of the lens.
        noise: of the sensor, in reflectance.
        shadow: darkening towards the left edge, where the lid does not close.
        streaks: dirt on the glass of a document feeder, each a line down the page.
        black: reflectance that becomes 0.
        white: reflectance that becomes full scale; below the paper's own, the paper turns pure white.
        fringe_px: how far the red channel lags behind.
    """

    skew_degrees: float = 0.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    lid: float = 0.86
    blur_px: float = 0.6
    noise: float = 0.02
    shadow: float = 0.0
    streaks: int = 0
    black: float = 0.06
    white: float = 0.95
    fringe_px: float = 0.0


@dataclass(frozen=True, slots=True)
class Scan:
    """What came out.

    Attributes:
        pixels: uint8, height × width (grey, or 0 and 255) or height × width × 3.
        dpi: across and down.
        words: the page's words where they now are, px; their lines are no longer level.
    """

    pixels: NDArray[np.uint8]
    dpi: tuple[float, float]
    words: tuple[PlacedWord, ...] = ()


def scan(paper: Paper, scanner: Scanner) -> Scan:
    """A scan of the page, as large as the page; grey or colour as the page is."""
    colour = paper.pixels.shape[2] == 3
    pixels, matrix = _lay_on_glass(paper.pixels if colour else paper.pixels[..., 0], scanner, paper.dpi)
    rng, height, width = paper.rng, *pixels.shape[:2]
    light = 1 - scanner.shadow * np.exp(-np.arange(width, dtype=np.float32) / np.float32(paper.dpi * 0.35))
    for _ in range(scanner.streaks):
        left = int(rng.uniform(0.06, 0.94) * width)
        light[left : left + int(rng.integers(1, 3))] *= np.float32(rng.uniform(0.72, 0.9))
    pixels *= light[:, None] if colour else light
    pixels = cv2.GaussianBlur(pixels, (0, 0), scanner.blur_px)
    if colour and scanner.fringe_px:
        pixels[..., 0] = _slide(pixels[..., 0], scanner.fringe_px)
    grain = rng.standard_normal((height, width), dtype=np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.7)
    grain *= np.float32(2 * scanner.noise)
    pixels += grain[..., None] if colour else grain
    gain = 255 / (scanner.white - scanner.black)
    levels = cv2.convertScaleAbs(np.maximum(pixels, scanner.black), alpha=gain, beta=-gain * scanner.black)
    words = tuple(_move(word, matrix) for word in paper.words)
    return Scan(levels, (paper.dpi, paper.dpi), words)


def threshold(grey: Scan, level: float = 0.62, wander: float = 0.04, seed: int = 0) -> Scan:
    """Black and white, by a threshold that drifts over the page as the lamp does."""
    drift = clouds(np.random.default_rng(seed), grey.pixels.shape, 220) * wander
    black_and_white = np.where(grey.pixels > (level + drift) * 255, 255, 0).astype(np.uint8)
    return Scan(black_and_white, grey.dpi, grey.words)


def dither(grey: Scan) -> Scan:
    """Black and white, with greys as an ordered pattern of dots (8 × 8 Bayer), as fax machines send photographs."""
    matrix = np.array([[0]])
    for _ in range(3):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    height, width = grey.pixels.shape
    screen = np.tile((matrix + 0.5) * 255 / 64, (height // 8 + 1, width // 8 + 1))[:height, :width]
    contrast = np.clip((grey.pixels.astype(np.float32) - 70) * 1.7, 0, 255)
    return Scan(np.where(contrast > screen, 255, 0).astype(np.uint8), grey.dpi, grey.words)


def send_by_fax(grey: Scan, header: Sheet, seed: int, lost_lines: int = 5) -> Scan:
    """The page as it arrives: squeezed to fax resolution, black and white, under the sender's header line.

    Some scan lines repeat the one before (an uncorrected error) and the line noise leaves short dashes.

    Args:
        grey: the sender's scan, at 204 dpi.
        header: set at the same resolution; printed over the page's top, never skewed.
        seed: of the line noise.
        lost_lines: how many scan lines repeat.
    """
    rng = np.random.default_rng(seed)
    across, down = FAX_DPI
    height, width = round(grey.pixels.shape[0] * down / across), grey.pixels.shape[1]
    squeezed = cv2.resize(grey.pixels, (width, height), interpolation=cv2.INTER_AREA)
    sent = dither(Scan(squeezed, FAX_DPI)).pixels
    strip = np.asarray(header.image.convert("L"), np.uint8)
    strip = cv2.resize(strip, (width, round(strip.shape[0] * down / across)), interpolation=cv2.INTER_AREA)
    sent[: strip.shape[0]] = np.where(strip > 140, 255, 0)
    for row in rng.integers(strip.shape[0] + 8, height - 1, lost_lines):
        sent[row] = sent[row - 1]
    for row in rng.integers(strip.shape[0] + 8, height - 1, 9):
        left = int(rng.integers(width - 60))
        sent[row, left : left + int(rng.integers(4, 46))] = 0
    return Scan(sent, FAX_DPI)


def _lay_on_glass(pixels: Pixels, scanner: Scanner, dpi: float) -> tuple[Pixels, NDArray[np.float64]]:
    """The page as it lies, the lid showing where it does not reach, its edge casting a thin shadow."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), scanner.skew_degrees, 1)
    matrix[:, 2] += np.array(scanner.shift_mm) * dpi / 25.4
    if not scanner.skew_degrees and not any(scanner.shift_mm):
        return pixels.copy(), matrix
    laid = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(np.ones((height, width), np.float32), matrix, (width, height), flags=cv2.INTER_LINEAR)
    cast = cv2.GaussianBlur(cv2.resize(cover, (width // 4, height // 4)), (0, 0), dpi / 80)
    behind = scanner.lid * (1 - 0.55 * cv2.resize(cast, (width, height)))
    if pixels.ndim == 3:
        cover, behind = cover[..., None], behind[..., None]
    laid -= behind
    laid *= cover
    laid += behind
    return laid, matrix


def _slide(channel: Pixels, distance_px: float) -> Pixels:
    height, width = channel.shape
    matrix = np.array([[1, 0, 0], [0, 1, distance_px]], np.float64)
    return np.asarray(cv2.warpAffine(channel, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.float32)


def _move(word: PlacedWord, matrix: NDArray[np.float64]) -> PlacedWord:
    left, baseline = matrix @ (word.left, word.baseline, 1)
    right = (matrix @ (word.right, word.baseline, 1))[0]
    return PlacedWord(word.text, float(left), float(right), float(baseline), word.size)
