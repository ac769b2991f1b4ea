"""Tags and metadata as hiding places: whatever they could say beside what the page shows is a finding."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest

from tasks.redaction.gate.verdict import check_record
from tests.attacks import faults
from tests.redaction.drawn import DrawnRecord, draw_page, record_of

Name, String, Dictionary, Array = pikepdf.Name, pikepdf.String, pikepdf.Dictionary, pikepdf.Array
Plant = Callable[[bytes], bytes]
VALUE = "jordan.example@police.example"


def codes(data: bytes, record: DrawnRecord) -> set[str]:
    return {finding.code for finding in check_record(data, record.plan, record.transcript).findings}


def on_tree(change: Callable[[pikepdf.Pdf, Any], None]) -> Plant:
    return lambda data: faults.resave(data, lambda pdf: change(pdf, pdf.Root.StructTreeRoot))


def on_part(change: Callable[[pikepdf.Pdf, Any], None], level: str = "paragraph") -> Plant:
    """A change of the third paragraph, or of what it is part of."""

    def plant(pdf: pikepdf.Pdf, tree: Any) -> None:
        section = tree.K.K[0]
        parts = {"paragraph": section.K[2], "section": section, "document": tree.K, "root": tree}
        change(pdf, parts[level])

    return on_tree(plant)


def entry(key: str, value: Any, level: str = "paragraph") -> Plant:
    return on_part(lambda pdf, part: part.__setitem__(key, value() if callable(value) else value), level)


def in_content(old: bytes, new: bytes) -> Plant:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return faults.on_content(change)


SAYING = ("/ActualText", "/Alt", "/E", "/T", "/ID", "/Lang", "/C", "/R", "/NS", "/Private")


@pytest.mark.parametrize("level", ["paragraph", "section", "document", "root"])
@pytest.mark.parametrize("key", SAYING)
def test_a_tag_that_says_something(record: DrawnRecord, good: bytes, key: str, level: str) -> None:
    assert codes(entry(key, String("call me"), level)(good), record) == {"A17"}


@pytest.mark.parametrize("level", ["paragraph", "root"])
@pytest.mark.parametrize("key", SAYING)
@pytest.mark.parametrize("written", [VALUE, VALUE.upper(), "+44 20 7946 0123", "0 2 0 7 9 4 6 O 1 2 3"])
def test_a_withheld_value_in_a_tag_is_found_as_such_too(
    record: DrawnRecord, good: bytes, key: str, level: str, written: str
) -> None:
    assert codes(entry(key, String(written), level)(good), record) == {"A17", "A25"}


def test_a_withheld_value_as_the_name_of_a_tag(record: DrawnRecord, good: bytes) -> None:
    assert codes(entry("/S", Name(f"/{VALUE}"))(good), record) == {"A17", "A25"}


def another_part(**entries: Any) -> Plant:
    """A tag more in the first section, with these entries."""

    def plant(pdf: pikepdf.Pdf, section: Any) -> None:
        page = pdf.pages[0].obj
        part = pdf.make_indirect(Dictionary(S=Name.P, P=section, Pg=page, **entries))
        section.K.append(part)
        pdf.Root.StructTreeRoot.ParentTree.Nums[1].append(part)

    return on_part(plant, "section")


def orphan(pdf: pikepdf.Pdf, tree: Any) -> None:
    """In the table, in no section."""
    tree.ParentTree.Nums[1].append(pdf.make_indirect(Dictionary(S=Name.P, P=tree.K, ActualText=String("call me"))))


def direct_in_table(pdf: pikepdf.Pdf, tree: Any) -> None:
    """The tag itself in the table, with something more; in its section without a number, as in the table."""
    section = tree.K.K[0]
    plain = dict(section.K[2].items())
    section.K[2] = Dictionary(plain)
    tree.ParentTree.Nums[1][2] = Dictionary({**plain, "/ActualText": String("call me")})


def exchange_parts(pdf: pikepdf.Pdf, section: Any) -> None:
    section.K = Array([section.K[1], section.K[0], *list(section.K)[2:]])


def second_number(pdf: pikepdf.Pdf, part: Any) -> None:
    part.K = Array([part.K, 0])


def leave_out(pdf: pikepdf.Pdf, tree: Any) -> None:
    del pdf.Root.StructTreeRoot


def unmark(pdf: pikepdf.Pdf, tree: Any) -> None:
    del pdf.Root.MarkInfo


def more_marks(pdf: pikepdf.Pdf, tree: Any) -> None:
    pdf.Root.MarkInfo.UserProperties = True


def suspect(pdf: pikepdf.Pdf, tree: Any) -> None:
    pdf.Root.MarkInfo = Dictionary(Marked=False)


def another_section(pdf: pikepdf.Pdf, tree: Any) -> None:
    tree.K.K.append(pdf.make_indirect(Dictionary(S=Name.Sect, P=tree.K, K=Array())))


def page_entry(key: str, value: Any) -> Plant:
    return faults.on_page(lambda pdf, page: page.__setitem__(key, value))


TAGGED = re.compile(rb"/P <</MCID 2>> BDC(.*?)EMC", re.DOTALL)

PLANTED: dict[str, Plant] = {
    "no tree": on_tree(leave_out),
    "no claim to be tagged": on_tree(unmark),
    "a claim not to be tagged": on_tree(suspect),
    "properties of a user": on_tree(more_marks),
    "names of kinds": entry("/RoleMap", lambda: Dictionary(Jordan=Name.P), "root"),
    "classes": entry("/ClassMap", lambda: Dictionary(Jordan=Dictionary(O=Name.Layout)), "root"),
    "a tree of identifiers": entry("/IDTree", lambda: Dictionary(Names=[String("call me"), Dictionary()]), "root"),
    "files of the tree": entry("/AF", lambda: Array(), "root"),
    "a type that is none": entry("/Type", Name.Jordan, "root"),
    "another count": entry("/ParentTreeNextKey", 1632960, "root"),
    "attributes": entry("/A", lambda: Dictionary(O=Name.Layout, Placement=Name.Block)),
    "a kind of its own": entry("/S", Name.Jordan),
    "a heading where a paragraph is": entry("/S", Name.H1),
    "another kind of section": entry("/S", Name.Art, "section"),
    "another kind of document": entry("/S", Name.Part, "document"),
    "a text for a number": entry("/K", String("2")),
    "a number that no content has": entry("/K", 1632960),
    "two numbers": on_part(second_number),
    "parts in another order": on_part(exchange_parts, "section"),
    "a part without content": another_part(),
    "a part of content that is not there": another_part(K=99),
    "a part with its own words": another_part(ActualText=String("call me"), K=99),
    "a part of no section": on_tree(orphan),
    "a part that is another in the table": on_tree(direct_in_table),
    "a section without a page": on_tree(another_section),
    "a table with a note": on_tree(lambda pdf, tree: tree.ParentTree.__setitem__("/Note", String("call me"))),
    "a table with limits": entry("/ParentTree", lambda: Dictionary(Nums=Array(), Limits=[0, 1]), "root"),
    "a number of the page that is another": page_entry("/StructParents", 7),
    "another order of tabs": page_entry("/Tabs", Name.R),
    "an order of tabs that is a text": page_entry("/Tabs", String("call me")),
    "an expansion": in_content(b"/P <</MCID 2>> BDC", b"/P <</MCID 2/E (call me)>> BDC"),
    "a language of marked content": in_content(b"/P <</MCID 2>> BDC", b"/P <</MCID 2/Lang (call me)>> BDC"),
    "a tag of its own name": in_content(b"/P <</MCID 2>> BDC", b"/Jordan <</MCID 2>> BDC"),
    "another number": in_content(b"/P <</MCID 2>> BDC", b"/P <</MCID 77>> BDC"),
    "the same number twice": in_content(b"/P <</MCID 2>> BDC", b"/P <</MCID 1>> BDC"),
    "marked content that is empty": in_content(b"\nET", b"\n/P <</MCID 99>> BDC EMC\nET"),
    "an artifact that is empty": in_content(b"\nET", b"\n/Artifact BMC EMC\nET"),
    "an artifact with entries": in_content(b"/Artifact BMC", b"/Artifact <</Type/Jordan>> BDC"),
    "text that nobody hears": in_content(b"/P <</MCID 2>> BDC", b"/Artifact BMC"),
    "text without a tag": faults.on_content(lambda c: TAGGED.sub(rb"\1", c)),
    "marked content within marked content": in_content(b"/P <</MCID 2>> BDC", b"/P <</MCID 2>> BDC /Span BMC EMC"),
    "marked content without an end": in_content(b"\nEMC\nET", b"\nET"),
    "an end without a beginning": in_content(b"\nEMC\nET", b"\nEMC EMC\nET"),
    "a picture without a tag": in_content(b"/Artifact BMC\n", b""),
    "a picture that is a paragraph": in_content(b"/Artifact BMC", b"/P <</MCID 99>> BDC"),
    "a point": in_content(b"\nET", b"\n/Jordan MP\nET"),
    "a point with words": in_content(b"\nET", b"\n/Span <</ActualText (call me)>> DP\nET"),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_tags_other_than_those_of_the_page(record: DrawnRecord, good: bytes, plant: Plant) -> None:
    bad = plant(good)
    assert bad != good
    assert codes(bad, record) == {"A17"}


@pytest.mark.parametrize("text", [b"(call me)", b"<63616c6c206d65>", b"<feff00630061006c006c0020006d0065>"])
@pytest.mark.parametrize("tag", [b"P", b"Span"])
def test_actual_text(record: DrawnRecord, good: bytes, tag: bytes, text: bytes) -> None:
    """Inseparable: pdfium heeds it, and so extracts what the page does not show."""
    tagged = b"/%b <</MCID 2/ActualText %b>> BDC" % (tag, text)
    assert codes(in_content(b"/P <</MCID 2>> BDC", tagged)(good), record) == {"A05", "A17"}


def test_properties_by_name(record: DrawnRecord, good: bytes) -> None:
    """Inseparable: they stand among the page's resources, where layers stand too, and pdfium heeds them."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        page.Resources.Properties = Dictionary(N=Dictionary(MCID=2, ActualText=String(VALUE)))
        page.Contents.write(page.Contents.read_bytes().replace(b"/P <</MCID 2>> BDC", b"/P /N BDC"))

    assert codes(faults.on_page(plant)(good), record) == {"A05", "A15", "A17", "A25"}


