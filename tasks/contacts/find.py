"""Every contact detail of a page, from all of its readings, and every place of the request where one comes back.

Rule kept here: the readings are united, never voted on: what one of them shows to be a contact detail is one. Policy
decides last (kinds, public contacts, domains kept), after all kinds have been told apart.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tasks.contacts.columns import (
    Claimed,
    Column,
    headed_columns,
    numbers_in,
    to_the_edge,
    unheaded_columns,
    unread_cells,
)
from tasks.contacts.confusion import distance, skeleton
from tasks.contacts.domains import known_domains, places_of_addresses
from tasks.contacts.fields import (
    ValueField,
    accepted_words,
    column_fields,
    inline_fields,
    neighbour_fields,
    trailing_fields,
)
from tasks.contacts.kinds import RECOGNISERS
from tasks.contacts.layout import Layout, lay_out
from tasks.contacts.public import is_public, number_form
from tasks.contacts.recogniser import Recogniser
from tasks.contacts.recognisers import term
from tasks.contacts.recognisers.code import carries_contact
from tasks.contacts.repeats import SoughtValue, fold, places_of, sought_values
from tasks.contacts.text import LineText, line_height, text_of_lines
from tasks.contacts.unread import SCORE as UNREAD_SCORE
from tasks.contacts.unread import unread_values
from tasks.geometry import Box, union
from tasks.model import Detection, Kind, PageTranscript, Reading, Transcript, Word
from tasks.request import Policy

_ORDER = {kind: i for i, kind in enumerate((Kind.TERM, *(r.kind for r in RECOGNISERS), Kind.CODE, Kind.BOX))}
_FIELD_SCORE = 0.5
_GUESS_SCORE = 0.6
_LAYER = "text-layer"
"""The reader of a source's own words; its boxes are not measured on ink."""
_TALLER = 1.3
"""A region so many times as high as another on its line takes of the lines around."""
_UPRIGHT = 2.0
"""A region so many times as high as wide runs up or down the page."""
_SHOWN = 0.8
"""The least share of a high claim's width that lower ones must show for it to be cut to their lines."""
_ROW_PX = 64
"""Height of the rows regions are looked up by."""
_OFF_LINE = 0.25
"""How far the middles of two regions on one line may lie apart, in heights of the higher one."""
_TIGHT_GAP = 0.06
"""Gap, in line heights, below which the next word is a piece of the same one."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A claim in one reading: which of its words, and how far into the last one."""

    kind: Kind
    words: tuple[int, ...]
    text: str = field(repr=False)
    score: float
    name: str


def find_contacts(page: PageTranscript, policy: Policy) -> tuple[Detection, ...]:
    """Every contact detail of a page that the policy withholds.

    Args:
        page: all readings count, each in its own space.
        policy: kinds to withhold, terms, public contacts, whether an e-mail's domain stays.

    Returns:
        Detections in page space, top to bottom; overlapping claims of one kind are one.
    """
    recognisers = recognisers_for(policy)
    found: list[Detection] = []
    layered: list[Detection] = []
    public: list[Detection] = []
    seen_in = tuple(_over_columns(page.readings, recognisers))
    for reading, sightings in seen_in:
        usual = _usual_height(reading)
        for sighting in sightings:
            detection = _detection(page, reading, usual, sighting, policy)
            if detection is not None:
                seen = layered if reading.reader == _LAYER and _is_slanted(page) else found
                if not is_public(sighting.kind, sighting.text, policy):
                    seen.append(detection)
                elif reading.whole:  # else it repeats what another said, and takes nobody's part
                    public.append(detection)
    found += [_by_its_ink(detection, found) for detection in layered]
    found += _in_unread_cells(page, seen_in)
    found += unread_values(page, found, _columns_of_first(seen_in))
    for symbol in page.symbols:
        if carries_contact(symbol, recognisers):
            found.append(Detection(Kind.CODE, page.page, (symbol.box,), symbol.text, 1.0, "code.symbol"))
    found = [d for d in found if not _misread_public(d, public)]
    merged = merge(_without_covered(lowered(found, found, _on_their_side([page]))))
    return tuple(d for d in merged if policy.withholds(d.kind))


