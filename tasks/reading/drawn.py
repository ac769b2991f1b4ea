"""What the fonts of a PDF page draw, letter by letter: the page's own account of its text.

Rule kept here: only what can be followed from a letter of the text layer to the one outline that was drawn for it. A
page with a letter that was drawn in another way than by filling its outline, opaque and level, by a font that cannot be
told from another, or that stands in the text and was not drawn (or the reverse: /ActualText, what is clipped away) has
no such account. Whether the outline looks like the letter is not for this module to know: `tasks.reading.trusted`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pymupdf

from tasks.model import Drawn, DrawnWord

ASCENT, DESCENT = 0.95, 0.25
"""How far letters reach above and below their base line, in type sizes."""

NARROWEST = 0.08
"""Least advance of a letter in type sizes: an accent of its own has none."""

MOST_WORDS, MOST_LETTERS = 5_000, 20_000
"""Of a page that is followed letter by letter; a full sheet of A3 in small print has a third of that."""

FILLED, LEVEL = 0, (1.0, 0.0)
UNKNOWN = 0xFFFD
LIGATURES = "ﬀﬁﬂﬃﬄﬅﬆ"

TEXT = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_PRESERVE_LIGATURES | pymupdf.TEXT_MEDIABOX_CLIP

pymupdf.TOOLS.set_subset_fontnames(True)  # two subsets of one face are two fonts

_DOTS = re.compile(r"\.{6,}")
"""A row of dots that leads the eye: a word of its own (`tasks.reading.leaders`)."""

Spot = tuple[float, float]
Form = tuple[int, int, int]
Letter = tuple[Form, tuple[float, float, float, float]]


def find_drawn(page: pymupdf.Page, to_px: pymupdf.Matrix) -> Drawn | None:
    """The letters of a page with their places.

    Args:
        page: of a document.
        to_px: from the page to page space.

    Returns:
        None when there are none, or one of them cannot be followed.
    """
    try:
        return _account(page, to_px)
    except (RuntimeError, ValueError, KeyError, pymupdf.mupdf.FzErrorBase):  # the page was drawn; its text is optional
        return None


def _account(page: pymupdf.Page, to_px: pymupdf.Matrix) -> Drawn | None:
    # `page.rotation` counts /Rotate down by 360, which takes long for a huge one; MuPDF's own calls do so, too.
    document: Any = page.parent
    upright = document.xref_get_key(page.xref, "Rotate")[1] in ("null", "0") and to_px.b == to_px.c == 0
    drawn = _drawn_letters(page) if upright and not has_annotations(page) else {}
    forms: dict[Form, int] = {}
    words: list[DrawnWord] = []
    boxes: list[tuple[float, float, float, float]] = []
    of_form: list[int] = []
    for number, line in enumerate(_lines(page) if drawn else ()):
        for word in _words(line):
            letters = _follow(word, drawn)
            if letters is None:
                return None
            first = len(boxes)
            of_form += [forms.setdefault(form, len(forms)) for form, _ in letters]
            boxes += [box for _, box in letters]
            texts = [_text_of(form) for form, _ in letters]
            words += [DrawnWord("".join(texts[a:b]), first + a, first + b, number) for a, b in pairwise(_cuts(texts))]
    if drawn or not words:
        return None
    scale, shift = (to_px.a, to_px.d, to_px.a, to_px.d), (to_px.e, to_px.f, to_px.e, to_px.f)
    places = np.array(boxes, np.float32) * np.array(scale, np.float32) + np.array(shift, np.float32)
    return Drawn(tuple(words), tuple(forms), np.array(of_form, np.int32), places)


def has_annotations(page: pymupdf.Page) -> bool:
    """Whether it has an annotation that is drawn, or a field: they bring fonts of their own."""
    # `page.first_widget` collects a field's properties along its parents, which a damaged file strings to a circle.
    return page.first_annot is not None or any(
        kind == pymupdf.mupdf.PDF_ANNOT_WIDGET for _, kind, _ in page.annot_xrefs()
    )


def _drawn_letters(page: pymupdf.Page) -> dict[Spot, Letter]:
    """Each letter that shows, by its place: its form and its box, pt; empty when one is of another kind.

    A form is the number of its font's object, of the outline in it, and the character that the text layer says.
    """
    fonts: dict[str, set[int]] = defaultdict(set)
    for xref, _, kind, name, *_ in page.get_fonts(full=True):
        fonts[name].add(xref if kind != "Type3" else 0)
    width, height = page.rect.width, page.rect.height
    found: dict[Spot, Letter] = {}
    spans: list[dict[str, Any]] = page.get_texttrace()
    for span in spans:
        font = min(fonts[span["font"]], default=0)
        plain = span["type"] == FILLED and span["opacity"] == 1 and span["dir"] == LEVEL and span["wmode"] == 0
        usable = font > 0 and plain and len(fonts[span["font"]]) == 1
        size = span["size"]
        narrowest, above, below = NARROWEST * size, ASCENT * size, DESCENT * size
        for character, outline, (x, y), (x0, _, x1, _) in span["chars"]:
            if x1 <= 0 or x0 >= width or y <= 0 or y - size >= height or _is_blank(character):
                continue
            spot = round(x, 1), round(y, 1)
            if not usable or spot in found or x1 - x0 <= narrowest or not _is_known(character):
                return {}
            found[spot] = (font, outline, character), (x0, y - above, x1, y + below)
    return found if len(found) <= MOST_LETTERS else {}


def _follow(word: list[tuple[Spot, str]], drawn: dict[Spot, Letter]) -> list[Letter] | None:
    """The letters of a word, taken out of those drawn; None when one was not. A ligature is several in the layer."""
    letters, waiting = [], ""
    for spot, character in word:
        if waiting:
            expected, waiting = waiting[0], waiting[1:]
            if character != expected:
                return None
            continue
        letter = drawn.pop(spot, None)
        if letter is None:
            return None
        letters.append(letter)
        if character != chr(letter[0][2]):
            text = _text_of(letter[0])
            if character != text[0]:
                return None
            waiting = text[1:]
    return None if waiting else letters


def _lines(page: pymupdf.Page) -> Iterator[list[tuple[Spot, str]]]:
    """The text layer's lines, character by character."""
    for block in page.get_text("rawdict", flags=TEXT)["blocks"]:
        for line in block.get("lines", ()):
            yield [
                ((round(c["origin"][0], 1), round(c["origin"][1], 1)), c["c"])
                for span in line["spans"]
                for c in span["chars"]
            ]


def _words(line: list[tuple[Spot, str]]) -> Iterator[list[tuple[Spot, str]]]:
    for blank, word in groupby(line, lambda one: one[1].isspace()):
        if not blank:
            yield list(word)


def _cuts(texts: list[str]) -> list[int]:
    """Where a word is cut: around rows of dots."""
    dots = _DOTS.finditer("".join(text[0] for text in texts))
    return sorted({0, len(texts), *(side for row in dots for side in row.span())})


@cache
def _text_of(form: Form) -> str:
    """What a letter is in a word: a ligature is its letters."""
    character = chr(form[2])
    return unicodedata.normalize("NFKC", character) if character in LIGATURES else character


@cache
def _is_blank(character: int) -> bool:
    return character >= 0 and chr(character).isspace()


@cache
def _is_known(character: int) -> bool:
    """Whether it is a character that draws something of its own."""
    return character > 0 and character != UNKNOWN and unicodedata.category(chr(character))[0] not in "CM"
