"""A full disk is held against the machine, never against a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.apart import Apart, NoRoomError, ReadersNotStartedError
from tasks.apart.caller import ROOM_BYTES
from tasks.errors import CorruptFileError, FoiError
from tests.apart.conftest import JOBS
from tests.disks import disk, fill


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path / "disk", 2 * ROOM_BYTES) as folder:
        yield folder


@pytest.mark.parametrize("job", ["fail_with_text", "crash"])
def test_what_fails_without_room_is_not_the_files_fault(room: Path, job: str) -> None:
    with Apart(1, room, JOBS) as apart:
        with pytest.raises(FoiError) as before:
            apart.call(job)
        assert before.type is not NoRoomError
        filling = fill(room)
        with pytest.raises(NoRoomError):
            apart.call(job)
        filling.unlink()
        assert apart.call("echo", b"again") == (b"again",)


def test_a_file_that_is_known_to_be_bad_is_rejected_all_the_same(room: Path) -> None:
    with Apart(1, room, JOBS) as apart:
        fill(room)
        with pytest.raises(CorruptFileError):
            apart.call("reject")


def test_it_is_tried_again_and_never_quarantined(room: Path) -> None:
    fill(room)
    assert issubclass(NoRoomError, ReadersNotStartedError)  # which a step passes on: see `tasks.steps.quarantining`
    with Apart(1, room, JOBS) as apart, pytest.raises(NoRoomError):
        apart.call("fail_with_text")
