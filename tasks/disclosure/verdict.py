"""What a verification says: one plain sentence a check, and whether it holds.

Rule kept here: a bad bundle is an answer, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

MAX_NAMED = 5
"""Files a sentence names before it says how many more."""

MAX_QUOTED = 4000
"""Characters of a bundle's text that a sentence quotes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that holds or does not, in words for anyone."""

    name: str
    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of one bundle.

    Attributes:
        ok: whether every check holds.
        trusted: whether the signature is by a key the verifier brought along.
        reference: as the signed statement says, or "".
        version: as the signed statement says, or 0.
        checks: in the order in which they were made.
        signed_by: identifier of the key that signed the statement, or "".
        bag: SHA-256 of the tag manifest, hex: what a disclosure log calls the bundle by; "" when there is none.
    """

    ok: bool
    trusted: bool
    reference: str
    version: int
    checks: tuple[Check, ...]
    signed_by: str = ""
    bag: str = ""

    def plus(self, check: Check) -> Verdict:
        """This verdict with one check more."""
        return replace(self, ok=self.ok and check.ok, checks=(*self.checks, check))


def quoted(untrusted: str) -> str:
    """Text of a bundle within a sentence of ours: nothing in it moves a cursor or looks like another letter."""
    shown = ascii(untrusted)[1:-1]
    return shown if len(shown) <= MAX_QUOTED else shown[:MAX_QUOTED] + "..."


def named(paths: Iterable[str]) -> str:
    """Some paths of a bundle, for a sentence."""
    every = sorted(paths)
    shown = ", ".join(quoted(path) for path in every[:MAX_NAMED])
    return shown + (f" and {len(every) - MAX_NAMED} more" if len(every) > MAX_NAMED else "")


def guarded(name: str, check: Callable[[], list[Check]]) -> list[Check]:
    """The checks, or a failed one when the bundle breaks them in a way nobody thought of."""
    try:
        return check()
    except Exception:
        return [Check(name, False, "This could not be checked: the bundle is malformed.")]
