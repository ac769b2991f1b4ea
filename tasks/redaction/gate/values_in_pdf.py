"""The withheld values: searched in PDFs, in what is seen of them and in what is not.

What a value is taken for is said in `tasks.redaction.gate.values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pikepdf
import pypdfium2

from tasks.model import Finding
from tasks.redaction.gate.checks import file_check, page_check
from tasks.redaction.gate.output import Output, PageView
from tasks.redaction.gate.values import holds, needles, text_of

STREAM = re.compile(rb"\bstream\r?\n.*?endstream", re.DOTALL)
OFFSET = re.compile(rb"\b\d{10} \d{5} [nf]\b")
"""A row of the cross-reference table; that it tells where an object lies, and nothing else, `container` checks."""


@page_check("A25")
def no_withheld_value_in_the_text_layer(view: PageView) -> Iterator[Finding]:
    """No value stands in the words outside the marks, nor with marked content; what is inside belongs to A01."""
    wanted = needles(view.output.plan.withheld)
    words = [s.text for s in view.shown if not view.regions_met(s)]
    marking = [i for i in view.instructions if str(i.operator) in ("BDC", "DP")]
    noted = {text for instruction in marking for operand in instruction.operands for text in _strings_in(operand)}
    if holds(" ".join(words), wanted) or any(holds(text, wanted) for text in noted):
        yield Finding("A25", view.number, None, "A withheld value stands in the text layer.")


@file_check("A25")
def no_withheld_value_anywhere_in_the_file(output: Output) -> Iterator[Finding]:
    """No value stands in a string, a decoded stream (but for the pages' own), or the bytes outside streams."""
    wanted = needles(output.plan.withheld)
    pages = {o.objgen for page in output.pdf.pages for o in _streams_of(page.obj)}
    if any(holds(text, wanted) for text in _texts_of(output.pdf, pages)) or holds(
        text_of(OFFSET.sub(b" ", STREAM.sub(b" ", output.data))), wanted
    ):
        yield Finding("A25", None, None, "A withheld value stands in the file beside its pages.")


def _streams_of(page: Any) -> list[Any]:
    contents = page.get("/Contents")
    return [contents, *page.Resources.get("/XObject", {}).values()] if contents is not None else []


def _texts_of(pdf: pikepdf.Pdf, passed: set[tuple[int, int]]) -> Iterator[str]:
    """Every string, name and decoded stream of a file but for the streams passed over."""
    for item in pdf.objects:
        yield from _strings_in(item)
        if isinstance(item, pikepdf.Stream) and item.objgen not in passed and item.get("/Subtype") != "/Image":
            yield text_of(item.read_bytes())
    yield from _strings_in(pdf.trailer)


def _strings_in(item: Any) -> Iterator[str]:
    if isinstance(item, pikepdf.String | pikepdf.Name):
        yield str(item)
    elif isinstance(item, pikepdf.Array):
        for child in item:
            if isinstance(child, pikepdf.Object) and not child.is_indirect:
                yield from _strings_in(child)
    elif isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
        for key, child in item.items():
            yield key
            if isinstance(child, pikepdf.Object) and not child.is_indirect:
                yield from _strings_in(child)


def check_visible(records: Mapping[str, bytes], withheld: Sequence[str]) -> tuple[Finding, ...]:
    """Search what is withheld in any record of a request in the pages of every record.

    Args:
        records: redacted PDFs by name.
        withheld: of all records of the request.

    Returns:
        A finding A26 with its page (0-based) for each page that shows a value, saying the record's ordinal in the
        mapping; a record that cannot be read is a finding A00.
    """
    wanted = needles(tuple(withheld))
    findings = []
    for ordinal, pdf in enumerate(records.values(), 1):
        try:
            texts = list(_texts_of_pages(pdf))
        except Exception:  # whatever the reason, what was not searched may not leave
            findings.append(Finding("A00", None, None, f"Record {ordinal} of the bundle cannot be searched."))
            continue
        findings += [
            Finding("A26", page, None, f"Record {ordinal} of the bundle shows what is withheld in another.")
            for page, text in enumerate(texts)
            if holds(text, wanted)
        ]
    return tuple(findings)


def _texts_of_pages(pdf: bytes) -> Iterator[str]:
    """The text of each page, as a reader extracts it."""
    reader = pypdfium2.PdfDocument(pdf)
    try:
        for page in reader:
            text_page = page.get_textpage()
            yield text_page.get_text_range()
            text_page.close()
    finally:
        reader.close()
