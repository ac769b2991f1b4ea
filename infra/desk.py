"""What officers and operators do from the terminal: submit, process, see, decide.

Talks to the object store and to Prefect's API over HTTP; importing Prefect would cost seconds for one request.
"""

from __future__ import annotations

import mimetypes
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx

from flows.place import open_place
from infra.embedded import read_environment
from tasks.casework import draft_bundle
from tasks.contacts.plain import find_in_text
from tasks.disclosure.clock import due_date, working_days_left
from tasks.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotApprovedError,
    NothingThereError,
    RecordMissingError,
    StoreUnavailableError,
    UnknownRequestError,
)
from tasks.intake import RECORDS_FOLDER, REQUEST_FILE
from tasks.model import STATE_MEANING, RecordOutcome, Role, State
from tasks.request import REFERENCE, Request, parse_request
from tasks.status import find_status, list_statuses, load_status
from tasks.store import ObjectStore
from tasks.workplace import Workplace

PROCESSING = "process-request/on-request"
RELEASE = "release/by-officer"
WITHDRAWAL = "withdraw/on-order"


@contextmanager
def open_desk(state: Path) -> Iterator[Workplace]:
    """The workplace the settings describe; without settings, that of the embedded stack in `state`.

    Raises:
        ConfigurationError: there are neither settings nor a stack.
    """
    if "FOI_STORE_ENDPOINT" not in os.environ:
        found = read_environment(state)
        if found is None:
            raise ConfigurationError(
                "No store is set and no embedded stack was started here: run `foi up`, or set FOI_STORE_ENDPOINT."
            )
        os.environ.update(found)
    with open_place() as place:
        yield place


# ------------------------------------------------------------------------------------------------ submit


def submit(place: Workplace, folder: Path) -> tuple[str, int, int]:
    """Upload a request's folder: records first, `request.json` last.

    Returns:
        its reference, how many objects were uploaded, how many were there already.

    Raises:
        InvalidRequestError: naming the field at fault.
        RecordMissingError: request.json lists a file the folder does not hold.
    """
    request_file = folder / REQUEST_FILE
    if not request_file.is_file():
        raise InvalidRequestError("There is no such file.", subject=str(request_file))
    untrusted = request_file.read_bytes()
    request = parse_request(untrusted, _reference_in(untrusted, folder))
    found = (p for p in (folder / RECORDS_FOLDER).rglob("*") if p.is_file() and not p.is_symlink())
    names = sorted(p.relative_to(folder).as_posix() for p in found)
    for listed in request.records or ():
        if listed.file not in names:
            raise RecordMissingError(subject=listed.file)
    store, bucket = place.acting_as(Role.UPSTREAM).store, place.buckets.intake
    uploaded = sum(_upload(store, bucket, request.reference, folder, n) for n in names)
    changed = _upload(store, bucket, request.reference, folder, REQUEST_FILE, always=uploaded > 0)
    return request.reference, uploaded + changed, len(names) + 1 - uploaded - changed


def resubmit(place: Workplace, folder: Path) -> None:
    """Upload `request.json` again although it has not changed: the event comes anew, the content does not."""
    untrusted = (folder / REQUEST_FILE).read_bytes()
    reference = _reference_in(untrusted, folder)
    store = place.acting_as(Role.UPSTREAM).store
    _upload(store, place.buckets.intake, reference, folder, REQUEST_FILE, always=True)


def _reference_in(untrusted: bytes, folder: Path) -> str:
    """The reference request.json gives itself; a folder on disk may be called anything."""
    import msgspec

    try:
        said = msgspec.json.decode(untrusted, type=dict[str, object]).get("reference")
    except msgspec.DecodeError:
        raise InvalidRequestError("the whole file: not a JSON object", subject=str(folder / REQUEST_FILE)) from None
    return said if isinstance(said, str) else folder.name


def _upload(store: ObjectStore, bucket: str, reference: str, folder: Path, name: str, always: bool = False) -> bool:
    """Upload one file unless the same bytes are there; whether it was uploaded."""
    import hashlib

    data = (folder / name).read_bytes()
    key = f"{reference}/{name}"
    known = store.head(bucket, key)
    same = (
        known is not None
        and known.size == len(data)
        and known.etag == hashlib.md5(data, usedforsecurity=False).hexdigest()
    )
    if same and not always:
        return False
    store.put(bucket, key, data, mimetypes.guess_type(name)[0] or "application/octet-stream")
    return True


# ------------------------------------------------------------------------------------------------ runs


def process(reference: str) -> None:
    """Start a run for one request.

    Raises:
        UnknownRequestError: the reference is not a safe name.
    """
    if not REFERENCE.fullmatch(reference):
        raise UnknownRequestError(subject=reference)
    start_run(PROCESSING, {"reference": reference})


def decide(place: Workplace, reference: str, reviewer: str, dossier: str, decision: str) -> str:
    """Start a release run with a person's decision; returns the digest of the dossier it is about.

    Raises:
        UnknownRequestError: no such request.
        NotApprovedError: the request is not held, or holds another dossier than the one that was looked at.
    """
    status = load_status(place, reference)
    if status.state not in {State.HELD, State.RELEASED} or not status.dossier.startswith(dossier):
        raise NotApprovedError(f"The request is {status.state}.", subject=reference)
    start_run(
        RELEASE,
        {"reference": reference, "dossier": status.dossier, "reviewer": reviewer, "decision": decision},
    )
    return status.dossier


def review(place: Workplace, reference: str, folder: Path) -> tuple[str, Path]:
    """Write the held draft into a folder; returns its digest and the file to open first.

    Raises:
        UnknownRequestError: no such request.
        NothingThereError: nothing of it is held.
    """
    status = load_status(place, reference)
    if not status.dossier or status.state is State.BLOCKED:
        raise NothingThereError(f"It is {status.state}: no draft is held.", subject=reference)
    for path, data in draft_bundle(place, reference, status.dossier).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return status.dossier, folder / "data" / "response.html"


