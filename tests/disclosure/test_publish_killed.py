"""A publisher that dies at any write, on a real store: readers never meet a half, and the next run ends the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tasks.disclosure.publish import publish, withdraw
from tasks.model import Dossier
from tasks.store import ObjectInfo, ObjectStore, S3Store
from tests.conftest import StoreServer
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Died
from tests.disclosure.test_publish import LATER, LATEST, another, check_readers_view, corrected

pytestmark = [pytest.mark.servers, pytest.mark.slow]


class Mortal:
    """A real store for a process that is killed after so many writes."""

    def __init__(self, real: S3Store, writes: int) -> None:
        self._real, self._left = real, writes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._real, name)
        if name not in ("put", "delete", "copy"):
            return method

        def write(*arguments: Any, **options: Any) -> Any:
            if self._left == 0:
                raise Died
            self._left -= 1
            return method(*arguments, **options)

        return write


class Reader:
    """Somebody who has fetched everything before, and fetches what is new."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[tuple[str, str, str], bytes] = {}

    def objects_in(self, bucket: str) -> dict[str, bytes]:
        return {info.key: self._fetch(bucket, info) for info in self._store.list(bucket)}

    def _fetch(self, bucket: str, info: ObjectInfo) -> bytes:
        name = (bucket, info.key, info.etag)
        if not info.etag or name not in self._known:
            self._known[name] = self._store.get(bucket, info.key)
        return self._known[name]


def run(store: ObjectStore, bucket: str, case: Dossier, at: str) -> None:
    given = {record.file_name: files()[record.file_name] for record in case.records}
    publish(store, bucket, case, approval(case, at), given, POLICY, keys())


def first(store: ObjectStore, bucket: str) -> None:
    run(store, bucket, dossier(), LATER)


def second(store: ObjectStore, bucket: str) -> None:
    run(store, bucket, corrected(), LATER)


def back(store: ObjectStore, bucket: str) -> None:
    withdraw(store, bucket, REFERENCE, "A record named a witness.", LATEST, POLICY.authority, keys())


@pytest.fixture
def bucket(juicefs_store: StoreServer) -> Callable[[], str]:
    def fresh() -> str:
        name = f"killed-{uuid4().hex[:8]}"
        juicefs_store.store.ensure_bucket(name)
        run(juicefs_store.store, name, another(), "2026-03-30T14:05:00Z")
        return name

    return fresh


@pytest.mark.timeout(900)
@pytest.mark.parametrize("work", [first, second, back], ids=["version 1", "version 2", "withdrawal"])
def test_killed_at_every_write_readers_never_see_a_half_and_the_end_is_the_same(
    juicefs_store: StoreServer, bucket: Callable[[], str], work: Callable[[ObjectStore, str], None]
) -> None:
    real = juicefs_store.store
    whole, killed = bucket(), bucket()
    for name in (whole, killed):
        if work is not first:
            run(real, name, dossier(), "2026-03-30T14:05:00Z")
    work(real, whole)
    reader, deaths = Reader(real), 0
    while True:
        try:
            work(Mortal(real, 1), killed)  # one write further each time
            break
        except Died:
            deaths += 1
            check_readers_view(reader.objects_in(killed))
    assert deaths > 20
    assert reader.objects_in(killed) == reader.objects_in(whole)
    for name in (whole, killed):
        for info in list(real.list(name)):
            real.delete(name, info.key)
