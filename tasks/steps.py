"""Every Prefect task there is. A step loads by key, calls a pure function, stores by content, and returns a key.

Rules kept here:

* What passes through Prefect is a reference, a number or a key made of digests: its database never sees a record's
  text, name or bucket key.
* An error leaves a step as one of `tasks.errors`, whose text is safe, without cause or context: Prefect stores both.
* Only `publish`, `withdraw` and what clears up after them (`keep_held`, `rebuild_log`) ask the store in the name of the
  publisher; no other step could write a public object.
* A record whose file ends a reader is quarantined by the step in which that happens; the others of its request go on.
* A result whose key exists is not made again. That is the cache, the idempotence and the crash recovery.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.objects import TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import Task, exponential_backoff

from tasks import arrival, casework, corrections, reviews
from tasks.apart import ReadersNotStartedError
from tasks.arrival import Intake
from tasks.casework import policy_of, refusal
from tasks.codec import digest, fingerprint, pack
from tasks.corrections import concerning, load_correction
from tasks.decisions import record_decision
from tasks.errors import (
    FoiError,
    ReaderUnavailableError,
    RecordChangedError,
    RejectedInputError,
    TransientError,
)
from tasks.fingerprints import redaction_fingerprint
from tasks.looks import doubtful_pages
from tasks.model import Act, Correction, Manifest, Record, Role, StageKeys, Transcript, VerificationReport
from tasks.readers import UnreadableError, join_transcripts
from tasks.review.asked import Asked
from tasks.store import ObjectInfo, ObjectMissingError
from tasks.workplace import Workplace

P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 4


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
                failure = error.with_traceback(None)
            except Exception as error:
                failure = FoiError(f"{type(error).__name__}.")
            # Raised out here, and stripped: an exception carries along the one that was being handled.
            failure.__cause__ = failure.__context__ = None
            raise failure

        return task(
            name=name,
            task_run_name=run_name,
            retries=RETRIES,
            retry_delay_seconds=exponential_backoff(backoff_factor=1),
            retry_jitter_factor=0.5,
            retry_condition_fn=_is_transient,
            cache_policy=NO_CACHE,
            persist_result=False,
            log_prints=False,
        )(safe)

    return wrap


# ------------------------------------------------------------------------------------------------ the request


@step("take in", "take in")
def take_in(place: Workplace, reference: str) -> Intake:
    """List the request's objects and, if anything changed since its last run, look at each record."""
    return arrival.take_in(place, reference)


@step("assemble", "assemble")
def assemble(
    place: Workplace,
    manifest: str,
    stages: Sequence[StageKeys],
    rejected: Sequence[int],
    corrections: Sequence[str] = (),
) -> str:
    """Put the records of a request together into the dossier that a person approves; returns its digest."""
    return casework.assemble(place, manifest, stages, rejected, corrections)


@step("approve by policy", "approve by policy")
def approve_by_policy(place: Workplace, reference: str, dossier: str) -> str:
    """Approve a dossier that needs no person; else say what it is held for."""
    return casework.decide_by_policy(place, reference, dossier)


@step("approve", "approve")
def approve(place: Workplace, reference: str, dossier: str, by: str) -> str:
    """Record a person's approval of exactly this dossier; returns what it is held for all the same, or ""."""
    return casework.record_approval(place, reference, dossier, by)


@step("keep held", "keep held")
def keep_held(place: Workplace, reference: str, dossier: str, by: str) -> None:
    """Record that a person does not release this dossier; what a publication of it that died left behind goes."""
    casework.record_hold(place, reference, dossier, by)
    casework.discard_unfinished(place.acting_as(Role.PUBLISH), reference)


