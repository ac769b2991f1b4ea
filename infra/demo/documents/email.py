"""An e-mail chain, printed from the mail program, and what else its PDF carries."""

from __future__ import annotations

from infra.demo.documents.cast import (
    FARROW,
    FORCE,
    INTRANET,
    MARSH,
    OKONJO,
    QUILLBY,
    TEAM_MAILBOX,
    UNIT,
    WETHERBY,
    Person,
    withheld,
)
from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, GREY, Sheet

ATTACHMENT_NAME = "print-run-contacts.csv"
ATTACHMENT = (
    ("Ambrose Okonjo", "01632 960 476", "07700 900 332", OKONJO.email),
    ("Tidewater Print (account desk)", "020 7946 0388", "07700 900 610", "accounts@tidewaterprint.example"),
)
SPELLED_OUT = "lavinia.wetherby [at] eastmere.police.example"
OLD_NOTE_MOBILE = "07700 900 877"
OLD_NOTE = f"Draft. Ring me on {OLD_NOTE_MOBILE} before this goes to the whole department. PM"


def set_email(dpi: float) -> tuple[Sheet, Sheet]:
    """The newest message, and the two it answers."""
    return _first(dpi), _second(dpi)


def attachment() -> bytes:
    """The spreadsheet that went with the message."""
    return "\r\n".join(["Name,Tel,Mobile,E-mail", *(",".join(row) for row in ATTACHMENT), ""]).encode()


def metadata() -> tuple[dict[str, str], str]:
    """/Info and the XMP packet, as the mail program's PDF printer wrote them."""
    info = {
        "Title": "RE: Poster stock and the February reprint",
        "Author": f"{MARSH.name} <{MARSH.email}>",
        "Keywords": f"campaign; ext {MARSH.extension}",
        "Creator": "Mail print service",
        "Producer": "SKM scan engine 3.1",
        "CreationDate": "D:20261117091402Z",
        "ModDate": "D:20261117092655Z",
    }
    xmp = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f"<dc:creator><rdf:Seq><rdf:li>{MARSH.name}, {MARSH.telephone}, {MARSH.email}</rdf:li></rdf:Seq></dc:creator>"
        "<xmp:CreateDate>2026-11-17T09:14:02Z</xmp:CreateDate>"
        '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
    )
    return info, xmp


def hidden_values() -> tuple[str, ...]:
    """Contact details in the metadata, the attachment and the earlier revision; the OCR layer adds its own."""
    attached = tuple(value for row in ATTACHMENT for value in row[1:])
    return (MARSH.email, MARSH.extension, MARSH.telephone, *attached, OLD_NOTE_MOBILE)


def _signature(sheet: Sheet, y: float, person: Person) -> float:
    return sheet.lines(
        20,
        y,
        (
            f"{person.name}",
            f"{person.role}  |  {UNIT}  |  {FORCE}",
            f"T: {withheld(person.telephone)}   Internal: {withheld(person.extension)}   M: {withheld(person.mobile)}",
            f"E: {withheld(person.email)}",
            f"{withheld('Fenland House, 41 Dray Walk')}, Eastmere {withheld('ZZ4 7QE')}",
        ),
        9.5,
        Face.SANS,
        (60, 62, 90),
        1.38,
    )


def _fields(sheet: Sheet, y: float, fields: tuple[tuple[str, str], ...]) -> float:
    for label, value in fields:
        sheet.text(20, y, label, 10, Face.SANS_BOLD)
        y = sheet.paragraph(50, y, 140, value, 10)
    return y


def _named(person: Person) -> str:
    return f"{person.name} <{withheld(person.email)}>"


