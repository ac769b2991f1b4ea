"""Applies `prefect.yaml` to a Prefect server: its deployments, trigger and schedule.

Rule kept here: Prefect's own command does it, so that what runs here is what an operator's `prefect deploy --all`
makes. Deploying recreates the trigger (an event in that moment is lost), so an unchanged file is not applied again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tasks.codec import digest
from tasks.errors import ConfigurationError

PREFECT_FILE = Path(__file__).parent.parent / "prefect.yaml"
_TIMEOUT_S = 180


def deploy(environment: Mapping[str, str], memory: Path) -> bool:
    """Apply the file unless `memory` says that it was applied as it is.

    Args:
        environment: PREFECT_API_URL and what the flows' settings need.
        memory: a file beside the server's data; it must go when that goes.

    Returns:
        whether it was applied.

    Raises:
        ConfigurationError: Prefect refused it.
    """
    current = digest(PREFECT_FILE.read_bytes())
    if memory.is_file() and memory.read_text() == current:
        return False
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", PREFECT_FILE.name],
        cwd=PREFECT_FILE.parent,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stdout + done.stderr).strip().splitlines()[-12:]
        raise ConfigurationError("Prefect refused prefect.yaml.", subject="\n".join(last))
    memory.write_text(current)
    return True
