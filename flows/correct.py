"""A person's corrections of what is shown: marks removed, boxes and terms added; then held again, with a new pack.

Nothing is read again: the records' transcripts are planned anew, and only records whose marks changed are painted and
judged by the gate again.

The form takes numbers only, because Prefect keeps a form's answers. Terms to withhold are contact details: they come in
a corrections file that `foi correct` puts into the work bucket, and the form gets that file's name.
"""

from __future__ import annotations

from typing import Annotated, Literal

from prefect import flow
from prefect.states import Failed
from prefect.states import State as PrefectState
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.place import open_place
from flows.process_request import THREADS, hold
from flows.progress import begin
from flows.records import redact_read
from flows.release import Reviewer, Shown
from flows.report import finish
from flows.states import quoting_nothing, settling
from tasks import steps
from tasks.corrections import load_corrections
from tasks.errors import InvalidRequestError, LeakFoundError
from tasks.model import Case, RequestStatus, State
from tasks.request import REFERENCE
from tasks.review.asked import Asked, BoxName, CorrectionRefusedError, MarkName
from tasks.status import load_status, set_status
from tasks.workplace import Workplace

CORRECTABLE = frozenset({State.HELD, State.RELEASED, State.PUBLISHED, State.WITHDRAWN})

AT_WORK = frozenset({State.PROCESSING, State.FAILED})
"""A run that crashed on its way left one of these behind; started again it may go on, and nothing else may begin."""


@flow(
    name="correct",
    flow_run_name="correct {reference}",
    task_runner=ThreadPoolTaskRunner(max_workers=THREADS),
    persist_result=False,
)
def correct(
    reference: str,
    dossier: Shown,
    reviewer: Reviewer,
    remove: list[MarkName] = [],  # noqa: B006 - Prefect makes a form of it and hands over a new list
    boxes: list[BoxName] = [],  # noqa: B006
    file: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = "",
    why: Literal["something was missed", "too much was marked", "both"] = "both",
) -> PrefectState:
    """Correct the marks of a held request.

    Args:
        reference: Of the request.
        dossier: The digest that the review pack shows; 12 digits or more of it.
        reviewer: Who corrects.
        remove: Marks whose value is public, as the pack numbers them, e.g. 2.7. Marks with one value go together.
        boxes: Places to withhold, as the pack shows them, e.g. 1:3:120,340,560,390 (record:page:left,top,right,bottom).
        file: For texts to withhold. Never type one here: run foi correct with --term and --upload-only, and put the
            name here that it prints.
        why: Kept with the correction.
    """
    if not REFERENCE.fullmatch(reference):
        raise InvalidRequestError("The reference is not a safe name.")
    asked = Asked(remove=tuple(remove), boxes=tuple(boxes))
    with quoting_nothing(), open_place() as place:
        status = load_status(place, reference)
        try:
            if status.state not in CORRECTABLE | AT_WORK or not status.dossier.startswith(dossier):
                raise CorrectionRefusedError(f"The request is {status.state}, and not with this dossier.")
            going_on = status.state in AT_WORK
            name = steps.make_correction(place, reference, status.dossier, reviewer, asked, file, why, going_on)
        except CorrectionRefusedError as error:
            return finish(place, reference, Failed(name="Refused", message=str(error)))
        try:
            state = _process_again(place, status, reviewer)
        except LeakFoundError as error:
            steps.refuse_correction(place, reference, status.dossier, name)
            set_status(
                place,
                reference,
                status.state if status.state in {State.PUBLISHED, State.WITHDRAWN} else State.HELD,
                reason="a correction was refused by the gate; what was held before is held",
                dossier=status.dossier,
                records=status.records,
            )
            state = Failed(name="Refused", message=str(error))
        return finish(place, reference, state)


def _process_again(place: Workplace, status: RequestStatus, reviewer: str) -> PrefectState:
    reference = status.reference
    case = place.load(f"cases/{reference}/{status.dossier}.json.gz", Case)
    corrections, _ = load_corrections(place, reference)
    progress = begin(place, reference, case.manifest)
    progress.resume({keys.number for keys in case.records}, status.records)
    with settling(progress.save):
        stages = redact_read(place, case.manifest, case.records, corrections, progress)
        made = steps.assemble(place, case.manifest, stages, sorted(progress.rejected), corrections)
        return hold(place, reference, made, f"corrected by {reviewer}; waiting for a person's release", progress)
