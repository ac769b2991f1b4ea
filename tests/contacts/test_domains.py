"""Addresses at a domain the request holds elsewhere are found through heavy noise; the organisation's name is not."""

from __future__ import annotations

import pytest

from tasks.contacts.domains import known_domains, places_of_addresses
from tasks.geometry import Box
from tasks.model import Detection, Kind

DOMAINS = ("dunmereharbour.police.uk", "netherbyfire.example")


def detection(text: str, kind: Kind = Kind.EMAIL, score: float = 0.95) -> Detection:
    return Detection(kind, 0, (Box(0, 0, 10, 10),), text, score, "email.anchor")


KNOWN = known_domains([detection(f"someone@{domain}") for domain in DOMAINS])


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in places_of_addresses(KNOWN, text)]


@pytest.mark.parametrize(
    "line",
    [
        "m.oldacre@dunmereharbour.police.uk",
        "m.oldacreçdunmerebarhour pohce uk",
        "m.oldacre(adunmereharbour.polce.uk",
        "oldacre+deskednetherbvfire.examp1e",
    ],
)
def test_an_address_is_found_whole_however_its_sign_was_read(line: str) -> None:
    assert found(f"write to {line} today") == [line]


def test_an_address_over_two_lines_is_found() -> None:
    assert found("to m.oldacreødunmerehar\nbour police uk today") == ["m.oldacreødunmerehar\nbour police uk"]


@pytest.mark.parametrize(
    "line",
    [
        "the Dunmere Harbour Police UK office",
        "Dunmere Harbour Police",
        "a fire at Netherby, for example",
        "nothing of the kind\tstands here",
    ],
)
def test_the_name_of_the_organisation_is_no_address(line: str) -> None:
    assert found(line) == []


def test_only_surely_read_addresses_tell_a_domain() -> None:
    assert known_domains([detection("a@netherbyfire.example", score=0.6)]) == ()
    assert known_domains([detection("http://netherbyfire.example", Kind.URL)]) == ()
    assert known_domains([detection("a@b.uk")]) == ()
