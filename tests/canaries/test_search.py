"""The search hears a canary through every wrapping; a search that is deaf would make the other tests worthless."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import zipfile

import pytest
from PIL import Image

from tests.canaries.birds import BAD_RECORDS, RECORDS, TEXT, WITHHELD, invalid_request, whole_request
from tests.canaries.search import heard, singing


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


WRAPPED = {
    "plain": b"x Wrenbird x",
    "utf-16": "wrenbird".encode("utf-16-be"),
    "hex": b"wrenbird".hex().encode(),
    **{f"base64 at {n}": base64.b64encode(b"." * n + b"wrenbird..") for n in range(3)},
    "zip": zipped("a.txt", b"wrenbird"),
    "name in a zip": zipped("wrenbird.txt", b""),
    "zip in a zip": zipped("b.zip", zipped("a.txt", b"wrenbird")),
    "gzip": gzip.compress(b"wrenbird"),
    "envelope": json.dumps({"payload": base64.b64encode(gzip.compress(b"wrenbird")).decode()}).encode(),
    "digest": hashlib.sha256(b"wrenbird").hexdigest().encode(),
}


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_a_canary_is_heard_through(wrapping: str) -> None:
    assert heard({"place": WRAPPED[wrapping]}, {"bird": "wrenbird"})
    assert not heard({"place": WRAPPED[wrapping]}, {"bird": "owlbird"})


@pytest.mark.parametrize("written", ["07700 900461", "07700900461", "+447700900461", "ring 07700900461."])
def test_a_number_is_heard_however_it_is_written(written: str) -> None:
    assert heard({"place": written.encode()}, {"phone": "07700 900461"})


def test_every_canary_is_really_in_what_is_uploaded() -> None:
    """Before the pipeline has them they all sing, but those that are put elsewhere by the test of the pipeline."""
    names = {f"name {n}": name.encode() for n, name in enumerate((*RECORDS, *BAD_RECORDS))}
    letters = {"letter": whole_request(), "invalid letter": invalid_request()}
    everything = {**WITHHELD, **TEXT}
    lines = heard({**RECORDS, **names, **letters}, everything)
    broken = {what for data in BAD_RECORDS.values() for what in singing(data, everything)}
    silent = {
        what for what in everything if what not in broken and not any(line.startswith(f"{what} in ") for line in lines)
    }
    assert silent == {
        "e-mail in a PNG's pixels",
        "PNG text",  # compressed inside its chunk: see below
        "unlisted file's name",
        "folder's name",
        "damaged status",
    }
    with Image.open(io.BytesIO(RECORDS[next(name for name in RECORDS if name.endswith(".png"))])) as image:
        assert "pngtextbird" in image.info["Comment"]  # compressed inside its chunk
