"""A memorandum on headed paper, set in a serif face."""

from __future__ import annotations

from math import cos, pi, sin

from infra.demo.documents.cast import CONFIDENTIAL_LINE, FARROW, FORCE, TALLENTIRE, UNIT, public, withheld
from infra.demo.fonts import Face
from infra.demo.sheet import BLACK, GREY, WHITE, Sheet

SIGNATURE_MM = (26.0, 211.0)
STAMP_MM = (158.0, 236.0)


def set_memo(dpi: float) -> Sheet:
    """The memo."""
    sheet = Sheet(dpi)
    _crest(sheet, 34, 27, 11)
    sheet.text(50, 17, FORCE, 19, Face.SERIF_BOLD)
    sheet.text(50, 25.5, UNIT, 12, Face.SERIF_ITALIC)
    sheet.lines(
        190,
        16,
        (
            withheld("Fenland House, 41 Dray Walk"),
            "Eastmere",
            withheld("ZZ4 7QE"),
            f"Tel {withheld('01632 960 412')}",
            f"Fax {withheld('01632 960 413')}",
        ),
        9.5,
        Face.SERIF,
        leading=1.3,
        align=1,
    )
    sheet.rule(22, 42, 168, stroke=0.6)
    sheet.text(22, 47, "MEMORANDUM", 16, Face.SERIF_BOLD)
    y = 57.0
    for label, value in (
        ("To:", "All station managers; all Standards Champions"),
        ("From:", f"Chief Inspector {FARROW.name}, ext. {withheld(FARROW.extension)}"),
        (
            "Copy:",
            f"Inspector {TALLENTIRE.name} (ext. {withheld(TALLENTIRE.extension)}); "
            f"Federation office (ext. {withheld('74634')})",
        ),
        ("Date:", "{19 February 2026}"),
        ("Our ref:", "{PSD/NINI/2026/014}"),
        ("Subject:", "Display of “Notice it. Name it.” posters"),
    ):
        sheet.text(22, y, label, 11.5, Face.SERIF_BOLD)
        sheet.text(46, y, value, 11.5, Face.SERIF)
        y += 6.3
    sheet.rule(22, y + 1, 168, stroke=0.3)
    y += 6
    for text in (
        "1.  From {Monday 2 March 2026} the posters in parade rooms, canteens and custody corridors are to be replaced "
        "by version {2.1}. The old version carries an extension that no longer exists. It is to be taken down by "
        "{18:00} on {Friday 27 February} and destroyed; please do not simply cover it.",
        "2.  Posters are for display inside police buildings. They are not to be put where the public can read them, "
        "nor photographed for social media. The lines on them are few, and a campaign of hoax calls in {June 2025} "
        "closed the confidential line for {19 hours}.",
        f"3.  Confirm by e-mail to {withheld('posters@eastmere.police.example')} or by telephone on "
        f"{withheld('01632 960 418')} how many you have put up. A nil return is required. Sites without a computer may "
        f"send a fax to {withheld('01632 960 413')}.",
        f"4.  The confidential line remains {withheld(CONFIDENTIAL_LINE)}. Members of the public who ask are to be "
        f"given {public('101')} or Crimestoppers on {public('0800 555 111')}, and no other number.",
        f"5.  Outside office hours the duty inspector can be reached on {withheld('07700 900 226')} or by radio, call "
        f"sign {{SD 10}}. The budget is {{£4,750}} for {{2026/27}}, code {{40-118-7720}}.",
    ):
        y = sheet.paragraph(22, y, 166, text, 11.5, Face.SERIF, leading=1.38) + 3.4
    sheet.text(22, 219, FARROW.name, 11.5, Face.SERIF_BOLD)
    sheet.text(22, 224.5, "Chief Inspector {1176}, Head of Standards", 11.5, Face.SERIF)
    sheet.rule(22, 276, 168, GREY, 0.25)
    sheet.text(22, 278.5, "Form {G 12} ({rev. 03/24})", 8.5, Face.SERIF, GREY)
    sheet.text(190, 278.5, "Page 1 of 1", 8.5, Face.SERIF, GREY, align=1)
    return sheet


def _crest(sheet: Sheet, x: float, y: float, radius: float) -> None:
    """An eight-pointed star with a wave in a round shield."""
    points = [
        (x + r * sin(i * pi / 16), y - r * cos(i * pi / 16))
        for i in range(32)
        for r in (radius if i % 4 == 0 else radius * (0.78 if i % 2 == 0 else 0.62),)
    ]
    sheet.polygon(points, BLACK)
    inner = radius * 0.52
    sheet.ellipse(x - inner, y - inner, 2 * inner, 2 * inner, WHITE)
    for row in (-1, 0, 1):
        wave = [
            (x + t * inner * 0.75, y + row * inner * 0.4 + 0.5 * sin(t * 7)) for t in (i / 12 - 1 for i in range(25))
        ]
        sheet.stroke(wave, BLACK, 0.45)
