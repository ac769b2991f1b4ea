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
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from tasks.errors import ReaderUnavailableError
from tasks.geometry import Box
from tasks.model import Word
from tasks.reading.tighten import cut_to_line, find_ink

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOUGHT_AT_PX = 1280
"""Longer side of the page in px when lines are sought."""

INK_SHARE = 0.7
"""Share of a found line's height that is a line of letters; the rest is margin."""

EDGE_PX = 3
"""A word so near the edge of a place may go on beyond it."""

SLANTED_DEG = 3.0
"""A line found at a steeper angle is a stamp's or a hand's: its words have no rows of their own to be cut to."""

_STROKED = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "ħ": "h", "ı": "i", "ß": "B", "æ": "ae"})

_SETTINGS = {
    "Global.use_cls": False,  # its angle classifier turns digits upside down
    "Global.log_level": "critical",
    "Global.text_score": 0.0,  # low confidence never hides text
    "Global.return_word_box": True,
    "Global.max_side_len": 20_000,
    "Det.limit_side_len": SOUGHT_AT_PX,
    "Rec.rec_batch_num": 1,  # lines of other widths would be padded to the widest: 17 % of its time
    "Det.limit_type": "max",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def prepare() -> None:
    """Import the engine (about 1 CPU s), so that processes forked from this one need not."""
    import rapidocr  # noqa: F401


def load() -> None:
    """Load the models as well (about 1 CPU s more); they take no thread, so that a forked process has them too."""
    blank = np.full((48, 256, 3), 255, np.uint8)
    _engine()(blank, use_det=True, use_rec=False)
    _engine()(blank, use_det=False, use_rec=True)


def is_loaded() -> bool:
    """Whether this process has the models."""
    return _engine.cache_info().currsize > 0


def recognise_lines(grey: NDArray[np.uint8]) -> tuple[Word, ...]:
    """The words of one raster, line by line from the top.

    Args:
        grey: (height, width), dark text on light.

    Returns:
        Words with boxes in px of `grey`, as high as the ink of their line; confidences 0 to 100.

    Raises:
        ReaderUnavailableError: the engine failed.
    """
    try:
        answer = _engine()(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), use_det=True, use_rec=True)
    except Exception as error:
        raise ReaderUnavailableError(f"The second reader failed: {type(error).__name__}.") from None
    if answer.boxes is None:
        return ()
    lines = sorted(
        (
            (_box_of(corners), _slant_deg(corners) > SLANTED_DEG, words)
            for corners, words in zip(answer.boxes, answer.word_results, strict=True)
        ),
        key=lambda line: (line[0].y0, line[0].x0),
    )
    if not lines:
        return ()
    height, width = grey.shape
    ink = find_ink(grey, INK_SHARE * float(np.median([line.height for line, _, _ in lines])))
    found = []
    for ordinal, (line, slanted, words) in enumerate(lines):
        for text, score, corners in filter(None, words):
            span = _box_of(np.asarray(corners))
            box = (span if slanted else Box(span.x0, line.y0, span.x1, line.y1)).clipped(width, height)
            if box.area and text.strip():
                tight = box if slanted else cut_to_line(ink, box, INK_SHARE * line.height)
                found.append(Word(_plain(text.strip()), tight, 100.0 * float(score), ordinal))
    return tuple(found)


def recognise_places(grey: NDArray[np.uint8], places: Sequence[Box]) -> tuple[Word, ...]:
    """The words in some places of a raster, place by place.

    Args:
        grey: (height, width), dark text on light.
        places: in px of `grey`.

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
        for word in recognise_lines(np.ascontiguousarray(grey[place.y0 : place.y1, place.x0 : place.x1])):
            box = word.box.moved(place.x0, place.y0)
            if inner.contains(box):
                found.append(replace(word, box=box, line=lines + word.line))
    return tuple(found)


def _plain(text: str) -> str:
    """Without the accents and strokes that it sees in worn letters: its alphabet is all of Latin, ours is English."""
    bare = unicodedata.normalize("NFKD", text.translate(_STROKED))
    return "".join(c for c in bare if not unicodedata.combining(c)) or text


def _slant_deg(corners: NDArray[Any]) -> float:
    """How far the upper edge of a found line is from level."""
    (x0, y0), (x1, y1) = corners[0], corners[1]
    return abs(math.degrees(math.atan2(float(y1 - y0), float(x1 - x0))))


def _box_of(corners: NDArray[Any]) -> Box:
    """The upright box around four corners."""
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Box(int(x0), int(y0), int(np.ceil(x1)), int(np.ceil(y1)))


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    engine = RapidOCR(params=_SETTINGS)
    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return engine
