"""Pages and files that the reading tests read: drawn by PyMuPDF's built-in fonts, so that nothing need be installed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image

from tasks.geometry import Box, Frame
from tasks.model import Mode, PageRaster, PageTranscript, Word

Pixels = NDArray[np.uint8]

A5_PT = (420, 298)
LINES = (
    "The duty sergeant keeps the roster for the week.",
    "Telephone 020 7946 0123 before four in the afternoon.",
    "Write to roster.desk@example.org about any changes.",
    "Vehicles are parked behind the main building.",
    "Keys are returned to the front office every night.",
)


def pdf_with(draw: Callable[[pymupdf.Page], None], size: tuple[float, float] = A5_PT, rotation: int = 0) -> bytes:
    """A one-page PDF that `draw` has drawn on."""
    with pymupdf.open() as document:
        page = document.new_page(width=size[0], height=size[1])
        draw(page)
        page.set_rotation(rotation)
        return document.tobytes(garbage=3, deflate=True)


def write_lines(
    page: pymupdf.Page, lines: Iterable[str] = LINES, x: float = 36, y: float = 50, size: float = 12
) -> None:
    """Lines of text, black."""
    for number, line in enumerate(lines):
        page.insert_text((x, y + number * size * 2), line, fontsize=size)


def text_pixels(dpi: float = 200, lines: Iterable[str] = LINES, size: float = 12) -> Pixels:
    """A grey page of text as a scanner would see it."""
    with pymupdf.open(stream=pdf_with(lambda page: write_lines(page, lines, size=size))) as document:
        pixmap = document[0].get_pixmap(dpi=round(dpi), colorspace=pymupdf.csGRAY, alpha=False)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def typed_pixels(lines: Iterable[str], dpi: float = 200, size: float = 10) -> Pixels:
    """A grey A4 page of lines in a typewriter's face, as a computer prints a list."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        for number, line in enumerate(lines):
            page.insert_text((72, 60 + number * size * 1.8), line, fontsize=size, fontname="cour")
        pixmap = page.get_pixmap(dpi=round(dpi), colorspace=pymupdf.csGRAY, alpha=False)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def raster_of(
    pixels: Pixels, dpi: tuple[float, float] = (200, 200), mode: Mode = "grey", layer: tuple[Word, ...] = ()
) -> PageRaster:
    """Pixels as a page."""
    return PageRaster(0, np.ascontiguousarray(pixels), mode, dpi, (), layer)


def bilevel(pixels: Pixels) -> Pixels:
    """Pixels as 0 and 255."""
    return np.where(pixels >= 128, 255, 0).astype(np.uint8)


def skewed(pixels: Pixels, clockwise_deg: float) -> Pixels:
    """A page that went through the feeder at an angle."""
    height, width = pixels.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -clockwise_deg, 1.0)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderValue=(255,)), np.uint8)


def image_file(pixels: Pixels | Image.Image, kind: str, **options: object) -> bytes:
    """An image file of Pillow's format `kind`."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def scan_pdf(pixels: Pixels, dpi: tuple[float, float] = (200, 200), kind: str = "PNG", rotation: int = 0) -> bytes:
    """A PDF page that is one image, as a multi-function printer makes it."""
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    if pixels.ndim == 2 and np.isin(pixels, (0, 255)).all():
        image = image.convert("1")
    data = image_file(image, kind)
    return pdf_with(
        lambda page: page.insert_image(page.rect, stream=data, keep_proportion=False),
        (width / dpi[0] * 72, height / dpi[1] * 72),
        rotation,
    )


def text_of(transcript: PageTranscript, reading: int = 0) -> str:
    """The words of one reading."""
    return " ".join(word.text for word in transcript.readings[reading].words)


def place_of(transcript: PageTranscript, text: str) -> Box:
    """Page-space box of the first word that holds `text`."""
    for reading in transcript.readings:
        for word in reading.words:
            if text in word.text:
                return reading.frame.box_to_page(word.box)
    raise AssertionError("not read")


def ink_of(pixels: Pixels) -> Box:
    """The smallest box around everything dark."""
    rows, columns = np.nonzero(pixels < 128)
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


def forward(frame: Frame, x: float, y: float) -> tuple[float, float]:
    """A page point in reading space, by the transforms `Frame` documents and OpenCV's own matrix."""
    x, y = x * frame.scale_x, y * frame.scale_y
    width, height = frame.scaled_size
    for _ in range(frame.quarter_turns):
        x, y = y, width - x
        width, height = height, width
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), frame.skew_deg, 1.0)
    x, y = matrix @ np.array([x, y, 1.0])
    return float(x), float(y)
