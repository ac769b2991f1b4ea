"""Two pages of the intranet as a browser prints them: date and title above, address and page number below."""

from __future__ import annotations

from infra.demo.documents.cast import (
    CAMPAIGN,
    CONFIDENTIAL_LINE,
    CRIMESTOPPERS,
    FARROW,
    INTRANET,
    QUILLBY,
    TEAM_MAILBOX,
    Person,
    public,
    withheld,
)
from infra.demo.documents.poster import DEEP, MIST, TEAL, draw_banner
from infra.demo.fonts import Face
from infra.demo.sheet import GREY, PALE, WHITE, Colour, Sheet

LINK: Colour = (20, 70, 190)
ADDRESS = f"https://{INTRANET}/standards/notice-it-name-it"


def set_intranet(dpi: float) -> tuple[Sheet, Sheet]:
    """The campaign's page and its continuation."""
    return _front(dpi), _back(dpi)


def _furniture(sheet: Sheet, page: int) -> None:
    sheet.text(8, 6, "{17/11/2026}, {09:02}", 7.5, Face.WIDE, GREY)
    sheet.text(112, 6, f"{CAMPAIGN} | Beacon", 7.5, Face.WIDE, GREY, align=0.5)
    sheet.text(8, 288.5, withheld(ADDRESS), 7.5, Face.WIDE, GREY)
    sheet.text(202, 288.5, f"{page}/2", 7.5, Face.WIDE, GREY, align=1)


def _link(sheet: Sheet, x: float, y: float, text: str, size: float = 8.5) -> None:
    end = sheet.text(x, y, text, size, Face.WIDE, LINK)
    sheet.rule(x, y + size * 0.38, end - x, LINK, 0.2)


def _contact(sheet: Sheet, y: float, person: Person) -> float:
    sheet.text(147, y, person.name, 8.5, Face.WIDE_BOLD, DEEP)
    sheet.text(147, y + 4.4, person.role, 7.5, Face.WIDE, GREY)
    sheet.text(147, y + 9, "Tel " + withheld(person.telephone), 8, Face.WIDE)
    sheet.text(147, y + 13.4, "Ext " + withheld(person.extension), 8, Face.WIDE)
    _link(sheet, 147, y + 17.8, withheld(person.email), 6.1)
    return y + 25


def _front(dpi: float) -> Sheet:
    sheet = Sheet(dpi)
    _furniture(sheet, 1)
    sheet.box(8, 13, 194, 13, DEEP)
    sheet.text(13, 16.6, "Beacon", 16, Face.WIDE_BOLD, WHITE)
    for index, tab in enumerate(("Home", "News", "Standards", "Policies", "People finder", "A–Z")):
        sheet.text(62 + 24 * index, 18, tab, 8, Face.WIDE, WHITE)
    sheet.text(8, 30, "Home  ›  Standards  ›  Campaigns", 7.5, Face.WIDE, GREY)
    draw_banner(sheet, 8, 36, 130)
    sheet.text(8, 101, f"{CAMPAIGN}", 18, Face.WIDE_BOLD, TEAL)
    sheet.text(
        8, 110, "Published {4 March 2024}, {08:30} · last reviewed {12/02/2026} · 2,317 views", 7.2, Face.WIDE, GREY
    )
    y = 116.0
    for text in (
        "Notice it. Name it. is our internal campaign on sexist, racist and homophobic behaviour at work. It asks each "
        "of us to notice it when it happens, to name it for what it is, and to tell someone who can act.",
        "The material below is for display in police buildings only. Posters go to all {38} sites; screens in parade "
        "rooms show the animated version between {06:00} and {22:00}. Please do not post the internal numbers outside "
        "the force: they are staffed for colleagues, not for the public.",
        "Posters can be ordered in A3 and A4 under catalogue number {NINI-0426}. The budget holder is cost centre "
        "{40-118-7720}; a pack of 25 costs {£18.40}.",
    ):
        y = sheet.paragraph(8, y, 128, text, 9, Face.WIDE, leading=1.5) + 3
    sheet.text(8, y + 2, "Ways to report", 12.5, Face.WIDE_BOLD, TEAL)
    y += 10
    for text in (
        f"Confidential line: {withheld(CONFIDENTIAL_LINE)} (day and night)",
        f"Team mailbox: {withheld(TEAM_MAILBOX)}",
        f"Teams channel: {withheld('noticeit-reports@teams.eastmere.police.example')}",
        f"Online form: {withheld(f'https://{INTRANET}/forms/nini-01')}",
        f"Emergency {public('999')}, non-emergency {public('101')}",
        f"Crimestoppers {public(CRIMESTOPPERS)} (independent, anonymous)",
    ):
        sheet.ellipse(10, y + 1.1, 1.4, 1.4, TEAL)
        y = sheet.paragraph(14, y, 122, text, 8.6, Face.WIDE, leading=1.5) + 1
    sheet.box(143, 36, 59, 84, (240, 244, 244), MIST, 0.4, 1.5)
    sheet.box(143, 36, 59, 9, TEAL, radius=1.5)
    sheet.text(147, 38.3, "Who to contact", 9.5, Face.WIDE_BOLD, WHITE)
    top = 50.0
    for person in (FARROW, QUILLBY):
        top = _contact(sheet, top, person)
    sheet.text(147, top, "Duty desk (24 h)", 8.5, Face.WIDE_BOLD, DEEP)
    sheet.text(147, top + 4.6, "Mobile " + withheld("07700 900 226"), 8, Face.WIDE)
    sheet.text(147, top + 9, "Airwave ISSI " + withheld("2174418"), 8, Face.WIDE)
    sheet.box(143, 126, 59, 58, (240, 244, 244), MIST, 0.4, 1.5)
    sheet.text(147, 130, "Related pages", 9.5, Face.WIDE_BOLD, TEAL)
    for index, text in enumerate(
        ("Code of Ethics 2024", "Raising a concern: SOP 14", "Champions, by site", "Wellbeing hub")
    ):
        _link(sheet, 147, 138 + 7.2 * index, text)
    sheet.text(147, 169, "Page owner: " + "ext " + withheld("74451"), 7.5, Face.WIDE, GREY)
    sheet.text(147, 174, "Page ID {0026417}", 7.5, Face.WIDE, GREY)
    sheet.text(8, 222, "Champions nearest to you", 12.5, Face.WIDE_BOLD, TEAL)
    sheet.rows(
        8,
        231,
        (46, 42, 34, 24, 48),
        (
            ("Site", "Champion", "Telephone", "Ext", "In the building"),
            (
                "Fenland House",
                "Nadia Jellicoe",
                withheld("01632 960 557"),
                withheld("74557"),
                "{Mon–Thu}, {08:00–16:00}",
            ),
            (
                "North Station",
                "Leopold Sedgwick",
                withheld("01632 960 620"),
                withheld("74620"),
                "{Tue}, {Thu}, {09:30–15:00}",
            ),
            (
                "South Station",
                "Beatrix Ravenscar",
                withheld("01632 960 613"),
                withheld("74613"),
                "{Mon–Fri}, {07:00–14:30}",
            ),
            ("Marine Unit", "Dorian Clegg", withheld("01632 960 676"), withheld("74676"), "by arrangement"),
        ),
        8,
        7.4,
        Face.WIDE,
    )
    return sheet


