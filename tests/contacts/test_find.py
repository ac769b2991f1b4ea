import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.contacts.find import find_contacts
from tasks.geometry import Box, Frame
from tasks.model import Kind, Reading, Symbol, Word
from tasks.request import Policy
from tests.contacts.noise import noisy, spaced
from tests.contacts.pages import covered_words, lines_page, page_of, place, reading_of

POLICY = Policy()


def kinds_and_words(page) -> list[tuple[Kind, list[str]]]:  # type: ignore[no-untyped-def]
    return [(d.kind, covered_words(page, [d])) for d in find_contacts(page, POLICY)]


# ------------------------------------------------------------------------------------------------ labels and fields


def test_a_label_to_the_left_governs_its_value() -> None:
    page = page_of(reading_of([[(100, "Ext"), (400, "62388")], [(100, "Pages"), (400, "4521")]]))
    assert kinds_and_words(page) == [(Kind.EXTENSION, ["62388"])]


def test_a_label_above_governs_its_value() -> None:
    page = page_of(
        reading_of(
            [
                [(100, "Tel:"), (400, "Ext:"), (700, "Date:")],
                [(100, "0131 496 0813"), (400, "742220"), (700, "4 May 2022")],
            ]
        )
    )
    assert kinds_and_words(page) == [(Kind.PHONE, ["0131", "496", "0813"]), (Kind.EXTENSION, ["742220"])]


def test_a_label_with_an_unreadable_value_still_marks_the_value() -> None:
    page = page_of(reading_of([[(100, "Mob: O7?7 oo9 lZ8")], [(100, "Date: 4 May 2022")]], confidence=30))
    assert covered_words(page, find_contacts(page, POLICY)) == ["O7?7", "oo9", "lZ8"]


def test_an_unreadable_mailbox_is_marked_too() -> None:
    page = page_of(
        reading_of(
            [[(100, "E-mail:"), (300, "jperscn%xampie0rg")], [(100, "Rank:"), (300, "Inspector")]], confidence=40
        )
    )
    assert covered_words(page, find_contacts(page, POLICY)) == ["jperscn%xampie0rg"]


@pytest.mark.parametrize(
    "value", ["none", "N/A", "not known", "see above", "to be confirmed by the office", "12:45", "£30.20"]
)
def test_a_field_without_a_contact_stays(value: str) -> None:
    page = page_of(reading_of([[(100, "Tel:"), (300, value)]]))
    assert find_contacts(page, POLICY) == ()


def test_a_field_ends_at_the_next_label() -> None:
    page = page_of(reading_of([[(100, "Ext: 4521 Date: 4 May 2022 Qty: 4522")]]))
    assert kinds_and_words(page) == [(Kind.EXTENSION, ["4521"])]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("axt 730868", ["730868"]),
        ("SSI 7289 7277", ["7289", "7277"]),
        ("tloc 3 Any Street, Thatford", ["3", "Any", "Street,", "Thatford"]),
    ],
)
def test_a_label_whose_first_glyph_is_spoilt_still_governs(line: str, value: list[str]) -> None:
    page = lines_page(f"Any heading of the page\n{line}")
    assert covered_words(page, find_contacts(page, POLICY)) == value


# ------------------------------------------------------------------------------------------------ tables


TABLE = [
    [(100, "Name"), (400, "Ext"), (600, "Mailbox"), (1200, "Cost centre"), (1500, "Qty")],
    [(100, "Any Person"), (400, "62388"), (600, "any.person@example.com"), (1200, "7022817548"), (1500, "4521")],
    [(100, "Other Person"), (400, "4 7038"), (600, "other.person@example.org"), (1200, "4261-2137-18"), (1500, "2045")],
    [(100, "Third Person"), (400, "721 6248"), (600, "third.person @example.org"), (1200, "0035976394"), (1500, "12")],
]


def test_the_head_of_a_column_governs_all_its_cells_and_no_others() -> None:
    page = page_of(reading_of(TABLE))
    assert list(covered_words(page, find_contacts(page, POLICY))) == [
        "62388",
        "any.person@example.com",
        "4",
        "7038",
        "other.person@example.org",
        "721",
        "6248",
        "third.person",
        "@example.org",
    ]


def test_a_spreadsheet_row_number_does_not_hide_the_head() -> None:
    rows = [
        [(60, "1"), (100, "Ext"), (400, "Name")],
        [(60, "2"), (100, "62388"), (400, "Any Person")],
        [(60, "3"), (100, "97034"), (400, "Other Person")],
    ]
    page = page_of(reading_of(rows))
    assert covered_words(page, find_contacts(page, POLICY)) == ["62388", "97034"]


