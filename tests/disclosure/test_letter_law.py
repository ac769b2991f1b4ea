"""What the Act and the Commissioner's guidance want of a response, one test for each; see also `test_notice.py`."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pikepdf
import pytest

from tasks.disclosure.exemptions import is_silent
from tasks.disclosure.notice import missing_parts, render_response
from tasks.model import Dossier, WithheldRecord
from tasks.request import Policy
from tests.disclosure.examples import POLICY, approval, dossier
from tests.disclosure.test_notice import words_of

pytestmark = pytest.mark.slow

HEALTH = {
    "section": "s.38(1)(b)",
    "reason": "The plan shows where people work alone.",
    "harm": "Disclosure would be likely to endanger their safety.",
    "public_interest_for": ["Openness about how buildings are guarded."],
    "public_interest_against": ["Nobody should come to harm for their work."],
    "balance": "Safety weighs more.",
}


def with_policy(**changes: Any) -> Policy:
    return Policy.model_validate({**POLICY.model_dump(), **changes})


def refused(*exemptions: dict[str, Any]) -> Dossier:
    case = dossier()
    letter = {**case.letter, "decision": {"outcome": "refused", "exemptions": list(exemptions)}}
    return replace(case, letter=letter, records=(), withheld=())


def words(case: Dossier, policy: Policy = POLICY) -> str:
    return words_of(render_response(case, policy, approval(case)).html)


def under(section: str) -> Dossier:
    """The example with every mark under one section."""
    records = tuple(
        replace(record, marks=tuple(replace(mark, exemption=section) for mark in record.marks))
        for record in dossier().records
    )
    return dossier(records=records)


def test_an_exemption_of_the_policy_file_is_told_like_a_built_in_one() -> None:
    case, policy = under("s.38(1)(b)"), with_policy(exemptions=[HEALTH])
    assert missing_parts(case, policy) == ()
    told = words(case, policy)
    at = 0
    for part in ("relying on section 38(1)(b)", "Section 38(1)(b) Health and safety (qualified exemption)",
                 "Why it applies The plan", "cause Disclosure would be likely to endanger", "in disclosure Openness",
                 "in withholding Nobody", "Where the balance lies Safety weighs more."):  # fmt: skip
        at = told.index(part, at)


@pytest.mark.parametrize("left_out", [key for key in HEALTH if key != "section"])
def test_each_part_of_an_exemption_that_is_left_out_holds_the_response_and_is_named(left_out: str) -> None:
    part = {key: value for key, value in HEALTH.items() if key != left_out}
    (missing,) = missing_parts(under("s.38(1)(b)"), with_policy(exemptions=[part]))
    assert missing.startswith("s.38(1)(b): the ")


def test_every_exemption_claimed_has_a_section_of_its_own_and_no_other_has() -> None:
    case = dossier()
    letter = {**case.letter, "decision": {"exemptions": [{"section": "s.40(2)"}, HEALTH]}}
    told = words(replace(case, letter=letter))
    for heading in (
        "Section 31(1)(a) Law enforcement: the prevention or detection of crime (qualified exemption) Why it applies",
        "Section 38(1)(b) Health and safety (qualified exemption) Why it applies",
        "Section 40(2) Personal information of other people (absolute exemption) Why it applies",
    ):
        assert told.count(heading) == 1
    assert told.count("Why it applies") == 3
    assert words(replace(case, withheld=())).count("Why it applies") == 1


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("s.1(1)(a): held", "we confirm that information of the description you gave is held (4 records)."),
        (
            "s.17(1)(a) and (b)",
            "serves as a refusal notice under section 17(1) of the Act, relying on section 31(1)(a) and section 40(2).",
        ),
        ("s.17(7)(a)", "You may ask us for an internal review within 40 working days of this response."),
        ("review in 20, at most 40", "answers within 20 working days, or 40 where it is complex"),
        ("s.17(7)(b), s.50", "section 50 of the Act gives you the right to ask the Information Commissioner"),
        ("s.31(1)(a): harm", "would be likely to"),
        ("disclosure to the world", "Disclosure under the Act is disclosure to the world."),
        ("accessibility", "another format (large print, audio, plain text)"),
        ("version", "The newest version of this response, and whether it still stands"),
    ],
)
def test_the_letter_says(clause: str, said: str) -> None:
    assert said in words(dossier()), clause


def test_personal_data_cites_the_limb_and_the_principle() -> None:
    told = words(under("s.40(2)"))
    for part in ("section 40(2)", "section 40(3A)(a)", "Article 5(1)(a)", "absolute exemption"):
        assert part in told
    assert "Where the balance lies" not in told


def test_a_refusal_confirms_that_the_information_is_held() -> None:
    told = words(refused({"section": "s.40(2)"}))
    assert "We have decided to withhold the requested information" in told
    assert "we confirm that information of the description you gave is held." in told
    assert "No record is disclosed with this response." in told


SILENT = {**HEALTH, "section": "s.31(3)"}


def test_a_refusal_under_a_silent_limb_neither_confirms_nor_denies() -> None:
    case = refused(SILENT)
    assert missing_parts(case, POLICY) == ()
    told = words(case)
    assert "We neither confirm nor deny that the requested information is held." in told
    assert "we confirm" not in told


def test_a_silent_limb_beside_disclosed_records_holds_the_response() -> None:
    case = dossier()
    spoken = replace(case, letter={**case.letter, "decision": {"exemptions": [SILENT]}})
    assert any("neither confirms nor denies" in part for part in missing_parts(spoken, POLICY))


@pytest.mark.parametrize(
    ("section", "silent"),
    [("s.40(5B)(a)(i)", True), ("s.31(3)", True), ("s.23(5)", True), ("s.31(1)(a)", False), ("s.40(2)", False)],
)
def test_silent_limbs_are_told_from_others(section: str, silent: bool) -> None:
    assert is_silent(section) is silent


@pytest.mark.parametrize("field", ["internal_review", "alternative_formats", "contact", "name", "unit"])
def test_what_a_policy_must_say_of_the_authority_cannot_be_blank(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        with_policy(authority={field: "  "})


def test_everything_in_the_letter_comes_from_request_policy_and_schedule() -> None:
    """Two letters of the same three are the same; another authority, request or record shows."""
    first = render_response(dossier(), POLICY, approval())
    assert render_response(dossier(), POLICY, approval()) == first
    other = with_policy(authority={**POLICY.authority.model_dump(), "internal_review": "Ring 101 and ask."})
    assert "Ring 101 and ask." in words(dossier(), other)
    case = dossier(withheld=(WithheldRecord(4, "A note", "It was torn."),))
    assert "It was torn." in words(case)


def test_the_pdf_says_what_the_page_says() -> None:
    response = render_response(dossier(), POLICY, approval())
    with pikepdf.open(io.BytesIO(response.pdf)) as pdf:
        links = {str(a.A.URI) for page in pdf.pages for a in page.obj.get("/Annots", []) if "/A" in a and "/URI" in a.A}
    assert "https://foi.northshire.example/disclosures/01.FOI.26.000123/index.html" in links
    assert any(link.endswith("/v1/data/schedule.csv") for link in links)
