"""A held request on the real servers: looked at, corrected, released by two persons, and told of in Prefect's UI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from infra.deploy import PrefectRefusedError
from tasks.caseload import caseload
from tasks.casework import load_case
from tasks.corrections import load_shown, upload_asked
from tasks.decisions import read_log
from tasks.model import Act, RequestStatus, State
from tasks.review.asked import Asked
from tasks.reviews import load_pack
from tests.canaries.search import heard
from tests.canaries.test_canaries import tables_of
from tests.flows.conftest import Pipeline
from tests.pictures import encoded, typed

pytestmark = pytest.mark.flow

REFERENCE = "REVIEW-1"
MAILBOX = "plover.desk@eastmere.example.org"
PHONE = "01632 960577"
TERM = "Dunnockterm"
TITLE = "Answers go to"
"""Of the second record; the same words stand in its text."""

SECRETS = {"mailbox": MAILBOX, "phone": PHONE, "term": TERM}
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def held(pipeline: Pipeline) -> Pipeline:
    """A request of two records that waits for a person, in a module of its own."""
    first = typed("The display changed in March.", f"Write to {MAILBOX} today.", f"Ring {PHONE} about {TERM}.")
    second = typed(f"Answers go to {MAILBOX} only.", f"{TERM} was not there.")
    pages = {"a.png": first, "b.png": second}
    request = {
        "reference": REFERENCE,
        "title": "Two memos",
        "received": "2026-03-02",
        "request_text": "Please send the memos.",
        "records": [{"file": "records/a.png"}, {"file": "records/b.png", "title": TITLE}],
    }
    files = {f"records/{name}": encoded(page, "PNG", dpi=(150, 150)) for name, page in pages.items()}
    pipeline.upload(REFERENCE, {**files, "request.json": json.dumps(request).encode()})
    assert pipeline.settled(REFERENCE, "held", "published", "blocked", "failed").state is State.HELD
    return pipeline


def status(pipeline: Pipeline) -> RequestStatus:
    return pipeline.settled(REFERENCE, *State)


def correct(pipeline: Pipeline, **given: object) -> dict[str, Any]:
    asked = {"reference": REFERENCE, "dossier": status(pipeline).dossier[:16], "reviewer": "A. Officer", **given}
    return pipeline.ended(pipeline.start("correct/by-officer", **asked))


def name_of(pipeline: Pipeline, value: str) -> str:
    shown = load_shown(pipeline.place, *load_case(pipeline.place, REFERENCE, status(pipeline).dossier))
    return next(one.name for one in shown if value in one.values)


def artifacts(pipeline: Pipeline, key: str) -> list[dict[str, Any]]:
    asked = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
    found: list[dict[str, Any]] = pipeline.api.post("/artifacts/filter", json=asked).raise_for_status().json()
    return found


def jobs_of(pipeline: Pipeline, run: dict[str, Any]) -> list[str]:
    asked = {"task_runs": {"flow_run_id": {"any_": [run["id"]]}}, "limit": 200}
    found = pipeline.api.post("/task_runs/filter", json=asked).raise_for_status().json()
    return sorted(one["name"] for one in found)


def test_a_held_request_has_its_pack_and_its_report(held: Pipeline) -> None:
    pack = dict(load_pack(held.place, REFERENCE, status(held).dossier))
    assert MAILBOX in pack["index.html"].decode()
    (report, *_) = artifacts(held, "report-review-1")
    for words in ("REVIEW-1: Held", "What to do next", "release/by-officer", "checks passed", "data:image/jpeg"):
        assert words in report["data"], words
    assert status(held).dossier[:16] in report["data"]
    assert "**Answer due:** 2026-03-31, working days: " in report["data"]
    (progress, *_) = artifacts(held, "progress-review-1")
    assert float(progress["data"]) == 100
    (table, *_) = artifacts(held, "caseload")
    rows = {row["reference"]: row for row in json.loads(table["data"])}
    assert rows[REFERENCE]["state"] == "held"
    assert rows[REFERENCE]["due"] == "2026-03-31"
    assert rows[REFERENCE]["next"].startswith("[Report](/artifacts/key/report-review-1). Look at it")


def test_the_form_takes_numbers_and_nothing_else(held: Pipeline) -> None:
    for wrong in ({"remove": [MAILBOX]}, {"boxes": [PHONE]}, {"file": TERM}):
        with pytest.raises(PrefectRefusedError):
            correct(held, **wrong)


def test_a_correction_that_cannot_be_made_ends_as_refused(held: Pipeline) -> None:
    before = status(held)
    run = correct(held, remove=[name_of(held, MAILBOX)])
    assert (run["state_name"], run["name"]) == ("Refused", f"correct {REFERENCE}")
    assert "remove all of them, or none" in run["state"]["message"]
    stale = held.ended(
        held.start("correct/by-officer", reference=REFERENCE, dossier="0" * 12, reviewer="A. Officer", remove=["1.1"])
    )
    assert stale["state_name"] == "Refused"
    assert status(held).dossier == before.dossier
    assert status(held).state is State.HELD


def test_a_correction_leads_to_another_dossier_that_is_held_without_reading_anything(held: Pipeline) -> None:
    before = status(held)
    asked = Asked(terms=(TERM,), public_reason="A name that nobody outside may know.")
    file = upload_asked(held.place, REFERENCE, asked)
    run = correct(held, remove=[name_of(held, PHONE)], boxes=["2:1:10,10,60,60"], file=file)
    assert run["state_name"] == "Held", run["state"]
    assert "held" in run["tags"]
    after = held.settled(REFERENCE, "held")
    assert after.dossier != before.dossier
    assert "A. Officer" in after.reason
    assert not [name for name in jobs_of(held, run) if name.startswith("read")]
    pack = dict(load_pack(held.place, REFERENCE, after.dossier))["index.html"].decode()
    assert "1 removed, 1 drawn, 1 term added" in pack
    assert [d.act for d in read_log(held.place, REFERENCE).decisions] == [Act.CORRECT]
    old = held.ended(
        held.start("release/by-officer", reference=REFERENCE, dossier=before.dossier[:16], reviewer="B. Chief")
    )
    assert old["state_name"] == "Refused"


def test_a_correction_that_the_gate_refuses_leaves_what_was_held(held: Pipeline) -> None:
    """Withheld in the record, the words of its title would still stand in the schedule."""
    before = held.settled(REFERENCE, "held")
    run = correct(held, file=upload_asked(held.place, REFERENCE, Asked(terms=(TITLE,))))
    assert (run["state_name"], "A25" in run["state"]["message"]) == ("Refused", True)
    after = status(held)
    assert (after.state, after.dossier) == (State.HELD, before.dossier)
    assert "refused" in after.reason
    assert read_log(held.place, REFERENCE).decisions[-1].act is Act.REFUSE


def released(pipeline: Pipeline, reviewer: str) -> None:
    """A release under a setting that the running worker does not have."""
    given = {"reference": REFERENCE, "dossier": status(pipeline).dossier[:16], "reviewer": reviewer}
    environment = {
        **os.environ,
        **pipeline.stack.environment,
        "FOI_SIGNING_KEY_FILE": str(pipeline.stack.state / "keys" / "signing.pem"),
        "FOI_COMMITMENT_KEY_FILE": str(pipeline.stack.state / "keys" / "commitment.key"),
        "FOI_POLICY_FILE": str(pipeline.policy),
        "FOI_APPROVALS": "2",
    }
    program = f"from flows.release import release; release(**{given!r})"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, timeout=240)


def test_two_persons_release_and_are_both_named_in_what_is_published(held: Pipeline) -> None:
    released(held, "A. Officer")
    waiting = status(held)
    assert (waiting.state, waiting.version) == (State.HELD, 0)
    assert "1 other person" in waiting.reason
    released(held, "a. officer")
    assert status(held).state is State.HELD
    released(held, "B. Chief")
    assert held.settled(REFERENCE, "published").version == 1
    bucket = held.place.buckets.disclosure
    envelope = json.loads(held.place.store.get(bucket, f"disclosures/{REFERENCE}/v1/attestations/disclosure.dsse.json"))
    statement = json.loads(b64decode(envelope["payload"]))
    assert [one["by"] for one in statement["predicate"]["approval"]["approvers"]] == ["A. Officer", "B. Chief"]
    (report, *_) = artifacts(held, "report-review-1")
    assert f"disclosures/{REFERENCE}/index.html" in report["data"]
    (row,) = caseload(held.place, REFERENCE)
    assert (row.state, row.clock) == ("published", "answered")


def test_what_was_published_can_be_corrected_into_a_next_version(held: Pipeline) -> None:
    held.settled(REFERENCE, "published")
    assert correct(held, boxes=["1:1:5,5,40,40"])["state_name"] == "Held"
    dossier = held.settled(REFERENCE, "held").dossier
    run = held.ended(held.start("release/by-officer", reference=REFERENCE, dossier=dossier, reviewer="B. Chief"))
    assert run["state_name"] == "Published"
    assert held.settled(REFERENCE, "published").version == 2


def test_prefect_knows_nothing_that_is_withheld(held: Pipeline) -> None:
    tables = dict(tables_of(held.stack.state / "prefect" / "prefect.db"))
    assert REFERENCE.encode() in tables["flow_run"]
    assert heard(tables, SECRETS) == []
    logs = {path.name: path.read_bytes() for path in (held.stack.state / "logs").iterdir()}
    assert heard(logs, SECRETS) == []
