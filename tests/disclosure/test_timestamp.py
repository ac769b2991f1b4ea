"""Time stamps by a real authority: made at publication, checked by OpenSSL and by us, refused when anything is off."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.der import CONTEXT_0, CONTEXT_1, NULL, OCTETS, SEQUENCE, SET, der, integer, read
from tasks.disclosure.keys import load_certificates
from tasks.disclosure.layout import TIME_STAMP, TSA_CERTIFICATE
from tasks.disclosure.publish import publish
from tasks.disclosure.timestamp import stamped_at, storable
from tasks.disclosure.verify import verify_bundle
from tasks.errors import ConfigurationError, TransientError
from tasks.timestamping import TimeStampAuthority, TimeStampUnavailableError
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Died, Shelf
from tests.disclosure.test_bundle import bundle, unpack, verify_lines, with_tools
from tests.disclosure.test_publish import BUCKET, keys_of
from tests.disclosure.test_verify import failed, sentence_of
from tests.disclosure.tsa import TIME_STAMPING, Authority, serving

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
    assert len([line for line in lines if line.startswith("openssl ts")]) == 3
    for line in lines:
        subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, check=True, env=with_tools())


def test_verify_txt_prints_the_moment_and_nothing_that_the_answer_says_beside_it(
    stamped: dict[str, bytes], tmp_path: Path
) -> None:
    """What an answer says of its status is signed by nobody."""
    _, token = read(stamped[TIME_STAMP]).parts(SEQUENCE)
    words = der(SEQUENCE, integer(0), der(SEQUENCE, der(0x0C, b"Time stamp: Jan  1 00:00:00 2001 GMT")))
    folder = unpack({**stamped, TIME_STAMP: der(SEQUENCE, words, token.whole)}, tmp_path / "bag")
    lines = [line for line in verify_lines(folder) if line.startswith("openssl ts")]
    said = [
        subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=True).stdout
        for line in lines
    ]
    assert said[-1].startswith("Time stamp: ")
    assert str(datetime.now(UTC).year) in said[-1]
    assert len(said[-1].splitlines()) == 1
    assert not any("2001" in one for one in said)


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


def unnoticed(stamp: bytes, content: bytes, root: bytes, bits: tuple[int, ...]) -> list[tuple[int, int]]:
    """The bits that can be turned round, each alone, and the stamp holds all the same: (byte, bit)."""
    roots, found = load_certificates(root), []
    stamped_at(stamp, content, roots)
    for at in range(len(stamp)):
        for bit in bits:
            bad = bytearray(stamp)
            bad[at] ^= bit
            with suppress(ValueError):
                stamped_at(bytes(bad), content, roots)
                found.append((at, bit))
    return found


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_no_flipped_bit_goes_unnoticed(stamped: dict[str, bytes], authority: Authority) -> None:
    assert unnoticed(stamped[TIME_STAMP], stamped[LISTED], authority.root, (0x01, 0x20, 0x80)) == []


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize(
    ("key", "below"), [("rsa:2048", True), ("ec -pkeyopt ec_paramgen_curve:P-256", False)], ids=["chain", "ECDSA"]
)
def test_nor_in_a_stamp_of_another_kind(tmp_path: Path, key: str, below: bool) -> None:
    other = Authority(tmp_path, key=key, below=below)
    answer = other.answer(query_of(b"content"))
    stamp = storable(answer)
    assert (len(answer) > len(stamp)) == below  # the root that came along is left out
    assert unnoticed(stamp, b"content", other.root, (0x01,)) == []
    assert openssl_holds(stamp, b"content", other.root, tmp_path)


def openssl_holds(stamp: bytes, content: bytes, root: bytes, folder: Path) -> bool:
    for name, data in (("stamp", stamp), ("content", content), ("root.pem", root)):
        (folder / name).write_bytes(data)
    line = ["openssl", "ts", "-verify", "-data", "content", "-in", "stamp", "-CAfile", "root.pem"]
    return subprocess.run(line, cwd=folder, capture_output=True, check=False).returncode == 0


SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")
COUNTERSIGNATURE = bytes.fromhex("06092a864886f70d010906")


def chatty(answer: bytes) -> bytes:
    """The same stamp with what no signature covers: words beside the status, an attribute, the algorithm named anew."""
    _, token = read(answer).parts(SEQUENCE)
    kind, explicit = token.parts(SEQUENCE)
    (signed,) = explicit.parts(CONTEXT_0)
    *before, signers = signed.parts(SEQUENCE)
    (signer,) = signers.parts(SET)
    parts = [part.whole for part in signer.parts(SEQUENCE)]
    parts[4] = der(SEQUENCE, SHA256_WITH_RSA, NULL)
    parts.append(der(CONTEXT_1, der(SEQUENCE, COUNTERSIGNATURE, der(SET, der(OCTETS, b"an attribute")))))
    again = der(SEQUENCE, *(part.whole for part in before), der(SET, der(SEQUENCE, *parts)))
    status = der(SEQUENCE, integer(0), der(SEQUENCE, der(0x0C, b"some words")))
    return der(SEQUENCE, status, der(SEQUENCE, kind.whole, der(CONTEXT_0, again)))


def test_what_nothing_covers_is_left_out_before_a_stamp_is_kept(
    authority: Authority, client: TimeStampAuthority, tmp_path: Path
) -> None:
    roots = load_certificates(authority.root)
    spoilt = chatty(authority.answer(query_of(b"content")))
    assert openssl_holds(spoilt, b"content", authority.root, tmp_path)
    with pytest.raises(ValueError, match="not a time stamp"):
        stamped_at(spoilt, b"content", roots)
    authority.spoil = chatty
    kept = client.stamp(b"content")
    stamped_at(kept, b"content", roots)
    assert openssl_holds(kept, b"content", authority.root, tmp_path)
    assert not any(words in kept for words in (b"some words", b"an attribute"))


@pytest.mark.parametrize("more", [b"hidden", b"\0", b"\x05\x00"])
def test_nothing_may_follow_a_stamp(stamped: dict[str, bytes], authority: Authority, more: bytes) -> None:
    with pytest.raises(ValueError, match="not a time stamp"):
        stamped_at(stamped[TIME_STAMP] + more, stamped[LISTED], load_certificates(authority.root))
    with pytest.raises(ValueError, match="not a time stamp"):
        storable(stamped[TIME_STAMP] + more)


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


@pytest.mark.parametrize(
    ("purpose", "holds"),
    [
        (TIME_STAMPING, True),
        ("extendedKeyUsage=critical,codeSigning", False),
        ("extendedKeyUsage=timeStamping", False),
        ("extendedKeyUsage=critical,codeSigning,emailProtection", False),
        ("subjectKeyIdentifier=hash", False),
    ],
)
def test_a_certificate_not_meant_for_stamping_is_refused(
    tmp_path: Path, authority: Authority, purpose: str, holds: bool
) -> None:
    """The stamp is whole and its signature holds; `openssl ts` itself would not make it, so `openssl cms` does."""
    clock = Authority(tmp_path, purpose=purpose)
    _, token = read(authority.answer(query_of(b"content"))).parts(SEQUENCE)
    _, explicit = token.parts(SEQUENCE)
    _, _, content, *_ = explicit.parts(CONTEXT_0)[0].parts(SEQUENCE)
    (octets,) = content.parts(SEQUENCE)[1].parts(CONTEXT_0)
    (tmp_path / "time").write_bytes(octets.body)
    line = (
        "openssl cms -sign -econtent_type 1.2.840.113549.1.9.16.1.4 -in time -binary -nodetach -nosmimecap -cades"
        " -md sha256 -signer tsa.pem -inkey tsa.key -outform DER -out signed"
    )
    subprocess.run(line.split(), cwd=tmp_path, capture_output=True, check=True)
    stamp = storable(der(SEQUENCE, der(SEQUENCE, integer(0)), (tmp_path / "signed").read_bytes()))
    with nullcontext() if holds else pytest.raises(ValueError, match="not a time stamp"):
        stamped_at(stamp, b"content", load_certificates(clock.root))


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
