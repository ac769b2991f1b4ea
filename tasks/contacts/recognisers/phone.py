"""Telephone numbers: United Kingdom first, international and North American too.

Rule kept here: a run of digit groups is a number when some reading of it, look-alikes folded, is one by the numbering
plan; the longest such run wins. Without a label the plan must agree; behind a label almost any digits will do.

Sources: numbering plans as in the `phonenumbers` data; numbers Ofcom sets aside for drama (01632 960, 07700 900, ...)
are not assigned there, so any number of UK length and prefix also counts; 18001/18002 is the Relay UK prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import phonenumbers

from tasks.contacts.common_words import is_common_word
from tasks.contacts.confusion import fold_digits, noisy_pattern
from tasks.contacts.labels import labelled
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

GLYPH = r"[0-9OoQDU°lI|!\]iSs$§ZzGgbqBATE&]"
SEPARATOR = r"(?:[ ]?(?:\(0\)|\([Oo]\))[ ]?|[ ]?[\-–—−.,/()\[\]·•'’`:_~=*\"“”‘„]{1,3}(?:[ ]{0,2}|(?<=\))\t)|[ ]{1,2})"
_RUN = re.compile(rf"(?<![A-Za-z0-9£$€@#%])[+(\[{{*]{{0,3}}[ ]?{GLYPH}+(?:{SEPARATOR}{GLYPH}+){{0,15}}(?![A-Za-z0-9%])")
_GLUED_RUN = re.compile(
    rf"(?<=[a-z:;.,\-])[+(]?(?:[0-9]|[OIl](?=[0-9OIl]{{2}}))[0-9OoIl|]*(?:{SEPARATOR}{GLYPH}+){{0,8}}(?![A-Za-z0-9%])"
)
_GROUPS = re.compile(rf"{GLYPH}+")
_MAX_GROUPS = 14
_BROKEN_RUN = re.compile(
    rf"(?<![A-Za-z0-9£$€@#%])[+(]{{0,2}}{GLYPH}+"
    rf"(?:(?:{SEPARATOR}|[ ]?[/\-–—)]?\n[ ]?[~/\-–—(]{{0,2}}[ ]?){GLYPH}+){{0,10}}"
    r"(?![A-Za-z0-9%])"
)
_SUFFIX = re.compile(r"(?:[ \n]?[/\-–—&,][ \n]?|[ ]or[ ])(?P<more>[0-9OIl]{1,6})(?![0-9A-Za-z%/:]|[ .,-]?[0-9])")
"""What follows a number to say that its last digits vary: `0890 / 0893`, `0233-37`."""
_EXTENSION_SUFFIX = re.compile(
    rf"[ \n]?[,;(/]?[ ]?(?:{noisy_pattern('extension')}|{noisy_pattern('extn')}|{noisy_pattern('ext')}"
    rf"|[xX#])[ .:]{{0,2}}[0-9OIl][0-9OIlSB \-]{{1,7}}(?<=[0-9OIlSB])\)?(?![0-9A-Za-z])"
)

_NOT_A_PHONE = re.compile(
    r"(?:account|acct?|a/c|sort[ ]?code|isbn|issn|invoice|order|p\.?o\.?|cost[ ](?:centre|code)|(?:budget|account"
    r"|project)[ ]code|serial|s/n|"
    r"batch|charged[ ]to|custody(?:[ ]record)?|exhibit|warrant|collar|payroll|vat|company|charity|nhs|ni|urn|crn"
    r"|pnc(?:id)?|cro|"
    r"crime|incident|case|cad|cris|policy|docket|bates|control|fax[ ]id|id|ref(?:erence)?|claim|licen[cs]e"
    r"|passport|asset|card)"
    r"[ ]?(?:no|nos|number|num|ref|code|#)?[ .:#\-–]{0,4}$",
    re.IGNORECASE,
)
_PHONE_BEFORE = re.compile(r"(?:tel|phone|mob|dial|call|ring|fax|ext)[a-z]*[ .:\-–]{0,3}$", re.IGNORECASE)
_NOT_DIGITS_OF_A_NUMBER = re.compile(
    r"(?<!\d)\d{1,2}:\d{2}(?!\d)|(?<![\w,.])[1-9]\d{0,2},\d{3}(?!\w|[.,]\d{4})|(?<!\d)\d{1,2}/\d{1,2}/(?:19|20)?\d{2}(?!\d)|(?<!\d)\d{1,2}\.\d{1,2}\.(?:19|20)\d{2}(?!\d)"
)
"""Times, thousands and dates."""
_TIME = re.compile(r"(?:[01]\d|2[0-4])[0-5]\d")


@lru_cache(maxsize=16384)
def plan_score(digits: str, plus: bool) -> float:
    """How well a digit string fits a numbering plan: 1 assigned, 0.75 the right length and prefix, 0 not a number."""
    if digits.startswith(("18001", "18002", "18000")) and digits[5:6] == "0":
        digits = digits[5:]
    if plus or digits.startswith("00"):
        return _international_score(digits if plus else digits[2:])
    if len(digits) == 12 and digits.startswith("44") and digits[2] in "1237":
        return 0.75 if _is_valid("+" + digits) or digits[2:5] == "770" else 0.0  # the plus did not survive
    if not digits.startswith("0") or not 9 <= len(digits) <= 11:
        return 0.0
    if len(digits) == 11 and digits[1] in "1235789":
        return 1.0 if _is_valid("+44" + digits[1:]) else 0.75
    if len(digits) == 10 and digits[1] in "18":
        return 0.8 if _is_valid("+44" + digits[1:]) else 0.0
    return 0.0


def _international_score(digits: str) -> float:
    if digits.startswith("44"):
        national = digits[2:].lstrip("0")
        if len(national) == 10 and national[0] in "1235789":
            return 1.0
        return 0.8 if len(national) == 9 and national[0] in "18" else 0.0
    if not 8 <= len(digits) <= 15 or digits.startswith("0"):
        return 0.0
    return 1.0 if _is_valid("+" + digits) else 0.6 if _is_possible("+" + digits) else 0.0


def _parse(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        return None


def _is_valid(number: str) -> bool:
    parsed = _parse(number)
    return parsed is not None and phonenumbers.is_valid_number(parsed)


def _is_possible(number: str) -> bool:
    parsed = _parse(number)
    return parsed is not None and phonenumbers.is_possible_number(parsed)


_AMERICAN = re.compile(r"\(?[2-9]\d{2}[)\]]?[ ]?[-–.·/]?[ ]?[2-9]\d{2}[ ]?[-–.·][ ]?\d{4}")
_AMERICAN_SPACED = re.compile(r"\(?[2-9]\d{2}\)?[ ]{1,2}[2-9]\d{2}[ ]{1,2}\d{4}")


def _american_score(text: str, digits: str) -> float:
    national = digits[1:] if digits.startswith("1") and len(digits) == 11 else digits
    if len(national) != 10:
        return 0.0
    bare = re.sub(r"^[+(]?1[-. )]{0,2}", "", text) if len(digits) == 11 else text
    if _AMERICAN.fullmatch(bare.strip()):
        return 0.9
    return 0.75 if _AMERICAN_SPACED.fullmatch(bare.strip()) and _is_valid("+1" + national) else 0.0


def _grouped_like_uk(sizes: list[int], digits: str, separators: str) -> bool:
    """Whether the grouping says telephone number although a digit was lost or gained."""
    return (
        len(sizes) in (3, 4)
        and 10 <= len(digits) <= 12
        and digits[0] == "0"
        and digits[1] in "1237"
        and 3 <= sizes[0] <= 5
        and all(2 <= s <= 5 for s in sizes[1:])
        and "/" not in separators
        and "," not in separators
    )


def _all_times(groups: list[str]) -> bool:
    fours = [g for g in groups if len(g) == 4]
    return len(fours) > 1 and all(_TIME.fullmatch(g) for g in fours)


def judge(text: str) -> float:
    """How sure it is that all of `text`, a run of digit groups, is one telephone number; 0 when it is not."""
    groups = _GROUPS.findall(text)
    real = sum(c.isdigit() for c in text)
    trunk = re.sub(r"\([0Oo]\)", "", text)
    digits, cost = fold_digits("".join(_GROUPS.findall(trunk)))
    plus = "+" in text[:4]
    if not 8 <= len(digits) <= 17 or real < 0.5 * len(digits):
        return 0.0
    if _NOT_DIGITS_OF_A_NUMBER.search(text):
        return 0.0
    price = cost / len(digits)
    if price > 0.22 or any(not re.search(r"[0-9OoIlSB|]", g) for g in groups):
        return 0.0
    if any(len(g) > 1 and not re.search(r"[0-9]", g) for g in groups) and price > 0.12:
        return 0.0
    score = plan_score(digits, plus)
    if not score and not plus:
        score = _american_score(text, digits)
    if not score and plus and digits.startswith("44") and 11 <= len(digits) <= 14:
        score = 0.6  # a digit lost or gained after a country code
    sizes = [len(g) for g in groups]
    if not score and _grouped_like_uk(sizes, digits, text) and not _all_times(groups):
        score = 0.5
    return score * (1 - price)


def windows(text: str, offset: int, least: float = 0.3) -> Iterator[Found]:
    """The telephone numbers within one run of digit groups, the longest first at each start."""
    groups = list(_GROUPS.finditer(text))
    i = 0
    while i < len(groups):
        best: tuple[int, float] | None = None
        start = groups[i].start()
        while start > 0 and text[start - 1] in "+([*":
            start -= 1
        if text[max(0, start - 2) : start] == "+ ":
            start -= 2
        for j in range(i, min(len(groups), i + _MAX_GROUPS)):
            if sum(g.end() - g.start() for g in groups[i : j + 1]) > 18:
                break
            score = judge(text[start : groups[j].end()])
            # How long a foreign number may be is not certain: what is written as one run is one number.
            slack = 0.5 if text[start] == "+" else 0.25
            if score >= least and (best is None or score >= best[1] - slack):
                best = (j, score)
        if best is None:
            i += 1
            continue
        yield offset + start, offset + groups[best[0]].end(), best[1]
        i = best[0] + 1


def _with_suffix(text: str, end: int) -> int:
    for suffix in (_SUFFIX, _SUFFIX, _EXTENSION_SUFFIX):
        more = suffix.match(text, end)
        if more:
            end = more.end()
    return end


def _is_something_else(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 30) : start]
    return bool(_NOT_A_PHONE.search(before)) and not _PHONE_BEFORE.search(before)


def _validate_run(match: re.Match[str]) -> Iterable[Found]:
    for start, end, score in windows(match.group(), match.start()):
        value = match.string[start:end]
        contiguous = value.isalnum()
        if _is_something_else(match.string, start, end) and (contiguous or score < 0.9):
            continue
        if contiguous and len(value) in (9, 10) and score < 0.9:
            continue  # ten digits in a row are far more often an account than a short area code
        whole = _with_suffix(match.string, end)
        if value.count("/") > 1 or _part_of_longer_code(match.string, start, whole, score):
            continue
        yield start, whole, score


def _part_of_longer_code(text: str, start: int, end: int, score: float) -> bool:
    """Whether the window is cut out of a longer code such as an ISBN or a card number."""
    before = re.search(r"[0-9A-Z][0-9][\-/ ]?$", text[max(0, start - 4) : start])
    after = re.match(r"[\-/ ]?[0-9]", text[end : end + 2])
    return (
        (score <= 0.55 and bool(before or after))
        or bool(before and after)
        or bool(before and before.group()[-1] in "-/")
        or bool(after and after.group()[0] == "-")
    )


def _validate_broken(match: re.Match[str]) -> Iterable[Found]:
    if "\n" not in match.group():
        return
    for start, end, score in windows(match.group(), match.start(), 0.6):
        value = match.string[start:end]
        if value.count("\n") != 1 or re.search(r"[0-9][ \-.]?$", match.string[max(0, start - 2) : start]):
            continue
        head, tail = value.split("\n")
        abroad = head.lstrip("(").startswith(("+", "00"))
        if (
            sum(c.isdigit() for c in head) > 9
            or sum(c.isdigit() for c in tail) > (12 if abroad else 9)
            or value.count("/") > 1
        ):
            continue
        # A value broken over lines is whole on neither: two whole numbers below one another are two values.
        if (
            judge(head) >= (0.9 if abroad else 0.5)
            or judge(tail) >= 0.5
            or _is_something_else(match.string, start, end)
        ):
            continue
        yield start, _with_suffix(match.string, end), score


def loose_digits(text: str) -> tuple[int, int, int] | None:
    """The leading run that reads as digits, as (start, end, how many), or None when there are fewer than three."""
    match = _LOOSE.match(text)
    if not match:
        return None
    value = match.group("value").rstrip(" .,;:-–(")
    digits, cost = fold_digits(value)
    real = sum(c.isdigit() for c in value)
    if len(digits) < 3 or real < 2 or cost > 0.34 * len(digits):
        return None
    return match.start("value"), match.start("value") + len(value), len(digits)


_LOOSE = re.compile(rf"[ \t]*(?P<value>[+(\[]{{0,2}}{GLYPH}+(?:{SEPARATOR}{GLYPH}+){{0,15}})")


_NO_NUMBER_BEHIND_A_LABEL = re.compile(r"(?:19|20)\d\d[ \-–/]|.{0,5}/|\d{1,2}[:.]\d{2}(?!\d)|97[89][\- ]")
"""Years, codes with a stroke, times, ISBNs."""


def _validate_labelled(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    loose = loose_digits(value)
    if loose is None or loose[2] < 6:
        return
    start = match.start("value")
    found = next(iter(windows(value, start)), None)
    if found is not None:
        yield found[0], _with_suffix(match.string, found[1]), found[2]
    elif not _NO_NUMBER_BEHIND_A_LABEL.match(value) and not _is_something_else(match.string, start, match.end("value")):
        yield start + loose[0], start + loose[1], 0.7


_VALUE = rf"(?P<value>[+(\[]{{0,2}}{GLYPH}+(?:(?:{SEPARATOR}|\n){GLYPH}+){{0,8}})(?![A-Za-z0-9%])"
_NETWORK = re.compile(
    r"(?<![A-Za-z])(?:MOD|DSN|GTN|DFTN|AUTOVON|[Mm]il(?:itary)?|GPTN)\b[ .:#\-–(]{0,4}(?P<value>[0-9OIl]{1,5}"
    r"(?:[ \-–.()\n]{1,3}[0-9OIl]{2,5}){1,3})(?![A-Za-z0-9])"
)

_CLIPPED = re.compile(
    r"(?:(?<![A-Za-z0-9])(?P<torn>[A-Za-z]{1,3}[ ])?|(?<=[A-Za-z0-9]))"
    r"(?P<value>(?:[0-9OIl]{1,3}|\([0-9OIl]{4,5})\)[ ]?(?P<exchange>[0-9OIl]{3,4})[ \-–.](?P<line>[0-9OIl]{3,4}))"
    r"(?![0-9A-Za-z%])"
)
"""What a fold or an edge leaves of an area code in brackets, and the number behind it: `wh 31) 496-0469`."""
_RELAYED = re.compile(
    r"(?<![A-Za-z0-9])(?P<value>1800[0-2][ \n.-]{1,2}[{(\[]?"
    rf"(?P<number>{GLYPH}{{2,5}}(?:[ .\-]{GLYPH}{{2,5}}){{1,3}}))"
    r"(?![A-Za-z0-9%])"
)
"""A number behind the prefix of Relay UK, which nothing else begins with: its own first digit may be worn away."""
_YEAR = re.compile(r"(?:19|20)\d\d")


def _validate_clipped(match: re.Match[str]) -> Iterable[Found]:
    parts = (match.group("exchange"), match.group("line"))
    if sum(map(len, parts)) >= 7 and not all(_YEAR.fullmatch(part) for part in parts):
        torn = match.group("torn")
        start = match.start("torn") if torn and not is_common_word(torn.strip()) else match.start("value")
        yield start, match.end("value"), 1.0


def _validate_relayed(match: re.Match[str]) -> Iterable[Found]:
    digits, cost = fold_digits(match.group("number"))
    if 9 <= len(digits) <= 12 and cost <= 0.25 * len(digits):
        yield match.start("value"), _with_suffix(match.string, match.end("value")), 1.0


RECOGNISER = Recogniser(
    Kind.PHONE,
    (
        Pattern("plan", _RUN, 0.95, _validate_run),
        Pattern("glued", _GLUED_RUN, 0.85, _validate_run),
        Pattern("broken", _BROKEN_RUN, 0.85, _validate_broken),
        Pattern("labelled", labelled(Kind.PHONE, _VALUE), 0.8, _validate_labelled),
        Pattern("clipped", _CLIPPED, 0.6, _validate_clipped),
        Pattern("relayed", _RELAYED, 0.8, _validate_relayed),
        Pattern("network", _NETWORK, 0.85),
    ),
)
