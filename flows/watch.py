"""Uploads in, Prefect events out: `python -m flows.watch`.

Rule kept here: of an object's key nothing leaves but the reference, and only where it is a valid one. An event is a
hint: processing is idempotent and the sweep finds what no event told of.

The notifications of the MinIO API are never repeated, so whenever the stream is opened, the first time or after a
break, the requests that lie in the bucket are listed and announced as well. The server answers only after it has
subscribed us, and we list after its answer: nothing falls between. A store without that API is listed on a timer.

Prefect is spoken to over HTTP, because importing it takes longer than everything done here.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import httpx
import urllib3
from minio import Minio

from flows.settings import Settings, open_store
from tasks.errors import ConfigurationError, FoiError, TransientError
from tasks.model import Role
from tasks.request import REFERENCE
from tasks.store import ObjectStore

EVENT = "foi.request.submitted"
REQUEST_FILE = "request.json"

_POST_TIMEOUT_S = 30
_CONNECT_TIMEOUT_S = 5
_SILENCE_S = 30  # the MinIO API sends a sign of life every half second
_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_STREAM_TYPE = "text/event-stream"

logger = logging.getLogger("foi.watch")


class ReceiverUnavailableError(TransientError):
    """The Prefect server did not take an event."""

    code = "receiver-unavailable"
    message = "The Prefect server did not take an event."
    action = "Nothing: it is tried again. If it lasts, check that the server runs and PREFECT_API_URL is right."


class NotificationsUnsupportedError(FoiError):
    """The object store does not speak the listen call of the MinIO API."""

    code = "notifications-unsupported"
    message = "The object store sends no notifications."
    action = "Nothing: the bucket is listed on a timer instead."


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


def submissions_in(untrusted: Mapping[str, Any]) -> Iterator[Submission]:
    """The requests that an S3 notification tells of; records it does not understand are passed over."""
    for record in untrusted.get("Records") or ():
        try:
            bucket, item = record["s3"]["bucket"]["name"], record["s3"]["object"]
            reference = reference_in(item["key"])
        except (AttributeError, KeyError, TypeError):
            continue
        if reference:
            yield Submission(
                str(bucket), reference, str(item.get("eTag", "")).strip('"'), str(item.get("sequencer", ""))
            )


def submissions_lying_in(store: ObjectStore, bucket: str) -> Iterator[Submission]:
    """The requests that are in the bucket now."""
    for folder in store.list_folders(bucket):
        if REFERENCE.fullmatch(folder) and (info := store.head(bucket, f"{folder}/{REQUEST_FILE}")):
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


@dataclass(slots=True)
class Announcer:
    """Posts submissions to a Prefect server and remembers which contents it has told of."""

    client: httpx.Client = field(repr=False)
    events_url: str
    told: dict[str, str] = field(default_factory=dict, repr=False)

    def announce(self, submission: Submission) -> None:
        """Post one event.

        Raises:
            ReceiverUnavailableError: it was not taken; the submission counts as untold.
        """
        self.told.pop(submission.reference, None)
        try:
            answer = self.client.post(self.events_url, json=[event_of(submission, datetime.now(UTC))])
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise ReceiverUnavailableError(f"{type(error).__name__}.") from None
        self.told[submission.reference] = submission.etag
        logger.info("Announced %s.", submission.reference)

    def announce_untold(self, store: ObjectStore, bucket: str) -> None:
        """Post an event for each request in the bucket whose present content was not told of."""
        for submission in submissions_lying_in(store, bucket):
            if self.told.get(submission.reference) != submission.etag:
                self.announce(submission)


class _StreamPool(urllib3.PoolManager):
    """Connections of a MinIO client, which reopens a broken stream by itself and in silence; here it is noticed."""

    def __init__(self, on_open: Callable[[], None]) -> None:
        super().__init__(timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_SILENCE_S), retries=False, maxsize=2)
        self._on_open = on_open
        self._opened_at = 0.0

    def urlopen(self, method: str, url: str, redirect: bool = True, **options: Any) -> Any:  # type: ignore[override]
        """One request, which is one opening of the stream."""
        # A server that ends each stream at once would otherwise be asked again without a pause.
        time.sleep(max(0.0, self._opened_at + _FIRST_DELAY_S - time.monotonic()))
        response = super().urlopen(method, url, redirect, **options)
        self._opened_at = time.monotonic()
        streams = _STREAM_TYPE in response.headers.get("content-type", "")
        if response.status == 200 and streams:
            self._on_open()
        elif response.status < 500 or response.status == 501:
            # Another server lists the bucket instead, or refuses the query. If it is the account that is refused, the
            # listing that follows says so.
            response.close()
            raise NotificationsUnsupportedError
        return response


def listen(settings: Settings, store: ObjectStore, announcer: Announcer) -> NoReturn:
    """Announce what lies in the intake bucket and then what arrives, until something breaks.

    Raises:
        NotificationsUnsupportedError: after what lies in the bucket was announced.
        Exception: whatever breaks the stream.
    """
    endpoint = urlsplit(settings.store_endpoint)
    bucket, account = settings.intake_bucket, settings.account(Role.INTAKE)
    client = Minio(
        endpoint.netloc,
        access_key=account.access_key,
        secret_key=account.secret_key,
        secure=endpoint.scheme == "https",
        region=settings.store_region,
        http_client=_StreamPool(lambda: announcer.announce_untold(store, bucket)),
    )
    try:
        with client.listen_bucket_notification(bucket, suffix=REQUEST_FILE, events=("s3:ObjectCreated:*",)) as stream:
            for notification in stream:
                for submission in submissions_in(notification):
                    announcer.announce(submission)
    except NotificationsUnsupportedError:
        announcer.announce_untold(store, bucket)
        raise
    raise ConnectionResetError


def watch(settings: Settings) -> NoReturn:
    """Announce submissions for ever, through breaks of the store and of the server."""
    if settings.prefect_api_url is None:
        raise ConfigurationError("PREFECT_API_URL: missing.")
    store = open_store(settings, Role.INTAKE)
    password = settings.prefect_api_auth_string
    with httpx.Client(
        timeout=_POST_TIMEOUT_S,
        auth=httpx.BasicAuth(*password.get_secret_value().split(":", 1)) if password else None,
    ) as client:
        announcer = Announcer(client, f"{settings.prefect_api_url.rstrip('/')}/events")
        delay_s = _FIRST_DELAY_S
        while True:
            started = time.monotonic()
            try:
                listen(settings, store, announcer)
            except NotificationsUnsupportedError as error:
                delay_s = _LONGEST_DELAY_S
                logger.info("%s %s", error.message, error.action)
            except FoiError as error:
                logger.warning("%s", error)
            except Exception as error:  # the text of others' exceptions may hold keys
                logger.warning("The stream of notifications broke: %s.", type(error).__name__)
            if time.monotonic() - started > _LONGEST_DELAY_S:
                delay_s = _FIRST_DELAY_S
            time.sleep(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)


def main() -> NoReturn:
    """Run until SIGTERM or Ctrl-C; exits with the error's code when the configuration is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: sys.exit(0))
    try:
        watch(Settings())
    except ConfigurationError as error:
        logger.critical("%s %s", error, error.action)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
