"""The only place that runs Tesseract.

Rule kept here: one process, one thread, a page or a few sheets, its own timeout; what it is given lies in a private
folder that is gone afterwards. Tesseract gets a path to a PGM file: handing pytesseract an image makes it encode a PNG
first, which nearly doubles the time of a page. OpenMP makes one page 3 to 8 times dearer when there is a process per
core, so it is switched off for every process this one starts.
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
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

_NO_MEMORY = re.compile(rb"alloc fail|bad_alloc")
"""Short of memory, Leptonica says so and Tesseract may go on without the picture: no words, and exit status 0."""

EXPLICIT_CONFIG = ("-c tessedit_create_tsv=1", "-c tessedit_create_txt=0")


def check_engine(language: str) -> None:
    """Make sure that Tesseract and its data for a language (`eng`, `eng+cym`) are there.

    Raises:
        ConfigurationError: one is not.
    """
    try:
        known = set(pytesseract.get_languages())
    except (pytesseract.TesseractNotFoundError, OSError):
        raise ConfigurationError("Tesseract 5 is not installed.") from None
    except pytesseract.TesseractError:
        known = set()
    if not set(language.split("+")) <= known:
        raise ConfigurationError("Tesseract has no data for the language.")


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
        ReaderUnavailableError: killed, failed, out of time or of memory.
        ConfigurationError: no Tesseract, or no such language.
    """
    (words,) = recognise_all((grey,), psm=psm, dpi=dpi, language=language, timeout_s=timeout_s, options=options)
    return words


def recognise_all(
    pages: Sequence[NDArray[np.uint8]],
    *,
    psm: int,
    dpi: int,
    language: str,
    timeout_s: float,
    options: tuple[str, ...] = (),
) -> list[tuple[Word, ...]]:
    """The words of several rasters, each as `recognise` gives them, by one process: it takes 0.08 s to start.

    Args, raises: as `recognise`; `timeout_s` is for each raster.
    """
    if not pages:
        return []
    config = " ".join((f"--psm {psm} --dpi {dpi}", *EXPLICIT_CONFIG, *options))
    answer = _run(pages, config, language, timeout_s * len(pages))
    rows: dict[str, list[str]] = {str(number): [] for number in range(1, len(pages) + 1)}
    for row in answer.splitlines():
        level, number, _ = f"{row}\t\t".split("\t", 2)
        if level == WORD_LEVEL and number in rows:
            rows[number].append(row)
    return [parse_tsv("\n".join(of_page)) for of_page in rows.values()]


def find_turns(grey: NDArray[np.uint8], *, timeout_s: float) -> tuple[int, float]:
    """Tesseract's orientation detection.

    Returns:
        Quarter turns anticlockwise (as `numpy.rot90`) that make the page upright, and the engine's confidence;
        (0, 0.0) when there is too little text to tell.

    Raises:
        ReaderUnavailableError: killed, out of time or of memory; a page must not lie otherwise for that.
        ConfigurationError: no Tesseract, or no such data.
    """
    # "Too few characters" ends with an exit code like any other failure.
    answer = _run((grey,), "--psm 0", "osd", timeout_s, when_it_fails="")
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


def _run(
    pages: Sequence[NDArray[np.uint8]],
    config: str,
    language: str,
    timeout_s: float,
    when_it_fails: str | None = None,
) -> str:
    """Tesseract's answer.

    It comes through a pipe: where there is no room left, Tesseract leaves an empty file and says that all went well.

    Args:
        pages: grey.
        config: options.
        language: traineddata name.
        timeout_s: wall-clock seconds for all pages.
        when_it_fails: stands for the answer when Tesseract gives up by itself; None raises then too.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="reading-") as folder:
            files = [Path(folder, f"{number}.pgm") for number in range(len(pages))]
            for file, grey in zip(files, pages, strict=True):
                write_pgm(file, grey)
            given = files[0]
            if len(files) > 1:
                given = Path(folder, "pages.txt")
                given.write_text("".join(f"{file}\n" for file in files))
            command = (engine.tesseract_cmd, str(given), "stdout", "-l", language, *config.split())
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
            )
    except subprocess.TimeoutExpired:
        raise ReaderUnavailableError(f"No answer within {timeout_s:g} s.") from None
    except FileNotFoundError:
        raise ConfigurationError("Tesseract 5 is not installed.") from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        detail = "No room for temporary files." if full else type(error).__name__
        raise ReaderUnavailableError(detail) from None
    if _NO_MEMORY.search(done.stderr):
        raise ReaderUnavailableError("No memory.")
    if done.returncode == 0:
        return done.stdout.decode()
    if b"Failed loading language" in done.stderr or b"couldn't load any languages" in done.stderr:
        raise ConfigurationError("Tesseract has no data for the language.")
    if when_it_fails is not None and done.returncode > 0:  # a signal's is negative
        return when_it_fails
    raise ReaderUnavailableError(f"Exit status {done.returncode}.")
