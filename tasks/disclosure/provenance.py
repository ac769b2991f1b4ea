"""Who made the disclosure, of what, with what, and who approved it: a signed statement.

Rules kept here: an in-toto Statement v1 whose subjects are every payload file, in a DSSE v1 envelope (Ed25519). What
stays inside (sources, policy, dossier) appears only as a keyed commitment, because a bare digest of a guessable text
gives the text away; the key's holder can open a commitment later and show that a file is the one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tasks.codec import decode, digest, encode
from tasks.disclosure.keys import SigningKeys, key_id_of, signature_holds
from tasks.model import Approval, Dossier

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
DISCLOSURE = "urn:foi-disclosure:predicate:disclosure:1"
WITHDRAWAL = "urn:foi-disclosure:predicate:withdrawal:1"


def pae(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature covers (DSSE protocol v1, pre-authentication encoding)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(statement: Mapping[str, Any], keys: SigningKeys) -> bytes:
    """A statement in its envelope; the same statement and key give the same bytes."""
    payload = encode(statement)
    signature = base64.b64encode(keys.sign(pae(PAYLOAD_TYPE, payload))).decode()
    return encode(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": keys.key_id, "sig": signature}],
        }
    )


@dataclass(frozen=True, slots=True)
class _Signature:
    sig: str


@dataclass(frozen=True, slots=True)
class _Envelope:
    payload: str
    payloadType: str
    signatures: tuple[_Signature, ...]


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """An envelope's content and the identifiers of the keys that signed it."""

    statement: dict[str, Any]
    signed_by: tuple[str, ...]


def open_envelope(untrusted: bytes, keys: list[Ed25519PublicKey]) -> OpenedEnvelope:
    """What an envelope holds and which of `keys` signed exactly that.

    Raises:
        ValueError: it is not an envelope with a statement.
    """
    try:
        envelope = decode(untrusted, _Envelope)
        payload = base64.b64decode(envelope.payload, validate=True)
        covered = pae(envelope.payloadType, payload)
        signatures = [base64.b64decode(entry.sig, validate=True) for entry in envelope.signatures]
        statement = decode(payload, dict[str, Any])
        proper = envelope.payloadType == PAYLOAD_TYPE and statement.get("_type") == STATEMENT_TYPE
    except (ValueError, RecursionError):
        raise ValueError("not an envelope") from None
    if not proper:
        raise ValueError("not an in-toto statement")
    signed = (key_id_of(key) for key in keys if any(signature_holds(key, sig, covered) for sig in signatures))
    return OpenedEnvelope(statement, tuple(signed))


def subjects(payload: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Payload files as in-toto subjects, by name."""
    return [{"name": name, "digest": {"sha256": digest(payload[name])}} for name in sorted(payload)]


def publishable_name(by: str) -> str:
    """Who approved, as it may be published: an account or number that could be used to make contact is left out."""
    clean = " ".join(by.split())
    return "an authorised officer" if "@" in clean or re.search(r"\d\D?\d\D?\d\D?\d\D?\d", clean) else clean


def source_of(reference: str, number: int) -> str:
    """What a commitment to a record's source says it is of."""
    return f"source of record {number} of {reference}"


def source_commitment(keys: SigningKeys, reference: str, number: int, source_sha256: str) -> str:
    """The published commitment to a source file; `tasks.disclosure.prove` opens it later."""
    return keys.commit(source_of(reference, number), source_sha256)


def dossier_commitment(keys: SigningKeys, reference: str, dossier_sha256: str) -> str:
    """The published commitment to a dossier."""
    return keys.commit(f"dossier of {reference}", dossier_sha256)


def disclosure_statement(
    dossier: Dossier,
    approval: Approval,
    payload: Mapping[str, bytes],
    policy_version: str,
    keys: SigningKeys,
    version: int,
    supersedes: Mapping[str, Any] | None,
    accompanying: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """The statement on a disclosure.

    Args:
        dossier: what was approved.
        approval: who, when, which dossier.
        payload: path in the bag -> bytes, of every payload file.
        policy_version: the policy's own name for itself.
        keys: for the commitments.
        version: of the publication.
        supersedes: version and tag manifest digest of the one it replaces.
        accompanying: path -> bytes, of what stands beside the payload; its lists and signatures follow from the rest.
    """
    reference = dossier.reference
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects(payload),
        "predicateType": DISCLOSURE,
        "predicate": {
            "reference": reference,
            "version": version,
            "supersedes": supersedes,
            "pipeline": {"name": "foi-disclosure", "version": dossier.pipeline},
            "tools": [{"name": name, "version": number} for name, number in dossier.tools],
            "policy": {
                "version": policy_version,
                "commitment": keys.commit(f"policy of {reference}", dossier.policy),
            },
            "records": [
                {
                    "number": record.number,
                    "file": f"data/records/{record.file_name}",
                    "sourceCommitment": source_commitment(keys, reference, record.number, record.source_sha256),
                    "gateReport": {"sha256": record.report_sha256},
                    "pages": len(record.pages),
                    **({"sourcePages": record.source_pages} if record.source_pages else {}),
                    "marks": len(record.marks),
                }
                for record in dossier.records
            ],
            "accompanying": subjects(accompanying or {}),
            "certificate": {"sha256": digest(keys.certificate_der)} if keys.certificate_der else None,
            "approval": {
                "by": publishable_name(approval.by),
                "at": approval.at,
                "approvers": [{"by": publishable_name(one.by), "at": one.at} for one in approval.approvers],
                "dossierCommitment": dossier_commitment(keys, reference, approval.dossier),
            },
            "commitments": (
                "HMAC-SHA256 of a SHA-256 in hex, under a key for this one thing, which the authority keeps and can "
                "show without opening any other"
            ),
        },
    }


def withdrawal_statement(
    reference: str, version: int, bag: str, zip_sha256: str, *, reason: str, at: str
) -> dict[str, Any]:
    """The statement on a withdrawal; its subject is the newest version that was withdrawn.

    Args:
        reference: of the request.
        version: the newest one withdrawn; all before it are withdrawn too.
        bag: SHA-256 of its tag manifest, hex.
        zip_sha256: SHA-256 of its zip, hex.
        reason: as readers are told.
        at: ISO 8601 UTC.
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": f"v{version}.zip", "digest": {"sha256": zip_sha256}},
            {"name": f"v{version}/tagmanifest-sha256.txt", "digest": {"sha256": bag}},
        ],
        "predicateType": WITHDRAWAL,
        "predicate": {"reference": reference, "versions": list(range(1, version + 1)), "reason": reason, "at": at},
    }
