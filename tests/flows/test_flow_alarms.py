"""Alarms on a real Prefect server: they fire, reach webhook, mail server and block, and say no more than they may."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from flows.runs import Runs
from flows.settings import Settings
from infra.alarms import ANY_SERVICE, MAIL_BLOCK, alarms, set_up_alarms
from infra.deploy import PrefectApi
from infra.gateway import HOST, free_port
from tasks.errors import ConfigurationError
from tests.flows.conftest import Pipeline
from tests.flows.test_flow_events import invalid, request_json
from tests.waiting import until

pytestmark = [
    pytest.mark.flow,
    pytest.mark.endurance,
    pytest.mark.timeout(900),
    # The mail server of these tests takes a password without TLS.
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning"),
]

MISSING_AFTER = timedelta(seconds=15)
PASSWORD = "password-of-alarms"
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


class MailServer:
    """An SMTP server that asks for a password and keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str], EmailMessage]] = []
        self._controller = Controller(
            self,
            hostname=HOST,
            port=free_port(0),
            authenticator=self._let_in,
            auth_required=True,
            auth_require_tls=False,
        )
        self._controller.start()
        address = f"{HOST}:{self._controller.port}"
        self.url = (
            f"mailto://alarms:{PASSWORD}@{address}?from=foi@eastmere.example&to=duty@eastmere.example&format=text"
        )

    def _let_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: object) -> AuthResult:
        known = LoginPassword(b"alarms", PASSWORD.encode())
        return AuthResult(success=given == known, handled=False)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert envelope.mail_from
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        self.kept.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 kept"

    def close(self) -> None:
        self._controller.stop()


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServer]:
    started = MailServer()
    yield started
    started.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    started = Listener()
    yield started
    started.close()


@pytest.fixture(scope="module")
def alarmed(pipeline: Pipeline, listener: Listener, mail_server: MailServer) -> Iterator[Pipeline]:
    """The pipeline with a webhook, a mail server and a notification block, and a sweep that is missed after seconds."""
    api = PrefectApi(pipeline.api)
    block_type = api.ask("GET", "/block_types/slug/custom-webhook")["id"]
    schema = api.ask("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [block_type]}}})[0]
    data = {"name": "test", "url": f"{listener.url}/block", "json_data": {"subject": "{{subject}}", "body": "{{body}}"}}
    api.ask(
        "POST",
        "/block_documents/",
        {"name": "foi-test", "data": data, "block_type_id": block_type, "block_schema_id": schema["id"]},
    )
    settings = Settings(
        notify_webhook_url=f"{listener.url}/hook",
        notify_mail_url=mail_server.url,
        notify_block="custom-webhook/foi-test",
    )
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


def test_alarms_go_by_mail_to_whom_the_settings_name(alarmed: Pipeline, mail_server: MailServer) -> None:
    alarmed.upload("ALARM-5", {"request.json": request_json("ALARM-5", received=CANARY)})

    def mail() -> tuple[str, list[str], EmailMessage] | None:
        return next((one for one in mail_server.kept if "ALARM-5" in one[2].get_content()), None)

    sender, receivers, message = until(mail)
    assert (sender, receivers) == ("foi@eastmere.example", ["duty@eastmere.example"])
    assert message["subject"] == "foi-quarantined"
    said = "ALARM-5 is quarantined: its request.json or all its records were rejected."
    assert message.get_content().strip() == said
    assert CANARY not in message.as_string()


def test_the_mail_servers_password_is_not_shown(alarmed: Pipeline) -> None:
    shown = PrefectApi(alarmed.api).ask("GET", f"/block_types/slug/{ANY_SERVICE}/block_documents/name/{MAIL_BLOCK}")
    assert PASSWORD not in json.dumps(shown)


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


def test_a_mail_server_is_named_by_an_address_of_mail(alarmed: Pipeline) -> None:
    with pytest.raises(ConfigurationError, match="FOI_NOTIFY_MAIL_URL"):
        set_up_alarms(PrefectApi(alarmed.api), Settings(notify_mail_url="https://mail.eastmere.example"))
