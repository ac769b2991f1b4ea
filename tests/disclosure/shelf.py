"""An object store in memory with the interface of `tasks.store.ObjectStore`, which can die after a number of writes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5

from tasks.store import ObjectExistsError, ObjectInfo, ObjectMissingError


class Died(BaseException):
    """The process was killed; nothing in between may catch it."""


class Shelf:
    """Objects in a dict. `writes_left` counts puts and deletes; `watch` is called after each; `read` names gets."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.types: dict[str, str] = {}
        self.writes_left: int | None = None
        self.written: list[str] = []
        self.read: list[str] = []
        self.watch = lambda: None

    def _spend(self, key: str) -> None:
        if self.writes_left == 0:
            raise Died
        if self.writes_left is not None:
            self.writes_left -= 1
        self.written.append(key)

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> str:
        if if_absent and (bucket, key) in self.objects:
            raise ObjectExistsError(subject=key)
        self._spend(key)
        self.objects[bucket, key] = bytes(data)
        self.types[key] = content_type
        self.watch()
        return md5(data, usedforsecurity=False).hexdigest()

    def get(self, bucket: str, key: str) -> bytes:
        self.read.append(key)
        try:
            return self.objects[bucket, key]
        except KeyError:
            raise ObjectMissingError(subject=key) from None

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        data = self.objects.get((bucket, key))
        if data is None:
            return None
        return ObjectInfo(key, len(data), md5(data, usedforsecurity=False).hexdigest(), "2026-01-01T00:00:00Z")

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        for name, key in sorted(self.objects):
            if name == bucket and key.startswith(prefix):
                info = self.head(bucket, key)
                assert info is not None
                yield info

    def list_folders(self, bucket: str, prefix: str = "") -> Iterator[str]:
        keys = [info.key.removeprefix(prefix) for info in self.list(bucket, prefix)]
        yield from sorted({key.split("/", 1)[0] for key in keys if "/" in key})

    def copy(self, bucket: str, key: str, to_bucket: str, to_key: str) -> str:
        return self.put(to_bucket, to_key, self.get(bucket, key))

    def delete(self, bucket: str, key: str) -> None:
        if (bucket, key) in self.objects:
            self._spend(key)
            del self.objects[bucket, key]
            self.watch()

    def ensure_bucket(self, bucket: str) -> None:
        pass
