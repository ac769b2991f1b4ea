"""E-mail addresses: plain, spaced, broken over lines, spelt out, and in directory form.

Rule kept here: an at sign, or what a scan makes of one, is an anchor from which the value is followed left and right as
far as anything still belongs to it. What remains doubtful is taken in rather than left out.

Sources: RFC 5321 (local part, domain), ITU-T X.400 and RFC 2156 (O/R addresses).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.common_words import is_common_word
from tasks.contacts.hosts import anchored, host_score, is_domain_word, likeness_to_ending
from tasks.contacts.recogniser import Found, Pattern, Recogniser
from tasks.model import Kind

_LOCAL = r"A-Za-z0-9._%+'’`&/=~#$!*|\-–—?{}\\^"
_LOCAL_RUN = re.compile(rf"[{_LOCAL}]+$")
_HOST_LABEL = re.compile(r"[A-Za-z0-9|!_°\-–—]+")
_BREAK = re.compile(r"[ \t]?\n[ \t]?")
_SPACES = re.compile(r"[ \t]{1,2}")
_DOT = re.compile(r"[ ]?[.,:;·•][ ]?(?=[A-Za-z0-9|])|[ ]?[.,·][ ]?-?\n[ ]?(?=[A-Za-z])|-?\n[ ]?\.(?=[A-Za-z])")
_UNBROKEN = re.compile(r"[^\s<>()\"]+")
_ANCHOR = re.compile(
    r"@|(?<=[A-Za-z0-9.])[©®](?=[A-Za-z0-9])|(?<=[A-Za-z0-9])[ ][©®][ ]?(?=[A-Za-z])|"
    r"(?<=[A-Za-z0-9])[(\[{][aA@][)\]}](?=[A-Za-z0-9])"
)
_SENTENCE_END = re.compile(r"[.,;:!?)\]>\"”]$")
_PREVIOUS_TOKEN = re.compile(r"(\S+)[ \t]{0,2}$")
_PREVIOUS_LINE_TOKEN = re.compile(r"(\S+)[ \t]*\n[ \t]*$")


def _next_label(text: str, end: int, host: str) -> tuple[str, re.Match[str]] | None:
    """What joins the next label of a host to it ("." or ""), and that label; None when the host ends at `end`."""
    dot = _DOT.match(text, end)
    if dot:
        label = _HOST_LABEL.match(text, dot.end())
        # "... police.uk. The" ends a sentence: behind a spaced dot only a domain's word goes on.
        tight = dot.group() in (".", ",", ":", "·")
        if label and (tight or is_domain_word(label.group()) or host_score(host) < 0.5):
            return ".", label
    space = _SPACES.match(text, end)
    label = _HOST_LABEL.match(text, space.end()) if space else None
    if label and is_domain_word(label.group()):
        return ".", label
    wrap = _BREAK.match(text, end)
    label = _HOST_LABEL.match(text, wrap.end()) if wrap else None
    if label:
        glue = _glue_over_break(text, host, label)
        return None if glue is None else (glue, label)
    return None


def _glue_over_break(text: str, host: str, label: re.Match[str]) -> str | None:
    """How a host broken at a line's end goes on with the next line's first label; None when it does not."""
    hyphened = host.endswith(("-", "–", "—"))
    for glue in ("", "."):
        for following in _continuations(text, label, hyphened):
            known = host_score(host.rstrip("-–—") + glue + following)
            torn = glue == "" and len(label.group()) <= 2 and known >= 1.0
            if (known >= 0.8 and host_score(host) < 0.8) or torn or (hyphened and known):
                return glue
    return None


def _continuations(text: str, label: re.Match[str], hyphened: bool) -> Iterable[str]:
    """What the next line may hold of a host: its first label, more labels, or labels that lost their dots."""
    line = re.match(r"[A-Za-z0-9.\-]*", text[label.end() : label.end() + 50])
    yield label.group() + (line.group().rstrip(".-") if line else "")
    # A narrow column may break a host twice.
    ahead = re.sub(r"-?[ ]?\n[ ]?", "", text[label.end() : label.end() + 50])
    rest = re.match(r"[A-Za-z0-9.\-]*", ahead)
    yield label.group() + (rest.group().rstrip(".-") if rest else "")
    bare = re.match(r"[ ]([A-Za-z]{2,8})(?![A-Za-z0-9])", text[label.end() : label.end() + 12])
    if hyphened and bare and is_domain_word(bare.group(1)):
        yield f"{label.group()}.{bare.group(1)}"


def _read_domain(text: str, at: int) -> tuple[int, float]:
    """Where the domain that starts at or after `at` ends, and how sure it is; (at, 0) when there is none."""
    lead = _BREAK.match(text, at) or _SPACES.match(text, at)
    begin = lead.end() if lead else at
    label = _HOST_LABEL.match(text, begin)
    if not label:
        return at, 0.0
    host, end, best, best_score = label.group(), label.end(), at, 0.0
    for _ in range(14):
        score = host_score(host)
        if score and score >= best_score - 0.25:
            best, best_score = end, max(score, best_score)
        step = _next_label(text, end, host)
        if step is None:
            break
        glue, label = step
        host = (host.rstrip("-–—") if "\n" in text[end : label.start()] else host) + glue + label.group()
        end = label.end()
    if best_score:
        return best, best_score
    token = _UNBROKEN.match(text, begin)
    if token and re.search(r"[A-Za-z]{2}", token.group()) and (begin == at or re.search(r"[.,]", token.group())):
        return _worn_ending(text, begin, begin + len(token.group().rstrip(".,;:"))), 0.5
    return at, 0.0


_NEXT_WORD = re.compile(r"[ \n]([A-Za-z0-9.|]+)[.:,;]?(?=[ \n]|$)")
WORN_ALIKE, WORN_ALIKE_BELOW, SURELY_ALIKE = 55.0, 75.0, 90.0
"""Least likeness to an ending: of the words behind an at sign, on its line (`poly ok` is 57 to `police.uk`) and on the
next; and where there is no at sign."""


def _worn_ending(text: str, begin: int, end: int) -> int:
    """How far a domain goes on that began behind an at sign and has no known ending yet; over one line's end at most.

    An at sign and a name say that an ending follows, so a little likeness will do.
    """
    letters, best, best_likeness, below = text[begin:end], end, 0.0, 0
    for _ in range(4):
        word = _NEXT_WORD.match(text, end)
        if word is None or (below := below + (text[end] == "\n")) > 1:
            break
        end, letters = word.end(), letters + word.group(1)
        likeness = likeness_to_ending(letters)
        if likeness >= (WORN_ALIKE_BELOW if below else WORN_ALIKE) and likeness > best_likeness:
            best, best_likeness = word.end(1), likeness
    return best


def _goes_on_below(token: str) -> bool:
    """Whether the last token of a line could be the first half of a local part."""
    if re.fullmatch(r"[A-Za-z][._\-]", token):
        return True
    if "@" in token or not re.search(r"[A-Za-z]", token) or is_common_word(token) or host_score(token) >= 0.9:
        return False
    open_end = re.search(r"[A-Za-z0-9][._\-–+]{1,2}$", token) is not None and not re.fullmatch(r"[A-Za-z]{2,}\.", token)
    return open_end or re.search(r"[A-Za-z0-9](?:[._+][A-Za-z0-9]+|-[A-Za-z0-9]{1,2})$", token) is not None


def _same_case(token: str, piece: str) -> bool:
    """Whether two bare words could be the halves of a local part whose dot or underscore a scan has lost."""
    name = piece.rstrip("0123456789")
    if not (token.isalpha() and name.isalpha()) or len(token) < 2:
        return False
    return any(is_case(token) and is_case(name) for is_case in (str.islower, str.istitle, str.isupper))


def _name_before(token: str) -> bool:
    """Whether a capitalised token with a dot may be a local part's first name (`Helen.`); it may end a sentence too."""
    return re.fullmatch(r"(?:[A-Z][a-z]+|[A-Z]{2,4})\.", token) is not None and not is_common_word(token)


