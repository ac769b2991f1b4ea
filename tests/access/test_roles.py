"""Who may do what, as data: least privilege, the documents made of it, and the settings that carry the accounts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from flows.place import open_place
from flows.settings import Settings, open_store
from infra import access
from infra.access import POLICIES_FOLDER, RIGHTS, USED_BY, Right, account_policy, documents, seaweedfs_identities
from tasks.errors import ConfigurationError
from tasks.model import Role
from tasks.store import Account, S3Store
from tests.test_readme import RIGHTS as METHODS
from tests.test_readme import _uses_of_buckets


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("FOI_", "PREFECT_"))]:
        monkeypatch.delenv(name)


def roles_with(right: Right, bucket: str) -> set[Role]:
    return {role for role, buckets in RIGHTS.items() if right in buckets.get(bucket, ())}


def test_only_the_publisher_writes_what_is_public_and_only_upstream_what_comes_in() -> None:
    assert roles_with(Right.WRITE, "disclosure") == {Role.PUBLISH}
    assert roles_with(Right.DELETE, "disclosure") == {Role.PUBLISH}
    assert roles_with(Right.WRITE, "intake") == {Role.UPSTREAM}
    assert roles_with(Right.DELETE, "intake") == set()  # sources are never touched
    assert "intake" not in RIGHTS[Role.PUBLISH]
    assert set(RIGHTS[Role.INTAKE]) == {"intake"}


def test_the_pipelines_roles_have_exactly_the_rights_that_its_code_uses() -> None:
    used = {
        bucket: {right for right, methods in METHODS.items() if methods & names}
        for bucket, names in _uses_of_buckets().items()
    }
    used["quarantine"].add("list")  # foi doctor looks whether it is there
    given: dict[str, set[str]] = {}
    for role in (Role.INTAKE, Role.WORK, Role.PUBLISH):
        for bucket, rights in RIGHTS[role].items():
            given.setdefault(bucket, set()).update(right.value for right in rights if right is not Right.LISTEN)
    assert given == used


def test_every_role_is_said_to_be_used_by_something() -> None:
    assert set(RIGHTS) == set(USED_BY) == set(Role)


def test_the_documents_in_the_repository_are_those_of_the_code() -> None:
    kept = {path.name: path.read_text() for path in POLICIES_FOLDER.iterdir()}
    assert kept == documents(), "python -m infra.access documents"


def test_documents_allow_and_name_no_bucket_but_the_roles_own() -> None:
    for role, buckets in RIGHTS.items():
        statements = account_policy(role, "other-")["Statement"]
        assert {statement["Effect"] for statement in statements} == {"Allow"}
        named = {name.removeprefix("arn:aws:s3:::").partition("/")[0] for s in statements for name in s["Resource"]}
        assert named == {f"other-{bucket}" for bucket in buckets}
        assert not any("*" in action for statement in statements for action in statement["Action"])


def test_documents_are_written_with_the_prefix_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_BUCKET_PREFIX", "north-")
    assert access.main(["documents", str(tmp_path / "made")]) == 0
    public = json.loads((tmp_path / "made" / "public-bucket.json").read_text())
    assert public["Statement"][0]["Resource"] == ["arn:aws:s3:::north-disclosure/*"]
    assert public["Statement"][0]["Action"] == ["s3:GetObject"]


def test_the_file_for_seaweedfs_gives_each_account_its_own_policy_and_nothing_beside() -> None:
    made = json.loads(seaweedfs_identities(Account("admin", "s"), {role: Account(role, "s") for role in Role}))
    by_name = {identity["name"]: identity for identity in made["identities"]}
    assert set(by_name) == {"admin", *Role}
    for role in Role:
        assert by_name[role]["actions"] == []
        assert by_name[role]["policyNames"] == [f"foi-{role}"]
    assert {policy["name"] for policy in made["policies"]} == {f"foi-{role}" for role in Role}


@pytest.mark.parametrize("arguments", [[], ["undo"], ["documents", "a", "b"]])
def test_an_unknown_order_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert access.main(arguments) == 2
    assert "apply" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ settings


def test_without_accounts_of_their_own_all_roles_use_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_STORE_ACCESS_KEY", "one")
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "secret")
    settings = Settings()
    assert {settings.account(role) for role in Role} == {Account("one", "secret")}


def test_a_role_uses_its_own_account_where_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_STORE_ACCESS_KEY", "one")
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "secret")
    monkeypatch.setenv("FOI_STORE_PUBLISH_ACCESS_KEY", "publisher")
    monkeypatch.setenv("FOI_STORE_PUBLISH_SECRET_KEY", "hunter2")
    settings = Settings()
    assert settings.account(Role.PUBLISH) == Account("publisher", "hunter2")
    assert settings.account(Role.WORK) == Account("one", "secret")
    assert "hunter2" not in f"{settings!r} {settings.account(Role.PUBLISH)!r}"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("half", ["ACCESS_KEY", "SECRET_KEY"])
def test_half_an_account_is_refused_at_once_and_by_name(role: Role, half: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"FOI_STORE_{role.upper()}_{half}", "hunter2")
    with pytest.raises(ConfigurationError, match=f"FOI_STORE_{role.upper()}_SECRET_KEY: both") as caught:
        Settings()
    assert "hunter2" not in str(caught.value)


def test_a_role_without_any_account_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_STORE_WORK_ACCESS_KEY", "worker")
    monkeypatch.setenv("FOI_STORE_WORK_SECRET_KEY", "secret")
    settings = Settings()
    assert isinstance(open_store(settings, Role.WORK), S3Store)
    with open_place(settings) as place, pytest.raises(ConfigurationError, match="role publish"):
        place.acting_as(Role.PUBLISH)


def test_the_file_for_seaweedfs_is_printed_from_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert access.main(["seaweedfs"]) == ConfigurationError.exit_code
    for role in ("", *(f"{role.upper()}_" for role in Role)):
        monkeypatch.setenv(f"FOI_STORE_{role}ACCESS_KEY", f"key-{role}")
        monkeypatch.setenv(f"FOI_STORE_{role}SECRET_KEY", f"secret-{role}")
    capsys.readouterr()
    assert access.main(["seaweedfs"]) == 0
    settings = Settings()
    assert capsys.readouterr().out.strip() == seaweedfs_identities(*access.accounts_of(settings))


def test_setting_up_needs_an_account_for_each_role(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="administrator"):
        access.apply(Settings())
    monkeypatch.setenv("FOI_STORE_ACCESS_KEY", "one")
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "secret")
    with pytest.raises(ConfigurationError, match="of its own"):
        access.apply(Settings())
