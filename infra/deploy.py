"""Prepares a Prefect server: work pool, queue, and the deployments, trigger and schedule of `prefect.yaml`.

Rule kept here: everything may be done again at any time, and changes nothing when it is as it should be. Prefect's own
command applies the file, so that what runs here is what an operator's `prefect deploy --all` makes. Deploying recreates
the trigger (an event in that moment is lost), so the server remembers which file was applied last.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from flows.asking import answer_of
from tasks.codec import digest
from tasks.errors import ConfigurationError, TransientError

POOL = "local-process"
REQUESTS_QUEUE = "requests"
PREFECT_FILE = Path(__file__).parent.parent / "prefect.yaml"

_APPLIED = "foi_prefect_file"
_TIMEOUT_S = 180
_ASK_TIMEOUT_S = 70  # on SQLite, a writer may wait for a minute


class PrefectRefusedError(ConfigurationError):
    """Prefect's server took the question and said no."""

    code = "prefect-refused"
    message = "The Prefect server refused what it was asked."
    action = "Check what you gave, PREFECT_API_AUTH_STRING, and that its version is that of infra/constraints.txt."


class PrefectAwayError(TransientError):
    """Prefect's server did not answer while it was being set up."""

    code = "prefect-away"
    message = "The Prefect server did not answer."
    action = "Check that it runs and PREFECT_API_URL is right, then run the command again."


class PrefectApi:
    """Prefect's API as something is set up in it: an answer, or one of our errors."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer; None when there is nothing at that path, or nothing is said.

        Raises:
            PrefectRefusedError: it was refused.
            PrefectAwayError: no proper answer.
        """
        answer = answer_of(self._client, method, path, body, PrefectAwayError)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            raise PrefectRefusedError(f"HTTP {answer.status_code} to {method} {path.split('/')[1]}.")
        return answer.json() if answer.content else None


@contextmanager
def open_api(environment: Mapping[str, str]) -> Iterator[PrefectApi]:
    """The API that PREFECT_API_URL and PREFECT_API_AUTH_STRING name."""
    user, _, password = environment.get("PREFECT_API_AUTH_STRING", "").partition(":")
    with httpx.Client(
        base_url=environment["PREFECT_API_URL"], timeout=_ASK_TIMEOUT_S, auth=(user, password) if user else None
    ) as client:
        yield PrefectApi(client)


def set_up_pool(api: PrefectApi, runs_at_once: int) -> bool:
    """Make the work pool unless there is one, and limit how many requests are at work at once; whether that changed.

    An existing pool may be of any type: Kubernetes and others run the same deployments.
    """
    changed = False
    if api.ask("GET", f"/work_pools/{POOL}") is None:
        from prefect.workers.process import ProcessWorker  # seconds

        template = ProcessWorker.get_default_base_job_template()
        api.ask("POST", "/work_pools/", {"name": POOL, "type": "process", "base_job_template": template})
        changed = True
    queues = f"/work_pools/{POOL}/queues"
    queue = api.ask("GET", f"{queues}/{REQUESTS_QUEUE}")
    if queue is None:
        api.ask("POST", queues, {"name": REQUESTS_QUEUE, "concurrency_limit": runs_at_once})
    elif queue["concurrency_limit"] != runs_at_once:
        api.ask("PATCH", f"{queues}/{REQUESTS_QUEUE}", {"concurrency_limit": runs_at_once})
    else:
        return changed
    return True


def deploy(api: PrefectApi, environment: Mapping[str, str]) -> bool:
    """Apply `prefect.yaml` unless the server has its deployments as they are; whether it was applied.

    Args:
        api: of the server.
        environment: PREFECT_API_URL and what the flows' settings need.

    Raises:
        ConfigurationError: Prefect refused it.
    """
    content = PREFECT_FILE.read_bytes()
    current = digest(content)
    memory = api.ask("GET", f"/variables/name/{_APPLIED}")
    asked = {"deployments": {"tags": {"all_": ["foi"]}}}
    there = {deployment["name"] for deployment in api.ask("POST", "/deployments/filter", asked)}
    wanted = {deployment["name"] for deployment in yaml.safe_load(content)["deployments"]}
    if memory and memory["value"] == current and wanted <= there:
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
    if memory:
        api.ask("PATCH", f"/variables/name/{_APPLIED}", {"value": current})
    else:
        api.ask("POST", "/variables/", {"name": _APPLIED, "value": current})
    return True
