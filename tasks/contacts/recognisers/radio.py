"""Radio terminal numbers (TETRA ISSI, seven or eight digits) and similar, known by their label.

Rule kept here: the label must stand directly before; six to eight digits, in one or two groups, which may be far apart
in justified text or on two lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.confusion import fold_digits, noisy_pattern
from tasks.contacts.labels import labelled
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

_DIGIT = r"[0-9OoQDIl|!iSsZzGgbqBATE]"
_VALUE = rf"(?P<value>{_DIGIT}{{2,8}}(?:[ \-–.,\t\n]{{1,3}}{_DIGIT}{{2,5}}){{0,2}}(?:[ ][0-9])?)(?![A-Za-z0-9/])"


def _validate(match: re.Match[str]) -> Iterable[Found]:
    groups = list(re.finditer(r"[^\s\-–.,]+", match.group("value")))
    start = match.start("value")
    best: Found | None = None
    for last in groups:
        digits, cost = fold_digits("".join(g.group() for g in groups if g.start() <= last.start()))
        if 4 <= len(digits) <= 8 and cost <= 0.3 * len(digits):
            factor = 1.0 if len(digits) >= 6 else 0.8
            torn = best is not None and len(last.group()) == 1  # one digit alone is the rest of the number
            if best is None or torn or best[2] < 1.0:
                best = (start, start + last.end(), factor)
    if best is not None:
        yield best


_BARE = re.compile(
    rf"(?<![A-Za-z0-9])(?:{'|'.join(map(noisy_pattern, ('radio', 'radios', 'callsign', 'talkgroup')))})[ :.#\-–]{{1,3}}"
    r"(?P<value>[0-9OIl|SB]{3,4}[ \-][0-9OIl|SB]{3,4}|[0-9OIl|SB]{6,8}(?:[ ][0-9])?)(?![A-Za-z0-9/%]|[.,:][0-9])"
)
"""`Radio` alone is a word of prose; before six digits or more it is a label."""

RECOGNISER = Recogniser(
    Kind.RADIO,
    (
        Pattern("labelled", labelled(Kind.RADIO, _VALUE), 0.9, _validate),
        Pattern("bare", _BARE, 0.8, _validate),
    ),
)
