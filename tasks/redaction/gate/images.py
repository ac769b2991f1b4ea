"""The image streams: pixels, and no passenger.

Rule kept here: each of the three codings we write is parsed to its end; whatever it carries beside pixels is a finding.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, page_check
from tasks.redaction.gate.output import PageView
from tasks.redaction.gate.structure import strangers

ENTRIES = frozenset(
    ["/Type", "/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Filter", "/DecodeParms", "/Length"]
)
MASKS = frozenset({"/SMask", "/Mask", "/SMaskInData", "/ImageMask", "/Matte"})
METADATA = frozenset({"/Metadata", "/Name", "/ID", "/OPI", "/Alternates", "/Measure", "/PtData"})


@page_check("A18", "A21", "A23")
def has_a_plain_image(view: PageView) -> Iterator[Finding]:
    """The image has a device colour space, and neither mask, alternate nor metadata."""
    image = view.image
    keys = set(image.keys())
    codes = {"A21" for _ in keys & MASKS} | {"A18" for _ in keys & METADATA}
    if "/Decode" in keys:
        codes.add("A23")
    if image.ColorSpace not in ("/DeviceGray", "/DeviceRGB"):
        codes.add("A18")
    for code in sorted(codes):
        yield Finding(code, view.number, None, f"The page's image has {FAULTS[code]}.")
    yield from strangers(image, ENTRIES | MASKS | METADATA | {"/Decode"}, view.number)


@page_check("A19", "A18")
def has_an_image_without_passengers(view: PageView) -> Iterator[Finding]:
    """The coded image ends where its pixels end."""
    raw = view.image.read_raw_bytes()
    match str(view.image.Filter):
        case "/DCTDecode":
            codes = _passengers_of_jpeg(raw)
        case "/FlateDecode":
            codes = _passengers_of_deflate(raw, view.pixels)
        case "/CCITTFaxDecode":
            codes = _passengers_of_g4(raw, view.pixels)
        case _:
            codes = {"A19"}
    for code in sorted(codes):
        yield Finding(code, view.number, None, f"The page's image has {FAULTS[code]}.")


def _passengers_of_jpeg(raw: bytes) -> set[str]:
    """Application segments and comments (A18), bytes behind the image's end (A19); ITU-T T.81, annex B."""
    codes: set[str] = set()
    at, scanned = 2, raw.startswith(b"\xff\xd8")
    while scanned:
        while raw[at : at + 2] == b"\xff\xff":
            at += 1
        marker = raw[at + 1]
        if raw[at] != 0xFF or marker in (0x00, 0xD8):
            return codes | {"A19"}
        if marker == 0xD9:
            return codes | ({"A19"} if raw[at + 2 :] else set())
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            codes.add("A18")
        at += 2 + struct.unpack_from(">H", raw, at + 2)[0]
        if marker == 0xDA:
            at = _end_of_scan(raw, at)
    return {"A19"}


def _end_of_scan(raw: bytes, at: int) -> int:
    """Where entropy-coded data gives way to the next marker."""
    while True:
        at = raw.index(b"\xff", at)
        following = raw[at + 1]
        if following and not 0xD0 <= following <= 0xD7:
            return at
        at += 2


def _passengers_of_deflate(raw: bytes, pixels: NDArray[np.uint8]) -> set[str]:
    inflate = zlib.decompressobj()
    rows = inflate.decompress(raw) + inflate.flush()
    width = pixels.shape[1] * (3 if pixels.ndim == 3 else 1)
    whole = len(rows) == pixels.shape[0] * (width + 1) and inflate.eof and not inflate.unused_data
    return set() if whole else {"A19"}


def _passengers_of_g4(raw: bytes, pixels: NDArray[np.uint8]) -> set[str]:
    """Group 4 has one coding for each image (ITU-T T.6), so coding the pixels again must give the same bytes."""
    out = io.BytesIO()
    ink = Image.fromarray(np.where(pixels < 128, np.uint8(255), np.uint8(0))).convert("1", dither=Image.Dither.NONE)
    ink.save(out, "TIFF", compression="group4", tiffinfo={278: pixels.shape[0]})
    with Image.open(out) as tiff:
        (start,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]  # type: ignore[attr-defined]
    return set() if raw == out.getvalue()[start : start + length] else {"A19"}
