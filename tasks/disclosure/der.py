"""The little of DER (X.690) that signatures and time stamps are built of.

Rule kept here: one value has one form. What is read is refused when its lengths are not the shortest ones, so that
writing what was read gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

SEQUENCE, SET, INTEGER, OCTETS = 0x30, 0x31, 0x02, 0x04
CONTEXT_0, CONTEXT_1 = 0xA0, 0xA1
NULL = b"\x05\x00"
_CONSTRUCTED = 0x20
_MAX_DEPTH = 30


def der(tag: int, *parts: bytes) -> bytes:
    """A value of this tag, made of its parts."""
    body = b"".join(parts)
    size = len(body)
    return bytes([tag]) + (bytes([size]) if size < 0x80 else _long(size)) + body


def _long(size: int) -> bytes:
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(digits)]) + digits


def integer(value: int) -> bytes:
    """An INTEGER that is not negative."""
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


@dataclass(frozen=True, slots=True)
class Value:
    """A value as read.

    Attributes:
        tag: its first byte.
        body: what it holds.
    """

    tag: int
    body: bytes

    @property
    def whole(self) -> bytes:
        """Its bytes, tag and length included."""
        return der(self.tag, self.body)

    def parts(self, tag: int) -> list[Value]:
        """The values in this one.

        Raises:
            ValueError: its tag is another, or it does not hold values.
        """
        if self.tag != tag:
            raise ValueError("another tag")
        return _values(self.body)


def _values(data: bytes) -> list[Value]:
    found = []
    while data:
        value, data = _first(data)
        found.append(value)
    return found


def _first(data: bytes) -> tuple[Value, bytes]:
    """The first value, and what follows it."""
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise ValueError("no tag")
    more = data[1] & 0x7F if data[1] & 0x80 else 0
    start = 2 + more
    size = int.from_bytes(data[2:start]) if more else data[1]
    value, rest = Value(data[0], data[start : start + size]), data[start + size :]
    if data[1] == 0x80 or not data.startswith(value.whole):
        raise ValueError("a length that is not the shortest one, or too large")
    return value, rest


def read(data: bytes) -> Value:
    """The one value that these bytes are, down to its last part in DER.

    Raises:
        ValueError: they are something else.
    """
    value, rest = _first(data)
    if rest:
        raise ValueError("something follows")
    _look_into(value, 0)
    return value


def _look_into(value: Value, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError("too deep")
    if value.tag & _CONSTRUCTED:
        for part in _values(value.body):
            _look_into(part, depth + 1)
