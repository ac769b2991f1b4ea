"""The bundle: everything one disclosure consists of, as a bag.

Rules kept here: what is bundled is exactly what was approved (the approval names the dossier's digest, the dossier
names every file's); every path is made of a number and a title, never of a source's name; the same dossier, approval,
policy, keys and version give the same bytes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.codec import digest, fingerprint
from tasks.disclosure.bag import bag_head, build_bag
from tasks.disclosure.crate import crate_metadata
from tasks.disclosure.keys import SigningKeys
from tasks.disclosure.layout import (
    CERTIFICATE,
    CMS_SIGNATURE,
    ENVELOPE,
    GUIDE,
    SIGNED_LIST,
    SIGNER,
    TIME_STAMP,
    TSA_CERTIFICATE,
)
from tasks.disclosure.notice import missing_parts, render_response, render_schedule
from tasks.disclosure.page import render_text
from tasks.disclosure.provenance import disclosure_statement, seal
from tasks.disclosure.schedule import schedule_csv, schedule_json, schedule_rows
from tasks.disclosure.timestamp import Stamper
from tasks.errors import IncompleteResponseError, KeysMissingError, NotApprovedError, UnfitNameError
from tasks.model import Approval, Dossier
from tasks.request import Policy

_FILE_NAME = re.compile(r"\d{3,}-[a-z0-9]+(?:-[a-z0-9]+)*\.pdf")


@dataclass(frozen=True, slots=True)
class Superseded:
    """The publication that a new one replaces.

    Attributes:
        version: its number.
        bag: SHA-256 of its `tagmanifest-sha256.txt`, hex.
        changes: what is different now, one sentence each.
        first_given: when the first version was given that is still readable, ISO 8601; "" when it is not known.
    """

    version: int
    bag: str
    changes: tuple[str, ...]
    first_given: str = ""


def safe_file_name(number: int, title: str) -> str:
    """`007-minutes-of-the-meeting.pdf`: lower-case ASCII letters, digits and dashes only, whatever the title holds."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-")
    return f"{number:03d}-{words or 'record'}.pdf"


def dossier_digest(dossier: Dossier) -> str:
    """What an approval names: SHA-256 over the dossier, hex."""
    return fingerprint(dossier)


def _check_approved(dossier: Dossier, approval: Approval, policy: Policy) -> None:
    if approval.reference != dossier.reference or approval.dossier != dossier_digest(dossier):
        raise NotApprovedError("The approval is for another dossier.", subject=dossier.reference)
    if policy.digest != dossier.policy:
        raise NotApprovedError("The policy is not the one the dossier was made under.", subject=dossier.reference)
    missing = missing_parts(dossier, policy)
    if missing:
        raise IncompleteResponseError(f"Missing: {'; '.join(missing)}.", subject=dossier.reference)


