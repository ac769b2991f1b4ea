"""What somebody who received a bundle can find out about it, offline.

Rule kept here: every check says one plain sentence, whether it holds or not; a bad bundle is an answer, never an
exception. Nothing of the pipeline is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tasks.codec import digest
from tasks.disclosure.described import Described, DescribedCase, agrees_with_csv, read_schedule
from tasks.disclosure.fixity import bag_info, fixity_checks
from tasks.disclosure.inspect_record import Inspector, inspect_record
from tasks.disclosure.layout import ACCOMPANYING, ENVELOPE, SIGNED_LIST
from tasks.disclosure.opening import Opened, UnsafeBundleError, open_bundle
from tasks.disclosure.provenance import DISCLOSURE
from tasks.disclosure.signatures import Signed, bundle_statement, file_list_signature, time_stamp
from tasks.disclosure.verdict import Check, Verdict, guarded, named, quoted
from tasks.disclosure.wording import approval_words
from tasks.model import Approver

_FLAT = "All {count} painted boxes are dark to their edges. What is printed in them was not read."
_NOTHING_HIDDEN = (
    "No record holds anything but its pages' pictures, as shown, and words behind them for searching and listening: "
    "all on ink, and none in a withheld part but which exemption applies. Whether the words are those of the picture "
    "was not checked."
)

_REST_HIDES_NOTHING = "The records that are there hold nothing but their pages' pictures and words behind them."

_CALLED = re.compile(r"v(\d{1,6})(?:\.zip)?")


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


def _accompanying(signed: Signed, files: Mapping[str, bytes]) -> Check | None:
    """Whether the statement names what stands beside the disclosed files; None when it is of before it did so.

    What it does not name follows from the rest: the lists of files, and what is signed and stamped over them.
    """
    name = "accompanying files"
    if "accompanying" not in signed.about:
        return None
    claimed = {entry["name"]: entry["digest"]["sha256"] for entry in signed.about["accompanying"]}
    actual = {path: digest(files[path]) for path in ACCOMPANYING - {ENVELOPE} if path in files}
    if claimed != actual:
        paths = [path for path in claimed.keys() | actual.keys() if claimed.get(path) != actual.get(path)]
        return Check(
            name, False, f"The signed statement does not name exactly these files beside them: {named(paths)}."
        )
    sentence = f"The signed statement names the {len(claimed)} files beside them as well."
    publisher = bag_info(files).get("Source-Organization", "")
    who = f" One of them names {quoted(publisher)} as publisher." if publisher and signed.trusted else ""
    return Check(name, True, sentence + who)


def _approval(signed: Signed, files: Mapping[str, bytes]) -> Check:
    """Whether statement, bag and schedule speak of the same disclosure, and who approved it."""
    name = "approval"
    info, reference, version = bag_info(files), signed.reference, signed.version
    try:
        approval = signed.about["approval"]
        people = [str(one["by"]) for one in approval.get("approvers", [approval])]
        said = approval_words(
            [one if one == Approver.BY_POLICY else quoted(one) for one in people], str(approval["at"])
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        said = ""
    if not (reference and version and said and all(people)):
        return Check(name, False, "The statement does not say who approved what.")
    if info.get("External-Identifier") != reference or info.get("Disclosure-Version") != str(version):
        return Check(name, False, "The bag and the signed statement speak of different disclosures.")
    return Check(name, True, f"{reference}, version {version}, {said}.")


# ------------------------------------------------------------------------------------------------ records


def _schedule(files: Mapping[str, bytes], case: DescribedCase) -> Check:
    """Whether schedule, spreadsheet, bag and records tell of the same marks. The page is not compared."""
    name = "schedule"
    claimed = {f"data/records/{record.file}": record.sha256 for record in case.records}
    actual = {path: digest(data) for path, data in files.items() if path.startswith("data/records/")}
    if claimed != actual or len(claimed) != len(case.records):
        paths = [path for path in claimed.keys() | actual.keys() if claimed.get(path) != actual.get(path)]
        return Check(name, False, f"The schedule does not speak of exactly these records: {named(paths)}.")
    parts = sum(record.marks for record in case.records)
    whole = sum(row.file == "" for row in case.rows)
    if any(len(record.rows) != record.marks for record in case.records) or len(case.rows) != whole + parts:
        return Check(name, False, "The schedule's rows and its totals do not agree.")
    if not agrees_with_csv(case, files.get("data/schedule.csv", b"")):
        return Check(name, False, "The schedule as a spreadsheet (CSV) differs from the one as JSON.")
    if case.reference != bag_info(files).get("External-Identifier"):
        return Check(name, False, "The schedule is of another request.")
    records = len(case.records)
    rest = "as a page (HTML) it was not compared, only the signature covers that"
    sentence = f"The schedule lists {parts} withheld parts of {records} records, as CSV and as JSON alike; {rest}."
    return Check(name, True, sentence)


def _records(
    files: Mapping[str, bytes], statement: Mapping[str, Any], records: Sequence[Described], inspect: Inspector
) -> list[Check]:
    pages, boxes, hidden = [], [], []
    there = [record for record in records if f"data/records/{record.file}" in files]
    pages += [f"{record.file}: the file is missing" for record in records if record not in there]
    for record in there:
        pdf = files[f"data/records/{record.file}"]
        found = inspect(pdf, record.pages_px, record.boxes, record.exemptions, record.title)
        pages += [f"{record.file}: {fault}" for fault in found.pages]
        boxes += [f"{record.file}: {fault}" for fault in found.boxes]
        hidden += [f"{record.file}: {fault}" for fault in found.hidden]
    total = sum(len(record.pages_px) for record in records)
    counts = _counts(statement)
    if counts is not None:
        pages += _miscounted(counts, records)
    as_many = counts is not None and all(one.source_pages is not None for one in counts.values())
    sources = ", as many as the sources had" if as_many else ""
    count = sum(len(record.boxes) for record in records)

    def check(name: str, faults: list[str], holds: str) -> Check:
        return Check(name, not faults, (named(faults) + ".") if faults else holds)

    return [
        check("pages", pages, f"All {total} pages are there{sources}, each one picture of the size the schedule says."),
        check("withheld parts", boxes if not pages else [*boxes, *pages], _FLAT.format(count=count)),
        check("hidden content", hidden, _NOTHING_HIDDEN if there == list(records) else _REST_HIDES_NOTHING),
    ]


@dataclass(frozen=True, slots=True)
class _Counts:
    """What the statement counts of one record. `source_pages` is None where it says nothing of the source."""

    pages: int
    marks: int
    source_pages: int | None


def _miscounted(counts: Mapping[str, _Counts], records: Sequence[Described]) -> list[str]:
    """Where the statement counts otherwise than the schedule, whose pages have been compared with the files."""
    faults = []
    described = {f"data/records/{record.file}": record for record in records}
    if {path: (one.pages, one.marks) for path, one in counts.items()} != {
        path: (len(record.pages_px), record.marks) for path, record in described.items()
    }:
        faults.append("the signed statement counts other pages or marks than the schedule")
    for path in counts.keys() & described.keys():
        of_source, pages = counts[path].source_pages, len(described[path].pages_px)
        if of_source not in (None, pages):
            faults.append(f"{described[path].file}: it has {pages} pages, and its source had {of_source}")
    return faults


def _counts(statement: Mapping[str, Any]) -> dict[str, _Counts] | None:
    """Counts by file; none at all when the statement is of no use, None when there is no statement."""
    if not statement:
        return None
    try:
        return {
            str(one["file"]): _Counts(
                int(one["pages"]), int(one["marks"]), int(one["sourcePages"]) if "sourcePages" in one else None
            )
            for one in statement["predicate"]["records"]
        }
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


def _folder(signed: Signed, folder: str) -> Check:
    """Whether the zip calls its one folder, which people see when they unpack it, what was signed."""
    name, wanted = "folder", f"{signed.reference}-v{signed.version}"
    if folder != wanted:
        return Check(name, False, f"The folder in the zip is not called {wanted}, as was signed.")
    return Check(name, True, f"The folder in the zip is called what was signed: {wanted}.")


def _verify_files(
    opened: Opened, trusted_key: bytes | None, trusted_tsa: bytes | None, inspect: Inspector, called: int
) -> Verdict:
    files = opened.files
    checks = [] if opened.packing is None else [opened.packing]
    checks += guarded("fixity", lambda: fixity_checks(files))
    signed = bundle_statement(files, trusted_key)
    statement = signed.statement
    checks.append(signed.check)
    of_list = guarded(
        "signature of the file list",
        lambda: [check for check in [file_list_signature(files, signed)] if check],
    )
    checks += of_list + guarded("time stamp", lambda: [check for check in [time_stamp(files, trusted_tsa)] if check])
    about = signed.about
    if statement:
        checks += guarded("statement", lambda: [_subjects(statement, files), _approval(signed, files)])
        checks += guarded("accompanying files", lambda: [c for c in [_accompanying(signed, files)] if c])
        checks += guarded("version", lambda: [_version(about, called)])
        checks += [] if opened.folder is None else [_folder(signed, opened.folder)]
    try:
        case = read_schedule(files.get("data/schedule.json", b""))
    except ValueError:
        checks.append(Check("schedule", False, "The schedule is missing or damaged, so the records cannot be checked."))
    else:
        checks += guarded("schedule", lambda: [_schedule(files, case)])
        checks += guarded("records", lambda: _records(files, statement, case.records, inspect))
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
