"""A published record, looked at afresh: is it what the schedule says, and nothing else?

Rule kept here: this shares no code with what painted the record or with the gate. Structure is read with pikepdf,
pixels with pdfium. Every function returns faults in words; none raises for a bad file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pikepdf
import pypdfium2 as pdfium
from numpy.typing import NDArray

_FORBIDDEN = {
    "/AcroForm": "a form",
    "/AF": "an attached file",
    "/AA": "an action",
    "/ActualText": "words in its tags that nobody sees",
    "/Annots": "an annotation",
    "/Collection": "a portfolio",
    "/EmbeddedFile": "an attached file",
    "/EmbeddedFiles": "an attached file",
    "/JavaScript": "a script",
    "/JS": "a script",
    "/OCG": "a layer",
    "/OCProperties": "a layer",
    "/OpenAction": "an action",
    "/PieceInfo": "private data of a program",
    "/SMask": "a mask over a picture",
    "/Thumb": "a thumbnail",
    "/XFA": "a form",
}

MIN_DARK_SHARE = 0.6
"""Share of a box that must be the one fill value; the rest may be the printed label."""

MAX_FILL = 96
"""Lightest grey level a fill may have."""

BORDER_TOLERANCE = 72
"""The same for its border, in grey levels: where a box ends within a block of a JPEG, the paper beside it rings in."""

TOLERANCE = 40
"""Grey levels a fill may vary by: lossy compression of the label's surroundings."""

_MAX_PIXELS = 200_000_000


def _names_in(item: Any, depth: int = 0) -> set[str]:
    """Every dictionary key and type name below one object, not following references."""
    if not isinstance(item, pikepdf.Object) or depth > 50 or (depth and item.is_indirect):
        return set()
    found: set[str] = set()
    if isinstance(item, pikepdf.Stream):
        item = item.stream_dict
    if isinstance(item, pikepdf.Dictionary):
        for key, value in item.items():
            found.add(key)
            if key in ("/Type", "/S", "/Subtype") and isinstance(value, pikepdf.Name):
                found.add(str(value))
            found |= _names_in(value, depth + 1)
    elif isinstance(item, pikepdf.Array):
        for value in item.as_list():
            found |= _names_in(value, depth + 1)
    return found


def hidden_content(pdf: bytes) -> tuple[str, ...]:
    """What a record holds beside one picture and one text layer a page; empty when nothing."""
    faults: list[str] = []
    if len(re.findall(rb"%%EOF", pdf)) != 1 or pdf.rstrip(b"\r\n \0")[-5:] != b"%%EOF":
        faults.append("an earlier revision or data after its end")
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            if "/Encrypt" in document.trailer:
                faults.append("encryption")
            names: set[str] = set()
            images = 0
            for item in document.objects:
                names |= _names_in(item)
                images += isinstance(item, pikepdf.Stream) and item.stream_dict.get("/Subtype") == pikepdf.Name.Image
            faults += sorted({_FORBIDDEN[name] for name in names & _FORBIDDEN.keys()})
            if images != len(document.pages):
                faults.append("more or fewer pictures than pages")
    except Exception:  # whatever a hostile file provokes in the parser is a fault of the file
        faults.append("structure that cannot be read")
    return tuple(dict.fromkeys(faults))


def _picture(page: pdfium.PdfPage) -> NDArray[np.uint8] | None:
    """The page's one image as stored, grey, shape (height, width); None when there is not exactly one."""
    images = list(page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=4))
    if len(images) != 1:
        return None
    width, height = images[0].get_px_size()
    if width * height > _MAX_PIXELS:
        return None
    pixels: NDArray[np.uint8] = np.asarray(images[0].get_bitmap(render=False).to_pil().convert("L"))
    return pixels


