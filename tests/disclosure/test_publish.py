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
from tasks.disclosure.keys import (
    generate_commitment_key,
    generate_signing_key,
    load_keys,
    load_public_key,
    load_publisher,
)
from tasks.disclosure.provenance import open_envelope
from tasks.disclosure.publish import (
    INDEX,
    EntryDamagedError,
    LogBusyError,
    PublishedMeanwhileError,
    discard_unfinished,
    publish,
    read_log,
    rebuild_log,
    request_entries,
    withdraw,
)
from tasks.disclosure.site import LogEntry
from tasks.disclosure.verify import verify_bundle
from tasks.errors import (
    ConfigurationError,
    NotApprovedError,
    NothingThereError,
    ReasonRefusedError,
    UnknownRequestError,
)
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
    assert read_log(shelf, BUCKET).entries == (entry,)
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
    assert deaths == len([key for key in whole.written if REFERENCE in key]) + len({*LOG, INDEX}) - 1
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
    (current,) = read_log(shelf, BUCKET).entries
    assert current == second
    check_readers_view(keys_of(shelf))


def test_the_statement_of_a_new_version_names_the_bag_it_replaces() -> None:
    shelf = Shelf()
    first = released(shelf)
    released(shelf, corrected(), LATER)
    envelope = shelf.get(BUCKET, f"disclosures/{REFERENCE}/v2/attestations/disclosure.dsse.json")
    said = open_envelope(envelope, [load_public_key(keys().public_pem)]).statement["predicate"]["supersedes"]
    assert said == {"version": 1, "tagmanifest": {"sha256": first.bag}}


def test_the_older_dossier_comes_back_as_the_next_version_and_only_when_it_was_approved_again() -> None:
    shelf = Shelf()
    released(shelf)
    released(shelf, corrected(), LATER)
    before = keys_of(shelf)
    with pytest.raises(NotApprovedError, match="superseded"):
        released(shelf)
    assert keys_of(shelf) == before
    assert released(shelf, at=LATEST).version == 3
    assert read_log(shelf, BUCKET).entries[0].version == 3
    check_readers_view(keys_of(shelf))


def test_two_requests_share_the_log() -> None:
    shelf = Shelf()
    released(shelf)
    released(shelf, another(), LATER)
    assert {entry.reference for entry in read_log(shelf, BUCKET).entries} == {REFERENCE, "B-2"}
    check_readers_view(keys_of(shelf))


def test_a_log_written_meanwhile_by_another_run_is_written_again() -> None:
    shelf = Shelf()
    released(shelf)
    late = replace(read_log(shelf, BUCKET).entries[0], reference="Z-9", title="Came late")
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
    with pytest.raises(EntryDamagedError) as caught:
        released(shelf)
    assert REFERENCE not in str(caught.value)
    assert REFERENCE in caught.value.subject


def test_a_damaged_entry_of_another_request_stops_nobody_and_is_named() -> None:
    shelf = Shelf()
    theirs = released(shelf, another())
    shelf.objects[BUCKET, "entries/B-2/v1.json"] = b"{"
    ours = released(shelf)
    take_back(shelf)
    assert not [key for key in keys_of(shelf) if f"{REFERENCE}/v1" in key]
    assert rebuild_log(shelf, BUCKET, POLICY.authority) == ("entries/B-2/v1.json",)
    assert theirs in read_log(shelf, BUCKET).entries  # as it was before it was damaged
    assert ours.reference in {entry.reference for entry in read_log(shelf, BUCKET).entries}


def test_a_publication_reads_the_entries_that_are_new() -> None:
    shelf = Shelf()
    entry = released(shelf)
    for n in range(40):
        shelf.put(BUCKET, f"entries/X-{n}/v1.json", encode(replace(entry, reference=f"X-{n}")))
    rebuild_log(shelf, BUCKET, POLICY.authority)
    shelf.read.clear()
    released(shelf, another())
    assert sorted({key for key in shelf.read if key.startswith("entries/")}) == ["entries/B-2/v1.json"]
    assert len(read_log(shelf, BUCKET).entries) == 42
    shelf.objects[BUCKET, "entries.json.gz"] = b"rubbish"
    assert len(read_log(shelf, BUCKET).entries) == 42


def test_a_log_that_never_holds_still_says_so() -> None:
    shelf = Shelf()
    entry = released(shelf)

    def meanwhile() -> None:
        n = len(shelf.objects)
        shelf.objects[BUCKET, f"entries/Z-{n}/v1.json"] = encode(replace(entry, reference=f"Z-{n}"))

    shelf.watch = meanwhile
    shelf.delete(BUCKET, "index.html")
    with pytest.raises(LogBusyError):
        rebuild_log(shelf, BUCKET, POLICY.authority)


# ---------------------------------------------------------------------------------------------- two at once


