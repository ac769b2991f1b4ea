"""Child processes: watched, logged, and ended only when they are ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.children import Child, ServerFailedError, end_stale


def child_that(code: str, folder: Path, name: str = "child") -> Child:
    return Child(name, (sys.executable, "-c", code), os.environ, folder)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def shown_command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()


def moment_of_start(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    code = "print('up', flush=True); import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()  # only now is its command line sure to be visible
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    child = child_that("import sys; print('out'); print('err', file=sys.stderr)", tmp_path)
    child.start()
    with pytest.raises(ServerFailedError):
        child.wait_until(lambda: False, 20)
    assert sorted(child.log.read_text().split()) == ["err", "out"]
    child.stop()


def test_one_that_ends_is_reported_with_its_status_and_log(tmp_path: Path) -> None:
    child = child_that("raise SystemExit(3)", tmp_path)
    child.start()
    with pytest.raises(ServerFailedError, match=f"child ended with status 3; see the end of {child.log}"):
        child.wait_until(lambda: False, 20)
    child.stop()


def test_one_that_never_gets_healthy_is_reported(tmp_path: Path) -> None:
    child = child_that("import time; time.sleep(60)", tmp_path)
    child.start()
    with pytest.raises(ServerFailedError, match="not healthy after 0 s"):
        child.wait_until(lambda: False, 0.2)
    child.stop()


def test_a_program_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ServerFailedError, match="cannot be started"):
        Child("child", ("/nowhere/program",), os.environ, tmp_path).start()


def test_stopping_is_final_even_for_one_that_ignores_it_and_for_what_it_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(inner.pid, flush=True)\n"
        "time.sleep(60)"
    )
    child = child_that(code, tmp_path)
    child.start()
    child.wait_until(lambda: child.log.read_text().strip().isdigit(), 20)
    inner = int(child.log.read_text())
    assert child.pid is not None
    assert is_alive(inner)
    child.stop(timeout_s=0.2)
    deadline = time.monotonic() + 5
    while is_alive(inner) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child.pid)
    assert not is_alive(inner)
    assert not (tmp_path / "run" / "child.pid").exists()


def test_one_left_behind_is_ended_by_the_next_start(tmp_path: Path) -> None:
    left = child_that("print('up', flush=True); import time; time.sleep(60)", tmp_path)
    left.start()
    left.wait_until(lambda: "up" in left.log.read_text(), 20)
    second = child_that("import time; time.sleep(60)", tmp_path)
    second.start()
    assert left.exit_status == -signal.SIGTERM
    assert second.exit_status is None
    second.stop()


def test_one_left_behind_that_cut_its_command_line_is_ended_too(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "run").mkdir()
    command = f"{shown_command(sleeper.pid)} --then sqlite3:///hidden"
    identity = {"pid": sleeper.pid, "command": command, "started": moment_of_start(sleeper.pid)}
    (tmp_path / "run" / "child.pid").write_text(json.dumps(identity))
    end_stale("child", tmp_path)
    assert sleeper.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("changed", [{"started": "1"}, {"command": "something else"}])
def test_a_process_that_only_has_the_same_number_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], changed: dict[str, str]
) -> None:
    (tmp_path / "run").mkdir()
    pid_file = tmp_path / "run" / "child.pid"
    same = {"pid": sleeper.pid, "command": shown_command(sleeper.pid), "started": moment_of_start(sleeper.pid)}
    pid_file.write_text(json.dumps({**same, **changed}))
    end_stale("child", tmp_path)
    assert is_alive(sleeper.pid)
    assert not pid_file.exists()


@pytest.mark.parametrize("text", ["", "{}", "12", '{"pid": "x"}', "[1]", '{"pid": 999999999}'])
def test_a_pid_file_that_says_nothing_is_thrown_away(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "child.pid").write_text(text)
    end_stale("child", tmp_path)
    assert not (tmp_path / "run" / "child.pid").exists()


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    child = child_that("print('new')", tmp_path)
    child.log.parent.mkdir()
    with child.log.open("wb") as log:
        log.truncate(10_000_001)
    child.start()
    with pytest.raises(ServerFailedError):
        child.wait_until(lambda: False, 20)
    child.stop()
    assert child.log.read_text() == "new\n"
    assert child.log.with_suffix(".log.1").stat().st_size == 10_000_001
