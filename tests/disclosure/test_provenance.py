from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs7
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from tasks.disclosure.keys import (
    SigningKeys,
    generate_commitment_key,
    generate_signing_key,
    load_keys,
    load_public_key,
    load_publisher,
)
from tasks.disclosure.provenance import (
    STATEMENT_TYPE,
    disclosure_statement,
    dossier_commitment,
    open_envelope,
    publishable_name,
    seal,
    source_commitment,
)
from tasks.errors import ConfigurationError
from tasks.model import Dossier
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, keys

pytestmark = pytest.mark.slow

STATEMENT = {"_type": STATEMENT_TYPE, "subject": [], "predicateType": "urn:x", "predicate": {}}


def envelope_of(data: bytes) -> Envelope:
    return Envelope.from_dict(json.loads(data))


def sslib_key(pem: bytes) -> SSlibKey:
    return SSlibKey.from_crypto(serialization.load_pem_public_key(pem), keyid=keys().key_id)


# ---------------------------------------------------------------------------------------------- keys


def test_another_library_verifies_the_envelope() -> None:
    envelope_of(seal(STATEMENT, keys())).verify([sslib_key(keys().public_pem)], 1)


def test_another_library_refuses_a_changed_envelope() -> None:
    data = json.loads(seal(STATEMENT, keys()))
    data["payload"] = base64.b64encode(base64.b64decode(data["payload"]).replace(b"urn:x", b"urn:y")).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(data).verify([sslib_key(keys().public_pem)], 1)


def test_the_key_identifier_is_the_digest_openssl_prints(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(keys().public_pem)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", "key.pem", "-outform", "DER"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    assert hashlib.sha256(der).hexdigest() == keys().key_id


def test_the_same_statement_gives_the_same_bytes() -> None:
    assert seal(STATEMENT, keys()) == seal(dict(reversed(STATEMENT.items())), keys())
    assert keys().sign_cms(b"x") == keys().sign_cms(b"x")


def pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


SECRET = generate_commitment_key()


@pytest.mark.parametrize(
    ("signing", "commitment", "words"),
    [
        (None, SECRET, "no signing key"),
        (b" \n", SECRET, "no signing key"),
        (b"nothing", SECRET, "no Ed25519"),
        (pem(Ed25519PrivateKey.generate()), None, "commitment key"),
        (pem(Ed25519PrivateKey.generate()), b"short", "commitment key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", SECRET, "damaged"),
    ],
    ids=["no key", "a blank key", "no PEM", "no secret", "a short secret", "a damaged key"],
)
def test_a_missing_or_bad_key_is_a_matter_of_configuration(signing: bytes, commitment: bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_keys(signing, commitment)


def test_an_rsa_key_needs_its_own_certificate() -> None:
    one, two = generate_signing_key(), generate_signing_key()
    cut = one.index(b"-----BEGIN CERTIFICATE")
    with pytest.raises(ConfigurationError, match="together"):
        load_keys(one[:cut], SECRET)
    with pytest.raises(ConfigurationError, match="together"):
        load_keys(one[:cut] + two[two.index(b"-----BEGIN CERTIFICATE") :], SECRET)


def test_an_ed25519_key_alone_signs_statements_and_no_cms() -> None:
    alone = load_keys(pem(Ed25519PrivateKey.generate()), SECRET)
    assert alone.sign_cms(b"x") is None
    assert alone.certificate_pem is None
    envelope_of(seal(STATEMENT, alone)).verify(
        [SSlibKey.from_crypto(serialization.load_pem_public_key(alone.public_pem), keyid=alone.key_id)], 1
    )


def test_a_file_of_several_public_keys_gives_each_with_its_certificate() -> None:
    signers = [keys(), load_keys(pem(Ed25519PrivateKey.generate()), SECRET), load_keys(generate_signing_key(), SECRET)]
    known = load_publisher(b"\n".join(signer.public.pem for signer in signers))
    assert [one.key_id for one in known] == [signer.key_id for signer in signers]
    assert [one.certificates != (None,) for one in known] == [True, False, True]
    assert known[0] == keys().public


def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="before every"):
        load_publisher(keys().certificate_pem or b"")


def test_the_signature_over_the_list_is_what_another_library_writes() -> None:
    signing = generate_signing_key()
    made = load_keys(signing, SECRET).sign_cms(b"content")
    (rsa,) = [
        k for k in map(private_key, signing.split(b"-----END PRIVATE KEY-----\n")[:2]) if isinstance(k, RSAPrivateKey)
    ]
    certificate = x509.load_pem_x509_certificate(signing[signing.index(b"-----BEGIN CERTIFICATE") :])
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"content").add_signer(certificate, rsa, hashes.SHA256())
    assert made == builder.sign(serialization.Encoding.DER, options)


def private_key(block: bytes) -> object:
    return serialization.load_pem_private_key(block.strip() + b"\n-----END PRIVATE KEY-----\n", None)


def test_nothing_secret_is_in_the_repr() -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    shown = repr(load_keys(pem(Ed25519PrivateKey.generate()), secret))
    assert "0123" not in shown
    assert "PRIVATE" not in shown


