"""One good output that faults are planted in."""

from __future__ import annotations

import pytest

from tests.redaction.drawn import DrawnRecord, draw_page, record_of


@pytest.fixture(scope="module")
def record() -> DrawnRecord:
    return record_of(draw_page())


@pytest.fixture(scope="module")
def good(record: DrawnRecord) -> bytes:
    return record.apply()
