"""Blobs in a file: how a call reaches a child and an answer its caller.

A frame is a count (4 bytes, big endian) and that many blobs, each a length (8 bytes) and its bytes. It lies in an
anonymous file (memfd) that both sides hold, so neither waits for the other to read, and its size is known, and limited
by the kernel, before a byte of it is read.

Rule kept here: `read_frame` never takes more memory than the file is large, whatever the file says.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Sequence

Job = Callable[..., Sequence[bytes]]
"""Blobs in, blobs out."""

MAX_BLOBS = 1 << 16
_COUNT, _LENGTH = struct.Struct(">I"), struct.Struct(">Q")


class BadFrameError(Exception):
    """The file does not hold exactly one frame."""


def write_frame(file: int, blobs: Sequence[bytes]) -> None:
    """Make the file hold one frame.

    Raises:
        OSError: it would be larger than this process may write (EFBIG).
    """
    os.ftruncate(file, 0)
    with os.fdopen(file, "wb", closefd=False) as stream:
        stream.seek(0)
        stream.write(_COUNT.pack(len(blobs)))
        for blob in blobs:
            stream.write(_LENGTH.pack(len(blob)))
            stream.write(blob)


def read_frame(file: int, at_most: int | None = None) -> list[bytes]:
    """The blobs of a file.

    Args:
        file: its descriptor; nobody may be writing to it any more.
        at_most: bytes that the file may be large.

    Raises:
        BadFrameError: it is larger, or not one frame.
    """
    size = os.fstat(file).st_size
    if size < _COUNT.size or (at_most is not None and size > at_most):
        raise BadFrameError
    with mmap.mmap(file, size, prot=mmap.PROT_READ) as view:
        (count,) = _COUNT.unpack_from(view)
        at, blobs = _COUNT.size, []
        if count > MAX_BLOBS:
            raise BadFrameError
        for _ in range(count):
            if size - at < _LENGTH.size:
                raise BadFrameError
            (length,) = _LENGTH.unpack_from(view, at)
            at += _LENGTH.size
            if length > size - at:
                raise BadFrameError
            blobs.append(view[at : at + length])
            at += length
        if at != size:
            raise BadFrameError
    return blobs
