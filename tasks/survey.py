"""Every request in the intake bucket as it is now, by listing: which of them need a run, and when answers are due.

Rule kept here: what the listings show to be as it was is not read again. Of each request the last sweep's memory holds
what its status document and its `request.json` said, and which objects they were; both are read again when their etag
is another, or is not known. The memory is no result: without it, everything is read once more.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import msgspec

from tasks.codec import fingerprint
from tasks.disclosure.clock import clock_start, due_date, is_stopped, working_days_left
from tasks.errors import FoiError, InvalidRequestError, StoreUnavailableError
from tasks.fingerprints import PIPELINE
from tasks.intake import REQUEST_FILE
from tasks.model import State
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
class _Folder:
    """What a listing says of a request: the digest of its folder, and the etag of its `request.json`, None without."""

    listing: str
    request: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What two objects of a request said, and their etags.

    Attributes:
        listing: of its last settled run; "" when that did not settle.
        start: day 0 of its clock; None when no clock runs.
    """

    status_etag: str
    state: str
    reason: str
    listing: str
    request_etag: str = ""
    start: date | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is kept from one sweep to the next, and which policy and pipeline it was read by."""

    read_by: str
    known: dict[str, _Known]


class Survey:
    """The requests of a workplace, looked at as often as asked for.

    A look that breaks off because the store is away can be asked for again, and goes on where it was.

    Attributes:
        unsafe: how many folders have names that are no references.
    """

    def __init__(self, place: Workplace) -> None:
        self._place = place
        self._before = _recall(place)
        self._known = dict(self._before)
        self._folders: dict[str, _Folder] = {}
        self.unsafe = 0

    def look(self) -> list[Look]:
        """Every request, in the order of their references."""
        store, intake = self._place.store, self._place.buckets.intake
        # A folder whose objects are all gone is listed only where folders are.
        names = list(store.list_folders(intake))
        references = [name for name in names if REFERENCE.fullmatch(name)]
        self.unsafe = len(names) - len(references)
        empty = _Folder(listing_digest(self._place, {}), None)
        self._folders = {**dict.fromkeys(references, empty), **dict(self._list_folders())}
        return self.look_again()

    def look_again(self) -> list[Look]:
        """The same requests as they stand by now, whatever was uploaded since."""
        etags = list_status_etags(self._place)
        with ThreadPoolExecutor(_READERS) as readers:
            looks = list(readers.map(lambda name: self._look(name, etags.get(name)), self._folders))
        return sorted(looks, key=lambda look: look.reference)

    def remember(self) -> None:
        """Keep what is known for the next sweep."""
        known = {name: self._known[name] for name in self._folders if name in self._known}
        if known != self._before:
            self._place.save(MEMORY, _Memory(_read_by(self._place), known))
            self._before = known

    def _list_folders(self) -> Iterator[tuple[str, _Folder]]:
        for name, objects in self._place.store.list_by_folder(self._place.buckets.intake):
            if REFERENCE.fullmatch(name):
                request = objects.get(REQUEST_FILE)
                yield name, _Folder(listing_digest(self._place, objects), request.etag if request else None)

    def _look(self, reference: str, etag: str | None) -> Look:
        """The request as it is now; what goes wrong with it is its reason."""
        folder = self._folders[reference]
        try:
            known = self._know(reference, etag, folder)
        except StoreUnavailableError:
            raise  # no request's fault
        except FoiError as error:
            return Look(reference, UNKNOWN, str(error))
        except Exception as error:  # a status document that nobody can read; its text may hold names
            return Look(reference, UNKNOWN, f"{type(error).__name__}: its status cannot be read", listing=UNREADABLE)
        look = Look(reference, known.state, known.reason, "" if known.listing == folder.listing else folder.listing)
        if known.start is None:
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
        if known.state in OVER or folder.request is None:
            known = replace(known, request_etag="", start=None)
        elif not folder.request or known.request_etag != folder.request:
            known = replace(known, request_etag=folder.request, start=self._read_start(reference))
        self._known[reference] = known
        return known

    def _read_status(self, reference: str, etag: str | None, before: _Known | None) -> _Known:
        status = find_status(self._place, reference) if etag is not None else None
        clock = (before.request_etag, before.start) if before else ("", None)
        if status is None:
            return _Known("", NEW, "", "", *clock)
        settled = status.listing if status.state in SETTLED else ""
        return _Known(etag or "", str(status.state), status.reason, settled, *clock)

    def _read_start(self, reference: str) -> date | None:
        """Day 0 of the request's clock (s.10); None while the requester is asked to clarify, or nobody can tell."""
        try:
            data = self._place.store.get(self._place.buckets.intake, f"{reference}/{REQUEST_FILE}")
            request = parse_request(data, reference)
        except (ObjectMissingError, InvalidRequestError):
            return None
        return None if is_stopped(request.clarification) else clock_start(request.received, request.clarification)


def _recall(place: Workplace) -> Mapping[str, _Known]:
    """What the last sweep kept, if it was read as it would be read now."""
    try:
        memory = place.load(MEMORY, _Memory)
    except (ObjectMissingError, msgspec.MsgspecError, zlib.error, OSError, EOFError):
        return {}
    return memory.known if memory.read_by == _read_by(place) else {}


def _read_by(place: Workplace) -> str:
    return fingerprint(place.fingerprint, PIPELINE)
