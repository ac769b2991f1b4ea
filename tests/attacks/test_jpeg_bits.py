"""A JPEG is read to its last bit: nothing can be put in, left out or turned on without being found."""

from __future__ import annotations

import io
import re
import struct

import numpy as np
import pytest
from PIL import Image

from tasks.redaction.gate.jpeg import passengers

SIZES = [(8, 8), (16, 16), (9, 8), (8, 17), (33, 25), (47, 64)]
SAMPLINGS = {"grey": -1, "4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def picture(width: int, height: int, sampling: int) -> Image.Image:
    """Noise on a ramp, so that every kind of code is used."""
    rows, columns = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(7).integers(0, 90, (height, width, 3))
    pixels = np.clip((rows * 3 + columns * 2)[..., None] % 160 + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels if sampling >= 0 else pixels[..., 0])


def jpeg(size: tuple[int, int] = (33, 25), sampling: int = -1, **options: object) -> bytes:
    """As we write them: without an application segment."""
    out = io.BytesIO()
    chosen = {"quality": 80, "optimize": True} | ({"subsampling": sampling} if sampling >= 0 else {}) | options
    picture(*size, sampling).save(out, "JPEG", **chosen)
    return re.sub(rb"^(\xff\xd8)\xff\xe0\0\x10.{14}", rb"\1", out.getvalue(), count=1, flags=re.DOTALL)


def segments(raw: bytes) -> list[tuple[int, int, int]]:
    """(marker, first, end) of the segments before the samples."""
    at, found = 2, []
    while True:
        end = at + 2 + struct.unpack_from(">H", raw, at + 2)[0]
        found.append((raw[at + 1], at, end))
        if raw[at + 1] == 0xDA:
            return found
        at = end


def segment(raw: bytes, marker: int) -> tuple[int, int]:
    return next((first, end) for name, first, end in segments(raw) if name == marker)


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_bare_jpeg_carries_nothing(size: tuple[int, int], sampling: int) -> None:
    for optimize in (True, False):
        assert passengers(jpeg(size, sampling, optimize=optimize)) == set()


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_no_byte_can_be_put_into_a_header_or_left_out(sampling: int) -> None:
    raw = jpeg(sampling=sampling)
    _, samples = segment(raw, 0xDA)
    assert [at for at in range(samples + 1) if not passengers(raw[:at] + b"\x5a" + raw[at:])] == []
    assert [at for at in range(samples) if not passengers(raw[:at] + raw[at + 1 :])] == []


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_a_byte_put_into_the_samples_is_found_or_shown(sampling: int) -> None:
    """The codes after it may fit again: then it is part of another picture, and no passenger."""
    raw = jpeg(sampling=sampling)
    shown = pixels_of(raw)
    for at in range(segment(raw, 0xDA)[1] + 1, len(raw), 7):
        other = raw[:at] + b"\x5a" + raw[at:]
        assert passengers(other) or not np.array_equal(pixels_of(other), shown), at


def pixels_of(raw: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(raw)) as decoded:
        return np.asarray(decoded)


def test_no_end_can_be_cut_off() -> None:
    raw = jpeg(sampling=2)
    assert [end for end in range(len(raw)) if not passengers(raw[:end])] == []


@pytest.mark.parametrize("marker", [*range(0xC1, 0xC4), *range(0xC5, 0xD0), *range(0xDC, 0xFF)])
def test_a_segment_that_is_not_samples_is_metadata(marker: int) -> None:
    raw = jpeg()
    for at in (2, segment(raw, 0xDA)[0]):
        assert passengers(raw[:at] + bytes((0xFF, marker)) + b"\0\6call" + raw[at:]) == {"A18"}


def test_a_second_frame_is_metadata() -> None:
    raw = jpeg()
    first, end = segment(raw, 0xC0)
    assert passengers(raw[:end] + raw[first:end] + raw[end:]) == {"A18"}


@pytest.mark.parametrize("marker", [0xC4, 0xDB])
def test_a_table_twice(marker: int) -> None:
    raw = jpeg(sampling=2)
    first, end = segment(raw, marker)
    assert passengers(raw[:end] + raw[first:end] + raw[end:]) == {"A19"}


def test_tables_that_nothing_uses() -> None:
    raw, colour = jpeg(), jpeg(sampling=2)
    for marker in (0xC4, 0xDB):
        unused = b"".join(colour[first:end] for name, first, end in segments(colour) if name == marker)
        used = b"".join(raw[first:end] for name, first, end in segments(raw) if name == marker)
        _, end = segment(raw, marker)
        spare = unused[len(used) :] if marker == 0xDB else re.sub(rb"(\xff\xc4..)", rb"\1", unused[len(used) :])
        assert passengers(raw[:2] + spare + raw[2:]) == {"A19"}
        assert end


def test_tables_of_sixteen_bits_are_not_ours() -> None:
    raw = jpeg()
    first, end = segment(raw, 0xDB)
    wide = (
        bytes((0xFF, 0xDB))
        + struct.pack(">H", 2 + 129)
        + b"\x10"
        + b"".join(bytes((0, v)) for v in raw[first + 5 : end])
    )
    assert passengers(raw[:first] + wide + raw[end:]) == {"A19"}
    assert passengers(raw[:first] + b"\xff\xdb\0\2" + raw[first:]) == {"A19"}


def turned(raw: bytes, at: int, value: int) -> bytes:
    assert raw[at] != value
    return raw[:at] + bytes((value,)) + raw[at + 1 :]


@pytest.mark.parametrize(
    ("marker", "at", "value"),
    [
        (0xC0, 4, 12),  # bits of a sample
        (0xC0, 9, 2),  # components
        (0xC0, 10, 9),  # the name of one
        (0xC0, 12, 1),  # its table
        (0xDA, 4, 2),  # components
        (0xDA, 5, 9),  # the name of one
        (0xDA, 6, 0x01),  # its tables
        (0xDA, 6, 0x10),
        (0xDA, 7, 1),  # a scan of some frequencies
        (0xDA, 8, 62),
        (0xDA, 9, 0x10),  # and some bits
    ],
)
def test_a_header_that_says_something_else(marker: int, at: int, value: int) -> None:
    raw = jpeg((32, 24))
    assert passengers(raw) == set()
    assert passengers(turned(raw, segment(raw, marker)[0] + at, value)) == {"A19"}


@pytest.mark.parametrize("by", [-8, 8, 16])
@pytest.mark.parametrize("side", [5, 7])
@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_fewer_or_more_blocks_than_the_frame_has(sampling: int, side: int, by: int) -> None:
    """Rows below the last, coded and never shown; or too few."""
    raw = jpeg((32, 32), sampling)
    at = segment(raw, 0xC0)[0] + side
    other = 16 * round(by / 8)
    changed = raw[:at] + struct.pack(">H", 32 + other) + raw[at + 2 :]
    assert passengers(changed) == {"A19"}


def test_the_sampling_of_one_component_says_nothing() -> None:
    """A single component is not interleaved, whatever its sampling (T.81, A.2.2)."""
    raw = jpeg((33, 25))
    at = segment(raw, 0xC0)[0] + 11
    assert passengers(turned(raw, at, 0x22)) == set()


def test_other_sampling_than_that_of_the_samples() -> None:
    raw = jpeg((48, 48), sampling=2)
    assert passengers(turned(raw, segment(raw, 0xC0)[0] + 11, 0x11)) == {"A19"}


def test_a_scan_of_one_component_of_three() -> None:
    raw = jpeg(sampling=0)
    first, end = segment(raw, 0xDA)
    alone = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    assert passengers(raw[:first] + alone + raw[end:]) == {"A19"}


def test_a_progressive_jpeg_is_not_ours() -> None:
    assert passengers(jpeg(progressive=True))


@pytest.mark.parametrize("bits", range(1, 256))
def test_the_last_byte_is_filled_with_ones(bits: int) -> None:
    """Whatever bits of it are turned: those that fill are found as such, those of the last code make another code."""
    raw = jpeg((8, 8))
    fill = _filling_bits(raw)
    if bits < 1 << fill:
        assert passengers(turned(raw, len(raw) - 3, raw[-3] ^ bits)) == {"A19"}


def _filling_bits(raw: bytes) -> int:
    """How many ones the last byte ends with, at most seven."""
    return min(7, len(f"{raw[-3]:08b}") - len(f"{raw[-3]:08b}".rstrip("1")))


def test_no_jpeg_at_all() -> None:
    for raw in (b"", b"\xff", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(40), jpeg()[1:], b"\xff\xd8\xff\xd9"):
        assert passengers(raw) == {"A19"}
