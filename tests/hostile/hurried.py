"""`foi` with limits small enough for a test: the same program, less patient, and content with smaller pages.

python -m tests.hostile.hurried redact FOLDER --output RESULTS
"""

from __future__ import annotations

from infra.cli import main
from tasks import readers
from tasks.apart import Bounds
from tasks.apart.bounds import MIB
from tasks.reading import settings

LOOK_S = 4.0
READ_S = 10.0
SETTINGS = settings.ReadingSettings(
    settings.OcrSettings(timeout_s=20), settings.Limits(max_pages=50, max_pixels_per_page=4_000_000)
)
BOUNDS = Bounds(memory_bytes=1536 * MIB)


if __name__ == "__main__":
    readers.LOOK_S = LOOK_S
    readers.time_limit_s = lambda _pages: READ_S
    settings.ReadingSettings = lambda: SETTINGS  # type: ignore[assignment,misc]
    main()
