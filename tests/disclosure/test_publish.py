from __future__ import annotations

import json
import posixpath
import re
import urllib.parse
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tasks.codec import digest, encode
from tasks.disclosure.bundle import bag_digest
from tasks.disclosure.keys import load_public_key
from tasks.disclosure.provenance import open_envelope
from tasks.disclosure.publish import log_entries, publish, rebuild_log, request_entries, withdraw
from tasks.disclosure.site import LogEntry
from tasks.disclosure.verify import verify_bundle
from tasks.errors import ConfigurationError, NotApprovedError, UnknownRequestError
from tasks.model import Dossier
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Died, Shelf
from tests.disclosure.test_notice import Tags, words_of

pytestmark = pytest.mark.slow

BUCKET = "public"
PAGE = f"disclosures/{REFERENCE}/index.html"
LATER, LATEST = "2026-05-11T09:00:00Z", "2026-06-11T09:00:00Z"


def released(
    shelf: Shelf, case: Dossier | None = None, at: str = "2026-03-30T14:05:00Z", **options: object
) -> LogEntry:
    case = case or dossier()
    given = {record.file_name: files()[record.file_name] for record in case.records}
    return publish(shelf, BUCKET, case, approval(case, at), given, POLICY, keys(), **options)  # type: ignore[arg-type]


def corrected() -> Dossier:
    return dossier(records=dossier().records[:2])


def another() -> Dossier:
    letter = {**dossier().letter, "reference": "B-2", "title": "Another"}
    return dossier(reference="B-2", title="Another", letter=letter)


def keys_of(shelf: Shelf) -> dict[str, bytes]:
    return {key: data for (_, key), data in shelf.objects.items()}


def check_readers_view(objects: dict[str, bytes]) -> None:
    """Whatever a reader can reach at this moment is whole: no link of any page leads nowhere, no bag is half there."""
    for key, data in objects.items():
        if key == "index.html" or re.fullmatch(r"disclosures/[^/]+/index\.html", key):
            for name, value in Tags(data).attributes:
                if name == "href" and value and not urllib.parse.urlsplit(value).scheme and not value.startswith("#"):
                    target = posixpath.normpath(posixpath.join(posixpath.dirname(key), value))
                    assert target in objects or target in LOG, (key, value)
    for key in objects:
        found = re.fullmatch(r"entries/([^/]+)/v(\d+)\.json", key)
        if found and not withdrawn_now(objects, found[1]):
            folder = f"disclosures/{found[1]}/v{found[2]}"
            assert f"{folder}.zip" in objects
            bag = {k.removeprefix(f"{folder}/"): data for k, data in objects.items() if k.startswith(f"{folder}/")}
            assert holds(tuple(sorted(bag.items())))

    for logged in json.loads(objects.get("disclosures.json", b'{"disclosures":[]}'))["disclosures"]:
        folder = f"disclosures/{logged['reference']}"
        if logged["outcome"] == "withdrawn":
            assert {f"{folder}/withdrawal.dsse.json", f"{folder}/index.html"} <= objects.keys()
        else:
            assert digest(objects[f"{folder}/v{logged['version']}.zip"]) == logged["zip_sha256"]


@cache
def holds(bag: tuple[tuple[str, bytes], ...]) -> bool:
    return verify_bundle(dict(bag)).ok


LOG = {"index.html", "feed.xml", "disclosures.json"}


def withdrawn_now(objects: dict[str, bytes], reference: str) -> bool:
    return any(key.startswith(f"entries/{reference}/w") for key in objects)


# ---------------------------------------------------------------------------------------------- publish


def test_a_published_disclosure_is_complete_and_verifies(tmp_path: Path) -> None:
    shelf = Shelf()
    entry = released(shelf)
    objects = keys_of(shelf)
    assert (entry.version, entry.outcome, entry.records, entry.pages, entry.withheld) == (1, "part", 3, 4, 4)
    (tmp_path / "v1.zip").write_bytes(objects[f"disclosures/{REFERENCE}/v1.zip"])
    assert verify_bundle(tmp_path / "v1.zip", keys().public_pem).ok
    assert log_entries(shelf, BUCKET) == (entry,)
    assert "Planning meeting" in words_of(objects["index.html"])
    check_readers_view(keys_of(shelf))


