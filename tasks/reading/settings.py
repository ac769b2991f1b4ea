"""What may be read, and how: kinds of file, limits, settings.

Rule kept here: no reader is imported, so that whoever only asks for a reading loads none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BYTES = 200 * 1024 * 1024
MAX_PAGES = 2000
MAX_PIXELS_PER_PAGE = 80_000_000
"""A3 at 600 dpi is 69.6 million; 10,000 x 10,000 is refused."""

MAX_SIDE_PX = 20_000
"""Of a page raster. Tesseract reads no side longer than 32,767, and a second look enlarges by up to a half."""

PDF = "application/pdf"
TIFF = "image/tiff"
JPEG = "image/jpeg"
PNG = "image/png"

SUFFIXES = {".pdf": PDF, ".tif": TIFF, ".tiff": TIFF, ".jpg": JPEG, ".jpeg": JPEG, ".jpe": JPEG, ".png": PNG}

PAGES_AT_ONCE = 16
"""Of a record that one child reads, and that share one sample (`tasks.reading.trusted`). What is kept in memory stays
small; and whoever asks for the pages of a record in parts must begin each at a multiple of it, or other pages might be
believed than when it is read whole."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file we are willing to read.

    Attributes:
        max_bytes: size of the file.
        max_pages: pages of a PDF or frames of a TIFF.
        max_pixels_per_page: width x height of a page raster or of any image declared in the file.
    """

    max_bytes: int = MAX_BYTES
    max_pages: int = MAX_PAGES
    max_pixels_per_page: int = MAX_PIXELS_PER_PAGE


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class OcrSettings:
    """How to read.

    Attributes:
        timeout_s: wall-clock seconds for one pass over one page.
        language: Tesseract's traineddata.
        second_look: whether doubtful pages, and unread places of others, are read again by the second reader.
        trust: whether the text layer of a drawn page that agrees with its pixels stands for a reading.
    """

    timeout_s: float = 120
    language: str = "eng"
    second_look: bool = True
    trust: bool = True


DEFAULT_SETTINGS = OcrSettings()


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """What reading depends on besides the file."""

    ocr: OcrSettings = field(default_factory=OcrSettings)
    limits: Limits = field(default_factory=Limits)
