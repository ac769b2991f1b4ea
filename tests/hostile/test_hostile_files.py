"""Every file of a hostile folder ends redacted or rejected, in its time and memory, and the next one is read."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.redact_folder import LONGEST_STEM_BYTES
from tasks import readers as near_end
from tasks.apart import Apart
from tasks.codec import encode
from tasks.errors import FoiError, RejectedInputError
from tasks.readers import Readers
from tests.hostile.files import ENDLESS, GOOD_PNG, HOSTILE, REDACTED, Hostile, names
from tests.hostile.fuzz import fuzz
from tests.hostile.hurried import BOUNDS, LOOK_S, SETTINGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:Encryption R=5 is deprecated:UserWarning"),
]

ROOT = Path(__file__).parents[2]
DRAW_S = 4.0
SLACK_S = 8.0
"""What starting a mother, and ending one with all below her, may take beside on a busy machine."""


@dataclass(frozen=True)
class Ending:
    """How one file ended, how long that took, and whether the next one could be read."""

    code: str
    detail: str
    seconds: float
    next_was_read: bool


# ------------------------------------------------------------------------------------------------ one by one


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ending]]:
    """Every file looked at and drawn, two at a time; Tesseract sees them when the folder is redacted, below."""
    scratch = tmp_path_factory.mktemp("hostile")
    with (
        pytest.MonkeyPatch.context() as patch,
        Apart(2, scratch, "tests.hostile.probe", BOUNDS) as apart,
        ThreadPoolExecutor(2) as pool,
    ):
        patch.setattr(near_end, "LOOK_S", LOOK_S)
        ended = pool.map(lambda one: _end(apart, one), HOSTILE)
        made = dict(zip((one.name for one in HOSTILE), ended, strict=True))
        assert _children_of_mothers() == []
        yield made


def _end(apart: Apart, one: Hostile) -> Ending:
    readers, data = Readers(apart, SETTINGS), one.make()
    begin = time.monotonic()
    code, detail = REDACTED, ""
    try:
        readers.look(one.name, data)
        apart.call("parse", encode(SETTINGS), b"", data, timeout_s=DRAW_S)
    except RejectedInputError as error:
        code, detail = error.code, error.detail
    except FoiError as error:
        code, detail = f"not rejected: {error.code}", error.detail
    seconds = time.monotonic() - begin
    return Ending(code, detail, seconds, readers.look("good.png", GOOD_PNG).pages == 1)


def _children_of_mothers() -> list[str]:
    """Command lines of what still runs below the processes that fork; bubblewrap, around them, has another name."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            commands[folder.name] = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
    ours = {str(os.getpid())}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    mothers = {pid for pid in ours if "tasks.apart.mother" in commands.get(pid, "") and "bwrap" not in commands[pid]}
    return [commands[pid] for pid in ours if parents.get(pid) in mothers]


def test_there_are_enough_files_and_no_name_twice() -> None:
    assert len(HOSTILE) >= 60
    assert len({one.name for one in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("one", HOSTILE, ids=names())
def test_a_hostile_file_ends_as_it_should(endings: dict[str, Ending], one: Hostile) -> None:
    ending = endings[one.name]
    assert ending.code in one.ends, ending
    assert ending.seconds < LOOK_S + DRAW_S + SLACK_S, ending
    assert ending.next_was_read


def test_some_files_need_the_limit_on_time(endings: dict[str, Ending]) -> None:
    """Otherwise the folder holds nothing that tests it."""
    assert ENDLESS in {ending.code for ending in endings.values()}


# ------------------------------------------------------------------------------------------------ as a folder


@dataclass(frozen=True)
class Redacted:
    """What `foi redact` left behind."""

    out: Path
    done: subprocess.CompletedProcess[bytes]
    seconds: float


@pytest.fixture(scope="module")
def redacted(tmp_path_factory: pytest.TempPathFactory) -> Redacted:
    """The whole folder through `foi redact`, once."""
    root = tmp_path_factory.mktemp("folder")
    (root / "in").mkdir()
    for one in HOSTILE:
        (root / "in" / one.name).write_bytes(one.make())
    begin = time.monotonic()
    command = [sys.executable, "-m", "tests.hostile.hurried", "redact", "in", "--output", "out", "--jobs", "2"]
    done = subprocess.run(
        command,
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FOI_READER_MEMORY_MIB": str(BOUNDS.memory_bytes >> 20),
            "COLUMNS": "160",
        },
        capture_output=True,
        timeout=590,
        check=False,
    )
    return Redacted(root / "out", done, time.monotonic() - begin)


def test_the_folder_ends_with_the_exit_code_of_rejections_and_without_a_traceback(redacted: Redacted) -> None:
    said = redacted.done.stdout + redacted.done.stderr
    assert b"Traceback" not in said
    assert redacted.done.returncode == 4, said[-3000:].decode(errors="replace")


def test_every_file_of_the_folder_has_one_outcome_and_a_reason(redacted: Redacted) -> None:
    outcomes = [json.loads(path.read_bytes()) for path in redacted.out.iterdir() if path.suffix == ".json"]
    assert len(outcomes) == len(HOSTILE)
    assert {outcome["outcome"] for outcome in outcomes} == {"redacted", "held", "rejected"}
    for outcome in outcomes:
        if outcome["outcome"] == "rejected":
            assert len(outcome["reason"].split(". ")) >= 2, "what it is, and what to do"
    kept = {path.suffix for path in redacted.out.iterdir()}
    assert kept == {".json", ".pdf"}


def test_the_folder_ends_file_by_file_as_it_should(redacted: Redacted) -> None:
    ended = {one.name: _codes(redacted.out, one) for one in HOSTILE}
    wrong = {one.name: ended[one.name] for one in HOSTILE if not ended[one.name] or not ended[one.name] <= one.ends}
    assert not wrong


def _codes(out: Path, one: Hostile) -> set[str]:
    """Ends of the results that may be of this file: under its stem, its whole name where two share one, or cut."""
    stems = (one.name, one.name.rpartition(".")[0])
    found = [out / f"{stem}.json" for stem in stems if len(os.fsencode(stem)) <= LONGEST_STEM_BYTES]
    found = [path for path in found if path.exists()] or list(out.glob(f"{one.name[:99]}*.json"))
    documents = [json.loads(path.read_bytes()) for path in found]
    return {document.get("code", REDACTED) for document in documents}


def test_what_the_terminal_shows_cannot_steer_it(redacted: Redacted) -> None:
    said = redacted.done.stdout.decode()
    assert "\x07" not in said
    assert "\x1b[2J" not in said
    assert "\u202e" not in said
    assert all(
        Path(one.name).stem in said for one in HOSTILE if one.name.startswith(("javascript", "program", "cut-at"))
    )


def test_no_reader_took_more_memory_than_it_may(endings: dict[str, Ending], redacted: Redacted) -> None:
    assert redacted.done
    assert endings
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < BOUNDS.memory_bytes


# ------------------------------------------------------------------------------------------------ spoilt at random


def test_a_minute_of_spoilt_files_brings_nothing_unforeseen(tmp_path: Path) -> None:
    tally = fuzz(60, seed=2026, save=tmp_path)
    assert not tally.findings, str(tally)
    assert tally.executions > 100, str(tally)
    assert tally.outcomes["result"] > 10, "files that are all refused at the door test nothing behind it"
    assert tally.outcomes["corrupt"] > 10
