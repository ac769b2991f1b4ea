"""Templates made of rows and columns: rosters, logs, lists, orders, charts."""

from __future__ import annotations

from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, GREY, PALE, WHITE
from tests.corpus.cast import Cast
from tests.corpus.leaf import Leaf
from tests.corpus.marked import keep, label, plain, withhold

A4_ACROSS_MM = (297.0, 210.0)
AGENDA = ("Matters arising", "Lighting", "Complaints", "Access", "Budget", "Any other business")
POSTS = ("Theatre", "Switch room", "Duty chemist", "Boiler house", "Press desk", "Chaplain")


def duty_roster(cast: Cast) -> list[Leaf]:
    """A week's roster: who is on, where they are reached, days across."""
    leaf = Leaf("duty_roster")
    leaf.text(14, 14, f"{cast.body} - duty roster", 14, Face.SANS_BOLD)
    leaf.text(
        14, 22, f"Week of {cast.date()}. Changes to {cast.email()} or {label('ext.')} {cast.extension()} please.", 9
    )
    rows = [("Name", "Grade", "Mon", "Tue", "Wed", "Thu", "Contact", label("Bleep"))]
    for _ in range(18):
        person = cast.person()
        shifts = [keep("TIME", cast.pick("06-14", "14-22", "22-06", "off", "09-17")) for _ in range(4)]
        rows.append((person.name, cast.pick("A1", "B", "C2", "SO"), *shifts, cast.any_phone(), cast.pager()))
    y = leaf.rows(14, 30, (40, 14, 16, 16, 16, 16, 46, 18), rows, 8.5, 7, head=(70, 80, 90))
    y = leaf.paragraph(
        14,
        y + 6,
        180,
        f"{label('On call out of hours:')} {cast.mobile()} {label('or')} {cast.mobile()}. {cast.prose(2)}",
        9,
    )
    leaf.paragraph(14, y + 4, 180, f"{cast.inviting()} {cast.sentence()}", 9)
    return [leaf]


def incident_log(cast: Cast) -> list[Leaf]:
    """A log as a line printer put it out, in fixed width, on one leaf or two."""
    leaves = []
    for number in range(1, cast.random.choice((1, 2)) + 1):
        leaf = Leaf("incident_log")
        y = leaf.lines(
            12,
            12,
            [
                f"{cast.body.upper():<44} INCIDENT LOG        PAGE {keep('PAGE', number)}",
                f"REF {cast.reference()}   OPENED {cast.date()} {cast.time()}   "
                f"GRADE {keep('SMALL', cast.random.randrange(1, 5))}",
                "-" * 84,
            ],
            9.2,
            Face.MONO,
        )
        for entry in range(13):
            person = cast.person()
            mark = f"{person.last[:2].upper()}/{entry}"
            event = (
                lambda p=person: f"CALLER {p.name.upper()} {label('TEL')} {cast.any_phone()} REPORTS NOISE",
                lambda: f"{cast.staff_number()} {label('ISSI')} {cast.radio()} RESOURCED",
                lambda: f"LOCATION {cast.address()}",
                lambda p=person: f"VRM {cast.plate()} KEEPER {p.name.upper()} {label('MOB')} {cast.mobile()}",
                lambda p=person: (
                    f"PASSED TO {p.last.upper()} {label(cast.pick('EXT', 'X', 'EXTN'))} {cast.extension()} FOR REVIEW"
                ),
                lambda p=person: f"STATEMENT SENT TO {cast.email(p)}",
                lambda: "NO TRACE ON ARRIVAL, AREA SEARCHED, ALL QUIET",
                lambda mark=mark: f"EXHIBIT {keep('EXHIBIT', mark)} BOOKED IN, COST {cast.money()}",
            )
            text = f"{keep('SMALL', f'{entry + 1:03d}')} {cast.time()} {cast.random.choice(event)()}"
            y = leaf.paragraph(12, y + 1.6, 186, text, 9.2, Face.MONO)
        leaf.text(
            12,
            y + 6,
            f"*** END OF LOG *** SUPERVISOR {cast.person().name.upper()} {label('INT')} {cast.extension()}",
            9.2,
            Face.MONO,
        )
        leaves.append(leaf)
    return leaves


