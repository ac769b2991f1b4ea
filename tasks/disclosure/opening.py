"""A bundle as somebody received it: a folder or a zip, untrusted, into a mapping from path to bytes.

Rule kept here: nothing is written to disk, nothing outside the bundle is read, and no archive makes us read more than
the limits.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

MAX_FILES = 20_000
MAX_BYTES = 4_000_000_000
MAX_RATIO = 200
"""Bytes out per byte in of one zip entry; ours are stored (1)."""

_UNSAFE = re.compile(r"^/|\\|^[A-Za-z]:|\x00")


class UnsafeBundleError(ValueError):
    """The bundle tries to be more than files below one folder; the message says how."""


def _below(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with one common top folder taken off, when the bag lies in one."""
    if "bagit.txt" in files:
        return files
    tops = {path.split("/", 1)[0] for path in files}
    if len(tops) == 1 and f"{next(iter(tops))}/bagit.txt" in files:
        return {path.split("/", 1)[1]: data for path, data in files.items()}
    return files


def _read_zip(path: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise UnsafeBundleError("The zip holds too many files.")
            for entry in entries:
                name = entry.filename
                if _UNSAFE.search(name) or any(part in ("", ".", "..") for part in name.split("/")):
                    raise UnsafeBundleError("The zip holds a path that leads out of its folder.")
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise UnsafeBundleError("The zip is packed in an unusual way.")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise UnsafeBundleError("The zip holds a link.")
                if name in files:
                    raise UnsafeBundleError("The zip holds two files of the same name.")
                total += entry.file_size
                if total > MAX_BYTES or entry.file_size > MAX_RATIO * max(1, entry.compress_size):
                    raise UnsafeBundleError("The zip unpacks to far more than it should.")
                with archive.open(entry) as file:
                    data = file.read(entry.file_size + 1)
                if len(data) != entry.file_size:
                    raise UnsafeBundleError("The zip unpacks to far more than it should.")
                files[name] = data
    except UnsafeBundleError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise UnsafeBundleError("The zip is damaged or locked.") from None
    return files


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise UnsafeBundleError("The folder holds a link.")
        if not path.is_file():
            continue
        total += path.stat().st_size
        if total > MAX_BYTES or len(files) >= MAX_FILES:
            raise UnsafeBundleError("The folder holds too much.")
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def open_bundle(path: Path) -> dict[str, bytes]:
    """The files of a bundle.

    Raises:
        UnsafeBundleError: it is damaged, or tries to be more than files below one folder.
        OSError: the path cannot be read.
    """
    return _below(_read_folder(path) if path.is_dir() else _read_zip(path))
