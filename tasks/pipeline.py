"""The order of the work on the records of one request, as plain functions of plain values.

    bytes -> Media -> rasters -> Transcript -> Detection* -> RedactionPlan -> PDF bytes -> VerificationReport

Rule kept here: this module knows the order and nothing else; no store, no Prefect, no clock. What a result depends on
is said by `tasks.fingerprints`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from tasks.codec import digest
from tasks.contacts.find import find_contacts, find_repeats
from tasks.model import (
    Correction,
    Detection,
    Doubt,
    Kind,
    Media,
    PageRaster,
    PageTranscript,
    RedactionPlan,
    Transcript,
    VerificationReport,
    Word,
)
from tasks.reading import ocr
from tasks.reading.engine import recognise_all
from tasks.reading.ocr import read_page
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import PAGES_AT_ONCE, Limits, OcrSettings
from tasks.reading.trusted import confirm, suppose
from tasks.redaction.apply import apply_marks
from tasks.redaction.former import FormerFile
from tasks.redaction.gate.source import look_at_source
from tasks.redaction.gate.verdict import check_record
from tasks.redaction.grey import without_colour
from tasks.redaction.plan import plan_record
from tasks.request import Policy
from tasks.review.claims import follow_corrections, without_removed

SURE, FAINT_REDACTION = 60.0, 0.9
"""Least confidence of a word read through a cover, on Tesseract's scale; and how surely a person must look there."""


def read_record(
    untrusted: bytes, media: Media, settings: OcrSettings, limits: Limits, pages: range | None = None
) -> Transcript:
    """Read one source file, whole or some of its pages (0-based).

    Raises:
        RejectedInputError: the file cannot be a record.
        ReaderUnavailableError: Tesseract did not finish.
    """
    wanted = pages or range(media.pages)
    batches = (wanted[first : first + PAGES_AT_ONCE] for first in range(0, len(wanted), PAGES_AT_ONCE))
    read = tuple(page for batch in batches for page in _read_batch(untrusted, media, settings, limits, batch))
    return Transcript(digest(untrusted), read)


def _read_batch(
    untrusted: bytes, media: Media, settings: OcrSettings, limits: Limits, pages: range
) -> list[PageTranscript]:
    """Pages in order. Those whose own text layer is believed are not read, beyond the sample that says so."""
    read: dict[int, PageTranscript] = {}
    supposed = []
    for raster in rasterise(untrusted, media, limits, pages):
        one = suppose(raster) if settings.trust else None
        if one is None:
            read[raster.page] = _read_page(raster, settings)
        else:
            supposed.append(one)
    read |= {page.page: page for page in confirm(supposed, settings)}
    doubted = [page for page in pages if page not in read]
    if doubted:
        read |= {raster.page: _read_page(raster, settings) for raster in rasterise(untrusted, media, limits, doubted)}
    return [read[page] for page in pages]


def _read_page(raster: PageRaster, settings: OcrSettings) -> PageTranscript:
    """A page with the doubts that its pixels raise before anything is marked."""
    page = read_page(raster, settings)
    found = look_at_source(raster, _reader(settings, SURE))
    doubts = (Doubt("faint-redaction", finding.message, FAINT_REDACTION, finding.box) for finding in found)
    return replace(page, doubts=(*page.doubts, *doubts))


def _reader(settings: OcrSettings, least: float) -> Callable[[NDArray[np.uint8], float], list[str]]:
    """Reads a block of level lines; gives the words of at least this confidence (0 to 100)."""

    def reread(pixels: NDArray[np.uint8], dpi: float) -> list[str]:
        (words,) = _read_sheets((pixels,), dpi, settings)
        return [word.text for word in words if word.confidence >= least]

    return reread


def _read_sheets(sheets: Sequence[NDArray[np.uint8]], dpi: float, settings: OcrSettings) -> list[tuple[Word, ...]]:
    """Blocks of level lines."""
    return recognise_all(sheets, psm=6, dpi=round(dpi), language=settings.language, timeout_s=settings.timeout_s)


def read_again(
    untrusted: bytes, media: Media, transcript: Transcript, pages: Sequence[int], settings: OcrSettings, limits: Limits
) -> Transcript:
    """The transcript with a second look at some pages (0-based), e.g. those on which the gate could still read a value.

    Raises:
        ReaderUnavailableError: Tesseract did not finish.
    """
    rasters = rasterise(untrusted, media, limits)
    looked = (
        ocr.read_again(raster, page, settings) if page.page in pages else page
        for raster, page in zip(rasters, transcript.pages, strict=True)
    )
    return Transcript(transcript.source_sha256, tuple(looked))


