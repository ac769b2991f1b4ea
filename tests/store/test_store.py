"""One contract, two real servers: what `tasks.store` promises holds on both."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import md5

import httpx
import pytest

from tasks.errors import ConfigurationError, StoreUnavailableError, UnsafeKeyError
from tasks.store import ObjectExistsError, ObjectMissingError, S3Store
from tests.conftest import StoreServer

pytestmark = pytest.mark.servers

BUCKET = "contract"

KEPT_KEYS = (
    "plain.txt",
    "with space.pdf",
    " leading and trailing ",
    "a+b.pdf",
    "100%.pdf",
    "a%20b%2Fc.pdf",
    "x..y/..z/...pdf",
    'quote\'d "twice".pdf',
    "a&b=c?d#e;f:g@h!$(),.pdf",
    "<b>&amp;.pdf",
    "ünïcödé/文書 № 7.pdf",
    "e\u0301 decomposed and \u00e9 composed.pdf",
    "\N{PAGE FACING UP}.pdf",
    "tab\tand\nline.pdf",
    "control\x01.pdf",
    "~tilde*star|pipe^caret`tick{}[].pdf",
    "deep/" * 60 + "file",
    "n" * 255,
)
REFUSED_KEYS = ("", "/lead", "trail/", "a//b", ".", "..", "./x", "a/./b", "a/../b", "a\\..\\b", "a\x00b", "\ud800")


@pytest.fixture(scope="session", params=["juicefs", "seaweedfs"])
def server(request: pytest.FixtureRequest) -> StoreServer:
    started: StoreServer = request.getfixturevalue(f"{request.param}_store")
    started.store.ensure_bucket(BUCKET)
    return started


@pytest.fixture
def store(server: StoreServer) -> S3Store:
    return server.store


@pytest.fixture
def folder(request: pytest.FixtureRequest, store: S3Store) -> Iterator[str]:
    """A prefix of this test's own, emptied afterwards."""
    name = f"{abs(hash(request.node.name)):x}/"
    yield name
    for info in store.list(BUCKET, name):
        store.delete(BUCKET, info.key)


@pytest.mark.parametrize("key", KEPT_KEYS, ids=lambda key: ascii(key)[:40])
def test_keys_come_back_as_they_were_given(store: S3Store, folder: str, key: str) -> None:
    data = key.encode()
    etag = store.put(BUCKET, folder + key, data, "application/pdf")

    assert store.get(BUCKET, folder + key) == data
    info = store.head(BUCKET, folder + key)
    assert info is not None
    assert (info.key, info.size, info.etag) == (folder + key, len(data), etag)
    assert [found.key for found in store.list(BUCKET, folder + key)] == [folder + key]
    store.copy(BUCKET, folder + key, BUCKET, f"{folder}copied/{key}")
    assert store.get(BUCKET, f"{folder}copied/{key}") == data
    store.delete(BUCKET, folder + key)
    assert store.head(BUCKET, folder + key) is None


@pytest.mark.parametrize("key", REFUSED_KEYS, ids=ascii)
def test_keys_that_a_server_would_change_are_refused_by_every_call(store: S3Store, key: str) -> None:
    for call in (
        lambda: store.put(BUCKET, key, b""),
        lambda: store.get(BUCKET, key),
        lambda: store.head(BUCKET, key),
        lambda: store.delete(BUCKET, key),
        lambda: store.copy(BUCKET, "x", BUCKET, key),
    ):
        with pytest.raises(UnsafeKeyError):
            call()


def test_bytes_of_any_kind_and_none_at_all_survive(store: S3Store, folder: str) -> None:
    for name, data in {"empty": b"", "binary": bytes(range(256)) * 40, "large": os.urandom(9_000_000)}.items():
        etag = store.put(BUCKET, folder + name, data)
        assert store.get(BUCKET, folder + name) == data
        assert etag == md5(data, usedforsecurity=False).hexdigest()


def test_putting_again_replaces_and_changes_the_etag(store: S3Store, folder: str) -> None:
    first = store.put(BUCKET, f"{folder}k", b"one")
    second = store.put(BUCKET, f"{folder}k", b"two")
    assert first != second
    assert store.get(BUCKET, f"{folder}k") == b"two"


def test_info_is_the_same_from_head_and_listing(store: S3Store, folder: str) -> None:
    store.put(BUCKET, f"{folder}k", b"12345")
    assert [store.head(BUCKET, f"{folder}k")] == list(store.list(BUCKET, folder))


