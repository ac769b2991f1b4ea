"""The stages that touch a source file or a result of one, as jobs for `tasks.apart`: bytes in, bytes out.

This is the far end, in the child; `tasks.readers` is the near one.

Importing this module imports everything a job needs, so that a forked child imports nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2

from tasks import pipeline
from tasks.apart import Job
from tasks.codec import decode, encode, pack, unpack
from tasks.contacts.hosts import host_score
from tasks.contacts.plain import withhold_in_text
from tasks.model import Correction, Detection, Media, RedactionPlan, Transcript
from tasks.reading import second
from tasks.reading.engine import check_engine
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import ReadingSettings
from tasks.redaction.gate.values_in_pdf import check_visible
from tasks.request import Policy
from tasks.review.picture import encode_picture
from tasks.review.sketch import sketch_pages

cv2.setNumThreads(1)  # one core a child; the caller decides how many children
second.prepare()
host_score("example.org")  # loads the list of public suffixes, which most children need


def ready(settings: bytes) -> list[bytes]:
    """Settings -> []; the one job without a blob of a stranger's, and so the one believed that a tool is missing."""
    check_engine(decode(settings, ReadingSettings).ocr.language)
    return []


def look(settings: bytes, name: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, file name, file -> [Media]."""
    return [encode(inspect(untrusted, name.decode(), decode(settings, ReadingSettings).limits))]


def read(settings: bytes, media: bytes, pages: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, Media, (first, end) of the pages, file -> [Transcript of those pages]."""
    chosen = decode(settings, ReadingSettings)
    wanted = range(*decode(pages, tuple[int, int]))
    return [pack(pipeline.read_record(untrusted, decode(media, Media), chosen.ocr, chosen.limits, wanted))]


def show(settings: bytes, media: bytes, pages: bytes, widest_px: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, Media, (first, end) of the pages, width, file -> [a JPEG for each of those pages]."""
    chosen, width = decode(settings, ReadingSettings), decode(widest_px, int)
    wanted = range(*decode(pages, tuple[int, int]))
    rasters = rasterise(untrusted, decode(media, Media), chosen.limits, wanted, text=False)
    return [encode_picture(raster.pixels, width) for raster in rasters]


def sketch(pages: bytes, widest_px: bytes, pdf: bytes) -> list[bytes]:
    """(First, end) of the pages, width, redacted PDF -> [a small JPEG for each of those pages]."""
    return sketch_pages(pdf, range(*decode(pages, tuple[int, int])), decode(widest_px, int))


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


def correct(policy: bytes, transcript: bytes, found: bytes, corrections: bytes) -> list[bytes]:
    """Policy, Transcript, Detection*, Correction* -> [Detection* as persons corrected them]."""
    made = pipeline.correct_found(
        unpack(transcript, Transcript),
        unpack(found, tuple[Detection, ...]),
        Policy.model_validate_json(policy),
        unpack(corrections, tuple[Correction, ...]),
    )
    return [pack(made)]


def plan(policy: bytes, transcript: bytes, corrections: bytes, found: bytes, *in_request: bytes) -> list[bytes]:
    """Policy, Transcript, Correction*, its Detection*, those of every record -> [RedactionPlan, all its Detection*]."""
    all_found = [claim for blob in in_request for claim in unpack(blob, tuple[Detection, ...])]
    chosen, read = Policy.model_validate_json(policy), unpack(transcript, Transcript)
    claims = pipeline.claims_in_request(
        read,
        unpack(found, tuple[Detection, ...]),
        all_found,
        chosen,
        unpack(corrections, tuple[Correction, ...]),
    )
    return [pack(pipeline.plan_claims(read, claims, chosen)), pack(claims)]


def redact(
    settings: bytes, media: bytes, plan: bytes, transcript: bytes, title: bytes, untrusted: bytes, *former: bytes
) -> list[bytes]:
    """Settings, Media, RedactionPlan, Transcript, title, file, and perhaps a former RedactionPlan and PDF -> [PDF]."""
    chosen = decode(settings, ReadingSettings)
    made = pipeline.redact_record(
        untrusted,
        decode(media, Media),
        unpack(plan, RedactionPlan),
        unpack(transcript, Transcript),
        title.decode(),
        chosen.limits,
        (unpack(former[0], RedactionPlan), former[1]) if former else None,
    )
    return [made]


def gate(settings: bytes, pdf: bytes, plan: bytes, transcript: bytes) -> list[bytes]:
    """Settings, PDF, RedactionPlan, Transcript -> [VerificationReport]."""
    chosen = decode(settings, ReadingSettings)
    report = pipeline.gate_record(pdf, unpack(plan, RedactionPlan), unpack(transcript, Transcript), chosen.ocr)
    return [pack(report)]


def search(values: bytes, pdf: bytes) -> list[bytes]:
    """Values, redacted PDF -> [codes of the findings]."""
    found = check_visible({"": pdf}, decode(values, tuple[str, ...]))
    return [encode(sorted({finding.code for finding in found}))]


def withhold(policy: bytes, terms: bytes, texts: bytes) -> list[bytes]:
    """Policy, terms, texts that somebody typed -> [each with what must not be published replaced]."""
    chosen, wanted = Policy.model_validate_json(policy), decode(terms, list[str])
    return [encode([withhold_in_text(text, chosen, wanted) for text in decode(texts, list[str])])]


def has_loaded() -> bool:
    """Whether a job loaded here what takes longer than some pages: only doubtful ones need it."""
    return second.is_loaded()


def load() -> None:
    """Load it before jobs are forked from here."""
    second.load()


JOBS: Mapping[str, Job] = {
    "ready": ready,
    "look": look,
    "read": read,
    "show": show,
    "sketch": sketch,
    "again": again,
    "find": find,
    "correct": correct,
    "plan": plan,
    "redact": redact,
    "gate": gate,
    "search": search,
    "withhold": withhold,
}
