"""Commands that start, prepare and examine what the pipeline runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.terminal import STATE_FOLDER, StateOption, console
from tasks.errors import ConfigurationError

commands = typer.Typer()


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
) -> None:
    """Make the signing key and the commitment key unless they are there; show what to publish.

    Example: foi keys secrets/
    """
    from infra.keys import make_keys

    made = make_keys(folder)
    console.print(f"FOI_SIGNING_KEY_FILE={made.signing}\nFOI_COMMITMENT_KEY_FILE={made.commitment}", soft_wrap=True)
    console.print(f"Publish {made.public}; its identifier is {made.key_id}", soft_wrap=True)


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
