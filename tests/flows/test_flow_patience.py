"""What is tried again, how often, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from flows.patience import PAUSES_S, patiently, spread
from tasks.apart import NoRoomError
from tasks.errors import CorruptFileError, FoiError, LeakFoundError, StoreUnavailableError

SOON = (0.0, 0.0)


def failing(times: int, error: Exception) -> tuple[list[int], Callable[[], str]]:
    """Work that fails so many times, and a list of its attempts."""
    attempts: list[int] = []

    def work() -> str:
        attempts.append(len(attempts))
        if len(attempts) <= times:
            raise error
        return "done"

    return attempts, work


@pytest.mark.parametrize("error", [StoreUnavailableError(), NoRoomError(), httpx.ReadError("")])
def test_what_may_pass_is_tried_again_until_it_is_done(error: Exception) -> None:
    attempts, work = failing(2, error)
    assert patiently(work, SOON) == "done"
    assert len(attempts) == 3


def test_patience_ends() -> None:
    attempts, work = failing(9, StoreUnavailableError("HTTP 503."))
    with pytest.raises(StoreUnavailableError, match="503"):
        patiently(work, SOON)
    assert len(attempts) == 3


@pytest.mark.parametrize("error", [CorruptFileError(), LeakFoundError(), FoiError("ValueError."), ValueError("x")])
def test_what_will_not_pass_is_not_tried_again(error: Exception) -> None:
    attempts, work = failing(9, error)
    with pytest.raises(type(error)):
        patiently(work, SOON)
    assert len(attempts) == 1


def test_pauses_grow_and_chance_spreads_them() -> None:
    assert list(PAUSES_S) == sorted(set(PAUSES_S))
    drawn = [spread(10.0) for _ in range(200)]
    assert 10 <= min(drawn) < 11 < 14 < max(drawn) <= 15
