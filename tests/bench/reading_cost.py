"""CPU seconds per page of `foi redact`, beside raw Tesseract on the same pages in the same run.

    python -m tests.bench.reading_cost [FOLDER]      default: the sample request

Raw means `tesseract page.pgm - --psm 3 tsv` on the page's raster as 300-dpi grey, one thread. Whole processes are
counted, children included.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2

from infra.demo.sample import write_sample
from infra.redact_folder import gather
from tasks.errors import RejectedInputError
from tasks.reading.engine import write_pgm
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.straighten import to_grey

DPI = 300


def cpu_of(work: Callable[[], None]) -> float:
    """CPU seconds of the processes that `work` starts."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    work()
    return spent() - before


def write_pages(folder: Path, pages: Path) -> int:
    """Every page below `folder` as a 300-dpi grey PGM; returns how many."""
    count = 0
    for one in gather([folder]):
        data = one.path.read_bytes()
        try:
            rasters = list(rasterise(data, inspect(data)))
        except RejectedInputError:
            continue
        for raster in rasters:
            scale = (DPI / raster.dpi[0], DPI / raster.dpi[1])
            write_pgm(pages / f"{count:05d}.pgm", cv2.resize(to_grey(raster), None, fx=scale[0], fy=scale[1]))
            count += 1
    return count


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else write_sample(work / "sample")
        (work / "pages").mkdir()
        pages = write_pages(folder, work / "pages")

        def raw() -> None:
            for page in sorted((work / "pages").iterdir()):
                subprocess.run(
                    ["tesseract", page, "-", "--psm", "3", "tsv"],
                    env={**os.environ, "OMP_THREAD_LIMIT": "1"},
                    capture_output=True,
                    check=True,
                )

        def redact() -> None:
            command = [sys.executable, "-m", "infra.cli", "redact", str(folder), "--output", str(work / "out")]
            subprocess.run(command, capture_output=True, check=False)

        ours, theirs = cpu_of(redact) / pages, cpu_of(raw) / pages
        print(f"{pages} pages      CPU s a page")
        print(f"raw Tesseract      {theirs:6.2f}")
        print(f"foi redact         {ours:6.2f}   {ours / theirs:.2f} x")


if __name__ == "__main__":
    main()
