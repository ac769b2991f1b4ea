"""A request from folder to publication on a real store, without Prefect's server: what is refused, kept and decided.

The steps are called as the plain functions they wrap.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tasks import casework, fingerprints, pipeline, steps
from tasks.arrival import take_in
from tasks.caseload import caseload
from tasks.codec import pack, unpack
from tasks.errors import FoiError, LeakFoundError, NotApprovedError, RecordChangedError, RejectedInputError
from tasks.looks import REVIEW_FROM
from tasks.model import (
    Doubt,
    Finding,
    Manifest,
    PageReview,
    RedactionPlan,
    StageKeys,
    State,
    Transcript,
    VerificationReport,
)
from tasks.request import Authority, Policy, Request
from tasks.status import list_statuses, load_status, set_status
from tasks.workplace import Workplace
from tests.authority import NAMED
from tests.casework.conftest import BUCKETS
from tests.disclosure import examples
from tests.pictures import encoded, typed

pytestmark = [pytest.mark.servers, pytest.mark.slow]

VALUE = "desk.nine@eastmere.example.org"


def memo(*lines: str) -> bytes:
    return encoded(typed(*lines, height=420), "PNG", dpi=(150, 150))


PLAIN = [
    "river",
    "paper",
    "window",
    "garden",
    "table",
    "street",
    "summer",
    "winter",
    "letter",
    "people",
    "school",
    "number",
    "house",
    "market",
    "train",
    "water",
]


def in_words(reference: str) -> str:
    """A line of its own for each reference that every reader reads: chance signs raise doubts by chance."""
    return " ".join(PLAIN[int(digit, 16)] for digit in reference[-8:])


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
    set_status(place, reference, State.WITHDRAWN, withdrawn=True)
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
    doubt = Doubt("inky-but-wordless", "Much ink, no words.", REVIEW_FROM)
    place.save(keys.plan, replace(plan, reviews=(PageReview(0, doubt.score, (doubt,)),)))
    assert "record 1 page 1 (inky-but-wordless)" in casework.decide_by_policy(place, reference, dossier)
    assert casework.find_approval(place, reference, dossier) is None


def test_a_response_without_what_could_not_be_read_waits_for_a_person_unless_the_policy_lets_it_go(
    place: Workplace,
) -> None:
    """The letter promises that a readable copy is being sought; somebody has to seek it."""
    reference = upload(place)
    put(place, reference, "records/z\\slash.png", memo("x"))
    dossier, _ = to_dossier(place, reference)
    reason = casework.decide_by_policy(place, reference, dossier)
    assert "could not be read: record" in reason
    assert "slash" not in reason
    assert casework.find_approval(place, reference, dossier) is None
    lenient = NAMED.model_copy(update={"release_without_unreadable": True})
    elsewhere = Workplace(place.store, BUCKETS, lenient, place.reading, place.readers, place.keys, True)
    dossier, _ = to_dossier(elsewhere, reference)
    assert casework.decide_by_policy(elsewhere, reference, dossier) == ""


def test_a_file_the_gate_refused_never_becomes_part_of_a_dossier(place: Workplace) -> None:
    manifest, keys = to_gate(place, upload(place))
    report = place.load(keys.report, VerificationReport)
    place.save(keys.report, replace(report, findings=(Finding("A01", 0, None, "Live text under a mark."),)))
    with pytest.raises(LeakFoundError, match="record 1: A01"):
        casework.assemble(place, manifest, [keys], [])


def test_a_record_that_comes_out_otherwise_the_second_time_blocks_its_request(place: Workplace) -> None:
    """Even where the gate finds nothing in the first: the same input must give the same bytes."""
    manifest, keys = to_gate(place, upload(place))
    plan, read = place.load(keys.plan, RedactionPlan), place.load(keys.transcript, Transcript)
    (record,) = place.load(manifest, Manifest).records
    source = place.store.get(BUCKETS.intake, record.key)
    other = pipeline.redact_record(source, record.media, plan, read, "Another title", place.reading.limits)
    pdf = place.save_bytes(f"{keys.pdf}.other", other)
    report = steps.gate_record.fn(place, manifest, 1, keys.transcript, keys.plan, pdf)
    assert report.refused == ""
    with pytest.raises(LeakFoundError, match="record 1: A30"):
        casework.assemble(place, manifest, [replace(keys, pdf=pdf, report=report.key)], [])


def test_the_pages_that_each_source_had_are_part_of_the_dossier(place: Workplace) -> None:
    reference = upload(place)
    content, case = casework.load_case(place, reference, to_dossier(place, reference)[0])
    taken = place.load(case.manifest, Manifest)
    assert [record.source_pages for record in content.records] == [one.media.pages for one in taken.records] == [1]


def test_no_withheld_value_is_told_where_more_people_see_it(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    _, case = casework.load_case(place, reference, dossier)
    casework.refuse_to_say(place, case, f"# {reference}: held\n\n| 1 | 1 | 1 e-mail address |")
    for text in (f"Write to {VALUE}.", VALUE.upper(), VALUE.replace("@", "&#64;"), VALUE.replace(".", " . ")):
        with pytest.raises(LeakFoundError, match="A25") as caught:
            casework.refuse_to_say(place, case, text)
        assert "desk" not in str(caught.value)


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


def test_a_withheld_value_elsewhere_in_the_bundle_stops_it(place: Workplace) -> None:
    search = place.readers.search
    with pytest.raises(LeakFoundError):
        casework.refuse_values({"data/schedule.csv": f"1,{VALUE}".encode()}, {VALUE}, search)
    with pytest.raises(LeakFoundError):
        casework.refuse_values({f"data/records/{VALUE}.pdf": b""}, {VALUE}, search)
    casework.refuse_values({"data/schedule.csv": b"1,email,s.31(1)(a)"}, {VALUE}, search)


@pytest.mark.parametrize("where", ["letter", "title", "record"])
@pytest.mark.parametrize("hidden", ["requester", "term"])
def test_a_name_or_a_term_that_no_recogniser_found_does_not_leave(where: str, hidden: str) -> None:
    said, made = "Yours, Linda LLOYD.", examples.dossier()
    if where == "letter":
        made = replace(made, letter={**made.letter, "request_text": said})
    elif where == "title":
        made = replace(made, title=said)
    else:
        made = replace(made, records=(replace(made.records[0], title=said), *made.records[1:]))
    name = ("Linda Lloyd",)
    request = Request(
        reference=made.reference,
        title="x",
        received=date(2026, 3, 2),
        request_text="x",
        requester=name if hidden == "requester" else (),
    )
    policy = Policy(terms=name if hidden == "term" else ())
    casework.refuse_terms(examples.dossier(), request, policy)
    with pytest.raises(LeakFoundError, match="name or a term"):
        casework.refuse_terms(made, request, policy)


def test_a_response_in_nobodys_name_is_held(place: Workplace) -> None:
    reference = upload(place)
    nobody = Workplace(place.store, BUCKETS, Policy(), place.reading, place.readers, place.keys, True)
    dossier, _ = to_dossier(nobody, reference)
    held = casework.decide_by_policy(nobody, reference, dossier)
    assert "incomplete" in held and "FOI_POLICY_FILE" in held
    with pytest.raises(NotApprovedError):
        casework.publish_approved(nobody, reference, dossier)


def test_the_authoritys_own_site_does_not_block_its_letters(place: Workplace) -> None:
    """Its records withhold a mailbox host; its letters are published on a site below that host."""
    site = "https://foi.eastmere.example.org"
    theirs = Policy(authority=Authority(name="Eastmere", contact=f"{site}/ask", url=site))
    elsewhere = Workplace(place.store, BUCKETS, theirs, place.reading, place.readers, place.keys, True)
    reference = upload(elsewhere)
    put(
        elsewhere,
        reference,
        "records/memo.png",
        memo("The intranet host is eastmere.example.org today.", in_words(reference)),
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
    monkeypatch.setattr(fingerprints, "GATE", fingerprints.GATE + 1)
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


# ------------------------------------------------------------------------------------------------ persons and clocks


def test_where_two_persons_are_asked_for_one_is_not_enough(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    careful = Workplace(place.store, BUCKETS, place.policy, place.reading, place.readers, place.keys, True, approvals=2)
    assert "FOI_APPROVALS" in casework.decide_by_policy(careful, reference, dossier)
    assert "1 other person" in casework.record_approval(careful, reference, dossier, "A. First")
    with pytest.raises(NotApprovedError):
        casework.publish_approved(careful, reference, dossier)
    assert "A. First" in casework.decide_by_policy(careful, reference, dossier)
    assert "1 other person" in casework.record_approval(careful, reference, dossier, "A. First")
    assert casework.record_approval(careful, reference, dossier, "B. Second") == ""
    assert casework.publish_approved(careful, reference, dossier) == 1


def test_a_withdrawal_is_remembered_without_the_status(place: Workplace) -> None:
    reference = upload(place)
    dossier, _ = to_dossier(place, reference)
    casework.decide_by_policy(place, reference, dossier)
    casework.publish_approved(place, reference, dossier)
    steps.withdraw.fn(place, reference, "Published in error.", "A. Officer", dossier, 1)
    place.store.put(BUCKETS.work, f"status/{reference}.json", b"{damaged")
    assert "withdrawn" in casework.decide_by_policy(place, reference, dossier)
    with pytest.raises(NotApprovedError):
        casework.publish_approved(place, reference, dossier)


def test_one_damaged_status_hides_no_other_request(place: Workplace) -> None:
    good, bad = upload(place), upload(place)
    for reference in (good, bad):
        take_in(place, reference)
    place.store.put(BUCKETS.work, f"status/{bad}.json", b'{"state": "nonsense"}')
    rows = {row.reference: row for row in caseload(place)}
    assert rows[good].state == State.PROCESSING
    assert (rows[bad].state, rows[bad].action) == ("damaged", f"foi process {bad}")
    assert good in {status.reference for status in list_statuses(place)}
    assert take_in(place, bad).state is State.PROCESSING
    assert load_status(place, bad).state is State.PROCESSING


def test_the_caseload_shows_the_clock_with_the_overdue_first(place: Workplace) -> None:
    letter = [{"from": "authority", "date": "2026-03-04", "text": "Which memo?"}]
    answer = {"from": "requester", "date": "2026-03-20", "text": "The one on the display."}
    late, restarted = upload(place), upload(place, clarification=[*letter, answer])
    stopped = upload(place, clarification=letter)
    answered = upload(place)
    take_in(place, answered)
    set_status(place, answered, State.PUBLISHED)
    mine = {late, restarted, stopped, answered}
    rows = [row for row in caseload(place, today=date(2026, 4, 10)) if row.reference in mine]
    assert [row.reference for row in rows[:2]] == [late, restarted]
    by_name = {row.reference: row for row in rows}
    assert (by_name[late].due, by_name[late].overdue) == ("2026-03-31", True)
    assert by_name[late].days_left == -6  # Good Friday and Easter Monday fall between
    assert (by_name[restarted].due, by_name[restarted].overdue) == ("2026-04-21", False)
    assert (by_name[stopped].clock, by_name[stopped].due, by_name[stopped].days_left) == ("stopped", "", None)
    assert by_name[answered].days_left is None
    assert "internal review until" in by_name[answered].action
