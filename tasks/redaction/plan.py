"""Claims to marks: where is painted, why, and what a person should look at.

Rules kept here: every claim the policy withholds is inside a mark, however weak (low confidence asks for a person, it
never shows text); a claim without a place asks for a person; marks lie on the source's compression grid wherever no
neighbouring word stands in the way, so that no ringing of the hidden text is left beside them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tasks.geometry import Box, Grid, union
from tasks.model import Detection, Doubt, Kind, Mark, PageReview, PageTranscript, Reading, RedactionPlan, Transcript
from tasks.redaction.doubts import doubts_of_reading
from tasks.redaction.lines import (
    Piece,
    Shelf,
    Turn,
    anchor,
    chain_pieces,
    coarsest_step,
    level_boxes,
    line_room,
    pad_piece,
    resting_grid,
    settle,
    widen,
    words_in_order,
)
from tasks.request import Policy

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
    withheld = [d for d in detections if policy.withholds(d.kind)]
    by_page: dict[int, list[Detection]] = defaultdict(list)
    for detection in withheld:
        if detection.page not in pages:
            raise ValueError(f"a detection speaks of page {detection.page}; the transcript has {len(pages)} pages")
        by_page[detection.page].append(detection)
    marks: list[Mark] = []
    reviews: list[PageReview] = []
    for page in transcript.pages:
        found = by_page[page.page]
        here = _in_reading_order(page, _plan_page(page, found, policy.exemption))
        marks += [replace(mark, number=len(marks) + n) for n, mark in enumerate(here, 1)]
        regions = Shelf(region for mark in here for region in mark.regions)
        doubts = (*page.doubts, *doubts_of_reading(page, regions), *_doubts_about(page, found))
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
    if not found:
        return []
    marks = [_mark([d], _on_grid(_area_boxes(page, d), page), page, exemption) for d in found if d.kind in AREAS]
    turned: dict[tuple[int, str, str], list[Detection]] = defaultdict(list)
    for detection in found:
        if detection.kind not in AREAS:  # a mark has one exemption and one reason
            turned[_quarter_turns(page, detection), detection.exemption, detection.reason].append(detection)
    words = [_parts_of_words(reading) for reading in page.readings]
    claimed = Shelf(region for d in found for region in _regions_on(page, d))
    free = [(part, room) for parts in words for part, room in parts if not _belongs(part, claimed)]
    foreign, rooms = [part for part, _ in free], [room for _, room in free]
    slanted = bool(page.readings and page.readings[0].frame.skew_deg)
    for (quarter_turns, _, _), claims in sorted(turned.items()):
        turn = Turn(quarter_turns, page.width_px, page.height_px)
        primary = [turn.to_line(part) for part, _ in words[0]] if words else []
        margin = min((part.x0 for part in primary), default=0)
        ground = _Ground(
            turn=turn,
            primary=Shelf(primary),
            foreign=Shelf(map(turn.to_line, foreign)),
            rooms=Shelf(map(turn.to_line, rooms)),
            foreign_on_page=Shelf(foreign),
            rooms_on_page=Shelf(rooms),
            margins=(margin, turn.size[0] - margin),
            slanted=slanted,
        )
        marks += _plan_lines(page, claims, ground, exemption)
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


@dataclass(frozen=True, slots=True)
class _Ground:
    """What stands around claims whose text runs the same way, in line space.

    Attributes:
        primary: parts of all words of the primary reading.
        foreign: parts of the words of any reading that no claim covers.
        rooms: the same with the room of their lines.
        foreign_on_page: `foreign` in page space.
        rooms_on_page: `rooms` in page space.
        margins: where text begins and ends, px.
        slanted: whether lines rise or fall.
    """

    turn: Turn
    primary: Shelf
    foreign: Shelf
    rooms: Shelf
    foreign_on_page: Shelf
    rooms_on_page: Shelf
    margins: tuple[int, int]
    slanted: bool


def _plan_lines(page: PageTranscript, claims: Sequence[Detection], ground: _Ground, exemption: str) -> list[Mark]:
    """The marks over claims whose text runs the same way."""
    turn, foreign, rooms = ground.turn, ground.foreign, ground.rooms
    pieces = [
        Piece(pad_piece(turn.to_line(region), ground.primary, foreign, rooms, ground.slanted), claim)
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
        boxes_of_mark[number] += widen(level_boxes(chain), ground.margins, foreign, rooms, coarsest_step(page.grids))
    resting, size = resting_grid(page, turn.quarter_turns), (page.width_px, page.height_px)
    return [
        _mark(
            [claims[c] for c, m in mark_of_claim.items() if m == number],
            [
                settle(on_page, _grids_at(on_page, page, resting), size, ground.foreign_on_page, ground.rooms_on_page)
                for on_page in map(turn.to_page, boxes)
            ],
            page,
            exemption,
        )
        for number, boxes in boxes_of_mark.items()
    ]


def _grids_at(box: Box, page: PageTranscript, resting: Grid) -> list[Grid]:
    """The blocks of compression below a box, or thirds of a line where there are none."""
    return [grid for grid in page.grids if grid.place.meets(box) and not grid.colour] or [resting]


def _parts_of_words(reading: Reading) -> list[tuple[Box, Box]]:
    """The places of a reading's words in page space, without and with the room of their lines.

    A slanted word is several level parts.
    """
    frame = reading.frame
    return [
        parts
        for word in reading.words
        for parts in zip(frame.regions_to_page(word.box), frame.regions_to_page(line_room(word)), strict=False)
    ]


def _belongs(word: Box, claimed: Shelf) -> bool:
    """Whether a word is, for the most part, claimed."""
    return any(region.meets(word) and 2 * word.intersection(region).area >= word.area for region in claimed.near(word))


def _area_boxes(page: PageTranscript, detection: Detection) -> list[Box]:
    regions = _regions_on(page, detection)
    if detection.kind is Kind.BOX:
        return regions
    return [region.padded(max(4, round(0.03 * min(region.width, region.height)))) for region in regions]


def _on_grid(boxes: Iterable[Box], page: PageTranscript) -> list[Box]:
    return [box.snapped(page.grids, page.width_px, page.height_px) for box in boxes]


def _mark(claims: Sequence[Detection], boxes: Iterable[Box], page: PageTranscript, exemption: str) -> Mark:
    origin: Literal["detected", "repeated", "person"] = "detected"
    if all(c.kind is Kind.BOX for c in claims):
        origin = "person"
    elif all(c.recogniser.split(".")[0] == "repeat" for c in claims):
        origin = "repeated"
    return Mark(
        number=0,
        page=page.page,
        regions=tuple(dict.fromkeys(box for box in boxes if box.area)),
        kinds=tuple(sorted({c.kind for c in claims})),
        exemption=claims[0].exemption or exemption,
        origin=origin,
        score=max(c.score for c in claims),
        reason=claims[0].reason,
    )


def _in_reading_order(page: PageTranscript, marks: Sequence[Mark]) -> list[Mark]:
    """Marks in the order their text is read: by the primary reading's word below or nearest to each.

    A mark's regions stand from top to bottom, then from left to right, as they are read.
    """
    if not marks:
        return []
    turn = Turn(page.readings[0].frame.quarter_turns if page.readings else 0, page.width_px, page.height_px)
    words = words_in_order(page)
    placed = []
    for mark in marks:
        regions = sorted(mark.regions, key=lambda region: (turn.to_line(region).y0, turn.to_line(region).x0))
        first = turn.to_line(regions[0])
        ordinal, _ = anchor(words, [first])
        placed.append(((ordinal, first.y0, first.x0), replace(mark, regions=tuple(regions))))
    return [mark for _, mark in sorted(placed, key=lambda entry: entry[0])]
