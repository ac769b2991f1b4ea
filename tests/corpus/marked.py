"""Text that knows what it says: a contact detail to withhold, a public one, a look-alike to keep, or a printed label.

Rule kept here: what is printed and what is known of it are one string, so the two cannot drift apart. Marks are
private-use characters; a zero-width space is a place where a value may be broken over lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OPEN, MIDDLE, CLOSE = "\ue000", "\ue001", "\ue002"
BREAK = "\u200b"


class Role(StrEnum):
    """What becomes of a marked text."""

    WITHHELD = "withheld"
    PUBLIC = "public"
    KEPT = "kept"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of one marked text; `kind` in capitals, `form` says which way it is written."""

    role: Role
    kind: str
    form: str
    text: str


def withhold(kind: str, form: str, text: str) -> str:
    """A contact detail."""
    return f"{OPEN}{Role.WITHHELD}|{kind}|{form}{MIDDLE}{text}{CLOSE}"


def public(kind: str, text: str) -> str:
    """A contact detail that everybody may see."""
    return f"{OPEN}{Role.PUBLIC}|{kind}|public{MIDDLE}{text}{CLOSE}"


def keep(kind: str, text: object) -> str:
    """Something that only looks like a contact detail."""
    return f"{OPEN}{Role.KEPT}|{kind}|{MIDDLE}{text}{CLOSE}"


def label(text: str) -> str:
    """A printed label beside a value: may be covered, need not be."""
    return f"{OPEN}{Role.LABEL}||{MIDDLE}{text}{CLOSE}"


def plain(marked: str) -> str:
    """What is printed."""
    return read(marked)[0]


def read(marked: str) -> tuple[str, list[Note | None]]:
    """What is printed, and for each of its characters the note it belongs to. Notes are told apart by identity."""
    text: list[str] = []
    notes: list[Note | None] = []
    note: Note | None = None
    for part in marked.replace(OPEN, CLOSE + OPEN).split(CLOSE):
        if part.startswith(OPEN):
            head, _, body = part[1:].partition(MIDDLE)
            role, kind, form = head.split("|")
            clean = body.replace(BREAK, "").replace("\n", " " if kind == "ADDRESS" else "")
            note = Note(Role(role), kind, form, clean)
        else:
            note, body = None, part
        text += body
        notes += [note] * len(body)
    return "".join(text), notes
