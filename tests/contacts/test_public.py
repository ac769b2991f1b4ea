import pytest

from tasks.contacts.public import is_public, load_public_list
from tasks.model import Kind
from tasks.request import Policy


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.PHONE, "999"),
        (Kind.PHONE, "101"),
        (Kind.PHONE, "0800 555 111"),
        (Kind.PHONE, "08OO 555 lll"),
        (Kind.PHONE, "+44 (0)303 123 1113"),
        (Kind.PHONE, "0800-789-321"),
        (Kind.URL, "www.ico.org.uk"),
        (Kind.URL, "https://ico.org.uk/make-a-complaint"),
        (Kind.URL, "WWW.GOV.UK"),
        (Kind.EMAIL, "Casework@ico.org.uk"),
        (Kind.ADDRESS, "Wycliffe House, Water Lane, Wilmslow, SK9 5AF"),
        (Kind.POSTCODE, "SK9 5AF"),
    ],
)
def test_published_contacts_are_public_in_any_writing(kind: Kind, value: str) -> None:
    assert is_public(kind, value, Policy())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.PHONE, "0131 496 0813"),
        (Kind.EXTENSION, "101"),
        (Kind.URL, "foi.force.police.uk"),
        (Kind.URL, "notico.org.uk"),
        (Kind.EMAIL, "a.person@ico.org.uk"),
        (Kind.PHONE, "0800 555 1112"),
        (Kind.HANDLE, "@some_handle"),
        (Kind.ADDRESS, "12 Water Lane, Thatford"),
    ],
)
def test_what_only_resembles_a_public_contact_is_not(kind: Kind, value: str) -> None:
    assert not is_public(kind, value, Policy())


def test_each_entry_names_its_source_and_no_value_stands_twice() -> None:
    listed = load_public_list()
    assert listed.version
    assert all(contact.source.startswith("https://") and contact.holder for contact in listed.contacts)
    assert len({(c.kind, c.value) for c in listed.contacts}) == len(listed.contacts)
    assert all(is_public(c.kind, c.value, Policy()) for c in listed.contacts)
