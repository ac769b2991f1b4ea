"""Pages whose words and places are known, because they were drawn here."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.geometry import Box, Frame, Grid, union
from tasks.model import Detection, Kind, Mode, PageRaster, PageTranscript, Reading, RedactionPlan, Transcript, Word
from tasks.redaction.apply import apply_marks
from tasks.redaction.plan import plan_record
from tasks.request import Policy

SOURCE = "5f" * 32

MEMO = (
    "MEMORANDUM",
    "To: All command teams",
    "From: Operations desk",
    "Subject: Parking arrangements at the main building",
    "",
    "Please note the arrangements from Monday. Spaces will be allotted",
    "by the site office on the first floor, ring 020 7946 0123 before noon.",
    "Requests go to jordan.example@police.example with two days of notice.",
    "Drivers write to The Estates Office, 4 Sample Row,",
    "Exampleton ZZ9 9ZZ and enclose the pass number 4471.",
    "Mobile: 07700 900123 / 07700 900456",
    "The barrier opens at 06:30 and closes at 22:00 on 14 March 2023.",
)
SECRETS = {
    "020 7946 0123": Kind.PHONE,
    "jordan.example@police.example": Kind.EMAIL,
    "The Estates Office, 4 Sample Row, Exampleton ZZ9 9ZZ": Kind.ADDRESS,
    "07700 900123": Kind.PHONE,
    "07700 900456": Kind.PHONE,
}


@dataclass(frozen=True)
class DrawnPage:
    raster: PageRaster
    transcript: PageTranscript
    detections: tuple[Detection, ...]


@dataclass(frozen=True)
class DrawnRecord:
    pages: tuple[DrawnPage, ...]
    transcript: Transcript
    plan: RedactionPlan

    def rasters(self) -> list[PageRaster]:
        return [page.raster for page in self.pages]

    def apply(self, title: str = "A drawn record") -> bytes:
        return apply_marks(self.rasters(), self.plan, self.transcript, title)


def blocks_of(edge: float, width: int, height: int, origin: tuple[float, float] = (0, 0)) -> tuple[Grid, ...]:
    """What a page of one lossy image says of its blocks; nothing when their edge is 1."""
    return (Grid(Box(0, 0, width, height), (edge, edge), origin),) if edge > 1 else ()


def draw_page(
    lines: Sequence[str] = MEMO,
    secrets: Mapping[str, Kind] = SECRETS,
    *,
    page: int = 0,
    mode: Mode = "grey",
    dpi: tuple[float, float] = (150, 150),
    size: tuple[int, int] = (1240, 900),
    quarter_turns: int = 0,
    skew_deg: float = 0.0,
    jpeg: bool = True,
    type_px: int = 24,
    quality: int = 75,
) -> DrawnPage:
    """One page; `size` is (width, height) of the level page before it is turned, px at equal resolutions."""
    font = ImageFont.load_default(type_px)
    level = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(level)
    words: list[Word] = []
    ink = (20, 20, 90) if mode == "colour" else (0, 0, 0)
    if mode == "colour":
        pen.rectangle((0, 0, size[0], 40), fill=(180, 30, 40))
    pitch = round(type_px * 1.7)
    for number, line in enumerate(lines):
        x, y = 100, 80 + number * pitch
        for token in line.split():
            left, top, right, bottom = pen.textbbox((x, y), token, font=font)
            pen.text((x, y), token, fill=ink, font=font)
            words.append(Word(token, Box(int(left), int(top), int(right) + 1, int(bottom) + 1), 95.0, number))
            x = round(right + type_px * 0.3)
    scale_y = dpi[0] / dpi[1]
    if skew_deg:
        level = level.rotate(-skew_deg, fillcolor="white", resample=Image.Resampling.BICUBIC)
    turned = np.rot90(np.asarray(level), -quarter_turns)
    height, width = turned.shape[:2]
    image = Image.fromarray(np.ascontiguousarray(turned))
    if scale_y != 1:
        image = image.resize((width, round(height / scale_y)), Image.Resampling.BOX)
    frame = Frame(image.width, image.height, 1.0, height / image.height, quarter_turns, skew_deg)
    edge = 1
    if mode != "colour":
        image = image.convert("L")
    if mode == "bilevel":
        image = image.point(lambda v: 255 if v > 140 else 0)
    elif jpeg:
        edge = 8
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        image = Image.open(out)
    pixels = np.array(image, dtype=np.uint8)
    grids = blocks_of(edge, image.width, image.height)
    transcript = PageTranscript(page, image.width, image.height, dpi, grids, (Reading("drawn", frame, tuple(words)),))
    detections = tuple(
        Detection(kind, page, regions, text, 0.9, f"{kind}.drawn")
        for text, kind in secrets.items()
        for regions in _places(text, words, frame)
    )
    return DrawnPage(PageRaster(page, pixels, mode, dpi, grids), transcript, detections)


def _places(text: str, words: Sequence[Word], frame: Frame) -> list[tuple[Box, ...]]:
    """The regions of every occurrence of a value; it may end with punctuation and run over lines."""
    tokens = text.split()
    found = []
    for start in range(len(words) - len(tokens) + 1):
        run = words[start : start + len(tokens)]
        if [w.text.rstrip(".,") for w in run] == [t.rstrip(".,") for t in tokens]:
            by_line = {w.line: union(v.box for v in run if v.line == w.line) for w in run}
            found.append(tuple(region for box in by_line.values() for region in frame.regions_to_page(box)))
    return found


def record_of(*pages: DrawnPage, policy: Policy | None = None) -> DrawnRecord:
    transcript = Transcript(SOURCE, tuple(page.transcript for page in pages))
    detections = [detection for page in pages for detection in page.detections]
    return DrawnRecord(tuple(pages), transcript, plan_record(transcript, detections, policy or Policy()))
