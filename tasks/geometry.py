"""Rectangles and the two spaces they live in.

*Page space* is the raster as a reader sees it: integer pixels, origin top left, x right, y down.
*Reading space* is the same page turned and straightened so that lines of text run left to right and level; OCR and
the recognisers work there. A `Frame` is the one way from reading space back to page space.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]

EXACT_PX = 1e-3
"""Two places closer than this are one."""


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A half-open rectangle in pixels: x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Width in px."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Height in px."""
        return self.y1 - self.y0

    @property
    def area(self) -> int:
        """Area in px², zero for an empty or inverted box."""
        return max(0, self.width) * max(0, self.height)

    @property
    def center(self) -> Point:
        """Centre point in px."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def intersection(self, other: Box) -> Box:
        """The overlap; its `area` is 0 when there is none."""
        return Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def meets(self, other: Box) -> bool:
        """Whether the two share at least one pixel."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    def contains(self, other: Box) -> bool:
        """Whether `other` lies wholly inside."""
        return self.x0 <= other.x0 and self.y0 <= other.y0 and self.x1 >= other.x1 and self.y1 >= other.y1

    def padded(self, dx: int, dy: int | None = None) -> Box:
        """Grown by `dx` px left and right and `dy` (default `dx`) px up and down."""
        dy = dx if dy is None else dy
        return Box(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)

    def moved(self, dx: int, dy: int) -> Box:
        """The same box `dx` px further right and `dy` px further down."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a page of `width` x `height` px."""
        return self.intersection(Box(0, 0, width, height))

    def snapped(self, grids: Iterable[Grid], width: int, height: int) -> Box:
        """Grown outwards to the whole blocks it touches, those of mere colours aside, then clipped to the page."""
        return union([self, *(grid.whole(self) for grid in grids if not grid.colour)]).clipped(width, height)


@dataclass(frozen=True, slots=True)
class Grid:
    """The blocks that one lossy image of a page was compressed in, as they lie in page space.

    What stands in a block rings through all of it. Blocks need not begin at the page's corner (a scan set into a page,
    a photograph turned by its EXIF tag) nor be a whole number of px wide (an image drawn at another resolution).

    Attributes:
        place: of the image.
        step: (width, height) of a block, px.
        origin: (x, y) where some block begins, px; it may lie outside the image.
        rim: how far a block's samples run into its neighbours when they are drawn, px.
        colour: whether only the image's colours have such blocks; its lightness has others.
    """

    place: Box
    step: Point
    origin: Point = (0.0, 0.0)
    rim: int = 0
    colour: bool = False

    def whole(self, box: Box) -> Box:
        """The box and all of each block it touches; the box alone when it does not meet the image."""
        part = box.intersection(self.place)
        if not part.area:
            return box
        (x0, x1), (y0, y1) = self._outwards(0, part.x0, part.x1), self._outwards(1, part.y0, part.y1)
        return union([box, Box(x0, y0, x1, y1).intersection(self.place)])

    def cells(self, box: Box) -> Iterator[Box]:
        """What of a box lies in each block, row by row; nothing for what is farther than the rim from the image."""
        part = box.intersection(self.place.padded(self.rim))
        if not part.area:
            return
        columns, rows = self._lines(0, part.x0, part.x1), self._lines(1, part.y0, part.y1)
        yield from (Box(x0, y0, x1, y1) for y0, y1 in pairwise(rows) for x0, x1 in pairwise(columns))

    def _outwards(self, axis: int, low: int, high: int) -> tuple[int, int]:
        """The last line of the grid up to `low` and the first from `high` on; both are themselves when drawn as px."""
        origin, step = self.origin[axis], self.step[axis]
        first = math.floor((low + 1 - EXACT_PX - origin) / step)
        last = math.ceil((high - 1 + EXACT_PX - origin) / step)
        return math.floor(origin + first * step + EXACT_PX), math.ceil(origin + last * step - EXACT_PX)

    def _lines(self, axis: int, low: int, high: int) -> list[int]:
        """The lines of the grid between two places, and both of them."""
        origin, step = self.origin[axis], self.step[axis]
        first, last = math.floor((low - origin) / step), math.ceil((high - origin) / step)
        between = (round(origin + n * step) for n in range(first, last + 1))
        return [low, *(line for line in dict.fromkeys(between) if low < line < high), high]


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all `boxes`.

    Raises:
        ValueError: there are none.
    """
    found = list(boxes)
    if not found:
        raise ValueError("union of no boxes")
    return Box(min(b.x0 for b in found), min(b.y0 for b in found), max(b.x1 for b in found), max(b.y1 for b in found))


def joined(boxes: Iterable[Box]) -> list[Box]:
    """The boxes, those that meet made one, and what that meets with them; from the top, then from the left."""
    apart: list[Box] = []
    for box in boxes:
        while met := [other for other in apart if other.meets(box)]:
            apart = [other for other in apart if other not in met]
            box = union([box, *met])
        apart.append(box)
    return sorted(apart, key=lambda box: (box.y0, box.x0))


def same_row(a: Box, b: Box) -> bool:
    """Whether two boxes stand on one visual line: they share half the lower one's height."""
    return min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5 * min(a.height, b.height)


