"""What the sweep spends on finding the requests that need a run: seconds, questions to the store, memory.

    python -m tests.bench.sweep [--requests 10000] [--changed 10]

On an embedded store of its own, first with a tenth of the requests, then with all. Two requests of one small record are
taken through every stage, one to held and one to published. The others are theirs under other references: folder,
status and, where published, the log's entry, each with what the stages themselves would have written there. Each night
is a process of its own. The first has no memory of another; before the second, `--changed` records are replaced, and it
must find just those. The runs, which the sweep then has made and waits for, are not included, nor is Prefect; the
disclosure log, which the sweep makes anew, is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from flows.place import open_place
from flows.settings import Settings
from infra.access import set_up_buckets
from infra.gateway import Gateway, free_port
from infra.keys import make_keys
from tasks import casework, steps
from tasks.caseload import caseload_of
from tasks.codec import decode, encode
from tasks.disclosure.site import LogEntry
from tasks.model import Outcome, RecordOutcome, State
from tasks.status import list_request, listing_digest, set_status
from tasks.survey import Survey
from tasks.workplace import Workplace
from tests.authority import write_policy

# What works on files is loaded where a request is processed, not into the process that is measured.

WRITERS = 8
RECORD = "records/memo.png"
REVIEW = ("required", "none")
"""What every second request asks for: to be held, to be published."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a request's run ended; the fields of its status."""

    state: State
    reason: str
    dossier: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Night:
    """What one sweep took.

    Attributes:
        found: references that need a run.
        look_s: to look at all requests.
        again_s: to look at them again when the runs have ended, and to remember them.
        table_s: to make the rows of the table of all requests of that.
        rows: of the table.
        log_s: to make the disclosure log anew.
        asked: questions to the store in both looks and for the table, by kind.
        peak_mib: of the process after the looks.
        before_mib: of the process before them.
    """

    found: tuple[str, ...]
    look_s: float
    again_s: float
    table_s: float
    rows: int
    log_s: float
    asked: dict[str, int]
    peak_mib: float
    before_mib: float


@contextmanager
def running(folder: Path) -> Iterator[Settings]:
    """The settings of an embedded store with its buckets."""
    gateway = Gateway(folder, free_port(), os.environ)
    keys = make_keys(folder / "keys")
    try:
        gateway.start()
        settings = Settings(
            store_endpoint=gateway.endpoint,
            store_access_key=gateway.admin.access_key,
            store_secret_key=gateway.admin.secret_key,
            policy_file=write_policy(folder),
            signing_key_file=keys.signing,
            commitment_key_file=keys.commitment,
            allow_unreviewed=True,
        )
        with open_place(settings) as place:
            set_up_buckets(place.store, settings.bucket_prefix)
        yield settings
    finally:
        gateway.child.stop()


# ------------------------------------------------------------------------------------------------ the requests


def _request_json(reference: str, review: str) -> bytes:
    said = {"title": "A memo", "received": "2026-03-02", "request_text": "Please send the memo.", "review": review}
    return json.dumps({"reference": reference, **said}).encode()


def _upload(place: Workplace, reference: str, record: bytes, review: str) -> None:
    place.store.put(place.buckets.intake, f"{reference}/{RECORD}", record)
    place.store.put(place.buckets.intake, f"{reference}/request.json", _request_json(reference, review))


def _settle(place: Workplace, reference: str, ended: Ended) -> None:
    """The status as the last step of a run leaves it."""
    listing = listing_digest(place, list_request(place, reference))
    outcome = Outcome.PUBLISHED if ended.version else Outcome.HELD
    changes = {"reason": ended.reason, "dossier": ended.dossier, "version": ended.version}
    set_status(place, reference, ended.state, listing=listing, records=(RecordOutcome(RECORD, outcome, 1),), **changes)


def _process(place: Workplace, reference: str) -> Ended:
    """Take an uploaded request through all stages."""
    from tests.casework.test_casework import to_gate

    manifest, keys = to_gate(place, reference)
    dossier = casework.assemble(place, manifest, [keys], [])
    if reason := casework.decide_by_policy(place, reference, dossier):
        return Ended(State.HELD, reason, dossier)
    return Ended(State.PUBLISHED, "", dossier, casework.publish_approved(place, reference, dossier))


