"""What each account may and may not do, asked of the real servers: the server refuses, not our code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from minio import Minio
from minio.error import S3Error

from infra import access
from infra.access import RIGHTS, AccountsUnsupportedError, Right, set_up_accounts, set_up_buckets
from infra.embedded import REGION
from tasks.errors import ConfigurationError, FoiError
from tasks.model import Role
from tasks.store import S3Store
from tests.access.conftest import GuardedServer

pytestmark = pytest.mark.servers

BUCKETS = ("intake", "work", "quarantine", "disclosure")
KEY = "probe/object.txt"
PLAIN = (Right.READ, Right.LIST, Right.WRITE, Right.DELETE)

ASK: dict[Right, Callable[[S3Store, str], object]] = {
    Right.READ: lambda store, bucket: store.get(bucket, KEY),
    Right.LIST: lambda store, bucket: list(store.list(bucket, "probe/")),
    Right.WRITE: lambda store, bucket: store.put(bucket, "probe/written.txt", b"x"),
    Right.DELETE: lambda store, bucket: store.delete(bucket, "probe/deleted.txt"),
}


@pytest.fixture
def probed(guarded: GuardedServer) -> Iterator[GuardedServer]:
    """The server with an object to read and one to delete in every bucket; both gone afterwards."""
    store = guarded.store()
    for bucket in BUCKETS:
        for key in (KEY, "probe/deleted.txt"):
            store.put(f"foi-{bucket}", key, b"probe")
    yield guarded
    for bucket in BUCKETS:
        for info in store.list(f"foi-{bucket}", "probe/"):
            store.delete(f"foi-{bucket}", info.key)


def is_refused(ask: Callable[[], object]) -> bool:
    """Whether the server says "forbidden"; anything else that goes wrong is the test's fault."""
    try:
        ask()
    except ConfigurationError as error:
        assert "HTTP 403" in str(error)
        return True
    return False


@pytest.mark.parametrize("role", list(Role))
def test_a_role_does_what_its_work_needs_and_nothing_else(probed: GuardedServer, role: Role) -> None:
    store = probed.store(role)
    allowed = {
        (bucket, right)
        for bucket in BUCKETS
        for right in PLAIN
        if not is_refused(lambda b=bucket, r=right: ASK[r](store, f"foi-{b}"))  # type: ignore[misc]
    }
    given = {(bucket, right) for bucket, rights in RIGHTS[role].items() for right in rights if right in PLAIN}
    # What everybody may, accounts may too where a server reads a policy for "everybody" that way, as AWS does.
    public = {("disclosure", Right.READ)}
    assert allowed | public == given | public


def test_what_was_refused_did_not_happen(probed: GuardedServer) -> None:
    for ask in (ASK[Right.WRITE], ASK[Right.DELETE]):
        with contextlib.suppress(FoiError):
            ask(probed.store(Role.WORK), "foi-disclosure")
    assert {info.key for info in probed.store().list("foi-disclosure", "probe/")} == {KEY, "probe/deleted.txt"}


def test_copying_on_the_server_is_no_way_round(probed: GuardedServer) -> None:
    work, publisher = probed.store(Role.WORK), probed.store(Role.PUBLISH)
    assert is_refused(lambda: work.copy("foi-work", KEY, "foi-disclosure", "probe/copied.txt"))
    assert is_refused(lambda: publisher.copy("foi-intake", KEY, "foi-disclosure", "probe/copied.txt"))
    assert not is_refused(lambda: work.copy("foi-intake", KEY, "foi-quarantine", "probe/copied.txt"))


@pytest.mark.parametrize("role", list(Role))
def test_no_role_makes_buckets_or_opens_them(guarded: GuardedServer, role: Role) -> None:
    store = guarded.store(role)
    assert is_refused(lambda: store.ensure_bucket("foi-another"))
    assert is_refused(lambda: store.open_to_public("foi-intake"))
    assert is_refused(lambda: store.open_to_public("foi-work"))


def test_the_public_reads_public_objects_by_key_and_nothing_else(probed: GuardedServer) -> None:
    allowed = set()
    with httpx.Client(base_url=probed.endpoint, trust_env=False) as anyone:
        for bucket in BUCKETS:
            for method, path in (
                ("GET", KEY),
                ("HEAD", KEY),
                ("GET", "?list-type=2"),
                ("GET", "?policy"),
                ("PUT", "probe/written.txt"),
                ("POST", "probe/written.txt?uploads"),
                ("DELETE", KEY),
            ):
                answer = anyone.request(method, f"/foi-{bucket}/{path}", content=b"x" if method == "PUT" else None)
                assert answer.status_code in (200, 403, 405), (bucket, method, path, answer.status_code)
                if answer.status_code == 200:
                    allowed.add((bucket, method, path))
        assert anyone.get("/").status_code == 403
    assert allowed == {("disclosure", "GET", KEY), ("disclosure", "HEAD", KEY)}


