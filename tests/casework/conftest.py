"""A real store and real readers, whose calls can be counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.keys import make_keys
from tasks.apart import Apart
from tasks.disclosure.keys import load_keys
from tasks.readers import Readers
from tasks.reading.settings import ReadingSettings
from tasks.workplace import Buckets, Workplace
from tests.authority import NAMED
from tests.conftest import StoreServer

BUCKETS = Buckets("case-intake", "case-work", "case-quarantine", "case-disclosure")


class Watched(Apart):
    """The real processes; `jobs_done` lists what they were asked for, `given` with what they were given."""

    jobs_done: list[str]
    given: list[tuple[str, tuple[bytes, ...]]]

    def call(self, job: str, *blobs: bytes, **options: Any) -> tuple[bytes, ...]:
        self.jobs_done.append(job)
        self.given.append((job, blobs))
        return super().call(job, *blobs, **options)


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched(2) as apart:
        apart.jobs_done, apart.given = [], []
        yield apart


@pytest.fixture(scope="module")
def place(juicefs_store: StoreServer, watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Where the tests of this module work; requests may ask for no review."""
    for bucket in (BUCKETS.intake, BUCKETS.work, BUCKETS.quarantine, BUCKETS.disclosure):
        juicefs_store.store.ensure_bucket(bucket)
    made = make_keys(tmp_path_factory.mktemp("keys"))
    keys = load_keys(made.signing.read_bytes(), made.commitment.read_bytes())
    readers = Readers(watched, ReadingSettings())
    return Workplace(juicefs_store.store, BUCKETS, NAMED, ReadingSettings(), readers, keys, True)
