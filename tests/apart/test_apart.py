"""Jobs run apart: what comes back, what is not believed, and what is left behind."""

from __future__ import annotations

import ctypes
import ctypes.util
import io
import os
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from tasks.apart import LAYERS, Apart, ChildAnswerError
from tasks.apart.scratch import PREFIX, Scratch
from tasks.codec import encode, unpack
from tasks.errors import ConfigurationError, CorruptFileError, FoiError
from tasks.model import Transcript
from tasks.readers import Readers
from tasks.reading.settings import ReadingSettings
from tests.apart.conftest import JOBS, WITH, WITHOUT, enclose, is_running, needs, wait_until


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with Apart(2, tmp_path_factory.mktemp("apart"), JOBS) as it:
        yield it


@pytest.fixture(params=[WITH, WITHOUT])
def enclosure(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    enclose(request.param, tmp_path / "programs", monkeypatch)
    return str(request.param)


# ------------------------------------------------------------------------------------------------ what comes back


def test_blobs_come_back_whole(apart: Apart) -> None:
    large = os.urandom(3 << 20)
    assert apart.call("echo", b"", large, b"x") == (b"", large, b"x")


def test_every_call_gets_a_fresh_process(apart: Apart) -> None:
    assert apart.call("tell_pid") != apart.call("tell_pid")


def test_our_errors_arrive_with_code_and_detail_but_no_name(apart: Apart) -> None:
    with pytest.raises(CorruptFileError) as caught:
        apart.call("reject")
    assert str(caught.value) == "The file is damaged. Page 3 is missing."
    assert caught.value.subject == ""


def test_text_of_a_foreign_exception_stays_in_the_child(apart: Apart) -> None:
    with pytest.raises(FoiError) as caught:
        apart.call("fail_with_text")
    assert "07700" not in str(caught.value)
    assert "ValueError" in str(caught.value)


def test_what_a_library_prints_does_not_enter_the_protocol(apart: Apart) -> None:
    assert apart.call("print_noise") == (b"quiet",)


def test_two_slots_work_at_once(apart: Apart) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: apart.call("hang_in_subprocess", b"0.5"), range(2)))  # both mothers are up
        begin = time.monotonic()
        list(pool.map(lambda s: apart.call("hang_in_subprocess", s), [b"1", b"1"]))
    assert time.monotonic() - begin < 1.9


