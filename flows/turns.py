"""One run at a time for each request.

Rule kept here: of the runs of one request, the one that Prefect made first works; the others leave it to that one,
which looks at the folder once more before it ends. So a thousand events for one request make one run that works, and no
upload is missed:

* A run that finds an older one at work waits a moment and looks again. If the older one ended meanwhile, it works
  itself; else it ends as Joined.
* Before a run ends, it asks whether others joined since it last listed the folder, or are about to; then it looks
  again. A run that joined after that question was there when it was asked: it had waited for longer than ending takes.
* Runs that still wait for a worker when one starts are settled as Joined, without a process of their own.

A run whose process is gone holds its turn until it is taken for crashed, which is a matter of minutes: see
`flows.patrol`. Nothing here is a lock in the store: without conditional writes there is none. If two runs should work
at once all the same (a server that comes back after minutes), each writes results under keys made of their content.

Runs of other deployments have no turn. What is public is changed by one run at a time all the same: see `flows.alone`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prefect.runtime import flow_run
from prefect.states import Completed, State

from flows.runs import JOINED, PROCESSING, Run, Runs, open_runs
from flows.settings import Settings

UNCHANGED = "Unchanged"

WAIT_S = 10.0
"""Longer than it takes from the question whether to look again to the run's last state."""

_POLL_S = 1.0
_MARGIN = timedelta(seconds=2)
_LEFT_TO = "Another run of this request is at work; it looks once more before it ends."


@dataclass(slots=True)
class Turn:
    """The right to work on a request; False when another run has it."""

    reference: str
    runs: Runs | None = None
    me: Run | None = None
    looked: datetime | None = None

    def __bool__(self) -> bool:
        return self.looked is not None

    def look(self) -> None:
        """Called before the folder is listed: what asks from now on asks anew."""
        self.looked = datetime.now(UTC) - _MARGIN

    def asked_again(self) -> bool:
        """Whether another run of this request came since the last look."""
        if self.runs is None or self.me is None or self.looked is None:
            return False
        if self._others(self.runs.started(PROCESSING)):
            return True
        return bool(self._others(self.runs.ended(self.looked, PROCESSING, name=JOINED)))

    def take(self) -> None:
        """Take the turn, unless an older run keeps it."""
        if self.runs is None or self.me is None:
            self.look()
            return
        deadline = time.monotonic() + WAIT_S
        while any(run.order < self.me.order for run in self._others(self.runs.started(PROCESSING))):
            if time.monotonic() > deadline:
                return
            time.sleep(_POLL_S)
        self.look()
        for run in self._others(self.runs.due(PROCESSING)):
            self.runs.settle(run, "COMPLETED", JOINED, _LEFT_TO)

    def work(self, once: Callable[[], State]) -> State:
        """Do the work, and again for as long as others ask for it; returns what the last that changed anything came to.

        Args:
            once: lists the folder and does what is to be done.
        """
        state = once()
        while self.asked_again():
            self.look()
            again = once()
            state = state if again.name == UNCHANGED else again
        return state

    def left(self) -> State:
        """The last state of a run that did not get the turn."""
        return Completed(name=JOINED, message=_LEFT_TO)

    def _others(self, runs: list[Run]) -> list[Run]:
        return [run for run in runs if run.reference == self.reference and self.me and run.id != self.me.id]


@contextmanager
def take_turn(reference: str, settings: Settings | None = None) -> Iterator[Turn]:
    """A turn on a request: true when this run is to work. Outside of a deployed run there is nothing to wait for.

    Raises:
        RunsUnavailableError: Prefect does not say who is at work.
    """
    settings = settings or Settings()
    if settings.prefect_api_url is None or flow_run.id is None:
        turn = Turn(reference)
        turn.take()
        yield turn
        return
    with open_runs(settings) as runs:
        turn = Turn(reference, runs, runs.read(str(flow_run.id)))
        turn.take()
        yield turn
