"""A fax cover from the printer of the posters, with the line the sending machine puts over it."""

from __future__ import annotations

from infra.demo.documents.cast import FORCE, STAFF, withheld
from infra.demo.fonts import Face
from infra.demo.sheet import GREY, PALE, Sheet

SENDER_TELEPHONE = "020 7946 0381"
SENDER_FAX = "020 7946 0382"
SENDER_EMAIL = "orders@tidewaterprint.example"
SIGNATURE_MM = (24.0, 222.0)
_ADDRESSEE = next(person for person in STAFF if person.name == "Ignatius Zeal")


def set_fax_header(dpi: float) -> Sheet:
    """The strip over the page: when, from which machine, how many pages."""
    strip = Sheet(dpi, (215.0, 6.0))
    strip.text(8, 1.2, "{13/02/2026}  {10:42}", 9.5, Face.WIDE_MONO)
    strip.text(72, 1.2, withheld("+44 20 7946 0382"), 9.5, Face.WIDE_MONO)
    strip.text(120, 1.2, "TIDEWATER PRINT", 9.5, Face.WIDE_MONO)
    strip.text(208, 1.2, "PAGE {01/03}", 9.5, Face.WIDE_MONO, align=1)
    return strip


def set_fax(dpi: float) -> Sheet:
    """The cover."""
    sheet = Sheet(dpi, (215.0, 297.0))
    sheet.text(20, 20, "FAX", 58, Face.SANS_BOLD)
    sheet.text(195, 22, "Tidewater Print Works Ltd", 15, Face.SERIF_BOLD, align=1)
    sheet.lines(
        195,
        29.5,
        (
            withheld("Unit 6, Old Ropery Yard"),
            f"Saltmere {withheld('XX3 8TD')}",
            f"Telephone {withheld(SENDER_TELEPHONE)}   Fax {withheld(SENDER_FAX)}",
            withheld(SENDER_EMAIL),
        ),
        11,
        Face.SERIF,
        leading=1.3,
        align=1,
    )
    sheet.rule(20, 52, 175, stroke=1.0)
    fields = (
        ("To:", f"{_ADDRESSEE.name}, {_ADDRESSEE.role}", "From:", "Cornelia Haddock"),
        ("Company:", FORCE, "Date:", "{13 February 2026}"),
        ("Fax:", withheld("01632 960 668"), "Direct line:", withheld("020 7946 0385")),
        ("Tel:", withheld(_ADDRESSEE.telephone), "Mobile:", withheld("07700 900 610")),
        ("Your ref:", "{4500018823}", "Pages:", "{3, with this one}"),
    )
    for index, (label, value, label_right, value_right) in enumerate(fields):
        y = 58 + 10 * index
        sheet.text(20, y, label, 12, Face.SANS_BOLD)
        sheet.text(44, y, value, 12)
        sheet.text(113, y, label_right, 12, Face.SANS_BOLD)
        sheet.text(140, y, value_right, 12)
        sheet.rule(20, y + 7.2, 175, GREY, 0.25)
    sheet.box(20, 112, 175, 11, PALE)
    for x, label, chosen in (
        (24, "Urgent", True),
        (60, "For review", False),
        (104, "Please comment", False),
        (156, "Please reply", True),
    ):
        sheet.box(x, 115, 5, 5, (255, 255, 255), (0, 0, 0), 0.4)
        if chosen:
            sheet.text(x + 2.5, 114.9, "X", 12, Face.SANS_BOLD, align=0.5)
        sheet.text(x + 7, 115.2, label, 11.5)
    top = sheet.paragraph(20, 131, 175, "Re: “Notice it. Name it.” posters, second print run", 13, Face.SANS_BOLD) + 4
    for text in (
        "Dear Mr Zeal,",
        "Our quotation {Q-77031} follows on page 2: {450} posters A3 at {£1.62} and {1,200} cards A4 at {£0.463}, "
        "together {£1,284.60} without VAT. The price holds for {30 days}.",
        "The proof still shows the old extension. We print on {18 February} unless we hear from you by {4.30pm} on "
        f"{{Tuesday}}. Please telephone the studio on {withheld('020 7946 0384')} or fax the signed proof back to "
        f"{withheld(SENDER_FAX)}. Out of hours: {withheld('07700 900 611')}.",
        f"Artwork may be sent to {withheld('studio@tidewaterprint.example')}, quoting job {{TW-5520}}.",
        "Yours sincerely,",
    ):
        top = sheet.paragraph(20, top, 175, text, 12, leading=1.42) + 4
    sheet.text(20, 232, "Cornelia Haddock", 12)
    sheet.text(20, 237.5, "Customer Accounts", 12)
    sheet.rule(20, 272, 175, stroke=0.4)
    sheet.text(
        107.5,
        275,
        "If pages are missing call " + withheld("020 7946 0381") + ". Customer account {EC-00417}.",
        10,
        align=0.5,
    )
    return sheet
