"""Mutation testing of the gate: is every check load-bearing?

    python -m tests.attacks.mutants [--count 200] [--seed 1] [--only marks.py]

A mutant is the gate with one small change: a comparison turned, an `and` for an `or`, an operand left out, a number
moved, an entry of a list of allowed or forbidden things lost, a finding not raised, nothing returned. The tests of the
gate run on it until one fails: then it is killed. Survivors are listed with their line.

mutmut and cosmic-ray were looked at first. mutmut leaves decorated functions alone, and every check is one; cosmic-ray
changes the files of the working tree and starts Python anew for each mutant. Here a process that has imported
everything but the gate forks for each mutant, and nothing is written.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import importlib.abc
import importlib.machinery
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
GATE = ROOT / "tasks/redaction/gate"
VALUES = ("tests/redaction/test_values.py", "tests/attacks/test_bundle.py")
OUTPUTS = ("tests/attacks/test_gate.py", "tests/attacks/test_hidden_corners.py")
ENTRIES, LAYER, TAGS = (f"tests/attacks/test_{name}.py" for name in ("every_entry", "text_layer", "tags"))
TESTS_OF = {
    "edges.py": ("tests/attacks/test_fragments.py", "tests/attacks/test_edges_of_marks.py", *OUTPUTS),
    "source.py": ("tests/attacks/test_source.py",),
    "values.py": VALUES,
    "values_in_pdf.py": (*VALUES, TAGS, *OUTPUTS),
    "writings.py": VALUES,
    "jpeg.py": ("tests/attacks/test_jpeg_bits.py", OUTPUTS[1]),
    "font.py": ("tests/attacks/test_font_bytes.py", OUTPUTS[1]),
    "tags.py": (TAGS, *OUTPUTS),
    "structure.py": (ENTRIES, *OUTPUTS),
    "content.py": (ENTRIES, *OUTPUTS),
    "images.py": (ENTRIES, *OUTPUTS),
    "checks.py": (ENTRIES, *OUTPUTS),
    "container.py": (OUTPUTS[1], OUTPUTS[0], ENTRIES),
    "text.py": (LAYER, *OUTPUTS),
    "output.py": (LAYER, ENTRIES, *OUTPUTS),
    "marks.py": (OUTPUTS[1], "tests/attacks/test_widths.py", OUTPUTS[0]),
    "pixels.py": ("tests/attacks/test_widths.py", *OUTPUTS),
    "verdict.py": (*OUTPUTS, *VALUES),
}
"""The tests that speak of a module, the nearest first; the rest have `OUTPUTS`. Slow ones are left out."""

WITH_TESSERACT = ("edges.py", "source.py", "verdict.py")
"""The modules that read again; the tests of others pass over those that need Tesseract, which take longest."""

PLUGINS = ("-p", "pytest_timeout", "-p", "no:cacheprovider", "-p", "no:terminalreporter")
"""What the tests of the gate need; others take longer to load than most mutants to be found."""

LIMIT_S = 240
"""A mutant that runs longer is killed: it does not end."""

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
EXCHANGED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True)
class Mutant:
    """One change: the n-th of a module."""

    path: Path
    ordinal: int
    line: int
    change: str


def changes_of(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """Each small change of a node: what it is, and the node in its place (None takes the statement out)."""
    match node:
        case ast.Compare(ops=[op]):
            yield f"{type(op).__name__} turned", _with(node, ops=[TURNED[type(op)]()])
        case ast.BoolOp(op=op, values=values):
            yield (
                "and for or" if isinstance(op, ast.Or) else "or for and",
                _with(node, op=ast.And() if isinstance(op, ast.Or) else ast.Or()),
            )
            for i in range(len(values)):
                left = [*values[:i], *values[i + 1 :]]
                yield f"operand {i + 1} left out", left[0] if len(left) == 1 else _with(node, values=left)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not left out", operand
        case ast.BinOp(op=op) if type(op) in EXCHANGED:
            yield f"{type(op).__name__} exchanged", _with(node, op=EXCHANGED[type(op)]())
        case ast.Constant(value=bool(value)):
            yield f"{value} turned", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield f"{value} moved", ast.Constant(value + 1 if abs(value) < 20 else value * 2)
        case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
            yield "finding not raised", None
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "nothing returned", ast.Return(ast.Constant(None))
        case ast.Continue():
            yield "not passed over", None
        case ast.Set(elts=elements) | ast.List(elts=elements) if len(elements) > 1:
            for i in range(len(elements)):
                yield f"entry {i + 1} lost", _with(node, elts=[*elements[:i], *elements[i + 1 :]])
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            for i in range(len(keys)):
                kept = [n for n in range(len(keys)) if n != i]
                yield f"entry {i + 1} lost", _with(node, keys=[keys[n] for n in kept], values=[values[n] for n in kept])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


class Changing(ast.NodeTransformer):
    """Walks a module and makes its n-th change; counts them when n is negative."""

    def __init__(self, ordinal: int = -1) -> None:
        self.ordinal, self.seen = ordinal, 0
        self.found: list[tuple[int, str]] = []

    def visit(self, node: ast.AST) -> ast.AST | None:
        """Every node in the order of the text, docstrings, annotations, decorators and what changes nothing aside."""
        if _changes_nothing(node):
            return node
        for what, instead in changes_of(node):
            self.found.append((getattr(node, "lineno", 0), what))
            self.seen += 1
            if self.seen - 1 == self.ordinal:
                return ast.copy_location(instead if instead is not None else ast.Pass(), node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            if isinstance(value, list):
                setattr(node, name, [self.visit(v) if isinstance(v, ast.AST) else v for v in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node


def _changes_nothing(node: ast.AST) -> bool:
    """`strict=`, which only says that two lists are as long as they are, and the names a package gives away."""
    match node:
        case ast.keyword(arg="strict"):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def mutants_of(path: Path) -> list[Mutant]:
    """All changes of one module."""
    walk = Changing()
    walk.visit(ast.parse(path.read_text(encoding="utf-8")))
    return [Mutant(path, n, line, what) for n, (line, what) in enumerate(walk.found)]


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module to whoever imports it."""

    def __init__(self, mutant: Mutant) -> None:
        tree = ast.parse(mutant.path.read_text(encoding="utf-8"))
        Changing(mutant.ordinal).visit(tree)
        self.code = compile(ast.fix_missing_locations(tree), str(mutant.path), "exec")
        stem = mutant.path.relative_to(ROOT).with_suffix("").parts
        self.package = stem[-1] == "__init__"
        self.name = ".".join(stem[:-1] if self.package else stem)
        self.path = mutant.path

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """Only for the one module."""
        if name != self.name:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, origin=str(self.path), is_package=self.package)
        if self.package:
            spec.submodule_search_locations = [str(self.path.parent)]
        return spec

    def exec_module(self, module: object) -> None:
        """Run the changed code."""
        module.__file__ = str(self.path)  # type: ignore[attr-defined]
        exec(self.code, module.__dict__)  # noqa: S102


