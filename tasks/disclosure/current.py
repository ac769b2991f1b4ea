"""Whether a bundle is what its publisher shows at present: it is compared with a copy of the disclosure log.

Rule kept here: a signed bundle says which version it is, and cannot say whether that is the newest. Only the log can,
and the log is as good as the place it was fetched from; the sentences say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.disclosure.provenance import WITHDRAWAL
from tasks.disclosure.signatures import signed_statement
from tasks.disclosure.verdict import Check, Verdict, guarded, quoted

NAME = "disclosure log"


@dataclass(frozen=True, slots=True)
class Logged:
    """What a disclosure log says of one request: its newest publication, or its withdrawal."""

    reference: str
    version: int
    published: str
    withdrawn: bool
    bag: str


def read_log(untrusted: bytes) -> dict[str, Logged]:
    """The entries of a `disclosures.json` by reference.

    Raises:
        ValueError: it is not a disclosure log.
    """
    try:
        entries: list[Mapping[str, Any]] = json.loads(untrusted)["disclosures"]
        found = [
            Logged(
                reference=str(entry["reference"]),
                version=int(entry["version"]),
                published=str(entry["published"]),
                withdrawn=entry["outcome"] == "withdrawn",
                bag=str(entry["bag"]),
            )
            for entry in entries
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("not a disclosure log") from None
    return {entry.reference: entry for entry in found}


def with_reference(verdict: Verdict, reference: str) -> Verdict:
    """The verdict; with a failed check more when it is about another request than the one that was asked for."""
    if verdict.reference == reference:
        return verdict
    about = quoted(verdict.reference) or "nothing that could be told"
    return verdict.plus(Check("reference", False, f"Asked for was {quoted(reference)}; this is about {about}."))


def with_log(verdict: Verdict, log: bytes, *, asked: int = 0) -> Verdict:
    """The verdict with one check more: whether the log shows this very bundle as the current one.

    Args:
        verdict: on the bundle.
        log: `disclosures.json`, untrusted.
        asked: the version that was asked for by its number; an older one is no surprise then. 0 for the current one.
    """
    (check,) = guarded(NAME, lambda: [_compared(verdict, log, asked)])
    return verdict.plus(check)


def _compared(verdict: Verdict, log: bytes, asked: int) -> Check:
    try:
        logged = read_log(log).get(verdict.reference)
    except ValueError:
        return Check(NAME, False, "The disclosure log is damaged.")
    own = f"version {verdict.version}"
    if logged is None:
        return Check(NAME, False, "The disclosure log does not know this disclosure.")
    when = quoted(logged.published)
    if logged.withdrawn and verdict.version <= logged.version:
        return Check(NAME, False, f"The disclosure was withdrawn on {when}: do not use or share it.")
    if verdict.version > logged.version:
        return Check(NAME, False, f"The disclosure log knows versions up to {logged.version} only, and this is {own}.")
    if verdict.version < logged.version:
        if asked == verdict.version:
            later = f"The log's current one is version {logged.version}, of {when}"
            return Check(NAME, True, f"This is {own}, as asked for. {later}.")
        return Check(NAME, False, f"This is {own}, which version {logged.version} replaced on {when}.")
    if verdict.bag != logged.bag:
        return Check(NAME, False, f"The disclosure log names other files as {own}.")
    return Check(NAME, True, f"This is {own}, the current one in the disclosure log.")


def verify_withdrawal(envelope: bytes, trusted_key: bytes | None = None) -> Verdict:
    """What a signed record of a withdrawal says, and whether it holds.

    Args:
        envelope: `withdrawal.dsse.json`, untrusted.
        trusted_key: the publisher's public keys (PEM). The record carries no key: without one, nobody signed it.
    """
    if trusted_key is None:
        sentence = "A withdrawal comes without its key: give the publisher's with --key."
        return Verdict(False, False, "", 0, (Check("signature", False, sentence),))
    signed = signed_statement(envelope, b"", trusted_key)
    checks = [signed.check]
    about: dict[str, Any] = {}
    if signed.statement:
        found = signed.statement.get("predicate")
        about = found if isinstance(found, dict) else {}
        checks += guarded("withdrawal", lambda: [_withdrawal(signed.statement, about)])
    versions = about.get("versions")
    last = versions[-1] if isinstance(versions, list) and versions and isinstance(versions[-1], int) else 0
    return Verdict(
        ok=all(check.ok for check in checks),
        trusted=signed.trusted,
        reference=str(about.get("reference", "")),
        version=last,
        checks=tuple(checks),
        signed_by=signed.by.key_id if signed.by else "",
    )


def _withdrawal(statement: Mapping[str, Any], about: Mapping[str, Any]) -> Check:
    if statement.get("predicateType") != WITHDRAWAL:
        return Check("withdrawal", False, "The statement is not about a withdrawal.")
    reference, at, reason = (quoted(str(about[name])) for name in ("reference", "at", "reason"))
    versions = [int(version) for version in about["versions"]]
    which = f"version {versions[0]}" if len(versions) == 1 else f"versions {versions[0]} to {versions[-1]}"
    return Check("withdrawal", True, f"{reference}, {which}, was withdrawn on {at}. The reason given: {reason}")
