"""Labels and the values they govern, wherever these stand: behind, to the right, below, or down a table's column.

Rule kept here: a label with a value that nobody could read still marks the value. What stands in such a field is taken
for the value unless it is plainly something else: prose, another label, or a word that says there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tasks.contacts.confusion import fold_digits
from tasks.contacts.labels import is_label, is_other_label, label_kind
from tasks.contacts.layout import Layout, Segment, segment_of, split_at_gaps
from tasks.contacts.text import line_height
from tasks.geometry import same_row
from tasks.model import Kind, Word

NUMBER_KINDS = frozenset({Kind.PHONE, Kind.FAX, Kind.PAGER, Kind.RADIO, Kind.EXTENSION})
SURE_CONFIDENCE = 75.0
"""From this confidence on a reader's plain word is taken for one."""

_NOTHING = re.compile(
    r"(?i)\W*(?:n/?a|none|nil|not known|not applicable|unknown|tbc|tba|see (?:above|below|over)|as above|withheld"
    r"|redacted|yes|no)\W*"
)
_HEAD_GAP = 0.8
"""Gap, in line heights, that parts the heads of a table: narrow columns leave little more than a space."""
_COLUMN_BREAK = 4.0
"""Gap, in line heights, that ends a table's column."""


@dataclass(frozen=True, slots=True)
class ValueField:
    """A label and what it governs.

    Attributes:
        label: words of the label.
        lines: words of the value, line by line.
        sure: the layout itself says this is a value (own cell, or behind a colon).
    """

    kind: Kind
    label: tuple[Word, ...] = field(repr=False)
    lines: tuple[tuple[Word, ...], ...] = field(repr=False)
    sure: bool = True


def is_plain_word(word: Word) -> bool:
    """Whether a word is legible prose."""
    bare = word.text.strip(".,;:!?()[]'\"’‘“”")
    if not bare or word.confidence < SURE_CONFIDENCE:
        return False
    if not re.fullmatch(r"[A-Za-z]+(?:['’\-][A-Za-z]+)*", bare):
        return False
    return len(bare) <= 2 or (
        bool(re.search(r"[aeiouyAEIOUY]", bare)) and (bare.islower() or bare.istitle() or bare.isupper())
    )


def is_number_like(text: str) -> bool:
    """Whether a token could be part of a number, look-alikes folded."""
    bare = text.strip(".,;:()[]/-–—+'\"|")
    if not bare:
        return bool(re.fullmatch(r"[+()\[\]/\-–—|.]+", text))
    if re.match(r"[A-Z]{2,5}[\-–/]\d", bare) and fold_digits(re.split(r"[\-–/]", bare)[0])[1] >= 1.0:
        return False  # a code such as a serial number's
    digits, cost = fold_digits(bare)
    return bool(digits) and any(c.isdigit() for c in bare) and cost <= 0.5 * max(1, len(digits))


def _leading_label(words: Sequence[Word]) -> tuple[Kind, int] | None:
    """The label that `words` start with, and how many words it takes."""
    best = _clipped_label(words)
    for n in range(1, min(5, len(words)) + 1):
        text = " ".join(w.text for w in words[:n])
        kind = label_kind(text)
        if kind is not None:
            best = (kind, n)
        if text.rstrip().endswith(":"):
            break
    return best


def _clipped_label(words: Sequence[Word]) -> tuple[Kind, int] | None:
    """A label whose first glyph a rule or a fold has spoilt (`axt 730868`, `tloc 3rd Floor`), by what follows it."""
    if len(words) < 2 or not 2 <= len(words[0].text) <= 10 or not words[0].text[0].isalpha():
        return None
    text = words[0].text
    for tail in (text, text[1:], text[2:]):
        for kind, ends in _CLIPPED.items():
            if tail.lower().rstrip(".:") in ends and _looks_like(kind, words[1:]):
                return kind, 1
    return None


