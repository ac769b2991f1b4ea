"""UK postcodes, and BFPO numbers.

Rule kept here: the shape decides, not a list of areas; look-alikes are allowed at a price, and what is exactly a
registration mark (two letters, two digits, three letters) is none, unless its third group starts with an I, which
registration marks do not use.

Sources: Royal Mail, "PAF programmer's guide" (formats A9 9AA to AA9A 9AA); British Forces Post Office (`BFPO 1` to
`BFPO 9999`); DVLA INF104 (letters that marks do not use).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tasks.contacts.confusion import DIGIT_LOOKALIKES
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

_LETTER_LOOKALIKES = {
    "0": "O",
    "1": "I",
    "5": "S",
    "8": "B",
    "2": "Z",
    "6": "G",
    "|": "I",
    "4": "A",
    "]": "J",
    ")": "J",
}
_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9/&£.\-])(?=(?P<out>[A-Za-z0-9|]{2,4}|[A-Z]{1,2}[ ][0-9]{1,2})"
    r"(?P<gap>[ \t]{0,2}[.\n\-]?[ \t]?)(?P<in>[0-9OoIl|SsZBGAT][A-Za-z0-9|\])][A-Za-z0-9|\])])(?![A-Za-z0-9/\-]"
    r"|\.\d))"
)
_REGISTRATION = re.compile(r"[A-Za-z]{2}[0-9]{2}[ ]?[A-Za-z]{3}|[A-Za-z][0-9]{1,3}[ ]?[A-Za-z]{3}")
_LONE_AREAS = frozenset("BEGLMNSWZX")
"""Areas of one letter (and two that do not exist, for examples); others need a gap to tell them from other codes."""
BFPO = re.compile(r"(?<![A-Za-z])(?P<value>B[.]?F[.]?P[.]?[O0][.]?[ \n]?(?:[Bb]ox[ ])?[0-9OIl]{1,4})(?![0-9A-Za-z])")


def _letters(text: str) -> float:
    """What it costs to read `text` as letters; 9 when it cannot be."""
    return sum(0.0 if c.isalpha() else 0.4 if c in "|])" else 0.6 if c in _LETTER_LOOKALIKES else 9.0 for c in text)


def _digits(text: str) -> float:
    return sum(0.0 if c.isdigit() else DIGIT_LOOKALIKES[c][1] + 0.2 if c in DIGIT_LOOKALIKES else 9.0 for c in text)


def price(outward: str, inward: str) -> float:
    """What it costs to read the two halves as a postcode; 0 is a clean one."""
    outward = outward.replace(" ", "")
    best = 9.0
    for shape in ("A9", "A99", "AA9", "AA99", "A9A", "AA9A"):
        if len(shape) == len(outward):
            cost = sum(_letters(c) if kind == "A" else _digits(c) for c, kind in zip(outward, shape, strict=True))
            best = min(best, cost)
    if not outward[0].isalpha():
        best += 0.4  # nearly every collar number starts with a digit, no postcode does
    return best + _digits(inward[0]) + _letters(inward[1:])


def candidates(text: str, limit: float) -> Iterator[tuple[int, int, float]]:
    """(start, end, price) of everything in `text` that reads as a postcode at no more than `limit`."""
    for match in _CANDIDATE.finditer(text):
        outward, inward, gap = match.group("out"), match.group("in"), match.group("gap")
        cost = price(outward, inward)
        whole = f"{outward}{inward}"
        if _REGISTRATION.fullmatch(whole) and inward[0] not in "0123456789Iil|":
            cost += 0.5 if inward[0] in "Oo" else 0.8
        if not re.search(r"[ \n.\-]", gap):
            cost += 0.3 if outward[1].isalpha() or outward[0].upper() in _LONE_AREAS else 0.8
        letters = re.sub(r"[^A-Za-z]", "", outward + inward)
        if not letters.isupper():
            cost += 0.2 if letters.islower() and cost == 0 else 0.5
        if re.match(r"[ ]", text[match.end("out") :]) is None and "\n" in gap:
            cost += 0.2
        if cost <= limit:
            yield match.start("out"), match.end("in"), cost


def _validate(match: re.Match[str]) -> Iterable[Found]:
    for start, end, cost in candidates(match.group(), 0.75):
        yield match.start() + start, match.start() + end, 1.0 - 0.4 * cost


RECOGNISER = Recogniser(
    Kind.POSTCODE,
    (
        Pattern("shape", re.compile(r"[\s\S]+"), 0.9, _validate),
        Pattern("bfpo", BFPO, 0.95),
    ),
)
