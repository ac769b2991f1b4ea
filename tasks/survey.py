"""Every request in the intake bucket as it is now, by listing: which of them need a run, and when answers are due.

The table of all requests is made of the same looks (`tasks.caseload`).

Rule kept here: what the listings show to be as it was is not read again. Of each request the last sweep's memory holds
what its status document and its `request.json` said, and which objects they were; both are read again when their etag
is another, or is not known. The memory is no result: without it, everything is read once more.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime

import msgspec

from tasks.codec import fingerprint
from tasks.disclosure.clock import clock_start, due_date, is_stopped, working_days_left
from tasks.errors import FoiError, InvalidRequestError, StoreUnavailableError
from tasks.fingerprints import PIPELINE
from tasks.intake import REQUEST_FILE
from tasks.model import RequestStatus, State
from tasks.request import REFERENCE, parse_request
from tasks.status import SETTLED, find_status, list_status_etags, listing_digest
from tasks.store import ObjectMissingError
from tasks.workplace import Workplace

SOON_DAYS = 3
"""Working days before the due date from which somebody is told."""

OVER = frozenset({State.PUBLISHED, State.WITHDRAWN})
"""States in which no clock runs."""

NEW, UNKNOWN = "new", "unknown"
UNREADABLE = "unreadable"
"""Stands for the listing of a request whose status nobody can read."""

MEMORY = "sweep/memory.json.gz"

_READERS = 8
"""Threads that read; beyond that, decoding the answers is all there is to wait for."""


@dataclass(frozen=True, slots=True)
class Look:
    """One request, looked at.

    Attributes:
        listing: the digest of what is in its folder when it must be processed, else "".
        due: last day for an answer; None when there is no clock to show.
        announced: whether an event told of it.
    """

    reference: str
    state: str
    reason: str = ""
    listing: str = ""
    due: date | None = None
    days_left: int | None = None
    announced: bool = True

    @property
    def is_due_soon(self) -> bool:
        """Whether the answer is due within days, or overdue."""
        return self.days_left is not None and self.days_left <= SOON_DAYS


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of one request, or of a folder whose name is none.

    Attributes:
        known: whether there is a status document, be it damaged.
        status: what it says, without listing, dossier and records; None when nobody can tell.
        start: day 0 of its clock (s.10); None when nobody can tell.
        stopped: whether the clock stands still because the requester was asked something.
    """

    reference: str
    known: bool
    status: RequestStatus | None = None
    start: date | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class _Folder:
    """What a listing says of a request: the digest of its folder, and the etag of its `request.json`, None without."""

    listing: str
    request: str | None


