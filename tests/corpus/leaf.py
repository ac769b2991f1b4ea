"""One leaf of a record as it is set: vector drawing in, drawing and ground truth out.

Rule kept here: positions and widths are mm from the top left corner, type sizes pt; ground truth is kept in pt of the
leaf and carried to pixels with the drawing itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pymupdf
from PIL import Image

from infra.demo.fonts import Face, find_face, load_face
from infra.demo.sheet import A4_MM, BLACK, GREY, Colour, PlacedWord, Sheet
from tests.corpus.hand import Hand
from tests.corpus.marked import BREAK, Note, read

PT_PER_MM = 72 / 25.4
Typeface = Face | Hand
Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Top left, top right, bottom right, bottom left, as the text runs."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of one line that belongs together: a word, or all of a note on that line. Corners in pt."""

    text: str
    quad: Quad
    note: Note | None
    light: bool


@cache
def _metrics(face: Typeface) -> pymupdf.Font:
    return pymupdf.Font(fontfile=str(find_face(face)))  # type: ignore[arg-type]


@cache
def _extent(face: Typeface, text: str) -> tuple[float, float]:
    """How far the ink of a text reaches above and below its baseline, per pt of type size."""
    _, top, _, bottom = load_face(face, 200).getbbox(text or " ", anchor="ls")  # type: ignore[arg-type]
    return -top / 200, bottom / 200


