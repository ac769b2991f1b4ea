"""Extensions and short internal numbers: three to seven digits, known only by their label.

Rule kept here: without a label four digits are a year, a time or a count; the label must stand directly before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.confusion import fold_digits
from tasks.contacts.labels import labelled
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

_DIGIT = r"[0-9OoIl|SBZ]"
_ALTERNATIVES = rf"(?:[ ]?[/&,][ ]?{_DIGIT}{{3,7}}(?![/0-9]))*"
_FIRST_GROUP = rf"(?:{_DIGIT}{{1,4}}[ \-–.]|{_DIGIT}{{1,3}}\n)?"
NUMBER = rf"(?P<value>\(?{_FIRST_GROUP}{_DIGIT}{{2,7}}{_ALTERNATIVES}\)?)(?![0-9A-Za-z%]|[.,:/][0-9])"
_STRONG = labelled(Kind.EXTENSION, NUMBER)
_LEADER = re.compile(
    r"(?:(?<=[A-Za-z)])[ ]?(?:[.…·_][ ]?){4,}|(?<![A-Za-z0-9.])(?:[.·_]{2,}|…)[ ]?(?!(?:19|20)\d\d\b))"
    r"(?P<value>[0-9OIl|SB]{4,6})(?![0-9A-Za-z%]|[.,:/][0-9])"
)
"""A name, a line of dots and a short number: how a directory is set. A list of contents has page numbers, which are
shorter."""
_TORN = labelled(Kind.EXTENSION, r"(?P<value>[0-9OIl|SB]{2,5}[ ][0-9]{1,2})(?![0-9A-Za-z%]|[ ]?[.,:/\-][0-9])")
_X = re.compile(rf"(?<![A-Za-z0-9.,£])(?<![0-9] )(?P<label>[xX×])[ .:\n]{{0,2}}{NUMBER}")
_GLUED_TO_NUMBER = re.compile(rf"(?<=[0-9])[ ]?(?:[xX#]|[eE]xt?n?\.?)[ .:]{{0,2}}{NUMBER}")
_REACHED_ON = re.compile(
    rf"\b(?:call|ring|phone|dial|contact(?:ed)?|reach(?:ed)?|bleep|paged?|speak[ ]to|available)\b[^.;\n]{{0,40}}"
    rf"(?:\n[^.;\n]{{0,30}})?[ \n]on[ \n](?!(?:19|20)\d\d\b){NUMBER}"
)
_DIALLED = re.compile(
    rf"\b(?:[dD]ial(?:led|ling)?[ \n:]{{1,2}}(?P<value>{_DIGIT}{{4,7}})"
    rf"|(?:[rR]ing|[cC]all|[pP]hone)[ \n:]{{1,2}}(?P<other>{_DIGIT}{{5,6}}))(?![0-9A-Za-z%]|[.,:/][0-9])"
)
_SAYS = re.compile(
    r"\b(?:[eE]xtension|[eE]xtn?\.?)\b[^.;:\n0-9]{0,40}(?:\n[^.;:\n0-9]{0,30})?"
    r"\b(?:is|reads?|be|becomes?|became|changed?[ \n]to)[ \n]+(?:now[ \n])?"
    rf"{NUMBER}"
)
_INSTEAD = re.compile(
    r"[ \n]?[,(–-]?[ \n]?(?:and[ \n])?"
    r"(?:not|was|formerly|previously|once|instead[ \n]of|rather[ \n]than|replac(?:es|ing))"
    rf"[ \n](?P<value>{_DIGIT}{{3,7}})(?![0-9A-Za-z%]|[.,:/][0-9])"
)
"""Behind an extension: the one it is instead of. It has as many digits."""
_QUANTITY_AFTER = re.compile(
    r"[ ]?(?:working|calendar|days?|weeks?|months?|years?|minutes?|hours?|hrs|per[ ]cent|people|officers|staff"
    r"|were|was|reports?|cases?|and[ ]\d+[ ]days)\b"
)
_YEAR = re.compile(r"(?:19|20)\d\d")


def _validate(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    rule = re.match(r"[|][ \n]", value)
    if rule:
        value = value[rule.end() :]
    if re.match(r"(?:19|20)\d\d[\-–]\d\d?\b", value):
        return
    digits, cost = fold_digits(re.split(r"[/&,]", value)[0])
    if not 3 <= len(digits) <= 7 or cost > 0.3 * len(digits) or not any(c.isdigit() for c in value):
        return
    if _QUANTITY_AFTER.match(match.string, match.end()):
        return
    if match.re is _GLUED_TO_NUMBER and not re.search(r"[0-9][0-9 ()\-./]{6,}$", match.string[: match.start()]):
        return  # `3 x 4200`
    label = match.string[match.start() : match.start("value")]
    spelt_out = re.match(r"(?:int|extension|internal)", label, re.IGNORECASE) and not re.search(r"[:.#=\n\t]", label)
    if spelt_out and _YEAR.fullmatch(digits):
        return
    sure = 1.0 - 0.3 * cost / len(digits)
    yield match.start("value"), match.end("value"), sure
    instead = _INSTEAD.match(match.string, match.end())
    if instead and len(fold_digits(instead.group("value"))[0]) == len(digits):
        yield instead.start("value"), instead.end("value"), sure


def _validate_dialled(match: re.Match[str]) -> Iterable[Found]:
    name = "value" if match.group("value") else "other"
    digits, cost = fold_digits(match.group(name))
    if (
        cost <= 0.3 * len(digits)
        and not _YEAR.fullmatch(digits)
        and not _QUANTITY_AFTER.match(match.string, match.end())
    ):
        yield match.start(name), match.end(name), 1.0 - 0.3 * cost / len(digits)


def _validate_leader(match: re.Match[str]) -> Iterable[Found]:
    digits, cost = fold_digits(match.group("value"))
    if cost <= 0.25 * len(digits):
        yield match.start("value"), match.end("value"), 1.0


RECOGNISER = Recogniser(
    Kind.EXTENSION,
    (
        Pattern("labelled", _STRONG, 0.9, _validate),
        Pattern("torn", _TORN, 0.7, _validate),
        Pattern("leader", _LEADER, 0.7, _validate_leader),
        Pattern("x", _X, 0.75, _validate),
        Pattern("reached-on", _REACHED_ON, 0.75, _validate),
        Pattern("dialled", _DIALLED, 0.75, _validate_dialled),
        Pattern("says", _SAYS, 0.75, _validate),
        Pattern("suffix", _GLUED_TO_NUMBER, 0.8, _validate),
    ),
)