def test_modified_is_a_utc_moment_in_whole_seconds(store: S3Store, folder: str) -> None:
    store.put(BUCKET, f"{folder}k", b"")
    info = store.head(BUCKET, f"{folder}k")
    assert info is not None
    moment = datetime.fromisoformat(info.modified)
    assert moment.utcoffset() is not None
    assert info.modified.endswith("+00:00")
    assert moment.microsecond == 0


def test_write_once_refuses_the_second_writer_and_keeps_the_first(store: S3Store, folder: str) -> None:
    store.put(BUCKET, f"{folder}once", b"first", if_absent=True)
    with pytest.raises(ObjectExistsError):
        store.put(BUCKET, f"{folder}once", b"second", if_absent=True)
    assert store.get(BUCKET, f"{folder}once") == b"first"


def test_write_once_lets_one_racing_writer_through_where_the_server_honours_the_condition(
    seaweedfs_store: StoreServer,
) -> None:
    store = seaweedfs_store.store
    store.ensure_bucket(BUCKET)
    start = threading.Barrier(8)

    def write(number: int) -> bool:
        start.wait()
        try:
            store.put(BUCKET, "race", b"%d" % number, if_absent=True)
        except ObjectExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, through in enumerate(pool.map(write, range(8))) if through]
    assert [store.get(BUCKET, "race")] == [b"%d" % number for number in won]
    store.delete(BUCKET, "race")


def test_listing_is_ordered_by_key_even_where_a_folder_sorts_apart(store: S3Store, folder: str) -> None:
    names = ["a/1", "a-b/1", "a.txt", "a b", "a", "B", "é", "z"]
    names.remove("a")  # one name cannot be an object and a folder on every server
    for name in names:
        store.put(BUCKET, folder + name, b"")
    assert [info.key for info in store.list(BUCKET, folder)] == sorted(folder + name for name in names)
    assert [info.key for info in store.list(BUCKET, f"{folder}a")] == sorted(
        folder + name for name in names if name.startswith("a")
    )


def test_folders_are_named_bare_and_only_those_directly_below(store: S3Store, folder: str) -> None:
    for name in ("FOI-1/request.json", "FOI-1/records/a.pdf", "FOI 2/request.json", "é+/x", "stray.txt"):
        store.put(BUCKET, folder + name, b"")
    assert list(store.list_folders(BUCKET, folder)) == ["FOI 2", "FOI-1", "é+"]
    assert list(store.list_folders(BUCKET, f"{folder}FOI-1/")) == ["records"]
    assert list(store.list_folders(BUCKET, f"{folder}nothing/")) == []


def test_a_bucket_is_listed_folder_by_folder_whatever_their_names_sort_before(store: S3Store) -> None:
    bucket = "contract-folders"
    store.ensure_bucket(bucket)
    keys = {f"{folder}/{name}" for folder in ("A", "A.1", "A-2", "a") for name in ("z.txt", "below/x.txt", "a b.txt")}
    for key in (*keys, "beside.txt"):
        store.put(bucket, key, key.encode())
    listed = list(store.list_by_folder(bucket))
    assert sorted(folder for folder, _ in listed) == sorted({key.partition("/")[0] for key in keys})
    assert {f"{folder}/{name}" for folder, objects in listed for name in objects} == keys
    assert {info for _, objects in listed for info in objects.values()} == {store.head(bucket, key) for key in keys}


def test_listings_longer_than_a_page_are_complete(store: S3Store) -> None:
    bucket = "contract-pages"  # not emptied: it goes with the server
    store.ensure_bucket(bucket)
    names = [f"{number % 3}/{number:04}" for number in range(1500)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.put(bucket, key, b""), names))
    assert [info.key for info in store.list(bucket)] == sorted(names)
    assert list(store.list_folders(bucket)) == ["0", "1", "2"]
    assert [(folder, len(objects)) for folder, objects in store.list_by_folder(bucket)] == [(n, 500) for n in "012"]


def test_what_is_not_there_is_said_to_be_missing(store: S3Store, folder: str) -> None:
    assert store.head(BUCKET, f"{folder}no") is None
    assert list(store.list(BUCKET, f"{folder}no")) == []
    store.delete(BUCKET, f"{folder}no")
    with pytest.raises(ObjectMissingError):
        store.get(BUCKET, f"{folder}no")
    with pytest.raises(ObjectMissingError):
        store.copy(BUCKET, f"{folder}no", BUCKET, f"{folder}to")


def test_ensuring_a_bucket_twice_keeps_what_is_in_it(store: S3Store, folder: str) -> None:
    store.put(BUCKET, f"{folder}k", b"kept")
    store.ensure_bucket(BUCKET)
    assert store.get(BUCKET, f"{folder}k") == b"kept"


