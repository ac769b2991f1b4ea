"""What a request costs through Prefect beside `foi redact` on the same records: processor seconds of everything.

    python -m tests.bench.overhead [--pages 10 100]

Requests of drawn, mostly good scans, once through an embedded stack from upload to Held, and once by the command.
Counted are all processes: for the stack its run, but also the store, Prefect's server, the worker and the watcher while
it lasts, less what these take in the same time when nothing is to do. A request through Prefect gives more than
redacted files: the draft letter, the schedule, the review pack with its pictures, the dossier.

Beside each stands what Prefect takes for itself: a run of as many tasks that do nothing (`tests.bench.empty`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from rich.console import Console

from infra.deploy import POOL, PrefectApi
from infra.embedded import Stack
from infra.up import open_stack
from tasks.status import find_status
from tests.authority import write_policy
from tests.bench.processes import OwnCpu, adopt_orphans, cpu_s_below, looking
from tests.corpus.write import TEMPLATES, draw_record
from tests.flows.conftest import Pipeline, seen
from tests.flows.test_flow_events import request_json

PATIENCE_S = 3600.0
IDLE_S = 30.0
POLL_S = 2.0
SETTLE_S = 7.0
"""Prefect's server notes the last states two seconds, the last events five seconds after a run: its cost as well."""
GOOD = "clean", "office"
RUN, READERS = "run", "readers"
"""Names of what the stack starts for a request: the process of its run, and all that this one starts."""


def draw_records(pages: int, seed: int = 1) -> Iterator[tuple[str, bytes, int]]:
    """Name, bytes and number of pages of records, at least so many pages together."""
    number = drawn = 0
    while drawn < pages:
        quality = GOOD[number % len(GOOD)]
        record = draw_record(TEMPLATES[number % len(TEMPLATES)], quality, f"{seed}/{number}")
        drawn += len(record.pages)
        yield f"{number + 1:03d}{record.packed.suffix}", record.packed.content, len(record.pages)
        number += 1


@dataclass(frozen=True)
class Cost:
    """What a run through the stack took: processor seconds of everything, by process, and seconds by the clock."""

    clock_s: float
    by_process: Counter[str]

    @property
    def cpu_s(self) -> float:
        """All of it."""
        return float(sum(self.by_process.values()))

    def less(self, idle: Counter[str]) -> Cost:
        """Without what the stack takes each second when nothing is to do."""
        return Cost(
            self.clock_s, Counter({name: cpu - idle[name] * self.clock_s for name, cpu in self.by_process.items()})
        )

    def __str__(self) -> str:
        return ", ".join(f"{name} {cpu:.1f}" for name, cpu in sorted(self.by_process.items()))


def cost_of(stack: Stack, work: Callable[[], None]) -> Cost:
    """The cost of what the stack is made to do."""
    servers = {pid: name for name, pid in stack.pids.items()}

    def name_of(process: psutil.Process) -> str:
        known = servers.get(process.pid, "")
        return known or (RUN if "infra.prefect_run" in process.cmdline() else "")

    own = OwnCpu(name_of)
    own.look()
    before, all_before, begun = own.by_name(), cpu_s_below(), time.monotonic()
    with looking(own.look):
        work()
        time.sleep(SETTLE_S)
    clock_s = time.monotonic() - begun
    own.look()
    by_process = Counter({name: cpu - before[name] for name, cpu in own.by_name().items()})
    by_process[READERS] = cpu_s_below() - all_before - sum(by_process.values())  # type: ignore[assignment]
    return Cost(clock_s, by_process)


def through_prefect(pipeline: Pipeline, reference: str, records: dict[str, bytes]) -> None:
    """From upload to Held."""
    files = {f"records/{name}": content for name, content in records.items()}
    pipeline.upload(reference, {**files, "request.json": request_json(reference)})

    def has_ended() -> bool:
        status = find_status(pipeline.place, reference)
        return status is not None and str(status.state) in {"held", "blocked", "failed", "quarantined"}

    deadline = time.monotonic() + PATIENCE_S
    while not has_ended() and time.monotonic() < deadline:
        time.sleep(POLL_S)  # each look costs the store two questions
    for run in pipeline.runs(reference):
        pipeline.ended(str(run["id"]))


