"""The sample request is what it says it is: real containers, known contents, the same bytes every time."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pymupdf
import pypdfium2
import pytesseract
import pytest
from PIL import Image, UnidentifiedImageError

from infra.demo.documents import email, memo
from infra.demo.documents.request import REQUESTER
from infra.demo.fonts import Face, find_face
from infra.demo.sample import Sample, build_sample
from infra.demo.sheet import Truth, read_marks
from tasks.errors import ConfigurationError
from tasks.request import parse_request

pytestmark = pytest.mark.slow

POSTERS = "records/SKM_C45826111709120.pdf"
INTRANET = "records/SKM_C45826111709141.pdf"
DIRECTORY = "records/scan0007.tif"
EMAIL = "records/Scan_20261117_0003.pdf"
FAX = "records/FAX-0231.tif"
MEMO = "records/Scan 4 (1).png"
FORM = "records/DOC171126.jpg"
DAMAGED = "records/scan0009.tif"

RESERVED_TELEPHONE = re.compile(r"(01632 960 ?|020 7946 0|07700 900 ?|0808 157 0|0161 496 0|\+44 20 7946 0)\d{3}")
"""The ranges Ofcom keeps for drama that the sample draws from."""


@pytest.fixture(scope="module")
def sample() -> Sample:
    return build_sample()


def jpeg_filters(content: bytes) -> list[list[str]]:
    """For each page of a PDF, the filters of its images."""
    with pikepdf.open(io.BytesIO(content)) as document:
        return [[str(image.Filter) for image in page.get_images().values()] for page in document.pages]


def earlier_revision(content: bytes) -> bytes:
    """The PDF as it was before it was last saved."""
    return content[: content.rindex(b"%%EOF", 0, content.rindex(b"%%EOF")) + len(b"%%EOF\n")]


def test_the_command_line_writes_the_same_bytes_in_another_process(sample: Sample, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.demo.sample", str(tmp_path)], check=True, capture_output=True, text=True
    )
    home = tmp_path / sample.reference
    assert done.stdout.strip() == str(home)
    written = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert written.keys() == sample.files.keys()
    assert [path for path in written if written[path] != sample.files[path]] == []


def test_the_folder_is_small_and_request_json_comes_last(sample: Sample) -> None:
    assert sum(map(len, sample.files.values())) < 4_000_000
    assert list(sample.files)[-1] == "request.json"


def test_request_json_is_a_request_that_lists_every_record(sample: Sample) -> None:
    request = parse_request(sample.files["request.json"], "01.FOI.26.012345")
    assert request.records is not None
    assert {record.file for record in request.records} == sample.files.keys() - {"request.json"}
    assert all(record.title and record.date for record in request.records)
    assert [letter.sender for letter in request.clarification] == ["authority", "requester"]
    assert request.review == "none"


def test_the_requester_s_own_details_are_in_the_request_and_listed_as_secret(sample: Sample) -> None:
    request = parse_request(sample.files["request.json"], sample.reference)
    letters = request.request_text + "".join(letter.text for letter in request.clarification)
    own = sample.secrets["request.json"]
    assert REQUESTER in own
    assert len(own) == 5
    assert [value for value in own if value not in letters] == []


@pytest.mark.parametrize("path", [POSTERS, INTRANET, EMAIL])
def test_a_pdf_holds_two_pages_of_one_jpeg_each(sample: Sample, path: str) -> None:
    assert jpeg_filters(sample.files[path]) == [["/DCTDecode"]] * 2


@pytest.mark.parametrize("path", [POSTERS, INTRANET])
def test_posters_and_intranet_pages_are_in_colour_and_carry_no_text(sample: Sample, path: str) -> None:
    with pypdfium2.PdfDocument(sample.files[path]) as document:
        for page in document:
            assert page.get_textpage().count_chars() == 0
            pixels = np.asarray(page.render(scale=0.5).to_pil(), np.int16)
            assert (np.ptp(pixels, axis=2) > 60).mean() > 0.001


@pytest.mark.parametrize(("path", "pages", "dpi"), [(DIRECTORY, 3, (300, 300)), (FAX, 1, (204, 196))])
def test_a_tiff_is_group_4_at_its_resolution(sample: Sample, path: str, pages: int, dpi: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(sample.files[path])) as image:
        assert image.n_frames == pages
        for frame in range(pages):
            image.seek(frame)
            assert (image.format, image.mode, image.info["compression"]) == ("TIFF", "1", "group4")
            assert image.info["dpi"] == dpi
            assert image.width / dpi[0] == pytest.approx(8.3, abs=0.25)
            assert 0.02 < 1 - np.asarray(image).mean() < 0.2


@pytest.mark.parametrize(("path", "kind", "mode"), [(MEMO, "PNG", "L"), (FORM, "JPEG", "RGB")])
def test_a_single_image_is_of_the_kind_its_name_says(sample: Sample, path: str, kind: str, mode: str) -> None:
    with Image.open(io.BytesIO(sample.files[path])) as image:
        image.load()
        assert (image.format, image.mode) == (kind, mode)
        assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_no_reader_opens_the_damaged_file(sample: Sample) -> None:
    content = sample.files[DAMAGED]
    assert sample.damaged == (DAMAGED,)
    assert content[:4] == b"II*\x00"
    with pytest.raises((UnidentifiedImageError, OSError)):
        Image.open(io.BytesIO(content)).load()
    with pytest.raises((pymupdf.FileDataError, RuntimeError)):
        pymupdf.open(stream=content, filetype="tiff")[0].get_pixmap()
    assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) is None


def test_the_email_holds_an_imperfect_invisible_text_layer(sample: Sample) -> None:
    with pymupdf.open(stream=sample.files[EMAIL]) as document:
        seen = document[0].get_text().split()
        modes = {span["type"] for page in document for span in page.get_texttrace()}
    printed = [word.text for word in email.set_email(100)[0].words]
    assert modes == {3}
    assert 0.75 < len(set(seen) & set(printed)) / len(set(printed)) < 0.97


def test_the_text_layer_s_words_end_where_the_printed_words_end(sample: Sample) -> None:
    with pymupdf.open(stream=sample.files[EMAIL]) as document:
        page = document[0]
        pixmap = page.get_pixmap(dpi=144, colorspace=pymupdf.csGRAY)
        words = sorted(page.get_text("words"), key=lambda word: (round(word[3]), word[0]))
    dark = 255.0 - np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    inside, between = [], []
    for word, after in pairwise(words):
        left, top, right, bottom = (round(2 * side) for side in word[:4])
        if abs(after[3] - word[3]) < 1 and 1.5 < after[0] - word[2] < 4:
            inside.append(dark[top:bottom, left:right].mean())
            between.append(dark[top:bottom, right + 1 : round(2 * after[0]) - 1].mean())
    assert len(inside) > 60
    assert np.mean(inside) > 5 * np.mean(between)


def test_the_email_carries_metadata_an_attachment_and_an_earlier_revision(sample: Sample) -> None:
    content = sample.files[EMAIL]
    with pikepdf.open(io.BytesIO(content)) as document:
        found = str(document.docinfo.Author) + str(document.docinfo.Keywords)
        found += document.Root.Metadata.read_bytes().decode()
        found += document.attachments[email.ATTACHMENT_NAME].get_file().read_bytes().decode()
        assert all("/Annots" not in page for page in document.pages)
    with pikepdf.open(io.BytesIO(earlier_revision(content))) as document:
        found += str(document.pages[0].Annots[0].Contents)
    assert len(email.hidden_values()) > 8
    assert [value for value in email.hidden_values() if value not in found] == []
    assert set(email.hidden_values()) < set(sample.hidden[EMAIL])


def test_what_the_old_reader_saw_of_a_contact_is_listed_as_hidden(sample: Sample) -> None:
    with pymupdf.open(stream=sample.files[EMAIL]) as document:
        words = " ".join(page.get_text("text") for page in document).split()
    layer = [value for value in sample.hidden[EMAIL] if value not in email.hidden_values()]
    assert len(layer) > 15
    assert [value for value in layer if not all(any(p in w for w in words) for p in value.split())] == []
    assert set(layer) - set(sample.secrets[EMAIL]), "no contact was misread"


def test_the_form_names_its_operator_in_exif(sample: Sample) -> None:
    with Image.open(io.BytesIO(sample.files[FORM])) as image:
        assert sample.hidden[FORM] == (image.getexif()[0x013B],)


def test_every_readable_record_holds_secrets_and_things_to_keep(sample: Sample) -> None:
    readable = sample.files.keys() - {DAMAGED, "request.json"}
    assert len(readable) >= 7
    for path in readable:
        assert len(sample.secrets[path]) >= 8, path
        assert len(sample.kept[path]) >= 4, path
    assert set(sample.public_contacts) == {"101", "999", "0800 555 111"}


def test_every_planted_contact_is_invented(sample: Sample) -> None:
    values = [value for group in (sample.secrets, sample.hidden) for one in group.values() for value in one]
    printed = [value for one in sample.secrets.values() for value in one]
    telephones = [value for value in printed if re.fullmatch(r"[\d +]{10,}", value)]
    hosts = [m[1] for value in values for m in re.finditer(r"(?:@|\[at\] |://)([a-z.-]+\.[a-z]+)", value)]
    postcodes = [value for value in printed if re.fullmatch(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}", value)]
    assert len(telephones) > 100
    assert [value for value in telephones if not RESERVED_TELEPHONE.fullmatch(value)] == []
    assert len(hosts) > 60
    assert [host for host in hosts if host.rpartition(".")[2] not in {"example", "examp1e", "cxample"}] == []
    assert postcodes
    assert {value[:2] for value in postcodes} <= {"ZZ", "XX"}


def test_tesseract_reads_most_of_the_memo(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    with Image.open(io.BytesIO(sample.files[MEMO])) as image:
        seen = set(pytesseract.image_to_string(image).split())
    printed = [word.text for word in memo.set_memo(200).words]
    assert len(printed) > 200
    assert sum(word in seen for word in printed) / len(printed) > 0.9


def test_marks_become_truth_and_are_not_printed() -> None:
    plain, truth = read_marks("Ring ‹01632 960 1› or «101» on {1 May}")
    assert plain == "Ring 01632\u00a0960\u00a01 or 101 on 1 May"
    assert truth == Truth(("01632 960 1",), ("101",), ("1 May",))


@pytest.mark.parametrize(("face", "package"), [(Face.SANS, "fonts-liberation2"), (Face.WIDE_MONO, "fonts-dejavu-core")])
def test_a_missing_font_names_the_package_to_install(face: Face, package: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=package):
        find_face(face, (tmp_path, tmp_path / "absent"))
