"""A misspelt setting stops every command, and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MISSPELT = "FOI_STORE_ENDPONT"


@pytest.mark.parametrize("command", ["status", "doctor", "redact"])
def test_a_misspelt_variable_is_named(command: str, tmp_path: Path) -> None:
    (tmp_path / "memo.png").write_bytes(b"x")
    arguments = {"redact": ["memo.png", "--output", "out"]}.get(command, [])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOI_")}
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", command, *arguments],
        cwd=tmp_path,
        env={**environment, MISSPELT: "http://127.0.0.1:9", "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 78
    assert MISSPELT in done.stdout + done.stderr
