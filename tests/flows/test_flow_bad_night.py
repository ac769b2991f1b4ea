"""A bad night on the real servers: everything that can die dies, and in the morning nobody can tell.

Thirty-two small requests come in while worker, flow processes, Prefect's server, store and watcher are killed,
Tesseract is killed as the kernel does for want of memory, the store refuses, dawdles and cuts off, and the folder of
temporary files is full, each at a moment drawn from a seed. What is killed is started again as `foi up` does. Then the
same requests go through a quiet night with the same keys and the same decisions, and the public bucket must be the
same, byte for byte: what is published follows from sources, policy, keys and approval, and of these only the moment of
an approval differs from night to night. The decisions are sealed and name the digest of what they approve, so they
count in the quiet night only where that came to the same dossier.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from flows.patrol import PENDING, ROUND_S, SILENCE
from flows.runs import PROCESSING, Runs
from infra.up import open_stack
from tasks.disclosure.verify import verify_bundle
from tasks.errors import FoiError
from tasks.model import RequestStatus
from tasks.status import find_status
from tests.authority import write_policy
from tests.disks import MIB, WHY_NOT, fill, small_disk
from tests.flows.conftest import Pipeline, seen
from tests.flows.faulty_proxy import FAULTS, NOTHING, FaultyProxy
from tests.flows.test_flow_events import invalid, request_json
from tests.flows.test_flow_patrol import descendants
from tests.pictures import encoded, typed

pytestmark = [pytest.mark.flow, pytest.mark.endurance, pytest.mark.timeout(2400)]

SEED = 20261123
EVENING_S = 120
"""About how long uploads come in."""

NIGHT_S = 1500
SEEN_WITHIN = timedelta(seconds=ROUND_S + 60) + max(SILENCE, PENDING)
SERVERS = ("worker", "prefect", "store", "watcher")
TESSERACTS = 4

Files = dict[str, bytes]


def memo(number: int, line: str = "") -> bytes:
    lines = (
        f"Memorandum {number} on the posters of the campaign.",
        f"Ring 020 7946 {100 + number:04d} or write to desk{number}@eastmere.example.org.",
        line or "The posters stay until the end of the month.",
    )
    return encoded(typed(*lines), "PNG", dpi=(150, 150))


def requests() -> dict[str, tuple[Files, str]]:
    """Files of each request by reference, `request.json` last, and the state it must end in."""
    found: dict[str, tuple[Files, str]] = {}
    for n in range(1, 33):
        reference = f"BAD-{n:02d}"
        files, state = {"records/memo.png": memo(n)}, "published"
        said = request_json(reference, title=f"Posters {n}", review="none")
        if n % 8 == 2:
            files["records/second.png"] = memo(n + 100, f"As Memorandum {n} says, ring 020 7946 {100 + n:04d}.")
        elif n % 8 == 4:
            said, state = request_json(reference, title=f"Posters {n}"), "held"
        elif n % 16 == 6:
            files["records/broken.tiff"] = b"II*\x00\x08\x00\x00\x00cut short"
        elif n == 14:
            files, state = {"records/broken.tiff": b"II*\x00\x08\x00\x00\x00cut short"}, "quarantined"
        elif n == 30:
            said, state = invalid(reference), "quarantined"
        elif n == 16:
            said, state = request_json(reference, review="none", records=[{"file": "records/late.png"}]), "waiting"
        found[reference] = ({**files, "request.json": said}, state)
    return found


@dataclass
class Night:
    """What there is to look at in the morning.

    Attributes:
        public: everything in the public bucket.
        statuses: of every request.
        faults: how often each fault was injected.
        why_not: faults that could not be injected here, and why.
        lost: runs that were at work when their worker was killed, and when that was.
        runs: every run on a request, as Prefect tells of it.
    """

    public: dict[str, bytes] = field(default_factory=dict)
    quarantined: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, RequestStatus] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    why_not: dict[str, str] = field(default_factory=dict)
    lost: dict[str, datetime] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)

    def tell(self, what: str) -> None:
        """Write down what happened, and print it: who reads the logs of such a night needs it beside them."""
        self.told.append(f"{datetime.now(UTC):%H:%M:%S} {what}")
        print(self.told[-1], flush=True)


@contextmanager
def stack_behind(state: Path, policy: Path, temporary: Path | None, proxy: FaultyProxy) -> Iterator[Pipeline]:
    """The stack as `foi up` runs it, supervised, its processes behind the proxy; observed from before the proxy."""
    more = {"FOI_STORE_ENDPOINT": proxy.url, **({"TMPDIR": str(temporary)} if temporary else {})}
    with open_stack(Console(quiet=True), state, True, policy, environment=more) as stack:
        proxy.upstream = json.loads((state / "ports.json").read_text())["store"]
        stop, failed = threading.Event(), []

        def supervise() -> None:
            try:
                stack.supervise(stop)
            except FoiError as error:
                failed.append(error)

        supervisor = threading.Thread(target=supervise)
        supervisor.start()
        try:
            with seen(stack, state, policy) as pipeline:
                yield pipeline
        finally:
            stop.set()
            supervisor.join()
            assert not failed, failed


def insisting(act: Callable[[], object], patience_s: float = 120) -> None:
    """Do it until it succeeds: an upstream system tries again while the store is away."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            act()
        except (FoiError, httpx.HTTPError):
            assert time.monotonic() < deadline
            time.sleep(1)
        else:
            return


