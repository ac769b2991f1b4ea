"""The fonts the sample is set in.

Rule kept here: only files of two Debian packages, found by name wherever the system keeps its fonts; a missing one is
reported with the package that brings it.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from pathlib import Path

from PIL import ImageFont

from tasks.errors import ConfigurationError

FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("~/.fonts").expanduser(),
)
"""Where fontconfig looks on Debian."""


class Face(Enum):
    """A face by its file name."""

    SANS = "LiberationSans-Regular.ttf"
    SANS_BOLD = "LiberationSans-Bold.ttf"
    SANS_ITALIC = "LiberationSans-Italic.ttf"
    SERIF = "LiberationSerif-Regular.ttf"
    SERIF_BOLD = "LiberationSerif-Bold.ttf"
    SERIF_ITALIC = "LiberationSerif-Italic.ttf"
    MONO = "LiberationMono-Regular.ttf"
    MONO_BOLD = "LiberationMono-Bold.ttf"
    WIDE = "DejaVuSans.ttf"
    WIDE_BOLD = "DejaVuSans-Bold.ttf"
    WIDE_MONO = "DejaVuSansMono.ttf"

    @property
    def package(self) -> str:
        """The Debian package that holds the file."""
        return "fonts-dejavu-core" if self.value.startswith("DejaVu") else "fonts-liberation2"


@cache
def find_face(face: Face, folders: tuple[Path, ...] = FOLDERS) -> Path:
    """The face's file.

    Raises:
        ConfigurationError: no folder holds it; names the Debian package to install.
    """
    for folder in folders:
        found = sorted(folder.rglob(face.value)) if folder.is_dir() else []
        if found:
            return found[0]
    raise ConfigurationError(f"The font {face.value} is missing: install the Debian package {face.package}.")


@cache
def load_face(face: Face, size_px: float) -> ImageFont.FreeTypeFont:
    """The face at a size; set without shaping, so that the same letters always fall on the same pixels.

    Raises:
        ConfigurationError: see `find_face`.
    """
    return ImageFont.truetype(find_face(face), size_px, layout_engine=ImageFont.Layout.BASIC)
