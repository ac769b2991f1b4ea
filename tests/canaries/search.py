"""Finds a text in bytes however they are wrapped: encodings, archives, envelopes, PDF objects, pixels, digests."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache

import pikepdf
import pypdfium2
import pytesseract


@cache
def forms(canary: str) -> list[bytes]:
    """How a text may stand in bytes, in lower case where the case may differ."""
    texts = {canary.lower()}
    if any(c.isdigit() for c in canary):
        texts |= {re.sub(r"\D", "", canary), "+44" + re.sub(r"\D", "", canary)[1:]}
    found = [text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    found += [text.encode().hex().encode() for text in texts]
    return found


@cache
def exact_forms(canary: str) -> list[bytes]:
    """Forms whose case matters or cannot differ: base64 at any offset, and plain digests."""
    found = []
    for text in {canary, canary.lower(), canary.capitalize()}:
        for offset in range(3):
            bits = 8 * offset, 8 * (offset + len(text.encode()))
            coded = base64.b64encode(b"\0" * offset + text.encode())
            found.append(coded[-(-bits[0] // 6) : bits[1] // 6])  # every digit that follows from the text alone
        found += [hashlib.new(name, text.encode()).hexdigest().encode() for name in ("md5", "sha1", "sha256", "sha512")]
    return found


def singing(data: bytes, canaries: Mapping[str, str]) -> list[str]:
    """Names of the texts that stand in the bytes."""
    lower = data.lower()
    return [
        what
        for what, canary in canaries.items()
        if any(form in lower for form in forms(canary)) or any(form in data for form in exact_forms(canary))
    ]


def unwrapped(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes themselves and everything that is packed in them: name -> bytes."""
    yield name, data
    if data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                yield f"{name}!{entry.filename} (name)", entry.filename.encode() + entry.extra + entry.comment
                yield from unwrapped(f"{name}!{entry.filename}", archive.read(entry))
    elif data[:2] == b"\x1f\x8b":
        yield from unwrapped(f"{name}!gunzipped", gzip.decompress(data))
    elif data[:5] == b"%PDF-":
        yield from _of_pdf(name, data)
    elif data[:1] == b"{":
        with suppress(ValueError):
            payload = json.loads(data).get("payload")
            if isinstance(payload, str):
                yield from unwrapped(f"{name}!payload", base64.b64decode(payload))


def _of_pdf(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for number, item in enumerate(pdf.objects):
            yield f"{name}!object {number}", "\n".join(_texts(item)).encode()
            if isinstance(item, pikepdf.Stream):
                try:
                    yield f"{name}!stream {number}", item.read_bytes()
                except pikepdf.PdfError:  # an image
                    yield f"{name}!stream {number}", item.read_raw_bytes()
    document = pypdfium2.PdfDocument(data)
    for number, page in enumerate(document):
        yield f"{name}!text of page {number}", page.get_textpage().get_text_range().encode()
        if "records/" in name and ".zip" not in name:
            image = page.render(scale=150 / 72, grayscale=True).to_pil()
            yield f"{name}!pixels of page {number}", pytesseract.image_to_string(image).encode()


def _texts(item: object, depth: int = 0) -> Iterator[str]:
    if depth > 20:
        return
    if isinstance(item, (pikepdf.Dictionary, pikepdf.Stream)):
        for key in item.keys():  # noqa: SIM118 - a stream iterates over nothing
            yield key
            if key not in {"/Parent", "/P", "/Prev"}:
                yield from _texts(item[key], depth + 1)
    elif isinstance(item, pikepdf.Array):
        for one in item:
            yield from _texts(one, depth + 1)
    else:
        yield str(item)
        if isinstance(item, pikepdf.String):
            yield bytes(item).decode("latin-1")


def heard(places: Mapping[str, bytes], canaries: Mapping[str, str]) -> list[str]:
    """Each canary that sings, and where: empty when all is quiet."""
    found = [
        f"{what} in {part}"
        for name, data in places.items()
        for part, inside in unwrapped(name, data)
        for what in singing(inside, canaries)
    ]
    return sorted(set(found))
