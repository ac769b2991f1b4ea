"""A line to a server that remembers all that went over it, both ways."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from infra.gateway import HOST
from tests.flows.listening import Listening


class RecordingLine(Listening):
    """Passes connections on to a port of this machine.

    Attributes:
        heard: everything said so far, of all connections.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self.heard: list[bytes] = []
        super().__init__()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, self._upstream))
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        said = []
        with suppress(OSError):
            while piece := one.recv(65536):
                said.append(piece)
                other.sendall(piece)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)
        self.heard.append(b"".join(said))
