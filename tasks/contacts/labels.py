"""The words that announce a contact detail, and those that announce something else.

Rule kept here: every label is written once, as plain words; `noisy_pattern` makes the forms a scan may show of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tasks.contacts.confusion import noisy_pattern
from tasks.model import Kind

# fmt: off
WORDS: dict[Kind, tuple[str, ...]] = {
    Kind.FAX: (
        "fax", "facsimile", "telefax", "fx", "efax",
    ),
    Kind.PAGER: (
        "pager", "bleep", "bleeper", "page_one",
    ),
    Kind.RADIO: (
        "issi", "airwave", "airwave_issi", "radio_issi", "tetra", "radio_id", "radio_no", "radio_number", "rid",
    ),
    Kind.EXTENSION: (
        "ext", "extn", "exts", "extension", "extensions", "xtn", "xtension", "internal", "internal_ext",
        "internal_extension", "internal_tel", "internal_no", "internal_number", "int", "int_ext", "short_code",
        "speed_dial", "short_dial",
    ),
    Kind.EMAIL: (
        "email", "e_mail", "mail", "mailbox", "email_address", "group_mailbox", "team_mailbox", "shared_mailbox",
        "mailto", "e_mall", "smtp", "cjsm", "pnn", "secure_email",
    ),
    Kind.PHONE: (
        "tel", "tele", "telephone", "phone", "ph", "mob", "mobile", "cell", "cellphone", "cellular", "ddi", "did",
        "direct_dial", "direct_line", "direct", "dial", "hotline", "helpline", "switchboard", "landline", "voicemail",
        "telephone_no", "text", "sms", "whatsapp", "call", "ring", "external", "blackberry", "mod", "dsn", "mil", "gtn",
        "gtnet", "dftn", "autovon", "commercial", "minicom", "textphone", "typetalk", "out_of_hours", "ooh",
        "contact_no", "contact_number", "contact_telephone", "comm", "contact", "contacts",
    ),
    Kind.ADDRESS: (
        "address", "home_address", "postal_address", "work_address", "addr", "loc", "location", "write_to", "post_to",
        "return_to", "by_post", "in_writing_to", "writing_to",
    ),
    Kind.URL: (
        "url", "web", "website", "web_site", "webpage", "web_page", "online", "link", "intranet", "web_address",
        "homepage",
    ),
    Kind.HANDLE: (
        "teams", "ms_teams", "microsoft_teams", "skype", "lync", "sip", "twitter", "facebook", "instagram", "linkedin",
        "snapchat", "tiktok", "messenger", "telegram", "signal", "wickr", "user_name", "username", "handle",
    ),
    Kind.POSTCODE: (
        "postcode", "post_code", "zip", "zip_code", "zipcode",
    ),
}
"""Kind -> its labels, `_` where a space, a hyphen or nothing may stand."""

QUALIFIERS = (
    "home", "work", "office", "reply", "our", "your", "my", "alternative", "alt", "other", "preferred", "daytime",
    "evening", "day", "night", "main", "business", "personal", "private", "new", "old", "current", "direct", "no",
    "nos", "number", "numbers", "num", "address", "contact", "details", "id", "line", "dial", "force", "duty",
    "emergency", "staff", "officer", "officers", "secure", "police", "unit", "team", "desk", "sender", "senders",
    "recipient", "return", "of", "the", "or", "and", "if", "any", "internal", "external", "mobile", "tel",
    "telephone", "phone", "email", "name", "uk", "pnn", "cjsm", "civil", "military", "network", "full", "permanent",
    "postal", "correspondence", "for", "area", "code", "extension", "ext", "fax", "account", "user", "profile",
    "work's", "out", "hours",
)
"""Words that may stand beside a label in its cell without changing what it announces."""

OTHER_WORDS = (
    "date", "time", "ref", "reference", "name", "surname", "forename", "forenames", "subject", "sent", "from", "cc",
    "bcc", "re", "rank", "collar", "warrant", "shoulder", "pay", "qty", "quantity", "total", "amount", "cost",
    "price", "vrm", "crime", "cad", "urn", "custody", "exhibit", "account", "sort", "invoice", "order", "pages",
    "page", "status", "title", "post", "role", "grade", "unit", "department", "dept", "organisation",
    "organization", "signature", "signed", "dob", "born", "age", "sex", "description", "notes", "attachments",
    "attachment", "version", "serial", "isbn", "policy", "issue", "batch", "ni", "pnc", "registration", "vehicle",
    "make", "model", "views", "file", "form", "centre", "budget", "value", "count", "year",
)
# fmt: on
"""Heads of cells that hold no contact detail; such a column or field is not searched for loose values."""


def alternatives(kind: Kind) -> str:
    """A regular expression, without groups that capture, for every label of `kind`, longest first."""
    return "|".join(noisy_pattern(w) for w in sorted(WORDS[kind], key=len, reverse=True))


_NUMBER_WORD = "|".join(noisy_pattern(w) for w in ("number", "num", "nos", "no", "line", "dial", "id"))
NUMBER_WORDS = rf"(?:[ .]{{0,2}}(?:{_NUMBER_WORD})\b\.?|[ ]?#)?"
"""What may follow a label: `Tel No.`, `Fax number`."""
AFTER_LABEL = r"[ \t]{0,3}[:;.,\-–—=>)\]*_]{0,3}[ \t\n]{0,3}"
"""What may stand between a label and its value."""


def labelled(kind: Kind, value: str, *, between: str = "") -> re.Pattern[str]:
    """`value` (which must name its group `value`) behind a label of `kind`."""
    head = rf"(?<![A-Za-z0-9@._/])(?:{alternatives(kind)})(?![A-Za-z]){NUMBER_WORDS}"
    return re.compile(head + AFTER_LABEL + between + value)


_KIND_ORDER = (
    Kind.FAX,
    Kind.PAGER,
    Kind.RADIO,
    Kind.EMAIL,
    Kind.HANDLE,
    Kind.URL,
    Kind.POSTCODE,
    Kind.EXTENSION,
    Kind.PHONE,
    Kind.ADDRESS,
)
_WHOLE = {kind: re.compile(rf"(?:{alternatives(kind)})", re.IGNORECASE) for kind in _KIND_ORDER}
_LETTER_LABEL = {
    **dict.fromkeys("tmpd", Kind.PHONE),
    "f": Kind.FAX,
    "e": Kind.EMAIL,
    "w": Kind.URL,
    "x": Kind.EXTENSION,
}
_OTHER = re.compile(rf"(?:{'|'.join(noisy_pattern(w) for w in OTHER_WORDS)})")
_QUALIFIER = re.compile(rf"(?:{'|'.join(noisy_pattern(w) for w in QUALIFIERS)})")
_PARENTHESIS = re.compile(r"[(\[{][^)\]}]*[)\]}]?")
_TOKEN = re.compile(r"[A-Za-z0-9|!'@&]+(?:-[A-Za-z0-9]+)*")


@lru_cache(maxsize=8192)
def label_kind(text: str) -> Kind | None:
    """The kind that a cell announces when it is nothing but a label; None for a value, prose or another label.

    `Home address`, `Tel / Ext`, `Alternative mobile (one digit per box)` are labels; `mobile patrols` is not.
    """
    bare = _PARENTHESIS.sub(" ", text).strip(" \t:;.,*-–—_|#")
    tokens = _TOKEN.findall(bare)
    if not tokens or len(tokens) > 5 or len(bare) > 48:
        return None
    if len(tokens) == 1 and len(tokens[0]) == 1:
        return _LETTER_LABEL.get(tokens[0].lower()) if text.strip()[1:2] in (":", ".") else None
    joined = "_".join(tokens)
    for kind in _KIND_ORDER:
        if _WHOLE[kind].fullmatch(joined.replace("_", " ")):
            return kind
    kinds = []
    for token in tokens:
        found = next((kind for kind in _KIND_ORDER if _WHOLE[kind].fullmatch(token)), None)
        if found is not None:
            kinds.append(found)
        elif not _QUALIFIER.fullmatch(token):
            return None
    specific = [k for k in kinds if k is not Kind.ADDRESS]
    return (specific or kinds or [None])[0]


@lru_cache(maxsize=8192)
def is_label(text: str) -> bool:
    """Whether a cell announces something: a contact detail or anything else (`Our ref:`, `Date`)."""
    stripped = text.strip()
    if not stripped or len(stripped) > 60:
        return False
    if label_kind(stripped) is not None:
        return True
    tokens = _TOKEN.findall(_PARENTHESIS.sub(" ", stripped))
    if not tokens or len(tokens) > 6 or any(c.isdigit() for c in stripped):
        return False
    return stripped.endswith(":") or any(_OTHER.fullmatch(t) for t in tokens)


@lru_cache(maxsize=8192)
def is_other_label(text: str) -> bool:
    """Whether a cell announces something that is not a contact detail."""
    return label_kind(text) is None and is_label(text)
