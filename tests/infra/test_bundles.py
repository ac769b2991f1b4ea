"""`foi verify` and `foi prove` as people meet them: with files, with web addresses, with a site that lies."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.bundles import Trust, bundle_files, verify
from infra.cli import app
from infra.keys import make_keys, rotate_signing_key
from tasks.codec import digest
from tasks.disclosure.bag import zip_bag
from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.keys import SigningKeys, generate_commitment_key, generate_signing_key, load_keys
from tasks.disclosure.layout import CMS_SIGNATURE, ENVELOPE, SIGNED_LIST
from tasks.disclosure.provenance import seal
from tasks.disclosure.publish import publish, withdraw
from tasks.errors import NoSuchFileError, NothingThereError, UnknownRequestError
from tasks.fetch import AddressRefusedError, AddressUnavailableError
from tests.conftest import StoreServer
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.shelf import Shelf
from tests.disclosure.test_bundle import bundle, unpack
from tests.disclosure.test_publish import BUCKET, LATER, LATEST, another, corrected, keys_of, released, take_back
from tests.disclosure.test_verify import failed, rebuilt
from tests.fetch.sites import Answer, site
from tests.infra.test_cli import ROOT, foi
from tests.infra.test_keys import blocks

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
            assert any("versions 1 to 2, was withdrawn" in check.sentence for check in verdict.checks)
        with pytest.raises(AddressRefusedError, match="404"):
            verify(f"{at}{AT}/v2.zip", TRUST)
        faults = failed(verify(f"{at}{AT}/", Trust()))
        assert "was withdrawn on" in faults["disclosure log"]
        assert "with --key" in faults["signature"]
    kept = two.get(BUCKET, f"disclosures/{REFERENCE}/v2.zip")
    with published(gone, **{f"disclosures/{REFERENCE}/v2.zip": kept}) as at:
        assert "withdrawn on" in failed(verify(f"{at}{AT}/v2.zip", TRUST))["disclosure log"]


def test_a_withdrawal_of_another_request_is_none_of_this_one(gone: Shelf, two: Shelf) -> None:
    record = gone.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal.dsse.json")
    with published(gone, **{"disclosures/B-2/withdrawal.dsse.json": record, "kept/withdrawal.dsse.json": record}) as at:
        faults = failed(verify(f"{at}/disclosures/B-2/withdrawal.dsse.json", TRUST))
        assert set(faults) == {"reference"}
        assert f"Asked for was B-2; this is about {REFERENCE}" in faults["reference"]
        assert verify(f"{at}/kept/withdrawal.dsse.json", TRUST).ok  # an address that says nothing


def test_only_the_record_of_a_withdrawal_is_taken_for_one(one: Shelf, tmp_path: Path) -> None:
    """The address of any file of a bundle stands for the bundle, and a zip may be called what it likes."""
    zipped = one.get(BUCKET, f"disclosures/{REFERENCE}/v1.zip")
    with published(one, **{"mirror/copy.json": zipped}) as at:
        for path in ("/v1/data/schedule.json", "/v1/attestations/disclosure.dsse.json"):
            verdict = verify(at + AT + path, TRUST)
            assert verdict.ok, failed(verdict)
            assert verdict.version == 1
        assert verify(f"{at}/mirror/copy.json", TRUST).ok
    (tmp_path / "copy.json").write_bytes(zipped)
    assert verify(str(tmp_path / "copy.json"), TRUST).ok


def test_a_log_that_is_given_and_empty_is_compared_with_all_the_same(two: Shelf, tmp_path: Path) -> None:
    (tmp_path / "disclosures.json").write_bytes(b"")
    with published(two) as at:
        for where in ("/", "/v2.zip"):
            faults = failed(verify(at + AT + where, TRUST, log=str(tmp_path / "disclosures.json")))
            assert faults == {"disclosure log": "The disclosure log is damaged."}


def test_a_copy_elsewhere_is_verified_and_it_is_said_that_no_log_was_found(one: Shelf) -> None:
    zipped = one.get(BUCKET, f"disclosures/{REFERENCE}/v1.zip")
    with site({"/mirror/copy.zip": zipped, f"{AT}/v1.zip": zipped, f"{AT}/V1.zip": zipped}) as at:
        for where in ("/mirror/copy.zip", f"{AT}/v1.zip", f"{AT}/V1.zip"):
            verdict = verify(at + where, TRUST)
            assert verdict.ok
            assert "No disclosure log was found with it" in verdict.checks[-1].sentence


@pytest.mark.parametrize(
    "where",
    [f"/{AT}/v1.zip", f"{AT}//v1.zip", f"{AT}/./v1.zip", f"{AT}/%761.zip", f"/x/..{AT}/v1.zip", f"{AT}/v1.zip?a=b#c"],
)
def test_an_address_in_another_spelling_is_the_same_address(two: Shelf, where: str) -> None:
    with published(two) as at:
        assert "as asked for" in verify(at + where, TRUST).checks[-1].sentence


def test_what_is_no_reference_or_no_version_is_no_address_of_a_site(one: Shelf) -> None:
    zipped = one.get(BUCKET, f"disclosures/{REFERENCE}/v1.zip")
    odd = f"/disclosures/{REFERENCE}/v{'9' * 5000}.zip"
    with site({"/disclosures/-x/v1.zip": zipped, odd: zipped}) as at:
        for where in ("/disclosures/-x/v1.zip", odd):
            assert "No disclosure log" in verify(at + where, TRUST).checks[-1].sentence


# ---------------------------------------------------------------------------------------------- withdrawals


@pytest.fixture(scope="module")
def back() -> Shelf:
    """Version 1 was withdrawn, and version 2 published since."""
    shelf = Shelf()
    released(shelf)
    take_back(shelf, LATER)
    released(shelf, corrected(), LATEST)
    return shelf


def record_of(shelf: Shelf, reference: str = REFERENCE) -> bytes:
    return shelf.get(BUCKET, f"disclosures/{reference}/withdrawal.dsse.json")


def log_of(shelf: Shelf, folder: Path) -> str:
    path = folder / "log.json"
    path.write_bytes(shelf.get(BUCKET, "disclosures.json"))
    return str(path)


def test_a_withdrawal_is_held_against_the_log_in_every_form(gone: Shelf, two: Shelf, tmp_path: Path) -> None:
    record = tmp_path / "withdrawal.dsse.json"
    record.write_bytes(record_of(gone))
    (tmp_path / "live").mkdir()
    own, live = log_of(gone, tmp_path), log_of(two, tmp_path / "live")
    assert verify(str(record), TRUST).ok
    assert "shows it as withdrawn too" in verify(str(record), TRUST, own).checks[-1].sentence
    assert "shows no withdrawal but version 2" in failed(verify(str(record), TRUST, live))["disclosure log"]
    with published(gone) as at:
        for where in ("/", "/withdrawal.dsse.json"):
            assert "shows it as withdrawn too" in verify(at + AT + where, TRUST).checks[-1].sentence
            assert "shows no withdrawal" in failed(verify(at + AT + where, TRUST, live))["disclosure log"]


def test_the_withdrawal_of_another_request_in_its_place_is_named(one: Shelf, gone: Shelf) -> None:
    with published(one, **{"disclosures/B-2/withdrawal.dsse.json": record_of(gone)}) as at:
        faults = failed(verify(f"{at}/disclosures/B-2/withdrawal.dsse.json", TRUST))
    assert "this is about 01.FOI" in faults["reference"]


def test_an_old_withdrawal_replayed_for_what_is_public_again_is_named(back: Shelf, tmp_path: Path) -> None:
    old = back.get(BUCKET, f"disclosures/{REFERENCE}/withdrawal-v1.dsse.json")
    forged = json.loads(back.get(BUCKET, "disclosures.json"))
    forged["disclosures"][0]["outcome"] = "withdrawn"
    changes = {f"disclosures/{REFERENCE}/withdrawal.dsse.json": old}
    with published(back, **changes) as at:
        assert "shows no withdrawal" in failed(verify(f"{at}{AT}/withdrawal.dsse.json", TRUST))["disclosure log"]
        kept = verify(f"{at}{AT}/withdrawal-v1.dsse.json", TRUST)
        assert kept.ok
        assert "Published since is version 2" in kept.checks[-1].sentence
    with published(back, **changes, **{"disclosures.json": json.dumps(forged).encode()}) as at:
        assert "another withdrawal: version 2" in failed(verify(f"{at}{AT}/", TRUST))["disclosure log"]
        faults = failed(verify(f"{at}{AT}/", TRUST, log_of(back, tmp_path)))
        assert "shows no withdrawal" in faults["disclosure log"]


def test_a_withdrawn_version_served_as_an_older_one_is_named(back: Shelf) -> None:
    first = Shelf()
    released(first)
    kept = first.get(BUCKET, f"disclosures/{REFERENCE}/v1.zip")
    with published(back, **{f"disclosures/{REFERENCE}/v1.zip": kept}) as at:
        faults = failed(verify(f"{at}{AT}/v1.zip", TRUST))
    assert "version 1, which was withdrawn: do not use or share it" in faults["disclosure log"]


def test_a_withdrawal_without_a_log_beside_it_says_so(gone: Shelf) -> None:
    with site({f"{AT}/withdrawal.dsse.json": record_of(gone)}) as at:
        verdict = verify(f"{at}{AT}/withdrawal.dsse.json", TRUST)
    assert verdict.ok
    assert "No disclosure log was found" in verdict.checks[-1].sentence


def test_a_folder_with_the_name_of_a_file_is_looked_into(tmp_path: Path) -> None:
    for name in ("x.json", "withdrawal.dsse.json"):
        (tmp_path / name).mkdir()
        assert not verify(str(tmp_path / name), TRUST).ok
    with pytest.raises(NoSuchFileError):
        verify(str(unpack(bundle(), tmp_path / "bag")), TRUST, str(tmp_path))


def test_the_folder_in_a_zip_is_called_what_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "copy.zip"
    for name in (f"{REFERENCE}-v2", "B-2-v1", "x"):
        path.write_bytes(zip_bag(bundle(), name))
        assert set(failed(verify(str(path), TRUST))) == {"folder"}
    path.write_bytes(zip_bag(bundle(), f"{REFERENCE}-v1"))
    assert verify(str(path), TRUST).ok


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
    with pytest.raises(NoSuchFileError):
        verify(str(folder / "v3.zip"), TRUST)
    assert "give one of them (v1 v2)" in verify(str(folder), TRUST).checks[0].sentence
    assert "no zip" in verify(log, TRUST).checks[0].sentence


def test_a_record_that_was_taken_out_is_missing_and_nothing_else_is_said_of_it(tmp_path: Path) -> None:
    folder = unpack(bundle(), tmp_path / "bag")
    gone = sorted((folder / "data/records").iterdir())[1]
    gone.unlink()
    faults = failed(verify(str(folder), TRUST))
    assert f"{gone.name}: the file is missing" in faults["pages"]
    assert "hidden content" not in faults


def test_a_key_file_without_a_key_is_the_users_mistake_and_not_the_bundles(tmp_path: Path) -> None:
    folder, wrong = unpack(bundle(), tmp_path / "bag"), tmp_path / "notes.txt"
    wrong.write_text("not a key")
    answer = CliRunner().invoke(app, ["verify", str(folder), "--key", str(wrong)])
    assert answer.exit_code == 2
    assert "nothing was checked" in " ".join(answer.output.split())


def test_old_bundles_verify_after_a_certificate_was_renewed_added_or_dropped(tmp_path: Path) -> None:
    """The key stays the same; what was signed with the one, the other or no certificate holds with the file published
    at the end. So do statements from before they named their certificate."""
    made = make_keys(tmp_path / "keys")
    first, rsa, certificate = blocks(made.signing.read_bytes())
    _, *renewed = blocks(generate_signing_key())
    bundles = []
    for pem in (first, first + rsa + certificate, first + b"".join(renewed)):
        made.signing.write_bytes(pem)
        make_keys(tmp_path / "keys")
        now = load_keys(pem, made.commitment.read_bytes())
        bundles.append(assemble_bundle(dossier(), approval(), files(), POLICY, now))
        bundles.append(unstated(bundles[-1], now))
    for bag in bundles:
        verdict = verify(str(unpack(bag, tmp_path / str(bundles.index(bag)))), Trust(made.public.read_bytes()))
        assert verdict.ok, failed(verdict)
        assert verdict.trusted
        said = "The list of files is signed with the certificate you gave (CMS)."
        assert (said in {check.sentence for check in verdict.checks}) == (CMS_SIGNATURE in bag)


def unstated(bag: dict[str, bytes], by: SigningKeys) -> dict[str, bytes]:
    """The bundle as it was made when statements did not name the certificate yet."""
    statement = json.loads(base64.b64decode(json.loads(bag[ENVELOPE])["payload"]))
    del statement["predicate"]["certificate"]
    again = rebuilt({ENVELOPE: seal(statement, by)}, bag)
    signature = by.sign_cms(again[SIGNED_LIST])
    return {**again, **({CMS_SIGNATURE: signature} if signature else {})}


def test_old_bundles_verify_with_the_published_file_after_a_rotation(tmp_path: Path) -> None:
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
    (tmp_path / "v1.zip").write_bytes(zip_bag(bundle(), f"{REFERENCE}-v1"))
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


WITHOUT_NETWORK = """
import os, sys