def find_in_record(transcript: Transcript, policy: Policy) -> tuple[Detection, ...]:
    """The claims on every page of one record."""
    return tuple(found for page in transcript.pages for found in find_contacts(page, policy))


def correct_found(
    transcript: Transcript, found: Sequence[Detection], policy: Policy, corrections: Sequence[Correction]
) -> tuple[Detection, ...]:
    """The claims on one record as persons corrected them; nothing is read again.

    Args:
        transcript: of this record.
        found: what `find_in_record` claims.
        policy: as the request changes it.
        corrections: in the order they were made.
    """

    def find_terms(terms: tuple[str, ...]) -> tuple[Detection, ...]:
        # No kind but the terms themselves: everything else was found before, and may have been removed since.
        return find_in_record(transcript, policy.model_copy(update={"terms": terms, "withhold": ()}))

    return follow_corrections(found, transcript.source_sha256, corrections, find_terms)


def claims_in_request(
    transcript: Transcript,
    found: Sequence[Detection],
    in_request: Sequence[Detection],
    policy: Policy,
    corrections: Sequence[Correction] = (),
) -> tuple[Detection, ...]:
    """All claims on one record, with the values found anywhere in its request swept for.

    Args:
        transcript: of this record.
        found: the claims on this record, corrected.
        in_request: the claims on all records of the request, corrected.
        policy: as the request changes it.
        corrections: what persons removed is not claimed again for its likeness to another value.
    """
    repeats = [_as_asked(repeat, in_request) for repeat in find_repeats(transcript, found, in_request, policy)]
    return (*found, *without_removed(repeats, transcript.source_sha256, corrections))


def _as_asked(repeat: Detection, in_request: Sequence[Detection]) -> Detection:
    """A term found again is withheld as the person wanted who named it: as the term that it is most like."""
    terms = [claim for claim in in_request if claim.kind is Kind.TERM]
    if repeat.kind is not Kind.TERM or not terms:
        return repeat
    named = min(terms, key=lambda claim: Levenshtein.distance(claim.text.casefold(), repeat.text.casefold()))
    return replace(repeat, exemption=named.exemption, reason=named.reason)


def plan_claims(transcript: Transcript, claims: Sequence[Detection], policy: Policy) -> RedactionPlan:
    """The marks of one record over its claims."""
    return replace(plan_record(transcript, claims, policy), grey=policy.grey_output)


def plan_in_request(
    transcript: Transcript, found: Sequence[Detection], in_request: Sequence[Detection], policy: Policy
) -> RedactionPlan:
    """The marks of one record of which nobody corrected anything; see `claims_in_request`."""
    return plan_claims(transcript, claims_in_request(transcript, found, in_request, policy), policy)


def redact_record(
    untrusted: bytes,
    media: Media,
    plan: RedactionPlan,
    transcript: Transcript,
    title: str,
    limits: Limits,
    former: tuple[RedactionPlan, bytes] | None = None,
) -> bytes:
    """The redacted PDF of one record, rebuilt from pixels.

    Args:
        untrusted: the whole file.
        media: what the file is.
        plan: made from `transcript`.
        transcript: of this file.
        title: safe to publish.
        limits: of what is decoded.
        former: another plan of the same transcript and what this function made of it, for the pages they have in
            common; the bytes are those that come out without it.
    """
    known = FormerFile(former[1], former[0], transcript) if former else None
    kept = known.unchanged(plan) if known else frozenset()
    wanted = [page for page in range(media.pages) if page not in kept]
    rasters = rasterise(untrusted, media, limits, wanted, text=False)
    pages = map(without_colour, rasters) if plan.grey else rasters
    return apply_marks(pages, plan, transcript, title, former=known, paint_over=True)


def gate_record(pdf: bytes, plan: RedactionPlan, transcript: Transcript, settings: OcrSettings) -> VerificationReport:
    """The verdict on a redacted PDF."""

    def reread(sheets: Sequence[NDArray[np.uint8]], dpi: float) -> list[list[str]]:
        return [[word.text for word in words] for words in _read_sheets(sheets, dpi, settings)]

    return check_record(pdf, plan, transcript, reread)