@pytest.mark.parametrize("operator", [b"BDC", b"DP"])
@pytest.mark.parametrize("key", [b"ActualText", b"Alt", b"E", b"Anything"])
def test_a_withheld_value_with_marked_content_is_found_as_such_too(
    record: DrawnRecord, good: bytes, key: bytes, operator: bytes
) -> None:
    end = b" EMC" if operator == b"BDC" else b""
    said = b"\n/Span <</%b <%b>>> %b%b\nET" % (key, VALUE.encode().hex().encode(), operator, end)
    assert codes(in_content(b"\nET", said)(good), record) == {"A17", "A25"}


def test_a_tag_that_nothing_refers_to(record: DrawnRecord, good: bytes) -> None:
    """Appended by hand: a library would leave it out."""
    number = int(re.findall(rb"\nxref\n0 (\d+)", good)[-1])
    table = good.rindex(b"\nxref") + 1
    tag = b"%d 0 obj\n<</S/P/ActualText(call me)>>\nendobj\n\n" % number
    rows = good[table:].replace(b"xref\n0 %d" % number, b"xref\n0 %d" % (number + 1))
    rows = rows.replace(b"\ntrailer", b"%010d 00000 n \n\ntrailer" % table)
    rows = rows.replace(b"/Size %d" % number, b"/Size %d" % (number + 1))
    bad = good[:table] + tag + re.sub(rb"startxref\n\d+", b"startxref\n%d" % (table + len(tag)), rows)
    assert codes(bad, record) == {"A10"}