def test_an_approval_that_is_taken_back_meanwhile_leaves_nothing_in_public() -> None:
    shelf = Shelf()

    def confirm() -> None:
        raise NotApprovedError("It was taken back.")

    with pytest.raises(NotApprovedError):
        released(shelf, confirm=confirm)
    assert keys_of(shelf) == {}


def test_a_withdrawal_in_the_middle_of_a_publication_wins() -> None:
    shelf = Shelf()
    released(shelf)

    def withdrawn_by_another() -> None:
        take_back(shelf)

    with pytest.raises(PublishedMeanwhileError):
        released(shelf, corrected(), LATER, confirm=withdrawn_by_another)
    assert read_log(shelf, BUCKET).entries[0].withdrawn
    with pytest.raises(NotApprovedError):
        released(shelf, corrected(), LATER)


def test_of_two_that_publish_at_once_one_publishes_and_the_other_is_the_next_version() -> None:
    shelf = Shelf()
    begun: list[LogEntry] = []

    def another_run() -> None:
        if not begun:
            begun.append(released(shelf, corrected(), LATER))

    with pytest.raises(PublishedMeanwhileError):
        released(shelf, confirm=another_run)
    assert released(shelf, at=LATEST).version == 2
    check_readers_view(keys_of(shelf))


# ---------------------------------------------------------------------------------------------- left behind


def half_of_the_next_version(shelf: Shelf) -> None:
    shelf.writes_left = 7
    with pytest.raises(Died):
        released(shelf, corrected(), LATER)
    shelf.writes_left = None


def test_a_withdrawal_takes_an_unfinished_version_with_it() -> None:
    shelf = Shelf()
    released(shelf)
    half_of_the_next_version(shelf)
    assert [key for key in keys_of(shelf) if "/v2/" in key]
    take_back(shelf)
    assert not [key for key in keys_of(shelf) if re.search(r"/v[0-9]", key.removeprefix("entries/"))]


def test_what_a_first_publication_that_died_left_can_be_removed() -> None:
    shelf = Shelf()
    half_of_the_next_version(shelf)
    assert keys_of(shelf)
    with pytest.raises(NothingThereError, match="never published"):
        take_back(shelf)
    assert keys_of(shelf) == {}
    with pytest.raises(UnknownRequestError):
        take_back(shelf)


def test_discarding_touches_no_version_that_was_published() -> None:
    shelf = Shelf()
    released(shelf)
    before = keys_of(shelf)
    half_of_the_next_version(shelf)
    assert discard_unfinished(shelf, BUCKET, REFERENCE)
    assert keys_of(shelf) == before
    assert not discard_unfinished(shelf, BUCKET, REFERENCE)


def test_a_damaged_list_of_the_version_before_does_not_stop_the_next() -> None:
    shelf = Shelf()
    released(shelf)
    shelf.objects[BUCKET, f"disclosures/{REFERENCE}/v1/data/schedule.json"] = b"[]"
    entry = released(shelf, corrected(), LATER)
    assert "cannot be said" in entry.changes[0]


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
    assert read_log(shelf, BUCKET).entries == (entry,)
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
    assert read_log(shelf, BUCKET).entries == (entry,)
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
    with pytest.raises(ReasonRefusedError):
        take_back(shelf, reason=" \n")
    assert PAGE in keys_of(shelf)


def test_every_withdrawal_keeps_its_own_signed_record() -> None:
    shelf = Shelf()
    released(shelf)
    take_back(shelf)
    first = shelf.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal-v1.dsse.json")
    assert shelf.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal.dsse.json") == first
    again = released(shelf, corrected(), LATEST)
    assert again.withdrawn_up_to == 1
    take_back(shelf, "2026-07-11T09:00:00Z")
    assert shelf.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal-v1.dsse.json") == first
    newest = shelf.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal.dsse.json")
    assert newest == shelf.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal-v2.dsse.json") != first


def test_the_page_names_the_key_that_signed() -> None:
    shelf, secret = Shelf(), generate_commitment_key()
    given = {record.file_name: files()[record.file_name] for record in dossier().records}
    for _ in range(2):  # the second time with another key, as after a rotation
        publish(shelf, BUCKET, dossier(), approval(), given, POLICY, load_keys(generate_signing_key(), secret))
        (signed_by,) = load_publisher(shelf.get(BUCKET, f"disclosures/{REFERENCE}/v1/attestations/signer.pub.pem"))
        assert signed_by.key_id in words_of(shelf.get(BUCKET, PAGE))


def test_the_entry_names_its_bag_and_zip() -> None:
    shelf = Shelf()
    entry = released(shelf)
    folder = f"disclosures/{REFERENCE}/v1"
    bag = {key.removeprefix(f"{folder}/"): data for key, data in keys_of(shelf).items() if key.startswith(f"{folder}/")}
    assert entry.bag == bag_digest(bag)
    assert entry.zip_sha256 == digest(shelf.get(BUCKET, f"{folder}.zip"))
    assert entry.zip_sha256 in words_of(shelf.get(BUCKET, PAGE))