def test_a_public_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        load_public_key(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    with pytest.raises(ConfigurationError):
        load_public_key(keys().certificate_pem or b"")


# ---------------------------------------------------------------------------------------------- statement


def predicate(signer: SigningKeys | None = None) -> dict[str, object]:
    statement = disclosure_statement(dossier(), approval(), {"data/a": b"a"}, POLICY.version, signer or keys(), 1, None)
    return statement["predicate"]  # type: ignore[no-any-return]


def test_what_stays_inside_appears_only_as_a_keyed_commitment() -> None:
    text = json.dumps(predicate())
    case = dossier()
    for inside in (case.policy, approval().dossier, *(record.source_sha256 for record in case.records)):
        assert inside not in text
    assert source_commitment(keys(), REFERENCE, 1, case.records[0].source_sha256) in text


def test_commitments_differ_by_key_request_and_value_and_survive_rotation() -> None:
    first = load_keys(generate_signing_key(), SECRET)
    rotated = load_keys(generate_signing_key(), SECRET)
    other = load_keys(generate_signing_key(), generate_commitment_key())
    made = source_commitment(first, REFERENCE, 1, "a")
    assert made == source_commitment(rotated, REFERENCE, 1, "a")
    assert first.key_id != rotated.key_id
    different = {
        made,
        source_commitment(other, REFERENCE, 1, "a"),
        source_commitment(first, "other", 1, "a"),
        source_commitment(first, REFERENCE, 2, "a"),
        source_commitment(first, REFERENCE, 1, "b"),
    }
    assert len(different) == 5


def test_the_statement_names_every_payload_file_and_binds_policy_dossier_and_each_gate_report() -> None:
    case, payload = dossier(), {"data/b": b"b", "data/a": b"a"}
    statement = disclosure_statement(case, approval(), payload, POLICY.version, keys(), 1, None)
    assert statement["subject"] == [
        {"name": f"data/{name}", "digest": {"sha256": hashlib.sha256(name.encode()).hexdigest()}} for name in "ab"
    ]
    said = statement["predicate"]
    assert [record["gateReport"]["sha256"] for record in said["records"]] == [r.report_sha256 for r in case.records]
    assert said["pipeline"] == {"name": "foi-disclosure", "version": "0.1.0"}
    assert said["policy"] == {
        "version": POLICY.version,
        "commitment": keys().commit(f"policy of {REFERENCE}", POLICY.digest),
    }
    assert said["approval"]["dossierCommitment"] == dossier_commitment(keys(), REFERENCE, approval().dossier)


@pytest.mark.parametrize(
    "change",
    [
        {"policy": "0" * 64},
        {"tools": (("tesseract", "5.4.0"),)},
        {"pipeline": "0.2.0"},
        {"records": (replace(dossier().records[0], report_sha256="0" * 64), *dossier().records[1:])},
        {"records": (replace(dossier().records[0], source_sha256="0" * 64), *dossier().records[1:])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_statement_moves_with_what_it_is_about(change: dict[str, object]) -> None:
    def about(case: Dossier) -> object:
        statement = disclosure_statement(case, approval(), {"data/a": b"a"}, POLICY.version, keys(), 1, None)
        return statement["predicate"]

    assert about(dossier(**change)) != about(dossier())


def test_the_statement_says_who_when_and_with_what() -> None:
    said = predicate()
    assert said["approval"]["by"] == "A. Officer"  # type: ignore[index]
    assert said["approval"]["at"] == "2026-03-30T14:05:00Z"  # type: ignore[index]
    assert said["tools"] == [{"name": "tesseract", "version": "5.3.0"}, {"name": "pymupdf", "version": "1.28.0"}]
    assert [record["marks"] for record in said["records"]] == [3, 1, 0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("by", ["a.officer@police.example", "Officer 020 7946 0958", "A. Officer x12345"])
def test_an_approver_given_by_contact_detail_is_not_published(by: str) -> None:
    statement = disclosure_statement(
        dossier(), replace(approval(), by=by), {"data/a": b"a"}, POLICY.version, keys(), 1, None
    )
    assert statement["predicate"]["approval"]["by"] == "an authorised officer"


@pytest.mark.parametrize("by", ["A. Officer", "policy: review none", "Information Access Unit, desk 4"])
def test_a_name_or_role_is_published(by: str) -> None:
    assert publishable_name(by) == by


@pytest.mark.parametrize(
    "bad",
    [b"", b"{}", b"[]", b'{"payload":"","payloadType":"x","signatures":[]}', b'{"payload":1}', b"[" * 100_000, b"\xff"],
)
def test_what_is_no_envelope_is_a_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError, match="not an"):
        open_envelope(bad, [])


def test_opening_tells_which_keys_signed() -> None:
    stranger = load_keys(generate_signing_key(), SECRET)
    sealed = seal(STATEMENT, keys())
    known = [load_public_key(keys().public_pem), load_public_key(stranger.public_pem)]
    assert open_envelope(sealed, known).signed_by == (keys().key_id,)
    assert open_envelope(sealed, known[1:]).signed_by == ()
