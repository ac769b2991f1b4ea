"""A time stamping authority (RFC 3161) that answers over HTTP.

Rule kept here: a stamp is checked before anybody keeps it. Whether the authority answers decides whether something is
published at all: never with a stamp one time and silently without the next.
"""

from __future__ import annotations

from tasks.disclosure.keys import load_certificates
from tasks.disclosure.timestamp import MAX_STAMP_BYTES, stamped_at, storable, time_stamp_query
from tasks.errors import ConfigurationError
from tasks.fetch import AddressRefusedError, AddressUnavailableError, fetch

WITHIN_S = 30.0


class TimeStampUnavailableError(AddressUnavailableError):
    """The authority refused, timed out or broke the connection."""

    code = "time-stamp-unavailable"
    message = "The time stamping authority did not answer."
    action = "Nothing: it is tried again, and nothing is published meanwhile. If it lasts, check FOI_TSA_URL."


class TimeStampAuthority:
    """The authority that the settings name.

    Args:
        url: where it answers.
        certificates_pem: what its stamps verify against.

    Raises:
        ConfigurationError: there is no certificate in that.
    """

    def __init__(self, url: str, certificates_pem: bytes) -> None:
        self._url = url
        self._certificates = load_certificates(certificates_pem)
        self._certificates_pem = certificates_pem

    @property
    def certificates_pem(self) -> bytes:
        """What its stamps verify against, PEM."""
        return self._certificates_pem

    def stamp(self, content: bytes) -> bytes:
        """A stamp on `content` (DER), in the form that is kept, checked.

        Raises:
            TimeStampUnavailableError: no proper answer.
            ConfigurationError: what it answers does not verify against the certificates.
        """
        try:
            answer = fetch(
                self._url,
                at_most=MAX_STAMP_BYTES,
                within_s=WITHIN_S,
                body=time_stamp_query(content),
                content_type="application/timestamp-query",
            )
        except AddressUnavailableError as error:
            raise TimeStampUnavailableError(error.detail) from None
        except AddressRefusedError as error:
            raise ConfigurationError(f"FOI_TSA_URL: {error.detail}") from None
        try:
            stamp = storable(answer)
            stamped_at(stamp, content, self._certificates)
        except ValueError:
            raise ConfigurationError("The time stamp does not verify against FOI_TSA_CERTIFICATE_FILE.") from None
        return stamp
