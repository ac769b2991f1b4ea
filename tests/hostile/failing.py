"""The real jobs, but a source can say which of them it ends, and how: `crash redact` after its last byte."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tasks.apart import Job
from tasks.errors import ConfigurationError, ReaderUnavailableError
from tasks.jobs import JOBS as REAL_JOBS


def _failing(name: str, job: Job) -> Job:
    def run(*blobs: bytes) -> Sequence[bytes]:
        if any(blob.endswith(b"crash " + name.encode()) for blob in blobs):
            os.abort()
        if any(blob.endswith(b"raise " + name.encode()) for blob in blobs):
            raise ValueError("text of the record")
        if any(blob.endswith(b"tire " + name.encode()) for blob in blobs):
            raise ReaderUnavailableError("Exit status 1.")
        if any(blob.endswith(b"claim " + name.encode()) for blob in blobs):
            raise ConfigurationError("Tesseract 5 is not installed.")
        return job(*blobs)

    return run


JOBS = {name: _failing(name, job) for name, job in REAL_JOBS.items()}