def test_one_word_over_prose_is_no_head_of_a_column() -> None:
    page = lines_page(
        "Contact\nThe Board noted that 6891 reports\nhad been received since 2019 and\nthat 3412 of them were closed"
    )
    assert find_contacts(page, POLICY) == ()


def test_neighbouring_columns_are_never_joined() -> None:
    page = page_of(reading_of([[(100, "0131"), (400, "496"), (700, "0813")]]))
    assert find_contacts(page, POLICY) == ()


# ------------------------------------------------------------------------------------------------ broken values


def test_a_value_over_two_lines_is_one_detection_with_a_region_for_each() -> None:
    page = lines_page("If you have questions ring 0131\n496 0813 or call in.")
    (detection,) = find_contacts(page, POLICY)
    assert detection.kind is Kind.PHONE
    assert len(detection.regions) == 2
    assert covered_words(page, [detection]) == ["0131", "496", "0813"]


def test_a_block_address_is_one_detection_without_the_name_above_it() -> None:
    page = lines_page("Mrs Any Person\nKestrel House\n59a Kiln Lane\nThatford\nZZ48 4JE\n\nDear Madam")
    (detection,) = find_contacts(page, POLICY)
    assert detection.kind is Kind.ADDRESS
    assert covered_words(page, [detection]) == ["Kestrel", "House", "59a", "Kiln", "Lane", "Thatford", "ZZ48", "4JE"]


def test_justified_text_is_no_table() -> None:
    # Both lines reach both edges; the gaps of the second are wide but even.
    words = [
        *place("the officer can be reached on", 100, 100, 0),
        *place("0131", 100, 130, 1),
        *place("496", 190, 130, 1),
        *place("0813", 270, 130, 1),
        *place("now", 360, 130, 1),
    ]
    page = page_of(Reading("test", Frame(2000, 2000), tuple(words)))
    assert covered_words(page, find_contacts(page, POLICY)) == ["0131", "496", "0813"]


# ------------------------------------------------------------------------------------------------ readings


def test_all_readings_count_and_overlapping_claims_become_one() -> None:
    good = reading_of([[(100, "ring 0131 496 0813 now")]])
    poor = reading_of([[(100, "ring xxxx xxx xxxx now")]])
    once = find_contacts(page_of(good), POLICY)
    assert len(find_contacts(page_of(poor, good), POLICY)) == 1
    assert find_contacts(page_of(good, good), POLICY) == once


def test_regions_come_back_in_page_space_from_a_turned_and_scaled_reading() -> None:
    frame = Frame(1000, 500, scale_x=2.0, scale_y=2.0, quarter_turns=1)
    words = tuple(place("0131 496 0813", 200, 300, 0))
    page = page_of(Reading("test", frame, words))
    (detection,) = find_contacts(page, POLICY)
    expected = frame.box_to_page(Box(200, 300, 330, 320))
    assert detection.regions == (expected,)


def test_a_slanted_text_layer_is_read_in_lines_and_marked_without_its_neighbours() -> None:
    words = []
    for n, text in enumerate(
        [
            "the first line of a letter says little and is long",
            "ring me at work on any day but ring 0131",
            "496 0813 or write a letter to the office here",
        ]
    ):
        for word in place(text, 100, 100 + 30 * n, n):
            rise = round(0.06 * word.box.x0)
            words.append(
                Word(word.text, Box(word.box.x0, word.box.y0 + rise, word.box.x1, word.box.y1 + rise + 3), 90, n)
            )
    page = page_of(Reading("text-layer", Frame(2000, 2000), tuple(words)))
    found = find_contacts(page, POLICY)
    assert [d.kind for d in found] == [Kind.PHONE]
    assert covered_words(page, found) == ["0131", "496", "0813"]


def test_a_word_box_two_lines_high_does_not_take_the_line_above() -> None:
    above = place("nothing to withhold on this line", 100, 100, 0)
    below = place("any text any.person@example.org and more", 100, 130, 1)
    tall = [Word(w.text, Box(w.box.x0, 98, w.box.x1, 150), 90, 1) if "@" in w.text else w for w in below]
    page = page_of(Reading("test", Frame(2000, 2000), (*above, *tall)))
    (detection,) = find_contacts(page, POLICY)
    assert all(not r.meets(w.box.padded(0, -6)) for r in detection.regions for w in above)
    assert any(r.contains(Box(below[2].box.x0, 132, below[2].box.x1, 148)) for r in detection.regions)


def boxed(reading: Reading, word: int, box: Box) -> Reading:
    """The reading with another box for one of its words."""
    words = list(reading.words)
    words[word] = replace(words[word], box=box)
    return replace(reading, words=tuple(words))


