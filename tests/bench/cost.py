"""CPU seconds per page of `foi redact`, stage by stage, beside raw Tesseract on the same pages in the same run.

    python -m tests.bench.cost [FOLDER]         default: 46 drawn records, 60 and more pages
    python -m tests.bench.cost --ocrmypdf       OCRmyPDF on the same pages as well, where it is installed
    python -m tests.bench.cost --one            again with one file at a time, for the ratio of wall clocks

Raw means `tesseract page.pgm - --psm 3 tsv` on the page's raster as 300-dpi grey, one thread. Whole processes are
counted with all their children.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
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
from tests.corpus.write import take_turns, write_set

DPI = 300
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


def ocrmypdf(pages: Path, scratch: Path) -> float | None:
    """CPU seconds of OCRmyPDF reading the pages, nothing else; None where it is not installed."""
    command = shutil.which("ocrmypdf")
    if command is None:
        return None
    document = scratch / "pages.pdf"
    first, *rest = (Image.open(page) for page in sorted(pages.iterdir()))
    first.save(document, save_all=True, append_images=rest, resolution=DPI)
    return run([command, "--jobs", "1", "--output-type", "pdf", str(document), str(scratch / "read.pdf")])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--records", type=int, default=46)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ocrmypdf", action="store_true")
    parser.add_argument("--one", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work, folder = Path(scratch), options.folder
        if folder is None:
            write_set(work / "set", options.seed, take_turns(options.seed, options.records))
            folder = work / "set" / "requests"
        (work / "pages").mkdir()
        pages = write_pages(folder, work / "pages")
        stages, clock = redact(folder, work / "out", os.cpu_count() or 1)
        raw = run(*(["tesseract", str(page), "-", "--psm", "3", "tsv"] for page in sorted((work / "pages").iterdir())))
        print(f"{pages} pages\n{'':<28}CPU s a page   x raw")

        def row(name: str, seconds: float) -> None:
            print(f"{name:<28}{seconds / pages:>12.2f}{seconds / raw:>8.2f}")

        row("raw Tesseract", raw)
        for job, seconds in sorted(stages.items(), key=lambda stage: -stage[1]):
            row(f"  {job}", seconds)
        row("foi redact", sum(stages.values()))
        print(f"{'':<28}{clock / pages:>12.2f} s a page by the clock, {os.cpu_count()} at a time")
        if options.one:
            _, alone = redact(folder, work / "out-one", 1)
            print(f"{'':<28}{alone / pages:>12.2f} s a page by the clock, 1 at a time: {alone / clock:.2f} x")
        if options.ocrmypdf:
            other = ocrmypdf(work / "pages", work)
            print("OCRmyPDF is not installed") if other is None else row("OCRmyPDF, reading only", other)


if __name__ == "__main__":
    main()
