"""What a child says beside a code: every sentence that readers have, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.apart import Apart
from tasks.apart.details import safe_detail
from tasks.codec import encode
from tasks.errors import ConfigurationError, CorruptFileError, FoiError, all_errors
from tests.apart.conftest import JOBS
from tests.apart.test_apart import frame


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with Apart(1, tmp_path_factory.mktemp("details"), JOBS) as it:
        yield it


CODE = Path(__file__).parents[2] / "tasks"
ROOMS = ("reading", "redaction", "contacts")
RAISED = {kind.__name__ for kind in all_errors()} | {"decoding"}


def sentences() -> Iterator[str]:
    """Every detail that a raise of our own errors gives in the rooms that children run, numbers filled in."""
    for path in (path for room in ROOMS for path in sorted((CODE / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED and node.args:
                yield from said(node.args[0])


def said(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = (
            str(part.value) if isinstance(part, ast.Constant) else "ValueError" if "__name__" in ast.dump(part) else "7"
            for part in node.values
        )
        yield "".join(parts)


def test_every_sentence_of_the_readers_is_known() -> None:
    found = set(sentences())
    assert len(found) > 15
    assert {sentence for sentence in found if not safe_detail(sentence)} == set()


@pytest.mark.parametrize(
    "detail",
    [
        "Call Jordan on 020 7946 0123.",
        "Page 02079460123 is missing.",
        "Page 7 is missing. Call Jordan.",
        "JordanExampleError",
        "The second reader failed: Jordan.",
        "7946 0123",
    ],
)
def test_other_words_are_dropped(detail: str) -> None:
    assert safe_detail(detail) == ""


@pytest.mark.parametrize("kind", [CorruptFileError, ConfigurationError])
def test_a_child_that_was_taken_over_says_nothing_of_its_own(apart: Apart, kind: type[FoiError]) -> None:
    with pytest.raises(kind) as caught:
        apart.call("write_answer", _verdict(kind, "Call Jordan on 020 7946 0123."), may_raise=(kind,))
    assert not re.search("Jordan|7946", str(caught.value))
    with pytest.raises(kind, match=r"Page 3 is missing\."):
        apart.call("write_answer", _verdict(kind, "Page 3 is missing."), may_raise=(kind,))


def _verdict(kind: type[FoiError], detail: str) -> bytes:
    return frame(encode({"code": kind.code, "detail": detail}))
