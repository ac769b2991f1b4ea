"""The command line `foi`: what each command is called, takes and says. The work is done elsewhere.

Rule kept here: commands that need no server import no Prefect, so that they answer at once; every error that is ours
ends in one line, what to do about it, and its exit code.
"""

from __future__ import annotations

import os
import sys
import traceback
import unicodedata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tasks.errors import ConfigurationError, FoiError, VerificationFailedError


def printable(untrusted: str) -> str:
    """Text for the terminal: no markup, and nothing that moves the cursor or turns the direction of what follows."""
    return escape("".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "?" for c in untrusted))


app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Turn scanned records into a Freedom of Information disclosure that cannot be un-redacted.",
)
console = Console()
problems = Console(stderr=True)

STATE_FOLDER = Path("build/stack")

StateOption = Annotated[
    Path, typer.Option("--state", envvar="FOI_STATE", help="Folder where the embedded servers keep their data.")
]
ReferenceArgument = Annotated[str, typer.Argument(metavar="REF", help="Reference of the request.")]


def main() -> None:
    """Entry point: run a command; turn our errors into one line and an exit code."""
    try:
        app()
    except FoiError as error:
        problems.print(f"[bold red]{error.code}[/]  {printable(str(error))}", highlight=False)
        if error.subject:
            problems.print(f"  about: {printable(error.subject)}", highlight=False)
        problems.print(f"  do:    {error.action}", highlight=False, markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # a defect of ours; its text may quote a record, its place may not
        last = traceback.extract_tb(error.__traceback__)[-1]
        problems.print(f"[bold red]error[/]  {type(error).__name__} at {Path(last.filename).name}:{last.lineno}")
        problems.print(f"  do:    {FoiError.action}", highlight=False, markup=False)
        sys.exit(FoiError.exit_code)


@app.command()
def redact(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders to walk.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
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
    from tasks.jobs import ReadingSettings

    try:
        inputs = redact_folder.gather(paths)
    except FileNotFoundError as missing:
        problems.print(f"There is no file or folder {missing}.", markup=False)
        raise typer.Exit(2) from None
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


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="A published bundle: its folder or its zip.")],
    key: Annotated[Path | None, typer.Option(help="The publisher's public key (PEM), got from elsewhere.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check a published bundle offline and say in plain words what holds.

    Exit code: 0 everything holds, 6 something does not.

    Example: foi verify v1.zip --key publisher.pem
    """
    from infra.display import verdict_table
    from tasks.codec import encode
    from tasks.disclosure.verify import verify_bundle

    if not bundle.exists():
        problems.print(f"There is no file or folder {bundle}.", markup=False)
        raise typer.Exit(2)
    verdict = verify_bundle(bundle, key.read_bytes() if key else None)
    if as_json:
        console.print_json(encode(verdict).decode())
    else:
        console.print(verdict_table(verdict))
    raise typer.Exit(0 if verdict.ok else VerificationFailedError.exit_code)


@app.command()
def submit(
    folder: Annotated[Path, typer.Argument(help="A folder with request.json and records/.")],
    state: StateOption = STATE_FOLDER,
) -> None:
    """Put a request into the intake bucket the way an upstream system does: records first, request.json last.

    Example: foi submit cases/01.FOI.26.012345
    """
    from infra import desk

    with desk.open_desk(state) as place:
        reference, uploaded, unchanged = desk.submit(place, folder)
    console.print(
        f"[bold]{reference}[/]: {uploaded} uploaded, {unchanged} unchanged. Follow it: foi status {reference}"
    )


@app.command()
def process(reference: ReferenceArgument, state: StateOption = STATE_FOLDER) -> None:
    """Start a run for one request now, as its event would.

    Example: foi process 01.FOI.26.012345
    """
    from infra import desk

    with desk.open_desk(state):
        desk.process(reference)
    console.print(f"A run for [bold]{reference}[/] is on its way. Follow it: foi status {reference}")


@app.command()
def status(
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="One request; default: all.")] = None,
    state: StateOption = STATE_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show every request, or one with its files: where it stands, why, and what to do next.

    Example: foi status 01.FOI.26.012345
    """
    from infra import desk
    from infra.display import caseload_table, request_table
    from tasks.codec import encode

    with desk.open_desk(state) as place:
        rows = desk.caseload(place, reference)
    if as_json:
        console.print_json(encode(rows).decode())
    elif reference:
        console.print(request_table(rows[0]))
    else:
        console.print(caseload_table(rows))


@app.command()
def review(
    reference: ReferenceArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the draft; keep it restricted.")],
    state: StateOption = STATE_FOLDER,
) -> None:
    """Write a held request's draft into a folder, to look at before releasing it.

    Example: foi review 01.FOI.26.012345 --output review/
    """
    from infra import desk

    with desk.open_desk(state) as place:
        dossier, first = desk.review(place, reference, output)
    console.print(f"Open {first}", soft_wrap=True)
    console.print(f"Then: foi release {reference} --dossier {dossier[:12]} --reviewer NAME", soft_wrap=True)


@app.command()
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


@app.command()
def release(
    reference: ReferenceArgument,
    reviewer: Annotated[str, typer.Option(help="Who decides; printed in the provenance.")],
    dossier: Annotated[str, typer.Option(help="Digest of what you looked at; default: the one now held.")] = "",
    state: StateOption = STATE_FOLDER,
) -> None:
    """Release a held request for publication.

    Example: foi release 01.FOI.26.012345 --reviewer "A. Officer"
    """
    _decide(reference, reviewer, dossier, "release", state)


@app.command()
def hold(
    reference: ReferenceArgument,
    reviewer: Annotated[str, typer.Option(help="Who decides.")],
    dossier: Annotated[str, typer.Option(help="Digest of what you looked at; default: the one now held.")] = "",
    state: StateOption = STATE_FOLDER,
) -> None:
    """Keep a held request held, and record who said so.

    Example: foi hold 01.FOI.26.012345 --reviewer "A. Officer"
    """
    _decide(reference, reviewer, dossier, "hold", state)


def _decide(reference: str, reviewer: str, dossier: str, decision: str, state: Path) -> None:
    from infra import desk

    with desk.open_desk(state) as place:
        shown = desk.decide(place, reference, reviewer, dossier, decision)
    console.print(
        f"[bold]{decision}[/] of {reference}, dossier {shown[:12]}, is on its way. See: foi status {reference}"
    )


@app.command()
def withdraw(
    reference: ReferenceArgument,
    reason: Annotated[str, typer.Option(help="Printed on the notice that stays; everybody can read it.")],
    state: StateOption = STATE_FOLDER,
) -> None:
    """Take a published disclosure back; a notice stays in its place.

    Example: foi withdraw 01.FOI.26.012345 --reason "Published in error."
    """
    from infra import desk

    with desk.open_desk(state) as place:
        desk.withdraw(place, reference, reason)
    console.print(f"The withdrawal of [bold]{reference}[/] is on its way. See: foi status {reference}")


@app.command()
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


@app.command()
def demo(
    state: StateOption = STATE_FOLDER,
    output: Annotated[Path, typer.Option(help="Where the public bucket is mirrored to.")] = Path("build/demo"),
) -> None:
    """Run the main job on a sample request, end to end on real servers, and say what to open.

    Example: foi demo
    """
    from infra.demo.run import run_demo

    raise typer.Exit(run_demo(console, state, output))


@app.command()
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


if __name__ == "__main__":
    main()
