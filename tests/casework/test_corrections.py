"""A person's corrections on a real store with real readers: nothing is read again, and nothing is shown by accident."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pypdfium2
import pytest

from tasks import casework, reviews, steps
from tasks.arrival import take_in
from tasks.codec import digest, encode
from tasks.corrections import (
    ShownMark,
    load_asked,
    load_corrections,
    load_shown,
    make_correction,
    refuse_correction,
    together,
    upload_asked,
)
from tasks.decisions import read_log
from tasks.disclosure.notice import missing_parts
from tasks.errors import NotApprovedError
from tasks.model import Act, Kind, Manifest, StageKeys
from tasks.review.asked import Asked, CorrectionRefusedError
from tasks.workplace import Workplace
from tests.casework.conftest import BUCKETS, Watched
from tests.pictures import encoded, typed

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SHARED = "desk.nine@eastmere.example.org"
ONCE = "01632 960572"
TERM = "Nightjar"


@dataclass
class Held:
    """A request of two memos that is held: where it lies, and the keys of its records."""

    reference: str
    manifest: str
    dossier: str
    stages: list[StageKeys]

    def shown(self, place: Workplace) -> dict[str, ShownMark]:
        content, case = casework.load_case(place, self.reference, self.dossier)
        return {one.name: one for one in load_shown(place, content, case)}

    def name_of(self, place: Workplace, value: str, record: int) -> str:
        found = [n for n, one in self.shown(place).items() if one.record == record and value in one.values]
        assert len(found) == 1, found
        return found[0]

    def text(self, place: Workplace, record: int) -> str:
        pdf = pypdfium2.PdfDocument(place.load_bytes(self.stages[record - 1].pdf))
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def memo(*lines: str) -> bytes:
    return encoded(typed(*lines, height=520), "PNG", dpi=(150, 150))


def hold(place: Workplace, **fields: object) -> Held:
    """A request of two memos, read and held. The shared value stands in both, the other in the first."""
    reference = f"CORR-{uuid.uuid4().hex[:8]}"
    request = {
        "reference": reference,
        "title": "Two memos",
        "received": "2026-03-02",
        "request_text": "Please send the memos.",
        "records": [{"file": "records/a.png", "title": "First"}, {"file": "records/b.png", "title": "Second"}],
        **fields,
    }
    first = memo(f"Filed under {reference}.", f"Write to {SHARED} today.", f"Ring {ONCE} about {TERM}.")
    second = memo(f"Copy of {reference}.", f"Answers go to {SHARED} only.", f"{TERM} was not there.")
    for name, data in {"a.png": first, "b.png": second}.items():
        place.store.put(BUCKETS.intake, f"{reference}/records/{name}", data)
    place.store.put(BUCKETS.intake, f"{reference}/request.json", json.dumps(request).encode())
    manifest = take_in(place, reference).manifest
    read = {n: steps.read_record.fn(place, manifest, n).key for n in (1, 2)}
    return put_together(place, reference, manifest, read)


def put_together(
    place: Workplace, reference: str, manifest: str, read: dict[int, str], former: Sequence[StageKeys] = ()
) -> Held:
    """What the flows do from transcripts on, without Prefect."""
    before = {keys.number: keys.plan for keys in former}
    names, _ = load_corrections(place, reference)
    found = {n: steps.find_in_record.fn(place, manifest, n, key).key for n, key in read.items()}
    found = {n: steps.correct_found.fn(place, manifest, n, read[n], key, names).key for n, key in found.items()}
    stages = []
    for n, key in found.items():
        plan = steps.plan_record.fn(place, manifest, n, read[n], key, sorted(found.values()), names).key
        pdf = steps.redact_record.fn(place, manifest, n, read[n], plan, before.get(n, "")).key
        report = steps.gate_record.fn(place, manifest, n, read[n], plan, pdf)
        assert report.rejected == report.refused == ""
        stages.append(StageKeys(n, read[n], plan, pdf, report.key, steps.claims_beside(plan)))
    dossier = casework.assemble(place, manifest, stages, [], names)
    return Held(reference, manifest, dossier, stages)


def correct(place: Workplace, held: Held, **asked: Sequence[str] | str) -> Held:
    make_correction(place, held.reference, held.dossier, Asked(**asked), "A. Officer", "both")
    read = {keys.number: keys.transcript for keys in held.stages}
    return put_together(place, held.reference, held.manifest, read, held.stages)


@pytest.fixture(scope="module")
def held(place: Workplace) -> Held:
    """For tests that change nothing."""
    return hold(place)


def test_marks_know_their_values_and_their_likes(place: Workplace, held: Held) -> None:
    shown = held.shown(place)
    assert {value for one in shown.values() for value in one.values} >= {SHARED, ONCE}
    assert all(one.values for one in shown.values())


def test_a_removed_mark_shows_its_value_and_only_its_record_is_painted_again(
    place: Workplace, watched: Watched
) -> None:
    held = hold(place)
    name = held.name_of(place, ONCE, 1)
    assert ONCE not in held.text(place, 1)
    watched.jobs_done.clear()
    after = correct(place, held, remove=[name])
    assert "read" not in watched.jobs_done
    assert "again" not in watched.jobs_done
    # One to paint and judge the first record; one more by which the gate excludes chance.
    assert watched.jobs_done.count("gate") == 1
    assert watched.jobs_done.count("redact") == 2
    assert after.stages[1].pdf == held.stages[1].pdf
    assert after.stages[0].transcript == held.stages[0].transcript
    assert ONCE in after.text(place, 1)
    assert SHARED not in after.text(place, 1)
    assert after.dossier != held.dossier


def register(blank: Sequence[int] = ()) -> bytes:
    """A PDF of four pages with a number each; of some nothing is left."""
    pages = [
        typed(*(() if n in blank else (f"Page {n} of the register.", f"Ring 020 7946 01{n}0 today.")), height=300)
        for n in range(4)
    ]
    return encoded(pages[0], "PDF", save_all=True, append_images=pages[1:], resolution=150)


def test_a_correction_paints_only_the_pages_it_touches(place: Workplace) -> None:
    reference = f"CORR-{uuid.uuid4().hex[:8]}"
    request = {"reference": reference, "title": "T", "received": "2026-03-02", "request_text": "Please send it."}
    place.store.put(BUCKETS.intake, f"{reference}/records/register.pdf", register())
    place.store.put(BUCKETS.intake, f"{reference}/request.json", json.dumps(request).encode())
    manifest = take_in(place, reference).manifest
    transcript = steps.read_record.fn(place, manifest, 1).key
    held = put_together(place, reference, manifest, {1: transcript})
    after = correct(place, held, remove=[held.name_of(place, "020 7946 0120", 1)])
    (before, now), (record,) = (held.stages[0], after.stages[0]), place.load(manifest, Manifest).records

    def painted(source: bytes, *former: tuple[bytes, bytes]) -> bytes:
        plan, read = place.load_bytes(now.plan), place.load_bytes(transcript)
        return place.readers.redact(record.media, plan, read, record.title, source, *former)

    # Where nothing of the other pages is left to paint, they come out whole all the same.
    spoilt = register(blank=(0, 1, 3))
    former = place.load_bytes(before.plan), place.load_bytes(before.pdf)
    assert painted(spoilt, former) == painted(register()) == place.load_bytes(now.pdf)
    assert painted(spoilt) != painted(register())
    assert painted(register(blank=(2,)), former) != painted(register())


def test_what_is_painted_anew_is_told_of_what_was_painted_before(place: Workplace, watched: Watched) -> None:
    held = hold(place)
    watched.given.clear()
    after = correct(place, held, remove=[held.name_of(place, ONCE, 1)])
    # Of the two one excludes chance: it makes the record from nothing but its source.
    assert sorted(len(blobs) for job, blobs in watched.given if job == "redact") == [6, 8]
    (former,) = (blobs[6:] for job, blobs in watched.given if job == "redact" and len(blobs) == 8)
    assert former == (place.load_bytes(held.stages[0].plan), place.load_bytes(held.stages[0].pdf))
    assert place.load_bytes(after.stages[0].pdf) != former[1]


def test_a_value_that_stays_withheld_elsewhere_cannot_be_shown_in_one_place(place: Workplace, held: Held) -> None:
    first, second = held.name_of(place, SHARED, 1), held.name_of(place, SHARED, 2)
    with pytest.raises(CorrectionRefusedError, match=f"Mark {first} .* what {second} withholds too") as caught:
        make_correction(place, held.reference, held.dossier, Asked(remove=(first,)), "A. Officer")
    assert SHARED not in str(caught.value)
    assert read_log(place, held.reference).decisions == ()


def test_a_value_is_shown_when_all_its_marks_are_removed(place: Workplace) -> None:
    held = hold(place)
    both = [held.name_of(place, SHARED, 1), held.name_of(place, SHARED, 2)]
    after = correct(place, held, remove=both)
    assert SHARED in after.text(place, 1)
    assert SHARED in after.text(place, 2)
    assert ONCE not in after.text(place, 1)


def test_a_term_is_withheld_in_every_record(place: Workplace, watched: Watched) -> None:
    held = hold(place)
    assert TERM in held.text(place, 1)
    watched.jobs_done.clear()
    after = correct(place, held, terms=[TERM])
    assert "read" not in watched.jobs_done
    assert TERM not in after.text(place, 1) + after.text(place, 2)
    assert after.name_of(place, TERM, 1)
    assert after.name_of(place, TERM, 2)


def test_a_term_without_a_reason_of_its_own_holds_the_response_and_named_again_it_has_one(place: Workplace) -> None:
    held = hold(place)
    without = correct(place, held, terms=[TERM])
    content, _ = casework.load_case(place, without.reference, without.dossier)
    (missing,) = [part for part in missing_parts(content, place.policy) if "other detail" in part]
    assert missing.startswith("s.31(1)(a): the reason for withholding 2 other details")
    after = correct(place, without, terms=[TERM], exemption="s.40(2)", public_reason="It names a person.")
    content, _ = casework.load_case(place, after.reference, after.dossier)
    marks = [mark for record in content.records for mark in record.marks if Kind.TERM in mark.kinds]
    assert [(mark.exemption, mark.reason) for mark in marks] == [("s.40(2)", "It names a person.")] * 2
    assert "[withheld: s.40(2)]" in after.text(place, 1)
    assert TERM not in after.text(place, 1) + after.text(place, 2)
    assert not [part for part in missing_parts(content, place.policy) if part.startswith("s.")]
    letter = casework.draft_bundle(place, after.reference, after.dossier)["data/response.html"]
    assert letter.count(b"for this reason: It names a person.") == 1


@pytest.mark.parametrize("told", [f"It is {TERM}.", f"Ask {SHARED} why."])
def test_a_public_reason_that_gives_away_what_is_withheld_is_refused(place: Workplace, held: Held, told: str) -> None:
    asked = Asked(terms=(TERM,), public_reason=told)
    with pytest.raises(CorrectionRefusedError, match="public reason"):
        make_correction(place, held.reference, held.dossier, asked, "A. Officer")


def test_a_drawn_box_hides_its_place_in_its_record_alone(place: Workplace) -> None:
    held = hold(place)
    content, _ = casework.load_case(place, held.reference, held.dossier)
    width, height = content.records[1].pages[0]
    after = correct(place, held, boxes=[f"2:1:0,0,{width},{height}"])
    assert after.text(place, 2).replace("[withheld: s.31(1)(a)]", "").strip() == ""
    assert after.stages[0].pdf == held.stages[0].pdf
    assert next(one.mark.origin for one in after.shown(place).values() if one.record == 2) == "person"


def test_the_last_word_on_a_place_counts(place: Workplace) -> None:
    """Removed, drawn over, and removed again; and a term asked for after its mark was removed."""
    held = hold(place)
    shown = correct(place, held, remove=[held.name_of(place, ONCE, 1)])
    assert ONCE in shown.text(place, 1)
    hidden = correct(place, shown, terms=[ONCE])
    assert ONCE not in hidden.text(place, 1)
    again = correct(place, hidden, remove=[hidden.name_of(place, ONCE, 1)])
    assert ONCE in again.text(place, 1)


def test_a_request_processed_anew_follows_its_corrections(place: Workplace) -> None:
    held = hold(place)
    after = correct(place, held, terms=[TERM])
    manifest = held.manifest
    read = {n: steps.read_record.fn(place, manifest, n).key for n in (1, 2)}
    assert put_together(place, held.reference, manifest, read).dossier == after.dossier


def test_a_correction_is_bound_to_the_dossier_it_was_made_on(place: Workplace) -> None:
    held = hold(place)
    casework.record_approval(place, held.reference, held.dossier, "B. Second")
    correct(place, held, terms=[TERM])
    with pytest.raises(NotApprovedError):
        casework.publish_approved(place, held.reference, held.dossier)


def test_what_was_corrected_needs_a_person_even_where_no_review_is_asked_for(place: Workplace) -> None:
    held = hold(place, review="none")
    after = correct(place, held, remove=[held.name_of(place, ONCE, 1)])
    assert "corrected" in casework.decide_by_policy(place, after.reference, after.dossier)
    casework.record_approval(place, after.reference, after.dossier, "B. Second")
    assert casework.publish_approved(place, after.reference, after.dossier) == 1


def test_a_correction_the_gate_refused_counts_no_more(place: Workplace) -> None:
    held = hold(place)
    name = make_correction(place, held.reference, held.dossier, Asked(terms=(TERM,)), "A. Officer")
    assert load_corrections(place, held.reference)[0] == (name,)
    refuse_correction(place, held.reference, held.dossier, name)
    assert load_corrections(place, held.reference)[0] == ()
    casework.record_approval(place, held.reference, held.dossier, "B. Second")
    assert casework.publish_approved(place, held.reference, held.dossier) == 1
    assert [d.act for d in read_log(place, held.reference).decisions] == [Act.CORRECT, Act.REFUSE, Act.RELEASE]


def test_a_step_that_is_tried_again_makes_no_second_correction(place: Workplace) -> None:
    held = hold(place)
    asked = Asked(boxes=("1:1:10,10,60,60",))
    first = make_correction(place, held.reference, held.dossier, asked, "A. Officer")
    assert make_correction(place, held.reference, held.dossier, asked, "A. Officer") == first
    assert len(read_log(place, held.reference).decisions) == 1


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "Nothing is asked for"),
        ({"remove": ("1.999",)}, "no mark 1.999"),
        ({"boxes": ("9:1:1,1,9,9",)}, "no page 1 in a record 9"),
        ({"boxes": ("1:9:1,1,9,9",)}, "no page 9 in a record 1"),
        ({"boxes": ("1:1:9,9,9,20",)}, "covers nothing"),
        ({"boxes": ("1:1:60000,1,60010,9",)}, "covers nothing"),
        ({"terms": ("a.",)}, "Term 1 has fewer"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    place: Workplace, held: Held, asked: dict[str, tuple[str, ...]], says: str
) -> None:
    with pytest.raises(CorrectionRefusedError, match=says):
        make_correction(place, held.reference, held.dossier, Asked(**asked), "A. Officer")


def test_an_uploaded_file_is_found_by_its_name_alone_and_not_after_a_change(place: Workplace, held: Held) -> None:
    asked = Asked(terms=(TERM,), reason="It names a person.")
    first, second = (upload_asked(place, held.reference, asked) for _ in range(2))
    assert first != second, "the name must not let anybody guess the term"
    assert load_asked(place, held.reference, first).terms == (TERM,)
    with pytest.raises(CorrectionRefusedError, match="no corrections file"):
        load_asked(place, held.reference, digest(b"another"))
    key = f"corrections/{held.reference}/asked/{second}.json"
    place.save_bytes(key, encode(Asked(terms=("Another",)).model_dump(mode="json")))
    with pytest.raises(CorrectionRefusedError, match="was changed"):
        load_asked(place, held.reference, second)


# ------------------------------------------------------------------------------------------------ the pack


def test_the_pack_shows_values_marks_and_pictures_and_is_the_same_every_time(
    place: Workplace, held: Held, watched: Watched
) -> None:
    reviews.make_pack(place, held.reference, held.dossier)
    pack = dict(reviews.load_pack(place, held.reference, held.dossier))
    page = pack["index.html"].decode()
    assert SHARED in page
    assert ONCE in page
    assert {path for path in pack if path.startswith("pages/")} == {"pages/001-0001.jpg", "pages/002-0001.jpg"}
    assert all(data.startswith(b"\xff\xd8\xff") for path, data in pack.items() if path.startswith("pages/"))
    assert b"draft" in pack["draft/data/response.html"].lower()
    first, second = held.name_of(place, SHARED, 1), held.name_of(place, SHARED, 2)
    assert f'data-remove="{first} {second}"' in page
    assert together("1.1", {"1.1": ("1.2",), "1.2": ("1.1", "2.5"), "2.5": ("1.2",)}) == ("1.1", "1.2", "2.5")
    watched.jobs_done.clear()
    reviews.make_pack(place, held.reference, held.dossier)
    assert watched.jobs_done == [], "pictures are made once"
    assert dict(reviews.load_pack(place, held.reference, held.dossier)) == pack


def test_a_pack_says_so_when_a_source_is_gone(place: Workplace) -> None:
    held = hold(place)
    place.store.delete(BUCKETS.intake, f"{held.reference}/records/a.png")
    reviews.make_pack(place, held.reference, held.dossier)
    pack = dict(reviews.load_pack(place, held.reference, held.dossier))
    assert "pages/001-0001.jpg" not in pack
    assert "There is no picture of this page" in pack["index.html"].decode()


def test_thumbnails_are_of_gated_files_only_and_small(place: Workplace) -> None:
    held = hold(place)
    _, case = casework.load_case(place, held.reference, held.dossier)
    found = reviews.thumbnails(place, case, 1)
    assert [(record, page) for record, page, _ in found] == [(1, 1)]
    assert len(found[0][2]) < 6_000
    place.save_bytes(held.stages[0].pdf, place.load_bytes(held.stages[0].pdf) + b"\n%more")
    assert [record for record, _, _ in reviews.thumbnails(place, case, 5)] == [2]
