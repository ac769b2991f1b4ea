"""Pager and bleep numbers, known by their label: a telephone number, or three to seven digits.

Rule kept here: the label must stand directly before the digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.labels import labelled
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.contacts.recognisers import phone
from tasks.model import Kind

_VALUE = rf"(?P<value>[+(\[]{{0,2}}{phone.GLYPH}+(?:(?:{phone.SEPARATOR}|\n){phone.GLYPH}+){{0,9}})(?![A-Za-z0-9%])"


def _validate(match: re.Match[str]) -> Iterable[Found]:
    value, start = match.group("value"), match.start("value")
    found = next(iter(phone.windows(value, start)), None)
    if found is not None:
        yield found
        return
    first = re.match(rf"{phone.GLYPH}+", value)
    loose = phone.loose_digits(value)
    if loose is None:
        return
    end = first.end() if first and len(first.group()) >= 3 else loose[1]
    yield start + loose[0], start + max(end, loose[0] + 1), 0.9


_PAGED_ON = re.compile(rf"\b[Pp]age[ \n](?!\d)[^.;\n]{{0,40}}(?:\n[^.;\n]{{0,30}})?[ \n]on[ \n]{_VALUE}")

_TORN = labelled(Kind.PAGER, r"(?P<value>[0-9]{2,6}[ ][0-9]{1,2})(?![0-9A-Za-z%]|[ ]?[.,:/\-][0-9])")

RECOGNISER = Recogniser(
    Kind.PAGER,
    (
        Pattern("labelled", labelled(Kind.PAGER, _VALUE), 0.9, _validate),
        Pattern("torn", _TORN, 0.7),
        Pattern("paged-on", _PAGED_ON, 0.8, _validate),
    ),
)
