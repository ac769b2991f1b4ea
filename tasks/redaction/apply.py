"""Marks to a new file in which what they hide does not exist.

Rules kept here: only decoded pixels and the transcript's words go in, never an object of the source file; marks are
painted before the one encoding; a page that differs from its transcript, or is missing, stops the work. Pages that
would come out as they did before are taken from the file made then: see `tasks.redaction.former`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import Box
from tasks.model import Mark, PageRaster, PageTranscript, RedactionPlan, Transcript
from tasks.redaction.document import DocumentWriter
from tasks.redaction.encode import (
    JPEG_GRID,
    RESAMPLED_QUALITY,
    ImageStream,
    encode_bilevel,
    encode_jpeg,
    encode_lossless,
    in_fewest_channels,
    is_bilevel,
    source_quality,
    wants_lossless,
)
from tasks.redaction.former import FormerFile, chars_of, marks_by_page
from tasks.redaction.layer import PlacedText, on_ink, place_text, write_layer
from tasks.redaction.paint import paint_marks, surroundings
from tasks.redaction.paragraphs import paragraphs_of


def apply_marks(
    rasters: Iterable[PageRaster],
    plan: RedactionPlan,
    transcript: Transcript,
    title: str,
    language: str = "en-GB",
    former: FormerFile | None = None,
    paint_over: bool = False,
) -> bytes:
    """The redacted record.

    Args:
        rasters: every page in order, but for those that are taken from the former file; taken one at a time and let go.
        plan: made from `transcript`.
        transcript: of the same pixels.
        title: of the document, safe to publish.
        language: BCP 47 tag of the text.
        former: made of the same transcript under the same settings; gives the pages that are unchanged.
        paint_over: whether the rasters may be painted over, which spares a copy of each page.

    Returns:
        A PDF; the same input gives the same bytes, with a former file or without.

    Raises:
        ValueError: plan, transcript and pages do not belong together.
    """
    if plan.source_sha256 != transcript.source_sha256 or plan.pages != len(transcript.pages):
        raise ValueError("the plan was made from another transcript")
    marks = marks_by_page(plan)
    kept = former.unchanged(plan) if former else frozenset()
    layers = [
        former.layers[page.page] if former and page.page in kept else place_text(page, marks[page.page])
        for page in transcript.pages
    ]
    chars = chars_of(layers)
    codes = {char: code for code, char in enumerate(chars, 1)}
    writer = DocumentWriter(title, language, chars)
    coming = iter(rasters)
    for page in transcript.pages:
        if former and page.page in kept:
            image, content, paragraphs = former.page(page.page, codes)
        else:
            raster = next(coming, None)
            if raster is None:
                raise ValueError(f"there are {page.page} pages; the plan has {plan.pages}")
            _same_page(raster, page)
            if not paint_over:
                raster = replace(raster, pixels=raster.pixels.copy())
            image, content, paragraphs = _redacted(raster, page, marks[page.page], layers[page.page], codes)
        size_pt = page.width_px * 72 / page.dpi[0], page.height_px * 72 / page.dpi[1]
        writer.add_page(image, content, size_pt, paragraphs)
    if next(coming, None) is not None:
        raise ValueError(f"there are more pages than the {plan.pages} of the plan")
    return writer.finish()


def _redacted(
    raster: PageRaster, page: PageTranscript, marks: Sequence[Mark], layer: Iterable[PlacedText], codes: dict[str, int]
) -> tuple[ImageStream, bytes, int]:
    """A page painted over: its picture, the operators of its text layer, and how many paragraphs those are."""
    image, painted = _paint(raster, page, marks)
    paragraphs = paragraphs_of(on_ink(layer, painted, marks))
    content = "\n".join(write_layer(paragraphs, codes, raster.height_px, raster.dpi)).encode("ascii")
    return image, content, len(paragraphs)


def _same_page(raster: PageRaster, page: PageTranscript) -> None:
    if (raster.page, raster.width_px, raster.height_px) != (page.page, page.width_px, page.height_px):
        raise ValueError(f"page {raster.page + 1} is not the one that was read")
    if raster.grids != page.grids or raster.dpi != page.dpi:
        raise ValueError(f"page {raster.page + 1} has another grid or resolution than the one that was read")


def _paint(raster: PageRaster, page: PageTranscript, marks: Sequence[Mark]) -> tuple[ImageStream, NDArray[np.uint8]]:
    """The page's image and the pixels that were coded.

    How they are coded is chosen by what is left to see: a choice by what is hidden would tell of it.
    """
    turns = page.readings[0].frame.quarter_turns if page.readings else 0
    paint_marks(raster.pixels, marks, raster.dpi, turns, raster.grids)
    painted = in_fewest_channels(raster.pixels)
    if painted.ndim == 2 and is_bilevel(painted):
        return encode_bilevel(painted), painted
    kept = _is_coded_as_it_stands(raster)
    if wants_lossless(painted):
        return encode_lossless(painted), painted
    quality = source_quality(painted, _untouched(raster, marks)) if kept else RESAMPLED_QUALITY
    return encode_jpeg(painted, keep_chroma=bool(marks), quality=quality), painted


def _is_coded_as_it_stands(raster: PageRaster) -> bool:
    """Whether the whole page is one JPEG whose blocks are those it would have again."""
    whole = Box(0, 0, raster.width_px, raster.height_px)
    return 0 < len(raster.grids) <= 2 and all(
        grid.place == whole and all(s % JPEG_GRID == 0 for s in grid.step) and grid.origin == (0, 0) and grid.rim < 2
        for grid in raster.grids
    )


def _untouched(raster: PageRaster, marks: Sequence[Mark]) -> NDArray[np.bool_]:
    """The pixels in no mark and in no block that one touches: what is hidden had no part in them."""
    seen = np.ones((raster.height_px, raster.width_px), np.bool_)
    for mark in marks:
        for region in mark.regions:
            for grid in raster.grids:
                box = surroundings(region, grid, raster.width_px, raster.height_px)
                seen[box.y0 : box.y1, box.x0 : box.x1] = False
    return seen
