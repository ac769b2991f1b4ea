"""Why a person should look at a page as it was read, whatever was found on it.

Rule kept here: where much is unsure, something may be missed that nothing else tells of. What is judged is what readers
say of their own work and of one another's; nothing is hidden or shown for it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from tasks.geometry import Box, union
from tasks.model import Doubt, PageTranscript
from tasks.redaction.lines import Shelf
from tasks.redaction.sure import LAYER, bare, is_covered, share_unconfirmed, share_unsure

DOUBT_OF_SHARE = 7 / 3
"""Score for each share of unsure and unconfirmed text: three words of ten make a page that a person must look at.

Fitted on 94 pages of one corpus and 30 of another: pages from this share on hold two thirds of what was missed there.
"""

LISTED_FROM = 0.35
MOST = 0.9

RUNS_UP, MARGIN_LETTERS, MARGIN_SCORE = 2.5, 3, 0.72
"""A word so many times as high as wide, with so many letters, runs up or down the page: of six pages with
text in their margin, three held a missed detail."""

NUMBER_SCORE = 0.71
"""Somebody wrote or stamped a number that one reader saw where another could read nothing: without a label it is no
contact detail to any recogniser, and a person sees at once whether it is."""

_NUMBER = re.compile(r"(?<![\d/.,:£-])\d(?: ?\d){5,}(?![\d/.,:-]*\d)")
"""Six digits and more, and nothing of a date, a sum or a reference around them."""


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
    numbers = list(_unread_numbers(page, regions))
    if numbers:
        yield Doubt("unread-number", "Something that may be a number was hardly read.", NUMBER_SCORE, union(numbers))


def _unread_numbers(page: PageTranscript, regions: Shelf) -> Iterator[Box]:
    """Places that the first reader left unread and in which another saw a number; without what is hidden."""
    if not page.unread:
        return
    first = [(page.readings[0].frame.box_to_page(word.box), word.text) for word in page.readings[0].words]
    for reading in page.readings[1:]:
        for line in reading.lines() if reading.reader != LAYER else ():
            ends = list(accumulate(len(word.text) + 1 for word in line))
            for number in _NUMBER.finditer(" ".join(word.text for word in line)):
                words = line[bisect_right(ends, number.start()) : bisect_left(ends, number.end()) + 1]
                place = union(reading.frame.box_to_page(word.box) for word in words)
                if not any(place.meets(patch) for patch in page.unread) or is_covered(place, regions):
                    continue
                if bare(number.group()) not in "".join(bare(text) for box, text in first if box.meets(place)):
                    yield place
