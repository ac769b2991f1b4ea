"""A run of Prefect's with nothing in it: what Prefect takes for itself, however little our steps take."""

from __future__ import annotations

from prefect import flow, task
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner


@task(persist_result=False)
def nothing(number: int) -> int:
    """Do nothing."""
    return number


@flow(name="empty", task_runner=ThreadPoolTaskRunner(max_workers=8), persist_result=False)
def empty(tasks: int) -> None:
    """Submit so many tasks and wait for them."""
    wait([nothing.submit(number) for number in range(tasks)])