def recognisers_for(policy: Policy) -> tuple[Recogniser, ...]:
    """The recognisers of every kind, and one for the policy's terms."""
    return (term.recogniser_for(policy.terms), *RECOGNISERS) if policy.terms else RECOGNISERS


# ------------------------------------------------------------------------------------------------ all readings


def _over_columns(
    readings: Sequence[Reading], recognisers: Sequence[Recogniser]
) -> Iterator[tuple[Reading, list[Sighting]]]:
    """The sightings of every reading, and what its columns hold by the light of the others."""
    seen = [(reading, sightings_of(reading, recognisers)) for reading in readings]
    claimed = [Claimed(reading, tuple((s.kind, s.words) for s in sightings)) for reading, sightings in seen]
    columns = [(one.reading, column) for one in claimed for column in _columns_of(one)]
    for one, (reading, sightings) in zip(claimed, seen, strict=True):
        like = [c for other, c in columns if _comparable(other, reading)]
        for kind, words in (*numbers_in(like, one), *to_the_edge(one)):
            text = " ".join(reading.words[i].text for i in words)
            sightings.append(Sighting(kind, words, text, _FIELD_SCORE, f"{kind.value}.column"))
        yield reading, sightings


def _in_unread_cells(page: PageTranscript, seen_in: Sequence[tuple[Reading, list[Sighting]]]) -> Iterator[Detection]:
    """The cells of contact columns that no reading of a doubtful page shows; a page that was read once has none."""
    claimed = [
        Claimed(reading, tuple((s.kind, s.words) for s in sightings))
        for reading, sightings in seen_in
        if reading.reader != _LAYER and reading.whole and _comparable(reading, seen_in[0][0])
    ]
    if len(claimed) < 2:
        return
    columns = [column for one in claimed for column in _columns_of(one)]
    for kind, reading, box in unread_cells(columns, claimed):
        regions = reading.frame.regions_to_page(box)
        if regions:
            yield Detection(kind, page.page, regions, "", UNREAD_SCORE, f"{kind.value}.cell")


def _columns_of_first(seen_in: Sequence[tuple[Reading, list[Sighting]]]) -> list[Column]:
    """The columns of the primary reading."""
    return [
        column
        for reading, sightings in seen_in[:1]
        for column in _columns_of(Claimed(reading, tuple((s.kind, s.words) for s in sightings)))
    ]


def _columns_of(claimed: Claimed) -> Iterator[Column]:
    layout = lay_out(claimed.reading)
    yield from headed_columns(tuple(column_fields(layout)), layout.words, claimed.reading)
    yield from unheaded_columns(claimed)


def _comparable(a: Reading, b: Reading) -> bool:
    """Whether two readings see the page under the same angle."""
    same_turn = a.frame.quarter_turns == b.frame.quarter_turns
    return a is b or (same_turn and abs(a.frame.skew_deg - b.frame.skew_deg) < 0.05)


# ------------------------------------------------------------------------------------------------ one reading


def sightings_of(reading: Reading, recognisers: Sequence[Recogniser]) -> list[Sighting]:
    """Everything claimed in one reading, told apart: a place belongs to the strongest kind that claims all of it."""
    layout = lay_out(reading)
    index = _index_of(layout)
    raw: list[Sighting] = []
    for flow_text in _texts_of(layout):
        raw.extend(_claims(flow_text, index, recognisers))
    fields = list(_fields(layout))
    for value in fields:
        raw.extend(_claims_in_field(value, index, recognisers))
    covered = {i for s in raw for i in s.words}
    for value in fields:
        words = tuple(index[id(w)] for w in accepted_words(value))
        answered = covered.issuperset(words) if value.kind is Kind.ADDRESS else bool(covered.intersection(words[:2]))
        if words and not answered:
            text = " ".join(reading.words[i].text for i in words)
            raw.append(Sighting(value.kind, words, text, _FIELD_SCORE, f"{value.kind.value}.field"))
    return _told_apart(raw)


def _index_of(layout: Layout) -> dict[int, int]:
    """The ordinal in the reading of each of its words, by identity."""
    return {id(word): i for i, word in enumerate(layout.words)}


def _texts_of(layout: Layout) -> Iterator[LineText]:
    """The text of every flow."""
    for flow in layout.flows():
        yield text_of_lines((s.words for s in flow), (s.justified for s in flow))


