"""A store behind a bad line: an HTTP proxy that refuses, dawdles, cuts bodies short and loses answers when told to."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

from infra.gateway import HOST
from tests.flows.listening import Listening

NOTHING, REFUSING, SLOW, TRUNCATING = "nothing", "refusing", "slow", "truncating"
FAULTS = (REFUSING, SLOW, TRUNCATING)

_PIECE = 64 * 1024
_DAWDLE_S = (0.3, 2.0)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class FaultyProxy(Listening):
    """Passes requests on, one to a connection, and has the fault that is set at the moment a request comes.

    Attributes:
        url: what clients are given as the store's address.
        upstream: port of the store; 0 until it is known.
        fault: what is wrong now.
        met: how many requests met which fault.
        asked: method and target of every request.
    """

    def __init__(self, seed: int) -> None:
        self.upstream = 0
        self.fault = NOTHING
        self.met: Counter[str] = Counter()
        self.asked: list[tuple[str, str]] = []
        self._random = random.Random(seed)
        super().__init__()
        self.url = f"http://{HOST}:{self.port}"

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head, rest = _head_of(client)
            if not head:
                return
            fault = self.fault
            self.met[fault] += 1
            method, target, _ = head.decode("latin-1").split(" ", 2)
            self.asked.append((method, target))
            if fault == REFUSING:
                client.sendall(_BUSY)
                return
            if fault == SLOW:
                time.sleep(self._random.uniform(*_DAWDLE_S))
            with socket.create_connection((HOST, self.upstream), timeout=5) as store:
                store.settimeout(None)
                store.sendall(_closing(head))
                # What is lost of an upload is lost on the way there or on the way back: a store may have taken it.
                upload, lost_there = _length(head), self._random.random() < 0.5
                cut_there = fault == TRUNCATING and upload > 0 and lost_there
                sending = threading.Thread(target=_send, args=(client, store, rest, upload // 2 if cut_there else None))
                sending.start()
                if cut_there:
                    sending.join()
                else:
                    self._answer(store, client, fault, has_body=not head.startswith((b"HEAD ", b"PUT ", b"DELETE ")))
                _end(client)
                _end(store)
                sending.join()

    def _answer(self, store: socket.socket, client: socket.socket, fault: str, *, has_body: bool) -> None:
        if fault != TRUNCATING:
            while piece := store.recv(_PIECE):
                client.sendall(piece)
            return
        head, rest = _head_of(store)
        while head.startswith(b"HTTP/1.1 100"):
            client.sendall(head)
            head, rest = _head_of(store, rest)
        if not has_body:
            return  # done, and nobody hears of it
        half = _length(head) // 2
        client.sendall(head + rest[:half])
        sent = len(rest[:half])
        while sent < half and (piece := store.recv(min(_PIECE, half - sent))):
            client.sendall(piece)
            sent += len(piece)


def _head_of(connection: socket.socket, rest: bytes = b"") -> tuple[bytes, bytes]:
    """The lines before a body, with the empty one, and what of the body came with them."""
    while b"\r\n\r\n" not in rest:
        piece = connection.recv(_PIECE)
        if not piece:
            return b"", b""
        rest += piece
    head, _, body = rest.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def _closing(head: bytes) -> bytes:
    """The request with the wish that its connection ends with the answer; the signature does not cover that."""
    kept = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
    return kept[:-2] + b"Connection: close\r\n\r\n"


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found.group(1)) if found else 0


def _send(client: socket.socket, store: socket.socket, first: bytes, at_most: int | None) -> None:
    """Pass an upload on: all of it, or only so many bytes, after which the line is dead."""
    with suppress(OSError):
        sent, piece = 0, first
        while True:
            if at_most is not None and sent + len(piece) >= at_most:
                store.sendall(piece[: at_most - sent])
                _end(store)
                _end(client)
                return
            store.sendall(piece)
            sent += len(piece)
            piece = client.recv(_PIECE)
            if not piece:
                return


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