def _checked_records(dossier: Dossier, record_files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The record files by path in the bag.

    Raises:
        NotApprovedError: a file is absent, is not the approved one, or is not part of the dossier.
        UnfitNameError: a file's name is not safe, or used twice.
    """
    names = [record.file_name for record in dossier.records]
    if len(set(names)) != len(names) or not all(_FILE_NAME.fullmatch(name) for name in names):
        raise UnfitNameError("File names of the records are not safe or not distinct.", subject=dossier.reference)
    if set(names) != set(record_files):
        raise NotApprovedError("The record files are not those of the dossier.", subject=dossier.reference)
    for record in dossier.records:
        data = record_files[record.file_name]
        if digest(data) != record.sha256 or len(data) != record.size:
            raise NotApprovedError("A record file is not the approved one.", subject=record.file_name)
    return {f"data/records/{name}": record_files[name] for name in names}


def _info(
    dossier: Dossier, approval: Approval | None, policy: Policy, version: int, old: Superseded | None
) -> dict[str, str]:
    info = {
        "Source-Organization": policy.authority.name,
        "External-Identifier": dossier.reference,
        "External-Description": dossier.title,
        "Internal-Sender-Identifier": f"{dossier.reference}/v{version}",
        "Bag-Software-Agent": dossier.pipeline,
        "Disclosure-Version": str(version),
    }
    if approval is not None:
        info["Bagging-Date"] = approval.at[:10]
    if old is not None:
        info["Supersedes"] = f"v{old.version}"
    return info


def _payload(
    dossier: Dossier,
    approval: Approval | None,
    record_files: Mapping[str, bytes],
    policy: Policy,
    version: int,
    supersedes: Superseded | None,
) -> dict[str, bytes]:
    """Everything below `data/`."""
    payload = _checked_records(dossier, record_files)
    rows = schedule_rows(dossier)
    changes = supersedes.changes if supersedes else ()
    response = render_response(
        dossier,
        policy,
        approval,
        version=version,
        changes=changes,
        first_given=supersedes.first_given if supersedes else "",
    )
    payload |= {
        "data/response.html": response.html,
        "data/response.pdf": response.pdf,
        "data/schedule.csv": schedule_csv(rows),
        "data/schedule.html": render_schedule(dossier, policy, approval, rows),
        "data/schedule.json": schedule_json(dossier, rows),
    }
    return payload | {"data/ro-crate-metadata.json": crate_metadata(dossier, approval, policy, payload, version)}


def assemble_bundle(
    dossier: Dossier,
    approval: Approval | None,
    record_files: Mapping[str, bytes],
    policy: Policy,
    keys: SigningKeys | None,
    version: int = 1,
    supersedes: Superseded | None = None,
    stamper: Stamper | None = None,
) -> dict[str, bytes]:
    """The whole bag, path -> bytes.

    Args:
        dossier: what is disclosed.
        approval: of exactly this dossier; None for a draft, which says so in its letter and is never signed.
        record_files: file name -> redacted PDF, for every record of the dossier and nothing else.
        policy: the one the dossier was made under.
        keys: to sign with; a draft needs none.
        version: of the publication, from 1.
        supersedes: the publication it replaces, if any.
        stamper: puts a time stamp on the list of files; all else is the same bytes with it and every time.

    Raises:
        NotApprovedError: approval, policy, files and dossier do not belong together, or the response is incomplete
            (`subject` names the missing parts). A draft may be incomplete.
        UnfitNameError: a record's file name is not safe.
        KeysMissingError: there is no key to sign with.
        InvalidRequestError: the dossier's letter is not a request.
        TransientError: from the stamper.
    """
    if approval is None:
        payload = _payload(dossier, None, record_files, policy, version, supersedes)
        return build_bag(payload, _info(dossier, None, policy, version, supersedes), {})
    if keys is None:
        raise KeysMissingError("There is no signing key.")
    _check_approved(dossier, approval, policy)
    payload = _payload(dossier, approval, record_files, policy, version, supersedes)
    old = {"version": supersedes.version, "tagmanifest": {"sha256": supersedes.bag}} if supersedes else None
    info = _info(dossier, approval, policy, version, supersedes)
    tags = {SIGNER: keys.public_pem}
    if keys.certificate_pem:
        tags[CERTIFICATE] = keys.certificate_pem
    if stamper:
        tags[TSA_CERTIFICATE] = stamper.certificates_pem
    tags[GUIDE] = render_text(
        "VERIFY.txt",
        reference=dossier.reference,
        version=version,
        authority=policy.authority,
        key_id=keys.key_id,
        envelope=ENVELOPE,
        signer=SIGNER,
        certificate=CERTIFICATE if keys.certificate_pem else "",
        cms=CMS_SIGNATURE,
        stamp=TIME_STAMP if stamper else "",
        tsa=TSA_CERTIFICATE,
    )
    beside = bag_head(payload, info) | tags
    statement = disclosure_statement(dossier, approval, payload, policy.version, keys, version, old, beside)
    bag = build_bag(payload, info, {**tags, ENVELOPE: seal(statement, keys)})
    if signature := keys.sign_cms(bag[SIGNED_LIST]):
        bag[CMS_SIGNATURE] = signature
    if stamper:
        bag[TIME_STAMP] = stamper.stamp(bag[SIGNED_LIST])
    return dict(sorted(bag.items()))


def bag_digest(bag: Mapping[str, bytes]) -> str:
    """The bag's name for itself: SHA-256 of its tag manifest, which covers every other file, hex."""
    return digest(bag[SIGNED_LIST])


@dataclass(frozen=True, slots=True)
class Listed:
    """One record of a publication, as far as readers are told what changed.

    Attributes:
        number: as the schedule counts it.
        title: as published.
        sha256: of its file.
        marks: how many parts of it are withheld.
        places: where they are: (page, boxes, exemption) of each; None when it is not known.
    """

    number: int
    title: str
    sha256: str
    marks: int
    places: tuple[tuple[object, ...], ...] | None = None

    @property
    def words(self) -> str:
        """How a sentence names it."""
        return f"record {self.number}, “{self.title}”"


def what_changed(before: Sequence[Listed], after: Sequence[Listed]) -> tuple[str, ...]:
    """The difference between two publications, one sentence each, in the order of the newer one.

    A record is the same one when number and title are; the same file under another number or title has moved.
    """
    old = {(record.number, record.title): record for record in before}
    new = {(record.number, record.title): record for record in after}
    gone = {record.sha256: record for key, record in old.items() if key not in new}
    sentences: list[str] = []
    for key, record in new.items():
        if key in old:
            sentences += _replaced(old[key], record)
        elif moved := gone.pop(record.sha256, None):
            sentences.append(f"Moved: {moved.words}, is now {record.words}.")
        else:
            sentences.append(f"Added: {record.words}.")
    sentences += [f"Removed: {record.words}." for record in gone.values()]
    return tuple(sentences) or (
        "The records are the same; what is said about them, or the programs that made them, changed.",
    )


def _replaced(old: Listed, new: Listed) -> list[str]:
    """What is true of two files, whether the source, the marks or only the programs changed."""
    if old.sha256 == new.sha256:
        return []
    if old.marks != new.marks:
        parts = "part is" if new.marks == 1 else "parts are"
        return [f"Changed: {new.words}; {new.marks} {parts} withheld now, {old.marks} before."]
    if not new.marks:
        return [f"Changed: {new.words}; nothing is withheld, as before."]
    if old.places is None or new.places is None:
        return [f"Changed: {new.words}; as many parts are withheld as before ({new.marks})."]
    which = "the same" if old.places == new.places else "other"
    than = "as before" if old.places == new.places else "than before"
    count = new.marks if old.places == new.places else f"{new.marks}, as before"
    return [f"Changed: {new.words}; {which} parts are withheld {than} ({count})."]


def listed_of(dossier: Dossier) -> list[Listed]:
    """The records of a dossier."""
    return _listed(json.loads(schedule_json(dossier, schedule_rows(dossier))))


def listed_in(schedule: bytes) -> list[Listed]:
    """The records of a publication of ours, from its `schedule.json`.

    Raises:
        ValueError: it is none.
    """
    try:
        return _listed(json.loads(schedule))
    except (KeyError, TypeError, AttributeError):
        raise ValueError("not a schedule") from None


def _listed(schedule: dict[str, Any]) -> list[Listed]:
    places: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for row in schedule["rows"]:
        boxes = tuple(tuple(box) for box in row["boxes"])
        places[row["record"]].append((row["page"], boxes, row["exemption"]))
    return [
        Listed(each["number"], each["title"], each["sha256"], each["marks"], tuple(places[each["number"]]))
        for each in schedule["records"]
    ]
