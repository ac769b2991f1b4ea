"""Why a person should look at a page as it was read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tasks
from tasks.geometry import Box, Frame
from tasks.looks import REVIEW_FROM
from tasks.model import DOUBTS, Detection, Kind, PageReview, PageTranscript, Reading, Transcript, Word
from tasks.redaction.plan import plan_record
from tasks.request import Policy
from tests.redaction.drawn import SOURCE

SIZE = (1600, 1000)


def reading(name: str, text: str, confidence: float) -> Reading:
    boxes = (Box(100 + 90 * n, 100, 180 + 90 * n, 120) for n in range(len(text.split())))
    words = (Word(word, box, confidence, 0) for word, box in zip(text.split(), boxes, strict=True))
    return Reading(name, Frame(*SIZE), tuple(words))


def review_of(*readings: Reading, claims: tuple[Detection, ...] = ()) -> PageReview | None:
    page = PageTranscript(0, *SIZE, (200, 200), (), readings)
    reviews = plan_record(Transcript(SOURCE, (page,)), claims, Policy()).reviews
    return reviews[0] if reviews else None


PLAIN = "ten words of a line that both readers read alike"


def test_a_page_read_surely_by_one_reader_raises_no_doubt() -> None:
    assert review_of(reading("tesseract --psm 3", PLAIN, 70)) is None


@pytest.mark.parametrize("unsure", [0, 2, 4, 6, 10])
def test_the_more_readers_differ_the_more_a_page_is_doubted(unsure: int) -> None:
    words = PLAIN.split()
    other = " ".join(["xyzzy"] * unsure + words[unsure:])
    review = review_of(reading("tesseract --psm 3", PLAIN, 70), reading("rapidocr", other, 90))
    assert (review is None) == (unsure == 0)
    assert (review is not None and review.score >= REVIEW_FROM) == (unsure >= 3)


def test_what_is_hidden_raises_no_doubt() -> None:
    readings = reading("tesseract --psm 3", PLAIN, 70), reading("rapidocr", "xyzzy " * 10, 90)
    claim = Detection(Kind.PHONE, 0, (Box(100, 100, 1000, 120),), "x", 0.9, "phone.plain")
    assert review_of(*readings) is not None
    assert review_of(*readings, claims=(claim,)) is None


def test_text_that_runs_up_the_margin_is_looked_at() -> None:
    up = Reading("tesseract --psm 3", Frame(*SIZE), (Word("contacts", Box(20, 100, 40, 220), 96.0, 0),))
    review = review_of(up)
    assert review is not None and review.score >= REVIEW_FROM
    assert review.doubts[0].box == Box(20, 100, 40, 220)


@pytest.mark.parametrize(("text", "box"), [("l", Box(20, 100, 26, 130)), ("contacts", Box(20, 100, 120, 122))])
def test_a_thin_letter_or_a_level_word_is_no_margin(text: str, box: Box) -> None:
    assert review_of(Reading("tesseract --psm 3", Frame(*SIZE), (Word(text, box, 96.0, 0),))) is None


def seen_beside(number: str, *, first: str = "~~", unread: bool = True) -> PageReview | None:
    """The review of a page on which the first reader saw `first` where another saw `number`."""
    place = Box(100, 300, 260, 330)
    readings = (
        Reading("tesseract --psm 3", Frame(*SIZE), (Word(first, place, 20.0, 0),)),
        Reading("rapidocr", Frame(*SIZE), (Word(number, place, 90.0, 0),), whole=False),
    )
    page = PageTranscript(0, *SIZE, (200, 200), (), readings, unread=(place,) if unread else ())
    reviews = plan_record(Transcript(SOURCE, (page,)), (), Policy()).reviews
    return reviews[0] if reviews else None


@pytest.mark.parametrize("number", ["Zara163997", "163 997", "7946 0123"])
def test_a_number_that_one_reader_saw_where_another_read_nothing_is_looked_at(number: str) -> None:
    review = seen_beside(number)
    assert review is not None and review.score >= REVIEW_FROM
    assert "unread-number" in [doubt.code for doubt in review.doubts]


@pytest.mark.parametrize("number", ["09.10.2024", "01/FOI/17/094001", "£136,915.55", "2017-2020.", "16399"])
def test_a_date_a_sum_and_a_reference_are_no_numbers(number: str) -> None:
    review = seen_beside(number)
    assert review is None or "unread-number" not in [doubt.code for doubt in review.doubts]


def test_a_number_that_both_saw_or_that_stands_elsewhere_raises_no_doubt() -> None:
    for review in (seen_beside("163997", first="l63997 163997"), seen_beside("163997", unread=False)):
        assert review is None or "unread-number" not in [doubt.code for doubt in review.doubts]


def test_what_a_reader_of_places_does_not_say_is_no_objection() -> None:
    places = Reading("rapidocr", Frame(*SIZE), (Word("stamp", Box(900, 700, 960, 720), 99.0, 0),), whole=False)
    assert review_of(reading("tesseract --psm 3", PLAIN, 70), places) is None


def test_every_doubt_that_is_raised_is_on_the_list_of_doubts() -> None:
    """What is not on it no process that reads records may say."""
    calls = [
        node
        for path in Path(tasks.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Doubt"
    ]
    codes = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    assert codes == DOUBTS
