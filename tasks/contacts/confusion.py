"""One model of what a scan does to characters, used by every recogniser.

Rule kept here: a confusion is a row of a table with a cost, never a special case in a pattern. Costs are in units of
one wholly wrong character: 0.2 for glyphs that many typefaces do not even tell apart, up to 0.8 for a rare slip.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

DIGIT_LOOKALIKES: dict[str, tuple[str, float]] = {
    **dict.fromkeys("Oo", ("0", 0.2)),
    **dict.fromkeys("QDU°", ("0", 0.5)),
    **dict.fromkeys("lI|", ("1", 0.2)),
    **dict.fromkeys("i!][", ("1", 0.5)),
    **dict.fromkeys("jtL", ("1", 0.6)),
    **dict.fromkeys("Zz", ("2", 0.4)),
    **dict.fromkeys("E", ("3", 0.6)),
    **dict.fromkeys("A", ("4", 0.6)),
    **dict.fromkeys("S", ("5", 0.3)),
    **dict.fromkeys("s$§", ("5", 0.4)),
    **dict.fromkeys("Gb", ("6", 0.4)),
    **dict.fromkeys("T?", ("7", 0.6)),
    **dict.fromkeys("B&", ("8", 0.3)),
    **dict.fromkeys("gq", ("9", 0.5)),
}
"""Character -> (the digit it is read for, cost)."""

LETTER_GROUPS: tuple[tuple[str, str], ...] = (
    ("o", "oO0°"),
    ("l", "lI1|i!jJ[]"),
    ("s", "sS5$§"),
    ("b", "bB8&"),
    ("z", "zZ2"),
    ("g", "gG69q"),
    ("e", "eEc¢€"),
    ("u", "uUvVyY"),
    (".", ".,·•:;'`‘’"),
    ("-", "-–—‒−_~=¬"),
    ("@", "@©®"),
)
"""Glyphs that one class may stand for; the first member names the class in a skeleton."""

PAIRS: tuple[tuple[str, str], ...] = (("rn", "m"), ("vv", "w"), ("ii", "u"), ("cl", "d"), ("nn", "m"))
"""Two letters a reader takes for one."""


_CLASS = {member: name for name, members in LETTER_GROUPS for member in members}


@cache
def _glyph_class(c: str) -> str:
    lower = c.lower()
    return _CLASS.get(c) or _CLASS.get(lower, lower)


_PAIR_FOLD = {"".join(_CLASS.get(c, c) for c in pair): _CLASS.get(single, single) for pair, single in PAIRS}


def fold_digits(text: str) -> tuple[str, float]:
    """The digits `text` may stand for, and what believing it costs.

    Characters that look like no digit are left out at cost 1 each, except separators, which are free.
    """
    digits, cost = [], 0.0
    for c in text:
        if "0" <= c <= "9":
            digits.append(c)
        elif c in DIGIT_LOOKALIKES:
            digit, price = DIGIT_LOOKALIKES[c]
            digits.append(digit)
            cost += price
        elif c.isalnum():
            cost += 1.0
    return "".join(digits), cost


@lru_cache(maxsize=65536)
def skeleton(text: str) -> str:
    """What is left of `text` when all glyphs of a class are one and spaces are gone; equal for confusable texts."""
    return skeleton_with_positions(text)[0]


def skeleton_with_positions(text: str) -> tuple[str, tuple[int, ...]]:
    """The skeleton, and for each of its characters the index in `text` of the glyph it came from."""
    glyphs: list[str] = []
    positions: list[int] = []
    for index, c in enumerate(text):
        if c.isspace():
            continue
        folded = _glyph_class(c)
        if glyphs and (single := _PAIR_FOLD.get(glyphs[-1] + folded)) is not None:
            glyphs[-1] = single
            continue
        glyphs.append(folded)
        positions.append(index)
    return "".join(glyphs), tuple(positions)


@cache
def substitution_cost(a: str, b: str) -> float:
    """What it costs to have read `b` for `a`: 0 when equal, 0.3 within a class, else 1."""
    if a == b or a.lower() == b.lower():
        return 0.0
    if a in _CLASS and _CLASS[a] == _CLASS.get(b):
        return 0.3
    digit = DIGIT_LOOKALIKES.get(a, ("", 0.0))[0]
    other = DIGIT_LOOKALIKES.get(b, ("", 0.0))[0]
    if (digit and digit in (b, other)) or (other and other == a):
        return 0.3
    return 1.0


def _paired(text: str, end: int) -> str | None:
    """The one glyph for which the two before `end` may be read."""
    return _PAIRED.get(text[end - 2 : end].lower()) if end > 1 else None


def distance(a: str, b: str, limit: float = 99.0) -> float:
    """Edit distance whose substitutions cost what the confusion costs; a pair read as one glyph costs 0.5.

    Returns a value above `limit` as soon as the distance is known to exceed it.
    """
    if 0.5 * abs(len(a) - len(b)) > limit:  # every character more costs at least that
        return limit + 1
    before: list[float] = []
    previous = [float(j) for j in range(len(b) + 1)]
    columns = [(y, y.lower(), _paired(b, j)) for j, y in enumerate(b, 1)]
    for i, x in enumerate(a, 1):
        best, low, paired = float(i), x.lower(), _paired(a, i)
        current = [best]
        for j, (y, low_y, paired_y) in enumerate(columns, 1):
            best = min(previous[j] + 1, best + 1, previous[j - 1] + substitution_cost(x, y))
            if paired and paired == low_y:
                best = min(best, before[j - 1] + 0.5)
            if paired_y and paired_y == low:
                best = min(best, previous[j - 2] + 0.5)
            current.append(best)
        if min(current) > limit and min(previous) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]


_PAIRED = dict(PAIRS)
_NOISY_LETTER = {
    "a": "aA@4",
    "b": "bB8",
    "c": "cCe(",
    "d": "dD",
    "e": "eEc€",
    "f": "fF",
    "g": "gG9q",
    "h": "hH",
    "i": "iI1l|!íjt]([",
    "l": "lLI1|i!",
    "m": "mM",
    "n": "nN",
    "o": "oO0",
    "q": "qQg9",
    "r": "rR",
    "s": "sS5$",
    "t": "tTf",
    "u": "uUv",
    "w": "wW",
    "z": "zZ2",
}


_NOISY_SIGN = dict.fromkeys("'’‘`´", "'’‘`´") | dict.fromkeys("-‐‑–—", "-‐‑–—")
_SPELT_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ß": "ss"}
_ACCENT = r"[\u0300-\u036f]?"


def _base(letter: str) -> str:
    """The letter without its accents."""
    return unicodedata.normalize("NFKD", letter)[0]


def _accented() -> dict[str, str]:
    """Letter -> its accented forms in Latin script, either case."""
    forms: dict[str, str] = {}
    for c in map(chr, range(0xC0, 0x250)):
        if _base(c) != c:
            forms[_base(c).lower()] = forms.get(_base(c).lower(), "") + c
    return forms


_ACCENTED = _accented()


@lru_cache(maxsize=4096)
def noisy_pattern(word: str) -> str:
    """A regular expression for a word in lower case as a scan may show it.

    Any case, look-alikes, with or without
    accents, rn for m; a space for `_`.
    """
    out = []
    for c in word:
        if c == "_":
            out.append(r"[ \t.\-–—]{0,3}")
            continue
        plain = _base(c)
        known = _NOISY_LETTER.get(plain, "") + _ACCENTED.get(plain, "") + _NOISY_SIGN.get(c, "")
        members = dict.fromkeys(c + plain + known + (plain.upper() + c.upper() if len(c.upper()) == 1 else ""))
        single = "[" + "".join(map(re.escape, members)) + "]" + (_ACCENT if plain.isalpha() else "")
        pairs = [pair for pair, one in PAIRS if one == c]
        if c in _SPELT_OUT:
            pairs.append(f"(?i:{_SPELT_OUT[c]})")
        out.append("(?:" + "|".join([single, *pairs]) + ")" if pairs else single)
    return "".join(out)