def contact_directory(cast: Cast) -> list[Leaf]:
    """Names and numbers in three or four columns, joined by dots."""
    leaf = Leaf("contact_directory")
    leaf.text(105, 12, f"{cast.body}: internal telephone list", 14, Face.SERIF_BOLD, align=0.5)
    leaf.text(
        105, 20, f"Issue {keep('VERSION', f'{cast.random.randrange(2, 30)}')}, {cast.date()}", 9, Face.SERIF, align=0.5
    )
    columns = cast.random.choice((3, 4))
    width = 186 / columns
    size = 9 if columns == 3 else 8
    for column in range(columns):
        x, y = 12 + column * width, 30.0
        while y < 140:
            leaf.text(
                x,
                y,
                cast.pick(
                    *(u for u in ("LICENSING", "PAYROLL", "HIGHWAYS", "ESTATES", "FLEET", "POST ROOM", "RADIOLOGY"))
                ),
                size,
                Face.SERIF_BOLD,
            )
            y += 4.6
            for _ in range(cast.random.randrange(4, 8)):
                person = cast.person()
                name, number = f"{person.last} {person.first[0]}", cast.extension(cast.random.choice((4, 5)))
                room = width - 5 - leaf.width(f"{name}{plain(number)}", size, Face.SERIF)
                dots = "." * max(2, int(room / leaf.width(".", size, Face.SERIF)) - 1)
                leaf.text(x, y, f"{name}{dots}{number}", size, Face.SERIF)
                y += 4.4
            leaf.text(x, y, f"{label('fax')} {cast.fax()}", size, Face.SERIF_ITALIC)
            y += 7
    leaf.text(
        105, 200, f"Corrections: {cast.email()} or {label('extension')} {cast.extension()}", 9, Face.SERIF, align=0.5
    )
    return [leaf]


def phone_sheet(cast: Cast) -> list[Leaf]:
    """A spreadsheet's print-out: Name | Ext | Mobile | Email, nothing else said."""
    leaf = Leaf("phone_sheet", A4_ACROSS_MM)
    leaf.text(12, 10, f"phones_{cast.date()}.xls - Sheet1", 9)
    rows = [("", "Name", "Section", "Ext", "Mobile", "Email", "Desk", "Leave")]
    for number in range(2, 24):
        person = cast.person()
        rows.append(
            (
                keep("SMALL", number),
                person.name,
                cast.pick("Fleet", "Legal", "Payroll", "Registry"),
                cast.extension(4),
                cast.mobile(),
                cast.email(person),
                keep("SMALL", cast.random.randrange(1, 99)),
                keep("STAT", cast.random.randrange(0, 40)),
            )
        )
    y = leaf.rows(12, 17, (8, 50, 28, 18, 44, 88, 16, 18), rows, 9, 7, Face.SANS, head=(205, 215, 225))
    leaf.text(12, y + 4, f"Printed {cast.date()} {cast.time()}", 8)
    leaf.turned_by_feeder = cast.random.choice((0, 1, 3))
    return [leaf]


def vehicle_table(cast: Cast) -> list[Leaf]:
    """A landscape table bound upright: it lies on its side on most scans."""
    leaf = Leaf("vehicle_table", A4_ACROSS_MM)
    leaf.text(148, 12, "Fleet allocation and keepers", 15, Face.WIDE_BOLD, align=0.5)
    rows = [("Fleet no.", "Mark", "Keeper", "Telephone", "Radio ISSI", "Kept at", "Value")]
    for _ in range(16):
        rows.append(
            (
                cast.serial(),
                cast.plate(),
                cast.person().name,
                cast.any_phone(),
                cast.radio(),
                cast.postcode(),
                cast.money(),
            )
        )
    y = leaf.rows(14, 24, (48, 28, 54, 52, 30, 28, 30), rows, 8.5, 8, Face.WIDE, head=PALE)
    leaf.paragraph(
        14, y + 5, 265, f"{cast.inviting()} {cast.sentence()} {label('Workshop fax')} {cast.fax()}.", 9, Face.WIDE
    )
    leaf.turned_by_feeder = cast.random.choice((1, 1, 3, 0))
    return [leaf]


