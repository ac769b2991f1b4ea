"""Entry by entry, operator by operator: what may not be there raises the finding that its table says, and no other."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pikepdf
import pytest

from tasks.redaction.gate import checks, content, images, structure
from tasks.redaction.gate.verdict import check_record
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

Name, Array, Dictionary = pikepdf.Name, pikepdf.Array, pikepdf.Dictionary


def codes(data: bytes, record: DrawnRecord) -> set[str]:
    return {finding.code for finding in check_record(data, record.plan, record.transcript).findings}


def test_an_entered_check_can_still_be_called() -> None:
    for check in (*checks.FILE_CHECKS, *checks.PAGE_CHECKS):
        assert callable(check.run) and check.codes and check.name == check.run.__name__.replace("_", "-")
    room = [getattr(structure, check.run.__name__, check.run) for check in (*checks.FILE_CHECKS, *checks.PAGE_CHECKS)]
    assert all(map(callable, room))


# ------------------------------------------------------------------------------------------------ entries

ON_PAGE = {
    **dict.fromkeys(("/Metadata", "/PieceInfo", "/LastModified", "/OutputIntents", "/SpiderInfo"), "A11"),
    **dict.fromkeys(("/AF", "/Collection", "/EmbeddedFiles"), "A12"),
    **dict.fromkeys(("/Prev", "/XRefStm"), "A13"),
    **dict.fromkeys(("/UserUnit", "/BleedBox", "/TrimBox", "/ArtBox", "/BoxColorInfo"), "A14"),
    **dict.fromkeys(("/OCProperties", "/OC", "/Properties"), "A15"),
    **dict.fromkeys(("/Outlines", "/Dests", "/Names", "/PageLabels", "/Threads", "/B"), "A16"),
    **dict.fromkeys(("/ColorSpace", "/Pattern", "/Shading", "/ProcSet"), "A06"),
    **dict.fromkeys(("/AA", "/Trans", "/Dur", "/PZ", "/ID", "/VP", "/Private"), "A17"),
    "/Encrypt": "A00",
    "/Thumb": "A18",
    "/Group": "A21",
    "/SMask": "A21",
    "/Mask": "A21",
    "/ExtGState": "A23",
}


@pytest.mark.parametrize("key", ON_PAGE)
def test_an_entry_of_a_page(record: DrawnRecord, good: bytes, key: str) -> None:
    bad = faults.on_page(lambda pdf, page: page.__setitem__(key, Dictionary(A=1)))(good)
    assert codes(bad, record) == {ON_PAGE[key]}


def test_the_table_of_entries_is_tried_whole() -> None:
    assert set(structure.CODES) <= {*ON_PAGE, "/Annots", "/Rotate"}


def test_an_array_that_holds_itself(record: DrawnRecord, good: bytes) -> None:
    """Each check that walks the file comes to an end, and only the entry is a fault."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Private = pdf.make_indirect(Array())
        page.Private.append(page.Private)

    assert codes(faults.on_page(plant)(good), record) == {"A17"}


@pytest.mark.parametrize("key", ["/Metadata", "/AF", "/Private"])
@pytest.mark.parametrize("where", ["resources", "content", "root", "trailer", "node", "preferences"])
def test_an_entry_elsewhere(record: DrawnRecord, good: bytes, where: str, key: str) -> None:
    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        held: dict[str, Any] = {
            "resources": page.Resources,
            "content": page.Contents,
            "root": pdf.Root,
            "trailer": pdf.trailer,
            "node": pdf.Root.Pages,
            "preferences": pdf.Root.ViewerPreferences,
        }
        held[where][key] = Dictionary(A=1)

    if (where, key) == ("root", "/Metadata"):
        return  # is to be there; what it says is tried in `test_tags`
    assert codes(faults.on_page(plant)(good), record) == {structure.CODES.get(key, "A17")}


