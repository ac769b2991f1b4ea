"""What is told to Prefect of an upload, and how: one event, whichever way the upload became known.

Rule kept here: of an object's key nothing leaves but the reference, and only where it is a valid one. An event is a
hint: processing is idempotent and the sweep finds what no event told of.

Prefect makes a run of every event it takes, so uploads that follow each other within seconds are told of together: the
first at once, and after a pause, which grows for as long as they go on, the last.

Three ways lead here: the stream of the MinIO API (`flows.watch`), webhooks (`flows.receive`), and a listing of the
bucket, which both of them make at their start.

Prefect is spoken to over HTTP, because importing it takes longer than everything done here.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock, Timer
from typing import Any
from urllib.parse import unquote_plus
from uuid import NAMESPACE_URL, uuid5

import httpx

from flows.settings import Settings
from tasks.errors import ConfigurationError, TransientError
from tasks.request import REFERENCE
from tasks.store import ObjectStore

EVENT = "foi.request.submitted"
REQUEST_FILE = "request.json"

QUIET_S = 5.0
"""Seconds in which no second event is posted for the same request; twice as many each time the uploads go on."""

LONGEST_QUIET_S = 60.0

HEARD_WITHIN = timedelta(minutes=3)
"""Within which an event has made a run, if it ever does. A server that dies loses what it took in the moment before,
and one on SQLite gives an event up when it cannot write for a minute."""

LATELY = timedelta(days=2)
"""Two nights: what came before has been swept."""

_CREATED = ("ObjectCreated:", "s3:ObjectCreated:")  # Ceph leaves the service out
_POST_TIMEOUT_S = 30
_CLOCKS = timedelta(seconds=2)

logger = logging.getLogger("foi.announce")


class ReceiverUnavailableError(TransientError):
    """The Prefect server did not take an event."""

    code = "receiver-unavailable"
    message = "The Prefect server did not take an event."
    action = "Nothing: it is tried again. If it lasts, check that the server runs and PREFECT_API_URL is right."


@dataclass(frozen=True, slots=True)
class Submission:
    """A `request.json` that arrived. `sequencer` orders writes of one key; empty when it was found by listing."""

    bucket: str
    reference: str
    etag: str
    sequencer: str = ""


def reference_in(untrusted_key: str) -> str | None:
    """The reference if the key is `<reference>/request.json`, else None. Keys in the listen stream are not quoted."""
    folder, _, name = untrusted_key.partition("/")
    return folder if name == REQUEST_FILE and REFERENCE.fullmatch(folder) else None


def submissions_in(untrusted: Mapping[str, Any], *, quoted: bool = False) -> Iterator[Submission]:
    """The requests that an S3 notification tells of; what it does not understand, or tells of removals, is passed over.

    Args:
        untrusted: a notification as the MinIO API streams it and MinIO, RustFS, Ceph and AWS post it.
        quoted: whether keys are quoted as in a query: so they are in webhooks, but not in the stream.
    """
    records = untrusted.get("Records")
    for record in records if isinstance(records, list) else ():
        try:
            bucket, item = record["s3"]["bucket"]["name"], record["s3"]["object"]
            if not record["eventName"].startswith(_CREATED):
                continue
            reference = reference_in(unquote_plus(item["key"]) if quoted else item["key"])
        except (AttributeError, KeyError, TypeError):
            continue
        if reference:
            yield Submission(
                str(bucket), reference, str(item.get("eTag", "")).strip('"'), str(item.get("sequencer", ""))
            )


def submissions_lying_in(store: ObjectStore, bucket: str, since: datetime | None = None) -> Iterator[Submission]:
    """The requests that are in the bucket now; with `since`, those whose `request.json` is not older."""
    for folder in store.list_folders(bucket):
        info = store.head(bucket, f"{folder}/{REQUEST_FILE}") if REFERENCE.fullmatch(folder) else None
        if info and (since is None or datetime.fromisoformat(info.modified) >= since):
            yield Submission(bucket, folder, info.etag)


def event_of(submission: Submission, occurred: datetime) -> dict[str, Any]:
    """The Prefect event; telling of the same write twice gives the same id."""
    reference, bucket = submission.reference, submission.bucket
    name = f"foi:{bucket}/{reference}/{submission.etag}/{submission.sequencer}"
    return {
        "id": str(uuid5(NAMESPACE_URL, name)),
        "occurred": occurred.isoformat(),
        "event": EVENT,
        "resource": {"prefect.resource.id": f"foi.request.{reference}", "reference": reference, "bucket": bucket},
        "related": [],
        "payload": {"reference": reference, "etag": submission.etag},
    }


MadeSince = Callable[[datetime], Mapping[str, datetime]]


@dataclass(frozen=True, slots=True)
class Told:
    """A submission that was posted, and when first."""

    submission: Submission
    since: datetime


@dataclass(slots=True)
class Announcer:
    """Posts submissions to a Prefect server and remembers which contents it has told of. Threads may share it."""

    client: httpx.Client = field(repr=False)
    told: dict[str, str] = field(default_factory=dict, repr=False)
    _unheard: dict[str, Told] = field(default_factory=dict, repr=False)
    _posted: dict[str, float] = field(default_factory=dict, repr=False)
    _quiet_s: dict[str, float] = field(default_factory=dict, repr=False)
    _waiting: dict[str, Submission] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def announce(self, submission: Submission) -> None:
        """Post one event, or do so in some seconds if one was posted for the same request just now.

        Raises:
            ReceiverUnavailableError: it was not taken; the submission counts as untold.
        """
        reference = submission.reference
        with self._lock:
            quiet_s = self._quiet_s.get(reference, QUIET_S)
            rest_s = quiet_s - (time.monotonic() - self._posted.get(reference, -quiet_s))
            if rest_s > 0:
                if reference not in self._waiting:
                    self._later(reference, rest_s)
                self._waiting[reference] = submission
                return
            self._posted[reference] = time.monotonic()
            self._quiet_s.pop(reference, None)
        self._post(submission)

    def _post(self, submission: Submission) -> None:
        reference = submission.reference
        self.told.pop(reference, None)
        try:
            answer = self.client.post("/events", json=[event_of(submission, datetime.now(UTC))])
            answer.raise_for_status()
        except httpx.HTTPError as error:
            with self._lock:
                self._posted.pop(reference, None)
            raise ReceiverUnavailableError(f"{type(error).__name__}.") from None
        self.told[reference] = submission.etag
        with self._lock:
            told = self._unheard.get(reference)
            if told is None or told.submission != submission:
                self._unheard[reference] = Told(submission, datetime.now(UTC))
        logger.info("Announced %s.", reference)

    def _later(self, reference: str, delay_s: float) -> None:
        timer = Timer(delay_s, self._post_waiting, (reference,))
        timer.daemon = True
        timer.start()

    def _post_waiting(self, reference: str) -> None:
        with self._lock:
            submission = self._waiting.pop(reference, None)
            if submission is None:
                return
            self._posted[reference] = time.monotonic()
            self._quiet_s[reference] = min(LONGEST_QUIET_S, 2 * self._quiet_s.get(reference, QUIET_S))
        try:
            self._post(submission)
        except ReceiverUnavailableError as error:  # nobody waits for the answer any more
            logger.warning("%s", error)
            with self._lock:
                self._waiting.setdefault(reference, submission)
            self._later(reference, QUIET_S)

    def announce_untold(self, store: ObjectStore, bucket: str) -> None:
        """Post an event for each request that came lately and whose present content was not told of.

        A run costs seconds even when nothing changed, so what is older is left to the sweep, which knows what is done.
        """
        for submission in submissions_lying_in(store, bucket, since=datetime.now(UTC) - LATELY):
            if self.told.get(submission.reference) != submission.etag:
                self.announce(submission)

    def start_unheard(self, made_since: MadeSince, start: Callable[[str, str], None]) -> None:
        """See to it that what no run came of is started without an event.

        Args:
            made_since: the requests about which runs were made since then, each with the moment of the latest.
            start: makes a run on a request, once for the same key.

        Raises:
            FoiError: the server is away; the next call does what is left.
        """
        late = datetime.now(UTC) - HEARD_WITHIN
        with self._lock:
            waiting = [told for told in self._unheard.values() if told.since < late]
        if not waiting:
            return
        made = made_since(min(told.since for told in waiting) - _CLOCKS)
        for told in waiting:
            reference = told.submission.reference
            if reference not in made or made[reference] < told.since - _CLOCKS:
                start(reference, str(event_of(told.submission, told.since)["id"]))
            with self._lock:
                if self._unheard.get(reference) == told:
                    del self._unheard[reference]

    def catch_up(self, store: ObjectStore, bucket: str) -> None:
        """Announce what came lately although it was told of: the server may have lost what it had taken."""
        self.told.clear()
        self.announce_untold(store, bucket)


@contextmanager
def open_announcer(settings: Settings) -> Iterator[Announcer]:
    """An announcer to the Prefect server that the settings name.

    Raises:
        ConfigurationError: they name none.
    """
    with open_prefect(settings) as client:
        yield Announcer(client)


@contextmanager
def open_prefect(settings: Settings) -> Iterator[httpx.Client]:
    """A client of the Prefect server's API that the settings name; paths are relative to the API.

    Raises:
        ConfigurationError: they name none.
    """
    if settings.prefect_api_url is None:
        raise ConfigurationError("PREFECT_API_URL: missing.")
    password = settings.prefect_api_auth_string
    auth = httpx.BasicAuth(*password.get_secret_value().split(":", 1)) if password else None
    url = settings.prefect_api_url
    with httpx.Client(base_url=url, timeout=_POST_TIMEOUT_S, auth=auth, verify=_trust(url)) as client:
        yield client


def _trust(url: str) -> ssl.SSLContext | bool:
    """Whose certificates are believed: everybody's usual, or nobody's where none is shown, which loads in no time."""
    return True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
