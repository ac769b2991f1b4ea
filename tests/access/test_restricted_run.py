"""One request from upload to publication and withdrawal, each step with its role's account and no other."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from flows.announce import submissions_lying_in
from flows.place import open_place
from flows.settings import Settings, open_store
from infra import desk
from infra.keys import make_keys
from tasks import casework, steps
from tasks.arrival import take_in
from tasks.caseload import caseload
from tasks.errors import ConfigurationError, FoiError
from tasks.model import Role, State
from tasks.status import load_status
from tasks.workplace import Workplace
from tests.access.conftest import GuardedServer
from tests.authority import write_policy
from tests.pictures import encoded, typed

pytestmark = [pytest.mark.servers, pytest.mark.slow]

REFERENCE = "ROLES-1"


@pytest.fixture
def place(guarded: GuardedServer, tmp_path: Path) -> Iterator[Workplace]:
    made = make_keys(tmp_path / "keys")
    policy = write_policy(tmp_path)
    settings = guarded.settings(
        signing_key_file=made.signing,
        commitment_key_file=made.commitment,
        policy_file=policy,
        allow_unreviewed=True,
        jobs=1,
    )
    with open_place(settings) as opened:
        yield opened


def memo() -> bytes:
    lines = ("The display changed in March.", "Write to desk.nine@eastmere.example.org today.")
    return encoded(typed(*lines, height=420), "PNG", dpi=(150, 150))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A request as upstream keeps it: one good record, one that is quarantined."""
    request = {
        "reference": REFERENCE,
        "title": "A memo",
        "received": "2026-03-02",
        "request_text": "Please send the memo.",
        "review": "none",
    }
    case = tmp_path / REFERENCE
    (case / "records").mkdir(parents=True)
    (case / "records" / "memo.png").write_bytes(memo())
    (case / "records" / "program.png").write_bytes(b"MZ")
    (case / "request.json").write_text(json.dumps(request))
    return case


def test_a_request_goes_its_whole_way_with_restricted_accounts(
    guarded: GuardedServer, place: Workplace, folder: Path
) -> None:
    # Upstream uploads; the watcher sees it; neither is the account that processes.
    assert desk.submit(place, folder)[:2] == (REFERENCE, 3)
    desk.resubmit(place, folder)
    watching = open_store(guarded.settings(), Role.INTAKE)
    assert [found.reference for found in submissions_lying_in(watching, place.buckets.intake)] == [REFERENCE]

    # The run, up to the dossier and its approval.
    manifest = take_in(place, REFERENCE).manifest
    assert {record.outcome for record in load_status(place, REFERENCE).records} == {"quarantined"}
    transcript = steps.read_record.fn(place, manifest, 1).key
    found = steps.find_in_record.fn(place, manifest, 1, transcript).key
    plan = steps.plan_record.fn(place, manifest, 1, transcript, found, [found]).key
    pdf = steps.redact_record.fn(place, manifest, 1, transcript, plan).key
    report = steps.gate_record.fn(place, manifest, 1, transcript, plan, pdf)
    assert report.rejected == report.refused == ""
    keys = casework.StageKeys(1, transcript, plan, pdf, report.key)
    dossier = steps.assemble.fn(place, manifest, [keys], [])
    assert steps.approve_by_policy.fn(place, REFERENCE, dossier) == ""
    assert caseload(place, REFERENCE)[0].state == State.PROCESSING

    # Whoever processed cannot publish, even with the approval in hand ...
    with pytest.raises(ConfigurationError, match="HTTP 403"):
        casework.publish_approved(place, REFERENCE, dossier)
    assert list(guarded.store().list("foi-disclosure", f"disclosures/{REFERENCE}/")) == []
    # ... nor can upstream or the watcher; and whoever publishes can.
    for role in (Role.UPSTREAM, Role.INTAKE):
        with pytest.raises(ConfigurationError, match="HTTP 403"):
            casework.publish_approved(place.acting_as(role), REFERENCE, dossier)
    assert steps.publish.fn(place, REFERENCE, dossier) == 1
    page = httpx.get(f"{guarded.endpoint}/foi-disclosure/disclosures/{REFERENCE}/index.html")
    assert (page.status_code, "A memo" in page.text) == (200, True)

    # The publisher cannot read what came in, and so cannot take anything in.
    with pytest.raises(ConfigurationError, match="HTTP 403"):
        take_in(place.acting_as(Role.PUBLISH), REFERENCE)

    # Withdrawing is the publisher's too.
    with pytest.raises(ConfigurationError, match="HTTP 403"):
        casework.withdraw(place, REFERENCE, "Published in error.")
    steps.withdraw.fn(place, REFERENCE, "Published in error.", "A. Officer")
    left = [info.key for info in guarded.store().list("foi-disclosure", f"disclosures/{REFERENCE}/")]
    assert not any("/v1" in key for key in left)
    assert httpx.get(f"{guarded.endpoint}/foi-disclosure/disclosures/{REFERENCE}/v1.zip").status_code in (403, 404)


