"""The new file: its pixels, its text, its size, its silence."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import Image

from tasks.geometry import Box
from tasks.model import Detection, Kind, PageRaster
from tasks.redaction.apply import apply_marks
from tasks.redaction.encode import JPEG_QUALITY, encode_jpeg, source_quality
from tasks.redaction.former import FormerFile
from tests.redaction.drawn import MEMO, SECRETS, DrawnPage, DrawnRecord, draw_page, record_of

LABEL = "[withheld: s.31(1)(a)]"


def image_of(data: bytes, page: int = 0) -> tuple[pikepdf.Object, np.ndarray]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        image = pdf.pages[page].obj.Resources.XObject["/Im1"]
        entries = pikepdf.Dictionary({k: v for k, v in image.items() if k != "/Length"})
        return entries, np.array(pikepdf.PdfImage(image).as_pil_image())


def mask_of(record: DrawnRecord, page: int = 0) -> np.ndarray:
    raster = record.pages[page].raster
    mask = np.zeros((raster.height_px, raster.width_px), bool)
    for mark in record.plan.marks:
        for r in mark.regions if mark.page == page else ():
            mask[r.y0 : r.y1, r.x0 : r.x1] = True
    return mask


def text_of(data: bytes, page: int = 0) -> str:
    reader = pypdfium2.PdfDocument(data)
    try:
        return " ".join(str(reader[page].get_textpage().get_text_range()).split())
    finally:
        reader.close()


# ------------------------------------------------------------------------------------------------ pixels


def test_bilevel_stays_one_bit_in_group_4_and_unchanged_outside_marks() -> None:
    record = record_of(draw_page(mode="bilevel"))
    entries, pixels = image_of(record.apply())
    assert entries.Filter == "/CCITTFaxDecode" and entries.DecodeParms.K == -1
    assert entries.BitsPerComponent == 1 and entries.ColorSpace == "/DeviceGray"
    seen = np.where(pixels, 255, 0)
    mask = mask_of(record)
    assert np.array_equal(seen[~mask], record.pages[0].raster.pixels[~mask])
    assert (seen[mask] == 0).mean() > 0.85  # the rest is the printed exemption


@pytest.mark.parametrize("mode", ["grey", "colour"])
def test_jpeg_pages_stay_jpeg_and_nearly_unchanged_outside_marks(mode: str) -> None:
    record = record_of(draw_page(mode=mode))  # type: ignore[arg-type]
    entries, pixels = image_of(record.apply())
    assert entries.Filter == "/DCTDecode"
    source = record.pages[0].raster.pixels
    assert pixels.shape == source.shape
    strayed = np.abs(pixels.astype(int) - source.astype(int))[~mask_of(record)]
    assert strayed.mean() < 1.5


def test_jpeg_marks_are_flat_but_for_their_print() -> None:
    record = record_of(draw_page(mode="colour"))
    _, pixels = image_of(record.apply())
    for mark in record.plan.marks:
        r = mark.regions[0]
        whole = Box(-(-r.x0 // 8) * 8, -(-r.y0 // 8) * 8, r.x1 // 8 * 8, r.y1 // 8 * 8)  # blocks without paper in them
        inside = pixels[whole.y0 : whole.y1, whole.x0 : whole.x1].max(axis=2)
        assert inside[:, :16].max() <= 12  # print keeps away from the ends
        assert (inside > 128).any()  # and is there


def test_drawn_pages_are_lossless() -> None:
    record = record_of(draw_page(mode="colour", jpeg=False))
    entries, pixels = image_of(record.apply())
    assert entries.Filter == "/FlateDecode"
    mask = mask_of(record)
    assert np.array_equal(pixels[~mask], record.pages[0].raster.pixels[~mask])
    assert set(np.unique(pixels[mask])) == {0, 255}


def test_photographs_that_never_were_jpeg_become_jpeg_with_marks_grown_to_its_blocks() -> None:
    page = draw_page(mode="grey", jpeg=False)
    noise = np.random.default_rng(7).normal(0, 25, page.raster.pixels.shape)
    noisy = np.clip(page.raster.pixels * 0.8 + noise, 0, 255).astype(np.uint8)
    record = record_of(replace(page, raster=replace(page.raster, pixels=noisy)))
    entries, pixels = image_of(record.apply())
    assert entries.Filter == "/DCTDecode"
    assert (pixels[mask_of(record)] <= 12).mean() > 0.8


def test_the_exemption_is_printed_in_its_mark_as_the_text_is_turned() -> None:
    level = record_of(draw_page(mode="bilevel"))
    turned = record_of(draw_page(mode="bilevel", quarter_turns=1))
    _, level_pixels = image_of(level.apply())
    _, turned_pixels = image_of(turned.apply())
    differing = np.rot90(turned_pixels) != level_pixels
    assert differing.mean() < 0.001  # print may stand half a pixel aside
    assert (level_pixels[mask_of(level)]).sum() > 500


def test_the_source_raster_is_not_written_to() -> None:
    page = draw_page()
    before = page.raster.pixels.copy()
    record_of(page).apply()
    assert np.array_equal(page.raster.pixels, before)


def test_nothing_of_a_hidden_value_is_left() -> None:
    """Two records that differ only in what is hidden, in boxes of one width, give the same bytes."""
    plain = {"020 7946 0111": SECRETS["020 7946 0123"]}
    lines = ["Ring the office:", "020 7946 0111"]
    first = record_of(draw_page(lines, plain))
    other = {"020 7946 0171": SECRETS["020 7946 0123"]}
    second = record_of(draw_page(["Ring the office:", "020 7946 0171"], other))
    assert not np.array_equal(first.pages[0].raster.pixels, second.pages[0].raster.pixels)
    assert first.apply() == second.apply()


# ------------------------------------------------------------------------------------------------ text


MODES: dict[str, dict[str, object]] = {
    "level": {},
    "turned once": {"quarter_turns": 1},
    "turned twice": {"quarter_turns": 2},
    "turned three times": {"quarter_turns": 3},
    "fax": {"mode": "bilevel", "dpi": (204, 98)},
}


@pytest.mark.parametrize("settings", MODES.values(), ids=MODES.keys())
def test_the_text_layer_reads_as_the_page_with_notices_for_marks(settings: dict[str, object], tmp_path: Path) -> None:
    record = record_of(draw_page(**settings))  # type: ignore[arg-type]
    data = record.apply()
    expected = " ".join(" ".join(MEMO).split())
    for secret in SECRETS:
        expected = expected.replace(secret.rstrip("."), LABEL)
    path = tmp_path / "out.pdf"
    path.write_bytes(data)
    poppler = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True, check=True)
    assert poppler.stderr == ""
    assert " ".join(poppler.stdout.split()) == expected
    if settings.get("quarter_turns"):  # pdfium sorts the words of turned lines anew
        assert sorted(text_of(data).split()) == sorted(expected.split())
    else:
        assert text_of(data) == expected


def test_skewed_pages_keep_every_visible_word_once() -> None:
    record = record_of(draw_page(skew_deg=1.5, size=(1654, 1200), dpi=(200, 200), type_px=30))
    words = text_of(record.apply()).split()
    for token in ("MEMORANDUM", "arrangements", "barrier", "2023."):
        assert token in words
    assert " ".join(words).count(LABEL) == len(record.plan.marks)
    assert "7946" not in words and "jordan.example@police.example" not in words


@pytest.mark.parametrize("settings", [*MODES.values(), {"skew_deg": 2.0}], ids=[*MODES, "skewed"])
def test_words_lie_where_they_are_seen(settings: dict[str, object]) -> None:
    page = draw_page(**settings)  # type: ignore[arg-type]
    reader = pypdfium2.PdfDocument(record_of(page).apply())
    text_page = reader[0].get_textpage()
    text = text_page.get_text_range()
    for wanted in ("MEMORANDUM", "barrier", "Monday."):
        start = text.index(wanted)
        boxes = [text_page.get_charbox(i) for i in range(start, start + len(wanted))]
        x = (min(b[0] for b in boxes) + max(b[2] for b in boxes)) / 2 * page.transcript.dpi[0] / 72
        up = (min(b[1] for b in boxes) + max(b[3] for b in boxes)) / 2 * page.transcript.dpi[1] / 72
        reading = page.transcript.readings[0]
        place = reading.frame.box_to_page(next(w.box for w in reading.words if w.text == wanted))
        assert place.padded(4).x0 <= x <= place.padded(4).x1
        assert place.padded(4).y0 <= page.transcript.height_px - up <= place.padded(4).y1
    reader.close()


def test_words_read_in_a_blank_place_are_left_out() -> None:
    page = draw_page()
    words = page.transcript.readings[0].words
    ghost = replace(words[-1], text="phantom", box=words[-1].box.padded(0), line=99)
    ghost = replace(ghost, box=type(ghost.box)(900, 800, 1000, 824))
    reading = replace(page.transcript.readings[0], words=(*words, ghost))
    transcript = replace(page.transcript, readings=(reading,))
    assert "phantom" not in text_of(record_of(replace(page, transcript=transcript)).apply())


def test_the_layer_is_invisible_and_in_one_embedded_font(tmp_path: Path) -> None:
    path = tmp_path / "out.pdf"
    path.write_bytes(record_of(draw_page(), draw_page(page=1, mode="bilevel")).apply())
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True)
    assert fonts.stderr == ""
    (row,) = fonts.stdout.splitlines()[2:]
    assert "FOIAAA+Invisible" in row and re.search(r"yes\s+yes\s+yes", row)


def test_characters_beyond_the_basic_plane_and_controls(tmp_path: Path) -> None:
    page = draw_page()
    words = list(page.transcript.readings[0].words)
    words[0] = replace(words[0], text="MÉMO\x00\U0001f4de\u200b")
    reading = replace(page.transcript.readings[0], words=tuple(words))
    data = record_of(replace(page, transcript=replace(page.transcript, readings=(reading,)))).apply()
    assert text_of(data).startswith("MÉMO\U0001f4de ")


# ------------------------------------------------------------------------------------------------ the file


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (record_of(draw_page(), draw_page(page=1, mode="colour")).apply() for _ in range(2))
    assert first == second


def test_another_title_gives_another_identifier() -> None:
    record = record_of(draw_page())
    ids = []
    for title in ("One", "Two"):
        with pikepdf.open(io.BytesIO(record.apply(title))) as pdf:
            ids.append(bytes(pdf.trailer.ID[0]))
    assert ids[0] != ids[1]


def test_title_and_language_are_all_that_is_said() -> None:
    data = record_of(draw_page()).apply("Fahrplan \u2013 (Entwurf) \\ 100 %\n")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert str(pdf.docinfo["/Title"]) == "Fahrplan \u2013 (Entwurf) \\ 100 %"
        assert set(pdf.docinfo.keys()) == {"/Title", "/Producer"}
        assert str(pdf.docinfo["/Producer"]) == "foi-disclosure"
        assert str(pdf.Root.Lang) == "en-GB"
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
    assert b"MuPDF" not in data


def test_pages_have_the_size_of_the_paper() -> None:
    record = record_of(draw_page(mode="bilevel", dpi=(204, 98)))
    raster = record.pages[0].raster
    with pikepdf.open(io.BytesIO(record.apply())) as pdf:
        box = [float(v) for v in pdf.pages[0].mediabox]
        assert box == [float(v) for v in pdf.pages[0].cropbox]
    assert box[2:] == pytest.approx([raster.width_px * 72 / 204, raster.height_px * 72 / 98], abs=0.01)


def test_other_readers_find_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "out.pdf"
    path.write_bytes(record_of(draw_page(), draw_page(page=1, mode="bilevel", quarter_turns=1)).apply())
    qpdf = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert qpdf.returncode == 0 and qpdf.stderr == ""
    assert shutil.which("pdfimages")
    listed = subprocess.run(["pdfimages", "-list", path], capture_output=True, text=True, check=True)
    assert [row.split()[8] for row in listed.stdout.splitlines()[2:]] == ["jpeg", "ccitt"]


def scanned(quality: int, mode: str = "grey") -> tuple[DrawnRecord, int]:
    """A page with paper grain as a scanner compresses it, and the scan's size in bytes."""
    page = draw_page([*MEMO, "", *MEMO], mode=mode, size=(1654, 2339), dpi=(200, 200), type_px=30)  # type: ignore[arg-type]
    grain = np.random.default_rng(1).normal(0, 4, page.raster.pixels.shape)
    noisy = np.clip(page.raster.pixels * 0.9 + 10 + grain, 0, 255).astype(np.uint8)
    scan = io.BytesIO()
    Image.fromarray(noisy).save(scan, "JPEG", quality=quality)
    decoded = np.array(Image.open(scan))
    return record_of(replace(page, raster=replace(page.raster, pixels=decoded))), len(scan.getvalue())