def test_a_mother_outlives_the_thread_that_first_called_her(apart: Apart) -> None:
    """Linux ends a process with the thread that started it, when told to end it with its parent."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(apart.call, "echo").result()
    time.sleep(0.3)
    begin = time.monotonic()
    assert apart.call("echo", b"x") == (b"x",)
    assert time.monotonic() - begin < 0.3


def test_tesseract_reads_inside_all_layers(enclosure: str, tmp_path: Path) -> None:
    page = Image.new("L", (1240, 600), 255)
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 32)
    ImageDraw.Draw(page).text((80, 200), "The committee met on Tuesday in the large hall", 0, font)
    drawn = io.BytesIO()
    page.save(drawn, "PNG", dpi=(150, 150))
    with Apart(1, tmp_path) as apart:
        if enclosure == WITH:
            needs(apart, *LAYERS)
        readers = Readers(apart, ReadingSettings())
        media = readers.look("page.png", drawn.getvalue())
        transcript = unpack(readers.read(media, drawn.getvalue()), Transcript)
    words = {word.text for reading in transcript.pages[0].readings for word in reading.words}
    assert {"committee", "Tuesday"} <= words


def test_children_do_not_see_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "hunter2")
    with Apart(1, tmp_path, JOBS) as apart:
        assert apart.call("tell_environment", b"FOI_STORE_SECRET_KEY") == (b"",)


# ------------------------------------------------------------------------------------------------ lies


def frame(*blobs: bytes, count: int | None = None) -> bytes:
    parts = (struct.pack(">Q", len(blob)) + blob for blob in blobs)
    return struct.pack(">I", len(blobs) if count is None else count) + b"".join(parts)


OK = encode({"code": "", "detail": ""})


NONSENSE = {
    "empty": b"",
    "two bytes": b"\xff\xff",
    "no verdict": frame(),
    "fewer blobs than it says": frame(OK, count=2),
    "four thousand million blobs": frame(OK, count=0xFFFFFFFF),
    "a blob larger than the file": struct.pack(">IQ", 1, 1 << 62) + OK,
    "a blob smaller than its bytes": struct.pack(">IQ", 1, len(OK) - 1) + OK,
    "more after the end": frame(OK) + b"more",
    "a verdict that is not JSON": frame(b"not JSON"),
    "a verdict of another shape": frame(b'{"code": 7}'),
    "a verdict nested without end": frame(b"[" * 100_000),
    "a leak, which only the gate may report": frame(encode({"code": "leak-found", "detail": ""})),
    "a setting that is wrong, of a file that was given": frame(encode({"code": "configuration", "detail": ""})),
    "a reader that is out of reach": frame(encode({"code": "reader-unavailable", "detail": ""})),
    "readers that did not start": frame(encode({"code": "readers-not-started", "detail": ""})),
    "a service that is down": frame(encode({"code": "store-unavailable", "detail": ""})),
    "an unknown error": frame(encode({"code": "nobody-knows", "detail": ""})),
    "a detail of two lines": frame(encode({"code": "corrupt", "detail": "two\nlines"})),
}


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused(apart: Apart, raw: bytes) -> None:
    with pytest.raises(ChildAnswerError):
        apart.call("write_answer", raw)
    assert apart.call("echo", b"x") == (b"x",)


@pytest.mark.parametrize("job", ["report_leak", "reject_at_length"])
def test_a_child_may_reject_its_file_and_nothing_more(apart: Apart, job: str) -> None:
    with pytest.raises(ChildAnswerError):
        apart.call(job)


# ------------------------------------------------------------------------------------------------ files


def test_the_private_folder_is_private_and_goes_with_its_owner(tmp_path: Path) -> None:
    with Apart(1, tmp_path, JOBS) as apart:
        apart.call("litter")
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_caller_leaves_is_removed_at_the_next_start_and_no_more(tmp_path: Path) -> None:
    alive = Scratch(tmp_path)
    program = textwrap.dedent(f"""
        import threading, time
        from pathlib import Path
        from tasks.apart import Apart
        with Apart(1, Path({str(tmp_path)!r}), {JOBS!r}) as apart:
            threading.Thread(target=apart.call, args=("litter_and_hang",), daemon=True).start()
            apart._scratch.path.joinpath("page.pgm").write_bytes(b"a page")
            print(apart._scratch.path, flush=True)
            time.sleep(600)
    """)
    caller = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    left = Path(caller.stdout.readline().strip())
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    caller.stdout.close()
    assert left.exists()
    wait_until(lambda: not is_running(f".*{left}.*"))  # its mother dies with it, a moment later

    with Apart(1, tmp_path, JOBS):
        assert not left.exists()
        assert alive.path.exists()
        assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 2
    alive.close()
    assert list(tmp_path.iterdir()) == []


def test_no_process_is_left_when_the_caller_is_killed(enclosure: str, tmp_path: Path) -> None:
    marker = f"614.{len(enclosure)}"
    program = textwrap.dedent(f"""
        from pathlib import Path
        from tasks.apart import Apart
        print("ready", flush=True)
        Apart(1, Path({str(tmp_path)!r}), {JOBS!r}).call("leave_grandchildren_and_hang", b"{marker}")
    """)
    caller = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert caller.stdout is not None
    caller.stdout.readline()
    wait_until(lambda: is_running(f"sleep {marker}"))
    caller.kill()
    caller.wait()
    caller.stdout.close()
    wait_until(lambda: not is_running(f"sleep {marker}"))
    wait_until(lambda: not list(tmp_path.glob(f"{PREFIX}*/*/*")))


# ------------------------------------------------------------------------------------------------ layers


def _offered() -> set[str]:
    """The layers that this machine can put on, asked without our code."""
    offered = {"limits"}
    bubblewrap = ["bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    if shutil.which("bwrap") and subprocess.run(bubblewrap, capture_output=True, check=False).returncode == 0:
        offered |= {"namespaces", "privileges"}
    if ctypes.util.find_library("seccomp") and "Seccomp:" in Path("/proc/self/status").read_text():
        offered.add("seccomp")
    create_ruleset, ask_for_version = 444, 1
    if ctypes.CDLL(None).syscall(create_ruleset, None, ctypes.c_size_t(0), ask_for_version) > 0:
        offered.add("landlock")
    return offered


def test_every_layer_that_the_machine_offers_is_active(apart: Apart) -> None:
    assert {layer.name for layer in apart.layers() if layer.active} >= _offered()


def test_a_layer_that_is_needed_and_missing_stops_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="namespaces"), Apart(1, tmp_path, JOBS, needs=["namespaces"]):
        pytest.fail("it started")
    assert list(tmp_path.iterdir()) == []
    with Apart(1, tmp_path, JOBS, needs=["limits"]) as apart:
        assert apart.call("echo", b"x") == (b"x",)
