"""The review pack as a browser shows it: an officer looks, draws, chooses, and gets the command to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tasks.geometry import Box, Frame
from tasks.model import Correction, Doubt, PageReview, PageTranscript, Reading, Word
from tasks.review.asked import parse_asked, parse_box
from tasks.review.pack import (
    MarkView,
    PageView,
    RecordView,
    ViewBox,
    place_in_view,
    read_under,
    render_pack,
    words_on,
)
from tests.disclosure.browser import Browser
from tests.disclosure.examples import dossier

HOSTILE = "</td><script>document.title='taken'</script>\u202e'\"&"
DIGEST = "ab" * 32


def page_of(words: tuple[Word, ...] = (), width: int = 1000, height: int = 1400) -> PageTranscript:
    reading = Reading("tesseract", Frame(width, height), words)
    return PageTranscript(0, width, height, (100.0, 100.0), (), (reading,))


def mark(name: str, *together: str, value: str = "01632 960572") -> MarkView:
    box = ViewBox(20.0, 10.0, 30.0, 3.0)
    boxes, alike = (box,), tuple(together[1:])
    return MarkView(
        name, name.replace(".", "-"), 1, "telephone number", "s.31(1)(a)", "detected", 0.9, (value,), "O1632", alike,
        together or (name,), boxes,
    )  # fmt: skip


def record(number: int, *marks: MarkView, doubts: tuple[Doubt, ...] = (), picture: str = "") -> RecordView:
    review = PageReview(0, max(d.score for d in doubts), doubts) if doubts else None
    flagged = bool(review and review.score >= 0.7)
    view = PageView.of(page_of(), marks, review, flagged, picture)
    return RecordView(number, "A memo", "", f"{number:03d}-a-memo.pdf", (view,))


def pack(*records: RecordView, corrections: tuple[Correction, ...] = ()) -> str:
    return render_pack(dossier(), DIGEST, records, corrections).decode()


def test_what_is_doubtful_comes_first_and_the_worst_before_the_rest() -> None:
    calm = record(1)
    unsure = record(2, doubts=(Doubt("low-confidence", "Read badly.", 0.8),))
    worst = record(3, doubts=(Doubt("claim-without-place", "Somewhere on this page.", 1.0),))
    page = pack(calm, unsure, worst)
    listed = page[page.index("Look here first") : page.index('<h2 id="r1">')]
    assert re.findall(r"Record (\d), page", listed) == ["3", "2"]
    assert "No page was flagged" in pack(calm)


def test_everything_is_escaped_and_nothing_turns_the_direction_of_the_text() -> None:
    correction = Correction("R", DIGEST, (), (), (HOSTILE,), HOSTILE, "A. Officer", "2026-01-01T00:00:00Z", "")
    page = pack(record(1, mark("1.1", value=HOSTILE)), corrections=(correction,))
    assert "<script>document" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;") >= 3


def test_the_same_dossier_gives_the_same_bytes() -> None:
    assert pack(record(1, mark("1.1"))) == pack(record(1, mark("1.1")))


def test_a_page_without_picture_says_so() -> None:
    assert "no picture of this page" in pack(record(1))
    assert "no picture of this page" not in pack(record(1, picture="pages/001-0001.jpg"))


def test_places_are_shares_of_the_page_as_it_is_printed() -> None:
    fax = replace(page_of(width=1728, height=1100), dpi=(204.0, 98.0))
    assert PageView.of(fax, (), None, False, "").shape == pytest.approx((1728 / 204) / (1100 / 98), abs=1e-3)
    assert place_in_view(Box(432, 110, 864, 220), fax) == ViewBox(25.0, 10.0, 25.0, 10.0)


def test_the_words_under_a_mark_are_read_from_the_main_reading() -> None:
    words = (Word("Ring", Box(0, 0, 40, 20), 90.0, 0), Word("01632", Box(50, 0, 110, 20), 90.0, 0))
    assert read_under(words_on(page_of(words)), [Box(48, 0, 120, 22)]) == "01632"
    assert words_on(replace(page_of(), readings=())) == []


# ------------------------------------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Browser:
    """A pack of two records with their pictures, opened from a folder."""
    (tmp_path / "pages").mkdir()
    for number in (1, 2):
        Image.new("L", (500, 700), 240).save(tmp_path / f"pages/00{number}-0001.jpg")
    first = record(1, mark("1.1", "1.1", "2.1", value=HOSTILE), mark("1.2"), picture="pages/001-0001.jpg")
    second = record(2, mark("2.1", "2.1", "1.1"), picture="pages/002-0001.jpg")
    (tmp_path / "index.html").write_text(pack(first, second), encoding="utf-8")
    browser.open(tmp_path / "index.html", 1400, 1000)
    return browser


COMMAND = "document.getElementById('command').textContent"


@pytest.mark.slow
def test_an_officer_gets_the_command_by_drawing_and_choosing(opened: Browser) -> None:
    assert opened.evaluate("document.getElementById('made').hidden")
    opened.evaluate("document.querySelector('[data-remove^=\"1.1\"]').click()")
    opened.drag("#p1-1 .sheet", (0.1, 0.05), (0.3, 0.1))
    opened.evaluate("document.getElementById('term').value = \"O'Neil\", document.getElementById('add').click()")
    command = opened.evaluate(COMMAND)
    assert f"--dossier {DIGEST[:16]} --remove 1.1 --remove 2.1 --box 1:1:" in command
    assert "--term 'O'\\''Neil'" in command
    name = re.search(r"--box (\S+)", command)
    assert name is not None
    number, page, box = parse_box(name[1])
    assert (number, page) == (1, 1)
    for edge, wanted in zip((box.x0, box.y0, box.x1, box.y1), (100, 70, 300, 140), strict=True):
        assert abs(edge - wanted) <= 4, box
    assert parse_asked(f'{{"boxes": ["{name[1]}"], "remove": ["1.1", "2.1"]}}'.encode()).boxes
    shown = opened.evaluate("document.getElementById('form').textContent")
    assert "never type a term" in shown
    assert "Neil" not in shown
    opened.evaluate(
        "document.querySelector('[data-remove^=\"1.1\"]').click(), document.getElementById('clear').click()"
    )
    assert opened.evaluate("document.getElementById('made').hidden")


@pytest.mark.slow
def test_the_pack_works_from_a_folder_and_asks_for_nothing_else(opened: Browser) -> None:
    opened.evaluate("Promise.all([...document.images].map(i => (i.loading = 'eager', i.decode()))).then(() => 0)")
    assert opened.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    assert opened.evaluate("document.title").startswith("Review of")
    assert opened.complaints == []
    assert all(address.startswith("file:") for address in opened.requests)
    width = "document.documentElement.scrollWidth <= window.innerWidth"
    assert opened.evaluate(width), "no sideways scrolling"
