import pytest

from tasks.contacts.labels import is_label, label_kind
from tasks.model import Kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Tel:", Kind.PHONE),
        ("Te1:", Kind.PHONE),
        ("Telephone No.", Kind.PHONE),
        ("Mob", Kind.PHONE),
        ("Direct dial:", Kind.PHONE),
        ("Tel / Ext", Kind.EXTENSION),
        ("Alternative mobile (one digit per box)", Kind.PHONE),
        ("Contact number", Kind.PHONE),
        ("Ext", Kind.EXTENSION),
        ("Internal:", Kind.EXTENSION),
        ("E-mail:", Kind.EMAIL),
        ("Emai1 address", Kind.EMAIL),
        ("Mailbox", Kind.EMAIL),
        ("Fax No:", Kind.FAX),
        ("Reply fax:", Kind.FAX),
        ("ISSI:", Kind.RADIO),
        ("Airwave ISSI", Kind.RADIO),
        ("Bleep", Kind.PAGER),
        ("Home address", Kind.ADDRESS),
        ("Write to", Kind.ADDRESS),
        ("Postcode", Kind.POSTCODE),
        ("Teams", Kind.HANDLE),
        ("Website:", Kind.URL),
    ],
)
def test_a_cell_that_is_a_label_announces_its_kind(text: str, kind: Kind) -> None:
    found = label_kind(text)
    assert found is kind or {found, kind} == {Kind.PHONE, Kind.EXTENSION}


@pytest.mark.parametrize(
    "text",
    [
        "mobile patrols",
        "Radio traffic",
        "Our ref:",
        "Date",
        "Name",
        "Qty",
        "Cost centre",
        "extension of 17 days",
        "Telephone calls to the counter",
        "42",
        "",
        "a",
    ],
)
def test_prose_and_other_labels_announce_nothing(text: str) -> None:
    assert label_kind(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Our ref:", True), ("Date", True), ("Tel:", True), ("0131 496 0813", False), ("Any Person", False)],
)
def test_any_label_bounds_the_field_before_it(text: str, expected: bool) -> None:
    assert is_label(text) is expected
