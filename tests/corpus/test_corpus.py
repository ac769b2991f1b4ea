"""The corpus tells the truth about itself, and speaks of nobody."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from tests.bench.scoring import read_original
from tests.corpus import letters, notices, tables
from tests.corpus.cast import Cast
from tests.corpus.leaf import Leaf
from tests.corpus.marked import BREAK, Role, keep, label, plain, read, withhold
from tests.corpus.qualities import QUALITIES
from tests.corpus.write import TEMPLATES, Record, draw_record, take_turns, truth_of, write_set

DRAMA = re.compile(
    r"20794600?|2079460\d{3}|(113|114|115|116|117|118|121|131|141|151|161)4960\d{3}|1632960\d{3}|7700900\d{3}"
    r"|8081570\d{3}|3069990\d{3}"
)
"""Ofcom's numbers for drama, national form without the leading 0."""

RESERVED = re.compile(r"(\.|^)(example|test|invalid)$|(^|\.)example\.(com|org|net)$")


@pytest.mark.parametrize("seed", range(40))
def test_every_number_comes_from_a_range_that_nobody_has(seed: int) -> None:
    cast = Cast(seed)
    for number in (cast.phone(), cast.mobile(), cast.freephone(), cast.fax()):
        digits = re.sub(r"\D", "", plain(number).replace("(0)", ""))
        national = re.sub(r"^(0044|44|0)", "", digits)
        assert DRAMA.fullmatch(national), plain(number)
    assert re.search(r"555\D?01\d\d$", plain(cast.american()))


@pytest.mark.parametrize("seed", range(40))
def test_every_domain_is_reserved(seed: int) -> None:
    cast = Cast(seed)
    for form in ("", "spaced", "broken", "breakable"):
        shown = re.sub(rf"[\s{BREAK}]", "", plain(cast.email(cast.person(), form)))
        assert RESERVED.search(shown.partition("@")[2]), shown
    host = re.sub(r"^https?://|^www\.", "", plain(cast.url())).split("/")[0]
    assert RESERVED.search(host) or "." not in host, host


@pytest.mark.parametrize("seed", range(10))
def test_every_postcode_lies_in_no_area(seed: int) -> None:
    assert Cast(seed).postcode_text()[:2] in ("ZZ", "XX", "QQ")


def test_marks_say_what_each_character_is() -> None:
    text, notes = read(f"{label('Tel:')} {withhold('PHONE', 'run', '0 1')}, {keep('DATE', 2)}")
    assert text == "Tel: 0 1, 2"
    assert [note.role if note else None for note in notes] == [
        *[Role.LABEL] * 4,
        None,
        *[Role.WITHHELD] * 3,
        None,
        None,
        Role.KEPT,
    ]


def test_a_paragraph_keeps_every_character_of_a_value_however_it_breaks() -> None:
    leaf = Leaf("narrow")
    value = withhold("EMAIL", "person", "somebody.with.a.long.name@a-long-domain.example")
    leaf.paragraph(10, 10, 40, f"some words before {value} and after", 11)
    assert len(leaf.values) > 1
    assert "".join(piece.text for piece in leaf.values) == "somebody.with.a.long.name@a-long-domain.example"


def _ink(record: Record, folder: Path) -> list[tuple[float, float]]:
    """For each item on the first page: how much ink its quads hold, and how much a frame around them does."""
    (source := folder / f"record{record.packed.suffix}").write_bytes(record.packed.content)
    page = truth_of(record, source.name)["pages"][0]  # type: ignore[index]
    pixels = read_original(source, 0, (page["width"], page["height"]))
    found = []
    for item in (*page["entities"], *page["negatives"]):
        for quad in item["quads"]:
            corners = np.array(quad, np.float32)
            level = np.zeros(pixels.shape, np.uint8)
            cv2.fillConvexPoly(level, corners.round().astype(np.int32), 1)
            inside = pixels[level > 0]
            found.append((float(inside.min()), float(inside.max())) if inside.size else (255.0, 255.0))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("template", [tables.org_chart, letters.labelled_letter], ids=lambda t: t.__name__)
def test_there_is_ink_in_every_place_the_truth_names(template, quality: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    levels = _ink(draw_record(template, quality, "ink"), tmp_path)
    assert levels
    assert all(high - low > 50 for low, high in levels)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    turns = [(letters.fax_cover, quality) for quality in ("digital", "office", "fax")]
    for name in ("one", "two"):
        write_set(tmp_path / name, 3, turns)
    one, two = (sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in ("one", "two"))
    assert [p.relative_to(tmp_path / "one") for p in one] == [p.relative_to(tmp_path / "two") for p in two]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_in_time_every_template_meets_every_quality() -> None:
    turns = take_turns(Random(0).randrange(100), len(TEMPLATES) * len(QUALITIES) ** 2)
    assert len({(template.__name__, quality) for template, quality in turns}) == len(TEMPLATES) * len(QUALITIES)


def test_a_form_has_one_character_a_box() -> None:
    (leaf,) = notices.filled_form(Cast(1))
    numbers = [piece for piece in leaf.values if piece.note and piece.note.kind == "PHONE" and len(piece.text) == 1]
    assert len(numbers) >= 20
