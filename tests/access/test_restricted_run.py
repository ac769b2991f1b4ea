"""One request from upload to publication and withdrawal, each step with its role's account and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.announce import submissions_lying_in
from flows.place import open_place
from flows.settings import open_store
from infra import desk
from infra.keys import make_keys
from tasks import casework, steps
from tasks.arrival import take_in
from tasks.caseload import caseload
from tasks.errors import ConfigurationError
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
