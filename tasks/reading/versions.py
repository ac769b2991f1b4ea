"""Names and versions of the readers; part of what a transcript's key is made of.

Rule kept here: they are asked for, never loaded.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from importlib.metadata import version

from tasks.errors import ConfigurationError, ReaderUnavailableError

SECOND_READER = "rapidocr"
"""Its name in a transcript."""

_TESSERACT = re.compile(r"tesseract v?(\d+(?:\.\d+)*)")


@cache
def engine_version() -> str:
    """Version of Tesseract, e.g. `tesseract 5.3.0`.

    Raises:
        ReaderUnavailableError: it was killed.
        ConfigurationError: there is no Tesseract.
    """
    try:
        said = subprocess.run(["tesseract", "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    except subprocess.CalledProcessError as error:
        raise ReaderUnavailableError(f"Exit status {error.returncode}.") from None
    except OSError:
        raise ConfigurationError("Tesseract 5 is not installed.") from None
    found = _TESSERACT.match((said.stdout or said.stderr).decode(errors="replace"))
    if found is None:
        raise ConfigurationError("Tesseract 5 is not installed.")
    return f"tesseract {found[1]}"


@cache
def reader_version() -> str:
    """Name and version of the second reader and of what it runs on."""
    return f"{SECOND_READER} {version('rapidocr')}, onnxruntime {version('onnxruntime')}"
