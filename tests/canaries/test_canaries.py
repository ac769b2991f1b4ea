"""Canaries in everything an upstream system can write, and a search of everything the pipeline writes.

What is restricted by contract is not searched: the intake, work and quarantine buckets.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.gateway import load_account
from tasks.model import Role, State
from tests.canaries.birds import (
    BAD_RECORDS,
    BROKEN,
    LOST,
    NAMED_AFTER_A_PERSON,
    RECORDS,
    SINGS,
    TEXT,
    UNLISTED,
    WITHHELD,
    invalid_request,
    request,
    whole_request,
)
from tests.canaries.conftest import Aviary
from tests.canaries.search import heard
from tests.waiting import until

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.timeout(900)]

EVERYTHING = {**WITHHELD, **TEXT}
PROJECT = Path(__file__).resolve().parents[2]


def foi(aviary: Aviary, *arguments: str) -> int:
    """Run a command the way upstream, an officer or an operator does, and keep what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments, "--state", str(aviary.stack.state)],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))},
        capture_output=True,
        check=False,
        timeout=120,
    )
    aviary.said += [done.stdout, done.stderr]
    return done.returncode


def status_of(aviary: Aviary, reference: str) -> dict[str, Any] | None:
    if aviary.store.head("foi-work", f"status/{reference}.json") is None:
        return None
    found: dict[str, Any] = json.loads(aviary.store.get("foi-work", f"status/{reference}.json"))
    return found


def settled(aviary: Aviary, reference: str, *states: State) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        status = status_of(aviary, reference)
        return status if status and status["state"] in states else None

    return until(look)


@pytest.fixture(scope="module")
def sung(aviary: Aviary, tmp_path_factory: pytest.TempPathFactory) -> Aviary:
    """Everything uploaded, everything settled, everything tried that ends in an error."""
    store = aviary.store
    folder = tmp_path_factory.mktemp("case")
    for name, data in {**RECORDS, **BAD_RECORDS, **UNLISTED, "request.json": whole_request()}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    assert foi(aviary, "submit", str(folder)) == 0
    for key in (f"{BROKEN}/request.json", f"{NAMED_AFTER_A_PERSON}/request.json"):
        store.put("foi-intake", key, invalid_request())
    assert settled(aviary, SINGS, State.PUBLISHED, State.HELD, State.BLOCKED, State.FAILED)["state"] == State.PUBLISHED
    settled(aviary, BROKEN, State.QUARANTINED, State.FAILED)

    # An invalid letter on the command line; a status document that a decoder would quote; a run for what is not there.
    (folder / "request.json").write_bytes(invalid_request())
    assert foi(aviary, "submit", str(folder)) != 0
    damaged = {**(status_of(aviary, BROKEN) or {}), "reference": LOST, "state": WITHHELD["damaged status"]}
    store.put("foi-work", f"status/{LOST}.json", json.dumps(damaged).encode())
    store.put("foi-intake", f"{LOST}/request.json", request(LOST))
    damaged_run = aviary.run("release/by-officer", reference=LOST, dossier="0" * 12, reviewer="A. Officer")
    assert damaged_run["state_type"] == "FAILED"
    assert foi(aviary, "status") == 0
    assert LOST.encode() in aviary.said[-2]  # damaged, or written anew by the run that its event started
    assert SINGS.encode() in aviary.said[-2]
    del aviary.said[-2]  # it names folders that are no references, for somebody on the restricted side to rename
    store.delete("foi-work", f"status/{LOST}.json")
    aviary.run("sweep/nightly")
    aviary.run("process-request/on-request", reference=SINGS)
    aviary.run("process-request/on-request", reference="CANARY-NOBODY-KNOWS")
    return aviary


def test_the_request_was_published_with_everything_in_it(sung: Aviary) -> None:
    """Silence counts only if the birds were really there."""
    outcomes = {record["name"]: record["outcome"] for record in (status_of(sung, SINGS) or {})["records"]}
    assert {name for name, outcome in outcomes.items() if outcome == "published"} == set(RECORDS)
    assert {name for name, outcome in outcomes.items() if outcome == "quarantined"} == set(BAD_RECORDS)
    assert {name for name, outcome in outcomes.items() if outcome == "unlisted"} == set(UNLISTED)
    transcripts = {key: data for key, data in objects(sung, "foi-work") if key.startswith("transcripts/")}
    assert heard(transcripts, {"paper": WITHHELD["e-mail in a PDF's pixels"]})


def test_nothing_withheld_is_public(sung: Aviary) -> None:
    public = dict(objects(sung, "foi-disclosure"))
    assert sum(name.endswith(".pdf") and "/v1/" in name for name in public) == len(RECORDS) + 1
    names = {f"key {n}": key.encode() for n, key in enumerate(public)}
    assert heard({**public, **names}, WITHHELD) == []
    assert heard(public, TEXT)  # the search does see what is there