_JOINTED = re.compile(r"[a-z]+[._][a-z]{2,}")
"""Two halves of a name with their joint: `e.gars` before `ide@`."""
_INITIALS = frozenset("bcdghjklnopqrsuvwxyz")
"""A first name's letter whose dot was lost; `a` and `i` are words, `e`, `f`, `m` and `t` labels."""
_STROKES = frozenset(("|", "l", "1", "!", "_|", "_l", "_1", "_"))
"""A letter of one stroke that a reader parts from its word, with the underscore before it."""
_LINK = re.compile(r"\W*mai?lto\W|[\[<(]", re.IGNORECASE)
_COMMA_FOR_DOT = re.compile(r"[A-Za-z0-9],$")
_COMMA_FOR_DOT_RUN = re.compile(rf"[{_LOCAL}]+,$")


def start_of_local(text: str, at: int) -> int:
    """Where the local part that ends at `at` starts; `at` when there is none."""
    run = _LOCAL_RUN.search(text, max(0, at - 80), at)
    start = run.start() if run else at
    for _ in range(5):
        piece = text[start:at]
        if _LINK.match(piece):
            break
        if _COMMA_FOR_DOT.search(text, max(0, start - 3), start) and piece[:1].isalpha():
            start = _COMMA_FOR_DOT_RUN.search(text, max(0, start - 60), start).start()  # type: ignore[union-attr]
            continue
        fragment = len(piece) <= 2 or piece[:1] in "._-+'’–"
        before = _PREVIOUS_TOKEN.search(text, max(0, start - 60), start)
        if before and before.end() == start and before.start(1) < start and text[start - 1 : start] not in "(<[":
            token = before.group(1)
            torn = re.fullmatch(r"[a-z]+[.,]", token) and piece[:1].islower() and not is_common_word(token)
            torn = torn or (re.fullmatch(r"[A-Z]{2,}[.,]", token) and piece.isupper())
            torn = torn or (_name_before(token) and piece[:1].isupper())
            torn = torn or (len(piece) <= 4 and piece.islower() and _JOINTED.fullmatch(token) is not None)
            stroke = token in _STROKES and text[start - 1] != "\t"
            torn = torn or stroke
            open_end = torn or (
                token[-1] in "._+-–—'’" and len(token) > 1 and not re.fullmatch(r"[A-Za-z]{2,}\.", token)
            )
            joint = re.fullmatch(r"[._+\-–]", token) is not None and piece[:1].islower()
            initial = token in _INITIALS and piece[:1].islower() and text[start - 1] == " "
            lost_joint = initial or (_same_case(token, piece) and not is_common_word(token))
            if (
                not piece
                or open_end
                or joint
                or lost_joint
                or (fragment and (not _SENTENCE_END.search(token) or len(token) <= 2))
            ):
                if re.fullmatch(r"[^A-Za-z0-9]+", token) and piece and not joint and not stroke:
                    break
                start = before.start(1)
                continue
            break
        wrapped = _PREVIOUS_LINE_TOKEN.search(text, max(0, start - 80), start)
        if wrapped:
            token = wrapped.group(1)
            joined = _goes_on_below(token) or (_name_before(token) and (piece[:1].isupper() or piece[:1] in "-–—"))
            if (
                (not piece and re.search(r"[A-Za-z0-9]$", token))
                or joined
                or (piece[:1] in "._-+" and not _SENTENCE_END.search(token))
            ):
                start = wrapped.start(1)
                continue
        break
    return start


