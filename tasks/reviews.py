"""The review pack of a held dossier: what a person looks at before deciding, in the work bucket.

Rules kept here: a pack belongs to exactly one dossier and is the same whenever it is made; pictures of source pages are
made in the sandboxed readers, some pages at a time, and shared by all packs that show the same file; the pack itself is
restricted, because it shows what is withheld.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.casework import draft_bundle, load_case, refusal
from tasks.codec import digest, fingerprint
from tasks.corrections import ShownMark, load_correction, load_shown, marks_alike, together
from tasks.disclosure.schedule import kind_words
from tasks.errors import NothingThereError, RecordChangedError, RejectedInputError
from tasks.looks import pages_to_review
from tasks.model import (
    Case,
    Correction,
    Dossier,
    Kind,
    Manifest,
    Record,
    RedactedRecord,
    RedactionPlan,
    StageKeys,
    Transcript,
    VerificationReport,
)
from tasks.review.pack import MarkView, PageView, RecordView, place_in_view, read_under, render_pack, words_on
from tasks.workplace import Workplace

WIDEST_PX = 1240
"""A4 at 150 dpi: small print can be read."""

SHOWN = 2
"""Raise it when the same page can give another picture."""

THUMBNAIL_PX = 120
"""A4 at 14 dpi: what is black can be seen, what is written cannot be read."""


# ------------------------------------------------------------------------------------------------ the pack


def make_pack(place: Workplace, reference: str, dossier: str) -> None:
    """Put a dossier's pack together and store it; what is there already is not made again."""
    content, case = load_case(place, reference, dossier)
    taken = place.load(case.manifest, Manifest)
    sources = {record.number: record for record in taken.records}
    shown = load_shown(place, content, case)
    alike = marks_alike(shown)
    views: list[RecordView] = []
    files: dict[str, str] = {}
    for record, keys in zip(content.records, case.records, strict=True):
        pictures = _pictures(place, sources[record.number])
        paths = {page: f"pages/{record.number:03d}-{page + 1:04d}.jpg" for page in range(len(record.pages))}
        files |= {paths[page]: key for page, key in enumerate(pictures)}
        of_record = [one for one in shown if one.record == record.number]
        shown_paths = paths if pictures else {}
        views.append(_record_view(place, record, keys, of_record, alike, shown_paths))
    page = render_pack(content, dossier, views, _corrections(place, content))
    place.save_bytes(_index_key(reference, dossier), page, "text/html; charset=utf-8")
    place.save(_pack_key(reference, dossier), files)


def load_pack(place: Workplace, reference: str, dossier: str) -> Iterator[tuple[str, bytes]]:
    """The files of a pack, one after the other: path -> bytes; the draft of what would be published among them.

    Raises:
        NothingThereError: there is none.
    """
    if not place.has(_pack_key(reference, dossier)):
        raise NothingThereError("Its review pack is not there; process it again.", subject=reference)
    yield "index.html", place.load_bytes(_index_key(reference, dossier))
    for path, key in place.load(_pack_key(reference, dossier), dict[str, str]).items():
        yield path, place.load_bytes(key)
    for path, data in draft_bundle(place, reference, dossier).items():
        yield f"draft/{path}", data


def pack_address(place: Workplace, reference: str) -> str:
    """Where a request's packs lie, for those who may read the work bucket."""
    return f"s3://{place.buckets.work}/packs/{reference}/"


def _index_key(reference: str, dossier: str) -> str:
    return f"packs/{reference}/{dossier}/index.html"


def _pack_key(reference: str, dossier: str) -> str:
    return f"packs/{reference}/{dossier}/files.json.gz"


def _pictures(place: Workplace, record: Record) -> list[str]:
    """Keys of the pictures of a source's pages; none when the source is gone or cannot be drawn any more."""
    folder = f"shown/{record.sha256}/{fingerprint(SHOWN, WIDEST_PX, place.reading_fingerprint)[:16]}/"
    keys = [f"{folder}{page + 1:04d}.jpg" for page in range(record.media.pages)]
    if {info.key for info in place.store.list(place.buckets.work, folder)} >= set(keys):
        return keys
    try:
        for key, picture in zip(keys, _drawn(place, record), strict=True):
            place.save_bytes(key, picture, "image/jpeg")
    except (RejectedInputError, RecordChangedError):
        return []
    return keys


