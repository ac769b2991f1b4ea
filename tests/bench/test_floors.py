"""A small corpus, drawn from a seed and redacted by the command line: what was once reached is not lost again.

The floors stand a margin below what was measured when they were written. Raise them when the measure rises; a change
that needs one lowered is a change for the worse.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.looks import REVIEW_FROM
from tests.bench.recall import Score, measure, redact
from tests.corpus import letters, notices, tables
from tests.corpus.write import write_set

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEED = 5
RECORDS = (
    (letters.council_letter, "digital"),
    (tables.org_chart, "digital"),
    (tables.card_sheet, "clean"),
    (tables.vehicle_table, "clean"),
    (letters.email_thread, "office"),
    (notices.filled_form, "office"),
    (letters.plain_policy, "office"),
    (tables.duty_roster, "fax"),
    (notices.newsletter, "fax"),
    (letters.bilingual_letter, "poor"),
    (tables.incident_log, "poor"),
    (tables.contact_directory, "clean"),
    (tables.print_log, "office"),
)

# ------------------------------------------------------------------------------------------------ the table

RECALL_AT_LEAST = {
    "all": 0.97,  # 98.9 % of 443 when written
    "digital": 0.98,  # 61 of 61 are painted whole; in one the exemption printed on the mark passes for its digits
    "clean": 0.97,  # 98.9 % of 188
    "office": 0.97,  # 99 % of 100
    "fax": 0.97,  # 100 % of 68
    "poor": 0.85,  # 92.3 % of 26
    "PHONE": 0.97,  # 99.3 % of 138
    "EMAIL": 0.97,  # 100 % of 48
    "EXTENSION": 0.96,  # 98.5 % of 137
    "ADDRESS": 0.80,  # 91.3 % of 23
    "RADIO": 0.94,  # 100 % of 20
    "PAGER": 0.94,  # 100 % of 19
    "POSTCODE": 0.93,  # 100 % of 16
    "URL": 0.90,  # 100 % of 12
    "FAX": 0.95,  # 100 % of 24
}
LOST_AT_MOST = {
    "words": 0.012,  # 22 of 2,753, dotted lines among them
    "kept": 0.025,  # look-alikes: 6 of 491
    "public": 0.0,
}
WITHHELD_FILES_AT_MOST = 0
LOOKED_AT_AT_MOST = 0.25  # of the pages; none when written
MISSES_UNSEEN_AT_MOST = 0.03  # of all details, on pages nobody is asked to look at; 5 of 443 when written

# ------------------------------------------------------------------------------------------------ the measure


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    folder: Path = tmp_path_factory.mktemp("floors")
    write_set(folder, SEED, RECORDS)
    redact(folder / "requests", folder / "out")
    return measure(folder, folder / "out")


@pytest.mark.parametrize("group", RECALL_AT_LEAST)
def test_recall_stays_above_its_floor(score: Score, group: str) -> None:
    recall = score.recall(kind=group) if group.isupper() else score.recall("" if group == "all" else group)
    assert recall.judged, "nothing of this group was judged"
    assert recall.share >= RECALL_AT_LEAST[group], recall


@pytest.mark.parametrize("what", LOST_AT_MOST)
def test_what_should_stay_stays(score: Score, what: str) -> None:
    loss = score.words() if what == "words" else score.loss(what)
    assert loss.n
    assert loss.share <= LOST_AT_MOST[what], loss


def test_what_is_painted_over_cannot_be_copied_either(score: Score) -> None:
    leaked = [v for v in score.verdicts("withheld") if v.status == "REDACTED" and v.leaked]
    assert not leaked


def test_nothing_that_hides_in_a_source_comes_through(score: Score) -> None:
    assert sum(file.hidden for file in score.files)
    assert sum(file.hidden_leaked for file in score.files) == 0


def test_few_records_get_no_output(score: Score) -> None:
    absent = [file.outcome for file in score.files if file.outcome not in ("redacted", "held")]
    assert len(absent) <= WITHHELD_FILES_AT_MOST, absent


def test_a_person_looks_at_few_pages_and_few_misses_lie_on_the_others(score: Score) -> None:
    (in_use,) = [point for point in score.review_curve() if point.score == REVIEW_FROM]
    assert in_use.flagged <= LOOKED_AT_AT_MOST, in_use
    assert in_use.unseen_misses <= MISSES_UNSEEN_AT_MOST * score.recall().n, in_use
