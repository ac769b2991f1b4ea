"""A request written to harm whoever opens its disclosure: from request.json to pages, tables, feed, bag and keys."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

import pytest

from flows.announce import reference_in
from infra import desk
from tasks.casework import _letter
from tasks.disclosure.publish import publish, withdraw
from tasks.disclosure.schedule import CSV_HEADER
from tasks.errors import InvalidRequestError, UnknownRequestError, UnsafeKeyError
from tasks.intake import check_key, understand
from tasks.model import Dossier
from tasks.request import REFERENCE, Request, parse_request
from tasks.store import ObjectInfo, S3Store
from tests.disclosure import examples
from tests.disclosure.shelf import Shelf

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=y>"
TITLES = {
    "markup": MARKUP,
    "formula": '=HYPERLINK("https://evil.example.org","x")',
    "sum": "@SUM(1+1)*cmd|' /C calc'!A0",
    "plus": "+1+1",
    "template": "{{7*7}}{% include 'style.css' %}",
    "link": "javascript:alert(1)",
    "traversal": "../../../etc/passwd",
    "backslashes": "..\\..\\windows",
    "right to left": "memo \u202efdp.exe",
    "NUL": "a\x00b",
    "bells": "a\x07\x1b[2Jb\x85c",
    "lines": "first\r\nExternal-Identifier: other\r\n=1+1",
    "comment": "--> ]]> */ </style></title><b>",
    "long": "x" * 300,
    "half a character": "a\ud800b",
    "only strange": "\u202e\u200b\u2066",
}
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def hostile_request(title: str) -> dict[str, Any]:
    """The hostile text in every field that takes any."""
    return {
        "reference": examples.REFERENCE,
        "title": title,
        "received": "2026-03-02",
        "request_text": title,
        "requester": ["Ms Requester"],
        "clarification": [{"from": "requester", "date": "2026-03-03", "text": title}],
        "decision": {
            "exemptions": [{"section": "s.31(1)(a)", "reason": title, "harm": title, "public_interest_for": [title]}]
        },
        "records": [{"file": "records/a.png", "title": title}],
    }


def parsed(title: str) -> Request | None:
    """The request as the pipeline takes it in, or None where it is refused."""
    try:
        return parse_request(json.dumps(hostile_request(title)).encode(), examples.REFERENCE)
    except InvalidRequestError as error:
        assert title not in str(error)
        return None


def dossier_of(request: Request) -> tuple[Dossier, dict[str, bytes]]:
    """One record under the title the request gives it, as casework puts it together."""
    objects = {"records/a.png": ObjectInfo(f"{request.reference}/records/a.png", 1, "e", "")}
    (candidate,) = understand(request.reference, objects, request, examples.POLICY, request.requester_terms).candidates
    record, pdf = examples.record(1, candidate.title, examples.MARKS[:1], pages=1)
    dossier = examples.dossier(
        title=request.title,
        letter=_letter(request, examples.POLICY, set()),
        records=(record,),
        withheld=(),
        policy=examples.POLICY.digest,
    )
    return dossier, {record.file_name: pdf}


@cache
def published(name: str) -> dict[str, bytes]:
    """What the public bucket holds afterwards: key -> bytes; {} where the request is refused."""
    request = parsed(TITLES[name])
    if request is None:
        return {}
    dossier, files = dossier_of(request)
    shelf = Shelf()
    publish(shelf, "public", dossier, examples.approval(dossier), files, examples.POLICY, examples.keys())
    return {key: data for (_, key), data in shelf.objects.items()}


def bodies(name: str, suffix: str) -> dict[str, bytes]:
    return {key: data for key, data in published(name).items() if key.endswith(suffix)}


@pytest.fixture(params=TITLES)
def title(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_nearly_all_of_it_is_taken_in() -> None:
    """Odd text is no reason to refuse a request; the tests below would pass of themselves if it were."""
    assert [name for name in TITLES if not published(name)] == ["half a character"]


class Page(HTMLParser):
    """What a browser would act on."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_pages_hold_no_element_that_we_did_not_write(title: str) -> None:
    harmless = {key: [tag for tag, _ in Page(data).tags] for key, data in bodies("plus", ".html").items()}
    for key, data in bodies(title, ".html").items():
        page = Page(data)
        assert set(tag for tag, _ in page.tags) == set(harmless[key]), key  # noqa: C401
        for tag, attributes in page.tags:
            assert not any(name.startswith("on") or name in {"src", "style", "srcdoc"} for name in attributes), key
            address = attributes.get("href") or ""
            assert not address.lower().startswith(("javascript", "data", "//", "http://")), key
            assert (tag == "script") <= (key == "index.html"), key


def test_templates_and_markup_are_shown_as_they_were_written() -> None:
    for name in ("template", "markup", "comment"):
        (page,) = bodies(name, f"{examples.REFERENCE}/index.html").values()
        assert html.unescape(page.decode()).count(TITLES[name]) >= 3


def test_no_page_turns_the_direction_of_its_text_or_rings(title: str) -> None:
    for suffix in (".html", ".xml", ".csv"):
        for key, data in bodies(title, suffix).items():
            text = data.decode()
            assert suffix == ".csv" or not DIRECTION.search(text), key
            assert not any(unicodedata.category(c) == "Cc" and c not in "\r\n\t" for c in text), key


def test_the_feed_and_the_lists_are_well_formed_and_tell_the_title_as_text(title: str) -> None:
    if not published(title):
        return
    space = {"a": "http://www.w3.org/2005/Atom"}
    feed = ElementTree.fromstring(published(title)["feed.xml"])  # noqa: S314 - our own
    assert len(feed.findall("a:entry", space)) == 1
    assert len(list(feed.find("a:entry/a:title", space) or ())) == 0
    log = json.loads(published(title)["disclosures.json"])
    assert len(log["disclosures"]) == 1
    for data in bodies(title, ".json").values():
        json.loads(data)


