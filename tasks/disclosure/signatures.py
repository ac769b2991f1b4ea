"""Who signed a bundle: its statement (Ed25519), its list of files (CMS), its moment (RFC 3161).

Rule kept here: nothing is believed because the bundle says so. A signature by a key that lies in the bundle proves
only that the bundle is in one piece, and the sentence says that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tasks.disclosure.cms import detached_signature
from tasks.disclosure.keys import PublisherKey, load_certificates, load_publisher
from tasks.disclosure.layout import (
    CERTIFICATE,
    CMS_SIGNATURE,
    ENVELOPE,
    SIGNED_LIST,
    SIGNER,
    TIME_STAMP,
    TSA_CERTIFICATE,
)
from tasks.disclosure.provenance import open_envelope
from tasks.disclosure.timestamp import stamped_at
from tasks.disclosure.verdict import Check, Verdict
from tasks.errors import ConfigurationError
from tasks.model import REFERENCE

MAX_VERSION = 1_000_000

_NOT_WHO = (
    "This only shows that it is in one piece. It does not show who signed: anybody can put a key of their own in. "
    "Compare this identifier with the one the authority publishes elsewhere, or give its key with --key."
)


@dataclass(frozen=True, slots=True)
class Signed:
    """What came of looking at a signed statement.

    Attributes:
        check: whether it is signed, and by whom.
        trusted: whether by a key the verifier brought along.
        by: that key; None when no known key signed it.
        statement: {} unless it is signed.
    """

    check: Check
    trusted: bool = False
    by: PublisherKey | None = None
    statement: dict[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """What is stated: the predicate, {} when there is none."""
        predicate = self.statement.get("predicate")
        return predicate if isinstance(predicate, dict) else {}

    @property
    def version(self) -> int:
        """Which version it is about, the newest of several; 0 when it does not say."""
        version, several = self.about.get("version"), self.about.get("versions")
        if version is None and isinstance(several, list) and several:
            version = several[-1]
        return version if type(version) is int and 0 < version <= MAX_VERSION else 0

    @property
    def reference(self) -> str:
        """Which request it is about; "" when it does not say, or what is no reference."""
        reference = self.about.get("reference")
        return reference if isinstance(reference, str) and REFERENCE.fullmatch(reference) else ""

    def verdict(self, checks: Iterable[Check], bag: str = "") -> Verdict:
        """The checks made of what is signed here, as a verdict on it; `bag` as in `Verdict`."""
        made = tuple(checks)
        return Verdict(
            ok=all(check.ok for check in made),
            trusted=self.trusted,
            reference=self.reference,
            version=self.version,
            checks=made,
            signed_by=self.by.key_id if self.by else "",
            bag=bag,
        )


def signed_statement(envelope: bytes | None, own_pem: bytes, trusted_pem: bytes | None) -> Signed:
    """Look at a statement in its envelope.

    Args:
        envelope: DSSE; None when there is none.
        own_pem: the key that came along with it.
        trusted_pem: the publisher's keys as the verifier has them from elsewhere, if so.
    """
    name = "signature"
    if envelope is None:
        return Signed(Check(name, False, "There is no signed statement."))
    try:
        known = load_publisher(own_pem if trusted_pem is None else trusted_pem)
    except ConfigurationError:
        whose = "that comes with it" if trusted_pem is None else "you gave"
        return Signed(Check(name, False, f"The public key {whose} is not usable."))
    try:
        opened = open_envelope(envelope, [one.key for one in known])
    except ValueError:
        return Signed(Check(name, False, "The signed statement is damaged."))
    by = next((one for one in known if one.key_id in opened.signed_by), None)
    if by is None:
        listed = ", ".join(one.key_id for one in known)
        if trusted_pem is None:
            whose = f"the key that comes with it ({listed})"
        else:
            whose = f"the key you gave ({listed})" if len(known) == 1 else f"any of the {len(known)} keys you gave"
        return Signed(Check(name, False, f"The statement is not signed by {whose}."))
    if trusted_pem is None:
        sentence = f"The statement is signed by the key that comes with it ({by.key_id}). {_NOT_WHO}"
        return Signed(Check(name, True, sentence), False, by, opened.statement)
    whose = "the key you gave" if len(known) == 1 else f"key {known.index(by) + 1} of the {len(known)} you gave"
    return Signed(Check(name, True, f"The statement is signed by {whose} ({by.key_id})."), True, by, opened.statement)


def bundle_statement(files: Mapping[str, bytes], trusted_pem: bytes | None) -> Signed:
    """`signed_statement` of a bundle."""
    return signed_statement(files.get(ENVELOPE), files.get(SIGNER, b""), trusted_pem)


def _speaks_of_certificate(files: Mapping[str, bytes]) -> bool:
    """Whether a bundle holds or lists something of a CMS signature."""
    lists = (data for path, data in files.items() if path.startswith("tagmanifest-"))
    return CMS_SIGNATURE in files or CERTIFICATE in files or any(CERTIFICATE.encode() in data for data in lists)


def file_list_signature(files: Mapping[str, bytes], signed: Signed) -> Check | None:
    """The CMS signature over the tag manifest; None when there is none and nothing says there should be.

    There should be one when the signed statement names a certificate (older ones say nothing of it), when the bundle
    lists one, or when the key that signed the statement, as the verifier knows it, never went without.

    Args:
        files: of the bundle.
        signed: its statement; one of the certificates of the trusted key that signed it is the one then.
    """
    name = "signature of the file list"
    known = signed.by.certificates if signed.by and signed.trusted else (None,)
    stated = signed.about.get("certificate")
    if not stated and None in known and not _speaks_of_certificate(files):
        return None
    if CMS_SIGNATURE not in files:
        return Check(name, False, "There is no signature over the list of files (CMS), and there should be one.")
    try:
        (certificate,) = load_certificates(files[CERTIFICATE])
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("not RSA")
        signature = files[CMS_SIGNATURE][-(key.key_size // 8) :]
        if files[CMS_SIGNATURE] != detached_signature(certificate, signature):
            raise ValueError("another form or certificate")
        key.verify(signature, files[SIGNED_LIST], PKCS1v15(), hashes.SHA256())
    except (KeyError, ValueError, InvalidSignature, ConfigurationError):
        return Check(name, False, "The signature over the list of files (CMS) does not hold.")
    if "certificate" in signed.about and stated != {"sha256": certificate.fingerprint(hashes.SHA256()).hex()}:
        return Check(name, False, "The list of files is not signed with the certificate the statement names (CMS).")
    if known == (None,):
        return Check(name, True, "The list of files is signed with the certificate that comes with the bundle (CMS).")
    if certificate not in known:
        return Check(name, False, "The list of files is not signed with the certificate you gave (CMS).")
    return Check(name, True, "The list of files is signed with the certificate you gave (CMS).")


def time_stamp(files: Mapping[str, bytes], trusted_pem: bytes | None) -> Check | None:
    """The time stamp on the tag manifest; None when there is none and nothing says there should be.

    Args:
        files: of the bundle.
        trusted_pem: certificates of the authority for time as the verifier has them from elsewhere, if so.
    """
    name = "time stamp"
    if TIME_STAMP not in files and TSA_CERTIFICATE not in files and trusted_pem is None:
        return None
    if TIME_STAMP not in files:
        return Check(name, False, "There is no time stamp.")
    try:
        certificates = load_certificates(files.get(TSA_CERTIFICATE, b"") if trusted_pem is None else trusted_pem)
        moment = stamped_at(files[TIME_STAMP], files.get(SIGNED_LIST, b""), certificates)
    except (ValueError, ConfigurationError):
        whose = "that comes with the bundle" if trusted_pem is None else "you gave"
        return Check(name, False, f"The time stamp on the list of files does not hold against the certificate {whose}.")
    existed = f"The list of files existed on {moment:%Y-%m-%d at %H:%M:%S} UTC"
    if trusted_pem is None:
        return Check(name, True, f"{existed}, says a time stamp whose certificate comes with the bundle.")
    return Check(name, True, f"{existed}, says the authority for time whose certificate you gave.")
