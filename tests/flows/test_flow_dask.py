"""One record spread over a Dask scheduler with two workers: the same bytes come out, and no credential goes through."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import pytest
from distributed import Client
from PIL import Image
from rich.console import Console

from flows.dask_runner import DaskUnavailableError, connected
from flows.place import open_place
from flows.records import PART_PAGES
from flows.spread import spread_out
from infra.gateway import HOST, free_port
from infra.up import open_stack
from tasks.codec import digest
from tasks.errors import ConfigurationError
from tasks.workplace import Workplace
from tests.authority import write_policy
from tests.flows.conftest import Pipeline, seen
from tests.flows.dask_cluster import DaskCluster, dask_cluster, environment_of_worker
from tests.flows.recording_line import RecordingLine
from tests.flows.test_flow_events import request_json
from tests.infra.test_embedded import listening_addresses
from tests.pictures import encoded, typed
from tests.waiting import until

PAGES = 20
RECORD = "records/long-register.tif"
STAGES = ("transcripts", "found", "claims", "plans", "redacted", "reports")
CREDENTIAL = "operator:sent-through-no-scheduler"


def long_record(title: str = "the register") -> bytes:
    return tiff_of(
        typed(f"Entry {n} of {title}.", f"Ring 020 7946 {100 + n:04d} about it.", height=300) for n in range(PAGES)
    )


def tiff_of(pages: Iterator[Image.Image]) -> bytes:
    first = next(pages)
    return encoded(first, "TIFF", save_all=True, append_images=pages, dpi=(150, 150), compression="tiff_deflate")


def damaged(tiff: bytes) -> bytes:
    """With a first page that cannot be decoded."""
    with Image.open(io.BytesIO(tiff)) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]
    return tiff[:start] + b"\xff" * length + tiff[start + length :]


def results(place: Workplace) -> dict[str, bytes]:
    """What was made of the request's records, by key; what was read in parts lies beside it."""
    listed = (info.key for stage in STAGES for info in place.store.list(place.buckets.work, f"{stage}/"))
    return {key: place.load_bytes(key) for key in listed}


def submit(pipeline: Pipeline, reference: str, record: bytes) -> None:
    pipeline.upload(reference, {RECORD: record, "request.json": request_json(reference)})
    held = pipeline.settled(reference, "held", "blocked", "failed", "quarantined")
    assert held.state == "held", held.reason


# ------------------------------------------------------------------------------------- without a stack


def test_a_scheduler_that_is_not_there_is_tried_again_later() -> None:
    with (
        pytest.raises(DaskUnavailableError, match="No scheduler"),
        connected(f"tcp://{HOST}:{free_port()}", connect_s=1),
    ):
        pass


def test_tls_without_certificates_is_named() -> None:
    with pytest.raises(ConfigurationError, match="TLS"), connected(f"tls://{HOST}:{free_port()}", connect_s=1):
        pass


@pytest.mark.servers
def test_a_scheduler_without_workers_is_tried_again_later(tmp_path: Path) -> None:
    with (
        dask_cluster(tmp_path) as cluster,
        pytest.raises(DaskUnavailableError, match="No worker"),
        connected(cluster.address, worker_s=1),
    ):
        pass


