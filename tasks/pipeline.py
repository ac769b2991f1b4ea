"""The order of the work on the records of one request, as plain functions of plain values.

    bytes -> Media -> rasters -> Transcript -> Detection* -> RedactionPlan -> PDF bytes -> VerificationReport

Rule kept here: this module knows the order and nothing else; no store, no Prefect, no clock. What a result depends on
is said by `reading_fingerprint` and `redaction_fingerprint`, and two results with one fingerprint are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from tasks.codec import digest, fingerprint
from tasks.contacts.find import find_contacts, find_repeats
from tasks.model import (
    Correction,
    Detection,
    Doubt,
    Kind,
    Media,
    PageRaster,
    PageReview,
    PageTranscript,
    RedactionPlan,
    Transcript,
    VerificationReport,
)
from tasks.reading import ocr
from tasks.reading.engine import recognise
from tasks.reading.media import Limits
from tasks.reading.ocr import OcrSettings, engine_version, read_page, reader_version
from tasks.reading.rasterise import rasterise
from tasks.redaction.apply import apply_marks
from tasks.redaction.gate import check_record, look_at_source
from tasks.redaction.grey import without_colour
from tasks.redaction.plan import plan_record
from tasks.request import Policy
from tasks.review.claims import follow_corrections, without_removed

READING = 4
"""Raise it when reading the same file can give another transcript."""

REDACTION = 4
"""Raise it when the same transcript and policy can give other marks or bytes."""

GATE = 4
"""Raise it when the gate can find what it did not find before."""

DOSSIER = 4
"""Raise it when a dossier or a case says more than before: what is held is put together again."""

READABLE = frozenset({"A09", "A25"})
"""Findings that say: a withheld value, or a part of one, can still be read."""

REVIEW_FROM = 0.7
"""Score of a page's worst doubt from which a person must look; weaker doubts are listed and hold nothing up."""

SURE, FAINT_REDACTION = 60.0, 0.9
"""Least confidence of a word read through a cover, on Tesseract's scale; and how surely a person must look there."""

LOOKS = 2
"""How often the gate may look before its refusal stands: a second look at the pages in doubt mends most of them."""

PIPELINE = f"foi-disclosure {version('foi-disclosure')} reading {READING} redaction {REDACTION} gate {GATE}"


def tool_versions() -> tuple[tuple[str, str], ...]:
    """Names and versions of what a result depends on besides this code."""
    return (
        ("pymupdf", version("pymupdf")),
        ("opencv", version("opencv-python-headless")),
        ("tesseract", engine_version().removeprefix("tesseract ")),
    )


def reading_fingerprint(settings: OcrSettings, limits: Limits) -> str:
    """What a transcript depends on besides the source's bytes."""
    return fingerprint(
        READING, tool_versions(), reader_version(), version("zxing-cpp"), version("pillow"), settings, limits
    )


def redaction_fingerprint(policy: Policy) -> str:
    """What marks and redacted files depend on besides the transcripts of their request."""
    libraries = [version(name) for name in ("phonenumbers", "tldextract", "rapidfuzz", "pymupdf", "pillow")]
    return fingerprint(REDACTION, libraries, policy.digest)


def gate_fingerprint(settings: OcrSettings) -> str:
    """What a report depends on besides file, plan and transcript: a stricter gate looks at everything again."""
    return fingerprint(GATE, tool_versions(), version("pikepdf"), version("pypdfium2"), settings)


def read_record(
    untrusted: bytes, media: Media, settings: OcrSettings, limits: Limits, pages: range | None = None
) -> Transcript:
    """Read one source file, whole or some of its pages (0-based).

    Raises:
        RejectedInputError: the file cannot be a record.
        ReaderUnavailableError: Tesseract did not finish.
    """
    read = tuple(_read_page(raster, settings) for raster in rasterise(untrusted, media, limits, pages))
    return Transcript(digest(untrusted), read)


def _read_page(raster: PageRaster, settings: OcrSettings) -> PageTranscript:
    """A page with the doubts that its pixels raise before anything is marked."""
    page = read_page(raster, settings)
    found = look_at_source(raster, _reader(settings, SURE))
    doubts = (Doubt("faint-redaction", finding.message, FAINT_REDACTION, finding.box) for finding in found)
    return replace(page, doubts=(*page.doubts, *doubts))


def _reader(settings: OcrSettings, least: float) -> Callable[[NDArray[np.uint8], float], list[str]]:
    """Reads a block of level lines; gives the words of at least this confidence (0 to 100)."""

    def reread(pixels: NDArray[np.uint8], dpi: float) -> list[str]:
        words = recognise(pixels, psm=6, dpi=round(dpi), language=settings.language, timeout_s=settings.timeout_s)
        return [word.text for word in words if word.confidence >= least]

    return reread


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


def pages_to_review(plan: RedactionPlan) -> tuple[PageReview, ...]:
    """The pages of a record that a person must look at before it leaves."""
    return tuple(review for review in plan.reviews if review.score >= REVIEW_FROM)


def doubtful_pages(report: VerificationReport) -> tuple[int, ...]:
    """Pages (0-based) on which the gate read something that a second look may find and mark."""
    return tuple(sorted({f.page for f in report.findings if f.code in READABLE and f.page is not None}))


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
    untrusted: bytes, media: Media, plan: RedactionPlan, transcript: Transcript, title: str, limits: Limits
) -> bytes:
    """The redacted PDF of one record, rebuilt from pixels."""
    rasters = rasterise(untrusted, media, limits)
    return apply_marks(map(without_colour, rasters) if plan.grey else rasters, plan, transcript, title)


def gate_record(pdf: bytes, plan: RedactionPlan, transcript: Transcript, settings: OcrSettings) -> VerificationReport:
    """The verdict on a redacted PDF."""
    return check_record(pdf, plan, transcript, _reader(settings, least=0))
