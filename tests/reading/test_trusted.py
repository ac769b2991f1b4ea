"""Drawn pages whose text layer is believed, and every way of lying found so far: those are read from their pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pymupdf
import pytest
from pytesseract import pytesseract

from tasks import pipeline
from tasks.model import DRAWN_TEXT, PageTranscript, Transcript
from tasks.reading.engine import recognise, recognise_all
from tasks.reading.media import inspect
from tasks.reading.settings import Limits, OcrSettings
from tasks.request import Policy
from tests.reading.papers import LINES, Pixels, image_file, pdf_with, scan_pdf, text_of, text_pixels, write_lines

NUMBER = "020 7946 0189"
PLAIN = (
    "The quick brown fox jumps over the lazy dog.",
    "Pack my box with five dozen liquor jugs today.",
    "Rooms 4172, 5638 and 9065 were let on 21 June.",
    "Rooms 9283, 1740 and 6517 were let on 30 June.",
    "How vexingly quick daft zebras jump by night.",
)
WITH_NUMBER = (*PLAIN, f"Anybody who asks may ring {NUMBER} at noon.")

Draw = Callable[[pymupdf.Page], None]


def read(data: bytes, settings: OcrSettings | None = None) -> Transcript:
    return pipeline.read_record(data, inspect(data), settings or OcrSettings(), Limits())


def is_believed(page: PageTranscript) -> bool:
    return page.readings[0].reader == DRAWN_TEXT


def seen(page: PageTranscript) -> str:
    """The digits of every reading, words run together."""
    return " ".join("".join(c for c in text_of(page, n) if c.isdigit()) for n in range(len(page.readings)))


# -------------------------------------------------------------------------------------------- pages that tell the truth


def honest(page: pymupdf.Page) -> None:
    write_lines(page, WITH_NUMBER, size=11)


def ruled(page: pymupdf.Page) -> None:
    honest(page)
    page.draw_rect((20, 20, 400, 280), width=0.8)
    page.draw_line((20, 200), (400, 200), width=0.5)


def on_a_panel(page: pymupdf.Page) -> None:
    page.draw_rect((0, 0, 420, 298), fill=(0.85, 0.9, 1), color=None)
    page.draw_rect((20, 230, 400, 260), fill=(0.1, 0.2, 0.4), color=None)
    honest(page)
    page.insert_text((30, 248), "Notes of the lazy fox", fontsize=11, color=(1, 1, 1))


def in_colours_and_faces(page: pymupdf.Page) -> None:
    write_lines(page, PLAIN, size=11)
    for face, y in (("tiro", 190), ("cour", 215), ("hebo", 240)):
        page.insert_text((36, y), f"ring {NUMBER} or 3465", fontname=face, fontsize=10, color=(0.4, 0, 0))


@pytest.mark.parametrize("draw", [honest, ruled, on_a_panel, in_colours_and_faces])
def test_a_page_that_agrees_with_its_pixels_is_believed(draw: Draw) -> None:
    (page,) = read(pdf_with(draw)).pages
    assert [reading.reader for reading in page.readings] == [DRAWN_TEXT]
    assert NUMBER in text_of(page)
    assert not page.doubts


def test_nothing_is_believed_when_the_settings_say_so() -> None:
    (page,) = read(pdf_with(honest), OcrSettings(trust=False)).pages
    assert not is_believed(page)


def test_words_stand_on_their_ink() -> None:
    data = pdf_with(honest)
    (page,) = read(data).pages
    (read_by_eye,) = read(data, OcrSettings(trust=False)).pages
    boxes = {word.text: word.box for word in page.readings[0].words}
    frame = read_by_eye.readings[0].frame
    others = {word.text: frame.box_to_page(word.box) for word in read_by_eye.readings[0].words}
    digits = [text for text in boxes.keys() & others.keys() if text.isdigit()]
    assert len(digits) > 8
    for text in digits:
        a, b = boxes[text], others[text]
        assert max(abs(a.x0 - b.x0), abs(a.y0 - b.y0), abs(a.x1 - b.x1), abs(a.y1 - b.y1)) <= 2, text


def test_one_run_of_tesseract_serves_many_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = tmp_path / "count"
    script = tmp_path / "tesseract"
    script.write_text(f'#!/bin/sh\necho run >> {count}\nexec {pytesseract.tesseract_cmd} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(pytesseract, "tesseract_cmd", str(script))
    with pymupdf.open(stream=pdf_with(honest)) as one, pymupdf.open() as many:
        for _ in range(8):
            many.insert_pdf(one)
        data = many.tobytes(garbage=4)
    transcript = read(data)
    assert [is_believed(page) for page in transcript.pages] == [True] * 8
    assert len(count.read_text().split()) <= 2


def test_the_same_file_gives_the_same_transcript_in_parts_and_whole() -> None:
    with pymupdf.open() as document:
        for draw in (honest, ruled, in_colours_and_faces):
            with pymupdf.open(stream=pdf_with(draw)) as one:
                document.insert_pdf(one)
        data = document.tobytes()
    media = inspect(data)
    whole = read(data)
    assert whole == read(data)
    parts = [
        page
        for number in range(3)
        for page in pipeline.read_record(data, media, OcrSettings(), Limits(), range(number, number + 1)).pages
    ]
    assert tuple(parts) == whole.pages


def test_what_is_believed_is_redacted_and_passes_the_gate() -> None:
    data = pdf_with(honest)
    media, transcript = inspect(data), read(data)
    policy = Policy()
    plan = pipeline.plan_in_request(transcript, *([pipeline.find_in_record(transcript, policy)] * 2), policy)
    assert plan.withheld == (NUMBER,)
    pdf = pipeline.redact_record(data, media, plan, transcript, "Record", Limits())
    assert pipeline.gate_record(pdf, plan, transcript, OcrSettings()).findings == ()


def test_ligatures_and_leaders_are_words_as_a_reader_sees_them() -> None:
    def draw(page: pymupdf.Page) -> None:
        write_lines(page, (*PLAIN, f"Duty office{'.' * 30}5638"), size=11)

    (page,) = read(pdf_with(draw)).pages
    assert is_believed(page)
    assert [word.text for word in page.readings[0].words][-3:] == ["office", ".....", "5638"]


# ------------------------------------------------------------------------------------------------ pixels without words


def as_image(pixels: Pixels, place: tuple[float, float, float, float]) -> Draw:
    return lambda page: page.insert_image(place, stream=image_file(pixels, "PNG"), keep_proportion=False)


def number_pixels(shade: int = 0) -> Pixels:
    with pymupdf.open() as document:
        page = document.new_page(width=120, height=20)
        page.insert_text((5, 14), NUMBER, fontsize=11, color=(shade / 255,) * 3)
        pixmap = page.get_pixmap(dpi=200, colorspace=pymupdf.csGRAY)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def outlines(page: pymupdf.Page, x: float, y: float) -> None:
    """The number as filled rectangles, one for each run of dark pixels."""
    dark = number_pixels() < 128
    shape = page.new_shape()
    for row, line in enumerate(dark):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line, [0]])))
        for start, end in edges.reshape(-1, 2):
            shape.draw_rect((x + start * 0.36, y + row * 0.36, x + end * 0.36, y + row * 0.36 + 0.37))
    shape.finish(color=None, fill=(0, 0, 0))
    shape.commit()


def plain(page: pymupdf.Page) -> None:
    write_lines(page, PLAIN, size=11)


def stamped(page: pymupdf.Page) -> None:
    plain(page)
    as_image(number_pixels(), (200, 220, 320, 240))(page)


def outlined(page: pymupdf.Page) -> None:
    plain(page)
    outlines(page, 200, 220)


def annotated(page: pymupdf.Page) -> None:
    plain(page)
    page.add_freetext_annot((200, 220, 340, 240), NUMBER, fontsize=11)


def in_a_field(page: pymupdf.Page) -> None:
    plain(page)
    field = pymupdf.Widget()
    field.field_name, field.field_value, field.rect = "ring", NUMBER, pymupdf.Rect(200, 220, 340, 240)
    field.field_type, field.text_fontsize = pymupdf.PDF_WIDGET_TYPE_TEXT, 11
    page.add_widget(field)


def over_other_words(page: pymupdf.Page) -> None:
    """Words that nobody sees, under a patch of paper; on it, within their boxes, what everybody sees."""
    plain(page)
    page.insert_text((205, 235), "an ordinary remark", fontsize=13)
    page.draw_rect((198, 220, 330, 242), color=None, fill=(1, 1, 1))
    outlines(page, 203, 224)


def slanted(page: pymupdf.Page) -> None:
    plain(page)
    at = pymupdf.Point(200, 240)
    page.insert_text(at, f"Ring {NUMBER}", fontsize=12, morph=(at, pymupdf.Matrix(8)))


@pytest.mark.parametrize("draw", [stamped, outlined, annotated, in_a_field, over_other_words, slanted])
def test_what_stands_in_the_pixels_alone_is_read(draw: Draw) -> None:
    (page,) = read(pdf_with(draw)).pages
    assert not is_believed(page)
    assert NUMBER.replace(" ", "") in seen(page)


def test_print_of_nearly_the_shade_of_the_paper_is_not_overlooked() -> None:
    def draw(page: pymupdf.Page) -> None:
        plain(page)
        as_image(number_pixels(shade=252), (200, 220, 320, 240))(page)

    assert not is_believed(read(pdf_with(draw)).pages[0])


def test_a_bar_code_of_drawn_bars_is_not_a_set_of_rules() -> None:
    def draw(page: pymupdf.Page) -> None:
        plain(page)
        for bar in range(40):
            page.draw_rect((100 + 3 * bar, 210, 101 + 3 * bar + bar % 2, 260), color=None, fill=(0, 0, 0))

    assert not is_believed(read(pdf_with(draw)).pages[0])


def test_print_too_small_for_a_reader_is_no_dust() -> None:
    def draw(page: pymupdf.Page) -> None:
        plain(page)
        for digit in range(10):
            page.draw_circle((200 + 8 * digit, 230), 0.7, color=None, fill=(0, 0, 0))

    assert not is_believed(read(pdf_with(draw)).pages[0])


def test_digits_of_straight_strokes_are_no_rules() -> None:
    segments = {"0": "abcdef", "1": "bc", "2": "abged", "4": "fgbc", "6": "afgedc", "7": "abc", "9": "abcdfg"}
    lines = {
        "a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 1)), "c": ((1, 1), (1, 2)), "d": ((0, 2), (1, 2)),
        "e": ((0, 1), (0, 2)), "f": ((0, 0), (0, 1)), "g": ((0, 1), (1, 1)),
    }  # fmt: skip

    def draw(page: pymupdf.Page) -> None:
        plain(page)
        for place, digit in enumerate("02079460"):
            for name in segments[digit]:
                (ax, ay), (bx, by) = lines[name]
                x, y = 40 + 30 * place, 200
                page.draw_line((x + 16 * ax, y + 16 * ay), (x + 16 * bx, y + 16 * by), width=2)

    assert not is_believed(read(pdf_with(draw)).pages[0])


# ------------------------------------------------------------------------------------------------ words without pixels


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"color": (1, 1, 1)}, id="white"),
        pytest.param({"render_mode": 3}, id="invisible"),
        pytest.param({"fill_opacity": 0.1}, id="see-through"),
        pytest.param({"render_mode": 1, "border_width": 0.01}, id="outlined"),
    ],
)
def test_words_that_do_not_show_plainly_make_a_layer_doubtful(more: dict[str, object]) -> None:
    def draw(page: pymupdf.Page) -> None:
        honest(page)
        page.insert_text((200, 250), "nobody sees this", fontsize=11, **more)

    assert not is_believed(read(pdf_with(draw)).pages[0])


def test_words_under_a_patch_of_paper_are_not_taken_for_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        honest(page)
        page.draw_rect((30, 60, 250, 80), color=None, fill=(1, 1, 1))

    (page,) = read(pdf_with(draw)).pages
    assert not is_believed(page)
    assert "liquor" not in text_of(page)


def test_words_that_are_cut_by_a_clip_are_not_believed() -> None:
    whole = pdf_with(honest)
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        page = pdf.pages[0]
        page.contents_add(b"q 36 0 70 298 re W n", prepend=True)
        page.contents_add(b"Q")
        out = io.BytesIO()
        pdf.save(out)
    assert not is_believed(read(out.getvalue()).pages[0])


def test_a_scan_with_a_layer_of_its_own_reader_is_read_again() -> None:
    with pymupdf.open(stream=scan_pdf(text_pixels())) as document:
        write_lines(document[0], LINES)
        visible = document.tobytes()
    with pymupdf.open(stream=scan_pdf(text_pixels())) as document:
        for number, line in enumerate(LINES):
            document[0].insert_text((36, 50 + number * 24), line, fontsize=12, render_mode=3)
        hidden = document.tobytes()
    assert not is_believed(read(visible).pages[0])
    assert not is_believed(read(hidden).pages[0])


# -------------------------------------------------------------------------------------------- words of other characters


def with_map(data: bytes, other: dict[str, str], *, copies: bool = False) -> bytes:
    """The file with a font that draws what it drew, and says something else: a /ToUnicode of ours.

    Args:
        data: one page.
        other: character as drawn -> as the layer says.
        copies: leave the first font as it is and lie in a second of the same name, used for the last line alone.
    """
    rows = "".join(f"<{code:02x}> <{ord(other.get(chr(code), chr(code))):04x}>\n" for code in range(32, 127))
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Lie def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n95 beginbfchar\n{rows}endbfchar\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )
    with pikepdf.open(io.BytesIO(data)) as pdf:
        fonts = pdf.pages[0].Resources.Font
        for name in list(fonts.keys()):
            lying = pikepdf.Dictionary(fonts[name]) if copies else fonts[name]
            lying.ToUnicode = pdf.make_stream(cmap.encode())
            if copies:
                fonts["/Lie"] = pdf.make_indirect(lying)
                pdf.pages[0].contents_add(
                    f"BT /Lie 11 Tf 1 0 0 1 36 60 Tm (Anybody may ring {NUMBER} at noon.) Tj ET".encode()
                )
                break
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


LIES = {
    "digits-are-letters": dict(zip("0123456789", "abcdefghij", strict=True)),
    "digits-are-moved": dict(zip("0123456789", "1234567890", strict=True)),
    "two-digits-are-exchanged": {"6": "9", "9": "6"},
    "one-digit-is-another": {"8": "3"},
    "digits-are-bullets": dict.fromkeys("0123456789", "\u2022"),
    "digits-are-dots": dict.fromkeys("0123456789", "."),
    "digits-are-dashes": dict.fromkeys("0123456789", "-"),
    "digits-are-accents": dict.fromkeys("0123456789", "\u0301"),
    "digits-are-blanks": dict.fromkeys("0123456789", " "),
    "letters-are-of-another-script": dict(zip("aeopc", "\u0430\u0435\u043e\u0440\u0441", strict=True)),
    "everything-is-one-letter": {chr(code): "x" for code in range(33, 127)},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_layer_of_other_characters_than_are_drawn_is_not_believed(lie: str) -> None:
    (page,) = read(with_map(pdf_with(honest), LIES[lie])).pages
    assert not is_believed(page)
    assert NUMBER.replace(" ", "") in seen(page)


def test_a_map_that_tells_the_truth_is_believed() -> None:
    (page,) = read(with_map(pdf_with(honest), {})).pages
    assert is_believed(page)


@pytest.mark.parametrize("lie", ["digits-are-letters", "two-digits-are-exchanged", "digits-are-bullets"])
def test_a_second_font_under_the_name_of_an_honest_one_is_not_believed(lie: str) -> None:
    (page,) = read(with_map(pdf_with(plain), LIES[lie], copies=True)).pages
    assert not is_believed(page)
    assert NUMBER.replace(" ", "") in seen(page)


def test_a_page_that_lies_is_not_covered_by_the_honest_ones_around_it() -> None:
    with pymupdf.open() as document:
        for data in (pdf_with(honest), with_map(pdf_with(honest), LIES["digits-are-moved"]), pdf_with(honest)):
            with pymupdf.open(stream=data) as one:
                document.insert_pdf(one)
        data = document.tobytes()
    assert [is_believed(page) for page in read(data).pages] == [True, False, True]


@pytest.mark.parametrize("said", [b"nothing of interest", b""])
def test_text_that_replaces_what_is_drawn_is_not_believed(said: bytes) -> None:
    """/ActualText (ISO 32000-1, 14.9.4): what to say instead of the content it marks."""
    with pikepdf.open(io.BytesIO(pdf_with(plain))) as pdf:
        (name,) = pdf.pages[0].Resources.Font.keys()
        content = b"/Span <</ActualText (%s)>> BDC BT %s 11 Tf 1 0 0 1 36 60 Tm (%s) Tj ET EMC"
        pdf.pages[0].contents_add(content % (said, str(name).encode(), NUMBER.encode()))
        out = io.BytesIO()
        pdf.save(out)
    (page,) = read(out.getvalue()).pages
    assert NUMBER.replace(" ", "") in seen(page)


# ------------------------------------------------------------------------------------------------ reading together


def test_sheets_read_together_give_the_words_that_each_gives_alone() -> None:
    sheets = [text_pixels(lines=LINES[:2]), np.full((90, 300), 255, np.uint8), text_pixels(lines=LINES[2:])]
    how = {"psm": 6, "dpi": 200, "language": "eng", "timeout_s": 60}
    together = recognise_all(sheets, **how)  # type: ignore[arg-type]
    assert together == [recognise(sheet, **how) for sheet in sheets]  # type: ignore[arg-type]
    assert [bool(words) for words in together] == [True, False, True]
    assert recognise_all([], **how) == []  # type: ignore[arg-type]
