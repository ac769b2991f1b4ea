"""Templates of letters: what goes out by post, by e-mail and by fax."""

from __future__ import annotations

from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, GREY, PALE
from tests.corpus.cast import Cast
from tests.corpus.leaf import Leaf
from tests.corpus.marked import keep, label, withhold


def council_letter(cast: Cast) -> list[Leaf]:
    """A letter whose head has two columns and whose foot one line of contacts."""
    leaf, writer, reader = Leaf("council_letter"), cast.person(), cast.person()
    leaf.box(18, 12, 174, 1.2, fill=(90, 90, 120))
    leaf.text(18, 16, cast.body, 17, Face.SERIF_BOLD)
    leaf.paragraph(18, 25, 70, cast.address(lines=True), 9, Face.SERIF)
    leaf.lines(
        192,
        16,
        [
            f"{label('Direct line:')} {cast.phone()}",
            f"{label('Switchboard:')} {cast.phone()} {label(cast.pick('ext', 'extn', 'x'))} {cast.extension()}",
            f"{label('Mobile:')} {cast.mobile()}",
            f"{label('Email:')} {cast.email(writer)}",
            f"{label('Your ref:')} {cast.reference()}",
        ],
        9,
        Face.SERIF,
        align=1,
    )
    y = leaf.lines(18, 52, [f"{reader.name}"], 10.5, Face.SERIF)
    y = leaf.paragraph(18, y, 80, cast.address(lines=True), 10.5, Face.SERIF)
    leaf.text(18, y + 4, cast.date(), 10.5, Face.SERIF)
    y = leaf.lines(18, y + 13, [f"Dear {reader.name},"], 10.5, Face.SERIF)
    for paragraph in (
        cast.prose(3),
        f"{cast.sentence()} {cast.inviting()}",
        f"{cast.prose(2)} {cast.inviting()}",
        cast.prose(3),
    ):
        y = leaf.paragraph(18, y + 3, 174, paragraph, 10.5, Face.SERIF)
    y = leaf.lines(18, y + 6, ["Yours sincerely,", "", "", writer.name, writer.job], 10.5, Face.SERIF)
    leaf.rule(18, 280, 174, GREY)
    foot = f"{cast.body}  |  {cast.phone()}  |  {cast.email()}  |  {cast.url()}"
    leaf.text(105, 282, foot, 7.5, Face.SANS, align=0.5)
    return [leaf]


def bilingual_letter(cast: Cast) -> list[Leaf]:
    """A letter with Welsh labels before the English ones."""
    leaf, writer = Leaf("bilingual_letter"), cast.person()
    leaf.text(105, 14, f"{cast.body}", 15, Face.WIDE_BOLD, align=0.5)
    y = leaf.lines(
        104,
        26,
        [
            f"{label('Gofynnwch am / Ask for:')} {writer.name}",
            f"{label('Ffôn / Tel:')} {cast.phone()}",
            f"{label('Symudol / Mobile:')} {cast.mobile()}",
            f"{label('Ffacs / Fax:')} {cast.fax()}",
            f"{label('E-bost / E-mail:')} {cast.email(writer)}",
            f"{label('Estyniad / Ext:')} {cast.extension()}",
            f"{label('Dyddiad / Date:')} {cast.date()}",
            f"{label('Cyf / Ref:')} {cast.reference()}",
        ],
        9,
        Face.WIDE,
    )
    leaf.lines(20, 30, [f"{label('Cyfeiriad / Address')}"], 9, Face.WIDE_BOLD)
    leaf.paragraph(20, 35, 80, cast.address(lines=True), 9, Face.WIDE)
    y = leaf.paragraph(
        20, y + 8, 170, f"Annwyl gydweithiwr / Dear colleague\n\n{cast.prose(3)} {cast.inviting()}", 9.5, Face.WIDE
    )
    for _ in range(3):
        y = leaf.paragraph(20, y + 3, 170, f"{cast.prose(2)} {cast.inviting()} {cast.sentence()}", 9.5, Face.WIDE)
    leaf.box(20, y + 6, 170, 15, fill=PALE)
    wanted = f"Croesewir galwadau yn Gymraeg: {cast.phone()}. We welcome calls in Welsh on {cast.freephone()}."
    leaf.paragraph(23, y + 8, 164, f"{wanted} Or write to {cast.po_box()}.", 9.5, Face.WIDE)
    return [leaf]


