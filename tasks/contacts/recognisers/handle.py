"""Handles: @names, Skype and Teams identifiers, SIP, paths of social networks.

Rule kept here: a bare name counts only behind a label of the network; an `@` before a number is a price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.confusion import noisy_pattern
from tasks.contacts.labels import labelled
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

_AT_NAME = re.compile(
    r"(?<![A-Za-z0-9._@])(?P<value>[@©®][ ]?(?:[A-Za-z]{1,3}[ ][A-Z][a-z]+|[A-Za-z][A-Za-z0-9_]{2,30}"
    r"|[0-9][A-Za-z][A-Za-z0-9_]{4,30}))"
    r"(?![A-Za-z0-9@.]*\.[a-z])"
)
_SKYPE = re.compile(
    r"(?<![A-Za-z0-9])(?P<value>[lI1|!][iI1l|!][vV][eE][ ]?[:;.,][ ]?[.,]?[ ]?(?:c[il1]d[.,][ ]?(?=[0-9a-f¢]))?"
    r"[A-Za-z0-9][\w.,:\-]*(?:[.,][\w]+)*)"
)
_CID = re.compile(r"(?<![A-Za-z0-9])(?P<value>[:;.]?[.,]?c[il1]d[.,][0-9a-fA-F¢©OoIl]{10,20})")
_SIP = re.compile(
    r"(?<![A-Za-z0-9])(?P<value>(?:[sS5][iI1l|!][pP][sS]?|tel|skype|callto|msteams|xmpp)[:;][ ]?[A-Za-z0-9+][\w.+\-@]*)"
)
_MAILTO = re.compile(r"(?<![A-Za-z0-9])mai?[l1I]to[:;][ ]?(?P<value>[A-Za-z0-9+][\w.+\-@]*)", re.IGNORECASE)
_NETWORK = "|".join(
    noisy_pattern(n)
    for n in (
        "facebook",
        "twitter",
        "instagram",
        "linkedin",
        "youtube",
        "tiktok",
        "snapchat",
        "threads",
        "reddit",
        "flickr",
        "telegram",
    )
)
_SOCIAL = re.compile(
    rf"(?P<value>(?:[wW]{{3}}[.,][ ]?)?(?<![A-Za-z0-9@])(?:{_NETWORK}|tacebook|fb|wa|t|x)[ ]?[.,][ ]?(?:c[o0]m"
    rf"|me)[ ]?[/|\\l][ ]?@?[A-Za-z0-9][\w.\-/]*(?:[ ][a-z]{{3,8}}(?=\n|$))?)"
)
"""With what follows at the end of a line: a name's dot is easily lost."""
_NAME = r"(?P<value>(?:[a-z]{2,15}[ ](?=[a-z\-]+[._]))?@?[A-Za-z0-9][\w.:;,&+\-'’@]{2,60})"
_LABELLED = labelled(Kind.HANDLE, _NAME, between=r"(?:at|is|as|on|id|name|address)?[: \n]{0,2}")


def _validate_labelled(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value").rstrip(".,;:'’")
    # A name of a network's user has a joint or a digit; "Teams meeting" has neither.
    if re.search(r"[A-Za-z0-9][._:;&][A-Za-z0-9&]|_|^@|[a-z]\d", value) and not re.search(r"^\d+[.:]\d+$", value):
        yield match.start("value"), match.start("value") + len(value), 1.0


def _validate_skype(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value").rstrip(".,:")
    if re.search(r"[._\d]", value.split(":")[-1].strip(".,")):
        yield match.start("value"), match.start("value") + len(value), 1.0


def _validate_at_name(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    if value[0] != "@" and not re.search(r"_|\d" if " " in value else r"_|\d|[a-z][A-Z]", value):
        return
    lost_joint = re.fullmatch(r"@[A-Z][a-z]{0,2} [A-Z][a-z]+", value)  # `@Ch Rahman`
    if " " in value and not lost_joint and not re.search(r"_|\d|[a-z][A-Z]", value):
        return
    yield match.start("value"), match.end("value"), 1.0


RECOGNISER = Recogniser(
    Kind.HANDLE,
    (
        Pattern("at-name", _AT_NAME, 0.8, _validate_at_name),
        Pattern("skype", _SKYPE, 0.9, _validate_skype),
        Pattern("cid", _CID, 0.7),
        Pattern("sip", _SIP, 0.9),
        Pattern("mailto", _MAILTO, 0.9),
        Pattern("social-path", _SOCIAL, 0.9),
        Pattern("labelled", _LABELLED, 0.85, _validate_labelled),
    ),
)
