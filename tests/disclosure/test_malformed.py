"""Numbers, names and texts that no parser should meet: each is an answer in words and in JSON, never a crash."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tasks.codec import encode
from tasks.disclosure.current import verify_withdrawal, with_log
from tasks.disclosure.inspect_record import RecordFaults
from tasks.disclosure.layout import ENVELOPE
from tasks.disclosure.provenance import DISCLOSURE, PAYLOAD_TYPE, STATEMENT_TYPE, WITHDRAWAL, pae, subjects
from tasks.disclosure.verdict import Verdict
from tasks.disclosure.verify import verify_bundle
from tests.disclosure.examples import REFERENCE, keys
from tests.disclosure.test_bundle import bundle
from tests.disclosure.test_verify import failed, rebuilt

pytestmark = pytest.mark.slow

SCHEDULE = "data/schedule.json"


def enveloped(payload: bytes) -> bytes:
    signature = base64.b64encode(keys().sign(pae(PAYLOAD_TYPE, payload))).decode()
    return json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": "x", "sig": signature}],
        }
    ).encode()


def statement(changes: dict[str, bytes]) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads(base64.b64decode(json.loads(bundle()[ENVELOPE])["payload"]))
    payload = {path: data for path, data in {**bundle(), **changes}.items() if path.startswith("data/")}
    stated["subject"] = subjects(payload)
    return stated


def judged(changes: dict[str, bytes], payload: bytes | None = None) -> Verdict:
    """The verdict on what somebody signs who may sign anything; records are not looked into."""
    payload = json.dumps(statement(changes)).encode() if payload is None else payload
    verdict = verify_bundle(
        rebuilt({**changes, ENVELOPE: enveloped(payload)}), inspect=lambda *_args, **_options: RecordFaults()
    )
    assert json.loads(encode(verdict))["ok"] is False
    assert all(check.sentence.isascii() and check.sentence.isprintable() for check in verdict.checks)
    return verdict


def schedule(change: Callable[[dict[str, Any]], None]) -> bytes:
    content = json.loads(bundle()[SCHEDULE])
    change(content)
    return json.dumps(content).encode()


SCHEDULES: dict[str, bytes] = {
    "infinite": schedule(lambda s: s["records"][0].update(marks=float("inf"))),
    "no number": schedule(lambda s: s["rows"][0].update(page=float("nan"))),
    "1e400": schedule(lambda s: s["rows"][0].update(page=-7)).replace(b"-7", b"1e400"),
    "huge": schedule(lambda s: s["rows"][0].update(page=10**30)),
    "huge box": schedule(lambda s: s["rows"][0].update(boxes=[[10**40, 0, 1, 1]])),
    "negative": schedule(lambda s: s["rows"][0].update(boxes=[[-1, 0, 1, 1]])),
    "three edges": schedule(lambda s: s["rows"][0].update(boxes=[[0, 0, 1]])),
    "yes": schedule(lambda s: s["records"][0].update(marks=True)),
    "a row that is text": schedule(lambda s: s.update(rows=["x"])),
    "kinds": schedule(lambda s: s["rows"][0].update(kinds=5)),
    "a lone surrogate": schedule(lambda s: s["records"][0].update(file="\ud800")),
    "none": b"null",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_of_another_type_is_no_schedule(content: bytes) -> None:
    assert "damaged" in failed(judged({SCHEDULE: content}))["schedule"]


PREDICATES: dict[str, dict[str, Any]] = {
    "version of 70 bits": {"version": 2**70},
    "version yes": {"version": True},
    "version zero": {"version": 0},
    "version a fraction": {"version": 1.5},
    "reference an object": {"reference": {"a": 1}},
    "reference with markup": {"reference": "[link=http://evil.example]x[/link]"},
    "reference with a bell": {"reference": "A\x1b[31m"},
    "reference with a turn": {"reference": "A\u202eB"},
    "approval a number": {"approval": 5},
    "approvers numbers": {"approval": {"at": "x", "approvers": [1]}},
    "accompanying a number": {"accompanying": 5},
    "records a number": {"records": 5},
}


@pytest.mark.parametrize("changes", PREDICATES.values(), ids=PREDICATES)
def test_a_statement_of_other_types_fails_and_names_no_reference(changes: dict[str, Any]) -> None:
    stated = statement({})
    stated["predicate"].update(changes)
    verdict = judged({}, json.dumps(stated).encode())
    assert verdict.reference == ("" if "reference" in changes else REFERENCE)
    assert verdict.version == (0 if "version" in changes else 1)


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'"x"',
        b'{"_type":{}}',
        b'{"a":' * 100_000,
        b'{"_type":"%s","predicateType":"%s","subject":[],"predicate":{"reference":"\\ud800"}}'
        % (STATEMENT_TYPE.encode(), DISCLOSURE.encode()),
        b'{"_type":"%s","predicate":{"version":1e999}}' % STATEMENT_TYPE.encode(),
        b'{"_type":"%s","predicate":{"version":Infinity}}' % STATEMENT_TYPE.encode(),
    ],
)
def test_a_statement_that_is_none_is_damaged(payload: bytes) -> None:
    assert "damaged" in failed(judged({}, payload))["signature"]


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"null",
        b"5",
        b"\xff",
        b"[" * 100_000,
        b'{"payload":5}',
        b'{"payload":"e30=","payloadType":"\\ud800","signatures":[]}',
        b'{"payload":"e30=","payloadType":"x","signatures":{"sig":1}}',
    ],
)
def test_an_envelope_that_is_none_is_damaged(envelope: bytes) -> None:
    verdict = verify_bundle(rebuilt({ENVELOPE: envelope}), inspect=lambda *_args, **_options: RecordFaults())
    assert "damaged" in failed(verdict)["signature"]
    encode(verdict)


@pytest.mark.parametrize(
    "changes",
    [
        {"versions": []},
        {"versions": [1, "x"]},
        {"versions": {}},
        {"versions": [2**70]},
        {"versions": [2]},
        {"versions": "12"},
        {"versions": [True]},
        {"reference": "\u202e"},
        {"reference": 5},
        {"at": None, "reason": None, "versions": None},
    ],
)
def test_a_withdrawal_of_other_types_is_an_answer(changes: dict[str, Any]) -> None:
    subject = [{"name": "v1/tagmanifest-sha256.txt", "digest": {"sha256": "a"}}]
    about = {"reference": REFERENCE, "versions": [1], "reason": "r", "at": "2026", **changes}
    said = {"_type": STATEMENT_TYPE, "predicateType": WITHDRAWAL, "subject": subject, "predicate": about}
    verdict = verify_withdrawal(enveloped(json.dumps(said).encode()), keys().public.pem)
    assert "withdrawal" in failed(verdict)
    encode(verdict)


@pytest.mark.parametrize("version", [b"1e999", b"Infinity", b"-1", b"0", b"1.5", b"true", b'"1"', b"9" * 5000])
def test_a_log_with_a_version_that_is_none_is_damaged(version: bytes) -> None:
    entry = b'{"reference":"%s","version":%s,"published":"","outcome":"x","bag":""}' % (REFERENCE.encode(), version)
    verdict = Verdict(True, True, REFERENCE, 1, ())
    assert "damaged" in failed(with_log(verdict, b'{"disclosures":[' + entry + b"]}"))["disclosure log"]


def test_a_log_that_says_two_things_of_one_request_is_damaged() -> None:
    entry = {"reference": REFERENCE, "version": 1, "published": "", "outcome": "all", "bag": ""}
    verdict = Verdict(True, True, REFERENCE, 1, ())
    twice = encode({"disclosures": [entry, {**entry, "version": 2}]})
    assert "damaged" in failed(with_log(verdict, twice))["disclosure log"]


def test_a_path_that_is_no_text_is_an_answer() -> None:
    verdict = verify_bundle({**bundle(), "x\udcff": b""}, inspect=lambda *_args, **_options: RecordFaults())
    assert "x\\udcff" in failed(verdict)["bag"]
    encode(verdict)
