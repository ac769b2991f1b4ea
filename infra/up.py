"""The embedded stack as `foi up` and `foi demo` use it: servers, keys, deployments, and only then the watcher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from flows.place import load_policy
from flows.settings import Settings
from infra.alarms import set_up_alarms
from infra.deploy import deploy, open_api, set_up_pool
from infra.embedded import Stack, check_exposure
from infra.gateway import HOST
from infra.keys import make_keys


@contextmanager
def open_stack(
    console: Console,
    state: Path,
    allow_unreviewed: bool,
    policy: Path | None = None,
    host: str = HOST,
    api_credential: str = "",
    database_url: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """A running stack with the deployments of prefect.yaml applied.

    Args:
        console: gets a line for each thing that takes seconds.
        state: folder of the stack.
        allow_unreviewed: the setting of that name for the flows.
        policy: policy file for the flows; None for the built-in policy.
        host: where Prefect's server listens; see `Stack`.
        api_credential: what it asks for; see `Stack`.
        database_url: its database; see `Stack`.
        environment: more variables for the processes, e.g. TMPDIR.
    """
    chosen = Settings()
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
            state,
            limit=chosen.runs_at_once,
            watch=False,
            environment={**settings, **(environment or {})},
            host=host,
            api_credential=api_credential,
            database_url=database_url,
        )
        stack.__enter__()
    try:
        with console.status("Applying prefect.yaml ..."), open_api(stack.environment) as api:
            set_up_pool(api, chosen.runs_at_once)
            deploy(api, {**stack.environment, **settings})
            set_up_alarms(api, chosen)
        stack.start_watcher()
        yield stack
    finally:
        with console.status("Stopping the servers ..."):
            stack.__exit__(None, None, None)


def run_until_interrupted(console: Console, state: Path, allow_unreviewed: bool, policy: Path | None) -> None:
    """`foi up`."""
    chosen = Settings()
    credential, database = chosen.prefect_server_api_auth_string, chosen.prefect_server_database_connection_url
    with open_stack(
        console,
        state,
        allow_unreviewed,
        policy,
        host=chosen.prefect_host,
        api_credential=credential.get_secret_value() if credential else "",
        database_url=database.get_secret_value() if database else "",
    ) as stack:
        store = stack.environment["FOI_STORE_ENDPOINT"]
        console.print(f"[bold]Prefect UI[/]      {stack.ui_url}")
        console.print(
            f"[bold]Object store[/]    {store}  (credentials: {state}/store/credentials.json)", soft_wrap=True
        )
        console.print(f"[bold]Disclosure log[/]  {store}/foi-disclosure/index.html")
        console.print(f"[bold]Logs[/]            {state}/logs/*.log", soft_wrap=True)
        if unsaid := load_policy(policy).authority.unsaid:
            console.print(
                f"\n[bold yellow]No policy says the authority's {' and '.join(unsaid)}: every response stays held.[/] "
                "Write a policy file (README: Settings), then: foi up --policy FILE"
            )
        console.print("\nIn another terminal:  foi submit DIR   foi status   foi review REF --output DIR")
        console.print("Ctrl-C stops everything; the data stays.")
        try:
            stack.supervise()
        except KeyboardInterrupt:
            console.print()