_CLIPPED: dict[Kind, frozenset[str]] = {
    Kind.EXTENSION: frozenset({"xt", "xtn", "nternal", "xtension"}),
    Kind.PHONE: frozenset({"el", "ob", "elephone", "hone", "obile", "irect"}),
    Kind.FAX: frozenset({"ax", "acsimile"}),
    Kind.RADIO: frozenset({"ssi"}),
    Kind.EMAIL: frozenset({"mail", "-mail", "ailbox"}),
    Kind.ADDRESS: frozenset({"oc", "ddress", "ocation"}),
    Kind.HANDLE: frozenset({"eams", "kype"}),
}
"""What is left of common labels without their first letter."""


def _looks_like(kind: Kind, words: Sequence[Word]) -> bool:
    text = " ".join(w.text for w in words)
    if kind in NUMBER_KINDS:
        return all(is_number_like(w.text) for w in words) and sum(c.isdigit() for c in text) >= 3
    if kind is Kind.ADDRESS:
        return bool(re.match(r"[\W\d]|[A-Z]", text)) and bool(re.search(r"\d", text))
    return bool(re.search(r"[@._:]\w", text))


def label_positions(words: Sequence[Word]) -> list[tuple[int, int, Kind | None]]:
    """(first, one past last, kind) of each label inside a line: at its start, or ending in a colon."""
    found: list[tuple[int, int, Kind | None]] = []
    i = 0
    while i < len(words):
        lead = _leading_label(words[i:])
        colon = lead is not None and words[i + lead[1] - 1].text.rstrip().endswith(":")
        if lead is not None and (i == 0 or colon):
            found.append((i, i + lead[1], lead[0]))
            i += lead[1]
            continue
        if words[i].text.endswith(":") and len(words[i].text) > 2 and words[i].text[:-1].isalpha():
            found.append((i, i + 1, None))
        i += 1
    return found


def inline_fields(layout: Layout, cell: Segment) -> Iterator[ValueField]:
    """Fields inside one cell: `Tel: …`, `Email …`, `Tel: … Fax: …`."""
    words = cell.words
    positions = label_positions(words)
    for n, (first, last, kind) in enumerate(positions):
        until = positions[n + 1][0] if n + 1 < len(positions) else len(words)
        if kind is not None and last < until:
            colon = words[last - 1].text.rstrip().endswith((":", ";"))
            lines = [words[last:until]]
            if kind is Kind.ADDRESS and until == len(words):
                lines += _address_lines_below(layout, cell, last == until)
            yield ValueField(kind, words[first:last], tuple(lines), sure=colon)


def _address_lines_below(layout: Layout, cell: Segment, empty: bool) -> list[tuple[Word, ...]]:
    """The lines below a labelled address that go on with it: they start where it does and are all names and numbers."""
    lines: list[tuple[Word, ...]] = []
    at = cell
    for _ in range(0 if empty else 4):
        below = layout.below(at, 1.2)
        if below is None or is_label(below.text) or _leading_label(below.words):
            break
        if abs(below.box.x0 - cell.box.x0) > 6 * cell.height or not all(
            _ADDRESS_WORD.match(w.text) for w in below.words
        ):
            break
        lines.append(below.words)
        if any(c.isdigit() for c in below.text):
            break
        at = below
    return lines


_ADDRESS_WORD = re.compile(r"\W*(?:[A-Z0-9]|of\b|the\b|and\b|upon\b)")
_STREET = re.compile(
    r"\b\d+[a-z]?\b.*\b(?:Street|Road|Lane|Avenue|Drive|Close|Crescent|Court|Square|Place|Way|Walk|Row|Yard|Mews|Terrace|"
    r"Gardens|Grove|Hill|Parade|House|Floor|Centre|Building|Block)\b|\bBox\b|\bBFPO\b"
)


def _value_part(cell: Segment) -> tuple[Word, ...]:
    """The words of a neighbouring cell up to the next label inside it."""
    for first, _, _ in label_positions(cell.words):
        if first > 0:
            return cell.words[:first]
    return cell.words


