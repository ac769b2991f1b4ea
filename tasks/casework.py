"""The request as a whole: its records together become a dossier, the dossier is approved, the approved is published.

Rules kept here:

* a dossier holds only files that the gate passed, and is named by its digest;
* an approval names the digest of what was shown; a later hold or correction takes it back (see `tasks.decisions`);
* what is published is checked again on the bytes that leave: the gate's report must be of exactly these bytes, and no
  withheld value may stand anywhere else in the bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tasks.arrival import load_request
from tasks.codec import digest, encode, unpack
from tasks.decisions import (
    BY_POLICY,
    approval_of,
    approvers_of,
    corrections_in_force,
    held_by,
    read_log,
    record_decision,
    waiting_for,
)
from tasks.disclosure import publish as publishing
from tasks.disclosure.bundle import assemble_bundle, dossier_digest, safe_file_name
from tasks.disclosure.notice import missing_parts
from tasks.errors import (
    IncompleteResponseError,
    LeakFoundError,
    NotApprovedError,
    ReasonRefusedError,
    RejectedInputError,
)
from tasks.fingerprints import PIPELINE, tool_versions
from tasks.looks import pages_to_review
from tasks.model import (
    Act,
    Approval,
    Case,
    Dossier,
    Manifest,
    Record,
    RedactedRecord,
    RedactionPlan,
    StageKeys,
    Transcript,
    VerificationReport,
    WithheldRecord,
)
from tasks.redaction.gate.again import check_again
from tasks.redaction.gate.values import check_values
from tasks.request import Policy, PolicyOverrides, Request
from tasks.status import INCOMPLETE, find_status, now
from tasks.typed import Withhold, holds_contact, withhold_in_texts
from tasks.workplace import Workplace

UNREADABLE = (
    "This file could not be read. It is not withheld under an exemption. We are asking for a readable copy and will "
    "write to you about it."
)
MIN_TERM = 8
"""Characters. Shorter values of the records are not sought in the letter: they would tear ordinary words apart."""
Search = Callable[[bytes, Sequence[str]], tuple[str, ...]]
"""Seeks values on the pages of a PDF and gives the codes of what it found (`Readers.search`)."""
_FIXED = frozenset({"from", "date", "outcome", "section"})
"""Fields of the letter whose values are ours: a requester called Part does not unsettle the outcome `part`."""


def policy_of(place: Workplace, manifest: str) -> Policy:
    """The policy as the manifest's request changes it."""
    return place.policy.with_overrides(load_request(place, place.load(manifest, Manifest)).policy)


def refusal(report: VerificationReport) -> str:
    """The codes of the gate's findings, "" when it passed the file."""
    return " ".join(sorted({finding.code for finding in report.findings}))


# ------------------------------------------------------------------------------------------------ assemble


def assemble(
    place: Workplace,
    manifest: str,
    stages: Sequence[StageKeys],
    rejected: Sequence[int],
    corrections: Sequence[str] = (),
) -> str:
    """Store the dossier of a request; returns its digest.

    Args:
        place: where.
        manifest: key of the request's manifest.
        stages: the results of its records, by number.
        rejected: numbers of the records that turned out unreadable.
        corrections: names of those that the plans follow.

    Raises:
        LeakFoundError: the gate refused a record, or a withheld value stands elsewhere in the disclosure.
    """
    taken = place.load(manifest, Manifest)
    request = load_request(place, taken)
    policy = place.policy.with_overrides(request.policy)
    reports = [place.load(keys.report, VerificationReport) for keys in stages]
    refused = [f"record {k.number}: {refusal(r)}" for k, r in zip(stages, reports, strict=True) if not r.passed]
    if refused:
        raise LeakFoundError("; ".join(refused))
    plans = [place.load(keys.plan, RedactionPlan) for keys in stages]
    values = _not_ours({value for plan in plans for value in plan.withheld}, policy)
    by_number = {record.number: record for record in taken.records}
    pdfs = [place.load_bytes(keys.pdf) for keys in stages]
    records = tuple(
        _redacted(place, by_number[keys.number], keys, plan, report, len(pdf))
        for keys, plan, report, pdf in zip(stages, plans, reports, pdfs, strict=True)
    )
    letter = _letter(request, policy, values, place.readers.withhold)
    dossier = Dossier(
        reference=taken.reference,
        title=str(letter["title"]),
        letter=letter,
        records=records,
        withheld=_not_included(taken, rejected),
        policy=policy.digest,
        pipeline=PIPELINE,
        tools=tool_versions(),
        corrections=tuple(corrections),
    )
    refuse_terms(dossier, request, policy)
    name = dossier_digest(dossier)
    files = {record.file_name: pdf for record, pdf in zip(records, pdfs, strict=True)}
    terms = set() if corrections else _not_ours(set(policy.terms), policy)  # a person may have let one stand
    refuse_values(assemble_bundle(dossier, None, files, policy, None), values | terms, place.readers.search)
    _refuse_chance(place, taken, stages)
    place.save(_dossier_key(taken.reference, name), dossier)
    place.save(_case_key(taken.reference, name), Case(taken.reference, taken.listing, manifest, tuple(stages)))
    return name


