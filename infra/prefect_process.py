"""How our worker starts the process of a run.

Rule kept here: one process a run. Given no command, Prefect's worker starts a process that fetches the run's code, and
that one starts the run: everything is imported twice, for seconds. Our code is installed where the worker runs.
"""

from __future__ import annotations

import sys
from typing import Any

from prefect.utilities.processutils import command_to_string
from prefect.workers.process import ProcessJobConfiguration


class RunProcess(ProcessJobConfiguration):
    """A process of the Python that runs the worker, unless pool or deployment give another command."""

    def prepare_for_flow_run(self, *args: Any, **kwargs: Any) -> None:
        """As Prefect does it, once there is a command."""
        self.command = self.command or command_to_string([sys.executable, "-m", "infra.prefect_run"])
        super().prepare_for_flow_run(*args, **kwargs)