class Saboteur:
    """Injects faults into a running pipeline and writes down what it did."""

    def __init__(
        self, pipeline: Pipeline, proxy: FaultyProxy, temporary: Path | None, night: Night, chance: Any
    ) -> None:
        self.pipeline, self.proxy, self.temporary, self.night, self.chance = pipeline, proxy, temporary, night, chance
        self._runs = Runs(httpx.Client(base_url=pipeline.api.base_url, timeout=60))

    def kill(self, name: str) -> None:
        """Kill one server."""
        if name == "worker":
            moment = datetime.now(UTC)
            self.night.lost.update({run.id: moment for run in self._runs.started(PROCESSING)})
        os.kill(self.pipeline.stack.pids[name], signal.SIGKILL)
        self.done(name)

    def kill_flow(self) -> None:
        """Kill the process of a run on a request."""
        self._kill_below_worker("flow process", lambda proc: b"infra.prefect_run" in (proc / "cmdline").read_bytes())

    def kill_tesseract(self) -> None:
        """Kill Tesseract as soon as it is seen."""
        self._kill_below_worker("tesseract", lambda proc: (proc / "comm").read_text() == "tesseract\n")

    def _kill_below_worker(self, what: str, is_meant: Callable[[Path], bool]) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for pid in descendants(self.pipeline.stack.pids["worker"]):
                with suppress(OSError):
                    if is_meant(Path(f"/proc/{pid}")):
                        os.kill(pid, signal.SIGKILL)
                        self.done(what)
                        return
            time.sleep(0.02)

    def spoil(self, fault: str) -> None:
        """Let the store have a fault for a while."""
        before = self.proxy.met[fault]
        self.proxy.fault = fault
        time.sleep(self.chance.uniform(6, 10))
        self.proxy.fault = NOTHING
        self.night.faults[fault] += self.proxy.met[fault] - before
        self.night.tell(f"{fault}: {self.proxy.met[fault] - before} requests")

    def fill_disk(self) -> None:
        """Let there be no room for temporary files for a while."""
        if self.temporary is None:
            return
        filling = fill(self.temporary)
        self.done("full disk")
        time.sleep(self.chance.uniform(8, 14))
        filling.unlink()
        self.night.tell("room again")

    def done(self, what: str) -> None:
        self.night.faults[what] += 1
        self.night.tell(what)

    def plan(self) -> list[Callable[[], None]]:
        """Every fault, in an order of chance; the worker's death first, because it takes longest to be noticed."""
        faults: list[Callable[[], None]] = [
            *[lambda name=name: self.kill(name) for name in ("prefect", "store", "watcher") for _ in range(2)],
            *[self.kill_flow] * 2,
            *[self.kill_tesseract] * TESSERACTS,
            *[lambda fault=fault: self.spoil(fault) for fault in FAULTS for _ in range(2)],
            *[self.fill_disk] * 2,
        ]
        self.chance.shuffle(faults)
        return [lambda: self.kill("worker"), *faults]


