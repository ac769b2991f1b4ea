"""From an approved dossier to public pages, and back.

Rules kept here, in this order, because readers look at any moment and a process dies at any moment:

1. the files of a version, `disclosures/<reference>/v<N>/...`;
2. its zip, `disclosures/<reference>/v<N>.zip`;
3. its entry, `entries/<reference>/v<N>.json`: written once, after which the version is published and never touched;
4. the request's page, which links to 1 and 2;
5. the log, made again from all entries, which links to 4.

Whatever step a run dies after, the next run finds no entry and does the same again with the same bytes, or finds the
entry and completes 4 and 5. Nothing is written that is already there. A version that never got its entry was never
published: `discard_unfinished` removes it, and so does a withdrawal.

One run at a time publishes or withdraws one reference; whoever calls sees to that. Should two do it all the same, the
later one finds, right before step 3, that the entries are not those it began with, and nothing of it is published. On
a store without conditional writes a moment is left in which both look and both write.

A withdrawal turns the order round: its entry, its signed record, the notice in place of the page, the log; and then,
whether or not the log could be made, the files.

A time stamp is the one thing that differs each time it is asked for. It is asked for before the first write, and a
stamp that a run which died left behind is taken again, so that the bytes are the same after all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from tasks.codec import decode, encode, pack, unpack
from tasks.disclosure.bag import zip_bag
from tasks.disclosure.bundle import (
    Superseded,
    assemble_bundle,
    dossier_digest,
    listed_in,
    listed_of,
    what_changed,
)
from tasks.disclosure.keys import SigningKeys, load_certificates, load_publisher
from tasks.disclosure.layout import ENVELOPE, SIGNER, TIME_STAMP, WITHDRAWAL_RECORD
from tasks.disclosure.page import printable
from tasks.disclosure.provenance import dossier_commitment, seal, withdrawal_statement
from tasks.disclosure.site import ARCHIVE, LogEntry, entry_of, log_pages, request_page, tombstone_page, withdrawal_of
from tasks.disclosure.timestamp import Stamper, stamped_at
from tasks.errors import (
    FoiError,
    KeysMissingError,
    NotApprovedError,
    NothingThereError,
    ReasonRefusedError,
    TransientError,
    UnknownRequestError,
)
from tasks.model import Approval, Dossier
from tasks.request import Authority, Policy
from tasks.store import ObjectExistsError, ObjectMissingError, ObjectStore

ENTRIES = "entries/"
INDEX = "entries.json.gz"
"""What the log was made of last; spares reading every entry again. Without it, or where it errs, the entries count."""

MAX_LOG_ROUNDS = 20

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "gz": "application/gzip",
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


class EntryDamagedError(FoiError):
    """What is known of a publication cannot be read."""

    code = "entry-damaged"
    message = "An entry of the disclosure log is damaged."
    action = "Restore the object that is named from a backup of the disclosure bucket."
    exit_code = 65


class PublishedMeanwhileError(TransientError):
    """Another run published or withdrew the same request in the meantime."""

    code = "published-meanwhile"
    message = "Another run published or withdrew this request in the meantime."
    action = "Nothing: it is tried again, on what is published now."


class LogBusyError(TransientError):
    """The log's entries changed each time it was made."""

    code = "log-busy"
    message = "The disclosure log could not keep up with what is being published."
    action = "Nothing: it is tried again, and the sweep makes the log anew each night."


def _put(store: ObjectStore, bucket: str, key: str, data: bytes) -> None:
    """Write an object unless it is there with these bytes."""
    known = store.head(bucket, key)
    if known is None or known.size != len(data) or store.get(bucket, key) != data:
        store.put(bucket, key, data, content_type=_TYPES.get(key.rsplit(".", 1)[-1], "application/octet-stream"))


# ------------------------------------------------------------------------------------------------ entries


def _entry(store: ObjectStore, bucket: str, key: str) -> LogEntry:
    try:
        return decode(store.get(bucket, key), LogEntry)
    except msgspec.MsgspecError:
        raise EntryDamagedError(subject=key) from None


def _order(entry: LogEntry) -> tuple[int, bool]:
    """By version; a withdrawal comes after the last version it withdraws."""
    return entry.version, entry.withdrawn


