"""The values that travel through the pipeline, each made once and never changed.

    object -> Record -> PageRaster* -> Transcript -> Detection* -> RedactionPlan -> redacted file -> VerificationReport
                               all records of the request -> Dossier -> Bag -> Statement -> Envelope -> published

Rules kept here: frozen and slotted; every text that could hold a contact detail is `repr=False`; pages are counted
from 0 inside and from 1 wherever a person reads. Coordinates are px (see `tasks.geometry` for the two spaces).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal

from tasks.geometry import Box, Frame, Grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
"""A reference names folders, runs and pages; it is kept to what is safe in all three."""

Mode = Literal["bilevel", "grey", "colour"]


class Kind(StrEnum):
    """What a detection claims to have found."""

    EMAIL = "email"
    PHONE = "phone"
    FAX = "fax"
    PAGER = "pager"
    RADIO = "radio"
    EXTENSION = "extension"
    ADDRESS = "address"
    POSTCODE = "postcode"
    URL = "url"
    HANDLE = "handle"
    CODE = "code"  # QR code or barcode
    TERM = "term"  # asked for by the request's policy
    BOX = "box"  # drawn by a person


# ------------------------------------------------------------------------------------------------ intake


@dataclass(frozen=True, slots=True)
class Media:
    """What a source file is, by its content.

    Attributes:
        type: `application/pdf`, `image/tiff`, `image/jpeg` or `image/png`.
        pages: number of pages or frames, at least 1.
        notes: what was odd but bearable, as safe codes (`named-as-another-type`, `has-attachments`, ...).
    """

    type: str
    pages: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One source file of a request.

    Attributes:
        number: 1, 2, ... in the order the request lists them.
        key: its object key in the intake bucket (untrusted text).
        etag: the store's tag of the object as read.
        sha256: digest of its bytes, hex.
        size: bytes.
        title: safe to publish.
        date: ISO date of the record, or "".
    """

    number: int
    key: str = field(repr=False)
    etag: str
    sha256: str
    size: int
    media: Media
    title: str = field(repr=False)
    date: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file of a request that could not be taken in; its copy and this reason are in the quarantine bucket.

    Attributes:
        number: of the record it would have been, 0 for request.json.
        title: safe to publish, "" for request.json.
    """

    name: str = field(repr=False)
    code: str
    detail: str
    action: str
    number: int = 0
    title: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one request consisted of when it was taken in.

    Attributes:
        listing: digest over names, etags and sizes of the request's objects: the same listing is the same request.
        request: key of the copy of request.json in the work bucket that this run works with.
    """

    reference: str
    listing: str
    request: str
    records: tuple[Record, ...]
    rejected: tuple[Rejection, ...] = ()


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class Word:
    """One word as one reader saw it.

    Attributes:
        box: in the reading's space.
        confidence: 0 to 100. Low confidence never hides a word from detection.
        line: ordinal of its visual line within the reading; words of a line are consecutive, left to right.
    """

    text: str = field(repr=False)
    box: Box
    confidence: float
    line: int


DRAWN_TEXT = "drawn-text"
"""The reader of pages that a program drew and whose letters were confirmed (`tasks.reading.trusted`): it is certain."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass of one reader saw on one page.

    Attributes:
        reader: engine and settings, e.g. `tesseract --psm 3`, or `text-layer`, or `DRAWN_TEXT`.
        frame: from the reading's space back to page space.
        whole: whether the reader looked at the whole page; else only at what another had left unread, and the words
            around are the other's: what it does not say is no objection, and what it repeats confirms nothing.
    """

    reader: str
    frame: Frame
    words: tuple[Word, ...] = field(repr=False)
    whole: bool = True

    def lines(self) -> Iterator[tuple[Word, ...]]:
        """The words grouped by visual line, in reading order."""
        start = 0
        for end in range(1, len(self.words) + 1):
            if end == len(self.words) or self.words[end].line != self.words[start].line:
                yield self.words[start:end]
                start = end


