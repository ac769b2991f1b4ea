"""What Prefect knows of our runs, and the little that is done to them; asked over HTTP, without importing Prefect.

Rule kept here: Prefect's database is the one arbiter of which run is at work: it orders runs by when they were made,
and no object store does without conditional writes. A question is asked again for a while when the server is busy or
away, because every answer decides something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from flows.announce import ReceiverUnavailableError, open_prefect
from flows.asking import LONG_PAUSES_S, PAUSES_S, answer_of
from flows.settings import Settings
from tasks.errors import TransientError

PROCESSING = "process-request"
ON_REQUEST = "process-request/on-request"
"""The deployment that processes a request."""

HEARTBEAT = "prefect.flow-run.heartbeat"
JOINED = "Joined"
"""Name of the state of a run that left its work to another run of the same request."""

TAG = "foi"
"""What all our deployments are tagged with; runs of others are none of our business."""

STARTED = ("PENDING", "RUNNING")
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_PAGE = 200
_WORKER = "prefect.worker.name"


class RunsUnavailableError(TransientError):
    """Prefect's server did not say which runs there are."""

    code = "runs-unavailable"
    message = "The Prefect server did not answer."
    action = "Nothing: it is tried again. If it lasts, check that the server runs and PREFECT_API_URL is right."


@dataclass(frozen=True, slots=True)
class Run:
    """A flow run.

    Attributes:
        created: when Prefect made it, ISO 8601; with the id, the order of runs.
        deployment_id: what it is a run of.
        parameters: what it was given.
        kind: type of its state, e.g. RUNNING.
        since: when it came into that state.
        worker: name of the worker that took it; "" while none has.
        pid: of its process on the worker's machine; 0 while there is none.
    """

    id: str
    created: str
    flow_id: str
    deployment_id: str
    parameters: dict[str, Any] = field(repr=False)
    kind: str
    state: str
    since: datetime
    worker: str = ""
    pid: int = 0

    @property
    def reference(self) -> str:
        """The request it is about; "" for the sweep."""
        return str(self.parameters.get("reference", ""))

    @property
    def order(self) -> tuple[str, str]:
        """Older runs come first."""
        return self.created, self.id


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of Prefect's: there is one of a name at a time, and each that is made has an id of its own."""

    id: str
    value: dict[str, Any] = field(repr=False)


