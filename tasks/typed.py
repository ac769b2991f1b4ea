"""Contact details in what people typed: titles, reasons, letters.

Rule kept here: the recognisers are loaded with the first text. Building their patterns takes most of a second of every
process, and most have no text to look through: a run that finds nothing changed, or joins another, or a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasks.request import Policy

Withhold = Callable[[Sequence[str], Policy, Sequence[str]], Sequence[str]]
"""Texts, policy, terms -> each text with every contact detail and every term replaced: `withhold_in_texts` here, or
`Readers.withhold` in a process that has the recognisers loaded already."""


def holds_contact(text: str, policy: Policy, terms: Sequence[str] = ()) -> bool:
    """Whether a text holds a contact detail that the policy withholds, or one of the terms."""
    from tasks.contacts.plain import find_in_text

    return bool(find_in_text(text, policy, terms))


def withhold_in_texts(texts: Sequence[str], policy: Policy, terms: Sequence[str]) -> Sequence[str]:
    """Each text with every contact detail, and every one of the terms, replaced."""
    from tasks.contacts.plain import withhold_in_text

    return [withhold_in_text(text, policy, terms) for text in texts]
