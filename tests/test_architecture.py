"""The house's plan, held against the code: who may import whom, who may read the environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for room in ("tasks", "flows", "infra") for p in (ROOT / room).rglob("*.py"))

FOUNDATION = {"tasks.errors", "tasks.geometry", "tasks.pixels", "tasks.codec", "tasks.model", "tasks.request"}
ROOMS = {"tasks.reading", "tasks.contacts", "tasks.redaction", "tasks.disclosure", "tasks.review"}
MAY_USE_THE_STORE = {"tasks.disclosure.publish"}  # publication is defined by the order of its writes
MAY_READ_THE_ENVIRONMENT = {
    "tasks",  # switches off what libraries report to their makers
    "tasks.apart.caller",  # hands PATH and the like on to its children, and nothing else
    "tasks.reading.engine",  # switches OpenMP off for the Tesseract it starts
}


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_imports_point_one_way(path: Path) -> None:
    """Work does not know its order, and neither knows what runs it."""
    name = module(path)
    for other in imports(path):
        if name.startswith("tasks"):
            assert not within(other, "flows"), other
            assert not within(other, "infra"), other
        if name.startswith("flows"):
            assert not within(other, "infra"), other


@pytest.mark.parametrize("path", [p for p in SOURCES if module(p).startswith("tasks")], ids=module)
def test_only_steps_know_prefect(path: Path) -> None:
    if module(path) != "tasks.steps":
        assert not any(within(other, "prefect") for other in imports(path))


def test_every_task_is_in_steps() -> None:
    for path in SOURCES:
        if module(path) != "tasks.steps":
            assert "prefect.tasks" not in set(imports(path)), path
            assert "prefect.task" not in set(imports(path)), path


@pytest.mark.parametrize("path", [p for p in SOURCES if any(within(module(p), r) for r in ROOMS)], ids=module)
def test_rooms_do_not_look_into_each_other(path: Path) -> None:
    name = module(path)
    own = next(room for room in ROOMS if within(name, room))
    for other in imports(path):
        if not other.startswith("tasks."):
            continue
        allowed = within(other, own) or any(within(other, base) for base in FOUNDATION)
        assert allowed or (name in MAY_USE_THE_STORE and within(other, "tasks.store")), other


@pytest.mark.parametrize("path", [p for p in SOURCES if module(p) in FOUNDATION], ids=module)
def test_the_foundation_stands_on_itself(path: Path) -> None:
    for other in imports(path):
        if other.startswith("tasks."):
            assert any(within(other, base) for base in FOUNDATION), other


@pytest.mark.parametrize("path", [p for p in SOURCES if module(p).startswith("tasks")], ids=module)
def test_nothing_below_the_flows_reads_the_environment(path: Path) -> None:
    if module(path) in MAY_READ_THE_ENVIRONMENT:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            assert node.attr not in {"environ", "getenv"}, f"line {node.lineno}"


def test_there_is_no_circle() -> None:
    known = {module(path): path for path in SOURCES}
    edges = {name: {o for o in imports(path) if o in known and o != name} for name, path in known.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for other in edges[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_the_checker_shares_no_code_with_the_writer() -> None:
    for path in (ROOT / "tasks/redaction/gate").rglob("*.py"):
        names = set(imports(path))
        assert not any(within(n, "pymupdf") for n in names), path
        assert all(within(n, "tasks.redaction.gate") for n in names if within(n, "tasks.redaction")), path


CHECKERS = ("tasks.disclosure.verify", "tasks.disclosure.current", "tasks.disclosure.prove")
WRITERS = {f"tasks.disclosure.{name}" for name in ("bundle", "crate", "notice", "page", "publish", "site")}


def test_who_checks_a_bundle_imports_nothing_that_writes_one() -> None:
    """Not even through others: a stranger needs neither the pipeline nor what its letters are made with."""
    known = {module(path): path for path in SOURCES}
    assert known.keys() >= {*CHECKERS, *WRITERS}
    seen: set[str] = set()
    left = {*CHECKERS, "infra.bundles"}
    while left:
        name = left.pop()
        seen.add(name)
        left |= {other for other in imports(known[name]) if other in known} - seen
    assert seen.isdisjoint(WRITERS), seen & WRITERS
    program = (
        f"import {', '.join(CHECKERS)}, sys; sys.exit(bool({{'jinja2', 'holidays', 'pydantic'}} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("command", ["redact", "verify", "prove", "status", "doctor"])
def test_quick_commands_import_no_prefect(command: str) -> None:
    """Importing Prefect costs seconds that `foi verify` has no use for."""
    needed = {
        "redact": "infra.redact_folder, infra.display",
        "verify": "infra.bundles, infra.display",
        "prove": "infra.proving, infra.display",
        "status": "infra.desk, infra.display, tasks.caseload",
        "doctor": "infra.doctor",
    }[command]
    program = f"import infra.cli, {needed}, sys; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


READING_FILES = {"cv2", "numpy", "onnxruntime", "pikepdf", "PIL", "pymupdf", "pypdfium2", "pytesseract", "rapidocr"}
MAKING_LETTERS = {"weasyprint"}
FINDING_CONTACTS = {"phonenumbers", "tldextract"}


@pytest.mark.parametrize(
    "modules",
    [
        "flows.process_request, flows.sweep, flows.release, flows.correct, flows.withdraw",
        "infra.prefect_run",
        "infra.prefect_worker, infra.prefect_process",
        "flows.watch, flows.receive",
        "infra.redact_folder",
    ],
)
def test_the_near_end_loads_nothing_that_works_on_a_file(modules: str) -> None:
    """The far end does, in processes of its own; who only asks it would wait for seconds, in every run."""
    heavy = READING_FILES | MAKING_LETTERS | FINDING_CONTACTS
    program = f"import {modules}, sys; print(*sorted({heavy} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == []
