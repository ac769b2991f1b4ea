"""The only place that runs the second reader: PP-OCR by way of RapidOCR, on the processor, offline.

Rule kept here: it fails on other glyphs than Tesseract does, so what it reads stands beside Tesseract's reading and
never in its place. Its models lie inside the wheel; nothing is fetched. It runs in one thread: whoever calls decides
how many pages are read at once.

Measured on 49 doubtful development pages beside Tesseract's first reading and a coarser one, against that and a finer
one: faxes 95.6 % to 98.0 % of contact details found, poor scans 80 % to 89 %. Lines are sought at `SOUGHT_AT_PX`,
where that costs half a Tesseract pass, and read at full resolution.
"""

from __future__ import annotations

import logging
import math
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tasks.errors import ReaderUnavailableError
from tasks.geometry import Box
from tasks.model import Word
from tasks.reading.alphabet import cut_model
from tasks.reading.stretches import INK_SHARE, by_line, still_to_read
from tasks.reading.tighten import cut_to_line, find_ink

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECOGNISER = "PP-OCRv6_rec_small.onnx"

SOUGHT_AT_PX = 1280
"""Longer side of the page in px when lines are sought."""

EDGE_PX = 3
"""A word so near the edge of a place may go on beyond it."""

SLANTED_DEG = 3.0
"""A line found at a steeper angle is a stamp's or a hand's: its words have no rows of their own to be cut to."""

TILTED = 1.3
"""A line whose upright box is so many times as tall as itself may hold words of its neighbours."""

_STROKED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "ħ": "h", "ı": "i", "ß": "B", "æ": "ae"})

