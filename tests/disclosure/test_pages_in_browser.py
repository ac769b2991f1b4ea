"""Every kind of page in a real browser: WCAG 2.2 AA by axe-core, keyboard, small screens, no scripts, no requests."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.disclosure.notice import render_response, render_schedule
from tasks.disclosure.publish import publish, withdraw
from tasks.disclosure.schedule import schedule_rows
from tasks.disclosure.site import LogEntry, log_pages
from tests.disclosure.browser import Browser
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Shelf

pytestmark = pytest.mark.slow

(AXE,) = (Path(sys.prefix) / "opinions/lib").glob("python3*/site-packages/axe_playwright_python/axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WITHDRAWN = "02.FOI.26.000007"

PAGES = {
    "log": "index.html",
    "response": f"disclosures/{REFERENCE}/index.html",
    "response in the bag": f"disclosures/{REFERENCE}/v2/data/response.html",
    "superseded version": f"disclosures/{REFERENCE}/v1/data/response.html",
    "schedule": f"disclosures/{REFERENCE}/v2/data/schedule.html",
    "withdrawn": f"disclosures/{WITHDRAWN}/index.html",
    "draft": "draft.html",
    "draft of the schedule": "draft-schedule.html",
    "log of many": "many/index.html",
    "year of the log": "many/log/2024-1.html",
}


def entries(count: int) -> list[LogEntry]:
    """Invented publications over five years; every 50th speaks of drones, every 9th is refused."""
    return [
        LogEntry(
            reference=f"03.FOI.{2020 + n % 5 - 2000}.{n:06}",
            title=f"Drone flights over quarter {n}" if n % 50 == 0 else f"Minutes of meeting {n}",
            published=f"{2020 + n % 5}-{1 + n % 12:02}-{1 + n % 28:02}T09:00:00Z",
            version=1 + n % 3 // 2,
            outcome="refused" if n % 9 == 0 else "part",
            records=n % 4,
            pages=3 * (n % 4),
            withheld=n % 7,
            summary="Please send me what was agreed on caf\u00e9s, patrols and parking " * 4,
        )
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public bucket as files: a request in two versions, a withdrawn one; drafts; a log of 600 entries."""
    shelf, folder = Shelf(), tmp_path_factory.mktemp("site")
    first = dossier(records=dossier().records[:2])
    publish(shelf, "b", first, approval(first), {n: files()[n] for n in list(files())[:2]}, POLICY, keys())
    publish(shelf, "b", dossier(), approval(at="2026-04-20T10:00:00Z"), files(), POLICY, keys())
    other = dossier(reference=WITHDRAWN, letter={**dossier().letter, "reference": WITHDRAWN})
    publish(shelf, "b", other, approval(other), files(), POLICY, keys())
    withdraw(shelf, "b", WITHDRAWN, "A name was left readable.", "2026-05-01T09:00:00Z", POLICY.authority, keys())
    made = {key: data for (_, key), data in shelf.objects.items()}
    made["draft.html"] = render_response(dossier(), POLICY, None).html
    made["draft-schedule.html"] = render_schedule(dossier(), POLICY, None, schedule_rows(dossier()))
    made |= {f"many/{path}": data for path, data in log_pages(entries(600), POLICY.authority).items()}
    for key, data in made.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def violations(browser: Browser) -> list[str]:
    """What axe-core finds on the open page: rule and place."""
    browser.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    options = json.dumps({"runOnly": {"type": "tag", "values": RULES}})
    found: dict[str, Any] = json.loads(browser.evaluate(f"axe.run(document, {options}).then(JSON.stringify)"))
    assert len(found["passes"]) > 10
    return [f"{rule['id']} {node['target']}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(browser: Browser, site: Path, page: str, width: int) -> None:
    browser.open(site / PAGES[page], width=width)
    assert violations(browser) == []


def test_axe_finds_nothing_in_the_results_of_a_search(browser: Browser, site: Path) -> None:
    browser.open(site / PAGES["log of many"])
    search(browser, words="drone")
    assert violations(browser) == []


def test_axe_would_find_something(browser: Browser, site: Path, tmp_path: Path) -> None:
    spoilt = (site / PAGES["log"]).read_text().replace(' lang="en-GB"', "").replace('<label for="words">', "<label>")
    (tmp_path / "spoilt.html").write_text(spoilt)
    browser.open(tmp_path / "spoilt.html")
    assert {found.split()[0] for found in violations(browser)} == {"html-has-lang", "label"}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_for_nothing_and_breaks_no_policy(browser: Browser, site: Path, page: str) -> None:
    browser.open(site / PAGES[page])
    browser.evaluate("new Promise(done => setTimeout(done, 50))")
    assert browser.complaints == []
    assert browser.requests == [(site / PAGES[page]).resolve().as_uri()]
    assert browser.evaluate("document.getAnimations().length") == 0


# ------------------------------------------------------------------------------------------------ keyboard

FOCUSABLE = (
    "Array.from(document.querySelectorAll('a[href], input, select, button, [tabindex=\"0\"]'))"
    ".filter(e => e.checkVisibility()).length"
)
FOCUSED = """(() => {
  const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
  const seen = parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none';
  const all = Array.from(document.querySelectorAll('*'));
  return [e === document.body ? '' : e.outerHTML.slice(0, 90), seen,
          b.width > 0 && b.left >= 0 && b.top < innerHeight && b.bottom > 0, all.indexOf(e)];
})()"""


@pytest.mark.parametrize("page", PAGES)
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    browser: Browser, site: Path, page: str
) -> None:
    browser.open(site / PAGES[page])
    count = browser.evaluate(FOCUSABLE)
    reached = []
    for _ in range(count):
        browser.press("Tab")
        reached.append(browser.evaluate(FOCUSED))
    for what, seen, in_sight, _ in reached:
        assert what and seen and in_sight, what
    ordinals = [ordinal for *_, ordinal in reached]
    assert ordinals == sorted(set(ordinals))
    assert 'class="skip"' in reached[0][0]


