import pytest

from tasks.contacts.find import find_contacts, find_repeats
from tasks.contacts.repeats import fold, places_of, sought_values
from tasks.geometry import Box
from tasks.model import Detection, Kind, Transcript
from tasks.request import Policy
from tests.contacts.pages import covered_words, lines_page

POLICY = Policy()


def detection(kind: Kind, text: str, page: int = 9) -> Detection:
    return Detection(kind, page, (Box(0, 0, 10, 10),), text, 0.9, "test")


def repeats_in(text: str, *known: Detection, policy: Policy = POLICY) -> list[str]:
    page = lines_page(text)
    found = find_repeats(Transcript("0" * 64, (page,)), (), known, policy)
    assert {d.recogniser for d in found} <= {"repeat"}
    return covered_words(page, found)


def test_a_labelled_number_is_found_again_without_its_label() -> None:
    assert repeats_in("he gave 6118653 as his", detection(Kind.RADIO, "6118653")) == ["6118653"]


@pytest.mark.parametrize(
    "shown",
    [
        "any.person@example.org",
        "anyperson@example.org",
        "any person@examp1e.org",
        "any.person example.org",
        "any,person@example.0rg",
    ],
)
def test_a_mailbox_is_found_again_through_noise(shown: str) -> None:
    found = repeats_in(f"sent by {shown} today", detection(Kind.EMAIL, "any.person@example.org"))
    assert found == shown.split() or "@" not in shown


@pytest.mark.parametrize("shown", ["0131 496 0813", "01314960813", "O131-496-O813", "+44 131 496 0813"])
def test_a_number_is_found_again_in_any_writing(shown: str) -> None:
    covered = repeats_in(f"gave {shown} again", detection(Kind.PHONE, "(0131) 496 0813"))
    assert covered == shown.split()[-len(covered) :] and covered


@pytest.mark.parametrize(
    ("kind", "text"),
    [(Kind.EXTENSION, "4521"), (Kind.RADIO, "11111111"), (Kind.HANDLE, "@abc"), (Kind.POSTCODE, "ZZ1 1AA")],
)
def test_short_or_ambiguous_values_are_not_sought(kind: Kind, text: str) -> None:
    assert sought_values([detection(kind, text)]) == ()


@pytest.mark.parametrize("text", ["account 126118653", "6118653456", "1,611,865 and 3", "61/18/653.5.1.2x"])
def test_a_number_inside_a_longer_one_is_another_number(text: str) -> None:
    (value,) = sought_values([detection(Kind.RADIO, "6118653")])
    assert [text[a:b] for a, b in places_of(value, fold(text)) if text[a:b].isdigit()] == []


def test_what_is_covered_already_is_not_reported_again() -> None:
    page = lines_page("ring 0131 496 0813 or mail any.person@example.org today")
    known = find_contacts(page, POLICY)
    assert len(known) == 2
    assert find_repeats(Transcript("0" * 64, (page,)), known, known, POLICY) == ()


def test_what_another_record_holds_at_the_same_place_covers_nothing_here() -> None:
    page = lines_page("ring 0131 496 0813 or mail any.person@example.org today")
    elsewhere = find_contacts(page, POLICY)
    again = find_repeats(Transcript("1" * 64, (page,)), (), elsewhere, POLICY)
    assert covered_words(page, again) == ["0131", "496", "0813", "any.person@example.org"]


def test_public_values_and_kinds_that_stay_are_not_sought() -> None:
    assert repeats_in("ring 0800 555 111 now", detection(Kind.PHONE, "0800 555 111")) == []
    assert (
        repeats_in("he gave 6118653 as", detection(Kind.RADIO, "6118653"), policy=Policy(withhold=(Kind.EMAIL,))) == []
    )


def test_a_street_line_is_found_again_without_its_postcode() -> None:
    known = detection(Kind.ADDRESS, "Kestrel House, 59a Kiln Farm Lane, Thatford, ZZ48 4JE")
    assert repeats_in("he went to 59a Kiln Farm Lane that day", known) == ["59a", "Kiln", "Farm", "Lane"]


def test_a_five_digit_extension_is_found_again_where_nothing_names_it() -> None:
    known = detection(Kind.EXTENSION, "74676")
    assert repeats_in("the proof must read 74676 and not", known) == ["74676"]
    assert repeats_in("order 4500746763 of 746761 pounds", known) == []
    assert repeats_in("the proof must read 4676 and not", detection(Kind.EXTENSION, "4676")) == []
