"""A published record, looked at afresh: is it what the schedule says, and nothing else?

Rule kept here: this shares no code with what painted the record or with the gate. Its bytes have one form
(`record_form`), its pixels are read with pdfium, and what pdfium shows of a page is held against its picture. Every
function returns faults in words; none raises for a bad file.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pikepdf
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image

from tasks.disclosure.record_form import SPACE, LaidText, OtherFormError, RecordPage, read_form

_NAMES = {
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
"""What a file of another form is likely to hold. Not what is sought: nothing but the one form passes."""

MIN_DARK_SHARE = 0.6
"""Share of a box that must be the one fill value; the rest may be the printed label."""

MAX_FILL = 96
"""Lightest grey level a fill may have."""

BORDER_TOLERANCE = 72
"""The same for its border, in grey levels: where a box ends within a block of a JPEG, the paper beside it rings in."""

TOLERANCE = 40
"""Grey levels a fill may vary by: lossy compression of the label's surroundings."""

LEAST_INK = 12
"""Contrast in grey levels below which a place is blank."""

SLACK_PX = 0.5
"""What a word may reach into a withheld part by: places are rounded."""

REDUCED, MOST_APART = 8, 64
"""Edge of the blocks, px, whose means are compared between a page as shown and its picture, and how many levels they
may differ by: viewers smooth."""

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
    """What a record holds beside its pictures, the words behind them, their font and tags; empty when nothing."""
    try:
        read_form(pdf)
    except OtherFormError as fault:
        return tuple(dict.fromkeys((*_guesses(pdf), str(fault))))
    return ()


def _guesses(pdf: bytes) -> list[str]:
    """What a file of another form probably holds, for people to look for."""
    guesses: list[str] = []
    if len(re.findall(rb"%%EOF", pdf)) != 1 or pdf.rstrip(b"\r\n \0")[-5:] != b"%%EOF":
        guesses.append("an earlier revision or data after its end")
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            if "/Encrypt" in document.trailer:
                guesses.append("encryption")
            names: set[str] = set()
            images = 0
            for item in document.objects:
                names |= _names_in(item)
                images += isinstance(item, pikepdf.Stream) and item.stream_dict.get("/Subtype") == pikepdf.Name.Image
            guesses += sorted({_NAMES[name] for name in names & _NAMES.keys()})
            if images != len(document.pages):
                guesses.append("more or fewer pictures than pages")
    except Exception:  # whatever a hostile file provokes in the parser is a fault of the file
        guesses.append("structure that cannot be read")
    return guesses


def _picture(page: pdfium.PdfPage) -> Image.Image | None:
    """The page's one image as stored; None when there is not exactly one."""
    images = list(page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE], max_depth=4))
    if len(images) != 1:
        return None
    width, height = images[0].get_px_size()
    if width * height > _MAX_PIXELS:
        return None
    picture: Image.Image = images[0].get_bitmap(render=False).to_pil()
    return picture


def _grey(picture: Image.Image) -> NDArray[np.uint8]:
    """Shape (height, width)."""
    return np.asarray(picture.convert("L"))


def _shows_its_picture(page: pdfium.PdfPage, picture: Image.Image) -> bool:
    """Whether a viewer shows the page's picture over the whole page and nothing upon it."""
    width_pt, height_pt = page.get_size()
    if min(width_pt, height_pt) <= 0 or max(width_pt, height_pt) > 20_000:
        return False
    shown = page.render(scale=picture.width / width_pt).to_pil()
    size = max(1, picture.width // REDUCED), max(1, picture.height // REDUCED)
    one, other = (
        np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX), dtype=np.int16)
        for image in (shown, picture)
    )
    return bool(np.abs(one - other).max() <= MOST_APART)


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


class Inspector(Protocol):
    """Looks into a record, as `inspect_record` does."""

    def __call__(
        self,
        pdf: bytes,
        pages_px: Sequence[Sequence[int]],
        boxes: Boxes,
        exemptions: Sequence[str] = (),
        title: str | None = None,
    ) -> RecordFaults:
        """All faults of a record."""
        ...