@pytest.mark.parametrize("page", ["log", "response"])
def test_the_first_key_leads_past_the_head_of_the_page(browser: Browser, site: Path, page: str) -> None:
    browser.open(site / PAGES[page], height=400)
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    browser.press("Enter")
    browser.press("Tab")
    assert browser.evaluate("document.getElementById('content').contains(document.activeElement)")


def test_search_and_filters_work_by_keyboard_alone(browser: Browser, site: Path) -> None:
    browser.open(site / PAGES["log"])
    while browser.evaluate("document.activeElement.id") != "words":
        browser.press("Tab")
    browser.type("left readable")
    assert browser.evaluate("document.getElementById('count').textContent") == "1 of 2 responses match."
    for wanted in ("outcome", "year"):
        browser.press("Tab")
        assert browser.evaluate("document.activeElement.id") == wanted


# ------------------------------------------------------------------------------------------------ small screens

CUT = """Array.from(document.querySelectorAll('body *')).filter(e => {
  const s = getComputedStyle(e), b = e.getBoundingClientRect();
  if (!e.checkVisibility() || s.position === 'absolute' || e.closest('.skip, thead, pre, option')) { return false; }
  return b.right > innerWidth + 1 || b.left < -1 || (s.overflow === 'hidden' && e.scrollWidth > e.clientWidth + 1);
}).map(e => e.outerHTML.slice(0, 90))"""
SPACED = (
    "document.querySelectorAll('body, body *').forEach(e => { e.style.lineHeight = '1.5';"
    " e.style.letterSpacing = '.12em'; e.style.wordSpacing = '.16em'; })"
)


@pytest.mark.parametrize("spaced", [False, True], ids=["as it is", "with wide text (1.4.12)"])
@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_cut_at_320_px(browser: Browser, site: Path, page: str, spaced: bool) -> None:
    """320 px is also what is left of 1,280 px at 400 % (WCAG 1.4.10)."""
    browser.open(site / PAGES[page], width=320, height=640)
    if spaced:
        browser.evaluate(SPACED)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 320
    assert browser.evaluate(CUT) == []


# ------------------------------------------------------------------------------------------------ no scripts


def test_without_scripts_every_response_is_listed(browser: Browser, site: Path) -> None:
    browser.allow_scripts(False)
    try:
        browser.open(site / PAGES["log"])
        assert browser.evaluate("document.getElementById('finder').checkVisibility()") is False
        assert browser.evaluate(SHOWN) == 2
        browser.open(site / PAGES["log of many"])
        assert browser.evaluate(SHOWN) == 100
        links = browser.evaluate("Array.from(document.querySelectorAll('.archive a')).map(a => a.getAttribute('href'))")
        titles: set[str] = set()
        for link in links:
            browser.open(site / "many" / link)
            titles |= set(browser.evaluate(TITLES))
            assert browser.evaluate(HREF).startswith("../disclosures/03.FOI.")
        assert titles == {entry.title for entry in entries(600)}
    finally:
        browser.allow_scripts(True)


