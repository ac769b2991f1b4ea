"""What printing, copying, sending and scanning make of a leaf.

Rule kept here: every quality is a range of settings of the demo's paper and scanner, and the corners of everything that
is known travel through the same transforms as the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import cv2
import numpy as np

from infra.demo.fonts import Face
from infra.demo.paper import Paper
from infra.demo.scanning import FAX_DPI, Scan, Scanner, scan, send_by_fax, threshold
from infra.demo.sheet import Sheet
from tests.corpus.cast import Cast
from tests.corpus.leaf import Leaf, Piece, Point
from tests.corpus.marked import keep, label

DIGITAL_DPI = 150
"""Size at which a page that was never scanned is judged."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a record and where everything on it is.

    Attributes:
        scan: the pixels as the file holds them; None for a page that is drawn, not scanned.
        size_px: width and height of the page as it is judged.
        values: every marked piece and its four corners, px.
        words: every word and its four corners, px.
        mode: bilevel, grey, colour or vector.
    """

    leaf: Leaf
    quality: str
    scan: Scan | None
    size_px: tuple[int, int]
    values: tuple[tuple[Piece, tuple[Point, ...]], ...]
    words: tuple[tuple[Piece, tuple[Point, ...]], ...]
    mode: str
    skew_degrees: float = 0.0
    quarter_turns: int = 0
    jpeg_quality: int = 0


@dataclass(frozen=True, slots=True)
class Passage:
    """Settings of a record's way through the machines."""

    dpi: int
    mode: str
    scanner: Scanner
    toner: float
    specks: int
    jpeg_quality: int
    level: float = 0.62
    wander: float = 0.04
    marks: tuple[Callable[[Paper], None], ...] = field(default=())


def pass_through(
    leaf: Leaf, quality: str, passage: Passage | None, cast: Cast, name: str, verso: Leaf | None = None
) -> Page:
    """The leaf as it arrives.

    Args:
        leaf: as set.
        quality: digital, clean, office, fax or poor.
        passage: what the record's pages go through (see `PASSAGES`); None for pages that are not scanned.
        cast: the record's chance.
        name: of the page; its specks and noise come from it.
        verso: what shines through from behind, on poor pages.
    """
    if passage is None:
        return _drawn(leaf)
    sheet = leaf.draw(passage.dpi)
    paper = Paper(sheet, name, colour=passage.mode == "colour")
    paper.wear_toner(passage.toner, passage.specks)
    if passage.mode == "colour":
        paper.tint(cast.random.choice(((252, 251, 246), (248, 244, 232), (240, 246, 250))))
    if quality == "poor" and verso:
        paper.show_through(_bare(verso, passage.dpi), 0.07)
    for mark in passage.marks:
        mark(paper)
    passage = replace(passage, scanner=_laid_by_hand(passage.scanner, cast.random))
    seen = scan(paper, passage.scanner)
    corners = np.array([(word.left, word.baseline) for word in seen.words[len(leaf.words) :]], float).reshape(-1, 2)
    pixels, corners = _turn(seen.pixels, corners, leaf.turned_by_feeder)
    words = () if leaf.turned_by_feeder else seen.words[: len(leaf.words)]
    seen = Scan(pixels, seen.dpi, words)
    header: Leaf | None = None
    if quality == "fax":
        seen, corners, header = _send(seen, corners, passage, cast, name)
    elif passage.mode == "bilevel":
        seen = threshold(seen, passage.level, passage.wander, cast.random.randrange(1 << 30))
    return _known(leaf, quality, seen, corners, passage, header)


def _laid_by_hand(scanner: Scanner, random: Random) -> Scanner:
    """No two sheets lie alike."""
    slip = 0.3 * abs(scanner.skew_degrees)
    return replace(scanner, skew_degrees=scanner.skew_degrees + random.uniform(-slip, slip))


def _clean(random: Random) -> Passage:
    scanner = Scanner(random.uniform(-0.15, 0.15), blur_px=0.5, noise=0.006, lid=0.95)
    return Passage(random.choice((200, 240, 300)), random.choice(("grey", "colour", "bilevel")), scanner, 0.02, 4, 88)


def _office(random: Random) -> Passage:
    scanner = Scanner(
        random.uniform(-0.9, 0.9),
        (random.uniform(-1, 1), random.uniform(-1, 1)),
        random.choice((0.9, 0.3)),
        random.uniform(0.6, 0.8),
        0.018,
        random.uniform(0, 0.15),
        random.randrange(3),
    )
    marks = random.sample(
        (
            lambda paper: paper.punch((6.5, 6.5), (108, 188)),
            lambda paper: paper.staple(10, 8),
            lambda paper: paper.fold(99 + random.uniform(-3, 3), 0.06),
            lambda paper: paper.smudge_rim(160, 240, 30),
        ),
        2,
    )
    mode = random.choice(("grey", "colour", "bilevel"))
    return Passage(200, mode, scanner, 0.08, 40, 70, 0.6, marks=tuple(marks))