def test_every_object_has_its_type() -> None:
    shelf = Shelf()
    released(shelf)
    assert "application/octet-stream" not in shelf.types.values()
    assert shelf.types[PAGE].startswith("text/html")


def test_publishing_again_writes_nothing() -> None:
    shelf = Shelf()
    first = released(shelf)
    shelf.written.clear()
    assert released(shelf) == first
    assert released(shelf, at=LATER) == first
    assert shelf.written == []


def test_order_files_then_zip_then_entry_then_page_then_log() -> None:
    shelf = Shelf()
    released(shelf)
    order = shelf.written
    at = {name: order.index(name) for name in (f"disclosures/{REFERENCE}/v1.zip", f"entries/{REFERENCE}/v1.json", PAGE)}
    assert (
        order.index("index.html")
        > at[PAGE]
        > at[f"entries/{REFERENCE}/v1.json"]
        > at[f"disclosures/{REFERENCE}/v1.zip"]
    )
    assert all(order.index(key) < at[f"disclosures/{REFERENCE}/v1.zip"] for key in order if "/v1/" in key)


def test_killed_after_any_write_it_completes_with_the_same_bytes_and_readers_never_see_a_half() -> None:
    whole = Shelf()
    released(whole, another())
    released(whole, at=LATER)
    shelf = Shelf()
    released(shelf, another())
    shelf.watch = lambda: check_readers_view(keys_of(shelf))
    deaths = 0
    while True:
        shelf.writes_left = 1
        try:
            released(shelf, at=LATER)
            break
        except Died:
            deaths += 1
    assert deaths == len([key for key in whole.written if REFERENCE in key]) + len(LOG) - 1
    assert keys_of(shelf) == keys_of(whole)


def test_a_half_written_version_of_other_content_is_replaced() -> None:
    shelf, clean = Shelf(), Shelf()
    shelf.writes_left = 9
    with pytest.raises(Died):
        released(shelf)
    shelf.writes_left = None
    entry = released(shelf, corrected(), LATER)
    assert entry == released(clean, corrected(), LATER)
    assert entry.version == 1
    assert keys_of(shelf) == keys_of(clean)


def test_a_correction_supersedes_and_both_stay_readable() -> None:
    shelf = Shelf()
    released(shelf)
    before = keys_of(shelf)
    second = released(shelf, corrected(), LATER)
    after = keys_of(shelf)
    assert second.version == 2
    assert second.changes == ("Removed: record 3, “Poster for the spring campaign”.",)
    assert all(after[key] == data for key, data in before.items() if "/v1" in key)
    page = words_of(after[PAGE])
    assert "It replaces version 1" in page
    assert second.changes[0] in page
    assert second.changes[0] in words_of(after[f"disclosures/{REFERENCE}/v2/data/response.html"])
    assert "Version 1, 30 March 2026" in page
    assert b"Supersedes: v1" in after[f"disclosures/{REFERENCE}/v2/bag-info.txt"]
    (current,) = log_entries(shelf, BUCKET)
    assert current == second
    check_readers_view(keys_of(shelf))


def test_the_statement_of_a_new_version_names_the_bag_it_replaces() -> None:
    shelf = Shelf()
    first = released(shelf)
    released(shelf, corrected(), LATER)
    envelope = shelf.get(BUCKET, f"disclosures/{REFERENCE}/v2/attestations/disclosure.dsse.json")
    said = open_envelope(envelope, [load_public_key(keys().public_pem)]).statement["predicate"]["supersedes"]
    assert said == {"version": 1, "tagmanifest": {"sha256": first.bag}}


def test_the_older_dossier_again_does_not_bring_its_page_back() -> None:
    shelf = Shelf()
    first = released(shelf)
    released(shelf, corrected(), LATER)
    page = shelf.get(BUCKET, PAGE)
    assert released(shelf) == first
    assert shelf.get(BUCKET, PAGE) == page