def inspect_record(
    pdf: bytes,
    pages_px: Sequence[Sequence[int]],
    boxes: Boxes,
    exemptions: Sequence[str] = (),
    title: str | None = None,
) -> RecordFaults:
    """All faults of a record: where it differs from what the schedule says of it, and what it holds beside that.

    Args:
        pdf: the published file.
        pages_px: (width, height) in px of each page.
        boxes: (1-based page, box in px) of every withheld part.
        exemptions: the one of each box, in their order: what may be read out in its place. Without them, nothing may.
        title: of the record; None when any will do.
    """
    hidden = list(hidden_content(pdf))
    form = None if hidden else read_form(pdf)
    if form is not None and title is not None and form.title != _as_titled(title):
        hidden.append("another title than the schedule's")
    named = [*exemptions, *[""] * (len(boxes) - len(exemptions))]
    parts = [_Part(page, box, exemption) for (page, box), exemption in zip(boxes, named, strict=True)]
    page_faults: list[str] = []
    box_faults: list[str] = []
    try:
        document = pdfium.PdfDocument(pdf)
    except Exception:
        return RecordFaults(("it cannot be opened",), (), tuple(hidden))
    try:
        if len(document) != len(pages_px):
            page_faults.append(f"it has {len(document)} pages, the schedule says {len(pages_px)}")
        for number in range(1, min(len(document), len(pages_px)) + 1):
            page = document[number - 1]
            picture = _picture(page)
            if picture is None:
                page_faults.append(f"page {number} is not exactly one picture")
                continue
            if picture.size != tuple(pages_px[number - 1]):
                page_faults.append(f"page {number} is not of the size the schedule says")
                continue
            own = [part for part in parts if part.page == number]
            bad = _boxes_not_flat(_grey(picture), [part.box for part in own])
            if bad:
                box_faults.append(f"page {number}: {bad} withheld part{'s are' if bad > 1 else ' is'} not painted flat")
            if not _shows_its_picture(page, picture):
                page_faults.append(f"page {number} shows something else than its picture")
            if form is not None:
                hidden += [f"page {number}: {fault}" for fault in _layer_faults(form.pages[number - 1], picture, own)]
        if any(not 1 <= part.page <= len(pages_px) for part in parts):
            box_faults.append("a withheld part lies on a page that does not exist")
    except Exception:
        page_faults.append("a page cannot be read")
    finally:
        document.close()
    return RecordFaults(tuple(page_faults), tuple(box_faults), tuple(hidden))


def _as_titled(title: str) -> str:
    """A title as a file can bear it: without control characters."""
    return "".join(" " if unicodedata.category(char)[0] == "C" else char for char in title).strip()


# ------------------------------------------------------------------------------------------------ the words


@dataclass(frozen=True, slots=True)
class _Part:
    """A box of a withheld part, and the exemption it is withheld under, "" when not known."""

    page: int
    box: Sequence[int]
    exemption: str


def _layer_faults(page: RecordPage, picture: Image.Image, parts: Sequence[_Part]) -> list[str]:
    """What is wrong with the words behind a page: they lie on ink, and in a withheld part only its own notice does."""
    faults: dict[str, None] = {}
    pixels = np.asarray(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"))
    for word in page.words:
        x0, y0, x1, y1 = _in_px(word, picture.size)
        met = [part for part in parts if _meets((x0, y0, x1, y1), part.box)]
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        if any(word.text == f"[withheld: {part.exemption}]" and _holds(part.box, middle) for part in parts):
            continue
        if met:
            faults["words in a withheld part"] = None
        elif SPACE in word.text or not _has_ink(pixels, (x0, y0, x1, y1)):
            faults["words where the page is blank"] = None
    return list(faults)


def _in_px(word: LaidText, size: tuple[int, int]) -> tuple[float, float, float, float]:
    (x0, y0, x1, y1), (width, height) = word.place, size
    return x0 * width, y0 * height, x1 * width, y1 * height


def _meets(place: tuple[float, float, float, float], box: Sequence[int]) -> bool:
    x0, y0, x1, y1 = place
    return x0 + SLACK_PX < box[2] and box[0] + SLACK_PX < x1 and y0 + SLACK_PX < box[3] and box[1] + SLACK_PX < y1


def _holds(box: Sequence[int], point: tuple[float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _has_ink(pixels: NDArray[np.uint8], place: tuple[float, float, float, float]) -> bool:
    """Whether a place on the page, and all of it, is of more than one colour."""
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = (int(edge) for edge in place)
    if x0 < -2 or y0 < -2 or x1 > width + 2 or y1 > height + 2:
        return False
    patch = pixels[max(0, y0 - 2) : y1 + 3, max(0, x0 - 2) : x1 + 3]
    return bool(patch.size) and bool((np.ptp(patch.astype(np.int16), axis=(0, 1)) >= LEAST_INK).any())
