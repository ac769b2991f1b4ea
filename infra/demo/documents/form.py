"""A printed form, filled in on a typewriter-like face and signed: a request to display campaign material."""

from __future__ import annotations

from infra.demo.documents.cast import FORCE, STAFF, Person, public, withheld
from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, GREY, WHITE, Colour, Sheet

BAND: Colour = (52, 74, 110)
FIELD: Colour = (236, 241, 247)
TYPED: Colour = (28, 30, 70)

TICKED_MM = ((17.2, 128.2), (65.2, 128.2), (17.2, 135.7))
SIGNATURE_MM = (24.0, 247.0)
STAMP_MM = (160.0, 244.0)


def set_form(dpi: float) -> Sheet:
    """The form, but for its ticks, signature and stamp, which are ink (see the constants for where they go)."""
    applicant: Person = next(person for person in STAFF if person.name == "Hamish Quarmby")
    sheet = Sheet(dpi)
    sheet.text(15, 12, FORCE, 11, Face.SANS_BOLD, BAND)
    sheet.text(15, 18, "Request to display internal campaign material", 17, Face.SANS_BOLD)
    sheet.text(195, 12, "Form {PSD 47}", 11, Face.SANS_BOLD, BAND, align=1)
    sheet.text(195, 18, "Serial {0004417}", 10, Face.MONO_BOLD, (176, 38, 44), align=1)
    sheet.text(
        15, 27, "Fill in with a typewriter or in black ink. Return to Estates within {10 working days}.", 9, colour=GREY
    )
    _band(sheet, 34, "A   Applicant")
    _field(sheet, 15, 43, 88, "Name", applicant.name)
    _field(sheet, 107, 43, 40, "Collar / payroll no.", "{C 2214}")
    _field(sheet, 151, 43, 44, "Date of request", "{20/02/2026}")
    _field(sheet, 15, 58, 60, "Telephone (direct)", withheld(applicant.telephone))
    _field(sheet, 79, 58, 24, "Ext.", withheld(applicant.extension))
    _field(sheet, 107, 58, 40, "Mobile", withheld(applicant.mobile))
    _field(sheet, 151, 58, 44, "Pager", withheld("07700 900 529"))
    _field(sheet, 15, 73, 102, "E-mail", withheld(applicant.email))
    _field(sheet, 121, 73, 74, "Airwave ISSI", withheld("2174606"))
    _field(sheet, 15, 88, 132, "Station and address", "North Station, " + withheld("3 Kiln Bank") + ", Saltmere")
    _field(sheet, 151, 88, 44, "Postcode", withheld("ZZ9 1AB"))
    _band(sheet, 105, "B   Where and for how long")
    _field(sheet, 15, 112.5, 88, "From (date, time)", "{02/03/2026}  {08:00}")
    _field(sheet, 107, 112.5, 88, "Until", "{31/08/2026}  {18:00}")
    for x, y, label in (
        (17, 127, "Parade room"),
        (65, 127, "Canteen"),
        (113, 127, "Custody corridor"),
        (17, 134.5, "Intranet banner"),
        (65, 134.5, "Screens"),
        (113, 134.5, "Public counter"),
    ):
        sheet.box(x, y, 4.4, 4.4, WHITE, BLACK, 0.3)
        sheet.text(x + 7, y + 0.1, label, 10.5)
    _band(sheet, 144, "C   Material")
    sheet.rows(
        15,
        153,
        (24, 74, 24, 26, 32),
        (
            ("Item no.", "Description", "Quantity", "Each", "Total"),
            ("{NINI-0426}", "Poster A, A3, version 2.1", "{22}", "{£1.62}", "{£35.64}"),
            ("{NINI-0431}", "Poster B, A4, yellow", "{40}", "{£0.46}", "{£18.40}"),
            ("{NINI-0440}", "Card for warrant-card holder", "{180}", "{£0.09}", "{£16.20}"),
        ),
        10,
        7.6,
    )
    sheet.text(191, 185.5, "Sum {£70.24}   Cost centre {40-118-7720}", 10.5, Face.SANS_BOLD, align=1)
    _band(sheet, 193, "D   Remarks")
    sheet.box(15, 200, 180, 27, FIELD, GREY, 0.2)
    sheet.paragraph(
        18,
        202,
        174,
        "Frames by the lift and at the rear gate. Fitter needs the gate code: ring the porter first, "
        + withheld("01632 960 199")
        + ", or the yard on "
        + withheld("x74812")
        + ". Visitors must not see it from the counter; they get "
        + public("101")
        + ".",
        10.5,
        Face.MONO,
        TYPED,
        1.4,
    )
    _band(sheet, 231, "E   Approved")
    sheet.rule(20, 255, 78, BLACK, 0.25)
    sheet.text(20, 256, "Signature of station manager", 8.5, colour=GREY)
    sheet.text(
        15,
        268,
        f"Questions: Estates help desk {withheld('01632 960 489')}, {withheld('estates.desk@eastmere.police.example')}",
        9.5,
    )
    sheet.text(
        15,
        274,
        f"Emergency {public('999')} · Not an emergency {public('101')} · Crimestoppers {public('0800 555 111')}",
        9.5,
    )
    sheet.text(195, 283, "PSD 47 ({07/25})  Stock code {118-226}", 7.5, colour=GREY, align=1)
    return sheet


def _band(sheet: Sheet, y: float, label: str) -> None:
    sheet.box(15, y, 180, 6, BAND)
    sheet.text(17, y + 0.9, label, 11, Face.SANS_BOLD, WHITE)


def _field(sheet: Sheet, x: float, y: float, width: float, label: str, value: str) -> None:
    sheet.box(x, y, width, 12, FIELD, GREY, 0.2)
    sheet.text(x + 1.2, y + 0.8, label, 7.5, Face.SANS, GREY)
    sheet.text(x + 2.5, y + 5.4, value, 10.5, Face.MONO, TYPED)