# ------------------------------------------------------------------------------------------------ many

SHOWN = "Array.from(document.querySelectorAll('#entries > li')).filter(e => e.checkVisibility()).length"
TITLES = "Array.from(document.querySelectorAll('#entries h2')).map(e => e.textContent)"
DATES = "Array.from(document.querySelectorAll('#entries .meta span:nth-child(3)'), e => e.textContent)"
HREF = "document.querySelector('#entries a').getAttribute('href')"
COUNT = "document.getElementById('count').textContent"


def search(browser: Browser, **fields: str) -> None:
    for field, value in fields.items():
        browser.evaluate(
            f"document.getElementById('{field}').value = {json.dumps(value)};"
            "document.getElementById('finder').dispatchEvent(new Event('input'));"
            "new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))"
        )


def test_the_search_goes_through_older_responses_too(browser: Browser, site: Path) -> None:
    browser.open(site / PAGES["log of many"])
    assert browser.evaluate(COUNT) == "The newest 100 of 600 responses."
    first = browser.evaluate("document.getElementById('entries').innerText")
    search(browser, words="DRONE flights")
    wanted = [entry for entry in entries(600) if entry.title.startswith("Drone")]
    assert browser.evaluate(COUNT) == "12 of 600 responses match."
    assert sorted(browser.evaluate(TITLES)) == sorted(entry.title for entry in wanted)
    dates = browser.evaluate(DATES)
    assert [int(date[-4:]) for date in dates] == sorted((int(date[-4:]) for date in dates), reverse=True)
    search(browser, words="", year="2021", outcome="refused")
    refused = [e for e in entries(600) if e.published.startswith("2021") and e.outcome == "refused"]
    assert browser.evaluate(COUNT) == f"{len(refused)} of 600 responses match."
    search(browser, year="", outcome="", words="cafes patrols")
    assert browser.evaluate(COUNT) == "600 of 600 responses match; the newest 100 are shown."
    assert browser.evaluate(SHOWN) == 100
    search(browser, words="no such word")
    assert browser.evaluate(COUNT) == "No response matches."
    search(browser, words="")
    assert browser.evaluate("document.getElementById('entries').innerText") == first
    assert browser.complaints == []


def test_what_is_found_among_older_responses_looks_like_the_rest(browser: Browser, tmp_path: Path) -> None:
    """The same entry, once on the first page and once drawn by the search, reads the same."""
    known = replace(entries(1)[0], reference="A-1", title="<b>Sought</b> & 'found'", published="2019-01-01T09:00:00Z",
                    version=2, records=1, pages=1200, withheld=1, summary="Short <i>words</i>")  # fmt: skip
    texts = []
    for name, others in (("few", []), ("many", entries(150))):
        path = tmp_path / f"{name}.html"
        path.write_bytes(log_pages([known, *others], POLICY.authority)["index.html"])
        browser.open(path)
        search(browser, words="sought")
        texts.append(browser.evaluate("document.querySelector('#entries > li').innerText"))
        assert browser.evaluate(HREF) == "disclosures/A-1/index.html"
        assert browser.evaluate("document.querySelectorAll('#entries b, #entries i').length") == 0
    assert texts[0] == texts[1]


def test_a_log_of_ten_thousand_opens_and_searches_quickly(browser: Browser, tmp_path: Path) -> None:
    """Measured on two cores: 0.4 s to load, 0.2 s for the first search; the limits leave room for a busy machine."""
    pages = log_pages(entries(10_000), POLICY.authority)
    assert len(pages["index.html"]) < 3_000_000
    assert max(len(data) for path, data in pages.items() if path.startswith("log/")) < 600_000
    (tmp_path / "index.html").write_bytes(pages["index.html"])
    browser.open(tmp_path / "index.html")
    assert browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") < 3000
    start = time.monotonic()
    search(browser, words="drone 9950")
    assert time.monotonic() - start < 2
    assert browser.evaluate(COUNT) == "1 of 10,000 responses match."
