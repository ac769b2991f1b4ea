"""The gate shares nothing with the writer but the values both speak of."""

from __future__ import annotations

import ast
from pathlib import Path

import tasks.redaction.gate

ROOM = Path(tasks.redaction.gate.__file__).parent
ALLOWED = ("tasks.errors", "tasks.model", "tasks.geometry", "tasks.pixels", "tasks.redaction.gate")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_gate_imports_neither_the_writer_nor_its_library() -> None:
    names = {name for path in ROOM.glob("*.py") for name in imported(path)}
    assert {"pikepdf", "pypdfium2"} <= names
    assert not {name for name in names if name.split(".")[0] in ("pymupdf", "fitz")}
    assert not {name for name in names if name.startswith("tasks") and not name.startswith(ALLOWED)}
