"""Names and identifiers: fixed, or too short to say anything.

Rule kept here: whatever a file may call its parts, ours always call them the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pikepdf

from tasks.model import Finding
from tasks.redaction.gate.checks import FAULTS, file_check, page_check
from tasks.redaction.gate.output import Output, PageView

RESOURCES = {"/XObject": "/Im1", "/Font": "/F1"}
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")
"""BCP 47: language, script, region."""


@page_check("A33")
def calls_its_parts_by_our_names(view: PageView) -> Iterator[Finding]:
    """The image is Im1 and the font F1 on every page."""
    found = [key for kind, own in RESOURCES.items() for key in view.object.Resources.get(kind, {}) if key != own]
    # A second image or font is a fault of its own, whatever its name.
    if found and all(len(view.object.Resources.get(kind, {})) <= 1 for kind in RESOURCES):
        yield Finding("A33", view.number, None, f"The page holds {FAULTS['A33']}.")


@file_check("A33")
def is_identified_by_itself(output: Output) -> Iterator[Finding]:
    """/ID is two strings of 16 bytes and no digest of the source; /Lang a language tag; switches are switches."""
    known = bytes.fromhex(output.plan.source_sha256)
    parts = [bytes(part) for part in output.pdf.trailer.get("/ID", pikepdf.Array())]
    root = output.pdf.Root
    shown = root.get("/ViewerPreferences", pikepdf.Dictionary()).get("/DisplayDocTitle", True)
    information = output.pdf.trailer.get("/Info", pikepdf.Dictionary())
    if (
        [len(part) for part in parts] != [16, 16]
        or any(part in known for part in parts)
        or not LANGUAGE.fullmatch(str(root.get("/Lang", "")))
        or not isinstance(shown, bool)
        or not all(isinstance(value, pikepdf.String) for value in information.values())
    ):
        yield Finding("A33", None, None, f"The file holds {FAULTS['A33']}.")
