"""The content streams: one image, one invisible text block, nothing else; both are marked for `tags`.

Rule kept here: operators are allowed by name; which finding an unknown one raises follows from what it does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, page_check
from tasks.redaction.gate.output import PageView

OPERATORS: dict[str, str] = {
    operator: code
    for code, operators in {
        "": "q Q cm Do BT ET Tf Tr Tm Tj BMC BDC EMC",
        "A04": "CS cs SC SCN sc scn G g RG rg K k Tc Tw Tz TL Ts Td TD T* TJ ' \"",
        "A08": "m l c v y h re S s f F f* B B* b b* n W W* sh w J j M d",
        "A17": "MP DP",
        "A23": "gs",
    }.items()
    for operator in operators.split()
}
"""The finding each operator raises, "" for those that are allowed; one that is not here raises A06."""

STRING = re.compile(rb"<[0-9A-Fa-f\s]*>|\((?:\\.|[^\\()])*\)", re.DOTALL)

MARKING = ("BMC", "BDC", "EMC")

ONCE = {"Do": "A06", "BT": "A06", "ET": "A06", "cm": "A06", "q": "A06", "Q": "A06", "Tf": "A04", "Tr": "A04"}
"""Operators a page has once, and the finding when it has another number of them."""


@page_check("A04", "A06", "A08", "A15", "A17", "A23")
def has_only_known_operators(view: PageView) -> Iterator[Finding]:
    """The image is drawn once, then one block of invisible text follows."""
    codes: set[str] = set()
    count: Counter[str] = Counter()
    for instruction in view.instructions:
        operator = str(instruction.operator)
        count[operator] += 1
        if operator == "Tr" and int(instruction.operands[0]) != 3:
            codes.add("A04")
        code = OPERATORS.get(operator, "A06")
        if operator in ("BDC", "BMC", "DP", "MP") and str(instruction.operands[0]) == "/OC":
            code = "A15"
        codes.add(code)
    codes.discard("")
    order = [str(i.operator) for i in view.instructions if str(i.operator) not in MARKING]
    codes |= {code for operator, code in ONCE.items() if count[operator] != 1 and not codes & {code, "A08"}}
    # Each word is placed once and shown: a place without a word could be a number that nobody sees.
    words = ["Tm", "Tj"] * ((len(order) - 8) // 2)
    if not codes and order != ["q", "cm", "Do", "Q", "BT", "Tf", "Tr", *words, "ET"]:
        codes.add("A06")
    for code in sorted(codes):
        yield Finding(code, view.number, None, f"The page holds {FAULTS[code]}.")


@page_check("A19")
def has_no_comment(view: PageView) -> Iterator[Finding]:
    """A comment is in nobody's text and on nobody's page."""
    if b"%" in STRING.sub(b"", view.object.Contents.read_bytes()):
        yield Finding("A19", view.number, None, "The page's content holds a comment.")
