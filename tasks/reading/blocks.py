"""Where on a page the blocks of lossy images lie: the hidden rings through all of its block.

Rule kept here: an image is lossy unless its filters prove that it is not, and what is not known of its blocks is
assumed to be as coarse as it can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pymupdf
from PIL import TiffImagePlugin

from tasks.geometry import EXACT_PX, Box, Grid, Point, union
from tasks.pixels import is_neutral

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

BLOCK_PX = 8
UNKNOWN_PX = 16
"""Edge of JPEG's blocks (ITU-T T.81, A.1), and of what is taken for a block where nothing better is known: the colours
of most JPEGs. Wavelets (JPEG 2000) have no blocks; what rings visibly lies within so much."""

LOSSLESS_FILTERS = frozenset(
    (
        *("FlateDecode", "LZWDecode", "RunLengthDecode", "CCITTFaxDecode", "ASCIIHexDecode", "ASCII85Decode"),
        *("Fl", "LZW", "RL", "CCF", "AHx", "A85", "JBIG2Decode", "Crypt"),
    )
)
LOSSLESS_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 8, 32771, 32773, 32809, 32946, 34925, 50000})
"""Of TIFF: none, CCITT, LZW, deflate, PackBits, ThunderScan, LZMA, ZSTD."""

COMPRESSION, PHOTOMETRIC, SUBSAMPLING, YCBCR = 259, 262, 530, 6

MOST_GRIDS = 32
"""More images than this on a page have one grid together."""

PHASES = 8
FAINT_STEP, STANDS_OUT = 12, (1.15, 1.5)
"""Steps between neighbouring px that are no ink, in grey levels; and how much larger those at the edges of blocks are
than the others, at least, across and down, and both multiplied: 2.2 to 40 for qualities 30 to 95, 1.0 to 1.4 for drawn
text (where a false alarm costs no more than marks on blocks)."""


@dataclass(frozen=True, slots=True)
class Edges:
    """(width, height) in px of the blocks of an image: of its lightness, and of its coarsest component."""

    light: tuple[int, int]
    coarsest: tuple[int, int]


UNKNOWN = Edges((UNKNOWN_PX, UNKNOWN_PX), (UNKNOWN_PX, UNKNOWN_PX))


def jpeg_edges(jpeg: bytes) -> Edges:
    """The blocks of a JPEG, by the sampling factors of its frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            parts = [jpeg[at + 10 + 3 * n : at + 13 + 3 * n] for n in range(jpeg[at + 9] if at + 9 < len(jpeg) else 0)]
            factors = [(part[1] >> 4, part[1] & 15) for part in parts if len(part) == 3]
            if not factors or len(factors) != len(parts) or not all(1 <= f <= 4 for pair in factors for f in pair):
                return UNKNOWN
            most = max(h for h, _ in factors), max(v for _, v in factors)
            blocks = [(math.ceil(BLOCK_PX * most[0] / h), math.ceil(BLOCK_PX * most[1] / v)) for h, v in factors]
            return Edges(blocks[0], (max(x for x, _ in blocks), max(y for _, y in blocks)))
        at += 1 if marker == 0xFF else 2 + length
    return UNKNOWN


def grids_of_image(image: Image.Image, untrusted: bytes, orientation: int, pixels: NDArray[np.uint8]) -> list[Grid]:
    """The blocks of an image file as it is displayed.

    Args:
        image: as opened, not turned yet.
        untrusted: the whole file.
        orientation: the EXIF orientation by which it was turned.
        pixels: as displayed.
    """
    edges = _edges_of_image(image, untrusted)
    whole = Box(0, 0, pixels.shape[1], pixels.shape[0])
    if edges is None:
        return _blocks_that_show(whole, pixels)
    mirrored_x, mirrored_y = orientation in (2, 3, 7, 6), orientation in (3, 4, 7, 8)
    grids = []
    for (step_x, step_y), colour in _steps(edges, pixels):
        if orientation in (5, 6, 7, 8):
            step_x, step_y = step_y, step_x
        origin = float(whole.x1 % step_x if mirrored_x else 0), float(whole.y1 % step_y if mirrored_y else 0)
        grids.append(Grid(whole, (float(step_x), float(step_y)), origin, int(colour), colour))
    return grids


def _edges_of_image(image: Image.Image, untrusted: bytes) -> Edges | None:
    """None for a file that is proven lossless."""
    if image.format == "PNG":
        return None
    if image.format == "JPEG":
        return jpeg_edges(untrusted)
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if tags.get(COMPRESSION, 1) in LOSSLESS_COMPRESSIONS:
        return None
    light = BLOCK_PX, BLOCK_PX
    if tags.get(COMPRESSION) != 7:
        return UNKNOWN
    factors = tags.get(SUBSAMPLING, (2, 2)) if tags.get(PHOTOMETRIC) == YCBCR else (1, 1)
    known = isinstance(factors, tuple) and len(factors) == 2 and all(f in (1, 2, 4) for f in factors)
    return Edges(light, (BLOCK_PX * factors[0], BLOCK_PX * factors[1])) if known else UNKNOWN


