"""Words laid out as text, and the way back from every character to its word.

Rule kept here: nothing is lost. The text holds every character of every word in order, parted only by layout
characters, each of which says what the page shows: a space between neighbours, a tab at a gap a column could end at,
a line feed at the end of a line. A recogniser decides which of these its values may cross.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tasks.contacts.kinds import RECOGNISERS
from tasks.contacts.public import is_public
from tasks.contacts.recogniser import Claim
from tasks.contacts.recognisers import term
from tasks.model import Kind, Word
from tasks.request import Policy

NO_WORD = -1
"""Owner of a layout character."""

COLUMN_GAP = 1.3
"""Gap between words, in line heights, from which on it is written as a tab."""


@dataclass(frozen=True, slots=True)
class LineText:
    """One or more lines of words as text.

    Attributes:
        text: the words with layout characters between them.
        owner: for each character the index of its word in `words`, or `NO_WORD`.
        words: in reading order.
    """

    text: str = field(repr=False)
    owner: tuple[int, ...] = field(repr=False)
    words: tuple[Word, ...] = field(repr=False)

    def words_of(self, start: int, end: int) -> tuple[int, ...]:
        """Indices of the words that have a character in `text[start:end]`, in order."""
        return tuple(sorted({i for i in self.owner[start:end] if i != NO_WORD}))

    def span_of(self, index: int) -> tuple[int, int]:
        """(start, end) of the text of word `index`."""
        start = self.owner.index(index)
        return start, start + len(self.words[index].text)


def line_height(words: Sequence[Word]) -> float:
    """Typical height of the words of a line, px: the upper middle, so that a dash or a dot does not count."""
    heights = sorted(w.box.height for w in words)
    return float(max(1, heights[(2 * len(heights)) // 3])) if heights else 1.0


def text_of_lines(lines: Iterable[Sequence[Word]], spread: Iterable[bool] | None = None) -> LineText:
    """The text of visual lines, each a sequence of words from left to right.

    Args:
        lines: top to bottom.
        spread: for each line whether it is justified text, whose wide gaps are no columns; default is no line.
    """
    parts: list[str] = []
    owner: list[int] = []
    words: list[Word] = []
    for line, justified in zip_longest(lines, spread or (), fillvalue=False):
        assert not isinstance(line, bool)  # noqa: S101  there is no flag without a line
        height = line_height(line)
        for position, word in enumerate(line):
            if words:
                gap = word.box.x0 - words[-1].box.x1
                parts.append("\n" if position == 0 else "\t" if gap > COLUMN_GAP * height and not justified else " ")
                owner.append(NO_WORD)
            parts.append(word.text)
            owner.extend([len(words)] * len(word.text))
            words.append(word)
    return LineText("".join(parts), tuple(owner), tuple(words))


# ------------------------------------------------------------------------------------------------ plain text


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
    prepared = text.translate(_PLAIN)
    claims = [claim for recogniser in recognisers for claim in recogniser.claims(prepared)]
    kept: list[Claim] = []
    public: list[Claim] = []
    for claim in sorted(claims, key=lambda c: (_ORDER[c.kind], c.start - c.end, c.start)):
        if any(k.start <= claim.start and claim.end <= k.end for k in (*kept, *public)):
            continue
        (public if is_public(claim.kind, prepared[claim.start : claim.end], policy) else kept).append(claim)
    spans = [_span(claim, prepared, policy) for claim in kept if policy.withholds(claim.kind)]
    return _united(s for s in spans if s.end > s.start)


_PLAIN = str.maketrans(
    {"\r": " ", "\u00a0": " ", "\u2007": " ", "\u202f": " ", "\u200b": " ", "\u2011": "-", "\v": "\n", "\f": "\n"}
)


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