def refuse_terms(dossier: Dossier, request: Request, policy: Policy) -> None:
    """Make sure, without the recognisers, that neither the requester's name nor a term stands where it is withheld.

    Raises:
        LeakFoundError: one does.
    """
    texts = {"letter": encode(dossier.letter), "titles": encode([dossier.title, *(r.title for r in dossier.records)])}
    if check_values(texts, (), (*request.requester, *policy.terms)):
        raise LeakFoundError("the requester's name or a term stands in the letter or a title")


def _refuse_chance(place: Workplace, taken: Manifest, stages: Sequence[StageKeys]) -> None:
    """Make the shortest record again from its source: the same input, policy and version must give the same bytes.

    Raises:
        LeakFoundError: they do not; or the file ended its reader, which it did not the first time.
    """
    records = {record.number: record for record in taken.records}
    keys = min(stages, key=lambda keys: (records[keys.number].media.pages, keys.number), default=None)
    if keys is None or place.store.head(place.buckets.intake, records[keys.number].key) is None:
        return
    record = records[keys.number]
    source = place.store.get(place.buckets.intake, record.key)
    if digest(source) != record.sha256:
        return  # it was changed since; what was approved is of the source as it was
    plan, transcript = place.load_bytes(keys.plan), place.load_bytes(keys.transcript)
    try:
        again = place.readers.redact(record.media, plan, transcript, record.title, source)
    except RejectedInputError:
        again = b""
    if findings := check_again(place.load_bytes(keys.pdf), again):
        raise LeakFoundError(f"record {record.number}: {findings[0].code}")


def _redacted(
    place: Workplace, record: Record, keys: StageKeys, plan: RedactionPlan, report: VerificationReport, size: int
) -> RedactedRecord:
    transcript = place.load(keys.transcript, Transcript)
    return RedactedRecord(
        number=record.number,
        title=record.title,
        date=record.date,
        file_name=safe_file_name(record.number, record.title),
        source_sha256=record.sha256,
        sha256=report.file_sha256,
        size=size,
        pages=tuple((page.width_px, page.height_px) for page in transcript.pages),
        marks=plan.marks,
        report_sha256=digest(place.load_bytes(keys.report)),
        source_pages=record.media.pages,
    )


def _not_included(taken: Manifest, rejected: Sequence[int]) -> tuple[WithheldRecord, ...]:
    """The records that could not be processed; the names of their files stay inside."""
    late = [WithheldRecord(r.number, r.title, UNREADABLE) for r in taken.records if r.number in rejected]
    early = [WithheldRecord(r.number, r.title, UNREADABLE) for r in taken.rejected]
    return tuple(sorted([*late, *early], key=lambda record: record.number))


