"""Redactions that somebody made on paper: those that do not hide are shown to a person."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tasks.geometry import Box
from tasks.looks import REVIEW_FROM, pages_to_review
from tasks.model import Detection, Kind, PageRaster
from tasks.pipeline import plan_in_request, read_record
from tasks.reading.engine import recognise
from tasks.reading.media import inspect
from tasks.reading.settings import Limits, OcrSettings
from tasks.redaction.gate.source import look_at_source
from tasks.redaction.grey import without_colour
from tasks.request import Policy

FRONT = (
    "The display changed in March this year.",
    "Ring the desk on 020 7946 0123 before noon.",
    "Write to the office about anything else.",
    "Parking arrangements at the main building.",
)
BACK = tuple(
    f"{line} on the other side of this sheet which nobody read"
    for line in ("Words begin here", "They continue", "There are names", "Numbers follow", "The last line ends")
)
COVER = np.s_[125:165, 250:600]


def sheet(*lines: str, type_px: int = 28) -> np.ndarray:
    image = Image.new("L", (1240, 700), 250)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((90, 80 + 50 * number), line, fill=0, font=ImageFont.load_default(type_px))
    return np.asarray(image, dtype=np.float32)


def scanned(page: np.ndarray, noise: float = 2.0) -> np.ndarray:
    """Soft and grainy, as a scanner gives it."""
    soft = Image.fromarray(page.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
    grain = np.random.default_rng(5).normal(0, noise, page.shape)
    return np.clip(np.asarray(soft, dtype=np.float32) + grain, 0, 255).astype(np.uint8)


def penned(level: int, shine: int) -> np.ndarray:
    """A line under a marker pen, darker by `shine` where there is print below."""
    page = sheet(*FRONT)
    page[COVER] = level - (255 - page[COVER]) / 255 * shine
    return scanned(page)


def read(pixels: np.ndarray, dpi: float) -> list[str]:
    words = recognise(pixels, psm=6, dpi=round(dpi), language="eng", timeout_s=60)
    return [word.text for word in words if word.confidence >= 60]


def look(pixels: np.ndarray) -> list[object]:
    findings = look_at_source(PageRaster(0, pixels, "grey", (150, 150)), read)
    assert {finding.code for finding in findings} <= {"A24"}
    return [finding.box for finding in findings]


@pytest.mark.parametrize(("level", "shine"), [(60, 30), (60, 15), (90, 60), (40, -20)])
def test_print_that_shows_under_a_pen_is_found_at_its_place(level: int, shine: int) -> None:
    (box,) = look(penned(level, shine))
    rows, columns = COVER
    assert abs(box.y0 - rows.start) < 12 and abs(box.x1 - columns.stop) < 12  # type: ignore[attr-defined]


@pytest.mark.parametrize("turns", [-1, 1])
def test_print_that_shows_under_a_pen_is_found_in_a_line_that_runs_up_or_down_the_page(turns: int) -> None:
    page = penned(60, 30)
    (box,) = look(np.rot90(page, turns))
    _, columns = COVER
    start, stop = (
        (columns.start, columns.stop)
        if turns < 0
        else (
            page.shape[1] - columns.stop,
            page.shape[1] - columns.start,
        )
    )
    assert abs(box.y0 - start) < 12 and abs(box.y1 - stop) < 12  # type: ignore[attr-defined]


def looked_at(page: np.ndarray, dpi: tuple[float, float], words: int) -> tuple[list[Box | None], list[tuple[int, ...]]]:
    """What is found, and the sheets that are read, when so many words are read on each."""
    sheets: list[tuple[int, ...]] = []

    def reader(pixels: np.ndarray, dpi: float) -> list[str]:
        sheets.append(pixels.shape)
        return ["barrier"] * words

    findings = look_at_source(PageRaster(0, page, "grey", dpi), reader)
    return [finding.box for finding in findings], sheets


def test_a_cover_is_found_at_its_place_where_pixels_are_not_square() -> None:
    """As a fax has them: twice as many along a line as down the page."""
    page = np.full((600, 1640), 250, np.uint8)
    page[100:140, 500:1100] = np.linspace(30, 90, 600)
    ((box,), _) = looked_at(page, (204, 98), words=1)
    assert box is not None
    assert max(abs(a - b) for a, b in zip((box.x0, box.y0, box.x1, box.y1), (500, 100, 1100, 140), strict=True)) < 8


@pytest.mark.parametrize(("share", "expected"), [(0.9, 1), (0.8, 1), (0.7, 0), (0.5, 0)])
def test_what_fills_less_of_its_place_than_a_cover_is_a_picture(share: float, expected: int) -> None:
    """Dark at the left and along the foot, and of the same shades as print under a pen elsewhere."""
    page = np.full((700, 1240), 250, np.uint8)
    page[200:300, 200:600] = 60
    page[200:280, 600 - round((1 - share) * 400 / 0.8) : 600] = 150
    found, _ = looked_at(page, (150, 150), words=1)
    assert len(found) == expected


@pytest.mark.parametrize("dpi", [(150, 150), (204, 98), (98, 204)])
def test_the_other_side_is_read_at_one_resolution_and_believed_from_five_words_on(dpi: tuple[float, float]) -> None:
    across, down = round(8 * dpi[0]), round(5 * dpi[1])
    level = np.array(Image.fromarray(sheet(*BACK, *BACK, type_px=24).astype(np.uint8)).resize((across, down)))
    page = (250 - 0.14 * (250 - level.astype(np.float32))).clip(0, 255).astype(np.uint8)
    for words, expected in ((4, []), (5, [None])):
        found, sheets = looked_at(page, dpi, words)
        assert [box for box in found if box is None] == expected
        assert any(abs(height - 5 * 200) < 8 and abs(width - 8 * 200) < 8 for height, width in sheets)


@pytest.mark.parametrize(("width", "expected"), [(20, [None]), (75, [None]), (85, []), (150, [])])
def test_pale_marks_longer_than_a_short_word_are_no_print(width: int, expected: list[None]) -> None:
    """The rows of a form, say."""
    page = np.full((900, 1240), 250, np.uint8)
    for y in range(50, 850, 15):
        for x in range(50, 1000, 170):
            page[y : y + 6, x : x + width] = 215
    found, _ = looked_at(page, (100, 100), words=5)
    assert found == expected


@pytest.mark.parametrize(("right", "down"), [(5, 0), (-5, 0), (0, 5), (0, -5)])
def test_what_blurs_beside_ink_is_no_print_of_the_other_side(right: int, down: int) -> None:
    page = np.full((900, 1240), 250, np.uint8)
    for y in range(50, 850, 40):
        for x in range(50, 1150, 90):
            page[y + down : y + down + 5, x + right : x + right + 20] = 215
            page[y : y + 5, x : x + 20] = 20
    assert looked_at(page, (100, 100), words=5) == ([], [])
    page[page == 20] = 250
    assert looked_at(page, (100, 100), words=5)[0] == [None]


def test_what_hides_is_left_alone() -> None:
    assert look(penned(40, 0)) == []
    assert look(penned(0, 0)) == []
    assert look(scanned(sheet(*FRONT))) == []


def test_light_print_on_a_dark_ground_is_plain_to_see() -> None:
    assert look(255 - scanned(sheet(*FRONT))) == []


def test_the_other_side_is_found_where_it_can_be_read() -> None:
    back = (255 - sheet(*BACK, type_px=24))[:, ::-1] / 255
    shown = scanned(np.roll(sheet(*FRONT), 280, axis=0) * (1 - 0.14 * back))
    assert look(shown) == [None]
    assert look(scanned(np.roll(sheet(*FRONT), 280, axis=0) * (1 - 0.02 * back))) == []


def test_a_bilevel_page_has_no_shades() -> None:
    pixels = np.where(penned(60, 30) > 128, np.uint8(255), np.uint8(0))
    assert look_at_source(PageRaster(0, pixels, "bilevel", (150, 150)), read) == ()


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", dpi=(150, 150))
    return out.getvalue()


def test_a_faint_redaction_asks_for_a_person() -> None:
    data, limits = png(penned(60, 30)), Limits()
    transcript = read_record(data, inspect(data, "memo.png", limits), OcrSettings(), limits)
    plan = plan_in_request(transcript, (), (), Policy())
    (review,) = pages_to_review(plan)
    assert "faint-redaction" in {doubt.code for doubt in review.doubts if doubt.score >= REVIEW_FROM}


# ------------------------------------------------------------------------------------------------ tracking dots


def dotted() -> np.ndarray:
    """A page with the yellow dots of a colour laser printer, and marks in other colours that must stay."""
    page = np.repeat(sheet(*FRONT).astype(np.uint8)[..., None], 3, axis=2)
    page[page == 250] = 255
    page[10::40, 10::40] = (255, 255, 90)
    page[11::40, 10::40] = (255, 255, 90)
    page[600:640, 100:200], page[600:640, 300:400], page[600:640, 500:600] = (200, 20, 30), (20, 30, 160), (0, 120, 40)
    return page


def test_grey_pages_hold_no_tracking_dots_and_everything_else() -> None:
    grey = without_colour(PageRaster(0, dotted(), "colour", (150, 150)))
    assert grey.mode == "grey"
    assert (grey.pixels[10::40, 10::40][:1] == 255).all()
    assert [int(grey.pixels[620, x]) < 60 for x in (150, 350, 550)] == [True] * 3


def test_the_dots_are_gone_after_a_jpeg_too() -> None:
    out = io.BytesIO()
    Image.fromarray(dotted()).save(out, "JPEG", quality=75)
    with Image.open(out) as picture:
        grey = without_colour(PageRaster(0, np.asarray(picture), "colour", (150, 150)))
    assert (grey.pixels[:60] == 255).mean() > 0.995


def test_a_policy_can_ask_for_grey() -> None:
    data, limits = png(dotted()), Limits()
    transcript = read_record(data, inspect(data, "memo.png", limits), OcrSettings(), limits)
    found = (Detection(Kind.BOX, 0, (), "x", 1.0, "box"),)
    assert plan_in_request(transcript, found, (), Policy(grey_output=True)).grey
    assert not plan_in_request(transcript, found, (), Policy()).grey


@pytest.mark.parametrize("shade", [254, 250, 244])
def test_print_in_the_colour_of_the_paper_asks_for_a_person(shade: int) -> None:
    page = Image.new("L", (1240, 900), 255)
    pen = ImageDraw.Draw(page)
    pen.text((100, 100), "The barrier opens at noon", fill=0, font=ImageFont.load_default(24))
    pen.text((100, 400), "Write to the estates office", fill=shade, font=ImageFont.load_default(24))
    (finding,) = look_at_source(PageRaster(0, np.array(page), "grey", (150, 150)), read)
    assert finding.code == "A24" and finding.box is not None
    assert finding.box.contains(Box(105, 405, 250, 420)) and finding.box.y0 > 300


@pytest.mark.parametrize("quality", [0, 40, 75, 92])
def test_an_even_page_without_such_print_asks_for_nobody(quality: int) -> None:
    page = Image.new("L", (1240, 900), 255)
    pen = ImageDraw.Draw(page)
    for n in range(12):
        pen.text((100, 100 + 50 * n), "The barrier opens at noon, ring the estates office", fill=0, font_size=24)
    pen.rectangle((700, 700, 1100, 800), fill=250)  # a tinted cell
    if quality:
        out = io.BytesIO()
        page.save(out, "JPEG", quality=quality)
        page = Image.open(out)
    assert look_at_source(PageRaster(0, np.array(page), "grey", (150, 150)), read) == ()
