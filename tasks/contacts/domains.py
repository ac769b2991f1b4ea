"""Addresses at a domain that the request is known to hold, read so badly that nothing else gives them away.

Rule kept here: an organisation's name stands in prose as well (`the Capital Police`), so a garbled domain alone says
nothing. It counts only when something is stuck to its front, as a local part is, and when it goes on to its last
label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz

from tasks.contacts.confusion import skeleton, skeleton_with_positions
from tasks.contacts.hosts import host_score
from tasks.model import Detection, Kind

LEAST_GLYPHS = 10
"""A shorter domain is found in too much else."""

ALIKE = 70.0
"""Least likeness of a place to a domain, 0 to 100: `capatai pun pohe uk` is 75 to `capital.pnn.police.uk`."""

STUCK = 4
"""Letters and digits of a domain that stand in one token with the end of the local part."""

_UNBROKEN, _UNBROKEN_BEFORE = re.compile(r"\S*"), re.compile(r"\S*$")
_AT_THE_END = re.compile(r"[@©®][ ]?([A-Za-z0-9.\-]+)\s*$")


def known_domains(found: Iterable[Detection]) -> tuple[str, ...]:
    """The domains of surely read e-mail addresses, without dots and with look-alikes folded; the longest first."""
    domains = set()
    for detection in found:
        match = _AT_THE_END.search(detection.text) if detection.kind is Kind.EMAIL else None
        if match and detection.score >= 0.9 and host_score(match.group(1)) >= 1.0:
            domains.add(_compact(match.group(1))[0])
    return tuple(sorted((d for d in domains if len(d) >= LEAST_GLYPHS), key=lambda d: (-len(d), d)))


def places_of_addresses(domains: Sequence[str], text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every place in a text of lines and cells that looks like an address at one of the domains."""
    cells = [(m.start(), m.end()) for m in re.finditer(r"[^\n\t]+", text)]
    for (start, end), after in zip(cells, [*cells[1:], None], strict=True):
        place = _address_in(domains, text, start, end)
        if place is None and after is not None and text[end : after[0]] == "\n":
            place = _address_in(domains, text, start, after[1])
        if place and place[0] < end:
            yield place


def _address_in(domains: Sequence[str], text: str, start: int, stop: int) -> tuple[int, int] | None:
    glyphs, positions = _compact(text[start:stop])
    for domain in domains:
        found = fuzz.partial_ratio_alignment(domain, glyphs, score_cutoff=ALIKE)
        if found is None or found.dest_end - found.dest_start < 0.75 * len(domain):
            continue
        first = start + positions[found.dest_start]
        last = _end_of_domain(domain, text, [start + p for p in positions[found.dest_start : found.dest_end]])
        begin = first - len(_UNBROKEN_BEFORE.search(text[start:first]).group())  # type: ignore[union-attr]
        stuck = len(re.sub(r"\W", "", _UNBROKEN.match(text, first).group()))  # type: ignore[union-attr]
        if stuck >= STUCK and sum(c.isalnum() for c in text[begin:first]) >= 2 and last:
            return begin, last
    return None


def _end_of_domain(domain: str, text: str, positions: Sequence[int]) -> int:
    """Where a match ends, which may have run on into the next word; 0 when it does not reach the last label."""
    for at in range(len(positions) - 1, len(positions) - 5, -1):
        if not text[positions[at] + 1 : positions[at] + 2].isalnum() and skeleton(text[positions[at]]) == domain[-1]:
            return positions[at] + 1
    return 0


def _compact(text: str) -> tuple[str, tuple[int, ...]]:
    """The skeleton's letters and digits, and where each stands."""
    glyphs, positions = skeleton_with_positions(text)
    kept = [(g, p) for g, p in zip(glyphs, positions, strict=True) if g.isalnum()]
    return "".join(g for g, _ in kept), tuple(p for _, p in kept)
