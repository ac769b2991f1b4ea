from __future__ import annotations

import base64
import errno
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tasks.codec import digest, encode
from tasks.disclosure.bag import build_bag, zip_bag
from tasks.disclosure.bundle import assemble_bundle
from tasks.disclosure.inspect_record import TOLERANCE, is_flat
from tasks.disclosure.keys import generate_commitment_key, generate_signing_key, load_keys
from tasks.disclosure.layout import CMS_SIGNATURE, ENVELOPE, SIGNED_LIST
from tasks.disclosure.provenance import seal
from tasks.disclosure.verify import Verdict, verify_bundle
from tasks.geometry import Box
from tests.disclosure.examples import (
    MARKS,
    POLICY,
    REFERENCE,
    approval,
    dossier,
    files,
    keys,
    painted_page,
    record,
    record_pdf,
)
from tests.disclosure.test_bundle import bundle, unpack

pytestmark = pytest.mark.slow

FIRST = "data/records/001-minutes-of-the-public-order-planning-meeting.pdf"


def failed(verdict: Verdict) -> dict[str, str]:
    return {check.name: check.sentence for check in verdict.checks if not check.ok}


# ---------------------------------------------------------------------------------------------- good bundles


def test_a_good_bundle_holds_as_mapping_folder_and_zip(tmp_path: Path) -> None:
    archive = tmp_path / "v1.zip"
    archive.write_bytes(zip_bag(bundle(), f"{REFERENCE}-v1"))
    for form in (bundle(), unpack(bundle(), tmp_path / "bag"), archive):
        verdict = verify_bundle(form)
        assert verdict.ok, failed(verdict)
        assert (verdict.reference, verdict.version, verdict.trusted) == ("01.FOI.26.000123", 1, False)


def sentence_of(verdict: Verdict, name: str) -> str:
    return next(check.sentence for check in verdict.checks if check.name == name)


def test_the_bundles_own_key_is_called_what_it_is_worth() -> None:
    own = verify_bundle(bundle())
    said = sentence_of(own, "signature")
    assert "only shows that it is in one piece. It does not show who signed" in said
    assert keys().key_id in said
    assert (own.ok, own.trusted, own.signed_by) == (True, False, keys().key_id)


def test_with_a_key_of_the_verifiers_own_it_is_said_who_signed() -> None:
    for pem in (keys().public_pem, keys().public.pem):
        verdict = verify_bundle(bundle(), pem)
        assert verdict.ok, failed(verdict)
        assert verdict.trusted
        said = sentence_of(verdict, "signature")
        assert f"signed by the key you gave ({keys().key_id})" in said
        assert "Northshire Police as publisher" in sentence_of(verdict, "accompanying files")
    assert "the certificate you gave" in sentence_of(verdict, "signature of the file list")


def test_of_several_keys_given_the_one_that_signed_is_named() -> None:
    newer = load_keys(generate_signing_key(), generate_commitment_key())
    verdict = verify_bundle(bundle(), newer.public.pem + keys().public.pem)
    assert verdict.ok
    assert f"key 2 of the 2 you gave ({keys().key_id})" in sentence_of(verdict, "signature")
    stranger = load_keys(generate_signing_key(), generate_commitment_key())
    assert "any of the 2 keys" in failed(verify_bundle(bundle(), newer.public.pem + stranger.public.pem))["signature"]


def test_which_version_is_current_is_not_claimed() -> None:
    assert "the bundle cannot know" in sentence_of(verify_bundle(bundle()), "version")


def test_a_verdict_is_json() -> None:
    assert json.loads(encode(verify_bundle(bundle())))["ok"] is True


# ---------------------------------------------------------------------------------------------- tampering


