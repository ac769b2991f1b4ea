"""A Dask scheduler and workers of a test's own, all of it on 127.0.0.1.

With `--no-dashboard` they would still listen for HTTP, and everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from distributed import Client

from infra.children import Child
from infra.gateway import HOST, free_port

START_S = 60
QUIET = {"DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false", "DO_NOT_TRACK": "1"}


@dataclass
class DaskCluster:
    """A running scheduler, to which workers are added.

    Attributes:
        folder: state folder; logs go to `logs/`.
        reached_at: the address that workers are given; the scheduler's own unless something stands before it.
        workers: those started, by name.
    """

    folder: Path
    port: int
    scheduler: Child
    reached_at: str = ""
    workers: dict[str, Child] = field(default_factory=dict)

    @property
    def children(self) -> list[Child]:
        """Scheduler and workers."""
        return [self.scheduler, *self.workers.values()]

    @property
    def address(self) -> str:
        return f"tcp://{HOST}:{self.port}"

    def add_worker(self, name: str, environment: Mapping[str, str], threads: int = 1) -> Child:
        """Start a worker, as the README says, with nothing in its environment but that and what it needs to run."""
        argv = [
            *(sys.executable, "-m", "distributed.cli.dask_worker", self.reached_at or self.address),
            *(
                "--host",
                HOST,
                "--dashboard-address",
                f"{HOST}:0",
                "--nthreads",
                str(threads),
                "--no-nanny",
                "--name",
                name,
            ),
            *("--local-directory", str(self.folder)),
        ]
        worker = Child(f"dask-{name}", argv, {"PATH": os.environ["PATH"], **QUIET, **environment}, self.folder)
        self.workers[name] = worker
        worker.start()
        return worker

    def wait_for(self, workers: int) -> None:
        """Return when so many workers are at hand."""
        with self.client() as client:
            client.wait_for_workers(workers, timeout=START_S)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A look at the scheduler."""
        with Client(self.address, set_as_default=False, timeout=START_S) as client:
            yield client


@contextmanager
def dask_cluster(folder: Path) -> Iterator[DaskCluster]:
    """A cluster without workers; all that was started is ended."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    argv = [
        *(sys.executable, "-m", "distributed.cli.dask_scheduler"),
        *("--host", HOST, "--port", str(port), "--dashboard-address", f"{HOST}:0"),
    ]
    scheduler = Child("dask-scheduler", argv, {"PATH": os.environ["PATH"], **QUIET}, folder)
    cluster = DaskCluster(folder, port, scheduler)
    with ExitStack() as ending:
        ending.callback(scheduler.stop)
        scheduler.start()
        ending.callback(lambda: [worker.stop() for worker in cluster.workers.values()])
        with cluster.client():
            yield cluster


def environment_of_worker(stack_environment: Mapping[str, str], policy: Path) -> dict[str, str]:
    """What a worker of Dask's needs of a stack's: no key, and of the store's accounts the one that processes."""
    kept = ("PREFECT_", "NO_PROXY", "no_proxy", "FOI_STORE_ENDPOINT", "FOI_STORE_REGION", "FOI_STORE_WORK_")
    return {
        **{name: value for name, value in stack_environment.items() if name.startswith(kept)},
        "FOI_BUCKET_PREFIX": stack_environment["FOI_BUCKET_PREFIX"],
        "FOI_POLICY_FILE": str(policy),
    }
