"""The main job: one request from its folder in the intake bucket to held for a person, or straight on to published.

One flow run per request, named by its reference; one task per record and stage. Started by the event
`foi.request.submitted` (see prefect.yaml) or by the sweep; running it again when nothing changed does nothing.
"""

from __future__ import annotations

from prefect import flow
from prefect.states import Completed, Failed
from prefect.states import State as PrefectState
from prefect.task_runners import ThreadPoolTaskRunner

from flows.alone import alone
from flows.patience import patiently
from flows.place import open_place
from flows.progress import Progress, begin
from flows.records import redact_records
from flows.report import finish
from flows.states import quoting_nothing, settling
from flows.turns import UNCHANGED, Turn, take_turn
from tasks import steps
from tasks.arrival import Intake
from tasks.corrections import load_corrections
from tasks.errors import InvalidRequestError, LeakFoundError, RecordChangedError
from tasks.model import Outcome, State
from tasks.request import REFERENCE
from tasks.status import load_status
from tasks.workplace import Workplace

THREADS = 8
"""Steps in flight. Threads only wait; how much really runs at once is `FOI_JOBS`, the slots of `tasks.apart`."""

ATTEMPTS = 2
"""How often a request is taken in when uploads change it under the run; after that the sweep takes it up."""


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
    with quoting_nothing(), take_turn(reference) as turn:
        return patiently(lambda: _in_turn(turn, reference)) if turn else turn.left()


def _in_turn(turn: Turn, reference: str) -> PrefectState:
    with open_place() as place:
        return turn.work(lambda: _work(place, reference))


def _work(place: Workplace, reference: str) -> PrefectState:
    for attempt in range(ATTEMPTS):
        try:
            state = _take_in_and_process(place, reference)
        except RecordChangedError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return state if state.name == UNCHANGED else finish(place, reference, state)
    raise AssertionError  # the loop returns or raises


def _take_in_and_process(place: Workplace, reference: str) -> PrefectState:
    intake = steps.take_in(place, reference)
    if intake.unchanged:
        return Completed(name=UNCHANGED, message=f"Nothing changed; the request is {intake.state}.")
    if intake.state is not State.PROCESSING:
        return Completed(name=intake.state.capitalize(), message=load_status(place, reference).reason)
    progress = begin(place, reference, intake.manifest)
    try:
        with settling(progress.save):
            return _process(place, reference, intake, progress)
    except LeakFoundError as error:
        return Failed(name="Blocked", message=str(error))


def _process(place: Workplace, reference: str, intake: Intake, progress: Progress) -> PrefectState:
    corrections, _ = load_corrections(place, reference)
    stages = redact_records(place, intake.manifest, intake.numbers, corrections, progress)
    if not stages:
        progress.save(State.QUARANTINED, "no record could be read")
        return Completed(name="Quarantined", message="No record could be read.")
    dossier = steps.assemble(place, intake.manifest, stages, sorted(progress.rejected), corrections)
    held_for = steps.approve_by_policy(place, reference, dossier)
    if held_for:
        return hold(place, reference, dossier, held_for, progress)
    progress.save(State.RELEASED, "", dossier=dossier)
    with alone(reference):
        version = steps.publish(place, reference, dossier)
        progress.finish(Outcome.PUBLISHED)
        progress.save(State.PUBLISHED, "", dossier=dossier, version=version)
    return Completed(name="Published", message=f"Version {version}.")


def hold(place: Workplace, reference: str, dossier: str, reason: str, progress: Progress) -> PrefectState:
    """End a run with a dossier that waits for a person, and with what that person needs to decide."""
    steps.make_pack(place, reference, dossier)
    progress.finish(Outcome.HELD)
    progress.save(State.HELD, reason, dossier=dossier)
    return Completed(name="Held", message=f"Held: {reason}.")
