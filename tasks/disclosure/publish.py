"""From an approved dossier to public pages, and back.

Rules kept here, in this order, because readers look at any moment and a process dies at any moment:

1. the files of a version, `disclosures/<reference>/v<N>/...`;
2. its zip, `disclosures/<reference>/v<N>.zip`;
3. its entry, `entries/<reference>/v<N>.json`: written once, after which the version is published and never touched;
4. the request's page, which links to 1 and 2;
5. the log, made again from all entries, which links to 4.

Whatever step a run dies after, the next run finds no entry and does the same again with the same bytes, or finds the
entry and completes 4 and 5. Nothing is written that is already there. Only one run at a time may publish one reference.

A withdrawal turns the order round: its entry, its signed record, the notice in place of the page, the log; and only
when nothing leads to them any more, the files.

A time stamp is the one thing that differs each time it is asked for. It is asked for before the first write, and a
stamp that a run which died left behind is taken again, so that the bytes are the same after all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from tasks.codec import decode, encode
from tasks.disclosure.bag import zip_bag
from tasks.disclosure.bundle import (
    ENVELOPE,
    SIGNER,
    TIME_STAMP,
    Listed,
    Superseded,
    assemble_bundle,
    dossier_digest,
    what_changed,
)
from tasks.disclosure.keys import SigningKeys, load_certificates
from tasks.disclosure.page import printable
from tasks.disclosure.provenance import dossier_commitment, seal, withdrawal_statement
from tasks.disclosure.site import ARCHIVE, LogEntry, entry_of, log_pages, request_page, tombstone_page, withdrawal_of
from tasks.disclosure.timestamp import Stamper, stamped_at
from tasks.errors import ConfigurationError, NotApprovedError, NothingThereError, UnknownRequestError
from tasks.model import Approval, Dossier
from tasks.request import Authority, Policy

if TYPE_CHECKING:
    from tasks.store import ObjectStore

ENTRIES = "entries/"
WITHDRAWAL_RECORD = "withdrawal.dsse.json"
MAX_LOG_ROUNDS = 5

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "p7s": "application/pkcs7-signature",
    "pdf": "application/pdf",
    "pem": "application/x-pem-file",
    "tsr": "application/timestamp-reply",
    "txt": "text/plain; charset=utf-8",
    "xml": "application/atom+xml; charset=utf-8",
    "zip": "application/zip",
}


def _put(store: ObjectStore, bucket: str, key: str, data: bytes) -> None:
    """Write an object unless it is there with these bytes."""
    known = store.head(bucket, key)
    if known is None or known.size != len(data) or store.get(bucket, key) != data:
        store.put(bucket, key, data, content_type=_TYPES.get(key.rsplit(".", 1)[-1], "application/octet-stream"))


# ------------------------------------------------------------------------------------------------ entries


def _read_entries(store: ObjectStore, bucket: str, prefix: str) -> Iterator[LogEntry]:
    for info in store.list(bucket, prefix):
        try:
            yield decode(store.get(bucket, info.key), LogEntry)
        except msgspec.MsgspecError:
            raise ConfigurationError("An entry of the disclosure log is damaged.", subject=info.key) from None


def _order(entry: LogEntry) -> tuple[int, bool]:
    """By version; a withdrawal comes after the last version it withdraws."""
    return entry.version, entry.withdrawn


def request_entries(store: ObjectStore, bucket: str, reference: str) -> tuple[LogEntry, ...]:
    """Every publication and withdrawal of one request, oldest first."""
    return tuple(sorted(_read_entries(store, bucket, f"{ENTRIES}{reference}/"), key=_order))


def _entry_key(entry: LogEntry) -> str:
    return f"{ENTRIES}{entry.reference}/{'w' if entry.withdrawn else 'v'}{entry.version}.json"


def _readable(entries: tuple[LogEntry, ...]) -> tuple[LogEntry, ...]:
    """The publications after the latest withdrawal."""
    last = max((entry.version for entry in entries if entry.withdrawn), default=0)
    return tuple(entry for entry in entries if not entry.withdrawn and entry.version > last)


def log_entries(store: ObjectStore, bucket: str) -> tuple[LogEntry, ...]:
    """The current entry of every request: its newest publication, or its withdrawal."""
    current: dict[str, LogEntry] = {}
    for entry in sorted(_read_entries(store, bucket, ENTRIES), key=_order):
        current[entry.reference] = entry
    return tuple(current.values())


def _remove_withdrawn(store: ObjectStore, bucket: str, entry: LogEntry) -> None:
    """Delete every version that a withdrawal covers: the files first, the entries that name them last."""
    for version in range(1, entry.version + 1):
        for prefix in (f"v{version}/", f"v{version}.zip"):
            for info in list(store.list(bucket, f"disclosures/{entry.reference}/{prefix}")):
                store.delete(bucket, info.key)
        store.delete(bucket, f"{ENTRIES}{entry.reference}/v{version}.json")


def rebuild_log(store: ObjectStore, bucket: str, authority: Authority) -> None:
    """Make the log of the entries that are there. Two runs at once end with the same log: each looks again."""
    written: tuple[LogEntry, ...] | None = None
    for _ in range(MAX_LOG_ROUNDS):
        entries = log_entries(store, bucket)
        if entries == written:
            return
        pages = log_pages(entries, authority)
        for key, data in pages.items():
            _put(store, bucket, key, data)
        for info in list(store.list(bucket, ARCHIVE)):
            if info.key not in pages:  # of a year that has fewer pages now: what it listed may be withdrawn
                store.delete(bucket, info.key)
        written = entries


# ------------------------------------------------------------------------------------------------ publish


def _listed(schedule: bytes) -> list[Listed]:
    """The records of a publication of ours, from its `schedule.json`."""
    records = json.loads(schedule)["records"]
    return [Listed(each["number"], each["title"], each["sha256"], each["marks"]) for each in records]


def _superseded(store: ObjectStore, bucket: str, old: LogEntry | None, dossier: Dossier) -> Superseded | None:
    if old is None:
        return None
    before = _listed(store.get(bucket, f"disclosures/{old.reference}/v{old.version}/data/schedule.json"))
    after = [Listed(each.number, each.title, each.sha256, len(each.marks)) for each in dossier.records]
    return Superseded(old.version, old.bag, what_changed(before, after))


@dataclass(frozen=True, slots=True)
class _Remembering:
    """A time stamping authority whose earlier stamp on the same content, if a run left one, is good enough."""

    authority: Stamper
    left: bytes | None

    @property
    def certificates_pem(self) -> bytes:
        return self.authority.certificates_pem

    def stamp(self, content: bytes) -> bytes:
        if self.left is not None:
            with suppress(ValueError):
                stamped_at(self.left, content, load_certificates(self.certificates_pem))
                return self.left
        return self.authority.stamp(content)


def _remembering(store: ObjectStore, bucket: str, folder: str, authority: Stamper | None) -> Stamper | None:
    key = f"{folder}/{TIME_STAMP}"
    if authority is None or store.head(bucket, key) is None:
        return authority
    return _Remembering(authority, store.get(bucket, key))


def _complete_withdrawal(
    store: ObjectStore, bucket: str, entries: tuple[LogEntry, ...], authority: Authority, keys: SigningKeys
) -> None:
    """What a withdrawal that died left undone is done first: publishing something else must not cover it up."""
    withdrawals = [entry for entry in entries if entry.withdrawn]
    if withdrawals and any(not known.withdrawn and known.version <= withdrawals[-1].version for known in entries):
        _carry_out(store, bucket, withdrawals[-1], authority, keys)


def _next_version(entries: tuple[LogEntry, ...], approval: Approval) -> int:
    """The number of a new publication.

    Raises:
        NotApprovedError: the request was withdrawn after this approval was given.
    """
    if entries and entries[-1].withdrawn and approval.at[:19] <= entries[-1].published[:19]:
        raise NotApprovedError("It was withdrawn after this approval.", subject=approval.reference)
    return max((entry.version for entry in entries), default=0) + 1


def _folder(reference: str, version: int) -> str:
    return f"disclosures/{reference}/v{version}"


def _write_version(
    store: ObjectStore, bucket: str, entry: LogEntry, bundle: Mapping[str, bytes], zipped: bytes
) -> None:
    folder = _folder(entry.reference, entry.version)
    for path, data in bundle.items():
        _put(store, bucket, f"{folder}/{path}", data)
    # An earlier run that died may have begun this version with other content; without an entry it was never published.
    expected = {f"{folder}/{path}" for path in bundle}
    for info in list(store.list(bucket, f"{folder}/")):
        if info.key not in expected:
            store.delete(bucket, info.key)
    _put(store, bucket, f"{folder}.zip", zipped)
    _put(store, bucket, _entry_key(entry), encode(entry))


def publish(
    store: ObjectStore,
    bucket: str,
    dossier: Dossier,
    approval: Approval,
    files: Mapping[str, bytes],
    policy: Policy,
    keys: SigningKeys | None,
    *,
    inspect: Callable[[dict[str, bytes]], None] = lambda _: None,
    stamper: Stamper | None = None,
) -> LogEntry:
    """Publish an approved dossier once; the same dossier again returns the entry it has.

    Args:
        store: where to.
        bucket: the public one.
        dossier: what is disclosed.
        approval: of exactly this dossier.
        files: file name -> redacted PDF of every record.
        policy: the one the dossier was made under.
        keys: to sign with.
        inspect: sees everything that is about to be written for this request and raises to stop it.
        stamper: puts a time stamp on each new version.

    Raises:
        NotApprovedError: see `assemble_bundle`; also when the request was withdrawn after the approval.
        ConfigurationError: no key to sign with, or the log's entries are damaged.
        StoreUnavailableError: from the store.
        TransientError: from the stamper; nothing is written then.
    """
    if keys is None:
        raise ConfigurationError("There is no signing key.")
    reference = dossier.reference
    entries = request_entries(store, bucket, reference)
    _complete_withdrawal(store, bucket, entries, policy.authority, keys)
    commitment = dossier_commitment(keys, reference, dossier_digest(dossier))
    entry = next((known for known in _readable(entries) if known.digest == commitment), None)
    if entry is None:
        version = _next_version(entries, approval)
        before = _readable(entries)
        old = _superseded(store, bucket, before[-1] if before else None, dossier)
        stamps = _remembering(store, bucket, _folder(reference, version), stamper)
        bundle = assemble_bundle(dossier, approval, files, policy, keys, version, old, stamps)
        zipped = zip_bag(bundle, f"{reference}-v{version}")
        changes = old.changes if old else ()
        entry = entry_of(dossier, approval, bundle, zipped, commitment, version, changes)
        inspect({**bundle, "entry.json": encode(entry)})
        _write_version(store, bucket, entry, bundle, zipped)
        entries = (*entries, entry)
    readable = _readable(entries)
    if entry == readable[-1]:
        # The page is of what was published: a later approval of the same dossier does not change its date.
        page = request_page(dossier, policy, replace(approval, at=entry.published), readable, keys.key_id)
        inspect({"index.html": page})
        _put(store, bucket, f"disclosures/{reference}/index.html", page)
    rebuild_log(store, bucket, policy.authority)
    return entry


def published_statement(store: ObjectStore, bucket: str, reference: str) -> dict[str, bytes]:
    """The signed statement of a request's newest version and the key that came with it: path in the bundle -> bytes.

    Raises:
        UnknownRequestError: nothing was published under this reference.
        NothingThereError: it was withdrawn.
    """
    entries = request_entries(store, bucket, reference)
    if not entries:
        raise UnknownRequestError(subject=reference)
    if entries[-1].withdrawn:
        raise NothingThereError("It was withdrawn.", subject=reference)
    folder = _folder(reference, entries[-1].version)
    return {path: store.get(bucket, f"{folder}/{path}") for path in (ENVELOPE, SIGNER)}


# ------------------------------------------------------------------------------------------------ withdraw


def withdraw(
    store: ObjectStore,
    bucket: str,
    reference: str,
    reason: str,
    at: str,
    authority: Authority,
    keys: SigningKeys,
) -> LogEntry:
    """Take every version of a disclosure back; a notice stays in its place.

    Run again after a crash it completes the withdrawal it finds, with that one's reason and date.

    Args:
        store: where.
        bucket: the public one.
        reference: of the request.
        reason: what readers are told.
        at: ISO 8601 UTC, seconds.
        authority: who publishes.
        keys: sign the record of the withdrawal, `disclosures/<reference>/withdrawal.dsse.json`.

    Raises:
        UnknownRequestError: nothing was published under this reference.
        ConfigurationError: the reason is empty, or the log's entries are damaged.
    """
    entries = request_entries(store, bucket, reference)
    if not entries:
        raise UnknownRequestError(subject=reference)
    entry = entries[-1]
    if not entry.withdrawn:
        told = str(printable(reason)).strip()
        if not told:
            raise ConfigurationError("A withdrawal needs a reason that readers are told.")
        entry = withdrawal_of(entry, told, at)
        _put(store, bucket, _entry_key(entry), encode(entry))
    _carry_out(store, bucket, entry, authority, keys)
    return entry


def _carry_out(store: ObjectStore, bucket: str, entry: LogEntry, authority: Authority, keys: SigningKeys) -> None:
    """Everything of a withdrawal after its entry; done again, it changes nothing."""
    folder = f"disclosures/{entry.reference}"
    statement = withdrawal_statement(
        entry.reference, entry.version, entry.bag, entry.zip_sha256, reason=entry.reason, at=entry.published
    )
    _put(store, bucket, f"{folder}/{WITHDRAWAL_RECORD}", seal(statement, keys))
    _put(store, bucket, f"{folder}/index.html", tombstone_page(entry, authority))
    rebuild_log(store, bucket, authority)
    _remove_withdrawn(store, bucket, entry)
