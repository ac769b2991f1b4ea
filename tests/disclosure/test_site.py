from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.disclosure.layout import WITHDRAWAL_RECORD
from tasks.disclosure.publish import publish
from tasks.disclosure.site import LogEntry, log_pages, newest_first, tombstone_page, withdrawal_of
from tests.disclosure.browser import Browser
from tests.disclosure.examples import POLICY, approval, dossier, files, keys
from tests.disclosure.shelf import Shelf
from tests.disclosure.test_notice import HOSTILE, Tags, words_of

pytestmark = pytest.mark.slow

ATOM = "{http://www.w3.org/2005/Atom}"
ENTRIES = (
    LogEntry(
        reference="A-1",
        title="Leaflet",
        published="2025-05-01T09:00:00Z",
        version=1,
        outcome="all",
        records=1,
        pages=2,
        summary="The leaflet please",
    ),
    LogEntry(
        reference="A-2",
        title="Café plan",
        published="2026-06-01T09:00:00Z",
        version=2,
        outcome="part",
        records=2,
        pages=9,
        withheld=7,
    ),
    withdrawal_of(
        LogEntry(
            reference="A-3", title="Log", published="2026-01-01T09:00:00Z", version=1, outcome="part", summary="old"
        ),
        "A mistake.",
        "2026-07-01T09:00:00Z",
    ),
)
AUTHORITY = POLICY.authority


def test_the_log_lists_every_entry_newest_first() -> None:
    words = words_of(log_pages(ENTRIES, AUTHORITY)["index.html"])
    assert words.index("Log A mistake.") < words.index("Café plan") < words.index("Leaflet The leaflet please")
    assert "3 responses, newest first" in words
    assert "2 records, 9 pages 7 parts withheld version 2" in words


def test_a_withdrawal_keeps_nothing_of_the_request() -> None:
    assert ENTRIES[2].summary == ""
    assert all(b'"summary":"old"' not in data for data in log_pages(ENTRIES, AUTHORITY).values())


def test_an_empty_log_is_a_page_too() -> None:
    pages = log_pages((), AUTHORITY)
    assert "Nothing has been published yet." in words_of(pages["index.html"])
    ET.fromstring(pages["feed.xml"])  # noqa: S314
    assert json.loads(pages["disclosures.json"])["disclosures"] == []


def test_the_order_of_entries_does_not_matter() -> None:
    assert log_pages(ENTRIES, AUTHORITY) == log_pages(ENTRIES[::-1], AUTHORITY)
    same_time = [replace(entry, published="2026-01-01T00:00:00Z") for entry in ENTRIES]
    assert newest_first(same_time) == newest_first(same_time[::-1])


def test_the_feed_is_atom_with_the_dates_of_the_approvals() -> None:
    feed = ET.fromstring(log_pages(ENTRIES, AUTHORITY)["feed.xml"])  # noqa: S314
    assert feed.tag == f"{ATOM}feed"
    for needed in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{needed}") is not None
    assert feed.findtext(f"{ATOM}updated") == "2026-07-01T09:00:00Z"
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["Log", "Café plan", "Leaflet"]
    links = [entry.find(f"{ATOM}link").get("href") for entry in entries]  # type: ignore[union-attr]
    assert links[0] == "https://foi.northshire.example/disclosures/A-3/index.html"
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 3


def test_the_json_holds_every_field() -> None:
    stored = json.loads(log_pages(ENTRIES, AUTHORITY)["disclosures.json"])
    assert stored["disclosures"][1]["title"] == "Café plan"
    assert stored["disclosures"][1]["withheld"] == 7


def test_hostile_titles_stay_text_everywhere() -> None:
    hostile = replace(ENTRIES[0], title=HOSTILE + "\x00\u202e", summary=HOSTILE, reason="")
    pages = log_pages([hostile], AUTHORITY)
    tags = Tags(pages["index.html"])
    assert tags.names.count("script") == 1
    assert "img" not in tags.names
    feed = ET.fromstring(pages["feed.xml"])  # noqa: S314
    assert feed.find(f"{ATOM}entry").findtext(f"{ATOM}title") == HOSTILE  # type: ignore[union-attr]
    stone = tombstone_page(replace(withdrawal_of(hostile, HOSTILE, "2026-01-01T00:00:00Z")), AUTHORITY)
    assert "script" not in Tags(stone).names
    assert f'href="{WITHDRAWAL_RECORD}"'.encode() in stone


def test_the_policy_of_the_log_allows_exactly_its_style_and_script() -> None:
    page = log_pages(ENTRIES, AUTHORITY)["index.html"].decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for tag in ("style", "script"):
        (code,) = re.findall(rf"(?s)<{tag}>(.*?)</{tag}>", page)
        assert f"{tag}-src 'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "http" not in re.sub(r"https://foi\.northshire\.example|http-equiv|http://www\.w3\.org", "", page)


@pytest.mark.parametrize("page", ["log", "tombstone"])
def test_every_page_has_language_title_landmarks_and_a_skip_link(page: str) -> None:
    data = log_pages(ENTRIES, AUTHORITY)["index.html"] if page == "log" else tombstone_page(ENTRIES[2], AUTHORITY)
    tags = Tags(data)
    assert ("lang", "en-GB") in tags.attributes
    for needed in ("title", "main", "header", "footer", "h1"):
        assert tags.names.count(needed) == 1
    assert b'class="skip" href="#content"' in data
    assert b'<main id="content">' in data
    ids = [value for name, value in tags.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_without_a_script_the_log_lists_everything_and_shows_no_dead_search() -> None:
    page = log_pages(ENTRIES, AUTHORITY)["index.html"].decode()
    (form,) = re.findall(r"<form[^>]*>", page)
    assert " hidden" in form
    assert page.count("<li data-outcome") == 3
    assert not re.search(r"<li[^>]* hidden", page)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


SHOWN = "Array.from(document.querySelectorAll('#entries > li:not([hidden]) a')).map(a => a.textContent).join(',')"
TYPE = (
    "document.getElementById('{field}').value = '{value}';"
    "document.getElementById('finder').dispatchEvent(new Event('input'))"
)


def test_the_search_finds_in_a_real_browser(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(log_pages(ENTRIES, AUTHORITY)["index.html"])
    browser.open(tmp_path / "index.html")
    assert browser.evaluate("document.getElementById('finder').hidden") is False
    for field, value, shown in (
        ("words", "cafe PLAN", "Café plan"),
        ("words", "nothing like it", ""),
        ("words", "", "Log,Café plan,Leaflet"),
        ("year", "2026", "Log,Café plan"),
        ("outcome", "part", "Café plan"),
    ):
        browser.evaluate(TYPE.format(field=field, value=value))
        assert browser.evaluate(SHOWN) == shown
    assert browser.evaluate("document.getElementById('count').textContent") == "1 of 3 responses match."


def test_no_page_is_wider_than_a_small_phone(browser: Browser, tmp_path: Path) -> None:
    shelf = Shelf()
    publish(shelf, "b", dossier(), approval(), files(), POLICY, keys())
    pages = {key: data for (_, key), data in shelf.objects.items() if key.endswith(".html")}
    assert len(pages) == 4
    for number, data in enumerate([*pages.values(), tombstone_page(ENTRIES[2], AUTHORITY)]):
        (tmp_path / f"{number}.html").write_bytes(data)
        browser.open(tmp_path / f"{number}.html", width=320)
        assert browser.evaluate("document.documentElement.scrollWidth") <= 320
        assert browser.complaints == []
