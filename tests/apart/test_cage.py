"""What a bad job cannot do: outlast its end, take too much, get out.

Every misbehaviour is tried twice, in namespaces and without: where bubblewrap is missing, the other layers must hold.
After each, the next call must work. A test that needs a layer which this machine lacks is skipped and says which.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.apart import LAYERS, Apart, Bounds, ChildAnswerError, ChildCrashedError, ChildTimedOutError
from tasks.apart.bounds import MIB
from tasks.apart.scratch import PREFIX
from tasks.errors import FoiError, LimitExceededError
from tests.apart.conftest import JOBS, WITH, WITHOUT, enclose, is_running, needs

REFUSED = {b"PermissionError", b"FileNotFoundError", b"OSError", b"refused", b"ProcessLookupError"}
SMALL = Bounds(memory_bytes=512 * MIB, file_bytes=2 * MIB, open_files=64, processes=32)


@pytest.fixture(scope="module", params=[WITH, WITHOUT])
def enclosure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        enclose(request.param, tmp_path_factory.mktemp("enclosure") / "programs", patch)
        yield request.param


@pytest.fixture(scope="module")
def shared_cage(enclosure: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with Apart(1, tmp_path_factory.mktemp("cage"), JOBS, SMALL) as it:
        if enclosure == WITH:
            needs(it, "namespaces")
        yield it


@pytest.fixture
def cage(shared_cage: Apart) -> Iterator[Apart]:
    shared_cage.layers()  # the mother is up: no test measures her start
    yield shared_cage
    assert shared_cage.call("echo", b"the next one works") == (b"the next one works",)


# ------------------------------------------------------------------------------------------------ ends


def test_a_crash_is_an_error(cage: Apart) -> None:
    with pytest.raises(ChildCrashedError):
        cage.call("crash")


def test_a_hang_ends_at_its_limit_with_everything_it_started(cage: Apart) -> None:
    begin = time.monotonic()
    with pytest.raises(ChildTimedOutError):
        cage.call("hang_in_subprocess", b"613.25", timeout_s=1)  # a sleep nobody else runs
    assert time.monotonic() - begin < 10
    assert not is_running("sleep 613.25")


def test_a_job_that_only_computes_ends_too(cage: Apart) -> None:
    with pytest.raises(ChildTimedOutError):
        cage.call("spin", timeout_s=1)


def test_processor_time_is_limited_even_when_nobody_watches() -> None:
    program = "from tasks.apart.bounds import *; bind(Bounds(), 0.5, False)\nwhile True: pass"
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert ended.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_the_kernels_end_for_processor_time_is_a_time_out(cage: Apart) -> None:
    with pytest.raises(ChildTimedOutError):
        cage.call("run_out_of_time")


def test_grandchildren_that_hide_are_gone_after_the_call(cage: Apart) -> None:
    assert cage.call("leave_grandchildren", b"613.5") == (b"left",)
    assert not is_running("sleep 613.5")


def test_grandchildren_that_hide_are_gone_after_a_time_out(cage: Apart) -> None:
    with pytest.raises(ChildTimedOutError):
        cage.call("leave_grandchildren_and_hang", b"613.75", timeout_s=1.5)
    assert not is_running("sleep 613.75")


def test_killing_the_mother_harms_that_call_alone(cage: Apart) -> None:
    with pytest.raises(FoiError) as caught:
        cage.call("kill_parent")
    assert isinstance(caught.value, ChildCrashedError) or "PermissionError" in str(caught.value)


# ------------------------------------------------------------------------------------------------ too much


def test_memory_is_limited(cage: Apart) -> None:
    with pytest.raises(LimitExceededError):
        cage.call("allocate_without_end")


def test_memory_of_what_a_child_starts_is_limited(cage: Apart) -> None:
    assert cage.call("allocate_in_subprocess", timeout_s=60) == (b"1",)


def test_open_files_are_limited(cage: Apart) -> None:
    (count,) = cage.call("open_files_without_end")
    assert int(count) < SMALL.open_files


def test_a_file_is_limited(cage: Apart) -> None:
    (written,) = cage.call("write_without_end")
    assert int(written) <= SMALL.file_bytes


def test_all_temporary_files_together_are_limited(cage: Apart, enclosure: str) -> None:
    if enclosure == WITHOUT:
        pytest.skip("needs namespaces: without them the limit is the disk's")
    (count,) = cage.call("write_files_without_end")
    assert int(count) * (1 << 16) <= SMALL.file_bytes


def test_processes_are_limited(cage: Apart, enclosure: str) -> None:
    if enclosure == WITHOUT or os.geteuid() == 0:
        pytest.skip("needs namespaces and an ordinary user: Linux does not count root's processes")
    (count,) = cage.call("multiply")
    assert int(count) < SMALL.processes


def test_many_processes_are_gone_after_the_call(cage: Apart) -> None:
    begin = time.monotonic()
    cage.call("multiply")
    assert time.monotonic() - begin < 20


def test_an_answer_is_limited(cage: Apart) -> None:
    with pytest.raises(LimitExceededError):
        cage.call("answer_without_end")


def test_an_answer_larger_than_its_call_allows_is_refused(cage: Apart) -> None:
    with pytest.raises(ChildAnswerError):
        cage.call("echo", bytes(5000), answer_bytes=4096)


def test_a_file_that_claims_to_be_huge_costs_nothing(cage: Apart) -> None:
    with pytest.raises(ChildAnswerError):
        cage.call("answer_sparse")


# ------------------------------------------------------------------------------------------------ out of the fence


def test_no_socket_can_be_made(cage: Apart) -> None:
    needs(cage, "seccomp")
    with _listener() as (port, reached):
        assert set(cage.call("open_sockets", port)) <= REFUSED
        assert not reached()


def test_nothing_is_reached_over_the_network(cage: Apart, enclosure: str) -> None:
    needs(cage, "namespaces" if enclosure == WITH else "seccomp")
    with _listener() as (port, reached):
        assert cage.call("reach_out_from_subprocess", port) == (b"refused",)
        assert not reached()


def test_nothing_is_written_outside_the_scratch_folder(cage: Apart, enclosure: str, tmp_path: Path) -> None:
    needs(cage, "namespaces" if enclosure == WITH else "landlock")
    here = Path(__file__).parent
    outside = [tmp_path / "outside", Path("/tmp/outside"), here / "outside", Path("/dev/shm/outside")]  # noqa: S108
    assert set(cage.call("write_to", *(str(path).encode() for path in outside))) <= REFUSED
    assert not any(path.exists() for path in outside)


def test_files_of_the_caller_are_out_of_reach(cage: Apart, enclosure: str, tmp_path: Path) -> None:
    needs(cage, "namespaces" if enclosure == WITH else "landlock")
    key = tmp_path / "signing.pem"
    key.write_text("secret")
    beside = Path(__file__).parents[2] / "pyproject.toml"  # in the checkout, beside the code that may be read
    wanted = [key, beside, Path("/etc/passwd"), Path("/etc/hostname")]
    assert set(cage.call("read_from", *(str(path).encode() for path in wanted))) <= REFUSED


def test_memory_and_environment_of_the_caller_are_out_of_reach(cage: Apart, enclosure: str) -> None:
    needs(cage, "namespaces" if enclosure == WITH else "privileges")
    assert set(cage.call("read_memory_of", str(os.getpid()).encode())) <= REFUSED


def test_the_mother_is_out_of_reach(cage: Apart) -> None:
    needs(cage, "privileges")
    assert set(cage.call("read_memory_of_parent")) <= REFUSED


def test_no_powers_can_be_gained(cage: Apart) -> None:
    needs(cage, "seccomp")
    assert set(cage.call("gain_powers")) <= REFUSED


def test_processes_of_the_caller_cannot_be_ended(cage: Apart, enclosure: str) -> None:
    needs(cage, "namespaces" if enclosure == WITH else "landlock")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (tried,) = cage.call("signal_process", str(bystander.pid).encode())
        if tried == b"done":
            pytest.skip("needs Landlock's signal scope (Linux 6.12)")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


# ------------------------------------------------------------------------------------------------ files and layers


def test_temporary_files_are_gone_after_the_call(cage: Apart) -> None:
    (path,) = cage.call("litter")
    assert PREFIX in path.decode()
    assert cage.call("count_litter") == (b"0",)
    assert not Path(path.decode()).exists()


def test_temporary_files_without_rights_are_gone_too(cage: Apart) -> None:
    cage.call("litter_under_lock")
    assert cage.call("count_litter") == (b"0",)


def test_every_layer_is_reported_and_limits_always_hold(cage: Apart, enclosure: str) -> None:
    layers = {layer.name: layer for layer in cage.layers()}
    assert list(layers) == list(LAYERS)
    assert layers["limits"].active
    assert layers["namespaces"].active == (enclosure == WITH)
    assert all(layer.found and layer.action for layer in layers.values())


# ------------------------------------------------------------------------------------------------ within


class _listener:
    """A socket of the caller's on which nobody may call."""

    def __enter__(self) -> tuple[bytes, object]:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        return str(self._socket.getsockname()[1]).encode(), self._reached

    def _reached(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except TimeoutError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._socket.close()
