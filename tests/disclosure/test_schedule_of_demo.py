"""The schedule of the demo against its files: as many boxes as are painted, and nothing that is hidden.

The boxes are counted in pixels: what is black in the published file and was lighter in the scan. Neither the plan nor
the code that painted or judged it is asked.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import cv2
import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray

from tasks.codec import digest
from tasks.disclosure.bundle import safe_file_name
from tasks.disclosure.notice import render_schedule, response_values
from tasks.disclosure.schedule import schedule_csv, schedule_json, schedule_rows
from tasks.model import Dossier, RedactedRecord
from tests.attacks.test_second_opinions import assert_silent
from tests.demo_records import DemoRecord, demo_records
from tests.disclosure.examples import POLICY, approval, dossier

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BLACK, DARKER = 60, 30
"""Lightest a painted place is, and how much lighter it was before, in grey levels of any channel; less is coding."""

Rectangle = tuple[int, int, int, int]


def disclosed() -> Dossier:
    made = []
    for number, record in enumerate(demo_records(), 1):
        title = f"Record {number}"
        made.append(
            RedactedRecord(
                number=number,
                title=title,
                date="",
                file_name=safe_file_name(number, title),
                source_sha256=record.plan.source_sha256,
                sha256=digest(record.pdf),
                size=len(record.pdf),
                pages=tuple((page.width_px, page.height_px) for page in record.pages()),
                marks=record.plan.marks,
                report_sha256=digest(b"report"),
            )
        )
    return dossier(records=tuple(made), withheld=())


def painted_shapes(record: DemoRecord) -> Iterator[tuple[int, list[Rectangle]]]:
    """The shapes that were painted on each page, (x0, y0, x1, y1) around each; pages from 1."""
    with pikepdf.open(io.BytesIO(record.pdf)) as pdf:
        for page, before in zip(pdf.pages, record.pages(), strict=True):
            after = np.asarray(pikepdf.PdfImage(page.obj.Resources.XObject["/Im1"]).as_pil_image().convert("RGB"))
            was = np.broadcast_to(before.pixels if before.pixels.ndim == 3 else before.pixels[..., None], after.shape)
            darker = (was.astype(np.int16) - after).max(axis=2) > DARKER
            yield before.page + 1, shapes((darker & (after.max(axis=2) < BLACK)).astype(np.uint8))


def shapes(black: NDArray[np.uint8]) -> list[Rectangle]:
    """The connected shapes of a map that are larger than specks, letters and print within them closed."""
    closed = cv2.morphologyEx(np.pad(black, 40), cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))[40:-40, 40:-40]
    solid = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(solid)
    return sorted((int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in stats[1:])


def told_shapes(boxes: list[list[int]], size: tuple[int, int]) -> list[Rectangle]:
    """What the schedule's boxes of a page look like, those that touch being one shape."""
    black = np.zeros(size[::-1], np.uint8)
    for x0, y0, x1, y1 in boxes:
        black[y0:y1, x0:x1] = 1
    return shapes(black)


def test_the_schedule_tells_of_every_box_that_is_painted_and_of_no_other() -> None:
    case = disclosed()
    told = json.loads(schedule_json(case, schedule_rows(case)))
    assert sum(record["marks"] for record in told["records"]) == len(told["rows"]) > 20
    counted = 0
    for record, said in zip(demo_records(), told["records"], strict=True):
        rows = [row for row in told["rows"] if row["record"] == said["number"]]
        assert len(rows) == said["marks"]
        for page, painted in painted_shapes(record):
            boxes = [box for row in rows if row["page"] == page for box in row["boxes"]]
            expected = told_shapes(boxes, tuple(said["pages_px"][page - 1]))
            assert len(painted) == len(expected), (said["number"], page)
            assert all(
                max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 10
                for one, other in zip(painted, expected, strict=True)
            ), (said["number"], page)
            counted += len(painted)
    assert counted > 15


def test_a_box_that_nobody_told_of_would_be_counted() -> None:
    page = np.zeros((400, 600), np.uint8)
    page[50:80, 40:300] = 1
    page[55:75, 100:104] = 0  # print in it
    assert shapes(page) == [(40, 50, 300, 80)]
    page[200:214, 40:120] = 1
    assert len(shapes(page)) == 2


def test_letter_csv_json_and_page_give_the_same_totals() -> None:
    case = disclosed()
    rows = schedule_rows(case)
    marks = sum(len(record.plan.marks) for record in demo_records())
    values = response_values(case, POLICY, approval(case))
    assert values["marks"] == marks == len(rows)
    assert sum(int(words.split()[0]) for words in values["withheld_words"]) == marks
    assert len(list(csv.reader(io.StringIO(schedule_csv(rows).decode(), newline="")))) == marks + 1
    page = render_schedule(case, POLICY, approval(case), rows).decode()
    assert page.count('<th scope="row" data-label="Mark">') == marks
    assert f"{marks}\u00a0parts of" in page


def test_no_form_of_the_schedule_holds_a_value() -> None:
    case = disclosed()
    rows = schedule_rows(case)
    forms = [schedule_csv(rows), schedule_json(case, rows), render_schedule(case, POLICY, approval(case), rows)]
    for record in demo_records():
        assert record.plan.withheld or not record.plan.marks
        for form in forms:
            assert_silent(form.decode(), record.plan)
