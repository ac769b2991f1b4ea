"""Commands on files alone: no server, no bucket."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from infra.terminal import console, problems

commands = typer.Typer()

NAMED = 5
"""Files named, of those that are not looked at."""


@commands.command()
def redact(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders to walk.")],
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the results.")],
    jobs: Annotated[int, typer.Option(min=1, help="Files worked on at once.")] = os.cpu_count() or 1,
    policy: Annotated[Path | None, typer.Option(help="Policy file (JSON); default: the built-in policy.")] = None,
) -> None:
    """Redact files without any server: [bold]<stem>.pdf[/] and [bold]<stem>.json[/] for each.

    Files of one folder are treated as one request. Exit code: 0 all redacted, 3 some should be reviewed by a person,
    4 some were rejected, 5 the gate refused an output.

    Example: foi redact scans/ letter.tif --output redacted/
    """
    from flows.place import load_policy
    from flows.settings import Settings
    from infra import redact_folder
    from infra.display import redaction_progress, redaction_table
    from tasks.reading.settings import ReadingSettings

    try:
        inputs = redact_folder.gather(paths)
    except FileNotFoundError as missing:
        problems.print(f"There is no file or folder {missing}.", markup=False)
        raise typer.Exit(2) from None
    if others := redact_folder.passed_over(paths):
        named = ", ".join(file.name for file in others[:NAMED]) + (", …" if len(others) > NAMED else "")
        problems.print(
            f"Not looked at: {len(others)} without a suffix of PDF, TIFF, JPEG or PNG ({named}).", markup=False
        )
    if not inputs:
        problems.print(f"No PDF, TIFF, JPEG or PNG below {', '.join(map(str, paths))}.", markup=False)
        raise typer.Exit(2)
    settings = Settings()
    with redaction_progress(problems, len(inputs)) as on_step:
        outcomes = redact_folder.FolderRedaction(
            output,
            load_policy(policy),
            ReadingSettings(),
            jobs,
            on_step,
            bounds=settings.bounds,
            needs=settings.needed_layers,
        ).run(inputs)
    console.print(redaction_table(outcomes))
    raise typer.Exit(redact_folder.exit_code(outcomes))
