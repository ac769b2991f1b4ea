"""What a request's folder in the intake bucket means: which objects are records, in what order, under what title.

Rule kept here: object keys are untrusted text. They decide nothing but which bytes to read; no path, page or run is
ever named after one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.errors import UnsafeKeyError
from tasks.request import ListedRecord, Policy, Request
from tasks.store import ObjectInfo
from tasks.typed import Withhold, withhold_in_texts

REQUEST_FILE = "request.json"
RECORDS_FOLDER = "records/"
MAX_KEY = 900


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that ought to be a record. `title` is safe to publish."""

    number: int
    info: ObjectInfo = field(repr=False)
    title: str = field(repr=False)
    date: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A request's folder, understood.

    Attributes:
        candidates: in the order the request lists them, else by name.
        missing: listed names without an object.
        unlisted: objects below `records/` that the request does not list; left alone and named in the status.
    """

    candidates: tuple[Candidate, ...]
    missing: tuple[str, ...] = field(repr=False)
    unlisted: tuple[str, ...] = field(repr=False)


def check_key(untrusted: str) -> None:
    """Refuse a key that could escape its folder or hide its end.

    Raises:
        UnsafeKeyError: `..` or empty segments, a leading slash, a backslash, control or direction characters, too long.
    """
    segments = untrusted.split("/")
    hidden = any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in untrusted)
    if hidden or len(untrusted) > MAX_KEY or "\\" in untrusted or any(s in {"", ".", ".."} for s in segments):
        raise UnsafeKeyError(subject=untrusted)


def understand(
    reference: str,
    objects: Mapping[str, ObjectInfo],
    request: Request,
    policy: Policy,
    terms: Sequence[str],
    withhold: Withhold = withhold_in_texts,
) -> Contents:
    """Match the request's list with the objects below its folder.

    Args:
        reference: the request's reference.
        objects: by name relative to the folder, e.g. `records/memo.pdf`.
        request: its `request.json`.
        policy: as the request changes it.
        terms: what must not appear in titles besides contact details, e.g. the requester's name.
        withhold: what finds both in a title.
    """
    below = {name: info for name, info in objects.items() if name.startswith(RECORDS_FOLDER) and name != RECORDS_FOLDER}
    listed = request.records
    if listed is None:
        listed = tuple(ListedRecord.model_construct(file=name) for name in sorted(below))
    found = [(entry, below[entry.file]) for entry in listed if entry.file in below]
    titles = public_titles([entry for entry, _ in found], policy, terms, withhold)
    candidates = tuple(
        Candidate(number, info, titles[number - 1], entry.date.isoformat() if entry.date else "")
        for number, (entry, info) in enumerate(found, 1)
    )
    names = {entry.file for entry in listed}
    return Contents(
        candidates,
        tuple(entry.file for entry in listed if entry.file not in below),
        tuple(sorted(name for name in below if name not in names)),
    )


def public_titles(
    entries: Sequence[ListedRecord], policy: Policy, terms: Sequence[str], withhold: Withhold = withhold_in_texts
) -> list[str]:
    """Titles for the schedule and the file names: those that request.json gives, else `Record N`.

    A file's own name is never published: people name files after people. A title that holds anything the policy
    withholds gives way too.
    """
    plain = [_plain(entry.title or "") for entry in entries]
    given = sorted({title for title in plain if title})
    withheld = withhold(given, policy, terms) if given else ()
    public = {title for title, rest in zip(given, withheld, strict=True) if title == rest}
    return [title if title in public else f"Record {number}" for number, title in enumerate(plain, 1)]


def _plain(untrusted: str) -> str:
    return "".join(c for c in untrusted if unicodedata.category(c)[0] != "C")[:200].strip()
