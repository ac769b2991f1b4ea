"""Why a person should look at a page as it was read, whatever was found on it.

Rule kept here: where much is unsure, something may be missed that nothing else tells of. What is judged is what readers
say of their own work and of one another's; nothing is hidden or shown for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tasks.geometry import union
from tasks.model import Doubt, PageTranscript
from tasks.redaction.lines import Shelf
from tasks.redaction.sure import LAYER, bare, share_unconfirmed, share_unsure

DOUBT_OF_SHARE = 7 / 3
"""Score for each share of unsure and unconfirmed text: three words of ten make a page that a person must look at.

Fitted on 94 pages of one corpus and 30 of another: pages from this share on hold two thirds of what was missed there.
"""

LISTED_FROM = 0.35
MOST = 0.9

RUNS_UP, MARGIN_LETTERS, MARGIN_SCORE = 2.5, 3, 0.72
"""A word so many times as high as wide, with so many letters, runs up or down the page: of six pages with
text in their margin, three held a missed detail."""


def doubts_of_reading(page: PageTranscript, regions: Shelf) -> Iterable[Doubt]:
    """Doubts about a page's readings.

    Args:
        page: as it was read.
        regions: of its marks; what is hidden raises no doubt.
    """
    if not page.readings:
        return
    share = share_unsure(page.readings[0]) + share_unconfirmed(page, regions)
    score = min(MOST, round(DOUBT_OF_SHARE * share, 2))
    if score >= LISTED_FROM:
        yield Doubt("readers-differ", "Much was read unsurely, or otherwise by another reader.", score)
    margin = [
        reading.frame.box_to_page(word.box)
        for reading in page.readings
        if reading.reader != LAYER
        for word in reading.words
        if word.box.height > RUNS_UP * word.box.width and len(bare(word.text)) >= MARGIN_LETTERS
    ]
    if margin:
        message = "Text runs up or down the page; little of such text is read."
        yield Doubt("text-in-the-margin", message, MARGIN_SCORE, union(margin))
