"""A person's decision on a held request: release exactly the dossier that was shown, or keep it held.

Its own deployment with a typed form, so that it can be run from the Prefect UI at any time after the request was held.
Where `FOI_APPROVALS` asks for two persons, the first release leaves the request held, and the second publishes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from prefect import flow
from prefect.states import Completed, Failed
from prefect.states import State as PrefectState
from pydantic import Field

from flows.alone import alone
from flows.place import open_place
from flows.report import finish
from flows.states import quoting_nothing, settling
from tasks import steps
from tasks.casework import check_complete
from tasks.errors import InvalidRequestError, NotApprovedError
from tasks.model import Outcome, State
from tasks.request import REFERENCE, REVIEWER
from tasks.status import load_status, set_status
from tasks.workplace import Workplace

Shown = Annotated[str, Field(pattern="^[0-9a-f]{12,64}$")]
Reviewer = Annotated[str, Field(pattern=f"^{REVIEWER.pattern}$")]


@flow(name="release", flow_run_name="{decision} {reference}", persist_result=False)
def release(
    reference: str, dossier: Shown, reviewer: Reviewer, decision: Literal["release", "hold"] = "release"
) -> PrefectState:
    """Release a held request, or keep it held.

    Args:
        reference: Of the request.
        dossier: The digest that the review pack shows; 12 digits or more of it.
        reviewer: Who decides; printed in the provenance.
        decision: Release publishes exactly this dossier; hold takes an earlier release back.
    """
    if not REFERENCE.fullmatch(reference):
        raise InvalidRequestError("The reference is not a safe name.")
    with quoting_nothing(), open_place() as place:
        try:
            with alone(reference):
                state = _decide(place, reference, dossier, reviewer, decision)
        except NotApprovedError as error:
            state = Failed(name="Refused", message=str(error))
        return finish(place, reference, state)


def _decide(place: Workplace, reference: str, shown: str, reviewer: str, decision: str) -> PrefectState:
    status = load_status(place, reference)
    if status.state not in {State.HELD, State.RELEASED} or not status.dossier.startswith(shown):
        raise NotApprovedError
    dossier = status.dossier
    if decision == "hold":
        steps.keep_held(place, reference, dossier, reviewer)
        set_status(place, reference, State.HELD, reason=f"kept held by {reviewer}")
        return Completed(name="Held", message=f"Kept held by {reviewer}.")
    check_complete(place, reference, dossier)
    held_for = steps.approve(place, reference, dossier, reviewer)
    if held_for:
        set_status(place, reference, State.HELD, reason=held_for)
        return Completed(name="Held", message=f"Held: {held_for}.")
    set_status(place, reference, State.RELEASED)
    with settling(lambda state, reason: set_status(place, reference, state, reason=reason), on_error=State.HELD):
        version = steps.publish(place, reference, dossier)
    records = tuple(replace(r, outcome=Outcome.PUBLISHED) if r.outcome is Outcome.HELD else r for r in status.records)
    set_status(place, reference, State.PUBLISHED, version=version, records=records)
    return Completed(name="Published", message=f"Version {version}.")
