"""The image streams: pixels, and no passenger.

Rule kept here: each of the three codings we write is parsed to its end; whatever it carries beside pixels is a finding.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, page_check
from tasks.redaction.gate.jpeg import passengers
from tasks.redaction.gate.output import PageView
from tasks.redaction.gate.structure import strangers

ENTRIES = frozenset(
    ["/Type", "/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Filter", "/DecodeParms", "/Length"]
)
MASKS = frozenset({"/SMask", "/Mask", "/SMaskInData", "/ImageMask", "/Matte"})
METADATA = frozenset({"/Metadata", "/Name", "/ID", "/OPI", "/Alternates", "/Measure", "/PtData"})

PNG_FILTERS = 4
"""The last of them, Paeth."""


PARAMETERS = {
    "/DCTDecode": frozenset[str](),
    "/FlateDecode": frozenset({"/Predictor", "/Colors", "/BitsPerComponent", "/Columns"}),
    "/CCITTFaxDecode": frozenset({"/K", "/Columns", "/Rows"}),
}
"""What /DecodeParms says for each of the codings; all of them are numbers."""


@page_check("A18", "A21", "A23")
def has_a_plain_image(view: PageView) -> Iterator[Finding]:
    """The image has a device colour space, and neither mask, alternate nor metadata."""
    image = view.image
    keys = set(image.keys())
    codes = {"A21" for _ in keys & MASKS} | {"A18" for _ in keys & METADATA}
    if "/Decode" in keys:
        codes.add("A23")
    if image.ColorSpace not in ("/DeviceGray", "/DeviceRGB") or image.get("/Type", "/XObject") != "/XObject":
        codes.add("A18")
    for code in sorted(codes):
        yield Finding(code, view.number, None, f"The page's image has {FAULTS[code]}.")
    yield from strangers(image, ENTRIES | MASKS | METADATA | {"/Decode"}, view.number)


@page_check("A27")
def has_no_colour_where_none_is_wanted(view: PageView) -> Iterator[Finding]:
    """A plan without colour gives pages of one channel, or of three that are equal."""
    if view.output.plan.grey and view.pixels.ndim == 3 and np.ptp(view.pixels, axis=2).any():
        yield Finding("A27", view.number, None, f"The page has {FAULTS['A27']}.")


@page_check("A31")
def has_an_image_without_hidden_samples(view: PageView) -> Iterator[Finding]:
    """The coded image has the rows, columns, channels and bits of its dictionary, and these alone."""
    image = view.image
    coding, parameters = str(image.Filter), dict(image.get("/DecodeParms", {}).items())
    channels = 3 if image.ColorSpace == "/DeviceRGB" else 1
    if (
        coding not in PARAMETERS
        or set(parameters) != PARAMETERS[coding]
        or not all(isinstance(value, int) for value in parameters.values())
        or int(image.BitsPerComponent) != (1 if coding == "/CCITTFaxDecode" else 8)
        or _coded_size(view, parameters) != (int(image.Width), int(image.Height), channels)
    ):
        yield Finding("A31", view.number, None, f"The page's image has {FAULTS['A31']}.")


def _coded_size(view: PageView, parameters: dict[str, int]) -> tuple[int, int, int]:
    """(width, height, channels) as the coding itself says."""
    height = int(view.image.Height)
    match str(view.image.Filter):
        case "/DCTDecode":
            with Image.open(io.BytesIO(view.image.read_raw_bytes()), formats=["JPEG"]) as picture:
                return *picture.size, len(picture.getbands())
        case "/FlateDecode":  # that the samples are as many as this says is the passengers' check
            return parameters["/Columns"], height, parameters["/Colors"]
        case _:
            return parameters["/Columns"], parameters["/Rows"], 1


@page_check("A19", "A18")
def has_an_image_without_passengers(view: PageView) -> Iterator[Finding]:
    """The coded image ends where its pixels end."""
    raw = view.image.read_raw_bytes()
    match str(view.image.Filter):
        case "/DCTDecode":
            codes = passengers(raw)
        case "/FlateDecode":
            codes = _passengers_of_deflate(raw, view.pixels)
        case "/CCITTFaxDecode":
            codes = _passengers_of_g4(raw, view.pixels)
        case _:
            codes = set()  # said by has_an_image_without_hidden_samples
    for code in sorted(codes):
        yield Finding(code, view.number, None, f"The page's image has {FAULTS[code]}.")


def _passengers_of_deflate(raw: bytes, pixels: NDArray[np.uint8]) -> set[str]:
    """Each row says how it is filtered (PNG, 9.2); what is more than the last filter, readers take for none."""
    inflate = zlib.decompressobj()
    rows = inflate.decompress(raw) + inflate.flush()
    width = pixels.shape[1] * (3 if pixels.ndim == 3 else 1)
    whole = len(rows) == pixels.shape[0] * (width + 1) and inflate.eof and not inflate.unused_data
    filters = rows[:: width + 1]
    return set() if whole and max(filters) <= PNG_FILTERS else {"A19"}


def _passengers_of_g4(raw: bytes, pixels: NDArray[np.uint8]) -> set[str]:
    """Group 4 has one coding for each image (ITU-T T.6), so coding the pixels again must give the same bytes."""
    out = io.BytesIO()
    ink = Image.fromarray(np.where(pixels < 128, np.uint8(255), np.uint8(0))).convert("1", dither=Image.Dither.NONE)
    ink.save(out, "TIFF", compression="group4", tiffinfo={278: pixels.shape[0]})
    with Image.open(out) as tiff:
        (start,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]  # type: ignore[attr-defined]
    return set() if raw == out.getvalue()[start : start + length] else {"A19"}