def test_a_bucket_that_does_not_exist_is_a_matter_of_configuration(store: S3Store) -> None:
    for call in (
        lambda: store.put("no-such-bucket", "k", b""),
        lambda: store.get("no-such-bucket", "k"),
        lambda: list(store.list("no-such-bucket")),
        lambda: list(store.list_folders("no-such-bucket")),
        lambda: store.ensure_bucket("not a bucket"),
    ):
        with pytest.raises(ConfigurationError):
            call()


def test_wrong_credentials_are_a_matter_of_configuration(server: StoreServer) -> None:
    for wrong in (
        S3Store(server.endpoint, server.access_key, "not the secret"),
        S3Store(server.endpoint, "nobody-known", server.secret_key),
    ):
        for call in (
            lambda store=wrong: store.get(BUCKET, "k"),
            lambda store=wrong: store.head(BUCKET, "k"),
            lambda store=wrong: store.put(BUCKET, "k", b""),
            lambda store=wrong: list(store.list(BUCKET)),
        ):
            with pytest.raises(ConfigurationError):
                call()


def test_messages_hold_neither_key_nor_credential(server: StoreServer) -> None:
    wrong = S3Store(server.endpoint, server.access_key, "not the secret")
    for call in (
        lambda: server.store.get(BUCKET, "Smith-letter.pdf"),
        lambda: server.store.get("no-such-bucket", "Smith-letter.pdf"),
        lambda: server.store.put(BUCKET, "../Smith-letter.pdf", b""),
        lambda: wrong.get(BUCKET, "Smith-letter.pdf"),
    ):
        with pytest.raises((ObjectMissingError, ConfigurationError, UnsafeKeyError)) as caught:
            call()
        assert "Smith" not in f"{caught.value} {caught.value!r}"
        assert "secret" not in f"{caught.value!r}".replace("secret key", "")
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
    server.store.put(BUCKET, "Smith-letter.pdf", b"")
    assert "Smith" not in repr(server.store.head(BUCKET, "Smith-letter.pdf"))
    assert server.secret_key not in repr(server.store)
    server.store.delete(BUCKET, "Smith-letter.pdf")


def test_a_bucket_open_to_the_public_can_be_read_by_key_and_no_more(server: StoreServer) -> None:
    for bucket in ("contract-public", "contract-private"):
        server.store.ensure_bucket(bucket)
        server.store.put(bucket, "a/index.html", b"<p>", "text/html")
    server.store.open_to_public("contract-public")
    public, private = f"{server.endpoint}/contract-public", f"{server.endpoint}/contract-private"
    with httpx.Client(trust_env=False) as anyone:
        page = anyone.get(f"{public}/a/index.html")
        assert (page.status_code, page.content, page.headers["content-type"]) == (200, b"<p>", "text/html")
        assert anyone.get(public).status_code == 403
        assert anyone.put(f"{public}/a/index.html", content=b"x").status_code == 403
        assert anyone.delete(f"{public}/a/index.html").status_code == 403
        assert anyone.get(f"{private}/a/index.html").status_code == 403
    assert server.store.get("contract-public", "a/index.html") == b"<p>"


def test_threads_share_a_store(store: S3Store, folder: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.put(BUCKET, f"{folder}{n}", b"%d" % n), range(80)))
        read = list(pool.map(lambda n: store.get(BUCKET, f"{folder}{n}"), range(80)))
    assert read == [b"%d" % n for n in range(80)]


def test_a_reader_sees_one_writing_or_the_other_never_a_mixture(store: S3Store, folder: str) -> None:
    key, bodies = f"{folder}status", [bytes([n]) * (40 + 90 * n) for n in range(5)]
    store.put(BUCKET, key, bodies[0])
    done = threading.Event()

    def write() -> None:
        try:
            for n in range(150):
                store.put(BUCKET, key, bodies[n % 5])
        finally:
            done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = 0
        while not done.is_set():
            assert store.get(BUCKET, key) in bodies
            seen += 1
        writing.result()
    assert seen > 20


def test_bytes_that_are_not_those_written_are_not_handed_out(store: S3Store, folder: str) -> None:
    told = {"sha256": "0" * 64}
    store._client.put_object(Bucket=BUCKET, Key=f"{folder}torn", Body=b"other", Metadata=told)
    with pytest.raises(StoreUnavailableError, match="not those that were written"):
        store.get(BUCKET, f"{folder}torn")