def purchase_order(cast: Cast) -> list[Leaf]:
    """An order to a supplier, one of them abroad."""
    leaf, buyer = Leaf("purchase_order"), cast.person()
    leaf.text(192, 14, "PURCHASE ORDER", 18, Face.SANS_BOLD, (60, 60, 60), align=1)
    leaf.text(192, 24, cast.account(), 11, align=1)
    for x, title, foreign in ((18, "Supplier", True), (108, "Deliver to", False)):
        leaf.box(x, 36, 84, 42, outline=GREY)
        leaf.box(x, 36, 84, 6, fill=(220, 220, 220))
        leaf.text(x + 2, 37, title, 9, Face.SANS_BOLD)
        y = leaf.lines(
            x + 2,
            44,
            [f"{cast.person().last} & {cast.pick('Sons', 'Daughters', 'Partners')}" if foreign else cast.body],
            9,
        )
        y = leaf.paragraph(x + 2, y, 80, cast.address(lines=True), 9)
        leaf.text(x + 2, y + 1, f"{label('Phone')} {cast.american() if foreign else cast.phone()}", 9)
        leaf.text(x + 2, y + 6, f"{label('Attn')} {cast.person().name}, {label('Tel/Fax:')} {cast.fax()}", 9)
    rows = [("Line", "Item", "Part", "Qty", "Each", "Total")]
    for number in range(1, 10):
        item = cast.pick(
            "Toner, black",
            "Hose coupling 70 mm",
            "Waterproof jacket",
            "Padlock, keyed alike",
            "Envelope C5, box",
            "Lamp, bulkhead",
        )
        rows.append(
            (
                keep("SMALL", number),
                item,
                keep("SERIAL", f"{cast.digits(3)}-{cast.digits(4)}"),
                keep("SMALL", cast.random.randrange(1, 900)),
                cast.money(),
                cast.money(),
            )
        )
    y = leaf.rows(18, 86, (12, 62, 30, 16, 27, 27), rows, 9, 7, head=(220, 220, 220))
    y = leaf.paragraph(
        18,
        y + 6,
        174,
        f"{label('Buyer:')} {buyer.name}  {label('e:')} {cast.email(buyer)}  {label('t:')} {cast.phone()}  "
        f"{label('x')}{cast.extension(4)}",
        9,
    )
    y = leaf.paragraph(
        18,
        y + 4,
        174,
        f"Invoices to {cast.email()} quoting {cast.account()}. {cast.prose(2)} "
        f"VAT registration {keep('ACCOUNT', f'GB {cast.digits(3)} {cast.digits(4)} {cast.digits(2)}')}. "
        f"Sort code {keep('ACCOUNT', f'{cast.digits(2)}-{cast.digits(2)}-{cast.digits(2)}')}, {cast.account()}.",
        9,
    )
    leaf.paragraph(18, y + 4, 174, f"{cast.inviting()} US desk: {cast.american()}, {cast.american()}.", 9)
    return [leaf]


