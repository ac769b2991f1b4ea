"""The same again while a service is away.

Rule kept here: only what may pass by itself is tried again, after pauses that grow and that chance spreads, so that
those who wait for one service do not all ask it in the same moment. What a step tries again within seconds is tried
again here as a whole over minutes: results that exist are not made again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx

from tasks.errors import TransientError

T = TypeVar("T")

PAUSES_S = (5.0, 15.0, 45.0, 120.0)
"""A server that is restarted is back before the second, a disk that was filled by the work of others after the last."""

logger = logging.getLogger("foi.patience")


def spread(pause_s: float) -> float:
    """A pause of this length or up to half as long again."""
    return pause_s * random.uniform(1.0, 1.5)  # noqa: S311 - no secret


def patiently(work: Callable[[], T], pauses_s: Sequence[float] = PAUSES_S) -> T:
    """What the work comes to; it must be harmless to do again.

    Args:
        work: raises `TransientError`, or one of httpx from Prefect's own client, when a service is away.
        pauses_s: seconds before each further attempt.

    Raises:
        TransientError: of the last attempt, as anything else at once.
    """
    for pause_s in pauses_s:
        try:
            return work()
        except (TransientError, httpx.HTTPError) as error:
            said = str(error) if isinstance(error, TransientError) else type(error).__name__
            logger.warning("%s It is tried again.", said)
        time.sleep(spread(pause_s))
    return work()
