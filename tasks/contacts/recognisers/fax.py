"""Fax numbers: telephone numbers that a fax label announces.

Rule kept here: what follows the label is judged as a telephone number is; fewer than six digits are
none (a page count).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.labels import labelled
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.contacts.recognisers import phone
from tasks.model import Kind

_VALUE = rf"(?P<value>[+(\[]{{0,2}}{phone.GLYPH}+(?:(?:{phone.SEPARATOR}|\n){phone.GLYPH}+){{0,9}})(?![A-Za-z0-9%])"
_FAXED_TO = re.compile(rf"[Ff]axe[ds][ ](?:to|on|at)[ \n]{_VALUE}")


def validate(match: re.Match[str]) -> Iterable[Found]:
    """The number behind the label; also one the plan does not know, when it has six digits or more."""
    value, start = match.group("value"), match.start("value")
    found = next(iter(phone.windows(value, start)), None)
    if found is not None:
        yield found
        return
    loose = phone.loose_digits(value)
    if loose is not None and loose[2] >= 6 and not re.match(r"\d{1,2}[:./]\d{2}(?!\d)", value):
        yield start + loose[0], start + loose[1], 0.7


RECOGNISER = Recogniser(
    Kind.FAX,
    (
        Pattern("labelled", labelled(Kind.FAX, _VALUE), 0.95, validate),
        Pattern("faxed-to", _FAXED_TO, 0.95, validate),
    ),
)
