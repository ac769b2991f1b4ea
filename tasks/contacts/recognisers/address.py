"""Postal addresses: an anchor (postcode, PO Box, BFPO, premise and street) and everything that belongs to it.

Rule kept here: from the anchor the value is followed leftwards and upwards token by token while it still reads as an
address (capitals, numbers, commas), and cut at the topmost part that names a premise; so a name or a heading above the
block stays. Fails wide inside the block, never into the sentence around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.contacts.recognisers.postcode import BFPO, candidates
from tasks.model import Kind

_STREET_WORDS = (
    "Street|Str|St|Road|Rd|Lane|Ln|Avenue|Ave|Av|Drive|Dr|Close|Crescent|Cres|Court|Ct|Square|Sq|Place|Pl|Way|Walk|Row|Yard|Mews|Fold|Parade|"
    "Terrace|Gardens|Gdns|Grove|Hill|Rise|Green|Gate|Park|Quay|Wharf|Embankment|Boulevard|Blvd|Circus|Bridge|Broadway|Highway|Parkway|Pkwy|"
    "Esplanade|Promenade|Crossing|View|Vale|Croft|Alley|Passage|Path|Approach|Common|Heath|Mall|Plaza|Turnpike|Pike|Shambles|Side|Bank|End|Wynd|Loan|Brae"
)
_PREMISE_WORDS = (
    "House|Court|Hall|Tower|Towers|Building|Buildings|Bldg|Centre|Center|Annexe|Annex|Lodge|Cottage|Farm|Villa|Mansions|Chambers|Works|Mill|"
    "Barracks|Guildhall|Offices|Depot|Hospital|Infirmary|Surgery|College|School|University|Station|Library|Museum|Institute|Stadium|"
    "Rectory|Vicarage|Priory|Abbey|Estate|Campus|Headquarters|Wing|Block|Plaza|Exchange|Palace|Castle|Manor|Grange|Warehouse|Hangar|Point|Pavilion|Quarters|Camp|Arcade|Chapel"
)
_BOX = r"P\.?[ ]?[O0]\.?[ ]?(?:B[oO0a][xyszX]|BOX)"
"""`PO Box`, and what a fax makes of its last letters."""
_STREET = re.compile(rf"(?<=\w )(?:{_STREET_WORDS})\b\.?")
_PREMISE = re.compile(
    rf"\b(?:{_PREMISE_WORDS})\b|\b(?:Flat|Apt|Apartment|Suite|Ste|Unit|Room|Rm|Floor|Flr|Block|Building|Bldg|Plot"
    rf"|Desk)[ .]?(?:No\.?[ ]?)?(?:[A-Z]?\d|[A-Z]\b)"
    r"|\w*(?:[\dSIlOB]{1,2}(?:st|nd|rd|th)|Ground|First|Second|Third|Fourth|Fifth|Top|Lower|Upper)[ ]Floor\b"
    rf"|\b{_BOX}\b"
    r"|^\s*\d{1,4}[A-Za-z]?(?:[ ]?[-–/][ ]?\d{1,4}[A-Za-z]?)?[ ,]+\[?[A-Z]|\bc/o\b"
    r"|^\s*\d{1,3}[A-Za-z]?(?:[ ]?[-–/][ ]?[A-Z]?\d{1,4}[A-Za-z]?)?\s*$|"
    r"^(?:\d{1,2}(?:st|nd|rd|th)|Ground|First|Second|Third|Fourth|Fifth|Flat|Apt|Unit|Suite|Building|Block)$"
)
_NOT_A_PREMISE = re.compile(
    r"\b(?:Contact|Call|Control|Cost|Job|Service|Crime|Operations|Data|Detention)\s+Cent(?:re|er)\b"
)
_MONTH_OR_TIME = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?[ ]\d|\d[ ](?:January|February|March|April"
    r"|May|June|July|August|September|October|November|December)\b|\b\d{3,4}(?:Z|hrs)\b"
)
_TOKEN_LEFT = re.compile(r"[^\s,·•|;]+$")
_CONNECTORS = frozenset(("of", "the", "and", "upon", "on", "under", "le", "la", "de", "c/o", "nr", "near", "o'"))
_BEFORE_FLOOR = re.compile(
    r"(?:^|[\s,])(?:\d{1,4}(?:st|nd|rd|th|[A-Za-z])?|Ground|First|Second|Third|Flat|Apt|Room|Unit|Suite)$"
)
"""What justified text may set far apart from the word it belongs to."""
_CLIPPED_STREETS = tuple(word[1:].lower() for word in _STREET_WORDS.split("|") if len(word) > 6)
"""Long words for a street without the first letter, which the edge of a column may have spoilt."""
_MAX_PART = 60
_MAX_LINES = 8


def _token_fits(token: str) -> bool:
    """Whether a token may stand in an address."""
    bare = token.strip("()[]'\"’‘.,:;")
    if not bare:
        return token not in ("(", ")", ":")
    if bare[0].isupper() or bare[0].isdigit() or re.fullmatch(r"j[a-z]{4,}", bare):  # a worn capital J has no bar
        return not re.search(r"[@£$%=]|\d{5,}|\d[:/]\d+[:/]\d|^\d{1,2}[:.]\d{2}", bare)
    return bare.lower() in _CONNECTORS or bare[-7:].lower().endswith(_CLIPPED_STREETS)


def _parts_leftwards(text: str, anchor: int) -> Iterator[tuple[int, int]]:
    """(start, end) of the comma-, bullet- or line-separated parts before `anchor`, nearest first, while they fit."""
    end = anchor
    lines = 0
    for _ in range(12):
        gap = re.search(r"[\s,·•|;\-–.]*(?:\n[=~_—]{1,3}\n)?$", text[max(0, end - 12) : end])
        assert gap is not None  # noqa: S101  the pattern matches the empty string
        skipped = gap.group()
        column = "\t" in skipped and not skipped.startswith(",")
        unread = skipped[-1:] == "\n" and skipped.strip() in {"=", "~", "_", "—"}  # what a reader makes of a worn line
        if column or skipped.count("\n") > 1 + unread:
            return
        lines += skipped.count("\n")
        if lines >= _MAX_LINES:
            return
        end -= len(skipped)
        start = end
        while start > max(0, end - _MAX_PART):
            token = _TOKEN_LEFT.search(text[:start])
            if token is None or (token.group()[-1:] in ":)" and start != end):
                break
            if token.group()[-1:] == ":" or not _token_fits(token.group()):
                break
            if (
                token.group().endswith(".")
                and start != end
                and not re.fullmatch(r"(?:St|Rd|Ave|Dr|Ln|Sq|Pl|P|O|No|Apt|Gdns|[A-Z])\.", token.group())
            ):
                break  # a sentence ends here
            start = token.start()
            space = re.search(r"[ ]{1,2}$|(?<=[0-9a-z])\t$", text[:start])
            if space is not None and space.group() == "\t" and not _BEFORE_FLOOR.search(text[: space.start()]):
                break
            if space is None:
                break
            start = space.start()
        start += len(text[start:end]) - len(text[start:end].lstrip())
        words = text[start:end].split()
        while words and words[0].lower() in _CONNECTORS and not words[0][0].isupper():
            start += len(words[0])
            start += len(text[start:end]) - len(text[start:end].lstrip())
            words = words[1:]
        if start >= end:
            return
        yield start, end
        before = text[max(0, start - 2) : start].rstrip(" ")
        if before and before[-1] not in ",·•|;\n-–.":
            return
        end = start


_NAMELESS = re.compile(rf"(?:{_PREMISE_WORDS})\b")
"""A part that begins with the word for a building, not with its name."""
_UNIT = re.compile(r"(?:Room|Rm|Suite|Ste|Flat|Apt)[ .]?[A-Z]?\d{1,4}[A-Za-z]?")
"""Part of a building; an address has one, so that `Room 3` above `Room 417, …` is where something takes place."""
_TAIL = re.compile(
    r"(?P<town>(?:[ ]?[,.\n·•\-–][ ]?\n?[ ]?(?:[A-Z][A-Za-z'’]+[ ]?){1,3}){0,4}?)[ ]?[,.;\n·•\-–]?[ ]?\n?[ ]?"
    r"(?P<out>[A-Za-z|\[][A-Za-z0-9|\]]{1,4})[ .:\-\n]{1,2}(?P<in>[A-Za-z0-9|]{3})"
    r"(?![A-Za-z0-9])(?=[ ]?[.,;)·•|\-–»]|[ ]?\n|[ ]*$|\t)"
)
_HALF_TAIL = re.compile(r"[ ]?\n?[ ]?[0-9OIlSZQ][ ]?[A-Z]{2}(?![A-Za-z0-9])(?=[ ]?[.,;)]|[ ]?\n|[ ]*$)")


def _with_postcode(text: str, end: int) -> int:
    """Where an address that reaches `end` really ends: over towns to a postcode that the scan has spoilt."""
    tail = _TAIL.match(text, end)
    if tail is None or tail.group("out").isdigit():
        half = _HALF_TAIL.match(text, end) if re.search(r"[ ][A-Z]{1,2}\d{1,2}$", text[max(0, end - 6) : end]) else None
        return half.end() if half else end
    code = tail.group("out") + tail.group("in")
    if not re.search(r"[0-9]", code) or re.fullmatch(r"[A-Z]?[a-z]{3,}|[A-Z][a-z]{2,}", tail.group("out")):
        return end
    if re.search(r"[0-9]", tail.group("out")) is None or not re.search(r"[0-9OoIl|SsdQZU]", tail.group("in")[0]):
        return end
    return tail.end()


def _block_start(text: str, anchor: int, *, sure: bool = True) -> int:
    """Where the address that ends with the anchor at `anchor` starts: its topmost part with a premise."""
    start = anchor
    misses = 0
    nameless = False
    for position, (a, b) in enumerate(_parts_leftwards(text, anchor)):
        part = text[a:b]
        if nameless and "\n" in text[b : b + 2] and len(part.split()) <= 2:
            start = a  # the line above ends with the building's name
        nameless = _NAMELESS.match(part) is not None
        evident = bool(_PREMISE.search(part) or (_STREET.search(part) and position > 0)) and not _NOT_A_PREMISE.search(
            part
        )
        if _MONTH_OR_TIME.search(part) or (_UNIT.fullmatch(part) and _UNIT.match(text, start)):
            break
        if evident:
            start, misses = a, 0
        else:
            misses += 1
            if misses > 4:
                break
    if start == anchor and sure:
        # No premise at all: the nearest part on the same line is the town.
        first = next(_parts_leftwards(text, anchor), None)
        if first is not None and "\n" not in text[first[0] : anchor] and len(text[first[0] : first[1]].split()) <= 4:
            return first[0]
    return start


def _validate_postcode(match: re.Match[str]) -> Iterable[Found]:
    text = match.group()
    anchors = [(start, end, 1.0 - 0.3 * cost) for start, end, cost in candidates(text, 1.1)]
    anchors += [(m.start(), m.end(), 1.0) for m in BFPO.finditer(text)]
    anchors += [(m.start("zip"), m.end("zip"), 0.9) for m in _ZIP.finditer(text)]
    for start, end, factor in anchors:
        first = _block_start(text, start, sure=factor > 0.9)
        if first < start:
            yield first, end, factor


_STATES = (
    r"AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|"
    r"NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|D\.C\."
)
_ZIP = re.compile(
    rf"(?<![A-Za-z])(?P<zip>(?:{_STATES})[.,]?[ ]{{1,3}}[0-9OIl]{{5}}(?:[-–][0-9OIl]{{4}})?)(?![0-9A-Za-z])"
)
_PO_BOX = re.compile(
    rf"(?P<value>(?<![A-Za-z]){_BOX}[ ]?(?:[Nn]o\.?[ ]?)?"
    r"[0-9OIlSB]{1,7}(?:[ ]?[,\n·][ ]?(?:[A-Z][A-Za-z.'’\-]+[ ]?){1,3}){0,4})"
)
_DOCUMENT_EXCHANGE = re.compile(
    r"(?P<value>(?<![A-Za-z])DX[ :]{0,2}(?:[Nn]o\.?[ ]?)?[0-9OIl]{3,7}(?:,?[ \n][A-Z][A-Za-z]+(?:[ ][0-9]{1,2}"
    r"(?![0-9]))?)?)"
)
_NUMBER = r"(?<![A-Za-z0-9£$.,/:])(?:[0-9]{1,4}[A-Za-z]?(?:[ ]?[-–/][ ]?[0-9]{1,4}[A-Za-z]?)?)"
_WORD = r"(?:[A-Z][A-Za-z'’.\-]*|[A-Z][a-z]?['’][A-Z][a-z]+)"
_STREET_LINE = re.compile(
    rf"(?P<value>{_NUMBER},?[ \n](?:{_WORD}[ \n]){{1,4}}(?:{_STREET_WORDS})\b\.?)(?P<more>(?:[ ]?[,\n·][ ]?\n?"
    rf"(?:{_WORD}[ ]?){{1,3}}(?=[,\n·.;)]|[ ]?[A-Z]{{1,2}}\d|$|(?<=[ ])[a-z])){{0,4}})"
)
_NOT_A_HOUSE = re.compile(
    r"(?:page|para|paragraph|section|item|room|figure|table|version|no\.?|january|february|march|april|may|june"
    r"|july|august|september|october|november|december)[ ]$",
    re.IGNORECASE,
)


def _validate_street(match: re.Match[str]) -> Iterable[Found]:
    text = match.string
    start = match.start("value")
    if _NOT_A_HOUSE.search(text[max(0, start - 12) : start]):
        return
    first = _block_start(text, start)
    if _NOT_A_DATE.match(match.group("value")):
        return
    end = match.end("value") if not match.group("more") else match.end()
    yield min(first, start), max(_with_postcode(text, end), _with_postcode(text, match.end("value"))), 1.0


def _validate_box(match: re.Match[str]) -> Iterable[Found]:
    yield match.start("value"), _with_postcode(match.string, match.end("value")), 1.0


_NOT_A_DATE = re.compile(r"\d{1,2}[ ](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b")

RECOGNISER = Recogniser(
    Kind.ADDRESS,
    (
        Pattern("postcode", re.compile(r"[\s\S]+"), 0.9, _validate_postcode),
        Pattern("po-box", _PO_BOX, 0.95, _validate_box),
        Pattern("exchange", _DOCUMENT_EXCHANGE, 0.9),
        Pattern("street", _STREET_LINE, 0.8, _validate_street),
    ),
)
