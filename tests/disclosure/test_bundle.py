from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import bagit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.disclosure.bag import build_bag, manifest_of, zip_bag
from tasks.disclosure.bundle import (
    Listed,
    Superseded,
    assemble_bundle,
    bag_digest,
    dossier_digest,
    listed_in,
    listed_of,
    safe_file_name,
    what_changed,
)
from tasks.disclosure.keys import SigningKeys, generate_commitment_key, generate_signing_key, load_keys
from tasks.errors import KeysMissingError, NotApprovedError, UnfitNameError
from tasks.geometry import Box
from tasks.model import Approval, Dossier
from tasks.request import Policy
from tests.disclosure.examples import POLICY, REFERENCE, approval, dossier, files, keys

pytestmark = pytest.mark.slow

OPINIONS = Path(sys.prefix) / "opinions/bin/python"


@cache
def bundle() -> dict[str, bytes]:
    return assemble_bundle(dossier(), approval(), files(), POLICY, keys())


def unpack(bag: Mapping[str, bytes], folder: Path) -> Path:
    for path, data in bag.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


# ---------------------------------------------------------------------------------------------- bag


def test_the_library_of_congress_tool_finds_the_bag_valid(tmp_path: Path) -> None:
    bag = bagit.Bag(str(unpack(bundle(), tmp_path / "bag")))
    assert bag.validate()
    assert bag.info["External-Identifier"] == REFERENCE
    assert bag.info["Bagging-Date"] == "2026-03-30"


def test_the_checksum_tools_agree(tmp_path: Path) -> None:
    folder = unpack(bundle(), tmp_path / "bag")
    for kind in ("manifest", "tagmanifest"):
        for tool in ("sha256", "sha512"):
            subprocess.run([f"{tool}sum", "--check", "--strict", f"{kind}-{tool}.txt"], cwd=folder, check=True)


def test_every_line_of_verify_txt_runs_and_holds(tmp_path: Path) -> None:
    folder = unpack(bundle(), tmp_path / "bag")
    lines = verify_lines(folder)
    assert len(lines) == 12
    for line in lines:
        subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, check=True, env=with_tools())
    assert bagit.Bag(str(folder)).validate()


def test_every_line_of_verify_txt_holds_with_a_certificate_that_an_authority_issued(tmp_path: Path) -> None:
    """Who checks has the signer's certificate alone, not that of whoever issued it."""
    for line in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Authority -days 9",
        "req -newkey rsa:2048 -nodes -keyout own.key -out own.csr -subj /CN=Signer",
        "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out own.pem -days 9",
    ):
        subprocess.run(["openssl", *line.split()], cwd=tmp_path, check=True, capture_output=True)
    first = generate_signing_key().split(b"-----END PRIVATE KEY-----\n")[0] + b"-----END PRIVATE KEY-----\n"
    pem = first + (tmp_path / "own.key").read_bytes() + (tmp_path / "own.pem").read_bytes()
    issued = load_keys(pem, generate_commitment_key())
    folder = unpack(assemble_bundle(dossier(), approval(), files(), POLICY, issued), tmp_path / "bag")
    lines = verify_lines(folder, issued)
    assert sum(line.startswith("openssl cms") for line in lines) == 1
    for line in lines:
        subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, check=True, env=with_tools())


def verify_lines(folder: Path, signed_by: SigningKeys | None = None) -> list[str]:
    text = (folder / "VERIFY.txt").read_text()
    assert (signed_by or keys()).key_id in text
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def with_tools() -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    "path",
    ["data/response.html", "attestations/disclosure.dsse.json", "attestations/signer.pub.pem", "manifest-sha256.txt"],
)
def test_some_line_of_verify_txt_fails_on_a_changed_file(tmp_path: Path, path: str) -> None:
    changed = bytearray(bundle()[path])
    changed[len(changed) // 2] ^= 1
    folder = unpack({**bundle(), path: bytes(changed)}, tmp_path / "bag")
    results = [
        subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, env=with_tools())
        for line in verify_lines(folder)
    ]
    assert any(result.returncode for result in results)