def _first(dpi: float) -> Sheet:
    sheet = Sheet(dpi)
    sheet.text(20, 17, MARSH.name, 13, Face.SANS_BOLD)
    sheet.rule(20, 24, 170, BLACK, 0.9)
    y = _fields(
        sheet,
        27,
        (
            ("From:", _named(MARSH)),
            ("Sent:", "{11 February 2026} {16:47}"),
            ("To:", f"{_named(QUILLBY)}; {_named(OKONJO)}"),
            ("Cc:", f"{_named(FARROW)}; Campaign mailbox <{withheld(TEAM_MAILBOX)}>"),
            ("Subject:", "RE: Poster stock and the February reprint"),
            ("Attachments:", ATTACHMENT_NAME),
        ),
    )
    y += 7
    for text in (
        "Desmond, Ambrose,",
        "Thank you both. The count by site is now complete: {412} posters are on walls, {38} are in stock and {50} "
        "were thrown away because the old extension was printed on them. I suggest a reprint of {450} A3 and {1,200} "
        "A4 cards. Tidewater quote {£1,284.60} plus VAT under order {4500018823}, delivery by {27/02/2026}.",
        f"Two corrections to the proof before it goes. The extension on the dark panel must read {withheld('74418')}, "
        f"not {withheld('74481')}. And the text number is {withheld('07700 900 318')}; the proof shows the duty desk’s "
        f"mobile, {withheld('07700 900 226')}, which must not be on a wall.",
        f"The intranet page is at {withheld(f'https://{INTRANET}/standards/notice-it-name-it')} and will carry the new "
        "artwork from {Monday 16 February}, {08:30}. If the link fails, ring the web editor, Florian Eckersley, on "
        f"{withheld('01632 960 690')}, or the service desk: dial {withheld('74000')}.",
        "Lavinia Wetherby needs to know which frames are too high for wheelchair users before {3pm on Friday}. You "
        f"can reach her at {withheld(SPELLED_OUT)} while the mailboxes are moved.",
        "Best wishes,",
        "Perpetua",
    ):
        y = sheet.paragraph(20, y, 170, text, 10.5, leading=1.36) + 3.2
    y = _signature(sheet, y + 3, MARSH)
    sheet.paragraph(
        20,
        y + 6,
        170,
        "This message is for the person it is addressed to. It is kept for {two years} under schedule {C-19}. "
        "Standards start with us: notice it, name it.",
        8,
        Face.SANS_ITALIC,
        GREY,
    )
    sheet.text(105, 284, "1", 9, align=0.5)
    return sheet


def _second(dpi: float) -> Sheet:
    sheet = Sheet(dpi)
    sheet.text(20, 17, "-----Original Message-----", 10)
    y = _fields(
        sheet,
        23,
        (
            ("From:", _named(QUILLBY)),
            ("Sent:", "{10 February 2026} {11:05}"),
            ("To:", _named(MARSH)),
            ("Subject:", "Poster stock and the February reprint"),
        ),
    )
    y += 5
    for text in (
        "Perpetua,",
        "Estates have walked {36} of {38} sites. The two left are the marine unit and the stables; both on {Thursday}. "
        f"Their contact is the yard office, {withheld('01632 960 812')} (ext {withheld('74812')}), fax "
        f"{withheld('01632 960 813')}.",
        "Please ask Ambrose for a price on card as well as paper. Last year’s invoice was {INV-20417}, {£962.75}, paid "
        "on {14.03.25}.",
    ):
        y = sheet.paragraph(20, y, 170, text, 10.5, leading=1.36) + 3.2
    y = _signature(sheet, y + 2, QUILLBY)
    sheet.rule(20, y + 7, 170, GREY, 0.25)
    y += 12
    y = _fields(
        sheet,
        y,
        (
            ("From:", _named(WETHERBY)),
            ("Sent:", "{09 February 2026} {17:31}"),
            ("To:", _named(QUILLBY)),
            ("Subject:", "Frames"),
        ),
    )
    y += 5
    for text in (
        "Desmond, the frames at North are {841 × 594 mm}, at South {594 × 420 mm}. Posters on the second floor came "
        "down for the paint job on {2 February} and went back on {6 February}.",
        f"I am at South tomorrow, mobile only: {withheld(WETHERBY.mobile)}. In an urgent case ask reception, "
        f"{withheld('01632 960 655')}, to find me. Key safe reference {{KS/0193}}.",
        "Lavinia",
    ):
        y = sheet.paragraph(20, y, 170, text, 10.5, leading=1.36) + 3.2
    sheet.text(105, 284, "2", 9, align=0.5)
    return sheet