def org_chart(cast: Cast) -> list[Leaf]:
    """Boxes joined by lines, a name, a post and a number in each."""
    leaf = Leaf("org_chart", A4_ACROSS_MM)
    leaf.text(148, 10, f"{cast.body}: who answers to whom", 14, Face.SANS_BOLD, align=0.5)
    for level, count in enumerate((1, 3, 5)):
        pitch, y = 280 / count, 24 + level * 58
        for place in range(count):
            person, middle = cast.person(), 8 + pitch * (place + 0.5)
            width = min(pitch - 4, 70)
            if level:
                leaf.stroke([(middle, y - 8), (middle, y)], GREY)
            if level < 2:
                leaf.stroke([(middle, y + 32), (middle, y + 50)], GREY)
            dark = level == 0
            leaf.box(middle - width / 2, y, width, 34, fill=(50, 60, 80) if dark else WHITE, outline=GREY)
            ways = [
                f"{label(cast.pick('Tel', 'T:', 'DDI'))} {cast.phone()}",
                f"{label(cast.pick('Ext', 'x', 'int.'))} {cast.extension()}",
                f"{label(cast.pick('M', 'Mob'))} {cast.mobile()}",
            ]
            cast.random.shuffle(ways)
            lines = [person.name, person.job, cast.pick("Room 3", "First floor", "Annexe"), *ways[:2]]
            leaf.lines(middle, y + 3, lines, 8.2, Face.SANS, WHITE if dark else BLACK, 1.45, align=0.5)
        if level:
            leaf.rule(8 + pitch / 2, y - 8, 280 - pitch, GREY)
    leaf.text(148, 192, f"Amendments to {cast.email()}, last drawn {cast.date()}", 9, align=0.5)
    leaf.turned_by_feeder = cast.random.choice((0, 0, 3))
    return [leaf]


def minutes(cast: Cast) -> list[Leaf]:
    """Minutes: attendees with how to reach them, items with actions in a margin."""
    leaves = [Leaf("meeting_minutes")]
    leaf = leaves[0]
    leaf.text(
        20,
        14,
        f"{cast.pick('Joint Safety Forum', 'Tenants Panel', 'Mortuary Users Group')} - notes of meeting",
        15,
        Face.SERIF_BOLD,
    )
    leaf.text(
        20,
        23,
        f"{cast.date()}, {cast.time()} to {cast.time()}, {cast.pick('Room 2', 'Annexe B', 'the old canteen')}",
        10.5,
        Face.SERIF,
    )
    y = 32.0
    for kind in ("Present", "By telephone", "Apologies"):
        leaf.text(20, y, f"{kind}:", 10.5, Face.SERIF_BOLD)
        for _ in range(cast.random.randrange(2, 5)):
            person = cast.person()
            way = cast.pick(
                cast.email(person),
                f"{label('x')}{cast.extension(4)}",
                f"{label('tel')} {cast.phone()}",
                cast.mobile(),
                "",
            )
            leaf.text(48, y, f"{person.name}, {person.job}{' - ' if way else ''}{way}", 10.5, Face.SERIF)
            y += 5.4
        y += 2
    for item in range(1, cast.random.choice((5, 9))):
        if y > 232:
            leaf, y = Leaf("meeting_minutes"), 18.0
            leaves.append(leaf)
        leaf.text(
            20,
            y,
            f"{keep('SMALL', f'{item}.')} {cast.pick(*AGENDA)}",
            10.5,
            Face.SERIF_BOLD,
        )
        end = leaf.paragraph(20, y + 5.5, 128, f"{cast.prose(2)} {cast.inviting()} {cast.sentence()}", 10.5, Face.SERIF)
        action = cast.person()
        note = (
            f"ACTION {action.name} {cast.pick('ext ', 'x')}{cast.extension(4)}"
            if cast.random.random() < 0.5
            else f"ACTION {action.name} by {cast.date()}"
        )
        end = max(end, leaf.paragraph(154, y + 5.5, 40, note, 9, Face.SANS_ITALIC))
        leaf.box(151, y + 5, 0.3, end - y - 6, fill=GREY)
        y = end + 4
    return leaves


def on_call_sheet(cast: Cast) -> list[Leaf]:
    """Who to bleep, pinned beside a telephone: large lines, several ways for each."""
    leaf = Leaf("on_call_sheet")
    leaf.box(12, 10, 186, 18, fill=(40, 40, 40))
    leaf.text(105, 13, "WHO TO CALL, WHEN", 24, Face.SANS_BOLD, WHITE, align=0.5)
    y = 36.0
    for _ in range(8):
        ways = [
            f"{label('Bleep')} {cast.pager()}",
            f"{label('Ext')} {cast.extension(4)} / {cast.extension(4)}",
            f"{label('Home')} {cast.phone()}",
            f"{label('Mob')} {cast.mobile()}",
            f"{label('Fax')} {cast.fax()}",
            f"{label('Radio')} {cast.radio()}",
        ]
        cast.random.shuffle(ways)
        leaf.text(
            14,
            y,
            f"{cast.pick(*POSTS)}: {cast.person().name}",
            13,
            Face.SANS_BOLD,
        )
        y = leaf.lines(22, y + 7, [f"{ways[0]}    {ways[1]}", f"{ways[2]}"], 12.5) + 5
    leaf.text(14, y + 2, f"Fire: {cast.public_phone()}. Revised {cast.date()} by {cast.email(cast.person())}", 10)
    return [leaf]


