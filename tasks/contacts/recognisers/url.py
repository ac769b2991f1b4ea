"""Web addresses and intranet hosts, whole or broken over lines.

Rule kept here: a scheme or `www` makes anything an address; a bare host name needs an ending that exists. A file name
(`report.docx`) is no host.

Source: RFC 3986.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.common_words import is_common_word
from tasks.contacts.confusion import skeleton
from tasks.contacts.hosts import anchored, host_score, likeness_to_ending
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

_SCHEME = re.compile(
    r"(?<![A-Za-z0-9])(?P<scheme>[hbn][tTfil1r]{1,2}[pP][sS5]?[ ]?[:;.,]?[ ]?[/\\|lI1]{1,2}[ ]?[/\\]?[ ]?"
    r"|[Hh][Tt][Tt][Pp][Ss]?[ ]?[:;.]?[ ]?/{1,2}[ ]?|HTTPS?[ ]?[:;.]?[ ]?/{1,2}[ ]?"
    r"|(?:ftp|FTP|sftp|file|FILE|sip|SIP|sips|ldap|smb)[:;][ ]?/{0,3})(?=[A-Za-z0-9])"
)
_WWW = re.compile(
    r"(?<![A-Za-z0-9@.])(?:[wW]{3}|vvww|wvww|wwvv|[wW]{2}vv)"
    r"(?:[ ]?[.,][ ]?(?=[A-Za-z0-9])|[ ](?=[A-Za-z0-9\-]+[ .](?:police|nhs|gov|org|com?|net|uk|local|example)\b))"
)
_HOST = re.compile(
    r"(?<![A-Za-z0-9@\-_'’=/%])[A-Za-z0-9][A-Za-z0-9\-]*(?:[.,·][A-Za-z0-9][A-Za-z0-9\-]*)+(?:[:/][^\s<>\"]*)?"
)
_UNC = re.compile(r"(?<![\w\\])\\\\[A-Za-z0-9][\w.\-]+(?:\\[\w$.\- ]*[\w$])+")
_TRAIL = ".,;:!?)]}>\"'’”"
_CONTINUES = re.compile(
    r"[%=&?_~]|/|\.(?:aspx?|html?|php|pdf|uk|com|org|net|local)\b|^[a-z0-9\-]+\.[a-z]", re.IGNORECASE
)
_TOKEN = re.compile(r"[^\s<>\"]+")


_DEBRIS = re.compile(
    r"(?:[ ](?![a-z]{1,4}[ ])[^\s<>\"@]{1,12}){0,3}[ ][^\s<>\"@]*"
    r"(?:[A-Za-z0-9][=%&?][A-Za-z0-9%]|\.aspx?\b|[?&=]$|\w/[A-Z]\w*(?=\n))[^\s<>\"@]*"
    r"|[ ]?\n[^\s<>\"@]*(?:[A-Za-z0-9]=[A-Za-z0-9%]|%[0-9A-F]{2}[a-z]|\.aspx?\b)[^\s<>\"@]*"
)
"""Pieces of a long path that a scan has parted by spaces, or the rest of one on the next line."""


def _stretch(text: str, end: int, *, limit: int = 6) -> int:
    """Where an address that reaches `end` really ends: over tight gaps and line ends while what follows is a path."""
    for _ in range(limit):
        debris = _DEBRIS.match(text, end) if "/" in text[max(0, end - 120) : end].replace("//", "") else None
        if debris:
            end = debris.end()
            continue
        wrap = re.compile(r"[ \t]?(?:[|][ \t]?){0,2}\n[ \t]?(?:[|][ \t]?)?").match(text, end)
        space = re.compile(r"[ ]").match(text, end)
        gap = wrap or space
        if not gap:
            break
        following = _TOKEN.match(text, gap.end())
        if not following:
            break
        token, last = following.group(), text[end - 1]
        bare = token.rstrip(_TRAIL)
        path_like = (
            bool(_CONTINUES.search(bare))
            and "@" not in bare
            and not re.match(r"(?:https?|www|\()", bare, re.IGNORECASE)
        )
        open_end = last in "/?=&%_-.~+#" or (last == ":" and wrap is not None and "/" in text[max(0, end - 60) : end])
        alone = wrap is not None and text[following.end() : following.end() + 1] in ("", "\n")
        torn = (
            wrap is not None
            and "/" in text[max(0, end - 60) : end]
            and bare[:1].islower()
            and not is_common_word(bare)
            and last.isalnum()
        )
        if torn and "@" not in bare:
            end = following.end()
            continue
        if wrap and alone and path_like and not re.match(r"\d{1,2}/\d", bare):
            end = following.end()
            continue
        if wrap and (path_like or (open_end and last not in ".") or (last == "." and host_score(bare) > 0)):
            if (
                path_like
                and not open_end
                and not re.match(r"[/?&=%.#\-_]", bare)
                and not re.search(r"[%=?&]", bare)
                and bare.count("/") < 2
            ):
                # A date, `and/or` or a new host on the next line is not a path.
                break
            end = following.end()
            continue
        if space and (
            (open_end and last in "/?=&%_" and re.match(r"[A-Za-z0-9%]", bare) and _CONTINUES.search(bare))
            or re.match(r"[/?&=%#][A-Za-z0-9%/]", bare)
            or bare in ("/",)
            or (
                last.isalnum()
                and "/" in text[max(0, end - 60) : end]
                and re.match(r"[a-z0-9\-]{1,3}/[A-Za-z0-9]", bare)
            )
            or (
                re.search(r"[A-Za-z0-9][.:/ ][A-Za-z]{2,}/?$", text[max(0, end - 30) : end])
                and anchored(re.sub(r"[^A-Za-z0-9]", "", text[max(0, end - 30) : end].rstrip("/")))
                and re.fullmatch(r"[a-z]{3,}/[A-Za-z][\w\-]+", bare)
            )
        ):
            end = following.end()
            continue
        break
    return end


def _trim(text: str, start: int, end: int) -> int:
    end = min(end, len(text))
    while end > start and text[end - 1] in _TRAIL:
        end -= 1
    return end


_STROKES = re.compile(r"(?<![\w/.])(?:[A-Za-z0-9.!]{1,6}[ ]?[:;.,]?[ ]?)?//(?=[A-Za-z]{2,}[\w\-]*[./])[^\s<>\"]+")
"""Two strokes before a host: whatever is left of the scheme, nothing else is written like it."""
_SPACED_ENDING = re.compile(
    r"(?<![\w@.])(?P<value>(?:[A-Za-z][A-Za-z\-]{1,20}[ .,]{1,2}){1,3}"
    r"(?:p[o0]li[cg]e[ .,:]{0,2}u[kh]|nhs[ .,]{0,2}(?:uk|net))"
    r"(?:[ ]?/[^\s<>\"]+)?)(?![\w@])"
)


def _validate_strokes(match: re.Match[str]) -> Iterable[Found]:
    end = _stretch(match.string, match.end())
    yield match.start(), _trim(match.string, match.start(), end), 1.0


def _validate_spaced_ending(match: re.Match[str]) -> Iterable[Found]:
    """A host whose dots were lost, by an ending that no sentence has; of the words before it what is no prose."""
    value = match.group("value")
    words = list(re.finditer(r"[^ ]+", value))
    start = words[0].start()
    for word in words[:-1]:
        if is_common_word(word.group()) or re.fullmatch(r"[A-Za-z]+,", word.group()):
            start = word.end() + 1
    if start < len(value) and len(value[start:].split()) + value[start:].count(".") > 1:
        yield match.start() + start, match.end(), 1.0


_PATH = re.compile(r"(?<!\S)(?P<ending>[A-Za-z0-9|]{2,8})[ ]?/[ ]?[A-Za-z][^\s<>\"]{2,}")
"""The end of a host and a path: `uk/forms`. Only what stands before it shows that it is no pair of words."""
_BEFORE = re.compile(r"[^\s<>\"]+(?=[ ]$)")
WORN_ALIKE = 80.0
"""Least likeness of words before a path, or behind a torn scheme, to a host's ending."""
LAST_LABEL = 3
"""Letters of a host's last label (`uk`, `net`), at most: `police/fire` is no path."""
_SITES = frozenset(skeleton(site) for site in ("extranet", "intranet", "portal", "sharepoint", "webmail"))
_ENDINGS_WITHIN = ("corp", "internal", "intra", "local")
_WITHIN = frozenset(skeleton(ending) for ending in (*_ENDINGS_WITHIN, "lan"))
_SCHEME_LEFT = re.compile(
    r"[A-Za-z0-9]{0,2}[tTfil1rI]{1,2}[pPt][sS5]?[:;.,/]{0,3}|[hH][a-zA-Z0-9]{2,4}[:;,.]{0,2}/{0,2}"
)