def upload(pipeline: Pipeline, chance: random.Random) -> None:
    """All requests, in the order of chance, spread over the evening."""
    waiting = list(requests().items())
    chance.shuffle(waiting)
    for reference, (files, _) in waiting:
        for name, data in files.items():
            insisting(lambda ref=reference, one={name: data}: pipeline.upload(ref, one))
        time.sleep(chance.uniform(0, 2 * EVENING_S / len(waiting)))


def settle(pipeline: Pipeline, night: Night, patience_s: float) -> None:
    """Return when every request is where it must end; else say which are not."""
    expected = {reference: state for reference, (_, state) in requests().items()}
    deadline = time.monotonic() + patience_s
    while True:
        with suppress(FoiError):
            found = {reference: find_status(pipeline.place, reference) for reference in expected}
            night.statuses = {reference: status for reference, status in found.items() if status}
        wrong = {
            reference: (status.state, status.reason) if (status := night.statuses.get(reference)) else None
            for reference, state in expected.items()
            if reference not in night.statuses or night.statuses[reference].state != state
        }
        if not wrong:
            return
        assert time.monotonic() < deadline, (wrong, night.told)
        time.sleep(1)


def look_back(pipeline: Pipeline, night: Night) -> None:
    """Keep what the stack holds before it goes."""
    store, buckets = pipeline.place.store, pipeline.place.buckets
    night.public = {info.key: store.get(buckets.disclosure, info.key) for info in store.list(buckets.disclosure)}
    night.quarantined = {info.key: store.get(buckets.quarantine, info.key) for info in store.list(buckets.quarantine)}
    asked = {"flow_runs": {"name": {"any_": list(requests())}}, "limit": 200}
    night.runs = pipeline.api.post("/flow_runs/filter", json=asked, timeout=60).raise_for_status().json()


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_policy(tmp_path_factory.mktemp("night-policy"))


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    bad, quiet = tmp_path_factory.mktemp("bad-night"), tmp_path_factory.mktemp("quiet-night")
    yield bad, quiet
    for folder in (bad, quiet):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def bad_night(states: tuple[Path, Path], policy: Path) -> Iterator[tuple[Night, dict[str, bytes]]]:
    """The night with the faults, and its sealed decisions."""
    night, chance, state = Night(), random.Random(SEED), states[0]
    with ExitStack() as end:
        temporary = end.enter_context(small_disk(state / "tmp", 512 * MIB))
        if temporary is None:
            night.why_not["full disk"] = WHY_NOT
        proxy = FaultyProxy(SEED)
        end.callback(proxy.close)
        pipeline = end.enter_context(stack_behind(state, policy, temporary, proxy))
        started = time.monotonic()
        uploading = threading.Thread(target=upload, args=(pipeline, random.Random(SEED)), daemon=True)
        uploading.start()
        saboteur = Saboteur(pipeline, proxy, temporary, night, chance)
        time.sleep(chance.uniform(15, 25))  # something is at work by then
        for fault in saboteur.plan():
            insisting(fault)
            time.sleep(chance.uniform(1, 8))
        uploading.join()
        night.tell("the faults are over")
        insisting(lambda: pipeline.start("sweep/nightly"))
        settle(pipeline, night, NIGHT_S)
        night.seconds = time.monotonic() - started
        night.tell("all settled")
        runs = Runs(pipeline.api)
        deadline = time.monotonic() + SEEN_WITHIN.total_seconds()
        while (runs.started(PROCESSING) or runs.due(PROCESSING)) and time.monotonic() < deadline:
            time.sleep(1)
        look_back(pipeline, night)
        store, work = pipeline.place.store, pipeline.place.buckets.work
        decisions = {info.key: store.get(work, info.key) for info in store.list(work, "decisions/")}
    yield night, decisions


