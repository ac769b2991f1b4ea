"""Prefect's server on PostgreSQL: a request goes the whole way, and what runs leave behind is where it should be."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from flows.place import open_place
from flows.settings import Settings
from infra.gateway import HOST, free_port, load_account
from infra.up import open_stack
from tests.authority import write_policy
from tests.flows.conftest import Pipeline
from tests.flows.test_flow_events import request_json
from tests.pictures import encoded, typed

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


def test_a_request_goes_the_whole_way_with_prefect_on_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    quiet = Console(quiet=True)
    policy = write_policy(tmp_path)
    with open_stack(quiet, tmp_path, allow_unreviewed=False, policy=policy, database_url=cluster.url) as stack:
        admin = load_account(tmp_path / "store" / "credentials.json")
        settings = Settings(
            store_endpoint=stack.environment["FOI_STORE_ENDPOINT"],
            store_access_key=admin.access_key,
            store_secret_key=admin.secret_key,
            policy_file=policy,
        )
        with open_place(settings) as place, httpx.Client(base_url=stack.environment["PREFECT_API_URL"]) as api:
            pipeline = Pipeline(stack, place, api)
            page = encoded(typed("Nothing on this page is withheld."), "PNG", dpi=(150, 150))
            pipeline.upload("PG-1", {"records/memo.png": page, "request.json": request_json("PG-1")})
            held = pipeline.settled("PG-1", "held", "blocked", "failed")
            assert held.state == "held", held.reason
            run = pipeline.start("release/by-officer", reference="PG-1", dossier=held.dossier, reviewer="A. Officer")
            assert pipeline.ended(run)["state_name"] == "Published"
            sweep = pipeline.ended(pipeline.start("sweep/nightly"))
            assert sweep["state"]["message"] == "0 of 1 submitted."
            entries = [info.key for info in place.store.list(place.buckets.disclosure, "entries/")]
        assert not (tmp_path / "prefect" / "prefect.db").exists()
        log = (tmp_path / "logs" / "prefect.log").read_text()
    # A run of a late event that finds the request released comes to Published too, and publishes nothing anew.
    released = "select count(*) from flow_run where state_name = 'Published' and name like 'release %'"
    assert int(cluster.ask("prefect", released)) == 1
    assert entries == ["entries/PG-1/v1.json"]
    assert PASSWORD not in log
