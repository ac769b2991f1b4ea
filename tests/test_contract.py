"""The contract with upstream systems: `request.json`, the policy file, object keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.export_schema import FOLDER, MODELS, schema_of
from tasks.codec import decode, encode, pack, unpack
from tasks.errors import ConfigurationError, FoiError, InvalidRequestError, UnsafeKeyError, all_errors
from tasks.geometry import Box
from tasks.intake import check_key, understand
from tasks.model import Kind, Mark
from tasks.request import Policy, Request, parse_policy, parse_request
from tasks.store import ObjectInfo

VALID = {
    "reference": "01.FOI.26.000001",
    "title": "Posters",
    "received": "2026-03-02",
    "request_text": "Please send the posters.",
}


def request_with(**fields: object) -> bytes:
    return json.dumps({**VALID, **fields}).encode()


@pytest.mark.parametrize("name", MODELS)
def test_exported_schemas_are_those_of_the_models(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == schema_of(MODELS[name])


def test_a_minimal_request_is_valid_and_asks_for_review() -> None:
    request = parse_request(request_with(), "01.FOI.26.000001")
    assert request.review == "required"
    assert request.records is None


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "the whole file"),
        (b"not json", "the whole file"),
        (b"[]", "the whole file"),
        (json.dumps({"reference": "01.FOI.26.000001"}).encode(), "title"),
        (request_with(received="yesterday"), "received"),
        (request_with(titel="x"), "titel"),
        (request_with(reference="../../etc"), "reference"),
        (request_with(reference="01.FOI.26.000002"), "reference"),
        (request_with(clarification=[{"from": "somebody", "text": "x"}]), "clarification.0.from"),
        (request_with(policy={"withold": ["email"]}), "policy.withold"),
        (request_with(policy={"withhold": ["e-mail"]}), "policy.withhold.0"),
        (request_with(decision={"exemptions": [{"section": "thirty-one"}]}), "decision.exemptions.0.section"),
        (request_with(review="maybe"), "review"),
    ],
)
def test_an_invalid_request_names_the_field(content: bytes, named: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(content, "01.FOI.26.000001")
    assert named in str(caught.value)


def test_an_invalid_request_is_never_quoted() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(request_with(received="call 07700 900123", review="a.person@example.com"), "01.FOI.26.000001")
    assert "07700" not in str(caught.value)
    assert "example.com" not in str(caught.value)


def test_text_in_the_place_of_a_field_name_is_not_repeated() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(request_with(**{"Ring 07700 900123": 1}), "01.FOI.26.000001")
    assert "07700" not in str(caught.value)
    assert "unknown field" in str(caught.value)


def test_an_enormous_request_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InvalidRequestError, match="larger"):
        parse_request(b" " * 2_000_000, "01.FOI.26.000001")


def test_an_unknown_policy_option_fails_at_load() -> None:
    with pytest.raises(ConfigurationError, match="withhold_all"):
        parse_policy(b'{"withhold_all": true}')


def test_overrides_change_the_policy_and_its_digest() -> None:
    request = parse_request(request_with(policy={"withhold": ["email"], "terms": ["Operation X"]}), "01.FOI.26.000001")
    policy = Policy().with_overrides(request.policy)
    assert policy.withhold == (Kind.EMAIL,)
    assert policy.terms == ("Operation X",)
    assert policy.digest != Policy().digest


@pytest.mark.parametrize(
    "key",
    [
        "ref/records/memo.pdf",
        "ref/records/a b+c%20é ü.pdf",
        "ref/records/..hidden.pdf",
        "ref/records/日本語.tif",
        "ref/records/'quoted' \"twice\".pdf",
    ],
)
def test_odd_keys_are_taken(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "ref/records/../../other/memo.pdf",
        "ref/records//memo.pdf",
        "/ref/records/memo.pdf",
        "ref/records/./memo.pdf",
        "ref/records/memo.pdf\n",
        "ref/records/me\x00mo.pdf",
        "ref/records/fdp.\u202eomem",
        "ref\\records\\memo.pdf",
        "ref/records/" + "x" * 900,
    ],
)
def test_keys_that_could_escape_or_deceive_are_refused(key: str) -> None:
    with pytest.raises(UnsafeKeyError) as caught:
        check_key(key)
    assert "memo" not in str(caught.value)


def objects(*names: str) -> dict[str, ObjectInfo]:
    return {name: ObjectInfo(f"01.FOI.26.000001/{name}", 10, "e", "") for name in names}


def parsed(**fields: object) -> Request:
    return parse_request(request_with(**fields), "01.FOI.26.000001")


def test_without_a_list_every_object_below_records_is_one() -> None:
    below = objects("request.json", "records/b.pdf", "records/a.pdf", "notes.txt")
    contents = understand("01.FOI.26.000001", below, parsed(), Policy(), ())
    assert [c.info.key[-5:] for c in contents.candidates] == ["a.pdf", "b.pdf"]
    assert [c.number for c in contents.candidates] == [1, 2]


def test_the_list_decides_order_and_says_what_is_missing_or_extra() -> None:
    below = objects("records/b.pdf", "records/a.pdf", "records/extra.pdf")
    listed = [{"file": "records/b.pdf"}, {"file": "records/gone.pdf"}, {"file": "records/a.pdf"}]
    contents = understand("01.FOI.26.000001", below, parsed(records=listed), Policy(), ())
    assert [c.info.key[-5:] for c in contents.candidates] == ["b.pdf", "a.pdf"]
    assert contents.missing == ("records/gone.pdf",)
    assert contents.unlisted == ("records/extra.pdf",)


@pytest.mark.parametrize(
    ("file", "title", "published"),
    [
        ("records/Memo_2019.pdf", None, "Record 1"),
        ("records/x.pdf", "Staff memo", "Staff memo"),
        ("records/x.pdf", "Complaint by Requester, J", "Record 1"),
        ("records/x.pdf", "Call 07700 900123", "Record 1"),
        ("records/jane.doe@police.uk.pdf", None, "Record 1"),
        ("records/Letter to J Requester.pdf", None, "Record 1"),
    ],
)
def test_titles_hold_nothing_that_is_withheld(file: str, title: str | None, published: str) -> None:
    request = parsed(records=[{"file": file, "title": title}], requester=["J Requester"])
    contents = understand("01.FOI.26.000001", objects(file), request, Policy(), request.requester_terms)
    assert contents.candidates[0].title == published


def test_values_survive_their_encoding() -> None:
    mark = Mark(1, 0, (Box(1, 2, 3, 4),), (Kind.EMAIL, Kind.PHONE), "s.31(1)(a)")
    assert decode(encode(mark), Mark) == mark
    assert unpack(pack(mark), Mark) == mark
    assert pack(mark) == pack(mark)


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_says_what_to_do_and_hides_its_subject(kind: type[FoiError]) -> None:
    error = kind("3 pages.", subject="jane.doe@example.com.pdf")
    assert error.message and error.action.endswith(".")
    assert "example.com" not in f"{error} {error!r}"
    assert "3 pages." in str(error)


def test_error_codes_are_distinct() -> None:
    codes = [kind.code for kind in all_errors()]
    assert len(set(codes)) == len(codes)


def test_repr_of_values_hides_their_text(tmp_path: Path) -> None:
    assert "records" not in repr(ObjectInfo("01/records/jane@example.com.pdf", 1, "e", ""))
