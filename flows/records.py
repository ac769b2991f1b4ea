"""The way of a request's records from source to gated PDF: one task per record and stage, several for a long one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.futures import PrefectFuture, PrefectWrappedFuture, as_completed

from flows.progress import Progress
from flows.spread import spread_out
from tasks import steps
from tasks.looks import LOOKS
from tasks.model import Manifest, Outcome, RedactionPlan, StageKeys
from tasks.reading.settings import PAGES_AT_ONCE
from tasks.steps import StepResult, claims_beside
from tasks.workplace import Workplace

PART_PAGES = PAGES_AT_ONCE
"""Of a record that one task reads: so many that a task's own cost, up to 0.4 s on Dask, is little beside reading them,
and so few that the last part does not keep the others waiting for long."""


@dataclass(slots=True)
class _Part:
    """Pages of a long record, and the key of what was read of them, once it was."""

    pages: int
    reading: PrefectWrappedFuture[StepResult, Any]
    key: str = ""


def redact_records(
    place: Workplace, manifest: str, numbers: Iterable[int], corrections: Sequence[str], progress: Progress
) -> list[StageKeys]:
    """Take every record from source to gated PDF; returns their keys by number.

    Reading and finding run record by record; planning waits for all of them, because a value found in one record is
    swept for in the others.
    """
    with spread_out():
        transcripts = _read(place, manifest, numbers, progress)
        return _redact(place, manifest, transcripts, corrections, progress, {})


def redact_read(
    place: Workplace, manifest: str, before: Sequence[StageKeys], corrections: Sequence[str], progress: Progress
) -> list[StageKeys]:
    """The same for records that have been redacted before: none is read again, and no page whose marks are the same."""
    transcripts = {keys.number: keys.transcript for keys in before}
    with spread_out():
        return _redact(place, manifest, transcripts, corrections, progress, {keys.number: keys.plan for keys in before})


def _redact(
    place: Workplace,
    manifest: str,
    transcripts: Mapping[int, str],
    corrections: Sequence[str],
    progress: Progress,
    former: Mapping[int, str],
) -> list[StageKeys]:
    """A page on which the gate can still read something is looked at once more.

    Args:
        place: where.
        manifest: key of the request's.
        transcripts: keys by number.
        corrections: names of those to follow.
        progress: told of each stage.
        former: keys of the plans by which the records were redacted before, by number.
    """
    read = dict(transcripts)
    found = _find(place, manifest, read, corrections, progress)
    for look in range(LOOKS):
        stages, doubtful = _redact_and_gate(place, manifest, read, found, corrections, progress, former)
        if not doubtful or look == LOOKS - 1:
            break
        looking = [steps.read_again.submit(place, manifest, n, read[n], pages) for n, pages in doubtful.items()]
        looked = _collect(looking, progress)
        read.update(looked)
        found.update(_find(place, manifest, looked, corrections, progress))
    progress.say_rest()
    return stages


def _read(place: Workplace, manifest: str, numbers: Iterable[int], progress: Progress) -> dict[int, str]:
    """Keys of transcripts by number; records that turn out unreadable are set aside.

    Long records are read in parts, several at once. When one part sets its record aside, those that wait are not begun.
    """
    records = {record.number: record for record in place.load(manifest, Manifest).records}
    parts: dict[int, list[_Part]] = {}
    reading: dict[PrefectFuture[StepResult], int] = {}
    for number in numbers:
        if records[number].media.pages > PART_PAGES and not place.has(steps.transcript_key(place, records[number])):
            parts[number] = [
                _Part(last - first + 1, steps.read_pages.submit(place, manifest, number, first, last))
                for first, last in _in_parts(records[number].media.pages)
            ]
            reading.update((part.reading, number) for part in parts[number])
        else:
            reading[steps.read_record.submit(place, manifest, number)] = number
    transcripts: dict[int, str] = {}
    joining: list[PrefectFuture[StepResult]] = []
    for future in as_completed(list(reading)):
        number = reading[future]
        if number in progress.rejected:
            continue
        result = future.result()
        if progress.set_aside(result):
            for part in parts.get(number, ()):
                part.reading.wrapped_future.cancel()
        elif number in parts:
            next(part for part in parts[number] if part.reading is future).key = result.key
            progress.pages_read(number, sum(part.pages for part in parts[number] if part.key))
            if all(part.key for part in parts[number]):
                keys = [part.key for part in parts[number]]
                joining.append(steps.read_record.submit(place, manifest, number, keys))
        else:
            transcripts[number] = _note_read(result, progress)
    for future in as_completed(joining):
        result = future.result()
        if not progress.set_aside(result):
            transcripts[result.number] = _note_read(result, progress)
    return transcripts


def _in_parts(pages: int) -> Iterator[tuple[int, int]]:
    """First and last page of each part, counted from 1."""
    return ((first, min(first + PART_PAGES - 1, pages)) for first in range(1, pages + 1, PART_PAGES))


def _note_read(result: StepResult, progress: Progress) -> str:
    """Its pages are those that were counted when it was taken in: readers answer for each of them (`tasks.readers`)."""
    progress.advance(result.number, Outcome.READ, reason="")
    return result.key


def _find(
    place: Workplace, manifest: str, transcripts: Mapping[int, str], corrections: Sequence[str], progress: Progress
) -> dict[int, str]:
    """Keys of the claims by number, as persons corrected them."""
    finding = [steps.find_in_record.submit(place, manifest, n, key) for n, key in sorted(transcripts.items())]
    found = _collect(finding, progress, Outcome.FOUND)
    if not corrections:
        return found
    correcting = [
        steps.correct_found.submit(place, manifest, n, transcripts[n], key, corrections)
        for n, key in sorted(found.items())
    ]
    return _collect(correcting, progress)


def _redact_and_gate(
    place: Workplace,
    manifest: str,
    transcripts: Mapping[int, str],
    found: Mapping[int, str],
    corrections: Sequence[str],
    progress: Progress,
    former: Mapping[int, str],
) -> tuple[list[StageKeys], dict[int, tuple[int, ...]]]:
    """Keys of every record by number, and the pages to look at again of those that the gate refused.

    What was found in a record that was set aside later is swept for all the same.
    """
    everywhere = sorted(found.values())
    planning = [
        steps.plan_record.submit(place, manifest, number, transcripts[number], key, everywhere, corrections)
        for number, key in sorted(found.items())
        if number not in progress.rejected
    ]
    plans = _collect(planning, progress, Outcome.PLANNED)
    pdfs: dict[int, str] = {}
    gating: list[PrefectFuture[StepResult]] = []
    redacting = [
        steps.redact_record.submit(place, manifest, number, transcripts[number], key, former.get(number, ""))
        for number, key in sorted(plans.items())
    ]
    for future in as_completed(redacting):
        result = future.result()
        if progress.set_aside(result):
            continue
        number, pdfs[result.number] = result.number, result.key
        marks = len(place.load(plans[number], RedactionPlan).marks)
        progress.advance(number, Outcome.REDACTED, marks=marks)
        gating.append(steps.gate_record.submit(place, manifest, number, transcripts[number], plans[number], result.key))
    doubtful: dict[int, tuple[int, ...]] = {}
    reports: dict[int, str] = {}
    for future in as_completed(gating):
        result = future.result()
        if progress.set_aside(result):
            continue
        reports[result.number] = result.key
        if result.doubtful:
            doubtful[result.number] = result.doubtful
        if result.refused:
            progress.advance(result.number, Outcome.REFUSED, reason=f"The gate found {result.refused}.")
        else:
            progress.advance(result.number, Outcome.PASSED, reason="")
    stages = [
        StageKeys(n, transcripts[n], plans[n], pdfs[n], reports[n], claims_beside(plans[n])) for n in sorted(reports)
    ]
    return stages, doubtful


def _collect(
    futures: Sequence[PrefectFuture[StepResult]], progress: Progress, outcome: Outcome | None = None
) -> dict[int, str]:
    """Keys of the results by number; the status says the outcome, where one is given."""
    keys: dict[int, str] = {}
    for future in as_completed(list(futures)):
        result = future.result()
        if not progress.set_aside(result):
            keys[result.number] = result.key
            if outcome:
                progress.advance(result.number, outcome)
    return keys