def _validate_path(match: re.Match[str]) -> Iterable[Found]:
    """A host whose dots and scheme were lost, by its path and by an ending (`police uk/`) or a site (`sharepoint`)."""
    text, start = match.string, match.start()
    words: list[re.Match[str]] = []
    while len(words) < 4 and (before := _BEFORE.search(text, max(0, start - 40), start)):
        words.insert(0, before)
        start = before.start()
    for n in range(1, min(3, len(words)) + 1):
        near = words[-n:]
        host = re.sub(r"[^A-Za-z0-9|]", "", "".join(word.group() for word in near))
        begins_as_site = any(skeleton(site) in _SITES for site in re.split(r"[/.]", near[0].group()))
        begins_as_site = begins_as_site and not any(is_common_word(word.group()) for word in near)
        last = len(match.group("ending")) <= LAST_LABEL
        ends = (last and likeness_to_ending(host + match.group("ending")) >= WORN_ALIKE) or (
            begins_as_site and skeleton(match.group("ending")) in _WITHIN
        )
        if ends:
            first = _first_of_host(words, len(words) - n)
            yield words[first].start(), _trim(text, words[first].start(), _stretch(text, match.end())), 0.8
            return


def _first_of_host(words: list[re.Match[str]], first: int) -> int:
    """Where a host read as several words begins: before its known end, its name; before that, what was a scheme."""
    if first and not is_common_word(words[first - 1].group()) and words[first - 1].group()[-1] not in ",;!?)":
        first -= 1
    if first and _SCHEME_LEFT.fullmatch(words[first - 1].group()):
        first -= 1
    return first


