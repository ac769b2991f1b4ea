"""Commands on one request, or on all of them: they speak to the store and to Prefect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.terminal import STATE_FOLDER, ReferenceArgument, StateOption, console

commands = typer.Typer()


def _named(reviewer: str) -> str:
    from tasks.request import REVIEWER

    if not REVIEWER.fullmatch(reviewer):
        raise typer.BadParameter("2 to 80 characters, without digits, ':' or '@'.")
    return reviewer


@commands.command()
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
        f"[bold]{reference}[/]: {uploaded} uploaded, {unchanged} unchanged.\nFollow it: foi status {reference}"
    )


@commands.command()
def process(reference: ReferenceArgument, state: StateOption = STATE_FOLDER) -> None:
    """Start a run for one request now, as its event would.

    Example: foi process 01.FOI.26.012345
    """
    from infra import desk

    with desk.open_desk(state):
        desk.process(reference)
    console.print(f"A run for [bold]{reference}[/] is on its way.\nFollow it: foi status {reference}")


@commands.command()
def status(
    reference: Annotated[str | None, typer.Argument(metavar="[REF]", help="One request; default: all.")] = None,
    state: StateOption = STATE_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    wide: Annotated[bool, typer.Option("--wide", help="All requests as a table, a line each, however long.")] = False,
) -> None:
    """Show every request, or one with its files: where it stands, why, and what to do next.

    Example: foi status 01.FOI.26.012345
    """
    from infra import desk
    from infra.display import request_table, show_caseload
    from tasks.caseload import caseload
    from tasks.codec import encode

    with desk.open_desk(state) as place:
        rows = caseload(place, reference)
    if as_json:
        console.print_json(encode(rows).decode())
    elif reference:
        console.print(request_table(rows[0]))
    else:
        show_caseload(console, rows, wide)


@commands.command()
def review(
    reference: ReferenceArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the pack; keep it restricted.")],
    state: StateOption = STATE_FOLDER,
) -> None:
    """Write the review pack of a held request into a folder: marks over the original pages, and the draft.

    Example: foi review 01.FOI.26.012345 --output review/
    """
    from infra import desk

    with desk.open_desk(state) as place:
        dossier, first = desk.review(place, reference, output)
    console.print(f"Open {first}", soft_wrap=True)
    console.print(f"Then: foi release {reference} --dossier {dossier[:12]} --reviewer NAME", soft_wrap=True)


@commands.command()
def release(
    reference: ReferenceArgument,
    reviewer: Annotated[str, typer.Option(help="Who decides; printed in the provenance.", callback=_named)],
    dossier: Annotated[str, typer.Option(help="Digest of what you looked at; default: the one now held.")] = "",
    state: StateOption = STATE_FOLDER,
) -> None:
    """Release a held request for publication.

    Example: foi release 01.FOI.26.012345 --reviewer "A. Officer"
    """
    _decide(reference, reviewer, dossier, "release", state)


@commands.command()
def hold(
    reference: ReferenceArgument,
    reviewer: Annotated[str, typer.Option(help="Who decides.", callback=_named)],
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
        f"[bold]{decision}[/] of {reference}, dossier {shown[:12]}, is on its way.\nSee: foi status {reference}"
    )


@commands.command()
def correct(
    reference: ReferenceArgument,
    reviewer: Annotated[str, typer.Option(help="Who corrects.", callback=_named)],
    remove: Annotated[
        list[str] | None, typer.Option(help="A mark whose value is public, as the pack numbers it: 2.7")
    ] = None,
    box: Annotated[
        list[str] | None, typer.Option(help="A place to withhold: record:page:left,top,right,bottom, as the pack says.")
    ] = None,
    term: Annotated[list[str] | None, typer.Option(help="A text to withhold wherever it stands.")] = None,
    exemption: Annotated[
        str,
        typer.Option(help="What boxes and terms are withheld under, e.g. s.40(2); default: the policy's exemption."),
    ] = "",
    public_reason: Annotated[
        str,
        typer.Option(help="Why boxes and terms are withheld, as letter and schedule will say it, without the value."),
    ] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with the correction, restricted.")] = "",
    file: Annotated[
        Path | None, typer.Option(help="The same as JSON: remove, boxes, terms, exemption, public_reason, reason.")
    ] = None,
    dossier: Annotated[str, typer.Option(help="Digest of what you looked at; default: the one now held.")] = "",
    upload_only: Annotated[
        bool, typer.Option("--upload-only", help="Start no run; print the name to type into the form in Prefect.")
    ] = False,
    state: StateOption = STATE_FOLDER,
) -> None:
    """Correct the marks of a held request; it is held again, with a new review pack.

    A box says that a contact detail was missed there, unless --exemption or --public-reason says what else. A term that
    is no contact detail needs one of them too, else the response is incomplete and cannot be released.

    Example: foi correct 01.FOI.26.012345 --remove 2.7 --box 1:3:120,340,560,390 --reviewer "A. Officer"
    """
    from infra import desk
    from tasks.codec import encode
    from tasks.review.asked import parse_asked

    said = {"exemption": exemption, "public_reason": public_reason, "reason": reason}
    given = {"remove": remove or [], "boxes": box or [], "terms": term or [], **said}
    asked = parse_asked(encode(given))
    if file:
        more = parse_asked(file.read_bytes())
        asked = parse_asked(
            encode(
                {
                    "remove": (*asked.remove, *more.remove),
                    "boxes": (*asked.boxes, *more.boxes),
                    "terms": (*asked.terms, *more.terms),
                    **{name: getattr(asked, name) or getattr(more, name) for name in said},
                }
            )
        )
    with desk.open_desk(state) as place:
        if upload_only:
            console.print(desk.upload_corrections(place, reference, dossier, asked), soft_wrap=True)
            return
        shown, _ = desk.correct(place, reference, reviewer, dossier, asked)
    console.print(f"The correction of {reference}, dossier {shown[:12]}, is on its way.\nSee: foi status {reference}")


@commands.command()
def withdraw(
    reference: ReferenceArgument,
    reason: Annotated[str, typer.Option(help="Printed on the notice that stays; everybody can read it.")],
    reviewer: Annotated[str, typer.Option(help="Who takes it back.", callback=_named)],
    state: StateOption = STATE_FOLDER,
) -> None:
    """Take a published disclosure back; a notice stays in its place.

    Example: foi withdraw 01.FOI.26.012345 --reason "Published in error." --reviewer "A. Officer"
    """
    from infra import desk

    with desk.open_desk(state) as place:
        desk.withdraw(place, reference, reason, reviewer)
    console.print(f"The withdrawal of [bold]{reference}[/] is on its way.\nSee: foi status {reference}")
