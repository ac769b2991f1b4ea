"""A sheet that documents are set on: millimetres and points in, pixels and ground truth out.

Rule kept here: what is drawn and what is known of it come from the same text. Marks inside a text say what a value is
and are not drawn: `‹…›` a contact detail to withhold, `«…»` a contact that is public, `{…}` something that only looks
like a contact detail and must stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from infra.demo.fonts import Face, load_face

Colour = tuple[int, int, int]

BLACK: Colour = (22, 22, 24)
GREY: Colour = (110, 112, 116)
PALE: Colour = (228, 230, 232)
WHITE: Colour = (255, 255, 255)

A4_MM = (210.0, 297.0)
MM_PER_INCH = 25.4
PT_PER_INCH = 72.0
NO_BREAK = "\u00a0"

MARKED = re.compile(r"‹(?P<withheld>[^›]+)›|«(?P<public>[^»]+)»|\{(?P<kept>[^}]+)\}")


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted, each value as it is printed, in the order of printing."""

    withheld: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def __add__(self, other: Truth) -> Truth:
        return Truth(self.withheld + other.withheld, self.public + other.public, self.kept + other.kept)


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word as it was set: left and right end of its baseline and its size, px on the sheet."""

    text: str
    left: float
    right: float
    baseline: float
    size: float


def read_marks(marked: str) -> tuple[str, Truth]:
    """The text as it is printed, its contact details kept unbreakable, and what the marks say."""
    found = list(MARKED.finditer(marked))
    truth = Truth(*(tuple(m[group] for m in found if m[group]) for group in ("withheld", "public", "kept")))
    return MARKED.sub(_printed, marked), truth


def _printed(mark: re.Match[str]) -> str:
    return mark["kept"] or (mark["withheld"] or mark["public"]).replace(" ", NO_BREAK)


class Sheet:
    """A blank sheet. Positions and widths are mm from the top left corner, type sizes pt, colours RGB."""

    def __init__(self, dpi: float, size_mm: tuple[float, float] = A4_MM, paper: Colour = WHITE) -> None:
        self.dpi = dpi
        self.size_mm = size_mm
        self.image = Image.new("RGB", (round(self.px(size_mm[0])), round(self.px(size_mm[1]))), paper)
        self.pen = ImageDraw.Draw(self.image)
        self.truth = Truth()
        self.words: list[PlacedWord] = []

    def px(self, mm: float) -> float:
        """Millimetres as pixels of this sheet."""
        return mm * self.dpi / MM_PER_INCH

    def size_px(self, pt: float) -> float:
        """A type size as pixels of this sheet."""
        return pt * self.dpi / PT_PER_INCH

    def width(self, marked: str, size: float, face: Face = Face.SANS) -> float:
        """How wide a text will be, mm."""
        plain, _ = read_marks(marked)
        return load_face(face, self.size_px(size)).getlength(plain) * MM_PER_INCH / self.dpi

    def text(
        self,
        x: float,
        y: float,
        marked: str,
        size: float = 10,
        face: Face = Face.SANS,
        colour: Colour = BLACK,
        align: float = 0,
    ) -> float:
        """Set one line whose top is at `y`; `align` 0 starts it at `x`, 0.5 centres it there, 1 ends it there.

        Returns:
            Where the line ends, mm.
        """
        plain, truth = read_marks(marked)
        self.truth += truth
        self._set(x - align * self.width(marked, size, face), y, plain, size, face, colour)
        return x + (1 - align) * self.width(marked, size, face)

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        marked: str,
        size: float = 10,
        face: Face = Face.SANS,
        colour: Colour = BLACK,
        leading: float = 1.32,
    ) -> float:
        """Set a text in lines no wider than `width`.

        Returns:
            The top of the next line, mm.
        """
        plain, truth = read_marks(marked)
        self.truth += truth
        step = size * leading * MM_PER_INCH / PT_PER_INCH
        for line in self._break(plain, width, size, face):
            self._set(x, y, line, size, face, colour)
            y += step
        return y

    def lines(
        self,
        x: float,
        y: float,
        texts: Sequence[str],
        size: float = 10,
        face: Face = Face.SANS,
        colour: Colour = BLACK,
        leading: float = 1.32,
        align: float = 0,
    ) -> float:
        """Set texts one under the other, unbroken.

        Returns:
            The top of the next line, mm.
        """
        for text in texts:
            self.text(x, y, text, size, face, colour, align)
            y += size * leading * MM_PER_INCH / PT_PER_INCH
        return y

    def rows(
        self,
        x: float,
        y: float,
        columns: Sequence[float],
        rows: Sequence[Sequence[str]],
        size: float,
        step: float,
        face: Face = Face.SANS,
        ruling: Colour = GREY,
    ) -> float:
        """Set a ruled table of one-line cells; `columns` are widths and `step` the row height, mm.

        Returns:
            The bottom of the table, mm.
        """
        total = sum(columns)
        inset = (step - size * MM_PER_INCH / PT_PER_INCH) / 2
        self.rule(x, y, total, ruling, 0.18)
        for row in rows:
            left = x
            for width, cell in zip(columns, row, strict=True):
                self.text(left + 1.1, y + inset, cell, size, face)
                left += width
            y += step
            self.rule(x, y, total, ruling, 0.18)
        top, edge = y - step * len(rows), x
        for width in (0.0, *columns):
            edge += width
            self.box(edge, top, 0.18, y - top, fill=ruling)
        return y

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour | None = None,
        outline: Colour | None = None,
        stroke: float = 0.3,
        radius: float = 0,
    ) -> None:
        """Draw a rectangle, filled or outlined, its corners rounded by `radius`."""
        corners = (self.px(x), self.px(y), self.px(x + width), self.px(y + height))
        pen_px = max(1, round(self.px(stroke)))
        self.pen.rounded_rectangle(corners, self.px(radius), fill=fill, outline=outline, width=pen_px if outline else 0)

    def rule(self, x: float, y: float, width: float, colour: Colour = BLACK, stroke: float = 0.3) -> None:
        """Draw a horizontal line."""
        self.pen.line((self.px(x), self.px(y), self.px(x + width), self.px(y)), colour, max(1, round(self.px(stroke))))

    def polygon(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        """Fill a polygon."""
        self.pen.polygon([(self.px(x), self.px(y)) for x, y in points], fill=fill)

    def ellipse(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """Fill an ellipse."""
        self.pen.ellipse((self.px(x), self.px(y), self.px(x + width), self.px(y + height)), fill=fill)

    def stroke(self, points: Sequence[tuple[float, float]], colour: Colour, width: float) -> None:
        """Draw a pen stroke through points."""
        self.pen.line(
            [(self.px(x), self.px(y)) for x, y in points], colour, max(1, round(self.px(width))), joint="curve"
        )

    def _break(self, plain: str, width: float, size: float, face: Face) -> list[str]:
        font, limit = load_face(face, self.size_px(size)), self.px(width)
        lines: list[str] = []
        for word in plain.split(" "):
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and font.getlength(longer) <= limit:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def _set(self, x: float, y: float, plain: str, size: float, face: Face, colour: Colour) -> None:
        size_px = self.size_px(size)
        font = load_face(face, size_px)
        plain = plain.replace(NO_BREAK, " ")
        left, baseline = self.px(x), self.px(y) + 0.88 * size_px
        self.pen.text((left, baseline), plain, font=font, fill=colour, anchor="ls")
        for word in re.finditer(r"\S+", plain):
            start, end = (left + font.getlength(plain[:at]) for at in word.span())
            self.words.append(PlacedWord(word[0], start, end, baseline, size_px))