def test_setting_up_buckets_again_changes_nothing(probed: GuardedServer) -> None:
    set_up_buckets(probed.store())
    assert probed.store().get("foi-disclosure", KEY) == b"probe"
    assert httpx.get(f"{probed.endpoint}/foi-disclosure/{KEY}").status_code == 200


# ------------------------------------------------------------------------------------------------ accounts made


def listen(server: GuardedServer, role: Role) -> None:
    """Subscribe to uploads, and leave when the server has agreed."""
    account = server.accounts[role]
    address = server.endpoint.removeprefix("http://")
    client = Minio(address, access_key=account.access_key, secret_key=account.secret_key, secure=False, region=REGION)
    with client.listen_bucket_notification("foi-intake", events=("s3:ObjectCreated:*",)) as stream:
        server.store(Role.UPSTREAM).put("foi-intake", "probe/heard.txt", b"")
        next(iter(stream))


@pytest.mark.parametrize("role", [Role.UPSTREAM, Role.WORK, Role.PUBLISH])
def test_only_the_watcher_hears_of_uploads(guarded_juicefs: GuardedServer, role: Role) -> None:
    with pytest.raises(S3Error) as caught:
        listen(guarded_juicefs, role)
    assert caught.value.code == "AccessDenied"


def test_setting_up_accounts_again_changes_nothing(guarded_juicefs: GuardedServer) -> None:
    set_up_accounts(guarded_juicefs.endpoint, REGION, guarded_juicefs.admin, guarded_juicefs.accounts)
    store = guarded_juicefs.store(Role.WORK)
    assert not is_refused(lambda: list(store.list("foi-work")))
    assert is_refused(lambda: store.put("foi-disclosure", "probe/x", b""))


def test_a_changed_secret_counts_and_the_old_one_no_more(guarded_juicefs: GuardedServer) -> None:
    extra = {Role.WORK: replace(guarded_juicefs.accounts[Role.WORK], access_key="rotated-account")}
    set_up_accounts(guarded_juicefs.endpoint, REGION, guarded_juicefs.admin, extra)
    new = {Role.WORK: replace(extra[Role.WORK], secret_key="another-secret-altogether")}
    set_up_accounts(guarded_juicefs.endpoint, REGION, guarded_juicefs.admin, new)
    for account, refused in ((extra[Role.WORK], True), (new[Role.WORK], False)):
        store = S3Store(guarded_juicefs.endpoint, account.access_key, account.secret_key)
        assert is_refused(lambda s=store: list(s.list("foi-work"))) is refused  # type: ignore[misc]


def test_a_right_taken_away_is_gone(guarded_juicefs: GuardedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies follow the code when it is run again, in both directions."""
    store = guarded_juicefs.store(Role.UPSTREAM)
    with monkeypatch.context() as less:
        less.setitem(access.RIGHTS, Role.UPSTREAM, {"intake": (Right.LIST,)})  # type: ignore[misc, arg-type]
        set_up_accounts(guarded_juicefs.endpoint, REGION, guarded_juicefs.admin, guarded_juicefs.accounts)
        assert is_refused(lambda: store.put("foi-intake", "probe/x", b""))
    set_up_accounts(guarded_juicefs.endpoint, REGION, guarded_juicefs.admin, guarded_juicefs.accounts)
    assert not is_refused(lambda: store.put("foi-intake", "probe/x", b""))


def test_a_role_cannot_give_itself_rights(guarded_juicefs: GuardedServer) -> None:
    own = guarded_juicefs.accounts
    with pytest.raises(ConfigurationError, match="HTTP 403"):
        set_up_accounts(guarded_juicefs.endpoint, REGION, own[Role.WORK], own)


def test_another_store_gets_its_buckets_and_says_that_accounts_are_made_by_hand(
    guarded_seaweedfs: GuardedServer,
) -> None:
    admin = guarded_seaweedfs.admin
    settings = guarded_seaweedfs.settings(
        store_access_key=admin.access_key, store_secret_key=admin.secret_key, bucket_prefix="second-"
    )
    with pytest.raises(AccountsUnsupportedError, match="accounts"):
        access.apply(settings)
    assert list(guarded_seaweedfs.store().list("second-work")) == []


def test_applying_twice_says_all_is_well(
    guarded_juicefs: GuardedServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = guarded_juicefs.admin
    monkeypatch.setenv("FOI_STORE_ENDPOINT", guarded_juicefs.endpoint)
    monkeypatch.setenv("FOI_STORE_ACCESS_KEY", admin.access_key)
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", admin.secret_key)
    for role, account in guarded_juicefs.accounts.items():
        monkeypatch.setenv(f"FOI_STORE_{role.upper()}_ACCESS_KEY", account.access_key)
        monkeypatch.setenv(f"FOI_STORE_{role.upper()}_SECRET_KEY", account.secret_key)
    assert [access.main(["apply"]), access.main(["apply"])] == [0, 0]
    said = capsys.readouterr()
    assert "as they should be" in said.out
    assert not any(account.secret_key in said.out + said.err for account in guarded_juicefs.accounts.values())
