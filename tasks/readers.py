"""The jobs of `tasks.jobs` as their callers see them: typed on this side, apart on the other.

Values come back packed (`tasks.codec.pack`), because most callers only store them and hand them on.

Rule kept here: what a child that parsed a stranger's file says is checked before anybody uses it: how many blobs, how
large they unpack, how many pages, and that the answer is about that file. Such a child may reject its file, or say that
Tesseract did not finish where Tesseract is at work; that a tool is missing is believed of a child that saw no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from tasks.apart import DEFAULT_TIMEOUT_S, Apart, ChildAnswerError
from tasks.apart.bounds import MIB
from tasks.codec import decode, digest, encode, pack, unpack, unpack_within
from tasks.errors import ConfigurationError, FoiError, ReaderUnavailableError, RejectedInputError
from tasks.model import (
    DOUBTS,
    Correction,
    Detection,
    Media,
    PageTranscript,
    RedactionPlan,
    Transcript,
    VerificationReport,
)
from tasks.reading.settings import PAGES_AT_ONCE, SUFFIXES, ReadingSettings
from tasks.redaction.gate.checks import CHECKS, FAULTS
from tasks.request import Policy

T = TypeVar("T")
Packed = bytes

LOOK_S = 300.0
FIRST_S, PAGE_S, MOST_S = 120.0, 180.0, 4 * 3600.0
"""Seconds to begin with and for each page, ten times what a hard page was seen to take; and for a file of any length,
so that one bad file cannot hold a slot for longer than half a night: 2,000 pages at 7 s each, twice the usual."""

MEDIA_BYTES = 64 * 1024
RESULT_BYTES = 64 * MIB
FIRST_PAGE_BYTES, PAGE_BYTES = 8 * MIB, 4 * MIB
"""A transcript of a dense page takes about 0.1 MiB a reading; what is parsed takes some 40 times its bytes at worst."""

CLAIMS_ON_A_PAGE, REGIONS, TEXT_CHARACTERS, MESSAGE_CHARACTERS = 2000, 2000, 2000, 200
"""How much a child may claim: details on a page on average (a dense directory has 300), boxes of one, characters of a
value, and of a sentence."""

WITH_TESSERACT = frozenset({"read", "again", "gate"})
"""Jobs that start Tesseract."""

PICTURE_BYTES = 4 * MIB
_JPEG = b"\xff\xd8\xff"

_RECOGNISER = re.compile(r"[a-z0-9_.-]{1,60}")
_SAFE_CODE = re.compile(r"[a-z0-9-]{1,40}")


class ReaderFailedError(RejectedInputError):
    """A file brought an exception about that nobody foresaw: a defect of ours, and the matter of that file alone."""

    code = "reader-failed"
    message = "The program that reads records failed on this file."
    action = "Report it as a defect, with this reason. Meanwhile, ask for another copy of the record."


class UnreadableError(RejectedInputError):
    """Tesseract did not finish the file's pages in any attempt: it is too large or too dense for it."""

    code = "unreadable"
    message = "Tesseract did not finish a page of the file in any attempt."
    action = "Scan the record again. If many files end so, check memory and FOI_OCR_TIMEOUT_S, and upload them again."


def time_limit_s(pages: int) -> float:
    """Seconds after which reading so many pages is given up."""
    return min(FIRST_S + PAGE_S * pages, MOST_S)


