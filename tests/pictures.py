"""Part of a page with typed lines on it, and pictures as files."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf"


def typed(*lines: str, height: int = 560) -> Image.Image:
    """Lines of 34 px type on paper 1240 px wide, which is A4 at 150 dpi."""
    image = Image.new("L", (1240, height), 255)
    draw = ImageDraw.Draw(image)
    for n, line in enumerate(lines):
        draw.text((90, 70 + 60 * n), line, fill=0, font=ImageFont.truetype(FONT, 34))
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file of that kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
