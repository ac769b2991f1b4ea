"""How much of what should be gone is gone, told from pixels and bytes alone.

Rule kept here: nothing of the redaction's own code or reports decides whether a detail is gone. The original is judged
against truth for where the ink was, the output for whether that ink still shows against what was paper beside it; the
images inside a PDF are judged by themselves as well, so a box laid over an untouched scan hides nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray
from PIL import Image, ImageSequence

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

REDACTED_FROM = 0.98
"""Share of a detail's ink that must be gone for it to count as redacted."""

MISSED_BELOW = 0.10
"""Below this share nothing was done; between the two it is partial."""

DESTROYED_ABOVE = 0.50
"""Share of the ink of a word that should have stayed from which it is lost to a reader."""

LEAST_CONTRAST = 14
"""Grey levels (of 255) between ink and paper below which there is nothing to judge."""

STANDS_OUT = 0.33
"""Part of the original contrast that a pixel must still have against its paper to be seen."""

UNTOUCHED = 25
"""Grey levels that resampling and compression may part a page from itself."""

RESEMBLES = 0.5
"""Correlation with the original below which what stands in a patch is something else, e.g. a printed reason."""

FILLED_FROM = 0.05
"""Share of the paper that must have changed for there to be a fill."""

SAME_LEVEL = 6
"""Grey levels that compression may part within one fill."""

LEAKED_RUN = 4
"""Letters and digits of a detail that can be copied out in a row before they count as a leak."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one planted item.

    Attributes:
        role: withheld, public or kept.
        gone: share of its ink that is gone; None when it cannot be judged.
        leaked: whether its characters can be copied from its place, or its text found in the file's bytes.
        status: REDACTED, PARTIAL, MISSED; WITHHELD when the whole file was; UNREADABLE when no ink stands out.
    """

    file: str
    page: int
    quality: str
    template: str
    role: str
    kind: str
    form: str
    text: str = field(repr=False)
    gone: float | None
    status: str
    leaked: bool = False

    @property
    def safe(self) -> bool:
        """Whether nothing of it can be had from the output."""
        return self.status not in ("PARTIAL", "MISSED") and not self.leaked


@dataclass(frozen=True, slots=True)
class PageScore:
    """One page: how much of the rest was lost, and how strongly a person is asked to look (0 to 1)."""

    file: str
    page: int
    quality: str
    review: float
    words: int
    words_destroyed: int


@dataclass(frozen=True, slots=True)
class FileScore:
    """One record."""

    verdicts: tuple[Verdict, ...]
    pages: tuple[PageScore, ...]
    hidden: int
    hidden_leaked: int
    outcome: str


def score_set(folder: Path, outputs: Path) -> Iterator[FileScore]:
    """Every record of a set that `foi redact FOLDER/requests --output OUTPUTS` was run on."""
    for path in sorted(folder.glob("truth/*/records/*.json")):
        truth = json.loads(path.read_text())
        stem = Path(truth["file"]).with_suffix("")
        yield score_record(
            truth, folder / "requests" / truth["file"], outputs / f"{stem}.pdf", outputs / f"{stem}.json"
        )


def score_record(truth: dict[str, Any], source: Path, output: Path, report: Path) -> FileScore:
    """One record against its truth. Without an output its details are withheld, and so is everything else on it."""
    known = json.loads(report.read_text()) if report.exists() else {}
    reviews = {review["page"]: review["score"] for review in known.get("reviews", [])}
    if not output.exists():
        withheld = tuple(
            _verdict(truth, page, item, None, "WITHHELD") for page in truth["pages"] for item in _items(page)
        )
        pages = tuple(PageScore(truth["file"], p["page"], p["profile"], 1.0, 0, 0) for p in truth["pages"])
        return FileScore(withheld, pages, len(truth["hidden"]), 0, known.get("outcome", "absent"))
    verdicts, pages = [], []
    written = _squeeze(everything_written(output))
    with pypdfium2.PdfDocument(output) as document:
        for page in truth["pages"]:
            page = _enlarged(page) if page["born_digital"] else page
            size = (page["width"], page["height"])
            original = read_original(source, page["page"], size)
            sheet = document[page["page"]]
            views = [render(sheet, size), *raw_images(sheet, size)]
            letters = copied_letters(sheet, size)
            for item in _items(page):
                gone = share_gone(original, views, item["quads"], item.get("polarity"))
                leaked = _role(item) == "withheld" and (_is_copied(item, letters) or _is_written(item, written))
                verdicts.append(_verdict(truth, page, item, gone, _status(gone), leaked))
            judged = [share_gone(original, views, [_quad(w)], None) for w in _other_words(page)]
            seen = [gone for gone in judged if gone is not None]
            lost = sum(gone > DESTROYED_ABOVE for gone in seen)
            review = reviews.get(page["page"], 0.0)
            pages.append(PageScore(truth["file"], page["page"], page["profile"], review, len(seen), lost))
    hidden = sum(_squeeze(text) in written for text in truth["hidden"])
    return FileScore(tuple(verdicts), tuple(pages), len(truth["hidden"]), hidden, known.get("outcome", ""))


