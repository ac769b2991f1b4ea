"""Contact details in plain text that somebody typed: letters, titles, reasons.

Rule kept here: what a reader can read as a contact detail is one, whatever characters it is made of.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.contacts.kinds import RECOGNISERS
from tasks.contacts.public import is_public
from tasks.contacts.recogniser import Claim
from tasks.contacts.recognisers import term
from tasks.model import Kind
from tasks.request import Policy


@dataclass(frozen=True, slots=True)
class Span:
    """A contact detail in a plain text: `text[start:end]`."""

    start: int
    end: int
    kind: Kind


_ORDER = {kind: i for i, kind in enumerate((Kind.TERM, *(r.kind for r in RECOGNISERS)))}


def find_in_text(text: str, policy: Policy, terms: Sequence[str] = ()) -> tuple[Span, ...]:
    """Contact details in a text that was typed, not scanned (a request, a title).

    Args:
        text: any; its line feeds count as line ends.
        policy: what to withhold; its own terms count too.
        terms: further terms to find, e.g. the requester's names.

    Returns:
        Spans that do not overlap, in order.
    """
    wanted = tuple(dict.fromkeys((*policy.terms, *terms)))
    recognisers = (term.recogniser_for(wanted), *RECOGNISERS) if wanted else RECOGNISERS
    prepared, positions = _read_plainly(text)
    claims = [claim for recogniser in recognisers for claim in recogniser.claims(prepared)]
    kept: list[Claim] = []
    public: list[Claim] = []
    for claim in sorted(claims, key=lambda c: (_ORDER[c.kind], c.start - c.end, c.start)):
        if any(k.start <= claim.start and claim.end <= k.end for k in (*kept, *public)):
            continue
        (public if is_public(claim.kind, prepared[claim.start : claim.end], policy) else kept).append(claim)
    spans = [_span(claim, prepared, policy) for claim in kept if policy.withholds(claim.kind)]
    return _united(Span(positions[s.start], positions[s.end - 1] + 1, s.kind) for s in spans if s.end > s.start)


def _read_plainly(text: str) -> tuple[str, list[int]]:
    """A text as a reader sees it, and for each of its characters the index in `text` it came from.

    Full-width letters, digits of other scripts and exotic spaces become plain ones; characters that show nothing
    (soft hyphens, joiners, direction marks) are left out. Each of them would hide a number from a pattern and from
    nobody else.
    """
    plain: list[str] = []
    positions: list[int] = []
    for index, c in enumerate(text):
        if unicodedata.category(c) == "Cf":
            continue
        digit = unicodedata.digit(c, None)
        seen = _LAYOUT.get(c) or (str(digit) if digit is not None else unicodedata.normalize("NFKC", c))
        plain += seen
        positions += [index] * len(seen)
    return "".join(plain), positions


_LAYOUT = {"\r": " ", "\v": "\n", "\f": "\n", "\u2010": "-", "\u2011": "-", "\u2028": "\n", "\u2029": "\n"}


def _span(claim: Claim, text: str, policy: Policy) -> Span:
    """The claim widened to whole words, or cut at the at sign when domains stay."""
    start, end = claim.start, claim.end
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    sign = text.find("@", start, end)
    if claim.kind is Kind.EMAIL and policy.keep_email_domain and sign > start:
        end = sign
    return Span(start, end, claim.kind)


def _united(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Overlapping spans made one, named by the first."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if united and span.start < united[-1].end:
            last = united[-1]
            united[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            united.append(span)
    return tuple(united)


def withhold_in_text(text: str, policy: Policy, terms: Sequence[str] = (), label: str = "[withheld]") -> str:
    """A plain text with every contact detail replaced by `label`."""
    parts, at = [], 0
    for span in find_in_text(text, policy, terms):
        parts += [text[at : span.start], label]
        at = span.end
    return "".join([*parts, text[at:]])
