"""The jobs of `tasks.jobs` as a taken-over child would answer them. The name of the file says which lie is told."""

from __future__ import annotations

import gzip
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from tasks.codec import digest, encode, pack, unpack
from tasks.geometry import Box
from tasks.model import (
    Detection,
    Doubt,
    Finding,
    Kind,
    Mark,
    Media,
    PageReview,
    PageTranscript,
    RedactionPlan,
    Transcript,
    VerificationReport,
)
from tasks.redaction.gate.checks import CHECKS
from tasks.request import Policy

BOMB = gzip.compress(bytes(65 << 20))


def look(_settings: bytes, name: bytes, _untrusted: bytes) -> list[bytes]:
    lies: dict[bytes, list[bytes]] = {
        b"no-pages": [encode(Media("application/pdf", 0))],
        b"many-pages": [encode(Media("application/pdf", 10_000_000))],
        b"type": [encode(Media("text/html", 1))],
        b"notes": [encode(Media("application/pdf", 1, ("call 020 7946 0000",)))],
        b"large": [encode(Media("application/pdf", 1, tuple("a" for _ in range(100_000))))],
        b"not-media": [b"[]"],
        b"nothing": [],
        b"two": [b"", b""],
    }
    return lies.get(name, [encode(Media("application/pdf", 2))])


def read(_settings: bytes, _media: bytes, _pages: bytes, untrusted: bytes) -> list[bytes]:
    lie, source = untrusted.decode(), digest(untrusted)
    if lie == "bomb":
        return [BOMB]
    if lie == "no-pages-but-numbers":
        return [pack({"source_sha256": source, "pages": [1, 2]})]
    if lie == "cut":
        return [pack(_transcript(source, 2))[:-9]]
    if lie == "followed":
        return [pack(_transcript(source, 2)) + b"more"]
    if lie == "other-file":
        return [pack(_transcript(digest(b"another"), 2))]
    if lie == "other-pages":
        return [pack(Transcript(source, _transcript(source, 3).pages[1:]))]
    if pages := re.fullmatch(r"pages-(\d+)", lie):
        return [pack(_transcript(source, int(pages[1])))]
    return [pack(_transcript(source, 2))]


def _transcript(source: str, pages: int) -> Transcript:
    return Transcript(source, tuple(PageTranscript(page, 9, 9, (72.0, 72.0), (), ()) for page in range(pages)))


CLAIM = Detection(Kind.PHONE, 0, (Box(1, 1, 5, 5),), "020 7946 0123", 0.9, "phone.plain")
CLAIMS: dict[str, list[Detection]] = {
    "too many": [CLAIM] * 4001,
    "too long": [replace(CLAIM, text="0" * 5000)],
    "too many boxes": [replace(CLAIM, regions=CLAIM.regions * 3000)],
    "another page": [replace(CLAIM, page=2)],
    "a page before the first": [replace(CLAIM, page=-1)],
    "more than sure": [replace(CLAIM, score=7.0)],
    "a sentence for a name": [replace(CLAIM, recogniser="call 020 7946 0123")],
}


def find(_policy: bytes, lie: bytes) -> Sequence[bytes]:
    if named := _named(lie):
        return [pack(CLAIMS.get(named, [CLAIM]))]
    return [BOMB if lie == b"bomb" else gzip.compress(lie)]


MARK = Mark(1, 0, (Box(1, 1, 5, 5),), (Kind.PHONE,), Policy().exemption)
PLAN = RedactionPlan("", Policy().digest, 2, (MARK,), (), ("020 7946 0123",))


def _doubt(code: str, message: str) -> RedactionPlan:
    return replace(PLAN, reviews=(PageReview(0, 1.0, (Doubt(code, message, 1.0),)),))


PLANS: dict[str, RedactionPlan] = {
    "another source": replace(PLAN, source_sha256="0" * 64),
    "another policy": replace(PLAN, policy="0" * 64),
    "fewer pages": replace(PLAN, pages=1),
    "colour for grey": replace(PLAN, grey=True),
    "a reason of its own": replace(PLAN, marks=(replace(MARK, exemption="call 020 7946 0123"),)),
    "a mark elsewhere": replace(PLAN, marks=(replace(MARK, page=2),)),
    "a mark without a place": replace(PLAN, marks=(replace(MARK, regions=()),)),
    "numbers of its own": replace(PLAN, marks=(replace(MARK, number=7946),)),
    "too many marks": replace(PLAN, marks=tuple(replace(MARK, number=n) for n in range(1, 4002))),
    "too many values": replace(PLAN, withheld=("x",) * 4001),
    "a value too long": replace(PLAN, withheld=("x" * 5000,)),
    "a doubt of its own": _doubt("call-020-7946-0123", "Look."),
    "a doubt in two lines": _doubt("weak-claim", "Look.\nHere."),
    "a doubt that does not end": _doubt("weak-claim", "Look. " * 100),
    "a review elsewhere": replace(PLAN, reviews=(PageReview(9, 1.0, ()),)),
}


def plan(_policy: bytes, lie: bytes, *_found: bytes) -> Sequence[bytes]:
    if named := _named(lie):
        made = PLANS.get(named, PLAN)
        return [pack(made if named == "another source" else replace(made, source_sha256=named)), pack(())]
    return [gzip.compress(lie)] * 2


def _named(transcript: bytes) -> str:
    """The lie a transcript asks for, by the name of its source."""
    try:
        return unpack(transcript, Transcript).source_sha256
    except (OSError, EOFError, msgspec.DecodeError):
        return ""


def gate(_settings: bytes, pdf: bytes, _plan: bytes, _transcript: bytes) -> Sequence[bytes]:
    checks = CHECKS
    honest = VerificationReport(digest(pdf), 2, checks, ())
    lies = {
        b"another file": replace(honest, file_sha256=digest(b"another")),
        b"fewer checks": replace(honest, checks=checks[1:]),
        b"an unknown code": replace(honest, findings=(Finding("020", 0, None, "x"),)),
        b"a long story": replace(honest, findings=(Finding("A01", 0, None, "x" * 500),)),
    }
    return [pack(lies.get(pdf, honest))]


def search(_values: bytes, pdf: bytes) -> Sequence[bytes]:
    if pdf == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    return [b"nonsense" if pdf == b"nonsense" else encode([pdf.decode()] if pdf else [])]


def show(_settings: bytes, _media: bytes, _pages: bytes, _width: bytes, lie: bytes) -> list[bytes]:
    jpeg = b"\xff\xd8\xff\xe0"
    return {b"one": [jpeg], b"no-picture": [jpeg, b"<script>"], b"large": [jpeg, bytes(9 << 20)]}.get(lie, [jpeg, jpeg])


def sketch(_pages: bytes, _width: bytes, lie: bytes) -> list[bytes]:
    return show(b"", b"", b"", b"", lie)


def withhold(_policy: bytes, _terms: bytes, texts: bytes) -> list[bytes]:
    said = msgspec.json.decode(texts, type=list[str])
    lies: dict[str, object] = {"fewer": said[1:], "more": [*said, "more"], "numbers": [1] * len(said), "nothing": None}
    return [encode(lies.get(said[0], said))]


JOBS = {
    "look": look,
    "read": read,
    "find": find,
    "plan": plan,
    "gate": gate,
    "search": search,
    "show": show,
    "sketch": sketch,
    "withhold": withhold,
}