def test_dask_is_asked_for_and_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_DASK", f"tcp://{HOST}:{free_port()}")
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    with pytest.raises(ConfigurationError, match="prefect-dask is not installed"), spread_out():
        pass


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The settings of a process that can be sent work."""
    monkeypatch.setattr("flows.place._opened", [])
    monkeypatch.setenv("FOI_STORE_ACCESS_KEY", "key")
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "hunter2")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    return monkeypatch


def test_another_process_opens_a_workplace_of_its_own(settled: pytest.MonkeyPatch) -> None:
    with open_place() as place:
        sent = cloudpickle.dumps(place)
        assert b"hunter2" not in sent
        arrived, again = cloudpickle.loads(sent), cloudpickle.loads(sent)
        assert arrived is again is not place
        assert arrived.fingerprint == place.fingerprint


@pytest.mark.parametrize(
    ("variable", "value"), [("FOI_OCR_TIMEOUT_S", "61"), ("FOI_BUCKET_PREFIX", "other-"), ("PREFECT_API_URL", "")]
)
def test_a_process_with_other_settings_takes_no_work(settled: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with open_place() as place:
        sent = cloudpickle.dumps(place)
    settled.setenv(variable, value)
    with pytest.raises(ConfigurationError):
        cloudpickle.loads(sent)


def test_a_workplace_that_cannot_be_opened_elsewhere_is_not_sent(settled: pytest.MonkeyPatch) -> None:
    with open_place() as place:
        alone = Workplace(place.store, place.buckets, place.policy, place.reading, place.readers)
    with pytest.raises(TypeError, match="stays in its process"):
        cloudpickle.dumps(alone)


# ------------------------------------------------------------------------------------- two workers


@dataclass
class Spread:
    """A stack whose runs spread over a cluster, with all that was said to the scheduler."""

    pipeline: Pipeline
    cluster: DaskCluster
    line: RecordingLine
    state: Path


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory, pipeline: Pipeline) -> Iterator[Spread]:
    """With the policy of the pipeline that spreads nothing."""
    state = tmp_path_factory.mktemp("spread")
    policy = pipeline.policy
    assert policy is not None
    with dask_cluster(state / "dask") as cluster, closing(RecordingLine(cluster.port)) as line:
        cluster.reached_at = f"tcp://{HOST}:{line.port}"
        more = {"FOI_DASK": cluster.reached_at}
        with open_stack(Console(quiet=True), state, True, policy, api_credential=CREDENTIAL, environment=more) as stack:
            for name in ("one", "other"):
                cluster.add_worker(name, environment_of_worker(stack.environment, policy))
            cluster.wait_for(2)
            user, _, password = CREDENTIAL.partition(":")
            with seen(stack, state, policy, (user, password)) as running:
                yield Spread(running, cluster, line, state)


def work_done(client: Client) -> dict[str, str]:
    """Key of each task that the cluster did, and the worker that did it."""
    return {str(task["key"]): str(task["worker"]) for task in client.get_task_stream()}


@pytest.mark.flow
@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_a_long_record_is_read_by_both_workers_and_comes_out_the_same(spread: Spread, pipeline: Pipeline) -> None:
    record = long_record()
    submit(pipeline, "LONG-1", record)
    with spread.cluster.client() as client:
        work_done(client)  # from now on it is noted
        submit(spread.pipeline, "LONG-1", record)
        done = work_done(client)
    made, quietly_made = results(spread.pipeline.place), results(pipeline.place)
    assert len(made) == len(STAGES) + 2  # and the two parts of the transcript
    assert made == {key: quietly_made[key] for key in made}
    assert listening_addresses({child.pid for child in spread.cluster.children if child.pid}) == {"0100007F"}
    reading = [worker for key, worker in done.items() if key.startswith("read_pages-")]
    assert len(reading) == len(set(reading)) == 2
    stages = {key.rpartition("-")[0].partition("-")[0] for key in done}
    assert stages == {"read_pages", "read_record", "find_in_record", "plan_record", "redact_record", "gate_record"}


@pytest.mark.flow
@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_a_long_record_with_a_damaged_page_is_set_aside_and_read_no_further(spread: Spread) -> None:
    record = damaged(tiff_of(typed(f"Page {n}.", height=120) for n in range(5 * PART_PAGES)))
    spread.pipeline.upload("BROKEN-1", {RECORD: record, "request.json": request_json("BROKEN-1")})
    assert spread.pipeline.settled("BROKEN-1", "quarantined", "held", "failed").state == "quarantined"
    place = spread.pipeline.place
    left = list(place.store.list(place.buckets.work, f"transcripts/{digest(record)}/"))
    assert len(left) < 4


@pytest.mark.flow
@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_a_worker_that_is_killed_is_made_up_for_by_one_that_is_added(spread: Spread) -> None:
    record = long_record("taken up by another")
    spread.pipeline.upload("KILLED-1", {RECORD: record, "request.json": request_json("KILLED-1")})
    with spread.cluster.client() as client:

        def at_work() -> str | None:
            busy = [name for name, keys in client.processing().items() if any("read_pages" in str(k) for k in keys)]
            return busy[0] if busy else None

        address = until(at_work)
        names = {worker["id"]: where for where, worker in client.scheduler_info()["workers"].items()}
    (name,) = (name for name, where in names.items() if where == address)
    lost = spread.cluster.workers.pop(name)
    assert lost.pid is not None
    os.kill(lost.pid, signal.SIGKILL)
    assert spread.pipeline.policy is not None
    third = environment_of_worker(spread.pipeline.stack.environment, spread.pipeline.policy)
    spread.cluster.add_worker("third", third)
    assert spread.pipeline.settled("KILLED-1", "held", "failed", "blocked", "quarantined").state == "held"
    lost.stop()


@pytest.mark.flow
@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_a_worker_with_another_policy_does_nothing(spread: Spread, tmp_path: Path) -> None:
    for worker in spread.cluster.workers.values():
        worker.stop()
    policy = write_policy(tmp_path, release_without_unreadable=False)
    spread.cluster.add_worker("stranger", environment_of_worker(spread.pipeline.stack.environment, policy))
    page = encoded(typed("A short memo about posters."), "PNG", dpi=(150, 150))
    spread.pipeline.upload("OTHER-1", {"records/memo.png": page, "request.json": request_json("OTHER-1")})
    assert "other settings, policy or versions" in spread.pipeline.settled("OTHER-1", "failed", "held").reason


@pytest.mark.flow
@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_no_credential_and_nothing_of_a_record_goes_through_dask(spread: Spread) -> None:
    if spread.pipeline.runs("LONG-1") == []:
        submit(spread.pipeline, "LONG-1", long_record())
    environment = spread.pipeline.stack.environment
    secrets = {name: value for name, value in environment.items() if name.endswith(("_SECRET_KEY", "_ACCESS_KEY"))}
    assert len(secrets) == 8
    for child in reversed(spread.cluster.children):
        child.stop()
    said = b"".join(spread.line.heard)
    assert b"LONG-1" in said  # it can be looked into
    for secret in (CREDENTIAL, CREDENTIAL.partition(":")[2], *secrets.values(), "long-register", "020 7946", "Entry"):
        assert secret.encode() not in said, secret
    for key in sorted((spread.state / "keys").iterdir()):
        for line in filter(None, key.read_bytes().splitlines()):
            assert line.startswith(b"-----") or line not in said, key.name
