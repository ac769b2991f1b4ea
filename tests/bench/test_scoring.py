"""The scorer tells what is gone from what only looks gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.bench.recall import Score, tables
from tests.bench.scoring import FileScore, PageScore, Verdict, score_record, share_gone, wilson

SIZE = (800, 400)
VALUE = (100, 100, 420, 140)
WORD = (100, 200, 300, 240)
Draw = Callable[[ImageDraw.ImageDraw], object]


def quad(box: tuple[int, int, int, int]) -> list[list[float]]:
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def sheet(*paint: Draw) -> Image.Image:
    image = Image.new("L", SIZE, 244)
    pen = ImageDraw.Draw(image)
    pen.text((104, 102), "07700 900123", 20, ImageFont.load_default(30))
    pen.text((104, 202), "ordinary", 20, ImageFont.load_default(30))
    for each in paint:
        each(pen)
    return image


def pdf(path: Path, image: Image.Image, *, over: bool = False, text: str = "", author: str = "") -> Path:
    """A page that is one image at 100 dpi; perhaps with a box drawn over the value, or text under it."""
    with pymupdf.open() as document:
        page = document.new_page(width=SIZE[0] * 0.72, height=SIZE[1] * 0.72)
        page.insert_image(page.rect, pixmap=pymupdf.Pixmap(pymupdf.csGRAY, *SIZE, image.tobytes(), False))
        if over:
            page.draw_rect(pymupdf.Rect(VALUE) * 0.72, color=None, fill=(0, 0, 0))
        if text:
            page.insert_text((VALUE[0] * 0.72, VALUE[3] * 0.72 - 4), text, render_mode=3)
        if author:
            document.set_metadata({"author": author})
        document.save(path)
    return path


def judge(folder: Path, output: Path | None, hidden: tuple[str, ...] = ()) -> FileScore:
    page = {
        "page": 0,
        "width": SIZE[0],
        "height": SIZE[1],
        "template": "drawn",
        "profile": "clean",
        "born_digital": False,
        "entities": [
            {
                "id": "e1",
                "type": "PHONE",
                "subtype": "",
                "text": "07700 900123",
                "public": False,
                "quads": [quad(VALUE)],
                "polarity": "dark",
            }
        ],
        "negatives": [],
        "words": [{"text": "ordinary", "box": list(WORD)}, {"text": "07700", "box": list(VALUE), "ref": "e1"}],
    }
    truth = {"file": "a/records/a.pdf", "hidden": list(hidden), "pages": [page]}
    source = pdf(folder / "source.pdf", sheet())
    report = folder / "report.json"
    report.write_text(json.dumps({"outcome": "held", "reviews": [{"page": 0, "score": 0.8}]}))
    return score_record(truth, source, output or folder / "none.pdf", report)


def painted(box: tuple[int, int, int, int], fill: int = 0) -> Draw:
    return lambda pen: pen.rectangle(box, fill)


def reason(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle(VALUE, 0)
    pen.text((200, 106), "s.31(1)(a)", 255, ImageFont.load_default(24))


@pytest.mark.parametrize(
    ("paint", "status"),
    [
        ((), "MISSED"),
        ((painted(VALUE),), "REDACTED"),
        ((painted(VALUE, 255),), "REDACTED"),
        ((painted(VALUE, 128),), "REDACTED"),
        ((reason,), "REDACTED"),
        ((painted((100, 100, 240, 140)),), "PARTIAL"),
        ((painted((100, 100, 420, 120)),), "PARTIAL"),
        ((painted((100, 100, 240, 140), 255),), "PARTIAL"),
        ((painted((100, 100, 420, 108)),), "MISSED"),
        ((painted(WORD),), "MISSED"),
    ],
    ids=[
        "untouched",
        "black",
        "white",
        "grey",
        "with a reason",
        "half",
        "its upper half",
        "half in white",
        "the paper above",
        "elsewhere",
    ],
)
def test_only_what_is_painted_whole_is_redacted(tmp_path: Path, paint: tuple[Draw, ...], status: str) -> None:
    (verdict,) = judge(tmp_path, pdf(tmp_path / "out.pdf", sheet(*paint))).verdicts
    assert verdict.status == status, verdict.gone


def test_a_box_over_an_untouched_image_hides_nothing(tmp_path: Path) -> None:
    (verdict,) = judge(tmp_path, pdf(tmp_path / "out.pdf", sheet(), over=True)).verdicts
    assert verdict.status == "MISSED"


def test_a_value_that_is_only_dimmed_or_inverted_is_still_there(tmp_path: Path) -> None:
    dimmed = sheet().point(lambda level: level // 2)
    assert judge(tmp_path, pdf(tmp_path / "out.pdf", dimmed)).verdicts[0].status == "MISSED"


def test_text_that_can_be_copied_from_under_the_mark_is_a_leak(tmp_path: Path) -> None:
    output = pdf(tmp_path / "out.pdf", sheet(painted(VALUE)), text="07700 900123")
    (verdict,) = judge(tmp_path, output).verdicts
    assert verdict.leaked
    assert not verdict.safe


def test_other_text_at_the_place_is_no_leak(tmp_path: Path) -> None:
    output = pdf(tmp_path / "out.pdf", sheet(painted(VALUE)), text="[withheld: s.31(1)(a)]")
    assert not judge(tmp_path, output).verdicts[0].leaked


def test_what_hid_in_the_source_is_sought_everywhere_in_the_output(tmp_path: Path) -> None:
    output = pdf(tmp_path / "out.pdf", sheet(painted(VALUE)), author="m.oakshott@example.org")
    assert judge(tmp_path, output, ("m.oakshott@example.org", "07700 900555")).hidden_leaked == 1


def test_words_lost_are_counted_and_those_of_the_value_are_not(tmp_path: Path) -> None:
    (page,) = judge(tmp_path, pdf(tmp_path / "out.pdf", sheet(painted(VALUE), painted(WORD)))).pages
    assert (page.words, page.words_destroyed, page.review) == (1, 1, 0.8)


def test_without_an_output_everything_is_withheld(tmp_path: Path) -> None:
    score = judge(tmp_path, None)
    assert [v.status for v in score.verdicts] == ["WITHHELD"]
    assert score.pages[0].review == 1.0


def test_a_place_without_ink_is_not_judged() -> None:
    blank = np.full(SIZE[::-1], 250, np.uint8)
    assert share_gone(blank, [blank], [quad(VALUE)], "dark") is None


def test_light_letters_on_a_dark_panel_are_judged_as_light() -> None:
    panel = np.array(sheet().point(lambda level: 255 - level))
    assert share_gone(panel, [panel], [quad(VALUE)], "light") == 0.0
    gone = panel.copy()
    gone[VALUE[1] : VALUE[3], VALUE[0] : VALUE[2]] = 0
    assert share_gone(panel, [gone], [quad(VALUE)], "light") == 1.0


@pytest.mark.parametrize(
    ("hits", "of", "interval"), [(0, 0, (0, 1)), (10, 10, (0.7225, 1.0)), (50, 100, (0.4038, 0.5962))]
)
def test_intervals_are_wilsons(hits: int, of: int, interval: tuple[float, float]) -> None:
    assert wilson(hits, of) == pytest.approx(interval, abs=1e-4)


def _page(number: int, review: float, missed: int) -> FileScore:
    verdicts = tuple(
        Verdict("f", number, "clean", "t", "withheld", "PHONE", "", "x", 0.0, "MISSED") for _ in range(missed)
    )
    return FileScore(verdicts, (PageScore("f", number, "clean", review, 10, 0),), 0, 0, "redacted")


def test_the_review_curve_counts_misses_on_pages_nobody_looks_at() -> None:
    score = Score((_page(0, 0.9, 3), _page(1, 0.5, 1), _page(2, 0.0, 0), _page(3, 0.0, 2)))
    curve = {point.score: (point.flagged, point.unseen_misses, point.unseen_pages) for point in score.review_curve()}
    assert curve[2.0] == (0.0, 6, 3)
    assert curve[0.9] == (0.25, 3, 2)
    assert curve[0.5] == (0.5, 2, 1)
    assert curve[0.0] == (1.0, 0, 0)


def test_the_table_names_every_quality_and_kind() -> None:
    text = tables(Score((_page(0, 0.9, 3),)))
    assert "clean" in text
    assert "PHONE" in text
    assert "<- in use" in text
