"""The log of decisions: only ever added to, sealed, and nothing is released from one that was tampered with."""

from __future__ import annotations

import json
import uuid
from base64 import b64decode

import pytest

from infra.keys import make_keys
from tasks.decisions import (
    BY_POLICY,
    approval_of,
    corrections_in_force,
    held_by,
    read_log,
    record_decision,
    waiting_for,
)
from tasks.disclosure.keys import load_keys
from tasks.disclosure.provenance import disclosure_statement
from tasks.errors import NotApprovedError
from tasks.model import Act, Approver
from tasks.workplace import Workplace
from tests.casework.conftest import BUCKETS
from tests.disclosure.examples import dossier as example_dossier

pytestmark = pytest.mark.servers

SHOWN, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def reference() -> str:
    return f"LOG-{uuid.uuid4().hex[:8]}"


def keys_of(place: Workplace, reference: str) -> list[str]:
    return [info.key for info in place.store.list(BUCKETS.work, f"decisions/{reference}/")]


def test_a_later_decision_leaves_the_earlier_where_it_is(place: Workplace, reference: str) -> None:
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    (first,) = keys_of(place, reference)
    before = place.load_bytes(first)
    record_decision(place, reference, Act.HOLD, SHOWN, "B. Second")
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    assert place.load_bytes(first) == before
    log = read_log(place, reference)
    assert [(d.act, d.by) for d in log.decisions] == [
        (Act.RELEASE, "A. First"),
        (Act.HOLD, "B. Second"),
        (Act.RELEASE, "A. First"),
    ]
    assert log.whole
    assert log.sealed == {1, 2, 3}


def test_the_same_decision_again_is_no_second_entry(place: Workplace, reference: str) -> None:
    for _ in range(2):
        record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    assert len(keys_of(place, reference)) == 1


@pytest.mark.parametrize("names", [("A. First",), ("A. First", "a.  FIRST"), ("A. First", BY_POLICY)])
def test_one_person_is_not_two(place: Workplace, reference: str, names: tuple[str, ...]) -> None:
    for name in names:
        record_decision(place, reference, Act.RELEASE, SHOWN, name)
    log = read_log(place, reference)
    assert approval_of(log, SHOWN, 2) is None
    assert approval_of(log, SHOWN, 1) is not None


def test_two_persons_who_release_the_same_dossier_are_both_named(place: Workplace, reference: str) -> None:
    record_decision(place, reference, Act.RELEASE, OTHER, "B. Second")
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    assert approval_of(read_log(place, reference), SHOWN, 2) is None, "of another dossier"
    record_decision(place, reference, Act.RELEASE, SHOWN, "C. Third")
    record_decision(place, reference, Act.RELEASE, SHOWN, "D. Fourth")
    approval = approval_of(read_log(place, reference), SHOWN, 2)
    assert approval is not None
    assert [one.by for one in approval.approvers] == ["A. First", "C. Third"], "a fourth changes nothing"
    statement = disclosure_statement(example_dossier(), approval, {}, "1", place.keys, 1, None)
    assert [one["by"] for one in statement["predicate"]["approval"]["approvers"]] == ["A. First", "C. Third"]


def test_the_release_of_another_dossier_ends_an_earlier_one(place: Workplace, reference: str) -> None:
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    record_decision(place, reference, Act.RELEASE, OTHER, "A. First")
    log = read_log(place, reference)
    assert approval_of(log, SHOWN, 1) is None
    assert approval_of(log, OTHER, 1) is not None


@pytest.mark.parametrize("act", [Act.HOLD, Act.CORRECT, Act.WITHDRAW])
def test_what_was_released_before_is_taken_back(place: Workplace, reference: str, act: Act) -> None:
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    record_decision(place, reference, act, SHOWN, "B. Second")
    assert approval_of(read_log(place, reference), SHOWN, 1) is None
    assert (held_by(read_log(place, reference), SHOWN) == "B. Second") is (act is Act.HOLD)
    record_decision(place, reference, Act.RELEASE, SHOWN, "C. Third")
    approval = approval_of(read_log(place, reference), SHOWN, 1)
    assert approval is not None and approval.by == "C. Third"


def test_corrections_count_until_the_gate_refuses_them(place: Workplace, reference: str) -> None:
    for name in ("1" * 64, "2" * 64):
        record_decision(place, reference, Act.CORRECT, SHOWN, "A. First", correction=name)
    record_decision(place, reference, Act.REFUSE, SHOWN, "the gate", correction="1" * 64)
    assert corrections_in_force(read_log(place, reference)) == ("2" * 64,)


@pytest.mark.parametrize("what", ["removed", "altered", "rubbish"])
def test_from_a_log_that_was_tampered_with_nothing_is_released(place: Workplace, reference: str, what: str) -> None:
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    record_decision(place, reference, Act.HOLD, SHOWN, "B. Second")
    record_decision(place, reference, Act.RELEASE, SHOWN, "C. Third")
    hold = keys_of(place, reference)[1]
    if what == "removed":
        place.store.delete(BUCKETS.work, hold)
    else:
        data = place.load_bytes(hold)
        place.save_bytes(hold, b"{}" if what == "rubbish" else data.replace(b'"sig":"', b'"sig":"A', 1))
    with pytest.raises(NotApprovedError, match="damaged"):
        approval_of(read_log(place, reference), SHOWN, 1)


def test_a_release_sealed_with_another_key_counts_for_nothing_and_a_hold_does(
    place: Workplace, reference: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = make_keys(tmp_path_factory.mktemp("other"))
    others = load_keys(made.signing.read_bytes(), made.commitment.read_bytes())
    forger = Workplace(place.store, BUCKETS, place.policy, place.reading, place.readers, others)
    record_decision(forger, reference, Act.RELEASE, SHOWN, "A. First")
    assert approval_of(read_log(place, reference), SHOWN, 1) is None
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    assert approval_of(read_log(place, reference), SHOWN, 1) is not None
    record_decision(forger, reference, Act.HOLD, SHOWN, "B. Second")
    assert approval_of(read_log(place, reference), SHOWN, 1) is None


def test_an_entry_is_a_signed_statement_about_the_dossier(place: Workplace, reference: str) -> None:
    record_decision(place, reference, Act.RELEASE, SHOWN, "A. First")
    envelope = json.loads(place.load_bytes(keys_of(place, reference)[0]))
    statement = json.loads(b64decode(envelope["payload"]))
    assert statement["subject"] == [{"name": f"dossier of {reference}", "digest": {"sha256": SHOWN}}]
    assert envelope["signatures"][0]["keyid"] == place.keys.key_id


def test_the_reason_says_how_many_persons_are_missing() -> None:
    assert "2 other persons" in waiting_for([Approver("A. First", "")], 3)
    assert "1 other person must" in waiting_for([Approver("A. First", "")], 2)
