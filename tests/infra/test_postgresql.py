"""Prefect's server on PostgreSQL: a request goes the whole way, and what runs leave behind is where it should be.

And several workers share its pool, of which one is lost at work and one is added.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from flows.patrol import Patrol
from flows.runs import PROCESSING, Run, Runs
from infra.children import Child
from infra.embedded import POOL, Stack
from infra.gateway import HOST, free_port
from infra.up import open_stack
from tests.authority import write_policy
from tests.flows.conftest import Pipeline, seen
from tests.flows.test_flow_events import request_json
from tests.flows.test_flow_patrol import SILENCE, descendants
from tests.pictures import encoded, typed
from tests.waiting import until

pytestmark = [pytest.mark.flow, pytest.mark.timeout(900)]

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
PASSWORD = "of-the-test"


class Cluster:
    """A database server of its own in a folder; run as the user postgres when we are root, which it refuses to be."""

    def __init__(self, folder: Path, port: int) -> None:
        self._data, self._port = folder / "data", port
        self._as: list[str] = []
        if os.geteuid() == 0:
            self._as = ["runuser", "-u", "postgres", "--"]
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._folder = folder

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://prefect:{PASSWORD}@{HOST}:{self._port}/prefect"

    def start(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._as:
            shutil.chown(secret, "postgres")
        self._run(
            "initdb", "-D", self._data, "-U", "prefect", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"
        )
        options = f"-p {self._port} -c listen_addresses={HOST} -c unix_socket_directories='' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-w", "-l", self._folder / "log", "start")
        self.ask("postgres", "create database prefect")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def ask(self, database: str, query: str) -> str:
        argv = ["psql", f"--host={HOST}", f"--port={self._port}", "--username=prefect", "--tuples-only", "--no-align"]
        done = subprocess.run(
            [*argv, f"--command={query}", database],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def _run(self, program: str, *arguments: object) -> None:
        argv = [*self._as, str(PROGRAMS / program), *map(str, arguments)]
        done = subprocess.run(argv, cwd="/", capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Not below pytest's folder, which the user postgres may not enter.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="foi-postgresql-") as folder:
        started = Cluster(Path(folder), free_port())
        started.start()
        try:
            yield started
        finally:
            started.stop()


@contextmanager
def running(cluster: Cluster, state: Path, *, allow_unreviewed: bool = False) -> Iterator[Pipeline]:
    """The stack with its server on that database."""
    policy = write_policy(state)
    with (
        open_stack(Console(quiet=True), state, allow_unreviewed, policy, database_url=cluster.url) as stack,
        seen(stack, state, policy) as pipeline,
    ):
        yield pipeline


def test_a_request_goes_the_whole_way_with_prefect_on_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    with running(cluster, tmp_path) as pipeline:
        page = encoded(typed("Nothing on this page is withheld."), "PNG", dpi=(150, 150))
        pipeline.upload("PG-1", {"records/memo.png": page, "request.json": request_json("PG-1")})
        held = pipeline.settled("PG-1", "held", "blocked", "failed")
        assert held.state == "held", held.reason
        run = pipeline.start("release/by-officer", reference="PG-1", dossier=held.dossier, reviewer="A. Officer")
        assert pipeline.ended(run)["state_name"] == "Published"
        sweep = pipeline.ended(pipeline.start("sweep/nightly"))
        assert sweep["state"]["message"] == "0 of 1 submitted."
        entries = [info.key for info in pipeline.place.store.list(pipeline.place.buckets.disclosure, "entries/")]
        assert not (tmp_path / "prefect" / "prefect.db").exists()
        log = (tmp_path / "logs" / "prefect.log").read_text()
    # A run of a late event that finds the request released comes to Published too, and publishes nothing anew.
    released = "select count(*) from flow_run where state_name = 'Published' and name like 'release %'"
    assert int(cluster.ask("prefect", released)) == 1
    assert entries == ["entries/PG-1/v1.json"]
    assert PASSWORD not in log


# ------------------------------------------------------------------------------------- several workers


class AnotherWorker:
    """A worker beside the stack's own, on the same pool and with the same settings.

    It goes by the name of its queues, as a worker on another machine goes by that machine's: nobody knows at once that
    its runs died with it.
    """

    def __init__(self, stack: Stack, state: Path, policy: Path, *queues: str) -> None:
        self.name = "-".join([socket.gethostname(), *queues])
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))},
            **stack.environment,
            "FOI_POLICY_FILE": str(policy),
            "FOI_SIGNING_KEY_FILE": str(state / "keys" / "signing.pem"),
            "FOI_COMMITMENT_KEY_FILE": str(state / "keys" / "commitment.key"),
            "FOI_ALLOW_UNREVIEWED": "true",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        }
        argv = [sys.executable, "-m", "infra.prefect_worker", POOL, "2", *queues]
        self.child = Child(f"worker-{'-'.join(queues)}", argv, environment, state)
        self.child.start()

    def kill(self) -> None:
        """As when its machine is lost: with every process below it."""
        assert self.child.pid is not None
        for pid in [self.child.pid, *descendants(self.child.pid)]:
            os.kill(pid, signal.SIGKILL)


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """A worker that takes nothing meanwhile; what it has started goes on."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.endurance
def test_workers_that_are_lost_and_added_leave_every_request_done_once(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOI_RUNS_AT_ONCE", "4")
    published, held = [f"PG-{n}" for n in (11, 12, 13)], [f"PG-{n}" for n in (21, 22, 23, 24)]
    with running(cluster, tmp_path, allow_unreviewed=True) as pipeline, ExitStack() as ending:
        stack, policy = pipeline.stack, pipeline.policy
        assert policy is not None
        runs = Runs(ending.enter_context(httpx.Client(base_url=pipeline.api.base_url, timeout=60)))

        def submit(reference: str) -> None:
            review = "none" if reference in published else "required"
            pages = {
                f"records/{n}.png": encoded(typed(f"Memo {n} of {reference}."), "PNG", dpi=(150, 150)) for n in range(3)
            }
            pipeline.upload(reference, {**pages, "request.json": request_json(reference, review=review)})

        def at_work(worker: str) -> list[Run] | None:
            return [r for r in runs.started(PROCESSING) if (r.worker, r.kind) == (worker, "RUNNING")] or None

        with asleep(stack.pids["worker"]):
            lost = AnotherWorker(stack, tmp_path, policy, "requests", "default")
            ending.callback(lost.child.stop)
            for reference in (*published, *held[:3]):
                submit(reference)
            until(lambda: at_work(lost.name))
        until(lambda: at_work(socket.gethostname()))
        killed = until(lambda: at_work(lost.name))
        lost.kill()
        added = AnotherWorker(stack, tmp_path, policy, "default", "requests")
        ending.callback(added.child.stop)
        with asleep(stack.pids["worker"]):
            submit(held[3])
            until(lambda: at_work(added.name))

        patrol = Patrol(runs, lambda: None, SILENCE)
        for run in killed:
            until(lambda run=run: patrol.go_round() or (runs.read(run.id).kind == "CRASHED") or None)
        for reference in published:
            assert pipeline.settled(reference, "published", "held", "failed", "blocked").version == 1
        for reference in held:
            assert pipeline.settled(reference, "published", "held", "failed", "blocked").state == "held"
        until(lambda: not runs.started(PROCESSING) or None)
        place = pipeline.place
        entries = {info.key for info in place.store.list(place.buckets.disclosure, "entries/")}
        assert entries >= {f"entries/{reference}/v1.json" for reference in published}
        assert not {key for key in entries if not key.endswith("/v1.json")}
        for reference in (*published, *held):
            assert len(list(place.store.list(place.buckets.work, f"cases/{reference}/"))) == 1
        assert not list(place.store.list(place.buckets.disclosure, "entries/PG-2"))