@pytest.mark.parametrize("path", sorted(bundle()))
def test_a_flipped_byte_anywhere_is_found_and_the_file_named(path: str) -> None:
    for at in (0, len(bundle()[path]) // 2, len(bundle()[path]) - 2):
        changed = bytearray(bundle()[path])
        changed[at] ^= 4
        verdict = verify_bundle({**bundle(), path: bytes(changed)})
        assert not verdict.ok, (path, at)
        sentences = " ".join(failed(verdict).values())
        assert path in sentences or {"bagit.txt", "signatures/tagmanifest-sha256.txt.p7s"} & {path}, (path, at)


@pytest.mark.parametrize("path", sorted(bundle()))
def test_a_removed_file_is_missed(path: str) -> None:
    verdict = verify_bundle({name: data for name, data in bundle().items() if name != path})
    assert not verdict.ok
    assert failed(verdict)


def rebuilt(changes: dict[str, bytes | None], made: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """What a forger without the key can do: change files and make every list of digests again."""
    changed = {path: data for path, data in {**(made or bundle()), **changes}.items() if data is not None}
    payload = {path: data for path, data in changed.items() if path.startswith("data/")}
    info = dict(line.split(": ", 1) for line in changed["bag-info.txt"].decode().splitlines())
    del info["Payload-Oxum"]
    tags = {path: data for path, data in changed.items() if path.startswith("attestations/") or path == "VERIFY.txt"}
    return build_bag(payload, info, tags) | {
        name: data for name, data in changed.items() if name.startswith("signatures/")
    }


def test_rebuilding_without_change_changes_nothing() -> None:
    assert verify_bundle(rebuilt({})).ok


def test_new_manifests_do_not_hide_a_changed_letter() -> None:
    letter = bundle()["data/response.html"].replace(b"We disclose", b"We withhold")
    found = failed(verify_bundle(rebuilt({"data/response.html": letter})))
    assert set(found) == {"statement", "signature of the file list"}
    assert "data/response.html" in found["statement"]


def test_a_forger_with_a_key_of_his_own_fails_against_the_trusted_one() -> None:
    forger = load_keys(generate_signing_key(), generate_commitment_key())
    forged = assemble_bundle(dossier(), approval(), files(), POLICY, forger)
    assert verify_bundle(forged).ok
    assert not verify_bundle(forged).trusted
    verdict = verify_bundle(forged, keys().public_pem)
    assert "not signed by the key you gave" in failed(verdict)["signature"]
    assert not verdict.trusted


def test_an_unsigned_draft_does_not_verify() -> None:
    draft = assemble_bundle(dossier(), None, files(), POLICY, None)
    assert "signature" in failed(verify_bundle(draft))


@pytest.mark.parametrize("key", [b"", b"junk", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_an_unusable_trusted_key_is_an_answer(key: bytes) -> None:
    assert "not usable" in failed(verify_bundle(bundle(), key))["signature"]


# ---------------------------------------------------------------------------------------------- records


def with_first(pdf: bytes, **changes: object) -> dict[str, bytes]:
    """A bundle honestly made of a bad record: only a look into the file can tell."""
    entry = dossier().records[0]
    case = dossier(records=(replace(entry, sha256=digest(pdf), size=len(pdf), **changes), *dossier().records[1:]))
    return assemble_bundle(case, approval(case), {**files(), entry.file_name: pdf}, POLICY, keys())


def first_pages(*, unpainted: int | None = None) -> list:
    return [
        painted_page([box for mark in MARKS if mark.page == page and mark.number != unpainted for box in mark.regions])
        for page in range(2)
    ]


@pytest.mark.parametrize("mark", [1, 2, 3])
def test_a_row_without_its_paint_is_named_by_page(mark: int) -> None:
    found = failed(verify_bundle(with_first(record_pdf(first_pages(unpainted=mark)))))
    assert set(found) == {"withheld parts"}
    assert f"page {MARKS[mark - 1].page + 1}" in found["withheld parts"]


def test_another_number_of_pages_is_named() -> None:
    found = failed(verify_bundle(with_first(record_pdf(first_pages()[:1]))))
    assert "1 pages, the schedule says 2" in found["pages"]


def test_pages_of_another_size_are_named() -> None:
    pages = [page.resize((600, 850)) for page in first_pages()]
    assert "size" in failed(verify_bundle(with_first(record_pdf(pages))))["pages"]


def annotated(pdf: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Square, Rect=[0, 0, 9, 9])
    pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(note)]))


def attached(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["x.txt"] = b"x"


def scripted(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("x"))


def layered(pdf: pikepdf.Pdf) -> None:
    layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name=pikepdf.String("x")))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary())