def email_thread(cast: Cast) -> list[Leaf]:
    """A printed thread: the newest message first, quoted ones behind bars, a signature block in each."""
    leaves = [Leaf("email_thread")]
    leaf, y = leaves[0], 14.0
    leaf.text(14, y, f"{cast.person().name}", 12, Face.SANS_BOLD)
    leaf.rule(14, y + 6, 182, BLACK, 0.6)
    y += 9
    subject = cast.pick(
        "Barrier fault in the north car park",
        "Rota for the long weekend",
        "Missing keys, records store",
        "Leaflet proofs",
    )
    for depth in range(cast.random.choice((2, 3))):
        sender, first, second = cast.person(), cast.person(), cast.person()
        if y > 190:
            leaf, y = Leaf("email_thread"), 16.0
            leaves.append(leaf)
        left, top = 14 + 4.0 * depth, y
        to = f"{first.name} <{cast.email(first)}>; {second.name} <{cast.email(second)}>"
        exchange = f"/O={cast.town.upper()}/OU=EXCHANGE/CN=RECIPIENTS/CN={second.last.upper()}"
        head = [
            f"From: {sender.name} [mailto:{cast.email(sender)}]"
            if depth
            else f"From: {sender.name} <{cast.email(sender)}>",
            f"Sent: {cast.date()} {cast.time()}",
            f"To: {to}",
            f"Cc: {cast.email()}; {withhold('EMAIL', 'x400', exchange)}" if depth == 1 else f"Cc: {cast.email()}",
            f"Subject: {'RE: ' * (2 - depth)}{subject} - {cast.reference()}",
        ]
        for line in head:
            y = leaf.paragraph(left, y, 180 - left, line, 9, Face.SANS)
        body = f"\n{first.first},\n\n{cast.prose(2)} {cast.inviting()} {cast.sentence()}\n"
        y = leaf.paragraph(left, y + 2, 180 - left, body, 9.5, Face.SANS)
        block = [
            sender.name,
            f"{sender.job}, {cast.body}",
            f"{cast.pick('T', 'Tel', 'DDI', 'Telephone')}: {cast.phone()}  "
            f"{cast.pick('M', 'Mob', 'Mobile')}: {cast.mobile()}",
            f"{cast.pick('Ext', 'Int', 'x')} {cast.extension()} | {cast.url()}",
            f"{cast.address()}",
        ]
        y = leaf.lines(left, y + 3, block[: cast.random.choice((3, 4, 5))], 8.5, Face.SANS_ITALIC, (40, 50, 90)) + 5
        if depth:
            leaf.box(left - 2.5, top, 0.5, y - top - 6, fill=(90, 90, 160))
        if depth == 0:
            notice = (
                f"This message may be privileged. If it reached you by mistake tell {cast.email()} and delete it. "
                f"In an emergency dial {cast.public_phone()}."
            )
            y = leaf.paragraph(left, y, 180, notice, 7, Face.SANS, (70, 72, 76)) + 3
    for number, each in enumerate(leaves, 1):
        each.text(196, 286, f"{keep('PAGE', number)}", 8, align=1)
        each.text(
            14, 286, f"{withhold('URL', 'print', f'https://webmail.{cast.domain}/owa/?ae=Item&id={cast.digits(6)}')}", 7
        )
    return leaves