def _continued(layout: Layout, value: Segment, kind: Kind) -> list[tuple[Word, ...]]:
    """The value and, for an address, the lines below it that belong to it."""
    lines = [_value_part(value)]
    if kind in NUMBER_KINDS and value.text.rstrip().endswith(("/", ",", "-", "–")):
        below = layout.below(value, 1.2)
        if below is not None and all(is_number_like(w.text) for w in below.words):
            lines.append(below.words)
        return lines
    if kind not in (Kind.ADDRESS, Kind.URL, Kind.EMAIL, Kind.HANDLE):
        return lines
    at = value
    for _ in range(6 if kind is Kind.ADDRESS else 2):
        below = layout.below(at, 1.2)
        if below is None or is_label(below.text) or _leading_label(below.words):
            break
        beside = layout.left_of(below)
        if (beside is not None and is_label(beside.text)) or abs(below.box.x0 - value.box.x0) > 2.5 * value.height:
            break
        if kind is not Kind.ADDRESS and (len(below.words) > 1 or len(at.words) > 2):
            break
        lines.append(below.words)
        at = below
    return lines


def _announces(cell: Segment) -> Kind | None:
    """The kind a whole cell announces. A lower-case word alone in a cell is prose that justified text has set apart."""
    text = cell.text.strip()
    if text.islower() and text[:1].islower() and not text.endswith(":"):
        return None
    return label_kind(text)


def neighbour_fields(layout: Layout) -> Iterator[ValueField]:
    """Fields whose label fills a cell: the value stands to the right of it, or below."""
    for cell in layout.cells:
        kind = _announces(cell)
        if kind is None:
            continue
        right = layout.right_of(cell)
        if right is not None and not is_label(right.text) and _leading_label(right.words) is None:
            yield ValueField(kind, cell.words, tuple(_continued(layout, right, kind)))
            if cell.text.rstrip().endswith(":"):
                continue
        below = layout.below(cell)
        if below is not None and not is_label(below.text) and _leading_label(below.words) is None:
            inside = _under(layout, cell, below)
            if inside is not None:
                yield ValueField(
                    kind,
                    cell.words,
                    tuple(_continued(layout, inside, kind)),
                    sure=right is None or is_label(right.text),
                )


def _right_edge(layout: Layout, cell: Segment) -> float:
    """Where the next cell on a label's row begins: the value below the label ends before it."""
    right = layout.right_of(cell, 1000.0)
    return right.box.x0 - 0.4 * cell.height if right is not None else float("inf")


def _under(layout: Layout, cell: Segment, below: Segment) -> Segment | None:
    """The part of `below` that stands under the label: a reader may have joined the values of a whole row."""
    edge, left = _right_edge(layout, cell), cell.box.x0 - 2.0 * cell.height
    words = [w for w in below.words if left <= w.box.x0 < edge]
    if len(words) != len(below.words) and below.box.x0 < left:
        return segment_of(words) if words and edge != float("inf") else None
    return segment_of(words) if words else None


def _without_row_number(cell: Segment) -> Segment:
    """A head cell without the spreadsheet's row number and what a reader made of rules around it."""
    rest = cell.words
    while len(rest) > 1 and re.fullmatch(r"[\W_]*\d{0,3}[\W_]*|[a-z¢©®]", rest[0].text):
        rest = rest[1:]
    while len(rest) > 1 and re.fullmatch(r"[\W_]+", rest[-1].text):
        rest = rest[:-1]
    return segment_of(rest)