class Leaf:
    """A blank leaf."""

    def __init__(self, template: str, size_mm: Point = A4_MM, paper: Colour | None = None) -> None:
        self.template = template
        self.size_mm = size_mm
        self.document = pymupdf.open()
        self.page = self.document.new_page(width=size_mm[0] * PT_PER_MM, height=size_mm[1] * PT_PER_MM)
        self.words: list[Piece] = []
        self.values: list[Piece] = []
        self.turned_by_feeder = 0
        if paper:
            self.box(0, 0, *size_mm, fill=paper)

    # ------------------------------------------------------------------------------------------ setting text

    def text(
        self,
        x: float,
        y: float,
        marked: str,
        size: float = 10,
        face: Typeface = Face.SANS,
        colour: Colour = BLACK,
        align: float = 0,
        degrees: float = 0,
    ) -> float:
        """Set one line whose top is at `y`; `align` 0 starts it at `x`, 0.5 centres it, 1 ends it there.

        `degrees` turns the line anticlockwise about its start.

        Returns:
            Where the line ends, mm.
        """
        text, notes = read(marked)
        keep = [i for i, c in enumerate(text) if c not in (BREAK, "\n")]
        line, notes = "".join(text[i] for i in keep), [notes[i] for i in keep]
        width = self.width(marked, size, face)
        self._set(x - align * width, y, line, notes, size, face, colour, degrees)
        return x + (1 - align) * width

    def width(self, marked: str, size: float, face: Typeface = Face.SANS) -> float:
        """How wide a text will be, mm."""
        return self._length(read(marked)[0].replace(BREAK, ""), size, face) / PT_PER_MM

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        marked: str,
        size: float = 10,
        face: Typeface = Face.SANS,
        colour: Colour = BLACK,
        leading: float = 1.32,
    ) -> float:
        """Set a text in lines no wider than `width`; a line feed always breaks, a `BREAK` may.

        Returns:
            The top of the next line, mm.
        """
        text, notes = read(marked)
        step = size * leading / PT_PER_MM
        for start, end in self._break(text, width * PT_PER_MM, size, face):
            keep = [i for i in range(start, end) if text[i] not in (BREAK, "\n")]
            self._set(x, y, "".join(text[i] for i in keep), [notes[i] for i in keep], size, face, colour, 0)
            y += step
        return y

    def lines(
        self,
        x: float,
        y: float,
        texts: Sequence[str],
        size: float = 10,
        face: Typeface = Face.SANS,
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
            y += size * leading / PT_PER_MM
        return y

    def rows(
        self,
        x: float,
        y: float,
        columns: Sequence[float],
        rows: Sequence[Sequence[str]],
        size: float = 8.5,
        step: float = 6,
        face: Typeface = Face.SANS,
        head: Colour | None = None,
        ruled: bool = True,
    ) -> float:
        """Set a table of one-line cells; `columns` are widths and `step` the row height, mm; `head` fills the first.

        Returns:
            The bottom of the table, mm.
        """
        inset = (step - size / PT_PER_MM) / 2
        for number, row in enumerate(rows):
            dark = head is not None and number == 0 and sum(head) < 380
            if head and number == 0:
                self.box(x, y, sum(columns), step, fill=head)
            left = x
            for width, cell in zip(columns, row, strict=True):
                if ruled:
                    self.box(left, y, width, step, outline=GREY, stroke=0.18)
                self.text(left + 1.2, y + inset, cell, size, face, (245, 245, 245) if dark else BLACK)
                left += width
            y += step
        return y

    def comb(
        self, x: float, y: float, marked: str, cell: float = 5.2, size: float = 11, face: Typeface = Face.SANS
    ) -> None:
        """Set one character a box."""
        text, notes = read(marked)
        for number, (character, note) in enumerate(zip(text, notes, strict=True)):
            self.box(x + number * cell, y, cell, cell * 1.2, outline=GREY, stroke=0.2)
            middle = x + (number + 0.5) * cell - self._length(character, size, face) / PT_PER_MM / 2
            self._set(middle, y + (cell * 1.2 - size / PT_PER_MM) / 2, character, [note], size, face, BLACK, 0)

    # ------------------------------------------------------------------------------------------ shapes

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour | None = None,
        outline: Colour | None = None,
        stroke: float = 0.3,
    ) -> None:
        """Draw a rectangle, filled or outlined."""
        corners = pymupdf.Rect(x, y, x + width, y + height) * PT_PER_MM
        self.page.draw_rect(corners, color=_rgb(outline), fill=_rgb(fill), width=stroke * PT_PER_MM if outline else 0)

    def rule(self, x: float, y: float, width: float, colour: Colour = BLACK, stroke: float = 0.3) -> None:
        """Draw a horizontal line."""
        self.stroke([(x, y), (x + width, y)], colour, stroke)

    def stroke(self, points: Sequence[Point], colour: Colour = BLACK, width: float = 0.3) -> None:
        """Draw a pen stroke through points."""
        path = [pymupdf.Point(*point) * PT_PER_MM for point in points]
        self.page.draw_polyline(path, color=_rgb(colour), width=width * PT_PER_MM)

    def ellipse(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """Fill an ellipse."""
        self.page.draw_oval(pymupdf.Rect(x, y, x + width, y + height) * PT_PER_MM, color=None, fill=_rgb(fill))

    def picture(self, x: float, y: float, edge: float, image: Image.Image, note: Note) -> None:
        """Paste a square picture that says something of itself."""
        place = pymupdf.Rect(x, y, x + edge, y + edge) * PT_PER_MM
        grey = image.convert("L")
        pixmap = pymupdf.Pixmap(pymupdf.csGRAY, grey.width, grey.height, grey.tobytes(), False)
        self.page.insert_image(place, pixmap=pixmap)
        corners = (tuple(place.tl), tuple(place.tr), tuple(place.br), tuple(place.bl))
        self.values.append(Piece(note.text, corners, note, light=False))

    # ------------------------------------------------------------------------------------------ what it becomes

    def draw(self, dpi: float) -> Sheet:
        """The leaf as pixels; its words are every piece's corners (see `corners`) behind the words of a reader."""
        pixmap = self.page.get_pixmap(dpi=round(dpi), alpha=False)
        sheet = Sheet(dpi, (1, 1))
        sheet.size_mm = self.size_mm
        sheet.image = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
        scale = dpi / 72
        for piece in self.words:
            (left, _), _, (right, bottom), _ = piece.quad
            size = (bottom - piece.quad[0][1]) * scale
            sheet.words.append(PlacedWord(piece.text, left * scale, right * scale, bottom * scale - size * 0.2, size))
        for x, y in self.corners():
            sheet.words.append(PlacedWord("", x * scale, x * scale, y * scale, 0))
        return sheet

    def corners(self) -> list[Point]:
        """The corners of all values, then of all words, pt."""
        return [corner for piece in (*self.values, *self.words) for corner in piece.quad]

    # ------------------------------------------------------------------------------------------ details

    def _length(self, text: str, size: float, face: Typeface) -> float:
        return float(_metrics(face).text_length(text, size))

    def _break(self, text: str, limit: float, size: float, face: Typeface) -> list[tuple[int, int]]:
        """Start and end of each line in the text; a word wider than a line is cut where the line ends."""
        lines, start, fits = [], 0, 0
        for match in re.finditer(rf"[^ {BREAK}\n]*([ {BREAK}\n]|$)", text):
            if not match[0]:
                continue
            end = match.end(0) - (1 if match[1] else 0)
            if fits > start and self._length(text[start:end].replace(BREAK, ""), size, face) > limit:
                lines.append((start, fits))
                start = fits + (text[fits] in " \n" + BREAK)
            while self._length(text[start:end].replace(BREAK, ""), size, face) > limit:
                cut = next(i for i in range(end, start, -1) if self._length(text[start:i], size, face) <= limit)
                lines.append((start, cut))
                start = cut
            fits = end
            if match[1] == "\n":
                lines.append((start, end))
                start = fits = match.end(0)
        if start < len(text):
            lines.append((start, len(text)))
        return lines

    def _set(
        self,
        x: float,
        y: float,
        line: str,
        notes: Sequence[Note | None],
        size: float,
        face: Typeface,
        colour: Colour,
        degrees: float,
    ) -> None:
        if not line.strip():
            return
        start = pymupdf.Point(x * PT_PER_MM, y * PT_PER_MM + 0.88 * size)
        turn = pymupdf.Matrix(-degrees)
        name = re.sub(r"\W", "", face.value)
        self.page.insert_text(
            start,
            line,
            fontsize=size,
            fontname=name,
            fontfile=str(find_face(face)),
            color=_rgb(colour),
            morph=(start, pymupdf.Matrix(degrees)),  # type: ignore[arg-type]
        )
        light = sum(colour) > 480

        def piece(begin: int, end: int, note: Note | None) -> Piece:
            above, below = _extent(face, line[begin:end])
            left, right = self._length(line[:begin], size, face), self._length(line[:end], size, face)
            box = ((left, -above * size), (right, -above * size), (right, below * size), (left, below * size))
            corners = tuple(tuple(start + pymupdf.Point(*corner) * turn) for corner in box)
            return Piece(line[begin:end], corners, note, light)  # type: ignore[arg-type]

        for begin, end in _runs(notes):
            note, text = notes[begin], line[begin:end]
            if note:
                trimmed = begin + len(text) - len(text.lstrip()), begin + len(text.rstrip())
                if trimmed[0] < trimmed[1]:
                    self.values.append(piece(*trimmed, note))
            self.words += [piece(begin + w.start(), begin + w.end(), note) for w in re.finditer(r"\S+", text)]


def _runs(notes: Sequence[Note | None]) -> list[tuple[int, int]]:
    edges = [0, *(i for i in range(1, len(notes)) if notes[i] is not notes[i - 1]), len(notes)]
    return list(pairwise(edges))


def _rgb(colour: Colour | None) -> tuple[float, ...] | None:
    return None if colour is None else tuple(channel / 255 for channel in colour)