@step("make correction", "make correction")
def make_correction(
    place: Workplace,
    reference: str,
    dossier: str,
    by: str,
    asked: Asked,
    file: str = "",
    why: str = "",
    going_on: bool = False,
) -> str:
    """Keep what a person corrected about this dossier; returns the correction's name.

    Args:
        place: where.
        reference: of the request.
        dossier: digest of what was shown.
        by: who corrects.
        asked: what was asked for in the form.
        file: name of a corrections file in the work bucket, which adds to it; "" for none.
        why: the reason where the file gives none.
        going_on: whether only a correction that was made already may be taken up.
    """
    if file:
        more = corrections.load_asked(place, reference, file)
        asked = more.model_copy(update={"remove": (*asked.remove, *more.remove), "boxes": (*asked.boxes, *more.boxes)})
    return corrections.make_correction(place, reference, dossier, asked, by, why, going_on=going_on)


@step("refuse correction", "refuse correction")
def refuse_correction(place: Workplace, reference: str, dossier: str, name: str) -> None:
    """Note that the gate refused what a correction led to."""
    corrections.refuse_correction(place, reference, dossier, name)


@step("make review pack", "make review pack")
def make_pack(place: Workplace, reference: str, dossier: str) -> None:
    """Put together what a person looks at before deciding on this dossier."""
    reviews.make_pack(place, reference, dossier)


@step("publish", "publish")
def publish(place: Workplace, reference: str, dossier: str) -> int:
    """Publish an approved dossier; returns the version. Everything is checked again on the bytes that leave."""
    return casework.publish_approved(place.acting_as(Role.PUBLISH), reference, dossier)


@step("withdraw", "withdraw")
def withdraw(place: Workplace, reference: str, reason: str, by: str, dossier: str = "", version: int = 0) -> None:
    """Take every version of a disclosure back; a signed notice stays.

    First on record, then done: a publication under way has until its entry is written to find its approval gone.
    """
    casework.check_reason(place, reason)
    record_decision(place, reference, Act.WITHDRAW, dossier, by, version=version)
    casework.withdraw(place.acting_as(Role.PUBLISH), reference, reason)


@step("make log", "make the disclosure log anew")
def rebuild_log(place: Workplace) -> tuple[str, ...]:
    """Make the disclosure log of what is published; returns the keys of entries that are damaged."""
    return casework.rebuild_log(place.acting_as(Role.PUBLISH))


