"""The list of checks, and what each is given.

Rules kept here: a check is a named function with the codes of the attacks it answers (A01, A02, ...; `FAULTS` says what
each means), and stands in `CHECKS`, so that whoever gets a report knows which checks there must be; a check that cannot
finish is itself a finding. Nothing in this package imports the writer or PyMuPDF, and nothing is loaded here that reads
a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tasks.model import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.redaction.gate.output import Output, PageView

Reread: TypeAlias = "Callable[[NDArray[np.uint8], float], Sequence[str]]"
"""Reads grey pixels at a resolution in dpi and gives the words."""

RereadAll: TypeAlias = "Callable[[Sequence[NDArray[np.uint8]], float], Sequence[Sequence[str]]]"
"""Reads several such pixels, each by itself, and gives the words of each."""

FAULTS: dict[str, str] = {
    "A00": "the file does not open as a well-formed PDF",
    "A01": "text meets a mark",
    "A02": "an unapplied redaction annotation",
    "A03": "an annotation",
    "A04": "text that is not of the invisible layer",
    "A05": "text that the pixels do not show",
    "A06": "more than one image and one text block on a page",
    "A07": "a mark that does not cover the image",
    "A08": "vector drawing",
    "A09": "remains of a withheld value beside a mark",
    "A10": "an object no page uses, or an image beside the pages' own",
    "A11": "metadata",
    "A12": "an attached file",
    "A13": "an earlier revision",
    "A14": "content outside the page",
    "A15": "a hidden layer",
    "A16": "bookmarks, destinations or page labels",
    "A17": "other tags than those of its text, forms, scripts or actions",
    "A18": "a thumbnail or a segment of metadata in an image",
    "A19": "bytes that belong to nothing",
    "A20": "ringing of a hidden text beside its mark",
    "A21": "a mask",
    "A22": "a mark whose width betrays its content",
    "A23": "a mark that is not one opaque value",
    "A24": "a faint or see-through redaction in the source",
    "A25": "a withheld value",
    "A26": "a value withheld in one record and visible in another",
    "A27": "colour where none was asked for",
    "A28": "plan, transcript and file do not belong together",
    "A29": "more to decode than a page of its size can need",
    "A30": "another file from the same input",
    "A31": "samples that the page does not show",
    "A32": "a font that carries more than text needs",
    "A33": "a name or an identifier that is not one of ours",
}


OPENS = "file-opens"
BOUNDED = "fits-its-pages"
REREAD = "surroundings-reread"

CHECKS = (
    OPENS,
    BOUNDED,
    "has-one-revision",
    "has-no-bytes-behind-its-end",
    "has-no-bytes-between-objects",
    "has-a-plain-table",
    "says-nothing-twice",
    "has-no-bytes-behind-a-stream",
    "no-withheld-value-anywhere-in-the-file",
    "has-one-font-without-shapes",
    "has-a-font-that-says-nothing",
    "has-only-known-entries",
    "has-neutral-information",
    "has-no-other-objects",
    "plan-and-file-belong-together",
    "is-identified-by-itself",
    "has-no-other-metadata",
    "has-a-tree-of-its-pages",
    "has-only-known-operators",
    "has-no-comment",
    "no-withheld-value-in-the-text-layer",
    "no-tops-or-tails-are-left",
    "has-only-known-page-entries",
    "shows-the-whole-image",
    "has-a-plain-image",
    "has-no-colour-where-none-is-wanted",
    "has-an-image-without-hidden-samples",
    "has-an-image-without-passengers",
    "marks-are-one-opaque-value",
    "no-ringing-is-left-beside-marks",
    "widths-say-little",
    "notices-say-little",
    "calls-its-parts-by-our-names",
    "has-the-tags-of-its-content",
    "no-text-meets-a-mark",
    "another-reader-finds-no-text-in-a-mark",
    "words-were-read-from-the-page",
    "another-reader-finds-no-other-text",
    REREAD,
)
"""Every check by name, in the order in which they are made and stand in a report."""


@dataclass(frozen=True, slots=True)
class FileCheck:
    """A check of the file as a whole."""

    name: str
    codes: tuple[str, ...]
    run: Callable[[Output], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class PageCheck:
    """A check of one page."""

    name: str
    codes: tuple[str, ...]
    run: Callable[[PageView], Iterator[Finding]]


FILE_CHECKS: list[FileCheck] = []
PAGE_CHECKS: list[PageCheck] = []


def file_check(*codes: str) -> Callable[[Callable[[Output], Iterator[Finding]]], Callable[[Output], Iterator[Finding]]]:
    """Enter a function into the list of checks of the whole file; its name stands in `CHECKS`."""

    def enter(run: Callable[[Output], Iterator[Finding]]) -> Callable[[Output], Iterator[Finding]]:
        FILE_CHECKS.append(FileCheck(run.__name__.replace("_", "-"), codes, run))
        FILE_CHECKS.sort(key=lambda check: CHECKS.index(check.name))
        return run

    return enter


def page_check(
    *codes: str,
) -> Callable[[Callable[[PageView], Iterator[Finding]]], Callable[[PageView], Iterator[Finding]]]:
    """Enter a function into the list of checks of each page; its name stands in `CHECKS`."""

    def enter(run: Callable[[PageView], Iterator[Finding]]) -> Callable[[PageView], Iterator[Finding]]:
        PAGE_CHECKS.append(PageCheck(run.__name__.replace("_", "-"), codes, run))
        PAGE_CHECKS.sort(key=lambda check: CHECKS.index(check.name))
        return run

    return enter
