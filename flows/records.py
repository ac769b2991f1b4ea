"""The way of a request's records from source to gated PDF: one task per record and stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prefect.futures import PrefectFuture, as_completed

from flows.progress import Progress
from tasks import pipeline, steps
from tasks.model import Outcome, RedactionPlan, StageKeys, Transcript
from tasks.steps import StepResult, claims_beside
from tasks.workplace import Workplace


def redact_records(
    place: Workplace, manifest: str, numbers: Iterable[int], corrections: Sequence[str], progress: Progress
) -> list[StageKeys]:
    """Take every record from source to gated PDF; returns their keys by number.

    Reading and finding run record by record; planning waits for all of them, because a value found in one record is
    swept for in the others.
    """
    transcripts = _read(place, manifest, numbers, progress)
    return redact_read(place, manifest, transcripts, corrections, progress)


def redact_read(
    place: Workplace, manifest: str, transcripts: Mapping[int, str], corrections: Sequence[str], progress: Progress
) -> list[StageKeys]:
    """The same for records that have been read, whose transcripts' keys are given by number.

    A page on which the gate can still read something is looked at once more.
    """
    read = dict(transcripts)
    found = _find(place, manifest, read, corrections, progress)
    for look in range(pipeline.LOOKS):
        stages, doubtful = _redact_and_gate(place, manifest, read, found, corrections, progress)
        if not doubtful or look == pipeline.LOOKS - 1:
            break
        looking = [steps.read_again.submit(place, manifest, n, read[n], pages) for n, pages in doubtful.items()]
        looked = _collect(looking, progress)
        read.update(looked)
        found.update(_find(place, manifest, looked, corrections, progress))
    return stages


def _read(place: Workplace, manifest: str, numbers: Iterable[int], progress: Progress) -> dict[int, str]:
    """Keys of transcripts by number; records that turn out unreadable are set aside."""
    reading = [steps.read_record.submit(place, manifest, number) for number in numbers]
    transcripts: dict[int, str] = {}
    for future in as_completed(reading):
        result = future.result()
        if not progress.set_aside(result):
            transcripts[result.number] = result.key
            pages = len(place.load(result.key, Transcript).pages)
            progress.advance(result.number, Outcome.READ, pages=pages, reason="")
    return transcripts


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
        steps.redact_record.submit(place, manifest, number, transcripts[number], key)
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
