"""Faces that imitate handwriting, of two small Debian packages."""

from __future__ import annotations

from enum import Enum


class Hand(Enum):
    """A face by its file name; found as those of `infra.demo.fonts` are."""

    ROUND = "Breip.ttf"
    QUICK = "dkg.ttf"

    @property
    def package(self) -> str:
        """The Debian package that holds the file."""
        return {"ROUND": "fonts-breip", "QUICK": "fonts-dkg-handwriting"}[self.name]
