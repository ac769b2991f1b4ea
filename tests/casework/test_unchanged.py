"""What a request costs of which nothing changed, as a real store hears it: listings and small documents, no record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest

from tasks.arrival import take_in
from tasks.caseload import caseload, caseload_of
from tasks.model import State
from tasks.status import set_status
from tasks.store import S3Store
from tasks.survey import MEMORY, Survey
from tasks.workplace import Workplace
from tests.authority import NAMED
from tests.casework.conftest import BUCKETS, Watched
from tests.casework.test_casework import put, to_dossier, to_gate, upload
from tests.conftest import StoreServer
from tests.flows.faulty_proxy import FaultyProxy

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
def line(juicefs_store: StoreServer) -> Iterator[FaultyProxy]:
    """A line to the store on which every question is noted; it has no fault."""
    started = FaultyProxy(seed=1)
    started.upstream = int(juicefs_store.endpoint.rpartition(":")[2])
    yield started
    started.close()


@pytest.fixture
def heard(place: Workplace, line: FaultyProxy, juicefs_store: StoreServer) -> Workplace:
    """The workplace, over that line."""
    store = S3Store(line.url, juicefs_store.access_key, juicefs_store.secret_key)
    return Workplace(store, BUCKETS, NAMED, place.reading, place.readers, place.keys, allow_unreviewed=True)


def held(place: Workplace) -> str:
    """A request that was processed to its end."""
    reference = upload(place, review="required")
    listing = take_in(place, reference).listing
    dossier, _ = to_dossier(place, reference)
    set_status(place, reference, State.HELD, listing=listing, dossier=dossier)
    return reference


def kinds(line: FaultyProxy, references: Sequence[str]) -> list[str]:
    """How the sweep asked: listings, and its own memory or these requests; the line forgets it.

    Other tests leave requests in the same buckets, some that nobody can read: those are read again each time.
    """
    asked = [
        "LIST" if "list-type=2" in target else method
        for method, target in line.asked
        if any(part in target for part in ("list-type=2", MEMORY, *references))
    ]
    line.asked.clear()
    return asked


def fetched(line: FaultyProxy) -> list[str]:
    """Keys of the objects of the intake bucket that were read."""
    start = f"/{BUCKETS.intake}/"
    return [target.removeprefix(start) for method, target in line.asked if method == "GET" and target.startswith(start)]


def test_a_run_on_an_unchanged_request_lists_it_and_reads_its_status_only(heard: Workplace, line: FaultyProxy) -> None:
    reference = held(heard)
    put(heard, reference, "request.json", heard.store.get(BUCKETS.intake, f"{reference}/request.json"))
    line.asked.clear()
    assert take_in(heard, reference).unchanged
    assert [method for method, _ in line.asked] == ["GET", "GET"]
    (_, listing), (_, status) = line.asked
    assert listing.startswith(f"/{BUCKETS.intake}?list-type=2")
    assert status == f"/{BUCKETS.work}/status/{reference}.json"


def test_a_request_processed_anew_fetches_no_record_that_is_as_it_was(
    heard: Workplace, line: FaultyProxy, watched: Watched
) -> None:
    reference = held(heard)
    request = json.loads(heard.store.get(BUCKETS.intake, f"{reference}/request.json"))
    put(heard, reference, "request.json", json.dumps({**request, "title": "Another title"}).encode())
    line.asked.clear()
    watched.jobs_done.clear()
    to_gate(heard, reference)
    assert fetched(line) == [f"{reference}/request.json"]
    assert watched.jobs_done == []
    put(heard, reference, "records/more.png", heard.store.get(BUCKETS.intake, f"{reference}/records/memo.png"))
    line.asked.clear()
    take_in(heard, reference)
    assert sorted(fetched(line)) == [f"{reference}/records/more.png", f"{reference}/request.json"]


def test_the_sweep_reads_nothing_of_requests_that_are_as_they_were(heard: Workplace, line: FaultyProxy) -> None:
    references = sorted(held(heard) for _ in range(3))
    first = Survey(heard)
    looks = {look.reference: look for look in first.look()}
    assert [looks[reference].state for reference in references] == ["held"] * 3
    assert not any(looks[reference].listing for reference in references)
    first.remember()
    kinds(line, references)
    again = Survey(heard)
    assert {look.reference: look for look in again.look()} == looks
    again.remember()
    assert kinds(line, references) == ["GET", "LIST", "LIST", "LIST"]
    put(heard, references[1], "records/late.png", b"late")
    set_status(heard, references[2], State.FAILED, reason="of a fault")
    kinds(line, references)
    changed = Survey(heard)
    found = {look.reference: look for look in changed.look()}
    assert not any(key.startswith(tuple(references)) for key in fetched(line))
    assert kinds(line, references) == ["GET", "LIST", "LIST", "LIST", "GET"]
    assert [reference for reference in references if found[reference].listing] == references[1:]
    assert (found[references[2]].state, found[references[2]].reason) == ("failed", "of a fault")
    # Nothing is as it was when nobody knows how it was.
    heard.store.put(BUCKETS.work, MEMORY, b"no memory")
    assert {look.reference: look for look in Survey(heard).look()} == found


def test_the_table_of_all_requests_says_the_same_when_it_is_made_of_the_sweeps_looks(
    heard: Workplace, line: FaultyProxy
) -> None:
    asked = [{"from": "authority", "date": "2026-03-04", "text": "Which memo?"}]
    answered = [*asked, {"from": "requester", "date": "2026-03-20", "text": "The one on the display."}]
    new, late, waiting, published, gone, damaged, withdrawn = (
        upload(heard, clarification=letters) for letters in ([], [], asked, answered, [], [], asked)
    )
    for reference in (late, waiting, published, gone, damaged, withdrawn):
        take_in(heard, reference)
    set_status(heard, late, State.HELD, reason="review is required", dossier="0" * 64)
    set_status(heard, published, State.PUBLISHED, version=2)
    set_status(heard, withdrawn, State.WITHDRAWN, version=1, withdrawn=True)
    heard.store.put(BUCKETS.work, f"status/{damaged}.json", b'{"state": "nonsense"}')
    for info in heard.store.list(BUCKETS.intake, f"{gone}/"):
        heard.store.delete(BUCKETS.intake, info.key)
    put(heard, "not a reference", "request.json", b"{}")
    mine = {new, late, waiting, published, gone, damaged, withdrawn, "not a reference"}
    today = date(2026, 4, 10)

    def assert_same(survey: Survey, look: Callable[[], object]) -> None:
        look()
        survey.cases()  # reads what only a status tells of
        line.asked.clear()
        made = caseload_of(survey, today)
        assert not any(reference in target for _, target in line.asked for reference in mine - {damaged})
        whole = [replace(row, dossier="", records=()) for row in caseload(heard, today=today)]
        assert made == whole
        assert {row.reference for row in made} >= mine

    first = Survey(heard)
    assert_same(first, first.look)
    assert {row.clock for row in caseload_of(first, today) if row.reference in mine} == {
        "running",
        "stopped",
        "answered",
        "",
    }
    first.remember()
    line.asked.clear()
    again = Survey(heard)
    again.look()
    again.cases()
    read = [target for _, target in line.asked if "list-type=2" not in target]
    # What nobody can read is read again each time.
    assert not any(reference in target for target in read for reference in mine - {damaged})
    set_status(heard, late, State.PUBLISHED, version=1)
    put(
        heard,
        waiting,
        "request.json",
        heard.store.get(BUCKETS.intake, f"{new}/request.json").replace(new.encode(), waiting.encode()),
    )
    sweep = Survey(heard)
    assert_same(sweep, sweep.look)
    take_in(heard, waiting)  # the run that the change leads to, at whose end a glance is enough
    glance = Survey(heard)
    assert_same(glance, glance.glance)
    glance.remember()
    line.asked.clear()
    Survey(heard).glance()
    assert not any(reference in target for _, target in line.asked for reference in mine - {damaged, new})