@dataclass(frozen=True, slots=True)
class Symbol:
    """A QR code or barcode; `box` is in page space."""

    format: str
    text: str = field(repr=False)
    box: Box


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a person should look at a page; `code` and `message` are safe to show anywhere.

    Attributes:
        score: 0 (look if there is time) to 1 (something is surely missed).
        box: where, in page space; None for the whole page.
    """

    code: str
    message: str
    score: float
    box: Box | None = None


DOUBTS = frozenset(
    {
        "claim-without-place",
        "faint-redaction",
        "handwriting-like",
        "inky-but-wordless",
        "low-confidence",
        "readers-differ",
        "text-in-the-margin",
        "unread-number",
        "weak-claim",
    }
)
"""The codes of every doubt there is: what a reader may say of a page to anybody."""


@dataclass(frozen=True, slots=True)
class PageTranscript:
    """Everything read from one page.

    Attributes:
        page: 0-based.
        width_px: width of the page raster.
        height_px: height of the page raster.
        dpi: (horizontal, vertical); fax pages differ.
        grids: the blocks the source was compressed in; marks are snapped to them (see `PageRaster`).
        readings: the first is the primary one, whose words become the output's text layer. Detection uses all.
        unread: places in page space that hold ink as large as a short word, and no word one can rely on.
    """

    page: int
    width_px: int
    height_px: int
    dpi: tuple[float, float]
    grids: tuple[Grid, ...]
    readings: tuple[Reading, ...]
    symbols: tuple[Symbol, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unread: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything read from one record. Restricted: it is the record's text."""

    source_sha256: str
    pages: tuple[PageTranscript, ...]


@dataclass(frozen=True, slots=True)
class DrawnWord:
    """A word of a source's text layer: the letters `first` to before `end` of its page's `Drawn`, on line `line`."""

    text: str = field(repr=False)
    first: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the fonts of a page drew, by its own account. Untrusted, and never stored.

    Attributes:
        forms: the different letters: (font object, outline in it, character the text layer says).
        of_form: int32, index into `forms` of each letter.
        boxes: float32, (letters, 4): x0, y0, x1, y1 of each, its advance wide and a line high, px in page space.
    """

    words: tuple[DrawnWord, ...] = field(repr=False)
    forms: tuple[tuple[int, int, int], ...] = field(repr=False)
    of_form: NDArray[np.int32] = field(repr=False)
    boxes: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PageRaster:
    """One page as pixels. Never stored.

    Attributes:
        page: 0-based.
        pixels: uint8, shape (height, width) for bilevel (0 or 255) and grey, (height, width, 3) RGB for colour.
        mode: what the output must stay.
        dpi: (horizontal, vertical).
        grids: the blocks of each image that was compressed with loss; none where everything is proven lossless.
        layer: words of the source's own text layer in page space. Untrusted: a hint for detection, never proof.
        drawn: the same layer letter by letter, where each can be followed to what a font drew; None otherwise.
    """

    page: int
    pixels: NDArray[np.uint8] = field(repr=False)
    mode: Mode
    dpi: tuple[float, float]
    grids: tuple[Grid, ...] = ()
    layer: tuple[Word, ...] = field(default=(), repr=False)
    drawn: Drawn | None = field(default=None, repr=False)

    @property
    def width_px(self) -> int:
        """Width in px."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height in px."""
        return int(self.pixels.shape[0])


# ------------------------------------------------------------------------------------------------ contacts


@dataclass(frozen=True, slots=True)
class Detection:
    """A claim: this is a contact detail.

    Attributes:
        page: 0-based.
        regions: where, in page space; several boxes for several lines or a slanted line.
        text: the value as read.
        score: 0 to 1.
        recogniser: which one claims it, e.g. `email.spaced`.
        exemption: under which a person withholds it; "" for the policy's.
        reason: the person's public reason for withholding it, or "".
    """

    kind: Kind
    page: int
    regions: tuple[Box, ...]
    text: str = field(repr=False)
    score: float
    recogniser: str
    exemption: str = ""
    reason: str = field(default="", repr=False)


