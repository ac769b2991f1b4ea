"""The letter as a screen reader has it: PDF/UA-1 by checkers of others, and what is heard."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tasks.disclosure.notice import Response, render_response
from tasks.model import WithheldRecord
from tests.disclosure.examples import POLICY, approval, dossier
from tests.pdf_ua import GUESSES, complaints

pytestmark = pytest.mark.slow

SECTIONS = [
    {"section": "s.40(2)"},
    {
        "section": "s.43(2)",
        "reason": "The tender is open.",
        "harm": "Bidders would know each other's prices.",
        "public_interest_for": ["Openness about spending."],
        "public_interest_against": ["A fair tender."],
        "balance": "The tender closes soon.",
    },
]


def letters() -> dict[str, Response]:
    """Every kind of letter: part, all, refused with three exemptions, draft, a long one that replaces another."""
    case = dossier()
    all_of_it = dossier(records=case.records[2:], withheld=())
    decision = {"outcome": "refused", "exemptions": SECTIONS}
    refused = dossier(records=(), withheld=(), letter={**case.letter, "clarification": [], "decision": decision})
    many = tuple(replace(case.records[0], number=n, title=f"Minutes & notes, part {n}") for n in range(1, 60))
    return {
        "part": render_response(case, POLICY, approval()),
        "all": render_response(all_of_it, POLICY, approval(all_of_it)),
        "refused": render_response(refused, POLICY, approval(refused)),
        "draft": render_response(case, POLICY, None),
        "long": render_response(
            dossier(records=many, withheld=(WithheldRecord(60, "A letter", "It is exempt."),)),
            POLICY,
            approval(),
            version=2,
            changes=("Record 3 is new.",),
        ),
    }


def test_the_machine_checks_of_pdf_ua_pass_on_every_letter_and_would_fail(tmp_path: Path) -> None:
    for name, letter in letters().items():
        (tmp_path / f"{name}.pdf").write_bytes(letter.pdf)
    with pikepdf.open(tmp_path / "part.pdf") as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/TH":
                del item["/A"]
        pdf.save(tmp_path / "spoilt.pdf")
    found = complaints(sorted(tmp_path.glob("*.pdf")))
    assert found.pop(str(tmp_path / "spoilt.pdf")) - GUESSES
    assert len(found) == 5
    for path, rules in found.items():
        assert rules <= GUESSES, Path(path).stem


def test_the_lines_in_the_margins_are_seen_on_every_page_and_heard_on_none(tmp_path: Path) -> None:
    path = tmp_path / "draft.pdf"
    path.write_bytes(render_response(dossier(), POLICY, None).pdf)
    told = subprocess.run(["pdfinfo", "-struct-text", path], capture_output=True, text=True, check=True).stdout
    seen = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True).stdout
    assert "Page 2 of" in seen and "Page 2 of" not in told
    assert seen.count("DRAFT") > told.count("DRAFT") == 1


def test_everything_else_is_heard_in_the_order_it_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(render_response(dossier(), POLICY, approval()).pdf)
    told = subprocess.run(["pdfinfo", "-struct-text", path], capture_output=True, text=True, check=True).stdout
    heard = "".join(line.strip()[1:-1] for line in told.splitlines() if line.strip().startswith('"'))
    at = 0
    for part in ("Northshire Police", "We note that you seek", "[withheld: requester]", "We have decided", "outweighs",
                 "Records disclosed", "Distribution list", "Internal review", "Information Commissioner"):  # fmt: skip
        at = heard.index(part, at)


def test_links_are_printed_and_headers_head_columns_or_rows() -> None:
    with pikepdf.open(io.BytesIO(render_response(dossier(), POLICY, approval()).pdf)) as pdf:
        links: list[Any] = [note for page in pdf.pages for note in page.obj.get("/Annots", [])]
        assert links
        assert {int(link.F) for link in links} == {4}
