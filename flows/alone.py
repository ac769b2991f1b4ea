"""One run at a time changes what is public of a request: it publishes, withdraws or discards.

Rule kept here: a run that is about to do so says it in the name of its own state, Publishing, and only then looks
whether another says the same (Burns and Lamport's one-bit algorithm: of two that look at the same time, the younger
run takes its word back and waits). The state is in Prefect's database, so no restart of the server forgets it, an
operator sees it, and a run whose process died loses it when it is taken for crashed (`flows.patrol`).

Nobody waits for ever: after a while a withdrawal goes on, because `tasks.disclosure.publish` itself refuses to finish a
publication that was overtaken, and a publication gives up for now.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect.runtime import flow_run

from flows.runs import Run, Runs, RunsUnavailableError, open_runs
from flows.settings import Settings
from tasks.errors import TransientError

PUBLISHING = "Publishing"
RUNNING = "Running"

PUBLISHER_WAITS_S = 900.0
"""Longer than it takes to notice that a run has crashed."""

WITHDRAWAL_WAITS_S = 60.0
"""Then what is public goes, whoever is writing."""

_POLL_S = 1.0


class BusyPublishingError(TransientError):
    """Another run changes what is public of this request, and does not come to an end."""

    code = "busy-publishing"
    message = "Another run of this request has been publishing for very long."
    action = "Nothing: it is tried again. If it lasts, look in Prefect at the run whose state is Publishing."


@contextmanager
def alone(
    reference: str, settings: Settings | None = None, *, wait_s: float = PUBLISHER_WAITS_S, go_on: bool = False
) -> Iterator[None]:
    """No other run publishes or withdraws the request inside. Outside of a deployed run there is nobody to wait for.

    Args:
        reference: of the request.
        settings: name Prefect's server.
        wait_s: how long to wait for others.
        go_on: what to do then: go on, or give up.

    Raises:
        BusyPublishingError: another run has been publishing for too long.
        RunsUnavailableError: Prefect does not say who is.
    """
    settings = settings or Settings()
    if settings.prefect_api_url is None or flow_run.id is None:
        yield
        return
    with open_runs(settings) as runs:
        me = runs.read(str(flow_run.id))
        try:
            if not enter(runs, me, reference, wait_s) and not go_on:
                raise BusyPublishingError(subject=reference)
            yield
        finally:
            with suppress(RunsUnavailableError):  # the run's last state takes it back too
                _say(runs, me, RUNNING)


def enter(runs: Runs, me: Run, reference: str, wait_s: float) -> bool:
    """Say that this run is publishing, and wait until no other does; False when that took too long."""
    deadline = time.monotonic() + wait_s
    while True:
        _say(runs, me, PUBLISHING)
        if not any(other.order < me.order for other in _others(runs, me, reference)):
            break
        _say(runs, me, RUNNING)
        while any(other.order < me.order for other in _others(runs, me, reference)):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
    while _others(runs, me, reference):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _say(runs: Runs, me: Run, name: str) -> None:
    runs.settle(me, "RUNNING", name, "")


def _others(runs: Runs, me: Run, reference: str) -> list[Run]:
    return [run for run in runs.started() if run.state == PUBLISHING and run.reference == reference and run.id != me.id]
