"""Time and memory of `foi redact` by the length of a record, and on one sheet of A3 in colour at 600 dpi.

    python -m tests.bench.growth [--pages 10 100 1000] [--no-sheet]

Records are TIFFs of small, sparse pages, every tenth with a telephone number, worked on by one job. Seconds are by the
clock and of processors, of whole processes with all their children; memory is the highest that was seen five times a
second: of the largest process, and of all at one moment.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.bench.processes import Memory, adopt_orphans, cpu_s_below, memory_watched, reap_orphans
from tests.pictures import encoded, register, typed

A3_AT_600_DPI = (7016, 9921)
PAPER = (246, 240, 226)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one call took."""

    clock_s: float
    cpu_s: float
    memory: Memory


def redact(record: Path, output: Path) -> Taken:
    """One call of `foi redact` on one file.

    Raises:
        subprocess.CalledProcessError: the file was rejected, or the gate refused the result.
    """
    command = [sys.executable, "-m", "infra.cli", "redact", str(record), "--output", str(output), "--jobs", "1"]
    before, begun = cpu_s_below(), time.monotonic()
    with memory_watched() as memory:
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
    clock_s = time.monotonic() - begun
    if code not in (0, 3):
        raise subprocess.CalledProcessError(code, command)
    reap_orphans()
    return Taken(clock_s, cpu_s_below() - before, memory)


def sheet() -> bytes:
    """One sheet of A3 at 600 dpi: typed lines on tinted paper."""
    image = Image.new("RGB", A3_AT_600_DPI, PAPER)
    lines = [
        f"Line {n} of the plan: ring 020 7946 0{n:03d} about it." if n % 8 == 0 else f"Line {n}." for n in range(60)
    ]
    print_ = typed(*lines, height=3700).resize((4960, 14800))
    image.paste(print_.convert("RGB").crop((0, 0, 4960, 9921)), (900, 0))
    return encoded(image, "JPEG", quality=85, dpi=(600, 600))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--no-sheet", action="store_true")
    arguments = parser.parse_args()
    adopt_orphans()
    print(f"{'pages':>10}{'s a page':>12}{'CPU s a page':>14}{'largest MiB':>13}{'together MiB':>14}")
    with tempfile.TemporaryDirectory() as folder:

        def row(name: str, pages: int, suffix: str, data: bytes) -> None:
            record = Path(folder) / f"{name.replace(' ', '-')}{suffix}"
            record.write_bytes(data)
            taken = redact(record, Path(folder) / "out" / name)
            a_page = f"{taken.clock_s / pages:>12.2f}{taken.cpu_s / pages:>14.2f}"
            print(f"{name:>10}{a_page}{taken.memory.largest:>13.0f}{taken.memory.together:>14.0f}", flush=True)

        for pages in arguments.pages:
            row(str(pages), pages, ".tif", register(pages))
        if not arguments.no_sheet:
            row("A3 600 dpi", 1, ".jpg", sheet())


if __name__ == "__main__":
    main()
