"""Values to bytes and back, and digests of both.

Rule kept here: one value has one encoding (canonical JSON: UTF-8, keys sorted), so equal values have equal digests.
"""

from __future__ import annotations

import gzip
import hashlib
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def encode(value: Any) -> bytes:
    """Canonical JSON of a dataclass of `tasks.model` or any plain value."""
    return msgspec.json.encode(value, order="deterministic")


def decode(data: bytes, kind: type[T]) -> T:
    """The value of type `kind` whose canonical JSON is `data`.

    Raises:
        msgspec.DecodeError: `data` is not JSON or not of that type.
    """
    return msgspec.json.decode(data, type=kind)


def pack(value: Any) -> bytes:
    """`encode`, compressed; the same value gives the same bytes."""
    return gzip.compress(encode(value), compresslevel=6, mtime=0)


def unpack(data: bytes, kind: type[T]) -> T:
    """The inverse of `pack`."""
    return decode(gzip.decompress(data), kind)


def digest(data: bytes) -> str:
    """SHA-256 of bytes, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def fingerprint(*parts: Any) -> str:
    """SHA-256 over the canonical JSON of `parts`: the name of a result that depends on just these."""
    return digest(encode(parts))
