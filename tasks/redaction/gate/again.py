"""The same record, made twice.

Rule kept here: what chance had a hand in may not leave, because nobody could tell what else differs.
"""

from __future__ import annotations

import hashlib

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS


def check_again(pdf: bytes, again: bytes) -> tuple[Finding, ...]:
    """Whether the same input, policy and version gave the same bytes twice; A30 when chance had a hand in them."""
    if hashlib.sha256(pdf).digest() == hashlib.sha256(again).digest():
        return ()
    return (Finding("A30", None, None, f"The record is {FAULTS['A30']}."),)
