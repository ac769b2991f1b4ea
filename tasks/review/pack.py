"""The review pack: one page for a browser, with the marks over pictures of the original pages.

Rules kept here: it asks for nothing from anywhere but the pictures beside it; every value is escaped, and a value's
control and direction characters are not shown; what is doubtful comes first; the same dossier gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Self

import jinja2
from markupsafe import Markup

from tasks.geometry import Box
from tasks.model import Correction, Dossier, Doubt, PageReview, PageTranscript


@dataclass(frozen=True, slots=True)
class ViewBox:
    """A box on a picture of its page, in percent of the page from the top left."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class MarkView:
    """A mark as a person sees it.

    Attributes:
        name: `record.mark`.
        values: what was found below it.
        read: the words that the main reading has there.
        alike: names of the other marks that withhold the same value.
        together: names of all marks that go with this one when its value is shown, this one first.
    """

    name: str
    anchor: str
    page: int
    kinds: str
    exemption: str
    origin: str
    score: float
    values: tuple[str, ...] = field(repr=False)
    read: str = field(repr=False)
    alike: tuple[str, ...]
    together: tuple[str, ...]
    boxes: tuple[ViewBox, ...]


@dataclass(frozen=True, slots=True)
class DoubtView:
    """Why a person should look at a page, and where: nowhere in particular when there is no box."""

    message: str
    score: float
    boxes: tuple[ViewBox, ...]


@dataclass(frozen=True, slots=True)
class PageView:
    """A page of the original.

    Attributes:
        number: 1-based.
        shape: width divided by height, as printed.
        picture: path of its picture; "" when there is none.
        flagged: whether a person must look at it.
        score: of its worst doubt.
    """

    number: int
    width_px: int
    height_px: int
    shape: float
    picture: str
    marks: tuple[MarkView, ...]
    doubts: tuple[DoubtView, ...]
    flagged: bool
    score: float

    @classmethod
    def of(
        cls,
        page: PageTranscript,
        marks: tuple[MarkView, ...],
        review: PageReview | None,
        flagged: bool,
        picture: str,
    ) -> Self:
        """The view of a page as it was read."""
        by_message: dict[str, list[Doubt]] = {}
        for doubt in sorted(review.doubts, key=lambda doubt: -doubt.score) if review else []:
            by_message.setdefault(doubt.message, []).append(doubt)
        seen = tuple(
            DoubtView(message, same[0].score, tuple(place_in_view(d.box, page) for d in same if d.box))
            for message, same in by_message.items()
        )
        shape = (page.width_px / page.dpi[0]) / (page.height_px / page.dpi[1])
        score = review.score if review else 0.0
        return cls(page.page + 1, page.width_px, page.height_px, round(shape, 4), picture, marks, seen, flagged, score)


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record with its pages in their order."""

    number: int
    title: str
    date: str
    file_name: str
    pages: tuple[PageView, ...]

    @property
    def marks(self) -> list[MarkView]:
        """Of all pages."""
        return [mark for page in self.pages for mark in page.marks]


def place_in_view(box: Box, page: PageTranscript) -> ViewBox:
    """A box of page space in percent of its page."""
    across, down = 100 / page.width_px, 100 / page.height_px
    return ViewBox(
        round(box.x0 * across, 3), round(box.y0 * down, 3), round(box.width * across, 3), round(box.height * down, 3)
    )


Placed = tuple[Box, str]
"""A word and its place in page space."""


def words_on(page: PageTranscript) -> list[Placed]:
    """The words of the main reading."""
    if not page.readings:
        return []
    reading = page.readings[0]
    return [(reading.frame.box_to_page(word.box), word.text) for word in reading.words]


def read_under(words: Iterable[Placed], regions: Sequence[Box]) -> str:
    """The words that stand, for the most part, inside regions of page space."""
    return " ".join(
        text
        for place, text in words
        if 2 * sum(place.intersection(region).area for region in regions) >= place.area > 0
    )


def visible(value: object) -> object:
    """Text without characters that show nothing or turn the direction of what stands around them."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "".join(" " if c in "\n\t" else "" if unicodedata.category(c)[0] == "C" else c for c in value)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("tasks.review", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=visible,
    )


def _file(name: str) -> str:
    return files("tasks.review").joinpath("templates", name).read_text(encoding="utf-8")


def render_pack(dossier: Dossier, name: str, records: Sequence[RecordView], corrections: Sequence[Correction]) -> bytes:
    """The pack's page.

    Args:
        dossier: what would be published.
        name: its digest.
        records: in order, with the paths of their pictures.
        corrections: those that the dossier follows.
    """
    script = _file("pack.js")
    flagged = [(record, page) for record in records for page in record.pages if page.flagged]
    doubtful = [(record, page) for record in records for page in record.pages if page.doubts and not page.flagged]
    worst = sorted(flagged, key=lambda pair: (-pair[1].score, pair[0].number, pair[1].number))
    weaker = sorted(doubtful, key=lambda pair: (-pair[1].score, pair[0].number, pair[1].number))
    page = (
        _environment()
        .get_template("pack.html")
        .render(
            dossier=dossier,
            name=name,
            records=records,
            worst=worst,
            weaker=weaker,
            corrections=corrections,
            withheld=dossier.withheld,
            marks=sum(len(record.marks) for record in records),
            pages=sum(len(record.pages) for record in records),
            style=Markup(_file("pack.css")),  # noqa: S704 - ours
            script=Markup(script),  # noqa: S704 - ours
            script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
    return page.encode()
