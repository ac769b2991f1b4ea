"""Is what a page says read, wherever and however it stands on it? Real Tesseract throughout."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from tasks.codec import encode
from tasks.errors import ConfigurationError, ReaderUnavailableError
from tasks.geometry import Box, Frame, Grid, union
from tasks.model import PageRaster, Word
from tasks.reading.doubt import Assessment, assess, places_to_read
from tasks.reading.engine import parse_tsv
from tasks.reading.media import inspect
from tasks.reading.ocr import is_doubtful, read_again, read_page
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import OcrSettings
from tasks.reading.straighten import straighten
from tasks.reading.versions import SECOND_READER, engine_version
from tests.reading.papers import (
    LINES,
    bilevel,
    ink_of,
    pdf_with,
    place_of,
    raster_of,
    scan_pdf,
    skewed,
    text_of,
    text_pixels,
    typed_pixels,
    write_lines,
)

pytestmark = pytest.mark.slow

PAGE = text_pixels(200)
GRID = Grid(Box(0, 0, PAGE.shape[1], PAGE.shape[0]), (8, 8))
TEXT = " ".join(LINES)


def test_a_clean_page_is_read_once_and_whole() -> None:
    transcript = read_page(replace(raster_of(PAGE), grids=(GRID,), page=3))
    assert text_of(transcript) == TEXT
    assert [reading.reader for reading in transcript.readings] == ["tesseract --psm 3"]
    assert transcript.doubts == ()
    assert transcript.symbols == ()
    assert (transcript.page, transcript.grids, transcript.dpi) == (3, (GRID,), (200, 200))
    assert (transcript.width_px, transcript.height_px) == (PAGE.shape[1], PAGE.shape[0])


def test_a_stamp_on_a_page_that_reads_well_is_read_by_the_second_reader() -> None:
    page = typed_pixels(LINES * 6)
    stamp = np.full((220, 700), 255, np.uint8)
    cv2.putText(stamp, "Tel 020 7946 0123", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0,), 3, cv2.LINE_AA)
    page[1900:2120, 200:900] = skewed(stamp, 12)
    first, second = read_page(raster_of(page)).readings
    assert (second.reader, second.whole) == (SECOND_READER, False)
    said = [" ".join(word.text for word in reading.words).split(LINES[-1])[-1] for reading in (first, second)]
    assert ["79460123" in text.replace(" ", "") for text in said] == [False, True]
    assert second.words[0].text == first.words[0].text


def test_underlined_print_that_no_word_covers_is_seen() -> None:
    page = PAGE.copy()
    lines = list(read_page(raster_of(PAGE)).readings[0].lines())
    lost = union(word.box for word in lines[2])
    page[lost.y1 - 4 : lost.y1 - 1, lost.x0 : lost.x1] = 0
    words = [word for line in lines if line is not lines[2] for word in line]
    assessment = assess(straighten(raster_of(page), page), words)
    assert max(patch.width for patch in assessment.passed_over) > 0.8 * lost.width
    assert max((patch.width for patch in assessment.patches), default=0) < 0.5 * lost.width
    (place,) = places_to_read(straighten(raster_of(page), page), assessment)
    assert place.contains(lost)


def test_words_come_line_by_line_from_left_to_right() -> None:
    (reading,) = read_page(raster_of(PAGE)).readings
    lines = list(reading.lines())
    assert [" ".join(word.text for word in line) for line in lines] == list(LINES)
    assert all(a.box.x0 < b.box.x0 for line in lines for a, b in pairwise(line))


def test_word_boxes_cover_the_ink_of_the_page() -> None:
    (reading,) = read_page(raster_of(PAGE)).readings
    assert union(word.box for word in reading.words).padded(3).contains(ink_of(PAGE))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_page_that_lies_on_its_side_or_head_is_read_and_its_words_are_placed(turns: int) -> None:
    upright = place_of(read_page(raster_of(PAGE)), "roster.desk")
    turned = np.rot90(PAGE, turns)
    transcript = read_page(raster_of(turned))
    assert text_of(transcript) == TEXT
    assert (transcript.readings[0].frame.quarter_turns + turns) % 4 == 0
    marked = np.zeros_like(PAGE)
    marked[upright.y0 : upright.y1, upright.x0 : upright.x1] = 1
    expected = ink_of(np.where(np.rot90(marked, turns), 0, 255))
    found = place_of(transcript, "roster.desk")
    assert found.padded(4).contains(expected)
    assert expected.padded(4).contains(found)


@pytest.mark.parametrize("clockwise_deg", [-2.5, 3.0])
def test_a_skewed_page_is_read_and_its_words_lie_on_their_ink(clockwise_deg: float) -> None:
    page = skewed(PAGE, clockwise_deg)
    transcript = read_page(raster_of(page))
    assert text_of(transcript) == TEXT
    reading = transcript.readings[0]
    painted = page.copy()
    for word in reading.words:
        for box in reading.frame.regions_to_page(word.box.padded(3)):
            painted[box.y0 : box.y1, box.x0 : box.x1] = 255
    assert (painted < 128).sum() < 0.01 * (page < 128).sum()


@pytest.mark.parametrize("dpi", [(204, 98), (204, 196), (150, 150), (400, 400)])
def test_unequal_coarse_and_fine_resolutions_are_read_in_place(dpi: tuple[int, int]) -> None:
    finest = text_pixels(max(dpi))
    size = finest.shape[1], round(finest.shape[0] * dpi[1] / dpi[0])
    page = bilevel(np.asarray(cv2.resize(finest, size, interpolation=cv2.INTER_AREA), np.uint8))
    transcript = read_page(raster_of(page, dpi, "bilevel"))
    assert "020 7946 0123" in text_of(transcript)
    words = transcript.readings[0]
    assert union(words.frame.box_to_page(word.box) for word in words.words).padded(4).contains(ink_of(page))


@pytest.mark.parametrize("paper", [0, 60])
def test_light_text_on_a_dark_panel_is_read_where_it_stands(paper: int) -> None:
    panel = np.interp(PAGE, (0, 255), (255, paper)).astype(np.uint8)
    page = np.full((PAGE.shape[0] * 3, PAGE.shape[1] + 200), 255, np.uint8)
    page[400 : 400 + PAGE.shape[0], 100 : 100 + PAGE.shape[1]] = panel
    page[1400 : 1400 + PAGE.shape[0], 100 : 100 + PAGE.shape[1]] = PAGE
    transcript = read_page(raster_of(page))
    assert text_of(transcript).count("roster.desk@example.org") == 2
    assert Box(100, 400, 100 + PAGE.shape[1], 400 + PAGE.shape[0]).contains(place_of(transcript, "roster.desk"))


def test_black_scan_edges_do_not_upset_the_reading() -> None:
    page = np.pad(PAGE, 40, constant_values=0)
    assert " ".join(LINES[1:]) in text_of(read_page(raster_of(page)))


def test_colour_pages_are_read() -> None:
    page = np.stack([255 - (255 - PAGE) // 2, PAGE, PAGE], axis=2)
    assert "roster.desk@example.org" in text_of(read_page(raster_of(page, mode="colour")))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 5)])
def test_a_page_without_room_for_a_letter_has_no_words(shape: tuple[int, int]) -> None:
    raster = PageRaster(0, np.full(shape, 255, np.uint8), "grey", (200.0, 200.0))
    page = read_page(raster)
    assert [reading.words for reading in page.readings] == [()]
    assert read_again(raster, page) == page


def test_a_bad_page_is_read_again_but_not_endlessly() -> None:
    noise = np.random.default_rng(3).normal(0, 70, PAGE.shape)
    faint = np.clip(np.interp(PAGE, (0, 255), (120, 200)) + noise, 0, 255).astype(np.uint8)
    transcript = read_page(raster_of(faint))
    assert [reading.reader for reading in transcript.readings] == [
        "tesseract --psm 3",
        "tesseract --psm 3 at 0.75x",
        "rapidocr",
    ]
    assert transcript.doubts
    assert all(0 < doubt.score <= 1 for doubt in transcript.doubts)
    assert len(read_page(raster_of(faint), OcrSettings(second_look=False)).readings) == 1


@pytest.mark.parametrize(
    ("low", "uncovered", "doubtful"),
    [(0.0, 0.0, False), (0.05, 0.05, False), (0.09, 0.0, True), (0.3, 0.0, True), (0.0, 0.2, True)],
)
def test_effort_follows_doubt(low: float, uncovered: float, doubtful: bool) -> None:
    assessment = Assessment(mean=80, low=low, uncovered=uncovered, ink=0.05, characters=500, patches=(), passed_over=())
    assert is_doubtful(assessment) is doubtful


def test_writing_that_is_no_text_is_pointed_at() -> None:
    page = np.vstack([PAGE, np.full((300, PAGE.shape[1]), 255, np.uint8)])
    xs = np.arange(200, 700)
    ys = PAGE.shape[0] + 100 + 25 * np.sin(xs / 9) + 12 * np.sin(xs / 3.1)
    points = np.stack([xs, ys], axis=1).astype(np.int32)
    for piece in np.array_split(points, 8):
        cv2.polylines(page, [piece[:-6].reshape(-1, 1, 2)], False, 0, 3)
    doubts = read_page(raster_of(page)).doubts
    assert any(
        doubt.code == "handwriting-like" and doubt.box and doubt.box.meets(Box(200, PAGE.shape[0], 700, len(page)))
        for doubt in doubts
    )


def test_an_inky_page_without_words_is_doubted_and_a_blank_one_is_not() -> None:
    page = np.full((1200, 900), 255, np.uint8)
    assert read_page(raster_of(page)).doubts == ()
    assert read_page(raster_of(page)).readings[0].words == ()
    for x in range(100, 800, 60):
        cv2.ellipse(page, (x, 320), (18, 7), x, 20, 290, 0, 3)
    assert "inky-but-wordless" in {doubt.code for doubt in read_page(raster_of(page)).doubts}


def test_the_text_layer_is_kept_as_a_reading_of_its_own() -> None:
    data = pdf_with(write_lines)
    (raster,) = rasterise(data, inspect(data))
    transcript = read_page(raster)
    assert transcript.readings[-1].reader == "text-layer"
    assert transcript.readings[-1].frame == Frame(raster.width_px, raster.height_px)
    assert text_of(transcript, -1) == TEXT == text_of(transcript)


def test_a_lying_text_layer_does_not_change_what_is_read() -> None:
    layer = (Word("nothing", Box(0, 0, 50, 20), 100.0, 0),)
    assert text_of(read_page(raster_of(PAGE, layer=layer))) == TEXT


@pytest.mark.parametrize("turns", [0, 1])
def test_a_qr_code_is_found_and_decoded_in_place(turns: int) -> None:
    code = zxingcpp.create_barcode("tel:+442079460123", zxingcpp.BarcodeFormat.QRCode).to_image(scale=5)
    page = np.full((900, 700), 255, np.uint8)
    code = np.asarray(code)
    page[500 : 500 + code.shape[0], 300 : 300 + code.shape[1]] = code
    (symbol,) = read_page(raster_of(np.rot90(page, turns))).symbols
    assert symbol.text == "tel:+442079460123"
    ink = ink_of(np.ascontiguousarray(np.rot90(page, turns)))
    assert symbol.box.padded(3).contains(ink)
    assert ink.padded(3).contains(symbol.box)


def test_a_damaged_qr_code_is_still_pointed_at() -> None:
    code = np.asarray(zxingcpp.create_barcode("tel:+442079460123", zxingcpp.BarcodeFormat.QRCode).to_image(scale=8))
    page = np.full((600, 600), 255, np.uint8)
    page[100 : 100 + code.shape[0], 100 : 100 + code.shape[1]] = code
    page[190:250, 170:290] = 255
    (symbol,) = read_page(raster_of(page)).symbols
    assert symbol.text == ""
    assert symbol.box.meets(Box(150, 150, 250, 250))


def test_text_that_looks_a_little_like_a_code_is_none() -> None:
    assert read_page(raster_of(text_pixels(150))).symbols == ()


def test_the_same_page_gives_the_same_bytes() -> None:
    noisy = bilevel(np.clip(PAGE + np.random.default_rng(5).normal(0, 60, PAGE.shape), 0, 255).astype(np.uint8))
    (raster,) = rasterise(scan_pdf(noisy), inspect(scan_pdf(noisy)))
    assert encode(read_page(raster)) == encode(read_page(raster))


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read_page(raster_of(PAGE))
    with pytest.raises(ReaderUnavailableError):
        read_page(raster_of(PAGE), OcrSettings(timeout_s=0.001))
    assert list(tmp_path.iterdir()) == []


def test_a_language_that_is_not_installed_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError):
        read_page(raster_of(PAGE), OcrSettings(language="xx_none"))


def test_tesseract_runs_on_one_thread() -> None:
    assert os.environ["OMP_THREAD_LIMIT"] == "1"


def test_the_engine_names_its_version() -> None:
    assert engine_version().startswith("tesseract 5.")


def test_words_of_no_confidence_are_kept_and_empty_ones_are_not() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    rows = [
        "4\t1\t1\t1\t1\t0\t10\t10\t90\t20\t-1\t",
        "5\t1\t1\t1\t1\t1\t60\t10\t40\t20\t0.0\tlater",
        "5\t1\t1\t1\t1\t2\t10\t10\t40\t20\t91.5\tfirst",
        "5\t1\t1\t1\t1\t3\t70\t10\t40\t20\t95\t ",
        "5\t1\t1\t1\t2\t1\t10\t50\t40\t20\t12\ttab\tin",
    ]
    words = parse_tsv("\n".join([head, *rows]))
    assert words == (
        Word("first", Box(10, 10, 50, 30), 91.5, 0),
        Word("later", Box(60, 10, 100, 30), 0.0, 0),
        Word("tab\tin", Box(10, 50, 50, 70), 12.0, 1),
    )


def test_words_of_a_line_up_the_page_stay_in_the_order_of_the_engine() -> None:
    rows = ["5\t1\t1\t1\t1\t1\t30\t700\t14\t37\t90\t0131", "5\t1\t1\t1\t1\t2\t27\t650\t14\t30\t90\t496"]
    assert [word.text for word in parse_tsv("\n".join(rows))] == ["0131", "496"]


def test_a_typewritten_table_is_not_taken_for_a_page_on_its_side() -> None:
    """Columns of one width make edges as sharp as lines do."""
    rows = [f"{n:02}/05/24  04:{n:02}:31  43{n:02}  07700 9000{n:02}  {n:02}m50" for n in range(10, 44)]
    transcript = read_page(raster_of(typed_pixels(rows)))
    assert transcript.readings[0].frame.quarter_turns == 0
    assert text_of(transcript).count("07700") >= 30


def test_a_second_look_adds_readings_and_keeps_the_first() -> None:
    raster = raster_of(PAGE)
    page = read_page(raster)
    again = read_again(raster, page)
    assert again.readings[: len(page.readings)] == page.readings
    added = range(len(page.readings), len(again.readings))
    assert [again.readings[n].reader for n in added] == [
        "tesseract --psm 6 again",
        "tesseract --psm 11 again",
        "rapidocr",
    ]
    first = {word.text: page.readings[0].frame.box_to_page(word.box) for word in page.readings[0].words}
    for n in added:
        frame = again.readings[n].frame
        seen = {word.text: frame.box_to_page(word.box) for word in again.readings[n].words}
        shared = [text for text in first if len(text) > 4 and text in seen]
        assert len(shared) > 5
        assert all(first[text].meets(seen[text]) for text in shared)
