"""How long it takes from the upload of `request.json` to the first line of the flow, on the embedded stack.

    python -m tests.bench.latency [--uploads N] [--state FOLDER]

Uploads requests that are settled at once (their `request.json` is not valid), one after the other, as an upstream
system would, and prints the seconds of each way and their median: until Prefect had made the run, and until the flow
began.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console

from flows.announce import REQUEST_FILE
from flows.runs import PROCESSING, Runs
from infra.up import open_stack
from tasks.store import S3Store

PAUSE_S = 1.7
"""Between uploads, so that they fall on every moment of the worker's poll."""


def measure(state: Path, uploads: int) -> list[tuple[float, float]]:
    """Seconds from upload to run and from upload to flow, of each upload."""
    with (
        open_stack(Console(quiet=True), state, allow_unreviewed=False) as stack,
        httpx.Client(base_url=stack.environment["PREFECT_API_URL"], timeout=30) as client,
    ):
        return [_measure_one(stack.store, Runs(client), f"LATENCY-{n}") for n in range(uploads)]


def _measure_one(store: S3Store, runs: Runs, reference: str) -> tuple[float, float]:
    store.put("foi-intake", f"{reference}/{REQUEST_FILE}", b"{}")
    uploaded = datetime.now(UTC)
    while True:
        for run in runs.made(uploaded, PROCESSING):
            if run.reference == reference and run.kind == "COMPLETED":
                row = runs.client.get(f"/flow_runs/{run.id}").raise_for_status().json()
                made, began = (datetime.fromisoformat(row[name]) for name in ("created", "start_time"))
                time.sleep(PAUSE_S)
                return (made - uploaded).total_seconds(), (began - uploaded).total_seconds()
        time.sleep(0.5)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=10)
    parser.add_argument("--state", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(arguments.state or Path(folder), arguments.uploads)
    for made, began_after in measured:
        print(f"run made after {made:5.2f} s   flow began after {began_after:5.2f} s")
    began = [seconds for _, seconds in measured]
    print(f"median: {statistics.median(began):.2f} s, longest {max(began):.2f} s")


if __name__ == "__main__":
    main()
