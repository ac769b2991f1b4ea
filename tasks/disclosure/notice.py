"""The response: what the authority tells the requester and the public.

Rules kept here: everything said follows from the dossier, the policy and the approval; a part the law requires and
nobody supplied is named by `missing_parts` and keeps the disclosure held; without an approval every page says "draft".
The statute is the Freedom of Information Act 2000: s.1 (right), s.10 (time), s.17 (refusal notice), s.50 (complaint).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from tasks.disclosure import clock
from tasks.disclosure.exemptions import ExemptionText, WithheldPart, exemption_text, in_order, is_silent, spoken
from tasks.disclosure.page import render_page, render_pdf
from tasks.disclosure.schedule import ScheduleRow, withheld_words
from tasks.disclosure.wording import approval_words, listed, plural
from tasks.errors import InvalidRequestError
from tasks.model import Approval, Dossier, Kind, Mark
from tasks.request import Policy, Request, fields_at_fault

Outcome = Literal["all", "part", "refused"]

OUTCOME_WORDS: dict[str, str] = {
    "all": "Disclosed in full",
    "part": "Disclosed in part",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}


@dataclass(frozen=True, slots=True)
class Response:
    """The letter in its two forms; the PDF is made of the HTML."""

    html: bytes
    pdf: bytes


def published_request(dossier: Dossier) -> Request:
    """The request as it may be published.

    Raises:
        InvalidRequestError: the dossier's letter is not one; names each field at fault, never its value.
    """
    try:
        return Request.model_validate(dossier.letter, by_alias=True, by_name=True)
    except ValidationError as error:
        raise InvalidRequestError(fields_at_fault(error), subject=dossier.reference) from None


def outcome_of(dossier: Dossier) -> Outcome:
    """What was decided: as the request says, or what follows from what is withheld."""
    decided = published_request(dossier).decision.outcome
    if decided != "auto":
        return decided
    if not dossier.records:
        return "refused"
    return "part" if dossier.withheld or any(record.marks for record in dossier.records) else "all"


def exemptions_claimed(dossier: Dossier, policy: Policy) -> tuple[ExemptionText, ...]:
    """Every exemption a mark, a record withheld as a whole or the decision relies on, in the order of the Act."""
    decided = published_request(dossier).decision.exemptions
    whole = [record.exemption for record in dossier.withheld if record.exemption]
    sections = in_order([*(mark.exemption for mark in _marks(dossier)), *whole, *(e.section for e in decided)])
    return tuple(exemption_text(each, policy.exemptions, decided, _parts(dossier, each)) for each in sections)


def _marks(dossier: Dossier) -> list[Mark]:
    return [mark for record in dossier.records for mark in record.marks]


def _parts(dossier: Dossier, section: str) -> list[WithheldPart]:
    """What is withheld under a section. A box is a contact detail that was missed, unless its reason says otherwise."""
    return [
        WithheldPart(contact=Kind.TERM not in mark.kinds and not mark.reason, reason=mark.reason)
        for mark in _marks(dossier)
        if mark.exemption == section
    ]


def _unexplained(dossier: Dossier, text: ExemptionText) -> list[str]:
    """What the built-in reason, which speaks of contact details, does not explain."""
    other = sum(not part.contact and not part.reason for part in _parts(dossier, text.section))
    if not (text.scope and other):
        return []
    return [
        f"{text.section}: the reason for withholding {plural(other, 'other detail')}, not said to be contact details"
    ]


def _contradictions(dossier: Dossier, outcome: Outcome, claimed: tuple[ExemptionText, ...]) -> list[str]:
    """Where the decision and the records tell different stories."""
    marks = any(record.marks for record in dossier.records)
    faults = []
    if outcome == "all" and (marks or dossier.withheld):
        faults.append("decision: says everything is disclosed, but something is withheld")
    if outcome == "part" and not dossier.records:
        faults.append("decision: says part is disclosed, but no record is")
    if outcome == "part" and not (marks or dossier.withheld or claimed):
        faults.append("decision: says part is withheld, but nothing is")
    if outcome == "refused" and dossier.records:
        faults.append("decision: says the request is refused, but records are disclosed")
    if dossier.records and any(is_silent(text.section) for text in claimed):
        faults.append("exemption: neither confirms nor denies that information is held, but records are disclosed")
    if outcome == "refused" and not claimed:
        faults.append("exemption: the request is refused, but no exemption is claimed (s.17(1)(b))")
    return faults


def missing_parts(dossier: Dossier, policy: Policy) -> tuple[str, ...]:
    """What the response still needs before it may be sent, each in words that name it; empty when it is complete.

    Raises:
        InvalidRequestError: the dossier's letter is not a request.
    """
    request = published_request(dossier)
    outcome = outcome_of(dossier)
    claimed = exemptions_claimed(dossier, policy)
    faults = _contradictions(dossier, outcome, claimed)
    if unsaid := policy.authority.unsaid:
        faults.append(f"authority: its {listed(unsaid)}, which the policy file does not say (FOI_POLICY_FILE)")
    if request.reference != dossier.reference:
        faults.append("request: its reference is another one")
    if clock.is_stopped(request.clarification):
        faults.append("clarification: the requester has not answered yet (s.1(3))")
    for text in claimed:
        faults += [f"{text.section}: {part}" for part in text.missing] + _unexplained(dossier, text)
    faults += [
        f"record {record.number}: the reason why it is {'withheld' if record.exemption else 'not included'}"
        for record in dossier.withheld
        if not record.reason.strip()
    ]
    return tuple(faults)


def response_values(dossier: Dossier, policy: Policy, approval: Approval | None) -> dict[str, Any]:
    """What the response templates name."""
    request = published_request(dossier)
    claimed = exemptions_claimed(dossier, policy)
    whole = [record for record in dossier.withheld if record.exemption]
    texts = [request.request_text, *(exchange.text for exchange in request.clarification)]
    records = [
        {
            "number": record.number,
            "title": record.title,
            "date": record.date,
            "file_name": record.file_name,
            "pages": len(record.pages),
            "size": record.size,
            "withheld": withheld_words([record]),
        }
        for record in dossier.records
    ]
    return {
        "reference": dossier.reference,
        "title": dossier.title,
        "authority": policy.authority,
        "request": request,
        "details_withheld": any("[withheld" in text for text in texts),
        "clock_start": clock.clock_start(request.received, request.clarification),
        "due": clock.due_date(request.received, request.clarification),
        "responded": None if approval is None else datetime.fromisoformat(approval.at).date(),
        "review_days": clock.INTERNAL_REVIEW_DAYS,
        "draft": approval is None,
        "unreviewed": _unreviewed(approval),
        "outcome": outcome_of(dossier),
        "outcome_words": OUTCOME_WORDS[outcome_of(dossier)],
        "exemptions": claimed,
        "spoken": spoken,
        "records": records,
        "withheld_records": whole,
        "unread_records": [record for record in dossier.withheld if not record.exemption],
        "withheld_words": withheld_words(dossier.records),
        "marks": len(_marks(dossier)),
        "pages": sum(len(record.pages) for record in dossier.records),
        "held": plural(len(dossier.records) + len(dossier.withheld), "record"),
        "silent": any(is_silent(text.section) for text in claimed),
    }


def _unreviewed(approval: Approval | None) -> str:
    """What a response says of itself that no person looked at."""
    if approval is None or not approval.by_policy:
        return ""
    return f"This response {approval_words([each.by for each in approval.approvers], approval.at)}."


def page_url(policy: Policy, reference: str) -> str:
    """Where a request's versions are published, with a trailing slash."""
    return f"{policy.authority.url.rstrip('/')}/disclosures/{reference}/"


