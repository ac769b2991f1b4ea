"""`foi verify` and `foi prove` as people meet them: with files, with web addresses, with a site that lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bundles import Trust, verify
from tasks.codec import digest
from tasks.disclosure.bag import zip_bag
from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.keys import generate_commitment_key, generate_signing_key, load_keys
from tasks.disclosure.publish import publish, withdraw
from tasks.errors import NothingThereError
from tasks.fetch import AddressRefusedError, AddressUnavailableError
from tests.conftest import StoreServer
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Shelf
from tests.disclosure.test_bundle import bundle, unpack
from tests.disclosure.test_publish import BUCKET, LATER, LATEST, another, corrected, keys_of, released, take_back
from tests.disclosure.test_verify import failed
from tests.fetch.sites import Answer, site
from tests.infra.test_cli import foi

pytestmark = pytest.mark.slow

TRUST = Trust(keys().public.pem)
AT = f"/disclosures/{REFERENCE}"


@contextmanager
def published(shelf: Shelf, base: str = "", **changes: bytes | Answer) -> Iterator[str]:
    """The address of a site with what the public bucket holds; `changes` by key."""
    answers: dict[str, bytes | Answer] = {f"{base}/{key}": data for key, data in keys_of(shelf).items()}
    answers |= {f"{base}/{key}": answer for key, answer in changes.items()}
    with site(answers) as at:
        yield at + base


@pytest.fixture(scope="module")
def one() -> Shelf:
    shelf = Shelf()
    released(shelf)
    released(shelf, another(), LATER)
    return shelf


@pytest.fixture(scope="module")
def two() -> Shelf:
    shelf = Shelf()
    released(shelf)
    released(shelf, corrected(), LATER)
    return shelf


@pytest.fixture(scope="module")
def gone(two: Shelf) -> Shelf:
    shelf = Shelf()
    shelf.objects = dict(two.objects)
    take_back(shelf, LATEST)
    return shelf


# ---------------------------------------------------------------------------------------------- from the web


@pytest.mark.parametrize(
    ("base", "where"),
    [
        ("", "/v1.zip"),
        ("", "/v1/"),
        ("", "/index.html"),
        ("/some/where", "/"),
        ("/some/where", "/v1/data/response.html"),
    ],
)
def test_every_address_of_a_disclosure_leads_to_its_bundle(one: Shelf, where: str, base: str) -> None:
    with published(one, base) as at:
        verdict = verify(at + AT + where, TRUST)
    assert verdict.ok, failed(verdict)
    assert (verdict.reference, verdict.version, verdict.trusted) == (REFERENCE, 1, True)
    assert verdict.checks[-1].sentence == "This is version 1, the current one in the disclosure log."


def test_the_page_stands_for_the_newest_version_and_an_older_one_can_be_asked_for(two: Shelf) -> None:
    with published(two) as at:
        assert verify(f"{at}{AT}/", TRUST).version == 2
        older = verify(f"{at}{AT}/v1.zip", TRUST)
    assert older.ok
    assert older.version == 1
    assert "as asked for" in older.checks[-1].sentence


def test_an_older_version_served_in_place_of_the_newest_is_named(two: Shelf) -> None:
    old = two.get(BUCKET, f"disclosures/{REFERENCE}/v1.zip")
    with published(two, **{f"disclosures/{REFERENCE}/v2.zip": old}) as at:
        for where in ("/", "/v2.zip"):
            faults = failed(verify(at + AT + where, TRUST))
            assert faults["version"] == "It was given as version 2; what was signed is version 1."
            assert "disclosure log" in faults


def test_a_log_that_was_turned_back_with_the_files_is_seen_by_a_newer_copy_of_the_log(one: Shelf, two: Shelf) -> None:
    """A site that shows its whole past shows no contradiction; who has a newer log than the site has one."""
    with published(two) as newer, published(one) as at:
        assert verify(f"{at}{AT}/", TRUST).ok
        faults = failed(verify(f"{at}{AT}/", TRUST, log=f"{newer}/disclosures.json"))
    assert faults == {"disclosure log": f"This is version 1, which version 2 replaced on {LATER}."}


def test_the_bundle_of_another_request_is_named(one: Shelf) -> None:
    other = one.get(BUCKET, "disclosures/B-2/v1.zip")
    with published(one, **{f"disclosures/{REFERENCE}/v1.zip": other}) as at:
        assert "this is about B-2" in failed(verify(f"{at}{AT}/v1.zip", TRUST))["reference"]
        assert "this is about B-2" in failed(verify(f"{at}{AT}/", TRUST))["reference"]


def test_a_withdrawn_disclosure_is_said_to_be_so(gone: Shelf, two: Shelf) -> None:
    with published(gone) as at:
        for where in ("/", "/withdrawal.dsse.json"):
            verdict = verify(at + AT + where, TRUST)
            assert verdict.ok
            assert "versions 1 to 2, was withdrawn" in verdict.checks[-1].sentence
        with pytest.raises(AddressRefusedError, match="404"):
            verify(f"{at}{AT}/v2.zip", TRUST)
    kept = two.get(BUCKET, f"disclosures/{REFERENCE}/v2.zip")
    with published(gone, **{f"disclosures/{REFERENCE}/v2.zip": kept}) as at:
        assert "withdrawn on" in failed(verify(f"{at}{AT}/v2.zip", TRUST))["disclosure log"]


def test_a_copy_elsewhere_is_verified_without_a_log(one: Shelf) -> None:
    zipped = one.get(BUCKET, f"disclosures/{REFERENCE}/v1.zip")
    with site({"/mirror/copy.zip": zipped, f"{AT}/v1.zip": zipped}) as at:
        for where in ("/mirror/copy.zip", f"{AT}/v1.zip"):
            verdict = verify(at + where, TRUST)
            assert verdict.ok
            assert all(check.name != "disclosure log" for check in verdict.checks)


def test_what_is_not_there_or_no_log(one: Shelf) -> None:
    with published(one) as at:
        assert "does not know" in failed(verify(f"{at}/disclosures/C-3/", TRUST))["disclosure log"]
        with pytest.raises(AddressRefusedError):
            verify(f"{at}/disclosures/C-3/v1.zip", TRUST)
        assert "opening" in failed(verify(f"{at}/index.html", TRUST))
    with published(one, **{"disclosures.json": b"{}"}) as at, pytest.raises(AddressRefusedError, match="damaged"):
        verify(f"{at}{AT}/", TRUST)
    with pytest.raises(AddressUnavailableError):
        verify(f"{at}{AT}/", TRUST)
    with pytest.raises(AddressRefusedError):
        verify("file:///etc/passwd", TRUST)


# ---------------------------------------------------------------------------------------------- from files


def test_a_folder_a_zip_and_a_log_beside_it(tmp_path: Path, two: Shelf) -> None:
    for key, data in keys_of(two).items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(data)
    folder, log = tmp_path / f"disclosures/{REFERENCE}", str(tmp_path / "disclosures.json")
    for name in ("v1", "v1.zip", "v2", "v2.zip"):
        assert verify(str(folder / name), TRUST).ok
    assert verify(str(folder / "v2.zip"), TRUST, log).ok
    assert "version 2 replaced" in failed(verify(str(folder / "v1.zip"), TRUST, log))["disclosure log"]
    with pytest.raises(NothingThereError):
        verify(str(folder / "v3.zip"), TRUST)


def test_old_bundles_verify_with_the_published_file_after_a_rotation(tmp_path: Path) -> None:
    from infra.keys import make_keys, rotate_signing_key

    def made() -> dict[str, bytes]:
        folder = tmp_path / "keys"
        now = load_keys((folder / "signing.pem").read_bytes(), (folder / "commitment.key").read_bytes())
        return assemble_bundle(dossier(), approval(), files(), POLICY, now)

    make_keys(tmp_path / "keys")
    first = unpack(made(), tmp_path / "first")
    public = rotate_signing_key(tmp_path / "keys").public
    second = unpack(made(), tmp_path / "second")
    trust = Trust(public.read_bytes())
    for folder, which in ((first, "key 2 of the 2"), (second, "key 1 of the 2")):
        verdict = verify(str(folder), trust)
        assert verdict.ok, failed(verdict)
        assert which in next(check.sentence for check in verdict.checks if check.name == "signature")


# ---------------------------------------------------------------------------------------------- the commands


def test_the_command_says_what_was_not_checked_and_how_it_ends(tmp_path: Path) -> None:
    (tmp_path / "v1.zip").write_bytes(zip_bag(bundle(), "case-v1"))
    (tmp_path / "publisher.pem").write_bytes(keys().public.pem)
    done = foi("verify", str(tmp_path / "v1.zip"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Who signed it was not checked" in done.stdout
    done = foi("verify", str(tmp_path / "v1.zip"), "--key", str(tmp_path / "publisher.pem"))
    assert done.returncode == 0
    assert "Everything holds." in done.stdout
    (tmp_path / "v2.zip").write_bytes((tmp_path / "v1.zip").read_bytes())
    done = foi("verify", str(tmp_path / "v2.zip"), "--json")
    assert done.returncode == 6
    said = json.loads(done.stdout)
    assert [check["name"] for check in said["checks"] if not check["ok"]] == ["version"]
    assert said["signed_by"] == keys().key_id
    assert foi("verify", str(tmp_path / "v1.zip"), "--key", str(tmp_path / "nowhere.pem")).returncode == 2


def test_the_command_takes_an_address(one: Shelf) -> None:
    with published(one) as at:
        done = foi("verify", f"{at}{AT}/")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the current one in the disclosure log" in " ".join(done.stdout.split())
        missing = foi("verify", f"{at}{AT}/v9.zip")
    assert missing.returncode == 66
    assert "address-refused" in missing.stderr
    done = foi("verify", f"{at}{AT}/")
    assert done.returncode == 75
    assert "Traceback" not in done.stderr


SECRET = generate_commitment_key()
KEYS = load_keys(generate_signing_key(), SECRET)
SCAN = b"the scan of the minutes"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    records = (replace(dossier().records[0], source_sha256=digest(SCAN)), *dossier().records[1:])
    made = dossier(records=records)
    bag = assemble_bundle(made, approval(made), files(), POLICY, KEYS)
    (tmp_path / "v1.zip").write_bytes(zip_bag(bag, "case-v1"))
    unpack(bag, tmp_path / "bag")
    (tmp_path / "commitment.key").write_bytes(SECRET)
    (tmp_path / "publisher.pem").write_bytes(KEYS.public.pem)
    (tmp_path / "scan").write_bytes(SCAN)
    (tmp_path / "other").write_bytes(b"another scan")
    return tmp_path


def test_prove_answers_yes_and_no(case: Path) -> None:
    given = ("--commitment-key", str(case / "commitment.key"), "--key", str(case / "publisher.pem"))
    for bundle_given in ("v1.zip", "bag"):
        done = foi("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / bundle_given), *given)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Yes, this is the source." in done.stdout
        assert "record 1" in done.stdout
    done = foi("prove", REFERENCE, str(case / "other"), "--bundle", str(case / "v1.zip"), *given)
    assert done.returncode == 6
    assert "No, this is not shown." in done.stdout


def test_prove_takes_its_key_from_the_setting_and_prints_an_opening(case: Path) -> None:
    arguments = ("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "v1.zip"), "--opening")
    done = foi(*arguments, FOI_COMMITMENT_KEY_FILE=str(case / "commitment.key"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "openssl dgst -sha256 -mac HMAC" in done.stdout
    assert SECRET.decode().strip() not in done.stdout
    done = foi(*arguments, "--json", FOI_COMMITMENT_KEY_FILE=str(case / "commitment.key"))
    assert [opening["record"] for opening in json.loads(done.stdout)["openings"]] == [1]


def test_prove_without_what_it_needs_says_what(case: Path) -> None:
    done = foi("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "v1.zip"), "--state", str(case / "none"))
    assert done.returncode == 78
    assert "FOI_COMMITMENT_KEY_FILE" in done.stderr
    key = ("--commitment-key", str(case / "commitment.key"))
    assert foi("prove", REFERENCE, str(case / "nowhere"), *key).returncode == 2
    (case / "bad.zip").write_bytes(b"PK")
    done = foi("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "bad.zip"), *key)
    assert done.returncode == 6
    assert "not-verified" in done.stderr


def test_prove_takes_an_address(case: Path) -> None:
    shelf = {f"{AT}/v1.zip": (case / "v1.zip").read_bytes()}
    with site(shelf) as at:
        arguments = ("--bundle", f"{at}{AT}/v1.zip", "--commitment-key", str(case / "commitment.key"))
        assert foi("prove", REFERENCE, str(case / "scan"), *arguments).returncode == 0


@pytest.mark.servers
def test_prove_asks_the_store_for_the_newest_version_when_no_bundle_is_at_hand(
    case: Path, juicefs_store: StoreServer
) -> None:
    store, bucket = juicefs_store.store, "prove-disclosure"
    store.ensure_bucket(bucket)
    records = (replace(dossier().records[0], source_sha256=digest(SCAN)), *dossier().records[1:])
    made = dossier(records=records)
    environment = {
        "FOI_STORE_ENDPOINT": juicefs_store.endpoint,
        "FOI_STORE_ACCESS_KEY": juicefs_store.access_key,
        "FOI_STORE_SECRET_KEY": juicefs_store.secret_key,
        "FOI_BUCKET_PREFIX": "prove-",
        "FOI_COMMITMENT_KEY_FILE": str(case / "commitment.key"),
        "NO_PROXY": "127.0.0.1",
    }
    asked = ("prove", REFERENCE, str(case / "scan"))
    assert foi(*asked, **environment).returncode == 2  # nothing was published
    publish(store, bucket, made, approval(made), files(), POLICY, KEYS)
    done = foi(*asked, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert foi("prove", REFERENCE, str(case / "other"), **environment).returncode == 6
    withdraw(store, bucket, REFERENCE, "A record named a witness.", LATEST, POLICY.authority, KEYS)
    done = foi(*asked, **environment)
    assert done.returncode == 2
    assert "withdrawn" in done.stderr