def test_two_requests_share_the_log() -> None:
    shelf = Shelf()
    released(shelf)
    released(shelf, another(), LATER)
    assert {entry.reference for entry in log_entries(shelf, BUCKET)} == {REFERENCE, "B-2"}
    check_readers_view(keys_of(shelf))


def test_a_log_written_meanwhile_by_another_run_is_written_again() -> None:
    shelf = Shelf()
    released(shelf)
    late = replace(log_entries(shelf, BUCKET)[0], reference="Z-9", title="Came late")
    shelf.delete(BUCKET, "index.html")

    def meanwhile() -> None:
        shelf.objects.setdefault((BUCKET, "entries/Z-9/v1.json"), encode(late))

    shelf.watch = meanwhile
    rebuild_log(shelf, BUCKET, POLICY.authority)
    assert "Came late" in words_of(shelf.get(BUCKET, "index.html"))
    assert b"Came late" in shelf.get(BUCKET, "feed.xml")


def test_an_inspection_that_objects_stops_before_the_first_write() -> None:
    shelf = Shelf()
    seen: set[str] = set()

    def object_to(parts: dict[str, bytes]) -> None:
        seen.update(parts)
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        released(shelf, inspect=object_to)
    assert shelf.written == []
    assert {"data/response.html", "entry.json"} <= seen


def test_the_public_page_is_inspected_too() -> None:
    shelf = Shelf()
    seen: list[str] = []
    released(shelf, inspect=seen.extend)
    assert "index.html" in seen


def test_an_unapproved_dossier_or_a_missing_key_writes_nothing() -> None:
    shelf = Shelf()
    with pytest.raises(NotApprovedError):
        publish(shelf, BUCKET, corrected(), approval(), files(), POLICY, keys())
    with pytest.raises(ConfigurationError, match="key"):
        publish(shelf, BUCKET, dossier(), approval(), files(), POLICY, None)
    assert shelf.written == []


def test_a_damaged_entry_stops_with_its_name_kept_out_of_the_message() -> None:
    shelf = Shelf()
    shelf.put(BUCKET, f"entries/{REFERENCE}/v1.json", b"{")
    with pytest.raises(ConfigurationError) as caught:
        released(shelf)
    assert REFERENCE not in str(caught.value)
    assert REFERENCE in caught.value.subject


# ---------------------------------------------------------------------------------------------- withdraw


def take_back(shelf: Shelf, at: str = LATER, reason: str = "A record named a <witness>.") -> LogEntry:
    return withdraw(shelf, BUCKET, REFERENCE, reason, at, POLICY.authority, keys())


def test_a_withdrawal_removes_everything_and_leaves_a_signed_notice() -> None:
    shelf = Shelf()
    released(shelf)
    last = released(shelf, corrected(), LATER)
    entry = take_back(shelf, LATEST)
    objects = keys_of(shelf)
    assert not [key for key in objects if re.match(rf"disclosures/{re.escape(REFERENCE)}/v\d", key)]
    assert not [key for key in objects if re.match(rf"entries/{re.escape(REFERENCE)}/v", key)]
    page = words_of(objects[PAGE])
    assert "withdrawn on 11 June 2026" in page
    assert "A record named a <witness>." in page
    assert "minutes" not in page
    assert "Withdrawn" in words_of(objects["index.html"])
    assert b"Please send me the minutes" not in b"".join(objects.values())
    opened = open_envelope(
        objects[f"disclosures/{REFERENCE}/withdrawal.dsse.json"], [load_public_key(keys().public_pem)]
    )
    assert opened.signed_by == (keys().key_id,)
    assert opened.statement["predicate"]["versions"] == [1, 2]
    assert opened.statement["subject"][1]["digest"]["sha256"] == last.bag
    assert log_entries(shelf, BUCKET) == (entry,)
    check_readers_view(keys_of(shelf))


def test_the_files_go_only_when_nothing_leads_to_them_any_more() -> None:
    shelf = Shelf()
    released(shelf)
    shelf.written.clear()
    take_back(shelf)
    order = shelf.written
    first_gone = next(at for at, key in enumerate(order) if "/v1" in key)
    led = (f"disclosures/{REFERENCE}/withdrawal.dsse.json", PAGE, *LOG)
    assert max(order.index(key) for key in led) < first_gone
    assert order[0] == f"entries/{REFERENCE}/w1.json"