def request_entries(store: ObjectStore, bucket: str, reference: str) -> tuple[LogEntry, ...]:
    """Every publication and withdrawal of one request, oldest first.

    Raises:
        EntryDamagedError: one cannot be read.
    """
    found = [_entry(store, bucket, info.key) for info in store.list(bucket, f"{ENTRIES}{reference}/")]
    return tuple(sorted(found, key=_order))


def _entry_key(entry: LogEntry) -> str:
    return f"{ENTRIES}{entry.reference}/{'w' if entry.withdrawn else 'v'}{entry.version}.json"


def _readable(entries: tuple[LogEntry, ...]) -> tuple[LogEntry, ...]:
    """The publications after the latest withdrawal."""
    last = max((entry.version for entry in entries if entry.withdrawn), default=0)
    return tuple(entry for entry in entries if not entry.withdrawn and entry.version > last)


@dataclass(frozen=True, slots=True)
class _Indexed:
    """An entry that was read, and the object it was read from."""

    key: str
    etag: str
    entry: LogEntry


@dataclass(frozen=True, slots=True)
class Log:
    """What the disclosure log is made of.

    Attributes:
        entries: the current one of every request: its newest publication, or its withdrawal.
        damaged: keys of entries that cannot be read. What was known of one before still counts.
    """

    entries: tuple[LogEntry, ...]
    damaged: tuple[str, ...] = ()


def read_log(store: ObjectStore, bucket: str) -> Log:
    """Every request that was published; of entries, only those are read that are new since the last time."""
    known = {each.key: each for each in _index(store, bucket)}
    read: list[_Indexed] = []
    damaged: list[str] = []
    for info in store.list(bucket, ENTRIES):
        before = known.get(info.key)
        if before is None or before.etag != info.etag:
            try:
                before = _Indexed(info.key, info.etag, _entry(store, bucket, info.key))
            except EntryDamagedError:
                damaged.append(info.key)
            except ObjectMissingError:  # a withdrawal took it away since the listing
                continue
        if before is not None:
            read.append(before)
    if any(known.get(each.key) != each for each in read):
        _put(store, bucket, INDEX, pack(tuple(read)))
    current = {each.entry.reference: each.entry for each in sorted(read, key=lambda each: _order(each.entry))}
    return Log(tuple(current[reference] for reference in sorted(current)), tuple(damaged))


def _index(store: ObjectStore, bucket: str) -> tuple[_Indexed, ...]:
    try:
        return unpack(store.get(bucket, INDEX), tuple[_Indexed, ...])
    except (ObjectMissingError, msgspec.MsgspecError, zlib.error, OSError, EOFError):
        return ()


def rebuild_log(store: ObjectStore, bucket: str, authority: Authority) -> tuple[str, ...]:
    """Make the log of the entries that are there. Two runs at once end with the same log: each looks again.

    Returns:
        Keys of the entries that are damaged.

    Raises:
        LogBusyError: they changed each time.
    """
    written: tuple[LogEntry, ...] | None = None
    for _ in range(MAX_LOG_ROUNDS):
        log = read_log(store, bucket)
        if log.entries == written:
            return log.damaged
        pages = log_pages(log.entries, authority)
        for key, data in pages.items():
            _put(store, bucket, key, data)
        for info in list(store.list(bucket, ARCHIVE)):
            if info.key not in pages:  # of a year that has fewer pages now: what it listed may be withdrawn
                store.delete(bucket, info.key)
        written = log.entries
    raise LogBusyError


_VERSION = re.compile(r"v([0-9]+)(/|\.zip$)")


def _remove_versions(store: ObjectStore, bucket: str, reference: str, kept: Collection[int]) -> bool:
    """Delete the files of every version but those that are kept; whether there were any."""
    folder, found = f"disclosures/{reference}/", False
    for info in list(store.list(bucket, folder)):
        version = _VERSION.match(info.key.removeprefix(folder))
        if version and int(version[1]) not in kept:
            store.delete(bucket, info.key)
            found = True
    return found