def is_flat(pixels: NDArray[np.uint8], box: Sequence[int], others: Sequence[Sequence[int]] = ()) -> bool:
    """Whether a box is one dark value, but for the label printed in it.

    Its border is all fill and so is most of its area: what is not may be a label, not a picture.

    Args:
        pixels: grey page, shape (height, width).
        box: x0, y0, x1, y1 in px, half-open.
        others: boxes of the same page; where this box's border runs through one, that one's label may cross it.
    """
    x0, y0, x1, y1 = box
    height, width = pixels.shape
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        return False
    inside = pixels[y0:y1, x0:x1].astype(np.int16)
    judged = np.ones(inside.shape, dtype=np.bool_)
    judged[1:-1, 1:-1] = False
    for a0, b0, a1, b1 in others:
        judged[max(0, b0 + 1 - y0) : max(0, b1 - 1 - y0), max(0, a0 + 1 - x0) : max(0, a1 - 1 - x0)] = False
    fill = int(np.median(inside))
    if fill > MAX_FILL or bool((np.abs(inside[judged] - fill) > BORDER_TOLERANCE).any()):
        return False
    return bool((np.abs(inside - fill) <= TOLERANCE).mean() >= MIN_DARK_SHARE)


def _boxes_not_flat(pixels: NDArray[np.uint8], boxes: Sequence[Sequence[int]]) -> int:
    return sum(
        not is_flat(pixels, box, [other for at, other in enumerate(boxes) if at != index and other != box])
        for index, box in enumerate(boxes)
    )


def record_faults(
    pdf: bytes, pages_px: Sequence[Sequence[int]], boxes: Sequence[tuple[int, Sequence[int]]]
) -> tuple[list[str], list[str]]:
    """Where a record differs from what the schedule says of it.

    Args:
        pdf: the published file.
        pages_px: (width, height) in px of each page.
        boxes: (1-based page, box in px) of every withheld part.

    Returns:
        Faults of the pages, and faults of the withheld parts.
    """
    page_faults: list[str] = []
    box_faults: list[str] = []
    try:
        document = pdfium.PdfDocument(pdf)
    except Exception:
        return ["it cannot be opened"], []
    try:
        if len(document) != len(pages_px):
            page_faults.append(f"it has {len(document)} pages, the schedule says {len(pages_px)}")
        for number in range(1, min(len(document), len(pages_px)) + 1):
            pixels = _picture(document[number - 1])
            if pixels is None:
                page_faults.append(f"page {number} is not exactly one picture")
                continue
            if (pixels.shape[1], pixels.shape[0]) != tuple(pages_px[number - 1]):
                page_faults.append(f"page {number} is not of the size the schedule says")
                continue
            bad = _boxes_not_flat(pixels, [box for page, box in boxes if page == number])
            if bad:
                box_faults.append(f"page {number}: {bad} withheld part{'s are' if bad > 1 else ' is'} not painted flat")
        if any(not 1 <= page <= len(pages_px) for page, _ in boxes):
            box_faults.append("a withheld part lies on a page that does not exist")
    except Exception:
        page_faults.append("a page cannot be read")
    finally:
        document.close()
    return page_faults, box_faults


# ------------------------------------------------------------------------------------------------ all of it


@dataclass(frozen=True, slots=True)
class RecordFaults:
    """What is wrong with one record, in words.

    Attributes:
        pages: that its pages are not those of the schedule.
        boxes: that a withheld part is not painted.
        hidden: that it holds something beside what is seen.
    """

    pages: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


Boxes = Sequence[tuple[int, Sequence[int]]]
Inspector = Callable[[bytes, Sequence[Sequence[int]], Boxes], RecordFaults]


def inspect_record(pdf: bytes, pages_px: Sequence[Sequence[int]], boxes: Boxes) -> RecordFaults:
    """All faults of a record; arguments as in `record_faults`."""
    pages, parts = record_faults(pdf, pages_px, boxes)
    return RecordFaults(tuple(pages), tuple(parts), hidden_content(pdf))
