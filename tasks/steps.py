"""Every Prefect task there is. A step loads by key, calls a pure function, stores by content, and returns a key.

Rules kept here:

* What passes through Prefect is a reference, a number or a key made of digests: its database never sees a record's
  text, name or bucket key.
* An error leaves a step as one of `tasks.errors`, whose text is safe, without cause or context: Prefect stores both.
* A result whose key exists is not made again. That is the cache, the idempotence and the crash recovery.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.states import State as PrefectState
from prefect.tasks import Task, exponential_backoff

from tasks import pipeline
from tasks.codec import decode, digest, encode, fingerprint, unpack
from tasks.contacts.text import withhold_in_text
from tasks.disclosure.bundle import assemble_bundle, dossier_digest, safe_file_name
from tasks.disclosure.notice import missing_parts
from tasks.disclosure.publish import publish as publish_bundle
from tasks.errors import (
    EmptyFileError,
    FoiError,
    InvalidRequestError,
    LeakFoundError,
    LimitExceededError,
    NotApprovedError,
    RejectedInputError,
    TransientError,
)
from tasks.intake import REQUEST_FILE, Candidate, check_key, understand
from tasks.model import (
    Approval,
    Case,
    Dossier,
    Manifest,
    Media,
    Record,
    RecordOutcome,
    RedactedRecord,
    RedactionPlan,
    Rejection,
    StageKeys,
    State,
    Transcript,
    VerificationReport,
    WithheldRecord,
)
from tasks.redaction.gate import check_values
from tasks.request import Policy, Request, parse_request
from tasks.status import SETTLED, find_status, list_request, listing_digest, now, save_status
from tasks.store import ObjectInfo
from tasks.workplace import Workplace

P = ParamSpec("P")
R = TypeVar("R")

REVIEW_NONE = "policy: no review asked for"


class RecordChangedError(TransientError):
    """An upload replaced a record while its request was being processed."""

    code = "record-changed"
    message = "A record changed while it was being processed."
    action = "Nothing: the changed request is processed again."


# ------------------------------------------------------------------------------------------------ what a step is


def _is_transient(_task: Task[Any, Any], _run: TaskRun, state: PrefectState[Any]) -> bool:
    try:
        state.result()
    except TransientError:
        return True
    except Exception:
        return False
    return False


def step(name: str, run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a Prefect task that retries transient errors, caches nothing and leaks nothing."""

    def wrap(function: Callable[P, R]) -> Task[P, R]:
        @functools.wraps(function)
        def safe(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except FoiError as error:
                raise error.with_traceback(None) from None
            except Exception as error:
                raise FoiError(type(error).__name__) from None

        return task(
            name=name,
            task_run_name=run_name,
            retries=4,
            retry_delay_seconds=exponential_backoff(backoff_factor=1),
            retry_jitter_factor=0.5,
            retry_condition_fn=_is_transient,
            cache_policy=NO_CACHE,
            persist_result=False,
            log_prints=False,
        )(safe)

    return wrap


# ------------------------------------------------------------------------------------------------ intake


@dataclass(frozen=True, slots=True)
class Intake:
    """What taking a request in came to: its state, and where its manifest lies when there is work to do."""

    state: State
    listing: str
    manifest: str = ""
    numbers: tuple[int, ...] = ()
    unchanged: bool = False


@step("take in", "take in")
def take_in(place: Workplace, reference: str) -> Intake:
    """List the request's objects and, if anything changed since its last run, look at each record."""
    objects = list_request(place, reference)
    listing = listing_digest(place, objects)
    known = find_status(place, reference)
    if known and known.listing == listing and known.state in SETTLED:
        return Intake(known.state, listing, unchanged=True)
    version = known.version if known else 0
    if REQUEST_FILE not in objects:
        outcomes = tuple(RecordOutcome(name, "waiting") for name in sorted(objects))
        save_status(
            place,
            reference,
            State.WAITING,
            reason="request.json has not arrived",
            listing=listing,
            version=version,
            records=outcomes,
        )
        return Intake(State.WAITING, listing)
    try:
        request = load_request(place, reference)
    except InvalidRequestError as error:
        rejection = _quarantine(place, reference, objects[REQUEST_FILE], REQUEST_FILE, error)
        save_status(
            place,
            reference,
            State.QUARANTINED,
            reason=str(error),
            listing=listing,
            version=version,
            records=(_outcome_of(rejection),),
        )
        return Intake(State.QUARANTINED, listing)
    policy = place.policy.with_overrides(request.policy)
    contents = understand(reference, objects, request, policy, request.requester)
    if contents.missing:
        outcomes = tuple(
            RecordOutcome(name, "waiting", reason="listed in request.json, not in the bucket")
            for name in contents.missing
        )
        save_status(
            place,
            reference,
            State.WAITING,
            reason="a listed record has not arrived",
            listing=listing,
            version=version,
            records=outcomes,
        )
        return Intake(State.WAITING, listing)

    records: list[Record] = []
    rejected: list[Rejection] = []
    for candidate in contents.candidates:
        try:
            records.append(_look(place, candidate))
        except RejectedInputError as error:
            name = candidate.info.key.removeprefix(f"{reference}/")
            rejected.append(_quarantine(place, reference, candidate.info, name, error))
    manifest = Manifest(
        reference, listing, objects[REQUEST_FILE].etag, tuple(records), tuple(rejected)
    )
    key = place.save(f"manifests/{reference}/{fingerprint(manifest)}.json.gz", manifest)
    unlisted = tuple(RecordOutcome(name, "unlisted", reason="not in request.json") for name in contents.unlisted)
    outcomes = tuple(_outcome_of(r) for r in rejected) + unlisted
    state = State.PROCESSING if records else State.QUARANTINED
    save_status(
        place,
        reference,
        state,
        reason="" if records else "no record could be taken in",
        listing=listing,
        version=version,
        records=outcomes,
    )
    return Intake(state, listing, key, tuple(record.number for record in records))


def load_request(place: Workplace, reference: str) -> Request:
    """The request's `request.json`.

    Raises:
        InvalidRequestError: naming the fields at fault.
    """
    return parse_request(place.store.get(place.buckets.intake, f"{reference}/{REQUEST_FILE}"), reference)


def _look(place: Workplace, candidate: Candidate) -> Record:
    """Look at one record's bytes, or remember what they were when neither name, etag nor size changed."""
    info = candidate.info
    check_key(info.key)
    memory = f"seen/{fingerprint(info.key, info.etag, info.size, place.reading.limits)}.json"
    record = place.load_plain(memory, Record)
    if record is None:
        if info.size == 0:
            raise EmptyFileError(subject=info.key)
        if info.size > place.reading.limits.max_bytes:
            raise LimitExceededError(f"{info.size} bytes.", subject=info.key)
        data = place.store.get(place.buckets.intake, info.key)
        (media,) = place.apart.call("look", encode(place.reading), PurePosixPath(info.key).name.encode(), data)
        record = Record(
            candidate.number, info.key, info.etag, digest(data), len(data), decode(media, Media), candidate.title
        )
        place.save_plain(memory, record)
    return replace(record, number=candidate.number, title=candidate.title, date=candidate.date)


def _quarantine(
    place: Workplace, reference: str, info: ObjectInfo, name: str, error: RejectedInputError
) -> Rejection:
    """Copy a rejected file beside its reason; the original stays where it is."""
    rejection = Rejection(name, error.code, str(error), error.action)
    folder = f"{reference}/{fingerprint(info.key, info.etag)[:16]}"
    place.store.copy(place.buckets.intake, info.key, place.buckets.quarantine, f"{folder}/file")
    place.store.put(place.buckets.quarantine, f"{folder}/reason.json", encode(rejection), "application/json")
    return rejection


def _outcome_of(rejection: Rejection) -> RecordOutcome:
    return RecordOutcome(rejection.name, "quarantined", reason=f"{rejection.detail} {rejection.action}")


# ------------------------------------------------------------------------------------------------ one record


@dataclass(frozen=True, slots=True)
class StepResult:
    """Where a record's result lies, and the codes it was rejected or refused with."""

    number: int
    key: str = ""
    rejected: str = ""


@step("read", "read record {number}")
def read_record(place: Workplace, manifest: str, number: int) -> StepResult:
    """Rasterise and OCR one record; a file that turns out damaged is quarantined here."""
    record = _record(place, manifest, number)
    key = f"transcripts/{record.sha256}/{place.reading_fingerprint[:16]}.json.gz"
    if place.has(key):
        return StepResult(number, key)
    data = _source(place, record)
    try:
        name = PurePosixPath(record.key).name.encode()
        _, transcript = place.apart.call("read", encode(place.reading), name, data)
    except RejectedInputError as error:
        reference = place.load(manifest, Manifest).reference
        info = ObjectInfo(record.key, record.size, record.etag, "")
        _quarantine(place, reference, info, record.key.removeprefix(f"{reference}/"), error)
        return StepResult(number, rejected=error.code)
    return StepResult(number, place.save_bytes(key, transcript, "application/gzip"))


@step("find", "find contacts in record {number}")
def find_in_record(place: Workplace, manifest: str, number: int, transcript: str) -> StepResult:
    """Claim every contact detail of one record."""
    policy = _policy(place, manifest)
    source, reading = _names(transcript)
    key = f"found/{source}/{fingerprint(reading, pipeline.redaction_fingerprint(policy))[:32]}.json.gz"
    if not place.has(key):
        (found,) = place.apart.call("find", _policy_json(policy), place.load_bytes(transcript))
        place.save_bytes(key, found, "application/gzip")
    return StepResult(number, key)


@step("plan", "plan record {number}")
def plan_record(
    place: Workplace, manifest: str, number: int, transcript: str, found: str, in_request: Sequence[str]
) -> StepResult:
    """Decide the marks of one record, sweeping for what was found anywhere in the request."""
    policy = _policy(place, manifest)
    source, _ = _names(transcript)
    depends = fingerprint(transcript, found, sorted(in_request), pipeline.redaction_fingerprint(policy))
    key = f"plans/{source}/{depends[:32]}.json.gz"
    if not place.has(key):
        others = [place.load_bytes(other) for other in in_request]
        (plan,) = place.apart.call(
            "plan", _policy_json(policy), place.load_bytes(transcript), place.load_bytes(found), *others
        )
        place.save_bytes(key, plan, "application/gzip")
    return StepResult(number, key)


@step("redact", "redact record {number}")
def redact_record(place: Workplace, manifest: str, number: int, transcript: str, plan: str) -> StepResult:
    """Rebuild one record from painted pixels."""
    record = _record(place, manifest, number)
    key = f"redacted/{record.sha256}/{fingerprint(plan, record.title)[:32]}.pdf"
    if not place.has(key):
        (pdf,) = place.apart.call(
            "redact",
            encode(place.reading),
            encode(record.media),
            place.load_bytes(plan),
            place.load_bytes(transcript),
            record.title.encode(),
            _source(place, record),
        )
        place.save_bytes(key, pdf, "application/pdf")
    return StepResult(number, key)


@step("gate", "gate record {number}")
def gate_record(place: Workplace, number: int, transcript: str, plan: str, pdf: str) -> StepResult:
    """Prove one redacted file, or say what is wrong with it. A report that refuses is stored like any other."""
    data = place.load_bytes(pdf)
    key = f"reports/{digest(data)}/{fingerprint(plan, transcript)[:32]}.json.gz"
    if not place.has(key):
        (report,) = place.apart.call(
            "gate", encode(place.reading), data, place.load_bytes(plan), place.load_bytes(transcript)
        )
        place.save_bytes(key, report, "application/gzip")
    return StepResult(number, key, refusal(place.load(key, VerificationReport)))


def refusal(report: VerificationReport) -> str:
    """The codes of the gate's findings, "" when it passed the file."""
    return " ".join(sorted({finding.code for finding in report.findings}))


# ------------------------------------------------------------------------------------------------ the request


@step("assemble", "assemble")
def assemble(place: Workplace, manifest: str, stages: Sequence[StageKeys], rejected: Sequence[int]) -> str:
    """Put the records of a request together into the dossier that a person approves; returns its digest.

    Raises:
        LeakFoundError: the gate refused a record, or a withheld value stands elsewhere in the disclosure.
    """
    taken = place.load(manifest, Manifest)
    request = load_request(place, taken.reference)
    policy = place.policy.with_overrides(request.policy)
    records: list[RedactedRecord] = []
    withheld_values: set[str] = set()
    by_number = {record.number: record for record in taken.records}
    refused: list[str] = []
    for keys in stages:
        plan = place.load(keys.plan, RedactionPlan)
        report = place.load(keys.report, VerificationReport)
        if not report.passed:
            refused.append(f"record {keys.number}: {refusal(report)}")
            continue
        withheld_values.update(plan.withheld)
        records.append(_redacted(place, by_number[keys.number], keys, plan, report))
    if refused:
        raise LeakFoundError("; ".join(refused))
    dossier = Dossier(
        reference=taken.reference,
        title=_publishable(request.title, request, policy, withheld_values),
        letter=_letter(request, policy, withheld_values),
        records=tuple(records),
        withheld=_not_included(taken, rejected),
        policy=policy.digest,
        pipeline=pipeline.PIPELINE,
        tools=pipeline.tool_versions(),
    )
    name = dossier_digest(dossier)
    files = {record.file_name: place.load_bytes(keys.pdf) for record, keys in zip(records, stages, strict=True)}
    draft = assemble_bundle(dossier, None, files, policy, place.keys, version=1)
    _refuse_values(draft, withheld_values)
    place.save(f"dossiers/{taken.reference}/{name}.json.gz", dossier)
    place.save(f"cases/{taken.reference}/{name}.json.gz", Case(taken.reference, taken.listing, manifest, tuple(stages)))
    return name


@step("approve by policy", "approve by policy")
def approve_by_policy(place: Workplace, manifest: str, dossier: str) -> str:
    """Record the approval of a complete request that asks for no review; else say what it is held for."""
    reference = place.load(manifest, Manifest).reference
    content = place.load(f"dossiers/{reference}/{dossier}.json.gz", Dossier)
    missing = missing_parts(content, _policy(place, manifest))
    if missing:
        return "the response is incomplete: " + "; ".join(missing)
    if load_request(place, reference).review != "none":
        return "waiting for a person's release"
    if not place.allow_unreviewed:
        return "waiting for a person's release (the setting FOI_ALLOW_UNREVIEWED is off)"
    record_approval(place, reference, dossier, REVIEW_NONE)
    return ""


def record_approval(place: Workplace, reference: str, dossier: str, by: str) -> Approval:
    """Write down who released exactly which dossier. The first approval of a dossier stands."""
    key = _approval_key(reference, dossier)
    known = place.load_plain(key, Approval)
    if known is None:
        known = Approval(reference, dossier, by, now())
        place.save_plain(key, known)
    return known


@step("publish", "publish")
def publish(place: Workplace, reference: str, dossier: str) -> int:
    """Publish an approved dossier; returns the version. Everything is checked again on the bytes that leave.

    Raises:
        NotApprovedError: nobody approved exactly this dossier.
        LeakFoundError: a file is not the one the gate passed, or a withheld value stands in the bundle.
    """
    approval = place.load_plain(_approval_key(reference, dossier), Approval)
    if approval is None:
        raise NotApprovedError
    content = place.load(f"dossiers/{reference}/{dossier}.json.gz", Dossier)
    case = place.load(f"cases/{reference}/{dossier}.json.gz", Case)
    policy = _policy(place, case.manifest)
    if dossier_digest(content) != dossier or policy.digest != content.policy:
        raise NotApprovedError("The content changed after the approval.")
    files: dict[str, bytes] = {}
    values: set[str] = set()
    for record, keys in zip(content.records, case.records, strict=True):
        pdf = place.load_bytes(keys.pdf)
        report_bytes = place.load_bytes(keys.report)
        report = unpack(report_bytes, VerificationReport)
        passed = report.passed and report.file_sha256 == digest(pdf) == record.sha256
        if not passed or digest(report_bytes) != record.report_sha256:
            raise LeakFoundError(f"record {record.number}: not the file that passed the gate")
        files[record.file_name] = pdf
        values.update(place.load(keys.plan, RedactionPlan).withheld)
    entry = publish_bundle(
        place.store,
        place.buckets.disclosure,
        content,
        approval,
        files,
        policy,
        place.keys,
        inspect=lambda bundle: _refuse_values(bundle, values),
    )
    return entry.version


# ------------------------------------------------------------------------------------------------ within


def _approval_key(reference: str, dossier: str) -> str:
    return f"approvals/{reference}/{dossier}.json"


def _names(key: str) -> tuple[str, str]:
    """The source digest and the file name in a key `stage/SOURCE/NAME`."""
    _, source, name = key.split("/")
    return source, name


def _record(place: Workplace, manifest: str, number: int) -> Record:
    return next(record for record in place.load(manifest, Manifest).records if record.number == number)


def _policy(place: Workplace, manifest: str) -> Policy:
    request = load_request(place, place.load(manifest, Manifest).reference)
    return place.policy.with_overrides(request.policy)


def _policy_json(policy: Policy) -> bytes:
    return policy.model_dump_json(by_alias=True).encode()


def _source(place: Workplace, record: Record) -> bytes:
    data = place.store.get(place.buckets.intake, record.key)
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise RecordChangedError
    return data


def _redacted(
    place: Workplace, record: Record, keys: StageKeys, plan: RedactionPlan, report: VerificationReport
) -> RedactedRecord:
    pdf = place.load_bytes(keys.pdf)
    transcript = place.load(keys.transcript, Transcript)
    return RedactedRecord(
        number=record.number,
        title=record.title,
        date=record.date,
        file_name=safe_file_name(record.number, record.title),
        source_sha256=record.sha256,
        sha256=report.file_sha256,
        size=len(pdf),
        pages=tuple((page.width_px, page.height_px) for page in transcript.pages),
        marks=plan.marks,
        report_sha256=digest(place.load_bytes(keys.report)),
    )


def _not_included(taken: Manifest, rejected: Sequence[int]) -> tuple[WithheldRecord, ...]:
    """What the reader is told of records that could not be processed; their names stay inside."""
    reason = "This record could not be read and is not part of this response; a readable copy is being sought."
    late = [WithheldRecord(r.number, r.title, reason) for r in taken.records if r.number in rejected]
    known = {record.number for record in taken.records}
    free = (n for n in range(1, len(known) + len(taken.rejected) + 1) if n not in known)
    early = [WithheldRecord(n, f"Record {n}", reason) for n, _ in zip(free, taken.rejected, strict=False)]
    return tuple(sorted([*late, *early], key=lambda record: record.number))


def _letter(request: Request, policy: Policy, values: set[str]) -> dict[str, object]:
    """The request as it may be published: every free text of it without contact details and names of the requester."""

    def clean(value: object) -> object:
        if isinstance(value, str):
            return _publishable(value, request, policy, values)
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [clean(item) for item in value]
        return value

    public = request.model_dump(mode="json", by_alias=True, exclude={"records", "policy", "requester", "review"})
    kept = {name: public.pop(name) for name in ("reference", "received")}
    return {**kept, **{name: clean(value) for name, value in public.items()}}


def _publishable(text: str, request: Request, policy: Policy, values: set[str]) -> str:
    # Values of the records are withheld from the letter too; short ones would tear ordinary words apart.
    terms = (*request.requester, *sorted(value for value in values if len(value) >= 8))
    return withhold_in_text(text, policy, terms)


def _refuse_values(bundle: dict[str, bytes], values: set[str]) -> None:
    written = {name: data for name, data in bundle.items() if not name.endswith(".pdf")}
    findings = check_values({**written, **{f"name of file {n}": name for n, name in enumerate(sorted(bundle))}}, sorted(values))
    if findings:
        raise LeakFoundError("the bundle: " + " ".join(sorted({finding.code for finding in findings})))
