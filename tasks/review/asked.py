"""What a person asks to be changed about a dossier's marks, as it is typed.

Rule kept here: marks and boxes are named by numbers alone, so that a form may hold them. Terms are values to withhold:
they travel in an object of the work bucket, never in a form whose answers are kept elsewhere.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import FoiError
from tasks.geometry import Box
from tasks.request import SECTION, Line, fields_at_fault

MARK = r"^[1-9]\d{0,4}\.[1-9]\d{0,5}$"
BOX = r"^[1-9]\d{0,4}:[1-9]\d{0,4}:\d{1,5},\d{1,5},\d{1,5},\d{1,5}$"
MAX_ASKED_BYTES = 1_000_000
LEAST_TERM = 3
"""Letters and digits; a shorter term stands in too many words."""

MarkName = Annotated[str, Field(pattern=MARK)]
"""`record.mark`, e.g. `2.7`."""

BoxName = Annotated[str, Field(pattern=BOX)]
"""`record:page:left,top,right,bottom` in px of the page, e.g. `1:3:120,340,560,390`."""


class CorrectionRefusedError(FoiError):
    """A correction that cannot be made on what is held now."""

    code = "correction-refused"
    message = "The correction was not made."
    action = "Look at what is held now with `foi review`, and correct that."
    exit_code = 2


class Asked(BaseModel):
    """A corrections file; `foi correct` makes one of its options."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    remove: tuple[MarkName, ...] = ()
    boxes: tuple[BoxName, ...] = ()
    terms: tuple[Line, ...] = Field(default=(), repr=False)
    reason: Annotated[str, Field(max_length=2000)] = Field(default="", repr=False)
    exemption: Annotated[str, Field(pattern=f"{SECTION}|^$")] = ""
    public_reason: Annotated[str, Field(max_length=2000)] = Field(default="", repr=False)
    salt: Annotated[str, Field(max_length=64)] = Field(default="", repr=False)


def parse_asked(untrusted: bytes) -> Asked:
    """The corrections in a JSON file.

    Raises:
        CorrectionRefusedError: naming each field at fault, never its value.
    """
    if len(untrusted) > MAX_ASKED_BYTES:
        raise CorrectionRefusedError(f"The file is larger than {MAX_ASKED_BYTES} bytes.")
    try:
        asked = Asked.model_validate_json(untrusted)
    except ValidationError as error:
        raise CorrectionRefusedError(f"{fields_at_fault(error)}.") from None
    check_terms(asked.terms)
    return asked


def check_terms(terms: tuple[str, ...]) -> None:
    """Refuse terms that are too short.

    Raises:
        CorrectionRefusedError: saying which of them by ordinal.
    """
    for ordinal, term in enumerate(terms, 1):
        if sum(c.isalnum() for c in term) < LEAST_TERM:
            raise CorrectionRefusedError(f"Term {ordinal} has fewer than {LEAST_TERM} letters or digits.")


def parse_mark(name: str) -> tuple[int, int]:
    """(record, mark) of `2.7`."""
    record, mark = name.split(".")
    return int(record), int(mark)


def parse_box(name: str) -> tuple[int, int, Box]:
    """(record, 1-based page, box in px) of `1:3:120,340,560,390`."""
    record, page, edges = name.split(":")
    return int(record), int(page), Box(*map(int, edges.split(",")))
