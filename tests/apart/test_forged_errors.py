"""Which error a child that read a stranger's file may end with: one that is the matter of that file alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.apart import Apart, ChildAnswerError
from tasks.errors import ConfigurationError, FoiError, ReaderUnavailableError, RejectedInputError, all_errors
from tasks.jobs import JOBS
from tasks.model import Media
from tasks.readers import WITH_TESSERACT, ReaderFailedError, Readers
from tasks.reading.settings import OcrSettings, ReadingSettings
from tasks.request import Policy
from tests.apart.conftest import PROGRAMS
from tests.apart.forging_readers import PREFIX
from tests.hostile.images import paper, saved

MEDIA = Media("application/pdf", 1)
CODES = {kind.code: kind for kind in reversed(all_errors())}
ASKED: dict[str, Callable[[Readers, bytes], object]] = {
    "look": lambda readers, lie: readers.look("memo.pdf", lie),
    "read": lambda readers, lie: readers.read(MEDIA, lie),
    "show": lambda readers, lie: list(readers.show(MEDIA, lie, 100)),
    "sketch": lambda readers, lie: readers.sketch(lie, 1, 100),
    "again": lambda readers, lie: readers.read_again(MEDIA, b"", [0], lie),
    "find": lambda readers, lie: readers.find(Policy(), lie),
    "correct": lambda readers, lie: readers.correct(Policy(), lie, b"", []),
    "plan": lambda readers, lie: readers.plan(Policy(), lie, b"", []),
    "redact": lambda readers, lie: readers.redact(MEDIA, b"", b"", "title", lie),
    "gate": lambda readers, lie: readers.gate(lie, b"", b""),
}


@pytest.fixture(scope="module")
def forgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with Apart(1, tmp_path_factory.mktemp("forgers"), "tests.apart.forging_readers") as apart:
        yield apart


def test_every_job_that_is_given_a_file_is_tried() -> None:
    assert {*ASKED, "ready", "search", "withhold"} == set(JOBS)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("job", ASKED)
def test_an_error_of_a_child_ends_its_record_and_no_more(forgers: Apart, job: str, code: str) -> None:
    with pytest.raises(FoiError) as caught:
        ASKED[job](Readers(forgers, ReadingSettings()), PREFIX + code.encode())
    if job in WITH_TESSERACT and code == ReaderUnavailableError.code:
        assert caught.type is ReaderUnavailableError  # tried again, and in the end the matter of this record
        return
    assert issubclass(caught.type, RejectedInputError)
    known = code if issubclass(CODES[code], RejectedInputError) else ChildAnswerError.code
    assert caught.value.code == (ReaderFailedError.code if code == FoiError.code else known)


@pytest.mark.parametrize("code", CODES)
def test_an_error_of_a_search_is_a_finding(forgers: Apart, code: str) -> None:
    assert Readers(forgers, ReadingSettings()).search(PREFIX + code.encode(), ["x"]) == ("A00",)


def test_that_a_tool_is_missing_is_believed_of_a_child_that_saw_no_file(forgers: Apart) -> None:
    lacking = Readers(forgers, ReadingSettings(OcrSettings(language="missing")))
    for job in WITH_TESSERACT:
        with pytest.raises(ConfigurationError, match="no data for the language"):
            ASKED[job](lacking, PREFIX + ConfigurationError.code.encode())


# ------------------------------------------------------------------------------------------------ without Tesseract


PAGE = saved(paper(), "PNG")


def test_without_data_for_the_language_no_file_is_to_blame(tmp_path: Path) -> None:
    with Apart(1, tmp_path) as apart:
        readers = Readers(apart, ReadingSettings(OcrSettings(language="zzz")))
        with pytest.raises(ConfigurationError, match="no data for the language"):
            readers.read(readers.look("page.png", PAGE), PAGE)


def test_without_tesseract_no_file_is_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in {*PROGRAMS, "bwrap"} - {"tesseract"}:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))
    with Apart(1, tmp_path) as apart:
        readers = Readers(apart, ReadingSettings())
        with pytest.raises(ConfigurationError, match="not installed"):
            readers.read(readers.look("page.png", PAGE), PAGE)
