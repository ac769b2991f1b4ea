"""Terms that the request's policy names.

Rule kept here: compared without case and through look-alikes; a term of fewer than four characters must be exact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tasks.contacts.confusion import noisy_pattern
from tasks.contacts.recogniser import Pattern, Recogniser
from tasks.model import Kind


@lru_cache(maxsize=64)
def recogniser_for(terms: Sequence[str]) -> Recogniser:
    """A recogniser for these terms (a tuple); words of a term may stand on two lines."""
    patterns = []
    for term in sorted({t.strip() for t in terms if t.strip()}, key=lambda t: (-len(t), t)):
        exact = len(re.sub(r"\W", "", term)) < 4
        words = [
            re.escape(w) if exact else noisy_pattern(w.lower()) for w in unicodedata.normalize("NFC", term).split()
        ]
        value = r"[ ]*[-.]?[ \t\n]{1,2}".join(words)
        regex = re.compile(rf"(?<![A-Za-z0-9])(?P<value>{value})(?![A-Za-z0-9])")
        patterns.append(Pattern("exact" if exact else "noisy", regex, 1.0))
    return Recogniser(Kind.TERM, tuple(patterns))
