import pytest

from tasks.contacts.recognisers import address, postcode
from tests.contacts.claims import claimed

POSTCODE_HITS = [
    "ZZ7 1RW",
    "ZZ48 2BJ",
    "Z1 1AA",
    "Z1A 1AA",
    "ZZ1A 1AA",
    "ZZ15 1X0",
    "zz7 7ax",
    "ZZ151WX",
    "ZZ15 IXA",
    "BFPO 770",
]
POSTCODE_NEAR_MISSES = [
    "YK70 GDX",
    "LJ21ZZY",
    "P294 WNL",
    "217NE",
    "056NE",
    "TQ 297 476",
    "SU567493",
    "X60A44996H",
    "Form 1521A",
    "KLW/43",
    "0145Z",
    "P264565",
    "MG64",
    "s.40(2)",
    "18 Oct 17",
    "to 3rd",
    "19NOV22",
    "28JUL24",
    "AB/3",
    "v6.6",
    "071TO",
]
ADDRESS_HITS = [
    (
        "Example Police, jubilee House 26a Any Street · Anytown · ZZ14 4HE ·",
        "jubilee House 26a Any Street · Anytown · ZZ14 4HE",
    ),
    ("Home address\n53b The Shambles\n=\nAnytown\nZZ48 7YE", "53b The Shambles\n=\nAnytown\nZZ48 7YE"),
    ("PO Bos 2873\nAnytown\nZZ12 1AR", "PO Bos 2873\nAnytown\nZZ12 1AR"),
    (
        "by writing to Kestrel\nHouse, 73 Tollgate Drive,\nAnytown ZZ46 5NT.",
        "Kestrel\nHouse, 73 Tollgate Drive,\nAnytown ZZ46 5NT",
    ),
    ("PO Box 2873\nAnytown\nzzl2 dar", "PO Box 2873\nAnytown\nzzl2 dar"),
    ("Peel Centre, 61b Cobalt Way,\nAnytown\nZ2Z7 9RD", "Peel Centre, 61b Cobalt Way,\nAnytown\nZ2Z7 9RD"),
    (
        "Sth Floor\nEmpress Court\n227 Lower Fold\nAnytown\nZZ46 9BJ",
        "Sth Floor\nEmpress Court\n227 Lower Fold\nAnytown\nZZ46 9BJ",
    ),
    ("forms to 15-97\nAny Road, Anytown, ZZ7 2WB marked", "15-97\nAny Road, Anytown, ZZ7 2WB"),
    (
        "who lives at 3rd Floor West, Chapter Court, 212 Any Lane, Thatford, Someshire ZZ6 6QE. Next",
        "3rd Floor West, Chapter Court, 212 Any Lane, Thatford, Someshire ZZ6 6QE",
    ),
    (
        "Kestrel House\n59a Kiln Lane\nThatford\nSomeshire\nZZ484JE",
        "Kestrel House\n59a Kiln Lane\nThatford\nSomeshire\nZZ484JE",
    ),
    ("Flat 49\n89a Marsh Way\nThatford\nZZ14 3WX", "Flat 49\n89a Marsh Way\nThatford\nZZ14 3WX"),
    ("Return to: PO Box 6829, Thatford, ZZ486XB or", "PO Box 6829, Thatford, ZZ486XB"),
    ("35 Signal Sqn, Building 98 BFPO 770", "35 Signal Sqn, Building 98 BFPO 770"),
    ("at 12 Any Street, Thatford for tea", "12 Any Street, Thatford"),
    ("Jubilee House · 26a Any Street · Thatford · ZZ14 4HE", "Jubilee House · 26a Any Street · Thatford · ZZ14 4HE"),
    ("write to 100 Main Street, Anytown, IL 62701.", "100 Main Street, Anytown, IL 62701"),
    ("lives at Flat 3,\n9 Any Road, Thatford ZZ1\n1AA and", "Flat 3,\n9 Any Road, Thatford ZZ1\n1AA"),
    ("DX 58343, Thatford 5", "DX 58343, Thatford 5"),
]
ADDRESS_NEAR_MISSES = [
    "3 | Vehicle YZ70 GDX",
    "on 13 March 2019 the Street Team met",
    "Room 24 was booked",
    "page 12 Street lighting",
    "the House of Lords",
    "5 Officers attended the Court",
]


@pytest.mark.parametrize("text", POSTCODE_HITS)
def test_finds_postcodes_by_shape(text: str) -> None:
    assert claimed(postcode.RECOGNISER, f"in {text} it") == [text]


@pytest.mark.parametrize("text", POSTCODE_NEAR_MISSES)
def test_leaves_codes_of_other_shapes(text: str) -> None:
    assert claimed(postcode.RECOGNISER, f"the {text} is") == []


@pytest.mark.parametrize(("text", "value"), ADDRESS_HITS)
def test_finds_the_whole_address(text: str, value: str) -> None:
    assert value in claimed(address.RECOGNISER, text)


@pytest.mark.parametrize("text", ADDRESS_NEAR_MISSES)
def test_leaves_what_is_no_address(text: str) -> None:
    assert claimed(address.RECOGNISER, text) == []


def test_the_name_above_an_address_stays() -> None:
    text = "Mrs Any Person\nCriminal Justice Unit\nKestrel House\n59a Kiln Lane\nThatford\nZZ48 4JE"
    assert claimed(address.RECOGNISER, text) == ["Kestrel House\n59a Kiln Lane\nThatford\nZZ48 4JE"]


def test_a_date_before_an_address_stays() -> None:
    text = "held on 23 February 2023 at 0320Z, Tintagel Point, 154 Harbour Walk, Thatford, ZZ4 0YJ"
    assert claimed(address.RECOGNISER, text) == ["Tintagel Point, 154 Harbour Walk, Thatford, ZZ4 0YJ"]
