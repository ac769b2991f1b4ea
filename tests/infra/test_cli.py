"""The command line as a person meets it: help with an example everywhere, one line and an exit code for every error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from infra.cli import app

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def foi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_all_commands_of_the_contract_are_there() -> None:
    assert {
        "demo",
        "up",
        "submit",
        "process",
        "status",
        "release",
        "hold",
        "verify",
        "prove",
        "keys",
        "redact",
        "doctor",
    } <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    done = foi(command, "--help")
    assert done.returncode == 0
    assert f"Example: foi {command}" in done.stdout


def test_without_a_stack_the_user_is_told_what_to_start(tmp_path: Path) -> None:
    done = foi("status", "--state", str(tmp_path))
    assert done.returncode == 78
    assert "foi up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_does_not_answer_is_one_line_and_an_exit_code() -> None:
    done = foi(
        "status",
        FOI_STORE_ENDPOINT="http://127.0.0.1:9",
        FOI_STORE_ACCESS_KEY="somebody",
        FOI_STORE_SECRET_KEY="something-secret",
    )
    assert done.returncode == 75
    assert "store-unavailable" in done.stderr
    assert "something-secret" not in done.stdout + done.stderr


def test_a_misspelt_setting_is_named() -> None:
    done = foi("status", FOI_STORE_ENDPOINT="http://127.0.0.1:9", FOI_STORE_ACCES_KEY="x")
    assert done.returncode == 78
    assert "FOI_STORE_ACCES_KEY" in done.stderr


def test_submitting_a_folder_that_is_no_request_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"reference": "R-1", "title": "t"}')
    done = foi(
        "submit",
        str(tmp_path),
        FOI_STORE_ENDPOINT="http://127.0.0.1:9",
        FOI_STORE_ACCESS_KEY="somebody",
        FOI_STORE_SECRET_KEY="something-secret",
    )
    assert done.returncode == 4
    assert "request.json" in done.stderr
    assert "received" in done.stderr


def test_verifying_nothing_and_rubbish(tmp_path: Path) -> None:
    assert foi("verify", str(tmp_path / "nowhere.zip")).returncode == 2
    (tmp_path / "rubbish.zip").write_bytes(b"not a zip")
    done = foi("verify", str(tmp_path / "rubbish.zip"))
    assert done.returncode == 6
    assert "Traceback" not in done.stdout + done.stderr


def test_doctor_looks_at_the_machine(tmp_path: Path) -> None:
    done = foi("doctor", "--state", str(tmp_path))
    assert done.returncode == 0, done.stdout
    for thing in ("Tesseract", "Python", "Prefect", "Object store"):
        assert thing in done.stdout
