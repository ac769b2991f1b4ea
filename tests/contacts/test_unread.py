"""What a label announces is withheld even when nobody could read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.contacts.find import find_contacts
from tasks.contacts.unread import unread_values
from tasks.geometry import Box
from tasks.model import Detection, Kind, PageTranscript
from tasks.request import Policy
from tests.contacts.pages import lines_page, page_of, reading_of


def behind(page: PageTranscript, word: str, gap: int = 20, width: int = 140) -> Box:
    """A place behind a word, as high as it."""
    box = next(w.box for w in page.readings[0].words if w.text == word)
    return Box(box.x1 + gap, box.y0, box.x1 + gap + width, box.y1)


def found_at(page: PageTranscript, *unread: Box) -> dict[Box, Kind]:
    found = find_contacts(replace(page, unread=unread), Policy())
    return {region: detection.kind for detection in found for region in detection.regions}


@pytest.mark.parametrize(
    ("line", "kind"),
    [("Tel:", Kind.PHONE), ("Home address", Kind.ADDRESS), ("Email:", Kind.EMAIL), ("Extension", Kind.EXTENSION)],
)
def test_ink_behind_a_label_is_claimed_for_what_the_label_says(line: str, kind: Kind) -> None:
    page = lines_page(line)
    ink = behind(page, line.split()[-1])
    assert found_at(page, ink) == {ink: kind}


def test_a_claim_without_words_is_weak_and_quotes_nothing() -> None:
    page = lines_page("Tel:")
    (detection,) = find_contacts(replace(page, unread=(behind(page, "Tel:"),)), Policy())
    assert detection.text == ""
    assert detection.score < 0.5


def test_a_value_in_boxes_is_claimed_whole() -> None:
    page = lines_page("Mobile:")
    first = behind(page, "Mobile:", width=40)
    second = Box(first.x1 + 10, first.y0, first.x1 + 50, first.y1)
    assert set(found_at(page, second, first)) == {first, second}


def test_a_part_that_another_reader_made_out_leaves_the_rest_unread() -> None:
    page = lines_page("Tel:")
    ink = behind(page, "Tel:", width=400)

    def seen(share: float) -> list[Detection]:
        part = Box(ink.x0, ink.y0, ink.x0 + round(share * ink.width), ink.y1)
        claim = Detection(Kind.PHONE, page.page, (part,), "020 7946 0123", 0.9, "phone.plain")
        return unread_values(replace(page, unread=(ink,)), [claim])

    assert [detection.regions for detection in seen(0.3)] == [(ink,)]
    assert seen(0.8) == []


def test_ink_in_a_column_of_numbers_is_claimed_for_its_column() -> None:
    rows = [("Site", "Ext", "Hours"), ("Fenland", "74657", "weekdays"), ("North", "74620", "Tuesdays")]
    rows += [("South", "74613", "weekdays"), ("Marine", "", "by arrangement")]
    page = page_of(reading_of([[(100, a), (500, b), (900, c)] for a, b, c in rows]))
    (below,) = [w.box for w in page.readings[0].words if w.text == "Marine"]
    column = [w.box for w in page.readings[0].words if w.text.startswith("746")]
    ink = Box(column[0].x0, below.y0, column[0].x1, below.y1)
    assert found_at(page, ink)[ink] is Kind.EXTENSION
    beside = Box(column[0].x1 + 200, below.y0, column[0].x1 + 300, below.y1)
    far = Box(column[0].x0, below.y1 + 300, column[0].x1, below.y1 + 330)
    tall = Box(column[0].x0, below.y0, column[0].x1, below.y0 + 4 * column[0].height)
    for other in (beside, far, tall):
        assert other not in found_at(page, other)


@pytest.mark.parametrize("line", ["Date:", "Name", "The meeting was held"])
def test_ink_behind_anything_else_stays(line: str) -> None:
    page = lines_page(line)
    assert found_at(page, behind(page, line.split()[-1])) == {}


def test_ink_behind_a_word_behind_a_label_stays() -> None:
    page = lines_page("Tel: none")
    assert found_at(page, behind(page, "none")) == {}


def test_ink_on_another_line_or_far_away_stays() -> None:
    page = lines_page("Tel:")
    ink = behind(page, "Tel:")
    below = Box(ink.x0, ink.y0 + 200, ink.x1, ink.y1 + 200)
    far = Box(ink.x0 + 900, ink.y0, ink.x1 + 900, ink.y1)
    assert found_at(page, below, far) == {}
