"""Claims to marks: where is painted, why, and what a person should look at.

Rules kept here: every claim the policy withholds is inside a mark, however weak (low confidence asks for a person, it
never shows text); a claim without a place asks for a person; marks lie on the source's compression grid, so that no
ringing of the hidden text is left beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from tasks.geometry import Box, union
from tasks.model import Detection, Doubt, Kind, Mark, PageReview, PageTranscript, RedactionPlan, Transcript
from tasks.redaction.lines import Piece, Turn, chain_pieces, level_boxes, pad_piece, widen
from tasks.request import Policy

ALWAYS_WITHHELD = frozenset({Kind.TERM, Kind.BOX})
"""Asked for by the request or drawn by a person: a policy's list of kinds does not take them back."""

AREAS = frozenset({Kind.CODE, Kind.BOX})
"""Kinds that are areas, not text on a line: padded, never widened or joined."""

DOUBTFUL_SCORE = 0.5
"""Claims weaker than this are marked and shown to a person."""


def plan_record(transcript: Transcript, detections: Sequence[Detection], policy: Policy) -> RedactionPlan:
    """The marks of one record.

    Args:
        transcript: of the record; its primary readings say how tall lines are and where other words stand.
        detections: claims in any order.
        policy: which kinds are withheld, and under which exemption.

    Returns:
        The plan: marks numbered in reading order over the whole record, reviews by page, the withheld values.

    Raises:
        ValueError: a detection speaks of a page the transcript does not have.
    """
    pages = {page.page: page for page in transcript.pages}
    withheld = [d for d in detections if d.kind in policy.withhold or d.kind in ALWAYS_WITHHELD]
    by_page: dict[int, list[Detection]] = defaultdict(list)
    for detection in withheld:
        if detection.page not in pages:
            raise ValueError(f"a detection speaks of page {detection.page}; the transcript has {len(pages)} pages")
        by_page[detection.page].append(detection)
    marks: list[Mark] = []
    reviews: list[PageReview] = []
    for page in transcript.pages:
        found = by_page[page.page]
        for mark in _in_reading_order(page, _plan_page(page, found, policy.exemption)):
            marks.append(
                Mark(len(marks) + 1, mark.page, mark.regions, mark.kinds, mark.exemption, mark.origin, mark.score)
            )
        doubts = (*page.doubts, *_doubts_about(page, found))
        if doubts:
            reviews.append(PageReview(page.page, max(d.score for d in doubts), doubts))
    return RedactionPlan(
        source_sha256=transcript.source_sha256,
        policy=policy.digest,
        pages=len(transcript.pages),
        marks=tuple(marks),
        reviews=tuple(reviews),
        withheld=tuple(sorted({d.text.strip() for d in withheld if d.text.strip()})),
    )


def _doubts_about(page: PageTranscript, found: Iterable[Detection]) -> list[Doubt]:
    """Why a person should look at these claims."""
    doubts = []
    for detection in found:
        regions = _regions_on(page, detection)
        if not regions:
            doubts.append(Doubt("claim-without-place", "A contact detail was found whose place is not known.", 1.0))
        elif detection.score < DOUBTFUL_SCORE:
            doubts.append(
                Doubt("weak-claim", "Marked on weak evidence.", round(1 - detection.score, 2), union(regions))
            )
    return doubts


def _regions_on(page: PageTranscript, detection: Detection) -> list[Box]:
    clipped = (region.clipped(page.width_px, page.height_px) for region in detection.regions)
    return [region for region in clipped if region.width > 0 and region.height > 0]


def _plan_page(page: PageTranscript, found: Sequence[Detection], exemption: str) -> list[Mark]:
    marks = [_mark([d], _area_boxes(page, d), page, exemption) for d in found if d.kind in AREAS]
    turned: dict[int, list[Detection]] = defaultdict(list)
    for detection in found:
        if detection.kind not in AREAS:
            turned[_quarter_turns(page, detection)].append(detection)
    claimed = [region for d in found for region in _regions_on(page, d)]
    for quarter_turns, claims in sorted(turned.items()):
        marks += _plan_lines(page, claims, claimed, Turn(quarter_turns, page.width_px, page.height_px), exemption)
    return [mark for mark in marks if mark.regions]


def _quarter_turns(page: PageTranscript, detection: Detection) -> int:
    """How the text of a claim is turned: as the page, unless its one region is plainly long the other way."""
    turns = page.readings[0].frame.quarter_turns % 4 if page.readings else 0
    regions = _regions_on(page, detection)
    if len(regions) == 1:
        along, across = regions[0].width, regions[0].height
        if turns % 2:
            along, across = across, along
        if across > 3 * along:
            return (turns + 1) % 4
    return turns