def tasks_of(pipeline: Pipeline, reference: str) -> int:
    """How many task runs a request's run had."""
    asked = {"flow_runs": {"name": {"any_": [reference]}}}
    return int(pipeline.api.post("/task_runs/count", json=asked).raise_for_status().json())


def deploy_empty(pipeline: Pipeline) -> str:
    """A deployment of the empty run, started by the worker as ours are; returns its name."""
    api = PrefectApi(pipeline.api)
    flow = api.ask("POST", "/flows/", {"name": "empty"})
    made = {"name": "bench", "flow_id": flow["id"], "entrypoint": "tests.bench.empty.empty", "work_pool_name": POOL}
    api.ask("POST", "/deployments/", made)
    return "empty/bench"


def by_command(folder: Path, output: Path, policy: Path) -> tuple[float, float]:
    """Processor seconds of everything, and seconds by the clock.

    Raises:
        subprocess.CalledProcessError: a record was rejected, or the gate refused a result.
    """
    command = [sys.executable, "-m", "infra.cli", "redact", str(folder), "-o", str(output), "--policy", str(policy)]
    before, begun = cpu_s_below(), time.monotonic()
    code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    clock_s = time.monotonic() - begun
    if code not in (0, 3, 5):
        raise subprocess.CalledProcessError(code, command)
    return cpu_s_below() - before, clock_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, nargs="+", default=[10, 100])
    arguments = parser.parse_args()
    adopt_orphans()
    with tempfile.TemporaryDirectory() as scratch:
        state, policy = Path(scratch) / "state", write_policy(Path(scratch))
        sets = []
        for wanted in arguments.pages:
            drawn = list(draw_records(wanted))
            folder = Path(scratch) / f"OVERHEAD-{wanted}"
            folder.mkdir()
            for name, content, _ in drawn:
                (folder / name).write_bytes(content)
            sets.append((folder, {name: content for name, content, _ in drawn}, sum(pages for *_, pages in drawn)))
        alone = [by_command(folder, folder.with_suffix(".out"), policy) for folder, *_ in sets]
        through, empty = [], []
        with (
            open_stack(Console(quiet=True), state, allow_unreviewed=False, policy=policy) as stack,
            seen(stack, state, policy) as pipeline,
        ):
            nothing = deploy_empty(pipeline)
            time.sleep(IDLE_S)
            rest = cost_of(stack, lambda: time.sleep(IDLE_S))
            idle = Counter({name: cpu / rest.clock_s for name, cpu in rest.by_process.items()})
            for folder, records, _ in sets:
                through.append(cost_of(stack, partial(through_prefect, pipeline, folder.name, records)).less(idle))
                tasks = tasks_of(pipeline, folder.name)
                run = partial(pipeline.start, nothing, tasks=tasks)
                empty.append((tasks, cost_of(stack, lambda run=run: pipeline.ended(run()) and None).less(idle)))
        print(f"The stack takes {sum(idle.values()):.2f} CPU s a second when nothing is to do.")
        print(f"{'pages':>6}{'foi redact':>18}{'through Prefect':>22}{'more a page':>14}")
        for (_, _, pages), (cpu_s, clock_s), work in zip(sets, alone, through, strict=True):
            print(
                f"{pages:>6}{cpu_s:>9.1f} ({clock_s:>4.0f} s){work.cpu_s:>13.1f} ({work.clock_s:>4.0f} s)"
                f"{work.cpu_s / cpu_s - 1:>13.1%}"
            )
        for (_, _, pages), work, (tasks, bare) in zip(sets, through, empty, strict=True):
            print(f"{pages} pages by process, CPU s: {work}.")
            print(f"Prefect itself, a run of {tasks} tasks that do nothing: {bare.cpu_s:.1f} CPU s ({bare}).")


if __name__ == "__main__":
    main()
