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
from tasks import steps
from tasks.errors import InvalidRequestError, NotApprovedError
from tasks.model import RequestStatus, State
from tasks.request import REFERENCE
from tasks.status import load_status, save_status
from tasks.workplace import Workplace


@flow(name="release", flow_run_name="{decision} {reference}", persist_result=False)
def release(
    reference: str,
    dossier: Annotated[str, Field(pattern="^[0-9a-f]{12,64}$", description="digest shown with the review pack")],
    reviewer: Annotated[str, Field(min_length=2, max_length=80, description="who decides; printed in the provenance")],
    decision: Literal["release", "hold"] = "release",
) -> PrefectState:
    """Release a held request, or keep it held."""
    if not REFERENCE.fullmatch(reference):
        raise InvalidRequestError("The reference is not a safe name.")
    with open_place() as place:
        status = load_status(place, reference)
        if status.state not in {State.HELD, State.RELEASED} or not status.dossier.startswith(dossier):
            raise NotApprovedError
        if decision == "hold":
            _save(place, status, State.HELD, f"kept held by {reviewer}")
            return Completed(name="Held")
        steps.approve(place, reference, status.dossier, reviewer)
        _save(place, status, State.RELEASED)
        version = steps.publish(place, reference, status.dossier)
        published = replace(
            status,
            version=version,
            records=tuple(replace(r, outcome="published") if r.outcome == "held" else r for r in status.records),
        )
        _save(place, published, State.PUBLISHED)
        return Completed(name="Published", message=f"Version {version}.")


def _save(place: Workplace, status: RequestStatus, state: State, reason: str = "") -> None:
    save_status(
        place,
        status.reference,
        state,
        reason=reason,
        listing=status.listing,
        dossier=status.dossier,
        version=status.version,
        records=status.records,
    )
