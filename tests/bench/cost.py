"""CPU seconds per page of `foi redact`, on good and bad scans and by stage, beside raw Tesseract on the same pages.

    python -m tests.bench.cost [FOLDER]         default: 64 drawn records, half good scans, half bad
    python -m tests.bench.cost --one            again with one file at a time, for the ratio of wall clocks
    python -m tests.bench.cost --beside VENV    OCRmyPDF and Presidio's image redactor on the same pages as well,
                                                from an environment with `ocrmypdf` and `presidio-image-redactor`

Raw means `tesseract page.pgm - --psm 3 tsv` on the page's raster as 300-dpi grey, one thread. Whole processes are
counted with all their children.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import Image

from infra.redact_folder import FolderRedaction, gather
from tasks.errors import RejectedInputError
from tasks.reading.engine import write_pgm
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import ReadingSettings
from tasks.reading.straighten import to_grey
from tasks.request import Policy
from tests.corpus.write import TEMPLATES, write_set

DPI = 300

SETS = {"good scans": ("clean", "office"), "bad scans": ("fax", "poor")}
ONE_THREAD = {**os.environ, "OMP_THREAD_LIMIT": "1"}


def write_pages(folder: Path, pages: Path) -> int:
    """Every page below `folder` as a 300-dpi grey PGM; returns how many."""
    count = 0
    for one in gather([folder]):
        data = one.path.read_bytes()
        try:
            for raster in rasterise(data, inspect(data)):
                across, down = DPI / raster.dpi[0], DPI / raster.dpi[1]
                write_pgm(pages / f"{count:05d}.pgm", cv2.resize(to_grey(raster), None, fx=across, fy=down))
                count += 1
        except RejectedInputError:
            continue
    return count


def run(*commands: list[str]) -> float:
    """CPU seconds of commands, one after the other, each with all it starts.

    Raises:
        subprocess.CalledProcessError: one failed.
    """

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    for command in commands:
        subprocess.run(command, env=ONE_THREAD, capture_output=True, check=True)
    return spent() - before


def redact(folder: Path, output: Path, jobs: int) -> tuple[dict[str, float], float]:
    """What `foi redact` takes: CPU seconds by stage, and seconds by the clock, in which the readers start as well."""
    work = FolderRedaction(output, Policy(), ReadingSettings(), jobs)
    begun = time.monotonic()
    work.run(gather([folder]))
    return dict(work.cpu_s), time.monotonic() - begun


def ocrmypdf(beside: Path, pages: Path, scratch: Path) -> float:
    """CPU seconds of OCRmyPDF reading the pages, nothing else."""
    document = scratch / "pages.pdf"
    first, *rest = (Image.open(page) for page in sorted(pages.iterdir()))
    first.save(document, save_all=True, append_images=rest, resolution=DPI)
    command = [str(beside / "bin" / "ocrmypdf"), "--jobs", "1", "--output-type", "pdf"]
    return run([*command, str(document), str(scratch / "read.pdf")])


def presidio(beside: Path, pages: Path, scratch: Path) -> float:
    """CPU seconds of Presidio's image redactor, without a language model."""
    (scratch / "presidio").mkdir()
    script = Path(__file__).with_name("presidio_redactor.py")
    return run([str(beside / "bin" / "python"), str(script), str(pages), str(scratch / "presidio")])


@dataclass(frozen=True, slots=True)
class Cost:
    """What the pages of one set took, CPU seconds: raw, and by stage; seconds by the clock."""

    pages: int
    raw: float
    stages: Mapping[str, float]
    clock: float

    @property
    def total(self) -> float:
        """All stages."""
        return sum(self.stages.values())


def measure(folder: Path, scratch: Path) -> Cost:
    """Both on one folder. Its pages stay in `scratch`/pages."""
    pages = scratch / "pages"
    pages.mkdir(parents=True)
    count = write_pages(folder, pages)
    stages, clock = redact(folder, scratch / "out", os.cpu_count() or 1)
    raw = run(*(["tesseract", str(page), "-", "--psm", "3", "tsv"] for page in sorted(pages.iterdir())))
    return Cost(count, raw, stages, clock)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--records", type=int, default=32, help="of each of the two")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--one", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch, folders = Path(name), {"": options.folder}
        if options.folder is None:
            folders = {kind: scratch / kind / "requests" for kind in SETS}
            for kind, qualities in SETS.items():
                turns = [(TEMPLATES[n % len(TEMPLATES)], qualities[n % 2]) for n in range(options.records)]
                write_set(scratch / kind, options.seed, turns)
        costs = {kind: measure(folder, scratch / "work" / kind) for kind, folder in folders.items()}
        print(f"{'':<12}{'pages':>6}{'raw Tesseract':>15}{'foi redact':>12}{'x raw':>8}    CPU s a page")
        for kind, cost in costs.items():
            shown = cost.raw / cost.pages, cost.total / cost.pages, cost.total / cost.raw
            print(f"{kind:<12}{cost.pages:>6}{shown[0]:>15.2f}{shown[1]:>12.2f}{shown[2]:>8.2f}")
        pages, raw = (sum(getattr(cost, of) for cost in costs.values()) for of in ("pages", "raw"))
        print(f"\n{pages} pages in all\n{'':<28}CPU s a page   x raw")

        def row(name: str, seconds: float) -> None:
            print(f"{name:<28}{seconds / pages:>12.2f}{seconds / raw:>8.2f}")

        row("raw Tesseract", raw)
        stages = Counter[str]()
        for cost in costs.values():
            stages.update(cost.stages)
        for job, seconds in stages.most_common():
            row(f"  {job}", seconds)
        row("foi redact", stages.total())
        if options.beside:
            works = [scratch / "work" / kind for kind in costs]
            for title, other in {"OCRmyPDF, reading only": ocrmypdf, "Presidio's image redactor": presidio}.items():
                row(title, sum(other(options.beside, work / "pages", work) for work in works))
        clock = sum(cost.clock for cost in costs.values())
        print(f"{'':<28}{clock / pages:>12.2f} s a page by the clock, {os.cpu_count()} at a time")
        if options.one:
            alone = sum(redact(folder, scratch / "one" / kind, 1)[1] for kind, folder in folders.items())
            print(f"{'':<28}{alone / pages:>12.2f} s a page by the clock, 1 at a time: {alone / clock:.2f} x")


if __name__ == "__main__":
    main()
