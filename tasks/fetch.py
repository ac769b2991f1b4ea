"""Something behind a web address, fetched within bounds.

Rules kept here: http and https only, through redirects too, and never from https back to http; no more bytes and no
more seconds than the caller allows. An error never quotes the address: it may hold a credential.
"""

from __future__ import annotations

import http.client
import io
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, BinaryIO

from tasks.errors import FoiError, TransientError

SILENCE_S = 30.0
"""Seconds without a byte after which a server is given up."""
MAX_REDIRECTS = 5
_BLOCK = 1 << 18


class AddressUnavailableError(TransientError):
    """A server refused, timed out, broke the connection or said that it is busy."""

    code = "address-unavailable"
    message = "A web address did not answer."
    action = "Nothing in a run: it is tried again. Else try again later, and check the address and the network."


class AddressRefusedError(FoiError):
    """The address is not one to fetch from, or there is nothing of use behind it."""

    code = "address-refused"
    message = "A web address gave nothing that can be used."
    action = "Check the address; open it in a browser."
    exit_code = 66


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MAX_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check(newurl, secure=req.type == "https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str, secure: bool = False) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        proper = parts.scheme == "https" or (parts.scheme == "http" and not secure)
        proper = proper and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        proper = False
    if not proper:
        raise AddressRefusedError("Only http and https, and no way back from https to http.", subject=url)


def _opener() -> urllib.request.OpenerDirector:
    """Of urllib's handlers only those for the web: the usual set opens files and FTP too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def fetch_into(
    file: BinaryIO, url: str, *, at_most: int, within_s: float, body: bytes | None = None, content_type: str = ""
) -> None:
    """Write what is behind an address into a file.

    Args:
        file: open for writing.
        url: http or https.
        at_most: bytes.
        within_s: seconds for everything together.
        body: to post; None to get.
        content_type: of the body.

    Raises:
        AddressUnavailableError: no proper answer in time; may come in a moment.
        AddressRefusedError: the address cannot be right, or what is there is too large.
    """
    _check(url)
    until = time.monotonic() + within_s
    request = urllib.request.Request(url, data=body, headers={"User-Agent": "foi-disclosure"})  # noqa: S310 - checked
    if content_type:
        request.add_header("Content-Type", content_type)
    try:
        with _opener().open(request, timeout=min(SILENCE_S, within_s)) as answer:
            size = 0
            while block := answer.read1(_BLOCK):
                size += len(block)
                if size > at_most:
                    raise AddressRefusedError(f"It sends more than {at_most:,} bytes.", subject=url)
                if time.monotonic() > until:
                    raise AddressUnavailableError("It sends too slowly.", subject=url)
                file.write(block)
            if answer.length:
                raise AddressUnavailableError("The answer was cut short.", subject=url)
    except urllib.error.HTTPError as error:
        error.close()
        busy = error.code >= 500 or error.code in (408, 425, 429)
        kind = AddressUnavailableError if busy else AddressRefusedError
        raise kind(f"HTTP {error.code}.", subject=url) from None
    except (OSError, http.client.HTTPException) as error:
        raise AddressUnavailableError(f"{type(error).__name__}.", subject=url) from None
    except ValueError:
        raise AddressRefusedError("It is not an address.", subject=url) from None


def fetch(url: str, *, at_most: int, within_s: float, body: bytes | None = None, content_type: str = "") -> bytes:
    """`fetch_into`, as bytes."""
    data = io.BytesIO()
    fetch_into(data, url, at_most=at_most, within_s=within_s, body=body, content_type=content_type)
    return data.getvalue()
