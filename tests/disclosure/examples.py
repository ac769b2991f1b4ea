"""A small invented disclosure, made whole: painted pages, dossier, approval, keys."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.codec import digest
from tasks.disclosure.bundle import dossier_digest, safe_file_name
from tasks.disclosure.keys import SigningKeys, generate_commitment_key, generate_signing_key, load_keys
from tasks.geometry import Box
from tasks.model import Approval, Dossier, Kind, Mark, RedactedRecord, WithheldRecord
from tasks.redaction.document import DocumentWriter
from tasks.redaction.encode import encode_bilevel, encode_jpeg
from tasks.request import Policy

REFERENCE = "01.FOI.26.000123"
PAGE_PX = (620, 877)  # A4 at 75 dpi
NO_WORDS = b"BT\n/F1 1 Tf\n3 Tr\nET"
POLICY = Policy.model_validate(
    {
        "authority": {
            "name": "Northshire Police",
            "unit": "Information Access Unit",
            "contact": "foi@northshire.example",
            "url": "https://foi.northshire.example",
        }
    }
)


def painted_page(boxes: list[Box], *, bilevel: bool = False, label: str = "s.31(1)(a)") -> Image.Image:
    """A page of lines with black boxes; a label inside each box that has room for it."""
    image = Image.new("L", PAGE_PX, 255)
    draw = ImageDraw.Draw(image)
    font, small = ImageFont.load_default(size=13), ImageFont.load_default(size=10)
    for line in range(40):
        draw.text((60, 60 + 19 * line), "The minutes of the meeting were agreed and noted by all present.", 30, font)
    for box in boxes:
        draw.rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), 0)
        if box.width > 90 and box.height >= 20:
            draw.text((box.center[0], box.center[1]), label, 255, small, anchor="mm")
    return image.point(lambda value: 255 * (value > 127)).convert("1") if bilevel else image


MINUTES = "Minutes of the public order planning meeting"


def record_pdf(pages: list[Image.Image], title: str = MINUTES) -> bytes:
    """Pages as a record without words, at 75 dpi."""
    writer = DocumentWriter(title, "en-GB", [" "])
    for image in pages:
        pixels = np.asarray(image.convert("L"), dtype=np.uint8)
        stream = encode_bilevel(pixels) if image.mode == "1" else encode_jpeg(pixels, keep_chroma=False)
        writer.add_page(stream, NO_WORDS, (image.width * 72 / 75, image.height * 72 / 75), 0)
    return writer.finish()


def record(
    number: int, title: str, marks: tuple[Mark, ...], *, pages: int = 2, bilevel: bool = False, date: str = ""
) -> tuple[RedactedRecord, bytes]:
    """A redacted record and its file."""
    images = [
        painted_page([box for mark in marks if mark.page == page for box in mark.regions], bilevel=bilevel)
        for page in range(pages)
    ]
    pdf = record_pdf(images, title)
    return (
        RedactedRecord(
            number=number,
            title=title,
            date=date,
            file_name=safe_file_name(number, title),
            source_sha256=digest(f"source {number}".encode()),
            sha256=digest(pdf),
            size=len(pdf),
            pages=(PAGE_PX,) * pages,
            marks=marks,
            report_sha256=digest(f"report {number}".encode()),
            source_pages=pages,
        ),
        pdf,
    )


MARKS = (
    Mark(1, 0, (Box(64, 80, 264, 104),), (Kind.PHONE,), "s.31(1)(a)"),
    Mark(2, 0, (Box(64, 400, 464, 424), Box(64, 424, 200, 440)), (Kind.EMAIL, Kind.PHONE), "s.31(1)(a)"),
    Mark(3, 1, (Box(400, 800, 560, 824),), (Kind.EMAIL,), "s.31(1)(a)"),
)


@cache
def records() -> tuple[tuple[RedactedRecord, bytes], ...]:
    return (
        record(1, MINUTES, MARKS, date="2026-02-11"),
        record(2, "Distribution list", MARKS[:1], bilevel=True, pages=1),
        record(3, "Poster for the spring campaign", (), pages=1),
    )


def files() -> dict[str, bytes]:
    return {entry.file_name: pdf for entry, pdf in records()}


def dossier(**changes: object) -> Dossier:
    letter = {
        "reference": REFERENCE,
        "title": "Planning meeting for the spring campaign",
        "received": "2026-03-02",
        "request_text": (
            "Dear FOI team,\n\nPlease send me the minutes of the planning meeting for the spring campaign, its "
            "distribution list and the poster that was agreed.\n\nPlease reply to [withheld: requester].\n\n"
            "Yours faithfully\n[withheld: requester]"
        ),
        "clarification": [
            {
                "from": "authority",
                "date": "2026-03-04",
                "text": "Please could you confirm the date range you are interested in?",
            },
            {"from": "requester", "date": "2026-03-09", "text": "Meetings held in February 2026, please."},
        ],
    }
    made = Dossier(
        reference=REFERENCE,
        title="Planning meeting for the spring campaign",
        letter=letter,
        records=tuple(entry for entry, _ in records()),
        withheld=(WithheldRecord(4, "Letter from a resident", "It holds personal data.", "s.40(2)"),),
        policy=POLICY.digest,
        pipeline="0.1.0",
        tools=(("tesseract", "5.3.0"), ("pymupdf", "1.28.0")),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def approval(of: Dossier | None = None, at: str = "2026-03-30T14:05:00Z") -> Approval:
    of = of or dossier()
    return Approval(of.reference, dossier_digest(of), "A. Officer", at)


@cache
def keys() -> SigningKeys:
    return load_keys(generate_signing_key(), generate_commitment_key())