def _fax(random: Random) -> Passage:
    scanner = Scanner(random.uniform(-0.7, 0.7), (0, 4), blur_px=0.7, noise=0.02, lid=0.95)
    return Passage(FAX_DPI[0], "bilevel", scanner, 0.08, 90, 0, random.uniform(0.55, 0.68), 0.04)


def _poor(random: Random) -> Passage:
    scanner = Scanner(
        random.choice((-1, 1)) * random.uniform(0.6, 2.4),
        (random.uniform(-2, 2), random.uniform(-2, 2)),
        random.choice((0.9, 0.2)),
        random.uniform(0.8, 1.05),
        random.uniform(0.022, 0.04),
        random.uniform(0.1, 0.3),
        random.randrange(1, 4),
        black=random.choice((0.06, -0.2, -0.45)),
        white=random.uniform(0.9, 1.1),
    )
    marks = (lambda paper: paper.fold(random.uniform(80, 200), 0.08), lambda paper: paper.smudge_rim(70, 210))
    mode = random.choice(("grey", "grey", "colour", "bilevel"))
    passage = Passage(random.choice((140, 150, 170)), mode, scanner, 0.22, 140, random.randrange(30, 48), marks=marks)
    if mode == "bilevel":  # a threshold needs the full range, or letters vanish altogether
        fair = replace(scanner, black=0.06, white=0.95, noise=0.03)
        return replace(passage, dpi=180, scanner=fair, toner=0.12, level=random.uniform(0.66, 0.74), wander=0.03)
    return passage


PASSAGES: dict[str, Callable[[Random], Passage]] = {"clean": _clean, "office": _office, "fax": _fax, "poor": _poor}
QUALITIES = ("digital", *PASSAGES)


def _drawn(leaf: Leaf) -> Page:
    scale = DIGITAL_DPI / 72
    corners = np.array(leaf.corners(), float).reshape(-1, 2) * scale
    size = (round(leaf.page.rect.width * scale), round(leaf.page.rect.height * scale))
    values, words = _attach(leaf, corners)
    return Page(leaf, "digital", None, size, values, words, "vector")


def _send(
    seen: Scan, corners: np.ndarray, passage: Passage, cast: Cast, name: str
) -> tuple[Scan, np.ndarray, Leaf | None]:
    """Over the line: squeezed down the page, black and white, half of them under a sender's line."""
    corners = corners * (1, FAX_DPI[1] / FAX_DPI[0])
    if cast.random.random() < 0.5:
        height, width = round(seen.pixels.shape[0] * FAX_DPI[1] / FAX_DPI[0]), seen.pixels.shape[1]
        squeezed = cv2.resize(seen.pixels, (width, height), interpolation=cv2.INTER_AREA)
        seed = cast.random.randrange(1 << 30)
        return threshold(Scan(squeezed, FAX_DPI), passage.level, passage.wander, seed), corners, None
    header = Leaf("header", (seen.pixels.shape[1] / FAX_DPI[0] * 25.4, 6))
    sender = f"{cast.date()} {cast.time()}  FROM {cast.body.upper()}  {label('FAX')} {cast.fax()}"
    line = f"{sender}  TO {label('FAX')} {cast.fax()}"
    header.text(6, 1, f"{line}  P.{keep('PAGE', '01')}", 8.5, Face.MONO)
    sent = send_by_fax(seen, _bare(header, FAX_DPI[0]), cast.random.randrange(1 << 30), lost_lines=4)
    return sent, corners, header


def _bare(leaf: Leaf, dpi: float) -> Sheet:
    sheet = leaf.draw(dpi)
    sheet.words.clear()
    return sheet


def _turn(pixels: np.ndarray, corners: np.ndarray, turns: int) -> tuple[np.ndarray, np.ndarray]:
    """Quarter turns clockwise of pixels and points."""
    for _ in range(turns):
        corners = np.stack([pixels.shape[0] - corners[:, 1], corners[:, 0]], axis=1)
        pixels = np.rot90(pixels, -1)
    return np.ascontiguousarray(pixels), corners


def _known(leaf: Leaf, quality: str, seen: Scan, corners: np.ndarray, passage: Passage, header: Leaf | None) -> Page:
    values, words = _attach(leaf, corners)
    if header:
        over = np.array(header.corners(), float) * (FAX_DPI[0] / 72, FAX_DPI[1] / 72)
        more_values, more_words = _attach(header, over)
        values, words = values + more_values, words + more_words
    size = (seen.pixels.shape[1], seen.pixels.shape[0])
    skew, turns = passage.scanner.skew_degrees, leaf.turned_by_feeder
    return Page(leaf, quality, seen, size, values, words, passage.mode, skew, turns, passage.jpeg_quality)


Pinned = tuple[tuple[Piece, tuple[Point, ...]], ...]


def _attach(leaf: Leaf, corners: np.ndarray) -> tuple[Pinned, Pinned]:
    quads = [tuple((float(x), float(y)) for x, y in quad) for quad in corners.reshape(-1, 4, 2)]
    split = len(leaf.values)
    return tuple(zip(leaf.values, quads[:split], strict=True)), tuple(zip(leaf.words, quads[split:], strict=True))
