from __future__ import annotations

import base64
import hashlib
import html
import io
import json
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
from tasks.disclosure.page import printable, render_page, show_withheld
from tasks.disclosure.schedule import schedule_csv, schedule_json, schedule_rows
from tasks.disclosure.wording import approval_words, file_size
from tasks.errors import InvalidRequestError
from tasks.model import Approver, Dossier, Kind, WithheldRecord
from tasks.request import Exemption, Policy
from tests.disclosure.examples import POLICY, approval, dossier

pytestmark = pytest.mark.slow

UNREADABLE = (WithheldRecord(9, "Record 9", "It could not be read."),)


def with_decision(case: Dossier, **decision: object) -> Dossier:
    return replace(case, letter={**case.letter, "decision": decision})


def words_of(page: bytes) -> str:
    text = re.sub(r"(?s)<(style|script|title)>.*?</\1>", "", page.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u2011", "-").split())


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
    assert "name, contact and url" in part
    authority = {"name": "Eastmere", "contact": "foi@eastmere.example"}
    (part,) = missing_parts(dossier(), Policy.model_validate({**POLICY.model_dump(), "authority": authority}))
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
        "We note that you seek access to the following information:",
        "Please send me the minutes of the planning meeting",
        "Please could you confirm the date range you are interested in?",
        "Meetings held in February 2026, please.",
        "the time for responding began again when your answer arrived on 9 March 2026",
        "We have decided to disclose some of the requested information",
        "refusal notice under section 17(1)",
        "Law enforcement: the prevention or detection of crime",
        "Why it applies",
        "harm",
        "Public interest in disclosure",
        "Public interest in withholding",
        "public interest in maintaining the exemption outweighs",
        "Disclosure We disclose these 3 records.",
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
    assert f"2 {size} 1 e-mail address; 1 telephone number; 1 part with more than one of these: " in words


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
    assert "Record not included in this response" in words
    assert "9. Record 9 It could not be read." in words
    assert "Withheld Nothing" in words
    assert "Not included 1 record, which could not be read" in words
    assert "exempt from disclosure" not in words
    assert "refusal notice" not in words
    assert "as a whole" not in words
    assert missing_parts(case, POLICY) == ()


def test_an_unreadable_record_beside_withheld_parts_is_said_to_be_claimed_under_nothing() -> None:
    case = dossier(withheld=UNREADABLE)
    words = words_of(render_response(case, POLICY, approval(case)).html)
    assert "refusal notice under section 17(1) of the Act, relying on section 31(1)(a)." in words
    assert "1 record could not be read and is not included. No exemption is claimed for it." in words
    assert "Withheld 4 parts of the records disclosed Not included 1 record" in words


def test_every_form_of_the_schedule_says_that_a_record_is_not_included() -> None:
    case = dossier(withheld=UNREADABLE)
    rows = schedule_rows(case)
    (row,) = [row for row in rows if not row.file]
    assert (row.kinds, row.exemption) == (("not included",), "")
    assert b'"9","Record 9","","","","whole record","not included","","It could not be read."' in schedule_csv(rows)
    (stored,) = [row for row in json.loads(schedule_json(case, rows))["rows"] if not row["file"]]
    assert (stored["kinds"], stored["exemption"]) == (["not included"], "")
    words = words_of(render_schedule(case, POLICY, approval(case), rows))
    assert "9. Record 9 not included none It could not be read." in words
    assert "4 parts of 2 records are withheld, painted as 5 boxes" in words


def test_the_schedule_as_a_page_has_a_heading_a_link_and_a_total_for_each_record() -> None:
    page = render_schedule(dossier(), POLICY, approval(), schedule_rows(dossier()))
    links = [value for name, value in Tags(page).attributes if name == "href" and value]
    assert "response.html" in links
    assert [link for link in links if link.startswith("records/")] == [
        f"records/{record.file_name}" for record in dossier().records
    ]
    words = words_of(page)
    assert "Record 1 (PDF, 2 pages) : 3 parts withheld." in words
    assert "Record 3 (PDF, 1 page) : nothing is withheld." in words
    assert page.count(b'<th scope="row" data-label="Mark">') == 4


# ---------------------------------------------------------------------------------------------- who answers


def test_whoever_did_not_look_is_not_said_to_have_decided() -> None:
    case = dossier()
    by_policy = replace(approval(case), by=Approver.BY_POLICY)
    words = words_of(render_response(case, POLICY, by_policy).html)
    assert "was approved on 30 March 2026 under the publisher’s policy; no person reviewed it." in words
    assert "today" not in words
    for given in (approval(case), None):
        assert "no person reviewed" not in words_of(render_response(case, POLICY, given).html)
    assert "Response given" not in words_of(render_response(case, POLICY, None).html)


def test_an_approval_is_told_in_words() -> None:
    assert approval_words(["A. Officer", "B. Officer"], "2026-03-30T14:05:00Z") == (
        "was approved on 30 March 2026 by A. Officer and B. Officer"
    )


@pytest.mark.parametrize(
    ("contact", "said", "link"),
    [
        ("foi@northshire.example", "Write to foi@northshire.example .", "mailto:foi@northshire.example"),
        ("https://northshire.example/ask", "Use https://northshire.example/ask .", "https://northshire.example/ask"),
        ("Ring 101. We listen", "Ring 101. We listen.", None),
    ],
)
def test_contact_is_given_as_a_link_wherever_somebody_may_want_it(contact: str, said: str, link: str | None) -> None:
    authority = {**POLICY.authority.model_dump(), "contact": contact}
    page = render_response(dossier(), Policy.model_validate({"authority": authority}), approval()).html
    links = [value for name, value in Tags(page).attributes if name == "href"]
    assert links.count(link) == (0 if link is None else 4)  # review, formats, closing, footer
    assert words_of(page).count(said) == 4


def test_the_version_is_said_of_every_version_and_the_first_date_of_later_ones() -> None:
    first = words_of(render_response(dossier(), POLICY, approval()).html)
    assert "Response given 30 March 2026 Version 1 Decision" in first
    later = render_response(dossier(), POLICY, approval(), version=2, first_given="2026-03-02T10:00:00Z").html
    assert "Version 2; first given 2 March 2026 Decision" in words_of(later)


# ---------------------------------------------------------------------------------------------- what persons add


def with_term(**changes: object) -> Dossier:
    """The example with its first mark over a term."""
    first, *others = dossier().records
    marks = (replace(first.marks[0], kinds=(Kind.TERM,), **changes), *first.marks[1:])  # type: ignore[arg-type]
    return dossier(records=(replace(first, marks=marks), *others))


def test_a_term_that_the_built_in_reason_does_not_explain_holds_the_response() -> None:
    (part,) = missing_parts(with_term(), POLICY)
    assert part.startswith("s.31(1)(a): the reason for withholding 1 other detail")


@pytest.mark.parametrize("where", ["policy", "decision", "mark", "another exemption"])
def test_a_term_is_explained_by_policy_decision_person_or_exemption(where: str) -> None:
    case, policy, reason = with_term(), POLICY, {"section": "s.31(1)(a)", "reason": "The name of an operation."}
    if where == "policy":
        policy = Policy.model_validate({**POLICY.model_dump(), "exemptions": [reason]})
    elif where == "decision":
        case = with_decision(case, exemptions=[reason])
    elif where == "mark":
        case = with_term(reason="The name of an operation.")
    else:
        case = with_term(exemption="s.40(2)")
    assert missing_parts(case, policy) == ()
    words = words_of(render_response(case, policy, approval(case)).html)
    assert ("The name of an operation." in words) == (where != "another exemption")
    assert "to nothing else" not in words
    narrow = "applied to those details, and to as little else as the scan allows"
    assert (narrow in words) == (where == "another exemption")


def test_where_no_contact_detail_is_withheld_nothing_built_in_is_said_of_them() -> None:
    first = with_term(reason="The name of an operation.").records[0]
    case = dossier(records=(replace(first, marks=first.marks[:1]),))
    missing = missing_parts(case, POLICY)
    assert "s.31(1)(a): the harm disclosure would cause" in missing
    assert not any("the reason" in part for part in missing)
    words = words_of(render_response(case, POLICY, None).html)
    assert "direct telephone numbers" not in words
    assert "It is applied to 1 part of the records for this reason: The name of an operation." in words


def test_a_persons_reason_stands_in_the_schedule() -> None:
    rows = schedule_rows(with_term(reason="The name of an operation.", exemption="s.43(2)"))
    assert (rows[0].exemption, rows[0].reason) == ("s.43(2)", "The name of an operation.")


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
