"""CPU seconds per page of `foi redact` on a document drawn by a program: its text layer believed, and read anyway.

    python -m tests.bench.drawn                 60 pages of letters, policies, minutes and logs in one file
    python -m tests.bench.drawn --file A.pdf    another file

Both runs in one process, one after the other, all children counted. The ratio of the two is what believing saves; a
process of its own for every 16 pages and everything else that pages have in common is in both.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import msgspec
import pymupdf

from infra.redact_folder import FolderRedaction, gather
from tasks.reading.settings import OcrSettings, ReadingSettings
from tasks.request import Policy
from tests.corpus import letters, tables
from tests.corpus.cast import Cast

TEMPLATES = (letters.council_letter, letters.plain_policy, tables.minutes, letters.email_thread, tables.incident_log)
"""Level text, rules and panels, as most of what offices write; none with a slanted stamp or a picture."""


def draw(pages: int, seed: int = 1) -> bytes:
    """One PDF of so many pages with one set of fonts, as an office program writes it."""
    with pymupdf.open() as whole:
        turn = 0
        while whole.page_count < pages:
            for leaf in TEMPLATES[turn % len(TEMPLATES)](Cast(f"drawn/{seed}/{turn}")):
                if whole.page_count < pages:
                    whole.insert_pdf(leaf.document)
            turn += 1
        whole.subset_fonts()
        data: bytes = whole.tobytes(garbage=4)
    with pymupdf.open(stream=data) as whole:  # what was merged into one subset is one object only now
        return bytes(whole.tobytes(garbage=4, deflate=True))


def redact(file: Path, output: Path, trust: bool) -> tuple[dict[str, float], int]:
    """CPU seconds by stage, and the marks that were made."""
    work = FolderRedaction(output, Policy(), ReadingSettings(OcrSettings(trust=trust)), jobs=1)
    work.run(gather([file]))
    result = msgspec.json.decode((output / f"{file.stem}.json").read_bytes())
    return dict(work.cpu_s), len(result["marks"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--pages", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        file = options.file or Path(scratch, "drawn.pdf")
        if options.file is None:
            file.write_bytes(draw(options.pages))
        with pymupdf.open(file) as document:
            pages = document.page_count
        (believed, marks), (read, marks_read) = (
            redact(file, Path(scratch, f"out-{trust}"), trust) for trust in (True, False)
        )
    print(f"{pages} pages\n{'CPU ms a page':<20}{'believed':>10}{'read':>10}{'ratio':>8}")

    def row(name: str, a: float, b: float) -> None:
        print(f"{name:<20}{1000 * a / pages:>10.0f}{1000 * b / pages:>10.0f}{f'1/{b / a:.1f}' if a else '':>8}")

    for job in sorted(read, key=lambda job: -read[job]):
        row(f"  {job}", believed.get(job, 0.0), read[job])
    row("foi redact", sum(believed.values()), sum(read.values()))
    print(f"{'marks':<20}{marks:>10}{marks_read:>10}")


if __name__ == "__main__":
    main()
