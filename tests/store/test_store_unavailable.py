"""What the store says when no server answers as it should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.gateway import HOST, free_port
from tasks.errors import ConfigurationError, StoreUnavailableError
from tasks.store import S3Store


@contextmanager
def server_that_says(answer: bytes) -> Iterator[str]:
    """A socket that answers every connection with the same bytes and hangs up."""
    with socket.create_server((HOST, 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://{HOST}:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def calls(store: S3Store) -> list[object]:
    return [
        lambda: store.get("bucket", "k"),
        lambda: store.head("bucket", "k"),
        lambda: store.put("bucket", "k", b"data"),
        lambda: list(store.list("bucket")),
        lambda: store.ensure_bucket("bucket"),
    ]


def test_nobody_listening_is_unavailable() -> None:
    for call in calls(S3Store(f"http://{HOST}:{free_port()}", "key", "secret")):
        with pytest.raises(StoreUnavailableError):
            call()  # type: ignore[operator]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["hangs up", "503", "500", "429"],
)
def test_a_server_in_trouble_is_unavailable(answer: bytes) -> None:
    with server_that_says(answer) as endpoint:
        store = S3Store(endpoint, "key", "secret")
        with pytest.raises(StoreUnavailableError):
            store.put("bucket", "k", b"data")


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    with server_that_says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it") as endpoint:
        store = S3Store(endpoint, "key", "secret")
        with pytest.raises(StoreUnavailableError):
            store.get("bucket", "k")


def test_a_silent_server_is_unavailable_after_the_timeout() -> None:
    with socket.create_server((HOST, 0)) as listening:
        endpoint = f"http://{HOST}:{listening.getsockname()[1]}"
        store = S3Store(endpoint, "key", "secret", read_timeout_s=0.2)
        with pytest.raises(StoreUnavailableError):
            store.get("bucket", "k")


@pytest.mark.parametrize(
    ("endpoint", "access_key", "secret_key"),
    [("not a url", "k", "s"), ("", "k", "s"), ("http://127.0.0.1:1", "", "s"), ("http://127.0.0.1:1", "k", "")],
)
def test_what_cannot_be_right_fails_at_once(endpoint: str, access_key: str, secret_key: str) -> None:
    with pytest.raises(ConfigurationError):
        S3Store(endpoint, access_key, secret_key)


def test_nothing_of_the_aws_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-does-not-exist")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/at/all")
    assert repr(S3Store("http://127.0.0.1:1", "k", "s")) == "S3Store('http://127.0.0.1:1')"
