"""A run of a flow is one process, started at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.utilities.processutils import command_from_string

from infra.prefect_process import RunProcess

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "taken"),
    [(None, [sys.executable, "-m", "infra.prefect_run"]), ("command --of the-pool", ["command", "--of", "the-pool"])],
)
def test_prefect_is_given_a_command_and_takes_no_way_round(given: str | None, taken: list[str]) -> None:
    process = RunProcess(command=given)
    process.prepare_for_flow_run(FlowRun(id=uuid4(), flow_id=uuid4(), name="ONE-1"))
    assert process.command is not None and command_from_string(process.command) == taken
    assert process._command_configured  # what Prefect's worker goes by
    assert process.env is not None and process.env["PREFECT__FLOW_RUN_ID"]


def test_what_runs_is_prefects_engine_and_warns_of_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    program = [sys.executable, "-m", "infra.prefect_run"]
    ended = subprocess.run(program, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert "Invalid flow run id" in ended.stdout + ended.stderr
    assert "Warning" not in ended.stderr
