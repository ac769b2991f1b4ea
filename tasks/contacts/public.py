"""Contacts that everybody may know and that therefore stay visible.

Rule kept here: a value is public when its normal form equals that of a listed contact, never because it resembles one;
and a public value makes nothing around it public. The list is data with a version and a source for each entry
(`public_contacts.json`); `Policy.public_contacts` adds to it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

import msgspec

from tasks.contacts.confusion import fold_digits, skeleton
from tasks.contacts.recognisers.postcode import candidates
from tasks.model import Kind
from tasks.request import Policy

_NUMBERS = frozenset({Kind.PHONE, Kind.FAX})
_HOSTS = frozenset({Kind.URL, Kind.HANDLE})
_PLACES = frozenset({Kind.ADDRESS, Kind.POSTCODE})


class PublicContact(msgspec.Struct, frozen=True):
    """One entry of the list."""

    kind: Kind
    value: str
    holder: str
    source: str


class PublicList(msgspec.Struct, frozen=True):
    """The list and its version."""

    version: str
    contacts: tuple[PublicContact, ...]


@lru_cache(maxsize=1)
def load_public_list() -> PublicList:
    """The list that ships with this package."""
    data = files("tasks.contacts").joinpath("public_contacts.json").read_bytes()
    return msgspec.json.decode(data, type=PublicList)


def number_form(value: str) -> str:
    """Digits of a telephone number in national form, look-alikes folded: `+44 (0)303 123 1113` is `03031231113`."""
    digits, _ = fold_digits(re.sub(r"\([0Oo]\)", "", value))
    if "+" in value[:3] and digits.startswith("44"):
        return "0" + digits[2:].removeprefix("0")
    if digits.startswith("0044"):
        return "0" + digits[4:].removeprefix("0")
    return digits


def host_form(value: str) -> str:
    """A host without scheme, `www`, path and case, look-alikes folded."""
    bare = re.sub(r"^\W*(?:\w{3,5}[:;]?\s?/{1,2})?\s?", "", value.strip().lower())
    bare = re.split(r"[/?#]", bare, maxsplit=1)[0]
    return skeleton(re.sub(r"^[wv]{3,6}\s?[.,]\s?", "", bare).strip(" .,;:()<>"))


def _postcode_form(value: str) -> str:
    last = None
    for start, end, _ in candidates(value, 0.75):
        last = value[start:end]
    return skeleton(last) if last else ""


def normal_form(kind: Kind, value: str) -> str:
    """What of a value decides whether it is public; "" when nothing does."""
    if kind in _NUMBERS:
        return "n:" + number_form(value)
    if kind in _HOSTS:
        return "h:" + host_form(value)
    if kind is Kind.EMAIL:
        return "e:" + skeleton(value.strip(" .,;:()<>").removeprefix("mailto:"))
    if kind in _PLACES:
        postcode = _postcode_form(value)
        return "p:" + postcode if postcode else ""
    return ""


def _kinds_of(value: str) -> tuple[Kind, ...]:
    if "@" in value:
        return (Kind.EMAIL,)
    if sum(c.isdigit() for c in value) >= max(3, sum(c.isalpha() for c in value)):
        return (Kind.PHONE, Kind.ADDRESS)
    return (Kind.URL, Kind.ADDRESS)


@lru_cache(maxsize=64)
def _forms(extra: tuple[str, ...]) -> frozenset[str]:
    forms = {normal_form(contact.kind, contact.value) for contact in load_public_list().contacts}
    forms |= {normal_form(kind, value) for value in extra for kind in _kinds_of(value)}
    return frozenset(forms - {""})


def is_public(kind: Kind, value: str, policy: Policy) -> bool:
    """Whether a value may stay visible."""
    form = normal_form(kind, value)
    return bool(form) and form in _forms(policy.public_contacts)
