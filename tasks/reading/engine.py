"""The only place that runs Tesseract.

Rule kept here: one process, one thread, one page, its own timeout; what it is given and what it answers lies in a
private folder that is gone afterwards. Tesseract gets a path to a PGM file: handing pytesseract an image makes it
encode a PNG first, which nearly doubles the time of a page. OpenMP makes one page 3 to 8 times dearer when there is
a process per core, so it is switched off for every process this one starts.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytesseract
from pytesseract import pytesseract as engine

from tasks.errors import ConfigurationError, ReaderUnavailableError
from tasks.geometry import Box
from tasks.model import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

os.environ["OMP_THREAD_LIMIT"] = "1"

WORD_LEVEL = "5"
"""TSV rows: 1 page, 2 block, 3 paragraph, 4 line, 5 word."""

EXPLICIT_CONFIG = ("-c tessedit_create_tsv=1", "-c tessedit_create_txt=0")


@cache
def engine_version() -> str:
    """Version of Tesseract, e.g. `tesseract 5.3.0`; part of what a transcript's key is made of.

    Raises:
        ConfigurationError: there is no Tesseract.
    """
    try:
        return f"tesseract {pytesseract.get_tesseract_version()}"
    except (pytesseract.TesseractNotFoundError, SystemExit, OSError):
        raise ConfigurationError("Tesseract 5 is not installed.") from None


def recognise(
    grey: NDArray[np.uint8], *, psm: int, dpi: int, language: str, timeout_s: float, options: tuple[str, ...] = ()
) -> tuple[Word, ...]:
    """The words of one raster, in Tesseract's reading order, each line left to right.

    Args:
        grey: (height, width), dark text on light.
        psm: page segmentation mode.
        dpi: resolution of `grey`; Tesseract guesses badly when it is not told.
        language: traineddata name.
        timeout_s: wall-clock seconds.
        options: further `-c name=value` pairs.

    Returns:
        Words with boxes in px of `grey`; nothing is dropped but empty text.

    Raises:
        ReaderUnavailableError: killed, failed or out of time.
        ConfigurationError: no Tesseract, or no such language.
    """
    config = " ".join((f"--psm {psm} --dpi {dpi}", *EXPLICIT_CONFIG, *options))
    return parse_tsv(_run(grey, config, language, timeout_s, ".tsv"))


def find_turns(grey: NDArray[np.uint8], *, timeout_s: float) -> tuple[int, float]:
    """Tesseract's orientation detection.

    Returns:
        Quarter turns anticlockwise (as `numpy.rot90`) that make the page upright, and the engine's confidence;
        (0, 0.0) when there is too little text to tell.
    """
    try:
        answer = _run(grey, "--psm 0", "osd", timeout_s, ".osd")
    except ReaderUnavailableError:
        return 0, 0.0  # "Too few characters" ends with an exit code like any other failure
    degrees = re.search(r"Orientation in degrees: (\d+)", answer)
    confidence = re.search(r"Orientation confidence: ([\d.]+)", answer)
    if degrees is None or confidence is None:
        return 0, 0.0
    # "Orientation in degrees" is how far the page was turned anticlockwise from upright, counted clockwise back.
    return int(degrees.group(1)) // 90 % 4, float(confidence.group(1))


def parse_tsv(tsv: str) -> tuple[Word, ...]:
    """Words of Tesseract's TSV output, level lines from left to right."""
    lines: dict[tuple[str, ...], list[tuple[Box, float, str]]] = {}
    for row in tsv.splitlines():
        level, *rest = row.split("\t", 11)
        if level != WORD_LEVEL or len(rest) != 11 or not rest[10].strip():
            continue
        left, top, width, height = (int(value) for value in rest[5:9])
        box = Box(left, top, left + width, top + height)
        lines.setdefault(tuple(rest[1:4]), []).append((box, float(rest[9]), rest[10].strip()))
    return tuple(
        Word(text, box, confidence, ordinal)
        for ordinal, line in enumerate(lines.values())
        for box, confidence, text in (line if _runs_upright(line) else sorted(line, key=lambda word: word[0].x0))
    )


def _runs_upright(line: Sequence[tuple[Box, float, str]]) -> bool:
    """Whether a line runs up or down the page; only the engine knows which, so its order stays."""
    tall = sum(box.height for box, _, text in line if len(text) > 2)
    return tall > 1.5 * sum(box.width for box, _, text in line if len(text) > 2)


def write_pgm(path: Path, grey: NDArray[np.uint8]) -> None:
    """Write a binary PGM."""
    height, width = grey.shape
    with path.open("wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (width, height))
        file.write(grey.tobytes())


def _run(grey: NDArray[np.uint8], config: str, language: str, timeout_s: float, suffix: str) -> str:
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        page, answer = Path(folder, "page.pgm"), Path(folder, "answer")
        write_pgm(page, grey)
        try:
            engine.run_tesseract(str(page), str(answer), suffix[1:], language, config, timeout=timeout_s)
            return answer.with_suffix(suffix).read_text(encoding="utf-8")
        except pytesseract.TesseractNotFoundError:
            raise ConfigurationError("Tesseract 5 is not installed.") from None
        except pytesseract.TesseractError as error:
            if "Failed loading language" in str(error) or "couldn't load any languages" in str(error):
                raise ConfigurationError("Tesseract has no data for the language.") from None
            raise ReaderUnavailableError(f"Exit status {error.status}.") from None
        except RuntimeError:
            raise ReaderUnavailableError(f"No answer within {timeout_s:g} s.") from None
        except OSError:
            raise ReaderUnavailableError("Tesseract left no answer.") from None
