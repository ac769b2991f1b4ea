"""The stages that touch a source file or a result of one, as jobs for `tasks.apart`: bytes in, bytes out.

This is the far end, in the child; `tasks.readers` is the near one.

Importing this module imports everything a job needs, so that a forked child imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2

from tasks import pipeline
from tasks.apart import Job
from tasks.codec import decode, encode, pack, unpack
from tasks.model import Detection, Media, RedactionPlan, Transcript
from tasks.reading import second
from tasks.reading.media import Limits, inspect
from tasks.reading.ocr import OcrSettings
from tasks.request import Policy

cv2.setNumThreads(1)  # one core a child; the caller decides how many children
second.prepare()


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """What reading depends on besides the file."""

    ocr: OcrSettings = field(default_factory=OcrSettings)
    limits: Limits = field(default_factory=Limits)


def look(settings: bytes, name: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, file name, file -> [Media]."""
    return [encode(inspect(untrusted, name.decode(), decode(settings, ReadingSettings).limits))]


def read(settings: bytes, media: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, Media, file -> [Transcript]."""
    chosen = decode(settings, ReadingSettings)
    return [pack(pipeline.read_record(untrusted, decode(media, Media), chosen.ocr, chosen.limits))]


def again(settings: bytes, media: bytes, transcript: bytes, pages: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, Media, Transcript, pages, file -> [Transcript with a second look at those pages]."""
    chosen = decode(settings, ReadingSettings)
    looked = pipeline.read_again(
        untrusted,
        decode(media, Media),
        unpack(transcript, Transcript),
        decode(pages, tuple[int, ...]),
        chosen.ocr,
        chosen.limits,
    )
    return [pack(looked)]


def find(policy: bytes, transcript: bytes) -> list[bytes]:
    """Policy, Transcript -> [Detection*]."""
    return [pack(pipeline.find_in_record(unpack(transcript, Transcript), Policy.model_validate_json(policy)))]


def plan(policy: bytes, transcript: bytes, found: bytes, *in_request: bytes) -> list[bytes]:
    """Policy, Transcript, its Detection*, and those of every record of the request -> [RedactionPlan]."""
    all_found = [claim for blob in in_request for claim in unpack(blob, tuple[Detection, ...])]
    made = pipeline.plan_in_request(
        unpack(transcript, Transcript),
        unpack(found, tuple[Detection, ...]),
        all_found,
        Policy.model_validate_json(policy),
    )
    return [pack(made)]


def redact(
    settings: bytes, media: bytes, plan: bytes, transcript: bytes, title: bytes, untrusted: bytes
) -> list[bytes]:
    """Settings, Media, RedactionPlan, Transcript, title, file -> [PDF]."""
    chosen = decode(settings, ReadingSettings)
    made = pipeline.redact_record(
        untrusted,
        decode(media, Media),
        unpack(plan, RedactionPlan),
        unpack(transcript, Transcript),
        title.decode(),
        chosen.limits,
    )
    return [made]


def gate(settings: bytes, pdf: bytes, plan: bytes, transcript: bytes) -> list[bytes]:
    """Settings, PDF, RedactionPlan, Transcript -> [VerificationReport]."""
    chosen = decode(settings, ReadingSettings)
    report = pipeline.gate_record(pdf, unpack(plan, RedactionPlan), unpack(transcript, Transcript), chosen.ocr)
    return [pack(report)]


def time_limit_s(pages: int) -> float:
    """Seconds after which reading so many pages is given up: ten times what a hard page was seen to take."""
    return 120.0 + 180.0 * pages


JOBS: Mapping[str, Job] = {
    "look": look,
    "read": read,
    "again": again,
    "find": find,
    "plan": plan,
    "redact": redact,
    "gate": gate,
}
