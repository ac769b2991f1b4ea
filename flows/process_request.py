"""The main job: one request from its folder in the intake bucket to held for a person, or straight on to published.

One flow run per request, named by its reference; one task per record and stage. Started by the event
`foi.request.submitted` (see prefect.yaml) or by the sweep; running it again when nothing changed does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from prefect import flow
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.futures import PrefectFuture, as_completed
from prefect.states import Completed, Failed
from prefect.states import State as PrefectState
from prefect.task_runners import ThreadPoolTaskRunner

from flows.place import open_place
from flows.states import quoting_nothing, settling
from tasks import pipeline, steps
from tasks.arrival import Intake
from tasks.errors import InvalidRequestError, LeakFoundError, RecordChangedError
from tasks.model import Manifest, RecordOutcome, RedactionPlan, StageKeys, State, Transcript
from tasks.request import REFERENCE
from tasks.status import find_status, save_status
from tasks.steps import StepResult
from tasks.workplace import Workplace

THREADS = 8
"""Steps in flight. Threads only wait; how much really runs at once is `FOI_JOBS`, the slots of `tasks.apart`."""

ATTEMPTS = 2
"""How often a request is taken in when uploads change it under the run; after that the sweep takes it up."""

STAGES = ("read", "found", "planned", "redacted", "passed")


@dataclass
class Progress:
    """What the status document and the progress bar say while a run is at work."""

    place: Workplace
    reference: str
    intake: Intake
    outcomes: dict[int, RecordOutcome]
    others: tuple[RecordOutcome, ...]
    version: int
    artifact: object = None
    done: int = field(default=0)
    rejected: set[int] = field(default_factory=set)

    def set_aside(self, result: StepResult) -> bool:
        """Whether a step quarantined the record; it takes no further part then."""
        if result.rejected:
            self.rejected.add(result.number)
            self.advance(result.number, "quarantined", reason=result.rejected)
        return bool(result.rejected)

    def advance(self, number: int, outcome: str, **details: object) -> None:
        """One record has come one stage further."""
        self.done += 1
        self.outcomes[number] = replace(self.outcomes[number], outcome=outcome, **details)
        self.save(State.PROCESSING)
        if self.artifact is not None:
            share = 100.0 * self.done / max(1, len(STAGES) * len(self.outcomes))
            update_progress_artifact(self.artifact, progress=min(100.0, share))

    def finish(self, outcome: str) -> None:
        """Every record that passed the gate has come to its end."""
        self.outcomes = {
            n: replace(o, outcome=outcome) if o.outcome in {"passed", "held"} else o for n, o in self.outcomes.items()
        }

    def save(self, state: State, reason: str = "", dossier: str = "", version: int | None = None) -> None:
        """Write the status document."""
        save_status(
            self.place,
            self.reference,
            state,
            reason=reason,
            listing=self.intake.listing,
            dossier=dossier,
            version=self.version if version is None else version,
            records=(*self.outcomes.values(), *self.others),
        )


@flow(
    name="process-request",
    flow_run_name="{reference}",
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS),
    persist_result=False,
)
def process_request(reference: str) -> PrefectState:
    """Process one request: take in, read, find, plan, redact, gate, assemble; publish when that is approved."""
    if not REFERENCE.fullmatch(reference):
        raise InvalidRequestError("The reference is not a safe name.")
    with quoting_nothing(), open_place() as place:
        for attempt in range(ATTEMPTS):
            try:
                return _take_in_and_process(place, reference)
            except RecordChangedError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError  # the loop returns or raises


def _take_in_and_process(place: Workplace, reference: str) -> PrefectState:
    intake = steps.take_in(place, reference)
    if intake.unchanged:
        return Completed(name="Unchanged", message=f"Nothing changed; the request is {intake.state}.")
    if intake.state is not State.PROCESSING:
        return Completed(name=intake.state.capitalize())
    progress = _begin(place, reference, intake)
    try:
        with settling(progress.save):
            return _process(place, reference, intake, progress)
    except LeakFoundError as error:
        return Failed(name="Blocked", message=str(error))


def _begin(place: Workplace, reference: str, intake: Intake) -> Progress:
    manifest = place.load(intake.manifest, Manifest)
    known = find_status(place, reference)
    prefix = f"{reference}/"
    outcomes = {
        record.number: RecordOutcome(record.key.removeprefix(prefix), "taken in", record.media.pages)
        for record in manifest.records
    }
    artifact = create_progress_artifact(0.0, key=_artifact_key("progress", reference), description="Stages done")
    others = known.records if known else ()
    progress = Progress(place, reference, intake, outcomes, others, known.version if known else 0, artifact)
    progress.save(State.PROCESSING)
    return progress


def _process(place: Workplace, reference: str, intake: Intake, progress: Progress) -> PrefectState:
    stages, rejected = redact_records(place, intake, progress)
    if not stages:
        progress.save(State.QUARANTINED, "no record could be read")
        return Completed(name="Quarantined", message="No record could be read.")
    dossier = steps.assemble(place, intake.manifest, stages, rejected)
    _report(reference, progress)
    held_for = steps.approve_by_policy(place, reference, dossier)
    if held_for:
        progress.finish("held")
        progress.save(State.HELD, held_for, dossier)
        return Completed(name="Held", message=f"Held: {held_for}.")
    progress.save(State.RELEASED, "", dossier)
    version = steps.publish(place, reference, dossier)
    progress.finish("published")
    progress.save(State.PUBLISHED, "", dossier, version)
    return Completed(name="Published", message=f"Version {version}.")


def redact_records(place: Workplace, intake: Intake, progress: Progress) -> tuple[list[StageKeys], list[int]]:
    """Take every record from source to gated PDF; returns their keys by number, and the numbers rejected on the way.

    Reading and finding run record by record; planning waits for all of them, because a value found in one record is
    swept for in the others. A page on which the gate can still read something is looked at once more.
    """
    manifest = intake.manifest
    transcripts, found = _read_and_find(place, intake, progress)
    stages: list[StageKeys] = []
    for look in range(pipeline.LOOKS):
        stages, doubtful = _redact_and_gate(place, manifest, transcripts, found, progress)
        if not doubtful or look == pipeline.LOOKS - 1:
            break
        looking = [steps.read_again.submit(place, manifest, n, transcripts[n], pages) for n, pages in doubtful.items()]
        looked = _collect(looking, progress)
        transcripts.update(looked)
        finding = [steps.find_in_record.submit(place, manifest, n, key) for n, key in looked.items()]
        found.update(_collect(finding, progress))
    return stages, sorted(progress.rejected)


def _read_and_find(place: Workplace, intake: Intake, progress: Progress) -> tuple[dict[int, str], dict[int, str]]:
    """Keys of transcripts and of claims by number; records that turn out unreadable are set aside."""
    reading = [steps.read_record.submit(place, intake.manifest, number) for number in intake.numbers]
    transcripts: dict[int, str] = {}
    finding: list[PrefectFuture[StepResult]] = []
    for future in as_completed(reading):
        result = future.result()
        if progress.set_aside(result):
            continue
        transcripts[result.number] = result.key
        progress.advance(result.number, "read", pages=len(place.load(result.key, Transcript).pages))
        finding.append(steps.find_in_record.submit(place, intake.manifest, result.number, result.key))
    return transcripts, _collect(finding, progress, "found")


def _redact_and_gate(
    place: Workplace, manifest: str, transcripts: Mapping[int, str], found: Mapping[int, str], progress: Progress
) -> tuple[list[StageKeys], dict[int, tuple[int, ...]]]:
    """Keys of every record by number, and the pages to look at again of those that the gate refused.

    What was found in a record that was set aside later is swept for all the same.
    """
    everywhere = sorted(found.values())
    planning = [
        steps.plan_record.submit(place, manifest, number, transcripts[number], key, everywhere)
        for number, key in sorted(found.items())
        if number not in progress.rejected
    ]
    plans = _collect(planning, progress, "planned")
    pdfs: dict[int, str] = {}
    gating: list[PrefectFuture[StepResult]] = []
    redacting = [
        steps.redact_record.submit(place, manifest, number, transcripts[number], key)
        for number, key in sorted(plans.items())
    ]
    for future in as_completed(redacting):
        result = future.result()
        if progress.set_aside(result):
            continue
        number, pdfs[result.number] = result.number, result.key
        progress.advance(number, "redacted", marks=len(place.load(plans[number], RedactionPlan).marks))
        gating.append(steps.gate_record.submit(place, manifest, number, transcripts[number], plans[number], result.key))
    doubtful: dict[int, tuple[int, ...]] = {}
    reports: dict[int, str] = {}
    for future in as_completed(gating):
        result = future.result()
        if progress.set_aside(result):
            continue
        reports[result.number] = result.key
        if result.doubtful:
            doubtful[result.number] = result.doubtful
        if result.refused:
            progress.advance(result.number, "refused", reason=f"The gate found {result.refused}.")
        else:
            progress.advance(result.number, "passed", reason="")
    stages = [StageKeys(n, transcripts[n], plans[n], pdfs[n], reports[n]) for n in sorted(reports)]
    return stages, doubtful


def _collect(futures: Sequence[PrefectFuture[StepResult]], progress: Progress, outcome: str = "") -> dict[int, str]:
    """Keys of the results by number; the status says the outcome, where one is given."""
    keys: dict[int, str] = {}
    for future in as_completed(list(futures)):
        result = future.result()
        if not progress.set_aside(result):
            keys[result.number] = result.key
            if outcome:
                progress.advance(result.number, outcome)
    return keys


def _report(reference: str, progress: Progress) -> None:
    """A table of records by number: names stay out of Prefect."""
    rows = [
        {"record": number, "pages": outcome.pages, "marks": outcome.marks, "outcome": outcome.outcome}
        for number, outcome in sorted(progress.outcomes.items())
    ]
    create_table_artifact(rows, key=_artifact_key("records", reference), description=f"Records of {reference}")


def _artifact_key(kind: str, reference: str) -> str:
    """Prefect allows lower-case letters, digits and dashes."""
    return f"{kind}-" + "".join(c if c.isalnum() else "-" for c in reference.lower())