def card_sheet(cast: Cast) -> list[Leaf]:
    """A proof of business cards, two across and four down."""
    leaf = Leaf("card_sheet")
    for place in range(8):
        person = cast.person()
        x, y = 14 + (place % 2) * 92, 12 + (place // 2) * 68
        dark = place in (1, 6)
        leaf.box(x, y, 86, 56, fill=(36, 52, 70) if dark else (252, 252, 250), outline=GREY)
        ink = (240, 240, 240) if dark else BLACK
        leaf.text(x + 5, y + 5, cast.body, 9, Face.SERIF_BOLD, ink)
        leaf.text(x + 5, y + 15, person.name, 12, Face.SANS_BOLD, ink)
        leaf.text(x + 5, y + 21, person.job, 8, Face.SANS_ITALIC, ink)
        ways = [
            f"{label(cast.pick('t', 'T', 'tel.', 'Tel'))} {cast.phone()}",
            f"{label(cast.pick('m', 'M', 'mob.'))} {cast.mobile()}",
            f"{label(cast.pick('f', 'F', 'fax'))} {cast.fax()}",
            f"{label(cast.pick('e', 'E'))} {cast.email(person)}",
            f"{label(cast.pick('w', 'W'))} {cast.url()}",
            cast.handle(),
        ]
        del ways[cast.random.randrange(2, 6)]
        leaf.lines(x + 5, y + 27, ways[:4], 8, Face.SANS, ink)
        leaf.text(x + 5, y + 48, cast.address(), 6.8, Face.SANS, ink)
    return [leaf]


def print_log(cast: Cast) -> list[Leaf]:
    """What the switchboard's printer wrote: calls with the number that rang, all digits and times."""
    leaf = Leaf("call_print")
    y = leaf.lines(
        20,
        14,
        [f"PABX CALL RECORDS  {cast.body.upper()}", f"PERIOD {cast.date()} TO {cast.date()}", ""],
        9.5,
        Face.WIDE_MONO,
    )
    rows = [f"{'DATE':<12}{'TIME':<9}{'EXTN':<7}{'NUMBER DIALLED':<22}{'DUR':<8}COST"]
    for _ in range(34):
        day = plain(keep("DATE", f"{cast.random.randrange(1, 29):02d}/{cast.random.randrange(1, 13):02d}/24"))
        at = f"{cast.random.randrange(24):02d}:{cast.random.randrange(60):02d}:{cast.random.randrange(60):02d}"
        extension, number = cast.extension(4), cast.any_phone()
        gap = " " * (22 - len(plain(number)))
        took = f"{cast.random.randrange(60):02d}m{cast.random.randrange(60):02d}"
        cost = f"{cast.random.randrange(5)}.{cast.random.randrange(100):02d}"
        rows.append(
            f"{keep('DATE', day)}{' ' * (12 - len(day))}{keep('TIME', at)} {extension}   {number}{gap}"
            f"{keep('TIME', took)}   {keep('MONEY', cost)}"
        )
    y = leaf.lines(20, y, rows, 9.5, Face.WIDE_MONO)
    leaf.text(20, y + 4, f"TOTAL CALLS {cast.count()}  CHARGED TO {cast.account()}", 9.5, Face.WIDE_MONO)
    leaf.text(20, y + 12, withhold("EMAIL", "role", f"telecoms@{cast.domain}"), 9.5, Face.WIDE_MONO)
    return [leaf]
