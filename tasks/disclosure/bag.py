"""Bags (RFC 8493) as mappings from path to bytes.

Rule kept here: a bag is a pure function of its payload, its info and its tag files; nothing is read from a clock or a
disk. Paths are kept to characters that need no escaping in a manifest, a shell or a URL.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

from tasks.disclosure.layout import DECLARATION, INFO
from tasks.disclosure.plain import one_line
from tasks.errors import UnfitNameError

PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
"""What every path of a bag matches."""

_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
ALGORITHMS = ("sha256", "sha512")


def manifest_of(files: Mapping[str, bytes], algorithm: str) -> bytes:
    """A manifest of `files`, path -> bytes, in the order of their paths."""
    return "".join(f"{hashlib.new(algorithm, files[path]).hexdigest()}  {path}\n" for path in sorted(files)).encode()


def payload_oxum(payload: Mapping[str, bytes]) -> str:
    """Bytes and number of the payload files, as `bag-info.txt` says them."""
    return f"{sum(map(len, payload.values()))}.{len(payload)}"


def _info(info: Mapping[str, str], payload: Mapping[str, bytes]) -> bytes:
    lines = [f"{label}: {one_line(value)}" for label, value in info.items()]
    return "\n".join([*lines, f"Payload-Oxum: {payload_oxum(payload)}", ""]).encode()


def bag_head(payload: Mapping[str, bytes], info: Mapping[str, str]) -> dict[str, bytes]:
    """The two files that say what a bag is and of whom; arguments as in `build_bag`."""
    return {DECLARATION: _DECLARATION, INFO: _info(info, payload)}


def build_bag(payload: Mapping[str, bytes], info: Mapping[str, str], tags: Mapping[str, bytes]) -> dict[str, bytes]:
    """A complete and valid bag.

    Args:
        payload: path below the bag (`data/...`) -> bytes.
        info: what `bag-info.txt` says, in its order; Payload-Oxum is added.
        tags: further tag files, path -> bytes.

    Raises:
        UnfitNameError: a path is not safe, or not in its place.
        ValueError: there is no payload.
    """
    if not payload:
        raise ValueError("a bag needs a payload")
    for path in (*payload, *tags):
        if not PATH.fullmatch(path) or (path in payload) != path.startswith("data/"):
            raise UnfitNameError("A path is not fit for a bag.", subject=path)
    bag = {**bag_head(payload, info), **tags}
    bag |= {f"manifest-{algorithm}.txt": manifest_of(payload, algorithm) for algorithm in ALGORITHMS}
    bag |= {f"tagmanifest-{algorithm}.txt": manifest_of(bag, algorithm) for algorithm in ALGORITHMS}
    return dict(sorted((bag | dict(payload)).items()))


def write_zip(file: BinaryIO, bag: Mapping[str, bytes], name: str) -> None:
    """The same bytes as one zip below a folder `name`, into an open file.

    Stored, not compressed: PDFs gain nothing, and compressors differ between machines.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(bag):
            entry = zipfile.ZipInfo(f"{name}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, bag[path])


def zip_bag(bag: Mapping[str, bytes], name: str) -> bytes:
    """`write_zip`, as bytes."""
    data = io.BytesIO()
    write_zip(data, bag, name)
    return data.getvalue()