def _fields(layout: Layout) -> Iterator[ValueField]:
    for cell in layout.cells:
        yield from inline_fields(layout, cell)
    yield from neighbour_fields(layout)
    yield from trailing_fields(layout)
    yield from column_fields(layout)


def _claims(text: LineText, index: dict[int, int], recognisers: Iterable[Recogniser]) -> Iterator[Sighting]:
    for recogniser in recognisers:
        for claim in recogniser.claims(text.text):
            words = tuple(index[id(text.words[i])] for i in text.words_of(claim.start, claim.end))
            if words:
                yield Sighting(claim.kind, words, text.text[claim.start : claim.end], claim.score, claim.name)


_CANONICAL = {
    Kind.PHONE: "Tel: ",
    Kind.FAX: "Fax: ",
    Kind.PAGER: "Pager: ",
    Kind.RADIO: "ISSI: ",
    Kind.EXTENSION: "Ext: ",
    Kind.EMAIL: "Email: ",
    Kind.URL: "Web: ",
    Kind.HANDLE: "Skype: ",
    Kind.ADDRESS: "Address: ",
    Kind.POSTCODE: "Postcode: ",
}


def _claims_in_field(value: ValueField, index: dict[int, int], recognisers: Iterable[Recogniser]) -> Iterator[Sighting]:
    """What the recognisers make of a value when its label, correctly spelt, stands before it."""
    text = text_of_lines(value.lines)
    lead = _CANONICAL[value.kind]
    labelled = LineText(lead + text.text, (-1,) * len(lead) + text.owner, text.words)
    for sighting in _claims(labelled, index, recognisers):
        if sighting.kind is value.kind or value.kind not in (Kind.EXTENSION, Kind.RADIO, Kind.PAGER):
            yield sighting


def _told_apart(raw: list[Sighting]) -> list[Sighting]:
    raw.sort(key=lambda s: (_ORDER[s.kind], -len(s.words), -s.score, s.words))
    kept: list[Sighting] = []
    claimed: set[int] = set()
    for sighting in raw:
        if not claimed.issuperset(sighting.words):
            kept.append(sighting)
            claimed.update(sighting.words)
    return kept


# ------------------------------------------------------------------------------------------------ to the page


def _detection(
    page: PageTranscript, reading: Reading, usual: float, sighting: Sighting, policy: Policy
) -> Detection | None:
    boxes = _line_boxes(reading, usual, sighting.words)
    if sighting.kind is Kind.EMAIL:
        boxes = _without_link(reading, sighting, boxes)
    if sighting.kind is Kind.EMAIL and policy.keep_email_domain:
        boxes = _without_domain(reading, usual, sighting, boxes)
    regions = tuple(dict.fromkeys(r for box in boxes for r in reading.frame.regions_to_page(box)))
    if not regions:
        return None
    return Detection(sighting.kind, page.page, regions, sighting.text, sighting.score, sighting.name)


def _line_boxes(reading: Reading, usual: float, indices: Sequence[int]) -> list[Box]:
    """One box for each run of neighbouring words on a line, as high as the line is there."""
    wanted = sorted(indices)
    boxes: list[tuple[Box, list[int]]] = []
    run: list[int] = []
    for i in wanted:
        if run and (reading.words[i].line != reading.words[run[-1]].line or i != run[-1] + 1):
            boxes.append((_run_box(reading, usual, run), run))
            run = []
        run.append(i)
    if run:
        boxes.append((_run_box(reading, usual, run), run))
    return [piece for box, run_words in boxes for piece in _stepwise(reading, box, run_words)]


def _stepwise(reading: Reading, box: Box, run: list[int]) -> list[Box]:
    """A box on a slanted line as one box a word, each reaching to the next: the whole would cover the lines around."""
    words = [reading.words[i] for i in run]
    if len(run) < 2 or box.height <= 1.7 * line_height(words):
        return [box]
    heads = [box.x0, *(w.box.x0 for w in words[1:]), box.x1]
    return [Box(heads[i], w.box.y0, max(heads[i + 1], w.box.x1), w.box.y1) for i, w in enumerate(words)]