_TORN_SCHEME = re.compile(r"(?<![A-Za-z0-9])[HhNnBbPp]?[TtIiFfEe]{1,3}[TtIi]?[Pp][Ss5]?[ ]?[:;.,]{0,2}[ \t/]")


def _validate_torn_scheme(match: re.Match[str]) -> Iterable[Found]:
    """A scheme without its strokes, when the next words are a host through noise."""
    text, end, host = match.string, match.end(), ""
    for _ in range(4):
        token = _TOKEN.match(text, end)
        if token is None:
            return
        name, _, path = token.group().partition("/")
        host += re.sub(r"[^A-Za-z0-9|]", "", name)
        if len(host) > 8 and (likeness_to_ending(host) >= WORN_ALIKE or host.lower().endswith(_ENDINGS_WITHIN)):
            yield match.start(), _trim(text, match.start(), _stretch(text, token.end())), 0.8
            return
        if path:
            return
        gap = re.compile(r"[ \t]").match(text, token.end())  # worn strokes leave gaps as wide as a column's
        if gap is None:
            return
        end = gap.end()


def _validate_scheme(match: re.Match[str]) -> Iterable[Found]:
    text = match.string
    token = _TOKEN.match(text, match.end())
    if not token:
        return
    exact = re.match(r"(?i)(?:https?|s?ftp|file|sips?|ldap|smb)[ ]?[:;]", match.group()) is not None
    strict_scheme = exact or re.search(r"[/\\]", match.group()) is not None
    if not strict_scheme:
        return
    end = _host_over_spaces(text, token.end())
    end = _stretch(text, end)
    yield match.start(), _trim(text, match.start(), end), 1.0 if exact else 0.8


def _host_over_spaces(text: str, end: int) -> int:
    """Step over a space that a scan put behind or before a dot of the host."""
    for _ in range(4):
        split = re.compile(r"[ ](?P<rest>[A-Za-z]{2,8}(?:\.[A-Za-z]{2,3})?)(?=[ /]|$)").match(text, end)
        host = re.sub(r"[^A-Za-z]", "", text[max(0, end - 20) : end])
        if split and likeness_to_ending(host) < WORN_ALIKE <= likeness_to_ending(host + split.group("rest")) - 10:
            end = split.end()
            continue
        following = re.compile(r"[ ]?[.,][ ]?(?=[a-z0-9])[^\s<>\"]+|[ ](?=[.,/])[^\s<>\"]+").match(text, end)
        if text[end - 1] in ".,":
            following = re.compile(
                r"[ ](?:police|gov|pnn|uk|co|com|org|net|local|internal|example|aspx?|html?)\b[^\s<>\"]*"
            ).match(text, end)
        if not following:
            break
        bare = following.group().strip(" .,")
        if (
            following.group()[:1] in ".,"
            and following.group()[1:2] == " "
            and not anchored("x" + bare)
            and host_score("x." + bare) < 1.0
        ):
            break
        end = following.end()
    return end


