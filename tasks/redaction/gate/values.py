"""The withheld values: searched in everything that would leave.

A value is searched in three forms: as it is (blanks and case aside), as digits only (O for 0, l for 1 and the like
undone; a leading 0, 44 or 0044 aside), and folded (letters and digits only, easily confused ones made equal, whole
words); each in whatever way a format writes text (see `tasks.redaction.gate.writings`).

What is no evidence, and so is not searched: numbers of fewer than 7 digits; e-mail addresses of fewer than 6 letters
and digits; anything else of fewer than 8, postcodes apart; single words of letters only. An internal number such as
4471 or a word such as "Enquiries" stands in any letter for other reasons, and a file held back for it could never be
released. Words a request names are searched whole whatever their length when they are given as `terms`.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from tasks.model import Finding
from tasks.redaction.gate.writings import writings_of

CONFUSED = str.maketrans("olizsbgq|!", "0112589911")
CONFUSED_DIGITS = str.maketrans("OoQDlI|!ZSsB", "000011112558")
NUMBER = re.compile(r"[0-9OoQDlI|!ZSsB](?:[\s().\-/+]{0,3}[0-9OoQDlI|!ZSsB])*")
TOKEN = re.compile(r"[^\W_]+")
POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}", re.IGNORECASE)

LEAST_DIGITS = 7
LEAST_LETTERS = 8
LEAST_ADDRESS = 6


@dataclass(frozen=True, slots=True)
class Needles:
    """The forms in which values are searched."""

    plain: frozenset[str] = field(repr=False)
    digits: frozenset[str] = field(repr=False)
    folded: frozenset[str] = field(repr=False)


@lru_cache(maxsize=8)
def needles(withheld: tuple[str, ...], terms: tuple[str, ...] = ()) -> Needles:
    """The search forms of the values that are evidence (see the module's docstring)."""
    plain, digits, folded = {_plain(term) for term in terms if term.strip()}, set(), set()
    for value in withheld:
        letters = "".join(TOKEN.findall(value))
        number = national_digits(value)
        if len(number) >= LEAST_DIGITS and 2 * sum(c.isdigit() for c in letters) >= len(letters):
            digits.add(number)
            plain.add(_plain(value))
        elif "@" in value and not _is_whole_address(value):
            # The name before or behind an @ stands elsewhere for good reasons; with the @ it does not.
            plain |= {_plain(value)} if len(letters) >= LEAST_ADDRESS else set()
        elif _is_evidence(value, letters):
            folded.add("".join(TOKEN.findall(_fold(value))))
            plain.add(_plain(value))
    return Needles(frozenset(plain), frozenset(digits), frozenset(folded))


def _is_whole_address(value: str) -> bool:
    return all(len(TOKEN.findall(side)) >= 1 and len(side.strip()) >= 2 for side in value.rsplit("@", 1))


def _is_evidence(value: str, letters: str) -> bool:
    if "@" in value:
        return len(letters) >= LEAST_ADDRESS
    if POSTCODE.fullmatch(value.strip()):
        return True
    return len(letters) >= LEAST_LETTERS and (len(TOKEN.findall(value)) > 1 or any(c.isdigit() for c in letters))


def holds(text: str, wanted: Needles) -> bool:
    """Whether a text holds any of the values, in any of their forms, however it is written."""
    return any(_holds(writing, wanted) for writing in writings_of(text))


def _holds(text: str, wanted: Needles) -> bool:
    plain = _plain(text)
    if any(_stands_alone(needle, plain) for needle in wanted.plain if needle in plain):
        return True
    if wanted.digits:
        numbers = [_digits(run) for run in NUMBER.findall(text) if sum(c.isdigit() for c in run) >= LEAST_DIGITS - 2]
        if any(needle in number for number in numbers for needle in wanted.digits):
            return True
    return bool(wanted.folded) and _holds_folded(_fold(text), wanted.folded)


def _holds_folded(text: str, wanted: frozenset[str]) -> bool:
    """Whether whole words of a folded text, run together, are a value."""
    tokens = TOKEN.findall(text)
    joined = "".join(tokens)
    edges, at = {0}, 0
    for token in tokens:
        at += len(token)
        edges.add(at)
    for needle in wanted:
        start = joined.find(needle)
        while start >= 0:
            if start in edges and start + len(needle) in edges:
                return True
            start = joined.find(needle, start + 1)
    return False


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _stands_alone(needle: str, text: str) -> bool:
    start = text.find(needle)
    while start >= 0:
        end = start + len(needle)
        if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
            return True
        start = text.find(needle, start + 1)
    return False


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(CONFUSED)


def _digits(text: str) -> str:
    return "".join(c for c in text.translate(CONFUSED_DIGITS) if c.isdigit())


def national_digits(value: str) -> str:
    """The digits of a number without the prefix that differs between its spellings (0, 44, 0044, 44 (0))."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", value) if c.isdigit())
    return re.sub(r"^(?:(?:00)?44(?=\d{9,})0?|0)", "", digits)


def text_of(data: bytes) -> str:
    """Bytes as text under each encoding a value could hide in; letters of UTF-16 bring zeros with them."""
    codings = ("utf-8", "utf-16-be", "utf-16-le") if b"\0" in data else ("utf-8",)
    return "\n".join(data.decode(coding, "ignore") for coding in codings)


def check_values(
    blobs: Mapping[str, bytes | str], withheld: Sequence[str], terms: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Search withheld values in everything that would leave together: files, their names, and what is said of them.

    Args:
        blobs: by name (also searched): text; or bytes, of which ZIP is looked into and the rest taken as text. A PDF is
            not opened here: `check_visible` does that, where nothing but that file is at hand.
        withheld: of all records of the request (values that are no evidence are passed over, see the module).
        terms: words that must not appear whatever their length.

    Returns:
        A finding A25 for each blob that holds a value, saying its ordinal in the mapping and never its name or the
        value; a blob that cannot be looked into is a finding A00.
    """
    wanted = needles(tuple(withheld), tuple(terms))
    findings = []
    for ordinal, (name, blob) in enumerate(blobs.items(), 1):
        if holds(name, wanted):
            findings.append(Finding("A25", None, None, f"A withheld value stands in the name of item {ordinal}."))
        try:
            found = any(holds(text, wanted) for text in _texts_in(blob))
        except Exception:  # whatever the reason, what was not searched may not leave
            findings.append(Finding("A00", None, None, f"Item {ordinal} cannot be searched."))
            continue
        if found:
            findings.append(Finding("A25", None, None, f"A withheld value stands in item {ordinal}."))
    return tuple(findings)


def _texts_in(blob: bytes | str) -> Iterator[str]:
    if isinstance(blob, str):
        yield blob
    elif blob.startswith(b"%PDF"):
        raise ValueError  # to be searched by `check_visible`, apart
    elif blob.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            for entry in archive.infolist():
                yield entry.filename
                yield from _texts_in(archive.read(entry))
    else:
        yield text_of(blob)
