"""A person's decision on a held request: release exactly the dossier that was shown, or keep it held.

Its own deployment with a typed form, so that it can be run from the Prefect UI at any time after the request was held.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from prefect import flow
from prefect.states import Completed
from prefect.states import State as PrefectState
from pydantic import Field

from flows.place import open_place
from flows.states import quoting_nothing, settling
from tasks import steps
from tasks.errors import InvalidRequestError, NotApprovedError
from tasks.model import State
from tasks.request import REFERENCE
from tasks.status import load_status, update_status


@flow(name="release", flow_run_name="{decision} {reference}", persist_result=False)
def release(
    reference: str,
    dossier: Annotated[str, Field(pattern="^[0-9a-f]{12,64}$", description="digest shown with the review pack")],
    reviewer: Annotated[
        str,
        Field(min_length=2, max_length=80, pattern="^[^:@0-9]+$", description="who decides; printed in the provenance"),
    ],
    decision: Literal["release", "hold"] = "release",
) -> PrefectState:
    """Release a held request, or keep it held."""
    if not REFERENCE.fullmatch(reference):
        raise InvalidRequestError("The reference is not a safe name.")
    with quoting_nothing(), open_place() as place:
        status = load_status(place, reference)
        if status.state not in {State.HELD, State.RELEASED} or not status.dossier.startswith(dossier):
            raise NotApprovedError
        if decision == "hold":
            steps.keep_held(place, reference, status.dossier, reviewer)
            update_status(place, status, State.HELD, reason=f"kept held by {reviewer}")
            return Completed(name="Held")
        steps.approve(place, reference, status.dossier, reviewer)
        update_status(place, status, State.RELEASED)
        with settling(lambda state, reason: update_status(place, status, state, reason=reason), on_error=State.HELD):
            version = steps.publish(place, reference, status.dossier)
        records = tuple(replace(r, outcome="published") if r.outcome == "held" else r for r in status.records)
        update_status(place, status, State.PUBLISHED, version=version, records=records)
        return Completed(name="Published", message=f"Version {version}.")