@dataclass(frozen=True, slots=True)
class _Placed:
    """An image of a PDF page.

    Attributes:
        xref: its number, 0 when it is inline.
        size: (width, height) in its own px.
        to_px: the matrix from the unit square it fills to page space.
    """

    xref: int
    size: tuple[int, int]
    to_px: tuple[float, float, float, float, float, float]


def grids_of_page(page: pymupdf.Page, to_px: pymupdf.Matrix, pixels: NDArray[np.uint8]) -> list[Grid]:
    """The blocks of every lossy image of a PDF page, in page space.

    Args:
        page: of a document.
        to_px: from the page as it stands in the file to page space.
        pixels: the page as drawn.
    """
    whole = Box(0, 0, pixels.shape[1], pixels.shape[0])
    infos = _images_shown(page)
    grids: dict[tuple[Point, Point, int, bool], list[Box]] = {}
    known: dict[int, Edges | None] = {}
    for info in infos:
        if _is_bilevel(info):
            continue
        to_page = tuple(pymupdf.Matrix(*info["transform"]) * to_px)
        for image in _with_masks(page, _Placed(info["xref"], (info["width"], info["height"]), to_page)):
            if image.xref not in known:
                known[image.xref] = _edges_of_object(page.parent, image.xref)
            edges = known[image.xref]
            found = _placed_grids(image, edges, pixels, whole)
            for grid in found:
                grids.setdefault((grid.step, grid.origin, grid.rim, grid.colour), []).append(grid.place)
    if _shows_more(page, {info["xref"] for info in infos}):
        grids.setdefault(((UNKNOWN_PX, UNKNOWN_PX), (0.0, 0.0), UNKNOWN_PX, False), []).append(whole)
    merged = [Grid(union(places), *rest) for rest, places in grids.items()]
    if len(merged) > MOST_GRIDS:
        step = max(grid.step[0] for grid in merged), max(grid.step[1] for grid in merged)
        return [Grid(union(grid.place for grid in merged), step, (0.0, 0.0), math.ceil(max(step)))]
    return merged


def _images_shown(page: pymupdf.Page) -> list[dict[str, Any]]:
    """What `Page.get_image_info` tells of each image that shows, with the number of its object, 0 when it is inline.

    To find the numbers, MuPDF decodes every image once more. That is spared where nothing depends on it, and on most
    scans: the only image that shows is a JPEG, and its bytes are those of the only one there is.
    """
    infos: list[dict[str, Any]] = page.get_image_info()
    if all(map(_is_bilevel, infos)):
        return [{**info, "xref": 0} for info in infos]
    objects = page.get_images(full=True)
    if len(infos) == len(objects) == 1:
        document: Any = page.parent
        xref = objects[0][0]
        inks = 4  # of which MuPDF gives no JPEG
        if infos[0]["colorspace"] < inks and document.xref_get_key(xref, "Filter")[1] == "/DCTDecode":
            blocks = page.get_text("dict", flags=pymupdf.TEXT_PRESERVE_IMAGES)["blocks"]
            if [block["image"] for block in blocks if "image" in block] == [document.xref_stream_raw(xref)]:
                return [{**infos[0], "xref": xref}]
    return page.get_image_info(xrefs=True)


def _is_bilevel(info: dict[str, Any]) -> bool:
    return bool(info["bpc"] == 1 and not info["has-mask"])


def _with_masks(page: pymupdf.Page, image: _Placed) -> Iterator[_Placed]:
    """An image and, where it has one, its soft mask: that may be lossy too."""
    yield image
    document: Any = page.parent
    if not image.xref:
        return
    kind, value = document.xref_get_key(image.xref, "SMask")
    if kind == "xref":
        mask = int(value.split()[0])
        sides = [document.xref_get_key(mask, side) for side in ("Width", "Height")]
        if all(kind == "int" and int(value) > 0 for kind, value in sides):
            yield replace(image, xref=mask, size=(int(sides[0][1]), int(sides[1][1])))


def _edges_of_object(document: Any, xref: int) -> Edges | None:
    """The blocks of an image object; None when its filters prove it lossless."""
    if not xref:
        return UNKNOWN
    kind, value = document.xref_get_key(xref, "Filter")
    if kind == "xref":
        kind, value = "array", document.xref_object(int(value.split()[0]), compressed=True)
    if kind == "null":
        return None
    names = value.replace("[", " ").replace("]", " ").replace("/", " ").split()
    if all(name in LOSSLESS_FILTERS for name in names):
        return None
    if names[-1:] not in (["DCTDecode"], ["DCT"]):
        return UNKNOWN
    return jpeg_edges(document.extract_image(xref)["image"] if len(names) > 1 else document.xref_stream_raw(xref))


