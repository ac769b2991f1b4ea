"""A store that hands out again what it has just written or read.

Rule kept here: only objects whose keys are made of what they hold, or of all that it depends on, are remembered; under
such a key lies one content or none. What changes in place (statuses, decisions, uploads), whether an object is there
at all, and every file that is published are asked of the store each time. Nothing is said to be stored before it is.

Each record's claims are wanted by every other record of its request, a transcript by six stages: through Prefect each
is a step of its own, and a request of a hundred pages asked the store for the same bytes thousands of times.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from tasks.store import ObjectInfo, ObjectStore

ONCE = frozenset({"cases", "claims", "dossiers", "found", "manifests", "plans", "reports", "requests", "transcripts"})
"""Folders of the work bucket. Redacted files are not among them: the gate and whoever publishes read what is stored."""

AT_MOST_BYTES = 64 << 20
"""A page takes some 50 kB of it."""


class RememberingStore:
    """An `ObjectStore` in front of another; threads may use it together.

    Args:
        store: where everything lies.
        bucket: the one whose results are remembered.
        at_most: bytes to remember; what was not asked for longest goes first.
    """

    def __init__(self, store: ObjectStore, bucket: str, at_most: int = AT_MOST_BYTES) -> None:
        self._store = store
        self._bucket = bucket
        self._at_most = at_most
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> str:
        """As the store does it; remembered once it is stored."""
        self._forget(bucket, key)
        etag = self._store.put(bucket, key, data, content_type, if_absent)
        self._remember(bucket, key, data)
        return etag

    def get(self, bucket: str, key: str) -> bytes:
        """The object's bytes."""
        with self._lock:
            if bucket == self._bucket and (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        data = self._store.get(bucket, key)
        self._remember(bucket, key, data)
        return data

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """What the store knows of the object now."""
        return self._store.head(bucket, key)

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """What the store lists now."""
        return self._store.list(bucket, prefix)

    def list_folders(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """What the store lists now."""
        return self._store.list_folders(bucket, prefix)

    def list_by_folder(self, bucket: str) -> Iterator[tuple[str, dict[str, ObjectInfo]]]:
        """What the store lists now."""
        return self._store.list_by_folder(bucket)

    def copy(self, bucket: str, key: str, to_bucket: str, to_key: str) -> str:
        """As the store does it."""
        self._forget(to_bucket, to_key)
        return self._store.copy(bucket, key, to_bucket, to_key)

    def delete(self, bucket: str, key: str) -> None:
        """As the store does it."""
        self._forget(bucket, key)
        self._store.delete(bucket, key)

    def ensure_bucket(self, bucket: str) -> None:
        """As the store does it."""
        self._store.ensure_bucket(bucket)

    def _remember(self, bucket: str, key: str, data: bytes) -> None:
        if bucket != self._bucket or key.partition("/")[0] not in ONCE or len(data) > self._at_most:
            return
        with self._lock:
            self._bytes += len(data) - len(self._known.pop(key, b""))
            self._known[key] = data
            while self._bytes > self._at_most:
                _, gone = self._known.popitem(last=False)
                self._bytes -= len(gone)

    def _forget(self, bucket: str, key: str) -> None:
        with self._lock:
            if bucket == self._bucket:
                self._bytes -= len(self._known.pop(key, b""))
