"""The one form of a CMS signature (RFC 5652) that we make and accept: detached, RSA over SHA-256, no attributes.

Rule kept here: the same certificate and signature give the same bytes. Who checks a signature builds it again and
compares, so that no parser reads a stranger's file and nothing hides in a part that no signature covers.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tasks.disclosure.der import CONTEXT_0, NULL, OCTETS, SEQUENCE, SET, der, integer

_DATA = bytes.fromhex("06092a864886f70d010701")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_SHA256 = bytes.fromhex("0609608648016503040201")
RSA = der(SEQUENCE, bytes.fromhex("06092a864886f70d010101"), NULL)
"""AlgorithmIdentifier rsaEncryption."""


def signer_of(certificate: x509.Certificate) -> bytes:
    """IssuerAndSerialNumber: which certificate a signature is to be checked with."""
    return der(SEQUENCE, certificate.issuer.public_bytes(), integer(certificate.serial_number))


def detached_signature(certificate: x509.Certificate, signature: bytes) -> bytes:
    """SignedData (DER) of one signer, without the content.

    Args:
        certificate: the signer's; it goes in.
        signature: RSASSA-PKCS1-v1_5 with SHA-256 over the content.
    """
    sha256 = der(SEQUENCE, _SHA256, NULL)
    signer_info = der(SEQUENCE, integer(1), signer_of(certificate), sha256, RSA, der(OCTETS, signature))
    signed_data = der(
        SEQUENCE,
        integer(1),
        der(SET, sha256),
        der(SEQUENCE, _DATA),
        der(CONTEXT_0, certificate.public_bytes(Encoding.DER)),
        der(SET, signer_info),
    )
    return der(SEQUENCE, SIGNED_DATA, der(CONTEXT_0, signed_data))
