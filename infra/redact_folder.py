"""`foi redact`: files and folders in, redacted files out; no server, no bucket.

Rule kept here: a file either gets a PDF that passed the gate and a JSON of its marks, or a JSON that says why not; one
bad file never stops the others, and nothing half written is ever seen.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tasks.apart import Apart, Bounds, ReadersNotStartedError
from tasks.codec import digest, encode, unpack
from tasks.errors import (
    FoiError,
    LeakFoundError,
    LimitExceededError,
    OutputFolderError,
    ReaderUnavailableError,
    RejectedInputError,
)
from tasks.looks import LOOKS, doubtful_pages, pages_to_review
from tasks.model import Media, RedactionPlan, VerificationReport
from tasks.readers import Packed, Readers, UnreadableError
from tasks.reading.settings import ReadingSettings
from tasks.request import Policy

TITLE = "Redacted record"
"""Of every PDF: the name of its source is nobody's business."""

LONGEST_STEM_BYTES = 240
"""Of a result's name: file systems take 255, and `.json` and a number may follow."""

SUFFIXES = frozenset({".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Input:
    """One file to redact and the path, without suffix, its results get below the output folder."""

    path: Path
    stem: Path

    @property
    def group(self) -> Path:
        """Files of one folder are one request: what is found in one is swept for in the others."""
        return self.path.parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one file ended: `redacted`, `held`, `rejected`, `refused` (by the gate) or `failed`."""

    input: Input
    outcome: str
    pages: int = 0
    marks: int = 0
    reason: str = ""


EXIT_CODES = {"redacted": 0, "held": 3, "rejected": 4, "refused": 5, "failed": 1}
_SEVERITY = ("redacted", "held", "rejected", "refused", "failed")


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """The exit code of the worst outcome."""
    worst = max((_SEVERITY.index(o.outcome) for o in outcomes), default=0)
    return EXIT_CODES[_SEVERITY[worst]]


def gather(paths: Sequence[Path]) -> list[Input]:
    """The files below `paths`: folders are walked for known suffixes, named files are taken whatever their suffix.

    Raises:
        FileNotFoundError: a path does not exist.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if path.is_dir():
            found.update({p: p.relative_to(path) for p in _own_files(path) if p.suffix.lower() in SUFFIXES})
        elif path.is_file():
            found[path] = Path(path.name)
        else:
            raise FileNotFoundError(path)
    taken = Counter(relative.with_suffix("") for relative in found.values())
    inputs: list[Input] = []
    used: set[Path] = set()
    for path, relative in found.items():
        stem = _shortened(relative.with_suffix("") if taken[relative.with_suffix("")] == 1 else relative)
        candidate, n = stem, 1
        while candidate in used:
            n += 1
            candidate = stem.with_name(f"{stem.name}-{n}")
        used.add(candidate)
        inputs.append(Input(path, candidate))
    return inputs


def passed_over(paths: Sequence[Path]) -> list[Path]:
    """The files in folders among `paths` that `gather` leaves out, for no suffix of theirs says what they are."""
    folders = [path for path in paths if path.is_dir()]
    return [file for folder in folders for file in _own_files(folder) if file.suffix.lower() not in SUFFIXES]


def _shortened(stem: Path) -> Path:
    """A name too long for what is added to it, cut and told apart by its digest."""
    name = stem.name
    if len(os.fsencode(name)) <= LONGEST_STEM_BYTES:
        return stem
    ending = f"-{digest(os.fsencode(name))[:16]}"
    while len(os.fsencode(name)) > LONGEST_STEM_BYTES - len(ending):
        name = name[:-1]
    return stem.with_name(name + ending)


def _own_files(folder: Path) -> list[Path]:
    """All files below a folder. A link is not followed: it may lead to any file of the person who runs this."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def check_output(inputs: Sequence[Input], output: Path) -> None:
    """Refuse an output folder in which a result would take the place of an input.

    Raises:
        OutputFolderError: naming the first input at risk.
    """
    originals = {one.path.resolve() for one in inputs}
    for one in inputs:
        for suffix in (".pdf", ".json"):
            if (output / one.stem.with_name(one.stem.name + suffix)).resolve() in originals:
                raise OutputFolderError(subject=str(one.path))


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of one file before it is planned."""

    media: Media
    transcript: Packed
    found: Packed


@dataclass
class _Group:
    """A request's files between reading and planning."""

    waiting: int
    read: dict[Input, _Found] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class FolderRedaction:
    """One call of `foi redact`.

    Args:
        output: folder for the results; made when absent.
        policy: what is withheld.
        reading: OCR settings and limits.
        jobs: how many files are worked on at once.
        bounds: what each process that reads files may use up.
        needs: layers of the sandbox without which none is read.
        on_step: called with the input and the stage it has finished (`read`, `done`), from worker threads.
    """

    def __init__(
        self,
        output: Path,
        policy: Policy,
        reading: ReadingSettings,
        jobs: int,
        on_step: Callable[[Input, str], None] = lambda _input, _stage: None,
        *,
        bounds: Bounds | None = None,
        needs: Collection[str] = (),
    ) -> None:
        self._output = output
        self._policy = policy
        self._reading = reading
        self._jobs = jobs
        self._on_step = on_step
        self._bounds = bounds
        self._needs = needs
        self.cpu_s: Mapping[str, float] = {}
        """Processor seconds that the stages of the last run took, by job of `tasks.jobs`."""

    def run(self, inputs: Sequence[Input]) -> list[Outcome]:
        """Redact every input; the outcomes come in the order of the inputs."""
        check_output(inputs, self._output)
        outcomes: dict[Input, Outcome] = {}
        groups: dict[Path, _Group] = {}
        for one in inputs:
            groups.setdefault(one.group, _Group(0)).waiting += 1
        finished = threading.Semaphore(0)

        def done(outcome: Outcome) -> None:
            outcomes[outcome.input] = outcome
            self._on_step(outcome.input, "done")
            finished.release()

        with (
            Apart(self._jobs, bounds=self._bounds, needs=self._needs) as apart,
            ThreadPoolExecutor(self._jobs) as pool,
        ):
            readers = Readers(apart, self._reading)

            def first(one: Input) -> None:
                group = groups[one.group]
                try:
                    result = self._read(readers, one)
                except Exception as error:
                    done(self._reject(one, error))
                    result = None
                else:
                    self._on_step(one, "read")
                with group.lock:
                    if result:
                        group.read[one] = result
                    group.waiting -= 1
                    ready = group.waiting == 0
                if ready:
                    everywhere = [one_found.found for one_found in group.read.values()]
                    for member, known in group.read.items():
                        pool.submit(second, member, known, everywhere)

            def second(one: Input, found: _Found, everywhere: list[Packed]) -> None:
                try:
                    done(self._write(readers, one, found, everywhere))
                except Exception as error:
                    done(self._reject(one, error))

            for one in inputs:
                pool.submit(first, one)
            for _ in inputs:
                finished.acquire()
            self.cpu_s = apart.cpu_s()
        return [outcomes[one] for one in inputs]

    def _read(self, readers: Readers, one: Input) -> _Found:
        data = self._source(one)
        media = readers.look(one.path.name, data)
        transcript = readers.read(media, data)
        return _Found(media, transcript, readers.find(self._policy, transcript))

    def _source(self, one: Input) -> bytes:
        try:
            size = one.path.stat().st_size
            if size > self._reading.limits.max_bytes:
                raise LimitExceededError(f"{size} bytes.", subject=one.path.name)
            return one.path.read_bytes()
        except OSError as error:
            raise RejectedInputError(f"It cannot be read: {error.strerror}.", subject=one.path.name) from None

    def _write(self, readers: Readers, one: Input, found: _Found, everywhere: list[Packed]) -> Outcome:
        data = self._source(one)
        media = found.media
        for look in range(LOOKS):
            plan_bytes, _ = readers.plan(self._policy, found.transcript, found.found, everywhere)
            pdf = readers.redact(media, plan_bytes, found.transcript, TITLE, data)
            report = unpack(readers.gate(pdf, plan_bytes, found.transcript), VerificationReport)
            doubtful = doubtful_pages(report)
            if not doubtful or look == LOOKS - 1:
                break
            transcript = readers.read_again(media, found.transcript, doubtful, data)
            found = _Found(media, transcript, readers.find(self._policy, transcript))
            everywhere = [*everywhere, found.found]
        plan = unpack(plan_bytes, RedactionPlan)
        to_review = pages_to_review(plan)
        outcome = "held" if to_review else "redacted"
        document = _document(outcome, digest(data), media, plan, report)
        if not report.passed:
            self._refuse(one, {**document, "outcome": "refused"})
            codes = " ".join(sorted({finding.code for finding in report.findings}))
            return Outcome(one, "refused", plan.pages, len(plan.marks), f"{LeakFoundError.message} {codes}")
        self._put(one, ".pdf", pdf)
        self._put(one, ".json", _readable({**document, "file_sha256": digest(pdf)}))
        reasons = sorted({doubt.code for review in to_review for doubt in review.doubts})
        return Outcome(one, outcome, plan.pages, len(plan.marks), ", ".join(reasons))

    def _reject(self, one: Input, error: Exception) -> Outcome:
        """An outcome in place of a traceback; the reason stands beside where the result would."""
        if isinstance(error, ReaderUnavailableError) and not isinstance(error, ReadersNotStartedError):
            error = UnreadableError(error.detail)
        if isinstance(error, RejectedInputError):
            outcome = Outcome(one, "rejected", reason=f"{error} {error.action}")
        elif isinstance(error, OSError):
            outcome = Outcome(one, "failed", reason=f"The result cannot be written: {error.strerror}.")
        elif isinstance(error, FoiError):
            outcome = Outcome(one, "failed", reason=str(error))
        else:
            outcome = Outcome(one, "failed", reason=type(error).__name__)
        with suppress(OSError):  # a full disk has no room for the reason either; the table says it
            code = error.code if isinstance(error, FoiError) else FoiError.code
            self._refuse(one, {"outcome": outcome.outcome, "code": code, "reason": outcome.reason})
        return outcome

    def _refuse(self, one: Input, document: dict[str, object]) -> None:
        """A JSON instead of a PDF, and no PDF of an earlier run beside it that could be taken for this one's."""
        self._output.joinpath(one.stem.with_name(one.stem.name + ".pdf")).unlink(missing_ok=True)
        self._put(one, ".json", _readable(document))

    def _put(self, one: Input, suffix: str, data: bytes) -> None:
        """Write whole or not at all: a reader sees the old file or the new one."""
        target = self._output / one.stem.with_name(one.stem.name + suffix)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{digest(os.fsencode(target.name))[:16]}.{os.getpid()}.part")
        partial.write_bytes(data)
        partial.replace(target)


def _readable(document: dict[str, object]) -> bytes:
    return msgspec.json.format(encode(document), indent=1)


def _document(
    outcome: str, source: str, media: Media, plan: RedactionPlan, report: VerificationReport
) -> dict[str, object]:
    """What `<stem>.json` says: where and why, never what."""
    return {
        "outcome": outcome,
        "source_sha256": source,
        "source_type": media.type,
        "notes": media.notes,
        "pages": plan.pages,
        "policy": plan.policy,
        "marks": plan.marks,
        "reviews": plan.reviews,
        "gate": {"passed": report.passed, "checks": report.checks, "findings": report.findings},
    }
