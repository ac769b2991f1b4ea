"""A record whose file ends a reader late is quarantined, whatever the stage, and the others of its request go on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.testing.utilities import prefect_test_harness

from flows.progress import begin
from flows.records import redact_records
from infra.keys import make_keys
from tasks import steps
from tasks.apart import Apart
from tasks.arrival import take_in
from tasks.codec import decode
from tasks.disclosure.keys import load_keys
from tasks.errors import LeakFoundError
from tasks.model import Manifest, RedactionPlan, Rejection, StageKeys, Transcript
from tasks.pipeline import redact_record
from tasks.readers import Readers
from tasks.reading.settings import ReadingSettings
from tasks.status import load_status
from tasks.workplace import Buckets, Workplace
from tests.authority import NAMED
from tests.conftest import StoreServer
from tests.hostile.images import paper, saved
from tests.pictures import typed

pytestmark = [pytest.mark.servers, pytest.mark.slow]

BUCKETS = Buckets("hostile-intake", "hostile-work", "hostile-quarantine", "hostile-disclosure")
GOOD = saved(paper(), "PNG")
CODES = {"crash": "child-crashed", "raise": "reader-failed", "tire": "unreadable", "claim": "child-answer"}
LONG = saved(typed(*(f"Line {n} is about the posters of the campaign." for n in range(24)), height=1700), "PNG")
HUNGRY = {**CODES, "starve": "unreadable"}


@pytest.fixture(scope="module")
def place(juicefs_store: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    for bucket in (BUCKETS.intake, BUCKETS.work, BUCKETS.quarantine, BUCKETS.disclosure):
        juicefs_store.store.ensure_bucket(bucket)
    made = make_keys(tmp_path_factory.mktemp("keys"))
    keys = load_keys(made.signing.read_bytes(), made.commitment.read_bytes())
    settings = ReadingSettings()
    with Apart(2, jobs="tests.hostile.failing") as apart:
        yield Workplace(juicefs_store.store, BUCKETS, NAMED, settings, Readers(apart, settings), keys, True)


def upload(place: Workplace, files: dict[str, bytes]) -> str:
    """A request with these records; its reference."""
    reference = f"H{uuid.uuid4().hex[:8].upper()}"
    request = {
        "reference": reference,
        "title": "Opening hours",
        "received": "2026-11-02",
        "request_text": "Please send me the opening hours.",
        "requester": ["M Oakshott"],
        "records": [{"file": f"records/{name}"} for name in files],
    }
    for name, data in files.items():
        place.store.put(BUCKETS.intake, f"{reference}/records/{name}", data)
    place.store.put(BUCKETS.intake, f"{reference}/request.json", json.dumps(request).encode())
    return reference


def quarantined(place: Workplace, reference: str) -> dict[str, str]:
    """Codes of what lies in quarantine, by name."""
    reasons = [info.key for info in place.store.list(BUCKETS.quarantine, f"{reference}/") if "reason" in info.key]
    found = [decode(place.store.get(BUCKETS.quarantine, key), Rejection) for key in reasons]
    return {one.name: one.code for one in found}


@pytest.mark.parametrize("how", CODES)
@pytest.mark.parametrize("job", ["read", "again", "redact"])
def test_a_file_that_ends_its_reader_in_one_stage_is_quarantined_there(place: Workplace, job: str, how: str) -> None:
    reference = upload(place, {"memo.png": GOOD + f"{how} {job}".encode()})
    manifest = take_in(place, reference).manifest
    result = steps.read_record.fn(place, manifest, 1)
    if job != "read":
        transcript = result.key
        found = steps.find_in_record.fn(place, manifest, 1, transcript).key
        plan = steps.plan_record.fn(place, manifest, 1, transcript, found, [found]).key
        result = (
            steps.redact_record.fn(place, manifest, 1, transcript, plan)
            if job == "redact"
            else steps.read_again.fn(place, manifest, 1, transcript, [0])
        )
    expected = CODES["claim"] if (how, job) == ("tire", "redact") else CODES[how]  # there is no Tesseract in that one
    assert (result.rejected, result.key) == (expected, "")
    assert quarantined(place, reference) == {"records/memo.png": expected}


@pytest.mark.parametrize("how", CODES)
def test_a_file_that_ends_the_first_look_is_quarantined_and_the_others_are_taken_in(place: Workplace, how: str) -> None:
    reference = upload(place, {"bad.png": GOOD + f"{how} look".encode(), "good.png": GOOD})
    assert take_in(place, reference).numbers == (2,)
    expected = CODES["claim" if how == "tire" else how]
    assert quarantined(place, reference) == {"records/bad.png": expected}


@pytest.mark.parametrize("how", CODES)
def test_a_file_that_ends_its_reader_only_when_it_is_made_again_blocks_its_request(place: Workplace, how: str) -> None:
    """The same input did not give the same bytes, whatever it did the second time."""
    data = GOOD + f"{how} redact".encode()
    reference = upload(place, {"memo.png": data})
    manifest = take_in(place, reference).manifest
    transcript = steps.read_record.fn(place, manifest, 1).key
    found = steps.find_in_record.fn(place, manifest, 1, transcript).key
    plan = steps.plan_record.fn(place, manifest, 1, transcript, found, [found]).key
    (record,) = place.load(manifest, Manifest).records
    marks, read = place.load(plan, RedactionPlan), place.load(transcript, Transcript)
    made = redact_record(data, record.media, marks, read, record.title, place.reading.limits)
    pdf = place.save_bytes(f"redacted/{uuid.uuid4().hex}.pdf", made)
    report = steps.gate_record.fn(place, manifest, 1, transcript, plan, pdf).key
    with pytest.raises(LeakFoundError, match="record 1: A30"):
        steps.assemble.fn(place, manifest, [StageKeys(1, transcript, plan, pdf, report)], [])


@pytest.mark.flow
@pytest.mark.parametrize(
    ("how", "early", "late"), [("crash", "redact", "read"), ("raise", "redact", "read"), ("starve", "read", "read")]
)
def test_the_others_of_a_request_go_on(place: Workplace, how: str, early: str, late: str) -> None:
    files = {"bad.png": LONG + f"{how} {early}".encode(), "good.png": GOOD, "late.png": LONG + f"{how} {late}".encode()}
    reference = upload(place, files)

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2), persist_result=False)
    def process() -> tuple[list[StageKeys], list[int]]:
        intake = steps.take_in(place, reference)
        progress = begin(place, reference, intake.manifest)
        return redact_records(place, intake.manifest, intake.numbers, (), progress), sorted(progress.rejected)

    with prefect_test_harness(server_startup_timeout=180):
        stages, rejected = process()
    assert [keys.number for keys in stages] == [2]
    assert rejected == [1, 3]
    outcomes = {record.name: (record.outcome, record.reason) for record in load_status(place, reference).records}
    assert outcomes == {
        "records/bad.png": ("quarantined", HUNGRY[how]),
        "records/good.png": ("passed", ""),
        "records/late.png": ("quarantined", HUNGRY[how]),
    }
    assert len(quarantined(place, reference)) == 2
