"""One long record, spread over Dask's workers and not: seconds of each, and whether the same bytes come out.

    python -m tests.bench.dask [--pages 500] [--workers 2] [--without-comparison]

Two embedded stacks one after the other, each with a record of small, sparse pages. With Dask, `--workers` processes of
one thread each on this machine; without, `FOI_JOBS` of that number. Times are Prefect's: of the run, and from the first
task that reads to the end of the last. The exit code is 1 when the results differ or a worker had no part.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from distributed import Client
from rich.console import Console

from flows.runs import PROCESSING, Runs
from infra.up import open_stack
from tasks.status import find_status
from tasks.workplace import Workplace
from tests.authority import write_policy
from tests.flows.conftest import Pipeline, seen
from tests.flows.dask_cluster import DaskCluster, dask_cluster, environment_of_worker
from tests.flows.test_flow_dask import results
from tests.flows.test_flow_events import request_json
from tests.pictures import register
from tests.waiting import eventually

REFERENCE = "BENCH-1"
PATIENCE_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took and made.

    Attributes:
        run_s: of the whole run.
        reading_s: from the first page to the last.
        results: objects of the work bucket by key.
        parts: how many parts of the record each worker read.
    """

    run_s: float
    reading_s: float
    results: dict[str, bytes]
    parts: Counter[str]


@contextmanager
def running(state: Path, policy: Path, **environment: str) -> Iterator[Pipeline]:
    """A stack of its own."""
    with (
        open_stack(Console(quiet=True), state, False, policy, environment=environment) as stack,
        seen(stack, state, policy) as pipeline,
    ):
        yield pipeline


def measure(pipeline: Pipeline, record: bytes, client: Client | None = None) -> Measured:
    """Let the request go to its end."""
    if client:
        client.get_task_stream()  # from now on it is noted
    pipeline.upload(REFERENCE, {"records/register.tif": record, "request.json": request_json(REFERENCE)})
    eventually(lambda: _state(pipeline.place) in {"held", "blocked", "failed", "quarantined"}, PATIENCE_S)
    if _state(pipeline.place) != "held":
        sys.exit(f"The request ended {_state(pipeline.place)}.")
    runs = Runs(pipeline.api)
    eventually(lambda: not runs.started(PROCESSING))
    parts = Counter(str(task["worker"]) for task in client.get_task_stream() if _reads(task)) if client else Counter()
    longest = max(pipeline.runs(REFERENCE), key=lambda run: float(run["total_run_time"]))
    return Measured(
        float(longest["total_run_time"]), _reading_s(pipeline, longest["id"]), results(pipeline.place), parts
    )


def _state(place: Workplace) -> str:
    status = find_status(place, REFERENCE)
    return str(status.state) if status else ""


def _reads(task: dict[str, Any]) -> bool:
    return str(task["key"]).startswith("read_pages-")


def _reading_s(pipeline: Pipeline, run: str) -> float:
    asked = {"flow_runs": {"id": {"any_": [run]}}, "task_runs": {"name": {"like_": "read "}}}
    done = pipeline.api.post("/task_runs/filter", json=asked).raise_for_status().json()
    first = min(datetime.fromisoformat(task["start_time"]) for task in done)
    return (max(datetime.fromisoformat(task["end_time"]) for task in done) - first).total_seconds()


def with_dask(state: Path, policy: Path, record: bytes, workers: int) -> Measured:
    """The record spread over so many workers."""
    with (
        dask_cluster(state / "dask") as cluster,
        running(state, policy, FOI_DASK=cluster.address) as pipeline,
        _looked_at(cluster, pipeline, policy, workers) as client,
    ):
        return measure(pipeline, record, client)


@contextmanager
def _looked_at(cluster: DaskCluster, pipeline: Pipeline, policy: Path, workers: int) -> Iterator[Client]:
    for n in range(workers):
        cluster.add_worker(f"worker-{n}", environment_of_worker(pipeline.stack.environment, policy))
    cluster.wait_for(workers)
    with cluster.client() as client:
        yield client


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--without-comparison", action="store_true")
    arguments = parser.parse_args()
    record = register(arguments.pages)
    print(f"{arguments.pages} pages, {len(record) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        policy = write_policy(Path(folder))
        spread = with_dask(Path(folder) / "spread", policy, record, arguments.workers)
        read = ", ".join(f"{parts} parts" for parts in spread.parts.values())
        print(
            f"Dask, {arguments.workers} workers:  run {spread.run_s:.0f} s, reading {spread.reading_s:.0f} s ({read})"
        )
        if len(spread.parts) < arguments.workers:
            sys.exit("A worker had no part in it.")
        if arguments.without_comparison:
            return
        with running(Path(folder) / "alone", policy, FOI_JOBS=str(arguments.workers)) as pipeline:
            alone = measure(pipeline, record)
        print(f"threads, {arguments.workers} jobs:  run {alone.run_s:.0f} s, reading {alone.reading_s:.0f} s")
        same = alone.results == spread.results
        print(f"{len(spread.results)} results, the same bytes: {same}")
        sys.exit(not same)


if __name__ == "__main__":
    main()
