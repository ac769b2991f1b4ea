"""Time stamps (RFC 3161): that the list of files existed at a moment, in the words of an authority for time.

Rule kept here: nothing is asked of anybody; a caller brings the answer. A stamp is judged at the moment it names, so
that it holds after the certificates have expired, and against certificates the caller names. Every byte of it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response

from tasks.disclosure.stamp_form import in_one_form, issued

MAX_STAMP_BYTES = 64 * 1024
"""A stamp with three certificates takes about 6 kB."""


class Stamper(Protocol):
    """A time stamping authority as publishing needs it."""

    @property
    def certificates_pem(self) -> bytes:
        """What its stamps verify against, PEM."""
        ...

    def stamp(self, content: bytes) -> bytes:
        """A stamp on `content`, in the form that is kept, checked.

        Raises:
            TransientError: the authority does not answer.
            ConfigurationError: what it answers does not verify.
        """
        ...


def time_stamp_query(content: bytes) -> bytes:
    """What to send to an authority (DER).

    Without a nonce: an old answer for the same digest would be true as well.
    """
    query = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=False).build()
    return query.as_bytes()


def storable(answer: bytes) -> bytes:
    """An authority's answer in the form that is kept and accepted; `stamped_at` says what it is worth.

    Raises:
        ValueError: it is no stamp, or none of a kind we know.
    """
    if len(answer) > MAX_STAMP_BYTES:
        raise ValueError("not a time stamp")
    try:
        return in_one_form(answer)[0]
    except Exception:  # a stranger's bytes; the parsers' own exceptions are many
        raise ValueError("not a time stamp") from None


def _check_form(stamp: bytes, certificates: Sequence[x509.Certificate]) -> None:
    """Refuse a stamp with a byte that nothing covers: each of its own certificates must be vouched for as well."""
    form, own = in_one_form(stamp)
    if form != stamp:
        raise ValueError("another form")
    for one, above in zip(own, [*own[1:], None], strict=True):
        vouching = [*certificates, *([above] if above else [])]
        if one not in certificates and not any(issued(one, other) for other in vouching):
            raise ValueError("a certificate that nobody vouches for")


def stamped_at(stamp: bytes, content: bytes, certificates: Sequence[x509.Certificate]) -> datetime:
    """The moment that a stamp on exactly this content names, in UTC.

    Args:
        stamp: TimeStampResp (DER), in the form that `storable` gives.
        content: what was stamped.
        certificates: of the authority, or of those who vouch for it.

    Raises:
        ValueError: it is no stamp, or on something else, or not by them.
    """
    if len(stamp) > MAX_STAMP_BYTES:
        raise ValueError("not a time stamp")
    try:
        _check_form(stamp, certificates)
        answer = decode_timestamp_response(stamp)
        VerifierBuilder(roots=list(certificates)).build().verify_message(answer, content)
        return answer.tst_info.gen_time.astimezone(UTC)
    except Exception:  # a stranger's bytes; the parser's own exceptions are many
        raise ValueError("not a time stamp by these certificates on this content") from None
