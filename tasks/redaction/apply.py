"""Marks to a new file in which what they hide does not exist.

Rules kept here: only decoded pixels and the transcript's words go in, never an object of the source file; marks are
painted before the one encoding; a page that differs from its transcript, or is missing, stops the work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

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
from tasks.redaction.layer import on_ink, place_text, write_layer
from tasks.redaction.paint import paint_marks, surroundings
from tasks.redaction.paragraphs import paragraphs_of


def apply_marks(
    rasters: Iterable[PageRaster],
    plan: RedactionPlan,
    transcript: Transcript,
    title: str,
    language: str = "en-GB",
) -> bytes:
    """The redacted record.

    Args:
        rasters: every page in order; taken one at a time and let go.
        plan: made from `transcript`.
        transcript: of the same pixels.
        title: of the document, safe to publish.
        language: BCP 47 tag of the text.

    Returns:
        A PDF; the same input gives the same bytes.

    Raises:
        ValueError: plan, transcript and pages do not belong together.
    """
    if plan.source_sha256 != transcript.source_sha256 or plan.pages != len(transcript.pages):
        raise ValueError("the plan was made from another transcript")
    marks: dict[int, list[Mark]] = defaultdict(list)
    for mark in plan.marks:
        marks[mark.page].append(mark)
    layers = [place_text(page, marks[page.page]) for page in transcript.pages]
    chars = sorted({char for layer in layers for item in layer for char in item.text} | {" "})
    codes = {char: code for code, char in enumerate(chars, 1)}
    writer = DocumentWriter(title, language, chars)
    done = 0
    for raster in rasters:
        if done >= plan.pages:
            raise ValueError(f"there are more pages than the {plan.pages} of the plan")
        page = transcript.pages[done]
        _same_page(raster, page)
        image, painted = _paint(raster, page, marks[page.page])
        paragraphs = paragraphs_of(on_ink(layers[done], painted, marks[page.page]))
        content = "\n".join(write_layer(paragraphs, codes, raster.height_px, raster.dpi)).encode("ascii")
        size_pt = raster.width_px * 72 / raster.dpi[0], raster.height_px * 72 / raster.dpi[1]
        writer.add_page(image, content, size_pt, len(paragraphs))
        done += 1
    if done != plan.pages:
        raise ValueError(f"there are {done} pages; the plan has {plan.pages}")
    return writer.finish()


def _same_page(raster: PageRaster, page: PageTranscript) -> None:
    if (raster.page, raster.width_px, raster.height_px) != (page.page, page.width_px, page.height_px):
        raise ValueError(f"page {raster.page + 1} is not the one that was read")
    if raster.grids != page.grids or raster.dpi != page.dpi:
        raise ValueError(f"page {raster.page + 1} has another grid or resolution than the one that was read")


def _paint(raster: PageRaster, page: PageTranscript, marks: list[Mark]) -> tuple[ImageStream, NDArray[np.uint8]]:
    """The page's image and the pixels that were coded.

    How they are coded is chosen by what is left to see: a choice by what is hidden would tell of it.
    """
    turns = page.readings[0].frame.quarter_turns if page.readings else 0
    painted = in_fewest_channels(paint_marks(raster.pixels, marks, raster.dpi, turns, raster.grids))
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


def _untouched(raster: PageRaster, marks: list[Mark]) -> NDArray[np.bool_]:
    """The pixels in no mark and in no block that one touches: what is hidden had no part in them."""
    seen = np.ones((raster.height_px, raster.width_px), np.bool_)
    for mark in marks:
        for region in mark.regions:
            for grid in raster.grids:
                box = surroundings(region, grid, raster.width_px, raster.height_px)
                seen[box.y0 : box.y1, box.x0 : box.x1] = False
    return seen