def test_where_an_object_lies_is_no_telephone_number(record: DrawnRecord, good: bytes) -> None:
    """Tags make many objects, and so many offsets; one of them with the zeros behind it could be any number."""
    offsets = re.findall(rb"\d{5}(\d{5}) 00000 n", good)
    plan = dataclasses.replace(record.plan, withheld=tuple(f"{offset.decode()}000" for offset in offsets))
    assert check_record(good, plan, record.transcript).findings == ()


# ------------------------------------------------------------------------------------------------ several pages


@pytest.fixture(scope="module")
def pages() -> DrawnRecord:
    return record_of(draw_page(), draw_page(page=1, mode="bilevel"), draw_page(lines=(), secrets={}, page=2))


def exchange_sections(pdf: pikepdf.Pdf, tree: Any) -> None:
    sections = list(tree.K.K)
    tree.K.K = Array([sections[1], sections[0], sections[2]])


def point_elsewhere(pdf: pikepdf.Pdf, tree: Any) -> None:
    tree.K.K[0].K[2].Pg = pdf.pages[1].obj


def exchange_table(pdf: pikepdf.Pdf, tree: Any) -> None:
    nums = list(tree.ParentTree.Nums)
    tree.ParentTree.Nums = Array([0, nums[3], 1, nums[1], *nums[4:]])


