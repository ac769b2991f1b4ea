"""One question to a Prefect server, asked again for a while.

Rule kept here: a server that is busy or away is asked again (on SQLite it says 503 while something else writes); what
it answers is for the caller to judge.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import httpx

from flows.patience import spread
from tasks.errors import TransientError

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""For somebody who waits for an answer."""

LONG_PAUSES_S = (*PAUSES_S, 15.0, 30.0, 60.0)
"""For a run, which has nothing better to do: a server that is restarted is back by then."""


def answer_of(
    client: httpx.Client,
    method: str,
    path: str,
    body: object,
    failing: Callable[[str], TransientError],
    busy: Collection[int] = (),
    pauses_s: Sequence[float] = PAUSES_S,
) -> httpx.Response:
    """The first answer that is not the server's trouble.

    Args:
        client: of the server's API.
        method: of HTTP.
        path: below the API's address.
        body: sent as JSON.
        failing: makes the error, of the last reason, when there was no such answer.
        busy: HTTP statuses below 500 that mean trouble too.
        pauses_s: seconds before each further attempt.
    """
    reason = ""
    for pause_s in (*pauses_s, 0.0):
        try:
            answer = client.request(method, path, json=body)
        except httpx.TransportError as error:
            reason = f"{type(error).__name__}."
        else:
            if answer.status_code < 500 and answer.status_code not in busy:
                return answer
            reason = f"HTTP {answer.status_code}."
        time.sleep(spread(pause_s))
    raise failing(reason)
