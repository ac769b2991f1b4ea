"""A JPEG read to its last bit: what it holds beside the samples of its one scan.

Rule kept here: we write baseline JPEG with one scan, so only its six markers are known here; tables nothing uses, other
segments, and bits behind the last block are passengers, which every viewer passes over in silence (ITU-T T.81, annex B
and F.2).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

SOI, EOI = 0xD8, 0xD9

NOWHERE = 1 << 40
"""Advance of a bit pattern that is no code: the reader falls off the end."""

WINDOWS = 1 << 16
"""What the 16 bits in front may be, which hold the longest code."""

BLOCK = 64
"""Coefficients of a block; a step of so many ends it."""


@dataclass(frozen=True, slots=True)
class _Codes:
    """For every 16 bits: how many bits the code in front and what follows it take, and how far it leads in a block."""

    advance: list[int] = field(repr=False)
    step: list[int] = field(repr=False)


@dataclass(slots=True)
class _Header:
    quantisers: list[int] = field(default_factory=list)
    codes: dict[int, _Codes] = field(default_factory=dict)
    frame: bytes = b""
    foreign: bool = False


def passengers(raw: bytes) -> set[str]:
    """A18 for segments that are not samples, A19 for bytes and bits behind them or a coding that is not ours.

    Args:
        raw: the whole JPEG.
    """
    try:
        header, scan_header, at = _read_header(raw)
        codes = {"A18"} if header.foreign else set()
        end = raw.index(bytes((0xFF, EOI)), at)
        scan = raw[at:end]
        if end + 2 != len(raw) or not _is_used_up(scan, header, scan_header):
            codes.add("A19")
    except (IndexError, KeyError, ValueError, struct.error):
        return {"A19"}
    return codes


def _read_header(raw: bytes) -> tuple[_Header, bytes, int]:
    """The segments before the scan, the scan's own header, and where its data begins."""
    if raw[:2] != bytes((0xFF, SOI)):
        raise ValueError("not a JPEG")
    header, at = _Header(), 2
    while True:
        if raw[at] != 0xFF:
            raise ValueError("no marker")
        marker, (length,) = raw[at + 1], struct.unpack_from(">H", raw, at + 2)
        segment = raw[at + 4 : at + 2 + length]
        at += 2 + length
        match marker:
            case 0xDB:  # DQT
                header.quantisers += _quantisers(segment)
            case 0xC4:  # DHT
                _read_codes(segment, header.codes)
            case 0xC0 if not header.frame:  # SOF0
                header.frame = segment
            case 0xDA:  # SOS
                return header, segment, at
            case _:
                header.foreign = True


def _quantisers(segment: bytes) -> Iterator[int]:
    """The numbers of the 8-bit tables of a DQT segment."""
    if len(segment) % 65 or not segment:
        raise ValueError("a quantisation table of another kind")
    for at in range(0, len(segment), 65):
        yield segment[at]


def _read_codes(segment: bytes, into: dict[int, _Codes]) -> None:
    """The tables of a DHT segment; class and number (DC 0x00.., AC 0x10..) name each."""
    at = 0
    while at < len(segment):
        name, counts = segment[at], segment[at + 1 : at + 17]
        symbols = segment[at + 17 : at + 17 + sum(counts)]
        at += 17 + sum(counts)
        if name in into or len(symbols) != sum(counts):
            raise ValueError("a code table twice, or not whole")
        into[name] = _codes(counts, symbols, is_ac=name >= 0x10)


def _codes(counts: bytes, symbols: bytes, is_ac: bool) -> _Codes:
    advance, step = [NOWHERE] * WINDOWS, [BLOCK] * WINDOWS
    code, used = 0, 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[used : used + count]:
            first, width = code << (16 - length), 1 << (16 - length)
            size, run = (symbol & 15, symbol >> 4) if is_ac else (symbol, 0)
            advance[first : first + width] = [length + size] * width
            step[first : first + width] = [BLOCK if symbol == 0 else run + 1] * width
            code += 1
        used += count
        code <<= 1
    if len(advance) != WINDOWS:
        raise ValueError("a code table that is too full")
    return _Codes(advance, step)


