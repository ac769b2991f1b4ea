"""Searching withheld values in what would leave."""

from __future__ import annotations

import io
import zipfile

import pikepdf
import pytest

from tasks.redaction.gate.output import Shown
from tasks.redaction.gate.values import check_values, needles

PHONE, MAIL, ADDRESS = "020 7946 0123", "jordan.example@police.example", "4 Sample Row, Exampleton ZZ9 9ZZ"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (PHONE, "ring 020 7946 0123 now"),
        (PHONE, "ring 02079460123."),
        (PHONE, "(020) 7946-0123"),
        (PHONE, "+44 20 7946 0123"),
        (PHONE, "0044 (0)20 7946 0123"),
        (PHONE, "O20 7946 Ol23"),
        (PHONE, "020 7946\n0123"),
        ("+44 (0)20 7946 0123", "020 7946 0123"),
        ("O20 7946 0l23 ", "O20 7946 0l23"),
        (MAIL, "to JORDAN.EXAMPLE@POLICE.EXAMPLE please"),
        (MAIL, "mailto:jordan.example@police.example?x=1"),
        (MAIL, "jordan . example @ police . example"),
        (MAIL, "j0rdan.examp1e@po1ice.example"),
        (ADDRESS, "at 4 Sample Row Exampleton, ZZ9 9ZZ"),
        ("jordan@police", "to j0rdan@po1ice now"),
        ("ZZ9 9ZZ", "ZZ99ZZ and so on"),
        ("intranet.example/desk7", "see http://intranet.example/desk7"),
        ("joanne@", "mail joanne@ the office"),
        ("Ｊordan.Example@police.example", "jordan.example@police.example"),
    ],
)
def test_a_value_is_found_in_other_spellings(value: str, text: str) -> None:
    assert [f.code for f in check_values({"letter": text}, [value])] == ["A25"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (PHONE, "020 7946 0124"),
        (PHONE, "in 2023, 123 of 794 at 06:30"),
        (MAIL, "jordan@police.example"),
        (MAIL, "majordan.example@police.examples"),
        (ADDRESS, "4 Sample Row Exampleton ZZ9 9ZZA"),
        (ADDRESS, "14 Sample Row Exampleton ZZ9 9ZZ"),
        ("4471", "pass number 4471"),
        ("Enquiries", "Enquiries go to the desk"),
        ("ext 12", "ext 12"),
        ("a@b", "a@b"),
        ("joanne@", "Joanne wrote"),
        ("", "anything"),
    ],
)
def test_what_is_another_value_or_no_evidence_is_not_found(value: str, text: str) -> None:
    assert check_values({"letter": text}, [value]) == ()


def test_terms_are_found_whole_whatever_their_length() -> None:
    assert check_values({"a": "operation Nightjar began"}, [], terms=["nightjar"])
    assert not check_values({"a": "nightjars sing"}, [], terms=["nightjar"])


def test_names_are_searched_too_and_never_repeated() -> None:
    (finding,) = check_values({"records/001-02079460123.pdf": "clean"}, [PHONE])
    assert "name of item 1" in finding.message
    assert "0123" not in repr(finding)


def pdf_with(title: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.docinfo["/Title"] = title
        pdf.save(out)
    return out.getvalue()


def zip_with(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    "blob",
    [
        zip_with("a.txt", MAIL.encode()),
        zip_with(f"{MAIL}.txt", b""),
        MAIL.encode("utf-16-le"),
        f'{{"text": "{MAIL}"}}'.encode(),
    ],
    ids=["zip", "name in zip", "utf-16", "json"],
)
def test_files_are_looked_into(blob: bytes) -> None:
    assert [f.code for f in check_values({"x": "clean", "y": blob}, [MAIL])] == ["A25"]
    assert check_values({"y": blob}, ["robin@elsewhere.example"]) == ()


@pytest.mark.parametrize("blob", [pdf_with("clean"), zip_with("a.pdf", pdf_with("clean")), b"PK\x03\x04 broken"])
def test_a_file_that_is_not_looked_into_is_a_finding(blob: bytes) -> None:
    """A PDF is searched apart, in a process that has nothing but that file."""
    (finding,) = check_values({"x": blob}, [MAIL])
    assert finding.code == "A00"


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("value", [PHONE, MAIL, ADDRESS, "+44 20 7946 0123"])
def test_a_value_is_found_in_every_coding_of_text(value: str, coding: str) -> None:
    """Letters of UTF-16 bring zeros with them, and digits are no number while zeros stand between."""
    assert [
        f.code for f in check_values({"blob": f"say {PHONE if '+' in value else value} now".encode(coding)}, [value])
    ] == ["A25"]


@pytest.mark.parametrize("text", ["ask Ann today", "Ann", "ANN.", "by Ann", "(Ann)"])
def test_a_term_is_found_as_a_word(text: str) -> None:
    assert [f.code for f in check_values({"letter": text}, [], ["Ann"])] == ["A25"]


@pytest.mark.parametrize("text", ["Joann", "Annex", "Joanne", "xAnn and Annx", "An n", "A.n.n"])
def test_a_term_within_a_word_is_another(text: str) -> None:
    assert check_values({"letter": text}, [], ["Ann"]) == ()
    assert check_values({"letter": text + " Ann"}, [], ["Ann"]) != ()


@pytest.mark.parametrize(
    ("value", "found"), [("j@police", True), ("jo@police", True), ("jo@p", False), ("@police", True)]
)
def test_half_an_address_is_sought_with_its_sign_alone(value: str, found: bool) -> None:
    """One letter before or behind the sign makes no address, and what is too short is no evidence."""
    assert bool(check_values({"letter": f"say {value} now"}, [value])) == found
    assert not check_values({"letter": "the police of Jo"}, [value])


def test_what_holds_values_shows_none() -> None:
    for held in (needles((PHONE, MAIL, ADDRESS)), Shown("jordan", (0, 0, 1, 1))):
        assert not any(part in repr(held) for part in ("7946", "jordan", "sample"))
