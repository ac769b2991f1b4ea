"""How much there is to decode, asked before anything is decoded.

Rule kept here: nothing is inflated farther than a page of its size can need; a file that asks for more is refused
unread (hostile sources end in the processes of `tasks.apart`; this is the same distrust of an output).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import pikepdf
from PIL import Image

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS
from tasks.redaction.gate.output import Output

TOO_LARGE = 2
"""Times the pixels of the largest page; what is less is decoded, and judged by the other checks."""

MOST_TEXT_BYTES = 16_000_000
"""Of a content stream, a font or a character map; the text of a dense A3 page takes 200 kB."""


def fits_its_pages(output: Output) -> Iterator[Finding]:
    """Images are no larger than the pages that were read, other streams no longer than text can be."""
    largest = max((page.width_px * page.height_px for page in output.transcript.pages), default=0)
    tallest = max((page.height_px for page in output.transcript.pages), default=0)
    for item in output.pdf.objects:
        if not isinstance(item, pikepdf.Stream):
            continue
        drawn = item.get("/Subtype") == "/Image"
        most = 3 * largest + tallest if drawn else MOST_TEXT_BYTES
        claimed = int(item.get("/Width", 0)) * int(item.get("/Height", 0))
        if max(claimed, _pixels_of_jpeg(item)) > TOO_LARGE * largest or _inflates_beyond(item, most):
            yield Finding("A29", None, None, f"The file has {FAULTS['A29']}.")
            return


def _pixels_of_jpeg(item: pikepdf.Stream) -> int:
    if item.get("/Filter") != "/DCTDecode":
        return 0
    with Image.open(io.BytesIO(item.read_raw_bytes()), formats=["JPEG"]) as picture:  # reads the header only
        return picture.width * picture.height


def _inflates_beyond(item: pikepdf.Stream, most: int) -> bool:
    if item.get("/Filter") != "/FlateDecode":
        return False
    inflate = zlib.decompressobj()
    inflate.decompress(item.read_raw_bytes(), most + 1)
    return bool(inflate.unconsumed_tail)
