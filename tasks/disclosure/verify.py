"""What somebody who received a bundle can find out about it, offline.

Rule kept here: every check says one plain sentence, whether it holds or not; a bad bundle is an answer, never an
exception. Nothing of the pipeline is needed, and nothing is believed because the bundle says so: a signature by the
key that lies in the bundle proves only that the bundle is in one piece, and the sentence says that.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization.pkcs7 import load_der_pkcs7_certificates

from tasks.codec import digest
from tasks.disclosure.bag import ALGORITHMS, manifest_of, payload_oxum
from tasks.disclosure.bundle import CERTIFICATE, CMS_SIGNATURE, ENVELOPE, SIGNER
from tasks.disclosure.inspect_record import hidden_content, record_faults
from tasks.disclosure.keys import key_id_of, load_public_key
from tasks.disclosure.opening import UnsafeBundleError, open_bundle
from tasks.disclosure.provenance import DISCLOSURE, open_envelope
from tasks.disclosure.schedule import CSV_HEADER, csv_cells
from tasks.errors import ConfigurationError

MAX_NAMED = 5
"""Files a sentence names before it says how many more."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that holds or does not, in words for anyone."""

    name: str
    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of one bundle.

    Attributes:
        ok: whether every check holds.
        trusted: whether the signature is by a key the verifier brought along.
        reference: as the signed statement says, or "".
        version: as the signed statement says, or 0.
    """

    ok: bool
    trusted: bool
    reference: str
    version: int
    checks: tuple[Check, ...]


def _named(paths: list[str]) -> str:
    shown = ", ".join(sorted(ascii(path)[1:-1] for path in paths)[:MAX_NAMED])
    return shown + (f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else "")


def _parse_manifest(data: bytes) -> dict[str, str]:
    """Path -> digest.

    Raises:
        ValueError: a line is not one, or a path appears twice.
    """
    listed: dict[str, str] = {}
    for line in data.decode("utf-8").splitlines():
        value, path = line.split(maxsplit=1)
        if path in listed:
            raise ValueError("twice")
        listed[path] = value.lower()
    return listed


# ------------------------------------------------------------------------------------------------ fixity


def _fixity(files: Mapping[str, bytes], manifest: str, covered: Mapping[str, bytes], what: str) -> Check:
    """Whether a manifest lists exactly `covered` and every digest is right."""
    name = f"fixity: {manifest}"
    algorithm = manifest.rsplit("-", 1)[1].removesuffix(".txt")
    if manifest not in files:
        return Check(name, False, f"{manifest} is missing.")
    try:
        listed = _parse_manifest(files[manifest])
    except (ValueError, UnicodeDecodeError):
        return Check(name, False, f"{manifest} is not a list of files.")
    actual = _parse_manifest(manifest_of(covered, algorithm))
    missing, extra = sorted(listed.keys() - actual.keys()), sorted(actual.keys() - listed.keys())
    changed = [path for path in sorted(listed.keys() & actual.keys()) if listed[path] != actual[path]]
    faults = [
        f"{words}: {_named(paths)}"
        for words, paths in (("missing", missing), ("not listed", extra), ("changed", changed))
        if paths
    ]
    if faults:
        return Check(name, False, f"Against {manifest}, " + "; ".join(faults) + ".")
    return Check(name, True, f"All {len(actual)} {what} are there and unchanged ({algorithm.upper()}).")


def _info(files: Mapping[str, bytes]) -> dict[str, str]:
    text = files.get("bag-info.txt", b"").decode("utf-8", "replace")
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {label.strip(): value.strip() for label, value in pairs}


def _declaration(files: Mapping[str, bytes], payload: Mapping[str, bytes]) -> Check:
    if not files.get("bagit.txt", b"").startswith(b"BagIt-Version: "):
        return Check("bag", False, "This is not a bag: bagit.txt is missing or not a declaration.")
    if _info(files).get("Payload-Oxum") != payload_oxum(payload):
        return Check("bag", False, "The number or size of the files is not what bag-info.txt says.")
    return Check("bag", True, f"It is a bag (RFC 8493) with {len(payload)} files.")


def _fixity_checks(files: Mapping[str, bytes]) -> list[Check]:
    payload = {path: data for path, data in files.items() if path.startswith("data/")}
    tags = {
        path: data
        for path, data in files.items()
        if path not in payload and not path.startswith("tagmanifest-") and path != CMS_SIGNATURE
    }
    checks = [_declaration(files, payload)]
    checks += [_fixity(files, f"manifest-{name}.txt", payload, "disclosed files") for name in ALGORITHMS]
    return checks + [_fixity(files, f"tagmanifest-{name}.txt", tags, "accompanying files") for name in ALGORITHMS]


# ------------------------------------------------------------------------------------------------ signature


def _signature(files: Mapping[str, bytes], trusted_pem: bytes | None) -> tuple[Check, bool, dict[str, Any]]:
    """The check, whether the key is the verifier's own, and the statement ({} unless it is signed)."""
    name = "signature"
    if ENVELOPE not in files:
        return Check(name, False, "There is no signed statement."), False, {}
    try:
        key = load_public_key(files.get(SIGNER, b"") if trusted_pem is None else trusted_pem)
    except ConfigurationError:
        whose = "in the bundle" if trusted_pem is None else "you gave"
        return Check(name, False, f"The public key {whose} is not usable."), False, {}
    try:
        opened = open_envelope(files[ENVELOPE], [key])
    except ValueError:
        return Check(name, False, "The signed statement is damaged."), False, {}
    identifier = key_id_of(key)
    if not opened.signed_by:
        whose = "the key in the bundle" if trusted_pem is None else "the key you gave"
        return Check(name, False, f"The statement is not signed by {whose} ({identifier})."), False, {}
    if trusted_pem is None:
        sentence = (
            f"The statement is signed by the key that comes with the bundle ({identifier}). That shows the bundle is "
            "in one piece, not who made it: compare this identifier with the one the authority publishes."
        )
        return Check(name, True, sentence), False, opened.statement
    return Check(name, True, f"The statement is signed by the key you gave ({identifier})."), True, opened.statement


