"""Jobs run apart: what comes back, and what a bad one cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.apart import Apart, ChildCrashedError, ChildTimedOutError
from tasks.errors import CorruptFileError, FoiError

JOBS = "tests.apart.misbehaving_jobs"


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    with Apart(2, tmp_path, JOBS) as it:
        yield it


def test_blobs_come_back_whole(apart: Apart) -> None:
    large = os.urandom(3 << 20)
    assert apart.call("echo", b"", large, b"x") == (b"", large, b"x")


def test_every_call_gets_a_fresh_process(apart: Apart) -> None:
    assert apart.call("tell_pid") != apart.call("tell_pid")


def test_a_crash_is_an_error_and_the_next_call_works(apart: Apart) -> None:
    with pytest.raises(ChildCrashedError):
        apart.call("crash")
    assert apart.call("echo", b"still here") == (b"still here",)


def test_a_hang_ends_at_its_limit_with_everything_it_started(apart: Apart) -> None:
    marker = "613.25"  # a sleep nobody else runs
    begin = time.monotonic()
    with pytest.raises(ChildTimedOutError):
        apart.call("hang_in_subprocess", marker.encode(), timeout_s=1)
    assert time.monotonic() - begin < 10
    assert subprocess.run(["pgrep", "-f", f"sleep {marker}"], capture_output=True, check=False).returncode == 1


def test_our_errors_arrive_with_code_and_detail_but_no_name(apart: Apart) -> None:
    with pytest.raises(CorruptFileError) as caught:
        apart.call("reject")
    assert str(caught.value) == "The file is damaged. Page 3."
    assert caught.value.subject == ""


def test_text_of_a_foreign_exception_stays_in_the_child(apart: Apart) -> None:
    with pytest.raises(FoiError) as caught:
        apart.call("fail_with_text")
    assert "07700" not in str(caught.value)
    assert "ValueError" in str(caught.value)


def test_what_a_library_prints_does_not_enter_the_protocol(apart: Apart) -> None:
    assert apart.call("print_noise") == (b"quiet",)


def test_temporary_files_are_gone_after_the_call(apart: Apart, tmp_path: Path) -> None:
    (path,) = apart.call("litter")
    assert path.decode().startswith(str(tmp_path))
    assert list(tmp_path.rglob("*")) == []


def test_children_do_not_see_credentials(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "hunter2")
    assert apart.call("tell_environment", b"FOI_STORE_SECRET_KEY") == (b"",)


def test_two_slots_work_at_once(apart: Apart) -> None:
    apart.call("echo")
    begin = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda s: apart.call("hang_in_subprocess", s), [b"1", b"1"]))
    assert time.monotonic() - begin < 1.9


def test_nothing_is_left_when_the_caller_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        from pathlib import Path
        from tasks.apart import Apart
        print("ready", flush=True)
        Apart(1, Path({str(tmp_path)!r}), {JOBS!r}).call("hang_in_subprocess", b"614.25")
    """)
    caller = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert caller.stdout is not None
    caller.stdout.readline()
    _until(lambda: _running("sleep 614.25"))
    caller.kill()
    caller.wait()
    caller.stdout.close()
    _until(lambda: not _running("sleep 614.25"))
    _until(lambda: list(tmp_path.iterdir()) == [])


def _running(command: str) -> bool:
    return subprocess.run(["pgrep", "-f", f"^{command}$"], capture_output=True, check=False).returncode == 0


def _until(true: object, seconds: float = 20) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