def column_fields(layout: Layout) -> Iterator[ValueField]:
    """One field for each row below a head cell of a table."""
    heads = [_without_row_number(part) for line in layout.lines for part in split_at_gaps(line, _HEAD_GAP)]
    for head in heads:
        kind = _announces(head)
        if kind is None or head.text.rstrip().endswith(":"):
            continue
        row = [c for c in heads if c is not head and same_row(c.box, head.box)]
        if not row:
            continue
        edge = min((c.box.x0 for c in row if c.box.x0 >= head.box.x1), default=None)
        before = max((c.box.x1 for c in row if c.box.x1 <= head.box.x0), default=None)
        left = (
            head.box.x0 - 3.0 * head.height
            if before is None
            else max(before + 0.3 * head.height, head.box.x0 - 3.0 * head.height)
        )
        right = float("inf") if edge is None else edge - 0.3 * head.height
        fields = list(_rows_below(layout, head, kind, left, right))
        titled = any(is_label(c.text) for c in row)
        evident = [replace(f, sure=False) for f in fields]
        if sum(accepted_words(f) != () for f in evident) < max(3.0, (0.25 if titled else 0.5) * len(fields)):
            fields = evident
        fitting = sum(accepted_words(f) != () for f in fields)
        if fields and fitting >= (0.25 if titled else 0.5) * len(fields) and fitting >= (1 if titled else 2):
            yield from fields


def _rows_below(layout: Layout, head: Segment, kind: Kind, left: float, right: float) -> Iterator[ValueField]:
    bottom = head.box.y1
    for line in sorted(layout.lines, key=lambda s: s.box.y0):
        words = tuple(w for w in line.words if left <= w.box.x0 and w.box.center[0] < right)
        words = split_at_gaps(segment_of(words))[0].words if words else ()
        if kind in NUMBER_KINDS:
            words = _without_ordinals(words)
        if not words:
            continue
        top = min(w.box.y0 for w in words)
        if top < head.box.y1 - 0.3 * head.height:
            continue
        if top - bottom > _COLUMN_BREAK * head.height:
            return
        bottom = max(bottom, max(w.box.y1 for w in words))
        text = " ".join(w.text for w in words)
        if is_other_label(text) and text.rstrip().endswith(":"):
            return
        if label_kind(text) is not None and label_kind(text) is not kind:
            return
        lead = _leading_label(words)
        if lead is not None and lead[1] < len(words) and lead[0] is not kind:
            return
        yield ValueField(kind, head.words, (words,))


