"""The webhook receiver: a real store's webhooks reach it, other stores' bodies are understood, the rest is refused."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.receive import MAX_BODY_BYTES, PATH, is_allowed
from infra.gateway import HOST, Gateway, free_port
from infra.notify_store import announce_by_webhook
from tasks.store import Account, S3Store
from tests.conftest import StoreServer
from tests.flows.sink import Sink, eventually, notification

TOKEN = "a-token-of-more-than-16"
ARN = "arn:minio:sqs::FOI:webhook"


@dataclass
class Running:
    """A running receiver."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def post(self, body: object, **headers: str) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {TOKEN}", **headers}
        return httpx.post(self.url, content=content, headers=headers, timeout=20, trust_env=False).status_code


@contextmanager
def receiving(
    endpoint: str, account: Account, sink: Sink, log: Path, port: int = 0, prefix: str = "foi-"
) -> Iterator[Running]:
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))}
    token_file = log.with_suffix(".token")
    token_file.write_text(f"{TOKEN}\n")
    environment |= {
        "FOI_STORE_ENDPOINT": endpoint,
        "FOI_STORE_INTAKE_ACCESS_KEY": account.access_key,
        "FOI_STORE_INTAKE_SECRET_KEY": account.secret_key,
        "FOI_BUCKET_PREFIX": prefix,
        "FOI_RECEIVER_PORT": str(port),
        "FOI_RECEIVER_TOKEN_FILE": str(token_file),
        "PREFECT_API_URL": sink.api_url,
        "NO_PROXY": HOST,
    }
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "flows.receive"], env=environment, stderr=output)
    try:
        assert eventually(lambda: _answers(f"http://{HOST}:{port}/health")), log.read_text()
        yield Running(f"http://{HOST}:{port}{PATH}", log, process)
    finally:
        process.terminate()
        assert process.wait(15) == 0, log.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def module_sink() -> Iterator[Sink]:
    started = Sink()
    yield started
    started.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, module_sink: Sink) -> Iterator[Running]:
    """A receiver whose store is away: it takes webhooks all the same."""
    log = tmp_path_factory.mktemp("receive") / "log"
    with receiving(
        f"http://{HOST}:{free_port()}", Account("foi-intake", "not-a-real-one"), module_sink, log
    ) as running:
        yield running


@pytest.fixture
def told(module_sink: Sink) -> Sink:
    """The sink, answering."""
    module_sink.status = 204
    return module_sink


# --------------------------------------------------------------------------------------------- bodies of stores


def minio(key: str, bucket: str = "foi-intake", name: str = "s3:ObjectCreated:Put") -> dict[str, Any]:
    """As MinIO and RustFS post it: the key in the record is quoted, the one on top is not."""
    body = notification(key.replace("/", "%2F").replace(" ", "+"))
    body["Records"][0]["s3"]["bucket"]["name"] = bucket
    body["Records"][0]["eventName"] = name
    return {"EventName": name, "Key": f"{bucket}/{key}", **body}


