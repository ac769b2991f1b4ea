"""The embedded servers: open to this machine only, or asking for a credential; each process with its own accounts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.deploy import open_api
from infra.embedded import POOL, Stack, check_exposure
from infra.gateway import load_account
from tasks.errors import ConfigurationError
from tasks.model import Role
from tests.infra.test_embedded import listening_addresses
from tests.waiting import eventually

CREDENTIAL = "operator:correct-horse-battery"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - asked for and refused


@pytest.mark.parametrize("host", ["192.0.2.7", "10.0.0.1", EVERYWHERE])
def test_open_to_others_without_a_credential_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PREFECT_SERVER_API_AUTH_STRING"):
        Stack(tmp_path / "state", host=host)
    assert not (tmp_path / "state").exists()
    check_exposure(host, CREDENTIAL)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_this_machine_alone_needs_no_credential(host: str) -> None:
    check_exposure(host, "")
    check_exposure(host, CREDENTIAL)


@pytest.mark.parametrize("credential", ["password", "operator:", ":password"])
def test_half_a_credential_is_refused_and_not_repeated(credential: str) -> None:
    with pytest.raises(ConfigurationError, match="user:password") as caught:
        check_exposure(EVERYWHERE, credential)
    assert f" {credential}" not in str(caught.value)


@pytest.mark.parametrize("host", ["", "localhost", "::1", "prefect.example.org", "127.0.0.1:4200"])
def test_what_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="FOI_PREFECT_HOST"):
        check_exposure(host, CREDENTIAL)


def test_foi_up_refuses_too_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_PREFECT_HOST", EVERYWHERE)
    monkeypatch.delenv("PREFECT_SERVER_API_AUTH_STRING", raising=False)
    done = CliRunner().invoke(app, ["up", "--state", str(tmp_path / "state")])
    assert isinstance(done.exception, ConfigurationError)
    assert not (tmp_path / "state").exists()


# ------------------------------------------------------------------------------------------------ asking


@pytest.fixture(scope="module")
def guarded_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose Prefect server listens elsewhere than usual and asks for a credential."""
    with Stack(tmp_path_factory.mktemp("exposed"), host="127.0.0.2", api_credential=CREDENTIAL) as running:
        yield running


@pytest.mark.flow
def test_the_server_asks_everybody_and_its_own_programs_know_the_answer(guarded_stack: Stack) -> None:
    url = guarded_stack.environment["PREFECT_API_URL"]
    assert url.startswith("http://127.0.0.2:")
    path = f"/work_pools/{POOL}/workers/filter"
    user, _, password = CREDENTIAL.partition(":")
    assert httpx.post(f"{url}{path}", json={}).status_code == 401
    assert httpx.post(f"{url}{path}", json={}, auth=(user, "wrong")).status_code == 401
    workers = httpx.post(f"{url}{path}", json={}, auth=(user, password)).json()
    assert [worker["status"] for worker in workers] == ["ONLINE"]


@pytest.mark.flow
def test_events_and_commands_pass_with_the_credential(guarded_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in guarded_stack.environment.items():
        monkeypatch.setenv(name, value)
    guarded_stack.store.put("foi-intake", "AUTH-1/request.json", b"not a request")

    def told() -> bool:
        query = {"filter": {"event": {"name": ["foi.request.submitted"]}}}
        with open_api(os.environ) as prefect:
            return "AUTH-1" in str(prefect.ask("POST", "/events/filter", query))

    assert eventually(told)


@pytest.mark.flow
def test_only_prefect_listens_where_it_was_told_to(guarded_stack: Stack) -> None:
    pids = guarded_stack.pids
    assert listening_addresses({pids["prefect"]}) == {"0200007F"}
    assert listening_addresses({pids["store"]}) == {"0100007F"}
    assert listening_addresses({pids["worker"], pids["watcher"]}) <= {"0100007F"}


@pytest.mark.flow
def test_the_credential_stands_in_no_log_and_in_no_file_but_its_owners(guarded_stack: Stack) -> None:
    password = CREDENTIAL.partition(":")[2].encode()
    holding = {
        path.relative_to(guarded_stack.state): path.stat().st_mode & 0o077
        for path in guarded_stack.state.rglob("*")
        if path.is_file() and password in path.read_bytes()
    }
    assert holding == {Path("run/environment.json"): 0}


@pytest.mark.flow
def test_each_process_holds_the_accounts_of_its_roles_and_none_but_the_store_the_administrators(
    guarded_stack: Stack,
) -> None:
    folder = guarded_stack.state / "store"
    secrets = {role: load_account(folder / f"credentials-{role}.json").secret_key for role in Role}
    admin = load_account(folder / "credentials.json").secret_key
    held = {
        name: {role for role, secret in secrets.items() if secret.encode() in _environment(pid)}
        for name, pid in guarded_stack.pids.items()
    }
    assert held == {"store": set(), "prefect": set(), "worker": {Role.WORK, Role.PUBLISH}, "watcher": {Role.INTAKE}}
    assert {name for name, pid in guarded_stack.pids.items() if admin.encode() in _environment(pid)} == {"store"}
    assert admin not in json.dumps(guarded_stack.environment)


def _environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.flow
def test_credentials_of_a_parent_reach_no_process(guarded_stack: Stack) -> None:
    assert not any(name in os.environ for name in guarded_stack.environment if name.endswith("_SECRET_KEY"))
    shown = json.loads((guarded_stack.state / "run" / "environment.json").read_text())
    assert shown == guarded_stack.environment
