"""Ink that nobody could read, where a contact detail has to stand: behind a label.

Rule kept here: what a label announces is withheld even when it is written by hand, boxed digit by digit, or worn away.
A person is asked to look (the claim is weak), but nothing is shown meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.contacts.fields import label_positions
from tasks.contacts.layout import lay_out, same_row
from tasks.geometry import Box, union
from tasks.model import Detection, Kind, PageTranscript

SCORE = 0.4
REACH = 14.0
"""How far behind its label a value may begin, in label heights: forms leave room."""


def unread_values(page: PageTranscript, found: Sequence[Detection]) -> list[Detection]:
    """Claims over unread ink.

    Args:
        page: its primary reading has the labels; a page that was turned to be read is left to other means.
        found: what is claimed on the page already.
    """
    if not page.unread or not page.readings or page.readings[0].frame.quarter_turns:
        return []
    claimed = [region for detection in found for region in detection.regions]
    free = [box for box in page.unread if not any(region.meets(box) for region in claimed)]
    places = {box: kind for kind, box in _behind_labels(page, free)}
    return [
        Detection(kind, page.page, (box,), "", SCORE, f"{kind.value}.unread") for box, kind in sorted(places.items())
    ]


def _behind_labels(page: PageTranscript, free: Sequence[Box]) -> Iterator[tuple[Kind, Box]]:
    """Ink on the line of a label, with no word between the two."""
    reading = page.readings[0]
    words = [(word, reading.frame.box_to_page(word.box)) for word in reading.words if any(map(str.isalnum, word.text))]
    for cell in lay_out(reading).cells:
        for first, last, kind in label_positions(cell.words):
            if kind is None or last != len(cell.words):
                continue
            label = union(reading.frame.box_to_page(word.box) for word in cell.words[first:last])
            behind = [box for box in free if same_row(label, box) and -2 <= box.x0 - label.x1 <= REACH * label.height]
            for box in sorted(behind, key=lambda box: box.x0)[:1]:
                between = Box(label.x1, label.y0, box.x0, label.y1)
                if box.height <= 3 * label.height and not any(
                    between.meets(other) and 2 * between.intersection(other).area > other.area for _, other in words
                ):
                    yield kind, box
                    yield from _goes_on(kind, box, free)


def _goes_on(kind: Kind, box: Box, free: Sequence[Box]) -> Iterator[tuple[Kind, Box]]:
    """The ink that follows on the same line: a value written in boxes falls into several patches."""
    for other in sorted(free, key=lambda b: b.x0):
        if other is not box and same_row(box, other) and 0 <= other.x0 - box.x1 <= 1.5 * box.height:
            yield kind, other
            box = Box(box.x0, box.y0, other.x1, box.y1)