@pytest.mark.parametrize("mode", ["grey", "colour"])
@pytest.mark.parametrize("quality", [40, 60, 75, 90])
def test_an_office_scan_grows_by_less_than_a_third(quality: int, mode: str) -> None:
    record, size = scanned(quality, mode)
    assert len(record.apply()) < size * 4 / 3


@pytest.mark.parametrize("quality", [35, 50, 70])
def test_the_quality_of_a_scan_is_recognised_and_kept(quality: int) -> None:
    record, _ = scanned(quality)
    assert abs(source_quality(record.pages[0].raster.pixels) - quality) <= 1  # neighbours share most steps
    _, pixels = image_of(record.apply())
    strayed = np.abs(pixels.astype(int) - record.pages[0].raster.pixels)[~mask_of(record)]
    assert strayed.mean() < 0.5


def test_finer_scans_are_coded_at_the_usual_quality() -> None:
    assert source_quality(scanned(85)[0].pages[0].raster.pixels) == JPEG_QUALITY


def test_a_page_off_its_grid_has_the_usual_quality() -> None:
    shifted = scanned(50)[0].pages[0].raster.pixels[3:, 5:]
    assert source_quality(shifted) == JPEG_QUALITY


def test_noise_in_every_channel_is_coded_too() -> None:
    """More than a byte a pixel: Pillow's own buffer is too small for it."""
    noise = np.random.default_rng(9).integers(0, 256, (600, 500, 3)).astype(np.uint8)
    stream = encode_jpeg(noise, keep_chroma=True, quality=JPEG_QUALITY)
    assert len(stream.data) > noise.shape[0] * noise.shape[1]
    with Image.open(io.BytesIO(stream.data)) as image:
        assert image.size == (500, 600)
        image.load()