def second_picture(pdf: pikepdf.Pdf) -> None:
    picture = pikepdf.Stream(pdf, b"\0", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=1, Height=1)
    picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceGray, 8
    pdf.pages[0].Resources.XObject["/Kept"] = pdf.make_indirect(picture)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (annotated, "an annotation"),
        (attached, "an attached file"),
        (scripted, "a script"),
        (layered, "a layer"),
        (second_picture, "pictures"),
    ],
)
def test_hidden_content_is_named(plant: Callable[[pikepdf.Pdf], None], words: str) -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(record_pdf(first_pages()))) as pdf:
        plant(pdf)
        pdf.save(out)
    assert words in failed(verify_bundle(with_first(out.getvalue())))["hidden content"]


@pytest.mark.parametrize("end", [b"\n%%EOF\n", b"secret", b"\nPK\x03\x04"])
def test_bytes_after_the_end_are_noticed(end: bytes) -> None:
    assert "after its end" in failed(verify_bundle(with_first(record_pdf(first_pages()) + end)))["hidden content"]


def test_a_record_that_is_no_pdf_is_an_answer() -> None:
    found = failed(verify_bundle(with_first(b"%PDF-1.7 not really")))
    assert {"pages", "hidden content"} <= set(found)


def page_with(box: np.ndarray) -> np.ndarray:
    page = np.full((100, 200), 255, np.uint8)
    page[20:60, 40:160] = box
    return page


BOX = (40, 20, 160, 60)


def test_a_flat_box_may_hold_a_label_and_lossy_noise() -> None:
    inside = np.random.default_rng(1).integers(0, 30, (40, 120)).astype(np.uint8)
    inside[10:30, 30:90] = np.where(np.random.default_rng(2).random((20, 60)) < 0.4, 255, 0)
    assert is_flat(page_with(inside), BOX)


@pytest.mark.parametrize("fault", ["white", "grey", "picture", "blurred", "edge", "outside"])
def test_anything_else_is_not_flat(fault: str) -> None:
    rng = np.random.default_rng(3)
    inside = np.zeros((40, 120), np.uint8)
    box = BOX
    match fault:
        case "white":
            inside[:] = 255
        case "grey":
            inside[:] = 128
        case "picture":
            inside[1:-1, 1:-1] = rng.integers(0, 255, (38, 118))
        case "blurred":
            inside[:] = np.linspace(0, 200, 120)
        case "edge":
            inside[0, 30:50] = 255
        case "outside":
            box = (40, 20, 260, 60)
    assert not is_flat(page_with(inside), box)


def jpeg_page(boxes: list[Box], quality: int) -> np.ndarray:
    data = io.BytesIO()
    painted_page(boxes).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data).convert("L"))


@pytest.mark.parametrize("quality", [30, 40, 60])
def test_a_painted_box_that_ends_within_a_block_of_a_jpeg_is_flat_and_an_unpainted_one_is_not(quality: int) -> None:
    """Paper rings into a box whose edge lies off the grid; by more than the inside of a box may vary."""
    grid, off = Box(64, 80, 264, 104), Box(67, 403, 261, 425)
    page = jpeg_page([grid, off], quality)
    inside = page[off.y0 : off.y1, off.x0 : off.x1]
    edge = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    assert edge.max() > TOLERANCE  # so that it is the border's own tolerance that bears it
    for box in (grid, off):
        assert is_flat(page, (box.x0, box.y0, box.x1, box.y1))
        assert not is_flat(jpeg_page([], quality), (box.x0, box.y0, box.x1, box.y1))
    assert not is_flat(page, (off.x0, off.y0 - 2, off.x1, off.y1))


