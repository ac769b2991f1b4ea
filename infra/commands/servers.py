"""Commands that start, prepare and examine what the pipeline runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.terminal import STATE_FOLDER, StateOption, console, printable
from tasks.errors import ConfigurationError

commands = typer.Typer()

LEFT_TO_DO = 3


@commands.command()
def up(
    state: StateOption = STATE_FOLDER,
    allow_unreviewed: Annotated[
        bool, typer.Option(help="Let requests that ask for no review be published without a person.")
    ] = False,
    policy: Annotated[Path | None, typer.Option(help="Policy file (JSON); default: the built-in policy.")] = None,
) -> None:
    """Start the embedded store, Prefect, a worker and the watcher; stop them with Ctrl-C. Data persists.

    Under another policy than before, every request is processed again.

    Example: foi up
    """
    from infra.up import run_until_interrupted

    run_until_interrupted(console, state, allow_unreviewed, policy)


@commands.command()
def init() -> None:
    """Make your own store and Prefect server ready: buckets, accounts, work pool, deployments, alarms.

    The settings name both, and an administrator's account of the store. Running it again changes nothing that is as it
    should be.

    Exit code: 0 all done, 3 something is left to do by hand.

    Example: foi init
    """
    from flows.settings import Settings
    from infra.initialise import initialise

    left = 0
    for part in initialise(Settings()):
        left += not part.ok
        mark = "[green]ok[/]  " if part.ok else "[yellow]TO DO[/]"
        console.print(f"{mark}  {part.name}: {printable(part.found)}", highlight=False, soft_wrap=True)
    raise typer.Exit(LEFT_TO_DO if left else 0)


@commands.command()
def prune(
    days: Annotated[int, typer.Option(min=30, help="How old a result must be.")] = 365,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, only say how much it is.")] = False,
) -> None:
    """Remove old results from the work bucket that can be made again; approvals and what was approved stay.

    The settings name an administrator's account of the store.

    Example: foi prune --days 365 --yes
    """
    from datetime import timedelta

    from flows.settings import Settings
    from infra.prune import find_prunable, open_as_administrator
    from infra.prune import prune as remove

    settings, older_than = Settings(), timedelta(days=days)
    store = open_as_administrator(settings)
    if yes:
        objects, size = remove(store, settings, older_than)
    else:
        found = list(find_prunable(store, settings, older_than))
        objects, size = len(found), sum(info.size for info in found)
    did = "Removed" if yes else "Would remove"
    console.print(f"{did} {objects} objects of {size / 2**20:.1f} MiB, older than {days} days.")


@commands.command()
def demo(
    state: StateOption = STATE_FOLDER,
    output: Annotated[Path, typer.Option(help="Where the public bucket is mirrored to.")] = Path("build/demo"),
) -> None:
    """Run the main job on a sample request, end to end on real servers, and say what to open.

    Example: foi demo
    """
    from infra.demo.run import run_demo

    raise typer.Exit(run_demo(console, state, output))


@commands.command()
def keys(
    folder: Annotated[Path, typer.Argument(help="Where the keys are, or are to be made.")],
    rotate: Annotated[
        bool,
        typer.Option("--rotate", help="Make a new signing key; the old one signs nothing any more and is removed."),
    ] = False,
) -> None:
    """Make the signing key and the commitment key unless they are there; show what to set and what to publish.

    After --rotate, the file to publish holds the old public keys too: old bundles keep verifying with it.

    Example: foi keys secrets/
    """
    from infra.keys import make_keys, rotate_signing_key

    made = rotate_signing_key(folder) if rotate else make_keys(folder)
    console.print(f"FOI_SIGNING_KEY_FILE={made.signing}\nFOI_COMMITMENT_KEY_FILE={made.commitment}", soft_wrap=True)
    console.print(f"Publish {made.public}. It holds:", soft_wrap=True)
    console.print(f"  {made.key_id}  signs now", soft_wrap=True, highlight=False)
    for retired in made.retired:
        console.print(f"  {retired}  signed before", soft_wrap=True, highlight=False)


@commands.command()
def doctor(state: StateOption = STATE_FOLDER) -> None:
    """Check everything the pipeline needs on this machine, and say what to do about what is missing.

    Exit code: 0 ready, 78 something must be mended.

    Example: foi doctor
    """
    from infra.display import doctor_table
    from infra.doctor import examine

    checks = examine(state)
    console.print(doctor_table(checks))
    raise typer.Exit(0 if all(check.ok for check in checks if check.needed) else ConfigurationError.exit_code)
