"""What, read beside a mark, is a substantial part of a value, and what may stand there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from tasks.errors import ReaderUnavailableError
from tasks.model import RedactionPlan
from tasks.redaction.gate.verdict import check_record
from tests.redaction.drawn import DrawnRecord

PHONE, MAIL = "020 7946 0123", "jordan.example@police.example"


def is_found(record: DrawnRecord, good: bytes, withheld: str, *words: str) -> bool:
    """Whether the gate takes these words, read beside the marks, for a part of the value."""
    sheets: list[tuple[int, ...]] = []

    def reread(given: Sequence[np.ndarray], dpi: float) -> list[list[str]]:
        sheets.extend(pixels.shape for pixels in given)
        assert dpi == 200
        return [list(words) for _ in given]

    plan: RedactionPlan = dataclasses.replace(record.plan, withheld=(withheld,))
    report = check_record(good, plan, record.transcript, reread)
    assert all(height <= 3600 for height, _ in sheets)
    return "A09" in {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (PHONE, ("2079460",)),
        (PHONE, ("0207", "9460")),
        (PHONE, ("94", "60123", "20794601")),
        (PHONE, ("2079", "(46)", "0123")),  # half of it digits
        ("+44 20 7946 0123", ("7946", "0123", "207", "946", "0123")),
        ("07700 900123", ("7700900",)),
        (MAIL, ("jordan.exa",)),
        (MAIL, ("JORDAN.EXAMPLE@",)),
        (MAIL, ("dan.example@x",)),
        ("robin7@x.example", ("robin7",)),
        ("robin@x.example", ("robin@",)),
    ],
)
def test_a_substantial_part_is_found(record: DrawnRecord, good: bytes, value: str, words: tuple[str, ...]) -> None:
    assert is_found(record, good, value, *words)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (PHONE, ("794", "601")),
        (PHONE, ("2079", "word", "460")),
        (PHONE, ("2079", "no46x", "0123")),  # less than half of it digits
        (PHONE, ("460123",)),  # the last six digits of ten
        (PHONE, ("020", "7947", "0123")),
        ("4471", ("4471",)),
        ("4 Sample Row, Exampleton ZZ9 9ZZ", ("4", "Sample", "Row")),
        ("Unit 1234567 of the Large Example Estate", ("1234567",)),
        (MAIL, ("example",)),
        (MAIL, ("jordan",)),
        (MAIL, ("jordanexample",)),
        (MAIL, ("police.example",)),
        ("ann@x.example", ("ann@",)),
        ("robin@x.example", ("robin",)),
    ],
)
def test_what_may_stand_there_is_not(record: DrawnRecord, good: bytes, value: str, words: tuple[str, ...]) -> None:
    assert not is_found(record, good, value, *words)


def test_when_nobody_can_read_there_is_no_verdict(record: DrawnRecord, good: bytes) -> None:
    """A finding would be kept as the report on this file, and would say that it leaks."""

    def killed(pixels: np.ndarray, dpi: float) -> list[str]:
        raise ReaderUnavailableError("Exit status -9.")

    with pytest.raises(ReaderUnavailableError):
        check_record(good, record.plan, record.transcript, killed)


def test_a_reader_that_fails_on_the_file_is_a_finding(record: DrawnRecord, good: bytes) -> None:
    def failing(pixels: np.ndarray, dpi: float) -> list[str]:
        raise ValueError

    report = check_record(good, record.plan, record.transcript, failing)
    assert "A09" in {finding.code for finding in report.findings}
