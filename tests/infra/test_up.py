"""`foi up` as a person meets it: one terminal, what to open, another terminal beside it, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.authority import write_policy
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
FOI = (sys.executable, "-m", "infra.cli")


@pytest.mark.flow
def test_one_terminal_says_what_to_open_and_ends_cleanly_while_another_works(tmp_path: Path) -> None:
    state, said = tmp_path / "stack", tmp_path / "said"
    policy = write_policy(tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "80", "NO_COLOR": "1"}
    with said.open("w") as out:
        up = subprocess.Popen(
            [*FOI, "up", "--state", str(state), "--policy", str(policy)], cwd=ROOT, env=environment, stdout=out
        )
        try:
            assert eventually(lambda: "Ctrl-C" in said.read_text(), 120)
            told = said.read_text()
            address = re.search(r"Prefect UI +(http://127\.0\.0\.1:\d+)", told)
            assert address
            assert httpx.get(address[1], timeout=30).status_code == 200
            assert f"{state}/logs/*.log" in told
            assert {"prefect.log", "store.log", "worker.log"} <= {path.name for path in (state / "logs").iterdir()}
            beside = subprocess.run(
                [*FOI, "status", "--state", str(state)],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
            assert "no request yet" in beside.stdout
            kept = json.loads((state / "run" / "environment.json").read_text())
            assert kept["FOI_POLICY_FILE"] == str(policy)
        finally:
            up.send_signal(signal.SIGINT)
            code = up.wait(60)
    assert code == 0
    assert not list((state / "run").glob("*.pid"))
    assert "Traceback" not in said.read_text()
