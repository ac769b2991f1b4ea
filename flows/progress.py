"""What the status document and the progress bar say while a run is at work."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.report import artifact_key
from tasks.model import Manifest, Outcome, RecordOutcome, State
from tasks.status import find_status, set_status
from tasks.steps import StepResult
from tasks.workplace import Workplace

SHARES = {
    Outcome.READ: 60,
    Outcome.FOUND: 5,
    Outcome.PLANNED: 5,
    Outcome.REDACTED: 10,
    Outcome.PASSED: 20,
}
"""Of a page's whole work, in percent, about; reading is counted page by page, the rest record by record."""

BAR_EVERY_S = 2.0
STAGE_EVERY_S = 2.0
"""Records pass a stage several times a second; people look less often. What is left unsaid is said when so long has
passed, whether or not anything more happens."""

STATUS_EVERY_S = 60.0
"""A record of many pages is read for an hour; whoever looks at the status sees that the run is alive."""

AT_ONCE = frozenset({Outcome.QUARANTINED, Outcome.REFUSED})
"""What a person has to act on."""


@dataclass
class Progress:
    """One request's run: where each record stands. Steps report from their own threads."""

    place: Workplace
    reference: str
    listing: str
    outcomes: dict[int, RecordOutcome]
    others: tuple[RecordOutcome, ...]
    artifact: UUID | None
    rejected: set[int] = field(default_factory=set)
    _done: dict[tuple[int, Outcome], int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _bar_at: float = 0.0
    _saved_at: float = 0.0
    _unsaid: threading.Timer | None = None

    def resume(self, read: Container[int], known: Iterable[RecordOutcome]) -> None:
        """Records that were read in an earlier run are read; the others stay what they were then."""
        by_name = {outcome.name: outcome for outcome in known}
        for number, outcome in self.outcomes.items():
            if number in read:
                self._done[number, Outcome.READ] = outcome.pages
            else:
                self.rejected.add(number)
                self.outcomes[number] = by_name.get(outcome.name, outcome)

    def set_aside(self, result: StepResult) -> bool:
        """Whether a step quarantined the record; it takes no further part then."""
        if result.rejected:
            self.rejected.add(result.number)
            self.advance(result.number, Outcome.QUARANTINED, reason=result.rejected)
        return bool(result.rejected)

    def pages_read(self, number: int, pages: int) -> None:
        """So many pages of a record have been read."""
        with self._lock:
            known = self.outcomes[number]
            self._done[number, Outcome.READ] = pages
            self.outcomes[number] = replace(known, reason=f"{pages} of {known.pages} pages read")
            # Whatever the status has against it, the page has been read.
            with contextlib.suppress(Exception):
                if time.monotonic() - self._saved_at > STATUS_EVERY_S:
                    self.save(State.PROCESSING)
            self._show()

    def advance(self, number: int, outcome: Outcome, **details: Any) -> None:
        """One record has come one stage further."""
        with self._lock:
            known = self.outcomes[number] = replace(self.outcomes[number], outcome=outcome, **details)
            if outcome in SHARES:
                self._done[number, outcome] = known.pages
            wait_s = self._saved_at + STAGE_EVERY_S - time.monotonic()
            if outcome in AT_ONCE or wait_s <= 0:
                self.save(State.PROCESSING)
            elif self._unsaid is None:
                self._unsaid = threading.Timer(wait_s, self.say_rest)
                self._unsaid.daemon = True
                self._unsaid.start()
            self._show()

    def say_rest(self) -> None:
        """Write what `advance` left unsaid, unless it was written meanwhile."""
        with self._lock, contextlib.suppress(Exception):  # the next time it is written says it as well
            if self._unsaid is not None:
                self.save(State.PROCESSING)

    def _show(self) -> None:
        if self.artifact is None or time.monotonic() - self._bar_at < BAR_EVERY_S:
            return
        self._bar_at = time.monotonic()
        self._show_percent(self.percent)

    def _show_percent(self, percent: float) -> None:
        if self.artifact is not None:
            with contextlib.suppress(Exception):  # a bar that cannot be moved fails no work
                update_progress_artifact(self.artifact, progress=percent)

    @property
    def percent(self) -> float:
        """How much of the work is done, 0 to 100."""
        whole = sum(outcome.pages for n, outcome in self.outcomes.items() if n not in self.rejected)
        done = sum(SHARES[stage] * pages for (n, stage), pages in self._done.items() if n not in self.rejected)
        return min(100.0, done / whole) if whole else 100.0

    def finish(self, outcome: Outcome) -> None:
        """Every record that passed the gate has come to its end."""
        self.outcomes = {
            n: replace(known, outcome=outcome) if known.outcome in {Outcome.PASSED, Outcome.HELD} else known
            for n, known in self.outcomes.items()
        }
        self._show_percent(100.0)

    def save(self, state: State, reason: str = "", **changes: Any) -> None:
        """Write the status document."""
        with self._lock:
            if self._unsaid is not None:
                self._unsaid.cancel()
                self._unsaid = None
            self._saved_at = time.monotonic()
            records = (*self.outcomes.values(), *self.others)
            listing = self.listing
            set_status(self.place, self.reference, state, reason=reason, listing=listing, records=records, **changes)


def begin(place: Workplace, reference: str, manifest_key: str) -> Progress:
    """The progress of a run that has just taken a request up; files that are no records keep what was said of them."""
    manifest = place.load(manifest_key, Manifest)
    known = find_status(place, reference)
    prefix = f"{reference}/"
    outcomes = {
        record.number: RecordOutcome(record.key.removeprefix(prefix), Outcome.TAKEN_IN, record.media.pages)
        for record in manifest.records
    }
    names = {outcome.name for outcome in outcomes.values()}
    others = tuple(outcome for outcome in known.records if outcome.name not in names) if known else ()
    progress = Progress(place, reference, manifest.listing, outcomes, others, _make_bar(reference))
    progress.save(State.PROCESSING)
    return progress


def _make_bar(reference: str) -> UUID | None:
    """A progress bar in Prefect's UI; None when there can be none now."""
    description = f"Pages of {reference} on their way"
    with contextlib.suppress(Exception):
        bar = create_progress_artifact(0.0, key=artifact_key("progress", reference), description=description)
        return bar if isinstance(bar, UUID) else None
    return None