def figure_says(key: str, value: Any) -> Callable[[pikepdf.Pdf, Any], None]:
    def plant(pdf: pikepdf.Pdf, tree: Any) -> None:
        tree.K.K[2].K[0][key] = value() if callable(value) else value

    return plant


def figure_measures(key: str, value: Any) -> Callable[[pikepdf.Pdf, Any], None]:
    def plant(pdf: pikepdf.Pdf, tree: Any) -> None:
        tree.K.K[2].K[0].A[key] = value

    return plant


ON_PAGES: dict[str, Callable[[pikepdf.Pdf, Any], None]] = {
    "sections in another order": exchange_sections,
    "a paragraph of another page": point_elsewhere,
    "a table in another order": exchange_table,
    "a figure with other words": figure_says("/Alt", String("call me")),
    "a figure with more words": figure_says("/ActualText", String("call me")),
    "a figure with a title": figure_says("/T", String("call me")),
    "a figure that is a paragraph": figure_says("/S", Name.P),
    "a figure with a note": figure_measures("/Note", String("call me")),
    "a figure elsewhere": figure_measures("/BBox", Array([0, 0, 163, 296])),
    "a figure with another owner": figure_measures("/O", Name.Jordan),
    "a figure in the line": figure_measures("/Placement", Name.Inline),
}


@pytest.mark.parametrize("plant", ON_PAGES.values(), ids=ON_PAGES.keys())
def test_tags_of_other_pages(pages: DrawnRecord, plant: Callable[[pikepdf.Pdf, Any], None]) -> None:
    data = pages.apply()
    assert codes(data, pages) == set()
    assert codes(on_tree(plant)(data), pages) == {"A17"}


def test_a_figure_where_there_is_text(record: DrawnRecord, good: bytes) -> None:
    """The picture of a page with words is heard by its words, not by a sentence."""

    def plant(pdf: pikepdf.Pdf, page: Any) -> None:
        content = page.Contents.read_bytes()
        content = re.sub(rb"/P <</MCID (\d+)>> BDC", lambda m: b"/P <</MCID %d>> BDC" % (int(m[1]) + 1), content)
        page.Contents.write(content.replace(b"/Artifact BMC", b"/Figure <</MCID 0>> BDC"))

    assert codes(faults.on_page(plant)(good), record) == {"A17"}


# ------------------------------------------------------------------------------------------------ metadata


def on_metadata(change: Callable[[bytes], bytes]) -> Plant:
    def plant(pdf: pikepdf.Pdf) -> None:
        stream: Any = pdf.Root.Metadata
        stream.write(change(stream.read_bytes()))

    return lambda data: faults.resave(data, plant)


def without_metadata(data: bytes) -> bytes:
    def plant(pdf: pikepdf.Pdf) -> None:
        del pdf.Root.Metadata

    return faults.resave(data, plant)


def with_entry(data: bytes) -> bytes:
    def plant(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Metadata.Note = String("call me")

    return faults.resave(data, plant)


METADATA: dict[str, Plant] = {
    "none": without_metadata,
    "another entry": with_entry,
    "another title": on_metadata(lambda x: x.replace(b"A drawn record", b"call me")),
    "another language": on_metadata(lambda x: x.replace(b"en-GB", b"en-US")),
    "another producer": on_metadata(lambda x: x.replace(b"foi-disclosure", b"Scanner 3000")),
    "an author": on_metadata(lambda x: x.replace(b"<pdf:", b"<dc:creator>someone</dc:creator><pdf:", 1)),
    "a comment": on_metadata(lambda x: x.replace(b"<pdf:", b"<!-- call me --><pdf:", 1)),
    "a word behind its end": on_metadata(lambda x: x + b"call me"),
    "another part of the standard": on_metadata(lambda x: x.replace(b"part>1<", b"part>2<")),
}


@pytest.mark.parametrize("plant", METADATA.values(), ids=METADATA.keys())
def test_metadata_that_says_anything_else(record: DrawnRecord, good: bytes, plant: Plant) -> None:
    assert codes(plant(good), record) == {"A11"}


def test_titles_that_xml_writes_otherwise_are_no_fault(record: DrawnRecord) -> None:
    assert codes(record.apply("Q & A: <draft> \u2013 \"x\" 'y' \u4e2d \U0001f4de"), record) == set()