def ceph(key: str) -> dict[str, Any]:
    """As Ceph's documentation shows it: sizes are text, names of events lack the service."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "ceph:s3",
                "awsRegion": "us-east-1",
                "eventTime": "2026-11-22T13:47:35.124724Z",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "scanner"},
                "requestParameters": {"sourceIPAddress": ""},
                "responseElements": {"x-amz-request-id": "503a.5330.9", "x-amz-id-2": "14d2-zone1-zonegroup1"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "foi-disclosure",
                    "bucket": {
                        "name": "foi-intake",
                        "ownerIdentity": {"principalId": "scanner"},
                        "arn": "arn:aws:s3:us-east-1::foi-intake",
                        "id": "503a.5332.38",
                    },
                    "object": {
                        "key": key,
                        "size": "1024",
                        "eTag": "37b51d194a7513e45b56f6524f2d51f2",
                        "versionId": "",
                        "sequencer": "F7E6D75DC742D108",
                        "metadata": [],
                        "tags": [],
                    },
                },
                "eventId": "",
                "opaqueData": "",
            }
        ]
    }


@pytest.mark.parametrize(
    ("reference", "body"),
    [("MINIO-1", minio("MINIO-1/request.json")), ("CEPH-1", ceph("CEPH-1/request.json"))],
)
def test_the_body_of_each_store_becomes_the_event_that_the_watcher_tells(
    shared: Running, told: Sink, reference: str, body: dict[str, Any]
) -> None:
    assert shared.post(body) == 204
    (event,) = told.about(reference)
    assert event["event"] == "foi.request.submitted"
    assert event["resource"] == {
        "prefect.resource.id": f"foi.request.{reference}",
        "reference": reference,
        "bucket": "foi-intake",
    }
    assert event["payload"] == {
        "reference": reference,
        "etag": body["Records"][0]["s3"]["object"]["eTag"],
    }


def test_a_hundred_notifications_of_one_request_are_told_of_at_once_and_at_the_end(shared: Running, told: Sink) -> None:
    for number in range(100):
        body = minio("WEB-2/request.json")
        body["Records"][0]["s3"]["object"] |= {"sequencer": f"{number:04}", "eTag": f"etag-{number}"}
        assert shared.post(body) == 204
    assert told.about("WEB-2")[0]["payload"]["etag"] == "etag-0"
    assert eventually(lambda: told.about("WEB-2")[-1]["payload"]["etag"] == "etag-99")
    assert len(told.about("WEB-2")) < 10


def test_the_same_notification_twice_is_one_event(shared: Running, told: Sink) -> None:
    for _ in range(2):
        assert shared.post(minio("WEB-7/request.json")) == 204
    assert eventually(lambda: len(told.about("WEB-7")) == 2)
    assert len({event["id"] for event in told.about("WEB-7")}) == 1


@pytest.mark.parametrize(
    "body",
    [
        minio("WEB-3/records/Jane Doe.pdf"),
        minio("WEB-3/request.json", bucket="foi-work"),
        minio("WEB-3/request.json", name="s3:ObjectRemoved:Delete"),
        minio("Jane Doe/request.json"),
        {},
        {"Records": None},
        {"Records": 5},
        {"Records": [None, "x", {"s3": 1}, {"eventName": 5, "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]},
    ],
)
def test_what_is_none_of_our_business_is_taken_and_not_told(shared: Running, told: Sink, body: object) -> None:
    assert shared.post(body) == 204
    assert told.about("WEB-3") == []
    assert "Doe" not in shared.log.read_text()


# --------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Basic !", "Bearer é"]
)
def test_without_the_token_nothing_is_taken(shared: Running, told: Sink, authorization: str) -> None:
    headers = {"authorization": authorization.encode()} if authorization else {}
    answer = httpx.post(shared.url, content=json.dumps(minio("WEB-4/request.json")).encode(), headers=headers)
    assert answer.status_code == 401
    assert told.about("WEB-4") == []


def test_the_token_may_come_as_a_password(shared: Running, told: Sink) -> None:
    basic = base64.b64encode(f"ceph:{TOKEN}".encode()).decode()
    assert shared.post(ceph("WEB-5/request.json"), authorization=f"Basic {basic}") == 204
    assert len(told.about("WEB-5")) == 1


def test_no_token_is_never_the_right_one() -> None:
    assert not is_allowed("Bearer ", "")
    assert not is_allowed("", "")


@pytest.mark.parametrize(
    "garbage", [b"", b"not json", b"\xff\xfe", b"[]", b"5", b"[" * 100_000, b'{"Records": [', b"{}x"]
)
def test_garbage_is_refused(shared: Running, garbage: bytes) -> None:
    assert shared.post(garbage) == 400


def test_a_body_beyond_the_limit_is_refused_without_being_read(shared: Running) -> None:
    """Ten times the limit, declared and not sent: an answer comes all the same once the limit is passed."""
    host, port = shared.url.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(
            f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n"
            f"content-length: {10 * MAX_BODY_BYTES}\r\n\r\n".encode()
        )
        line.sendall(b" " * (MAX_BODY_BYTES + 1))
        assert line.recv(64).startswith(b"HTTP/1.1 413")


def test_a_caller_who_does_not_finish_is_let_go(shared: Running) -> None:
    host, port = shared.url.removeprefix("http://").split("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(
            f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 10\r\n\r\n{{".encode()
        )
        assert line.recv(64).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", PATH, 405), ("POST", "/", 404), ("GET", "/docs", 404)])
def test_nothing_else_is_served(shared: Running, method: str, path: str, status: int) -> None:
    url = shared.url.removesuffix(PATH) + path
    assert httpx.request(method, url, headers={"authorization": f"Bearer {TOKEN}"}).status_code == status


def test_while_prefect_is_away_the_store_is_told_to_try_again(shared: Running, told: Sink) -> None:
    told.status = 503
    assert shared.post(minio("WEB-6/request.json")) == 503
    told.status = 204
    assert shared.post(minio("WEB-6/request.json")) == 204
    assert len(told.about("WEB-6")) == 1


@pytest.mark.parametrize("token", ["", "short"])
def test_without_a_proper_token_it_does_not_start(token: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))}
    environment |= {"FOI_RECEIVER_TOKEN": token, "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = subprocess.run(
        [sys.executable, "-m", "flows.receive"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert "FOI_RECEIVER_TOKEN" in done.stderr
    assert "short" not in done.stderr


# --------------------------------------------------------------------------------------------- a real store


@pytest.mark.servers
def test_a_real_store_posts_and_repeats_until_it_is_taken(tmp_path: Path, sink: Sink) -> None:
    """Uploads while the receiver is up, while Prefect is away, while the receiver is gone: each is told of."""
    port, log = free_port(), tmp_path / "log"
    environment = {
        **os.environ,
        "MINIO_NOTIFY_WEBHOOK_ENABLE_FOI": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_FOI": f"http://{HOST}:{port}{PATH}",
        "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_FOI": TOKEN,
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_FOI": str(tmp_path / "queue"),
    }
    gateway = Gateway(tmp_path, free_port(), environment)
    gateway.start()
    try:
        store = S3Store(gateway.endpoint, gateway.admin.access_key, gateway.admin.secret_key)
        store.ensure_bucket("foi-intake")
        assert announce_by_webhook(gateway.endpoint, "us-east-1", gateway.admin, "foi-intake", ARN)
        assert not announce_by_webhook(gateway.endpoint, "us-east-1", gateway.admin, "foi-intake", ARN)
        store.put("foi-intake", "BEFORE/request.json", b"{}")
        with receiving(gateway.endpoint, gateway.admin, sink, log, port):
            assert eventually(lambda: "BEFORE" in sink.references), log.read_text()
            store.put("foi-intake", "UP-1/records/Jane Doe + 1.pdf", b"x")
            store.put("foi-intake", "UP-1/request.json", b"{}")
            assert eventually(lambda: "UP-1" in sink.references), log.read_text()
            sink.status = 503
            store.put("foi-intake", "PREFECT-AWAY/request.json", b"{}")
            assert eventually(lambda: any("PREFECT-AWAY" in body for body in sink.bodies)), log.read_text()
            sink.status = 204
            assert eventually(lambda: "PREFECT-AWAY" in sink.references), log.read_text()
        store.put("foi-intake", "GONE/request.json", b"{}")
        with receiving(gateway.endpoint, gateway.admin, sink, log, port):
            assert eventually(lambda: "GONE" in sink.references), log.read_text()
        assert {event["resource"]["bucket"] for event in sink.events} == {"foi-intake"}
        assert "Doe" not in "".join(sink.bodies) + log.read_text()
    finally:
        gateway.child.stop()


@pytest.mark.servers
def test_what_came_while_nobody_listened_is_told_at_the_start(
    seaweedfs_store: StoreServer, sink: Sink, tmp_path: Path
) -> None:
    store, log = seaweedfs_store.store, tmp_path / "log"
    store.ensure_bucket("r1-intake")
    store.put("r1-intake", "EARLY-1/request.json", b"{}")
    account = Account(seaweedfs_store.access_key, seaweedfs_store.secret_key)
    with receiving(seaweedfs_store.endpoint, account, sink, log, prefix="r1-"):
        assert eventually(lambda: sink.references == ["EARLY-1"]), log.read_text()