# ------------------------------------------------------------------------------------------------ one record


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step made of one record.

    Attributes:
        number: the record's.
        key: where the result lies.
        rejected: the code it was quarantined with; there is no result then.
        refused: the codes of what the gate found.
        doubtful: pages (0-based) to look at again.
    """

    number: int
    key: str = ""
    rejected: str = ""
    refused: str = ""
    doubtful: tuple[int, ...] = ()


def quarantining(
    work: Callable[Concatenate[Workplace, str, int, P], StepResult],
) -> Callable[Concatenate[Workplace, str, int, P], StepResult]:
    """Quarantine the record on which the work fails because of its file, whichever stage finds that out."""

    @functools.wraps(work)
    def safe(place: Workplace, manifest: str, number: int, /, *args: P.args, **kwargs: P.kwargs) -> StepResult:
        try:
            return work(place, manifest, number, *args, **kwargs)
        except RejectedInputError as error:
            rejection = error
        except ReaderUnavailableError as error:
            if isinstance(error, ReadersNotStartedError) or _is_tried_again():
                raise
            rejection = UnreadableError(error.detail)
        record = _record(place, manifest, number)
        reference = place.load(manifest, Manifest).reference
        arrival.quarantine(place, reference, ObjectInfo(record.key, record.size, record.etag, ""), rejection)
        return StepResult(number, rejected=rejection.code)

    return safe


def _is_tried_again() -> bool:
    """Whether a transient error of this attempt leads to another; it does not outside a run."""
    run = TaskRunContext.get()
    return run is not None and run.task_run.run_count <= RETRIES


@step("read", "read record {number}")
@quarantining
def read_record(place: Workplace, manifest: str, number: int, parts: Sequence[str] = ()) -> StepResult:
    """Rasterise and OCR one record, or put together what was read of it in parts, whose keys are given in order."""
    record = _record(place, manifest, number)
    key = transcript_key(place, record)
    if not place.has(key):
        if parts:
            place.let_go()
            transcript = pack(join_transcripts([place.load(part, Transcript) for part in parts]))
        else:
            transcript = place.readers.read(record.media, _source(place, record))
        place.save_bytes(key, transcript, "application/gzip")
    return StepResult(number, key)


def transcript_key(place: Workplace, record: Record) -> str:
    """Where the transcript of a record lies once it has been read."""
    return f"transcripts/{record.sha256}/{place.reading_fingerprint[:16]}.json.gz"


@step("read pages", "read pages {first} to {last} of record {number}")
@quarantining
def read_pages(place: Workplace, manifest: str, number: int, first: int, last: int) -> StepResult:
    """Rasterise and OCR some pages of a long record, counted from 1; `read_record` puts them together."""
    record = _record(place, manifest, number)
    key = f"transcripts/{record.sha256}/{place.reading_fingerprint[:16]}-{first}-{last}.json.gz"
    if not place.has(key):
        source = place.keep(record.sha256, lambda: _source(place, record))
        place.save_bytes(key, place.readers.read(record.media, source, range(first - 1, last)), "application/gzip")
    return StepResult(number, key)


@step("read again", "read record {number} again")
@quarantining
def read_again(place: Workplace, manifest: str, number: int, transcript: str, pages: Sequence[int]) -> StepResult:
    """Take a second look at the pages on which the gate could still read something."""
    record = _record(place, manifest, number)
    key = f"transcripts/{record.sha256}/{fingerprint(transcript, sorted(pages))[:16]}.json.gz"
    if not place.has(key):
        looked = place.readers.read_again(record.media, place.load_bytes(transcript), pages, _source(place, record))
        place.save_bytes(key, looked, "application/gzip")
    return StepResult(number, key)


@step("find", "find contacts in record {number}")
@quarantining
def find_in_record(place: Workplace, manifest: str, number: int, transcript: str) -> StepResult:
    """Claim every contact detail of one record."""
    policy = policy_of(place, manifest)
    source, reading = _names(transcript)
    key = f"found/{source}/{fingerprint(reading, redaction_fingerprint(policy))[:32]}.json.gz"
    if not place.has(key):
        found = place.readers.find(policy, place.load_bytes(transcript))
        place.save_bytes(key, found, "application/gzip")
    return StepResult(number, key)


@step("correct", "correct claims in record {number}")
@quarantining
def correct_found(
    place: Workplace, manifest: str, number: int, transcript: str, found: str, corrections: Sequence[str]
) -> StepResult:
    """Follow persons' corrections of one record's claims; of a record they do not concern, the claims stay."""
    policy = policy_of(place, manifest)
    source, name = _names(found)
    made = _corrections(place, manifest, source, corrections)
    if not made:
        return StepResult(number, found)
    depends = fingerprint(name, transcript, made, redaction_fingerprint(policy))
    key = f"found/{source}/{depends[:32]}.json.gz"
    if not place.has(key):
        corrected = place.readers.correct(policy, place.load_bytes(transcript), place.load_bytes(found), made)
        place.save_bytes(key, corrected, "application/gzip")
    return StepResult(number, key)


@step("plan", "plan record {number}")
@quarantining
def plan_record(
    place: Workplace,
    manifest: str,
    number: int,
    transcript: str,
    found: str,
    in_request: Sequence[str],
    corrections: Sequence[str] = (),
) -> StepResult:
    """Decide the marks of one record, sweeping for what was found anywhere in the request.

    The claims that the marks are made of lie beside the plan, for the person who reviews it (`claims_beside`).
    """
    policy = policy_of(place, manifest)
    source, _ = _names(transcript)
    made = _corrections(place, manifest, source, corrections)
    depends = fingerprint(transcript, found, sorted(in_request), made, redaction_fingerprint(policy))
    key = f"plans/{source}/{depends[:32]}.json.gz"
    if not place.has(key):
        others = [place.load_bytes(other) for other in in_request]
        plan, claims = place.readers.plan(policy, place.load_bytes(transcript), place.load_bytes(found), others, made)
        place.save_bytes(claims_beside(key), claims, "application/gzip")
        place.save_bytes(key, plan, "application/gzip")
    return StepResult(number, key)


def claims_beside(plan: str) -> str:
    """Key of the claims that a plan was made of."""
    return f"claims/{plan.removeprefix('plans/')}"


@step("redact", "redact record {number}")
@quarantining
def redact_record(
    place: Workplace, manifest: str, number: int, transcript: str, plan: str, former: str = ""
) -> StepResult:
    """Rebuild one record from painted pixels.

    With the key of its plan before a correction, pages whose marks are the same are not painted again.
    """
    record = _record(place, manifest, number)
    plan_bytes = place.load_bytes(plan)
    key = _redacted_key(place, record, transcript, plan_bytes)
    if not place.has(key):
        source, read = _source(place, record), place.load_bytes(transcript)
        before = _former(place, record, transcript, former) if former else None
        pdf = place.readers.redact(record.media, plan_bytes, read, record.title, source, before)
        place.save_bytes(key, pdf, "application/pdf")
    return StepResult(number, key)


def _redacted_key(place: Workplace, record: Record, transcript: str, plan: bytes) -> str:
    """Named by the plan's content: a request planned anew leaves the files of unchanged plans as they are."""
    depends = fingerprint(digest(plan), transcript, record.title, redaction_fingerprint(place.policy))
    return f"redacted/{record.sha256}/{depends[:32]}.pdf"


