"""Ink that nobody could read, where a contact detail has to stand: behind a label, and in a column of numbers.

Rule kept here: what a label, or a column by its other rows, announces is withheld even when it is written by hand,
boxed digit by digit, or worn away. A person is asked to look (the claim is weak), but nothing is shown meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.contacts.columns import Column
from tasks.contacts.fields import label_positions
from tasks.contacts.layout import lay_out
from tasks.geometry import Box, same_row, union
from tasks.model import Detection, Kind, PageTranscript

SCORE = 0.4
PITCHES = 1.0
"""How many rows below the last that was read a column may go on."""

CLAIMED = 0.5
"""Share of a place that others' claims have to cover; a part that another reader made out leaves the rest unread."""

REACH = 14.0
"""How far behind its label a value may begin, in label heights: forms leave room."""


def unread_values(page: PageTranscript, found: Sequence[Detection], columns: Sequence[Column] = ()) -> list[Detection]:
    """Claims over unread ink.

    Args:
        page: its primary reading has the labels; a page that was turned to be read is left to other means.
        found: what is claimed on the page already.
        columns: of numbers, in the primary reading.
    """
    if not page.unread or not page.readings or page.readings[0].frame.quarter_turns:
        return []
    claimed = [region for detection in found for region in detection.regions]
    free = [box for box in page.unread if sum(region.intersection(box).area for region in claimed) < CLAIMED * box.area]
    places = {box: kind for kind, box in (*_in_columns(page, free, columns), *_behind_labels(page, free))}
    return [
        Detection(kind, page.page, (box,), "", SCORE, f"{kind.value}.unread") for box, kind in sorted(places.items())
    ]


def _in_columns(page: PageTranscript, free: Sequence[Box], columns: Sequence[Column]) -> Iterator[tuple[Kind, Box]]:
    """Ink as high as a column's numbers, in the column or on the row that follows its last."""
    frame = page.readings[0].frame
    width, height = frame.size
    for column in columns:
        for box in free:
            (x, y), tall = frame.point_from_page(*box.center), box.height * frame.scale_y / height
            inside = column.left <= x / width <= column.right
            below = column.top <= y / height <= column.bottom + PITCHES * column.pitch
            if inside and below and column.tall / 2 <= tall <= 2 * column.tall:
                yield column.kind, box


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
