"""What a child answered is checked before it is believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.apart import Apart, ChildAnswerError
from tasks.jobs import ReadingSettings
from tasks.model import Media
from tasks.readers import Readers
from tasks.request import Policy

MEDIA = Media("application/pdf", 2)


@pytest.fixture(scope="module")
def liars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readers]:
    with Apart(1, tmp_path_factory.mktemp("liars"), "tests.apart.lying_readers") as apart:
        yield Readers(apart, ReadingSettings())


def test_the_truth_is_believed(liars: Readers) -> None:
    assert liars.look("honest", b"") == MEDIA
    assert liars.read(MEDIA, b"honest")


@pytest.mark.parametrize("lie", ["no-pages", "many-pages", "type", "notes", "large", "not-media", "nothing", "two"])
def test_what_a_file_cannot_be_is_refused(liars: Readers, lie: str) -> None:
    with pytest.raises(ChildAnswerError):
        liars.look(lie, b"")


@pytest.mark.parametrize(
    "lie", ["pages-0", "pages-1", "pages-3", "other-file", "cut", "followed", "no-pages-but-numbers"]
)
def test_a_transcript_that_does_not_fit_its_file_is_refused(liars: Readers, lie: str) -> None:
    with pytest.raises(ChildAnswerError):
        liars.read(MEDIA, lie.encode())


def test_an_answer_that_unpacks_too_large_is_refused(liars: Readers) -> None:
    for ask in (lambda: liars.read(MEDIA, b"bomb"), lambda: liars.find(Policy(), b"bomb")):
        with pytest.raises(ChildAnswerError):
            ask()


@pytest.mark.parametrize("lie", [b"{}", b"[1]", b"no json", b""])
def test_an_answer_of_another_kind_is_refused_before_anybody_stores_it(liars: Readers, lie: bytes) -> None:
    for ask in (lambda: liars.find(Policy(), lie), lambda: liars.plan(Policy(), lie, b"", [])):
        with pytest.raises(ChildAnswerError):
            ask()