def test_no_cell_of_the_table_runs(title: str) -> None:
    for data in bodies(title, ".csv").values():
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
        assert [len(row) for row in rows] == [len(CSV_HEADER)] * 2
        for cell in rows[1]:
            assert not cell.lstrip(" '\"").startswith(("=", "+", "-", "@")) or cell.startswith("'")
            assert "\n" not in cell and "\r" not in cell and "\t" not in cell[:1]


def test_no_key_and_no_name_in_the_zip_leaves_its_folder(title: str) -> None:
    safe = re.compile(r"[A-Za-z0-9._/-]+")
    keys = list(published(title))
    for data in bodies(title, ".zip").values():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            keys += archive.namelist()
            assert all(entry.external_attr >> 16 & 0o170000 in (0, 0o100000) for entry in archive.infolist())
    for key in keys:
        check_key(key)
        assert safe.fullmatch(key), ascii(key)
        assert len(PurePosixPath(key).name) < 100


def test_tag_files_gain_no_lines(title: str) -> None:
    labels = [
        line.partition(":")[0]
        for data in bodies(title, "bag-info.txt").values()
        for line in data.decode().splitlines()
        if line[:1] != " "
    ]
    assert len(labels) == len(set(labels))
    for data in bodies(title, "manifest-sha256.txt").values():
        assert all(re.fullmatch(r"[0-9a-f]{64}  [A-Za-z0-9._/-]+", line) for line in data.decode().splitlines())


@pytest.mark.parametrize("reason", [MARKUP, "=1+1", "\u202egnorw", "a\x00b"])
def test_the_reason_of_a_withdrawal_is_text_too(reason: str) -> None:
    dossier, files = dossier_of(parsed("Plain") or pytest.fail("refused"))
    shelf = Shelf()
    publish(shelf, "public", dossier, examples.approval(dossier), files, examples.POLICY, examples.keys())
    day, authority = "2026-04-01T00:00:00Z", examples.POLICY.authority
    withdraw(shelf, "public", dossier.reference, reason, day, authority, examples.keys())
    page = shelf.objects["public", f"disclosures/{dossier.reference}/index.html"]
    assert {"script", "img"}.isdisjoint(tag for tag, _ in Page(page).tags)
    assert not DIRECTION.search(page.decode()) and b"\0" not in page
    ElementTree.fromstring(shelf.objects["public", "feed.xml"])  # noqa: S314 - our own


# ------------------------------------------------------------------------------------------------ names

REFERENCES = [
    "../..",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "-a",
    "a-",
    ".a",
    "a\n",
    "a\x00",
    "a b",
    "x" * 65,
    "\u0661",
    "é",
    "a%2fb",
    "*",
]


@pytest.mark.parametrize("reference", REFERENCES, ids=ascii)
def test_a_reference_that_is_no_safe_name_gets_nowhere(reference: str) -> None:
    assert not REFERENCE.fullmatch(reference)
    assert reference_in(f"{reference}/request.json") is None
    body = json.dumps({**hostile_request("x"), "reference": reference}).encode()
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(body, reference)
    assert len(reference) < 3 or reference not in str(caught.value)
    with pytest.raises(UnknownRequestError):
        desk.process(reference)


@pytest.mark.parametrize("key", ["status/../../x", "../x", "a/../b", "a//b", "/a", "a\\..\\b", "a\0b"])
def test_the_store_is_never_asked_for_what_climbs(key: str) -> None:
    nowhere = S3Store("http://127.0.0.1:9", "nobody", "nothing-secret")
    for ask in (lambda: nowhere.get("foi-work", key), lambda: nowhere.put("foi-work", key, b"")):
        with pytest.raises(UnsafeKeyError):
            ask()


@pytest.mark.parametrize(
    "name",
    ["records/../../other/a.png", "records/\u202egnp.a", "records/a\0.png", "records//a.png", "records/" + "x" * 900],
    ids=ascii,
)
def test_a_hostile_file_name_is_refused_and_named_after_nothing(name: str) -> None:
    with pytest.raises(UnsafeKeyError) as caught:
        check_key(f"{examples.REFERENCE}/{name}")
    assert name[8:20] not in str(caught.value)
    request = replace_records(name)
    if request is None:
        return
    objects = {name: ObjectInfo(f"{examples.REFERENCE}/{name}", 1, "e", "")}
    (candidate,) = understand(examples.REFERENCE, objects, request, examples.POLICY, ()).candidates
    assert candidate.title == "Record 1"


def replace_records(name: str) -> Request | None:
    """A request that lists just this file, without a title; None where it is refused."""
    fields = {**hostile_request("Plain"), "records": [{"file": name}]}
    try:
        return parse_request(json.dumps(fields).encode(), examples.REFERENCE)
    except InvalidRequestError:
        return None


def test_a_dossier_whose_file_names_were_changed_is_not_published() -> None:
    dossier, _ = dossier_of(parsed("Plain") or pytest.fail("refused"))
    for name in ("../../index.html", "001-a.pdf\n", "001-<b>.pdf", "/etc/001-a.pdf"):
        changed = replace(dossier, records=(replace(dossier.records[0], file_name=name),))
        with pytest.raises(Exception, match="safe"):
            publish(
                Shelf(),
                "public",
                changed,
                examples.approval(changed),
                dict.fromkeys([name], b""),
                examples.POLICY,
                examples.keys(),
            )