def _drawn(place: Workplace, record: Record) -> Iterator[bytes]:
    if place.store.head(place.buckets.intake, record.key) is None:
        raise RecordChangedError
    source = place.store.get(place.buckets.intake, record.key)
    if digest(source) != record.sha256:
        raise RecordChangedError
    yield from place.readers.show(record.media, source, WIDEST_PX)


def _record_view(
    place: Workplace,
    record: RedactedRecord,
    keys: StageKeys,
    shown: Sequence[ShownMark],
    alike: dict[str, tuple[str, ...]],
    pictures: dict[int, str],
) -> RecordView:
    plan = place.load(keys.plan, RedactionPlan)
    transcript = place.load(keys.transcript, Transcript)
    reviews = {review.page: review for review in plan.reviews}
    flagged = {review.page for review in pages_to_review(plan)}
    pages = []
    for page in transcript.pages:
        words = words_on(page)
        marks = tuple(
            MarkView(
                name=one.name,
                anchor=one.name.replace(".", "-"),
                page=page.page + 1,
                kinds=kind_words(one.mark.kinds),
                exemption=one.mark.exemption,
                origin=one.mark.origin,
                score=one.mark.score,
                values=one.values,
                read=read_under(words, one.mark.regions),
                alike=alike[one.name],
                together=together(one.name, alike),
                boxes=tuple(place_in_view(region, page) for region in one.mark.regions),
            )
            for one in shown
            if one.mark.page == page.page
        )
        pages.append(
            PageView.of(page, marks, reviews.get(page.page), page.page in flagged, pictures.get(page.page, ""))
        )
    return RecordView(record.number, record.title, record.date, record.file_name, tuple(pages))


def _corrections(place: Workplace, content: Dossier) -> list[Correction]:
    return [load_correction(place, content.reference, name) for name in content.corrections]


# ------------------------------------------------------------------------------------------------ in short


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A record in numbers and kinds: nothing of it may not be known outside the restricted buckets.

    Attributes:
        kinds: kind -> number of marks.
        doubts: (1-based page, code, message, score) of the pages a person must look at, worst first.
        gate: how many checks the file passed, or the codes of what was found.
    """

    number: int
    pages: int
    marks: int
    kinds: dict[Kind, int]
    doubts: tuple[tuple[int, str, str, float], ...]
    gate: str


def summarise(place: Workplace, case: Case) -> list[RecordSummary]:
    """The records of a case in short."""
    summaries = []
    for keys in case.records:
        plan = place.load(keys.plan, RedactionPlan)
        report = place.load(keys.report, VerificationReport)
        kinds: dict[Kind, int] = {}
        for mark in plan.marks:
            for kind in mark.kinds:
                kinds[kind] = kinds.get(kind, 0) + 1
        doubts = [
            (review.page + 1, doubt.code, doubt.message, doubt.score)
            for review in pages_to_review(plan)
            for doubt in review.doubts
        ]
        gate = f"{len(report.checks)} checks passed" if report.passed else f"refused: {refusal(report)}"
        worst_first = tuple(sorted(set(doubts), key=lambda d: (-d[3], d[0], d[1])))
        summaries.append(RecordSummary(keys.number, plan.pages, len(plan.marks), kinds, worst_first, gate))
    return summaries


def thumbnails(place: Workplace, case: Case, at_most: int) -> list[tuple[int, int, bytes]]:
    """(record, 1-based page, JPEG) of the first redacted pages; only of files that the gate passed."""
    found: list[tuple[int, int, bytes]] = []
    for keys in case.records:
        wanted = at_most - len(found)
        if wanted <= 0:
            break
        report = place.load(keys.report, VerificationReport)
        pdf = place.load_bytes(keys.pdf)
        if not report.passed or report.file_sha256 != digest(pdf):
            continue
        pictures = place.readers.sketch(pdf, min(report.pages, wanted), THUMBNAIL_PX)
        found += [(keys.number, page, picture) for page, picture in enumerate(pictures, 1)]
    return found
