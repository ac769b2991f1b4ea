"""Columns seen by one reading and not by another."""

from dataclasses import replace

from tasks.contacts.find import find_contacts
from tasks.geometry import Box, Frame
from tasks.model import Kind, PageTranscript, Reading
from tasks.request import Policy
from tests.contacts.pages import covered_words, page_of, place, reading_of

POLICY = Policy()
ROWS = [
    [(100, "Any Person"), (600, "62388"), (900, "4521")],
    [(100, "Other Person"), (600, "47038"), (900, "2045")],
    [(100, "Third Person"), (600, "72162"), (900, "1200")],
    [(100, "Fourth Person"), (600, "72888"), (900, "1300")],
]


def values(page: PageTranscript) -> list[str]:
    return covered_words(page, find_contacts(page, POLICY))


def test_a_head_that_only_another_reading_has_governs_its_column() -> None:
    lost = reading_of([[(100, "Name")], *ROWS])
    seen = reading_of([[(100, "Name"), (600, "Ext"), (900, "Qty")], *ROWS[:3], [(100, "Fourth Person")]])
    assert values(page_of(lost)) == []
    assert values(page_of(lost, seen)) == ["62388", "47038", "72162", "72888"]


WORN = [[(100, f"Person {n}"), (600, f"6238{n}"), (900, f"desk.{n}@force.police.uk")] for n in range(1, 9)]


def test_a_number_that_no_reading_shows_is_withheld_where_its_row_is_known() -> None:
    head = [(100, "Name"), (600, "Ext"), (900, "E-mail")]
    gap = [cells[:1] + cells[2:] if n == 4 else cells for n, cells in enumerate(WORN)]
    page = page_of(reading_of([head, *gap]), reading_of([head, *gap]))
    [cell] = [d for d in find_contacts(page, POLICY) if d.recogniser == "extension.cell"]
    [there] = [word.box for word in reading_of([head, *WORN]).words if word.text == "62385"]
    assert cell.regions[0].contains(there)


def test_an_easy_page_and_a_sparse_column_have_no_unread_cells() -> None:
    head = [(100, "Name"), (600, "Ext"), (900, "E-mail")]
    gap = [cells[:1] + cells[2:] if n == 4 else cells for n, cells in enumerate(WORN)]
    sparse = [cells[:1] + cells[2:] if n % 2 else cells for n, cells in enumerate(WORN)]
    for readings in ([gap], [sparse, sparse]):
        page = page_of(*(reading_of([head, *rows]) for rows in readings))
        assert not [d for d in find_contacts(page, POLICY) if d.recogniser == "extension.cell"]


def test_a_head_seen_at_another_scale_governs_its_column() -> None:
    lost = reading_of([[(100, "Name")], *ROWS])
    seen = reading_of([[(100, "Name"), (600, "Ext"), (900, "Qty")], *ROWS])
    words = tuple(replace(w, box=Box(w.box.x0 // 2, w.box.y0 // 2, w.box.x1 // 2, w.box.y1 // 2)) for w in seen.words)
    half = Reading("test at 0.5x", Frame(2000, 2000, 0.5, 0.5), words)
    assert values(page_of(lost, half)) == ["62388", "47038", "72162", "72888"]


def test_junk_beside_a_head_does_not_hide_it() -> None:
    heads = [(60, "1"), (90, "¢"), (120, "Ext"), (170, ":"), (600, "Name")]
    rows = [
        [(60, str(n)), (120, number), (600, "Any Person")] for n, number in enumerate(("62388", "47038", "72162"), 2)
    ]
    page = page_of(reading_of([heads, *rows]))
    assert values(page) == ["62388", "47038", "72162"]


def test_numbers_between_telephone_and_mobile_need_no_head() -> None:
    rows = [
        [(100, "Any Person"), (500, f"0131 496 08{n}0"), (800, f"6238{n}"), (1000, f"07700 90006{n}")]
        for n in range(1, 5)
    ]
    rows += [[], [], [(100, "Any Person"), (500, "77125"), (800, "4521")]]
    found = find_contacts(page_of(reading_of(rows)), POLICY)
    extensions = [d.text for d in found if d.kind is Kind.EXTENSION]
    assert extensions == ["62381", "62382", "62383", "62384"]


def test_a_first_name_torn_off_an_address_is_taken_up_to_the_column_edge() -> None:
    rows = [[(100, f"Person {n}"), (600, f"a{n}.person@force.police.uk")] for n in range(4)]
    rows.append([(100, "Person 5"), (600, "hele!1 per@force.police.uk")])
    assert values(page_of(reading_of(rows)))[-2:] == ["hele!1", "per@force.police.uk"]


def test_a_label_that_ends_a_cell_governs_the_number_below() -> None:
    rows = [
        [(100, "Reserved for the drop-in"), (600, "Person ext."), (900, "26/06/22")],
        [(100, "sessions of any week"), (600, "78 0549")],
    ]
    assert values(page_of(reading_of(rows))) == ["78", "0549"]


def test_a_number_one_kind_knows_in_part_stays_whole_over_several_readings() -> None:
    row = [[(100, "asked to be contacted on 077 0090 0288.")]]
    page = page_of(reading_of(row), reading_of(row), reading_of(row))
    assert values(page) == ["077", "0090", "0288."]


def test_a_layer_with_tall_boxes_does_not_widen_what_ink_shows() -> None:
    words = place("Tel: 0131 496 0813", 100, 100, 0)
    ink = Reading("test", Frame(2000, 2000, skew_deg=0.3), tuple(words))
    tall = tuple(replace(w, box=w.box.padded(0, 15)) for w in words)
    page = page_of(ink, Reading("text-layer", Frame(2000, 2000), tall))
    (found,) = find_contacts(page, POLICY)
    assert max(r.height for r in found.regions) < 40


def test_the_scheme_of_a_mail_link_stays() -> None:
    words = tuple(place("[mailto:a.person@example.org]", 100, 100, 0))
    (found,) = find_contacts(page_of(Reading("test", Frame(2000, 2000), words)), POLICY)
    assert 100 < found.regions[0].x0 < 180


def test_a_collar_number_beside_a_name_is_no_mail_address() -> None:
    rows = [[(100, "Mailbox:"), (300, "PERSON, Any (963NE)")]]
    assert values(page_of(reading_of(rows))) == []
