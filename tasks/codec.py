"""Values to bytes and back, and digests of both.

Rule kept here: one value has one encoding (canonical JSON: UTF-8, keys sorted), so equal values have equal digests.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
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


def unpack_within(data: bytes, at_most: int) -> bytes:
    """What `pack` compressed, not decoded, if it is not larger than `at_most` bytes.

    Raises:
        ValueError: it is larger, or `data` was not made by `pack`.
    """
    reader = zlib.decompressobj(wbits=31)  # gzip
    try:
        found = reader.decompress(data, at_most)
    except zlib.error:
        raise ValueError("not packed") from None
    if not reader.eof or reader.unused_data:
        raise ValueError("larger, cut short or followed by something")
    return found


def digest(data: bytes) -> str:
    """SHA-256 of bytes, lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def fingerprint(*parts: Any) -> str:
    """SHA-256 over the canonical JSON of `parts`: the name of a result that depends on just these."""
    return digest(encode(parts))
