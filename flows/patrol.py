"""Goes round every minute: runs whose process is gone are ended, and what crashed is taken up again.

Rule kept here: a run is taken for dead only when its process gave no sign of life for longer than it may be silent, and
only by one who saw the server answer all that time: while the server is away, nobody's sign arrives. What dies again
and again is left to the nightly sweep, so that a file that kills its process does not keep the machine busy. A run that
is started again does what it was told the first time: each can be repeated, and a decision holds for one digest only.

Workers say at once when a run's process dies. But when the worker dies too, or the machine, Prefect itself calls the
run Running for ever, and Pending what the worker had just taken.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from flows.announce import Announcer, MadeSince
from flows.runs import JOINED, ON_REQUEST, PROCESSING, Run, Runs
from tasks.errors import FoiError
from tasks.store import ObjectStore

ROUND_S = 60.0
SILENCE = timedelta(minutes=3)
"""Signs of life come every 30 seconds: see the deployments' PREFECT_FLOWS_HEARTBEAT_FREQUENCY."""

PENDING = timedelta(minutes=5)
"""For how long a worker may take to start a process that has given no sign of life yet."""

CRASHES = 3
"""How often in a day a request may crash before it is left to the sweep."""

_DAY = timedelta(days=1)

logger = logging.getLogger("foi.patrol")


def end_lost_runs(runs: Runs, silence: timedelta = SILENCE) -> list[Run]:
    """Put runs whose process is gone into the state Crashed; returns them."""
    lost = []
    for run in runs.started():
        patience = silence if run.kind == "RUNNING" else max(silence, PENDING)
        if datetime.now(UTC) - run.since < patience or runs.is_alive(run, patience):
            continue
        now = runs.read(run.id)  # it may have ended between the questions
        if (now.kind, now.since) == (run.kind, run.since):
            runs.settle(run, "CRASHED", "Crashed", f"No sign of life for {patience.total_seconds():.0f} s.")
            lost.append(run)
    return lost


def end_left_behind(runs: Runs, worker: str, is_running: Callable[[int], bool]) -> list[Run]:
    """Put runs of a worker's predecessor into the state Crashed, without waiting for their silence; returns them.

    Args:
        runs: of the server.
        worker: the name that both go by.
        is_running: whether a process on this machine, where the worker of that name runs, is at work on a run.
    """
    left = [run for run in runs.started() if run.worker == worker and run.pid and not is_running(run.pid)]
    for run in left:
        runs.settle(run, "CRASHED", "Crashed", "Its process ended with its worker.")
    return left


@dataclass(slots=True)
class Patrol:
    """One who goes round.

    Attributes:
        runs: of the server.
        catch_up: called when the server answers again after it was away: events it had taken may be lost.
        silence: for how long a run may give no sign of life.
        start_unheard: sees to what no run came of; given who knows which runs were made, and who makes one.
    """

    runs: Runs
    catch_up: Callable[[], None]
    silence: timedelta = SILENCE
    start_unheard: Callable[[MadeSince, Callable[[str, str], None]], None] = lambda *_: None
    _answering_since: float | None = None
    _was_away: bool = False
    _seen: set[str] = field(default_factory=set)

    def go_round(self) -> None:
        """Look once.

        Raises:
            FoiError: the server or the store is away.
        """
        try:
            crashed = self.runs.ended(datetime.now(UTC) - _DAY, crashed=True)
        except FoiError:
            self._answering_since, self._was_away = None, True
            raise
        if self._answering_since is None:
            self._answering_since = time.monotonic()
        if self._was_away:
            self.catch_up()
            self._was_away = False
        if time.monotonic() - self._answering_since > self.silence.total_seconds():
            crashed += end_lost_runs(self.runs, self.silence)
        if any(run.id not in self._seen for run in crashed):
            self._take_up(crashed)
        self.start_unheard(self._made_since, self._start)

    def _start(self, reference: str, key: str) -> None:
        self.runs.create(ON_REQUEST, key, reference=reference)
        logger.info("No run came of the event about %s; one was started.", reference)

    def _made_since(self, since: datetime) -> dict[str, datetime]:
        made = (*self.runs.made(since, PROCESSING), *self.runs.ended(since, PROCESSING, name=JOINED))
        return {run.reference: datetime.fromisoformat(run.created) for run in sorted(made, key=lambda run: run.order)}

    def _take_up(self, crashed: list[Run]) -> None:
        """Start again what crashed and was not started again since."""
        latest = {_subject(run): run.id for run in self.runs.made(datetime.now(UTC) - _DAY)}
        for run in crashed:
            if run.id in self._seen:
                continue
            about = run.reference or "the sweep"
            often = sum(_subject(other) == _subject(run) for other in crashed)
            if often > CRASHES:
                logger.warning("%s crashed %d times in a day; it is left to the sweep.", about, often)
            elif latest.get(_subject(run)) == run.id:
                self.runs.create_again(run)
                logger.info("%s crashed and is taken up again.", about)
            self._seen.add(run.id)


def _subject(run: Run) -> tuple[str, str]:
    """What the run was to do, and to which request."""
    return run.flow_id, run.reference


def patrol_of(announcer: Announcer, store: ObjectStore, bucket: str) -> Patrol:
    """One who goes round for a program that announces uploads to the bucket."""
    return Patrol(
        Runs(announcer.client), lambda: announcer.catch_up(store, bucket), start_unheard=announcer.start_unheard
    )


def walk(patrol: Patrol) -> NoReturn:
    """Go round for ever."""
    while True:
        try:
            patrol.go_round()
        except FoiError as error:
            logger.warning("%s", error)
        except Exception as error:  # its text may quote what it should not
            logger.warning("A round broke off: %s.", type(error).__name__)
        time.sleep(ROUND_S)


def start_walking(patrol: Patrol) -> None:
    """Go round in a thread that ends with the process."""
    threading.Thread(target=walk, args=(patrol,), name="patrol", daemon=True).start()
