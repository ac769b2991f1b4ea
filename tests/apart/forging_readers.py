"""Every job of `tasks.jobs` as a child answers that was taken over: with whatever error one of its blobs names.

Only `ready`, which is given no file, tells the truth: there is no data for the language `missing`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.errors import ConfigurationError, FoiError
from tasks.jobs import JOBS as REAL_JOBS

PREFIX = b"forge "


def _forge(*blobs: bytes) -> Sequence[bytes]:
    code = next(blob.removeprefix(PREFIX) for blob in blobs if blob.startswith(PREFIX))
    raise type("ForgedError", (FoiError,), {"code": code.decode()})


def _ready(settings: bytes) -> Sequence[bytes]:
    if b'"missing"' in settings:
        raise ConfigurationError("Tesseract has no data for the language.")
    return []


JOBS = {**dict.fromkeys(REAL_JOBS, _forge), "ready": _ready}
