"""The verdict: whether exactly these bytes may leave.

Rules kept here: the verdict is on bytes, with readers that did not write them (pikepdf, pypdfium2, Pillow); every check
runs on every file, and one finding is enough; a check that cannot finish, and a file that does not open, are findings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tasks.errors import TransientError
from tasks.model import Finding, RedactionPlan, Transcript, VerificationReport
from tasks.redaction.gate import (
    container,
    content,
    edges,
    font,
    images,
    marks,
    names,
    pixels,
    structure,
    tags,
    text,
    values_in_pdf,
)
from tasks.redaction.gate.bounds import fits_its_pages
from tasks.redaction.gate.checks import BOUNDED, FILE_CHECKS, OPENS, PAGE_CHECKS, REREAD, RereadAll
from tasks.redaction.gate.edges import Surroundings, reread_surroundings, surroundings
from tasks.redaction.gate.output import Output, PageView

_ROOMS = (container, content, edges, font, images, marks, names, pixels, structure, tags, text, values_in_pdf)
"""Importing them enters their checks."""

REREAD_TOGETHER_PX = 30_000_000
"""Pixels of the surroundings of marks that are read by one process: it takes longer to start than to read those of a
page, and what waits for it is in memory."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "look-at-source": ("A24",),
    "check-values": ("A25",),
    "check-visible": ("A26",),
    "check-again": ("A30",),
}
"""Checks of something other than one output: the source, the bundle, all outputs together, the same one twice."""


def named_checks(with_reread: bool) -> dict[str, tuple[str, ...]]:
    """Every check by name, with the codes of the attacks it answers."""
    of_file = {check.name: check.codes for check in FILE_CHECKS}
    of_page = {check.name: check.codes for check in PAGE_CHECKS}
    return {OPENS: ("A00",), BOUNDED: ("A29",), **of_file, **of_page, **({REREAD: ("A09",)} if with_reread else {})}


def check_record(
    pdf: bytes,
    plan: RedactionPlan,
    transcript: Transcript,
    reread: RereadAll | None = None,
) -> VerificationReport:
    """The verdict on one redacted record.

    Args:
        pdf: exactly the bytes that would be published.
        plan: what was to be hidden.
        transcript: what was read from the source.
        reread: reads sheets of grey pixels (height, width) at a resolution in dpi and gives the words of each; without
            it the surroundings of marks are not read again, and the report's `checks` does not name that check.

    Returns:
        The report; it never holds a value. Nothing is raised for a bad file.

    Raises:
        TransientError: from `reread`.
    """
    findings: list[Finding] = []
    try:
        output = Output(pdf, plan, transcript)
    except Exception:  # whatever it is, a file that does not open may not leave
        findings.append(Finding("A00", None, None, "The file does not open."))
    else:
        try:
            findings += _guarded(BOUNDED, ("A29",), None, partial(fits_its_pages, output))
            if not findings:  # the others decode everything
                findings += _run_file_checks(output)
                findings += _run_page_checks(output, reread)
        finally:
            output.close()
    return VerificationReport(
        file_sha256=hashlib.sha256(pdf).hexdigest(),
        pages=len(transcript.pages),
        checks=tuple(named_checks(reread is not None)),
        findings=tuple(dict.fromkeys(findings)),
    )


def _run_file_checks(output: Output) -> Iterator[Finding]:
    for check in FILE_CHECKS:
        yield from _guarded(check.name, check.codes, None, partial(check.run, output))


def _run_page_checks(output: Output, reread: RereadAll | None) -> Iterator[Finding]:
    around: list[Surroundings] = []
    for page in output.transcript.pages[: len(output.pdf.pages)]:
        view = PageView(output, page)
        for check in PAGE_CHECKS:
            yield from _guarded(check.name, check.codes, page.page, partial(check.run, view))
        if reread is not None:
            yield from _guarded(REREAD, ("A09",), page.page, partial(_look_around, view, around))
            if sum(one.size_px for one in around) > REREAD_TOGETHER_PX:
                yield from _reread(output, around, reread)
                around = []
    if reread is not None:
        yield from _reread(output, around, reread)


def _reread(output: Output, around: Sequence[Surroundings], reread: RereadAll) -> Iterator[Finding]:
    if any(one.sheets or one.known for one in around):
        read = partial(reread_surroundings, around, output.plan.withheld, reread)
        yield from _guarded(REREAD, ("A09",), None, read)


def _look_around(view: PageView, around: list[Surroundings]) -> Iterator[Finding]:
    """Keep what has to be read again of a page; its pixels can go."""
    around.append(surroundings(view))
    yield from ()


def _guarded(
    name: str, codes: tuple[str, ...], page: int | None, run: Callable[[], Iterator[Finding]]
) -> Iterator[Finding]:
    """A check's findings; if it cannot finish, that is one too."""
    try:
        yield from list(run())
    except TransientError:  # says nothing of the file, and a finding would be kept
        raise
    except Exception:  # fail closed, and keep the reason out of the report: it could quote the file
        yield Finding(codes[0], page, None, f"The check {name} could not finish.")