class Readers:
    """Every stage that touches a source file or a result of one, each call in a fresh process.

    All methods raise what `Apart.call` raises, and `ReaderFailedError` for an exception of the child that is none of
    ours.

    Args:
        apart: the processes.
        settings: OCR settings and limits.
    """

    def __init__(self, apart: Apart, settings: ReadingSettings) -> None:
        self._apart = apart
        self._settings = encode(settings)
        self._max_pages = settings.limits.max_pages

    def look(self, name: str, untrusted: bytes) -> Media:
        """What the file is, by its content; `name` only tells whether its suffix lies."""
        named = name.encode(errors="replace")  # a file system's name may be no text
        media = self._ask("look", self._settings, named, untrusted, timeout_s=LOOK_S, answer_bytes=MEDIA_BYTES)
        return self._checked_media(media)

    def read(self, media: Media, untrusted: bytes, pages: range | None = None) -> Packed:
        """The Transcript of the file, or of some of its pages (0-based) alone."""
        read_pages: list[PageTranscript] = []
        for some in _portions(pages or range(media.pages)):
            limit = time_limit_s(len(some))
            wanted = encode((some.start, some.stop))
            read = self._ask("read", self._settings, encode(media), wanted, untrusted, timeout_s=limit)
            read_pages += _transcript(read, some, untrusted).pages
        return pack(Transcript(digest(untrusted), tuple(read_pages)))

    def show(self, media: Media, untrusted: bytes, widest_px: int) -> Iterator[bytes]:
        """Each page of a file as a JPEG of at most that width, one after the other."""
        for some in _portions(range(media.pages)):
            wanted, limit = encode((some.start, some.stop)), time_limit_s(len(some))
            blobs = (self._settings, encode(media), wanted, encode(widest_px), untrusted)
            at_most = PICTURE_BYTES * len(some)
            pictures = self._ask_all("show", *blobs, timeout_s=limit, answer_bytes=at_most, answers=len(some))
            yield from _checked_pictures(pictures)

    def sketch(self, pdf: bytes, pages: int, widest_px: int) -> tuple[bytes, ...]:
        """The first pages of a redacted PDF, so many of them, each as a JPEG of at most that small width."""
        blobs = (encode((0, pages)), encode(widest_px), pdf)
        at_most = PICTURE_BYTES * pages
        pictures = self._ask_all("sketch", *blobs, timeout_s=LOOK_S, answer_bytes=at_most, answers=pages)
        return _checked_pictures(pictures)

    def read_again(self, media: Media, transcript: Packed, pages: Sequence[int], untrusted: bytes) -> Packed:
        """The Transcript with a second look at some pages (0-based)."""
        wanted, limit = encode(sorted(pages)), time_limit_s(len(pages))
        looked = self._ask("again", self._settings, encode(media), transcript, wanted, untrusted, timeout_s=limit)
        _transcript(looked, range(media.pages), untrusted)
        return looked

    def find(self, policy: Policy, transcript: Packed) -> Packed:
        """The Detections of one record."""
        return _checked_claims(self._ask("find", _json(policy), transcript), transcript)

    def correct(self, policy: Policy, transcript: Packed, found: Packed, corrections: Sequence[Correction]) -> Packed:
        """The Detections of one record as persons corrected them."""
        answer = self._ask("correct", _json(policy), transcript, found, pack(corrections))
        return _checked_claims(answer, transcript)

    def plan(
        self,
        policy: Policy,
        transcript: Packed,
        found: Packed,
        in_request: Sequence[Packed],
        corrections: Sequence[Correction] = (),
    ) -> tuple[Packed, Packed]:
        """The RedactionPlan of one record, and all Detections it is made of.

        Args:
            policy: as the request changes it.
            transcript: of this record.
            found: its Detections, corrected.
            in_request: those of every record of its request, corrected.
            corrections: what persons removed is not sought again in its place; what they say of a mark may stand there.
        """
        blobs = (_json(policy), transcript, pack(corrections), found, *in_request)
        plan, claims = self._ask_all("plan", *blobs, answers=2)
        if not _is_plan_of(_checked(plan, RedactionPlan), unpack(transcript, Transcript), policy, corrections):
            raise ChildAnswerError
        return plan, _checked_claims(claims, transcript)

    def redact(
        self,
        media: Media,
        plan: Packed,
        transcript: Packed,
        title: str,
        untrusted: bytes,
        former: tuple[Packed, bytes] | None = None,
    ) -> bytes:
        """The redacted PDF.

        Args:
            media: what the file is.
            plan: its RedactionPlan.
            transcript: that the plan was made from.
            title: safe to publish.
            untrusted: the file.
            former: another RedactionPlan of the same transcript and the PDF made by it, whose pages need not be painted
                again where their marks are the same.
        """
        blobs = (encode(media), plan, transcript, title.encode(), untrusted, *(former or ()))
        return self._ask("redact", self._settings, *blobs, timeout_s=time_limit_s(media.pages))

    def gate(self, pdf: bytes, plan: Packed, transcript: Packed) -> Packed:
        """The VerificationReport on a redacted PDF."""
        answer = self._ask("gate", self._settings, pdf, plan, transcript)
        report = _checked(answer, VerificationReport)
        if not (
            report.file_sha256 == digest(pdf)
            and report.checks == CHECKS
            and all(finding.code in FAULTS and _is_short(finding.message) for finding in report.findings)
        ):
            raise ChildAnswerError
        return answer

    def search(self, pdf: bytes, values: Sequence[str]) -> tuple[str, ...]:
        """Codes of the findings when values are sought on the pages of a redacted PDF: A26, or A00 when it cannot be.

        A file that ends its reader has not been searched, and may not leave.
        """
        try:
            answer = self._ask("search", encode(list(values)), pdf, timeout_s=LOOK_S, answer_bytes=MEDIA_BYTES)
            codes = _decoded(answer, tuple[str, ...])
        except RejectedInputError:
            return ("A00",)
        return codes if set(codes) <= {"A00", "A26"} else ("A00",)

    def withhold(self, texts: Sequence[str], policy: Policy, terms: Sequence[str]) -> Sequence[str]:
        """Texts that somebody typed, each with every contact detail and every one of the terms replaced."""
        blobs = (_json(policy), encode(list(terms)), encode(list(texts)))
        answer = self._ask("withhold", *blobs, timeout_s=LOOK_S, answer_bytes=RESULT_BYTES)
        withheld = _decoded(answer, tuple[str, ...])
        if len(withheld) != len(texts):
            raise ChildAnswerError
        return withheld

    def _ask(
        self, job: str, *blobs: bytes, timeout_s: float = DEFAULT_TIMEOUT_S, answer_bytes: int | None = None
    ) -> bytes:
        (answer,) = self._ask_all(job, *blobs, timeout_s=timeout_s, answer_bytes=answer_bytes)
        return answer

    def _ask_all(
        self,
        job: str,
        *blobs: bytes,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        answer_bytes: int | None = None,
        answers: int = 1,
    ) -> tuple[bytes, ...]:
        families = (RejectedInputError, ReaderUnavailableError) if job in WITH_TESSERACT else (RejectedInputError,)
        try:
            answer = self._apart.call(job, *blobs, timeout_s=timeout_s, answer_bytes=answer_bytes, may_raise=families)
        except ChildAnswerError:
            if job in WITH_TESSERACT:
                self._check_tools()
            raise
        except FoiError as error:
            if error.code != FoiError.code:
                raise
            raise ReaderFailedError(error.detail) from None
        if len(answer) != answers:
            raise ChildAnswerError
        return answer

    def _check_tools(self) -> None:
        """Ask a child that no file can have taken over whether what the others need is there.

        Raises:
            ConfigurationError: it is not, and no file is to blame.
        """
        self._apart.call("ready", self._settings, timeout_s=LOOK_S, may_raise=(ConfigurationError,))

    def _checked_media(self, answer: bytes) -> Media:
        media = _decoded(answer, Media)
        if (
            media.type not in SUFFIXES.values()
            or not 1 <= media.pages <= self._max_pages
            or not all(map(_SAFE_CODE.fullmatch, media.notes))
        ):
            raise ChildAnswerError
        return media


