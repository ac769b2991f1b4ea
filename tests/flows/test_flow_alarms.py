"""Alarms on a real Prefect server: they fire, they reach a webhook and a block, and they say no more than they may."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from flows.runs import Runs
from flows.settings import Settings
from infra.alarms import alarms, set_up_alarms
from infra.deploy import PrefectApi
from infra.gateway import HOST
from tasks.errors import ConfigurationError
from tests.flows.conftest import Pipeline
from tests.flows.test_flow_events import invalid, request_json
from tests.waiting import until

pytestmark = [pytest.mark.flow, pytest.mark.endurance, pytest.mark.timeout(900)]

MISSING_AFTER = timedelta(seconds=15)
CANARY = "canary.of.alarms@eastmere.example.org"


class Listener:
    """An HTTP server that keeps what is posted to it, by path."""

    def __init__(self) -> None:
        self.said: dict[str, list[dict[str, Any]]] = {}
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.said.setdefault(self.path, []).append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def heard(self, alarm: str, about: str = "") -> str | None:
        """The text of an alarm that came to the webhook."""
        found = [m["text"] for m in self.said.get("/hook", ()) if m["alarm"] == alarm and about in m["text"]]
        return found[0] if found else None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    started = Listener()
    yield started
    started.close()


@pytest.fixture(scope="module")
def alarmed(pipeline: Pipeline, listener: Listener) -> Iterator[Pipeline]:
    """The pipeline with a webhook and a notification block, and a sweep that is missed after seconds."""
    api = PrefectApi(pipeline.api)
    block_type = api.ask("GET", "/block_types/slug/custom-webhook")["id"]
    schema = api.ask("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [block_type]}}})[0]
    data = {"name": "test", "url": f"{listener.url}/block", "json_data": {"subject": "{{subject}}", "body": "{{body}}"}}
    api.ask(
        "POST",
        "/block_documents/",
        {"name": "foi-test", "data": data, "block_type_id": block_type, "block_schema_id": schema["id"]},
    )
    settings = Settings(notify_webhook_url=f"{listener.url}/hook", notify_block="custom-webhook/foi-test")
    wanted = alarms(sweep_missing_after=MISSING_AFTER)
    assert set_up_alarms(api, settings, wanted)
    assert not set_up_alarms(api, settings, wanted)
    yield pipeline
    assert set_up_alarms(api, Settings())


def test_a_missing_sweep_is_told_of(alarmed: Pipeline, listener: Listener) -> None:
    said = until(lambda: listener.heard("foi-sweep-missing"))
    assert said.startswith("No sweep has finished for")

    def event() -> dict[str, Any] | None:
        found = Runs(alarmed.api).told("prefect.automation.triggered", datetime.now(UTC) - timedelta(hours=1))
        return next((e for e in found if e["resource"]["prefect.resource.name"] == "foi-sweep-missing"), None)

    assert until(event)


def test_a_quarantined_request_is_told_of_by_reference_alone(alarmed: Pipeline, listener: Listener) -> None:
    alarmed.upload("ALARM-1", {"request.json": request_json("ALARM-1", received=CANARY)})
    said = until(lambda: listener.heard("foi-quarantined", "ALARM-1"))
    assert said == "ALARM-1 is quarantined: its request.json or all its records were rejected."
    assert until(lambda: [m for m in listener.said.get("/block", ()) if "ALARM-1" in m["body"]] or None)[0] == {
        "subject": "foi-quarantined",
        "body": said,
    }


def test_a_blocked_request_is_told_of(alarmed: Pipeline, listener: Listener) -> None:
    """The gate is not fooled here; the state that it ends a run with is given to one."""
    runs = Runs(alarmed.api)
    run_id = alarmed.start("process-request/on-request", reference="ALARM-2")
    alarmed.ended(run_id)
    runs.settle(runs.read(run_id), "FAILED", "Blocked", "The gate refused the output.")
    said = until(lambda: listener.heard("foi-blocked", "ALARM-2"))
    assert said == "The gate found a leak in an output of ALARM-2. Nothing left. Do not release."


def test_what_is_due_soon_is_told_of_by_the_sweep(alarmed: Pipeline, listener: Listener) -> None:
    alarmed.upload("ALARM-3", {"request.json": request_json("ALARM-3", records=[{"file": "records/late.png"}])})
    alarmed.settled("ALARM-3", "waiting")
    alarmed.ended(alarmed.start("sweep/nightly"))
    said = until(lambda: listener.heard("foi-due-soon", "ALARM-3"))
    assert re.fullmatch(r"ALARM-3 is waiting and due on 2026-03-31: \d+ working days overdue\.", said), said


def test_an_event_that_can_start_no_run_is_told_of(alarmed: Pipeline, listener: Listener) -> None:
    Runs(alarmed.api).tell("foi.request.submitted", "foi.request.ALARM-4", {}, {"no": "reference"}, once="alarm-4")
    assert until(lambda: listener.heard("foi-not-started"))


def test_no_alarm_says_what_a_record_or_a_request_says(alarmed: Pipeline, listener: Listener) -> None:
    alarmed.upload("ALARM-1", {"request.json": invalid("ALARM-1")})
    until(lambda: listener.heard("foi-quarantined", "ALARM-1"))
    assert CANARY not in json.dumps(listener.said)


def test_a_block_that_is_not_there_is_refused_by_name(alarmed: Pipeline) -> None:
    with pytest.raises(ConfigurationError, match="FOI_NOTIFY_BLOCK"):
        set_up_alarms(PrefectApi(alarmed.api), Settings(notify_block="slack-webhook/nowhere"))
