"""Templates of what hangs on a wall or lies in a hand: newsletters, notices, forms."""

from __future__ import annotations

import zxingcpp
from PIL import Image

from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, GREY, PALE, WHITE
from tests.corpus.cast import Cast
from tests.corpus.hand import Hand
from tests.corpus.leaf import Leaf
from tests.corpus.marked import Note, Role, keep, label, plain, withhold


def newsletter(cast: Cast) -> list[Leaf]:
    """Three narrow columns under a headline, a dark panel of contacts, a QR code."""
    leaf = Leaf("newsletter")
    leaf.text(
        105, 12, f"The {cast.town} {cast.pick('Lantern', 'Gazette', 'Noticeboard')}", 26, Face.SERIF_BOLD, align=0.5
    )
    leaf.rule(14, 26, 182, BLACK, 0.7)
    leaf.text(
        105,
        28,
        f"No. {keep('SMALL', cast.random.randrange(3, 90))}   {cast.date()}   free",
        9,
        Face.SERIF_ITALIC,
        align=0.5,
    )
    for column in range(3):
        x, y = 14 + column * 62.5, 38.0
        while y < (182 if column else 200):
            leaf.text(
                x,
                y,
                cast.pick("From the chair", "Roadworks", "Lost and found", "Diary", "Thank you", "Help wanted"),
                11,
                Face.SERIF_BOLD,
            )
            y = (
                leaf.paragraph(
                    x, y + 5.5, 57, f"{cast.sentence()} {cast.inviting()} {cast.sentence()}", 9.5, Face.SERIF
                )
                + 3
            )
    panel_y = 222
    leaf.box(76, panel_y, 120, 58, fill=(28, 40, 44))
    leaf.text(82, panel_y + 4, "Tell us what you think", 13, Face.SANS_BOLD, WHITE)
    ways = [
        f"{label('Telephone')} {cast.phone()}",
        f"{label('Text')} {cast.mobile()}",
        f"{label('E-mail')} {cast.email()}",
        f"{label('Online')} {cast.url()}",
        f"{label('Find us')} {cast.handle()}",
        f"{label('Write')} {cast.po_box()}",
    ]
    leaf.lines(82, panel_y + 13, ways, 9.5, Face.SANS, (235, 235, 235), 1.6)
    _code(cast, leaf, 14, 246, 30)
    leaf.text(14, 278, label("Scan to report"), 8)
    return [leaf]


def parking_notice(cast: Cast) -> list[Leaf]:
    """A sketch map and what to do when the barrier is down."""
    leaf = Leaf("parking_notice", paper=(248, 248, 244))
    leaf.box(14, 12, 182, 24, fill=(225, 225, 225), outline=BLACK, stroke=0.8)
    leaf.text(105, 15, "PERMIT HOLDERS ONLY", 26, Face.SANS_BOLD, align=0.5)
    leaf.text(
        105,
        27,
        f"{cast.body} - bays {keep('SMALL', 1)} to {keep('SMALL', cast.random.randrange(20, 300))}",
        12,
        align=0.5,
    )
    for points in (((20, 60), (190, 70)), ((50, 50), (60, 150)), ((120, 55), (110, 150)), ((20, 120), (190, 128))):
        leaf.stroke(points, GREY, 2.5)
    leaf.ellipse(128, 84, 26, 18, PALE)
    for x, y, text in ((24, 63, "Gasworks Road"), (64, 100, "Block A"), (132, 90, "Pond"), (125, 131, "Chapel Rise")):
        leaf.text(x, y, text, 9, Face.SANS_ITALIC, degrees=0)
    leaf.text(150, 108, withhold("POSTCODE", "", cast.postcode_text()), 10)
    leaf.text(62, 140, f"Lodge {label('ext')} {cast.extension(4)}", 9, degrees=84)
    y = leaf.paragraph(
        20,
        160,
        170,
        f"To have the barrier lifted call {cast.phone()} or, at night, {cast.mobile()}.",
        15,
        Face.SANS_BOLD,
    )
    y = leaf.paragraph(
        20, y + 4, 170, f"Permits: {cast.email()} or {cast.url()}. Appeals in writing to {cast.address()}.", 13
    )
    y = leaf.paragraph(20, y + 4, 170, f"{cast.sentence()} {cast.sentence()}", 11)
    leaf.text(196, 284, f"PN{keep('SERIAL', cast.digits(4))} rev {keep('VERSION', '3')}", 7, align=1)
    return [leaf]


