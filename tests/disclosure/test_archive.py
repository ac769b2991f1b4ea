"""The log's pages by year: together they list everything, and what is full stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.disclosure import site
from tasks.disclosure.publish import publish, rebuild_log
from tasks.disclosure.site import LogEntry, archive_parts, log_pages, newest_first
from tests.disclosure.examples import POLICY, approval, dossier, files, keys
from tests.disclosure.shelf import Shelf

AUTHORITY = POLICY.authority


def entry(number: int, year: int = 2025) -> LogEntry:
    moment = f"{year}-{1 + number // 28:02}-{1 + number % 28:02}T09:00:00Z"
    return LogEntry(reference=f"A-{year}-{number}", title=f"Paper {number}", published=moment, version=1, outcome="all")


def test_a_short_log_is_one_page() -> None:
    many = [entry(number) for number in range(site.FIRST_LENGTH)]
    assert set(log_pages(many, AUTHORITY)) == {"disclosures.json", "feed.xml", "index.html"}
    assert b"All responses by year" not in log_pages(many, AUTHORITY)["index.html"]


def test_a_long_log_has_pages_that_together_list_everything_once() -> None:
    many = [entry(number, year) for year in (2024, 2025) for number in range(60)]
    parts = archive_parts(newest_first(many))
    assert [(part.name, part.path) for part in parts] == [("2025", "log/2025-1.html"), ("2024", "log/2024-1.html")]
    assert [entry for part in parts for entry in part.entries] == newest_first(many)
    pages = log_pages(many, AUTHORITY)
    assert list(pages)[-1] == "index.html"
    for part in parts:
        assert pages["index.html"].decode().count(f'href="{part.path}"') == 1
        assert pages[part.path].decode().count("<li data-outcome") == 60


def test_full_pages_of_a_year_do_not_change_when_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "PART_LENGTH", 50)
    many = [entry(number) for number in range(120)]
    before, after = (archive_parts(newest_first(found)) for found in (many, [*many, entry(120), entry(121)]))
    assert [part.name for part in after] == ["2025, part 3", "2025, part 2", "2025, part 1"]
    assert after[1:] == before[1:]
    assert [len(part.entries) for part in after] == [22, 50, 50]


def test_what_the_search_knows_cannot_end_its_script() -> None:
    evil = "</script><script>alert(1)</script><!--"
    many = [replace(entry(number), title=evil, summary=evil) for number in range(site.FIRST_LENGTH + 5)]
    page = log_pages(many, AUTHORITY)["index.html"].decode()
    assert page.count("<script") == page.count("</script>") == 2
    assert "<!--" not in page


@pytest.mark.slow
def test_a_page_of_a_year_that_is_no_longer_made_is_taken_away() -> None:
    shelf = Shelf()
    publish(shelf, "b", dossier(), approval(), files(), POLICY, keys())
    shelf.put("b", "log/2019-2.html", b"a title that was withdrawn")
    rebuild_log(shelf, "b", AUTHORITY)
    assert ("b", "log/2019-2.html") not in shelf.objects
    assert ("b", "index.html") in shelf.objects
