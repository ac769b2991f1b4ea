"""Whether a bundle is exactly its files: no other beside them, none under a name that only looks like one."""

from __future__ import annotations

import pytest

from tasks.disclosure.bag import ALGORITHMS, manifest_of
from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.fixity import TAG_FILES, fixity_checks
from tasks.disclosure.keys import SigningKeys, generate_commitment_key, generate_signing_key, load_keys
from tasks.disclosure.layout import INFO, UNLISTED
from tasks.disclosure.verify import verify_bundle
from tests.disclosure.examples import POLICY, approval, dossier, files
from tests.disclosure.test_bundle import bundle
from tests.disclosure.test_verify import failed

pytestmark = pytest.mark.slow

Files = dict[str, bytes]


def faults(given: Files) -> dict[str, str]:
    return {check.name: check.sentence for check in fixity_checks(given) if not check.ok}


def listed_again(given: Files) -> Files:
    """With tag manifests that agree with whatever stands beside the payload."""
    beside = {
        path: data
        for path, data in given.items()
        if not path.startswith(("data/", "tagmanifest-sha")) and path not in UNLISTED
    }
    return given | {f"tagmanifest-{name}.txt": manifest_of(beside, name) for name in ALGORITHMS}


def test_what_stands_beside_the_payload_is_a_closed_set() -> None:
    assert {path for path in bundle() if not path.startswith("data/")} <= TAG_FILES
    assert faults(listed_again(bundle())) == {}


@pytest.mark.parametrize(
    "path",
    [
        "tagmanifest-README-corrected-response.html",
        "tagmanifest-addendum/unredacted.pdf",
        "tagmanifest-md5.txt",
        "tagmanifest-../x",
        "manifest-md5.txt",
        "README.txt",
        "fetch.txt",
        "attestations/correction.pdf",
        "DATA/response.html",
    ],
)
def test_no_other_file_stands_beside_it_even_listed(path: str) -> None:
    assert path in faults(listed_again({**bundle(), path: b"x"}))["bag"]


@pytest.mark.parametrize("path", ["data/a b.txt", "data/ response.html", "data/caf\u00e9.txt", "data/-rf"])
def test_a_path_that_no_bag_of_ours_has_is_named(path: str) -> None:
    assert "files that no disclosure" in faults({**bundle(), path: b"x"})["bag"]


@pytest.mark.parametrize("name", [" VERIFY.txt", "\u3000VERIFY.txt", "VERIFY.txt ", "VERIFY.txt\u2028", "verify.txt"])
def test_a_name_that_only_looks_like_another_is_not_it(name: str) -> None:
    swapped = {(name if path == "VERIFY.txt" else path): data for path, data in bundle().items()}
    assert {"bag", *(f"fixity: tagmanifest-{algorithm}.txt" for algorithm in ALGORITHMS)} == set(faults(swapped))
    assert "bag" in faults(listed_again(swapped))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"  data/response.html", b" data/response.html"),
        (b"  data/response.html", b"   data/response.html"),
        (b"  data/response.html\n", b"  data/response.html\r\n"),
        (b"  data/response.html\n", b"  data/response.html\n\n"),
        (b"  data/response.html\n", b"  data/response.html\n  \n"),
        (b"  data/response.html\n", b"  data/response.html\xe2\x80\xa8"),
        (b"  data/response.html\n", b" *data/response.html\n"),
    ],
)
def test_a_list_of_files_has_one_form(old: bytes, new: bytes) -> None:
    name = "manifest-sha256.txt"
    spelt = {**bundle(), name: bundle()[name].replace(old, new)}
    assert f"fixity: {name}" in faults(listed_again(spelt))
    shout = {**bundle(), name: bundle()[name].upper()}
    assert f"fixity: {name}" in faults(listed_again(shout))


@pytest.mark.parametrize(
    "more", [b"Source-Organization: Somebody\n", b"loose words\n", b" folded\n", b"no end", b"A: \xe2\x80\xa8B: c\n\n"]
)
def test_bag_info_says_each_thing_once(more: bytes) -> None:
    assert "bag" in faults(listed_again({**bundle(), INFO: bundle()[INFO] + more}))


# ---------------------------------------------------------------------------------------------- signed as well


def without_certificate() -> SigningKeys:
    """Keys of Ed25519 alone: then nothing but the statement is signed."""
    first = generate_signing_key().split(b"-----END PRIVATE KEY-----\n")[0] + b"-----END PRIVATE KEY-----\n"
    return load_keys(first, generate_commitment_key())


KEYS = without_certificate()


def plain_bundle() -> Files:
    return assemble_bundle(dossier(), approval(), files(), POLICY, KEYS)


def sentence(given: Files, name: str, key: bytes | None) -> str:
    return next(check.sentence for check in verify_bundle(given, key).checks if check.name == name)


def test_the_statement_covers_what_stands_beside_the_payload() -> None:
    whole = plain_bundle()
    verdict = verify_bundle(whole, KEYS.public.pem)
    assert verdict.ok, failed(verdict)
    assert "names Northshire Police as publisher" in sentence(whole, "accompanying files", KEYS.public.pem)
    assert "publisher" not in sentence(whole, "accompanying files", None)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (INFO, b"Northshire Police", b"Metropolitan Police"),
        (INFO, b"Planning meeting", b"Something else"),
        ("VERIFY.txt", b"must be", b"may be"),
        ("bagit.txt", b"1.0", b"0.97"),
        ("attestations/signer.pub.pem", b"-----BEGIN", b"\n-----BEGIN"),
    ],
)
def test_without_a_certificate_they_are_signed_all_the_same(path: str, old: bytes, new: bytes) -> None:
    changed = listed_again(plain_bundle() | {path: plain_bundle()[path].replace(old, new)})
    assert changed[path] != plain_bundle()[path]
    found = failed(verify_bundle(changed, KEYS.public.pem))
    assert set(found) == {"accompanying files"}
    assert path in found["accompanying files"]


def test_one_left_out_or_added_is_named() -> None:
    fewer = {path: data for path, data in plain_bundle().items() if path != "VERIFY.txt"}
    assert "VERIFY.txt" in failed(verify_bundle(listed_again(fewer), KEYS.public.pem))["accompanying files"]
    more = {**plain_bundle(), "attestations/time-stamping.pem": b"x"}
    found = failed(verify_bundle(listed_again(more), KEYS.public.pem))
    assert "attestations/time-stamping.pem" in found["accompanying files"]


def test_a_bundle_of_before_verifies_and_names_no_publisher() -> None:
    import tasks.disclosure.bundle as writing

    def as_before(*args: object, **options: object) -> dict[str, object]:
        statement = real(*args, **options)  # type: ignore[arg-type]
        del statement["predicate"]["accompanying"]
        return statement

    real = writing.disclosure_statement
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "disclosure_statement", as_before)
        old = plain_bundle()
    verdict = verify_bundle(old, KEYS.public.pem)
    assert verdict.ok, failed(verdict)
    assert not any("Northshire" in check.sentence for check in verdict.checks)