def test_public_objects_carry_no_header_of_ours_but_their_digest(sung: Aviary) -> None:
    endpoint = sung.stack.environment["FOI_STORE_ENDPOINT"]
    for key, data in objects(sung, "foi-disclosure"):
        answer = httpx.head(f"{endpoint}/foi-disclosure/{key}")
        assert answer.status_code == 200
        ours = {name: value for name, value in answer.headers.items() if name.startswith("x-amz-meta")}
        assert ours == {"x-amz-meta-sha256": hashlib.sha256(data).hexdigest()}, key


def test_nothing_of_a_record_or_a_letter_is_in_prefects_database(sung: Aviary) -> None:
    home = sung.stack.state / "prefect"
    tables = dict(tables_of(home / "prefect.db"))
    assert len(tables) > 20
    assert SINGS.encode() in tables["flow_run"]
    assert heard(tables, EVERYTHING) == []
    files = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert heard(files, EVERYTHING) == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/events/filter", {"limit": 50}),
        ("/artifacts/filter", {"limit": 200}),
        ("/logs/filter", {"limit": 200}),
        ("/flow_runs/filter", {"limit": 200}),
        ("/task_runs/filter", {"limit": 200}),
        ("/deployments/filter", {"limit": 200}),
        ("/automations/filter", {"limit": 200}),
        ("/block_documents/filter", {"limit": 200}),
        ("/variables/filter", {"limit": 200}),
    ],
)
def test_prefects_api_tells_nothing(sung: Aviary, path: str, query: dict[str, Any]) -> None:
    pages = list(pages_of(sung.api, path, query))
    if path in {"/events/filter", "/artifacts/filter", "/logs/filter", "/flow_runs/filter"}:
        assert SINGS.lower() in "".join(pages).lower()  # what may be told is there
    assert heard({f"{path} {n}": text.encode() for n, text in enumerate(pages)}, EVERYTHING) == []


def test_nothing_was_printed(sung: Aviary) -> None:
    logs = {path.name: path.read_bytes() for path in (sung.stack.state / "logs").iterdir()}
    assert {"prefect.log", "store.log", "watcher.log", "worker.log"} <= set(logs)
    assert SINGS.encode() in logs["worker.log"]
    printed = {f"command {n}": said for n, said in enumerate(sung.said)}
    assert any(SINGS.encode() in said for said in sung.said)
    assert heard({**logs, **printed}, EVERYTHING) == []


def test_no_temporary_file_is_left_with_anything_in_it(sung: Aviary) -> None:
    left = {str(path): path.read_bytes() for path in sung.temporary.rglob("*") if path.is_file()}
    names = {f"name of {path}": Path(path).name.encode() for path in left}
    assert heard({**left, **names}, EVERYTHING) == []


def test_no_secret_is_where_it_does_not_belong(sung: Aviary) -> None:
    """Accounts of the store and keys of the publisher: not in Prefect, logs, commands or public."""
    state = sung.stack.state
    accounts = [load_account(path) for path in (state / "store").glob("credentials*.json")]
    assert len(accounts) == len(Role) + 1
    secrets = {f"secret {n}": account.secret_key for n, account in enumerate(accounts)}
    secrets["commitment key"] = (state / "keys" / "commitment.key").read_text().strip()
    places = {
        **dict(tables_of(state / "prefect" / "prefect.db")),
        **{path.name: path.read_bytes() for path in (state / "logs").iterdir()},
        **{f"command {n}": said for n, said in enumerate(sung.said)},
        **dict(objects(sung, "foi-disclosure")),
    }
    assert [name for name, data in places.items() for secret in secrets.values() if secret.encode() in data] == []


# ------------------------------------------------------------------------------------------------ where to look


def objects(aviary: Aviary, bucket: str) -> Iterator[tuple[str, bytes]]:
    store = aviary.store
    for info in store.list(bucket):
        yield info.key, store.get(bucket, info.key)


def tables_of(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every table as text, what is still in the write-ahead log included."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        for name in names:
            yield name, repr(connection.execute(f'select * from "{name}"').fetchall()).encode()  # noqa: S608


def pages_of(api: httpx.Client, path: str, query: dict[str, Any]) -> Iterator[str]:
    """Everything the API answers, page by page."""
    if path == "/events/filter":
        answer = api.post(path, json=query).raise_for_status()
        yield answer.text
        while following := answer.json().get("next_page"):
            answer = api.get(following).raise_for_status()
            yield answer.text
        return
    for offset in range(0, 5000, query["limit"]):
        answer = api.post(path, json={**query, "offset": offset}).raise_for_status()
        yield answer.text
        if not answer.json():
            return
