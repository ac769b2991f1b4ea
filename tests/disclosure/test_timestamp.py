"""Time stamps by a real authority: made at publication, checked by OpenSSL and by us, refused when anything is off."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.disclosure.bundle import TIME_STAMP, TSA_CERTIFICATE, assemble_bundle
from tasks.disclosure.keys import load_certificates
from tasks.disclosure.publish import publish
from tasks.disclosure.timestamp import stamped_at
from tasks.disclosure.verify import verify_bundle
from tasks.errors import ConfigurationError, TransientError
from tasks.timestamping import TimeStampAuthority, TimeStampUnavailableError
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Died, Shelf
from tests.disclosure.test_bundle import bundle, unpack, verify_lines, with_tools
from tests.disclosure.test_publish import BUCKET, keys_of
from tests.disclosure.test_verify import failed, sentence_of
from tests.disclosure.tsa import Authority, serving

pytestmark = pytest.mark.slow

LISTED = "tagmanifest-sha256.txt"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def client(authority: Authority) -> Iterator[TimeStampAuthority]:
    authority.status, authority.spoil = 200, lambda answer: answer
    with serving(authority) as url:
        yield TimeStampAuthority(url, authority.root)


@pytest.fixture(scope="module")
def stamped(authority: Authority) -> dict[str, bytes]:
    with serving(authority) as url:
        return assemble_bundle(
            dossier(), approval(), files(), POLICY, keys(), stamper=TimeStampAuthority(url, authority.root)
        )


# ---------------------------------------------------------------------------------------------- in the bundle


def test_only_the_stamp_and_what_speaks_of_it_is_new(stamped: dict[str, bytes]) -> None:
    assert stamped.keys() - bundle().keys() == {TIME_STAMP, TSA_CERTIFICATE}
    assert {path for path in bundle() if path.startswith("data/") and bundle()[path] != stamped[path]} == set()


def test_every_line_of_verify_txt_runs_and_holds_with_a_stamp(stamped: dict[str, bytes], tmp_path: Path) -> None:
    folder = unpack(stamped, tmp_path / "bag")
    lines = verify_lines(folder)
    assert len([line for line in lines if line.startswith("openssl ts")]) == 2
    for line in lines:
        subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, check=True, env=with_tools())


def test_openssl_refuses_the_stamp_on_another_list(stamped: dict[str, bytes], tmp_path: Path) -> None:
    folder = unpack(stamped, tmp_path / "bag")
    (folder / LISTED).write_bytes(stamped[LISTED] + b"\n")
    (line,) = [line for line in verify_lines(folder) if line.startswith("openssl ts -verify")]
    assert subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, check=False).returncode


def test_the_stamp_is_said_with_its_moment_and_by_whom(stamped: dict[str, bytes], authority: Authority) -> None:
    own = verify_bundle(stamped, keys().public.pem)
    assert own.ok, failed(own)
    assert "whose certificate comes with the bundle" in sentence_of(own, "time stamp")
    given = verify_bundle(stamped, keys().public.pem, trusted_tsa=authority.root)
    assert given.ok
    assert "the authority for time whose certificate you gave" in sentence_of(given, "time stamp")
    assert f"existed on {datetime.now(UTC):%Y}" in sentence_of(given, "time stamp")


def test_a_bundle_without_a_stamp_is_judged_without_and_not_with(authority: Authority) -> None:
    assert all(check.name != "time stamp" for check in verify_bundle(bundle()).checks)
    assert "no time stamp" in failed(verify_bundle(bundle(), trusted_tsa=authority.root))["time stamp"]


def without(path: str) -> Callable[[dict[str, bytes], Authority], dict[str, bytes]]:
    return lambda made, _: {name: data for name, data in made.items() if name != path}


@pytest.mark.parametrize(
    "forge",
    [
        without(TIME_STAMP),
        lambda made, _: {**made, TIME_STAMP: b""},
        lambda made, _: {**made, TIME_STAMP: made[TIME_STAMP][:-40]},
        lambda made, _: {**made, TIME_STAMP: b"0" * 1_000_000},
        lambda made, other: {**made, TSA_CERTIFICATE: other.root},
        lambda made, other: {**made, TIME_STAMP: other.answer(query_of(made[LISTED]))},
        lambda made, _: {**made, LISTED: made[LISTED].replace(b"VERIFY", b"verify")},
    ],
    ids=["removed", "empty", "cut", "huge", "other certificate", "other authority", "other list"],
)
def test_a_stamp_that_is_not_the_one_is_named(
    stamped: dict[str, bytes],
    stranger: Authority,
    forge: Callable[[dict[str, bytes], Authority], dict[str, bytes]],
) -> None:
    assert "time stamp" in failed(verify_bundle(forge(stamped, stranger)))


def query_of(content: bytes) -> bytes:
    from tasks.disclosure.timestamp import time_stamp_query

    return time_stamp_query(content)


def test_no_flipped_bit_moves_the_moment(stamped: dict[str, bytes], authority: Authority) -> None:
    """A bit that no signature covers may go unnoticed (the status is such a part); the moment is not among them."""
    roots, stamp, listed = load_certificates(authority.root), stamped[TIME_STAMP], stamped[LISTED]
    moment = stamped_at(stamp, listed, roots)
    unnoticed = 0
    for at in range(len(stamp)):
        bad = bytearray(stamp)
        bad[at] ^= 1
        try:
            assert stamped_at(bytes(bad), listed, roots) == moment
            unnoticed += 1
        except ValueError:
            continue
    assert unnoticed < len(stamp) // 20


def test_a_stamp_outlives_its_certificates(tmp_path: Path) -> None:
    """It is judged at the moment it names, by us and by the line of VERIFY.txt."""
    short = Authority(tmp_path / "short")
    short.expire_in(3)
    (tmp_path / "stamp").write_bytes(short.answer(query_of(b"content")))
    (tmp_path / "content").write_bytes(b"content")
    (tmp_path / "root.pem").write_bytes(short.root)
    time.sleep(3.5)
    moment = stamped_at((tmp_path / "stamp").read_bytes(), b"content", load_certificates(short.root))
    assert datetime.now(UTC) - moment < timedelta(minutes=1)
    line = ["openssl", "ts", "-verify", "-data", "content", "-in", "stamp", "-CAfile", "root.pem"]
    now = subprocess.run(line, cwd=tmp_path, capture_output=True, check=False)
    assert now.returncode  # the certificate has indeed expired
    subprocess.run([*line, "-no_check_time"], cwd=tmp_path, capture_output=True, check=True)


def test_a_certificate_not_meant_for_stamping_is_refused(tmp_path: Path) -> None:
    wrong = Authority(tmp_path / "wrong", purpose="extendedKeyUsage=critical,codeSigning")
    with pytest.raises(subprocess.CalledProcessError):
        wrong.answer(query_of(b"x"))  # OpenSSL itself does not stamp with it


# ---------------------------------------------------------------------------------------------- at publication


def released(shelf: Shelf, client: TimeStampAuthority) -> None:
    publish(shelf, BUCKET, dossier(), approval(), files(), POLICY, keys(), stamper=client)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_authority_that_is_down_is_a_matter_of_trying_again_and_nothing_is_published(
    authority: Authority, client: TimeStampAuthority, status: int
) -> None:
    authority.status = status
    shelf = Shelf()
    with pytest.raises(TimeStampUnavailableError) as caught:
        released(shelf, client)
    assert isinstance(caught.value, TransientError)
    assert shelf.written == []
    authority.status = 200
    released(shelf, client)
    assert f"disclosures/{REFERENCE}/v1/{TIME_STAMP}" in keys_of(shelf)


def test_an_authority_that_is_not_there_is_transient_too(authority: Authority) -> None:
    with serving(authority) as url:
        gone = TimeStampAuthority(url, authority.root)
    with pytest.raises(TimeStampUnavailableError):
        gone.stamp(b"x")


def test_an_answer_that_does_not_verify_is_ours_to_mend(
    authority: Authority, stranger: Authority, client: TimeStampAuthority
) -> None:
    shelf = Shelf()
    for spoil in (lambda _: b"nothing", lambda _: stranger.answer(query_of(b"other"))):
        authority.spoil = spoil
        with pytest.raises(ConfigurationError, match="FOI_TSA_CERTIFICATE_FILE"):
            released(shelf, client)
    authority.status = 404
    with pytest.raises(ConfigurationError, match="FOI_TSA_URL"):
        released(shelf, client)
    assert shelf.written == []
    with pytest.raises(ConfigurationError):
        TimeStampAuthority("http://127.0.0.1:9", b"no certificate")


def test_killed_after_any_write_it_completes_with_one_stamp(authority: Authority, client: TimeStampAuthority) -> None:
    """What differs by nature is taken from what the dead run left: the zip holds the stamp that lies beside it."""
    shelf = Shelf()
    stamps: set[bytes] = set()
    while True:
        shelf.writes_left = 1
        try:
            released(shelf, client)
            break
        except Died:
            objects = keys_of(shelf)
            stamps |= {data for key, data in objects.items() if key.endswith(".tsr")}
    assert len(stamps) == 1
    objects = keys_of(shelf)
    folder = f"disclosures/{REFERENCE}/v1/"
    bag = {key.removeprefix(folder): data for key, data in objects.items() if key.startswith(folder)}
    assert verify_bundle(bag, trusted_tsa=authority.root).ok
    assert bag[TIME_STAMP] in objects[f"disclosures/{REFERENCE}/v1.zip"]
    asked = authority.asked
    released(shelf, client)
    assert authority.asked == asked


def test_a_stamp_left_by_a_run_with_other_content_is_not_taken(client: TimeStampAuthority) -> None:
    shelf = Shelf()
    key = f"disclosures/{REFERENCE}/v1/{TIME_STAMP}"
    shelf.put(BUCKET, key, client.stamp(b"something else"))
    left = shelf.get(BUCKET, key)
    released(shelf, client)
    assert shelf.get(BUCKET, key) != left
    assert shelf.types[key] == "application/timestamp-reply"
