"""Contact details of every kind, planted in a sentence and passed through the confusion model."""

from __future__ import annotations

import re
from collections.abc import Callable

from hypothesis import strategies as st

from tasks.contacts.confusion import DIGIT_LOOKALIKES, PAIRS
from tasks.contacts.find import find_contacts
from tasks.request import Policy
from tests.contacts.pages import lines_page
from tests.corpus.cast import Cast
from tests.corpus.marked import plain

LIKELY = 0.3
"""Cost up to which the model takes a confusion for common; what is dearer does not always survive (see the tests)."""

VALUES: dict[str, Callable[[Cast], str]] = {
    "email": lambda cast: cast.email(cast.person()),
    "email of a role": lambda cast: cast.email(),
    "email spelled out": lambda cast: cast.email(form="obfuscated"),
    "phone": lambda cast: cast.phone(),
    "mobile": lambda cast: cast.mobile(),
    "freephone": lambda cast: cast.freephone(),
    "american phone": lambda cast: cast.american(),
    "fax": lambda cast: cast.fax(),
    "extension": lambda cast: cast.extension(),
    "pager": lambda cast: cast.pager(),
    "radio": lambda cast: cast.radio(),
    "postcode": lambda cast: cast.postcode(),
    "address": lambda cast: cast.address(),
    "po box": lambda cast: cast.po_box(),
    "url": lambda cast: cast.url(),
    "handle": lambda cast: cast.handle(),
}
NOT_YET = {
    "email spelled out": re.compile(r" at (?!.* dot )"),
}
"""Forms that are not found whole; `test_properties` keeps an example of each."""

LABELS = {
    "fax": ("Fax:", "Facsimile", "fax no."),
    "extension": ("ext", "Ext.", "extension", "extn"),
    "pager": ("bleep", "pager"),
    "radio": ("ISSI", "Airwave", "Radio"),
    "american phone": ("Phone", "Tel"),
}
"""What has to stand before a value for anybody to know what it is."""

CARRIERS = (
    "the keeper of the lodge left word {} and went home",
    "please use {} in good time",
    "as agreed it is {} until the spring",
)


@st.composite
def readings(draw: st.DrawFn, what: str, glyphs: int = 0, spaces: int = 0) -> tuple[str, tuple[int, int]]:
    """A line as a reader might report it, and which of its words (start, end) are the value.

    Args:
        draw: given by Hypothesis.
        what: a key of `VALUES`.
        glyphs: at most so many of the value's glyphs are read for look-alikes.
        spaces: at most so many spaces are put into the value.
    """
    value = draw(
        st.integers(0, 5000)
        .map(lambda seed: plain(VALUES[what](Cast(seed))))
        .filter(lambda value: what not in NOT_YET or not NOT_YET[what].search(value))
    )
    for _ in range(draw(st.integers(0, glyphs))):
        value = draw(st.sampled_from(_misreadings(value)))
    for _ in range(draw(st.integers(0, spaces))):
        gap = draw(st.sampled_from(_gaps(value)))
        value = f"{value[:gap]} {value[gap:]}"
    value = " ".join(value.split())
    before, after = draw(st.sampled_from(CARRIERS)).split("{}")
    if what in LABELS:
        before += f"{draw(st.sampled_from(LABELS[what]))} "
    start = len(before.split())
    return f"{before}{value}{after}", (start, start + len(value.split()))


def uncovered(line: str, span: tuple[int, int]) -> list[str]:
    """The words of the value that no detection covers; a lone bracket or plus says nothing."""
    page = lines_page(line)
    regions = [region for detection in find_contacts(page, Policy()) for region in detection.regions]
    return [
        word.text
        for word in page.readings[0].words[slice(*span)]
        if any(map(str.isalnum, word.text))
        and sum(word.box.intersection(r).area for r in regions if r.meets(word.box)) < 0.9 * word.box.area
    ]


def _misreadings(value: str) -> list[str]:
    """Every way to read one glyph, or a pair of them, wrong; the last part of a domain is left as it is."""
    name, dot, last = value.rpartition(".") if "@" in value else (value, "", "")
    found = [name[:at] + wrong + name[at + 1 :] for at, glyph in enumerate(name) for wrong in LOOKALIKES.get(glyph, ())]
    for pair, single in PAIRS:
        found += [name[:at] + single + name[at + 2 :] for at in range(len(name)) if name[at : at + 2] == pair]
        found += [name[:at] + pair + name[at + 1 :] for at in range(len(name)) if name[at] == single]
    return [wrong + dot + last for wrong in found] or [value]


def _gaps(value: str) -> list[int]:
    """Where a reader puts a space: anywhere in a number, about the at sign and the dots of an address."""
    if "@" not in value:
        return list(range(1, len(value)))
    return [at + side for at, glyph in enumerate(value) if glyph in "@." for side in (0, 1)]


def _lookalikes() -> dict[str, str]:
    """Glyph -> those it is read for: the model's cheap confusions of digits, and letters of one class among them."""
    cheap = [
        (glyph, digit)
        for glyph, (digit, cost) in DIGIT_LOOKALIKES.items()
        if cost <= LIKELY and (glyph.isalnum() or glyph == "|")
    ]
    table: dict[str, set[str]] = {}
    for glyph, digit in cheap:
        for group in ([glyph, digit], [g for g, d in cheap if d == digit]):
            for one in group:
                table.setdefault(one, set()).update(set(group) - {one})
    return {glyph: "".join(sorted(others)) for glyph, others in table.items()}


LOOKALIKES = _lookalikes()
