"""Where marks lie, given claims."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from tasks.geometry import Box, Frame
from tasks.model import Detection, Doubt, Kind, PageTranscript, Reading, RedactionPlan, Transcript, Word
from tasks.redaction.plan import plan_record
from tasks.request import Policy
from tests.redaction.drawn import SOURCE, blocks_of, draw_page, record_of

POLICY = Policy()


def page_of(
    *words: tuple[str, Box], grid: int = 1, size: tuple[int, int] = (1600, 1000), turns: int = 0, page: int = 0
) -> PageTranscript:
    """A page on which each word has a line of its own number; words are given in reading order."""
    frame = Frame(*size, quarter_turns=turns)
    reading = Reading("drawn", frame, tuple(Word(text, box, 90.0, i) for i, (text, box) in enumerate(words)))
    return PageTranscript(page, *size, (200, 200), blocks_of(grid, *size), (reading,))


def claim(
    box: Box | tuple[Box, ...], kind: Kind = Kind.PHONE, text: str = "020 7946 0000", **other: object
) -> Detection:
    regions = box if isinstance(box, tuple) else (box,)
    page, score = int(other.get("page", 0)), float(other.get("score", 0.9))  # type: ignore[call-overload, arg-type]
    return Detection(kind, page, regions, text, score, str(other.get("recogniser", "phone.plain")))


def plan(page: PageTranscript, *claims: Detection, policy: Policy = POLICY) -> RedactionPlan:
    return plan_record(Transcript(SOURCE, (page,)), claims, policy)


def covered(plan: RedactionPlan, page: PageTranscript) -> np.ndarray:
    mask = np.zeros((page.height_px, page.width_px), bool)
    for mark in plan.marks:
        for r in mark.regions:
            mask[r.y0 : r.y1, r.x0 : r.x1] = True
    return mask


# ------------------------------------------------------------------------------------------------ boxes


def test_a_mark_takes_the_whole_height_of_its_line() -> None:
    page = page_of(
        ("Tell", Box(80, 196, 140, 222)), ("value", Box(150, 200, 300, 220)), ("you", Box(330, 198, 360, 226))
    )
    (mark,) = plan(page, claim(Box(150, 200, 300, 220))).marks
    (region,) = mark.regions
    assert region.y0 <= 196 and region.y1 >= 226


def test_tall_neighbours_on_other_lines_do_not_stretch_a_mark() -> None:
    page = page_of(("value", Box(150, 200, 300, 220)), ("TITLE", Box(150, 100, 600, 190)))
    (mark,) = plan(page, claim(Box(150, 200, 300, 220))).marks
    assert mark.regions[0].y0 >= 190


@pytest.mark.parametrize(
    ("above", "base"),
    [("and", 190), ("Contact", 190), ("saw", 190)],
    ids=["no letter hangs", "capital", "neither hangs nor rises"],
)
@pytest.mark.parametrize("grid", [1, 8])
def test_a_mark_keeps_out_of_the_room_where_letters_of_the_line_above_would_hang(
    above: str, base: int, grid: int
) -> None:
    height = 14 if above == "saw" else 20
    page = page_of((above, Box(150, base - height, 260, base)), ("value", Box(150, 200, 300, 220)), grid=grid)
    (mark,) = plan(page, claim(Box(150, 200, 300, 220))).marks
    assert base + 5 <= mark.regions[0].y0 <= 200


def test_where_lines_are_too_narrow_for_their_room_the_claim_is_still_covered() -> None:
    page = page_of(("saw", Box(150, 184, 260, 198)), ("value", Box(150, 200, 300, 220)), grid=8)
    (mark,) = plan(page, claim(Box(150, 200, 300, 220))).marks
    assert mark.regions[0].y0 <= 200 and mark.regions[0].y1 >= 220


@pytest.mark.parametrize("grid", [1, 8])
def test_marks_lie_on_the_grid_of_the_source(grid: int) -> None:
    page = page_of(grid=grid)
    (mark,) = plan(page, claim(Box(151, 203, 303, 221))).marks
    assert all(edge % grid == 0 for r in mark.regions for edge in (r.x0, r.y0, r.x1, r.y1))


def test_a_mark_at_the_edge_of_the_page_stays_on_it() -> None:
    page = page_of(grid=8, size=(1597, 995))
    (mark,) = plan(page, claim(Box(1500, 980, 1597, 995))).marks
    assert mark.regions[0].x1 == 1597 and mark.regions[0].y1 == 995


def test_neighbouring_words_stay_whole() -> None:
    """But for a hair: what snapping to the grid takes."""
    page = draw_page()
    record = record_of(page)
    words = page.transcript.readings[0].words
    mask = covered(record.plan, page.transcript)
    claimed = np.zeros_like(mask)
    for detection in page.detections:
        for r in detection.regions:
            claimed[r.y0 : r.y1, r.x0 : r.x1] = True
    foreign = [w.box for w in words if not claimed[w.box.y0 : w.box.y1, w.box.x0 : w.box.x1].any()]
    assert len(foreign) > 40
    for box in foreign:
        inner = box.padded(-7)
        assert inner.area <= 0 or not mask[inner.y0 : inner.y1, inner.x0 : inner.x1].any()


def test_a_value_between_words_of_a_sentence_grows_only_up_to_them() -> None:
    page = page_of(
        ("ring", Box(80, 200, 140, 220)), ("7946", Box(150, 200, 230, 220)), ("now", Box(244, 200, 300, 220))
    )
    (mark,) = plan(page, claim(Box(150, 200, 230, 220))).marks
    assert mark.regions[0].x0 >= 140 and mark.regions[0].x1 <= 244


def test_neighbours_on_one_line_become_one_mark() -> None:
    page = page_of()
    first, second = Box(100, 200, 300, 220), Box(310, 200, 500, 221)
    (mark,) = plan(page, claim(first), claim(second, Kind.EMAIL)).marks
    assert len(mark.regions) == 1
    assert mark.kinds == (Kind.EMAIL, Kind.PHONE)
    assert mark.regions[0].contains(Box(100, 200, 500, 221))


def test_a_word_between_two_claims_keeps_them_apart() -> None:
    page = page_of(("or", Box(305, 202, 325, 220)))
    first, second = Box(100, 200, 300, 220), Box(330, 200, 500, 220)
    assert len(plan(page, claim(first), claim(second)).marks) == 2


def test_claims_on_different_lines_stay_apart() -> None:
    page = page_of()
    assert len(plan(page, claim(Box(100, 200, 300, 220)), claim(Box(100, 240, 300, 260))).marks) == 2


def test_a_claim_on_two_lines_is_one_mark_with_two_boxes() -> None:
    page = page_of()
    (mark,) = plan(page, claim((Box(900, 200, 1200, 220), Box(100, 240, 300, 260)), Kind.ADDRESS)).marks
    assert len(mark.regions) == 2


def test_a_slanted_line_stays_a_staircase() -> None:
    page = page_of()
    steps = tuple(Box(100 + 60 * i, 200 + 4 * i, 160 + 60 * i, 224 + 4 * i) for i in range(10))
    (mark,) = plan(page, claim(steps)).marks
    assert len(mark.regions) >= 4
    assert max(r.height for r in mark.regions) <= 1.7 * 24
    assert covered(plan(page, claim(steps)), page)[210, 130] and not covered(plan(page, claim(steps)), page)[210, 690]


def test_areas_are_not_widened() -> None:
    page = page_of()
    code = Box(100, 200, 250, 350)
    (mark,) = plan(page, claim(code, Kind.CODE)).marks
    assert mark.regions[0].contains(code) and mark.regions[0].width < 170
    (mark,) = plan(page, claim(code, Kind.BOX, recogniser="person")).marks
    assert mark.regions == (code,)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turned_pages_are_planned_as_level_ones(turns: int) -> None:
    level = record_of(draw_page(mode="bilevel")).plan
    turned_page = draw_page(mode="bilevel", quarter_turns=turns)
    turned = record_of(turned_page)
    mask = np.rot90(covered(turned.plan, turned_page.transcript), turns)
    assert np.array_equal(mask, covered(level, draw_page(mode="bilevel").transcript))
    assert [m.kinds for m in turned.plan.marks] == [m.kinds for m in level.marks]


def test_text_up_the_margin_is_widened_along_its_own_line() -> None:
    page = page_of()
    (mark,) = plan(page, claim(Box(40, 300, 64, 560), Kind.EMAIL)).marks
    assert mark.regions[0].height > 300 and mark.regions[0].width < 40


Rectangle = tuple[int, int, int, int]
rectangles = st.tuples(st.integers(0, 590), st.integers(0, 390), st.integers(1, 300), st.integers(1, 60))


@settings(max_examples=60, deadline=None)
@given(
    boxes=st.lists(rectangles, min_size=1, max_size=8),
    words=st.lists(rectangles, max_size=8),
    grid=st.sampled_from([1, 8]),
    turns=st.integers(0, 3),
)
def test_every_claimed_pixel_is_in_a_mark(
    boxes: list[Rectangle], words: list[Rectangle], grid: int, turns: int
) -> None:
    size = (600, 400)
    frame = Frame(*size, quarter_turns=turns)
    seen = [Box(x, y, x + w, y + h).clipped(*frame.size) for x, y, w, h in words]
    placed = tuple(Word("x", box, 50.0, i) for i, box in enumerate(seen) if box.area)
    page = PageTranscript(0, *size, (100, 100), blocks_of(grid, *size), (Reading("r", frame, placed),))
    claims = [claim(Box(x, y, x + w, y + h).clipped(*size)) for x, y, w, h in boxes]
    mask = covered(plan(page, *claims), page)
    for detection in claims:
        for r in detection.regions:
            assert mask[r.y0 : r.y1, r.x0 : r.x1].all()


# ------------------------------------------------------------------------------------------------ widths


def addresses() -> list[str]:
    given = (
        "al jo sam kim lee ann bea tom ray max olive peter susan derek harry grace rupert annabel marjorie bartholomew"
    )
    family = "ash fox mills carter whittaker"
    return [f"{first}.{last}@police.example" for first in given.split() for last in family.split()]


def test_ten_of_a_hundred_staff_addresses_fit_any_box_that_had_room() -> None:
    """A22: whatever box is seen, at least ten addresses of the house would have given just this one."""
    font = ImageFont.load_default(28)
    widths: Counter[int] = Counter()
    for address in addresses():
        left, top, right, bottom = (int(v) for v in font.getbbox(address))
        box = Box(400 + left, 400 + top, 400 + right, 400 + bottom)
        page = page_of(("margin", Box(100, 100, 200, 120)), (address, box), grid=8)
        (mark,) = plan(page, claim(box, Kind.EMAIL, address)).marks
        widths[mark.regions[0].width // 16] += 1
    assert sum(widths.values()) == 100
    assert min(widths.values()) >= 10, widths


# ------------------------------------------------------------------------------------------------ what a mark says


def test_marks_are_numbered_in_reading_order_column_by_column() -> None:
    left = [(f"l{i}", Box(100, 100 + 40 * i, 300, 124 + 40 * i)) for i in range(4)]
    right = [(f"r{i}", Box(900, 100 + 40 * i, 1100, 124 + 40 * i)) for i in range(4)]
    page = page_of(*left, *right)
    found = [claim(box, text=name) for name, box in (*left, *right)]
    random.Random(4).shuffle(found)
    marks = plan(page, *found).marks
    assert [m.number for m in marks] == list(range(1, 9))
    assert [m.regions[0].x0 < 600 for m in marks] == [True] * 4 + [False] * 4
    assert [m.regions[0].y0 for m in marks[:4]] == sorted(m.regions[0].y0 for m in marks[:4])


def test_numbers_run_over_the_whole_record() -> None:
    pages = (page_of(page=0), page_of(page=1))
    found = [claim(Box(100, 100, 300, 124), page=1), claim(Box(100, 100, 300, 124), page=0)]
    marks = plan_record(Transcript(SOURCE, pages), found, POLICY).marks
    assert [(m.number, m.page) for m in marks] == [(1, 0), (2, 1)]


def test_the_order_of_claims_does_not_matter() -> None:
    page = draw_page()
    claims = list(page.detections)
    first = plan_record(Transcript(SOURCE, (page.transcript,)), claims, POLICY)
    claims.reverse()
    assert plan_record(Transcript(SOURCE, (page.transcript,)), claims, POLICY) == first


def test_a_mark_names_the_exemption_of_the_policy() -> None:
    policy = Policy(exemption="s.40(2)")
    made = plan(page_of(), claim(Box(100, 100, 300, 124)), policy=policy)
    assert made.marks[0].exemption == "s.40(2)"
    assert made.policy == policy.digest != POLICY.digest


@pytest.mark.parametrize(
    ("recognisers", "origin"),
    [
        (["repeat"], "repeated"),
        (["repeat.fuzzy", "repeat"], "repeated"),
        (["repeat", "phone.plain"], "detected"),
        (["phone.plain"], "detected"),
    ],
)
def test_origin_is_repeated_when_only_the_sweep_claims_it(recognisers: list[str], origin: str) -> None:
    claims = [claim(Box(100, 100, 300, 124), recogniser=r, score=0.1 * i) for i, r in enumerate(recognisers, 5)]
    (mark,) = plan(page_of(), *claims).marks
    assert mark.origin == origin
    assert mark.score == max(c.score for c in claims)


def test_a_box_drawn_by_a_person_says_so() -> None:
    assert plan(page_of(), claim(Box(100, 100, 300, 124), Kind.BOX, recogniser="person")).marks[0].origin == "person"


def test_kinds_the_policy_shows_are_not_marked_but_asked_terms_are() -> None:
    policy = Policy(withhold=(Kind.EMAIL,))
    found = [claim(Box(100, 100 + 60 * i, 300, 124 + 60 * i), kind) for i, kind in enumerate(Kind)]
    marks = plan(page_of(), *found, policy=policy).marks
    assert {kind for mark in marks for kind in mark.kinds} == {Kind.EMAIL, Kind.TERM, Kind.BOX}


def test_withheld_values_are_a_sorted_set() -> None:
    found = [claim(Box(100, 100 + 60 * i, 300, 124 + 60 * i), text=text) for i, text in enumerate(["b", "a ", "b", ""])]
    assert plan(page_of(), *found).withheld == ("a", "b")


# ------------------------------------------------------------------------------------------------ reviews


def test_doubts_of_a_page_ask_for_a_person() -> None:
    doubts = (Doubt("faint", "Faint text.", 0.4), Doubt("script", "Handwriting.", 0.8))
    made = plan(replace(page_of(), doubts=doubts))
    (review,) = made.reviews
    assert (review.page, review.score, review.doubts) == (0, 0.8, doubts)


def test_weak_claims_are_marked_and_ask_for_a_person() -> None:
    made = plan(page_of(), claim(Box(100, 100, 300, 124), score=0.3))
    assert len(made.marks) == 1
    assert made.reviews[0].score == 0.7
    assert made.reviews[0].doubts[0].box == Box(100, 100, 300, 124)
    assert plan(page_of(), claim(Box(100, 100, 300, 124), score=0.9)).reviews == ()


def test_a_claim_without_a_place_surely_asks_for_a_person() -> None:
    made = plan(page_of(), claim((), text="lost"))
    assert made.marks == ()
    assert made.reviews[0].score == 1.0
    assert made.withheld == ("lost",)


def test_a_claim_on_a_page_that_is_not_there_is_refused_without_quoting_it() -> None:
    with pytest.raises(ValueError, match="page 3") as caught:
        plan(page_of(), claim(Box(1, 1, 2, 2), page=3, text="a secret"))
    assert "a secret" not in str(caught.value)