def withdraw(place: Workplace, reference: str, reason: str) -> None:
    """Start a run that takes a disclosure back.

    Raises:
        UnknownRequestError: no such request.
        NothingThereError: it is not public.
    """
    status = load_status(place, reference)
    if not status.version or status.state is State.WITHDRAWN:
        raise NothingThereError(f"It is {status.state}: nothing of it is public.", subject=reference)
    if find_in_text(reason, place.policy):  # here already: what a run is given stays in Prefect's database
        raise ConfigurationError("The reason holds a contact detail.", subject=reference)
    start_run(WITHDRAWAL, {"reference": reference, "reason": reason})


def api_url() -> str:
    """Where Prefect's API answers.

    Raises:
        ConfigurationError: PREFECT_API_URL is not set.
    """
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        raise ConfigurationError("PREFECT_API_URL is not set: `foi up` sets it, or give your server's address.")
    return url


def api() -> httpx.Client:
    """A client of Prefect's API, with the shared credential when one is set."""
    credential = os.environ.get("PREFECT_API_AUTH_STRING", "")
    user, _, password = credential.partition(":")
    return httpx.Client(base_url=api_url(), timeout=30, auth=(user, password) if credential else None)


def start_run(deployment: str, parameters: dict[str, str]) -> str:
    """Create a run of a deployment; returns its id.

    Raises:
        StoreUnavailableError: Prefect does not answer.
        ConfigurationError: the deployment is not there.
    """
    try:
        with api() as client:
            return create_run(client, deployment, parameters)
    except httpx.HTTPError as error:
        raise PrefectUnavailableError(f"{type(error).__name__}.") from None


def create_run(client: httpx.Client, deployment: str, parameters: Mapping[str, object]) -> str:
    """Create a run of a deployment once, however often it has to be asked for; returns its id.

    On SQLite the server answers 503 while another run writes; Prefect's own client waits and asks again, so we do.

    Raises:
        httpx.HTTPError: Prefect does not answer, or refuses the parameters.
        ConfigurationError: the deployment is not there.
    """
    found = client.get(f"/deployments/name/{deployment}")
    if found.status_code == httpx.codes.NOT_FOUND:
        raise ConfigurationError(f"Prefect has no deployment {deployment}: run `prefect deploy --all`.")
    path = f"/deployments/{found.raise_for_status().json()['id']}/create_flow_run"
    body = {"parameters": dict(parameters), "state": {"type": "SCHEDULED"}, "idempotency_key": str(uuid4())}
    for pause_s in (0.5, 1, 2, 4, 8, 0):
        made = client.post(path, json=body)
        if made.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(pause_s)
    return str(made.raise_for_status().json()["id"])


class PrefectUnavailableError(StoreUnavailableError):
    """Prefect's API refused, timed out or broke the connection."""

    code = "prefect-unavailable"
    message = "Prefect's API did not answer."
    action = "Check that the server runs (`foi up`) and PREFECT_API_URL is right."


# ------------------------------------------------------------------------------------------------ see


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One request as `foi status` shows it. Restricted: `records` holds file names."""

    reference: str
    state: str
    reason: str
    action: str
    version: int
    due: str
    days_left: int | None
    dossier: str
    records: tuple[RecordOutcome, ...]


def caseload(place: Workplace, reference: str | None = None) -> list[CaseRow]:
    """Every request (or the one named): those with a status, and those in the bucket that no run has seen.

    Raises:
        UnknownRequestError: the named one is neither.
    """
    if reference:
        seen = find_status(place, reference)
        statuses = {reference: seen} if seen else {}
        waiting = {reference} if any(place.store.list(place.buckets.intake, f"{reference}/")) else set()
    else:
        statuses = {status.reference: status for status in list_statuses(place)}
        waiting = set(place.store.list_folders(place.buckets.intake))
    rows: list[CaseRow] = []
    for name in sorted(set(statuses) | waiting):
        status = statuses.get(name)
        due, left = _clock(place, name, settled=bool(status and status.state is State.PUBLISHED))
        if status is None:
            safe = bool(REFERENCE.fullmatch(name))
            reason = "no run has seen it yet" if safe else "the folder's name is not a safe reference"
            action = (
                f"Wait a minute: its event starts one. Else: foi process {name}"
                if safe
                else "Ask upstream to rename the folder."
            )
            rows.append(CaseRow(name, "new", reason, action, 0, due, left, "", ()))
            continue
        action = STATE_MEANING[status.state][1]
        rows.append(
            CaseRow(
                name,
                str(status.state),
                status.reason,
                action,
                status.version,
                due,
                left,
                status.dossier,
                status.records,
            )
        )
    if reference and not rows:
        raise UnknownRequestError(subject=reference)
    return sorted(rows, key=lambda row: (row.days_left is None, row.days_left or 0, row.reference))


def _clock(place: Workplace, reference: str, settled: bool) -> tuple[str, int | None]:
    """When the answer is due (s.10) and how many working days are left; ("", None) when there is no clock to show."""
    request = _request(place, reference)
    if request is None:
        return "", None
    due = due_date(request.received, request.clarification)
    return due.isoformat(), None if settled else working_days_left(datetime.now(UTC).date(), due)


def _request(place: Workplace, reference: str) -> Request | None:
    if place.store.head(place.buckets.intake, f"{reference}/{REQUEST_FILE}") is None:
        return None
    try:
        return parse_request(place.store.get(place.buckets.intake, f"{reference}/{REQUEST_FILE}"), reference)
    except InvalidRequestError:
        return None