@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "attestations/correction.pdf",
        "data/records/009-extra.pdf",
        "tagmanifest-x.html",
        ".hidden",
        "a\nb",
    ],
)
def test_a_line_of_verify_txt_notices_a_file_that_no_list_names(tmp_path: Path, path: str) -> None:
    folder = unpack({**bundle(), path: b"x"}, tmp_path / "bag")
    write, compare = (line for line in verify_lines(folder) if "listed.txt" in line)
    for shell in ("sh", "bash"):
        subprocess.run([shell, "-c", write], cwd=folder, check=True)
        done = subprocess.run([shell, "-c", compare], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert path.split("\n")[0] in done.stdout
    (folder / path).unlink()
    (folder / "link").symlink_to("bagit.txt")
    assert subprocess.run(["sh", "-c", compare], cwd=folder, capture_output=True, check=False).returncode == 1
    (folder / "link").unlink()
    subprocess.run(["sh", "-c", compare], cwd=folder, check=True)


def test_a_line_of_verify_txt_holds_what_accompanies_against_the_statement(tmp_path: Path) -> None:
    """Changed together with the lists: only the statement, which is signed, knows better."""
    changed = {**bundle(), "bag-info.txt": bundle()["bag-info.txt"].replace(b"Northshire", b"Southshire")}
    tags = {
        path: data for path, data in changed.items() if not path.startswith(("data/", "tagmanifest-", "signatures/"))
    }
    for name in ("sha256", "sha512"):
        changed[f"tagmanifest-{name}.txt"] = manifest_of(tags, name)
    folder = unpack(changed, tmp_path / "bag")
    results = {
        line: subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, env=with_tools()).returncode
        for line in verify_lines(folder)
    }
    (failing,) = [line for line, code in results.items() if code and not line.startswith("openssl cms")]
    assert "accompanying" in failing


def test_the_key_identifier_printed_by_verify_txt_is_the_one_named(tmp_path: Path) -> None:
    folder = unpack(bundle(), tmp_path / "bag")
    last = subprocess.run(
        ["bash", "-c", verify_lines(folder)[-1]], cwd=folder, capture_output=True, text=True, check=True
    )
    assert last.stdout.split()[0] == keys().key_id


def test_the_bag_holds_what_the_contract_names() -> None:
    assert set(bundle()) == {
        "VERIFY.txt",
        "attestations/certificate.pem",
        "attestations/disclosure.dsse.json",
        "attestations/signer.pub.pem",
        "bag-info.txt",
        "bagit.txt",
        "data/records/001-minutes-of-the-public-order-planning-meeting.pdf",
        "data/records/002-distribution-list.pdf",
        "data/records/003-poster-for-the-spring-campaign.pdf",
        "data/response.html",
        "data/response.pdf",
        "data/ro-crate-metadata.json",
        "data/schedule.csv",
        "data/schedule.html",
        "data/schedule.json",
        "manifest-sha256.txt",
        "manifest-sha512.txt",
        "signatures/tagmanifest-sha256.txt.p7s",
        "tagmanifest-sha256.txt",
        "tagmanifest-sha512.txt",
    }


def test_no_private_key_and_no_source_digest_leaves() -> None:
    everything = b"\n".join(bundle().values())
    assert b"PRIVATE" not in everything
    for record in dossier().records:
        assert record.source_sha256.encode() not in everything


def test_the_same_input_gives_the_same_bytes() -> None:
    again = assemble_bundle(dossier(), approval(), files(), POLICY, keys())
    assert again == bundle()
    assert zip_bag(again, "x") == zip_bag(dict(reversed(again.items())), "x")


def test_the_zip_holds_the_same_bytes_below_one_folder() -> None:
    with zipfile.ZipFile(BytesIO(zip_bag(bundle(), "name-v1"))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"name-v1/{path}": data for path, data in bundle().items()
        }


@pytest.mark.parametrize(
    "path", ["data/../x", "/data/x", "data/a b", "data/-rf", "data/é", "elsewhere/x", "data/a\nb", "data//x"]
)
def test_a_path_that_needs_escaping_is_refused(path: str) -> None:
    with pytest.raises(UnfitNameError):
        build_bag({path: b""}, {}, {})


def test_a_tag_file_may_not_pose_as_payload() -> None:
    with pytest.raises(UnfitNameError):
        build_bag({"data/x": b""}, {}, {"data/y": b""})


