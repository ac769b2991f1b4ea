"""One night on the real servers: several requests are dropped into the bucket, and each comes to its right end."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from infra.embedded import read_environment
from tasks.casework import draft_bundle
from tasks.disclosure.verify import verify_bundle
from tasks.model import State
from tests.flows.conftest import Pipeline
from tests.pictures import encoded, typed
from tests.waiting import until

pytestmark = pytest.mark.flow

# Each stands in one place only, so that a find says where it came through.
ON_PAPER = "olwen.tregarth@eastmere.example.org"
PHONE_ON_PAPER = "07700 900 461"
IN_METADATA = "metadata.canary@eastmere.example.org"
IN_FILE_NAME = "filename.canary@eastmere.example.org"
IN_BAD_FILE_NAME = "badname.canary@eastmere.example.org"
IN_BAD_FILE = "badfile.canary@eastmere.example.org"
IN_LETTER = "requester.canary@eastmere.example.net"
REQUESTER = "Zebedee Quillfeather"
CANARIES = (
    ON_PAPER,
    PHONE_ON_PAPER,
    PHONE_ON_PAPER.replace(" ", ""),
    IN_METADATA,
    IN_FILE_NAME,
    IN_BAD_FILE_NAME,
    IN_BAD_FILE,
    IN_LETTER,
    REQUESTER,
)

MIXED, REVIEWED, INVALID, INCOMPLETE = "NIGHT-1", "NIGHT-2", "NIGHT-3", "NIGHT-4"


def pdf_with_metadata() -> bytes:
    buffer = io.BytesIO(encoded(typed("The poster was printed twice.", f"Ask {ON_PAPER} why."), "PDF", resolution=150))
    with pikepdf.open(buffer) as pdf:
        pdf.docinfo["/Author"] = IN_METADATA
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def locked_pdf() -> bytes:
    buffer = io.BytesIO(encoded(typed(f"Nobody can read {IN_BAD_FILE}."), "PDF"))
    with pikepdf.open(buffer) as pdf:
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return out.getvalue()


def request_json(reference: str, review: str, **fields: object) -> bytes:
    return json.dumps(
        {
            "reference": reference,
            "title": "Posters about standards",
            "received": "2026-03-02",
            "request_text": f"Please send the posters to me, {REQUESTER}, at {IN_LETTER}.",
            "requester": [REQUESTER],
            "review": review,
            **fields,
        }
    ).encode()


BAD_RECORDS = {
    "records/empty.pdf": b"",
    f"records/locked by {IN_BAD_FILE_NAME}.pdf": locked_pdf(),
    "records/cut short.tiff": b"II*\x00\x08\x00\x00\x00" + IN_BAD_FILE.encode(),
    "records/program.png": b"MZ" + IN_BAD_FILE.encode(),
    "records/enormous.png": encoded(Image.new("1", (10_000, 10_000)), "PNG"),
}
GOOD_RECORDS = {
    "records/a poster.pdf": pdf_with_metadata(),
    f"records/memo from {IN_FILE_NAME}.png": encoded(
        typed("Call the desk before Friday 12 March.", f"The number is {PHONE_ON_PAPER} as before."),
        "PNG",
        dpi=(150, 150),
    ),
    "records/Überblick + 100%.jpg": encoded(typed("Nothing on this page is withheld."), "JPEG", quality=85),
}


@pytest.fixture(scope="module")
def night(pipeline: Pipeline) -> Pipeline:
    """All requests dropped, all settled."""
    small = {"records/memo.png": encoded(typed("A short memo.", f"From {ON_PAPER}."), "PNG", dpi=(150, 150))}
    pipeline.upload(MIXED, {**GOOD_RECORDS, **BAD_RECORDS, "request.json": request_json(MIXED, "none")})
    pipeline.upload(REVIEWED, {**small, "request.json": request_json(REVIEWED, "required")})
    pipeline.upload(INVALID, {**small, "request.json": request_json(INVALID, "none", received=IN_LETTER)})
    listed = [{"file": "records/memo.png"}, {"file": "records/late.png"}]
    pipeline.upload(INCOMPLETE, {**small, "request.json": request_json(INCOMPLETE, "none", records=listed)})
    pipeline.settled(MIXED, "published", "blocked", "failed")
    pipeline.settled(REVIEWED, "held", "published", "blocked", "failed")
    pipeline.settled(INVALID, "quarantined", "failed")
    pipeline.settled(INCOMPLETE, "waiting", "failed", "published")
    return pipeline


def public(pipeline: Pipeline, prefix: str = "") -> dict[str, bytes]:
    bucket = pipeline.place.buckets.disclosure
    store = pipeline.place.store
    return {info.key: store.get(bucket, info.key) for info in store.list(bucket, prefix)}


def test_the_event_publishes_what_is_good_and_quarantines_what_is_not(night: Pipeline) -> None:
    status = night.settled(MIXED, "published")
    assert status.version == 1
    outcomes = {record.name: record for record in status.records}
    assert {name for name, record in outcomes.items() if record.outcome == "published"} == set(GOOD_RECORDS)
    assert {name for name, record in outcomes.items() if record.outcome == "quarantined"} == set(BAD_RECORDS)
    for word, name in (("no content", "empty.pdf"), ("limits", "enormous.png"), ("not a PDF", "program.png")):
        assert word in outcomes[f"records/{name}"].reason
    assert night.ended(night.runs(MIXED)[0]["id"])["state_name"] == "Published"


def test_quarantine_holds_the_file_and_the_reason(night: Pipeline) -> None:
    store, bucket = night.place.store, night.place.buckets.quarantine
    reasons = {}
    for info in store.list(bucket, f"{MIXED}/"):
        if info.key.endswith("reason.json"):
            reason = json.loads(store.get(bucket, info.key))
            reasons[reason["name"]] = (reason["code"], store.get(bucket, info.key.replace("reason.json", "file")))
    assert {name: data for name, (_, data) in reasons.items()} == BAD_RECORDS
    codes = {name.split("/")[1].split(" ")[0]: code for name, (code, _) in reasons.items()}
    assert codes == {
        "empty.pdf": "empty-file",
        "locked": "encrypted",
        "cut": "corrupt",
        "program.png": "unsupported-media",
        "enormous.png": "over-limit",
    }


def test_nothing_of_ours_touched_the_intake(night: Pipeline) -> None:
    store, bucket = night.place.store, night.place.buckets.intake
    for name, data in {**GOOD_RECORDS, **BAD_RECORDS}.items():
        assert store.get(bucket, f"{MIXED}/{name}") == data


def test_the_published_bundle_verifies_and_hides_what_it_should(night: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "v1.zip").write_bytes(public(night)[f"disclosures/{MIXED}/v1.zip"])
    verdict = verify_bundle(tmp_path / "v1.zip")
    assert verdict.ok, [check for check in verdict.checks if not check.ok]
    records = public(night, f"disclosures/{MIXED}/v1/data/records/")
    assert len(records) == 3
    text = "\n".join(
        page.get_textpage().get_text_range() for data in records.values() for page in pypdfium2.PdfDocument(data)
    )
    assert text.count("withheld: s.31(1)(a)") == 2
    for word in ("poster", "Friday", "Nothing"):
        assert word in text


def test_running_again_reads_and_publishes_nothing(night: Pipeline) -> None:
    store, work = night.place.store, night.place.buckets.work
    results = [f"{stage}/" for stage in ("transcripts", "found", "plans", "redacted", "reports", "dossiers")]

    def made() -> dict[str, tuple[str, str]]:
        return {info.key: (info.etag, info.modified) for stage in results for info in store.list(work, stage)}

    before, seen = made(), public(night)
    run = night.ended(night.start("process-request/on-request", reference=MIXED))
    assert run["state_name"] == "Unchanged"
    assert made() == before
    assert public(night) == seen


def test_a_request_waits_for_a_person_and_publishes_exactly_what_was_shown(night: Pipeline) -> None:
    held = night.settled(REVIEWED, "held", "published")
    assert held.state is State.HELD
    assert not public(night, f"disclosures/{REVIEWED}")

    draft = draft_bundle(night.place, REVIEWED, held.dossier)
    assert b"draft" in draft["data/response.html"].lower()
    assert any(path.startswith("data/records/001-") for path in draft)

    wrong = night.ended(night.start("release/by-officer", reference=REVIEWED, dossier="0" * 12, reviewer="A. Officer"))
    assert wrong["state_type"] == "FAILED"
    assert not public(night, f"disclosures/{REVIEWED}")

    night.ended(night.start("release/by-officer", reference=REVIEWED, dossier=held.dossier, reviewer="A. Officer"))
    assert night.settled(REVIEWED, "published").version == 1
    assert _approved_by(public(night, f"disclosures/{REVIEWED}/v1/"), REVIEWED) == "A. Officer"


def _approved_by(bag: dict[str, bytes], reference: str) -> str:
    envelope = json.loads(bag[f"disclosures/{reference}/v1/attestations/disclosure.dsse.json"])
    return str(json.loads(base64.b64decode(envelope["payload"]))["predicate"]["approval"]["by"])


def test_an_invalid_request_is_quarantined_with_its_field_named(night: Pipeline) -> None:
    status = night.settled(INVALID, "quarantined")
    assert "received" in status.reason
    assert IN_LETTER not in status.reason
    assert night.runs(INVALID)[0]["state"]["message"] == status.reason
    assert not public(night, f"disclosures/{INVALID}")


def test_what_is_decided_in_a_terminal_goes_by_the_policy_of_the_stack(night: Pipeline) -> None:
    known = read_environment(night.stack.state)
    assert known is not None
    assert known["FOI_POLICY_FILE"] == str(night.policy)


def test_an_incomplete_request_waits_and_the_sweep_takes_it_up(night: Pipeline) -> None:
    status = night.settled(INCOMPLETE, "waiting")
    assert [record.name for record in status.records] == ["records/late.png"]
    night.upload(INCOMPLETE, {"records/late.png": encoded(typed("The late page."), "PNG", dpi=(150, 150))})
    sweep = night.ended(night.start("sweep/nightly"))
    assert sweep["state"]["message"].startswith("1 of ")
    assert night.settled(INCOMPLETE, "published", "blocked", "failed").state is State.PUBLISHED


def test_the_log_lists_what_is_published(night: Pipeline) -> None:
    night.settled(MIXED, "published")
    log = json.loads(public(night)["disclosures.json"])
    assert MIXED in json.dumps(log)
    assert INVALID not in json.dumps(log)


def test_a_withdrawn_disclosure_leaves_a_notice_and_is_not_published_again(night: Pipeline) -> None:
    night.settled(REVIEWED, "published")
    night.ended(night.start("withdraw/on-order", reference=REVIEWED, reason="Published in error.", reviewer="B. Chief"))
    night.settled(REVIEWED, "withdrawn")
    left = public(night, f"disclosures/{REVIEWED}/")
    assert not any("/data/" in key or key.endswith(".zip") for key in left)
    assert b"Published in error." in left[f"disclosures/{REVIEWED}/index.html"]
    again = night.ended(night.start("process-request/on-request", reference=REVIEWED))
    assert again["state_name"] == "Unchanged"
    assert public(night, f"disclosures/{REVIEWED}/") == left


def test_the_schedule_of_the_sweep_is_alive(night: Pipeline) -> None:
    """A broken scheduler keeps its health check green; only a scheduled run proves it."""
    known = night.api.get("/deployments/name/sweep/nightly").raise_for_status().json()
    assert known["schedules"][0]["schedule"]["timezone"] == "Europe/London"

    def scheduled() -> bool | None:
        asked = {
            "deployments": {"id": {"any_": [known["id"]]}},
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        }
        return bool(night.api.post("/flow_runs/filter", json=asked).raise_for_status().json()) or None

    assert until(scheduled)


def test_deployments_hold_no_path_of_this_machine(night: Pipeline) -> None:
    deployments = night.api.post("/deployments/filter", json={}).raise_for_status().json()
    assert {f"{d['entrypoint']}" for d in deployments} == {
        "flows.correct.correct",
        "flows.process_request.process_request",
        "flows.release.release",
        "flows.sweep.sweep",
        "flows.withdraw.withdraw",
    }
    assert not any(d["pull_steps"] or d["path"] for d in deployments)


def test_no_canary_sings_outside_the_restricted_buckets(night: Pipeline) -> None:
    """Contact details, names of people and file names: not in Prefect's database, the logs or the public bucket."""
    night.settled(MIXED, "published")
    night.settled(INCOMPLETE, "published", "waiting")
    places = {
        **{f"public: {key}": data for key, data in public(night).items()},
        **_database(night.stack.state / "prefect" / "prefect.db"),
        **{f"log: {path.name}": path.read_bytes() for path in (night.stack.state / "logs").iterdir()},
    }
    assert sum(name.startswith("database") for name in places) > 20
    for name, data in places.items():
        for canary in CANARIES:
            assert canary.casefold().encode() not in data.lower(), f"{canary} in {name}"


def _database(path: Path) -> dict[str, bytes]:
    """Every table of Prefect's database, as text."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        return {
            f"database: {name}": repr(connection.execute(f'select * from "{name}"').fetchall()).encode()  # noqa: S608
            for name in names
        }