def _back(dpi: float) -> Sheet:
    sheet = Sheet(dpi)
    _furniture(sheet, 2)
    sheet.text(8, 16, "Download the material", 13, Face.WIDE_BOLD, TEAL)
    sheet.rows(
        8,
        25,
        (76, 24, 24, 70),
        (
            ("Item", "Size", "Updated", "Where"),
            ("Poster A, A3 (print)", "{4.2 MB}", "{11/02/26}", withheld(f"{INTRANET}/d/9041")),
            ("Poster B, A4 (confidential line)", "{3.8 MB}", "{11/02/26}", withheld(f"{INTRANET}/d/9042")),
            ("Screen saver, 1920 × 1080", "{12.6 MB}", "{02/04/24}", withheld(f"{INTRANET}/d/7713")),
            ("Briefing slides, 14 pages", "{6.1 MB}", "{19/09/25}", withheld(f"{INTRANET}/d/8820")),
        ),
        8,
        7.4,
        Face.WIDE,
    )
    sheet.text(8, 72, "Questions we are asked", 13, Face.WIDE_BOLD, TEAL)
    y = 81.0
    for question, answer in (
        (
            "Who sees my report?",
            "The duty inspector and one case manager. Reports are kept for {6 years} under retention rule {RR-27}, "
            "then destroyed.",
        ),
        (
            "Can I speak to somebody first?",
            f"Yes. Rufus Tallentire keeps every Tuesday {{14:00–16:00}} free: ring {withheld('01632 960 463')} or his "
            f"mobile {withheld('07700 900241')}, or write to {withheld('rufus.tallentire@eastmere.police.example')}.",
        ),
        (
            "Is there a poster in Welsh or in large print?",
            f"Ask Design and Print on extension {withheld('74476')}. Quote job {{DP/26/0312}}.",
        ),
    ):
        sheet.text(8, y, question, 9.5, Face.WIDE_BOLD, DEEP)
        y = sheet.paragraph(8, y + 5.4, 186, answer, 9, Face.WIDE, leading=1.5) + 4
    sheet.text(8, y + 2, "Comments (2)", 13, Face.WIDE_BOLD, TEAL)
    y += 12
    for who, when, text in (
        (
            "H. Quarmby",
            "{05/03/2024} {10:14}",
            "All {22} frames at North are up. The one by the custody lift went missing on {1 March}; it has been "
            f"replaced. Any more, ring reception on {withheld('01632 960 606')}.",
        ),
        (
            "G. Firth",
            "{06/03/2024} {16:52}",
            f"Could the wellbeing line {withheld('01632 960 697')} be on the next print run? It is on the back of "
            "warrant card holders already, next to the {PC 4471} example.",
        ),
    ):
        sheet.box(8, y, 194, 24, (246, 247, 247), PALE, 0.3, 1.5)
        sheet.text(12, y + 2.5, who, 8.5, Face.WIDE_BOLD, DEEP)
        sheet.text(198, y + 2.5, when, 7.5, Face.WIDE, GREY, align=1)
        sheet.paragraph(12, y + 8, 184, text, 8.6, Face.WIDE, leading=1.5)
        y += 28
    sheet.text(8, y + 4, "Was this page useful?   Yes 212   No 9", 8.5, Face.WIDE, GREY)
    return sheet