_GONE = _Folder("", None)
"""Of a request that has a status, and whose folder upstream has removed."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What two objects of a request said, and their etags.

    Attributes:
        listing: of its last settled run; "" when that did not settle.
        version: that was published last, 0 when none was.
        updated: when the status was written.
        start: day 0 of its clock; None when nobody can tell.
        stopped: whether the requester was asked to clarify.
    """

    status_etag: str
    state: str
    reason: str
    listing: str
    version: int = 0
    updated: str = ""
    request_etag: str = ""
    start: date | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is kept from one sweep to the next, and which policy and pipeline it was read by."""

    read_by: str
    known: dict[str, _Known]


class Survey:
    """The requests of a workplace, looked at as often as asked for.

    A look that breaks off because the store is away can be asked for again, and goes on where it was.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._before = _recall(place)
        self._known = dict(self._before)
        self._folders: dict[str, _Folder] = {}
        self._etags: dict[str, str] = {}
        self._unsafe: list[str] = []

    @property
    def unsafe(self) -> int:
        """How many folders have names that are no references."""
        return len(self._unsafe)

    def look(self) -> list[Look]:
        """Every request, in the order of their references."""
        # A folder whose objects are all gone is listed only where folders are.
        references = self._list_references()
        empty = _Folder(listing_digest(self._place, {}), None)
        self._folders = {**dict.fromkeys(references, empty), **dict(self._list_folders())}
        return self.look_again()

    def glance(self) -> None:
        """Know every request by its status alone, for the table of all: for the end of a run, which looks at its own.

        What changes a `request.json` leads to a run, and that to another status; so only where that is news, both are
        read. Listing what is in all the folders is what a look takes longest for.
        """
        references = self._list_references()
        self._etags = list_status_etags(self._place)
        with ThreadPoolExecutor(_READERS) as readers:
            requests = readers.map(self._find_request, references)
            self._folders = {name: _Folder("", etag) for name, etag in zip(references, requests, strict=True)}
            list(readers.map(self._look, self._folders))

    def _list_references(self) -> list[str]:
        names = list(self._place.store.list_folders(self._place.buckets.intake))
        self._unsafe = [name for name in names if not REFERENCE.fullmatch(name)]
        return [name for name in names if REFERENCE.fullmatch(name)]

    def _find_request(self, reference: str) -> str | None:
        """Etag of the `request.json`: the one that is known where the status is as it was."""
        known, etag = self._known.get(reference), self._etags.get(reference)
        if known and etag and known.status_etag == etag:
            return known.request_etag or None
        info = self._place.store.head(self._place.buckets.intake, f"{reference}/{REQUEST_FILE}")
        return info.etag if info else None

    def look_again(self) -> list[Look]:
        """The same requests as they stand by now, whatever was uploaded since."""
        self._etags = list_status_etags(self._place)
        with ThreadPoolExecutor(_READERS) as readers:
            looks = list(readers.map(self._look, self._folders))
        return sorted(looks, key=lambda look: look.reference)

    def cases(self) -> list[Case]:
        """The requests of the last look, those whose folder is gone, and folders whose names are no references."""
        gone = self._etags.keys() - self._folders.keys()
        with ThreadPoolExecutor(_READERS) as readers:
            list(readers.map(self._look, sorted(gone)))
        strange = [Case(name, known=False) for name in self._unsafe if name not in gone]
        return [*strange, *map(self._case, self._folders), *map(self._case, gone)]

    def _case(self, reference: str) -> Case:
        seen, known = reference in self._etags, self._known.get(reference)
        if known is None:
            return Case(reference, seen)
        status = None
        if known.state != NEW:
            status = RequestStatus(reference, State(known.state), known.reason, "", "", known.version, known.updated)
        return Case(reference, seen, status, known.start, known.stopped)

    def remember(self) -> None:
        """Keep what is known for the next sweep."""
        there = self._folders.keys() | self._etags.keys()
        known = {name: one for name, one in self._known.items() if name in there}
        if known != self._before:
            self._place.save(MEMORY, _Memory(_read_by(self._place), known))
            self._before = known

    def _list_folders(self) -> Iterator[tuple[str, _Folder]]:
        for name, objects in self._place.store.list_by_folder(self._place.buckets.intake):
            if REFERENCE.fullmatch(name):
                request = objects.get(REQUEST_FILE)
                yield name, _Folder(listing_digest(self._place, objects), request.etag if request else None)

    def _look(self, reference: str) -> Look:
        """The request as it is now; what goes wrong with it is its reason."""
        folder = self._folders.get(reference, _GONE)
        try:
            known = self._know(reference, self._etags.get(reference), folder)
        except StoreUnavailableError:
            raise  # no request's fault
        except FoiError as error:
            self._known.pop(reference, None)
            return Look(reference, UNKNOWN, str(error))
        except Exception as error:  # a status document that nobody can read; its text may hold names
            self._known.pop(reference, None)
            return Look(reference, UNKNOWN, f"{type(error).__name__}: its status cannot be read", listing=UNREADABLE)
        look = Look(reference, known.state, known.reason, "" if known.listing == folder.listing else folder.listing)
        if known.start is None or known.stopped or known.state in OVER:
            return look
        due = due_date(known.start)
        return replace(look, due=due, days_left=working_days_left(datetime.now(UTC).date(), due))

    def _know(self, reference: str, etag: str | None, folder: _Folder) -> _Known:
        """What status and request say, read where that may be news.

        Raises:
            FoiError: from the store.
        """
        known = self._known.get(reference)
        if known is None or not etag or known.status_etag != etag:
            known = self._read_status(reference, etag, known)
        if folder.request is None:
            known = replace(known, request_etag="", start=None, stopped=False)
        elif not folder.request or known.request_etag != folder.request:
            start, stopped = self._read_clock(reference)
            known = replace(known, request_etag=folder.request, start=start, stopped=stopped)
        self._known[reference] = known
        return known

    def _read_status(self, reference: str, etag: str | None, before: _Known | None) -> _Known:
        status = find_status(self._place, reference) if etag is not None else None
        if status is None:
            known = _Known("", NEW, "", "")
        else:
            settled = status.listing if status.state in SETTLED else ""
            known = _Known(etag or "", str(status.state), status.reason, settled, status.version, status.updated)
        if before is None:
            return known
        return replace(known, request_etag=before.request_etag, start=before.start, stopped=before.stopped)

    def _read_clock(self, reference: str) -> tuple[date | None, bool]:
        """Day 0 of the request's clock (s.10), None when nobody can tell; and whether the requester is to clarify."""
        try:
            data = self._place.store.get(self._place.buckets.intake, f"{reference}/{REQUEST_FILE}")
            request = parse_request(data, reference)
        except (ObjectMissingError, InvalidRequestError):
            return None, False
        return clock_start(request.received, request.clarification), is_stopped(request.clarification)


def _recall(place: Workplace) -> Mapping[str, _Known]:
    """What the last sweep kept, if it was read as it would be read now."""
    try:
        memory = place.load(MEMORY, _Memory)
    except (ObjectMissingError, msgspec.MsgspecError, zlib.error, OSError, EOFError):
        return {}
    return memory.known if memory.read_by == _read_by(place) else {}


def _read_by(place: Workplace) -> str:
    return fingerprint(place.fingerprint, PIPELINE, [field.name for field in fields(_Known)])
