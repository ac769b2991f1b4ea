"""What a child may say beside the code of its error.

Rule kept here: sentences that this program itself has, with page numbers and sizes in them; anything else is dropped.
A child that a file took over could put the record's text there, and details are shown, logged and kept by Prefect.
"""

from __future__ import annotations

import builtins
import re

_NUMBER = r"\d{1,6}"
_LIMIT = r"\d{1,10}"

SENTENCES = (
    "The PDF does not open.",
    "The PDF's structure cannot be read.",
    "Its pages cannot be counted.",
    "It has # pages, not #.",
    "It has no page.",
    "More than # pages.",
    "Page # is missing.",
    "Page # cannot be read.",
    "Page # cannot be drawn.",
    "Page # cannot be decoded.",
    "Page # has no pixels.",
    "Page # lacks its last rows.",
    "Page #: # x # px, limit ## px.",
    "Page #: # x # px, limit # px a side.",
    "Page # would have # x # px, limit ## px.",
    "Something on page # cannot be decoded.",
    "An image of # x # px, limit ## px.",
    "An image declares too many pixels.",
    "The image's header cannot be read.",
    "The image's frames cannot be counted.",
    "A JPEG cannot be read.",
    "## bytes, limit ##.",
    "Memory.",
    "The result is too large.",
    "Tesseract 5 is not installed.",
    "Tesseract has no data for the language.",
    "No room for temporary files.",
    "No memory.",
    "Exit status #.",
    "Exit status -#.",
    "No answer within # s.",
    "The second reader failed: @.",
    "@",
)
"""# is a page or a side, ## a limit, @ the name of an exception."""

EXCEPTIONS = (
    *("error", "PdfError", "PdfiumError", "FileDataError", "DecodeError", "LinAlgError"),
    *(name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)),
)
"""Of Python, and of the libraries at work in a child (`error` is OpenCV's and zlib's)."""


def _pattern(sentence: str) -> str:
    parts = {"##": _LIMIT, "#": _NUMBER, "@": f"(?:{'|'.join(EXCEPTIONS)})"}
    return "".join(parts.get(part, re.escape(part)) for part in re.split("(##?|@)", sentence))


_KNOWN = re.compile("|".join(map(_pattern, SENTENCES)))


def safe_detail(detail: str) -> str:
    """The detail, if it is one of ours; else nothing."""
    return detail if _KNOWN.fullmatch(detail) else ""
