"""The letter's PDF is made once per distinct page: WeasyPrint takes most of the time of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from tasks.disclosure import notice, page


@pytest.fixture(autouse=True, scope="session")
def pdf_of_equal_pages_is_made_once() -> Iterator[None]:
    real = notice.render_pdf
    notice.render_pdf = cache(page.render_pdf)
    yield
    notice.render_pdf = real