def wilson(hits: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson 1927); (0, 1) when nothing was counted."""
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


# ------------------------------------------------------------------------------------------------ pixels


def read_original(source: Path, page: int, size: tuple[int, int]) -> Grey:
    """One page of a source as grey pixels of the size it is judged at."""
    if source.suffix.lower() == ".pdf":
        with pypdfium2.PdfDocument(source) as document:
            return render(document[page], size)
    with Image.open(source) as image:
        frame = ImageSequence.Iterator(image)[page]
        return _fitted(np.array(frame.convert("L")), size)


def render(page: pypdfium2.PdfPage, size: tuple[int, int]) -> Grey:
    """A page as a reader shows it, without annotations."""
    width, height = page.get_size()
    scale = max(size[0] / width, size[1] / height)
    bitmap = page.render(scale=scale, draw_annots=False, may_draw_forms=False, grayscale=True)
    return _fitted(bitmap.to_numpy().reshape(bitmap.height, bitmap.width, -1)[..., 0], size)


def raw_images(page: pypdfium2.PdfPage, size: tuple[int, int]) -> list[Grey]:
    """The images inside a page by themselves, each where the page puts it; nothing drawn over them."""
    if page.get_rotation():
        raise ValueError("a turned page: its images cannot be put in place")
    across, down = size[0] / page.get_width(), size[1] / page.get_height()
    found = []
    for image in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE]):
        pixels = np.asarray(image.get_bitmap(render=False).to_pil().convert("L"))
        a, b, c, d, e, f = image.get_matrix().get()
        wide, high = pixels.shape[1], pixels.shape[0]
        place = np.array(  # px of the image -> the unit square, up -> pt of the page, up -> px of the page
            [
                [a / wide * across, -c / high * across, (c + e) * across],
                [-b / wide * down, d / high * down, size[1] - (d + f) * down],
            ]
        )
        if (
            np.allclose(place[:, :2], np.diag([size[0] / wide, size[1] / high]), atol=1e-3)
            and abs(place[:, 2]).max() < 1
        ):
            found.append(_fitted(pixels, size))
        else:
            found.append(cv2.warpAffine(pixels, place, size, flags=cv2.INTER_LINEAR, borderValue=255))
    return found


def share_gone(
    original: Grey, views: Sequence[Grey], quads: Sequence[Sequence[Sequence[float]]], polarity: str | None
) -> float | None:
    """The share of the ink inside `quads` that no view shows any more; None when there is no ink to judge.

    Args:
        original: the page as it was.
        views: the same page of the output, seen in different ways.
        quads: corners in px, one for each piece of a line.
        polarity: "dark" or "light" ink; None to take the smaller part for ink.
    """
    total = left = 0
    for quad in quads:
        corners = np.asarray(quad, float)
        (left_px, top), (right, bottom) = (
            np.maximum(np.floor(corners.min(0)), 0).astype(int),
            np.ceil(corners.max(0)).astype(int) + 1,
        )
        place = np.s_[top:bottom, left_px:right]
        before = original[place]
        if before.size < 12:
            continue
        inside = np.zeros(before.shape, np.uint8)
        cv2.fillConvexPoly(inside, np.round(corners - (left_px, top)).astype(np.int32), 1)
        split = _split(before, inside > 0, polarity)
        if split is None:
            continue
        ink, paper, contrast = split
        visible = np.zeros(before.shape, bool)
        for view in views:
            visible |= _visible(before, view[place], ink, paper, contrast)
        total += int(ink.sum())
        left += int(visible.sum())
    return 1 - left / total if total else None


def _split(before: Grey, inside: Mask, polarity: str | None) -> tuple[Mask, Mask, float] | None:
    """Ink, paper and how far apart they are, signed: above 0 when the ink is the darker."""
    levels = before[inside]
    if levels.size < 12:
        return None
    level, _ = cv2.threshold(levels.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark, bright = inside & (before <= level), inside & (before > level)
    ink_is_dark = dark.sum() <= bright.sum() if polarity is None else polarity == "dark"
    ink, paper = (dark, bright) if ink_is_dark else (bright, dark)
    if ink.sum() < 6 or paper.sum() < 6:
        return None
    contrast = float(before[paper].mean()) - float(before[ink].mean())
    return (ink, paper, contrast) if abs(contrast) >= LEAST_CONTRAST else None


def _visible(before: Grey, after: Grey, ink: Mask, paper: Mask, contrast: float) -> Mask:
    """Ink pixels that still stand out from the nearest spot that was clear paper; all of them where nothing changed."""
    if np.abs(after.astype(np.int16) - before)[ink | paper].max() <= UNTOUCHED:
        return ink
    near_ink = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    clear = paper & ~near_ink
    clear = clear if clear.sum() >= 6 else paper
    _, nearest = cv2.distanceTransformWithLabels(
        np.where(clear, 0, 1).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    level_of = np.zeros(int(nearest.max()) + 1, np.float32)
    level_of[nearest[clear]] = after[clear]
    difference = (level_of[nearest] - after) / contrast
    visible = ink & (difference > STANDS_OUT)
    if not visible.any():
        return visible
    left = ~_filled(before, after, ink, paper, abs(contrast))
    return visible & _resembling(before, after, left)


def _resembling(before: Grey, after: Grey, left: Mask) -> Mask:
    """Patches, as long as the line is high, whose part `left` without a fill looks like the original."""
    wide = before.shape[1] >= before.shape[0]
    edge = max(10, min(before.shape))
    alike = np.zeros(before.shape, bool)
    for start in range(0, max(before.shape), edge):
        patch = np.s_[:, start : start + edge] if wide else np.s_[start : start + edge, :]
        old, new = (level[patch][left[patch]].astype(np.float32) for level in (before, after))
        if old.size >= 6:
            old, new = old - old.mean(), new - new.mean()
            alike[patch] = float(old @ new) > RESEMBLES * float(np.linalg.norm(old) * np.linalg.norm(new))
    return alike


def _filled(before: Grey, after: Grey, ink: Mask, paper: Mask, contrast: float) -> Mask:
    """Areas of one level, wider than a stroke of the pen, that lie where paper was and are unlike it."""
    changed = paper & (np.abs(after.astype(np.int16) - before) > contrast / 2)
    if changed.sum() < FILLED_FROM * paper.sum():
        return np.zeros(before.shape, bool)
    level = int(np.bincount(after[changed]).argmax())
    flat = (np.abs(after.astype(np.int16) - level) <= SAME_LEVEL).astype(np.uint8)
    stroke = 2 * float(cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3).max())
    wider = np.ones((int(stroke) + 3,) * 2, np.uint8)
    return np.asarray(cv2.morphologyEx(flat, cv2.MORPH_OPEN, wider) > 0)


def _fitted(pixels: Grey, size: tuple[int, int]) -> Grey:
    pixels = np.ascontiguousarray(pixels)
    if pixels.shape[::-1] == size:
        return pixels
    shrinks = pixels.shape[1] > size[0]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


# ------------------------------------------------------------------------------------------------ text


def copied_letters(page: pypdfium2.PdfPage, size: tuple[int, int]) -> list[tuple[float, float, str]]:
    """Every letter and digit that can be copied from a page, with the centre of its box in px."""
    text = page.get_textpage()
    across, down = size[0] / page.get_width(), size[1] / page.get_height()
    found = []
    for index in range(text.count_chars()):
        character = chr(pdfium_c.FPDFText_GetUnicode(text, index))
        if character.isalnum():
            left, bottom, right, top = text.get_charbox(index)
            found.append(((left + right) / 2 * across, size[1] - (bottom + top) / 2 * down, character.lower()))
    return found


def everything_written(path: Path) -> str:
    """Whatever a PDF says in bytes, decoded streams and strings, and what can be copied out of it."""
    parts = [path.read_bytes().decode("latin-1")]
    with pikepdf.open(path) as pdf:
        for each in pdf.objects:
            if isinstance(each, pikepdf.Stream) and each.get("/Subtype") != "/Image":
                parts.append(each.read_bytes().decode("latin-1"))
            parts += _strings(each)
    with pypdfium2.PdfDocument(path) as document:
        parts += [page.get_textpage().get_text_range() for page in document]
    return "\n".join(parts)


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    if depth > 10:
        return
    if isinstance(value, pikepdf.String):
        yield str(value)
    elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
        for inner in dict(value.items()).values():
            yield from _strings(inner, depth + 1) if not getattr(inner, "is_indirect", False) else ()
    elif isinstance(value, pikepdf.Array):
        for inner in value:
            yield from _strings(inner, depth + 1) if not getattr(inner, "is_indirect", False) else ()


def _is_copied(item: dict[str, Any], letters: Sequence[tuple[float, float, str]]) -> bool:
    """Whether a run of the item's own letters and digits can be copied from its place."""
    value = _bare(item["text"])
    for quad in item["quads"]:
        corners = np.asarray(quad, np.float32).reshape(-1, 1, 2)
        low, high = corners.min((0, 1)), corners.max((0, 1))
        here = "".join(
            c
            for x, y, c in letters
            if low[0] <= x <= high[0] and low[1] <= y <= high[1] and cv2.pointPolygonTest(corners, (x, y), False) >= 0
        )
        run = min(LEAKED_RUN, len(value))
        if any(here[at : at + run] in value for at in range(len(here) - run + 1)):
            return True
    return False