@dataclass(slots=True)
class Runs:
    """Questions to a Prefect server about our runs: of the flows that are named, or of all of ours.

    Attributes:
        client: of the server's API.
        pauses_s: after which a question is asked again while the server is busy or away.
    """

    client: httpx.Client = field(repr=False)
    pauses_s: Sequence[float] = PAUSES_S

    def started(self, *flows: str) -> list[Run]:
        """Runs that are Pending or Running, oldest first."""
        return sorted(self._filter(flows, state={"type": {"any_": list(STARTED)}}), key=lambda run: run.order)

    def due(self, *flows: str) -> list[Run]:
        """Runs that wait for a worker."""
        now = datetime.now(UTC).isoformat()
        return list(self._filter(flows, state={"type": {"any_": ["SCHEDULED"]}}, expected_start_time={"before_": now}))

    def ended(self, since: datetime, *flows: str, crashed: bool = False, name: str = "") -> list[Run]:
        """Runs that ended since then; those that crashed, or whose state has a name, where that is asked."""
        state: dict[str, Any] = {"type": {"any_": ["CRASHED"]}} if crashed else {}
        if name:
            state["name"] = {"any_": [name]}
        return list(self._filter(flows, end_time={"after_": since.isoformat()}, **({"state": state} if state else {})))

    def made(self, since: datetime, *flows: str) -> list[Run]:
        """Runs that were to start since then, but for those that left their work to others, oldest first."""
        found = self._filter(
            flows, expected_start_time={"after_": since.isoformat()}, state={"name": {"not_any_": [JOINED]}}
        )
        return sorted(found, key=lambda run: run.order)

    def is_alive(self, run: Run, within: timedelta) -> bool:
        """Whether the run's process gave a sign of life lately."""
        asked = {
            "filter": {
                "occurred": {"since": (datetime.now(UTC) - within).isoformat()},
                "event": {"name": [HEARTBEAT]},
                "resource": {"id": [f"prefect.flow-run.{run.id}"]},
            },
            "limit": 1,
        }
        return bool(self._ask("POST", "/events/filter", asked).json()["events"])

    def read(self, run_id: str) -> Run:
        """One run, as it is now."""
        return _run(self._ask("GET", f"/flow_runs/{run_id}").json())

    def is_over(self, run_id: str) -> bool:
        """Whether a run has ended, or is not known any more."""
        answer = self._answer("GET", f"/flow_runs/{run_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return True
        return str(_checked(answer).json()["state_type"]) in OVER

    def settle(self, run: Run, kind: str, name: str, message: str) -> None:
        """Put a run whose process does not do it into its last state."""
        state = {"type": kind, "name": name, "message": message}
        self._ask("POST", f"/flow_runs/{run.id}/set_state", {"state": state, "force": True})

    def make_variable(self, name: str, value: Mapping[str, str]) -> Variable:
        """Make a variable unless there is one of that name; returns the one there is."""
        while True:
            answer = self._answer("POST", "/variables/", {"name": name, "value": dict(value), "tags": [TAG]})
            if answer.status_code == httpx.codes.CONFLICT:
                answer = self._answer("GET", f"/variables/name/{name}")
                if answer.status_code == httpx.codes.NOT_FOUND:
                    continue  # removed between the questions
            row = _checked(answer).json()
            return Variable(str(row["id"]), dict(row["value"]))

    def remove_variable(self, variable_id: str) -> None:
        """Remove exactly this one, if it is there."""
        answer = self._answer("DELETE", f"/variables/{variable_id}")
        if answer.status_code != httpx.codes.NOT_FOUND:
            _checked(answer)

    def create(self, deployment: str, key: str, **parameters: object) -> str:
        """Make a run of a deployment, once for each `key`; returns its id."""
        found = self._ask("GET", f"/deployments/name/{deployment}").json()["id"]
        return self._create(str(found), key, parameters)

    def create_again(self, run: Run) -> str:
        """Make a run like another, once; returns its id."""
        return self._create(run.deployment_id, f"after-{run.id}", run.parameters)

    def _create(self, deployment_id: str, key: str, parameters: Mapping[str, object]) -> str:
        body = {"parameters": dict(parameters), "state": {"type": "SCHEDULED"}, "idempotency_key": key}
        return str(self._ask("POST", f"/deployments/{deployment_id}/create_flow_run", body).json()["id"])

    def tell(self, event: str, resource: str, labels: dict[str, str], payload: dict[str, Any], once: str) -> None:
        """Emit an event; the same `once` gives the same event.

        Raises:
            ReceiverUnavailableError: the server did not take it.
        """
        body = {
            "id": str(uuid5(NAMESPACE_URL, f"foi:{event}/{once}")),
            "occurred": datetime.now(UTC).isoformat(),
            "event": event,
            "resource": {"prefect.resource.id": resource, **labels},
            "related": [],
            "payload": payload,
        }
        try:
            self._ask("POST", "/events", [body])
        except RunsUnavailableError as error:
            raise ReceiverUnavailableError(error.detail) from None

    def told(self, event: str, since: datetime) -> Iterator[dict[str, Any]]:
        """Events of a name that the server took since then, newest first."""
        asked: dict[str, Any] = {
            "filter": {"occurred": {"since": since.isoformat()}, "event": {"name": [event]}, "order": "DESC"},
            "limit": 50,
        }
        page = self._ask("POST", "/events/filter", asked).json()
        while True:
            yield from page["events"]
            if not page.get("next_page"):
                return
            page = self._ask("GET", page["next_page"]).json()

    def _filter(self, flows: Iterable[str], **conditions: Any) -> Iterator[Run]:
        ours = {"tags": {"all_": [TAG]}}
        asked: dict[str, Any] = {"flow_runs": conditions, "deployments": ours, "limit": _PAGE, "sort": "ID_DESC"}
        if names := list(flows):
            asked["flows"] = {"name": {"any_": names}}
        offset = 0
        while True:
            page = self._ask("POST", "/flow_runs/filter", {**asked, "offset": offset}).json()
            yield from map(_run, page)
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        return _checked(self._answer(method, path, body))

    def _answer(self, method: str, path: str, body: object = None) -> httpx.Response:
        busy = (httpx.codes.TOO_MANY_REQUESTS,)
        return answer_of(self.client, method, path, body, RunsUnavailableError, busy, self.pauses_s)


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise RunsUnavailableError(f"HTTP {answer.status_code}.")
    return answer


def _run(row: dict[str, Any]) -> Run:
    state = row.get("state") or {}
    return Run(
        str(row["id"]),
        str(row["created"]),
        str(row["flow_id"]),
        str(row["deployment_id"]),
        dict(row["parameters"]),
        str(row["state_type"]),
        str(row["state_name"]),
        datetime.fromisoformat(state.get("timestamp") or row["created"]),
        str((row.get("labels") or {}).get(_WORKER, "")),
        int(pid) if (pid := str(row.get("infrastructure_pid") or "")).isdigit() else 0,
    )


@contextmanager
def open_runs(settings: Settings) -> Iterator[Runs]:
    """The runs of the Prefect server that the settings name, for a run of ours, which can wait.

    Raises:
        ConfigurationError: they name none.
    """
    with open_prefect(settings) as client:
        yield Runs(client, LONG_PAUSES_S)