_SETTINGS = {
    "Global.use_cls": False,  # its angle classifier turns digits upside down
    "Global.log_level": "critical",
    "Global.text_score": 0.0,  # low confidence never hides text
    "Global.return_word_box": True,
    "Global.max_side_len": 20_000,
    "Det.limit_side_len": SOUGHT_AT_PX,
    "Det.limit_type": "max",
    "Rec.rec_batch_num": 1,  # lines of other widths would be padded to the widest: 17 % of its time
    "Rec.rec_img_shape": [3, 48, 64],  # and short ones to 320 px: a fifth of what it would look at
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it was found: its corners clockwise from the upper left, and the upright box around them."""

    corners: NDArray[np.float32]
    box: Box

    @property
    def slanted(self) -> bool:
        """Whether its upper edge is far from level."""
        (x0, y0), (x1, y1) = self.corners[0], self.corners[1]
        return abs(math.degrees(math.atan2(float(y1 - y0), float(x1 - x0)))) > SLANTED_DEG

    @property
    def level(self) -> bool:
        """Whether it runs from left to right and the upright box holds little beside it."""
        height = float(np.linalg.norm(self.corners[3] - self.corners[0]))
        return self.box.height <= min(TILTED * height, self.box.width)

    def between(self, x0: int, x1: int) -> NDArray[np.float32]:
        """Corners of the part of a level line from one column to another."""
        shares = np.array([[(x - self.box.x0) / self.box.width] for x in (x0, x1)])
        upper_left, upper_right, lower_right, lower_left = self.corners
        above = upper_left + shares * (upper_right - upper_left)
        below = lower_left + shares * (lower_right - lower_left)
        return np.concatenate((above, below[::-1])).astype(np.float32)


def prepare() -> None:
    """Import the engine (about 1 CPU s), so that processes forked from this one need not."""
    import rapidocr  # noqa: F401


def load() -> None:
    """Load the models as well (about 1 CPU s more); they take no thread, so that a forked process has them too."""
    _engine()


def is_loaded() -> bool:
    """Whether this process has the models."""
    return _engine.cache_info().currsize > 0


def recognise_lines(grey: NDArray[np.uint8], known: Sequence[Word] = ()) -> tuple[Word, ...]:
    """The words of one raster, line by line from the top.

    Args:
        grey: (height, width), dark text on light.
        known: words that need no reading, in px of `grey`; the rest of their lines is read with the nearest of them.

    Returns:
        Words with boxes in px of `grey`, as high as the ink of their line; confidences 0 to 100. Known words that stand
        on a line and were not read again are among them as they are.

    Raises:
        ReaderUnavailableError: the engine failed.
    """
    image = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    lines = _find_lines(image)
    if not lines:
        return ()
    ink = find_ink(grey, INK_SHARE * float(np.median([line.box.height for line in lines])))
    found: list[Word] = []
    for ordinal, (line, there) in enumerate(zip(lines, by_line([line.box for line in lines], known), strict=True)):
        words = _read_line(image, ink, line, there)
        found += [replace(word, line=ordinal) for word in words]
    return tuple(found)


def recognise_places(grey: NDArray[np.uint8], places: Sequence[Box], known: Sequence[Word] = ()) -> tuple[Word, ...]:
    """The words in some places of a raster, place by place.

    Args:
        grey: (height, width), dark text on light.
        places: in px of `grey`.
        known: words that need no reading, in px of `grey`.

    Returns:
        As `recognise_lines`, but for words that the edge of a place may cut.

    Raises:
        ReaderUnavailableError: the engine failed.
    """
    height, width = grey.shape
    found: list[Word] = []
    for place in places:
        inner = Box(
            place.x0 + EDGE_PX if place.x0 else 0,
            place.y0 + EDGE_PX if place.y0 else 0,
            place.x1 - EDGE_PX if place.x1 < width else width,
            place.y1 - EDGE_PX if place.y1 < height else height,
        )
        lines = found[-1].line + 1 if found else 0
        here = [replace(word, box=word.box.moved(-place.x0, -place.y0)) for word in known if inner.contains(word.box)]
        for word in recognise_lines(np.ascontiguousarray(grey[place.y0 : place.y1, place.x0 : place.x1]), here):
            box = word.box.moved(place.x0, place.y0)
            if inner.contains(box):
                found.append(replace(word, box=box, line=lines + word.line))
    return tuple(found)


def _find_lines(image: NDArray[np.uint8]) -> list[_Line]:
    """From the top; those at the same height from the left."""
    height, width = image.shape[:2]
    with _answering():
        found = _engine()(image, use_det=True, use_rec=False).boxes
    quads = [] if found is None else [np.asarray(corners, dtype=np.float32) for corners in found]
    lines = [_Line(quad, _box_of(quad).clipped(width, height)) for quad in quads]
    return sorted((line for line in lines if line.box.area), key=lambda line: (line.box.y0, line.box.x0))


def _read_line(image: NDArray[np.uint8], ink: NDArray[np.uint8], line: _Line, known: Sequence[Word]) -> Sequence[Word]:
    """The words of a line from the left, the known ones among them where they were not read again."""
    if not line.level:
        return _placed(_read_part(image, line.corners), line, ink)
    stretch = still_to_read(ink, line.box, [word.box for word in known])
    if stretch is None:
        return known
    words = _placed(_read_part(image, line.between(*stretch)), line, ink)
    words += [word for word in known if not stretch[0] <= word.box.center[0] < stretch[1]]
    return sorted(words, key=lambda word: word.box.x0)


def _placed(read: Iterable[tuple[str, float, Any]], line: _Line, ink: NDArray[np.uint8]) -> list[Word]:
    """Words with boxes as high as their line's ink; those of a slanted line keep the boxes around their corners."""
    height, width = ink.shape
    words = []
    for text, score, corners in read:
        box = _box_of(np.asarray(corners))
        if not line.slanted:
            box = Box(box.x0, line.box.y0, box.x1, line.box.y1)
        box = box.clipped(width, height)
        if box.area and text.strip():
            tight = box if line.slanted else cut_to_line(ink, box, INK_SHARE * line.box.height)
            words.append(Word(_plain(text.strip()), tight, 100.0 * float(score), 0))
    return words


def _read_part(image: NDArray[np.uint8], corners: NDArray[np.float32]) -> Sequence[tuple[str, float, Any]]:
    """Text, score (0 to 1) and corners of each word between four corners."""
    with _answering():
        parts = _engine().crop_text_regions(image, [corners])
        answer = _engine().recognize_txt(parts)
        if not answer.txts[0].strip():
            return ()
        return next(iter(_engine().calc_word_boxes(parts, [corners], answer)), ())


@contextmanager
def _answering() -> Iterator[None]:
    """Within it, whatever goes wrong is the engine's failure."""
    try:
        yield
    except Exception as error:
        raise ReaderUnavailableError(f"The second reader failed: {type(error).__name__}.") from None


def _plain(text: str) -> str:
    """Without the accents and strokes that it sees in worn letters: its alphabet is all of Latin, ours is English."""
    bare = unicodedata.normalize("NFKD", text.translate(_STROKED))
    return "".join(c for c in bare if not unicodedata.combining(c)) or text


def _box_of(corners: NDArray[Any]) -> Box:
    """The upright box around four corners."""
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Box(int(x0), int(y0), int(np.ceil(x1)), int(np.ceil(y1)))


@cache
def _engine() -> Any:
    import rapidocr

    with tempfile.TemporaryDirectory() as scratch:
        recogniser = Path(scratch) / RECOGNISER
        recogniser.write_bytes(cut_model(Path(rapidocr.__file__).parent / "models" / RECOGNISER))
        engine = rapidocr.RapidOCR(params={**_SETTINGS, "Rec.model_path": str(recogniser)})
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        blank = np.full((48, 256, 3), 255, np.uint8)
        engine(blank, use_det=True, use_rec=False)  # models are loaded when they are first asked
        engine(blank, use_det=False, use_rec=True)
    return engine
