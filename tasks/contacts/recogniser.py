"""What a recogniser is: data (named patterns with scores, context words) and a `validate` that narrows or refuses.

Rule kept here: recognisers see text only, never geometry. Layout has already turned columns, tables and fields into
text in which a label precedes its value (see `tasks.contacts.layout` and `tasks.contacts.fields`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tasks.model import Kind


@dataclass(frozen=True, slots=True)
class Claim:
    """A place in a text that a recogniser takes for a contact detail.

    Attributes:
        start: first character.
        end: one past the last character.
        score: 0 to 1.
        name: recogniser and pattern, e.g. `email.spaced`.
    """

    kind: Kind
    start: int
    end: int
    score: float
    name: str


Found = tuple[int, int, float]
"""(start, end, factor on the pattern's score) of one value within a match's string."""

Validate = Callable[[re.Match[str]], Iterable[Found]]


def whole_value(match: re.Match[str]) -> Iterable[Found]:
    """The group `value`, or the whole match."""
    group = "value" if "value" in match.re.groupindex else 0
    yield match.start(group), match.end(group), 1.0


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way a value is written."""

    name: str
    regex: re.Pattern[str]
    score: float
    validate: Validate = whole_value


@dataclass(frozen=True, slots=True)
class Recogniser:
    """All ways of one kind, and the words that make one more likely when they stand before it."""

    kind: Kind
    patterns: tuple[Pattern, ...]
    context: re.Pattern[str] | None = field(default=None)
    context_chars: int = 40

    def claims(self, text: str) -> Iterator[Claim]:
        """Every value of this kind in a text."""
        for pattern in self.patterns:
            for match in pattern.regex.finditer(text):
                for start, end, factor in pattern.validate(match):
                    if end > start:
                        score = pattern.score * factor
                        if self.context and self.context.search(text, max(0, start - self.context_chars), start):
                            score = min(1.0, score + 0.15)
                        yield Claim(self.kind, start, end, round(score, 3), f"{self.kind.value}.{pattern.name}")
