"""The one form of a CMS signature (RFC 5652) that we make and accept: detached, RSA over SHA-256, no attributes.

Rule kept here: the same certificate and signature give the same bytes. Who checks a signature builds it again and
compares, so that no parser reads a stranger's file and nothing hides in a part that no signature covers.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_SEQUENCE, _SET, _INTEGER, _OCTETS, _CONTEXT_0 = 0x30, 0x31, 0x02, 0x04, 0xA0
_NULL = b"\x05\x00"
_DATA = bytes.fromhex("06092a864886f70d010701")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_SHA256 = bytes.fromhex("0609608648016503040201")
_RSA = bytes.fromhex("06092a864886f70d010101")


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    length = bytes([size]) if size < 128 else _long(size)
    return bytes([tag]) + length + body


def _long(size: int) -> bytes:
    digits = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(digits)]) + digits


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def detached_signature(certificate: x509.Certificate, signature: bytes) -> bytes:
    """SignedData (DER) of one signer, without the content.

    Args:
        certificate: the signer's; it goes in.
        signature: RSASSA-PKCS1-v1_5 with SHA-256 over the content.
    """
    sha256 = _der(_SEQUENCE, _SHA256, _NULL)
    signer = _der(_SEQUENCE, certificate.issuer.public_bytes(), _integer(certificate.serial_number))
    signer_info = _der(_SEQUENCE, _integer(1), signer, sha256, _der(_SEQUENCE, _RSA, _NULL), _der(_OCTETS, signature))
    signed_data = _der(
        _SEQUENCE,
        _integer(1),
        _der(_SET, sha256),
        _der(_SEQUENCE, _DATA),
        _der(_CONTEXT_0, certificate.public_bytes(Encoding.DER)),
        _der(_SET, signer_info),
    )
    return _der(_SEQUENCE, _SIGNED_DATA, _der(_CONTEXT_0, signed_data))
