"""The nightly truth: every request in the intake bucket that has no current result is submitted for processing.

Events are hints (they get lost on every server); this listing is what nothing escapes. A request whose listing is the
one of its last settled run costs one listing and one status document.
"""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import flow
from prefect.artifacts import create_table_artifact
from prefect.deployments import run_deployment
from prefect.states import Completed
from prefect.states import State as PrefectState

from flows.place import open_place
from flows.states import quoting_nothing
from tasks.model import RequestStatus, State
from tasks.request import REFERENCE
from tasks.status import SETTLED, find_status, list_request, listing_digest, now
from tasks.workplace import Workplace

DEPLOYMENT = "process-request/on-request"

AT_WORK = frozenset({State.PROCESSING, State.RELEASED})
AT_WORK_S = 3600.0
"""A run writes its request's status at every stage; one that has been silent for longer is taken for dead."""


@flow(name="sweep", flow_run_name="nightly sweep", persist_result=False)
def sweep() -> PrefectState:
    """Submit every request that is new, changed, failed or forgotten."""
    rows: list[dict[str, object]] = []
    unsafe = 0
    with quoting_nothing(), open_place() as place:
        for reference in place.store.list_folders(place.buckets.intake):
            if not REFERENCE.fullmatch(reference):
                unsafe += 1
                continue
            state, due = _needs_work(place, reference)
            if due:
                # One try a night: a run that crashed must not be mistaken for the one that is wanted now.
                run_deployment(
                    DEPLOYMENT,
                    parameters={"reference": reference},
                    timeout=0,
                    idempotency_key=f"{reference}@{due}@{now()[:10]}",
                    as_subflow=False,
                )
            rows.append({"reference": reference, "state": state, "submitted": "yes" if due else ""})
    submitted = sum(1 for row in rows if row["submitted"])
    create_table_artifact(rows, key="sweep", description=f"{len(rows)} requests, {submitted} submitted")
    if unsafe:
        return Completed(message=f"{submitted} of {len(rows)} submitted; {unsafe} folders have unsafe names.")
    return Completed(message=f"{submitted} of {len(rows)} submitted.")


def _needs_work(place: Workplace, reference: str) -> tuple[str, str]:
    """The request's state, and its listing digest when it must be processed (else "")."""
    listing = listing_digest(place, list_request(place, reference))
    status = find_status(place, reference)
    if status is None:
        return "new", listing
    if status.state in AT_WORK and _age_s(status) < AT_WORK_S:
        return str(status.state), ""
    settled = status.listing == listing and status.state in SETTLED
    return str(status.state), "" if settled else listing


def _age_s(status: RequestStatus) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(status.updated)).total_seconds()
