from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pikepdf
import pypdfium2
import pytest

from tasks.codec import digest
from tasks.disclosure.exemptions import exemption_text, is_absolute, is_prejudice_based
from tasks.disclosure.notice import (
    exemptions_claimed,
    missing_parts,
    outcome_of,
    published_request,
    render_response,
    render_schedule,
)
from tasks.disclosure.page import file_size, printable, render_page, show_withheld
from tasks.disclosure.schedule import schedule_rows
from tasks.errors import InvalidRequestError
from tasks.model import Dossier, WithheldRecord
from tasks.request import Exemption, Policy
from tests.disclosure.examples import POLICY, approval, dossier

pytestmark = pytest.mark.slow

UNREADABLE = (WithheldRecord(9, "Record 9", "It could not be read."),)


def with_decision(case: Dossier, **decision: object) -> Dossier:
    return replace(case, letter={**case.letter, "decision": decision})


def words_of(page: bytes) -> str:
    text = re.sub(r"(?s)<(style|script|title)>.*?</\1>", "", page.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


# ---------------------------------------------------------------------------------------------- decision


def test_the_outcome_follows_from_what_is_withheld() -> None:
    case = dossier()
    open_record = (case.records[2],)
    assert outcome_of(case) == "part"
    assert outcome_of(replace(case, records=open_record, withheld=())) == "all"
    assert outcome_of(replace(case, records=open_record)) == "part"
    assert outcome_of(replace(case, records=())) == "refused"


def test_the_decision_of_the_request_wins() -> None:
    assert outcome_of(with_decision(dossier(), outcome="refused")) == "refused"


def test_a_complete_response_misses_nothing() -> None:
    assert missing_parts(dossier(), POLICY) == ()


@pytest.mark.parametrize(
    ("case", "named"),
    [
        (with_decision(dossier(), outcome="all"), "everything is disclosed"),
        (with_decision(dossier(), outcome="refused"), "records are disclosed"),
        (with_decision(dossier(records=()), outcome="part"), "no record is"),
        (with_decision(dossier(records=dossier().records[2:], withheld=()), outcome="part"), "nothing is"),
        (with_decision(dossier(records=(), withheld=()), outcome="refused"), "s.17(1)(b)"),
        (with_decision(dossier(), exemptions=[{"section": "s.43(2)", "reason": "Prices."}]), "s.43(2): the harm"),
        (with_decision(dossier(), exemptions=[{"section": "s.42"}]), "s.42: the reason"),
        (with_decision(dossier(), exemptions=[{"section": "s.42"}]), "s.42: the balance of the public interest"),
        (dossier(withheld=(WithheldRecord(4, "x", " "),)), "record 4: the reason"),
        (dossier(letter={**dossier().letter, "reference": "other"}), "reference"),
        (
            dossier(letter={**dossier().letter, "clarification": [{"from": "authority", "text": "Which?"}]}),
            "not answered",
        ),
    ],
)
def test_a_missing_part_is_named(case: Dossier, named: str) -> None:
    assert any(named in part for part in missing_parts(case, POLICY))


def test_who_answers_is_no_placeholder() -> None:
    (part,) = missing_parts(dossier(), Policy.model_validate({**POLICY.model_dump(), "authority": {}}))
    assert "name and url" in part
    (part,) = missing_parts(
        dossier(), Policy.model_validate({**POLICY.model_dump(), "authority": {"name": "Eastmere"}})
    )
    assert "its url," in part


def test_an_absolute_exemption_needs_no_public_interest_test() -> None:
    case = with_decision(dossier(records=(), withheld=()), outcome="refused", exemptions=[{"section": "s.40(2)"}])
    assert missing_parts(case, POLICY) == ()


def test_a_letter_that_is_no_request_names_the_field_and_not_its_value() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        published_request(dossier(letter={**dossier().letter, "received": "07700 900123"}))
    assert "received" in str(caught.value)
    assert "07700" not in str(caught.value)


# ---------------------------------------------------------------------------------------------- exemptions


def test_the_built_in_sections_are_complete() -> None:
    for section in ("s.31(1)(a)", "s.40(2)"):
        assert exemption_text(section, (), ()).missing == ()


def test_policy_extends_and_decision_overrides_field_by_field() -> None:
    policy = (Exemption(section="s.31(1)(a)", reason="policy reason", harm="policy harm"),)
    decision = (Exemption(section="s.31(1)(a)", reason="decision reason"),)
    text = exemption_text("s.31(1)(a)", policy, decision)
    assert (text.reason, text.harm) == ("decision reason", "policy harm")
    assert text.balance == exemption_text("s.31(1)(a)", (), ()).balance


def test_a_section_nobody_wrote_about_stays_empty() -> None:
    text = exemption_text("s.43(2)", (), ())
    assert (text.subject, text.reason) == ("Commercial interests", "")
    assert len(text.missing) == 5


@pytest.mark.parametrize(
    ("section", "absolute", "prejudice"),
    [
        ("s.21", True, False),
        ("s.31(1)(a)", False, True),
        ("s.40(2)", True, False),
        ("s.40(4A)(a)", False, False),
        ("s.42", False, False),
        ("s.43(1)", False, False),
        ("s.43(2)", False, True),
        ("s.41(1)", True, False),
        ("s.4", False, False),
    ],
)
def test_sections_are_told_apart(section: str, absolute: bool, prejudice: bool) -> None:
    assert (is_absolute(section), is_prejudice_based(section)) == (absolute, prejudice)


def test_exemptions_stand_in_the_order_of_the_act() -> None:
    case = with_decision(dossier(), exemptions=[{"section": "s.43(2)"}, {"section": "s.40(2)"}])
    assert [text.section for text in exemptions_claimed(case, POLICY)] == ["s.31(1)(a)", "s.40(2)", "s.43(2)"]


# ---------------------------------------------------------------------------------------------- letter


def test_the_letter_has_every_part_in_order() -> None:
    words = words_of(render_response(dossier(), POLICY, approval()).html)
    parts = [
        "Northshire Police",
        "01.FOI.26.000123",
        "I note you seek access to the following information:",
        "Please send me the minutes of the planning meeting",
        "Please could you confirm the date range you are interested in?",
        "Meetings held in February 2026, please.",
        "the time for responding began again when your answer arrived on 9 March 2026",
        "I have today decided to disclose some of the requested information",
        "refusal notice under section 17(1)",
        "Law enforcement: the prevention or detection of crime",
        "Why it applies",
        "harm",
        "Public interest in disclosure",
        "Public interest in withholding",
        "public interest in maintaining the exemption outweighs",
        "Disclosure I disclose the following 3 records",
        "Minutes of the public order planning meeting",
        "Records withheld as a whole",
        "Letter from a resident",
        "Internal review",
        "40 working days",
        "section 50 of the Act",
        "Information Commissioner",
        "Other formats",
        "large print",
    ]
    at = 0
    for part in parts:
        found = words.find(part, at)
        assert found >= 0, part
        at = found
    assert "Response due 9 April 2026" in words
    assert "Response given 30 March 2026" in words


def test_the_files_are_listed_with_pages_size_and_what_is_withheld() -> None:
    words = words_of(render_response(dossier(), POLICY, approval()).html)
    size = file_size(dossier().records[0].size)
    assert f"2 {size} 1 e-mail address; 1 e-mail address and telephone number; 1 telephone number" in words


def test_disclosing_everything_is_no_refusal() -> None:
    case = dossier(records=dossier().records[2:], withheld=())
    words = words_of(render_response(case, POLICY, approval(case)).html)
    assert "in full" in words
    assert "refusal notice" not in words
    assert "Exemptions" not in words
    assert "section 50 of the Act" in words


def test_an_unreadable_record_is_not_called_exempt() -> None:
    case = dossier(records=dossier().records[2:], withheld=UNREADABLE)
    words = words_of(render_response(case, POLICY, approval(case)).html)
    assert "It could not be read." in words
    assert "exempt from disclosure" not in words
    assert missing_parts(case, POLICY) == ()


def test_a_draft_says_so_on_every_page_and_an_approved_letter_nowhere() -> None:
    draft, final = (render_response(dossier(), POLICY, given) for given in (None, approval()))
    assert "Draft" in words_of(draft.html)
    assert "draft" not in words_of(final.html).lower()
    for response, marked in ((draft, True), (final, False)):
        with pypdfium2.PdfDocument(response.pdf) as document:
            assert len(document) > 1
            for page in document:
                assert ("DRAFT" in page.get_textpage().get_text_range()) == marked
    assert "Draft" in words_of(render_schedule(dossier(), POLICY, None, schedule_rows(dossier())))


HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=y>'{{7*7}}{% raw %}&amp;"


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs


def test_hostile_text_stays_text() -> None:
    case = dossier(
        title=HOSTILE,
        letter={**dossier().letter, "title": HOSTILE, "request_text": HOSTILE},
        records=(replace(dossier().records[0], title=HOSTILE),),
        withheld=(WithheldRecord(4, HOSTILE, HOSTILE),),
    )
    policy = Policy.model_validate({"authority": {"name": HOSTILE, "contact": HOSTILE}})
    page = render_response(case, policy, approval(case)).html
    tags = Tags(page)
    assert not {"script", "img"} & set(tags.names)
    assert not any(name.startswith("on") for name, _ in tags.attributes)
    assert words_of(page).count("{{7*7}}") >= 6


def test_what_turns_or_breaks_text_is_left_out() -> None:
    assert printable("a\x00b\u202ec\x1bd\ud800e\r\nf") == "abcde\nf"
    case = dossier(title="\u202efdp.exe\x00", letter={**dossier().letter, "request_text": "x\x08y\u2066z"})
    page = render_response(case, POLICY, None)
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069]", page.html.decode())


