"""The second sweep: a value found once is sought everywhere else, plain and through noise.

Rule kept here: only values long enough to mean one thing are sought, and a short number never matches inside a longer
one. Three forms are compared: digits with look-alikes folded, skeletons, and for long values either within a bounded
edit distance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

from tasks.contacts.confusion import DIGIT_LOOKALIKES, skeleton, skeleton_with_positions
from tasks.contacts.public import number_form
from tasks.contacts.recognisers import phone
from tasks.model import Detection, Kind

_NUMBERS = frozenset({Kind.PHONE, Kind.FAX, Kind.PAGER, Kind.RADIO, Kind.EXTENSION})
_TEXTS = frozenset({Kind.EMAIL, Kind.URL, Kind.HANDLE, Kind.TERM})
_LEAST_DIGITS = 6
_LEAST_EXTENSION = 5
"""An extension this long, once found, names one telephone of the authority wherever it stands alone."""
_LEAST_GLYPHS = 8
_SEPARATORS = frozenset(" \t\n-–—.,()/·'’:_[]+")


@dataclass(frozen=True, slots=True)
class SoughtValue:
    """A value to look for.

    Attributes:
        form: its digits, or its skeleton.
        digits: whether `form` is digits.
        errors: how many edits a match may be away.
    """

    kind: Kind
    form: str = field(repr=False)
    digits: bool
    errors: int


def sought_values(found: Iterable[Detection]) -> tuple[SoughtValue, ...]:
    """What is worth seeking of the values found, each once, the longest first."""
    values: set[SoughtValue] = set()
    for detection in found:
        if detection.kind in _NUMBERS:
            values.update(_numbers(detection))
        elif detection.kind in _TEXTS:
            form = skeleton(detection.text.strip(" .,;:()<>[]"))
            if len(form) >= _LEAST_GLYPHS and (detection.kind is Kind.TERM or re.search(r"[@./_\-]", form)):
                values.add(
                    SoughtValue(detection.kind, form, False, 2 if len(form) >= 18 else 1 if len(form) >= 12 else 0)
                )
        elif detection.kind is Kind.ADDRESS:
            values.update(_address_parts(detection))
    return tuple(sorted(values, key=lambda v: (-len(v.form), v.form, v.kind)))


def _numbers(detection: Detection) -> Iterator[SoughtValue]:
    pieces = [detection.text[a:b] for a, b, _ in phone.windows(detection.text, 0)] or [detection.text]
    for piece in pieces:
        form = number_form(piece)
        least = _LEAST_EXTENSION if detection.kind is Kind.EXTENSION else _LEAST_DIGITS
        if least <= len(form) <= 15 and len(set(form)) > 2:
            yield SoughtValue(detection.kind, form, True, 1 if len(form) >= 10 else 0)
            if len(form) == 11 and form[0] == "0":
                yield SoughtValue(detection.kind, "44" + form[1:], True, 1)


def _address_parts(detection: Detection) -> Iterator[SoughtValue]:
    """Lines of an address that mean one place by themselves: a number and a street."""
    for part in re.split(r"[,\n·•|;]", detection.text):
        form = skeleton(part)
        if len(form) >= 12 and re.match(r"\s*\d", part):
            yield SoughtValue(Kind.ADDRESS, form, False, 1)


def _digit_stream(text: str) -> tuple[str, list[int]]:
    """Digits with look-alikes folded and separators dropped; anything else is a `#` that no number crosses."""
    out: list[str] = []
    positions: list[int] = []
    for index, c in enumerate(text):
        if c in _SEPARATORS:
            continue
        folded = c if "0" <= c <= "9" else DIGIT_LOOKALIKES.get(c, ("#", 0.0))[0]
        if folded == "#" and out and out[-1] == "#":
            continue
        out.append(folded)
        positions.append(index)
    return "".join(out), positions


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text in the forms that values are compared in."""

    text: str = field(repr=False)
    digits: str = field(repr=False)
    digit_positions: tuple[int, ...] = field(repr=False)
    glyphs: str = field(repr=False)
    glyph_positions: tuple[int, ...] = field(repr=False)


def fold(text: str) -> FoldedText:
    """All forms of a text, made once."""
    digits, digit_positions = _digit_stream(text)
    glyphs, glyph_positions = skeleton_with_positions(text)
    return FoldedText(text, digits, tuple(digit_positions), glyphs, glyph_positions)


def places_of(value: SoughtValue, folded: FoldedText) -> Iterator[tuple[int, int]]:
    """(start, end) in the text of every place that holds the value."""
    stream, positions = (
        (folded.digits, folded.digit_positions) if value.digits else (folded.glyphs, folded.glyph_positions)
    )
    for first, last in _matches(value.form, stream, value.errors):
        start, end = positions[first], positions[last - 1] + 1
        if last - first != len(value.form) or stream[first:last] != value.form:
            whole_words = not folded.text[start - 1 : start].isalnum() and not folded.text[end : end + 1].isalnum()
            if not whole_words or "\t" in folded.text[start:end] or ("@" in value.form) != ("@" in stream[first:last]):
                continue
        if value.digits:
            piece = folded.text[start:end]
            real = sum(c.isdigit() for c in piece)
            if real < 0.6 * len(value.form) or piece.count("\n") > 1 or _inside_longer_number(folded.text, start, end):
                continue
        yield start, end


def _inside_longer_number(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start].isalnum() or text[end : end + 1].isdigit()


def _matches(form: str, stream: str, errors: int) -> Iterator[tuple[int, int]]:
    """(first, last) of every stretch of `stream` at most `errors` edits from `form`.

    With k edits at least one of k + 1 pieces of the form is untouched, so only places of a piece are compared.
    """
    size = len(form)
    seen: set[int] = set()
    pieces = errors + 1
    for n in range(pieces):
        begin, stop = size * n // pieces, size * (n + 1) // pieces
        piece = form[begin:stop]
        at = stream.find(piece)
        while at >= 0:
            first = at - begin
            if first not in seen:
                seen.add(first)
                match = _best_stretch(form, stream, first, errors)
                if match is not None:
                    yield match
            at = stream.find(piece, at + 1)


def _best_stretch(form: str, stream: str, first: int, errors: int) -> tuple[int, int] | None:
    size = len(form)
    best: tuple[int, int, int] | None = None
    if first >= 0 and stream.startswith(form, first):
        return first, first + size
    for a in range(max(0, first - errors), first + errors + 1) if errors else ():
        for b in range(a + size - errors, min(len(stream), a + size + errors) + 1):
            # Both ends must hold, lest a neighbour's glyph be taken in for one that is missing.
            if stream[a] != form[0] or stream[b - 1] != form[-1]:
                continue
            away = Levenshtein.distance(form, stream[a:b], score_cutoff=errors)
            if away <= errors and (best is None or away < best[0]):
                best = (away, a, b)
    return None if best is None else (best[1], best[2])
