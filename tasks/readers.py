"""The jobs of `tasks.jobs` as their callers see them: typed on this side, apart on the other.

Values come back packed (`tasks.codec.pack`), because most callers only store them and hand them on.

Rule kept here: what a child that parsed a stranger's file says is checked before anybody uses it: how many blobs, how
large they unpack, how many pages, and that the answer is about that file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from tasks.apart import DEFAULT_TIMEOUT_S, Apart, ChildAnswerError
from tasks.apart.bounds import MIB
from tasks.codec import decode, digest, encode, unpack_within
from tasks.errors import FoiError, RejectedInputError
from tasks.jobs import ReadingSettings, time_limit_s
from tasks.model import Detection, Media, RedactionPlan, Transcript, VerificationReport
from tasks.reading.media import SUFFIXES
from tasks.request import Policy

T = TypeVar("T")
Packed = bytes

LOOK_S = 300.0
MEDIA_BYTES = 64 * 1024
RESULT_BYTES = 64 * MIB
FIRST_PAGE_BYTES, PAGE_BYTES = 8 * MIB, 4 * MIB
"""A transcript of a dense page takes about 0.1 MiB a reading; what is parsed takes some 40 times its bytes at worst."""

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

    def read(self, media: Media, untrusted: bytes) -> Packed:
        """The Transcript of the file."""
        limit = time_limit_s(media.pages)
        transcript = self._ask("read", self._settings, encode(media), untrusted, timeout_s=limit)
        return _checked_transcript(transcript, media, untrusted)

    def read_again(self, media: Media, transcript: Packed, pages: Sequence[int], untrusted: bytes) -> Packed:
        """The Transcript with a second look at some pages (0-based)."""
        wanted, limit = encode(sorted(pages)), time_limit_s(len(pages))
        looked = self._ask("again", self._settings, encode(media), transcript, wanted, untrusted, timeout_s=limit)
        return _checked_transcript(looked, media, untrusted)

    def find(self, policy: Policy, transcript: Packed) -> Packed:
        """The Detections of one record."""
        return _checked(self._ask("find", _json(policy), transcript), tuple[Detection, ...])

    def plan(self, policy: Policy, transcript: Packed, found: Packed, in_request: Sequence[Packed]) -> Packed:
        """The RedactionPlan of one record, given the Detections of every record of its request."""
        return _checked(self._ask("plan", _json(policy), transcript, found, *in_request), RedactionPlan)

    def redact(self, media: Media, plan: Packed, transcript: Packed, title: str, untrusted: bytes) -> bytes:
        """The redacted PDF."""
        blobs = (encode(media), plan, transcript, title.encode(), untrusted)
        return self._ask("redact", self._settings, *blobs, timeout_s=time_limit_s(media.pages))

    def gate(self, pdf: bytes, plan: Packed, transcript: Packed) -> Packed:
        """The VerificationReport on a redacted PDF."""
        return _checked(self._ask("gate", self._settings, pdf, plan, transcript), VerificationReport)

    def _ask(
        self, job: str, *blobs: bytes, timeout_s: float = DEFAULT_TIMEOUT_S, answer_bytes: int | None = None
    ) -> bytes:
        try:
            answer = self._apart.call(job, *blobs, timeout_s=timeout_s, answer_bytes=answer_bytes)
        except FoiError as error:
            if error.code != FoiError.code:
                raise
            raise ReaderFailedError(error.detail) from None
        if len(answer) != 1:
            raise ChildAnswerError
        return answer[0]

    def _checked_media(self, answer: bytes) -> Media:
        media = _decoded(answer, Media)
        if (
            media.type not in SUFFIXES.values()
            or not 1 <= media.pages <= self._max_pages
            or not all(map(_SAFE_CODE.fullmatch, media.notes))
        ):
            raise ChildAnswerError
        return media


def _checked(answer: Packed, kind: Any) -> Packed:
    """The answer, if it is what was asked for and of a bearable size."""
    _decoded(_unpacked(answer, RESULT_BYTES), kind)
    return answer


def _checked_transcript(answer: Packed, media: Media, untrusted: bytes) -> Packed:
    """The answer, if it has the file's pages and is about this file."""
    transcript = _decoded(_unpacked(answer, FIRST_PAGE_BYTES + PAGE_BYTES * media.pages), Transcript)
    if len(transcript.pages) != media.pages or transcript.source_sha256 != digest(untrusted):
        raise ChildAnswerError
    return answer


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