def refuse(event, arguments):
    asks_for_a_name = event in ("socket.getaddrinfo", "socket.gethostbyname")
    sends = event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], tuple)
    if asks_for_a_name or sends:  # the address of a socket within this machine is a path
        os._exit(99)  # nothing can catch this

sys.addaudithook(refuse)
from infra.cli import main
main()
"""


def test_a_file_or_folder_is_verified_without_any_network(tmp_path: Path) -> None:
    (tmp_path / "v1.zip").write_bytes(zip_bag(bundle(), f"{REFERENCE}-v1"))
    (tmp_path / "key.pem").write_bytes(keys().public.pem)
    unpack(bundle(), tmp_path / "v1")

    def verified(target: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", WITHOUT_NETWORK, "verify", target, "--key", str(tmp_path / "key.pem")]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    for name in ("v1.zip", "v1"):
        done = verified(str(tmp_path / name))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Everything holds." in done.stdout
    for address in ("http://127.0.0.1:9/v1.zip", "http://nowhere.invalid/v1.zip"):
        assert verified(address).returncode == 99  # so it would have been seen


SECRET = generate_commitment_key()
SIGNING = generate_signing_key()
KEYS = load_keys(SIGNING, SECRET)
SCAN = b"the scan of the minutes"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    records = (replace(dossier().records[0], source_sha256=digest(SCAN)), *dossier().records[1:])
    made = dossier(records=records)
    bag = assemble_bundle(made, approval(made), files(), POLICY, KEYS)
    (tmp_path / "v1.zip").write_bytes(zip_bag(bag, f"{REFERENCE}-v1"))
    unpack(bag, tmp_path / "bag")
    (tmp_path / "commitment.key").write_bytes(SECRET)
    (tmp_path / "signing.pem").write_bytes(SIGNING)
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


def test_prove_takes_its_keys_from_the_settings_and_prints_an_opening(case: Path) -> None:
    arguments = ("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "v1.zip"), "--opening")
    keys_of_the_authority = {
        "FOI_COMMITMENT_KEY_FILE": str(case / "commitment.key"),
        "FOI_SIGNING_KEY_FILE": str(case / "signing.pem"),
    }
    done = foi(*arguments, **keys_of_the_authority)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "openssl dgst -sha256 -mac HMAC" in done.stdout
    assert SECRET.decode().strip() not in done.stdout
    done = foi(*arguments, "--json", **keys_of_the_authority)
    assert [opening["record"] for opening in json.loads(done.stdout)["openings"]] == [1]


def test_prove_without_what_it_needs_says_what(case: Path) -> None:
    done = foi("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "v1.zip"), "--state", str(case / "none"))
    assert done.returncode == 78
    assert "FOI_COMMITMENT_KEY_FILE" in done.stderr
    key = ("--commitment-key", str(case / "commitment.key"))
    asked = ("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "v1.zip"), "--state", str(case / "none"))
    done = foi(*asked, *key)
    assert done.returncode == 78
    assert "FOI_SIGNING_KEY_FILE" in done.stderr
    key += ("--key", str(case / "publisher.pem"))
    assert foi("prove", REFERENCE, str(case / "nowhere"), *key).returncode == 2
    (case / "bad.zip").write_bytes(b"PK")
    done = foi("prove", REFERENCE, str(case / "scan"), "--bundle", str(case / "bad.zip"), *key)
    assert done.returncode == 6
    assert "not-verified" in done.stderr


def test_a_page_leads_prove_where_it_leads_verify(one: Shelf, two: Shelf, gone: Shelf) -> None:
    """The site's log says which version is current; where it cannot, that is said and nothing is guessed."""
    with published(two) as at:
        assert b"Disclosure-Version: 2" in bundle_files(f"{at}{AT}/")["bag-info.txt"]
        assert b"Disclosure-Version: 1" in bundle_files(f"{at}{AT}/v1/")["bag-info.txt"]
        with pytest.raises(UnknownRequestError):
            bundle_files(f"{at}/disclosures/C-3/")
    with published(one, **{"disclosures.json": b"{}"}) as at, pytest.raises(AddressRefusedError, match="damaged"):
        bundle_files(f"{at}{AT}/")
    kept = two.get(BUCKET, f"disclosures/{REFERENCE}/v2.zip")
    there_still = {f"disclosures/{REFERENCE}/v2.zip": kept}
    with published(gone, **there_still) as at, pytest.raises(NothingThereError, match="withdrawn"):
        bundle_files(f"{at}{AT}/")


def test_prove_takes_an_address(case: Path) -> None:
    shelf = {f"{AT}/v1.zip": (case / "v1.zip").read_bytes()}
    with site(shelf) as at:
        given = ("--commitment-key", str(case / "commitment.key"), "--key", str(case / "publisher.pem"))
        arguments = ("--bundle", f"{at}{AT}/v1.zip", *given)
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
        "FOI_SIGNING_KEY_FILE": str(case / "signing.pem"),
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
