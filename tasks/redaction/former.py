"""Pages of a file made before, taken over where they would come out the same.

Rules kept here: only a file that this room made of the same transcript, under the same settings, gives pages; a page is
taken over when its marks are those it was painted with. Then picture and text layer would be the same to the byte, but
for the font's codes, which are counted over the whole record and set anew. The gate looks at the new file as at any
other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pymupdf

from tasks.model import Mark, RedactionPlan, Transcript
from tasks.redaction.encode import ImageStream
from tasks.redaction.layer import PlacedText, place_text

ENTRIES = ("ColorSpace", "BitsPerComponent", "Filter", "DecodeParms")
_SHOWN = re.compile(rb"(?<= Tm <)[0-9a-f]+(?=> Tj$)", re.MULTILINE)
_PARAGRAPH = re.compile(rb"^/P <</MCID", re.MULTILINE)
_DRAWN = b"\nEMC\n"
"""What ends the drawing of the picture; the text layer follows."""


def marks_by_page(plan: RedactionPlan) -> tuple[tuple[Mark, ...], ...]:
    """The marks of each page."""
    marks: list[list[Mark]] = [[] for _ in range(plan.pages)]
    for mark in plan.marks:
        marks[mark.page].append(mark)
    return tuple(map(tuple, marks))


def chars_of(layers: Iterable[Iterable[PlacedText]]) -> list[str]:
    """Every character that the text layers of a record use, in the order of the font's codes, from 1."""
    return sorted({char for layer in layers for item in layer for char in item.text} | {" "})


class FormerFile:
    """A redacted file made before.

    Args:
        pdf: as `apply_marks` made it.
        plan: that it was made by.
        transcript: that both were made of.

    Attributes:
        layers: what was to be said on each page.
    """

    def __init__(self, pdf: bytes, plan: RedactionPlan, transcript: Transcript) -> None:
        self._file: Any = pymupdf.open("pdf", pdf)
        self._plan = plan
        self._marks = marks_by_page(plan)
        self.layers = [place_text(page, self._marks[page.page]) for page in transcript.pages]
        self._chars = chars_of(self.layers)

    def unchanged(self, plan: RedactionPlan) -> frozenset[int]:
        """Pages (0-based) that would come out of another plan of the same transcript as they are."""
        if (plan.source_sha256, plan.pages, plan.grey) != (self._plan.source_sha256, self._plan.pages, self._plan.grey):
            return frozenset()
        pairs = zip(self._marks, marks_by_page(plan), strict=True)
        return frozenset(page for page, (before, now) in enumerate(pairs) if _unnumbered(before) == _unnumbered(now))

    def page(self, page: int, codes: Mapping[str, int]) -> tuple[ImageStream, bytes, int]:
        """A page's picture, the operators of its text layer in other codes, and how many paragraphs those are."""
        drawn = self._file[page]
        ((number, _, width, height, *_),) = drawn.get_images()
        values = ((key, self._file.xref_get_key(number, key)[1]) for key in ENTRIES)
        entries = tuple((key, value) for key, value in values if value != "null")
        image = ImageStream(width, height, entries, self._file.xref_stream_raw(number))
        (contents,) = drawn.get_contents()
        layer = self._file.xref_stream(contents).partition(_DRAWN)[2]
        recoded = _SHOWN.sub(lambda found: self._recoded(found[0], codes), layer)
        return image, recoded, len(_PARAGRAPH.findall(layer))

    def _recoded(self, hexed: bytes, codes: Mapping[str, int]) -> bytes:
        chars = (self._chars[int(hexed[at : at + 4], 16) - 1] for at in range(0, len(hexed), 4))
        return "".join(f"{codes[char]:04x}" for char in chars).encode("ascii")


def _unnumbered(marks: Sequence[Mark]) -> list[Mark]:
    """Marks without their numbers, which count over the whole record."""
    return [replace(mark, number=0) for mark in marks]
