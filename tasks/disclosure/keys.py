"""The keys a disclosure is signed with.

Rule kept here: keys come as bytes from the caller and are never logged, shown or published; what is public of a key is
its identifier, the SHA-256 of its SubjectPublicKeyInfo. There are two files:

* the signing key, PEM: an Ed25519 `PRIVATE KEY` that signs statements; beside it, optionally, an RSA `PRIVATE KEY` and
  its `CERTIFICATE` for the CMS signature that `openssl cms -verify` understands. It can be rotated: a bundle
  carries the public half it was signed with;
* the commitment key, at least 32 bytes: keys the commitments to what stays inside. It is kept when the other is
  rotated, or old commitments could not be opened.

What the authority publishes elsewhere, for others to compare with, is a third file: every public key it ever signed
with, newest first, each followed by its certificate if it has one. A key whose certificate was renewed stands there
once with each; a key that signed without a certificate at some time stands there once without.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tasks.disclosure.cms import detached_signature
from tasks.errors import ConfigurationError, KeysMissingError

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+?)-----END \1-----")
MIN_COMMITMENT_KEY = 32
"""Bytes."""


def public_key_id(spki: bytes) -> str:
    """The identifier of a public key: SHA-256 over its SubjectPublicKeyInfo (DER), hex."""
    return hashlib.sha256(spki).hexdigest()


def load_public_key(pem: bytes) -> Ed25519PublicKey:
    """The Ed25519 public key in a PEM text.

    Raises:
        ConfigurationError: it is not one.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("The public key is not a PEM text.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError("The public key is not an Ed25519 key.")
    return key


def key_id_of(key: Ed25519PublicKey) -> str:
    """`public_key_id` of a loaded key."""
    return public_key_id(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def signature_holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is by `key` over `message`."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


# ------------------------------------------------------------------------------------------------ public keys


@dataclass(frozen=True, slots=True)
class PublisherKey:
    """A public key of a publisher.

    Attributes:
        key: that one.
        certificates: each that went with it, newest first; None among them for a time without one.
    """

    key: Ed25519PublicKey
    certificates: tuple[x509.Certificate | None, ...] = (None,)

    @property
    def key_id(self) -> str:
        """Identifier of the key."""
        return key_id_of(self.key)

    @property
    def pem(self) -> bytes:
        """The key with each certificate, as `load_publisher` reads them, below a line that says which key it is."""
        key = self.key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        head = f"Key {self.key_id}\n".encode() + key
        return b"".join(
            head + (one.public_bytes(serialization.Encoding.PEM) if one else b"") for one in self.certificates
        )

    def known_before(self, older: PublisherKey) -> PublisherKey:
        """This key with the certificates that went with it before as well."""
        return PublisherKey(self.key, tuple(dict.fromkeys((*self.certificates, *older.certificates))))


def load_publisher(pem: bytes) -> tuple[PublisherKey, ...]:
    """The public keys in a file, each once, in its order; a certificate belongs to the key before it.

    Raises:
        ConfigurationError: it holds no key, or something else beside keys and certificates.
    """
    pairs: list[PublisherKey] = []
    for block in _BLOCK.finditer(pem):
        if block.group(1) != b"CERTIFICATE":
            pairs.append(PublisherKey(load_public_key(block.group() + b"\n")))
            continue
        if not pairs:
            raise ConfigurationError("A certificate comes before every public key.")
        pair = PublisherKey(pairs[-1].key, load_certificates(block.group())[:1])
        if pairs[-1].certificates == (None,):
            pairs.pop()
        pairs.append(pair)
    if not pairs:
        raise ConfigurationError("The public key is not a PEM text.")
    found: dict[str, PublisherKey] = {}
    for pair in pairs:
        known = found.get(pair.key_id)
        found[pair.key_id] = known.known_before(pair) if known else pair
    return tuple(found.values())


def load_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM text, at least one.

    Raises:
        ConfigurationError: there is none, or one is damaged.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise ConfigurationError("A certificate is missing or damaged.") from None


# ------------------------------------------------------------------------------------------------ commitments


def load_commitment_key(secret: bytes | None) -> bytes:
    """The commitment key in its file.

    Raises:
        ConfigurationError: it is absent or too short.
    """
    found = (secret or b"").strip()
    if len(found) < MIN_COMMITMENT_KEY:
        raise ConfigurationError(f"The commitment key is absent or shorter than {MIN_COMMITMENT_KEY} bytes.")
    return found


def opening_of(commitment_key: bytes, what: str) -> bytes:
    """What opens the one commitment to `what`: shown to somebody, it opens no other."""
    return hmac.new(commitment_key, what.encode(), hashlib.sha256).digest()


def commitment_to(commitment_key: bytes, what: str, value: str) -> str:
    """HMAC-SHA256 that binds us to a value without giving it away: hex.

    Args:
        commitment_key: the secret.
        what: what the value is and of which request, so that equal values elsewhere cannot be linked.
        value: a digest.
    """
    return hmac.new(opening_of(commitment_key, what), value.encode(), hashlib.sha256).hexdigest()


# ------------------------------------------------------------------------------------------------ signing keys


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """What is needed to sign one disclosure. Every secret is out of its `repr`."""

    _signing: Ed25519PrivateKey = field(repr=False)
    _commitment: bytes = field(repr=False)
    _cms: tuple[RSAPrivateKey, x509.Certificate] | None = field(default=None, repr=False)

    @property
    def key_id(self) -> str:
        """Identifier of the public half of the signing key."""
        return key_id_of(self._signing.public_key())

    @property
    def public_pem(self) -> bytes:
        """The public half of the signing key, PEM."""
        return self._signing.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def certificate_pem(self) -> bytes | None:
        """The certificate of the CMS signature, PEM, if there is one."""
        return self._cms[1].public_bytes(serialization.Encoding.PEM) if self._cms else None

    @property
    def certificate_der(self) -> bytes | None:
        """The same, DER."""
        return self._cms[1].public_bytes(serialization.Encoding.DER) if self._cms else None

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature over a message; deterministic by RFC 8032."""
        return self._signing.sign(message)

    @property
    def public(self) -> PublisherKey:
        """What others compare with."""
        return PublisherKey(self._signing.public_key(), (self._cms[1] if self._cms else None,))

    def commit(self, what: str, value: str) -> str:
        """`commitment_to` with the key that stays inside."""
        return commitment_to(self._commitment, what, value)

    def sign_cms(self, content: bytes) -> bytes | None:
        """A detached CMS signature (DER) over `content`; None without an RSA key.

        RSA with PKCS #1 v1.5 padding and no signed attributes (they would hold the clock): the same bytes every time.
        """
        if self._cms is None:
            return None
        key, certificate = self._cms
        return detached_signature(certificate, key.sign(content, PKCS1v15(), hashes.SHA256()))


def load_keys(signing_pem: bytes | None, commitment_key: bytes | None) -> SigningKeys:
    """The keys in their two files.

    Raises:
        KeysMissingError: there is no signing key.
        ConfigurationError: the commitment key is absent, or a part is missing or unusable.
    """
    if not signing_pem or not signing_pem.strip():
        raise KeysMissingError("There is no signing key.")
    secret = load_commitment_key(commitment_key)
    signing, rsa, certificate = None, None, None
    try:
        for found in _BLOCK.finditer(signing_pem):
            if found.group(1) == b"CERTIFICATE":
                certificate = x509.load_pem_x509_certificate(found.group() + b"\n")
            else:
                key = serialization.load_pem_private_key(found.group() + b"\n", password=None)
                signing = key if isinstance(key, Ed25519PrivateKey) else signing
                rsa = key if isinstance(key, RSAPrivateKey) else rsa
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError("A part of the signing key is damaged or locked by a password.") from None
    if signing is None:
        raise ConfigurationError("The signing key has no Ed25519 private key.")
    if rsa is None and certificate is None:
        return SigningKeys(signing, secret)
    if rsa is None or certificate is None or certificate.public_key() != rsa.public_key():
        raise ConfigurationError("The signing key's RSA key and certificate do not belong together.")
    return SigningKeys(signing, secret, (rsa, certificate))


def _private_pem(key: Ed25519PrivateKey | RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(key: RSAPrivateKey, name: str, start: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start.replace(year=start.year + 20, day=min(start.day, 28)))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(key, hashes.SHA256())
    )


def generate_signing_key(name: str = "Disclosure signing", start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> bytes:
    """A new signing key, PEM: Ed25519, and RSA with a self-signed certificate. Random.

    Args:
        name: common name in the certificate.
        start: first moment of the certificate's 20 years; who makes a key to sign with gives today.
    """
    rsa = generate_private_key(public_exponent=65537, key_size=3072)
    return b"".join(
        (
            _private_pem(Ed25519PrivateKey.generate()),
            _private_pem(rsa),
            _certificate(rsa, name, start).public_bytes(serialization.Encoding.PEM),
        )
    )


def generate_commitment_key() -> bytes:
    """A new commitment key: 32 random bytes as one line of hex."""
    return os.urandom(32).hex().encode() + b"\n"