def join_transcripts(parts: Sequence[Transcript]) -> Transcript:
    """One transcript of the pages of a record that were read in parts, given in order."""
    (source,) = {part.source_sha256 for part in parts}
    return Transcript(source, tuple(page for part in parts for page in part.pages))


def _checked_claims(answer: Packed, transcript: Packed) -> Packed:
    """The answer, if it holds claims that can be of this transcript."""
    found = _checked(answer, tuple[Detection, ...])
    pages = len(unpack(transcript, Transcript).pages)
    if not (
        len(found) <= CLAIMS_ON_A_PAGE * pages
        and all(
            0 <= claim.page < pages
            and 0 <= claim.score <= 1
            and len(claim.text) <= TEXT_CHARACTERS
            and len(claim.regions) <= REGIONS
            and _RECOGNISER.fullmatch(claim.recogniser)
            for claim in found
        )
    ):
        raise ChildAnswerError
    return answer


def _is_plan_of(plan: RedactionPlan, transcript: Transcript, policy: Policy, corrections: Sequence[Correction]) -> bool:
    """Whether a plan can be of this transcript and policy, and says nothing that plans do not say.

    What a mark says of its reason and a review of its doubts is shown to people, and published or kept in Prefect.
    """
    pages = len(transcript.pages)
    said = {(policy.exemption, ""), *((c.exemption or policy.exemption, c.public_reason) for c in corrections)}
    return (
        (plan.source_sha256, plan.policy, plan.pages) == (transcript.source_sha256, policy.digest, pages)
        and plan.grey == policy.grey_output
        and len(plan.marks) <= CLAIMS_ON_A_PAGE * pages
        and [mark.number for mark in plan.marks] == list(range(1, len(plan.marks) + 1))
        and all(
            0 <= mark.page < pages
            and (mark.exemption, mark.reason) in said
            and 1 <= len(mark.regions) <= REGIONS
            and 0 <= mark.score <= 1
            for mark in plan.marks
        )
        and len(plan.withheld) <= CLAIMS_ON_A_PAGE * pages
        and all(len(value) <= TEXT_CHARACTERS for value in plan.withheld)
        and all(
            0 <= review.page < pages and all(d.code in DOUBTS and _is_short(d.message) for d in review.doubts)
            for review in plan.reviews
        )
    )


