"""Host names: which endings exist, and which a scan may have meant.

Rule kept here: nothing is fetched. The public suffix list is the snapshot inside `tldextract`; internal endings and the
anchors of government networks are listed here.
"""

from __future__ import annotations

import re
from functools import lru_cache

import tldextract
from rapidfuzz import fuzz

from tasks.contacts.confusion import distance, skeleton

_EXTRACT = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

# fmt: off
INTERNAL_SUFFIXES = frozenset((
    "corp", "example", "home", "internal", "intra", "intranet", "invalid", "lan", "local", "localdomain",
    "localhost", "onion", "private", "test",
))
# fmt: on
"""Endings that never resolve in public (RFC 2606, RFC 6761, RFC 6762) but stand in records all the same."""

# fmt: off
COMMON_SUFFIXES = frozenset((
    "at", "au", "be", "biz", "ca", "ch", "co", "com", "cymru", "de", "dk", "edu", "es", "eu", "fi", "fr", "gov",
    "ie", "info", "int", "io", "it", "london", "me", "mil", "net", "nl", "no", "nz", "org", "pl", "pt", "scot",
    "se", "tv", "uk", "us", "wales",
))
# fmt: on
"""Endings taken for a host name's without an `@`, `www` or scheme in front."""

ANCHORS = (
    "pnn.police.uk",
    "police.uk",
    "cjsm.net",
    "gsi.gov.uk",
    "gcsx.gov.uk",
    "mod.gov.uk",
    "gov.uk",
    "mod.uk",
    "nhs.net",
    "nhs.uk",
    "parliament.uk",
    "ac.uk",
    "sch.uk",
    "org.uk",
    "co.uk",
)
"""Endings of more than one label that records are full of; matched through noise."""

_ANCHOR_SKELETONS = tuple((skeleton(a.replace(".", "")), a) for a in ANCHORS)
LABELS = (
    frozenset(label for a in ANCHORS for label in a.split("."))
    | INTERNAL_SUFFIXES
    | frozenset({"com", "org", "net", "eu", "edu", "info", "scot"})
)
"""Words that stand in a domain when a scan has lost its dots; compared by skeleton."""
_LABEL_SKELETONS = frozenset(skeleton(label) for label in LABELS)

_LONG_SUFFIX_SKELETONS = frozenset(skeleton(suffix) for suffix in INTERNAL_SUFFIXES if len(suffix) >= 5)

_LETTERS = str.maketrans({"0": "o", "1": "l", "|": "l", "!": "l", "5": "s"})
# fmt: off
_FILE_ENDINGS = frozenset((
    "aspx", "csv", "doc", "docx", "exe", "gif", "htm", "html", "jpeg", "jpg", "mdb", "msg", "pdf", "png", "ppt",
    "pptx", "pst", "rtf", "tif", "tiff", "txt", "xls", "xlsx", "xml", "zip",
))
# fmt: on


WORN_ENDINGS = ("pnnpoliceuk", "policeuk", "nhsuk", "nhsnet", "govuk", "orguk", "couk", "example")


def likeness_to_ending(letters: str) -> float:
    """How like the end of `letters` is to an ending that records are full of, its dots left out; 0 to 100.

    For places where something else says that an ending follows; a sentence has such letters too.
    """
    folded = re.sub(r"[^a-z]", "", letters.translate(_LETTERS).lower())
    best = 0.0
    for ending in WORN_ENDINGS:
        for length in range(len(ending) - 2, len(ending) + 2):
            if 4 <= length <= len(folded) - 2:
                best = max(best, fuzz.ratio(ending, folded[-length:]))
    return best


def is_domain_word(word: str) -> bool:
    """Whether a bare word may be a label of a domain whose dots were lost (`police`, `uk`)."""
    return skeleton(word.strip(".,;:")) in _LABEL_SKELETONS


@lru_cache(maxsize=16384)
def host_score(host: str) -> float:
    """How sure it is that `host` (dots in place, any case) is a host name: 1 known ending, 0.8 through noise, 0 no."""
    clean = host.strip(".").lower().replace(",", ".").replace(":", ".").replace(";", ".").replace("·", ".")
    clean = re.sub(r"\.{2,}", ".", re.sub(r"\s+", "", clean))
    labels = clean.split(".")
    if len(labels) < 2 or labels[-1] in _FILE_ENDINGS or not any(c.isalpha() for c in labels[-1]):
        return 0.8 if anchored(host) else 0.0
    if labels[-1] in INTERNAL_SUFFIXES:
        return 1.0
    found = _EXTRACT(clean)
    if found.suffix and found.domain:
        return 1.0 if found.suffix.split(".")[-1] in COMMON_SUFFIXES else 0.6
    if found.suffix and not found.domain and len(labels) >= 2:
        return 0.9
    if skeleton(labels[-1]) in _LONG_SUFFIX_SKELETONS:
        return 0.8
    letters = labels[-1].translate(_LETTERS)
    if letters != labels[-1]:
        return 0.8 * host_score(".".join([*labels[:-1], letters]))
    return 0.8 if anchored(host) else 0.0


@lru_cache(maxsize=16384)
def anchored(host: str) -> str:
    """The anchor that `host` ends with, at weighted edit distance up to 2 (short anchors: 1), or ""."""
    bare = skeleton(re.sub(r"[^A-Za-z0-9|!]", "", host))
    for skel, anchor in _ANCHOR_SKELETONS:
        limit = 2.0 if len(skel) >= 8 else 1.0 if len(skel) >= 5 else 0.0
        if len(bare) < len(skel) + 1:
            continue
        if bare.endswith(skel):
            return anchor
        if limit and any(
            distance(skel, bare[-n:], limit) <= limit for n in range(len(skel) - 1, len(skel) + 2) if len(bare) > n
        ):
            return anchor
    return ""
