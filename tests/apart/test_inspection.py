"""`foi verify` looks into PDFs apart: the answer is the same, and a file that ends its reader is a faulty one."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import pikepdf
import pytest

from tasks.apart import Bounds
from tasks.apart.bounds import MIB
from tasks.codec import encode
from tasks.disclosure.inspect_record import Inspector, RecordFaults, inspect_record
from tasks.disclosure.verify import verify_bundle
from tasks.inspection import _believed, inspecting_apart
from tests.disclosure.examples import MARKS, dossier, files, keys, painted_page, record_pdf
from tests.disclosure.test_bundle import bundle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def apart() -> Iterator[Inspector]:
    with inspecting_apart() as inspect:
        yield inspect


def boxes() -> list[tuple[int, list[int]]]:
    return [(mark.page + 1, [b.x0, b.y0, b.x1, b.y1]) for mark in MARKS for b in mark.regions]


def test_a_good_bundle_holds_apart(apart: Inspector) -> None:
    assert verify_bundle(bundle(), keys().public.pem, inspect=apart) == verify_bundle(bundle(), keys().public.pem)


@pytest.mark.parametrize("bad", [b"", b"%PDF-1.7 not really", record_pdf([painted_page([])] * 3)], ids=["", "no", "3"])
def test_faults_are_the_same_apart_as_here(apart: Inspector, bad: bytes) -> None:
    first = dossier().records[0]
    here = inspect_record(bad, first.pages, boxes())
    assert apart(bad, first.pages, boxes()) == here
    assert here.pages
    assert apart(files()[first.file_name], first.pages, boxes()) == RecordFaults()


def swelling() -> bytes:
    """A PDF of some kilobytes whose one picture is of 190 million pixels in colour."""
    with pikepdf.new() as pdf:
        side = 13_800
        packer = zlib.compressobj(9)
        data = b"".join(packer.compress(bytes(side * 3)) for _ in range(side)) + packer.flush()
        picture = pikepdf.Stream(pdf, data, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
        picture.Width = picture.Height = side
        picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceRGB, 8
        picture.Filter = pikepdf.Name.FlateDecode
        page = pdf.add_blank_page(page_size=(600, 600))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=pdf.make_indirect(picture)))
        page.Contents = pdf.make_stream(b"600 0 0 600 0 0 cm /P Do")
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def test_a_record_that_swells_is_a_record_with_a_fault() -> None:
    with inspecting_apart(Bounds(memory_bytes=700 * MIB)) as inspect:
        found = inspect(swelling(), [(13_800, 13_800)], [(1, [0, 0, 100, 100])])
        assert found.pages
        assert inspect(files()[dossier().records[0].file_name], dossier().records[0].pages, boxes()) == RecordFaults()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"pages": 1}',
        encode(RecordFaults(("\x1b[2Jeverything holds",), (), ())),
        encode(RecordFaults((), (), ("x" * 201,))),
    ],
    ids=["nothing", "list", "number", "moves the cursor", "long"],
)
def test_what_a_reader_that_was_taken_over_says_is_checked(said: bytes) -> None:
    with pytest.raises(ValueError, match="not"):
        _believed(said)
