"""The campaign's posters: large type, a drawing, and contacts in white on a dark panel."""

from __future__ import annotations

from infra.demo.documents.cast import (
    CAMPAIGN,
    CONFIDENTIAL_LINE,
    CRIMESTOPPERS,
    DOMAIN,
    FORCE,
    INTRANET,
    TEAM_EXTENSION,
    TEAM_MAILBOX,
    TEAM_TELEPHONE,
    UNIT,
    public,
    withheld,
)
from infra.demo.fonts import Face
from infra.demo.sheet import WHITE, Colour, Sheet

TEAL: Colour = (12, 92, 104)
DEEP: Colour = (18, 38, 56)
SUN: Colour = (246, 190, 60)
CORAL: Colour = (226, 92, 72)
MIST: Colour = (214, 232, 232)


def set_posters(dpi: float) -> tuple[Sheet, Sheet]:
    """Poster A (general) and poster B (the confidential line)."""
    return _poster_a(dpi), _poster_b(dpi)


def draw_banner(sheet: Sheet, x: float, y: float, width: float) -> None:
    """The campaign's speech bubbles and name, `width` mm wide and 0.46 of it high."""
    unit = width / 180
    sheet.box(x, y, width, 83 * unit, TEAL)
    for left, top, size, colour in ((96, 12, 62, SUN), (124, 34, 46, CORAL), (82, 40, 40, MIST)):
        sheet.ellipse(x + left * unit, y + top * unit, size * unit, size * 0.62 * unit, colour)
        foot = (left + size * 0.28, top + size * 0.5)
        tail = ((foot[0], foot[1]), (foot[0] + size * 0.2, foot[1]), (foot[0] - size * 0.04, foot[1] + size * 0.28))
        sheet.polygon([(x + a * unit, y + b * unit) for a, b in tail], colour)
    sheet.text(x + 106 * unit, y + 25 * unit, "“It was just a joke.”", 15 * unit, Face.SANS_ITALIC, DEEP)
    sheet.text(x + 130 * unit, y + 44 * unit, "“Keep it to yourself.”", 10 * unit, Face.SANS_ITALIC, WHITE)
    sheet.text(x + 88 * unit, y + 49 * unit, "“That’s just how he is.”", 9 * unit, Face.SANS_ITALIC, DEEP)
    sheet.text(x + 10 * unit, y + 14 * unit, "Notice it.", 43 * unit, Face.SANS_BOLD, WHITE)
    sheet.text(x + 10 * unit, y + 33 * unit, "Name it.", 43 * unit, Face.SANS_BOLD, SUN)
    sheet.text(x + 10.5 * unit, y + 56 * unit, "Standards start with us", 14 * unit, Face.SANS, WHITE)


def _poster_a(dpi: float) -> Sheet:
    sheet = Sheet(dpi)
    draw_banner(sheet, 0, 0, 210)
    sheet.text(14, 106, "You saw it. You heard it. You can say it.", 24, Face.SANS_BOLD, DEEP)
    y = sheet.paragraph(
        14,
        122,
        178,
        "Since {4 March 2024} every officer, PCSO and member of staff has had three ways to raise a concern about a "
        "colleague’s behaviour. You choose which. You will be told within {5 working days} what happens next.",
        14.5,
        colour=DEEP,
    )
    for number, line in enumerate(("Talk to a Standards Champion on your site", "Ring the team", "Report online")):
        top = y + 6 + 12.5 * number
        sheet.ellipse(14, top, 9, 9, CORAL)
        sheet.text(18.5, top + 1.9, str(number + 1), 15, Face.SANS_BOLD, WHITE, align=0.5)
        sheet.text(28, top + 1.7, line, 16, Face.SANS_BOLD, TEAL)
    sheet.box(0, 198, 210, 80, DEEP)
    sheet.text(14, 204, "Contact the campaign team", 19, Face.SANS_BOLD, SUN)
    rows = (
        ("Call", withheld(TEAM_TELEPHONE) + "   ext. " + withheld(TEAM_EXTENSION)),
        ("Text", withheld("07700 900 318")),
        ("E-mail", withheld(TEAM_MAILBOX)),
        ("Online", withheld(f"https://{INTRANET}/noticeit")),
        ("Follow", withheld("@EastmereNoticeIt")),
    )
    for index, (label, value) in enumerate(rows):
        sheet.text(14, 217.5 + 9.4 * index, label, 15, Face.SANS, MIST)
        sheet.text(42, 217.5 + 9.4 * index, value, 15.5, Face.SANS_BOLD, WHITE)
    sheet.text(14, 266.5, f"Outside the force? Crimestoppers, anonymously: {public(CRIMESTOPPERS)}", 12.5, colour=MIST)
    sheet.text(20, 283, FORCE, 15, Face.SANS_BOLD, TEAL)
    sheet.text(20, 289.5, UNIT, 9.5, colour=TEAL)
    sheet.text(190, 289.5, "{PSD/NINI/A3/01}  {v2.1}  {Feb 2026}", 7.5, colour=TEAL, align=1)
    return sheet


def _poster_b(dpi: float) -> Sheet:
    sheet = Sheet(dpi, paper=SUN)
    sheet.box(10, 10, 190, 277, None, DEEP, 1.6, 6)
    sheet.text(105, 26, "HEARD SOMETHING", 42, Face.SANS_BOLD, DEEP, align=0.5)
    sheet.text(105, 43, "THAT ISN’T RIGHT?", 42, Face.SANS_BOLD, DEEP, align=0.5)
    sheet.ellipse(55, 68, 100, 62, WHITE)
    sheet.polygon([(78, 120), (98, 124), (72, 146)], WHITE)
    sheet.text(105, 86, "Say it", 40, Face.SANS_BOLD, CORAL, align=0.5)
    sheet.text(105, 102, "in confidence.", 25, Face.SANS_BOLD, TEAL, align=0.5)
    sheet.box(20, 156, 170, 62, DEEP, radius=5)
    sheet.text(105, 163, "The confidential line, day and night", 17, Face.SANS, MIST, align=0.5)
    sheet.text(105, 175, withheld(CONFIDENTIAL_LINE), 44, Face.SANS_BOLD, SUN, align=0.5)
    sheet.text(105, 199, withheld(f"confidential@{DOMAIN}"), 18, Face.SANS_BOLD, WHITE, align=0.5)
    y = sheet.paragraph(
        22,
        226,
        168,
        "You do not have to give your name or your collar number. In {2025} the line took {1,284} calls; {37%} led to "
        "an inquiry. Calls cost nothing and are not shown on your phone bill.",
        13,
        colour=DEEP,
    )
    sheet.text(22, y + 4, f"In an emergency dial {public('999')}. Otherwise {public('101')}.", 15, Face.SANS_BOLD, DEEP)
    sheet.text(22, y + 12, f"Crimestoppers {public(CRIMESTOPPERS)}", 15, Face.SANS_BOLD, DEEP)
    sheet.text(22, 276, f"{FORCE} · {CAMPAIGN}", 9.5, Face.SANS_BOLD, DEEP)
    sheet.text(188, 276, "{PSD/NINI/A4/07}", 8, colour=DEEP, align=1)
    return sheet