def test_what_is_hidden_does_not_choose_the_coding() -> None:
    """The same page with another text below the same mark: a photograph, in colour, of finer steps."""
    page = draw_page(MEMO[:2], {}, jpeg=False, size=(1000, 700))
    noise = np.random.default_rng(2).integers(0, 256, (200, 600, 3)).astype(np.uint8)
    claim = Detection(Kind.BOX, 0, (Box(200, 400, 800, 600),), "", 1.0, "person")
    drawn = DrawnPage(page.raster, page.transcript, (claim,))
    record = record_of(drawn)
    hidden = np.stack([page.raster.pixels] * 3, axis=2)
    hidden[400:600, 200:800] = noise
    loud = replace(record, pages=(replace(drawn, raster=replace(page.raster, pixels=hidden, mode="colour")),))
    assert loud.apply() == record.apply()


def test_the_quality_is_judged_by_what_is_left_to_see() -> None:
    """A scan of quality 50, and the same with blocks of quality 70 below its marks."""
    plain, _ = scanned(50)
    other, _ = scanned(70)
    pixels = plain.pages[0].raster.pixels.copy()
    for mark in plain.plan.marks:
        for r in mark.regions:
            cut = np.s_[r.y0 : r.y1, r.x0 : r.x1]
            pixels[cut] = other.pages[0].raster.pixels[cut]
    page = plain.pages[0]
    mixed = replace(plain, pages=(replace(page, raster=replace(page.raster, pixels=pixels)),))
    assert mixed.apply() == plain.apply()


