"""Runs a Prefect process worker as soon as the server answers: `python -m infra.prefect_worker POOL LIMIT [QUEUE ...]`.

Rule kept here: it is Prefect's own worker. Imported while the server still starts, and the pool is made by the worker
itself from its own template, so that the server does not ask GitHub for one. It goes by the name of the machine, and of
its queues if it is not to serve all, by which it knows what the worker before it left.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flows import patrol
from flows.runs import open_runs
from flows.settings import Settings
from tasks.errors import FoiError

if TYPE_CHECKING:
    from prefect.workers.process import ProcessWorker

_POLL_S = 0.1


async def work(worker: ProcessWorker) -> None:
    """Take runs until SIGTERM or SIGINT; the runs at work are ended then."""
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, lambda: task and task.cancel())
    with contextlib.suppress(asyncio.CancelledError):
        await worker.start()


def wait_for_server(api_url: str) -> None:
    """Return when the server answers; the parent sets the limit."""
    import httpx

    with httpx.Client(trust_env=False, timeout=60) as client:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if client.get(f"{api_url}/health").is_success:
                    return
            time.sleep(_POLL_S)


def end_left_behind(name: str) -> None:
    """Give up the runs whose processes ended with the worker before; the patrol starts them again within a minute."""
    try:
        with open_runs(Settings()) as runs:
            patrol.end_left_behind(runs, name, _is_at_work)
    except FoiError as error:  # they are noticed by their silence, some minutes later
        print(error, file=sys.stderr)


def _is_at_work(pid: int) -> bool:
    try:
        return b"prefect" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main() -> None:
    """Serve until SIGTERM."""
    pool, limit, *queues = sys.argv[1:]
    gc.disable()  # see infra.prefect_server
    from prefect.workers.process import ProcessWorker

    from infra.prefect_process import RunProcess

    gc.freeze()
    gc.enable()
    wait_for_server(os.environ["PREFECT_API_URL"])
    name = "-".join([socket.gethostname(), *queues])
    end_left_behind(name)
    worker = ProcessWorker(work_pool_name=pool, limit=int(limit), name=name, work_queues=queues or None)
    worker.job_configuration = RunProcess
    asyncio.run(work(worker))


if __name__ == "__main__":
    main()
