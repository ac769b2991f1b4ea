"""What a correction does to the claims of a record, and which claims stand below a mark.

Rules kept here: corrections are followed in the order they were made, so that whoever speaks last about a place is
heard; a removal takes away claims and never a box or term that a person asked for later; the same box or term asked for
again takes the later one's exemption and reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from tasks.geometry import Box
from tasks.model import Area, Correction, Detection, Kind, Mark

DRAWN = "person.box"


def lies_under(claim: Detection, page: int, regions: Sequence[Box]) -> bool:
    """Whether at least half of a claim's area lies inside regions of a page (0-based)."""
    if claim.page != page:
        return False
    whole = sum(region.area for region in claim.regions)
    inside = sum(min(r.area, sum(r.intersection(other).area for other in regions)) for r in claim.regions)
    return whole > 0 and 2 * inside >= whole


def claims_under(mark: Mark, claims: Iterable[Detection]) -> tuple[Detection, ...]:
    """The claims that a mark covers."""
    return tuple(claim for claim in claims if lies_under(claim, mark.page, mark.regions))


def follow_corrections(
    claims: Sequence[Detection],
    source: str,
    corrections: Sequence[Correction],
    find_terms: Callable[[tuple[str, ...]], Iterable[Detection]],
) -> tuple[Detection, ...]:
    """The claims of one record as persons corrected them.

    Args:
        claims: what was found.
        source: digest of the record's file.
        corrections: in the order they were made.
        find_terms: the places of terms in this record.
    """
    left = list(claims)
    for correction in corrections:
        left = list(without_removed(left, source, [correction]))
        asked = list(find_terms(correction.terms)) if correction.terms else []
        asked += [
            Detection(Kind.BOX, area.page, area.regions, "", 1.0, DRAWN)
            for area in correction.drawn
            if area.source == source
        ]
        places = {_place(claim) for claim in asked}
        left = [claim for claim in left if _place(claim) not in places]
        left += [replace(c, exemption=correction.exemption, reason=correction.public_reason) for c in asked]
    return tuple(dict.fromkeys(left))


def _place(claim: Detection) -> tuple[Kind, int, tuple[Box, ...]]:
    """What a claim is about, whoever made it and for whatever reason."""
    return claim.kind, claim.page, claim.regions


def without_removed(
    claims: Iterable[Detection], source: str, corrections: Sequence[Correction]
) -> tuple[Detection, ...]:
    """The claims that stand in no place whose mark was removed."""
    removed = [area for correction in corrections for area in correction.removed if area.source == source]
    return tuple(claim for claim in claims if not _in_any(claim, removed))


def _in_any(claim: Detection, areas: Iterable[Area]) -> bool:
    return any(lies_under(claim, area.page, area.regions) for area in areas)
