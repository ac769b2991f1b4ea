"""The watcher: what it makes of notifications, and that no upload is missed, on real stores and a real sink."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows import announce
from flows.announce import Announcer, Submission, event_of, reference_in, submissions_in, submissions_lying_in
from flows.runs import RunsUnavailableError
from infra.gateway import HOST, Gateway, free_port
from tasks.store import S3Store
from tests.conftest import StoreServer
from tests.flows.sink import Sink, eventually, notification

# ------------------------------------------------------------------------------------------------ without servers


@pytest.mark.parametrize("reference", ["FOI-2026-001", "a", "A.b_c-9", "x" * 64])
def test_a_request_file_in_a_folder_with_a_safe_name_is_a_submission(reference: str) -> None:
    assert reference_in(f"{reference}/request.json") == reference


@pytest.mark.parametrize(
    "key",
    [
        "request.json",
        "/request.json",
        "FOI-1/records/request.json",
        "FOI-1/records/memo.pdf",
        "FOI-1/Request.json",
        "FOI-1/request.json.tmp",
        "FOI-1%2Frequest.json",
        "../request.json",
        "-FOI/request.json",
        "FOI 1/request.json",
        "FOI-1\n/request.json",
        "jane.doe@example.com/request.json",
        f"{'x' * 65}/request.json",
        "",
    ],
)
def test_any_other_key_is_not(key: str) -> None:
    assert reference_in(key) is None


def test_submissions_are_taken_from_a_notification_in_order() -> None:
    found = submissions_in(notification("B-2/request.json", "B-2/records/Jane Doe.pdf", "A-1/request.json"))
    assert list(found) == [
        Submission("foi-intake", "B-2", "abc", "17EC"),
        Submission("foi-intake", "A-1", "abc", "17EC"),
    ]


@pytest.mark.parametrize(
    "record", [{}, {"s3": None}, {"s3": {"bucket": {"name": "b"}}}, {"s3": {"object": {"key": 5}}}, None, "text"]
)
def test_records_that_are_not_understood_are_passed_over(record: object) -> None:
    good = notification("A-1/request.json")["Records"]
    assert [s.reference for s in submissions_in({"Records": [record, *good]})] == ["A-1"]


@pytest.mark.parametrize("body", [{}, {"Records": None}, {"Records": []}])
def test_a_notification_without_records_is_none(body: dict[str, Any]) -> None:
    assert list(submissions_in(body)) == []


def test_the_same_write_gives_the_same_event_and_another_write_another() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    first = event_of(Submission("b", "A-1", "etag", "1"), now)
    assert event_of(Submission("b", "A-1", "etag", "1"), datetime.now(UTC))["id"] == first["id"]
    others = [
        Submission("c", "A-1", "etag", "1"),
        Submission("b", "A-2", "etag", "1"),
        Submission("b", "A-1", "gate", "1"),
        Submission("b", "A-1", "etag", "2"),
    ]
    assert len({first["id"], *(event_of(other, now)["id"] for other in others)}) == 5


def test_stream_webhook_and_listing_tell_of_the_same_event() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    webhook = notification("A-1%2Frequest.json")
    told = [
        *submissions_in(notification("A-1/request.json")),
        *submissions_in(webhook, quoted=True),
        Submission("foi-intake", "A-1", "abc"),  # as a listing gives it
    ]
    events = [event_of(submission, now) for submission in told]
    assert events[0] == events[1]
    assert {**events[2], "id": ""} == {**events[0], "id": ""}


def test_the_event_is_of_the_shape_that_prefect_takes() -> None:
    event = event_of(Submission("foi-intake", "A-1", "etag", "1"), datetime(2026, 11, 22, 9, 30, tzinfo=UTC))
    assert {name: value for name, value in event.items() if name != "id"} == {
        "occurred": "2026-11-22T09:30:00+00:00",
        "event": "foi.request.submitted",
        "resource": {"prefect.resource.id": "foi.request.A-1", "reference": "A-1", "bucket": "foi-intake"},
        "related": [],
        "payload": {"reference": "A-1", "etag": "etag"},
    }


def test_the_watcher_does_not_import_prefect() -> None:
    code = "import sys, flows.watch; sys.exit(any(name.split('.')[0] == 'prefect' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ------------------------------------------------------------------------------------------------ with servers


def test_what_no_run_came_of_is_started_once(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that dies loses what it took in the moment before; on SQLite one that lives gives some up."""
    monkeypatch.setattr(announce, "HEARD_WITHIN", timedelta(0))
    started: list[tuple[str, str]] = []
    with httpx.Client(base_url=sink.api_url) as client:
        announcer = Announcer(client)
        for reference in ("LOST-1", "DONE-1", "OLD-1"):
            announcer.announce(Submission("foi-intake", reference, "e", "1"))
        now = datetime.now(UTC)
        made = {"DONE-1": now, "OLD-1": now - timedelta(minutes=5)}  # the latter of an earlier upload
        for _ in range(2):
            announcer.start_unheard(lambda _: made, lambda *asked: started.append(asked))
    ids = {event["resource"]["reference"]: event["id"] for event in sink.events}
    assert started == [("LOST-1", ids["LOST-1"]), ("OLD-1", ids["OLD-1"])]


