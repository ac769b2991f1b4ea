"""Removes from the work bucket what is old and can be made again: `foi prune`.

Rule kept here: decisions, corrections, dossiers, cases, manifests, requests and statuses stay for ever; so does every
result that a request which is not over yet still stands on. What goes would be made again, the same to the byte, if the
request were processed again. Deleting is a right that no role has: it takes the administrator's account.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from flows.place import buckets_of
from flows.settings import Settings
from tasks.codec import decode, unpack
from tasks.errors import ConfigurationError
from tasks.model import Case, RequestStatus, State
from tasks.store import ObjectInfo, S3Store

REMAKEABLE = (
    "transcripts/",
    "found/",
    "claims/",
    "plans/",
    "redacted/",
    "reports/",
    "seen/",
    "shown/",
    "packs/",
)
OVER = frozenset({State.PUBLISHED, State.WITHDRAWN})


def open_as_administrator(settings: Settings) -> S3Store:
    """The store in the administrator's name.

    Raises:
        ConfigurationError: the settings do not name that account.
    """
    secret = settings.store_secret_key.get_secret_value()
    if not (settings.store_access_key and secret):
        raise ConfigurationError("FOI_STORE_ACCESS_KEY and FOI_STORE_SECRET_KEY: an administrator's are needed.")
    return S3Store(settings.store_endpoint, settings.store_access_key, secret, settings.store_region)


def find_prunable(store: S3Store, settings: Settings, older_than: timedelta) -> Iterator[ObjectInfo]:
    """What may go: old, made again at will, and needed by no request that is not over.

    Raises:
        ValueError: a status or a case cannot be read, so that nobody can say what is needed.
    """
    work = buckets_of(settings).work
    oldest = datetime.now(UTC) - older_than
    needed = _needed(store, work)
    for prefix in REMAKEABLE:
        for info in store.list(work, prefix):
            if info.key not in needed and datetime.fromisoformat(info.modified) < oldest:
                yield info


def _needed(store: S3Store, work: str) -> set[str]:
    """Keys of the results on which a request stands that is not over yet."""
    keys: set[str] = set()
    for info in store.list(work, "status/"):
        status = decode(store.get(work, info.key), RequestStatus)
        if status.state in OVER or not status.dossier:
            continue
        case = unpack(store.get(work, f"cases/{status.reference}/{status.dossier}.json.gz"), Case)
        keys |= {key for r in case.records for key in (r.transcript, r.claims, r.plan, r.pdf, r.report)}
        pack = f"packs/{status.reference}/{status.dossier}/"
        keys |= {info.key for info in store.list(work, pack)}
        if store.head(work, f"{pack}files.json.gz") is not None:
            keys |= set(unpack(store.get(work, f"{pack}files.json.gz"), dict[str, str]).values())
    return keys


def prune(store: S3Store, settings: Settings, older_than: timedelta) -> tuple[int, int]:
    """Remove it; returns how many objects and bytes went."""
    objects = size = 0
    for info in find_prunable(store, settings, older_than):
        store.delete(buckets_of(settings).work, info.key)
        objects, size = objects + 1, size + info.size
    return objects, size
