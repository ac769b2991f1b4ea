"""The jobs of `tasks.jobs` as a taken-over child would answer them. The name of the file says which lie is told."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence

from tasks.codec import digest, encode, pack
from tasks.model import Media, PageTranscript, Transcript

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


def read(_settings: bytes, _media: bytes, untrusted: bytes) -> list[bytes]:
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
    if pages := re.fullmatch(r"pages-(\d+)", lie):
        return [pack(_transcript(source, int(pages[1])))]
    return [pack(_transcript(source, 2))]


def _transcript(source: str, pages: int) -> Transcript:
    return Transcript(source, tuple(PageTranscript(page, 9, 9, (72.0, 72.0), 1, ()) for page in range(pages)))


def find(_policy: bytes, lie: bytes) -> Sequence[bytes]:
    return [BOMB if lie == b"bomb" else gzip.compress(lie)]


def plan(_policy: bytes, lie: bytes, *_found: bytes) -> Sequence[bytes]:
    return [gzip.compress(lie)]


JOBS = {"look": look, "read": read, "find": find, "plan": plan}
