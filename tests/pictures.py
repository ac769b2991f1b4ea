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


def register(pages: int) -> bytes:
    """A TIFF of small pages with two lines each, every tenth with a telephone number."""

    def page(n: int) -> Image.Image:
        said = f"Ring 020 7946 0{n % 1000:03d}." if n % 10 == 0 else "Nothing to add."
        return typed(f"Entry {n} of the register.", said, height=300)

    rest = (page(n) for n in range(2, pages + 1))
    return encoded(page(1), "TIFF", save_all=True, append_images=rest, dpi=(150, 150), compression="tiff_deflate")
