"""`foi prune`: what is old and can be made again goes; what was approved, and what is still needed, stays."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from flows.settings import Settings
from infra.prune import open_as_administrator, prune
from tasks.codec import encode, pack
from tasks.errors import ConfigurationError
from tasks.model import Case, RequestStatus, StageKeys, State
from tests.conftest import StoreServer

PREFIX = "prune-"


def status_of(reference: str, state: State) -> RequestStatus:
    return RequestStatus(reference, state, "", "listing", f"d-{reference}", 1, "2026-01-01T00:00:00Z", (), False)


@pytest.mark.servers
def test_old_results_go_but_for_those_that_a_request_still_stands_on(juicefs_store: StoreServer) -> None:
    store, work = juicefs_store.store, f"{PREFIX}work"
    store.ensure_bucket(work)
    stays = set()
    for reference, state in (("HELD-1", State.HELD), ("DONE-1", State.PUBLISHED), ("GONE-1", State.WITHDRAWN)):
        keys = StageKeys(1, *(f"{stage}/{reference}/x" for stage in ("transcripts", "plans", "redacted", "reports")))
        for key in (
            keys.transcript,
            keys.plan,
            keys.pdf,
            keys.report,
            f"found/{reference}/x",
            f"seen/{reference}.json",
        ):
            store.put(work, key, b"x" * 100)
        if state is State.HELD:
            stays |= {keys.transcript, keys.plan, keys.pdf, keys.report}
        kept = {
            f"status/{reference}.json": encode(status_of(reference, state)),
            f"cases/{reference}/d-{reference}.json.gz": pack(Case(reference, "listing", "manifest", (keys,))),
            f"dossiers/{reference}/d-{reference}.json.gz": b"x",
            f"approvals/{reference}/d-{reference}.json": b"x",
            f"requests/{reference}/x.json": b"x",
            f"manifests/{reference}/x.json.gz": b"x",
        }
        for key, data in kept.items():
            store.put(work, key, data)
        stays |= set(kept)
    settings = Settings(
        store_endpoint=juicefs_store.endpoint,
        store_access_key=juicefs_store.access_key,
        store_secret_key=juicefs_store.secret_key,
        bucket_prefix=PREFIX,
    )
    admin = open_as_administrator(settings)
    assert prune(admin, settings, timedelta(days=1)) == (0, 0)
    time.sleep(1.1)
    assert prune(admin, settings, timedelta(0)) == (14, 1400)
    assert {info.key for info in store.list(work)} == stays
    assert prune(admin, settings, timedelta(0)) == (0, 0)


def test_it_takes_the_administrators_account() -> None:
    with pytest.raises(ConfigurationError, match="FOI_STORE_ACCESS_KEY"):
        open_as_administrator(Settings(store_work_access_key="foi-work", store_work_secret_key="some-secret"))