def test_a_word_that_another_reading_shows_to_be_lower_does_not_take_the_lines_around() -> None:
    right = reading_of([[(100, "ring 02079460123 now")]])
    high = boxed(right, 1, Box(150, 88, 260, 126))
    (detection,) = find_contacts(page_of(high, right), POLICY)
    assert all(r.y0 >= 95 and r.y1 <= 125 for r in detection.regions)
    assert covered_words(page_of(right), [detection]) == ["02079460123"]
    (alone,) = find_contacts(page_of(high), POLICY)
    assert any(r.y0 <= 88 and r.y1 >= 126 for r in alone.regions)


def test_a_high_claim_of_which_another_reading_shows_a_part_stays_whole() -> None:
    """A stamp set at an angle: its box is high because the stamp is."""
    whole = boxed(reading_of([[(100, "any.person@example.org")]]), 0, Box(100, 80, 500, 150))
    part = boxed(reading_of([[(300, "person@example.org")]]), 0, Box(300, 100, 500, 130))
    (detection,) = find_contacts(page_of(whole, part), POLICY)
    assert Box(100, 80, 500, 150) in detection.regions


def test_a_part_of_a_value_that_runs_up_the_page_shows_nothing_of_its_height() -> None:
    """Neither on a page set on its side, nor in the margin of one that stands."""
    whole = reading_of([[(100, "any.person@example.org")]])
    part = reading_of([[(160, "person@example.org")]])
    aside = Frame(2000, 2000, quarter_turns=1)
    page = page_of(replace(whole, frame=aside), replace(part, frame=aside))
    (detection,) = find_contacts(page, POLICY)
    assert any(r.contains(aside.box_to_page(whole.words[0].box)) for r in detection.regions)
    margin = boxed(whole, 0, Box(100, 400, 120, 620))
    (detection,) = find_contacts(page_of(margin, boxed(part, 0, Box(100, 440, 120, 560))), POLICY)
    assert Box(100, 400, 120, 620) in detection.regions


def test_a_word_glued_to_a_value_does_not_make_its_mark_higher() -> None:
    reading = boxed(reading_of([[(100, "ring 02079460123 now")]]), 2, Box(259, 85, 290, 140))
    (detection,) = find_contacts(page_of(reading), POLICY)
    assert all(r.y0 >= 95 and r.y1 <= 125 for r in detection.regions)


def test_a_misread_public_number_stays_when_another_reading_reads_it_right() -> None:
    right = reading_of([[(100, "Crimestoppers on 0800 555 111 or")]])
    wrong = reading_of([[(100, "Crimestoppers on 0800 555 171 or")]])
    assert find_contacts(page_of(right, wrong), POLICY) == ()
    assert len(find_contacts(page_of(wrong), POLICY)) == 1


def test_low_confidence_never_hides_a_value() -> None:
    page = lines_page("mail any.person@example.com", confidence=1.0)
    assert covered_words(page, find_contacts(page, POLICY)) == ["any.person@example.com"]


def test_detection_is_deterministic_and_ordered_down_the_page() -> None:
    page = page_of(reading_of(TABLE))
    first = find_contacts(page, POLICY)
    assert first == find_contacts(page, POLICY)
    assert [min(r.y0 for r in d.regions) for d in first] == sorted(min(r.y0 for r in d.regions) for d in first)


# ------------------------------------------------------------------------------------------------ policy


def test_public_contacts_stay_and_make_nothing_around_them_visible() -> None:
    page = lines_page("In an emergency dial 999 or 101 or 0131 496 0813 or 0800 555 111 or www.ico.org.uk")
    assert covered_words(page, find_contacts(page, POLICY)) == ["0131", "496", "0813"]


def test_the_policy_adds_public_contacts() -> None:
    page = lines_page("ring 0131 496 0813 or any.desk@example.com or www.example.org/path")
    policy = Policy(public_contacts=("+44 131 496 0813", "Any.Desk@example.com", "https://example.org"))
    assert find_contacts(page, policy) == ()


def test_kinds_the_policy_does_not_withhold_stay() -> None:
    page = lines_page("ring 0131 496 0813 or any.desk@example.com")
    (detection,) = find_contacts(page, Policy(withhold=(Kind.EMAIL,)))
    assert detection.kind is Kind.EMAIL


def test_an_address_is_not_masked_as_a_link_when_only_links_are_withheld() -> None:
    assert find_contacts(lines_page("mail any.desk@example.com"), Policy(withhold=(Kind.URL,))) == ()