def _validate_anchor(match: re.Match[str]) -> Iterable[Found]:
    text = match.string
    start = start_of_local(text, match.start())
    link = _LINK.match(text, start, match.start())
    if link and link.end() < match.start():
        start = link.end()
    end, score = _read_domain(text, match.end())
    if end == match.end() or start == match.start():
        if (
            start < match.start()
            and re.search(r"[A-Za-z][._]?[A-Za-z0-9]+$", text[start : match.start()])
            and match.start() - start >= 3
        ):
            yield start, match.end(), 0.5  # the domain did not survive
        return
    if not re.search(r"[A-Za-z]", text[match.end() : end]) or not re.search(r"\w", text[start : match.start()]):
        return
    spaced = bool(re.search(r"\s", text[start:end]))
    if (
        score <= 0.5
        and text[match.start() - 1 : match.start() + 1].strip() != text[match.start() - 1 : match.start() + 1]
    ):
        return  # `on @handle`
    if spaced and score < 0.8 and not re.search(r"[A-Za-z]", text[start : match.start()]):
        return  # `21 @ Leeds`
    yield start, end, min(1.0, score + (0.0 if spaced else 0.1))


_WORD_DOT = r"(?:[ \t\n]?[\[({<]?\s?(?:dot|DOT|Dot|d0t|D0T)\s?[\])}>]?[ \t\n]?|[.,·])"
_WORD_AT = r"(?:[ \t\n]?[\[({<][ ]?(?:at|AT|At|a|A|@|aT)[ ]?[\])}>][ \t\n]?|[ \t\n](?:AT|At)[ \t\n])"
_SPELT = re.compile(
    rf"(?P<value>[A-Za-z0-9][{_LOCAL}]*(?:{_WORD_DOT}[A-Za-z0-9][{_LOCAL}]*)*{_WORD_AT}[A-Za-z0-9\-]+(?:{_WORD_DOT}[A-Za-z0-9\-]+)*)"
)
_SPELT_PLAIN = re.compile(
    r"(?P<value>[A-Za-z0-9][\w.+'’\-]*(?:[ ]dot[ ][\w\-]+)*[ \n]at[ \n][A-Za-z0-9\-]+"
    r"(?:[ \n][\[({<]?dot[\])}>]?[ \n]?[A-Za-z0-9\-]+)+)"
)