def fax_cover(cast: Cast) -> list[Leaf]:
    """The front sheet of a fax: a grid with big letters, remarks in a hand."""
    leaf, sender, to = Leaf("fax_cover"), cast.person(), cast.person()
    leaf.text(20, 18, "facsimile", 40, Face.SERIF_ITALIC)
    leaf.text(192, 24, cast.body, 12, Face.SERIF_BOLD, align=1)
    leaf.paragraph(130, 32, 62, cast.address(lines=True), 9.5, Face.SERIF)
    rows = [
        ("TO", to.name, "FROM", sender.name),
        (label("FAX"), cast.fax(), label("FAX"), cast.fax()),
        (label("PHONE"), cast.phone(), label("PHONE"), f"{cast.phone()} {label('x')}{cast.extension(4)}"),
        ("DATE", cast.date(), "PAGES", keep("SMALL", cast.random.randrange(2, 30))),
        ("OUR REF", cast.reference(), "TIME", cast.time()),
    ]
    y = leaf.rows(20, 62, (22, 62, 22, 66), rows, 10, 9, Face.SERIF)
    y = leaf.paragraph(20, y + 8, 170, f"{cast.prose(2)} {cast.inviting()} {cast.inviting()}", 11, Face.SERIF)
    y = leaf.paragraph(20, y + 4, 170, f"{cast.prose(3)}", 11, Face.SERIF)
    leaf.box(20, y + 8, 172, 26, outline=BLACK, stroke=0.5)
    bad = (
        f"{label('If pages are missing telephone')} {cast.phone()} {label('or our operator on')} {cast.freephone()}. "
        f"{label('Tel/Fax:')} {cast.fax()}"
    )
    leaf.paragraph(24, y + 11, 164, f"{bad}. {cast.sentence()}", 10, Face.SERIF_ITALIC)
    return [leaf]


def plain_policy(cast: Cast) -> list[Leaf]:
    """Two leaves of prose and look-alikes with no contact detail at all."""
    leaves = []
    for number in (1, 2):
        leaf = Leaf("plain_policy")
        y = leaf.lines(
            20,
            18,
            [f"{cast.pick('Winter maintenance', 'Record keeping', 'Lone working')} - part {keep('SMALL', number)}"],
            15,
            Face.SERIF_BOLD,
        )
        for clause in range(1, 9):
            text = f"{keep('SMALL', f'{number}.{clause}')} {cast.prose(3)}"
            y = leaf.paragraph(20, y + 3, 170, text, 11, Face.SERIF)
        leaf.text(105, 284, f"Page {keep('PAGE', number)} of {keep('PAGE', 2)}", 8, Face.SERIF, align=0.5)
        leaves.append(leaf)
    return leaves


def labelled_letter(cast: Cast) -> list[Leaf]:
    """A letter with a sticky label and slanted lettering over its edge."""
    leaf, writer = Leaf("labelled_letter"), cast.person()
    leaf.text(22, 16, cast.body.upper(), 13, Face.MONO_BOLD)
    leaf.rule(22, 23, 166, BLACK, 0.8)
    y = leaf.lines(22, 28, [f"{cast.date()}      {cast.reference()}"], 10, Face.MONO)
    y = leaf.paragraph(22, y + 5, 80, cast.address(lines=True), 10, Face.MONO)
    leaf.box(124, 28, 66, 34, fill=(243, 243, 236), outline=GREY)
    leaf.lines(128, 31, ["IF FOUND RETURN TO", writer.name], 9, Face.SANS_BOLD)
    leaf.paragraph(128, 40, 60, cast.po_box(), 9, Face.SANS)
    leaf.text(128, 52, f"{label('or call')} {cast.mobile()}", 9, Face.SANS)
    for _ in range(4):
        y = leaf.paragraph(22, y + 4, 166, f"{cast.prose(2)} {cast.inviting()}", 10, Face.MONO)
    y = leaf.lines(
        22,
        y + 8,
        ["Yours faithfully", "", writer.name, f"{label('Tel')} {cast.phone()} {label('Fax')} {cast.fax()}"],
        10,
        Face.MONO,
    )
    leaf.text(110, y + 22, f"RING {cast.any_phone()}", 17, Face.SANS_BOLD, (70, 70, 70), degrees=9)
    return [leaf]