def test_withheld_details_are_set_apart_and_escaped() -> None:
    shown = str(show_withheld("<b> [withheld: s.31(1)(a)] & [withheld: <i>]"))
    assert shown.startswith("&lt;b&gt; <span")
    assert "<i>" not in shown
    assert shown.count('<span class="withheld">') == 2


def test_the_page_asks_for_nothing_and_its_policy_allows_just_its_style() -> None:
    page = render_response(dossier(), POLICY, approval()).html.decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    (style,) = re.findall(r"(?s)<style>(.*?)</style>", page)
    assert "default-src 'none'" in policy
    assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<(?:img|link|iframe|object|script)|@import|url\(|\sstyle=|\ssrc=", page)


def test_an_unnamed_value_stops_the_rendering() -> None:
    with pytest.raises(Exception, match="undefined"):
        render_page("tombstone.html", authority=POLICY.authority)


def test_the_pdf_is_tagged_titled_and_undated() -> None:
    with pikepdf.open(io.BytesIO(render_response(dossier(), POLICY, approval()).pdf)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang) == "en-GB"
        assert "Planning meeting" in str(pdf.docinfo.Title)
        assert {"/CreationDate", "/ModDate"}.isdisjoint(pdf.docinfo.keys())
        with pdf.open_metadata() as xmp:
            assert xmp["pdfuaid:part"] == "1"
        headers = [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/S") == "/TH"]
        assert len(headers) >= 8
        assert all(str(header.A.Scope) in ("/Row", "/Column") for header in headers)
        links = [str(a.A.URI) for page in pdf.pages for a in page.get("/Annots", []) if "/A" in a and "/URI" in a.A]
        assert any(
            link.startswith("https://foi.northshire.example/disclosures/01.FOI.26.000123/v1/data/") for link in links
        )


def test_two_processes_make_the_same_bytes() -> None:
    code = (
        "from tests.disclosure.examples import *; from tasks.disclosure.notice import render_response;"
        "r = render_response(dossier(), POLICY, approval()); print(digest(r.html), digest(r.pdf))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "5", "PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"},
    )
    here = render_response(dossier(), POLICY, approval())
    assert run.stdout.split() == [digest(here.html), digest(here.pdf)]


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (999_499, "999 kB"), (999_500, "1.0 MB")]
)
def test_sizes_read_well(size: int, words: str) -> None:
    assert file_size(size) == words
