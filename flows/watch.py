"""Uploads in, Prefect events out: `python -m flows.watch`.

Rule kept here: the notifications of the MinIO API are never repeated, so whenever the stream is opened, the first time
or after a break, the requests that came lately are listed and announced as well. The server answers only after it has
subscribed us, and we list after its answer: nothing falls between. A store without that API is listed on a timer.

The watcher goes on patrol too (`flows.patrol`), because it is what runs all the time.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

import urllib3
from minio import Minio

from flows.announce import REQUEST_FILE, Announcer, open_announcer, submissions_in
from flows.patrol import patrol_of, start_walking
from flows.settings import Settings, open_store
from tasks.errors import ConfigurationError, FoiError
from tasks.model import Role
from tasks.store import ObjectStore

_CONNECT_TIMEOUT_S = 5
_SILENCE_S = 30  # the MinIO API sends a sign of life every half second
_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_STREAM_TYPE = "text/event-stream"

logger = logging.getLogger("foi.watch")


class NotificationsUnsupportedError(FoiError):
    """The object store does not speak the listen call of the MinIO API."""

    code = "notifications-unsupported"
    message = "The object store sends no notifications."
    action = "Nothing: the bucket is listed on a timer instead."


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
    with open_announcer(settings) as announcer:
        store = open_store(settings, Role.INTAKE)
        start_walking(patrol_of(announcer, store, settings.intake_bucket))
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
