"""What persons decided on a request: a log in the work bucket to which is only ever added.

Rules kept here:

* every entry is an object of its own, sealed with the publisher's key, and names the digest of the one before: a later
  decision never takes the place of an earlier one, and what is missing or altered shows;
* a release counts only when it is sealed with today's key, everything else counts whoever sealed it: nobody who can
  write the bucket but lacks the key can release anything;
* from a log with a gap nothing is released.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from tasks.codec import digest
from tasks.disclosure.keys import load_public_key
from tasks.disclosure.provenance import STATEMENT_TYPE, open_envelope, seal
from tasks.errors import NotApprovedError
from tasks.model import Act, Approval, Approver, Decision
from tasks.status import now
from tasks.store import ObjectExistsError
from tasks.workplace import Workplace

PREDICATE = "urn:foi-disclosure:predicate:decision:1"
BY_POLICY = Approver.BY_POLICY
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Log:
    """The decisions on one request, oldest first.

    Attributes:
        sealed: numbers of the entries that are sealed with today's key.
        whole: whether every entry is there, readable, and follows on the one before.
    """

    decisions: tuple[Decision, ...]
    sealed: frozenset[int]
    whole: bool
    last: str = ""

    @property
    def withdrawn(self) -> bool:
        """Whether a publication was ever withdrawn."""
        return any(decision.act is Act.WITHDRAW for decision in self.decisions)


def read_log(place: Workplace, reference: str) -> Log:
    """The decisions on a request."""
    keys = [load_public_key(place.keys.public_pem)] if place.has_keys else []
    decisions: list[Decision] = []
    sealed: set[int] = set()
    whole, last = True, ""
    for number, info in enumerate(place.store.list(place.buckets.work, _folder(reference)), 1):
        data = place.load_bytes(info.key)
        try:
            opened = open_envelope(data, keys)
            decision = msgspec.convert(opened.statement["predicate"], Decision)
        except (ValueError, KeyError, TypeError):  # msgspec's own error is a ValueError
            whole = False
            continue
        whole = whole and decision.number == number and decision.previous == last and decision.reference == reference
        last = digest(data)
        decisions.append(decision)
        if opened.signed_by:
            sealed.add(decision.number)
    return Log(tuple(decisions), frozenset(sealed), whole, last)


def record_decision(
    place: Workplace, reference: str, act: Act, dossier: str, by: str, *, correction: str = "", version: int = 0
) -> Decision:
    """Add a decision to the log; the one that was made last is not made twice.

    Raises:
        ConfigurationError: there is no key to seal it with.
    """
    for attempt in range(_ATTEMPTS):
        log = read_log(place, reference)
        made = Decision(
            reference, len(log.decisions) + 1, act, dossier, by, now(), correction, log.last, version=version
        )
        if log.decisions and _same(log.decisions[-1], made) and log.decisions[-1].number in log.sealed:
            return log.decisions[-1]
        envelope = seal(_statement(made), place.keys)
        key = f"{_folder(reference)}{made.number:06d}.dsse.json"
        try:
            place.store.put(place.buckets.work, key, envelope, "application/json", if_absent=True)
        except ObjectExistsError:  # somebody decided in the same moment
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        return made
    raise AssertionError  # the loop returns or raises


def _same(last: Decision, made: Decision) -> bool:
    return replace(made, number=last.number, at=last.at, previous=last.previous) == last


def _statement(decision: Decision) -> dict[str, object]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": f"dossier of {decision.reference}", "digest": {"sha256": decision.dossier}}],
        "predicateType": PREDICATE,
        "predicate": asdict(decision),
    }


def _folder(reference: str) -> str:
    return f"decisions/{reference}/"


# ------------------------------------------------------------------------------------------------ what follows


def approvers_of(log: Log, dossier: str) -> tuple[Approver, ...]:
    """Those whose release of exactly this dossier counts, each once, in order.

    A hold, a correction and a withdrawal take back what was released before, and so does the release of another
    dossier: whoever wants the older one again has to say so again.

    Raises:
        NotApprovedError: the log is damaged.
    """
    if not log.whole:
        raise NotApprovedError("The log of decisions is damaged or has a gap; restore it from a backup.")
    found: dict[str, Approver] = {}
    for decision in log.decisions:
        theirs = decision.dossier == dossier
        released = decision.act is Act.RELEASE and decision.number in log.sealed
        held = theirs and decision.act in {Act.HOLD, Act.CORRECT}
        if decision.act is Act.WITHDRAW or held or (released and not theirs):
            found.clear()
        elif released:
            found.setdefault(_person(decision.by), Approver(decision.by, decision.at))
    return tuple(found.values())


def approval_of(log: Log, dossier: str, needed: int) -> Approval | None:
    """The approval of exactly this dossier, once enough different persons have released it.

    Raises:
        NotApprovedError: the log is damaged.
    """
    if not log.decisions:
        return None
    found = [one for one in approvers_of(log, dossier) if needed == 1 or one.by != BY_POLICY]
    if len(found) < needed:
        return None
    *before, last = found[:needed]
    return Approval(log.decisions[0].reference, dossier, last.by, last.at, tuple(before))


def held_by(log: Log, dossier: str) -> str:
    """Who said last that this dossier stays held; "" when the last word on it was another."""
    about = [d for d in log.decisions if d.dossier == dossier and d.act in {Act.RELEASE, Act.HOLD, Act.CORRECT}]
    return about[-1].by if about and about[-1].act is Act.HOLD else ""


def corrections_in_force(log: Log) -> tuple[str, ...]:
    """Names of the corrections that count, in the order they were made."""
    refused = {decision.correction for decision in log.decisions if decision.act is Act.REFUSE}
    made = (d.correction for d in log.decisions if d.act is Act.CORRECT and d.correction not in refused)
    return tuple(dict.fromkeys(made))


def _person(name: str) -> str:
    """A name without what a second spelling of it could differ in."""
    return "".join(c for c in name.casefold() if c.isalnum())


def waiting_for(approvers: Sequence[Approver], needed: int) -> str:
    """Why a dossier that somebody released is still held."""
    others = needed - len(approvers)
    names = " and ".join(one.by for one in approvers)
    return f"released by {names}; {others} other person{'s' if others > 1 else ''} must release it too"