# ------------------------------------------------------------------------------------------------ two workers


def test_a_worker_that_only_processes_needs_neither_the_publishers_account_nor_the_keys(
    guarded: GuardedServer, folder: Path, tmp_path: Path
) -> None:
    """What parses strangers' files can then publish nothing, whatever becomes of it."""
    work = guarded.accounts[Role.WORK]
    settings = Settings(
        store_endpoint=guarded.endpoint,
        store_work_access_key=work.access_key,
        store_work_secret_key=SecretStr(work.secret_key),
        policy_file=write_policy(tmp_path),
        jobs=1,
    )
    reference = f"{REFERENCE}-APART"
    request = json.loads((folder / "request.json").read_text()) | {"reference": reference}
    (folder / "request.json").write_text(json.dumps(request))
    for path in (folder / "records/memo.png", folder / "request.json"):
        key = f"{reference}/{path.relative_to(folder).as_posix()}"
        guarded.store(Role.UPSTREAM).put("foi-intake", key, path.read_bytes())
    with open_place(settings) as place:
        manifest = take_in(place, reference).manifest
        transcript = steps.read_record.fn(place, manifest, 1).key
        found = steps.find_in_record.fn(place, manifest, 1, transcript).key
        plan = steps.plan_record.fn(place, manifest, 1, transcript, found, [found]).key
        pdf = steps.redact_record.fn(place, manifest, 1, transcript, plan).key
        report = steps.gate_record.fn(place, manifest, 1, transcript, plan, pdf)
        keys = casework.StageKeys(1, transcript, plan, pdf, report.key)
        dossier = steps.assemble.fn(place, manifest, [keys], [])
        assert "person" in steps.approve_by_policy.fn(place, reference, dossier)
        steps.make_pack.fn(place, reference, dossier)
        with pytest.raises(FoiError):  # there is no key to seal it with
            steps.approve.fn(place, reference, dossier, "A. Officer")
        with pytest.raises(ConfigurationError):
            steps.publish.fn(place, reference, dossier)
    assert list(guarded.store().list("foi-disclosure", f"disclosures/{reference}/")) == []


def test_only_what_publishes_asks_for_the_publishers_account() -> None:
    """In the code of the steps; and whoever asks for it calls no reader but the search that must find nothing."""
    tree = ast.parse(Path(steps.__file__).read_text(encoding="utf-8"))
    asking = {
        function.name: ast.unparse(function)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and "Role.PUBLISH" in ast.unparse(function)
    }
    assert set(asking) == {"publish", "withdraw", "keep_held", "rebuild_log"}
    assert not any("readers" in body for body in asking.values())
    others = {
        path.name
        for room in ("tasks", "flows")
        for path in Path(steps.__file__).parents[1].joinpath(room).rglob("*.py")
        if "Role.PUBLISH" in path.read_text(encoding="utf-8")
    }
    assert others == {"steps.py"}