def test_a_fax_page_with_marks_stays_small() -> None:
    record = record_of(draw_page([*MEMO, "", *MEMO], mode="bilevel", size=(1654, 2339), dpi=(200, 200)))
    assert len(record.apply()) < 30_000


# ------------------------------------------------------------------------------------------------ what is refused


def test_pages_are_taken_one_at_a_time() -> None:
    record = record_of(*(draw_page(page=i, mode="bilevel") for i in range(3)))
    asked: list[int] = []

    def rasters() -> object:
        for raster in record.rasters():
            asked.append(raster.page)
            yield raster

    assert apply_marks(rasters(), record.plan, record.transcript, "x") == record.apply("x")  # type: ignore[arg-type]
    assert asked == [0, 1, 2]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rasters: rasters[:1], "there are 1 pages"),
        (lambda rasters: [*rasters, rasters[0]], "more pages"),
        (lambda rasters: rasters[::-1], "not the one"),
        (lambda rasters: [replace(rasters[0], grids=()), rasters[1]], "grid"),
        (lambda rasters: [replace(rasters[0], dpi=(72, 72)), rasters[1]], "resolution"),
    ],
    ids=["missing", "extra", "swapped", "another grid", "another resolution"],
)
def test_pages_that_are_not_those_that_were_read_are_refused(spoil: object, said: str) -> None:
    record = record_of(draw_page(), draw_page(page=1))
    rasters: list[PageRaster] = spoil(record.rasters())  # type: ignore[operator]
    with pytest.raises(ValueError, match=said):
        apply_marks(rasters, record.plan, record.transcript, "x")


