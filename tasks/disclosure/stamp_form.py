"""The one form of a time stamp (RFC 3161) that we keep and accept.

Rule kept here: an answer of an authority holds parts that no signature covers: versions, the name of the signature's
algorithm, words beside the status, further certificates and attributes. They are written anew or left out, and what is
left is signed. So whoever changes any byte of a stamp is found out, and nothing hides in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from tasks.disclosure.cms import RSA, SIGNED_DATA, signer_of
from tasks.disclosure.der import CONTEXT_0, NULL, OCTETS, SEQUENCE, SET, Value, der, integer, read

_TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
_GRANTED = der(SEQUENCE, integer(0))
_SHA2 = {name: bytes.fromhex(f"060960864801650304020{number}") for name, number in (("256", 1), ("384", 2), ("512", 3))}
_ECDSA = {name: bytes.fromhex(f"06082a8648ce3d04030{number}") for name, number in (("256", 2), ("384", 3), ("512", 4))}
MAX_CHAIN = 8


def in_one_form(stamp: bytes) -> tuple[bytes, tuple[x509.Certificate, ...]]:
    """A stamp as we keep it, and the certificates in it: the signer's, then the one that issued it, and so on.

    Nothing of it is believed or checked here, but that each certificate is signed with the next.

    Args:
        stamp: TimeStampResp (DER).

    Raises:
        ValueError: it is no granted stamp by one signer, or of a kind whose form we do not know (signed with RSA by
            PKCS #1 v1.5 or ECDSA, over SHA-2).
    """
    status, token = read(stamp).parts(SEQUENCE)
    if status.parts(SEQUENCE)[0].whole != integer(0):
        raise ValueError("not granted")
    kind, explicit = token.parts(SEQUENCE)
    (signed_data,) = explicit.parts(CONTEXT_0)
    _, _, content, *sets = signed_data.parts(SEQUENCE)
    if kind.whole != SIGNED_DATA or content.parts(SEQUENCE)[0].whole != _TST_INFO:
        raise ValueError("not a signed time")
    (signer,) = sets[-1].parts(SET)
    _, who, digest_algorithm, attributes, _, signature, *_ = signer.parts(SEQUENCE)
    every = [x509.load_der_x509_certificate(one.whole) for one in sets[0].parts(CONTEXT_0)]
    chain = _chain(who, every)
    name = next((n for n, oid in _SHA2.items() if digest_algorithm.parts(SEQUENCE)[0].whole == oid), "")
    sha2 = der(SEQUENCE, _SHA2[name] if name else b"", NULL)
    if not name or signature.tag != OCTETS:
        raise ValueError("another algorithm")
    signer_info = der(
        SEQUENCE,
        integer(1),
        signer_of(chain[0]),
        sha2,
        der(CONTEXT_0, *sorted(one.whole for one in attributes.parts(CONTEXT_0))),
        _algorithm(chain[0], name),
        signature.whole,
    )
    anew = der(
        SEQUENCE,
        integer(3),
        der(SET, sha2),
        content.whole,
        der(CONTEXT_0, *sorted(one.public_bytes(Encoding.DER) for one in chain)),
        der(SET, signer_info),
    )
    return der(SEQUENCE, _GRANTED, der(SEQUENCE, SIGNED_DATA, der(CONTEXT_0, anew))), chain


def _algorithm(certificate: x509.Certificate, sha2: str) -> bytes:
    """AlgorithmIdentifier of a signature by this certificate's key."""
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        return RSA
    if isinstance(key, EllipticCurvePublicKey):
        return der(SEQUENCE, _ECDSA[sha2])
    raise ValueError("another kind of key")


def _chain(who: Value, certificates: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The signer's certificate and those above it, without the one that signed itself."""
    chain = [next((one for one in certificates if signer_of(one) == who.whole), None)]
    while (last := chain[-1]) is not None and len(chain) <= MAX_CHAIN:
        chain.append(next((one for one in certificates if one.subject != one.issuer and issued(last, one)), None))
    found = tuple(one for one in chain if one is not None)
    if not found or len(found) > MAX_CHAIN:
        raise ValueError("no certificate of the signer, or too many above it")
    return found


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate is signed with the key of another."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
