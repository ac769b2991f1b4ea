"""What `foi verify` says of a tagged record: nothing, unless its tags say what nobody sees."""

from __future__ import annotations

from typing import Any

import pikepdf
import pytest

from tasks.disclosure.inspect_record import hidden_content
from tests.attacks import faults
from tests.redaction.drawn import draw_page, record_of


def test_a_tagged_record_hides_nothing() -> None:
    assert hidden_content(record_of(draw_page(), draw_page(lines=(), secrets={}, page=1)).apply()) == ()


@pytest.mark.parametrize("level", ["paragraph", "section"])
def test_words_in_a_tag_are_hidden_content(level: str) -> None:
    def plant(pdf: Any) -> None:
        section = pdf.Root.StructTreeRoot.K.K[0]
        part = section if level == "section" else section.K[0]
        part["/ActualText"] = pikepdf.String("call me")

    spoilt = faults.resave(record_of(draw_page()).apply(), plant)
    assert "words in its tags that nobody sees" in hidden_content(spoilt)
