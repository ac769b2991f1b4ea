"""QR codes and barcodes that carry a link or a contact.

Rule kept here: what a symbol says is searched like any text; a symbol that only holds a serial number stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tasks.contacts.recogniser import Recogniser
from tasks.model import Symbol

_CARRIES_CONTACT = re.compile(
    r"(?i)^\s*(?:https?|ftp|mailto|tel|sms|smsto|mmsto|sip|geo|wifi|mecard|bizcard|begin:v(?:card|event)|matmsg|skype|whatsapp|www\.)[:.]|@|://"
)


def carries_contact(symbol: Symbol, recognisers: Iterable[Recogniser]) -> bool:
    """Whether a symbol's text holds a link or a contact detail."""
    return bool(_CARRIES_CONTACT.search(symbol.text)) or any(
        next(iter(recogniser.claims(symbol.text)), None) is not None for recogniser in recognisers
    )