def test_what_could_not_be_started_is_started_later(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "HEARD_WITHIN", timedelta(0))
    started: list[str] = []

    def away(*_: str) -> None:
        raise RunsUnavailableError

    with httpx.Client(base_url=sink.api_url) as client:
        announcer = Announcer(client)
        announcer.announce(Submission("foi-intake", "LOST-1", "e", "1"))
        with pytest.raises(RunsUnavailableError):
            announcer.start_unheard(lambda _: {}, away)
        announcer.start_unheard(lambda _: {}, lambda reference, _: started.append(reference))
    assert started == ["LOST-1"]


def test_the_longer_uploads_go_on_the_fewer_events_tell_of_them(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "QUIET_S", 0.1)
    monkeypatch.setattr(announce, "LONGEST_QUIET_S", 0.8)
    with httpx.Client(base_url=sink.api_url) as client:
        announcer = Announcer(client)
        started, n = time.monotonic(), 0
        while time.monotonic() - started < 2:
            n += 1
            announcer.announce(Submission("foi-intake", "HEAP-1", str(n), str(n)))
            time.sleep(0.01)
        assert eventually(lambda: bool(sink.events) and sink.events[-1]["payload"]["etag"] == str(n))
        assert 4 <= len(sink.events) <= 10  # after 0, 0.1, 0.3, 0.7, 1.5, 2.3 s on an idle machine; every 0.1 s: 21


def test_nobody_is_asked_while_nothing_is_unheard(sink: Sink) -> None:
    with httpx.Client(base_url=sink.api_url) as client:
        announcer = Announcer(client)
        announcer.announce(Submission("foi-intake", "NEW-1", "e", "1"))  # a moment ago
        announcer.start_unheard(lambda _: pytest.fail("asked"), lambda *_: pytest.fail("started"))


@contextmanager
def watching(server: StoreServer, prefix: str, api_url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))}
    environment |= {
        "FOI_STORE_ENDPOINT": server.endpoint,
        "FOI_STORE_ACCESS_KEY": server.access_key,
        "FOI_STORE_SECRET_KEY": server.secret_key,
        "FOI_BUCKET_PREFIX": prefix,
        "PREFECT_API_URL": api_url,
        "NO_PROXY": HOST,
    }
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "flows.watch"], env=environment, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(10) == 0, log.read_text()


