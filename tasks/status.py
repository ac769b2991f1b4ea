"""What the restricted side knows of each request: one small document per request in the work bucket.

Rule kept here: the document is for people and for "did anything change?"; no result depends on it, and losing it costs
nothing but a repeated run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tasks.codec import decode, fingerprint
from tasks.errors import UnknownRequestError
from tasks.model import RecordOutcome, RequestStatus, State
from tasks.store import ObjectInfo
from tasks.workplace import Workplace

SETTLED = frozenset({State.WAITING, State.HELD, State.QUARANTINED, State.BLOCKED, State.PUBLISHED, State.WITHDRAWN})
"""States in which the same listing needs no further run."""


def now() -> str:
    """The time as it is written everywhere: ISO 8601 UTC, seconds."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def listing_digest(place: Workplace, objects: Mapping[str, ObjectInfo]) -> str:
    """Digest over what decides a request's result: names, etags and sizes of its objects, policy and pipeline."""
    names = [(name, info.etag, info.size) for name, info in sorted(objects.items())]
    return fingerprint(names, place.fingerprint)


def list_request(place: Workplace, reference: str) -> dict[str, ObjectInfo]:
    """The objects of one request in the intake bucket, by name relative to its folder."""
    prefix = f"{reference}/"
    return {info.key.removeprefix(prefix): info for info in place.store.list(place.buckets.intake, prefix)}


def _key(reference: str) -> str:
    return f"status/{reference}.json"


def find_status(place: Workplace, reference: str) -> RequestStatus | None:
    """The status of a request, or None when it was never seen."""
    return place.load_plain(_key(reference), RequestStatus)


def load_status(place: Workplace, reference: str) -> RequestStatus:
    """The status of a request.

    Raises:
        UnknownRequestError: it was never seen.
    """
    status = find_status(place, reference)
    if status is None:
        raise UnknownRequestError(subject=reference)
    return status


def list_statuses(place: Workplace) -> Iterator[RequestStatus]:
    """The status of every request ever seen, by reference."""
    for info in place.store.list(place.buckets.work, "status/"):
        yield decode(place.store.get(place.buckets.work, info.key), RequestStatus)


def save_status(
    place: Workplace,
    reference: str,
    state: State,
    *,
    reason: str = "",
    listing: str = "",
    dossier: str = "",
    version: int = 0,
    records: tuple[RecordOutcome, ...] = (),
) -> RequestStatus:
    """Write the status of a request, stamped with the time."""
    known = find_status(place, reference)
    withdrawn = bool(known and known.withdrawn)
    status = RequestStatus(reference, state, reason, listing, dossier, version, now(), records, withdrawn)
    place.save_plain(_key(reference), status)
    return status


def update_status(place: Workplace, status: RequestStatus, state: State, **changes: Any) -> RequestStatus:
    """Write a status that has moved on; what `changes` does not name stays."""
    moved = replace(status, state=state, updated=now(), **{"reason": "", **changes})
    place.save_plain(_key(status.reference), moved)
    return moved
