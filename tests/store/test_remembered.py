"""What a run has written or read is not asked of the store again; what may change is."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.errors import StoreUnavailableError
from tasks.remembered import RememberingStore
from tasks.store import ObjectMissingError
from tests.conftest import StoreServer

WORK, INTAKE = "remembered-work", "remembered-intake"
KEY = "transcripts/ab/cd.json.gz"


class Counted:
    """A real store; `asked` lists what was read of it."""

    def __init__(self, server: StoreServer) -> None:
        self._store = server.store
        self.asked: list[str] = []
        self.refusing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def get(self, bucket: str, key: str) -> bytes:
        self.asked.append(key)
        return self._store.get(bucket, key)

    def put(self, bucket: str, key: str, data: bytes, *more: Any) -> str:
        if self.refusing:
            raise StoreUnavailableError(subject=key)
        return self._store.put(bucket, key, data, *more)


@pytest.fixture
def behind(juicefs_store: StoreServer) -> Counted:
    for bucket in (WORK, INTAKE):
        juicefs_store.store.ensure_bucket(bucket)
    return Counted(juicefs_store)


@pytest.fixture
def store(behind: Counted) -> RememberingStore:
    return RememberingStore(behind, WORK, at_most=100)


def test_results_are_read_once(store: RememberingStore, behind: Counted) -> None:
    behind.put(WORK, KEY, b"read")
    assert [store.get(WORK, KEY) for _ in range(3)] == [b"read"] * 3
    assert behind.asked == [KEY]
    store.put(WORK, "plans/ab/cd.json.gz", b"made")
    assert store.get(WORK, "plans/ab/cd.json.gz") == b"made"
    assert behind.asked == [KEY]
    assert behind.get(WORK, "plans/ab/cd.json.gz") == b"made"


@pytest.mark.parametrize(
    ("bucket", "key"),
    [(WORK, "status/R-1.json"), (WORK, "decisions/R-1/1.json"), (WORK, "redacted/ab/cd.pdf"), (INTAKE, KEY)],
)
def test_what_may_change_or_is_published_is_asked_of_the_store_each_time(
    store: RememberingStore, behind: Counted, bucket: str, key: str
) -> None:
    store.put(bucket, key, b"first")
    behind.put(bucket, key, b"second")
    assert store.get(bucket, key) == b"second"
    behind.put(bucket, key, b"third")
    assert store.get(bucket, key) == b"third"


def test_whether_something_is_there_is_asked_each_time(store: RememberingStore, behind: Counted) -> None:
    store.put(WORK, KEY, b"read")
    behind.delete(WORK, KEY)
    assert store.head(WORK, KEY) is None
    assert KEY not in {info.key for info in store.list(WORK)}


def test_what_was_not_stored_or_was_removed_is_not_remembered(store: RememberingStore, behind: Counted) -> None:
    key = "found/ab/never.json.gz"
    behind.refusing = True
    with pytest.raises(StoreUnavailableError):
        store.put(WORK, key, b"found")
    with pytest.raises(ObjectMissingError):
        store.get(WORK, key)
    behind.refusing = False
    store.put(WORK, key, b"found")
    store.delete(WORK, key)
    with pytest.raises(ObjectMissingError):
        store.get(WORK, key)


def test_no_more_is_remembered_than_was_allowed(store: RememberingStore, behind: Counted) -> None:
    keys = [f"claims/ab/{n}.json.gz" for n in range(4)]
    for key in keys:
        store.put(WORK, key, b"x" * 40)
    store.put(WORK, "claims/ab/large.json.gz", b"x" * 101)
    assert [len(store.get(WORK, key)) for key in (*keys[2:], "claims/ab/large.json.gz")] == [40, 40, 101]
    assert behind.asked == ["claims/ab/large.json.gz"]
    assert len(store.get(WORK, keys[0])) == 40
    assert behind.asked[1:] == [keys[0]]
