"""The jobs of a fuzz run: what reading does first with a file, and what it took."""

from __future__ import annotations

import itertools
import resource

from tasks.codec import decode, encode
from tasks.jobs import JOBS as REAL_JOBS
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import ReadingSettings

PAGES = 3
"""Pages of a file that are drawn."""


def parse(settings: bytes, name: bytes, untrusted: bytes) -> list[bytes]:
    """Settings, file name, file -> [Media, bytes of memory at the peak]."""
    limits = decode(settings, ReadingSettings).limits
    media = inspect(untrusted, name.decode(), limits)
    for raster in itertools.islice(rasterise(untrusted, media, limits), PAGES):
        assert raster.pixels.size
    return [encode(media), encode(peak_bytes())]


def peak_bytes() -> int:
    """The most memory this process ever had in use."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


JOBS = {**REAL_JOBS, "parse": parse}