@dataclass(frozen=True, slots=True)
class Frame:
    """How one reading of a page lies over the page.

    The reading's raster came from the page by, in this order: resizing by (`scale_x`, `scale_y`); turning by
    `quarter_turns` x 90 degrees anticlockwise (as `numpy.rot90`); turning by `skew_deg` degrees anticlockwise about
    its centre, same size.

    Attributes:
        page_width: width of the page raster, px.
        page_height: height of the page raster, px.
        scale_x: reading px per page px, horizontally in page space (fax pages have unequal scales).
        scale_y: reading px per page px, vertically in page space.
        quarter_turns: 0 to 3.
        skew_deg: straightening angle, degrees, anticlockwise as seen.
    """

    page_width: int
    page_height: int
    scale_x: float = 1.0
    scale_y: float = 1.0
    quarter_turns: int = 0
    skew_deg: float = 0.0

    @property
    def scaled_size(self) -> tuple[int, int]:
        """(width, height) in px after resizing, before turning."""
        return round(self.page_width * self.scale_x), round(self.page_height * self.scale_y)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the reading raster, px."""
        w, h = self.scaled_size
        return (h, w) if self.quarter_turns % 2 else (w, h)

    def point_to_page(self, x: float, y: float) -> Point:
        """A point of reading space in page space."""
        x, y = self._turned(x, y, -self.skew_deg)
        w, h = self.scaled_size
        match self.quarter_turns % 4:
            case 1:
                x, y = w - y, x
            case 2:
                x, y = w - x, h - y
            case 3:
                x, y = y, h - x
        return x / self.scale_x, y / self.scale_y

    def point_from_page(self, x: float, y: float) -> Point:
        """A point of page space in reading space: the inverse of `point_to_page`."""
        x, y = x * self.scale_x, y * self.scale_y
        w, h = self.scaled_size
        match self.quarter_turns % 4:
            case 1:
                x, y = y, w - x
            case 2:
                x, y = w - x, h - y
            case 3:
                x, y = h - y, x
        return self._turned(x, y, self.skew_deg)

    def _turned(self, x: float, y: float, degrees: float) -> Point:
        """A point of the reading turned anticlockwise about its centre."""
        if not degrees:
            return x, y
        # y points down: an anticlockwise turn by a takes (x, y) to (x cos a + y sin a, y cos a - x sin a).
        a, (width, height) = math.radians(degrees), self.size
        dx, dy = x - width / 2, y - height / 2
        return width / 2 + dx * math.cos(a) + dy * math.sin(a), height / 2 + dy * math.cos(a) - dx * math.sin(a)

    def quad_to_page(self, box: Box) -> tuple[Point, Point, Point, Point]:
        """The four corners of a reading-space box in page space: top left, top right, bottom right, bottom left."""
        return (
            self.point_to_page(box.x0, box.y0),
            self.point_to_page(box.x1, box.y0),
            self.point_to_page(box.x1, box.y1),
            self.point_to_page(box.x0, box.y1),
        )

    def box_to_page(self, box: Box) -> Box:
        """The upright page-space box around a reading-space box, clipped to the page."""
        if self.skew_deg or self.quarter_turns % 4:
            corners = self.quad_to_page(box)
            x0, x1 = min(p[0] for p in corners), max(p[0] for p in corners)
            y0, y1 = min(p[1] for p in corners), max(p[1] for p in corners)
        else:  # most pages, with thousands of words on them
            x0, x1, y0, y1 = (
                box.x0 / self.scale_x,
                box.x1 / self.scale_x,
                box.y0 / self.scale_y,
                box.y1 / self.scale_y,
            )
        return Box(
            max(0, math.floor(x0 + 1e-6)),
            max(0, math.floor(y0 + 1e-6)),
            min(self.page_width, math.ceil(x1 - 1e-6)),
            min(self.page_height, math.ceil(y1 - 1e-6)),
        )

    def regions_to_page(self, box: Box, max_rise_px: float = 2.0) -> tuple[Box, ...]:
        """Upright page-space boxes that together cover a reading-space box.

        A long box on a slanted line would swallow the lines above and below; it is cut into pieces whose slant is at
        most `max_rise_px` (page px) each.
        """
        if not self.skew_deg:
            whole = self.box_to_page(box)
            return (whole,) if whole.area else ()
        quad = self.quad_to_page(box)
        along_x = abs(quad[1][1] - quad[0][1]) if self.quarter_turns % 2 == 0 else abs(quad[1][0] - quad[0][0])
        pieces = max(1, math.ceil(along_x / max_rise_px))
        pieces = min(pieces, max(1, box.width // 8))
        edges = [box.x0 + round(box.width * i / pieces) for i in range(pieces + 1)]
        boxes = (self.box_to_page(Box(a, box.y0, b, box.y1)) for a, b in pairwise(edges))
        return tuple(b for b in boxes if b.area)