def _cms(files: Mapping[str, bytes]) -> Check | None:
    """The CMS signature over the tag manifest; None when the bundle has none and does not say it should."""
    name = "signature of the file list"
    if CMS_SIGNATURE not in files and CERTIFICATE not in files:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(files[CERTIFICATE])
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("not RSA")
        if load_der_pkcs7_certificates(files[CMS_SIGNATURE]) != [certificate]:
            raise ValueError("another certificate")
        # A signature without attributes is over the content itself and is the last value in the structure.
        signature = files[CMS_SIGNATURE][-(key.key_size // 8) :]
        key.verify(signature, files["tagmanifest-sha256.txt"], PKCS1v15(), hashes.SHA256())
    except (KeyError, ValueError, InvalidSignature):
        return Check(name, False, "The signature over the list of files (CMS) does not hold.")
    return Check(name, True, "The list of files is signed with the certificate that comes with the bundle (CMS).")


def _subjects(statement: Mapping[str, Any], files: Mapping[str, bytes]) -> Check:
    name = "statement"
    try:
        entries = statement["subject"]
        named = {entry["name"]: entry["digest"]["sha256"] for entry in entries}
        proper = statement["predicateType"] == DISCLOSURE and len(named) == len(entries)
    except (KeyError, TypeError):
        named, proper = {}, False
    actual = {path: digest(data) for path, data in files.items() if path.startswith("data/")}
    if not proper:
        return Check(name, False, "The statement is not about a disclosure.")
    if named != actual:
        paths = sorted(path for path in named.keys() | actual.keys() if named.get(path) != actual.get(path))
        return Check(name, False, f"The signed statement does not name exactly these files: {_named(paths)}.")
    return Check(name, True, f"The signed statement names exactly these {len(named)} files and their digests.")


def _approval(statement: Mapping[str, Any], files: Mapping[str, bytes]) -> Check:
    """Whether statement, bag and schedule speak of the same disclosure, and who approved it."""
    name = "approval"
    try:
        predicate = statement["predicate"]
        reference, version = str(predicate["reference"]), int(predicate["version"])
        by, at = str(predicate["approval"]["by"]), str(predicate["approval"]["at"])
    except (KeyError, TypeError, ValueError):
        return Check(name, False, "The statement does not say who approved what.")
    info = _info(files)
    if info.get("External-Identifier") != reference or info.get("Disclosure-Version") != str(version):
        return Check(name, False, "The bag and the signed statement speak of different disclosures.")
    return Check(name, True, f"{reference}, version {version}, was approved by {ascii(by)[1:-1]} on {ascii(at)[1:-1]}.")


# ------------------------------------------------------------------------------------------------ records


@dataclass(frozen=True, slots=True)
class _Listed:
    """One record as `schedule.json` describes it."""

    file: str
    sha256: str
    pages_px: list[list[int]]
    marks: int
    boxes: list[tuple[int, list[int]]]
    rows: int


def _listed(files: Mapping[str, bytes]) -> tuple[str, list[_Listed], list[dict[str, Any]]]:
    """Reference, records and rows of the schedule.

    Raises:
        ValueError: it is not a schedule.
    """
    try:
        schedule = json.loads(files["data/schedule.json"])
        rows = schedule["rows"]
        records = []
        for record in schedule["records"]:
            own = [row for row in rows if row["file"] == record["file"] and row["record"] == record["number"]]
            records.append(
                _Listed(
                    file=str(record["file"]),
                    sha256=str(record["sha256"]),
                    pages_px=[[int(side) for side in page] for page in record["pages_px"]],
                    marks=int(record["marks"]),
                    boxes=[(int(row["page"]), [int(edge) for edge in box]) for row in own for box in row["boxes"]],
                    rows=len(own),
                )
            )
            if any(len(box) != 4 for _, box in records[-1].boxes) or not all(row["boxes"] for row in own):
                raise ValueError("boxes")
        return str(schedule["reference"]), records, rows
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise ValueError("not a schedule") from None


def _schedule(files: Mapping[str, bytes], reference: str, records: list[_Listed], rows: list[dict[str, Any]]) -> Check:
    """Whether the two forms of the schedule, the statement and the records tell of the same marks."""
    name = "schedule"
    named = {f"data/records/{record.file}": record.sha256 for record in records}
    actual = {path: digest(data) for path, data in files.items() if path.startswith("data/records/")}
    if named != actual:
        paths = sorted(path for path in named.keys() | actual.keys() if named.get(path) != actual.get(path))
        return Check(name, False, f"The schedule does not speak of exactly these records: {_named(paths)}.")
    whole = sum(row.get("file") == "" for row in rows)
    if any(record.rows != record.marks for record in records) or len(rows) != whole + sum(r.rows for r in records):
        return Check(name, False, "The schedule's rows and its totals do not agree.")
    try:
        table = list(csv.reader(io.StringIO(files["data/schedule.csv"].decode("utf-8"), newline="")))
        same = table == [list(CSV_HEADER), *(csv_cells(row) for row in rows)]
    except (KeyError, ValueError, TypeError, csv.Error):
        same = False
    if not same:
        return Check(name, False, "The schedule as a spreadsheet (CSV) differs from the one as JSON.")
    if reference != _info(files).get("External-Identifier"):
        return Check(name, False, "The schedule is of another request.")
    parts = sum(record.marks for record in records)
    return Check(name, True, f"The schedule lists {parts} withheld parts of {len(records)} records; its forms agree.")


def _records(files: Mapping[str, bytes], statement: Mapping[str, Any], records: list[_Listed]) -> list[Check]:
    pages, boxes, hidden = [], [], []
    for record in records:
        data = files.get(f"data/records/{record.file}", b"")
        own_pages, own_boxes = record_faults(data, record.pages_px, record.boxes)
        pages += [f"{record.file}: {fault}" for fault in own_pages]
        boxes += [f"{record.file}: {fault}" for fault in own_boxes]
        hidden += [f"{record.file}: {fault}" for fault in hidden_content(data)]
    total = sum(len(record.pages_px) for record in records)
    claimed = _claimed(statement)
    if claimed is not None and claimed != {
        f"data/records/{record.file}": (len(record.pages_px), record.marks) for record in records
    }:
        pages.append("the signed statement counts other pages or marks than the schedule")
    count = sum(len(record.boxes) for record in records)

    def check(name: str, faults: list[str], holds: str) -> Check:
        return Check(name, not faults, (_named(faults) + ".") if faults else holds)

    return [
        check("pages", pages, f"All {total} pages are there, each one picture of the size the schedule says."),
        check("withheld parts", boxes if not pages else [*boxes, *pages], f"All {count} painted boxes are flat."),
        check("hidden content", hidden, "No record hides anything: no notes, files, scripts, layers or old revisions."),
    ]


def _claimed(statement: Mapping[str, Any]) -> dict[str, tuple[int, int]] | None:
    """File -> (pages, marks) as the statement says; None when there is no usable statement."""
    if not statement:
        return None
    try:
        return {str(r["file"]): (int(r["pages"]), int(r["marks"])) for r in statement["predicate"]["records"]}
    except (KeyError, TypeError, ValueError):
        return {}


# ------------------------------------------------------------------------------------------------ all


def _guarded(name: str, check: Callable[[], list[Check]]) -> list[Check]:
    """The checks, or a failed one when the bundle breaks them in a way nobody thought of."""
    try:
        return check()
    except Exception:
        return [Check(name, False, "This could not be checked: the bundle is malformed.")]


def _verify_files(files: Mapping[str, bytes], trusted_key: bytes | None) -> Verdict:
    checks = _guarded("fixity", lambda: _fixity_checks(files))
    signature, trusted, statement = _signature(files, trusted_key)
    checks.append(signature)
    cms = _cms(files)
    if cms is not None:
        checks.append(cms)
    if statement:
        checks += _guarded("statement", lambda: [_subjects(statement, files), _approval(statement, files)])
    try:
        reference, records, rows = _listed(files)
    except ValueError:
        checks.append(Check("schedule", False, "The schedule is missing or damaged, so the records cannot be checked."))
    else:
        checks += _guarded("schedule", lambda: [_schedule(files, reference, records, rows)])
        checks += _guarded("records", lambda: _records(files, statement, records))
    predicate = statement.get("predicate", {})
    about = predicate if isinstance(predicate, dict) else {}
    version = about.get("version", 0)
    return Verdict(
        ok=all(check.ok for check in checks),
        trusted=trusted,
        reference=str(about.get("reference", "")),
        version=version if isinstance(version, int) else 0,
        checks=tuple(checks),
    )


def verify_bundle(bundle: Path | Mapping[str, bytes], trusted_key: bytes | None = None) -> Verdict:
    """Everything that can be said about a bundle.

    Args:
        bundle: its folder, its zip, or its files by path.
        trusted_key: the publisher's public key (PEM) as got from elsewhere; without it the bundle's own is used, and
            the verdict says what that is worth.

    Raises:
        OSError: the path cannot be read. A bad bundle never raises.
    """
    if isinstance(bundle, Path):
        try:
            files = open_bundle(bundle)
        except UnsafeBundleError as error:
            return Verdict(False, False, "", 0, (Check("opening", False, str(error)),))
    else:
        files = dict(bundle)
    return _verify_files(files, trusted_key)
