"""A request from folder to publication on a real store, without Prefect's server: what is refused, kept and decided.

The steps are called as the plain functions they wrap.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.keys import make_keys
from tasks import casework, pipeline, steps
from tasks.apart import Apart
from tasks.arrival import take_in
from tasks.codec import pack, unpack
from tasks.disclosure.keys import load_keys
from tasks.errors import FoiError, LeakFoundError, NotApprovedError, RecordChangedError, RejectedInputError
from tasks.jobs import ReadingSettings
from tasks.model import Doubt, Finding, Manifest, PageReview, RedactionPlan, StageKeys, State, VerificationReport
from tasks.readers import Readers
from tasks.request import Authority, Policy
from tasks.status import load_status, update_status
from tasks.workplace import Buckets, Workplace
from tests.conftest import StoreServer
from tests.pictures import encoded, typed

pytestmark = [pytest.mark.servers, pytest.mark.slow]

VALUE = "desk.nine@eastmere.example.org"
BUCKETS = Buckets("case-intake", "case-work", "case-quarantine", "case-disclosure")


@pytest.fixture(scope="module")
def place(juicefs_store: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    for bucket in (BUCKETS.intake, BUCKETS.work, BUCKETS.quarantine, BUCKETS.disclosure):
        juicefs_store.store.ensure_bucket(bucket)
    made = make_keys(tmp_path_factory.mktemp("keys"))
    keys = load_keys(made.signing.read_bytes(), made.commitment.read_bytes())
    with Apart(2) as apart:
        yield Workplace(
            juicefs_store.store, BUCKETS, Policy(), ReadingSettings(), Readers(apart, ReadingSettings()), keys, True
        )


def memo(*lines: str) -> bytes:
    return encoded(typed(*lines, height=420), "PNG", dpi=(150, 150))


def upload(place: Workplace, review: str = "none", **fields: object) -> str:
    """A request of one memo; returns its reference."""
    reference = f"CASE-{uuid.uuid4().hex[:8]}"
    request = {
        "reference": reference,
        "title": "A memo",
        "received": "2026-03-02",
        "request_text": "Please send the memo.",
        "review": review,
        **fields,
    }
    # Every memo is another one: results are shared between requests with the same content.
    lines = ("The display changed in March.", f"Write to {VALUE} today.", f"Filed under {reference}.")
    put(place, reference, "records/memo.png", memo(*lines))
    put(place, reference, "request.json", json.dumps(request).encode())
    return reference


def put(place: Workplace, reference: str, name: str, data: bytes) -> None:
    place.store.put(BUCKETS.intake, f"{reference}/{name}", data)


def to_gate(place: Workplace, reference: str) -> tuple[str, StageKeys]:
    """Take a request of one record as far as the gate; returns the manifest's key and the record's."""
    manifest = take_in(place, reference).manifest
    transcript = steps.read_record.fn(place, manifest, 1).key
    found = steps.find_in_record.fn(place, manifest, 1, transcript).key
    plan = steps.plan_record.fn(place, manifest, 1, transcript, found, [found]).key
    pdf = steps.redact_record.fn(place, manifest, 1, transcript, plan).key
    report = steps.gate_record.fn(place, manifest, 1, transcript, plan, pdf)
    assert report.rejected == report.refused == ""
    return manifest, StageKeys(1, transcript, plan, pdf, report.key)


def to_dossier(place: Workplace, reference: str) -> tuple[str, StageKeys]:
    manifest, keys = to_gate(place, reference)
    return casework.assemble(place, manifest, [keys], []), keys


def published(place: Workplace, reference: str) -> list[str]:
    return [info.key for info in place.store.list(BUCKETS.disclosure, f"disclosures/{reference}/")]


def test_what_the_policy_approves_is_published_once(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    assert casework.decide_by_policy(place, reference, dossier) == ""
    assert casework.publish_approved(place, reference, dossier) == 1
    before = published(place, reference)
    assert casework.publish_approved(place, reference, dossier) == 1
    assert published(place, reference) == before


def test_without_an_approval_nothing_leaves(place: Workplace) -> None:
    reference = upload(place, review="required")
    dossier, _ = to_dossier(place, reference)
    assert "release" in casework.decide_by_policy(place, reference, dossier)
    with pytest.raises(NotApprovedError):
        casework.publish_approved(place, reference, dossier)
    assert published(place, reference) == []


def test_the_setting_decides_whether_a_request_may_ask_for_no_review(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    strict = Workplace(place.store, BUCKETS, place.policy, place.reading, place.readers, place.keys)
    assert "FOI_ALLOW_UNREVIEWED" in casework.decide_by_policy(strict, reference, dossier)
    assert casework.find_approval(place, reference, dossier) is None


def test_a_hold_takes_an_earlier_approval_back_and_the_latest_decision_counts(place: Workplace) -> None:
    reference = upload(place, review="required")
    dossier, _ = to_dossier(place, reference)
    casework.record_approval(place, reference, dossier, "A. First")
    casework.record_hold(place, reference, dossier, "B. Second")
    with pytest.raises(NotApprovedError):
        casework.publish_approved(place, reference, dossier)
    casework.record_approval(place, reference, dossier, "C. Third")
    approval = casework.find_approval(place, reference, dossier)
    assert approval is not None and approval.by == "C. Third"


@pytest.mark.parametrize(
    "override", [{"withhold": ["phone"]}, {"public_contacts": [VALUE]}, {"keep_email_domain": True}]
)
def test_a_request_that_would_show_more_than_the_policy_waits_for_a_person(
    place: Workplace, override: dict[str, object]
) -> None:
    reference = upload(place, policy=override)
    dossier, _ = to_dossier(place, reference)
    assert next(iter(override)) in casework.decide_by_policy(place, reference, dossier)
    assert casework.find_approval(place, reference, dossier) is None


def test_a_request_that_withholds_more_needs_no_person(place: Workplace) -> None:
    reference = upload(place, policy={"terms": ["Nightjar"], "keep_email_domain": False})
    dossier, _ = to_dossier(place, reference)
    assert casework.decide_by_policy(place, reference, dossier) == ""


def test_what_was_withdrawn_comes_back_by_a_person_only(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    status = load_status(place, reference)
    update_status(place, status, State.WITHDRAWN, withdrawn=True)
    assert "withdrawn" in casework.decide_by_policy(place, reference, dossier)


def test_a_hold_by_a_person_is_not_overruled_by_the_policy(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    casework.record_hold(place, reference, dossier, "A. Officer")
    assert "A. Officer" in casework.decide_by_policy(place, reference, dossier)


def test_a_name_the_store_refuses_is_quarantined_and_the_others_go_on(place: Workplace) -> None:
    reference = upload(place)
    name = "records/back\\slash.png"
    put(place, reference, name, memo("x"))
    intake = take_in(place, reference)
    assert intake.state is State.PROCESSING
    outcomes = {record.name: record.outcome for record in load_status(place, reference).records}
    assert outcomes == {name: "quarantined"}


def test_a_persons_approval_survives_another_run(place: Workplace) -> None:
    reference = upload(place, review="required")
    dossier, _ = to_dossier(place, reference)
    casework.record_approval(place, reference, dossier, "A. Officer")
    assert casework.decide_by_policy(place, reference, dossier) == ""
    approval = casework.find_approval(place, reference, dossier)
    assert approval is not None and approval.by == "A. Officer"


def test_a_doubtful_page_is_held_even_when_no_review_is_asked_for(place: Workplace) -> None:
    reference = upload(place)
    dossier, keys = to_dossier(place, reference)
    plan = place.load(keys.plan, RedactionPlan)
    doubt = Doubt("inky-but-wordless", "Much ink, no words.", pipeline.REVIEW_FROM)
    place.save(keys.plan, replace(plan, reviews=(PageReview(0, doubt.score, (doubt,)),)))
    assert "record 1 page 1 (inky-but-wordless)" in casework.decide_by_policy(place, reference, dossier)
    assert casework.find_approval(place, reference, dossier) is None


def test_a_file_the_gate_refused_never_becomes_part_of_a_dossier(place: Workplace) -> None:
    manifest, keys = to_gate(place, upload(place))
    report = place.load(keys.report, VerificationReport)
    place.save(keys.report, replace(report, findings=(Finding("A01", 0, None, "Live text under a mark."),)))
    with pytest.raises(LeakFoundError, match="record 1: A01"):
        casework.assemble(place, manifest, [keys], [])


@pytest.mark.parametrize("what", ["pdf", "report"])
def test_bytes_swapped_after_the_approval_do_not_leave(place: Workplace, what: str) -> None:
    reference = upload(place)
    dossier, keys = to_dossier(place, reference)
    casework.decide_by_policy(place, reference, dossier)
    if what == "pdf":
        place.save_bytes(keys.pdf, place.load_bytes(keys.pdf) + b"\n%more")
    else:
        report = place.load(keys.report, VerificationReport)
        place.save_bytes(keys.report, pack(replace(report, checks=())))
    with pytest.raises(LeakFoundError, match="not the file that passed"):
        casework.publish_approved(place, reference, dossier)
    assert published(place, reference) == []


def test_a_withheld_value_elsewhere_in_the_bundle_stops_it() -> None:
    with pytest.raises(LeakFoundError):
        casework.refuse_values({"data/schedule.csv": f"1,{VALUE}".encode()}, {VALUE})
    with pytest.raises(LeakFoundError):
        casework.refuse_values({f"data/records/{VALUE}.pdf": b""}, {VALUE})
    casework.refuse_values({"data/schedule.csv": b"1,email,s.31(1)(a)"}, {VALUE})


def test_the_authoritys_own_site_does_not_block_its_letters(place: Workplace) -> None:
    """Its records withhold a mailbox host; its letters are published on a site below that host."""
    theirs = Policy(authority=Authority(name="Eastmere", url="https://foi.eastmere.example.org"))
    elsewhere = Workplace(place.store, BUCKETS, theirs, place.reading, place.readers, place.keys, True)
    reference = upload(elsewhere)
    put(
        elsewhere,
        reference,
        "records/memo.png",
        memo("The intranet host is eastmere.example.org today.", f"Ref {reference}"),
    )
    dossier, keys = to_dossier(elsewhere, reference)
    assert "eastmere.example.org" in elsewhere.load(keys.plan, RedactionPlan).withheld
    assert casework.decide_by_policy(elsewhere, reference, dossier) == ""
    assert casework.publish_approved(elsewhere, reference, dossier) == 1


def test_a_run_works_with_the_request_it_took_in(place: Workplace) -> None:
    """A new upload in the middle does not mix a new letter with old records."""
    reference = upload(place)
    manifest, keys = to_gate(place, reference)
    put(place, reference, "request.json", b'{"reference": "broken')
    dossier = casework.assemble(place, manifest, [keys], [])
    assert casework.decide_by_policy(place, reference, dossier) == ""
    assert casework.publish_approved(place, reference, dossier) == 1


def test_a_record_replaced_under_the_run_is_noticed(place: Workplace) -> None:
    reference = upload(place)
    manifest = take_in(place, reference).manifest
    put(place, reference, "records/memo.png", memo("Another memo altogether."))
    with pytest.raises(RecordChangedError):
        steps.read_record.fn(place, manifest, 1)


def test_a_stricter_gate_looks_at_every_file_again(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version of a stage is part of its results' names, and of no earlier stage's."""
    manifest, keys = to_gate(place, upload(place))
    monkeypatch.setattr(pipeline, "GATE", pipeline.GATE + 1)
    newer = Workplace(place.store, BUCKETS, place.policy, place.reading, place.readers, place.keys, True)
    again = steps.gate_record.fn(newer, manifest, 1, keys.transcript, keys.plan, keys.pdf)
    assert again.key != keys.report
    assert newer.reading_fingerprint == place.reading_fingerprint
    assert newer.fingerprint != place.fingerprint


