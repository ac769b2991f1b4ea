"""Which version is current, and what a withdrawal says: what only the publisher's log and its key can tell."""

from __future__ import annotations

import json

import pytest

from tasks.codec import encode
from tasks.disclosure.current import read_log, verify_withdrawal, with_log, with_reference
from tasks.disclosure.keys import generate_commitment_key, generate_signing_key, load_keys
from tasks.disclosure.provenance import seal, withdrawal_statement
from tasks.disclosure.verdict import Verdict
from tasks.disclosure.verify import verify_bundle
from tests.disclosure.examples import REFERENCE, keys
from tests.disclosure.shelf import Shelf
from tests.disclosure.test_publish import BUCKET, LATER, LATEST, another, corrected, released, take_back
from tests.disclosure.test_verify import failed

pytestmark = pytest.mark.slow

NAME = "disclosure log"


def log(shelf: Shelf) -> bytes:
    return shelf.get(BUCKET, "disclosures.json")


def verdict_on(shelf: Shelf, version: int, reference: str = REFERENCE) -> Verdict:
    folder = f"disclosures/{reference}/v{version}/"
    files = {info.key.removeprefix(folder): shelf.get(BUCKET, info.key) for info in shelf.list(BUCKET, folder)}
    return verify_bundle(files, keys().public.pem)


def said(verdict: Verdict) -> str:
    return next(check.sentence for check in verdict.checks if check.name == NAME)


def test_the_current_version_is_called_so() -> None:
    shelf = Shelf()
    released(shelf)
    verdict = with_log(verdict_on(shelf, 1), log(shelf))
    assert verdict.ok
    assert "version 1, the current one" in said(verdict)


def test_an_older_version_served_as_the_current_one_is_named() -> None:
    shelf = Shelf()
    released(shelf)
    released(shelf, corrected(), LATER)
    verdict = with_log(verdict_on(shelf, 1), log(shelf))
    assert failed(verdict) == {NAME: f"This is version 1, which version 2 replaced on {LATER}."}
    assert with_log(verdict_on(shelf, 2), log(shelf)).ok


def test_an_older_version_that_was_asked_for_is_no_fault() -> None:
    shelf = Shelf()
    released(shelf)
    released(shelf, corrected(), LATER)
    verdict = with_log(verdict_on(shelf, 1), log(shelf), asked=1)
    assert verdict.ok
    assert "as asked for. The log's current one is version 2" in said(verdict)


def test_a_withdrawn_one_is_named() -> None:
    shelf = Shelf()
    released(shelf)
    verdict = verdict_on(shelf, 1)
    take_back(shelf)
    assert f"withdrawn on {LATER}" in failed(with_log(verdict, log(shelf), asked=1))[NAME]


def test_an_old_log_does_not_pass_for_a_newer_version() -> None:
    shelf = Shelf()
    released(shelf)
    old = log(shelf)
    released(shelf, corrected(), LATER)
    assert "versions up to 1 only" in failed(with_log(verdict_on(shelf, 2), old))[NAME]


def test_another_bundle_of_the_same_version_is_named() -> None:
    shelf, other = Shelf(), Shelf()
    released(shelf)
    released(other, corrected())
    assert "other files" in failed(with_log(verdict_on(shelf, 1), log(other)))[NAME]


def test_a_log_that_does_not_know_it_or_is_none() -> None:
    shelf, other = Shelf(), Shelf()
    released(shelf)
    released(other, another())
    verdict = verdict_on(shelf, 1)
    assert "does not know" in failed(with_log(verdict, log(other)))[NAME]
    for bad in (b"", b"[]", b'{"disclosures":[{}]}', b'{"disclosures":[1]}', b"[" * 99999):
        assert "damaged" in failed(with_log(verdict, bad))[NAME]


def test_a_genuine_bundle_of_another_request_is_not_the_one_asked_for() -> None:
    shelf = Shelf()
    released(shelf)
    verdict = verdict_on(shelf, 1)
    assert with_reference(verdict, REFERENCE) == verdict
    assert "Asked for was B-2" in failed(with_reference(verdict, "B-2"))["reference"]


def test_the_log_is_read_as_it_is_written() -> None:
    shelf = Shelf()
    entry = released(shelf)
    (logged,) = read_log(log(shelf)).values()
    assert (logged.reference, logged.version, logged.bag, logged.withdrawn) == (REFERENCE, 1, entry.bag, False)


# ---------------------------------------------------------------------------------------------- withdrawal


def record(shelf: Shelf) -> bytes:
    return shelf.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal.dsse.json")


def withdrawn() -> Shelf:
    shelf = Shelf()
    released(shelf)
    released(shelf, corrected(), LATER)
    take_back(shelf, LATEST)
    return shelf


def test_the_record_of_a_withdrawal_says_what_when_and_why() -> None:
    verdict = verify_withdrawal(record(withdrawn()), keys().public.pem)
    assert verdict.ok
    assert (verdict.trusted, verdict.reference, verdict.version) == (True, REFERENCE, 2)
    sentence = next(check.sentence for check in verdict.checks if check.name == "withdrawal")
    assert f"{REFERENCE}, versions 1 to 2, was withdrawn on {LATEST}" in sentence
    assert "A record named a <witness>." in sentence


def test_a_withdrawal_is_believed_only_by_the_publishers_key() -> None:
    envelope = record(withdrawn())
    stranger = load_keys(generate_signing_key(), generate_commitment_key())
    assert "--key" in failed(verify_withdrawal(envelope))["signature"]
    assert "not signed by" in failed(verify_withdrawal(envelope, stranger.public.pem))["signature"]
    changed = json.loads(envelope)
    changed["payload"] = changed["payload"][:-8] + "AAAAAAAA"
    assert "signature" in failed(verify_withdrawal(json.dumps(changed).encode(), keys().public.pem))
    for bad in (b"", b"{}", b"[" * 99999):
        assert "damaged" in failed(verify_withdrawal(bad, keys().public.pem))["signature"]


def test_a_statement_on_a_disclosure_is_no_withdrawal() -> None:
    shelf = Shelf()
    released(shelf)
    envelope = shelf.get(BUCKET, f"disclosures/{REFERENCE}/v1/attestations/disclosure.dsse.json")
    assert "not about a withdrawal" in failed(verify_withdrawal(envelope, keys().public.pem))["withdrawal"]


def test_a_signed_record_that_lacks_its_parts_is_an_answer() -> None:
    whole = withdrawal_statement("R-1", 1, "a", "b", reason="r", at=LATER)
    for predicate in ({}, None, {"reference": "R-1", "versions": [], "at": LATER, "reason": "r"}):
        envelope = seal({**whole, "predicate": predicate}, keys())
        assert "withdrawal" in failed(verify_withdrawal(envelope, keys().public.pem))
    assert json.loads(encode(verify_withdrawal(seal(whole, keys()), keys().public.pem)))["ok"]
