"""The text layer: what two readers hear.

Rules kept here: in a mark only its own notice; outside, only words that were read from the page, each at its place and
on ink.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from rapidfuzz.distance import Levenshtein

from tasks.geometry import Box
from tasks.model import Finding
from tasks.redaction.gate.checks import page_check
from tasks.redaction.gate.output import PageView, Shown

LEAST_INK = 12
"""Contrast in grey levels below which a place is blank."""

LEAST_SLACK = 6.0
"""How far the middle of a full stop or an apostrophe may lie from where it was read, px."""

AGREEMENT = 0.7
"""Least likeness of a word of the layer to the word that was read at its place."""


@page_check("A01")
def no_text_meets_a_mark(view: PageView) -> Iterator[Finding]:
    """By the content stream: only its notice stands in a mark, once."""
    told: Counter[Box] = Counter()
    for shown in view.shown:
        met = view.regions_met(shown)
        if not met:
            continue
        if not view.is_label(shown):
            yield Finding("A01", view.number, met[0], "Text meets a mark.")
        else:
            told[met[0]] += 1
            if told[met[0]] > len(view.marks):
                yield Finding("A01", view.number, met[0], "A mark holds more text than its notice.")


@page_check("A01")
def another_reader_finds_no_text_in_a_mark(view: PageView) -> Iterator[Finding]:
    """By pdfium: what it extracts from a mark's place are letters of the notices that stand there."""
    across, up = 72 / view.transcript.dpi[0], 72 / view.transcript.dpi[1]
    notices = [shown for shown in view.shown if view.is_label(shown)]
    text_page = view.output.reader[view.number].get_textpage()
    try:
        for region in view.regions:
            text = text_page.get_text_bounded(
                left=(region.x0 + 1.5) * across,
                right=(region.x1 - 1.5) * across,
                top=(view.transcript.height_px - region.y0 - 1.5) * up,
                bottom=(view.transcript.height_px - region.y1 + 1.5) * up,
            )
            own = Counter(_letters("".join(shown.text for shown in notices if shown.meets(region))))
            if Counter(_letters(text)) - own:
                yield Finding("A01", view.number, region, "Another reader finds text in a mark.")
    finally:
        text_page.close()


@page_check("A05")
def words_were_read_from_the_page(view: PageView) -> Iterator[Finding]:
    """Each word of the layer agrees with a word of the primary reading, in place and letters, and lies on ink."""
    waiting = _words_by_text(view)
    for shown in view.shown:
        if view.is_label(shown) or view.regions_met(shown):
            continue  # the checks of A01 speak of these
        box = Box(*(int(v) for v in shown.box))
        if not _take_word(shown, waiting):
            yield Finding("A05", view.number, box, "The text layer holds a word that was not read there.")
        elif not _has_ink(view, box):
            yield Finding("A05", view.number, box, "The text layer holds a word where the page is blank.")


@page_check("A05")
def another_reader_finds_no_other_text(view: PageView) -> Iterator[Finding]:
    """By pdfium: it extracts no letter that the content stream does not show."""
    ours = Counter(_letters("".join(shown.text for shown in view.shown)))
    text_page = view.output.reader[view.number].get_textpage()
    try:
        theirs = Counter(_letters(text_page.get_text_range()))
    finally:
        text_page.close()
    if theirs - ours:
        yield Finding("A05", view.number, None, "Another reader finds more text than the page shows.")


def _letters(text: str) -> str:
    """Letters and digits only; readers differ over blanks, hyphens and ligatures."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum())


def _words_by_text(view: PageView) -> dict[str, list[Box]]:
    """The places in page space of the primary reading's words."""
    waiting: dict[str, list[Box]] = defaultdict(list)
    for reading in view.transcript.readings[:1]:
        for word in reading.words:
            waiting[_printable(word.text)].append(reading.frame.box_to_page(word.box))
    return waiting


def _printable(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c)[0] not in "CZ")


def _take_word(shown: Shown, waiting: dict[str, list[Box]]) -> bool:
    """Find a word of the reading for one of the layer; each speaks for one only."""
    alike = [shown.text] if shown.text in waiting else []
    for text in alike or list(waiting):
        if text != shown.text and Levenshtein.normalized_similarity(text, shown.text) < AGREEMENT:
            continue
        for i, place in enumerate(waiting[text]):
            if _stands_at(shown, place):
                del waiting[text][i]
                return True
    return False


def _stands_at(shown: Shown, place: Box) -> bool:
    """Whether a string's middle lies on a word, with half a height to spare for words set level on slanted lines."""
    x, y = shown.center
    slack = max(LEAST_SLACK, 0.5 * min(place.width, place.height))
    return place.x0 - slack <= x <= place.x1 + slack and place.y0 - slack <= y <= place.y1 + slack


def _has_ink(view: PageView, box: Box) -> bool:
    around = box.padded(2).clipped(view.transcript.width_px, view.transcript.height_px)
    patch = view.pixels[around.y0 : around.y1, around.x0 : around.x1]
    channels = (patch,) if patch.ndim == 2 else np.moveaxis(patch, 2, 0)
    return bool(patch.size) and any(int(one.max()) - int(one.min()) >= LEAST_INK for one in channels)