def test_a_file_that_turns_out_damaged_is_quarantined_and_numbered(place: Workplace) -> None:
    reference = upload(place, records=[{"file": "records/bad.png", "title": "A plan"}, {"file": "records/memo.png"}])
    put(place, reference, "records/bad.png", memo("x")[:200])
    manifest_key = take_in(place, reference).manifest
    manifest = place.load(manifest_key, Manifest)
    late = steps.read_record.fn(place, manifest_key, 1) if len(manifest.records) == 2 else None
    assert late is None or late.rejected == "corrupt"
    reasons = [info.key for info in place.store.list(BUCKETS.quarantine, f"{reference}/") if "reason" in info.key]
    assert len(reasons) == 1


def test_an_awaited_file_is_named(place: Workplace) -> None:
    reference = upload(place, records=[{"file": "records/late.png"}])
    assert take_in(place, reference).state is State.WAITING
    status = load_status(place, reference)
    assert [record.name for record in status.records] == ["records/late.png"]


def test_a_term_of_the_request_is_withheld_whatever_kinds_the_policy_lists(place: Workplace) -> None:
    reference = upload(place, policy={"terms": ["March"], "withhold": ["phone"]})
    _, keys = to_gate(place, reference)
    plan = place.load(keys.plan, RedactionPlan)
    assert [mark.kinds for mark in plan.marks] == [("term",)]