def _placed_grids(image: _Placed, edges: Edges | None, pixels: NDArray[np.uint8], whole: Box) -> list[Grid]:
    a, b, c, d, x, y = image.to_px
    corners = [(x, y), (x + a, y + b), (x + c, y + d), (x + a + c, y + b + d)]
    place = Box(
        math.floor(min(px for px, _ in corners) + EXACT_PX),
        math.floor(min(py for _, py in corners) + EXACT_PX),
        math.ceil(max(px for px, _ in corners) - EXACT_PX),
        math.ceil(max(py for _, py in corners) - EXACT_PX),
    ).intersection(whole)
    if not place.area:
        return []
    shown = pixels[place.y0 : place.y1, place.x0 : place.x1]
    if edges is None:
        return _blocks_that_show(place, shown)
    return [_placed_grid(image, place, edge, colour) for edge, colour in _steps(edges, shown)]


def _placed_grid(image: _Placed, place: Box, edge: tuple[int, int], colour: bool) -> Grid:
    """The blocks of an image where it stands on its page."""
    a, b, c, d, x, y = image.to_px
    across = a / image.size[0] * edge[0], b / image.size[0] * edge[0]
    down = c / image.size[1] * edge[1], d / image.size[1] * edge[1]
    step = abs(across[0]) + abs(down[0]), abs(across[1]) + abs(down[1])
    if not (_is_nothing(b, c) or _is_nothing(a, d)):
        return Grid(place, _sane(step), (0.0, 0.0), math.ceil(max(step)), colour)
    corners = (x, y, x + a + c, y + b + d)
    if all(map(_nearly_whole, (*step, *corners))):
        step, rim = (float(round(step[0])), float(round(step[1]))), int(colour)
        x, y = float(round(x)), float(round(y))
    else:  # drawn by mixing neighbours
        rim = math.ceil(max(step[0] / edge[0], step[1] / edge[1], step[0] / edge[1], 1.0)) + 1
    return Grid(place, _sane(step), (x % step[0], y % step[1]), rim, colour)


def _is_nothing(*sides: float) -> bool:
    return all(abs(side) < 0.5 for side in sides)


def _nearly_whole(side: float) -> bool:
    return abs(side - round(side)) < 0.01


def _sane(step: Sequence[float]) -> Point:
    """A block smaller than a px is one."""
    return max(1.0, float(step[0])), max(1.0, float(step[1]))


def _steps(edges: Edges, pixels: NDArray[np.uint8]) -> list[tuple[tuple[int, int], bool]]:
    """The blocks of the lightness, and where there is colour in others, those; with True for blocks of mere colours.

    Without a trace of colour its blocks hold nothing. Halved colours are drawn by mixing each sample with the next.
    """
    if edges.light == edges.coarsest or is_neutral(pixels):
        return [(edges.light, False)]
    return [(edges.light, False), (edges.coarsest, True)]


def _shows_more(page: pymupdf.Page, told: set[int]) -> bool:
    """Whether a lossy image may show that was not told of: in a pattern, in the letters of a font."""
    return any(
        entry[0] not in told and _edges_of_object(page.parent, entry[0]) is not None
        for entry in page.get_images(full=True)
    )


def _blocks_that_show(place: Box, pixels: NDArray[np.uint8]) -> list[Grid]:
    """The blocks of a JPEG that was stored again without loss: faint steps are larger where blocks meet."""
    if min(pixels.shape[:2]) < 8 * PHASES:
        return []
    light = pixels if pixels.ndim == 2 else pixels[..., 1]
    phases = _phase(light), _phase(light.T)
    shares = phases[0][1], phases[1][1]
    if min(shares) < STANDS_OUT[0] or shares[0] * shares[1] < STANDS_OUT[1]:
        return []
    x, y = (place.x0 + phases[0][0]), (place.y0 + phases[1][0])
    light_grid = Grid(place, (BLOCK_PX, BLOCK_PX), (float(x % BLOCK_PX), float(y % BLOCK_PX)))
    if is_neutral(pixels):
        return [light_grid]
    # Which of two blocks begins one of colours does not show: the rim takes in the other.
    edge = 2 * BLOCK_PX
    return [light_grid, Grid(place, (edge, edge), (float(x % edge), float(y % edge)), BLOCK_PX + 1, colour=True)]


def _phase(light: NDArray[np.uint8]) -> tuple[int, float]:
    """At which column, of every eight, blocks would begin, and how much larger faint steps are there than elsewhere."""
    steps = np.abs(np.diff(light[:: max(1, light.shape[0] // 400)].astype(np.int16), axis=1))
    faint = np.where(steps <= FAINT_STEP, steps, 0)
    columns = faint.sum(axis=0, dtype=np.float64)
    columns = columns[: len(columns) // PHASES * PHASES].reshape(-1, PHASES).sum(axis=0)
    best = int(columns.argmax())
    others = np.delete(columns, best)
    return (best + 1) % PHASES, float(columns[best] / max(1.0, float(np.median(others))))
