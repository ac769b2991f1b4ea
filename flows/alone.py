"""One run at a time changes what is public of a request: it publishes, withdraws or discards.

Rule kept here: the right to do so is a variable of Prefect's, named after the request, that holds the run which made
it. Names of variables are unique in Prefect's database, so of all that want to make it one does, whatever the others do
at the same moment, and no restart of the server forgets it. It is made with a word that is said once, and removed by
its id: a question that was asked twice because no answer came, or that arrives late, takes nothing from anybody.

What a run that is over has left behind, the next removes; a run is over when Prefect says so (`flows.patrol` tells it
of dead ones). A run that is taken for dead while it waits does not go in: another does its work by then.

Nobody waits for ever: after a while a withdrawal goes on, because `tasks.disclosure.publish` itself refuses to finish a
publication that was overtaken, and a publication gives up for now.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from prefect.runtime import flow_run

from flows.runs import Runs, RunsUnavailableError, open_runs
from flows.settings import Settings
from tasks.codec import digest
from tasks.errors import TransientError

RIGHT = "publishing-"
"""What the names of the variables start with; a hash of the reference follows, which may have capitals."""

PUBLISHER_WAITS_S = 900.0
"""Longer than it takes to notice that a run has crashed."""

WITHDRAWAL_WAITS_S = 60.0
"""Then what is public goes, whoever is writing."""

_POLL_S = 1.0


class BusyPublishingError(TransientError):
    """Another run changes what is public of this request, and does not come to an end."""

    code = "busy-publishing"
    message = "Another run of this request has been publishing for very long."
    action = "Nothing: it is tried again. If it lasts, a variable in Prefect, publishing-…, names the run to look at."


class RunOverError(TransientError):
    """Prefect calls this run over although its process is at work."""

    code = "run-over"
    message = "Prefect has ended this run, so it changes nothing that is public."
    action = "Nothing: what was taken for crashed is started again. What a person cancelled stays so."


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
        RunOverError: this run was ended meanwhile.
        RunsUnavailableError: Prefect does not say who is.
    """
    settings = settings or Settings()
    if settings.prefect_api_url is None or flow_run.id is None:
        yield
        return
    me = str(flow_run.id)
    with open_runs(settings) as runs:
        right = enter(runs, me, reference, wait_s)
        if right is None and not go_on:
            raise BusyPublishingError(subject=reference)
        try:
            yield
        finally:
            if right:
                leave(runs, right)


def enter(runs: Runs, me: str, reference: str, wait_s: float) -> str | None:
    """Wait until no other run publishes, and take the right to; returns its id, None when that took too long.

    Args:
        runs: of the server.
        me: id of this run.
        reference: of the request.
        wait_s: how long to wait for others.

    Raises:
        RunOverError: this run was ended meanwhile.
    """
    name, word = f"{RIGHT}{digest(reference.encode())}", str(uuid4())
    deadline = time.monotonic() + wait_s
    while True:
        right = runs.make_variable(name, {"reference": reference, "run": me, "word": word})
        if right.value.get("word") == word:
            break
        holder = str(right.value.get("run"))
        if holder == me or runs.is_over(holder):
            runs.remove_variable(right.id)
            continue
        if time.monotonic() > deadline:
            return None
        time.sleep(_POLL_S)
    if runs.is_over(me):
        leave(runs, right.id)
        raise RunOverError(subject=reference)
    return right.id


def leave(runs: Runs, right: str) -> None:
    """Give the right back; if the server is away, it is removed when the run is over."""
    with suppress(RunsUnavailableError):
        runs.remove_variable(right)