def test_terms_are_found_through_noise_and_over_lines() -> None:
    page = lines_page("Operation N1ghtjar and Operation\nNightjar met; the nightjars flew")
    found = find_contacts(page, Policy(terms=("Operation Nightjar",)))
    assert {d.kind for d in found} == {Kind.TERM}
    assert covered_words(page, found) == ["Operation", "N1ghtjar", "Operation", "Nightjar"]


def test_only_the_local_part_is_masked_when_domains_stay() -> None:
    page = lines_page("mail any.person@example.com now")
    (whole,) = find_contacts(page, POLICY)
    (part,) = find_contacts(page, Policy(keep_email_domain=True))
    (box,), (full,) = part.regions, whole.regions
    assert box.x0 == full.x0
    at = full.x0 + full.width * len("any.person@") / len("any.person@example.com")
    assert at <= box.x1 < full.x1 - 60


# ------------------------------------------------------------------------------------------------ codes


@pytest.mark.parametrize(
    "text",
    ["https://www.example.org/a", "mailto:a.person@example.org", "BEGIN:VCARD\nTEL:0131 496 0813", "0131 496 0813"],
)
def test_a_symbol_that_carries_a_contact_is_found(text: str) -> None:
    symbol = Symbol("QRCode", text, Box(10, 10, 90, 90))
    (detection,) = find_contacts(page_of(symbols=(symbol,)), POLICY)
    assert (detection.kind, detection.regions) == (Kind.CODE, (symbol.box,))


@pytest.mark.parametrize("text", ["X60A44996H", "000123456", "Asset 4521"])
def test_a_symbol_with_a_serial_number_stays(text: str) -> None:
    assert find_contacts(page_of(symbols=(Symbol("Code128", text, Box(10, 10, 90, 90)),)), POLICY) == ()


# ------------------------------------------------------------------------------------------------ planted values


EMAILS = st.builds(
    lambda a, b, n, d: f"{a}.{b}{n}@{d}",
    st.sampled_from(["anna", "peter", "j", "maria-lou", "o"]),
    st.sampled_from(["person", "smith", "bloggs", "doe"]),
    st.sampled_from(["", "3", "42"]),
    st.sampled_from(["example.com", "force.police.uk", "hq.pnn.police.uk", "council.gov.uk", "desk.example.org"]),
)
PHONES = st.builds(
    lambda head, tail, sep: f"{head[0]}{sep}{head[1]}{sep}{tail:04d}",
    st.sampled_from([("0131", "496"), ("020", "7946"), ("0161", "496"), ("07700", "900")]),
    st.integers(100, 999),
    st.sampled_from([" ", "-", "."]),
).map(lambda s: s if not s.startswith("07700") else s[:-4] + s[-3:])
CARRIERS = ("please write to {} by noon and quote", "the officer on {} will help with", "({}) is the one to ask")


@settings(max_examples=150, deadline=None)
@given(EMAILS, st.sampled_from(CARRIERS), st.integers(0, 2**32))
def test_any_planted_mailbox_is_found_under_the_noise_model(value: str, carrier: str, seed: int) -> None:
    chance = random.Random(seed)
    local, domain = value.split("@")
    shown = spaced(f"{noisy(local, chance)}@{noisy(domain, chance)}", chance)
    page = lines_page(carrier.format(shown))
    covered = covered_words(page, find_contacts(page, POLICY))
    assert all(any(piece in w for w in covered) for piece in shown.split() if len(piece) > 1), (shown, covered)


@settings(max_examples=150, deadline=None)
@given(PHONES, st.sampled_from(CARRIERS), st.integers(0, 2**32))
def test_any_planted_number_is_found_under_the_noise_model(value: str, carrier: str, seed: int) -> None:
    shown = noisy(value, random.Random(seed), glyphs=2)
    page = lines_page(carrier.format(shown))
    covered = covered_words(page, find_contacts(page, POLICY))
    assert all(any(piece in w for w in covered) for piece in shown.split()), (shown, covered)


@settings(max_examples=60, deadline=None)
@given(PHONES, st.integers(0, 2**32), st.sampled_from(["Tel", "Mob:", "Direct dial", "Phone No."]))
def test_any_number_behind_a_label_is_found_even_with_a_digit_lost(value: str, seed: int, label: str) -> None:
    chance = random.Random(seed)
    i = chance.choice([i for i, c in enumerate(value) if c.isdigit()])
    page = lines_page(f"{label} {value[:i]}{value[i + 1 :]}")
    covered = covered_words(page, find_contacts(page, POLICY))
    assert (
        covered == page.readings[0].words[len(label.split()) :]
        or [w.text for w in page.readings[0].words][len(label.split()) :] == covered
    )
