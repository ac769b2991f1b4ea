"""Text as it may stand in a header, a list or a table: nothing in it turns the text around it or runs.

Rule kept here: what a person reads is in the order in which it is stored.
"""

from __future__ import annotations

import re

DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of the text around it (Unicode, UAX 9)."""

_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_BLANK = (
    r"\s'\"\x00-\x1f\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)
"""What is not seen, or what spreadsheets pass over before a formula."""
_STARTS = re.compile(f"(^|[;|\t])(?=[{_BLANK}]*[{_FORMULA}])")


def one_line(text: str) -> str:
    """The text in one line and in its own direction."""
    return DIRECTION.sub("", " ".join(text.split()))


def safe_cell(value: object) -> str:
    """A cell no spreadsheet runs, whichever separator it takes: an apostrophe before anything that starts a formula."""
    text = DIRECTION.sub("", str(value).replace("\0", " "))
    return " ".join(" ".join(_STARTS.sub(r"\1'", text).splitlines()).split("\t"))