def make_requests(place: Workplace, record: bytes) -> Callable[[int], None]:
    """Process the first two requests; returns what makes another one like them, of its number."""
    known: list[Ended] = []
    for n, review in enumerate(REVIEW):
        _upload(place, reference_of(n), record, review)
        known.append(_process(place, reference_of(n)))
        _settle(place, reference_of(n), known[n])
    if [ended.state for ended in known] != [State.HELD, State.PUBLISHED]:
        sys.exit("The first requests did not end held and published.")
    public = place.buckets.disclosure
    entry = decode(place.store.get(public, f"entries/{reference_of(1)}/v1.json"), LogEntry)

    def make(n: int) -> None:
        _upload(place, reference_of(n), record, REVIEW[n % 2])
        if n % 2:
            alike = encode(replace(entry, reference=reference_of(n)))
            place.store.put(public, f"entries/{reference_of(n)}/v1.json", alike, "application/json")
        _settle(place, reference_of(n), known[n % 2])

    return make


def reference_of(n: int) -> str:
    """The reference of a request."""
    return f"SWEEP.{n:06d}"


def _spread(requests: int, changed: int) -> list[str]:
    return sorted(reference_of(n * requests // changed) for n in range(changed))


# ------------------------------------------------------------------------------------------------ a night


def night(settings: Settings) -> Night:
    """One sweep's looks and log, counted; in a process of its own."""
    with open_place(settings) as place:
        asked: Counter[str] = Counter()
        # What boto3 is about to send, repeated attempts included.
        place.store._client.meta.events.register("before-send.s3", lambda request, **_: _note(asked, request))  # type: ignore[attr-defined]
        before_mib = _peak_mib()
        begun = time.monotonic()
        survey = Survey(place)
        found = tuple(look.reference for look in survey.look() if look.listing)
        look_s = time.monotonic() - begun
        begun = time.monotonic()
        survey.look_again()
        survey.remember()
        again_s = time.monotonic() - begun
        begun = time.monotonic()
        rows = len(caseload_of(survey))
        table_s = time.monotonic() - begun
        peak_mib, noted = _peak_mib(), dict(asked)
        begun = time.monotonic()
        steps.rebuild_log.fn(place)
        log_s = time.monotonic() - begun
        return Night(found, look_s, again_s, table_s, rows, log_s, noted, peak_mib, before_mib)


def _note(asked: Counter[str], request: Any) -> None:
    asked["LIST" if "list-type=2" in request.url else request.method] += 1


def _peak_mib() -> float:
    # Of this program: getrusage tells what the one was like that started it.
    said = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", said)[1]) / 1024  # type: ignore[index]


def _alone(settings: Settings) -> Night:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(night, settings).result()


def measure(settings: Settings, sizes: Iterable[int], changed: int) -> Iterator[tuple[str, Night, list[str]]]:
    """For each number of requests two nights, each with what it had to find."""
    from tests.casework.test_casework import memo

    record, other = memo("The display changed in March."), memo("The display changed in April.")
    with open_place(settings) as place, ThreadPoolExecutor(WRITERS) as writers:
        make, done = make_requests(place, record), 2
        for size in sizes:
            begun = time.monotonic()
            list(writers.map(make, range(done, size)))
            print(f"{size - done} requests made in {time.monotonic() - begun:.0f} s", flush=True)
            done = size
            yield f"{size} requests, the first night", _alone(settings), []
            touched = _spread(size, changed)
            for reference in touched:
                place.store.put(place.buckets.intake, f"{reference}/{RECORD}", other)
            yield f"{size} requests, {changed} changed", _alone(settings), touched
            for reference in touched:
                place.store.put(place.buckets.intake, f"{reference}/{RECORD}", record)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--changed", type=int, default=10)
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as settings:
        sizes = sorted({max(arguments.requests // 10, 2, arguments.changed), arguments.requests})
        for what, night_, wanted in measure(settings, sizes, arguments.changed):
            asked = ", ".join(f"{count} {kind}" for kind, count in sorted(night_.asked.items()))
            print(
                f"{what}: {len(night_.found)} found in {night_.look_s:.1f} s, again in {night_.again_s:.1f} s, "
                f"table of {night_.rows} in {night_.table_s:.1f} s, log {night_.log_s:.1f} s; {asked}; "
                f"peak {night_.peak_mib:.0f} MiB, {night_.before_mib:.0f} before; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            wrong += list(night_.found) != wanted
    if wrong:
        sys.exit("A night did not find just what had changed.")


if __name__ == "__main__":
    main()
