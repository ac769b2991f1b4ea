"""A source file is shown to be the one that was committed to, with a clear yes or no."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.proving import opening_lines
from tasks.codec import digest
from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.keys import (
    SigningKeys,
    generate_commitment_key,
    generate_signing_key,
    load_commitment_key,
    load_keys,
)
from tasks.disclosure.layout import ENVELOPE, SIGNER
from tasks.disclosure.prove import Proof, prove_source
from tasks.disclosure.provenance import seal, withdrawal_statement
from tasks.errors import ConfigurationError
from tasks.model import Dossier
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files
from tests.disclosure.test_verify import failed

pytestmark = pytest.mark.slow

SECRET = generate_commitment_key()
KEYS = load_keys(generate_signing_key(), SECRET)
SCANS = {1: b"the scan of the minutes", 2: b"the scan of the list", 3: b"the scan of the poster"}


def scanned() -> Dossier:
    return dossier(records=tuple(replace(r, source_sha256=digest(SCANS[r.number])) for r in dossier().records))


@cache
def bundle() -> dict[str, bytes]:
    return assemble_bundle(scanned(), approval(scanned()), files(), POLICY, KEYS)


def prove(
    source: bytes, reference: str = REFERENCE, secret: bytes = SECRET, key: bytes | None = KEYS.public.pem
) -> Proof:
    return prove_source(bundle(), reference, source, load_commitment_key(secret), key)


@pytest.mark.parametrize("number", SCANS)
def test_each_source_is_shown_to_be_that_of_its_record(number: int) -> None:
    proof = prove(SCANS[number], key=KEYS.public.pem)
    assert proof.verdict.ok
    assert proof.verdict.trusted
    sentence = next(check.sentence for check in proof.verdict.checks if check.name == "source")
    assert sentence.startswith("Yes: the file is, byte for byte, the source of record")
    assert f"record {number} (data/records/00{number}-" in sentence
    assert [opening.record for opening in proof.openings] == [number]


@pytest.mark.parametrize("source", [b"", b"another scan", SCANS[1] + b"\n", SCANS[1][:-1]])
def test_any_other_file_is_not(source: bytes) -> None:
    proof = prove(source)
    assert failed(proof.verdict)["source"].startswith("No: by this commitment key")
    assert proof.openings == ()


def test_another_commitment_key_shows_nothing() -> None:
    assert "by this commitment key" in failed(prove(SCANS[1], secret=generate_commitment_key()).verdict)["source"]


def test_another_reference_or_another_statement_shows_nothing() -> None:
    assert "something else" in failed(prove(SCANS[1], "B-2").verdict)["source"]
    withdrawal = seal(withdrawal_statement(REFERENCE, 1, "a", "b", reason="r", at="2026-01-01T00:00:00Z"), KEYS)
    other = prove_source(
        {**bundle(), ENVELOPE: withdrawal}, REFERENCE, SCANS[1], load_commitment_key(SECRET), KEYS.public.pem
    )
    assert "something else" in failed(other.verdict)["source"]


def test_a_statement_signed_by_somebody_else_shows_nothing() -> None:
    stranger = load_keys(generate_signing_key(), SECRET)
    proof = prove(SCANS[1], key=stranger.public.pem)
    assert set(failed(proof.verdict)) == {"signature"}
    assert proof.openings == ()
    assert set(failed(prove_source({}, REFERENCE, SCANS[1], load_commitment_key(SECRET)).verdict)) == {"signature"}


def forged(signer: SigningKeys, change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    """The bundle with a changed statement, signed by somebody."""
    statement = json.loads(base64.b64decode(json.loads(bundle()[ENVELOPE])["payload"]))
    change(statement)
    return {**bundle(), ENVELOPE: seal(statement, signer), SIGNER: signer.public_pem}


def test_a_copied_commitment_in_a_strangers_statement_is_never_opened() -> None:
    """Anybody can copy a published commitment; the opening would then speak for what they wrote around it."""
    stranger = load_keys(generate_signing_key(), generate_commitment_key())

    def pretend(statement: dict[str, Any]) -> None:
        statement["predicate"]["records"][0]["file"] = "data/records/other.pdf"

    for key in (None, KEYS.public.pem):
        proof = prove_source(forged(stranger, pretend), REFERENCE, SCANS[1], load_commitment_key(SECRET), key)
        assert not proof.verdict.ok
        assert proof.openings == ()
    assert set(failed(prove(SCANS[1], key=None).verdict)) == {"publisher"}


def test_a_record_that_the_statement_does_not_publish_is_none() -> None:
    def pretend(statement: dict[str, Any]) -> None:
        statement["predicate"]["records"][0]["file"] = "data/records/other.pdf"

    proof = prove_source(forged(KEYS, pretend), REFERENCE, SCANS[1], load_commitment_key(SECRET), KEYS.public.pem)
    assert "does not publish" in failed(proof.verdict)["source"]
    assert proof.openings == ()


def test_one_file_listed_as_two_records_is_shown_for_both() -> None:
    twice = tuple(replace(r, source_sha256=digest(SCANS[1])) for r in dossier().records[:2])
    case = dossier(records=twice)
    given = {record.file_name: files()[record.file_name] for record in twice}
    made = assemble_bundle(case, approval(case), given, POLICY, KEYS)
    proof = prove_source(made, REFERENCE, SCANS[1], load_commitment_key(SECRET), KEYS.public.pem)
    assert [opening.record for opening in proof.openings] == [1, 2]
    assert len({opening.commitment for opening in proof.openings}) == 2  # nobody can see that they are one file


def test_an_opening_lets_openssl_compute_the_commitment_and_opens_no_other(tmp_path: Path) -> None:
    """By the very line that `foi prove --opening` prints."""
    (tmp_path / "FILE").write_bytes(SCANS[2])
    proof = prove(SCANS[2])
    (opening,) = proof.openings
    said, _, line = opening_lines(proof)
    assert opening.commitment in said
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == opening.commitment
    other = prove(SCANS[1]).openings[0]
    assert other.key != opening.key
    assert SECRET.decode().strip() not in (opening.key, other.key)


@pytest.mark.parametrize("secret", [None, b"", b"short"])
def test_a_commitment_key_that_is_none_is_said(secret: bytes | None) -> None:
    with pytest.raises(ConfigurationError, match="commitment key"):
        load_commitment_key(secret)
