from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace

import pytest

from tasks.disclosure.bag import build_bag
from tasks.disclosure.plain import safe_cell
from tasks.disclosure.schedule import (
    CSV_HEADER,
    KIND_WORDS,
    csv_cells,
    csv_forms,
    place_of,
    schedule_csv,
    schedule_json,
    schedule_rows,
    withheld_words,
)
from tasks.geometry import Box
from tasks.model import Kind
from tests.disclosure.examples import dossier


def test_every_mark_and_every_withheld_record_has_a_row() -> None:
    case = dossier()
    rows = schedule_rows(case)
    assert [(row.record, row.mark, row.page) for row in rows] == [(1, 1, 1), (1, 2, 1), (1, 3, 2), (2, 1, 1), (4, 0, 0)]
    assert rows[0].kinds == ("telephone number",)
    assert rows[0].exemption == "s.31(1)(a)"
    assert rows[1].boxes == ((64, 400, 464, 424), (64, 424, 200, 440))
    assert rows[4].place == "whole record"
    assert (rows[4].kinds, rows[4].exemption) == (("whole record",), "s.40(2)")


def test_every_kind_has_words() -> None:
    assert set(KIND_WORDS) == set(Kind)


@pytest.mark.parametrize(
    ("box", "place"),
    [
        (Box(0, 0, 10, 10), "top left"),
        (Box(45, 45, 55, 55), "centre"),
        (Box(90, 90, 100, 100), "bottom right"),
        (Box(0, 45, 10, 55), "middle left"),
        (Box(95, 0, 300, 10), "top right"),
    ],
)
def test_a_place_is_one_of_nine(box: Box, place: str) -> None:
    assert place_of(box, (100, 100)) == place


def test_counts_are_in_words_most_frequent_first() -> None:
    assert withheld_words(dossier().records) == (
        "2 telephone numbers",
        "1 e-mail address",
        "1 part with more than one of these: e-mail addresses and telephone numbers",
    )


def test_csv_and_json_tell_the_same() -> None:
    case = dossier()
    rows = schedule_rows(case)
    table = list(csv.reader(io.StringIO(schedule_csv(rows).decode(), newline="")))
    stored = json.loads(schedule_json(case, rows))
    assert table[0] == list(CSV_HEADER)
    assert [line[5] for line in table[1:]] == [row["place"] for row in stored["rows"]]
    assert [record["marks"] for record in stored["records"]] == [3, 1, 0]
    assert stored["records"][0]["pages_px"] == [[620, 877], [620, 877]]


@pytest.mark.parametrize(
    "hostile",
    [
        "=1+1",
        "+44",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "  \t@x",
        "'=1",
        '"=1',
        "＝1",
        "\ufeff=1",
        "\u00a0=1",
        "\u200b=1",
        "\u3000=1",
        "\u2066@x",
        "\u00ad+1",
        "\u3164=1",
    ],
)
def test_no_cell_starts_a_formula(hostile: str) -> None:
    assert safe_cell(hostile).startswith("'")
    case = replace(dossier(), records=tuple(replace(record, title=hostile) for record in dossier().records))
    for line in csv.reader(io.StringIO(schedule_csv(schedule_rows(case)).decode(), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line)


@pytest.mark.parametrize(
    ("hostile", "cell"),
    [
        ("a;=1", "a;'=1"),
        ("a\t=1", "a '=1"),
        ("a; \u200b+1", "a;' \u200b+1"),
        ("x;-1;@y", "x;'-1;'@y"),
        ('x";"=1', 'x";\'"=1'),
        ("a|=1", "a|'=1"),
    ],
)
def test_no_cell_of_another_separator_starts_a_formula(hostile: str, cell: str) -> None:
    assert safe_cell(hostile) == cell


@pytest.mark.parametrize("turn", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_nothing_turns_the_direction_of_a_cell_or_of_bag_info(turn: str) -> None:
    assert safe_cell(f"a{turn}b") == "ab"
    info = build_bag({"data/x": b""}, {"External-Description": f"a{turn}b"}, {})["bag-info.txt"]
    assert info.startswith(b"External-Description: ab\n")


def test_a_spreadsheet_of_before_still_agrees() -> None:
    row = {**asdict(schedule_rows(dossier())[0]), "title": "a;=\u202e1"}
    now, before = csv_forms(row)
    assert (now[1], before[1]) == ("a;'=1", "a;=\u202e1")
    assert now == csv_cells(row)


@pytest.mark.parametrize("plain", ["a; b", "a - b", "x=1;y", "Minutes", "a=b", "", "3. Report", "O'Neil's memo"])
def test_harmless_cells_stay_as_they_are(plain: str) -> None:
    assert safe_cell(plain) == plain


def test_a_title_of_several_lines_stays_one_row() -> None:
    case = replace(dossier(), records=(replace(dossier().records[0], title='a\r\nb"\x00c'),), withheld=())
    table = list(csv.reader(io.StringIO(schedule_csv(schedule_rows(case)).decode(), newline="")))
    assert len(table) == 4
    assert table[1][1] == 'a b" c'
