"""The embedded stack as `foi up` and `foi demo` use it: servers, keys, deployments, and only then the watcher."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from infra.deploy import deploy
from infra.embedded import Stack
from tasks.disclosure.keys import generate_commitment_key, generate_signing_key

RUNS_AT_ONCE = 2


@contextmanager
def open_stack(console: Console, state: Path, allow_unreviewed: bool) -> Iterator[Stack]:
    """A running stack with the deployments of prefect.yaml applied.

    Args:
        console: gets a line for each thing that takes seconds.
        state: folder of the stack.
        allow_unreviewed: the setting of that name for the flows.
    """
    state.mkdir(parents=True, exist_ok=True)
    keys = state / "keys"
    settings = {
        "FOI_SIGNING_KEY_FILE": str(ensure_key(keys / "signing.pem", generate_signing_key)),
        "FOI_COMMITMENT_KEY_FILE": str(ensure_key(keys / "commitment.key", generate_commitment_key)),
        "FOI_ALLOW_UNREVIEWED": str(allow_unreviewed).lower(),
    }
    with console.status("Starting the object store and Prefect ..."):
        stack = Stack(state, limit=RUNS_AT_ONCE, watch=False, environment=settings)
        stack.__enter__()
    try:
        with console.status("Applying prefect.yaml ..."):
            deploy({**stack.environment, **settings}, state / "prefect" / "deployed")
        stack.start_watcher()
        yield stack
    finally:
        with console.status("Stopping the servers ..."):
            stack.__exit__(None, None, None)


def ensure_key(path: Path, generate: Callable[[], bytes]) -> Path:
    """A key of this stack, made once, readable by its owner alone; returns its absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.is_file():
        partial = path.with_suffix(".part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(generate())
        partial.replace(path)
    return path.resolve()


def run_until_interrupted(console: Console, state: Path, allow_unreviewed: bool) -> None:
    """`foi up`."""
    with open_stack(console, state, allow_unreviewed) as stack:
        store = stack.environment["FOI_STORE_ENDPOINT"]
        console.print(f"[bold]Prefect UI[/]      {stack.ui_url}")
        console.print(f"[bold]Object store[/]    {store}  (credentials: {state}/store/credentials.json)")
        console.print(f"[bold]Disclosure log[/]  {store}/foi-disclosure/index.html")
        console.print(f"[bold]Logs[/]            {state}/logs/")
        console.print("\nIn another terminal:  foi submit DIR   foi status   foi release REF --reviewer NAME")
        console.print("Ctrl-C stops everything; the data stays.")
        try:
            stack.supervise()
        except KeyboardInterrupt:
            console.print()