def filled_form(cast: Cast) -> list[Leaf]:
    """A form filled in by hand: printed labels, one character a box, values in script."""
    leaf, person = Leaf("filled_form"), cast.person()
    hand = cast.random.choice(list(Hand))
    size = 17 if hand is Hand.ROUND else 15
    leaf.text(18, 12, f"{cast.body}", 10, Face.SANS_BOLD)
    leaf.text(
        18,
        18,
        cast.pick("Application for a replacement pass", "Notice of change of particulars", "Report of lost property"),
        16,
        Face.SANS_BOLD,
    )
    leaf.text(192, 12, f"Form {keep('SERIAL', f'{cast.digits(3)}/{cast.digits(2)}')}", 8, align=1)
    y = 32.0
    fields = (
        ("Full name", person.name),
        ("Home address", cast.address()),
        ("Daytime telephone", cast.phone()),
        ("Mobile", cast.mobile()),
        ("E-mail", cast.email(person)),
        ("Staff number and date", f"{cast.staff_number()}   {cast.date()}"),
        ("Internal extension", cast.extension(4)),
    )
    for name, value in fields:
        leaf.text(20, y, label(name), 8)
        leaf.box(18, y + 4, 174, 10.5, outline=GREY, stroke=0.2)
        leaf.text(22, y + 5.6, value, size if leaf.width(value, size, hand) < 166 else size * 0.8, hand, (30, 35, 90))
        y += 17
    for name, value in (
        ("Emergency contact, mobile (one digit a box)", cast.mobile()),
        ("Reference", keep("REFERENCE", cast.digits(8))),
        ("Other telephone", cast.phone(style="run")),
    ):
        leaf.text(20, y, label(name), 8)
        compact = value.replace(" ", "").replace("-", "")
        leaf.comb(20, y + 4, compact, 6.2, 13 if hand is Hand.ROUND else 12, hand)
        y += 14
    leaf.text(20, y + 2, "Remarks", 8)
    leaf.box(18, y + 6, 174, 26, outline=GREY, stroke=0.2)
    remark = (
        f"Please ring {cast.any_phone()} after {cast.time()}, ask for {cast.person().first}. Lost on {cast.date()}."
    )
    leaf.paragraph(21, y + 8, 168, remark, size * 0.85, hand, (30, 35, 90), 1.25)
    foot = f"Return to {cast.address()} or {cast.email()}. {label('Fax')} {cast.fax()}."
    leaf.paragraph(18, y + 36, 174, foot, 8)
    return [leaf]


