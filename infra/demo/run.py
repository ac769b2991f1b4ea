"""`foi demo`: the main job on the sample request, on the embedded servers, and what to open afterwards.

Rule kept here: nothing is done for the demo that the pipeline does not do for everybody. The sample is uploaded as an
upstream system would; the event of its last object starts the run; what is shown is read from the status and the
public bucket.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra import desk
from infra.demo.sample import write_sample
from infra.display import records_table, verdict_table
from infra.keys import PUBLIC
from infra.up import open_stack
from tasks.codec import digest, fingerprint
from tasks.disclosure.verify import verify_bundle
from tasks.model import RecordOutcome, RequestStatus, Role, State
from tasks.status import find_status
from tasks.store import ObjectStore
from tasks.workplace import Workplace

POLICY_FILE = Path(__file__).parent / "policy.json"
RUN_TIMEOUT_S = 900
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class RunSeen:
    """What Prefect says of the run that the event started."""

    id: str
    state: str
    type: str


def run_demo(console: Console, state: Path, output: Path) -> int:
    """Run the demo; returns the exit code: 0 when the disclosure is published and verified."""
    begin = time.monotonic()
    with console.status("Drawing the sample request ..."):
        folder = _sample(state / "sample")
    with open_stack(console, state, allow_unreviewed=True, policy=POLICY_FILE) as stack:
        console.print(f"Object store and Prefect are up ({time.monotonic() - begin:.0f} s). UI: {stack.ui_url}")
        with desk.open_desk(state) as place, httpx.Client(base_url=stack.environment["PREFECT_API_URL"]) as api:
            before = {run.id for run in _runs(api, folder.name)}
            reference, uploaded, unchanged = desk.submit(place, folder)
            if not uploaded:
                desk.resubmit(place, folder)
            console.print(f"Uploaded {reference}: {uploaded} objects new or changed, {unchanged} as they were.")
            run = _follow(console, place, api, reference, before)
            status = find_status(place, reference)
            _mirror(place.acting_as(Role.PUBLISH).store, place.buckets.disclosure, output)
        ui = stack.ui_url
    code = _conclude(console, output, reference, run, status, (state / "keys" / PUBLIC).read_bytes())
    console.print(f"[dim]{time.monotonic() - begin:.0f} s in all.[/]")
    if code == 0:
        console.print(f"\n[bold]Open[/]  {output / 'index.html'}  the disclosure log, with the response behind it")
        console.print("[bold]Run[/]   make up  and open the Prefect UI it names (now stopped: " + ui + ")")
    return code


def _sample(folder: Path) -> Path:
    """The sample request's folder, drawn unless this very code drew it before."""
    sources = sorted(Path(__file__).parent.rglob("*.py"))
    version = fingerprint([(path.name, digest(path.read_bytes())) for path in sources])
    memory = folder / "drawn-by"
    if memory.is_file() and memory.read_text().startswith(version):
        return folder / memory.read_text().split()[1]
    shutil.rmtree(folder, ignore_errors=True)
    drawn = write_sample(folder)
    memory.write_text(f"{version} {drawn.name}")
    return drawn


def _runs(api: httpx.Client, reference: str) -> list[RunSeen]:
    """The runs of this request, newest first."""
    asked = {"flow_runs": {"name": {"any_": [reference]}}, "sort": "EXPECTED_START_TIME_DESC", "limit": 20}
    answer: list[dict[str, Any]] = api.post("/flow_runs/filter", json=asked).raise_for_status().json()
    return [RunSeen(run["id"], run["state_name"], run["state_type"]) for run in answer]


def _follow(console: Console, place: Workplace, api: httpx.Client, reference: str, before: set[str]) -> RunSeen | None:
    """Show the records while the run is at work; returns the run when it has ended, None when none came."""
    deadline = time.monotonic() + RUN_TIMEOUT_S
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while time.monotonic() < deadline:
            new = [run for run in _runs(api, reference) if run.id not in before]
            status = find_status(place, reference)
            live.update(_progress(status, new[-1] if new else None))
            if new and all(run.type in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} for run in new):
                return new[-1]
            time.sleep(POLL_S)
    return None


def _progress(status: RequestStatus | None, run: RunSeen | None) -> Table:
    if run is None:
        return records_table((), "The event is on its way to Prefect ...")
    if status is None or status.state is not State.PROCESSING:
        return records_table((), f"Prefect: {run.state.lower()} ...")
    return records_table(status.records, f"Prefect: {run.state.lower()} ...")


def _mirror(store: ObjectStore, bucket: str, output: Path) -> None:
    """Copy the public bucket to a folder: what any reader could fetch."""
    shutil.rmtree(output, ignore_errors=True)
    for info in store.list(bucket):
        target = (output / info.key).resolve()
        if not target.is_relative_to(output.resolve()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(store.get(bucket, info.key))


def _conclude(
    console: Console,
    output: Path,
    reference: str,
    run: RunSeen | None,
    status: RequestStatus | None,
    publisher: bytes,
) -> int:
    if run is None or status is None:
        console.print("[bold red]No run came to an end in time.[/] Look at the logs below the state folder.")
        return 1
    if run.state == "Unchanged":
        console.print("Nothing changed since the last run: nothing was read, nothing was published again.")
    console.print(records_table(_named(status), f"{reference}: [bold]{status.state}[/], version {status.version}"))
    if status.state is not State.PUBLISHED:
        console.print(f"[bold red]The request is {status.state}[/]: {status.reason}")
        return 1
    verdict = verify_bundle(output / "disclosures" / reference / f"v{status.version}.zip", publisher)
    console.print(verdict_table(verdict))
    return 0 if verdict.ok else 6


def _named(status: RequestStatus) -> tuple[RecordOutcome, ...]:
    return tuple(sorted(status.records, key=lambda record: record.name))
