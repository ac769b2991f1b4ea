"""What the restricted side knows of each request: one small document per request in the work bucket.

Rule kept here: the document is for people and for "did anything change?"; no result depends on it, and losing it costs
nothing but a repeated run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from tasks.codec import fingerprint
from tasks.errors import UnknownRequestError
from tasks.model import RequestStatus, State
from tasks.store import ObjectInfo
from tasks.workplace import Workplace

SETTLED = frozenset({State.WAITING, State.HELD, State.QUARANTINED, State.BLOCKED, State.PUBLISHED, State.WITHDRAWN})
"""States in which the same listing needs no further run."""

INCOMPLETE = "the response is incomplete: "
"""How the reason begins for which an incomplete response is held; what is missing follows."""

_FOLDER, _SUFFIX = "status/", ".json"


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
    return f"{_FOLDER}{reference}{_SUFFIX}"


def find_status(place: Workplace, reference: str) -> RequestStatus | None:
    """The status of a request; None when it was never seen, or when its document is damaged, which is as good."""
    try:
        return place.load_plain(_key(reference), RequestStatus)
    except msgspec.DecodeError:
        return None


def load_status(place: Workplace, reference: str) -> RequestStatus:
    """The status of a request.

    Raises:
        UnknownRequestError: it was never seen.
    """
    status = find_status(place, reference)
    if status is None:
        raise UnknownRequestError(subject=reference)
    return status


def list_references(place: Workplace) -> Iterator[str]:
    """The reference of every request ever seen, those with a damaged document included."""
    for info in place.store.list(place.buckets.work, _FOLDER):
        yield info.key.removeprefix(_FOLDER).removesuffix(_SUFFIX)


def list_status_etags(place: Workplace) -> dict[str, str]:
    """Reference and etag of every status document, damaged ones included: one listing, nothing is read."""
    return {
        info.key.removeprefix(_FOLDER).removesuffix(_SUFFIX): info.etag
        for info in place.store.list(place.buckets.work, _FOLDER)
    }


def list_statuses(place: Workplace) -> Iterator[RequestStatus]:
    """The status of every request ever seen, by reference; damaged documents are passed over."""
    found = (find_status(place, reference) for reference in list_references(place))
    return (status for status in found if status is not None)


def set_status(place: Workplace, reference: str, state: State, **changes: Any) -> RequestStatus:
    """Write where a request stands, stamped with the time: the one place that does.

    Args:
        place: where.
        reference: of the request.
        state: the new one.
        changes: fields of `RequestStatus`; the reason is "" unless it is among them, anything else stays as it was.
    """
    known = find_status(place, reference) or RequestStatus(reference, state, "", "", "", 0, "")
    status = replace(known, state=state, updated=now(), **{"reason": "", **changes})
    place.save_plain(_key(reference), status)
    return status
