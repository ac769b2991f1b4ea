"""What a forger can do to a bundle, one class of bytes after the other: `foi verify` names the fault each time.

Each test asserts which check finds it, and that its sentence points at the right place.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.disclosure.bag import build_bag, zip_bag
from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.keys import PublisherKey, generate_commitment_key, generate_signing_key, load_keys, load_publisher
from tasks.disclosure.layout import CERTIFICATE, CMS_SIGNATURE, ENVELOPE, SIGNER
from tasks.disclosure.opening import Opened, UnsafeBundleError, open_bundle
from tasks.disclosure.provenance import seal
from tasks.disclosure.signatures import bundle_statement, file_list_signature
from tasks.disclosure.verify import verify_bundle
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys
from tests.disclosure.test_bundle import bundle
from tests.disclosure.test_verify import failed, rebuilt, restated

pytestmark = pytest.mark.slow

Files = dict[str, bytes]
PAYLOAD = {"fixity: manifest-sha256.txt", "fixity: manifest-sha512.txt", "statement"}
TAGS = {"fixity: tagmanifest-sha256.txt", "fixity: tagmanifest-sha512.txt"}
FIRST = "data/records/001-minutes-of-the-public-order-planning-meeting.pdf"
SECOND = "data/records/002-distribution-list.pdf"


def flipped(path: str, at: float, bit: int = 1) -> Files:
    """The bundle with one bit of one file turned round, at a share of its length."""
    data = bytearray(bundle()[path])
    data[int(len(data) * at)] ^= bit
    return {**bundle(), path: bytes(data)}


def found(forged: Files, *, key: bytes | None = None) -> dict[str, str]:
    verdict = verify_bundle(forged, key)
    assert not verdict.ok
    return failed(verdict)


# ---------------------------------------------------------------------------------------------- one bit


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("path", [path for path in sorted(bundle()) if path.startswith("data/")])
def test_a_bit_of_a_disclosed_file(path: str, at: float) -> None:
    faults = found(flipped(path, at))
    assert set(faults) >= PAYLOAD
    assert all(path in faults[name] for name in PAYLOAD)
    assert not TAGS & set(faults)


@pytest.mark.parametrize("at", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("path", [SIGNER, ENVELOPE, CERTIFICATE, "VERIFY.txt", "bag-info.txt", "bagit.txt"])
def test_a_bit_of_a_file_that_accompanies(path: str, at: float) -> None:
    faults = found(flipped(path, at))
    assert set(faults) >= TAGS
    assert all(path in faults[name] for name in TAGS)
    assert not PAYLOAD & set(faults) - {"statement"}


@pytest.mark.parametrize(
    ("manifest", "names"),
    [
        ("manifest-sha256.txt", {"fixity: manifest-sha256.txt", *TAGS}),
        ("manifest-sha512.txt", {"fixity: manifest-sha512.txt", *TAGS}),
        ("tagmanifest-sha256.txt", {"fixity: tagmanifest-sha256.txt", "signature of the file list"}),
        ("tagmanifest-sha512.txt", {"fixity: tagmanifest-sha512.txt"}),
    ],
)
@pytest.mark.parametrize("at", [0.0, 0.5, 0.99])
def test_a_bit_of_a_list_of_files(manifest: str, names: set[str], at: float) -> None:
    assert set(found(flipped(manifest, at))) == names


def test_every_bit_of_the_signature_over_the_list() -> None:
    whole = bundle()
    signed = bundle_statement(whole, None)
    assert signed.statement
    for at in range(len(whole[CMS_SIGNATURE])):
        for bit in (0x01, 0x80):
            data = bytearray(whole[CMS_SIGNATURE])
            data[at] ^= bit
            check = file_list_signature({**whole, CMS_SIGNATURE: bytes(data)}, signed)
            assert check is not None
            assert not check.ok, (at, bit)
    assert set(found(flipped(CMS_SIGNATURE, 0.5))) == {"signature of the file list"}


def changed_envelope(change: Callable[[dict[str, object]], None]) -> Files:
    """The bundle with another envelope, and lists of files that agree with it."""
    envelope = json.loads(bundle()[ENVELOPE])
    change(envelope)
    return rebuilt({ENVELOPE: json.dumps(envelope).encode()})


def flip_base64(value: str) -> str:
    data = bytearray(base64.b64decode(value))
    data[len(data) // 2] ^= 1
    return base64.b64encode(data).decode()


def test_a_bit_of_the_signed_statement_whose_lists_were_made_again() -> None:
    def change(envelope: dict[str, object]) -> None:
        envelope["payload"] = flip_base64(str(envelope["payload"]))

    faults = found(changed_envelope(change))
    assert "not signed by" in faults["signature"] or "damaged" in faults["signature"]


def test_a_bit_of_the_statements_signature_whose_lists_were_made_again() -> None:
    def change(envelope: dict[str, object]) -> None:
        (signature,) = envelope["signatures"]  # type: ignore[misc]
        signature["sig"] = flip_base64(signature["sig"])

    assert "not signed by" in found(changed_envelope(change))["signature"]


def test_a_statement_without_a_signature() -> None:
    assert "not signed by" in found(changed_envelope(lambda envelope: envelope.update(signatures=[])))["signature"]


def test_a_bit_of_the_public_key_whose_lists_were_made_again() -> None:
    pem = bundle()[SIGNER].splitlines()
    pem[1] = base64.b64encode(base64.b64decode(pem[1])[:-1] + b"\0")
    faults = found(rebuilt({SIGNER: b"\n".join(pem) + b"\n"}))
    assert {"signature", "signature of the file list"} <= set(faults)


# ---------------------------------------------------------------------------------------------- the zip itself


@pytest.mark.parametrize("where", ["in memory", "in a file"])
def test_every_bit_of_a_zip_that_is_not_a_files_content(where: str, tmp_path: Path) -> None:
    """A file refuses to be read from before its start in its own way."""
    path = tmp_path / "v1.zip"

    def opened_as(data: bytes) -> Opened:
        if where == "in memory":
            return open_bundle(io.BytesIO(data))
        path.write_bytes(data)
        return open_bundle(path)

    small = build_bag({"data/a.txt": b"alpha", "data/b.txt": b"beta"}, {}, {"x.txt": b"x"})
    good = zip_bag(small, "case-v1")
    opened = opened_as(good)
    assert opened.packing is not None
    assert opened.packing.ok
    for at in range(len(good)):
        for bit in (0x01, 0x20, 0x80):
            bad = bytearray(good)
            bad[at] ^= bit
            try:
                packing = opened_as(bytes(bad)).packing
            except UnsafeBundleError:
                continue
            assert packing is not None
            assert not packing.ok, (at, bit)


@pytest.mark.parametrize(
    "change",
    [
        lambda good: b"before" + good,
        lambda good: good + b"after",
        lambda good: good[:-1],
        lambda good: good[:-2] + b"\x05\x00hello",
    ],
    ids=["before", "after", "cut", "comment"],
)
def test_bytes_beside_the_files_of_a_zip(change: Callable[[bytes], bytes]) -> None:
    faults = found_in_zip(change(zip_bag(bundle(), f"{REFERENCE}-v1")))
    assert {"zip", "opening"} & set(faults)


def found_in_zip(data: bytes) -> dict[str, str]:
    verdict = verify_bundle(io.BytesIO(data))
    assert not verdict.ok
    return failed(verdict)


def test_a_zip_packed_by_another_program_says_what_to_do() -> None:
    import zipfile

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in bundle().items():
            archive.writestr(f"{REFERENCE}-v1/{path}", content)
    faults = found_in_zip(data.getvalue())
    assert set(faults) == {"zip"}
    assert "unpack it and check the folder" in faults["zip"]


# ---------------------------------------------------------------------------------------------- files


def test_two_records_swapped_and_the_lists_made_again() -> None:
    faults = found(rebuilt({FIRST: bundle()[SECOND], SECOND: bundle()[FIRST]}))
    assert all(path in faults[name] for path in (FIRST, SECOND) for name in ("statement", "schedule"))
    assert "signature of the file list" in faults


def test_two_records_swapped_and_nothing_else() -> None:
    faults = found({**bundle(), FIRST: bundle()[SECOND], SECOND: bundle()[FIRST]})
    assert all(path in faults[name] for path in (FIRST, SECOND) for name in PAYLOAD)


@pytest.mark.parametrize("path", ["data/records/004-extra.pdf", "data/note.txt"])
def test_a_file_added_to_what_is_disclosed(path: str) -> None:
    faults = found({**bundle(), path: b"x"})
    assert set(faults) >= {*PAYLOAD, "bag"}
    assert all(path in faults[name] for name in PAYLOAD)
    again = found(rebuilt({path: b"x"}))
    assert path in again["statement"]
    assert not {"bag", "fixity: manifest-sha256.txt"} & set(again)


@pytest.mark.parametrize("path", ["README.txt", "attestations/other.json", "signatures/x.p7s"])
def test_a_file_added_beside_what_is_disclosed(path: str) -> None:
    faults = found({**bundle(), path: b"x"})
    assert set(faults) == {*TAGS, "bag"}
    assert all("not listed" in faults[name] and path in faults[name] for name in TAGS)


@pytest.mark.parametrize("path", [path for path in sorted(bundle()) if path.startswith("data/")])
def test_a_disclosed_file_removed(path: str) -> None:
    faults = found({name: data for name, data in bundle().items() if name != path})
    assert all(path in faults[name] for name in PAYLOAD)
    assert "bag" in faults
    assert path in found(rebuilt({path: None}))["statement"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (ENVELOPE, {"signature", *TAGS}),
        (SIGNER, {"signature", *TAGS}),
        (CERTIFICATE, {"signature of the file list", "accompanying files", *TAGS}),
        (CMS_SIGNATURE, {"signature of the file list"}),
        ("VERIFY.txt", {"accompanying files", *TAGS}),
        ("bagit.txt", {"bag", "accompanying files", *TAGS}),
        ("bag-info.txt", {"bag", "accompanying files", "approval", "schedule", *TAGS}),
        ("manifest-sha256.txt", {"fixity: manifest-sha256.txt", *TAGS}),
        ("tagmanifest-sha256.txt", {"fixity: tagmanifest-sha256.txt", "signature of the file list"}),
    ],
)
def test_a_file_that_accompanies_removed(path: str, names: set[str]) -> None:
    assert set(found({name: data for name, data in bundle().items() if name != path})) == names


# ---------------------------------------------------------------------------------------------- keys and statements


def forger() -> object:
    return load_keys(generate_signing_key(), generate_commitment_key())


def test_a_whole_bundle_made_by_somebody_else() -> None:
    forged = assemble_bundle(dossier(), approval(), files(), POLICY, forger())  # type: ignore[arg-type]
    faults = found(forged, key=keys().public.pem)
    assert set(faults) == {"signature"}
    assert keys().key_id in faults["signature"]


def test_another_certificate_behind_the_genuine_statement() -> None:
    """Who has no key can sign the list of files alone anew: the statement holds, and names another certificate."""
    stranger = forger()
    changed = rebuilt({CERTIFICATE: stranger.certificate_pem, "VERIFY.txt": b"Trust me."})  # type: ignore[attr-defined]
    changed[CMS_SIGNATURE] = stranger.sign_cms(changed["tagmanifest-sha256.txt"])  # type: ignore[attr-defined]
    for key in (None, keys().public.pem):
        faults = found(changed, key=key)
        assert set(faults) == {"signature of the file list", "accompanying files"}
        assert "the certificate the statement names" in faults["signature of the file list"]


def older() -> Files:
    """A bundle whose statement says nothing of a certificate or of accompanying files, as they were once."""

    def say_less(stated: dict[str, Any]) -> None:
        del stated["certificate"], stated["accompanying"]

    return restated(say_less)


def stripped(made: Files) -> Files:
    """Without the signature over the list, without its certificate, and with lists that know of neither."""
    return {path: data for path, data in rebuilt({CERTIFICATE: None}, made).items() if path != CMS_SIGNATURE}


def test_the_signature_over_the_list_left_out_with_its_certificate() -> None:
    """The statement says that there is one; an older one does not, but the key is known never to go without."""
    own = keys().public
    renewed = PublisherKey(own.key, (*forger().public.certificates, *own.certificates))  # type: ignore[attr-defined]
    assert load_publisher(renewed.pem) == (renewed,)
    for forged, given, more in (
        (stripped(bundle()), [None, keys().public_pem, own.pem, renewed.pem], {"accompanying files"}),
        (stripped(older()), [own.pem, renewed.pem], set[str]()),
    ):
        for key in given:
            faults = found(forged, key=key)
            assert set(faults) == {"signature of the file list", *more}
            assert "there should be one" in faults["signature of the file list"]
    for key in (own.pem, renewed.pem):
        assert verify_bundle(bundle(), key).ok
        assert verify_bundle(older(), key).ok


@pytest.mark.parametrize("path", [CERTIFICATE, CMS_SIGNATURE])
def test_a_list_that_speaks_of_a_certificate_demands_its_signature(path: str) -> None:
    """Even where a key is known to have signed without one at some time, and the statement says nothing."""
    own = keys().public
    both = PublisherKey(own.key, (*own.certificates, None))
    left = {name: data for name, data in older().items() if name != path}
    assert "signature of the file list" in found(left, key=both.pem)


def test_another_certificate_behind_an_older_statement() -> None:
    stranger = forger()
    changed = rebuilt({CERTIFICATE: stranger.certificate_pem}, older())  # type: ignore[attr-defined]
    changed[CMS_SIGNATURE] = stranger.sign_cms(changed["tagmanifest-sha256.txt"])  # type: ignore[attr-defined]
    assert verify_bundle(changed).ok  # without the publisher's key, nobody can tell
    assert "the certificate you gave" in found(changed, key=keys().public.pem)["signature of the file list"]


def test_the_statement_of_another_request() -> None:
    letter = {**dossier().letter, "reference": "B-2"}
    other = dossier(reference="B-2", letter=letter)
    envelope = assemble_bundle(other, approval(other), files(), POLICY, keys())[ENVELOPE]
    faults = found(rebuilt({ENVELOPE: envelope}), key=keys().public.pem)
    assert "data/response.html" in faults["statement"]
    assert "different disclosures" in faults["approval"]


def test_the_statement_of_another_version() -> None:
    envelope = assemble_bundle(dossier(), approval(), files(), POLICY, keys(), 2)[ENVELOPE]
    faults = found(rebuilt({ENVELOPE: envelope}), key=keys().public.pem)
    assert {"statement", "approval"} <= set(faults)


def test_a_genuine_statement_about_something_else() -> None:
    envelope = seal({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x"}, keys())
    faults = found(rebuilt({ENVELOPE: envelope}), key=keys().public.pem)
    assert "not about a disclosure" in faults["statement"]
    assert "approval" in faults


def test_an_older_version_under_a_newer_name(tmp_path: object) -> None:
    folder = tmp_path / "v2.zip"  # type: ignore[operator]
    folder.write_bytes(zip_bag(bundle(), f"{REFERENCE}-v1"))
    assert failed(verify_bundle(folder, keys().public.pem)) == {
        "version": "It was given as version 2; what was signed is version 1."
    }