# ------------------------------------------------------------------------------------------------ what a step is


def test_only_transient_errors_are_tried_again() -> None:
    from prefect.states import exception_to_failed_state
    from prefect.utilities.asyncutils import run_coro_as_sync

    from tasks.errors import StoreUnavailableError

    def state_of(error: Exception) -> object:
        return run_coro_as_sync(exception_to_failed_state(error))

    assert steps._is_transient(steps.publish, None, state_of(StoreUnavailableError()))  # type: ignore[arg-type]
    for error in (RejectedInputError(), LeakFoundError(), RecordChangedError(), ValueError()):
        assert not steps._is_transient(steps.publish, None, state_of(error))  # type: ignore[arg-type]
    assert steps.publish.retries == 4


def test_an_error_leaves_a_step_without_the_text_of_what_caused_it() -> None:
    @steps.step("canary", "canary")
    def sing() -> None:
        raise ValueError(VALUE)

    with pytest.raises(FoiError) as caught:
        sing.fn()
    chain: BaseException | None = caught.value
    while chain is not None:
        assert VALUE not in repr(chain)
        chain = chain.__cause__ or chain.__context__


def test_packed_values_survive_the_store(place: Workplace, tmp_path: Path) -> None:
    plan = RedactionPlan("s", "p", 1, (), (), ("x",))
    place.save("test/plan.json.gz", plan)
    assert place.load("test/plan.json.gz", RedactionPlan) == plan == unpack(pack(plan), RedactionPlan)
