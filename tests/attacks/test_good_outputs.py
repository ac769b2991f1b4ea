"""A hundred good outputs raise nothing: what the gate refuses is refused for a fault, not for being unusual."""

from __future__ import annotations

import dataclasses
import io
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.geometry import Box
from tasks.model import Detection, Kind, Mode, PageRaster
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import Limits
from tasks.redaction.gate.again import check_again
from tasks.redaction.gate.verdict import check_record
from tests.redaction.drawn import MEMO, DrawnPage, draw_page, record_of

pytestmark = pytest.mark.slow

LINES = [line for line in MEMO if len(line) < 60]
SHADES: tuple[Mode, ...] = ("bilevel", "grey", "colour")
FORMATS: dict[str, tuple[Mode, ...]] = {"PNG": SHADES, "JPEG": SHADES[1:], "TIFF": SHADES}


def drawn_by_chance(chance: random.Random, page: int = 0) -> DrawnPage:
    """A small page of chance settings, read from the file that a scanner would make of it."""
    kind = chance.choice(sorted(FORMATS))
    mode = chance.choice(FORMATS[kind])
    drawn = draw_page(
        chance.sample(LINES, k=6),
        page=page,
        mode=mode,
        jpeg=False,
        size=(chance.randint(820, 1000), chance.randint(380, 500)),
        type_px=chance.randint(16, 26),
        quarter_turns=chance.choice((0, 0, 0, 1, 2, 3)),
        skew_deg=chance.choice((0.0, 0.0, round(chance.uniform(-4, 4), 1))),
        dpi=(204, 98) if mode == "bilevel" and chance.random() < 0.2 else (150, 150),
    )
    raster = scanned(drawn.raster, kind, chance.randint(40, 92))
    transcript = dataclasses.replace(drawn.transcript, grids=raster.grids, dpi=raster.dpi)
    width, height = raster.width_px, raster.height_px
    boxes = [Box(0, 0, 40, 24), Box(width - 33, height - 21, width, height), Box(width // 2, 0, width // 2 + 90, 31)]
    by_hand = [
        Detection(Kind.BOX, page, (box,), "", 1.0, "person") for box in chance.sample(boxes, k=chance.randint(0, 2))
    ]
    return DrawnPage(raster, transcript, (*drawn.detections, *by_hand))


def scanned(raster: PageRaster, kind: str, quality: int) -> PageRaster:
    """The raster as it comes back from a file."""
    image = Image.fromarray(raster.pixels)
    options: dict[str, Any] = {"dpi": raster.dpi}
    if kind == "JPEG":
        options["quality"] = quality
    elif raster.mode == "bilevel":
        image = image.convert("1", dither=Image.Dither.NONE)
        options |= {"compression": "group4"} if kind == "TIFF" else {}
    out = io.BytesIO()
    image.save(out, kind, **options)
    limits = Limits()
    (found,) = rasterise(out.getvalue(), inspect(out.getvalue(), f"scan.{kind.lower()}", limits), limits)
    assert kind == "JPEG" or np.array_equal(found.pixels, raster.pixels)
    return dataclasses.replace(found, page=raster.page)


@pytest.mark.parametrize("seed", range(10))
def test_ten_good_outputs_raise_nothing(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(10):
        record = record_of(drawn_by_chance(chance))
        data = record.apply()
        report = check_record(data, record.plan, record.transcript)
        assert report.findings == (), (number, record.pages[0].raster)
        assert check_again(data, record.apply()) == ()


def test_a_record_of_many_pages_raises_nothing() -> None:
    chance = random.Random(11)
    record = record_of(*(drawn_by_chance(chance, page) for page in range(6)))
    assert check_record(record.apply(), record.plan, record.transcript).findings == ()