def render_response(
    dossier: Dossier,
    policy: Policy,
    approval: Approval | None,
    *,
    version: int = 1,
    changes: tuple[str, ...] = (),
    first_given: str = "",
) -> Response:
    """The letter.

    Args:
        dossier: what is disclosed.
        policy: the one the dossier was made under.
        approval: None for a draft, which says so on every page.
        version: which publication of this reference it belongs to.
        changes: what differs from the version before, one sentence each.
        first_given: when the first version was given, ISO 8601; "" when this is the first or it is not known.

    Raises:
        InvalidRequestError: the dossier's letter is not a request.
    """
    values = response_values(dossier, policy, approval)
    page = page_url(policy, dossier.reference)
    html = render_page(
        "response.html",
        **values,
        version=version,
        first_given=first_given,
        changes=changes,
        files="records/",
        data="",
        newest_url=f"{page}index.html",
    )
    return Response(html=html, pdf=render_pdf(html, f"{page}v{version}/data/"))


def render_schedule(
    dossier: Dossier, policy: Policy, approval: Approval | None, rows: tuple[ScheduleRow, ...]
) -> bytes:
    """The schedule as a page, for those who read neither CSV nor JSON."""
    return render_page(
        "schedule.html",
        reference=dossier.reference,
        title=dossier.title,
        authority=policy.authority,
        draft=approval is None,
        records=[(record, [row for row in rows if row.file == record.file_name]) for record in dossier.records],
        whole=[row for row in rows if not row.file],
        marks=sum(bool(row.file) for row in rows),
        boxes=sum(len(row.boxes) for row in rows),
    )