def _without_ordinals(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """A row's words without the spreadsheet's row number and rules before them."""
    while words and re.fullmatch(r"[\W_]*\d{0,2}[\W_]*", words[0].text):
        digit = any(c.isdigit() for c in words[0].text)
        if digit and len(words) > 1 and words[1].box.x0 - words[0].box.x1 < 0.9 * line_height(words):
            break  # the first digit of an internal number stands alone
        words = words[1:]
    return words


def trailing_fields(layout: Layout) -> Iterator[ValueField]:
    """Fields whose label ends a cell of more words (`Jessop, ext.`): the number begins the line below in the cell."""
    for cell in layout.cells:
        for i, word in enumerate(cell.words):
            kind = label_kind(word.text) if len(cell.words) > 1 and word.text[-1:] in ".:,;" else None
            after = cell.words[i + 1 :]
            if kind is None or kind not in NUMBER_KINDS or kind is Kind.PHONE:
                continue
            if any(any(map(str.isalnum, w.text)) and not _DATE.fullmatch(w.text) for w in after):
                continue
            start = cell.words[max(0, i - 2)]
            below = layout.below(segment_of(cell.words[max(0, i - 2) : i + 1]), 1.2)
            words = below.words if below is not None else ()
            words = tuple(w for w in words if w.box.x0 >= start.box.x0 - 2 * cell.height)
            if words and is_number_like(words[0].text) and words[0].box.x0 <= word.box.x1 + cell.height:
                yield ValueField(kind, (word,), (words,), sure=False)


_DATE = re.compile(
    r"\W*(?:\d{1,2}[:.]\d{2}(?:[:.]\d{2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|(?:19|20)\d\d[\-–]\d{1,2}(?:[\-–]\d{1,2})?)\W*"
)
"""Times and dates."""
_BOOK = re.compile(r"\W*97[89][\- ]?\d")
"""An ISBN."""


def accepted_words(value: ValueField) -> tuple[Word, ...]:
    """The words of a field that are its value even if no recogniser knows their form; () when it holds none."""
    first = value.lines[0]
    text = " ".join(w.text for w in first)
    if not first or _NOTHING.fullmatch(text):
        return ()
    if value.kind in NUMBER_KINDS:
        return _accepted_number(first, value.sure)
    if value.kind is Kind.ADDRESS:
        return _accepted_address(value)
    return _accepted_name(value)


def _run(words: Sequence[Word], prose: int = 2) -> tuple[Word, ...]:
    """The words before the first `prose` plain words in a row."""
    plain = 0
    for i, word in enumerate(words):
        plain = plain + 1 if is_plain_word(word) else 0
        if plain >= prose:
            return tuple(words[: i - prose + 1])
    return tuple(words)


def _accepted_number(words: Sequence[Word], sure: bool) -> tuple[Word, ...]:
    run: list[Word] = []
    for word in words:
        if _DATE.fullmatch(word.text):
            break
        garbled = sure and not is_plain_word(word) and not re.fullmatch(r"[\W_]+", word.text)
        if is_number_like(word.text) or (garbled and len(run) < 6):
            run.append(word)
        else:
            break
    text = " ".join(w.text for w in run)
    if _BOOK.match(text):
        return ()
    digits = sum(c.isdigit() for c in text)
    looks = sum(len(fold_digits(w.text)[0]) for w in run)
    glyphs = sum(c.isalnum() for c in text)
    if re.fullmatch(
        r"\W*(?:\d{1,2}[:.]\d{2}(?:[:.]\d{2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|(?:[£$€]|GBP|EUR|USD).*|\d+(?:\.\d+)?%)\W*",
        text,
    ):
        return ()
    if (
        digits >= 3
        or (sure and digits and looks >= max(3.0, 0.6 * glyphs))
        or (sure and looks >= max(4.0, 0.75 * glyphs))
    ):
        return tuple(run)
    return ()


def _confidence(words: Sequence[Word]) -> float:
    return sum(w.confidence * len(w.text) for w in words) / max(1, sum(len(w.text) for w in words))


def _accepted_name(value: ValueField) -> tuple[Word, ...]:
    """Value of an e-mail, web, handle or postcode field."""
    words = _run(value.lines[0])
    joints = {
        Kind.URL: r"[./]",
        Kind.EMAIL: r"[@._©®]|(?<=[a-z])\d|\d(?=[a-z])",
        Kind.HANDLE: r"[@._:]|\d",
        Kind.POSTCODE: r"\d",
    }[value.kind]
    text = " ".join(w.text for w in words)
    evident = bool(re.search(rf"\w(?:{joints})\w|@", text))
    doubtful = bool(words) and value.sure and _confidence(words) < 60 and len(text) >= 5
    if not words or not (evident or doubtful) or len(words) > 8:
        return ()
    if value.kind is Kind.POSTCODE and (len(text) > 12 or not re.search(r"\d", text)):
        return ()
    more = [w for line in value.lines[1:] for w in line if not is_plain_word(w)]
    return (*words, *more)


def _accepted_address(value: ValueField) -> tuple[Word, ...]:
    words = [w for line in value.lines for w in line]
    text = " ".join(w.text for w in words)
    if not value.sure and not _STREET.search(text):
        return ()
    capital = sum(bool(re.match(r"\W*[A-Z0-9]", w.text)) for w in words)
    if not re.search(r"\d", text) and _confidence(words) >= 60:
        return ()
    if "@" in text or (capital < 0.5 * len(words) and _confidence(words) >= 60):
        return ()
    while words and words[-1].text.lower() in ("or", "and", "to", "at", "."):
        words.pop()
    return tuple(words)
