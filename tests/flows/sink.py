"""What stands at the ends of watcher and receiver: a store's notification, a server that keeps what it gets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.gateway import HOST
from tests import waiting

PATIENCE_S = 30


def notification(*keys: str) -> dict[str, Any]:
    """As the MinIO API sends it, shortened."""
    return {
        "Records": [
            {
                "eventName": "s3:ObjectCreated:Put",
                "s3": {
                    "bucket": {"name": "foi-intake", "arn": "arn:aws:s3:::foi-intake"},
                    "object": {"key": key, "size": 7, "eTag": "abc", "sequencer": "17EC", "userMetadata": {}},
                },
            }
            for key in keys
        ]
    }


class Sink:
    """An HTTP server that keeps what is posted to it, and answers `status`."""

    def __init__(self, port: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.bodies: list[str] = []
        self.status = 204
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                known = self.path == "/api/events"
                if known:
                    sink.bodies.append(body)
                if known and sink.status == 204:
                    sink.events.extend(json.loads(body))
                self.send_response(sink.status if known else 404)  # the patrol asks for runs
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer((HOST, port), Handler)
        self.api_url = f"http://{HOST}:{self._server.server_address[1]}/api"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def references(self) -> list[str]:
        return [event["resource"]["reference"] for event in self.events]

    def about(self, reference: str) -> list[dict[str, Any]]:
        """The events of one request, in the order they came."""
        return [event for event in self.events if event["resource"]["reference"] == reference]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def eventually(holds: Callable[[], bool]) -> bool:
    return waiting.eventually(holds, PATIENCE_S)
