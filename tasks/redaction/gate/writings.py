"""How formats write a text: with escapes, between tags, in base 64. A value is sought in what is meant, not in how.

Rule kept here: the text as it stands is always among what is given back, whatever else it may mean.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from urllib.parse import unquote

INLINE = re.compile(r"</?(?:a|abbr|b|bdi|code|em|i|mark|q|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]{0,2000})?/?>")
TAG = re.compile(r"<[^<>]{0,2000}>")
ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\([\"\\/])")
QUOTED = re.compile(r"=(?:([0-9A-F]{2})|\r?\n)")
CODED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")

DEPTH = 2
"""How often a text may be wrapped in base 64: the payload of an envelope, and once more."""


def writings_of(text: str) -> set[str]:
    """The text, what is meant by it, and what is wrapped in either."""
    found: set[str] = set()
    last = {text}
    for _ in range(DEPTH + 1):
        last |= {_meant(each) for each in last}
        found |= last
        last = {inner for each in last if (inner := _unwrapped(each))} - found
    return found


def _meant(text: str) -> str:
    """The text without tags, escapes and what nobody sees."""
    if "\\" in text:
        text = ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], text)
    if "<" in text:
        text = TAG.sub(" ; ", INLINE.sub("", text))
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = unquote(text)
    if QUOTED.search(text):
        text = QUOTED.sub(lambda m: bytes.fromhex(m[1] or "").decode("latin-1"), text)
    return INVISIBLE.sub("", text)


def _unwrapped(text: str) -> str:
    """What the runs of base 64 in a text say, one a line."""
    return "\n".join(meant for run in CODED.findall(text) if (meant := _decoded(run)))


def _decoded(run: str) -> str:
    """What a run of base 64 says, "" when it says nothing that is text."""
    plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return ""
    text = data.decode("utf-8", "ignore")
    return text if sum(c.isprintable() or c.isspace() for c in text) >= 0.9 * len(data) else ""
