"""Whether a file is the source of a published record: the commitment in the signed statement is opened.

Rule kept here: the answer is about the exact bytes of the file. Nothing of the file is shown, and what opens one
commitment opens no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.codec import digest
from tasks.disclosure.keys import commitment_to, opening_of
from tasks.disclosure.provenance import DISCLOSURE, source_of
from tasks.disclosure.signatures import bundle_statement
from tasks.disclosure.verdict import Check, Verdict, guarded, quoted


@dataclass(frozen=True, slots=True)
class Opening:
    """What shows a third person that a file is the source of one record, and nothing else.

    `printf %s SHA256_OF_THE_FILE | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY` prints the commitment.

    Attributes:
        record: its number.
        key: hex.
        source_sha256: of the file, hex.
        commitment: as the signed statement has it, hex.
    """

    record: int
    key: str
    source_sha256: str
    commitment: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict, and an opening for each record that the file is the source of."""

    verdict: Verdict
    openings: tuple[Opening, ...] = ()


def prove_source(
    files: Mapping[str, bytes],
    reference: str,
    source: bytes,
    commitment_key: bytes,
    trusted_key: bytes | None = None,
) -> Proof:
    """Look for a file among the sources that a bundle commits to.

    Args:
        files: of the bundle; its envelope and public key are enough.
        reference: of the request.
        source: the file's bytes.
        commitment_key: what keyed the commitments.
        trusted_key: the publisher's public keys (PEM). Without them nothing is shown: anybody can copy a commitment
            into a statement of their own.
    """
    signed = bundle_statement(files, trusted_key)
    checks, openings = [signed.check], list[Opening]()
    if signed.statement and not signed.trusted:
        checks.append(Check("publisher", False, "Whether the statement is the authority's own was not shown."))
    elif signed.statement:
        checks += guarded(
            "source", lambda: [_source(signed.statement, signed.about, reference, source, commitment_key, openings)]
        )
    verdict = signed.verdict(checks)
    return Proof(verdict, tuple(openings) if verdict.ok else ())


def _source(
    statement: Mapping[str, Any],
    about: Mapping[str, Any],
    reference: str,
    source: bytes,
    commitment_key: bytes,
    openings: list[Opening],
) -> Check:
    name = "source"
    if statement.get("predicateType") != DISCLOSURE or about["reference"] != reference:
        return Check(name, False, "The statement is about something else than this request.")
    sha256 = digest(source)
    published = {entry["name"] for entry in statement["subject"]}
    for record in about["records"]:
        if record["file"] not in published:
            return Check(name, False, "The statement speaks of a record that it does not publish.")
        what = source_of(reference, record["number"])
        if commitment_to(commitment_key, what, sha256) == record["sourceCommitment"]:
            key = opening_of(commitment_key, what).hex()
            openings.append(Opening(record["number"], key, sha256, record["sourceCommitment"]))
    which = f"{quoted(reference)}, version {about['version']}"
    if not openings:
        sentence = f"No: by this commitment key, the file is not the source of any record of {which}."
        return Check(name, False, sentence)
    records = " and of ".join(
        f"record {record['number']} ({quoted(str(record['file']))})"
        for record in about["records"]
        if any(record["number"] == opening.record for opening in openings)
    )
    return Check(name, True, f"Yes: the file is, byte for byte, the source of {records} of {which}.")
