"""Opens the workplace that settings describe; the one road from settings to steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from flows.settings import Settings, open_store, variable_of
from tasks.apart import Apart
from tasks.disclosure.keys import SigningKeys, load_keys
from tasks.errors import ConfigurationError
from tasks.model import Role
from tasks.readers import Readers
from tasks.reading.settings import OcrSettings, ReadingSettings
from tasks.remembered import RememberingStore
from tasks.request import Policy, parse_policy
from tasks.store import ObjectStore
from tasks.timestamping import TimeStampAuthority
from tasks.workplace import Buckets, Workplace


def buckets_of(settings: Settings) -> Buckets:
    """The names of the four buckets."""
    return Buckets(
        intake=settings.intake_bucket,
        work=settings.work_bucket,
        quarantine=settings.quarantine_bucket,
        disclosure=settings.disclosure_bucket,
    )


def load_policy(path: Path | None) -> Policy:
    """The policy in a file, or the built-in one.

    Raises:
        ConfigurationError: the file cannot be read or is not a policy.
    """
    if path is None:
        return Policy()
    try:
        return parse_policy(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"Policy file: {error.strerror}.", subject=str(path)) from None


def missing_keys(settings: Settings) -> tuple[str, ...]:
    """The variables that name a key and are not set."""
    return tuple(
        variable_of(name) for name in ("signing_key_file", "commitment_key_file") if not getattr(settings, name)
    )


def load_signing_keys(settings: Settings) -> SigningKeys | None:
    """The keys in the files that the settings name; None unless both are named.

    Raises:
        ConfigurationError: a file cannot be read, or is not a key.
    """
    if settings.signing_key_file is None or settings.commitment_key_file is None:
        return None
    try:
        return load_keys(settings.signing_key_file.read_bytes(), settings.commitment_key_file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"Signing keys: {error.strerror}.") from None


def _stamper(settings: Settings) -> TimeStampAuthority | None:
    if settings.tsa_url is None or settings.tsa_certificate_file is None:
        return None
    try:
        return TimeStampAuthority(settings.tsa_url, settings.tsa_certificate_file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"FOI_TSA_CERTIFICATE_FILE: {error.strerror}.") from None


@contextmanager
def open_place(settings: Settings | None = None) -> Iterator[Workplace]:
    """The workplace of this process; its child processes end with it."""
    settings = settings or Settings()

    buckets = buckets_of(settings)

    @cache
    def store_of(role: Role) -> ObjectStore:
        store = open_store(settings, role)
        return RememberingStore(store, buckets.work) if role is Role.WORK else store

    reading = ReadingSettings(ocr=OcrSettings(timeout_s=settings.ocr_timeout_s))
    with Apart(settings.jobs, bounds=settings.bounds, needs=settings.needed_layers) as apart:
        yield Workplace(
            store_of(Role.WORK),
            buckets,
            load_policy(settings.policy_file),
            reading,
            Readers(apart, reading),
            load_signing_keys(settings),
            settings.allow_unreviewed,
            store_of,
            _stamper(settings),
            settings.approvals,
            (settings.public_url or f"{settings.store_endpoint}/{settings.disclosure_bucket}").rstrip("/"),
            missing_keys(settings),
            open_there,
        )


_opening = threading.Lock()
_opened: list[Workplace] = []


def open_there() -> Workplace:
    """The workplace of a process that is sent work, such as a Dask worker, by the settings in its own environment.

    Opened once, and closed when the process ends.

    Raises:
        ConfigurationError: a setting is wrong or missing.
    """
    with _opening:
        if not _opened:
            settings = Settings()
            if settings.prefect_api_url is None:
                raise ConfigurationError("PREFECT_API_URL: not set in a process that was sent work.")
            stack = ExitStack()
            _opened.append(stack.enter_context(open_place(settings)))
            Finalize(None, stack.close, exitpriority=1)
        return _opened[0]