def survives(mutant: Mutant | None) -> bool:
    """Whether all tests pass on it, in a child of its own; without a mutant, on the gate as it is."""
    tests = TESTS_OF.get(mutant.path.name, OUTPUTS) if mutant else (*OUTPUTS, *VALUES, *TESTS_OF["source.py"])
    pid = os.fork()
    if pid == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        failed = True
        with contextlib.suppress(BaseException):
            if mutant:
                sys.meta_path.insert(0, Instead(mutant))
            import pytest

            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            reading = mutant is None or mutant.path.name in WITH_TESSERACT
            chosen = () if reading else ("-k", "not reread and not many_modes")
            failed = bool(pytest.main(["-x", "-q", "-m", "not slow", *chosen, *PLUGINS, *tests]))
        os._exit(failed)
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def warm_up() -> None:
    """Import what the tests need but the gate, so that a fork need not."""
    for name in ("cv2", "numpy", "pikepdf", "pymupdf", "pypdfium2", "pytest", "PIL.Image", "rapidfuzz", "pytesseract"):
        importlib.import_module(name)
    for name in ("tasks.redaction.apply", "tasks.redaction.plan", "tasks.request", "tests.redaction.drawn"):
        importlib.import_module(name)
    assert not any(name.startswith("tasks.redaction.gate") for name in sys.modules)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample and say the score."""
    parser = argparse.ArgumentParser(description="Mutation testing of the gate.")
    parser.add_argument("--count", type=int, default=200, help="how many mutants, 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="name of one module, e.g. marks.py")
    chosen = parser.parse_args(arguments)
    paths = [path for path in sorted(GATE.glob("*.py")) if not chosen.only or path.name == chosen.only]
    every = [mutant for path in paths for mutant in mutants_of(path)]
    count = min(chosen.count or len(every), len(every))
    sample = random.Random(chosen.seed).sample(every, count)
    os.chdir(ROOT)
    warm_up()
    if not survives(None):
        print("The tests fail on the gate as it is.")
        return 2
    killed = 0
    for done, mutant in enumerate(sample, 1):
        if survives(mutant):
            print(f"survived: {mutant.path.relative_to(ROOT)}:{mutant.line}: {mutant.change}", flush=True)
        else:
            killed += 1
        if done % 25 == 0:
            print(f"{killed} of {done} killed", flush=True)
    print(f"{killed} of {count} mutants killed ({100 * killed / count:.0f} %), of {len(every)} there are.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
