"""Taking a request in: what its folder holds now, looked at record by record.

Rule kept here: every object of the folder ends named in the status, as a record, quarantined, awaited or left alone;
originals stay where they are. When nothing changed since the last settled run, nothing is read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tasks.codec import digest, encode, fingerprint
from tasks.errors import EmptyFileError, InvalidRequestError, LimitExceededError, RejectedInputError, UnsafeKeyError
from tasks.intake import REQUEST_FILE, Candidate, check_key, understand
from tasks.model import Manifest, Outcome, Record, RecordOutcome, Rejection, State
from tasks.request import Request, parse_request
from tasks.status import SETTLED, find_status, list_request, listing_digest, set_status
from tasks.store import ObjectInfo, ObjectMissingError
from tasks.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking a request in came to: its state, and where its manifest lies when there is work to do."""

    state: State
    listing: str
    manifest: str = ""
    numbers: tuple[int, ...] = ()
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One look at a request's folder."""

    place: Workplace
    reference: str
    objects: Mapping[str, ObjectInfo]
    listing: str

    def settle(self, state: State, reason: str, outcomes: tuple[RecordOutcome, ...]) -> Intake:
        """Write the status; nothing is to be done now."""
        self.note(state, reason, outcomes)
        return Intake(state, self.listing)

    def note(self, state: State, reason: str, outcomes: tuple[RecordOutcome, ...]) -> None:
        """Write the status."""
        set_status(self.place, self.reference, state, reason=reason, listing=self.listing, dossier="", records=outcomes)


def take_in(place: Workplace, reference: str) -> Intake:
    """List the request's objects and, if anything changed since its last run, look at each record."""
    objects = list_request(place, reference)
    listing = listing_digest(place, objects)
    known = find_status(place, reference)
    if known and known.listing == listing and known.state in SETTLED:
        return Intake(known.state, listing, unchanged=True)
    arrival = _Arrival(place, reference, objects, listing)
    if REQUEST_FILE not in objects:
        awaited = tuple(RecordOutcome(name, Outcome.WAITING) for name in sorted(objects))
        return arrival.settle(State.WAITING, "request.json has not arrived", awaited)
    untrusted = place.store.get(place.buckets.intake, f"{reference}/{REQUEST_FILE}")
    try:
        request = parse_request(untrusted, reference)
    except InvalidRequestError as error:
        rejection = quarantine(place, reference, objects[REQUEST_FILE], error)
        return arrival.settle(State.QUARANTINED, str(error), (_outcome_of(rejection),))
    return _take_in_records(arrival, request, untrusted)


def _take_in_records(arrival: _Arrival, request: Request, untrusted: bytes) -> Intake:
    place, reference = arrival.place, arrival.reference
    policy = place.policy.with_overrides(request.policy)
    terms = request.requester_terms
    contents = understand(reference, arrival.objects, request, policy, terms, place.readers.withhold)
    if contents.missing:
        awaited = tuple(RecordOutcome(n, Outcome.WAITING, reason="listed in request.json") for n in contents.missing)
        return arrival.settle(State.WAITING, "a listed record has not arrived", awaited)
    records: list[Record] = []
    rejected: list[Rejection] = []
    for candidate in contents.candidates:
        try:
            records.append(_look(place, candidate))
        except RejectedInputError as error:
            rejection = quarantine(place, reference, candidate.info, error)
            rejected.append(replace(rejection, number=candidate.number, title=candidate.title))
    outcomes = tuple(_outcome_of(rejection) for rejection in rejected)
    outcomes += tuple(RecordOutcome(name, Outcome.UNLISTED, reason="not in request.json") for name in contents.unlisted)
    if not records:
        return arrival.settle(State.QUARANTINED, "no record could be taken in", outcomes)
    # The run works with this copy: an upload in between must not mix a new letter with old records.
    copy = place.save_bytes(f"requests/{reference}/{digest(untrusted)}.json", untrusted, "application/json")
    manifest = Manifest(reference, arrival.listing, copy, tuple(records), tuple(rejected))
    key = place.save(f"manifests/{reference}/{fingerprint(manifest)}.json.gz", manifest)
    arrival.note(State.PROCESSING, "", outcomes)
    return Intake(State.PROCESSING, arrival.listing, key, tuple(record.number for record in records))


def load_request(place: Workplace, manifest: Manifest) -> Request:
    """The request as it was taken in, whatever has been uploaded since."""
    return parse_request(place.load_bytes(manifest.request), manifest.reference)


def quarantine(place: Workplace, reference: str, info: ObjectInfo, error: RejectedInputError) -> Rejection:
    """Copy a rejected file beside its reason; the original stays where it is."""
    rejection = Rejection(info.key.removeprefix(f"{reference}/"), error.code, str(error), error.action)
    folder = f"{reference}/{fingerprint(info.key, info.etag)[:16]}"
    # Some names the store itself refuses to touch; the reason is written all the same.
    with contextlib.suppress(UnsafeKeyError, ObjectMissingError):
        place.store.copy(place.buckets.intake, info.key, place.buckets.quarantine, f"{folder}/file")
    place.store.put(place.buckets.quarantine, f"{folder}/reason.json", encode(rejection), "application/json")
    return rejection


def _look(place: Workplace, candidate: Candidate) -> Record:
    """Look at one record's bytes, or remember what they were when neither name, etag nor size changed.

    Raises:
        RejectedInputError: it cannot be a record.
    """
    info = candidate.info
    check_key(info.key)
    memory = f"seen/{fingerprint(info.key, info.etag, info.size, place.reading_fingerprint)}.json"
    record = place.load_plain(memory, Record)
    if record is None:
        if info.size == 0:
            raise EmptyFileError(subject=info.key)
        if info.size > place.reading.limits.max_bytes:
            raise LimitExceededError(f"{info.size} bytes.", subject=info.key)
        data = place.store.get(place.buckets.intake, info.key)
        media = place.readers.look(PurePosixPath(info.key).name, data)
        record = Record(candidate.number, info.key, info.etag, digest(data), len(data), media, candidate.title)
        place.save_plain(memory, record)
    return replace(record, number=candidate.number, title=candidate.title, date=candidate.date)


def _outcome_of(rejection: Rejection) -> RecordOutcome:
    return RecordOutcome(rejection.name, Outcome.QUARANTINED, reason=f"{rejection.detail} {rejection.action}")
