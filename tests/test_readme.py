"""The README says what is: its tables are made from the code, its commands, links and pictures exist.

python -m tests.test_readme --write     puts the tables as the code has them into README.md
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
import yaml
from PIL import Image
from pydantic import SecretStr

from flows.runs import ON_REQUEST as SWEPT_TO
from flows.settings import Settings, variable_of
from infra.access import DEFAULT_PREFIX, USED_BY
from infra.access import RIGHTS as ROLE_RIGHTS
from infra.cli import app
from infra.desk import PROCESSING, RELEASE
from tasks.errors import all_errors
from tasks.model import STATE_MEANING
from tasks.request import Policy, parse_policy, parse_request
from tasks.workplace import Buckets

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SOURCES = sorted(path for room in ("tasks", "flows", "infra") for path in (ROOT / room).rglob("*.py"))
MAX_PICTURE_BYTES = 250_000


# ------------------------------------------------------------------------------------------------ tables


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def states() -> str:
    return table(
        ("state", "meaning", "what to do"),
        [(f"`{state}`", meaning, action) for state, (meaning, action) in STATE_MEANING.items()],
    )


def settings() -> str:
    return table(
        ("variable", "default", "meaning"),
        [
            (f"`{variable_of(name)}`", _default_of(name), field.description or "")
            for name, field in Settings.model_fields.items()
        ],
    )


def _default_of(name: str) -> str:
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        return "number of cores"  # the only default that a machine decides
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def errors() -> str:
    rows = [(str(e["code"]), str(e["message"]), str(e["action"]), str(e["exit_code"])) for e in _errors_in_source()]
    return table(
        ("code", "meaning", "what to do", "exit code"),
        [(f"`{code}`", meaning, action, exit_code) for code, meaning, action, exit_code in sorted(rows)],
    )


def _errors_in_source() -> list[dict[str, object]]:
    """What each error class says, read from the source: importing all of it would import Prefect."""
    said: dict[str, tuple[list[str], dict[str, object]]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                said[node.name] = bases, dict(_texts(node))

    def resolve(name: str) -> dict[str, object]:
        bases, own = said.get(name, ([], {}))
        inherited = {key: value for base in reversed(bases) for key, value in resolve(base).items()}
        return {**inherited, **own}

    resolved = {name: resolve(name) for name in said}
    return [{"name": name, **texts} for name, texts in resolved.items() if "code" in texts]


def _texts(node: ast.ClassDef) -> Iterator[tuple[str, object]]:
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
            yield target.id, value.value


def deployments() -> str:
    rows = []
    for one in _prefect_file()["deployments"]:
        does = " ".join(str(one["description"]).split())
        rows.append((f"`{_name_of(one)}`", _started_by(one), does))
    return table(("deployment", "started by", "does"), rows)


def _prefect_file() -> dict[str, list[dict[str, object]]]:
    known: dict[str, list[dict[str, object]]] = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    return known


def _name_of(deployment: dict[str, object]) -> str:
    """`flow/deployment`; Prefect names a flow after its function, with dashes."""
    function = str(deployment["entrypoint"]).rpartition(".")[2]
    return f"{function.replace('_', '-')}/{deployment['name']}"


def _started_by(deployment: dict[str, object]) -> str:
    by = [f"the event `{event}`" for trigger in _dicts(deployment, "triggers") for event in _strings(trigger["expect"])]
    by += [f"`{schedule['cron']}`, {schedule['timezone']}" for schedule in _dicts(deployment, "schedules")]
    return "; ".join(by) or "a person"


def _dicts(deployment: dict[str, object], name: str) -> list[dict[str, object]]:
    found = deployment.get(name, [])
    assert isinstance(found, list)
    return found


def _strings(values: object) -> list[str]:
    assert isinstance(values, list)
    return [str(value) for value in values]


RIGHTS = {
    "read": {"get", "head", "copy"},
    "list": {"list", "list_folders"},
    "write": {"put"},
    "delete": {"delete"},
}
OTHERS = {  # what nobody's code can say: those outside the pipeline
    "intake": "upstream systems write; `foi submit` does the same for a person",
    "work": "officers and operators read, through `foi status`",
    "quarantine": "whoever mends rejected files reads",
    "disclosure": "the public reads objects by key; listing stays closed",
}


def buckets() -> str:
    used = _uses_of_buckets()
    rows = []
    for name in Buckets.__dataclass_fields__:
        rule = (getattr(Settings, f"{name}_bucket").__doc__ or "").strip()
        rights = ", ".join(right for right, methods in RIGHTS.items() if methods & used[name])
        rows.append((f"`{Settings.model_fields['bucket_prefix'].default}{name}`", rule, rights, OTHERS[name]))
    return table(("bucket", "rule", "the pipeline needs", "others"), rows)


def accounts() -> str:
    rows = []
    for role, given in ROLE_RIGHTS.items():
        may = "; ".join(f"`{DEFAULT_PREFIX}{bucket}`: {', '.join(rights)}" for bucket, rights in given.items())
        rows.append((f"`{role}`", USED_BY[role], may, f"`{variable_of(f'store_{role}_access_key')}`"))
    return table(("role", "used by", "may", "access key"), rows)


def _uses_of_buckets() -> dict[str, set[str]]:
    """Which methods of the store the flows and tasks call, per bucket."""
    methods = set().union(*RIGHTS.values())
    uses: dict[str, set[str]] = {name: set() for name in Buckets.__dataclass_fields__}
    for path in SOURCES:
        if path.is_relative_to(ROOT / "infra") or path.name == "store.py":
            continue
        public = path.name == "publish.py"  # gets its one bucket as an argument
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods):
                continue
            if public and _is_store(node.func.value):
                uses["disclosure"].add(node.func.attr)
            for position, argument in enumerate(node.args):
                if isinstance(argument, ast.Attribute) and "buckets" in ast.unparse(argument.value):
                    uses[argument.attr].add("put" if node.func.attr == "copy" and position else node.func.attr)
    return uses


def _is_store(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "store"


TABLES: dict[str, Callable[[], str]] = {
    "states": states,
    "settings": settings,
    "errors": errors,
    "deployments": deployments,
    "buckets": buckets,
    "accounts": accounts,
}


def marked(name: str) -> re.Pattern[str]:
    """The place of a table: between two comments."""
    return re.compile(rf"(?<=<!-- {name}:begin -->\n).*?(?=<!-- {name}:end -->)", re.DOTALL)


# ------------------------------------------------------------------------------------------------ tests


@pytest.fixture(scope="module")
def readme() -> str:
    return README.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_the_one_the_code_makes(name: str, readme: str) -> None:
    found = marked(name).findall(readme)
    assert found == [TABLES[name]() + "\n"], "run: python -m tests.test_readme --write"


def test_the_errors_read_from_the_source_are_those_of_the_classes() -> None:
    said = {str(error["name"]): error for error in _errors_in_source()}
    ours = [kind for kind in all_errors() if kind.__module__.split(".")[0] in {"tasks", "flows", "infra"}]
    assert len(ours) > 15
    for kind in ours:
        for name in ("code", "message", "action", "exit_code"):
            assert said[kind.__name__][name] == getattr(kind, name), kind.__name__


def test_the_deployments_are_called_what_the_code_calls_them() -> None:
    assert {_name_of(one) for one in _prefect_file()["deployments"]} >= {PROCESSING, RELEASE, SWEPT_TO}


def test_the_intake_is_read_only_and_only_publishing_deletes() -> None:
    used = _uses_of_buckets()
    assert used["intake"] <= RIGHTS["read"] | RIGHTS["list"]
    assert [name for name, methods in used.items() if "delete" in methods] == ["disclosure"]


def code_in(text: str) -> Iterator[str]:
    """Every line of fenced code and every piece of inline code."""
    fences = re.findall(r"^```(?!mermaid)\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for fence in fences:
        yield from fence.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def test_the_commands_named_are_the_commands_there_are(readme: str) -> None:
    there = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = {word for code in code_in(readme) for word in re.findall(r"(?:^|[\s/])foi ([a-z]+)", code)}
    assert named == there


def test_the_make_targets_named_exist(readme: str) -> None:
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for code in code_in(readme) for word in re.findall(r"^make ([a-z]+)", code)}
    assert {"demo", "test"} <= named <= there


def test_the_modules_that_are_run_exist(readme: str) -> None:
    modules = {word for code in code_in(readme) for word in re.findall(r"python -m ([\w.]+)", code)}
    assert modules
    for name in modules - {"venv", "pip"}:
        assert ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file(), name


def targets(text: str) -> set[str]:
    """What links and pictures point at."""
    return set(re.findall(r"\]\(([^)\s]+)\)", text)) | set(re.findall(r'(?:src|href)="([^"]+)"', text))


def test_links_lead_somewhere(readme: str) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", readme, re.MULTILINE)
    }
    found = targets(readme)
    assert found
    for target in found:
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("https://"):
            assert (ROOT / target).exists(), target


def test_every_picture_is_shown_and_small(readme: str) -> None:
    pictures = sorted((ROOT / "docs/pictures").iterdir())
    assert {f"docs/pictures/{path.name}" for path in pictures} == {t for t in targets(readme) if t.endswith(".png")}
    for path in pictures:
        assert path.stat().st_size < MAX_PICTURE_BYTES, path.name
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.width >= 700


def test_the_examples_are_valid(readme: str) -> None:
    examples = re.findall(r"^```json\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    request, policy = (text.encode() for text in examples)
    assert parse_request(request, json.loads(request)["reference"]).records
    assert parse_policy(policy).authority.name != Policy().authority.name


def test_the_tree_shows_what_is_there(readme: str) -> None:
    (tree,) = re.findall(r"^```text\n(flows/.*?)^```", readme, re.DOTALL | re.MULTILINE)
    shown: set[str] = set()
    for line in tree.splitlines():
        names = re.split(r" {2,}", line.strip())[0].split(" · ")
        if not line.startswith(" "):
            (room,) = names
            names = [""]
        shown |= {room + name for name in names}
    for name in shown:
        assert (ROOT / name).exists(), name
    for room in ("flows/", "tasks/"):
        inside = {f"{room}{path.name}{'/' if path.is_dir() else ''}" for path in (ROOT / room).glob("[a-z]*")}
        assert inside <= shown, inside - shown


def main() -> None:
    """Write the tables."""
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.test_readme --write")
    text = README.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        made = make() + "\n"
        text, count = marked(name).subn(lambda _, made=made: made, text)
        if count != 1:
            sys.exit(f"README.md needs one <!-- {name}:begin --> and one <!-- {name}:end -->.")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