@pytest.mark.servers
def test_what_lies_there_and_what_arrives_is_announced_once_each(
    juicefs_store: StoreServer, sink: Sink, tmp_path: Path
) -> None:
    store, bucket, log = juicefs_store.store, "w1-intake", tmp_path / "log"
    store.ensure_bucket(bucket)
    for key in ("OLD-1/request.json", "OLD-1/records/Jane Doe.pdf", "OLD-2/records/a.pdf", "Jane Doe/request.json"):
        store.put(bucket, key, b"{}")
    with watching(juicefs_store, "w1-", sink.api_url, log):
        assert eventually(lambda: sink.references == ["OLD-1"]), log.read_text()
        for key in ("NEW-1/records/a+b Doe.pdf", "NEW-1/request.json", "Doe é/request.json", "NEW-2/request.json"):
            store.put(bucket, key, b"{}")
        assert eventually(lambda: len(sink.events) >= 3), log.read_text()
        store.put(bucket, "NEW-1/request.json", b"{}")  # the same content again, on purpose
        assert eventually(lambda: len(sink.events) >= 4), log.read_text()
    assert sink.references == ["OLD-1", "NEW-1", "NEW-2", "NEW-1"]
    assert len({event["id"] for event in sink.events}) == 4
    assert "Doe" not in "".join(sink.bodies) + log.read_text()


@pytest.mark.servers
def test_what_came_long_ago_is_left_to_the_sweep(juicefs_store: StoreServer) -> None:
    juicefs_store.store.ensure_bucket("w5-intake")
    juicefs_store.store.put("w5-intake", "A-1/request.json", b"{}")
    now, hour = datetime.now(UTC), timedelta(hours=1)
    lying = [list(submissions_lying_in(juicefs_store.store, "w5-intake", since)) for since in (now - hour, now + hour)]
    assert [[one.reference for one in some] for some in lying] == [["A-1"], []]


@pytest.mark.servers
def test_nothing_is_lost_while_the_receiver_is_away(juicefs_store: StoreServer, sink: Sink, tmp_path: Path) -> None:
    store, log = juicefs_store.store, tmp_path / "log"
    store.ensure_bucket("w2-intake")
    with watching(juicefs_store, "w2-", sink.api_url, log):
        store.put("w2-intake", "A-1/request.json", b"{}")
        assert eventually(lambda: sink.references == ["A-1"]), log.read_text()
        sink.status = 503
        store.put("w2-intake", "A-1/request.json", b"{}")
        store.put("w2-intake", "A-2/request.json", b"{}")
        assert eventually(lambda: len(sink.bodies) >= 3), log.read_text()
        sink.status = 204
        assert eventually(lambda: sorted(sink.references) == ["A-1", "A-1", "A-2"]), log.read_text()


@pytest.mark.servers
def test_uploads_during_a_break_of_the_store_are_announced_after_it(tmp_path: Path, sink: Sink) -> None:
    log, port = tmp_path / "log", free_port()
    gateway = Gateway(tmp_path, port, os.environ)
    gateway.start()
    try:
        admin = gateway.admin
        store = S3Store(gateway.endpoint, admin.access_key, admin.secret_key)
        server = StoreServer(store, gateway.endpoint, admin.access_key, admin.secret_key, gateway.child)
        store.ensure_bucket("w3-intake")
        with watching(server, "w3-", sink.api_url, log):
            store.put("w3-intake", "A-1/request.json", b"{}")
            assert eventually(lambda: sink.references == ["A-1"]), log.read_text()
            gateway.child.stop()
            gateway.start()
            store.put("w3-intake", "A-2/request.json", b"{}")
            assert eventually(lambda: sink.references == ["A-1", "A-2"]), log.read_text()
            time.sleep(1.5)
            store.put("w3-intake", "A-3/request.json", b"{}")
            assert eventually(lambda: sink.references == ["A-1", "A-2", "A-3"]), log.read_text()
    finally:
        gateway.child.stop()


@pytest.mark.servers
def test_a_store_without_notifications_is_listed(seaweedfs_store: StoreServer, sink: Sink, tmp_path: Path) -> None:
    store, log = seaweedfs_store.store, tmp_path / "log"
    store.ensure_bucket("w4-intake")
    store.put("w4-intake", "A-1/request.json", b"{}")
    with watching(seaweedfs_store, "w4-", sink.api_url, log):
        assert eventually(lambda: sink.references == ["A-1"]), log.read_text()
        assert eventually(lambda: "on a timer" in log.read_text()), log.read_text()


def test_a_wrong_configuration_ends_it_with_the_code_for_that() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-m", "flows.watch"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 78
    assert "PREFECT_API_URL" in done.stderr
