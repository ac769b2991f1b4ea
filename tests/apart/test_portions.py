"""A record of many pages is read some pages at a time, and comes out as if it had been read in one piece."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tasks import pipeline
from tasks.apart import Apart
from tasks.codec import pack, unpack
from tasks.model import Transcript
from tasks.readers import Readers, join_transcripts
from tasks.reading.settings import PAGES_AT_ONCE, ReadingSettings
from tests.pictures import typed

SETTINGS = ReadingSettings()
PAGES = PAGES_AT_ONCE + 2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Apart(1) as apart:
        yield Readers(apart, SETTINGS)


@pytest.fixture(scope="module")
def tiff() -> bytes:
    pages = [typed(f"Page {number} of many.", height=120).resize((400, 50)) for number in range(1, PAGES + 1)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], dpi=(100, 100))
    return out.getvalue()


def test_portions_make_the_whole(readers: Readers, tiff: bytes) -> None:
    media = readers.look("many.tif", tiff)
    assert media.pages == PAGES
    assert readers.read(media, tiff) == pack(pipeline.read_record(tiff, media, SETTINGS.ocr, SETTINGS.limits))


def test_parts_put_together_make_the_whole_too(readers: Readers, tiff: bytes) -> None:
    media = readers.look("many.tif", tiff)
    parts = [unpack(readers.read(media, tiff, some), Transcript) for some in (range(3), range(3, PAGES))]
    assert [page.page for page in parts[1].pages] == list(range(3, PAGES))
    assert pack(join_transcripts(parts)) == readers.read(media, tiff)


def test_each_page_has_its_picture_and_no_more_are_drawn_than_are_asked_for(readers: Readers, tiff: bytes) -> None:
    media = readers.look("many.tif", tiff)
    pictures = readers.show(media, tiff, 100)
    first = next(pictures)
    with Image.open(io.BytesIO(first)) as picture:
        assert (picture.format, picture.width) == ("JPEG", 100)
    assert len([first, *pictures]) == PAGES
    assert next(readers.show(media, tiff, 100)) == first, "the same bytes every time"


def test_a_very_tall_page_gives_a_picture_of_bounded_size(readers: Readers) -> None:
    out = io.BytesIO()
    Image.new("L", (40, 4000), 255).save(out, "PNG")
    (picture,) = readers.show(readers.look("strip.png", out.getvalue()), out.getvalue(), 100)
    with Image.open(io.BytesIO(picture)) as opened:
        assert opened.height <= 400
