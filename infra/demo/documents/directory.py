"""The department's directory: two pages of table and a who's-who in two columns, set for a black and white copier."""

from __future__ import annotations

from infra.demo.documents.cast import FORCE, STAFF, SWITCHBOARD, UNIT, Person, public, withheld
from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, Sheet

COLUMNS_MM = (30.0, 36.0, 23.0, 11.5, 23.0, 58.5)
ROWS_A_PAGE = 19


def set_directory(dpi: float) -> tuple[Sheet, Sheet, Sheet]:
    """Table, table, who's-who."""
    return _table(dpi, 1, STAFF[:ROWS_A_PAGE]), _table(dpi, 2, STAFF[ROWS_A_PAGE:]), _who_is_who(dpi)


def _head(sheet: Sheet, page: int) -> None:
    sheet.text(14, 14, f"{FORCE}  —  {UNIT}", 9, Face.SERIF)
    sheet.text(196, 14, f"Page {page} of 3", 9, Face.SERIF, align=1)
    sheet.rule(14, 19, 182, stroke=0.5)
    sheet.rule(14, 20.2, 182, stroke=0.2)


def _foot(sheet: Sheet) -> None:
    sheet.rule(14, 279, 182, stroke=0.2)
    sheet.text(14, 281, "Issue {23}  ·  {1 September 2026}  ·  Form {ADM 1107}  ·  For internal use", 8, Face.SERIF)


def _table(dpi: float, page: int, staff: tuple[Person, ...]) -> Sheet:
    sheet = Sheet(dpi)
    _head(sheet, page)
    sheet.text(14, 25, "STAFF DIRECTORY" if page == 1 else "STAFF DIRECTORY (continued)", 17, Face.SERIF_BOLD)
    sheet.text(
        14,
        34,
        f"Fenland House. Switchboard {withheld(SWITCHBOARD)}. Dial 7 then the extension from any force phone."
        if page == 1
        else "Fenland House and outstations.",
        9.5,
        Face.SERIF,
    )
    sheet.box(14, 43, 182, 8, BLACK)
    left = 14.0
    for width, label in zip(COLUMNS_MM, ("Name", "Role", "Tel", "Ext", "Mobile", "E-mail"), strict=True):
        sheet.text(left + 1.1, 45, label, 9, Face.SANS_BOLD, (255, 255, 255))
        left += width
    bottom = sheet.rows(
        14,
        51,
        COLUMNS_MM,
        [
            (
                person.name,
                person.role,
                withheld(person.telephone),
                withheld(person.extension),
                withheld(person.mobile),
                withheld(person.email),
            )
            for person in staff
        ],
        7.8,
        8.6,
        ruling=BLACK,
    )
    note = (
        "Night cover: {18:00} to {06:00}, rota {R7}. Staff are listed by team. Amendments by the {25th} of each month, "
        "quoting the payroll number on your card, e.g. {00418273}."
        if page == 1
        else "Rooms: ground floor {G01–G24}, first floor {1.01–1.30}. Vehicle permits: {EQ26 XPD} and {EQ24 ZZQ}. "
        "Fire drill {first Monday, 11:00}."
    )
    bottom = sheet.paragraph(14, bottom + 6, 182, note, 9.5, Face.SERIF)
    if page == 2:
        sheet.text(14, bottom + 6, "Outside numbers", 12, Face.SERIF_BOLD)
        sheet.lines(
            14,
            bottom + 13,
            (
                f"Emergency  {public('999')}        Police, not an emergency  {public('101')}",
                f"Crimestoppers  {public('0800 555 111')}",
                f"Print works (Tidewater)  {withheld('020 7946 0381')}   fax {withheld('020 7946 0382')}",
                f"Night porter, Fenland House  {withheld('01632 960 199')}   pager {withheld('07700 900 555')}",
            ),
            10,
            Face.SERIF,
            leading=1.5,
        )
    _foot(sheet)
    return sheet


def _who_is_who(dpi: float) -> Sheet:
    sheet = Sheet(dpi)
    _head(sheet, 3)
    sheet.text(14, 25, "WHO’S WHO: STANDARDS CHAMPIONS", 17, Face.SERIF_BOLD)
    sheet.paragraph(
        14,
        34,
        182,
        "Champions are volunteers. Each has had {3 days} of training and renews it every {24 months}.",
        10,
        Face.SERIF,
    )
    champions = (*STAFF[3:5], *STAFF[12:16], *STAFF[22:24], *STAFF[30:32])
    for index, person in enumerate(champions):
        x, y = 14 + 94 * (index % 2), 45 + 46 * (index // 2)
        sheet.box(x, y, 18, 23, (206, 206, 206), BLACK)
        sheet.ellipse(x + 5.5, y + 4, 7, 8.5, (120, 120, 120))
        sheet.ellipse(x + 2.2, y + 13.5, 13.6, 15, (120, 120, 120))
        sheet.box(x - 0.2, y + 23.2, 18.6, 6, (255, 255, 255))
        sheet.rule(x, y + 23, 18)
        sheet.text(x + 21, y, person.name, 11, Face.SERIF_BOLD)
        sheet.lines(
            x + 21,
            y + 5.5,
            (
                person.role,
                f"Collar no. {{{4400 + person.number}}}",
                f"Tel: {withheld(person.telephone)}  x{withheld(person.extension)}",
                f"Mob: {withheld(person.mobile)}",
                withheld(person.email),
                f"Champion since {{{(index % 11) + 1:02d}/{2024 + index % 3}}}",
            ),
            9.2,
            Face.SERIF,
            leading=1.42,
        )
    _foot(sheet)
    return sheet
