"""A long record read in parts, each a step: the source is fetched once, and what is there is not read again."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import steps
from tasks.arrival import take_in
from tasks.workplace import Workplace
from tests.casework.conftest import BUCKETS, Watched
from tests.casework.test_casework import put
from tests.flows.test_flow_events import request_json
from tests.pictures import encoded, typed

PAGES = 4


def test_parts_are_read_from_one_fetch_and_put_together(
    place: Workplace, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [typed(f"Page {n} of four.", height=120) for n in range(PAGES)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], dpi=(150, 150))
    put(place, "PARTS-1", "records/four.tif", data)
    put(place, "PARTS-1", "request.json", request_json("PARTS-1"))
    manifest = take_in(place, "PARTS-1").manifest
    fetched: list[str] = []
    get = place.store.get

    def counted(bucket: str, key: str, *more: Any) -> bytes:
        fetched.extend([key] if bucket == BUCKETS.intake else [])
        return get(bucket, key, *more)

    monkeypatch.setattr(place.store, "get", counted)
    watched.jobs_done.clear()
    parts = [steps.read_pages.fn(place, manifest, 1, first, first + 1).key for first in (1, 3)]
    assert fetched == ["PARTS-1/records/four.tif"]
    assert steps.read_pages.fn(place, manifest, 1, 1, 2).key == parts[0]
    whole = steps.read_record.fn(place, manifest, 1, parts).key
    assert watched.jobs_done == ["read", "read"]
    joined = place.load_bytes(whole)
    place.store.delete(BUCKETS.work, whole)
    assert steps.read_record.fn(place, manifest, 1).key == whole
    assert watched.jobs_done == ["read", "read", "read"]
    assert place.load_bytes(whole) == joined
