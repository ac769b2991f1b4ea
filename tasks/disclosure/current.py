"""Whether a bundle is what its publisher shows at present: it is compared with a copy of the disclosure log.

Rule kept here: a signed bundle says which version it is, and cannot say whether that is the newest. Only the log can,
and the log is as good as the place it was fetched from; the sentences say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from tasks.codec import decode
from tasks.disclosure.layout import SIGNED_LIST
from tasks.disclosure.provenance import WITHDRAWAL
from tasks.disclosure.signatures import MAX_VERSION, Signed, signed_statement
from tasks.disclosure.verdict import Check, Verdict, guarded, quoted

NAME = "disclosure log"


VersionNumber = Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)]


@dataclass(frozen=True, slots=True)
class Logged:
    """What a disclosure log says of one request: its newest publication, or its withdrawal.

    Attributes:
        withdrawn_up_to: the last version before this one that was withdrawn; 0 when none was.
    """

    reference: str
    version: VersionNumber
    published: str
    outcome: str
    bag: str
    withdrawn_up_to: Annotated[int, msgspec.Meta(ge=0, le=MAX_VERSION)] = 0

    @property
    def withdrawn(self) -> bool:
        """Whether a notice stands in its place."""
        return self.outcome == "withdrawn"

    @property
    def gone(self) -> int:
        """The last version that was withdrawn; 0 when none was."""
        return self.version if self.withdrawn else self.withdrawn_up_to


@dataclass(frozen=True, slots=True)
class _Log:
    disclosures: tuple[Logged, ...]


def read_log(untrusted: bytes) -> dict[str, Logged]:
    """The entries of a `disclosures.json` by reference.

    Raises:
        ValueError: it is not a disclosure log, or says two things of one request.
    """
    try:
        log = decode(untrusted, _Log)
    except (ValueError, RecursionError):
        raise ValueError("not a disclosure log") from None
    found = {entry.reference: entry for entry in log.disclosures}
    if len(found) != len(log.disclosures):
        raise ValueError("a request twice")
    return found


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
        return shown_as_withdrawn(logged)
    if verdict.version <= logged.withdrawn_up_to:
        since = f"Version {logged.version}, of {when}, was published since"
        return Check(NAME, False, f"This is {own}, which was withdrawn: do not use or share it. {since}.")
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


def shown_as_withdrawn(logged: Logged) -> Check:
    """What a log says of a request whose last word is a withdrawal."""
    return Check(NAME, False, f"The disclosure was withdrawn on {quoted(logged.published)}: do not use or share it.")


def without_log(verdict: Verdict) -> Verdict:
    """The verdict, saying that nothing was there to judge by whether this is current."""
    sentence = "No disclosure log was found with it, so whether this is current, replaced or withdrawn was not judged."
    return verdict.plus(Check(NAME, True, sentence))


def withdrawal_with_log(verdict: Verdict, log: bytes, *, older: bool = False) -> Verdict:
    """The verdict on a withdrawal with one check more: whether the log shows this very withdrawal.

    Args:
        verdict: on the record of the withdrawal.
        log: `disclosures.json`, untrusted.
        older: whether the record of an earlier withdrawal was asked for by its number.
    """
    (check,) = guarded(NAME, lambda: [_same_withdrawal(verdict, log, older)])
    return verdict.plus(check)


def _same_withdrawal(verdict: Verdict, log: bytes, older: bool) -> Check:
    try:
        logged = read_log(log).get(verdict.reference)
    except ValueError:
        return Check(NAME, False, "The disclosure log is damaged.")
    if logged is None:
        return Check(NAME, False, "The disclosure log does not know this disclosure.")
    now = f"version {logged.version}, of {quoted(logged.published)}"
    if logged.withdrawn and (verdict.version, verdict.bag) == (logged.version, logged.bag):
        return Check(NAME, True, "The disclosure log shows it as withdrawn too.")
    if older and 0 < verdict.version <= logged.gone:
        later = f"It was withdrawn again: {now}" if logged.withdrawn else f"Published since is {now}"
        return Check(NAME, True, f"The disclosure log has it as withdrawn, as asked for. {later}.")
    if logged.withdrawn:
        return Check(NAME, False, f"The disclosure log shows another withdrawal: {now}.")
    return Check(NAME, False, f"The disclosure log shows no withdrawal but {now}, as public.")


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
    if signed.statement:
        checks += guarded("withdrawal", lambda: [_withdrawal(signed)])
    return signed.verdict(checks, _withdrawn_bag(signed))


def _withdrawn_bag(signed: Signed) -> str:
    """SHA-256 of the withdrawn version's tag manifest, hex; "" when the statement does not say."""
    name = f"v{signed.version}/{SIGNED_LIST}"
    try:
        found = [entry["digest"]["sha256"] for entry in signed.statement["subject"] if entry["name"] == name]
    except (KeyError, TypeError):
        return ""
    return found[0] if len(found) == 1 and isinstance(found[0], str) else ""


def _withdrawal(signed: Signed) -> Check:
    name, last = "withdrawal", signed.version
    if signed.statement.get("predicateType") != WITHDRAWAL:
        return Check(name, False, "The statement is not about a withdrawal.")
    at, reason = (quoted(str(signed.about[key])) for key in ("at", "reason"))
    if not signed.reference or not _withdrawn_bag(signed) or signed.about["versions"] != list(range(1, last + 1)):
        return Check(name, False, "The statement does not say which versions of which request were withdrawn.")
    which = "version 1" if last == 1 else f"versions 1 to {last}"
    return Check(name, True, f"{signed.reference}, {which}, was withdrawn on {at}. The reason given: {reason}")