def discard_unfinished(store: ObjectStore, bucket: str, reference: str) -> bool:
    """Delete what a publication that died, or was stopped, left behind before its entry; whether there was any.

    Nobody may be publishing the request meanwhile.
    """
    published = [entry.version for entry in request_entries(store, bucket, reference)]
    return _remove_versions(store, bucket, reference, published)


# ------------------------------------------------------------------------------------------------ publish


_UNKNOWN_CHANGE = "What changed cannot be said: the list of the version before is damaged."


def _superseded(store: ObjectStore, bucket: str, readable: tuple[LogEntry, ...], dossier: Dossier) -> Superseded | None:
    """The newest of the readable publications, and what differs from it."""
    if not readable:
        return None
    old, first = readable[-1], readable[0].published
    try:
        before = listed_in(store.get(bucket, f"{_folder(old.reference, old.version)}/data/schedule.json"))
    except (ObjectMissingError, ValueError):
        return Superseded(old.version, old.bag, (_UNKNOWN_CHANGE,), first)
    return Superseded(old.version, old.bag, what_changed(before, listed_of(dossier)), first)


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
) -> bool:
    """What a withdrawal that died left undone is done first: publishing something else must not cover it up.

    Returns:
        Whether there was anything to do.
    """
    withdrawals = [entry for entry in entries if entry.withdrawn]
    undone = bool(withdrawals) and any(
        not known.withdrawn and known.version <= withdrawals[-1].version for known in entries
    )
    if undone:
        _carry_out(store, bucket, withdrawals[-1], authority, keys)
    return undone


def _next_version(entries: tuple[LogEntry, ...], approval: Approval, commitment: str) -> int:
    """The number of a new publication.

    Raises:
        NotApprovedError: the request was withdrawn, or this dossier was superseded, after this approval was given.
    """
    overtaken = bool(entries) and (
        entries[-1].withdrawn or any(known.digest == commitment for known in _readable(entries))
    )
    if overtaken and approval.at[:19] <= entries[-1].published[:19]:
        raise NotApprovedError("It was withdrawn or superseded after this approval.", subject=approval.reference)
    return max((entry.version for entry in entries), default=0) + 1


def _folder(reference: str, version: int) -> str:
    return f"disclosures/{reference}/v{version}"


