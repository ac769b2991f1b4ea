"""The file under test, as two readers see it that did not write it.

Rule kept here: nothing is repaired or skipped to make reading easier; what cannot be read raises, which is a finding.
"""

from __future__ import annotations

import io
import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
from numpy.typing import NDArray
from PIL import Image

from tasks.geometry import Box
from tasks.model import Mark, PageTranscript, RedactionPlan, Transcript
from tasks.pixels import darkest, pixels_of

Pt = tuple[float, float, float, float, float, float]

ROW_PX = 64
"""Height of the strips of a page in which marks are looked up."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A string a page shows.

    Attributes:
        box: (x0, y0, x1, y1) of its characters without trailing blanks, px in page space.
    """

    text: str = field(repr=False)
    box: tuple[float, float, float, float]

    def meets(self, region: Box, slack_px: float = 0.5) -> bool:
        """Whether it reaches more than `slack_px` into a region."""
        x0, y0, x1, y1 = self.box
        return (
            x0 + slack_px < region.x1
            and region.x0 + slack_px < x1
            and y0 + slack_px < region.y1
            and region.y0 + slack_px < y1
        )

    @property
    def center(self) -> tuple[float, float]:
        """Centre point, px."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


class Output:
    """The bytes, opened by pikepdf and by pypdfium2.

    Raises:
        pikepdf.PdfError, pypdfium2.PdfiumError: one of them cannot.
    """

    def __init__(self, data: bytes, plan: RedactionPlan, transcript: Transcript) -> None:
        self.data = data
        self.plan = plan
        self.transcript = transcript
        self.pdf = pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True)
        self.reader = pypdfium2.PdfDocument(data)
        self.marks: dict[int, list[Mark]] = defaultdict(list)
        for mark in sorted(plan.marks, key=lambda mark: mark.number):
            self.marks[mark.page].append(mark)

    def close(self) -> None:
        """Let both readers go."""
        self.reader.close()
        self.pdf.close()


class PageView:
    """One page of the file beside what is known of it."""

    def __init__(self, output: Output, page: PageTranscript) -> None:
        self.output = output
        self.transcript = page
        self.number = page.page
        self.marks = output.marks[page.page]
        self.regions = tuple(region for mark in self.marks for region in mark.regions)
        self.object: Any = output.pdf.pages[page.page].obj

    @property
    def quarter_turns(self) -> int:
        """How often the page is turned anticlockwise to make its text level."""
        readings = self.transcript.readings
        return readings[0].frame.quarter_turns % 4 if readings else 0

    @cached_property
    def _regions_by_row(self) -> Mapping[int, list[int]]:
        rows: dict[int, list[int]] = defaultdict(list)
        for number, region in enumerate(self.regions):
            for row in range(region.y0 // ROW_PX, region.y1 // ROW_PX + 1):
                rows[row].append(number)
        return rows

    def regions_met(self, shown: Shown) -> list[Box]:
        """The marks' regions that a string reaches into, in the order of the marks."""
        rows = range(math.floor(shown.box[1]) // ROW_PX, math.floor(shown.box[3]) // ROW_PX + 1)
        near = {number for row in rows for number in self._regions_by_row.get(row, ())}
        return [self.regions[number] for number in sorted(near) if shown.meets(self.regions[number])]

    @cached_property
    def image(self) -> Any:
        """The page's image object.

        Raises:
            ValueError: there is not exactly one.
        """
        found = [o for o in self.object.Resources.XObject.values() if o.get("/Subtype") == "/Image"]
        if len(found) != 1:
            raise ValueError("not exactly one image")
        return found[0]

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The image object decoded by itself, whatever its dictionary says of masks and the like.

        uint8, (height, width) or (height, width, 3).
        """
        height, width = int(self.image.Height), int(self.image.Width)
        match str(self.image.Filter):
            case "/DCTDecode":
                with Image.open(io.BytesIO(self.image.read_raw_bytes()), formats=["JPEG"]) as picture:
                    samples = pixels_of(picture if picture.mode == "RGB" else picture.convert("L"))
                return samples[:height, :width]  # that there are no more of them is another check
            case "/FlateDecode":
                shape = (height, width) if self.image.ColorSpace == "/DeviceGray" else (height, width, 3)
                inflated = np.frombuffer(self.image.read_bytes(), dtype=np.uint8)
                return inflated[: math.prod(shape)].reshape(shape)  # what is behind them is the passengers' check
        return np.asarray(pikepdf.PdfImage(self.image).as_pil_image().convert("L"), dtype=np.uint8)

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """The pixels without colour, the darkest channel of each: (height, width)."""
        return self.pixels if self.pixels.ndim == 2 else darkest(self.pixels)

    @cached_property
    def instructions(self) -> list[Any]:
        """The content stream's instructions."""
        return list(pikepdf.parse_content_stream(self.output.pdf.pages[self.number]))

    @cached_property
    def shown(self) -> list[Shown]:
        """What the content stream's text operators show, in its order.

        Raises:
            ValueError: it uses operators or fonts whose effect this reader does not know.
        """
        maps = {name: code_map(font) for name, font in self.object.Resources.get("/Font", {}).items()}
        shown: list[Shown] = []
        font, size, matrix = "", 0.0, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
        for instruction in self.instructions:
            operator, operands = str(instruction.operator), instruction.operands
            if operator == "Tf":
                font, size = str(operands[0]), float(operands[1])
            elif operator == "Tm":
                a, b, c, d, e, f = (float(v) for v in operands)
                matrix = (a, b, c, d, e, f)
            elif operator == "Tj":
                shown.append(self._show(bytes(operands[0]), maps[font], size, matrix))
            elif operator in {"TJ", "'", '"', "Td", "TD", "T*", "Tz", "Tc", "Tw", "Ts", "TL"}:
                raise ValueError("an operator of text this reader does not follow")
        return shown

    def _show(self, data: bytes, codes: dict[int, str] | None, size: float, matrix: Pt) -> Shown:
        if codes is None:
            text = data.decode("latin-1")
        else:
            text = "".join(codes[data[i] << 8 | data[i + 1]] for i in range(0, len(data), 2))
        a, b, c, d, e, f = matrix
        length, height = size * 0.5 * len(text.rstrip()), size
        corners = [(x * a + y * c + e, x * b + y * d + f) for x in (0, length) for y in (0, height)]
        across, up = self.transcript.dpi[0] / 72, self.transcript.dpi[1] / 72
        xs = [x * across for x, _ in corners]
        ys = [self.transcript.height_px - y * up for _, y in corners]
        return Shown(text.rstrip(), (min(xs), min(ys), max(xs), max(ys)))

    def is_label(self, shown: Shown) -> bool:
        """Whether a string is the notice of a mark, and stands in that mark."""
        x, y = shown.center
        return any(
            shown.text == f"[withheld: {mark.exemption}]"
            and any(r.x0 <= x <= r.x1 and r.y0 <= y <= r.y1 for r in mark.regions)
            for mark in self.marks
        )


CODE_PAIR = re.compile(rb"<([0-9a-fA-F]{4})>\s*<([0-9a-fA-F]{4,8})>")


def code_map(font: Any) -> dict[int, str] | None:
    """Codes to characters by a font's /ToUnicode; None for a simple font, read as Latin-1 of half an em.

    Raises:
        ValueError: a composite font not of the one kind known here (two-byte codes, half an em wide).
    """
    if font.Subtype != "/Type0":
        return None
    (descendant,) = font.DescendantFonts
    if font.Encoding != "/Identity-H" or int(descendant.DW) != 500 or "/W" in descendant:
        raise ValueError("a font of another kind")
    cmap = font.ToUnicode.read_bytes()
    if b"bfrange" in cmap:
        raise ValueError("a character map of another kind")
    return {
        int(code, 16): bytes.fromhex(char.decode()).decode("utf-16-be") for code, char in CODE_PAIR.findall(_rows(cmap))
    }


def _rows(cmap: bytes) -> bytes:
    """The rows between beginbfchar and endbfchar."""
    return b"\n".join(re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL))


def says(found: Any, **entries: Any) -> bool:
    """Whether a dictionary has these entries and no others; what it refers to has to be the same object."""
    return set(found.keys()) == {f"/{key}" for key in entries} and all(
        found[f"/{key}"].objgen == value.objgen
        if isinstance(value, pikepdf.Object) and value.is_indirect
        else found[f"/{key}"] == value
        for key, value in entries.items()
    )
