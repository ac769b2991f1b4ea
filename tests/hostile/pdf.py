"""PDF files written object by object, so that each can be wrong in exactly one way."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

WIDTH, HEIGHT = 216, 108
"""Of a page, in pt: small, so that reading it takes little."""

TEXT = b"BT /F1 12 Tf 18 60 Td (The hall is closed on Monday.) Tj ET"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


def deflated(data: bytes, entries: bytes = b"", times: int = 1) -> bytes:
    """A stream object behind one or more FlateDecode filters."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream(data, entries + b"/Filter[%s]" % (b"/FlateDecode" * times))


def page(
    contents: bytes = b"4 0 R",
    resources: bytes = b"/Font<</F1 5 0 R>>",
    box: bytes = b"[0 0 %d %d]" % (WIDTH, HEIGHT),
    more: bytes = b"",
) -> bytes:
    """A page object below the page tree 2."""
    return b"<</Type/Page/Parent 2 0 R/MediaBox%s/Resources<<%s>>/Contents %s%s>>" % (box, resources, contents, more)


def objects(drawn: bytes = TEXT, **pages: bytes) -> dict[int, bytes]:
    """The objects of a document of one page: 1 catalogue, 2 page tree, 3 page, 4 its content, 5 a font."""
    return {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: page(**pages),
        4: stream(drawn),
        5: FONT,
    }


def body(numbered: Mapping[int, bytes], header: bytes = b"%PDF-1.7\n") -> tuple[bytes, dict[int, int]]:
    """Header and objects, and where each object begins."""
    out = bytearray(header)
    places = {}
    for number, content in numbered.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    return bytes(out), places


def table(places: Mapping[int, int]) -> bytes:
    """A cross-reference table of one section from 0 on."""
    size = max(places) + 1
    lines = [b"%010d 00000 n \n" % places[n] if n in places else b"0000000000 65535 f \n" for n in range(size)]
    return b"xref\n0 %d\n" % size + b"".join(lines)


def write(numbered: Mapping[int, bytes], trailer: bytes = b"", header: bytes = b"%PDF-1.7\n") -> bytes:
    """A file with a sound cross-reference table."""
    written, places = body(numbered, header)
    size = max(places) + 1
    return b"%s%strailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        written,
        table(places),
        size,
        trailer,
        len(written),
    )


def drawing(drawn: bytes, further: Mapping[int, bytes] | None = None, /, **pages: bytes) -> bytes:
    """A document of one page with that content and further objects."""
    return write({**objects(drawn, **pages), **(further or {})})


def with_image(entries: bytes, data: bytes, drawn: bytes = b"q 216 0 0 108 0 0 cm /I Do Q") -> bytes:
    """A page that shows one image object."""
    image = stream(data, b"/Type/XObject/Subtype/Image" + entries)
    return drawing(drawn, {6: image}, resources=b"/XObject<</I 6 0 R>>")
