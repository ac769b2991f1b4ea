"""A printed page as an object: what the printer, the office and the pen did to it before it met the scanner.

Rule kept here: every chance comes from the page's own name, so the same page always carries the same marks. Pixels are
float32 reflectances, 0 (black) to 1 (white), height × width × channels (1 or 3); positions are mm from the top left.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infra.demo.fonts import Face, load_face
from infra.demo.sheet import MM_PER_INCH, Colour, PlacedWord, Sheet

Pixels = NDArray[np.float32]

BLUE_INK: Colour = (38, 52, 140)
RED_INK: Colour = (176, 38, 44)
VIOLET_INK: Colour = (86, 52, 140)
HIGHLIGHTER: Colour = (250, 240, 110)


LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness (Rec. ITU-R BT.601)."""


def clouds(rng: np.random.Generator, shape: tuple[int, ...], cell_px: float) -> Pixels:
    """Smooth noise of mean 0 and about unit spread, height × width, its features `cell_px` across."""
    height, width = shape[:2]
    coarse = rng.standard_normal((int(height / cell_px) + 2, int(width / cell_px) + 2), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


class Paper:
    """A sheet, printed in black or in colour.

    Attributes:
        pixels: see the module.
        dpi: pixels per inch.
        words: where the words are, px.
        rng: the page's own chance.
    """

    def __init__(self, sheet: Sheet, name: str, colour: bool = False) -> None:
        height, width = sheet.image.height, sheet.image.width
        printed = np.asarray(sheet.image if colour else sheet.image.convert("L"), np.float32)
        self.pixels: Pixels = printed.reshape(height, width, -1) / np.float32(255)
        self.dpi = sheet.dpi
        self.words: tuple[PlacedWord, ...] = tuple(sheet.words)
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def px(self, mm: float) -> int:
        """Millimetres as whole pixels."""
        return round(mm * self.dpi / MM_PER_INCH)

    def wear_toner(self, amount: float = 0.12, specks: int = 60) -> None:
        """Make the print uneven, as a tired drum does, and strew toner specks."""
        height, width = self.pixels.shape[:2]
        wear = 0.5 * clouds(self.rng, (height, width), self.dpi * 1.1)
        wear += 0.3 * clouds(self.rng, (height, width), self.dpi / 5)
        wear += 0.3 * clouds(self.rng, (height, 1), self.dpi / 9)  # bands across, once a turn of the drum
        fade = np.clip(1 - np.float32(amount) * (1 + wear), 0.6, 1, out=wear)
        ink = np.subtract(1, self.pixels, out=self.pixels)
        np.subtract(1, np.multiply(ink, fade[..., None], out=ink), out=self.pixels)
        for _ in range(specks):
            centre = (int(self.rng.integers(width)), int(self.rng.integers(height)))
            radius = int(self.rng.integers(0, max(2, self.dpi // 110)))
            cv2.circle(self.pixels, centre, radius, (float(self.rng.uniform(0.15, 0.7)),) * 3, -1, cv2.LINE_AA)

    def tint(self, colour: Colour, unevenness: float = 0.006) -> None:
        """Print on paper of this colour; light and dark areas as in real stock."""
        self._multiply(self._reflectance(colour))
        self.pixels += np.float32(unevenness) * clouds(self.rng, self.pixels.shape, self.dpi / 3)[..., None]

    def show_through(self, verso: Sheet, amount: float = 0.05) -> None:
        """Let the print on the other side shine through, mirrored and soft."""
        height, width = self.pixels.shape[:2]
        ink = 1 - np.asarray(verso.image.convert("L").resize((width, height)), np.float32) / np.float32(255)
        ghost = cv2.GaussianBlur(ink[:, ::-1], (0, 0), self.dpi / 90)
        self._multiply(1 - np.float32(amount) * ghost[..., None])

    def fold(self, y: float, depth: float = 0.09) -> None:
        """Crease the sheet across at `y`: a dark line, a light one beside it, and a soft slope."""
        rows = (np.arange(self.pixels.shape[0], dtype=np.float32) - self.px(y)) / np.float32(self.dpi)
        crease = -depth * np.exp(-((rows / 0.012) ** 2)) + depth * 0.5 * np.exp(-(((rows - 0.03) / 0.02) ** 2))
        slope = -depth * 0.35 * np.exp(-np.abs(rows) / 0.5) * (rows < 0)
        waver = 1 + 0.3 * clouds(self.rng, (1, self.pixels.shape[1]), self.dpi / 2)
        self.pixels += ((crease + slope)[:, None] * waver)[..., None].astype(np.float32)

    def punch(self, xs: Sequence[float], ys: Sequence[float], lid: float = 0.35) -> None:
        """Punch holes of 5.5 mm; what shows through is the scanner's lid, shaded at one rim."""
        for x, y in zip(xs, ys, strict=True):
            centre, radius = (self.px(x), self.px(y)), self.px(2.75)
            cv2.circle(self.pixels, centre, radius, (lid,) * 3, -1, cv2.LINE_AA)
            cv2.ellipse(self.pixels, centre, (radius, radius), 0, 150, 300, (lid * 0.45,) * 3, 2, cv2.LINE_AA)
            cv2.ellipse(self.pixels, centre, (radius, radius), 0, -20, 100, (0.97,) * 3, 1, cv2.LINE_AA)

    def pin(self, x: float, y: float) -> None:
        """Leave the hole and the dent of a drawing pin."""
        dent = np.zeros(self.pixels.shape[:2], np.float32)
        cv2.circle(dent, (self.px(x), self.px(y)), self.px(4.2), 0.16, self.px(0.8), cv2.LINE_AA)
        self._tinge(cv2.GaussianBlur(dent, (0, 0), self.dpi / 160), (60, 60, 60))
        cv2.circle(self.pixels, (self.px(x), self.px(y)), max(1, self.px(0.7)), (0.16, 0.15, 0.14), -1, cv2.LINE_AA)

    def staple(self, x: float, y: float, slope: float = -0.45) -> None:
        """Leave a staple: a bright wire between dark ends, with its shadow."""
        half = 5.5
        ends = [(self.px(x + s * half), self.px(y + s * half * slope)) for s in (-1, 1)]
        below = [(a + self.px(0.3), b + self.px(0.5)) for a, b in ends]
        shade = np.ones(self.pixels.shape[:2], np.float32)
        cv2.line(shade, below[0], below[1], 0.55, self.px(0.8))
        self._multiply(cv2.GaussianBlur(shade, (0, 0), self.dpi / 120)[..., None])
        cv2.line(self.pixels, ends[0], ends[1], (0.42, 0.43, 0.45), max(2, self.px(0.5)), cv2.LINE_AA)
        cv2.line(self.pixels, ends[0], ends[1], (0.74, 0.75, 0.77), 1, cv2.LINE_AA)
        for end in ends:
            cv2.circle(self.pixels, end, max(1, self.px(0.35)), (0.2, 0.2, 0.2), -1, cv2.LINE_AA)

    def stamp(
        self, x: float, y: float, lines: Sequence[str], ink: Colour = BLUE_INK, degrees: float = 4, size: float = 13
    ) -> None:
        """Press a framed rubber stamp with its centre at x, y; the ink takes unevenly."""
        fonts = [
            load_face(Face.SANS_BOLD, (size if i != 1 else size * 1.25) * self.dpi / 72) for i in range(len(lines))
        ]
        width = max(int(f.getlength(t)) for f, t in zip(fonts, lines, strict=True)) + self.px(8)
        height = int(sum(f.size for f in fonts) * 1.3) + self.px(4)
        plate = Image.new("L", (width, height))
        pen, top = ImageDraw.Draw(plate), self.px(2.5)
        for inset, weight in ((1, 0.7), (self.px(1.3), 0.25)):
            frame = (inset, inset, width - 1 - inset, height - 1 - inset)
            pen.rounded_rectangle(frame, self.px(1.5), outline=255, width=max(1, self.px(weight)))
        for font, text in zip(fonts, lines, strict=True):
            pen.text((width / 2, top + font.size * 0.55), text, 255, font, anchor="mm")
            top += int(font.size * 1.3)
        turned = np.asarray(plate.rotate(degrees, Image.Resampling.BICUBIC, expand=True), np.float32) / np.float32(255)
        patchy = np.clip(0.72 + 0.25 * clouds(self.rng, turned.shape, self.dpi / 12), 0.1, 0.95)
        grainy = self.rng.random(turned.shape, dtype=np.float32) > np.float32(0.05)
        self._press(x, y, turned * patchy * grainy, ink)

    def highlight(self, x: float, y: float, width: float, height: float = 4.2) -> None:
        """Run a highlighter pen over a line."""
        layer = np.zeros(self.pixels.shape[:2], np.float32)
        points = np.linspace(x, x + width, 12)
        wobble = y + height / 2 + 0.15 * np.cumsum(self.rng.standard_normal(12)) * 0.5
        path = np.array([[self.px(a), self.px(b)] for a, b in zip(points, wobble, strict=True)], np.int32)
        cv2.polylines(layer, [path], False, 0.85, self.px(height), cv2.LINE_AA)
        self._tinge(layer, HIGHLIGHTER)

    def sign(self, x: float, y: float, width: float, loops: float = 5, ink: Colour = BLUE_INK) -> None:
        """Sign: a tall first letter, a running stroke of uneven loops that flattens, and a flourish under it."""
        run = np.linspace(0, 1, 240)
        heights = np.interp(run * loops, np.arange(loops + 1), self.rng.uniform(0.35, 1.15, int(loops) + 1))
        heights *= np.interp(run, (0, 0.12, 0.3, 1), (2.6, 1.9, 0.9, 0.25))
        turns = 2 * np.pi * (loops * run + 0.25 * np.sin(2 * np.pi * run * float(self.rng.uniform(0.8, 1.6))))
        xs = x + width * run**0.9 + (0.9 + 1.1 * (1 - run)) * np.sin(turns)
        ys = y - 2.4 * heights * np.cos(turns) - 1.5 * run
        self._pen(xs, ys, ink)
        back = np.linspace(0, 1, 24)
        lift = float(self.rng.uniform(0.5, 2.5))
        self._pen(x + width * (1.05 - back * 0.8), y + 3.2 - lift * (1 - back) + 0.8 * np.sin(back * 4), ink)

    def tick(self, x: float, y: float, size: float = 4, ink: Colour = BLUE_INK) -> None:
        """Tick a box."""
        jitter = self.rng.normal(0, 0.25, 6)
        xs = np.array([x + jitter[0], x + size * 0.35 + jitter[1], x + size * 1.15 + jitter[2]])
        self._pen(xs, np.array([y + jitter[3], y + size * 0.55 + jitter[4], y - size * 0.7 + jitter[5]]), ink)

    def smudge_rim(self, x: float, y: float, radius: float = 38) -> None:
        """Leave the ring of a mug."""
        ring = np.zeros(self.pixels.shape[:2], np.float32)
        for wide, dark in ((2.4, 0.10), (0.7, 0.20)):
            cv2.circle(ring, (self.px(x), self.px(y)), self.px(radius), dark, self.px(wide), cv2.LINE_AA)
        ring = cv2.GaussianBlur(ring, (0, 0), self.dpi / 110)
        ring *= np.clip(0.7 + 0.5 * clouds(self.rng, ring.shape, self.dpi * 0.7), 0, 1.3)
        self._tinge(ring, (140, 92, 40))

    def _pen(self, xs: NDArray[np.float64], ys: NDArray[np.float64], ink: Colour) -> None:
        layer = np.zeros(self.pixels.shape[:2], np.float32)
        path = np.array([[self.px(a) * 1.0, self.px(b) * 1.0] for a, b in zip(xs, ys, strict=True)])
        cv2.polylines(layer, [path.round().astype(np.int32)], False, 0.9, max(2, self.px(0.42)), cv2.LINE_AA)
        self._tinge(layer, ink)

    def _press(self, x: float, y: float, plate: Pixels, ink: Colour) -> None:
        layer = np.zeros(self.pixels.shape[:2], np.float32)
        top, left = self.px(y) - plate.shape[0] // 2, self.px(x) - plate.shape[1] // 2
        room = layer[top : top + plate.shape[0], left : left + plate.shape[1]]
        room[:] = plate[: room.shape[0], : room.shape[1]]
        self._tinge(layer, ink)

    def _tinge(self, amount: Pixels, ink: Colour) -> None:
        """Lay a translucent ink over the page, as much of it as `amount` says."""
        rows, columns = np.flatnonzero(amount.any(1)), np.flatnonzero(amount.any(0))
        if rows.size:
            touched = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            self.pixels[touched] *= 1 - amount[touched][..., None] * (1 - self._reflectance(ink))

    def _reflectance(self, colour: Colour) -> Pixels:
        """A colour as this page can show it: three channels, or their luma."""
        shade = np.asarray(colour, np.float32) / np.float32(255)
        return shade if self.pixels.shape[2] == 3 else (shade @ LUMA)[None]

    def _multiply(self, factor: Pixels) -> None:
        self.pixels *= factor