def test_a_record_with_marks_off_the_grid_verifies_and_without_one_of_them_does_not() -> None:
    marks = tuple(
        replace(mark, regions=tuple(Box(b.x0 + 3, b.y0 + 3, b.x1 - 3, b.y1 - 2) for b in mark.regions))
        for mark in MARKS
    )
    painted = [painted_page([box for mark in marks if mark.page == page for box in mark.regions]) for page in range(2)]
    assert verify_bundle(with_first(record_pdf(painted), marks=marks)).ok
    painted[1] = painted_page([])
    assert set(failed(verify_bundle(with_first(record_pdf(painted), marks=marks)))) == {"withheld parts"}


def test_a_label_of_an_overlapping_box_may_cross_the_border() -> None:
    page = np.zeros((100, 200), np.uint8)
    page[58:62, 60:90] = 255
    other = (40, 50, 160, 70)
    assert not is_flat(page, BOX)
    assert is_flat(page, BOX, [other])


# ---------------------------------------------------------------------------------------------- schedule


def test_a_schedule_whose_forms_differ_is_noticed() -> None:
    changed = bundle()["data/schedule.csv"].replace(b'"top left"', b'"top right"')
    assert "CSV" in failed(verify_bundle(rebuilt({"data/schedule.csv": changed})))["schedule"]


def test_of_the_page_it_is_said_that_only_the_signature_covers_it() -> None:
    assert "as a page (HTML) it was not compared" in sentence_of(verify_bundle(bundle()), "schedule")


@pytest.mark.parametrize("title", ["a <b> & 'c' \u202etxt\u200b", "a;=1+1", "=1", "  x \u00a0 y", "-", "\u200b=1"])
def test_every_title_is_the_same_in_schedule_and_spreadsheet(title: str) -> None:
    entry, pdf = record(1, title, MARKS)
    case = dossier(records=(entry, *dossier().records[1:]))
    given = {one.file_name: pdf if one is entry else files()[one.file_name] for one in case.records}
    made = assemble_bundle(case, approval(case), given, POLICY, keys())
    assert verify_bundle(made).ok, failed(verify_bundle(made))


def test_a_row_left_out_is_noticed() -> None:
    schedule = json.loads(bundle()["data/schedule.json"])
    del schedule["rows"][0]
    assert "totals" in failed(verify_bundle(rebuilt({"data/schedule.json": encode(schedule)})))["schedule"]


def test_counts_must_agree_with_the_signed_statement() -> None:
    schedule = json.loads(bundle()["data/schedule.json"])
    schedule["records"][1]["marks"] = 0
    schedule["rows"] = [row for row in schedule["rows"] if row["record"] != 2]
    assert "signed statement" in failed(verify_bundle(rebuilt({"data/schedule.json": encode(schedule)})))["pages"]


def restated(change: Callable[[dict[str, Any]], None]) -> dict[str, bytes]:
    """The bundle with a statement that its publisher signed otherwise, and lists of files that agree with it."""
    statement = json.loads(base64.b64decode(json.loads(bundle()[ENVELOPE])["payload"]))
    change(statement["predicate"])
    again = rebuilt({ENVELOPE: seal(statement, keys())})
    return {**again, CMS_SIGNATURE: keys().sign_cms(again[SIGNED_LIST]) or b""}


def test_a_page_of_the_source_that_is_not_in_the_record_is_named() -> None:
    def lose_a_page(stated: dict[str, Any]) -> None:
        stated["records"][0]["sourcePages"] = 3

    assert sentence_of(verify_bundle(bundle()), "pages").startswith("All 4 pages are there, as many as the sources had")
    faults = failed(verify_bundle(restated(lose_a_page), keys().public.pem))
    assert set(faults) == {"pages", "withheld parts"}
    assert (
        "001-minutes-of-the-public-order-planning-meeting.pdf: it has 2 pages, and its source had 3" in faults["pages"]
    )