def test_a_plan_of_another_source_is_refused() -> None:
    record = record_of(draw_page())
    with pytest.raises(ValueError, match="another transcript"):
        apply_marks(record.rasters(), replace(record.plan, source_sha256="0" * 64), record.transcript, "x")


# ------------------------------------------------------------------------------------------------ pages taken over


def of_all_kinds() -> DrawnRecord:
    """Pages that are coded in every way; of the last nothing was read."""
    pages = [
        draw_page(page=0, mode="bilevel"),
        draw_page(page=1, mode="grey"),
        draw_page(page=2, mode="colour", quarter_turns=1),
        draw_page(page=3, mode="grey", jpeg=False, dpi=(150, 75)),
        draw_page(["Nobody has read this."], {}, page=4),
    ]
    pages[4] = replace(pages[4], transcript=replace(pages[4].transcript, readings=()))
    return record_of(*pages)


def without_marks_of(record: DrawnRecord, page: int) -> DrawnRecord:
    """The record as it is when a person removes a page's marks: all later ones are counted anew."""
    left = (mark for mark in record.plan.marks if mark.page != page)
    return replace(record, plan=replace(record.plan, marks=tuple(replace(m, number=n) for n, m in enumerate(left, 1))))


@pytest.mark.parametrize("page", range(4))
def test_a_page_that_is_taken_over_has_the_bytes_it_would_have_if_painted(page: int) -> None:
    record = of_all_kinds()
    assert {mark.page for mark in record.plan.marks} == {0, 1, 2, 3}
    corrected = without_marks_of(record, page)
    for before, now in ((record, corrected), (corrected, record)):
        former = FormerFile(before.apply(), before.plan, before.transcript)
        assert former.unchanged(now.plan) == {0, 1, 2, 3, 4} - {page}
        only = [now.rasters()[page]]
        again = apply_marks(only, now.plan, now.transcript, "A drawn record", former=former)
        assert again == now.apply()


def test_a_page_with_another_mark_exemption_or_colour_is_painted_anew() -> None:
    record = of_all_kinds()
    former = FormerFile(record.apply(), record.plan, record.transcript)
    first, *rest = record.plan.marks
    region = first.regions[0]
    moved = replace(first, regions=(replace(region, x1=region.x1 + 8), *first.regions[1:]))
    for changed in (replace(first, exemption="s.40(2)"), moved):
        assert former.unchanged(replace(record.plan, marks=(changed, *rest))) == {1, 2, 3, 4}
    assert former.unchanged(replace(record.plan, grey=not record.plan.grey)) == set()
    assert former.unchanged(replace(record.plan, source_sha256="0" * 64)) == set()
    with pytest.raises(ValueError, match="there are 0 pages"):
        apply_marks([], replace(record.plan, marks=(moved, *rest)), record.transcript, "x", former=former)
