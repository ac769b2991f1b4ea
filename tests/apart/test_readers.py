"""What a child answered is checked before it is believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.apart import Apart, ChildAnswerError
from tasks.codec import pack
from tasks.model import Media, PageTranscript, Transcript
from tasks.readers import Readers, time_limit_s
from tasks.reading.settings import ReadingSettings
from tasks.request import Policy
from tasks.typed import withhold_in_texts
from tests.apart.lying_readers import CLAIMS, PLANS

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
    "lie", ["pages-0", "pages-1", "pages-3", "other-pages", "other-file", "cut", "followed", "no-pages-but-numbers"]
)
def test_a_transcript_that_does_not_fit_its_file_is_refused(liars: Readers, lie: str) -> None:
    with pytest.raises(ChildAnswerError):
        liars.read(MEDIA, lie.encode())


@pytest.mark.parametrize("lie", [b"one", b"no-picture", b"large"])
def test_what_cannot_be_a_picture_of_each_page_is_refused(liars: Readers, lie: bytes) -> None:
    assert len(list(liars.show(MEDIA, b"honest", 100))) == MEDIA.pages
    with pytest.raises(ChildAnswerError):
        list(liars.show(MEDIA, lie, 100))
    assert len(liars.sketch(b"honest", 2, 100)) == 2
    with pytest.raises(ChildAnswerError):
        liars.sketch(lie, 2, 100)


def test_an_answer_that_unpacks_too_large_is_refused(liars: Readers) -> None:
    for ask in (lambda: liars.read(MEDIA, b"bomb"), lambda: liars.find(Policy(), b"bomb")):
        with pytest.raises(ChildAnswerError):
            ask()


@pytest.mark.parametrize("lie", [b"{}", b"[1]", b"no json", b""])
def test_an_answer_of_another_kind_is_refused_before_anybody_stores_it(liars: Readers, lie: bytes) -> None:
    for ask in (lambda: liars.find(Policy(), lie), lambda: liars.plan(Policy(), lie, b"", [])):
        with pytest.raises(ChildAnswerError):
            ask()


def named(lie: str) -> bytes:
    """A transcript of two pages that asks for a lie."""
    return pack(Transcript(lie, tuple(PageTranscript(page, 9, 9, (72.0, 72.0), (), ()) for page in range(2))))


@pytest.mark.parametrize("lie", CLAIMS)
def test_claims_that_no_page_can_hold_are_refused(liars: Readers, lie: str) -> None:
    assert liars.find(Policy(), named("honest"))
    with pytest.raises(ChildAnswerError):
        liars.find(Policy(), named(lie))


@pytest.mark.parametrize("lie", PLANS)
def test_a_plan_that_is_not_of_its_transcript_and_policy_is_refused(liars: Readers, lie: str) -> None:
    assert liars.plan(Policy(), named("honest"), b"", [])
    with pytest.raises(ChildAnswerError):
        liars.plan(Policy(), named(lie), b"", [])


@pytest.mark.parametrize("lie", [b"another file", b"fewer checks", b"an unknown code", b"a long story"])
def test_a_report_that_is_not_of_this_file_and_gate_is_refused(liars: Readers, lie: bytes) -> None:
    assert liars.gate(b"honest", b"", b"")
    with pytest.raises(ChildAnswerError):
        liars.gate(lie, b"", b"")


@pytest.mark.parametrize("answer", [b"crash", b"nonsense", b"call 020 7946 0123", b"A00"])
def test_what_could_not_be_searched_is_a_finding(liars: Readers, answer: bytes) -> None:
    assert liars.search(b"", ["x"]) == ()
    assert liars.search(b"A26", ["x"]) == ("A26",)
    assert liars.search(answer, ["x"]) == ("A00",)


@pytest.mark.parametrize("lie", ["fewer", "more", "numbers", "nothing"])
def test_texts_that_are_not_one_for_each_are_refused(liars: Readers, lie: str) -> None:
    assert liars.withhold(["honest", "text"], Policy(), ()) == ("honest", "text")
    with pytest.raises(ChildAnswerError):
        liars.withhold([lie, "text"], Policy(), ())


@pytest.mark.slow
def test_typed_texts_lose_in_a_reader_what_they_lose_here() -> None:
    texts = ["Call 020 7946 0123.", "Yours, Any Person", "a letter", "Straße\u00a07, any.person@example.com", ""]
    policy = Policy(keep_email_domain=True, terms=("Straße",))
    with Apart(1) as apart:
        withheld = Readers(apart, ReadingSettings()).withhold(texts, policy, ("Any Person",))
    assert list(withheld) == withhold_in_texts(texts, policy, ("Any Person",))
    assert withheld[:3] == ("Call [withheld].", "Yours, [withheld]", "a letter")


@pytest.mark.parametrize(("pages", "hours"), [(1, 0.1), (10, 0.6), (2000, 4.0)])
def test_a_file_of_any_length_ends_within_half_a_night(pages: int, hours: float) -> None:
    assert time_limit_s(pages) <= hours * 3600
    assert time_limit_s(pages) >= 7 * pages
