"""The embedded stack: really starts, keeps its data and its promises, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.children import ServerFailedError
from infra.embedded import POOL, Stack, read_environment
from infra.gateway import HOST, load_account
from tasks.errors import ConfigurationError
from tests.waiting import eventually

PATIENCE_S = 60


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ignores_interrupts(pid: int) -> bool:
    """Whether SIGINT is ignored, by the mask of proc(5)'s status."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask, 16) & 1 << (signal.SIGINT - 1))


def listening_addresses(pids: set[int]) -> set[str]:
    """Addresses, as in /proc/net/tcp, that the processes listen on."""
    sockets = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                sockets.add(str(link.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_credentials_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    made = load_account(path)
    assert load_account(path) == made
    assert mode(path) == 0o600
    assert len(made.secret_key) >= 40
    assert load_account(tmp_path / "other.json") != made


def test_no_environment_where_no_stack_runs(tmp_path: Path) -> None:
    assert read_environment(tmp_path) is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    (tmp_path / "run" / "environment.json").write_text("{}")
    assert read_environment(tmp_path) is None


# ------------------------------------------------------------------------------------- the stack that tests share


@pytest.mark.flow
def test_prefect_is_healthy_and_its_pages_are_there(stack: Stack) -> None:
    assert httpx.get(f"{stack.environment['PREFECT_API_URL']}/health").json() is True
    assert "html" in httpx.get(stack.ui_url, follow_redirects=True).headers["content-type"]


@pytest.mark.flow
def test_the_store_is_a_minio_server_with_the_four_buckets(stack: Stack) -> None:
    assert httpx.get(stack.environment["FOI_STORE_ENDPOINT"]).headers["server"] == "MinIO"
    for name in ("intake", "work", "quarantine", "disclosure"):
        assert list(stack.store.list(f"foi-{name}", "nothing/")) == []


@pytest.mark.flow
def test_the_public_reads_disclosures_and_nothing_else(stack: Stack) -> None:
    for name in ("intake", "work", "quarantine", "disclosure"):
        stack.store.put(f"foi-{name}", "probe.txt", b"")
    answers = {
        name: httpx.get(f"{stack.environment['FOI_STORE_ENDPOINT']}/foi-{name}/probe.txt").status_code
        for name in ("intake", "work", "quarantine", "disclosure")
    }
    assert answers == {"intake": 403, "work": 403, "quarantine": 403, "disclosure": 200}
    for name in answers:
        stack.store.delete(f"foi-{name}", "probe.txt")


@pytest.mark.flow
def test_the_worker_is_online_in_its_pool(stack: Stack) -> None:
    workers = httpx.post(f"{stack.environment['PREFECT_API_URL']}/work_pools/{POOL}/workers/filter", json={}).json()
    assert [worker["status"] for worker in workers] == ["ONLINE"]
    pool = httpx.get(f"{stack.environment['PREFECT_API_URL']}/work_pools/{POOL}").json()
    assert pool["type"] == "process"
    assert "command" in pool["base_job_template"]["variables"]["properties"]


@pytest.mark.flow
def test_an_upload_becomes_a_prefect_event(stack: Stack) -> None:
    stack.store.put("foi-intake", "EMB-1/request.json", b"not a request")

    def events() -> list[dict[str, object]]:
        query = {"filter": {"event": {"name": ["foi.request.submitted"]}}}
        answer = httpx.post(f"{stack.environment['PREFECT_API_URL']}/events/filter", json=query)
        return [e for e in answer.json()["events"] if e["resource"]["reference"] == "EMB-1"]

    assert eventually(lambda: len(events()) > 0)
    stack.store.delete("foi-intake", "EMB-1/request.json")


@pytest.mark.flow
def test_nothing_listens_but_on_this_machine(stack: Stack) -> None:
    assert listening_addresses(set(stack.pids.values())) == {"0100007F"}


@pytest.mark.flow
def test_the_server_fetches_no_descriptions_from_elsewhere(stack: Stack) -> None:
    started = time.monotonic()
    views = httpx.get(f"{stack.environment['PREFECT_API_URL']}/collections/views/aggregate-worker-metadata", timeout=30)
    assert "process" in views.json()["prefect"]
    assert time.monotonic() - started < 2


@pytest.mark.flow
def test_the_state_folder_is_the_owners_alone(stack: Stack) -> None:
    assert mode(stack.state) == 0o700
    assert mode(stack.state / "run" / "environment.json") == 0o600
    assert mode(stack.state / "store" / "credentials.json") == 0o600
    assert mode(stack.state / "prefect" / "prefect.db") == 0o600


@pytest.mark.flow
def test_other_programs_find_the_running_stack(stack: Stack) -> None:
    assert read_environment(stack.state) == stack.environment


@pytest.mark.flow
def test_a_second_stack_in_the_same_folder_is_refused_and_harms_nothing(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="Another stack runs"), Stack(stack.state):
        pass
    stack.check()
    assert read_environment(stack.state) == stack.environment


# ------------------------------------------------------------------------------------- starting and stopping


@pytest.fixture(scope="module")
def used_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder, with a space in its name, of a stack that ran once and was stopped."""
    state = tmp_path_factory.mktemp("used") / "state folder"
    with Stack(state) as stack:
        pids = set(stack.pids.values())
        assert len(pids) == 4
        stack.store.put("foi-work", "kept", b"data")
        (state / "first.json").write_text(json.dumps(stack.environment))
    assert not any(map(is_alive, pids))
    return state


@contextlib.contextmanager
def in_another_process(state: Path, *, in_background: bool = False) -> Iterator[subprocess.Popen[str]]:
    """`Stack(state)` held by a program that says what it has started and then supervises.

    In the background it ignores SIGINT at its start, as a shell that is not interactive has its `&` jobs do.
    """
    code = (
        "import json, pathlib, sys\n"
        "from infra.embedded import Stack\n"
        "with Stack(pathlib.Path(sys.argv[1])) as stack:\n"
        "    print(json.dumps(stack.pids), flush=True)\n"
        "    stack.supervise()\n"
    )
    ignoring = ["env", "--ignore-signal=INT"] if in_background else []
    argv = [*ignoring, sys.executable, "-c", code, str(state)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def first_line(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


@pytest.mark.flow
def test_a_second_start_finds_everything_as_it_was(used_state: Path) -> None:
    with Stack(used_state, watch=False) as stack:
        assert stack.environment == json.loads((used_state / "first.json").read_text())
        assert stack.store.get("foi-work", "kept") == b"data"
        assert "watcher" not in stack.pids
        stack.start_watcher()
        assert "watcher" in stack.pids
    assert read_environment(used_state) is None


@pytest.mark.flow
def test_ports_that_are_taken_are_chosen_anew(used_state: Path) -> None:
    before = json.loads((used_state / "ports.json").read_text())
    with contextlib.ExitStack() as taken:
        for port in before.values():
            taken.enter_context(socket.create_server((HOST, port)))
        with Stack(used_state) as stack:
            assert not set(before.values()) & set(json.loads((used_state / "ports.json").read_text()).values())
            assert stack.store.get("foi-work", "kept") == b"data"


@pytest.mark.flow
def test_servers_that_end_are_reported_and_when_supervised_started_again(used_state: Path) -> None:
    with Stack(used_state) as stack:
        before = stack.pids
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(ServerFailedError, match=r"status -9; see the end of .*\.log"):
            eventually(lambda: bool(stack.check()))
        stop = threading.Event()
        supervisor = threading.Thread(target=stack.supervise, args=(stop,))
        supervisor.start()
        try:
            assert eventually(lambda: all(stack.pids.get(name, pid) != pid for name, pid in before.items()))
            health = f"{stack.environment['PREFECT_API_URL']}/health"
            assert httpx.get(health, timeout=PATIENCE_S).json() is True
            assert stack.store.get("foi-work", "kept") == b"data"
        finally:
            stop.set()
            supervisor.join()
        stack.check()


@pytest.mark.flow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_leaves_nothing_behind(used_state: Path, number: signal.Signals) -> None:
    with in_another_process(used_state) as process:
        pids = first_line(process)
        process.send_signal(number)
        process.wait(30)
    assert not any(map(is_alive, pids.values()))
    assert list((used_state / "run").glob("*.pid")) == []


@pytest.mark.flow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stack_in_the_background_heeds_both_signals_and_so_do_its_servers(
    used_state: Path, number: signal.Signals
) -> None:
    with in_another_process(used_state, in_background=True) as process:
        pids = first_line(process)
        assert not any(ignores_interrupts(pid) for pid in pids.values())
        process.send_signal(number)
        process.wait(60)
    assert not any(map(is_alive, pids.values()))


@pytest.mark.flow
def test_interrupting_the_start_leaves_nothing_behind(used_state: Path) -> None:
    with in_another_process(used_state) as process:
        assert eventually(lambda: (used_state / "run" / "store.pid").exists())
        pids = [json.loads(path.read_text())["pid"] for path in (used_state / "run").glob("*.pid")]
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert len(pids) >= 3
    assert not any(map(is_alive, pids))


@pytest.mark.flow
def test_what_a_killed_stack_left_is_ended_by_the_next_start(used_state: Path) -> None:
    with in_another_process(used_state) as process:
        left = first_line(process)
        process.kill()
        process.wait()
        assert all(map(is_alive, left.values()))
        with Stack(used_state) as stack:
            assert not any(map(is_alive, left.values()))
            assert stack.store.get("foi-work", "kept") == b"data"


@pytest.mark.flow
def test_a_server_that_cannot_start_stops_the_rest_and_names_its_log(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "store").mkdir(parents=True)
    (state / "store" / "laid-out").touch()  # says there is a volume where there is none
    with pytest.raises(ServerFailedError, match=r"store.*store\.log"), Stack(state) as stack:
        pytest.fail(f"started: {stack.pids}")
    assert list((state / "run").glob("*.pid")) == []


@pytest.mark.flow
def test_a_copy_of_the_state_folder_is_a_backup_that_starts_elsewhere(used_state: Path, tmp_path: Path) -> None:
    """Copied while nothing runs, the original gone: store, Prefect and accounts are as they were."""
    with Stack(used_state) as stack:
        stack.store.put("foi-work", "approvals/BACKUP-1/x.json", b"approved")
        api = stack.environment["PREFECT_API_URL"]
        httpx.post(f"{api}/variables/", json={"name": "kept", "value": "yes"}).raise_for_status()
    copy, aside = tmp_path / "restored elsewhere", used_state.with_name("aside")
    shutil.copytree(used_state, copy)
    used_state.rename(aside)
    try:
        with Stack(copy) as stack:
            assert stack.store.get("foi-work", "approvals/BACKUP-1/x.json") == b"approved"
            assert httpx.get(f"{stack.environment['PREFECT_API_URL']}/variables/name/kept").json()["value"] == "yes"
            stack.store.put("foi-work", "after", b"x")
            assert stack.store.get("foi-work", "after") == b"x"
    finally:
        aside.rename(used_state)
