"""A line to a server that remembers all that went over it, both ways."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from infra.gateway import HOST


class RecordingLine:
    """Passes connections on to a port of this machine.

    Attributes:
        port: what clients are given instead.
        heard: everything said so far, of all connections.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listening = socket.create_server((HOST, 0), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        self.heard: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = socket.create_connection((HOST, self._upstream))
            except OSError:
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