# ------------------------------------------------------------------------------------------------ redaction


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something is withheld and why; this is what a person reviews.

    Attributes:
        number: 1, 2, ... over the whole record.
        page: 0-based.
        regions: the painted boxes in page space, already padded, snapped and quantised.
        kinds: the kinds of the detections it covers, sorted.
        exemption: e.g. `s.31(1)(a)`.
        origin: `detected`, `repeated` (found by the sweep for values seen elsewhere) or `person`.
        score: the strongest claim below it.
        reason: a person's public reason for it, or "".
    """

    number: int
    page: int
    regions: tuple[Box, ...]
    kinds: tuple[Kind, ...]
    exemption: str
    origin: Literal["detected", "repeated", "person"] = "detected"
    score: float = 1.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PageReview:
    """A page a person should look at before release. `score`: 0 to 1, the worst of its doubts."""

    page: int
    score: float
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class RedactionPlan:
    """All marks of one record. Restricted: `withheld` holds the values.

    Attributes:
        grey: whether the output must be without colour.
    """

    source_sha256: str
    policy: str
    pages: int
    marks: tuple[Mark, ...]
    reviews: tuple[PageReview, ...]
    withheld: tuple[str, ...] = field(repr=False)
    grey: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in an output. Never holds the value it found.

    Attributes:
        code: the attack of the gate's list, e.g. `A05`.
        page: 0-based; None for the file as a whole.
        box: page space; None when it has no place.
        message: safe to show anywhere.
    """

    code: str
    page: int | None
    box: Box | None
    message: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The gate's verdict on exactly one sequence of bytes."""

    file_sha256: str
    pages: int
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the file may leave."""
        return not self.findings


# ------------------------------------------------------------------------------------------------ disclosure


@dataclass(frozen=True, slots=True)
class RedactedRecord:
    """A record as it would be published.

    Attributes:
        source_sha256: digest of the source (stays inside; the public sees a keyed commitment).
        source_pages: how many pages the source was found to have when it was taken in; 0 when nobody wrote it down.
        file_name: `NNN-<safe-title>.pdf`.
        sha256: digest of the redacted PDF.
        report_sha256: digest of the gate's report on it.
    """

    number: int
    title: str
    date: str
    file_name: str
    source_sha256: str
    sha256: str
    size: int
    pages: tuple[tuple[int, int], ...]  # (width_px, height_px) of each
    marks: tuple[Mark, ...]
    report_sha256: str
    source_pages: int = 0


@dataclass(frozen=True, slots=True)
class WithheldRecord:
    """A record that is not part of the disclosure, and the reason a reader is given.

    Attributes:
        exemption: under which it is withheld as a whole, e.g. `s.40(2)`; "" when it is not withheld but could not be
            read.
    """

    number: int
    title: str
    reason: str
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything a disclosure is made of, and exactly what a person approves: its digest is the approval's subject.

    `letter` is the request as it may be published (details of the requester withheld), a plain JSON object with the
    fields of `tasks.request.Request`; `corrections` names what persons corrected, in order.
    """

    reference: str
    title: str
    letter: dict[str, object]
    records: tuple[RedactedRecord, ...]
    withheld: tuple[WithheldRecord, ...]
    policy: str
    pipeline: str
    tools: tuple[tuple[str, str], ...]
    corrections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageKeys:
    """Where the results of one record lie in the work bucket."""

    number: int
    transcript: str
    plan: str
    pdf: str
    report: str
    claims: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What publishing a dossier needs to find again. Restricted; stored beside the dossier."""

    reference: str
    listing: str
    manifest: str
    records: tuple[StageKeys, ...]


# ------------------------------------------------------------------------------------------------ decisions


@dataclass(frozen=True, slots=True)
class Approver:
    """A person who released a dossier, or the policy that asks for none; `at`: ISO 8601 UTC, seconds."""

    BY_POLICY: ClassVar[str] = "policy: no review asked for"

    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Approval:
    """The decision to release exactly this dossier.

    Attributes:
        dossier: digest of the dossier that was shown.
        by: who decided; a person's name, or that the policy asked for no review.
        at: ISO 8601 UTC, seconds.
        before: those who released the same dossier earlier, where more than one person must.
    """

    reference: str
    dossier: str
    by: str
    at: str
    before: tuple[Approver, ...] = ()

    @property
    def approvers(self) -> tuple[Approver, ...]:
        """Everybody who released it, in order."""
        return (*self.before, Approver(self.by, self.at))

    @property
    def by_policy(self) -> bool:
        """Whether no person looked at it."""
        return self.by == Approver.BY_POLICY


class Act(StrEnum):
    """What can be decided on a request."""

    RELEASE = "release"
    HOLD = "hold"
    CORRECT = "correct"
    REFUSE = "refuse"  # a correction whose outcome the gate refused: it counts no more
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of a request's log of decisions.

    Attributes:
        number: 1, 2, ... within the request.
        dossier: digest of the dossier that was shown.
        by: who decided.
        at: ISO 8601 UTC, seconds.
        correction: name of the correction that was made, or that is refused.
        previous: SHA-256 of the entry before, hex; "" for the first.
        version: of the publication that is withdrawn.
    """

    reference: str
    number: int
    act: Act
    dossier: str
    by: str
    at: str
    correction: str = ""
    previous: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a page of one source.

    Attributes:
        source: digest of the record's file.
        page: 0-based.
        regions: page space.
    """

    source: str
    page: int
    regions: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person changed about the marks of a dossier. Restricted: `terms` are withheld values.

    Places, not numbers of marks: those change when a request is planned anew.

    Attributes:
        dossier: digest of the one it was made on.
        removed: where the marks stood whose values are public in this request.
        drawn: what is withheld besides, whatever stands there.
        terms: what is withheld besides, wherever it stands.
        reason: in the person's words.
        by: who corrected.
        at: ISO 8601 UTC, seconds.
        salt: keeps anybody from guessing terms by the correction's name.
        exemption: under which `drawn` and `terms` are withheld; "" for the policy's.
        public_reason: why they are, as the letter and the schedule say it; "" when those of the exemption fit.
    """

    reference: str
    dossier: str
    removed: tuple[Area, ...]
    drawn: tuple[Area, ...]
    terms: tuple[str, ...] = field(repr=False)
    reason: str = field(repr=False)
    by: str
    at: str
    salt: str = field(repr=False)
    exemption: str = ""
    public_reason: str = field(default="", repr=False)


