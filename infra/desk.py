"""What officers and operators do from the terminal: submit, process, see, decide.

Talks to the object store and to Prefect's API over HTTP; importing Prefect would cost seconds for one request.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from flows.place import open_place
from flows.settings import Settings
from infra.deploy import PrefectApi, open_api
from infra.embedded import read_environment
from tasks.casework import check_complete
from tasks.corrections import upload_asked
from tasks.errors import (
    ConfigurationError,
    InvalidRequestError,
    NotApprovedError,
    NothingThereError,
    ReasonRefusedError,
    RecordMissingError,
    UnknownRequestError,
)
from tasks.intake import RECORDS_FOLDER, REQUEST_FILE
from tasks.model import RequestStatus, Role, State
from tasks.request import REFERENCE, parse_request
from tasks.review.asked import Asked, CorrectionRefusedError
from tasks.reviews import load_pack
from tasks.status import load_status
from tasks.store import ObjectStore
from tasks.typed import holds_contact
from tasks.workplace import Workplace

PROCESSING = "process-request/on-request"
RELEASE = "release/by-officer"
CORRECTION = "correct/by-officer"
WITHDRAWAL = "withdraw/on-order"


@contextmanager
def open_desk(state: Path) -> Iterator[Workplace]:
    """The workplace the settings describe; without settings, that of the embedded stack in `state`.

    Raises:
        ConfigurationError: a setting is wrong, or there are neither settings nor a stack.
    """
    if "FOI_STORE_ENDPOINT" not in os.environ:
        found = read_environment(state)
        if found is None:
            Settings()  # names a misspelt variable before one is called missing
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
        IncompleteResponseError: the response lacks what the law requires.
    """
    status = load_status(place, reference)
    if status.state not in {State.HELD, State.RELEASED} or not status.dossier.startswith(dossier):
        raise NotApprovedError(f"The request is {status.state}.", subject=reference)
    if decision == "release":
        check_complete(place, reference, status.dossier)
    start_run(
        RELEASE,
        {"reference": reference, "dossier": status.dossier, "reviewer": reviewer, "decision": decision},
    )
    return status.dossier


def correct(place: Workplace, reference: str, reviewer: str, dossier: str, asked: Asked) -> tuple[str, str]:
    """Upload corrections and start a run that follows them; returns the digest of the dossier they are about.

    Everything travels in the uploaded file: Prefect keeps what a run is given.

    Returns:
        the digest, and the name of the file.

    Raises:
        UnknownRequestError: no such request.
        CorrectionRefusedError: the request is not held, or holds another dossier than the one that was looked at.
    """
    status = _correctable(place, reference, dossier)
    if not (asked.remove or asked.boxes or asked.terms):
        raise CorrectionRefusedError("Nothing is asked for.", subject=reference)
    file = upload_asked(place, reference, asked)
    given = {"reference": reference, "dossier": status.dossier, "reviewer": reviewer, "file": file}
    start_run(CORRECTION, given)
    return status.dossier, file


def upload_corrections(place: Workplace, reference: str, dossier: str, asked: Asked) -> str:
    """Upload corrections for the form in Prefect; returns the name to type there.

    Raises:
        UnknownRequestError: no such request.
        CorrectionRefusedError: the request is not held, or holds another dossier than the one that was looked at.
    """
    _correctable(place, reference, dossier)
    return upload_asked(place, reference, asked)


def _correctable(place: Workplace, reference: str, dossier: str) -> RequestStatus:
    status = load_status(place, reference)
    if not status.dossier or not status.dossier.startswith(dossier):
        raise CorrectionRefusedError(f"The request is {status.state}, and not with this dossier.", subject=reference)
    return status


def review(place: Workplace, reference: str, folder: Path) -> tuple[str, Path]:
    """Write the review pack and the draft into a folder; returns the dossier's digest and the file to open first.

    Raises:
        UnknownRequestError: no such request.
        NothingThereError: nothing of it is held.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = load_status(place, reference)
    if not status.dossier or status.state is State.BLOCKED:
        raise NothingThereError(f"It is {status.state}: no draft is held.", subject=reference)
    for path, data in load_pack(place, reference, status.dossier):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.write_bytes(data)
        target.chmod(0o600)  # it shows what is withheld
    return status.dossier, folder / "index.html"


def withdraw(place: Workplace, reference: str, reason: str, reviewer: str) -> None:
    """Start a run that takes a disclosure back.

    Raises:
        UnknownRequestError: no such request.
        NothingThereError: it is not public.
        ReasonRefusedError: the reason holds a contact detail.
    """
    status = load_status(place, reference)
    if not status.version or status.state is State.WITHDRAWN:
        raise NothingThereError(f"It is {status.state}: nothing of it is public.", subject=reference)
    if holds_contact(reason, place.policy):  # here already: what a run is given stays in Prefect's database
        raise ReasonRefusedError("It holds a contact detail.", subject=reference)
    start_run(WITHDRAWAL, {"reference": reference, "reason": reason, "reviewer": reviewer})


def start_run(deployment: str, parameters: dict[str, str]) -> str:
    """Create a run of a deployment; returns its id.

    Raises:
        PrefectAwayError: Prefect does not answer.
        PrefectRefusedError: it does not take the parameters.
        ConfigurationError: PREFECT_API_URL is not set, or the deployment is not there.
    """
    if not os.environ.get("PREFECT_API_URL"):
        raise ConfigurationError("PREFECT_API_URL is not set: `foi up` sets it, or give your server's address.")
    with open_api(os.environ) as prefect:
        return create_run(prefect, deployment, parameters)


def create_run(prefect: PrefectApi, deployment: str, parameters: Mapping[str, object]) -> str:
    """Create a run of a deployment once, however often it has to be asked for; returns its id.

    Raises:
        PrefectAwayError: Prefect does not answer.
        PrefectRefusedError: it does not take the parameters.
        ConfigurationError: the deployment is not there.
    """
    found = prefect.ask("GET", f"/deployments/name/{deployment}")
    if found is None:
        raise ConfigurationError(f"Prefect has no deployment {deployment}: run `prefect deploy --all`.")
    body = {"parameters": dict(parameters), "state": {"type": "SCHEDULED"}, "idempotency_key": str(uuid4())}
    return str(prefect.ask("POST", f"/deployments/{found['id']}/create_flow_run", body)["id"])