def test_a_statement_from_before_pages_of_the_source_were_counted_says_nothing_of_them() -> None:
    def say_less(stated: dict[str, Any]) -> None:
        del stated["certificate"]
        for one in stated["records"]:
            del one["sourcePages"]

    verdict = verify_bundle(restated(say_less), keys().public.pem)
    assert verdict.ok, failed(verdict)
    assert "source" not in sentence_of(verdict, "pages")
    records = tuple(replace(record, source_pages=0) for record in dossier().records)
    case = dossier(records=records)
    assert verify_bundle(assemble_bundle(case, approval(case), files(), POLICY, keys())).ok


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b'{"rows":1,"records":[]}', b'{"reference":"x","records":[1],"rows":[]}', b"[" * 99999]
)
def test_a_broken_schedule_is_an_answer(bad: bytes) -> None:
    assert "schedule" in failed(verify_bundle(rebuilt({"data/schedule.json": bad})))


# ---------------------------------------------------------------------------------------------- opening


def packed(entries: list[tuple[zipfile.ZipInfo | str, bytes]], kind: int = zipfile.ZIP_STORED) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(data, "w", kind) as archive:
        for name, content in entries:
            archive.writestr(name, content, kind)
    return data.getvalue()


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("bag/link")
    entry.external_attr = 0o120777 << 16
    return entry


def before_its_start() -> bytes:
    """A list of contents said to be longer than all that is there, so that it would begin before the file."""
    good = packed([("a", b"1")])
    return good[:-10] + struct.pack("<L", 0xFFFF) + good[-6:]


def beyond_all_bounds() -> bytes:
    """A file said to begin at the last of 2**64 bytes (ZIP64)."""
    good = packed([("a", b"1")])
    at = good.index(b"PK\x01\x02")
    far = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    entry = bytearray(good[at:-22])
    entry[30:32], entry[42:46] = struct.pack("<H", len(far)), b"\xff" * 4
    end = good[-22:-10] + struct.pack("<LL", len(entry) + len(far), at) + b"\0\0"
    return good[:at] + bytes(entry) + far + end


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (before_its_start(), "damaged"),
        (beyond_all_bounds(), "damaged"),
        (packed([("../x", b"")]), "out of its folder"),
        (packed([("/etc/x", b"")]), "out of its folder"),
        (packed([("a/../../x", b"")]), "out of its folder"),
        (packed([("C:\\x", b"")]), "out of its folder"),
        (packed([("a", b"1"), ("a", b"2")]), "same name"),
        (packed([(link(), b"/etc/passwd")]), "a link"),
        (packed([("a", b"0" * 10_000_000)], zipfile.ZIP_DEFLATED), "far more"),
        (packed([("a", b"0" * 1000)], zipfile.ZIP_LZMA), "unusual"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"", "no zip"),
        (b"a letter", "no zip"),
    ],
)
def test_a_hostile_zip_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    assert words in failed(verify_bundle(tmp_path / "x.zip"))["opening"]
    assert words in failed(verify_bundle(io.BytesIO(data)))["opening"]


def test_a_folder_with_a_link_is_refused(tmp_path: Path) -> None:
    folder = unpack(bundle(), tmp_path / "bag")
    (folder / "data" / "records" / "x").symlink_to("/etc/hostname")
    assert "link" in failed(verify_bundle(folder))["opening"]


def test_a_disk_that_fails_is_no_fault_of_the_zip() -> None:
    class Failing(io.BytesIO):
        """Its end can be read, its first file cannot."""

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() < 100:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output"):
        verify_bundle(Failing(zip_bag(bundle(), f"{REFERENCE}-v1")))


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        verify_bundle(tmp_path / "nothing.zip")


PATHS = st.sampled_from([*bundle(), "x"])
NOISE = st.one_of(
    st.binary(max_size=60), st.sampled_from([b"{}", b"[]", b"null", b'{"records":{}}', b"\xff", b"a b\nc"])
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(PATHS, NOISE, max_size=6), st.booleans())
def test_no_bundle_whatever_raises(parts: dict[str, bytes], over_a_good_one: bool) -> None:
    verdict = verify_bundle({**bundle(), **parts} if over_a_good_one else parts)
    assert verdict.ok == (over_a_good_one and not parts)
