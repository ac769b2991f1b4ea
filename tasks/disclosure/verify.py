"""What somebody who received a bundle can find out about it, offline.

Rule kept here: every check says one plain sentence, whether it holds or not; a bad bundle is an answer, never an
exception. Nothing of the pipeline is needed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tasks.codec import digest
from tasks.disclosure.fixity import bag_info, fixity_checks
from tasks.disclosure.inspect_record import Inspector, inspect_record
from tasks.disclosure.opening import Opened, UnsafeBundleError, open_bundle
from tasks.disclosure.provenance import DISCLOSURE
from tasks.disclosure.schedule import CSV_HEADER, csv_cells
from tasks.disclosure.signatures import SIGNED_LIST, bundle_statement, file_list_signature, time_stamp
from tasks.disclosure.verdict import Check, Verdict, guarded, named, quoted

_CALLED = re.compile(r"v(\d+)(?:\.zip)?")


# ------------------------------------------------------------------------------------------------ statement


def _subjects(statement: Mapping[str, Any], files: Mapping[str, bytes]) -> Check:
    name = "statement"
    try:
        entries = statement["subject"]
        claimed = {entry["name"]: entry["digest"]["sha256"] for entry in entries}
        proper = statement["predicateType"] == DISCLOSURE and len(claimed) == len(entries)
    except (KeyError, TypeError):
        claimed, proper = {}, False
    actual = {path: digest(data) for path, data in files.items() if path.startswith("data/")}
    if not proper:
        return Check(name, False, "The statement is not about a disclosure.")
    if claimed != actual:
        paths = [path for path in claimed.keys() | actual.keys() if claimed.get(path) != actual.get(path)]
        return Check(name, False, f"The signed statement does not name exactly these files: {named(paths)}.")
    return Check(name, True, f"The signed statement names exactly these {len(claimed)} files and their digests.")


def _approval(statement: Mapping[str, Any], files: Mapping[str, bytes]) -> Check:
    """Whether statement, bag and schedule speak of the same disclosure, and who approved it."""
    name = "approval"
    info = bag_info(files)
    try:
        predicate = statement["predicate"]
        reference, version = str(predicate["reference"]), int(predicate["version"])
        approval = predicate["approval"]
        people = [str(one["by"]) for one in approval.get("approvers", [approval])]
        by, at = " and ".join(people), str(approval["at"])
    except (KeyError, TypeError, ValueError):
        return Check(name, False, "The statement does not say who approved what.")
    if info.get("External-Identifier") != reference or info.get("Disclosure-Version") != str(version):
        return Check(name, False, "The bag and the signed statement speak of different disclosures.")
    return Check(name, True, f"{reference}, version {version}, was approved by {quoted(by)} on {quoted(at)}.")


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
    claimed = {f"data/records/{record.file}": record.sha256 for record in records}
    actual = {path: digest(data) for path, data in files.items() if path.startswith("data/records/")}
    if claimed != actual:
        paths = [path for path in claimed.keys() | actual.keys() if claimed.get(path) != actual.get(path)]
        return Check(name, False, f"The schedule does not speak of exactly these records: {named(paths)}.")
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
    if reference != bag_info(files).get("External-Identifier"):
        return Check(name, False, "The schedule is of another request.")
    parts = sum(record.marks for record in records)
    return Check(name, True, f"The schedule lists {parts} withheld parts of {len(records)} records; its forms agree.")


def _records(
    files: Mapping[str, bytes], statement: Mapping[str, Any], records: list[_Listed], inspect: Inspector
) -> list[Check]:
    pages, boxes, hidden = [], [], []
    for record in records:
        found = inspect(files.get(f"data/records/{record.file}", b""), record.pages_px, record.boxes)
        pages += [f"{record.file}: {fault}" for fault in found.pages]
        boxes += [f"{record.file}: {fault}" for fault in found.boxes]
        hidden += [f"{record.file}: {fault}" for fault in found.hidden]
    total = sum(len(record.pages_px) for record in records)
    claimed = _claimed(statement)
    if claimed is not None and claimed != {
        f"data/records/{record.file}": (len(record.pages_px), record.marks) for record in records
    }:
        pages.append("the signed statement counts other pages or marks than the schedule")
    count = sum(len(record.boxes) for record in records)

    def check(name: str, faults: list[str], holds: str) -> Check:
        return Check(name, not faults, (named(faults) + ".") if faults else holds)

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


def _version(about: Mapping[str, Any], called: int) -> Check:
    """Whether the bundle is the version it was given as. Which one is current, no bundle can know."""
    name = "version"
    version = about.get("version")
    if called and version != called:
        return Check(
            name, False, f"It was given as version {called}; what was signed is version {quoted(str(version))}."
        )
    rest = "Whether a newer one replaced it, the bundle cannot know; the publisher's disclosure log does."
    return Check(name, True, f"What was signed is version {quoted(str(version))}. {rest}")


def _verify_files(
    opened: Opened, trusted_key: bytes | None, trusted_tsa: bytes | None, inspect: Inspector, called: int
) -> Verdict:
    files = opened.files
    checks = [] if opened.packing is None else [opened.packing]
    checks += guarded("fixity", lambda: fixity_checks(files))
    publisher = quoted(bag_info(files).get("Source-Organization", ""))
    signed = bundle_statement(files, trusted_key, publisher)
    statement = signed.statement
    checks.append(signed.check)
    of_list = guarded(
        "signature of the file list",
        lambda: [check for check in [file_list_signature(files, signed.by if signed.trusted else None)] if check],
    )
    checks += of_list + guarded("time stamp", lambda: [check for check in [time_stamp(files, trusted_tsa)] if check])
    about = signed.about
    if statement:
        checks += guarded("statement", lambda: [_subjects(statement, files), _approval(statement, files)])
        checks += guarded("version", lambda: [_version(about, called)])
    try:
        reference, records, rows = _listed(files)
    except ValueError:
        checks.append(Check("schedule", False, "The schedule is missing or damaged, so the records cannot be checked."))
    else:
        checks += guarded("schedule", lambda: [_schedule(files, reference, records, rows)])
        checks += guarded("records", lambda: _records(files, statement, records, inspect))
    return signed.verdict(checks, digest(files[SIGNED_LIST]) if SIGNED_LIST in files else "")


def called_version(name: str) -> int:
    """The version that the name of a folder or zip claims (`v2`, `v2.zip`); 0 when it claims none."""
    found = _CALLED.fullmatch(name)
    return int(found.group(1)) if found else 0


def verify_bundle(
    bundle: Path | BinaryIO | Mapping[str, bytes],
    trusted_key: bytes | None = None,
    *,
    trusted_tsa: bytes | None = None,
    inspect: Inspector = inspect_record,
    called: int = 0,
) -> Verdict:
    """Everything that can be said about a bundle.

    Args:
        bundle: its folder, its zip (a path or an open file), or its files by path.
        trusted_key: the publisher's public keys (PEM) as got from elsewhere; without them the bundle's own is used, and
            the verdict says what that is worth.
        trusted_tsa: certificates of the authority for time (PEM) as got from elsewhere.
        inspect: looks into a record; a bundle from a stranger is hostile, so give one that works apart.
        called: the version it was given as; 0 when nobody said, and the name of a path counts.

    Raises:
        OSError: the path cannot be read. A bad bundle never raises.
    """
    if isinstance(bundle, Mapping):
        opened = Opened(dict(bundle))
    else:
        called = called or (called_version(bundle.name) if isinstance(bundle, Path) else 0)
        try:
            opened = open_bundle(bundle)
        except UnsafeBundleError as error:
            return Verdict(False, False, "", 0, (Check("opening", False, str(error)),))
    return _verify_files(opened, trusted_key, trusted_tsa, inspect, called)
