"""The embedded stack as `foi up` and `foi demo` use it: servers, keys, deployments, and only then the watcher."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from flows.settings import Settings
from infra.deploy import deploy
from infra.embedded import Stack, check_exposure
from infra.gateway import HOST
from infra.keys import make_keys

RUNS_AT_ONCE = 2


@contextmanager
def open_stack(
    console: Console,
    state: Path,
    allow_unreviewed: bool,
    policy: Path | None = None,
    host: str = HOST,
    api_credential: str = "",
) -> Iterator[Stack]:
    """A running stack with the deployments of prefect.yaml applied.

    Args:
        console: gets a line for each thing that takes seconds.
        state: folder of the stack.
        allow_unreviewed: the setting of that name for the flows.
        policy: policy file for the flows; None for the built-in policy.
        host: where Prefect's server listens; see `Stack`.
        api_credential: what it asks for; see `Stack`.
    """
    check_exposure(host, api_credential)
    state.mkdir(parents=True, exist_ok=True)
    keys = make_keys(state / "keys")
    settings = {
        "FOI_SIGNING_KEY_FILE": str(keys.signing),
        "FOI_COMMITMENT_KEY_FILE": str(keys.commitment),
        "FOI_ALLOW_UNREVIEWED": str(allow_unreviewed).lower(),
        **({"FOI_POLICY_FILE": str(policy.resolve())} if policy else {}),
    }
    if not console.is_terminal:
        console.print("Starting the object store and Prefect ...")
    with console.status("Starting the object store and Prefect ..."):
        stack = Stack(
            state, limit=RUNS_AT_ONCE, watch=False, environment=settings, host=host, api_credential=api_credential
        )
        stack.__enter__()
    try:
        with console.status("Applying prefect.yaml ..."):
            deploy({**stack.environment, **settings}, state / "prefect" / "deployed")
        stack.start_watcher()
        yield stack
    finally:
        with console.status("Stopping the servers ..."):
            stack.__exit__(None, None, None)


def run_until_interrupted(console: Console, state: Path, allow_unreviewed: bool, policy: Path | None) -> None:
    """`foi up`."""
    chosen = Settings()
    credential = chosen.prefect_server_api_auth_string
    with open_stack(
        console,
        state,
        allow_unreviewed,
        policy,
        host=chosen.prefect_host,
        api_credential=credential.get_secret_value() if credential else "",
    ) as stack:
        store = stack.environment["FOI_STORE_ENDPOINT"]
        console.print(f"[bold]Prefect UI[/]      {stack.ui_url}")
        console.print(
            f"[bold]Object store[/]    {store}  (credentials: {state}/store/credentials.json)", soft_wrap=True
        )
        console.print(f"[bold]Disclosure log[/]  {store}/foi-disclosure/index.html")
        console.print(f"[bold]Logs[/]            {state}/logs/")
        console.print("\nIn another terminal:  foi submit DIR   foi status   foi release REF --reviewer NAME")
        console.print("Ctrl-C stops everything; the data stays.")
        try:
            stack.supervise()
        except KeyboardInterrupt:
            console.print()