def _validate_spelt(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    parts = re.split(_WORD_AT, value)
    if len(parts) < 2:
        return
    domain = re.sub(r"\s+", "", re.sub(r"[\s\[({<]*(?:dot|DOT|Dot|d0t|D0T)[\s\])}>]*", ".", parts[-1]))
    start, end = match.span("value")
    score = host_score(domain)
    if not score:
        further, score = _read_domain(match.string, end - len(parts[-1]))
        if score < 0.8:
            return
        end = max(end, further)
    yield start, end, score


def _validate_spelt_plain(match: re.Match[str]) -> Iterable[Found]:
    domain = re.sub(r"\s*[\[({<]?dot[\])}>]?\s*", ".", re.split(r"[ \n]at[ \n]", match.group("value"), maxsplit=1)[-1])
    if host_score(domain):
        yield match.start("value"), match.end("value"), 1.0


_LOST_AT = re.compile(
    r"(?<![\w@/.])(?P<local>[A-Za-z0-9]+[._+\-][\w.+'’\-]*)"
    r"(?:[ ]?[©®&€™°*“”\"#%?][ ]?|-?\n[ ]?[©®€™“”\"*#][ ]?|[ ](?:[a-zA-Z][ ])?)(?=[A-Za-z0-9\-]{2,}[ ]?[.,: ])"
)


def _validate_lost_at(match: re.Match[str]) -> Iterable[Found]:
    local = match.group("local")
    if re.search(r"[a-z][.,][A-Z]|\.$|^[\d.,\-]+$", local) or re.fullmatch(r"[A-Za-z]+-[A-Za-z]+", local):
        return
    end, score = _read_domain(match.string, match.end())
    host = match.string[match.end() : end]
    if score >= 0.8 and anchored(host) and not host.lower().startswith("www"):
        yield match.start("local"), end, 1.0


_ATTRIBUTION = re.compile(r"(?<=[A-Za-z] )<(?P<value>[A-Za-z][^<>\n]{5,60}?)[ ]?(?P<closed>[>»=*])?[ ]?wrote\b")
"""`On 19 May, Helen Example <…> wrote:` stands above an answered e-mail; only an address stands in those brackets."""


def _validate_attribution(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value")
    if match.group("closed") or "@" in value or likeness_to_ending(value) >= WORN_ALIKE:
        yield *match.span("value"), 1.0


_IN_ANGLES = re.compile(r"(?<=[A-Za-z] )<(?P<value>[A-Za-z][^<>@\n]{5,60})>")
"""`Helen Example <…>`: what stands so in the head of an e-mail, its at sign worn away."""


def _validate_in_angles(match: re.Match[str]) -> Iterable[Found]:
    if likeness_to_ending(match.group("value")) >= SURELY_ALIKE:
        yield *match.span("value"), 1.0


_BRACKET_FOR_AT = re.compile(r"(?<=[a-z]{3})[(\[{][A-Za-z@]?(?![^\s()]*[)\]}])[ ]?(?=[A-Za-z0-9\-]{3,}[.,])")


def _validate_bracket(match: re.Match[str]) -> Iterable[Found]:
    end, score = _read_domain(match.string, match.end())
    start = start_of_local(match.string, match.start())
    if score >= 0.8 and anchored(match.string[match.end() : end]) and start < match.start():
        yield start, end, 1.0


_X400 = re.compile(
    r"(?P<value>(?:[/;]?[ ]?(?:CN|OU|OU\d|DC|ADMD|PRMD|DDA:[A-Z]+|O|C|A|P|S|G|I"
    r"|Q)[ ]?=[ ]?[^;/\n=]{1,40}[;/]?[ \n]?){3,}(?:@[\w.\-]+)?)",
    re.IGNORECASE,
)


def _validate_directory_form(match: re.Match[str]) -> Iterable[Found]:
    value = match.group("value").rstrip()
    yield match.start("value"), match.start("value") + len(value), 1.0


RECOGNISER = Recogniser(
    Kind.EMAIL,
    (
        Pattern("anchor", _ANCHOR, 0.95, _validate_anchor),
        Pattern("spelt", _SPELT, 0.9, _validate_spelt),
        Pattern("spelt-plain", _SPELT_PLAIN, 0.85, _validate_spelt_plain),
        Pattern("lost-at", _LOST_AT, 0.7, _validate_lost_at),
        Pattern("bracket-for-at", _BRACKET_FOR_AT, 0.7, _validate_bracket),
        Pattern("in-angles", _IN_ANGLES, 0.8, _validate_in_angles),
        Pattern("attribution", _ATTRIBUTION, 0.7, _validate_attribution),
        Pattern("directory-form", _X400, 0.9, _validate_directory_form),
    ),
)