def test_bag_info_cannot_be_given_further_lines() -> None:
    bag = build_bag({"data/x": b"x"}, {"External-Description": "a\nPayload-Oxum: 0.0"}, {})
    assert bag["bag-info.txt"] == b"External-Description: a Payload-Oxum: 0.0\nPayload-Oxum: 1.1\n"


# ---------------------------------------------------------------------------------------------- approval


@pytest.mark.parametrize(
    ("case", "given"),
    [
        (dossier(), replace(approval(), dossier="0" * 64)),
        (dossier(), replace(approval(), reference="other")),
        (replace(dossier(), title="Another title"), approval()),
        (replace(dossier(), tools=()), approval()),
    ],
    ids=["digest", "reference", "title changed after", "tools changed after"],
)
def test_only_exactly_what_was_approved_is_bundled(case: Dossier, given: Approval) -> None:
    with pytest.raises(NotApprovedError):
        assemble_bundle(case, given, files(), POLICY, keys())


def test_another_policy_is_not_the_approved_one() -> None:
    with pytest.raises(NotApprovedError):
        assemble_bundle(dossier(), approval(), files(), Policy(), keys())


@pytest.mark.parametrize("fault", ["changed", "missing", "added", "swapped"])
def test_record_files_must_be_the_approved_ones(fault: str) -> None:
    given = files()
    first, second, *_ = given
    match fault:
        case "changed":
            given[first] += b"\n"
        case "missing":
            del given[first]
        case "added":
            given["009-other.pdf"] = b""
        case "swapped":
            given[first], given[second] = given[second], given[first]
    with pytest.raises(NotApprovedError):
        assemble_bundle(dossier(), approval(), given, POLICY, keys())


def test_an_incomplete_response_is_not_published_and_the_part_is_named() -> None:
    case = dossier(letter={**dossier().letter, "decision": {"exemptions": [{"section": "s.42"}]}})
    with pytest.raises(NotApprovedError) as caught:
        assemble_bundle(case, approval(case), files(), POLICY, keys())
    assert "s.42: the reason why it applies" in str(caught.value)
    assemble_bundle(case, None, files(), POLICY, None)


def test_without_a_key_nothing_approved_is_bundled() -> None:
    with pytest.raises(KeysMissingError, match="key"):
        assemble_bundle(dossier(), approval(), files(), POLICY, None)


def test_a_draft_is_marked_and_not_signed() -> None:
    draft = assemble_bundle(dossier(), None, files(), POLICY, None)
    assert b"Draft" in draft["data/response.html"]
    assert not any(path.startswith(("attestations/", "signatures/")) for path in draft)
    assert b"Bagging-Date" not in draft["bag-info.txt"]


@pytest.mark.parametrize("name", ["../x.pdf", "001-A.pdf", "001-a.exe", "x.pdf", "001-a/../b.pdf"])
def test_an_unsafe_file_name_is_refused(name: str) -> None:
    entry = replace(dossier().records[0], file_name=name)
    case = dossier(records=(entry,))
    with pytest.raises(UnfitNameError):
        assemble_bundle(case, approval(case), {name: files()[dossier().records[0].file_name]}, POLICY, keys())


# ---------------------------------------------------------------------------------------------- names, versions


@pytest.mark.parametrize(
    ("number", "title", "name"),
    [
        (1, "Minutes of the meeting", "001-minutes-of-the-meeting.pdf"),
        (12, "Café – naïve?", "012-cafe-naive.pdf"),
        (1234, "x", "1234-x.pdf"),
        (7, "../../etc/passwd\x00.exe", "007-etc-passwd-exe.pdf"),
        (2, "日本", "002-record.pdf"),
        (3, "\u202efdp", "003-fdp.pdf"),
        (4, "a" * 59 + " bc", "004-" + "a" * 59 + ".pdf"),
    ],
)
def test_file_names_come_from_titles(number: int, title: str, name: str) -> None:
    assert safe_file_name(number, title) == name


@given(st.integers(1, 9999), st.text(max_size=300))
def test_every_title_gives_a_name_fit_for_a_bag(number: int, title: str) -> None:
    name = safe_file_name(number, title)
    assert len(name) < 80
    build_bag({f"data/records/{name}": b""}, {}, {})