def _run_box(reading: Reading, usual: float, run: list[int]) -> Box:
    words = reading.words
    height = line_height([words[i] for i in run])
    first, last = run[0], run[-1]
    if first > 0 and _tight(words[first - 1], words[first], height):
        first -= 1
    if last + 1 < len(words) and _tight(words[last], words[last + 1], height):
        last += 1
    inner = union(w.box for w in words[first : last + 1])
    claimed = union(w.box for w in words[run[0] : run[-1] + 1])
    near = [
        w.box
        for w in words[max(0, first - 3) : last + 4]
        if w.line == words[first].line
        and any(c.isalnum() for c in w.text)
        and w.box.x0 < inner.x1 + 4 * height
        and w.box.x1 > inner.x0 - 4 * height
    ]
    # On noisy pages a reader gives some boxes the height of two lines; the lowest of a letter's size tells the line.
    truest = min((b for b in near if b.height >= 0.6 * usual), key=lambda b: b.height, default=inner)
    beside = [b for b in near if b.height <= 1.3 * truest.height]
    around = union([claimed, *beside])
    return _between_lines(reading, usual, Box(inner.x0, around.y0, inner.x1, around.y1), truest, words[first].line)


def _usual_height(reading: Reading) -> float:
    heights = sorted(w.box.height for w in reading.words if sum(c.isalnum() for c in w.text) > 1)
    return float(heights[len(heights) // 2]) if heights else 1.0


def _between_lines(reading: Reading, usual: float, box: Box, truest: Box, line: int) -> Box:
    """The box without what it takes of the lines above and below, seen from the truest word of its own line."""
    if box.height < 1.4 * truest.height and box.height < 1.6 * usual:
        return box
    middle, reach = truest.center[1], 0.6 * min(truest.height, 1.5 * usual)
    top, bottom = box.y0, box.y1
    for word in reading.words:
        other = word.box
        if word.line == line or other.x0 >= box.x1 or other.x1 <= box.x0 or not box.y0 < other.center[1] < box.y1:
            continue
        if not any(c.isalnum() for c in word.text):
            continue
        half = 0.5 * min(other.height, reach / 0.6)
        if other.center[1] < middle - reach:
            top = max(top, round(min(other.center[1] + half, middle - 0.5 * reach)))
        elif other.center[1] > middle + reach:
            bottom = min(bottom, round(max(other.center[1] - half, middle + 0.5 * reach)))
    return Box(box.x0, top, box.x1, bottom) if bottom - top > 0.3 * box.height else box


def _tight(left: Word, right: Word, height: float) -> bool:
    gap = right.box.x0 - left.box.x1
    return left.line == right.line and -height < gap <= _TIGHT_GAP * height


_LINK = re.compile(r"\W{0,2}mai?lto\W", re.IGNORECASE)
_LINK_SHARE = 0.8
"""Its glyphs are narrow: so much of its even share of a word's width is surely not the address."""


def _without_link(reading: Reading, sighting: Sighting, boxes: list[Box]) -> list[Box]:
    """The boxes without the `[mailto:` that is one word with the address."""
    first = reading.words[min(sighting.words)]
    link = _LINK.match(first.text)
    if link is None or link.end() == len(first.text):
        return boxes
    x0 = first.box.x0 + round(_LINK_SHARE * first.box.width * link.end() / len(first.text))
    return [
        Box(x0, b.y0, b.x1, b.y1) if b.x0 <= first.box.x0 + 1 < x0 < b.x1 and b.meets(first.box) else b for b in boxes
    ]


def _without_domain(reading: Reading, usual: float, sighting: Sighting, boxes: list[Box]) -> list[Box]:
    """The boxes up to the at sign; all of them when it cannot be placed."""
    before = 0
    total = re.sub(r"\s", "", sighting.text)
    at = total.find("@")
    if at < 1:
        return boxes
    masked: list[int] = []
    for i in sorted(sighting.words):
        word = reading.words[i]
        sign = word.text.find("@")
        if sign >= 0:
            if sign > 0:
                # Glyph widths differ: the at sign itself is covered as the margin.
                x1 = word.box.x0 + round(word.box.width * min(1.0, (sign + 1.4) / len(word.text)))
                return [*_line_boxes(reading, usual, masked), Box(word.box.x0, word.box.y0, x1, word.box.y1)]
            return _line_boxes(reading, usual, masked) if masked else boxes
        masked.append(i)
        before += len(word.text)
    return boxes


def _share_inside(inner: Sequence[Box], outer: Sequence[Box]) -> float:
    """How much of `inner`'s area lies inside `outer`, 0 to 1; what several boxes of `outer` cover counts once."""
    area = sum(b.area for b in inner)
    shared = sum(_area_of_union([b.intersection(o) for o in outer if b.meets(o)]) for b in inner)
    return shared / area if area else 1.0


def _area_of_union(boxes: Sequence[Box]) -> int:
    if len(boxes) < 2:
        return sum(b.area for b in boxes)
    edges = sorted({x for b in boxes for x in (b.x0, b.x1)})
    total = 0
    for left, right in pairwise(edges):
        reach = covered = 0
        for b in sorted((b for b in boxes if b.x0 <= left and b.x1 >= right), key=lambda b: b.y0):
            covered += max(0, b.y1 - max(b.y0, reach))
            reach = max(reach, b.y1)
        total += covered * (right - left)
    return total


def _is_slanted(page: PageTranscript) -> bool:
    return any(reading.frame.skew_deg for reading in page.readings)


def _by_its_ink(detection: Detection, seen: Sequence[Detection]) -> Detection:
    """A text layer's claim without what a reader of the pixels claims too.

    A layer's boxes are as high as its font says, and on a slanted page higher: they would take of the lines around.
    """
    around = [region.padded(3) for region in detection.regions]
    same = [r for d in seen if d.kind is detection.kind and _meet(d.regions, around) for r in d.regions]
    beyond = [piece for region in detection.regions for piece in _beyond(region, same)]
    if not beyond:
        beyond = [r for r in same if any(r.meets(region) for region in detection.regions)]
    return replace(detection, regions=tuple(dict.fromkeys(beyond)))


def _beyond(region: Box, boxes: Iterable[Box]) -> Iterator[Box]:
    """The stretches of a line's region that none of `boxes` on the same line covers."""
    at = region.x0
    least = 0.3 * region.height
    for box in sorted(b for b in boxes if 2 * region.intersection(b).height > b.height and b.meets(region)):
        if box.x0 - at > least:
            yield Box(at, region.y0, box.x0, region.y1)
        at = max(at, box.x1)
    if region.x1 - at > least:
        yield Box(at, region.y0, region.x1, region.y1)


def _on_their_side(pages: Iterable[PageTranscript]) -> frozenset[int]:
    """The pages whose text runs up or down."""
    return frozenset(page.page for page in pages if page.readings and page.readings[0].frame.quarter_turns % 2)


def lowered(found: Sequence[Detection], seen: Sequence[Detection], on_their_side: Set[int]) -> list[Detection]:
    """The claims without what their regions take of the lines around, where other claims show how high the line is.

    On slanted and speckled pages one reader gives a word the height of two lines where another finds its own line.

    Args:
        found: in page space.
        seen: these and other claims of the same record.
        on_their_side: the pages whose text runs up or down.
    """
    found, seen = ([_set_level(d) if d.page in on_their_side else d for d in claims] for claims in (found, seen))
    rows: dict[tuple[int, int], list[Box]] = defaultdict(list)
    for detection in filter(_is_of_words, seen):
        for box in dict.fromkeys(detection.regions):
            rows[detection.page, int(box.center[1]) // _ROW_PX].append(box)
    cut = (_lower(d, rows) if _is_of_words(d) else d for d in found)
    return [_set_level(d) if d.page in on_their_side else d for d in cut]


def _set_level(detection: Detection) -> Detection:
    """A claim with x and y exchanged: along the text and across it."""
    return replace(detection, regions=tuple(Box(r.y0, r.x0, r.y1, r.x1) for r in detection.regions))


def _lower(detection: Detection, rows: Mapping[tuple[int, int], Sequence[Box]]) -> Detection:
    """A claim cut to the lines that lower regions show, if they show most of it: a slanted stamp is high as a whole."""
    lower = {
        region: [
            box
            for row in range(region.y0 // _ROW_PX, region.y1 // _ROW_PX + 1)
            for box in rows.get((detection.page, row), ())
            if _is_lower_on_line(box, region)
        ]
        for region in detection.regions
    }
    high = [region for region in detection.regions if lower[region]]
    shown = sum(_width_of_union([b.intersection(region) for b in lower[region]]) for region in high)
    if not high or shown < _SHOWN * sum(region.width for region in high):
        return detection
    pieces = (piece for region in detection.regions for piece in _on_line(region, lower[region]))
    return replace(detection, regions=tuple(dict.fromkeys(pieces)))


def _is_lower_on_line(box: Box, region: Box) -> bool:
    """Whether a box lies on a region's line and is plainly lower; text that runs up a margin is high as it is long."""
    return (
        _TALLER * box.height < region.height <= _UPRIGHT * region.width
        and box.x0 < region.x1
        and box.x1 > region.x0
        and abs(box.center[1] - region.center[1]) <= _OFF_LINE * region.height
    )


def _width_of_union(boxes: Sequence[Box]) -> int:
    return _area_of_union([Box(b.x0, 0, b.x1, 1) for b in boxes])


def _is_of_words(detection: Detection) -> bool:
    """Whether a claim's regions are places of words: symbols and unread ink have no line."""
    return detection.kind not in (Kind.CODE, Kind.BOX) and detection.score > UNREAD_SCORE


def _on_line(region: Box, lower: Sequence[Box]) -> list[Box]:
    """A region cut to the rows of lower ones, stretch by stretch, a little beyond their ends; whole without any."""
    if not lower:
        return [region]
    spans = [(b.x0 - b.height, b.x1 + b.height, b) for b in lower]
    edges = sorted({region.x0, region.x1, *(x for a, z, _ in spans for x in (a, z) if region.x0 < x < region.x1)})
    pieces: list[Box] = []
    for left, right in pairwise(edges):
        over = [b for a, z, b in spans if a <= left and z >= right]
        y0 = max(region.y0, min(b.y0 for b in over)) if over else region.y0
        y1 = min(region.y1, max(b.y1 for b in over)) if over else region.y1
        if pieces and (pieces[-1].y0, pieces[-1].y1) == (y0, y1):
            left = pieces.pop().x0
        pieces.append(Box(left, y0, right, y1))
    return pieces


def _misread_public(detection: Detection, public: Sequence[Detection]) -> bool:
    """Whether another reading shows this place to be a public contact, a few glyphs apart."""
    for other in public:
        if _share_inside(detection.regions, [r.padded(3) for r in other.regions]) > 0.85:
            a, b = (re.sub(r"\W", "", t.text).lower() for t in (detection, other))
            if distance(a, b, 3.0) <= max(1.0, 0.2 * len(b)):
                return True
    return False


def _without_covered(found: list[Detection]) -> list[Detection]:
    """Without claims that lie wholly inside a claim of a stronger kind (another reading told the kind better)."""
    kept: list[Detection] = []
    for detection in sorted(found, key=lambda d: (_ORDER[d.kind], -sum(r.area for r in d.regions))):
        stronger = [r.padded(2) for k in kept if _ORDER[k.kind] < _ORDER[detection.kind] for r in k.regions]
        if not stronger or _share_inside(detection.regions, stronger) < 0.97:
            kept.append(detection)
    return kept


def merge(found: Iterable[Detection]) -> list[Detection]:
    """Overlapping claims of one kind made one: the regions of all, the text and name of the strongest."""
    groups: list[list[Detection]] = []
    for detection in found:
        touching = [
            g
            for g in groups
            if g[0].kind is detection.kind and g[0].page == detection.page and any(_same_place(detection, d) for d in g)
        ]
        together = [detection, *(d for g in touching for d in g)]
        groups = [g for g in groups if not any(g is t for t in touching)]
        groups.append(together)
    merged = [_one(group) for group in groups]
    return sorted(
        merged, key=lambda d: (d.page, min(r.y0 for r in d.regions), min(r.x0 for r in d.regions), d.kind.value, d.text)
    )


def _same_place(a: Detection, b: Detection) -> bool:
    return max(_share_inside(a.regions, b.regions), _share_inside(b.regions, a.regions)) > 0.3


def _one(group: Sequence[Detection]) -> Detection:
    best = max(group, key=lambda d: (d.score, len(d.text), d.text))
    regions: list[Box] = []
    for region in sorted({r for d in group for r in d.regions}, key=lambda r: (-r.area, r)):
        if not any(kept.contains(region) for kept in regions):
            regions.append(region)
    regions.sort(key=lambda r: (r.y0, r.x0, r.y1, r.x1))
    return replace(best, regions=tuple(regions))


# ------------------------------------------------------------------------------------------------ second sweep


def find_repeats(
    transcript: Transcript, here: Sequence[Detection], in_request: Sequence[Detection], policy: Policy
) -> tuple[Detection, ...]:
    """Places of a record that hold a value found elsewhere in the request and that no claim covers yet.

    Args:
        transcript: of one record.
        here: detections of this record; what another record holds covers nothing in this one.
        in_request: detections of all records of the request, this one's included.
        policy: public contacts are not sought, kinds it does not withhold neither.

    Returns:
        Detections with recogniser `repeat`, in page space.
    """
    wanted, covering = (
        [d for d in found if policy.withholds(d.kind) and not is_public(d.kind, d.text, policy)]
        for found in (in_request, here)
    )
    values = sought_values(wanted)
    domains = known_domains(wanted)
    repeats: list[Detection] = []
    for page in transcript.pages:
        here = [d for d in covering if d.page == page.page]
        known = [([region.padded(3) for region in d.regions], _covering_forms(d)) for d in here]
        covered = [region for regions, _ in known for region in regions]
        for reading in page.readings:
            layout, usual = lay_out(reading), _usual_height(reading)
            index, texts = _index_of(layout), tuple(_texts_of(layout))
            for sighting, value in _repeated_sightings(texts, index, values):
                detection = _detection(page, reading, usual, sighting, policy)
                if detection is None or is_public(sighting.kind, sighting.text, policy):
                    continue
                # What lies elsewhere covers nothing here, whatever it says; comparing forms is the dear part.
                near = [(regions, forms) for regions, forms in known if _meet(regions, detection.regions)]
                over = [region for regions, forms in near if _alike(value.form, forms) for region in regions]
                if over and reading.reader == _LAYER and _is_slanted(page):
                    beyond = tuple(b for region in detection.regions for b in _beyond(region, over))
                    if beyond:
                        repeats.append(replace(detection, regions=beyond))
                elif not over or _share_inside(detection.regions, over) < 0.9:
                    repeats.append(detection)
            for sighting in _at_known_domains(texts, index, domains):
                detection = _detection(page, reading, usual, sighting, policy)
                if detection is None or is_public(sighting.kind, sighting.text, policy):
                    continue
                if _share_inside(detection.regions, covered) < 0.8:
                    repeats.append(detection)
    return tuple(merge(_without_covered(lowered(repeats, [*covering, *repeats], _on_their_side(transcript.pages)))))


def _at_known_domains(texts: Iterable[LineText], index: dict[int, int], domains: Sequence[str]) -> Iterator[Sighting]:
    """Addresses at the request's own domains, however badly they were read."""
    for text in texts if domains else ():
        for start, end in places_of_addresses(domains, text.text):
            words = tuple(index[id(text.words[i])] for i in text.words_of(start, end))
            if words:
                yield Sighting(Kind.EMAIL, words, text.text[start:end], _GUESS_SCORE, "repeat.domain")


def _meet(a: Sequence[Box], b: Sequence[Box]) -> bool:
    return any(one.meets(other) for one in a for other in b)


def _covering_forms(detection: Detection) -> tuple[str, str]:
    """The forms of a known value, within which a repeat of it or of a part of it is already covered."""
    return number_form(detection.text), skeleton(detection.text)


def _alike(form: str, forms: tuple[str, str]) -> bool:
    return any(form in other or (len(form) >= 10 and distance(form, other, 2.0) <= 2.0) for other in forms)


def _repeated_sightings(
    texts: Iterable[LineText], index: dict[int, int], values: Sequence[SoughtValue]
) -> Iterator[tuple[Sighting, SoughtValue]]:
    seen: set[tuple[SoughtValue, tuple[int, ...]]] = set()
    for text in texts:
        folded = fold(text.text)
        for value in values:
            for start, end in places_of(value, folded):
                words = tuple(index[id(text.words[i])] for i in text.words_of(start, end))
                if words and (value, words) not in seen:
                    seen.add((value, words))
                    yield Sighting(value.kind, words, text.text[start:end], 0.8, "repeat"), value