def _plan_lines(
    page: PageTranscript, claims: Sequence[Detection], claimed: Sequence[Box], turn: Turn, exemption: str
) -> list[Mark]:
    """The marks over claims whose text runs the same way."""
    words = _words_in_page(page)
    slanted = any(reading.frame.skew_deg for reading in page.readings[:1])
    foreign = [turn.to_line(w) for w in words if not _belongs(w, claimed)]
    primary = [turn.to_line(w) for w in _words_in_page(page, primary_only=True)]
    margin = min((w.x0 for w in primary), default=0)
    margins = margin, turn.size[0] - margin
    pieces = [
        Piece(pad_piece(turn.to_line(region), primary, foreign, slanted), claim)
        for claim, detection in enumerate(claims)
        for region in _regions_on(page, detection)
    ]
    # Claims that share a chain share a mark; a claim on several lines ties its chains together.
    mark_of_claim: dict[int, int] = {}
    boxes_of_mark: dict[int, list[Box]] = defaultdict(list)
    for number, chain in enumerate(chain_pieces(pieces, foreign)):
        members = {piece.claim for piece in chain}
        joined = {mark_of_claim[c] for c in members if c in mark_of_claim}
        for other in joined:
            boxes_of_mark[number] += boxes_of_mark.pop(other)
        for claim in [c for c, m in mark_of_claim.items() if m in joined]:
            mark_of_claim[claim] = number
        mark_of_claim.update(dict.fromkeys(members, number))
        boxes_of_mark[number] += widen(level_boxes(chain), margins, foreign, page.grid)
    return [
        _mark(
            [claims[c] for c, m in mark_of_claim.items() if m == number],
            [turn.to_page(box) for box in boxes],
            page,
            exemption,
        )
        for number, boxes in boxes_of_mark.items()
    ]


def _words_in_page(page: PageTranscript, primary_only: bool = False) -> list[Box]:
    """The places of all words; a slanted word is several level parts."""
    readings = page.readings[:1] if primary_only else page.readings
    return [part for reading in readings for word in reading.words for part in reading.frame.regions_to_page(word.box)]


def _belongs(word: Box, claimed: Sequence[Box]) -> bool:
    """Whether a word is, for the most part, claimed."""
    return any(2 * max(0, word.intersection(region).area) >= word.area for region in claimed if word.meets(region))


def _area_boxes(page: PageTranscript, detection: Detection) -> list[Box]:
    regions = _regions_on(page, detection)
    if detection.kind is Kind.BOX:
        return regions
    return [region.padded(max(4, round(0.03 * min(region.width, region.height)))) for region in regions]


def _mark(claims: Sequence[Detection], boxes: Iterable[Box], page: PageTranscript, exemption: str) -> Mark:
    snapped = (box.snapped(page.grid, page.width_px, page.height_px) for box in boxes)
    origin: Literal["detected", "repeated", "person"] = "detected"
    if all(c.kind is Kind.BOX for c in claims):
        origin = "person"
    elif all(c.recogniser.split(".")[0] == "repeat" for c in claims):
        origin = "repeated"
    return Mark(
        number=0,
        page=page.page,
        regions=tuple(dict.fromkeys(box for box in snapped if box.area)),
        kinds=tuple(sorted({c.kind for c in claims})),
        exemption=exemption,
        origin=origin,
        score=max(c.score for c in claims),
    )


def _in_reading_order(page: PageTranscript, marks: Iterable[Mark]) -> list[Mark]:
    """Marks in the order their text is read: by the primary reading's word below or nearest to each.

    A mark's regions keep the order of their lines (from top to bottom, then left to right, in line space).
    """
    turns = page.readings[0].frame.quarter_turns if page.readings else 0
    turn = Turn(turns, page.width_px, page.height_px)
    words = [turn.to_line(w) for w in _words_in_page(page, primary_only=True)]

    def place(mark: Mark) -> tuple[int, int, int]:
        box = turn.to_line(mark.regions[0])
        covered = next((i for i, word in enumerate(words) if 2 * max(0, word.intersection(box).area) > word.area), None)
        if covered is None:
            covered = min(range(len(words)), key=lambda i: _distance(words[i], box), default=0)
        return covered, box.y0, box.x0

    ordered = []
    for mark in marks:
        regions = tuple(sorted(mark.regions, key=lambda r: _line_key(turn.to_line(r))))
        ordered.append(Mark(0, mark.page, regions, mark.kinds, mark.exemption, mark.origin, mark.score))
    return sorted(ordered, key=place)


def _line_key(box: Box) -> tuple[int, int]:
    return box.y0, box.x0


def _distance(word: Box, box: Box) -> float:
    """How far a word is from a box; a step down the page counts more than one along the line."""
    across = abs(word.center[1] - box.center[1])
    along = max(0, word.x0 - box.x1, box.x0 - word.x1)
    return 4 * across + along
