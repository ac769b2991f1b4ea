"""What a request costs through Prefect beside `foi redact` on the same records: processor seconds of everything.

    python -m tests.bench.overhead [--pages 10 100]

Requests of drawn, mostly good scans, once through an embedded stack from upload to Held, and once by the command.
Counted are all processes: for the stack its run, but also the store, Prefect's server, the worker and the watcher while
it lasts, less what these take in the same time when nothing is to do. A request through Prefect gives more than
redacted files: the draft letter, the schedule, the review pack with its pictures, the dossier.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from infra.up import open_stack
from tasks.status import find_status
from tests.authority import write_policy
from tests.bench.processes import adopt_orphans, cpu_s_below
from tests.corpus.write import TEMPLATES, draw_record
from tests.flows.conftest import Pipeline, seen
from tests.flows.test_flow_events import request_json

PATIENCE_S = 3600.0
IDLE_S = 30.0
POLL_S = 2.0
GOOD = "clean", "office"


def draw_records(pages: int, seed: int = 1) -> Iterator[tuple[str, bytes, int]]:
    """Name, bytes and number of pages of records, at least so many pages together."""
    number = drawn = 0
    while drawn < pages:
        quality = GOOD[number % len(GOOD)]
        record = draw_record(TEMPLATES[number % len(TEMPLATES)], quality, f"{seed}/{number}")
        drawn += len(record.pages)
        yield f"{number + 1:03d}{record.packed.suffix}", record.packed.content, len(record.pages)
        number += 1


def through_prefect(pipeline: Pipeline, reference: str, records: dict[str, bytes]) -> tuple[float, float]:
    """Processor seconds of everything, and seconds by the clock, from upload to Held."""
    before, begun = cpu_s_below(), time.monotonic()
    files = {f"records/{name}": content for name, content in records.items()}
    pipeline.upload(reference, {**files, "request.json": request_json(reference)})

    def has_ended() -> bool:
        status = find_status(pipeline.place, reference)
        return status is not None and str(status.state) in {"held", "blocked", "failed", "quarantined"}

    deadline = begun + PATIENCE_S
    while not has_ended() and time.monotonic() < deadline:
        time.sleep(POLL_S)  # each look costs the store two questions
    for run in pipeline.runs(reference):
        pipeline.ended(str(run["id"]))
    return cpu_s_below() - before, time.monotonic() - begun


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
        through, idle = [], 0.0
        with (
            open_stack(Console(quiet=True), state, allow_unreviewed=False, policy=policy) as stack,
            seen(stack, state, policy) as pipeline,
        ):
            time.sleep(IDLE_S)
            before = cpu_s_below()
            time.sleep(IDLE_S)
            idle = (cpu_s_below() - before) / IDLE_S
            through = [through_prefect(pipeline, folder.name, records) for folder, records, _ in sets]
        print(f"The stack takes {idle:.2f} CPU s a second when nothing is to do.")
        print(f"{'pages':>6}{'foi redact':>18}{'through Prefect':>22}{'more a page':>14}")
        for (_, _, pages), (cpu_s, clock_s), (all_s, all_clock_s) in zip(sets, alone, through, strict=True):
            work_s = all_s - idle * all_clock_s
            print(
                f"{pages:>6}{cpu_s:>9.1f} ({clock_s:>4.0f} s){work_s:>13.1f} ({all_clock_s:>4.0f} s)"
                f"{work_s / cpu_s - 1:>13.1%}"
            )


if __name__ == "__main__":
    main()