def _validate_www(match: re.Match[str]) -> Iterable[Found]:
    text = match.string
    token = _TOKEN.match(text, match.end())
    if token and re.search(r"[A-Za-z]", token.group()):
        end = _stretch(text, _host_over_spaces(text, token.end()))
        yield match.start(), _trim(text, match.start(), end), 1.0


def _validate_host(match: re.Match[str]) -> Iterable[Found]:
    value = match.group()
    host = re.split(r"[:/]", value, maxsplit=1)[0]
    labels = re.split(r"[.,·]", host)
    if "," in host and not anchored(host):
        return
    score = host_score(host)
    if score < 0.8 or not re.search(r"[A-Za-z]{2}", labels[-1]) or sum(c.isalpha() for c in host) < 4:
        return
    if score < 1.0 and not ("." in host or anchored(host)):
        return
    if len(labels) == 2 and re.fullmatch(r"[A-Z][a-z]*|[A-Z]+", labels[1]) and not labels[1].isupper():
        return  # "sentence.Next"
    if len(labels) == 2 and len(labels[1]) == 2 and labels[1] not in ("uk", "io", "eu", "tv"):
        return  # "of.it"
    if len(labels) == 2 and labels[0].lower() in ("co", "gov", "org", "ac"):
        score = 0.7
    end = _stretch(match.string, match.end()) if "/" in value else match.end()
    if end == match.end() and match.string[end : end + 1] in tuple("/-."):
        end = _stretch(match.string, end + 1)
    yield match.start(), _trim(match.string, match.start(), end), score


_BROKEN_HOST = re.compile(
    r"(?<![A-Za-z0-9@\-_'’=/%])(?P<value>[A-Za-z0-9][A-Za-z0-9\-]*(?:\.[A-Za-z0-9\-]+)*(?:[.\-]\n|\n\.)[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*(?:/[^\s<>\"]*)?)"
)
_SPACED_HOST = re.compile(
    r"(?<![A-Za-z0-9@\-_'’=/%.])(?P<value>[A-Za-z0-9][A-Za-z0-9\-]*(?:[ ]?[.,][ ]?[A-Za-z0-9\-|!]+){1,5})"
)


def _validate_broken_host(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    head = value.split("\n")[0]
    if not re.search(r"[A-Za-z]", value[len(head) :]):
        return
    joined = re.sub(r"-?\n", "", value) if head.endswith("-") else value.replace("\n", "")
    host = joined.split("/")[0]
    if anchored(host) or ("/" in joined and host_score(host) >= 1.0):
        yield match.start("value"), _trim(match.string, match.start("value"), match.end("value")), 0.8


def _validate_spaced_host(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    if " " not in value:
        return
    # Only a government ending, dots in place, is sure enough to bridge spaces.
    pieces = re.split(r"[ ]?[.,][ ]?", value)
    if anchored(".".join(pieces[-3:])) in ("police.uk", "pnn.police.uk", "gov.uk", "cjsm.net") and host_score(value):
        yield match.start("value"), match.end("value"), 0.8


RECOGNISER = Recogniser(
    Kind.URL,
    (
        Pattern("scheme", _SCHEME, 0.95, _validate_scheme),
        Pattern("strokes", _STROKES, 0.8, _validate_strokes),
        Pattern("spaced-ending", _SPACED_ENDING, 0.7, _validate_spaced_ending),
        Pattern("path", _PATH, 0.7, _validate_path),
        Pattern("torn-scheme", _TORN_SCHEME, 0.7, _validate_torn_scheme),
        Pattern("www", _WWW, 0.95, _validate_www),
        Pattern("host", _HOST, 0.85, _validate_host),
        Pattern("broken-host", _BROKEN_HOST, 0.8, _validate_broken_host),
        Pattern("spaced-host", _SPACED_HOST, 0.7, _validate_spaced_host),
        Pattern("share", _UNC, 0.9),
    ),
)