def _is_used_up(scan: bytes, header: _Header, scan_header: bytes) -> bool:
    """Whether the blocks of the frame take every bit of the scan, but for the ones that fill the last byte."""
    precision, height, width, count = struct.unpack_from(">BHHB", header.frame)
    parts = [header.frame[6 + 3 * i : 9 + 3 * i] for i in range(count)]
    chosen = [scan_header[1 + 2 * i : 3 + 2 * i] for i in range(count)]
    whole = bytes((count,)) + b"".join(chosen) + b"\0\x3f\0"
    if precision != 8 or len(header.frame) != 6 + 3 * count or scan_header != whole:
        return False
    if [part[0] for part in parts] != [choice[0] for choice in chosen]:
        return False
    named = [(choice[1] >> 4, 0x10 | choice[1] & 15) for choice in chosen]
    if {part[2] for part in parts} != set(header.quantisers) or len(set(header.quantisers)) != len(header.quantisers):
        return False
    if {name for pair in named for name in pair} != set(header.codes):
        return False
    sampling = [(part[1] >> 4, part[1] & 15) for part in parts]
    widest, tallest = max(h for h, _ in sampling), max(v for _, v in sampling)
    if count == 1:  # one component is not interleaved: its unit is a block, whatever its sampling says
        sampling, widest, tallest = [(1, 1)], 1, 1
    units = -(-width // (8 * widest)) * -(-height // (8 * tallest))
    blocks = [pair for (h, v), pair in zip(sampling, named, strict=True) for _ in range(h * v)]
    stripped = scan.replace(b"\xff\0", b"\xff")
    left = 8 * len(stripped) - _walk(stripped, [(header.codes[dc], header.codes[ac]) for dc, ac in blocks], units)
    return 0 <= left < 8 and stripped[-1] & (1 << left) - 1 == (1 << left) - 1


def _walk(stripped: bytes, blocks: Sequence[tuple[_Codes, _Codes]], units: int) -> int:
    """The bits that so many units of blocks take."""
    bits = _windows(stripped)
    kinds = {(id(dc), id(ac)): (dc, ac) for dc, ac in blocks}  # a unit has several blocks of one kind
    short = {kind: _short_blocks(dc, ac) for kind, (dc, ac) in kinds.items()}
    steps = [(short[id(dc), id(ac)], dc.advance, ac.advance, ac.step) for dc, ac in blocks]
    at = 0
    for _ in range(units):
        for whole, dc, advance, step in steps:
            if taken := whole[bits[at]]:
                at += taken
                continue
            at += dc[bits[at]]
            k = 1
            while k < BLOCK:
                code = bits[at]
                at += advance[code]
                k += step[code]
    return at


def _short_blocks(dc: _Codes, ac: _Codes) -> list[int]:
    """For every 16 bits that hold a whole block in front, as most on paper do, how many it takes; else 0."""
    advance, step = np.array(ac.advance), np.array(ac.step)
    taken, led, whole = np.array(dc.advance), np.ones(WINDOWS, np.int64), np.zeros(WINDOWS, np.int64)
    going = np.flatnonzero(taken < 16)
    while len(going):
        rest = going << taken[going] & WINDOWS - 1
        taken[going] += advance[rest]
        led[going] += step[rest]
        going = going[taken[going] <= 16]
        ended = going[led[going] >= BLOCK]
        whole[ended] = taken[ended]
        going = going[(led[going] < BLOCK) & (taken[going] < 16)]
    return whole.tolist()


def _windows(stripped: bytes) -> array[int]:
    """The 16 bits from every bit on."""
    data = np.frombuffer(stripped + b"\xff\xff\xff", np.uint8).astype(np.uint32)
    triple = data[:-2] << 16 | data[1:-1] << 8 | data[2:]
    windows = np.empty((len(triple), 8), np.uint16)
    for bit in range(8):
        windows[:, bit] = triple >> (8 - bit) & 0xFFFF
    found = array("H")
    found.frombytes(windows.tobytes())
    return found
