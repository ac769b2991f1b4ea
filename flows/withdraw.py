"""Takes a published disclosure back: its files go, a notice with the reason stays in their place."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.states import Completed
from prefect.states import State as PrefectState
from pydantic import Field

from flows.alone import WITHDRAWAL_WAITS_S, alone
from flows.place import open_place
from flows.release import Reviewer
from flows.report import finish
from flows.states import quoting_nothing
from tasks import steps
from tasks.errors import InvalidRequestError
from tasks.model import State
from tasks.request import REFERENCE
from tasks.status import load_status, set_status


@flow(name="withdraw", flow_run_name="withdraw {reference}", persist_result=False)
def withdraw(
    reference: str,
    reason: Annotated[str, Field(min_length=5, max_length=500)],
    reviewer: Reviewer,
) -> PrefectState:
    """Withdraw every version of a disclosure.

    Args:
        reference: Of the request.
        reason: Printed on the notice for all to read.
        reviewer: Who takes it back.
    """
    if not REFERENCE.fullmatch(reference):
        raise InvalidRequestError("The reference is not a safe name.")
    with quoting_nothing(), open_place() as place:
        status = load_status(place, reference)
        with alone(reference, wait_s=WITHDRAWAL_WAITS_S, go_on=True):
            steps.withdraw(place, reference, reason, reviewer, status.dossier, status.version)
            set_status(place, reference, State.WITHDRAWN, reason=f"withdrawn by {reviewer}", withdrawn=True)
        return finish(place, reference, Completed(name="Withdrawn", message=f"Withdrawn by {reviewer}."))
