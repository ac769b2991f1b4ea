"""Extensions, fax, pager and radio numbers: known by their label."""

import pytest

from tasks.contacts.recogniser import Recogniser
from tasks.contacts.recognisers import extension, fax, pager, radio
from tests.contacts.claims import claimed

EXTENSION_HITS = [
    ("Ext: 62388", "62388"),
    ("ext. 4 7038", "4 7038"),
    ("Extn 721 6248", "721 6248"),
    ("extension 2189", "2189"),
    ("the service desk: dial 74000.", "74000"),
    ("or ring 74000 before noon", "74000"),
    ("The extension on the poster must read 74418, not 74481.", "74418"),
    ("The extension on the poster must read 74418, not 74481.", "74481"),
    ("ext 4418 (formerly 4481)", "4481"),
    ("Internal 62388", "62388"),
    ("Internal: 9607", "9607"),
    ("ring x 4 7038.", "4 7038"),
    ("(x29719)", "29719"),
    ("Int: 78\n3594", "78\n3594"),
    ("Ext 6Z38O", "6Z38O"),
    ("Exts 4521/4522", "4521/4522"),
    ("the duty officer can be reached on 4521", "4521"),
]
EXTENSION_NEAR_MISSES = [
    "an extension of 17 working days",
    "an extension of 3500 working days",
    "Extension leads tested under batch",
    "internal 2019 review",
    "into 2012",
    "3 x 4200",
    "the text 2019",
    "next 1234",
    "dial 101 or 999",
    "dial 2024",
    "call 12345 people",
    "an extension to 2026 was agreed",
    "the extension of the fence to 1200 metres",
    "Ext",
    "an extension 4500 days later",
]
FAX_HITS = [
    ("Fax: 0121-496-0917", "0121-496-0917"),
    ("Fax No: 0044 20 7946 0951", "0044 20 7946 0951"),
    ("Facsimile 0113 496 0046", "0113 496 0046"),
    ("faxed to 029-2018-0877.", "029-2018-0877"),
    ("Fax 0151 496\n0233", "0151 496\n0233"),
    ("Fax 7946 0958", "7946 0958"),
]
FAX_NEAR_MISSES = ["The fax machine in room 42", "fax 12 pages", "fax dated 12/03/2019", "fax at 10:45"]
PAGER_HITS = [
    ("Bleep 2262", "2262"),
    ("Pager: 01632 960405", "01632 960405"),
    ("page the on-call manager on 2262", "2262"),
]
PAGER_NEAR_MISSES = ["page 2 of 14", "Pager batteries", "page 2262 of the bundle"]
RADIO_HITS = [
    ("ISSI 7296 7810", "7296 7810"),
    ("ISSI: 6118653", "6118653"),
    ("Airwave ISSI 3091505", "3091505"),
    ("ISSI:\n7237\t7473", "7237\t7473"),
    ("ISS1 309I505", "309I505"),
]
RADIO_NEAR_MISSES = ["Radio traffic was timed at 13.30", "radio 4", "Airwave was rolled out in 2001"]


def _table(recogniser: Recogniser, hits: list[tuple[str, str]]) -> list[tuple[Recogniser, str, str]]:
    return [(recogniser, text, value) for text, value in hits]


@pytest.mark.parametrize(
    ("recogniser", "text", "value"),
    _table(extension.RECOGNISER, EXTENSION_HITS)
    + _table(fax.RECOGNISER, FAX_HITS)
    + _table(pager.RECOGNISER, PAGER_HITS)
    + _table(radio.RECOGNISER, RADIO_HITS),
)
def test_finds_the_number_behind_its_label(recogniser: Recogniser, text: str, value: str) -> None:
    assert any(value in found for found in claimed(recogniser, text)), claimed(recogniser, text)


@pytest.mark.parametrize(
    ("recogniser", "text"),
    [(extension.RECOGNISER, t) for t in EXTENSION_NEAR_MISSES]
    + [(fax.RECOGNISER, t) for t in FAX_NEAR_MISSES]
    + [(pager.RECOGNISER, t) for t in PAGER_NEAR_MISSES]
    + [(radio.RECOGNISER, t) for t in RADIO_NEAR_MISSES],
)
def test_leaves_numbers_that_only_stand_near_the_word(recogniser: Recogniser, text: str) -> None:
    assert claimed(recogniser, text) == []