def _is_written(item: dict[str, Any], written: str) -> bool:
    """Whether the whole value stands in the file; short ones stand in any file."""
    value = _squeeze(item["text"])
    return len(value) >= 9 and value in written


def _bare(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


# ------------------------------------------------------------------------------------------------ truth


def _enlarged(page: dict[str, Any], times: int = 2) -> dict[str, Any]:
    """The page judged larger: small type that was never scanned is finer than the px its truth is told in."""

    def grown(item: dict[str, Any]) -> dict[str, Any]:
        quads = [[[x * times, y * times] for x, y in quad] for quad in item.get("quads", [])]
        if "box" not in item:
            return {**item, "quads": quads}
        return {**item, "quad": [[x * times, y * times] for x, y in _quad(item)]}

    lists = {key: [grown(item) for item in page[key]] for key in ("entities", "negatives", "words")}
    return {**page, **lists, "width": page["width"] * times, "height": page["height"] * times}


def _items(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [*page["entities"], *page["negatives"]]


def _role(item: dict[str, Any]) -> str:
    if str(item["id"]).startswith("n"):
        return "kept"
    return "public" if item["public"] else "withheld"


def _status(gone: float | None) -> str:
    if gone is None:
        return "UNREADABLE"
    return "REDACTED" if gone >= REDACTED_FROM else "MISSED" if gone < MISSED_BELOW else "PARTIAL"


def _verdict(
    truth: dict[str, Any],
    page: dict[str, Any],
    item: dict[str, Any],
    gone: float | None,
    status: str,
    leaked: bool = False,
) -> Verdict:
    return Verdict(
        file=truth["file"],
        page=page["page"],
        quality=page["profile"],
        template=page["template"],
        role=_role(item),
        kind=item["type"],
        form=item["subtype"],
        text=item["text"],
        gone=gone,
        status=status,
        leaked=leaked,
    )


def _other_words(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Words that belong to no contact detail to withhold and to no label of one."""
    withheld = {item["id"] for item in page["entities"] if not item["public"]}
    return [
        word
        for word in page["words"]
        if word.get("ref") not in withheld and not word.get("label") and re.search(r"\w", word["text"])
    ]


def _quad(word: dict[str, Any]) -> Sequence[Sequence[float]]:
    if "quad" in word:
        return word["quad"]  # type: ignore[no-any-return]
    left, top, right, bottom = word["box"]
    return [[left, top], [right, top], [right, bottom], [left, bottom]]