def message_slips(cast: Cast) -> list[Leaf]:
    """Telephone message slips, four on a leaf, filled in by hand."""
    leaf = Leaf("message_slips")
    for place in range(4):
        x, y, person = 12 + (place % 2) * 95, 14 + (place // 2) * 138, cast.person()
        hand = cast.random.choice(list(Hand))
        size = 15 if hand is Hand.ROUND else 13.5
        leaf.box(x, y, 90, 126, outline=BLACK, stroke=0.5)
        leaf.box(x, y, 90, 9, fill=(60, 60, 60))
        leaf.text(x + 45, y + 1.5, "WHILE YOU WERE OUT", 12, Face.SANS_BOLD, WHITE, align=0.5)
        fields = (
            ("For", cast.person().name),
            ("Date", cast.date()),
            ("Time", cast.time()),
            ("From", person.name),
            ("Phone no.", cast.any_phone()),
            ("Ext.", cast.extension(4)),
            ("Mobile", cast.mobile()),
        )
        top = y + 13
        for name, value in fields:
            leaf.text(x + 3, top + 2, label(name), 8)
            leaf.rule(x + 22, top + 7, 64, GREY, 0.2)
            leaf.text(x + 23, top, value, size, hand, (30, 35, 90))
            top += 11
        message = f"Wants {cast.account()} checked. Will be at {cast.any_phone()} till {cast.time()}"
        leaf.text(x + 3, top + 1, "Message", 8)
        leaf.paragraph(x + 4, top + 5, 82, message, size * 0.9, hand, (30, 35, 90), 1.25)
    return [leaf]


def staff_page(cast: Cast) -> list[Leaf]:
    """A print of an intranet page: a banner, a side bar, people's cards."""
    leaf = Leaf("staff_page")
    leaf.text(12, 8, withhold("URL", "print", f"http://{cast.intranet}/people/search?dept={cast.digits(3)}"), 7.5)
    leaf.text(198, 8, f"{cast.date()} {cast.time()}", 7.5, align=1)
    leaf.box(12, 13, 186, 16, fill=(52, 86, 110))
    leaf.text(18, 17, f"{cast.body} people finder", 16, Face.WIDE_BOLD, WHITE)
    leaf.box(12, 32, 44, 240, fill=(236, 238, 240))
    leaf.paragraph(
        15,
        36,
        38,
        f"{label('Help desk')}\n{label('ext')} {cast.extension()}\n{label('or')} {cast.freephone()}\n\n"
        f"{label('Teams:')} {withhold('HANDLE', 'teams', f'{cast.person().first}.{cast.person().last}'.lower())}\n"
        f"{label('Skype:')} {withhold('HANDLE', 'skype', f'live:{cast.intranet}_{cast.digits(3)}')}\n"
        f"{label('SIP')} {withhold('EMAIL', 'sip', f'sip:desk{cast.digits(2)}@{cast.domain}')}",
        8,
        Face.WIDE,
    )
    y = 36.0
    for _ in range(7):
        person = cast.person()
        leaf.box(60, y, 22, 27, fill=(210, 214, 218))
        leaf.ellipse(66, y + 5, 10, 12, (170, 174, 178))
        ways = [
            f"{label('Work')} {cast.phone()}   {label('Ext')} {cast.extension(5)}",
            f"{label('Mobile')} {cast.mobile()}   {label('Fax')} {cast.fax()}",
            f"{cast.email(person)}",
            f"{cast.address()}",
        ]
        leaf.text(86, y, person.name, 11, Face.WIDE_BOLD, (30, 60, 130))
        leaf.text(86, y + 5.5, f"{person.job}, {cast.staff_number()}", 8, Face.WIDE, GREY)
        leaf.lines(86, y + 10.5, ways, 8, Face.WIDE, leading=1.5)
        y += 33
    return [leaf]


def poster(cast: Cast) -> list[Leaf]:
    """White on dark, few words, large; a strip of contacts at the foot."""
    leaf = Leaf("dark_poster", paper=(32, 36, 58))
    leaf.paragraph(
        18,
        30,
        174,
        cast.pick("SEEN IT? SAY IT.", "LOCK IT OR LOSE IT", "NOT ON MY SHIFT", "THINK BEFORE YOU SEND"),
        52,
        Face.SANS_BOLD,
        WHITE,
        1.1,
    )
    leaf.paragraph(18, 110, 170, cast.prose(2), 18, Face.SANS, (225, 225, 235))
    leaf.box(0, 170, 210, 84, fill=(238, 204, 84))
    leaf.text(18, 176, f"{label('Confidential line')} {cast.freephone()}", 22, Face.SANS_BOLD)
    leaf.text(18, 188, f"{label('Text')} {cast.mobile()}", 20, Face.SANS_BOLD)
    leaf.text(18, 200, f"{cast.email()}", 17, Face.SANS_BOLD)
    leaf.text(18, 211, f"{cast.url()}", 15)
    leaf.text(18, 221, f"{label('Internal')} {cast.extension(5)}  {cast.handle()}", 17)
    leaf.text(18, 233, f"In an emergency call {cast.public_phone()}.", 15)
    _code(cast, leaf, 158, 176, 36)
    leaf.text(18, 262, f"{cast.address()}", 11, Face.SANS, (200, 200, 210))
    leaf.text(18, 270, f"{cast.account()} - {cast.date()}", 8, Face.SANS, (170, 170, 180))
    return [leaf]


def _code(cast: Cast, leaf: Leaf, x: float, y: float, edge: float) -> None:
    """A QR code with a contact in it."""
    said = cast.random.choice(
        (f"https://portal.{cast.domain}/report", f"tel:{plain(cast.freephone())}", f"mailto:{plain(cast.email())}")
    )
    code = zxingcpp.create_barcode(said, zxingcpp.BarcodeFormat.QRCode)
    image = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=8, add_quiet_zones=False))
    leaf.box(x - 2, y - 2, edge + 4, edge + 4, fill=WHITE)
    leaf.picture(x, y, edge, image, Note(Role.WITHHELD, "CODE", "qr", said))