def _former(place: Workplace, record: Record, transcript: str, plan: str) -> tuple[bytes, bytes] | None:
    """A plan and what was made by it, if that was from this transcript and as it would be made now."""
    try:
        plan_bytes = place.load_bytes(plan)
        return plan_bytes, place.load_bytes(_redacted_key(place, record, transcript, plan_bytes))
    except ObjectMissingError:
        return None


@step("gate", "gate record {number}")
@quarantining
def gate_record(place: Workplace, manifest: str, number: int, transcript: str, plan: str, pdf: str) -> StepResult:
    """Prove one redacted file, or say what is wrong with it. A report that refuses is stored like any other."""
    data = place.load_bytes(pdf)
    plan_bytes = place.load_bytes(plan)
    depends = fingerprint(digest(plan_bytes), transcript, place.gate_fingerprint)
    key = f"reports/{digest(data)}/{depends[:32]}.json.gz"
    if not place.has(key):
        report = place.readers.gate(data, plan_bytes, place.load_bytes(transcript))
        place.save_bytes(key, report, "application/gzip")
    report_now = place.load(key, VerificationReport)
    return StepResult(number, key, refused=refusal(report_now), doubtful=doubtful_pages(report_now))


# ------------------------------------------------------------------------------------------------ within


def _names(key: str) -> tuple[str, str]:
    """The source digest and the file name in a key `stage/SOURCE/NAME`."""
    _, source, name = key.split("/")
    return source, name


def _corrections(place: Workplace, manifest: str, source: str, names: Sequence[str]) -> tuple[Correction, ...]:
    """The corrections of these names that concern a file."""
    if not names:
        return ()
    reference = place.load(manifest, Manifest).reference
    return concerning((load_correction(place, reference, name) for name in names), source)


def _record(place: Workplace, manifest: str, number: int) -> Record:
    return next(record for record in place.load(manifest, Manifest).records if record.number == number)


def _source(place: Workplace, record: Record) -> bytes:
    data = place.store.get(place.buckets.intake, record.key)
    if digest(data) != record.sha256:
        raise RecordChangedError
    return data
