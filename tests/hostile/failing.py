"""The real jobs, but a source can say which of them it ends, and how: `crash redact` after its last byte.

`starve` ends nothing by itself: there, Tesseract gets too little memory for the page.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from tasks.apart import Job
from tasks.errors import ConfigurationError, ReaderUnavailableError
from tasks.jobs import JOBS as REAL_JOBS
from tests.disks import MIB
from tests.starving import starving_tesseract

TOO_LITTLE = 80 * MIB
"""Tesseract starts with that, and does not get to the end of a page of A4."""


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
        if any(blob.endswith(b"starve " + name.encode()) for blob in blobs):
            with starving_tesseract(TOO_LITTLE):
                return job(*blobs)
        return job(*blobs)

    return run


JOBS = {name: _failing(name, job) for name, job in REAL_JOBS.items()}