def _letter(
    request: Request, policy: Policy, values: set[str], withhold: Withhold = withhold_in_texts
) -> dict[str, object]:
    """The request as it may be published: every free text of it without contact details and names of the requester."""
    public = request.model_dump(mode="json", by_alias=True, exclude={"records", "policy", "requester", "review"})
    kept = {name: public.pop(name) for name in ("reference", "received")}
    texts = sorted(_texts_in(public))
    terms = (*request.requester_terms, *sorted(value for value in values if len(value) >= MIN_TERM))
    publishable = dict(zip(texts, withhold(texts, policy, terms), strict=True))

    def clean(value: object) -> object:
        if isinstance(value, str):
            return publishable[value]
        if isinstance(value, dict):
            return {key: item if key in _FIXED else clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [clean(item) for item in value]
        return value

    return {**kept, **{name: clean(value) for name, value in public.items()}}


def _texts_in(value: object) -> set[str]:
    """Every free text of the letter."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for key, item in value.items() if key not in _FIXED for text in _texts_in(item)}
    if isinstance(value, list):
        return {text for item in value for text in _texts_in(item)}
    return set()


def _not_ours(values: set[str], policy: Policy) -> set[str]:
    """The values but for those in what the authority prints of itself on every letter: its own site is no secret."""
    own = {"authority": encode(policy.authority.model_dump(mode="json"))}
    return {value for value in values if not check_values(own, [value])}


def refuse_values(bundle: Mapping[str, bytes], values: set[str], search: Search) -> None:
    """Make sure that no withheld value stands in a bundle's texts or names, or on a page of a PDF of it.

    Records have passed the gate themselves, each for its own values: here each is searched for those of the others,
    and apart, because a stranger's file had a hand in making it.

    Raises:
        LeakFoundError: one does.
    """
    texts: dict[str, bytes | str] = {name: data for name, data in bundle.items() if not name.endswith(".pdf")}
    pdfs = [data for name, data in bundle.items() if name.endswith(".pdf")]
    names = {f"name of file {n}": name for n, name in enumerate(sorted(bundle))}
    wanted = sorted(values)
    codes = {finding.code for finding in check_values({**texts, **names}, wanted)}
    codes.update(code for pdf in pdfs for code in search(pdf, wanted))
    if codes:
        raise LeakFoundError("the bundle: " + " ".join(sorted(codes)))


# ------------------------------------------------------------------------------------------------ approve


def reason_to_hold(place: Workplace, reference: str, dossier: str) -> str:
    """Why a person must decide; "" when the response is complete, nothing is doubtful, and no review is asked for."""
    content, case = load_case(place, reference, dossier)
    request = load_request(place, place.load(case.manifest, Manifest))
    policy = place.policy.with_overrides(request.policy)
    missing = missing_parts(content, policy)
    if missing:
        return INCOMPLETE + "; ".join(missing)
    if request.review != "none":
        return "waiting for a person's release"
    if not place.allow_unreviewed:
        return "waiting for a person's release (the setting FOI_ALLOW_UNREVIEWED is off)"
    if place.approvals > 1:
        return f"waiting for the release by {place.approvals} persons (the setting FOI_APPROVALS)"
    if less := withholds_less(place.policy, request.policy):
        return "a person must agree that the request withholds less than the policy: " + ", ".join(less)
    if content.withheld and not policy.release_without_unreadable:
        numbers = ", ".join(str(record.number) for record in content.withheld)
        return f"a person must agree that the response goes without what could not be read: record {numbers}"
    if content.corrections:
        return "a person corrected it: a person must release it"
    status = find_status(place, reference)
    if (status and status.withdrawn) or read_log(place, reference).withdrawn:
        return "it was withdrawn once: a person must release it"
    doubtful = [
        f"record {keys.number} page {review.page + 1} ({', '.join(sorted({d.code for d in review.doubts}))})"
        for keys in case.records
        for review in pages_to_review(place.load(keys.plan, RedactionPlan))
    ]
    return "a person must look at " + "; ".join(doubtful) if doubtful else ""


def check_complete(place: Workplace, reference: str, dossier: str) -> None:
    """Refuse to decide on a response that the law would not let out.

    Raises:
        IncompleteResponseError: it names what is missing.
    """
    content, case = load_case(place, reference, dossier)
    if missing := missing_parts(content, policy_of(place, case.manifest)):
        raise IncompleteResponseError(f"Missing: {'; '.join(missing)}.", subject=reference)


def withholds_less(policy: Policy, overrides: PolicyOverrides) -> list[str]:
    """Names of the overrides by which a request would show more than the policy does."""
    fewer = overrides.withhold is not None and not set(policy.withhold) <= set(overrides.withhold)
    found = {
        "withhold": fewer,
        "public_contacts": bool(overrides.public_contacts),
        "keep_email_domain": bool(overrides.keep_email_domain) and not policy.keep_email_domain,
    }
    return [name for name, shows_more in found.items() if shows_more]


def decide_by_policy(place: Workplace, reference: str, dossier: str) -> str:
    """Approve a dossier that needs no person; else say what it is held for. A person's approval stands."""
    log = read_log(place, reference)
    if log.whole and approval_of(log, dossier, place.approvals):
        return ""
    if person := held_by(log, dossier):
        return f"kept held by {person}"
    if log.whole and (some := approvers_of(log, dossier)):
        return waiting_for(some, place.approvals)
    reason = reason_to_hold(place, reference, dossier)
    if not reason:
        record_approval(place, reference, dossier, BY_POLICY)
    return reason


def record_approval(place: Workplace, reference: str, dossier: str, by: str) -> str:
    """Write down who released exactly which dossier; returns why it is held all the same, "" when it is not."""
    record_decision(place, reference, Act.RELEASE, dossier, by)
    log = read_log(place, reference)
    return (
        "" if approval_of(log, dossier, place.approvals) else waiting_for(approvers_of(log, dossier), place.approvals)
    )


def record_hold(place: Workplace, reference: str, dossier: str, by: str) -> None:
    """Write down who keeps a dossier held: an earlier approval that led to no publication counts no more."""
    record_decision(place, reference, Act.HOLD, dossier, by)


def find_approval(place: Workplace, reference: str, dossier: str) -> Approval | None:
    """The approval of exactly this dossier, once as many persons as are needed have released it.

    Raises:
        NotApprovedError: the log of decisions is damaged.
    """
    return approval_of(read_log(place, reference), dossier, place.approvals)


def draft_bundle(place: Workplace, reference: str, dossier: str) -> dict[str, bytes]:
    """What would be published, marked as a draft and unsigned, for the person who decides: path -> bytes."""
    content = place.load(_dossier_key(reference, dossier), Dossier)
    case = place.load(_case_key(reference, dossier), Case)
    policy = policy_of(place, case.manifest)
    pairs = zip(content.records, case.records, strict=True)
    files = {record.file_name: _proven(place, record, keys) for record, keys in pairs}
    return assemble_bundle(content, None, files, policy, None)


# ------------------------------------------------------------------------------------------------ publish


def publish_approved(place: Workplace, reference: str, dossier: str) -> int:
    """Publish an approved dossier; returns the version.

    Raises:
        NotApprovedError: nobody, or too few persons, approved exactly this dossier; its content is another by now; or
            it was corrected since.
        LeakFoundError: a file is not the one the gate passed, or a withheld value stands in the bundle.
    """
    approval = find_approval(place, reference, dossier)
    if approval is None:
        raise NotApprovedError
    content = place.load(_dossier_key(reference, dossier), Dossier)
    case = place.load(_case_key(reference, dossier), Case)
    policy = policy_of(place, case.manifest)
    if dossier_digest(content) != dossier or policy.digest != content.policy:
        raise NotApprovedError("The content changed after the approval.")

    def confirm() -> None:
        if find_approval(place, reference, dossier) != approval:
            raise NotApprovedError("It was taken back.")
        if content.corrections != corrections_in_force(read_log(place, reference)):
            raise NotApprovedError("Another correction was made since it was put together.")

    confirm()
    files: dict[str, bytes] = {}
    values: set[str] = set()
    for record, keys in zip(content.records, case.records, strict=True):
        files[record.file_name] = _proven(place, record, keys)
        values.update(place.load(keys.plan, RedactionPlan).withheld)
    entry = publishing.publish(
        place.store,
        place.buckets.disclosure,
        content,
        approval,
        files,
        policy,
        place.keys,
        inspect=lambda bundle: refuse_values(bundle, _not_ours(values, policy), place.readers.search),
        confirm=confirm,
        stamper=place.stamper,
    )
    return entry.version


def withdraw(place: Workplace, reference: str, reason: str) -> None:
    """Take every version of a disclosure back; a signed notice stays.

    Raises:
        UnknownRequestError: nothing was published under this reference.
        ReasonRefusedError: the reason holds a contact detail; everybody can read it.
    """
    check_reason(place, reason)
    bucket, authority = place.buckets.disclosure, place.policy.authority
    publishing.withdraw(place.store, bucket, reference, reason, now(), authority, place.keys)


def discard_unfinished(place: Workplace, reference: str) -> None:
    """Remove what a publication that died left in public. Nobody may be publishing the request meanwhile."""
    publishing.discard_unfinished(place.store, place.buckets.disclosure, reference)


def rebuild_log(place: Workplace) -> tuple[str, ...]:
    """Make the disclosure log anew; returns the keys of entries that are damaged."""
    return publishing.rebuild_log(place.store, place.buckets.disclosure, place.policy.authority)


def check_reason(place: Workplace, reason: str) -> None:
    """Refuse a reason for a withdrawal that nobody may read.

    Raises:
        ReasonRefusedError: it holds a contact detail.
    """
    if holds_contact(reason, place.policy):
        raise ReasonRefusedError("It holds a contact detail.")


def _proven(place: Workplace, record: RedactedRecord, keys: StageKeys) -> bytes:
    """A redacted file, with its digest taken anew and found in a report that passed it."""
    pdf, report_bytes = place.load_bytes(keys.pdf), place.load_bytes(keys.report)
    report = unpack(report_bytes, VerificationReport)
    same_report = digest(report_bytes) == record.report_sha256
    if not (same_report and report.passed and report.file_sha256 == digest(pdf) == record.sha256):
        raise LeakFoundError(f"record {record.number}: not the file that passed the gate")
    return pdf


def load_case(place: Workplace, reference: str, dossier: str) -> tuple[Dossier, Case]:
    """A dossier, and where the results it is made of lie."""
    return place.load(_dossier_key(reference, dossier), Dossier), place.load(_case_key(reference, dossier), Case)


def refuse_to_say(place: Workplace, case: Case, text: str) -> None:
    """Make sure that what is told of a request, where more people see it than its work bucket, holds no withheld value.

    Raises:
        LeakFoundError: it does.
    """
    values = {value for keys in case.records for value in place.load(keys.plan, RedactionPlan).withheld}
    if findings := check_values({"": text}, sorted(_not_ours(values, place.policy))):
        raise LeakFoundError(f"what is told: {findings[0].code}")


def _dossier_key(reference: str, dossier: str) -> str:
    return f"dossiers/{reference}/{dossier}.json.gz"


def _case_key(reference: str, dossier: str) -> str:
    return f"cases/{reference}/{dossier}.json.gz"