def test_the_feed_and_the_json_tell_of_a_withdrawal() -> None:
    shelf = Shelf()
    released(shelf)
    take_back(shelf)
    feed = shelf.get(BUCKET, "feed.xml").decode()
    assert 'term="withdrawn"' in feed
    assert "A record named a &lt;witness&gt;." in feed
    (entry,) = json.loads(shelf.get(BUCKET, "disclosures.json"))["disclosures"]
    assert (entry["outcome"], entry["version"], entry["records"]) == ("withdrawn", 1, 0)


def test_withdrawing_again_changes_nothing() -> None:
    shelf = Shelf()
    released(shelf)
    first = take_back(shelf)
    shelf.written.clear()
    assert take_back(shelf, LATEST, "Another reason") == first
    assert shelf.written == []


def test_a_withdrawal_killed_after_any_step_completes() -> None:
    whole, shelf = Shelf(), Shelf()
    released(whole)
    released(shelf)
    take_back(whole)
    shelf.watch = lambda: check_readers_view(keys_of(shelf))
    while True:
        shelf.writes_left = 1
        try:
            take_back(shelf)
            break
        except Died:
            pass
    assert keys_of(shelf) == keys_of(whole)


def test_what_was_withdrawn_does_not_come_back_by_its_old_approval() -> None:
    shelf = Shelf()
    released(shelf)
    take_back(shelf)
    before = keys_of(shelf)
    with pytest.raises(NotApprovedError):
        released(shelf)
    assert keys_of(shelf) == before


@pytest.mark.parametrize("dies_after", [1, 2, 3, 6, 9])
def test_a_corrected_disclosure_after_half_a_withdrawal_is_a_new_version(dies_after: int) -> None:
    shelf = Shelf()
    released(shelf)
    shelf.writes_left = dies_after
    with pytest.raises(Died):
        take_back(shelf)
    shelf.writes_left = None
    entry = released(shelf, corrected(), LATEST)
    objects = keys_of(shelf)
    assert entry.version == 2
    assert not [key for key in objects if "/v1" in key]
    assert "Version 1" not in words_of(objects[PAGE])
    assert log_entries(shelf, BUCKET) == (entry,)
    assert [known.withdrawn for known in request_entries(shelf, BUCKET, REFERENCE)] == [True, False]
    assert f"disclosures/{REFERENCE}/withdrawal.dsse.json" in objects
    check_readers_view(keys_of(shelf))


def test_version_10_is_not_taken_for_version_1() -> None:
    shelf = Shelf()
    entry = released(shelf)
    for version in range(2, 11):
        shelf.objects[BUCKET, f"entries/{REFERENCE}/v{version}.json"] = encode(
            replace(entry, version=version, digest=str(version))
        )
        schedule = shelf.get(BUCKET, f"disclosures/{REFERENCE}/v1/data/schedule.json")
        shelf.objects[BUCKET, f"disclosures/{REFERENCE}/v{version}/data/schedule.json"] = schedule
    assert released(shelf, corrected(), LATER).version == 11
    assert f"disclosures/{REFERENCE}/v1/bagit.txt" in keys_of(shelf)


def test_withdrawing_the_unknown_or_without_a_reason_is_refused() -> None:
    shelf = Shelf()
    with pytest.raises(UnknownRequestError):
        take_back(shelf)
    released(shelf)
    with pytest.raises(ConfigurationError, match="reason"):
        take_back(shelf, reason=" \n")
    assert PAGE in keys_of(shelf)


def test_the_entry_names_its_bag_and_zip() -> None:
    shelf = Shelf()
    entry = released(shelf)
    folder = f"disclosures/{REFERENCE}/v1"
    bag = {key.removeprefix(f"{folder}/"): data for key, data in keys_of(shelf).items() if key.startswith(f"{folder}/")}
    assert entry.bag == bag_digest(bag)
    assert entry.zip_sha256 == digest(shelf.get(BUCKET, f"{folder}.zip"))
    assert entry.zip_sha256 in words_of(shelf.get(BUCKET, PAGE))