@pytest.fixture(scope="module")
def quiet_night(bad_night: tuple[Night, dict[str, bytes]], states: tuple[Path, Path], policy: Path) -> Night:
    """The same requests, keys and decisions, and nothing happens."""
    night, (bad, state) = Night(), states
    _, decisions = bad_night
    shutil.copytree(bad / "keys", state / "keys")
    proxy = FaultyProxy(SEED)
    with ExitStack() as end:
        end.callback(proxy.close)
        pipeline = end.enter_context(stack_behind(state, policy, None, proxy))
        for key, data in decisions.items():
            pipeline.place.store.put(pipeline.place.buckets.work, key, data, "application/json")
        started = time.monotonic()
        for reference, (files, _) in requests().items():
            pipeline.upload(reference, files)
        settle(pipeline, night, NIGHT_S)
        night.seconds = time.monotonic() - started
        look_back(pipeline, night)
    return night


def test_every_request_reaches_its_right_end(bad_night: tuple[Night, dict[str, bytes]]) -> None:
    night, _ = bad_night
    print(f"{night.seconds:.0f} s", night.faults)
    assert {reference: str(status.state) for reference, status in night.statuses.items()} == {
        reference: state for reference, (_, state) in requests().items()
    }
    for reference, (files, state) in requests().items():
        outcomes = {record.name: str(record.outcome) for record in night.statuses[reference].records}
        if state in {"published", "held"}:
            expected = {name: state for name in files if name.endswith(".png")}
            broken = {name: "quarantined" for name in files if name.endswith(".tiff")}
            assert outcomes == {**expected, **broken}, reference


@pytest.mark.parametrize("fault", [*SERVERS, "flow process", "tesseract", *FAULTS, "full disk"])
def test_the_fault_happened(bad_night: tuple[Night, dict[str, bytes]], fault: str) -> None:
    night, _ = bad_night
    if fault in night.why_not:
        pytest.skip(night.why_not[fault])
    assert night.faults[fault] > 0


def test_runs_that_died_with_their_worker_were_ended_within_minutes(
    bad_night: tuple[Night, dict[str, bytes]],
) -> None:
    night, _ = bad_night
    assert night.lost, "no run was at work when the worker was killed"
    ended = {run["id"]: run for run in night.runs}
    for run_id, killed in night.lost.items():
        run = ended[run_id]
        assert run["state_type"] in {"CRASHED", "COMPLETED"}, run["state_name"]
        assert datetime.fromisoformat(run["state"]["timestamp"]) - killed < SEEN_WITHIN
    assert any(run["state_type"] == "CRASHED" for run in night.runs)


def test_no_run_is_left_at_work(bad_night: tuple[Night, dict[str, bytes]]) -> None:
    night, _ = bad_night
    assert [run["name"] for run in night.runs if run["state_type"] in {"PENDING", "RUNNING", "SCHEDULED"}] == []


def test_one_version_of_each_is_published_and_verifies(
    bad_night: tuple[Night, dict[str, bytes]], states: tuple[Path, Path], tmp_path: Path
) -> None:
    night, _ = bad_night
    published = {reference for reference, (_, state) in requests().items() if state == "published"}
    versions = Counter(key.split("/")[1] for key in night.public if key.startswith("entries/"))
    assert versions == dict.fromkeys(published, 1)
    tops = {"/".join(key.split("/")[1:3]) for key in night.public if key.startswith("disclosures/")}
    assert tops == {f"{ref}/{name}" for ref in published for name in ("index.html", "v1", "v1.zip")}
    for reference in sorted(published)[::6]:
        (tmp_path / "v1.zip").write_bytes(night.public[f"disclosures/{reference}/v1.zip"])
        verdict = verify_bundle(tmp_path / "v1.zip")
        assert verdict.ok, [check for check in verdict.checks if not check.ok]


def test_what_is_public_is_byte_for_byte_that_of_a_quiet_night(
    bad_night: tuple[Night, dict[str, bytes]], quiet_night: Night
) -> None:
    night, _ = bad_night
    print(f"{night.seconds:.0f} s and {quiet_night.seconds:.0f} s")
    assert set(night.public) == set(quiet_night.public)
    assert [key for key, data in quiet_night.public.items() if night.public[key] != data] == []


def test_what_is_quarantined_is_that_of_a_quiet_night(
    bad_night: tuple[Night, dict[str, bytes]], quiet_night: Night
) -> None:
    assert bad_night[0].quarantined == quiet_night.quarantined