def test_a_page_tree_in_two_levels_is_looked_into(record: DrawnRecord, good: bytes) -> None:
    def plant(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        middle = pdf.make_indirect(Dictionary(Type=Name.Pages, Kids=[page], Count=1, Parent=pdf.Root.Pages))
        page.Parent = middle
        pdf.Root.Pages.Kids = Array([middle])

    def plant_more(pdf: pikepdf.Pdf) -> None:
        plant(pdf)
        pdf.Root.Pages.Kids[0].Private = pikepdf.String("call me")

    assert codes(faults.resave(good, plant), record) == set()
    assert codes(faults.resave(good, plant_more), record) == {"A17"}


@pytest.mark.parametrize("count", [2, 5])
def test_a_page_tree_that_counts_other_pages_than_it_holds(record: DrawnRecord, good: bytes, count: int) -> None:
    """One reader counts the leaves, another believes the number."""
    bad = good.replace(b"/Count 1/", b"/Count %d/" % count)
    assert bad != good
    assert codes(bad, record) == {"A28"}


def test_one_font_under_two_names(record: DrawnRecord, good: bytes) -> None:
    """The second name could say something, and the file holds one font all the same."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Resources.Font["/Jordan"] = page.Resources.Font["/F1"]

    assert codes(faults.on_page(plant)(good), record) == {"A04"}


def test_names_that_lead_to_several_kinds(record: DrawnRecord, good: bytes) -> None:
    def named(**entries: Any) -> bytes:
        return faults.in_root("/Names", lambda pdf: Dictionary(**entries))(good)

    empty = Dictionary(Names=Array())
    assert codes(named(EmbeddedFiles=empty), record) == {"A12"}
    assert codes(named(EmbeddedFiles=empty, JavaScript=empty), record) == {"A12", "A17"}
    assert codes(named(Dests=empty), record) == {"A16"}
    assert codes(named(JavaScript=empty, Dests=empty), record) == {"A16", "A17"}
    assert codes(named(), record) == {"A16"}


@pytest.mark.parametrize("key", sorted(images.MASKS | images.METADATA | {"/Decode", "/OC", "/Intent", "/Interpolate"}))
def test_an_entry_of_an_image(record: DrawnRecord, good: bytes, key: str) -> None:
    expected = {
        **dict.fromkeys(("/SMask", "/Mask", "/SMaskInData", "/ImageMask", "/Matte"), "A21"),
        **dict.fromkeys(("/Metadata", "/Name", "/ID", "/OPI", "/Alternates", "/Measure", "/PtData"), "A18"),
        "/Decode": "A23",
        "/OC": "A15",
        "/Intent": "A17",
        "/Interpolate": "A17",
    }
    value = Array([0, 1]) if key in ("/Mask", "/Decode", "/Matte") else Dictionary(A=1)
    assert codes(faults.on_image(lambda image: image.__setitem__(key, value))(good), record) == {expected[key]}


def test_an_image_of_another_type(record: DrawnRecord, good: bytes) -> None:
    assert codes(faults.on_image(lambda image: image.__setitem__("/Type", Name.Jordan))(good), record) == {"A18"}


@pytest.mark.parametrize("mode", ["bilevel", "colour"])
@pytest.mark.parametrize("key", ["/K", "/Columns", "/Rows", "/Colors", "/Predictor", "/BitsPerComponent", "/BlackIs1"])
def test_the_parameters_of_a_coding_are_as_they_are(mode: str, key: str) -> None:
    """One left out, or one more."""
    drawn = record_of(draw_page(mode=mode, jpeg=False))  # type: ignore[arg-type]
    good = drawn.apply()

    def plant(image: Any) -> None:
        if key in image.DecodeParms:
            del image.DecodeParms[key]
        else:
            image.DecodeParms[key] = 1

    assert "A31" in codes(faults.on_image(plant)(good), drawn)


def test_parameters_of_a_jpeg(record: DrawnRecord, good: bytes) -> None:
    bad = faults.on_image(lambda image: image.__setitem__("/DecodeParms", Dictionary(ColorTransform=1)))(good)
    assert codes(bad, record) == {"A31"}


def test_rows_below_those_that_were_read() -> None:
    """What a mark hides once more, below the page, and all of it drawn on the page's own size."""
    drawn = record_of(draw_page(jpeg=False))
    (first, *_) = drawn.plan.marks[0].regions
    hidden = drawn.pages[0].raster.pixels[first.y0 : first.y1]

    def plant(image: Any) -> None:
        shown = np.array(pikepdf.PdfImage(image).as_pil_image().convert("L"))
        longer = np.concatenate([shown, hidden])
        parms = Dictionary(Columns=longer.shape[1], Colors=1, BitsPerComponent=8, Predictor=15)
        rows = b"".join(b"\0" + row.tobytes() for row in longer)
        image.Height = len(longer)
        image.write(zlib.compress(rows), filter=Name.FlateDecode, decode_parms=parms)

    good = drawn.apply()
    assert codes(good, drawn) == set()
    assert codes(faults.on_image(plant)(good), drawn) == {"A14"}


def test_rows_that_name_filters_there_are_none_of() -> None:
    """A row begins with the number of its filter; readers take an unknown one for none, so each is a byte for free."""
    drawn = record_of(draw_page(jpeg=False))

    def plant(image: Any) -> None:
        shown = np.array(pikepdf.PdfImage(image).as_pil_image().convert("L"))
        parms = Dictionary(Columns=shown.shape[1], Colors=1, BitsPerComponent=8, Predictor=15)
        message = b"call me".ljust(len(shown), b"\0")
        rows = b"".join(bytes([first]) + row.tobytes() for first, row in zip(message, shown, strict=True))
        image.write(zlib.compress(rows), filter=Name.FlateDecode, decode_parms=parms)

    assert codes(faults.on_image(plant)(drawn.apply()), drawn) == {"A19"}


def test_a_place_at_which_no_word_stands(record: DrawnRecord, good: bytes) -> None:
    """Nobody sees it, copies it or hears it, and its numbers could be a telephone's."""
    at = b"1 0 0 1 1632 960123 Tm\n"

    def plant(content: bytes) -> bytes:
        assert b" Tj" in content
        head, found, rest = content.partition(b" Tj")
        return head + found + b"\n" + at + rest

    assert codes(faults.on_content(plant)(good), record) == {"A06"}


@pytest.mark.parametrize("bits", [1, 4, 16])
def test_another_number_of_bits(record: DrawnRecord, good: bytes, bits: int) -> None:
    assert codes(faults.on_image(lambda image: image.__setitem__("/BitsPerComponent", bits))(good), record) == {"A31"}


# ------------------------------------------------------------------------------------------------ operators

PATHS = ["1 1 m", "1 1 l", "1 1 2 2 3 3 c", "1 1 2 2 v", "1 1 2 2 y", "h", "1 1 2 2 re", "S", "s", "f", "F", "f*", "B"]
PATHS += ["B*", "b", "b*", "n", "W", "W*", "/P1 sh", "1 w", "1 J", "1 j", "1 M", "[] 0 d"]
COLOURS = ["/C1 CS", "/C1 cs", "1 SC", "1 SCN", "1 sc", "1 scn", "1 G", "1 g", "1 1 1 RG", "1 1 1 rg"]
COLOURS += ["1 1 1 1 K", "1 1 1 1 k"]
UNFOLLOWED = ["1 Tc", "1 Tw", "50 Tz", "1 TL", "1 Ts", "1 1 Td", "1 1 TD", "T*", "[<0001>] TJ", "<0001> '"]
UNFOLLOWED += ['1 1 <0001> "']
OTHERS = ["BX", "EX", "1 0 d0", "1 0 0 0 1 1 d1", "/Perceptual ri", "1 i"]


def before_the_text(operation: str) -> Any:
    return faults.on_content(lambda c: c.replace(b"\nBT", b"\n" + operation.encode() + b"\nBT", 1))


def within_the_text(operation: str) -> Any:
    return faults.on_content(lambda c: c.replace(faults.LAST, b"\n" + operation.encode() + faults.LAST, 1))


@pytest.mark.parametrize("operation", PATHS)
def test_an_operator_of_a_path(record: DrawnRecord, good: bytes, operation: str) -> None:
    assert codes(before_the_text(operation)(good), record) == {"A08"}


def test_a_polygonal_cover(record: DrawnRecord, good: bytes) -> None:
    """Over the marks, drawn as four lines."""
    x, y = faults.place_of(record)
    polygon = f"{x} {y} m {x + 90} {y} l {x + 90} {y + 12} l {x} {y + 12} l h f"
    assert codes(before_the_text(polygon)(good), record) == {"A08"}


@pytest.mark.parametrize("operation", COLOURS)
def test_an_operator_of_colour(record: DrawnRecord, good: bytes, operation: str) -> None:
    assert codes(before_the_text(operation)(good), record) == {"A04"}
    assert codes(within_the_text(operation)(good), record) == {"A04"}


@pytest.mark.parametrize("operation", UNFOLLOWED)
def test_an_operator_that_moves_or_spreads_text(record: DrawnRecord, good: bytes, operation: str) -> None:
    """No reader here follows it, so that no check that must know where text stands can finish."""
    report = check_record(within_the_text(operation)(good), record.plan, record.transcript)
    found = {(finding.code, finding.message) for finding in report.findings}
    assert ("A04", f"The page holds {checks.FAULTS['A04']}.") in found
    assert ("A01", "The check no-text-meets-a-mark could not finish.") in found
    assert ("A25", "The check no-withheld-value-in-the-text-layer could not finish.") in found


@pytest.mark.parametrize("operation", OTHERS)
def test_any_other_operator(record: DrawnRecord, good: bytes, operation: str) -> None:
    assert codes(before_the_text(operation)(good), record) == {"A06"}


@pytest.mark.parametrize("operation", ["/Span MP", "/Span <</Note (call me)>> DP"])
def test_a_marked_point(record: DrawnRecord, good: bytes, operation: str) -> None:
    assert codes(within_the_text(operation)(good), record) == {"A17"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"\nBT", b"\nBT ET\nBT", "A06"),
        (b"/Im1 Do", b"/Im1 Do Q q", "A06"),
        (b"3 Tr", b"3 Tr 3 Tr", "A04"),
        (b" Tf", b" Tf /F1 1 Tf", "A04"),
        (b"3 Tr", b"7 Tr", "A04"),
        (b"3 Tr", b"2 Tr", "A04"),
        (b"q ", b"1 0 0 1 0 0 cm q ", "A06"),
        (faults.LAST, faults.LAST + b"\nET", "A06"),
        (b"/Im1 Do", b"Q q /Im1 Do", "A06"),
    ],
)
def test_an_operator_once_more_or_out_of_place(
    record: DrawnRecord, good: bytes, old: bytes, new: bytes, code: str
) -> None:
    bad = faults.on_content(lambda c: c.replace(old, new, 1))(good)
    assert bad != good
    assert code in codes(bad, record)
    assert codes(bad, record) <= {code, "A14", "A17"}


def test_every_operator_of_the_table_is_tried() -> None:
    tried = {one.split()[-1] for one in (*PATHS, *COLOURS, *UNFOLLOWED)} | {"MP", "DP", "gs"}
    assert {operator for operator, code in content.OPERATORS.items() if code} <= tried


# ------------------------------------------------------------------------------------------------ the file's bytes


def test_a_file_cut_anywhere_opens_nothing(record: DrawnRecord, good: bytes) -> None:
    """So there is no earlier revision that cutting would bring back."""
    ends = [
        *range(1, len(good) - 8, len(good) // 40),
        *(at + 6 for at in range(len(good)) if good[at : at + 6] == b"endobj"),
    ]
    assert [end for end in ends if codes(good[:end], record) != {"A00"}] == []
