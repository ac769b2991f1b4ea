"""The command line `foi`: its commands, and how every one of them ends.

Rule kept here: commands that need no server import no Prefect, so that they answer at once; every error that is ours
ends in one line, what to do about it, and its exit code.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import typer

from infra.commands import bundles, files, requests, servers
from infra.terminal import printable, problems
from tasks.errors import FoiError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Turn scanned records into a Freedom of Information disclosure that cannot be un-redacted.",
)
for room in (files, bundles, requests, servers):
    app.add_typer(room.commands)


def main() -> None:
    """Entry point: run a command; turn our errors into one line and an exit code."""
    try:
        app()
    except FoiError as error:
        problems.print(f"[bold red]{error.code}[/]  {printable(str(error))}", highlight=False, soft_wrap=True)
        if error.subject:
            problems.print(f"  about: {printable(error.subject)}", highlight=False, soft_wrap=True)
        problems.print(f"  do:    {error.action}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # a defect of ours; its text may quote a record, its place may not
        last = traceback.extract_tb(error.__traceback__)[-1]
        problems.print(f"[bold red]error[/]  {type(error).__name__} at {Path(last.filename).name}:{last.lineno}")
        problems.print(f"  do:    {FoiError.action}", highlight=False, markup=False)
        sys.exit(FoiError.exit_code)


if __name__ == "__main__":
    main()