def _write_version(
    store: ObjectStore,
    bucket: str,
    entry: LogEntry,
    bundle: Mapping[str, bytes],
    zipped: bytes,
    may_enter: Callable[[], None],
) -> None:
    """Write a version and then its entry, unless `may_enter`, called in between, raises."""
    folder = _folder(entry.reference, entry.version)
    for path, data in bundle.items():
        _put(store, bucket, f"{folder}/{path}", data)
    # An earlier run that died may have begun this version with other content; without an entry it was never published.
    expected = {f"{folder}/{path}" for path in bundle}
    for info in list(store.list(bucket, f"{folder}/")):
        if info.key not in expected:
            store.delete(bucket, info.key)
    _put(store, bucket, f"{folder}.zip", zipped)
    try:
        may_enter()
    except NotApprovedError:
        discard_unfinished(store, bucket, entry.reference)
        raise
    try:
        store.put(bucket, _entry_key(entry), encode(entry), _TYPES["json"], if_absent=True)
    except ObjectExistsError:
        raise PublishedMeanwhileError(subject=entry.reference) from None


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
    confirm: Callable[[], None] = lambda: None,
    stamper: Stamper | None = None,
) -> LogEntry:
    """Publish an approved dossier; what is published already returns the entry it has.

    An older version's dossier, approved anew after the newest was published, is the next version.

    Args:
        store: where to.
        bucket: the public one.
        dossier: what is disclosed.
        approval: of exactly this dossier.
        files: file name -> redacted PDF of every record.
        policy: the one the dossier was made under.
        keys: to sign with.
        inspect: sees everything that is about to be written for this request and raises to stop it.
        confirm: called right before a new version becomes public; raises NotApprovedError when the approval no longer
            stands, and nothing of the version stays.
        stamper: puts a time stamp on each new version.

    Raises:
        NotApprovedError: see `assemble_bundle`; also when the request was withdrawn, or another version took this one's
            place, after the approval.
        KeysMissingError: no key to sign with.
        EntryDamagedError: what is known of this request's publications cannot be read.
        PublishedMeanwhileError: another run published or withdrew it; nothing was published here.
        StoreUnavailableError: from the store.
        TransientError: from the stamper; nothing is written then.
    """
    if keys is None:
        raise KeysMissingError("There is no signing key.")
    reference = dossier.reference
    entries = request_entries(store, bucket, reference)
    if _complete_withdrawal(store, bucket, entries, policy.authority, keys):
        entries = request_entries(store, bucket, reference)
    commitment = dossier_commitment(keys, reference, dossier_digest(dossier))
    before = _readable(entries)
    if before and before[-1].digest == commitment:
        entry = before[-1]
        signer = store.get(bucket, f"{_folder(reference, entry.version)}/{SIGNER}")
    else:
        version = _next_version(entries, approval, commitment)
        old = _superseded(store, bucket, before, dossier)
        stamps = _remembering(store, bucket, _folder(reference, version), stamper)
        bundle = assemble_bundle(dossier, approval, files, policy, keys, version, old, stamps)
        signer = bundle[SIGNER]
        zipped = zip_bag(bundle, f"{reference}-v{version}")
        changes = old.changes if old else ()
        gone = max((known.version for known in entries if known.withdrawn), default=0)
        entry = replace(entry_of(dossier, approval, bundle, zipped, commitment, version, changes), withdrawn_up_to=gone)
        inspect({**bundle, "entry.json": encode(entry)})

        def may_enter() -> None:
            confirm()
            if request_entries(store, bucket, reference) != entries:
                raise PublishedMeanwhileError(subject=reference)

        _write_version(store, bucket, entry, bundle, zipped, may_enter)
        before = (*before, entry)
    # The page is of what was published: a later approval of the same dossier does not change its date or its key.
    (key,) = load_publisher(signer)
    page = request_page(dossier, policy, replace(approval, at=entry.published), before, key.key_id)
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
        keys: sign the record of the withdrawal, `disclosures/<reference>/withdrawal-v<N>.dsse.json`; the newest stands
            as `withdrawal.dsse.json` too.

    Raises:
        UnknownRequestError: nothing was published under this reference.
        NothingThereError: nothing was, but a publication that died had left files, which are gone now.
        ReasonRefusedError: there is none.
        EntryDamagedError: what is known of this request's publications cannot be read.
    """
    entries = request_entries(store, bucket, reference)
    if not entries:
        if discard_unfinished(store, bucket, reference):
            raise NothingThereError("It was never published; what an interrupted publication left is removed.")
        raise UnknownRequestError(subject=reference)
    entry = entries[-1]
    if not entry.withdrawn:
        told = str(printable(reason)).strip()
        if not told:
            raise ReasonRefusedError("It is empty.")
        entry = withdrawal_of(entry, told, at)
        _put(store, bucket, _entry_key(entry), encode(entry))
    _carry_out(store, bucket, entry, authority, keys)
    return entry


def _carry_out(store: ObjectStore, bucket: str, entry: LogEntry, authority: Authority, keys: SigningKeys) -> None:
    """Everything of a withdrawal after its entry; done again, it changes nothing."""
    folder = f"disclosures/{entry.reference}"
    kept = f"{folder}/withdrawal-v{entry.version}.dsse.json"
    if store.head(bucket, kept):  # signed before, perhaps with an earlier key
        record = store.get(bucket, kept)
    else:
        statement = withdrawal_statement(
            entry.reference, entry.version, entry.bag, entry.zip_sha256, reason=entry.reason, at=entry.published
        )
        record = seal(statement, keys)
    _put(store, bucket, kept, record)
    _put(store, bucket, f"{folder}/{WITHDRAWAL_RECORD}", record)
    _put(store, bucket, f"{folder}/index.html", tombstone_page(entry, authority))
    try:
        rebuild_log(store, bucket, authority)
    finally:
        since = [known for known in request_entries(store, bucket, entry.reference) if known.version > entry.version]
        _remove_versions(store, bucket, entry.reference, [known.version for known in since])
        for version in range(1, entry.version + 1):
            store.delete(bucket, f"{ENTRIES}{entry.reference}/v{version}.json")