def test_the_digest_of_a_dossier_moves_with_every_field() -> None:
    case = dossier()
    changed = [
        replace(case, title="x"),
        replace(case, policy="x"),
        replace(case, withheld=()),
        replace(case, records=(replace(case.records[0], size=1), *case.records[1:])),
        replace(case, letter={**case.letter, "request_text": "x"}),
    ]
    assert len({dossier_digest(one) for one in (case, *changed)}) == 6
    assert dossier_digest(dossier()) == dossier_digest(case)


def test_a_new_version_says_what_it_replaces_and_what_changed() -> None:
    old = Superseded(1, bag_digest(bundle()), ("Removed: 003-x.pdf.",))
    made = assemble_bundle(dossier(), approval(), files(), POLICY, keys(), 2, old)
    assert b"Supersedes: v1" in made["bag-info.txt"]
    assert b"Removed: 003-x.pdf." in made["data/response.html"]
    assert b"It replaces version 1" in made["data/response.html"]
    assert bag_digest(made) != bag_digest(bundle())


def test_what_changed_is_said_in_words_for_each_record() -> None:
    before = [
        Listed(1, "Minutes", "a", 3),
        Listed(2, "Map", "b", 0),
        Listed(3, "List", "c", 1),
        Listed(4, "Old", "d", 0),
    ]
    after = [
        Listed(1, "Minutes", "x", 4),
        Listed(2, "Map", "y", 0),
        Listed(3, "Rota", "c", 1),
        Listed(5, "New", "z", 0),
    ]
    assert what_changed(before, after) == (
        "Changed: record 1, “Minutes”; 4 parts are withheld now, 3 before.",
        "Changed: record 2, “Map”; nothing is withheld, as before.",
        "Moved: record 3, “List”, is now record 3, “Rota”.",
        "Added: record 5, “New”.",
        "Removed: record 4, “Old”.",
    )
    (same,) = what_changed(before, before)
    assert same == "The records are the same; what is said about them, or the programs that made them, changed."


def test_other_marks_as_many_as_before_are_told_from_the_same_marks() -> None:
    case = dossier()
    before, (first, *others) = listed_in(bundle()["data/schedule.json"]), case.records
    assert before == listed_of(case)
    anew = replace(first, sha256="0" * 64)
    moved = replace(anew, marks=(replace(first.marks[0], regions=(Box(64, 200, 264, 224),)), *first.marks[1:]))
    told = [what_changed(before, listed_of(replace(case, records=(one, *others)))) for one in (anew, moved)]
    record = "Changed: record 1, “Minutes of the public order planning meeting”; "
    assert told[0] == (record + "the same parts are withheld as before (3).",)
    assert told[1] == (record + "other parts are withheld than before (3, as before).",)
    unknown = [replace(each, places=None) for each in before]
    assert what_changed(unknown, listed_of(replace(case, records=(anew, *others)))) == (
        record + "as many parts are withheld as before (3).",
    )
    with pytest.raises(ValueError, match="schedule"):
        listed_in(b"[]")


@pytest.mark.parametrize("spoil", ["", "name", "license", "hasPart", "conformsTo"])
def test_an_independent_validator_of_crates_agrees(tmp_path: Path, spoil: str) -> None:
    """The rules that RO-Crate 1.1 requires and those it recommends; and the validator does object to a bad crate."""
    folder = unpack(bundle(), tmp_path / "bag") / "data"
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    for entity in crate["@graph"]:
        if entity["@id"] in ("./", "ro-crate-metadata.json"):
            entity.pop(spoil, None)
    (folder / "ro-crate-metadata.json").write_text(json.dumps(crate))
    script = Path(__file__).with_name("crate_opinion.py")
    done = subprocess.run([OPINIONS, script, folder], capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == (1 if spoil else 0), done.stdout + done.stderr
    assert bool(done.stdout) == bool(spoil)


def test_the_crate_describes_every_other_file() -> None:
    crate = json.loads(bundle()["data/ro-crate-metadata.json"])
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    payload = {path.removeprefix("data/") for path in bundle() if path.startswith("data/")}
    assert parts == payload - {"ro-crate-metadata.json"}
    assert parts <= entities.keys()
    assert {"name", "description", "datePublished", "license"} <= entities["./"].keys()
    for part in parts:
        assert int(entities[part]["contentSize"]) == len(bundle()[f"data/{part}"])
