"""Webhooks of the store in, Prefect events out: `python -m flows.receive`.

For stores that post their notifications (MinIO, RustFS, Ceph, and whatever posts the event JSON of S3). What comes is
untrusted until its token is right, and its content even then:

* 204: taken, or none of our business (another bucket, another object, a removal): a store repeats what is answered with
  an error, for ever and before all that comes after it, so what repeating cannot mend is not an error;
* 401 without the right token, 413 beyond the limit, 408 too slow, 400 not a notification: refused, and nothing was read
  of it beyond the limit;
* 503: Prefect did not take the event, so the store keeps it and posts it again.

As the watcher does, it announces at its start what came lately: some stores drop what they could not post. And as the
watcher does, it goes on patrol (`flows.patrol`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import logging
import signal
import sys
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from flows.announce import Announcer, open_announcer, submissions_in
from flows.patrol import patrol_of, start_walking
from flows.settings import Settings, open_store, variable_of
from tasks.errors import ConfigurationError, FoiError, TransientError
from tasks.model import Role
from tasks.store import ObjectStore

PATH = "/notifications"
MAX_BODY_BYTES = 1_000_000
BODY_TIMEOUT_S = 10
TOKEN_LENGTH = 16

_CONNECTIONS = 64
_HEADER_BYTES = 16_384
_GRACE_S = 5
_CATCH_UP_S = 30.0

logger = logging.getLogger("foi.receive")


def receiver(announcer: Announcer, bucket: str, token: str) -> Starlette:
    """The application: one address that takes notifications, and `/health`.

    Args:
        announcer: what is told goes there.
        bucket: the intake bucket; of others nothing is told.
        token: what callers must bring.
    """

    async def take(request: Request) -> Response:
        if not is_allowed(request.headers.get("authorization", ""), token):
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        try:
            body = await asyncio.wait_for(_bounded(request), BODY_TIMEOUT_S)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413, headers={"connection": "close"})
        try:
            untrusted = json.loads(body)
        except (ValueError, RecursionError):
            untrusted = None
        if not isinstance(untrusted, dict):
            return Response(status_code=400)
        for submission in submissions_in(untrusted, quoted=True):
            if submission.bucket != bucket:
                logger.warning("A notification of another bucket came; the store's rule is too wide.")
                continue
            try:
                await run_in_threadpool(announcer.announce, submission)
            except TransientError as error:
                logger.warning("%s", error)
                return Response(status_code=503, headers={"retry-after": "5"})
        return Response(status_code=204)

    async def health(_: Request) -> Response:
        return Response(status_code=204)

    return Starlette(routes=[Route(PATH, take, methods=["POST"]), Route("/health", health)])


def is_allowed(authorization: str, token: str) -> bool:
    """Whether a header brings the token, as `Bearer` or as the password of `Basic`; takes as long either way."""
    scheme, _, said = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            said = base64.b64decode(said, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            said = ""
    elif scheme.lower() != "bearer":
        said = ""
    return bool(token) and hmac.compare_digest(said.strip().encode(), token.encode())


async def _bounded(request: Request) -> bytes | None:
    """The body, or None as soon as it is more than the limit, whatever its length was said to be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)


async def _catch_up(store: ObjectStore, bucket: str, announcer: Announcer) -> None:
    """Announce what came lately, as soon as store and Prefect answer."""
    while True:
        try:
            await run_in_threadpool(announcer.announce_untold, store, bucket)
        except FoiError as error:
            logger.warning("%s", error)
            await asyncio.sleep(_CATCH_UP_S)
        else:
            return


async def receive(settings: Settings) -> None:
    """Take webhooks until SIGTERM or Ctrl-C.

    Raises:
        ConfigurationError: there is no token, no server to tell, or no account.
    """
    token = settings.receiver_token.get_secret_value()
    if len(token) < TOKEN_LENGTH:
        raise ConfigurationError(f"{variable_of('receiver_token')}: {TOKEN_LENGTH} characters or more are needed.")
    with open_announcer(settings) as announcer:
        config = uvicorn.Config(
            receiver(announcer, settings.intake_bucket, token),
            host=settings.receiver_host,
            port=settings.receiver_port,
            log_config=None,
            access_log=False,  # would write what a stranger asked for
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            h11_max_incomplete_event_size=_HEADER_BYTES,
            timeout_graceful_shutdown=_GRACE_S,
            lifespan="off",
        )
        store = open_store(settings, Role.INTAKE)
        start_walking(patrol_of(announcer, store, settings.intake_bucket))
        catching_up = asyncio.create_task(_catch_up(store, settings.intake_bucket, announcer))
        try:
            await uvicorn.Server(config).serve()
        finally:
            catching_up.cancel()


def main() -> NoReturn:
    """Run until SIGTERM or Ctrl-C; exits with the error's code when the configuration is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn hands the signal on when it has ended
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        asyncio.run(receive(Settings()))
    except ConfigurationError as error:
        logger.critical("%s %s", error, error.action)
        sys.exit(error.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    main()