def _checked_pictures(answer: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if not all(picture.startswith(_JPEG) for picture in answer):
        raise ChildAnswerError
    return answer


def _is_short(message: str) -> bool:
    return message.isprintable() and len(message) <= MESSAGE_CHARACTERS


def _checked(answer: Packed, kind: type[T]) -> T:
    """What an answer holds, if it is what was asked for and of a bearable size."""
    return _decoded(_unpacked(answer, RESULT_BYTES), kind)


def _portions(pages: range) -> Iterator[range]:
    """Pages of a record, some at a time."""
    return (pages[first : first + PAGES_AT_ONCE] for first in range(0, len(pages), PAGES_AT_ONCE))


def _transcript(answer: Packed, pages: range, untrusted: bytes) -> Transcript:
    """The answer, if it has these pages (0-based) and is about this file."""
    transcript = _decoded(_unpacked(answer, FIRST_PAGE_BYTES + PAGE_BYTES * len(pages)), Transcript)
    if [page.page for page in transcript.pages] != list(pages) or transcript.source_sha256 != digest(untrusted):
        raise ChildAnswerError
    return transcript


def _unpacked(answer: Packed, at_most: int) -> bytes:
    try:
        return unpack_within(answer, at_most)
    except ValueError:
        raise ChildAnswerError from None


def _decoded(answer: bytes, kind: type[T]) -> T:
    try:
        return decode(answer, kind)
    except msgspec.DecodeError:
        raise ChildAnswerError from None


def _json(policy: Policy) -> bytes:
    return policy.model_dump_json(by_alias=True).encode()
