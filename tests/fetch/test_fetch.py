"""What is fetched from the web comes within bounds, from the web only, and errors quote no address."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tasks.errors import FoiError, TransientError
from tasks.fetch import MAX_REDIRECTS, AddressRefusedError, AddressUnavailableError, fetch
from tests.fetch.sites import giving, site


def get(url: str, at_most: int = 1000, within_s: float = 10) -> bytes:
    return fetch(url, at_most=at_most, within_s=within_s)


def test_what_is_there_comes_whole() -> None:
    with site({"/x": b"content", "/empty": b""}) as at:
        assert get(f"{at}/x") == b"content"
        assert get(f"{at}/x", at_most=7) == b"content"
        assert get(f"{at}/empty") == b""


def test_more_than_allowed_is_refused_whether_announced_or_not() -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 65536)

    with site({"/big": b"x" * 1001, "/endless": endless}) as at:
        for path in ("/big", "/endless"):
            with pytest.raises(AddressRefusedError, match="more than 1,000 bytes"):
                get(at + path)


def test_a_server_that_drips_is_given_up() -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x")
            time.sleep(0.05)

    with site({"/drip": drip}) as at:
        begin = time.monotonic()
        with pytest.raises(AddressUnavailableError, match="slowly"):
            get(f"{at}/drip", within_s=0.5)
        assert time.monotonic() - begin < 5


def test_a_server_that_says_nothing_is_given_up() -> None:
    with site({"/silent": lambda _: time.sleep(2)}) as at, pytest.raises(AddressUnavailableError):
        get(f"{at}/silent", within_s=0.3)


def test_an_answer_that_breaks_off_is_not_taken_for_whole() -> None:
    with site({"/cut": giving(b"half", Content_Length="8")}) as at, pytest.raises(AddressUnavailableError):
        get(f"{at}/cut")


@pytest.mark.parametrize("status", [404, 403, 410, 401])
def test_what_is_not_there_is_refused(status: int) -> None:
    with site({"/x": giving(b"", status)}) as at, pytest.raises(AddressRefusedError, match=f"HTTP {status}"):
        get(f"{at}/x")


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_busy_server_may_answer_later(status: int) -> None:
    with site({"/x": giving(b"", status)}) as at, pytest.raises(AddressUnavailableError) as caught:
        get(f"{at}/x")
    assert isinstance(caught.value, TransientError)


def test_nobody_there_may_be_there_later() -> None:
    with site({}) as at:
        pass
    with pytest.raises(AddressUnavailableError):
        get(f"{at}/x")


def test_a_redirect_within_the_web_is_followed_and_a_circle_is_not() -> None:
    answers = {"/a": giving(b"", 302, Location="/b"), "/b": b"there", "/circle": giving(b"", 302, Location="/circle")}
    with site(answers) as at:
        assert get(f"{at}/a") == b"there"
        with pytest.raises(FoiError):
            get(f"{at}/circle")
    chain = {f"/{n}": giving(b"", 302, Location=f"/{n + 1}") for n in range(MAX_REDIRECTS + 1)}
    with site({**chain, f"/{MAX_REDIRECTS + 1}": b"far"}) as at, pytest.raises(FoiError):
        get(f"{at}/0")


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "gopher://127.0.0.1/"])
def test_a_redirect_out_of_the_web_is_refused(to: str) -> None:
    with site({"/a": giving(b"", 302, Location=to)}) as at, pytest.raises(AddressRefusedError):
        get(f"{at}/a")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://x.example/", "/etc/passwd", "", "http://", "https:///x", "http://[x", "http://a b/"],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        get(url)


def test_from_https_there_is_no_way_back_to_http() -> None:
    """The check itself; a server with TLS of its own would need a certificate that this machine trusts."""
    from tasks.fetch import _check

    with pytest.raises(AddressRefusedError):
        _check("http://x.example/", secure=True)
    _check("https://x.example/", secure=True)


def test_an_error_keeps_the_address_to_itself(tmp_path: Path) -> None:
    with site({}) as at, pytest.raises(AddressRefusedError) as caught:
        get(f"{at}/?token=secret")
    assert "secret" not in str(caught.value)
    assert "secret" in caught.value.subject