class Role(StrEnum):
    """In whose name the store is asked; each may have an account of its own. `infra.access` says what each may do."""

    UPSTREAM = "upstream"
    INTAKE = "intake"
    WORK = "work"
    PUBLISH = "publish"


class State(StrEnum):
    """Where a request stands. The README's table is made of `STATE_MEANING`."""

    WAITING = "waiting"
    PROCESSING = "processing"
    HELD = "held"
    QUARANTINED = "quarantined"
    BLOCKED = "blocked"
    FAILED = "failed"
    RELEASED = "released"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


STATE_MEANING: dict[State, tuple[str, str]] = {
    State.WAITING: (
        "Something has not arrived: request.json, or a record it lists.",
        "Upload what is missing: `foi status` with the reference names it.",
    ),
    State.PROCESSING: ("A run is at work.", "Watch it in the Prefect UI."),
    State.HELD: (
        "Ready, and waiting for a person.",
        "Look at it with `foi review`, then `foi release`, `foi correct` or `foi hold`.",
    ),
    State.QUARANTINED: (
        "request.json or every record was rejected.",
        "Correct what the reason names and upload it again.",
    ),
    State.BLOCKED: ("The gate found a fault in an output; nothing left.", "Do not release; report the finding."),
    State.FAILED: ("The run ended with an error.", "The nightly sweep tries again; see the run's log."),
    State.RELEASED: ("Approved; publication is under way.", "Nothing."),
    State.PUBLISHED: ("The disclosure is public.", "Nothing."),
    State.WITHDRAWN: ("It was public; a notice stands in its place.", "Nothing."),
}


class Outcome(StrEnum):
    """Where one file of a request stands."""

    TAKEN_IN = "taken in"
    READ = "read"
    FOUND = "found"
    PLANNED = "planned"
    REDACTED = "redacted"
    PASSED = "passed"
    REFUSED = "refused"  # by the gate
    HELD = "held"
    PUBLISHED = "published"
    WAITING = "waiting"
    UNLISTED = "unlisted"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """Where one file of a request stands. Restricted."""

    name: str = field(repr=False)
    outcome: Outcome
    pages: int = 0
    marks: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """The restricted side's view of a request; `foi status` prints it.

    Attributes:
        listing: digest of the intake listing it speaks of.
        dossier: digest of the dossier, "" before there is one.
        version: of the publication, 0 before the first.
        withdrawn: whether a publication of it was ever withdrawn; stays for good.
        updated: ISO 8601 UTC, seconds.
    """

    reference: str
    state: State
    reason: str
    listing: str
    dossier: str
    version: int
    updated: str
    records: tuple[RecordOutcome, ...] = ()
    withdrawn: bool = False
