"""Commands on what was published: for anyone who holds a bundle, and for the authority that answers for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.terminal import STATE_FOLDER, ReferenceArgument, StateOption, console
from tasks.errors import VerificationFailedError

commands = typer.Typer()

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key", exists=True, dir_okay=False, help="The publisher's public keys (PEM), one or several, got elsewhere."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")]


def _public_keys(file: Path | None) -> bytes | None:
    from tasks.disclosure.keys import load_publisher
    from tasks.errors import ConfigurationError

    if file is None:
        return None
    pem = file.read_bytes()
    try:
        usable = bool(load_publisher(pem))
    except (ConfigurationError, ValueError):
        usable = False
    if not usable:
        raise typer.BadParameter(f"{file} holds no public key; nothing was checked.", param_hint="--key")
    return pem


@commands.command()
def verify(
    bundle: Annotated[
        str,
        typer.Argument(
            help="A folder, a zip, or the web address of a zip or of a request's page; or a withdrawal.dsse.json."
        ),
    ],
    key: KeyOption = None,
    tsa: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The time stamping authority's certificates (PEM)."),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(help="The publisher's disclosures.json, file or address: is this version the current one?"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a published bundle and say in plain words what holds; with a file or a folder, without any network.

    With an address, the log beside it is asked which version is current.

    Exit code: 0 everything holds, 6 something does not, 2 there is no such file, 66 nothing of use behind the address,
    75 the address does not answer.

    Example: foi verify v1.zip --key publisher.pem
    """
    from infra import bundles
    from infra.display import verdict_table
    from tasks.codec import encode

    trust = bundles.Trust(_public_keys(key), tsa.read_bytes() if tsa else None)
    verdict = bundles.verify(bundle, trust, log)
    if as_json:
        console.print_json(encode(verdict).decode())
    else:
        console.print(verdict_table(verdict))
    raise typer.Exit(0 if verdict.ok else VerificationFailedError.exit_code)


@commands.command()
def prove(
    reference: ReferenceArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file as it was scanned.")],
    bundle: Annotated[
        str, typer.Option(help="The published bundle: folder, zip or address; default: the store's newest version.")
    ] = "",
    commitment_key: Annotated[
        Path | None,
        typer.Option(
            envvar="FOI_COMMITMENT_KEY_FILE",
            exists=True,
            dir_okay=False,
            help="The authority's commitment key; default: that of the stack.",
        ),
    ] = None,
    key: KeyOption = None,
    signing_key: Annotated[
        Path | None,
        typer.Option(
            envvar="FOI_SIGNING_KEY_FILE",
            exists=True,
            dir_okay=False,
            help="Without --key: the authority's signing key, for its public half; default: that of the stack.",
        ),
    ] = None,
    opening: Annotated[
        bool, typer.Option(help="Print what shows it to a third person, for this record and no other.")
    ] = False,
    state: StateOption = STATE_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Show that a file is the source of a published record: the signed statement commits to its bytes.

    Needs the commitment key, which only the authority has; and only a statement by the authority's own key counts.
    With --bundle, no server is asked.

    Exit code: 0 yes, 6 no.

    Example: foi prove 01.FOI.26.012345 records/scan0007.tif --bundle v1.zip
    """
    from infra import proving
    from infra.display import verdict_table
    from tasks.codec import encode

    secret = proving.commitment_key(commitment_key, state)
    trusted = proving.authority_keys(key, signing_key, secret, state)
    proof = proving.prove(reference, file.read_bytes(), secret, bundle=bundle, state=state, trusted_key=trusted)
    if as_json:
        console.print_json(encode(proof if opening else proof.verdict).decode())
    else:
        yes = "Yes, this is the source." if proof.verdict.ok else "No, this is not shown."
        console.print(verdict_table(proof.verdict, yes))
        for line in proving.opening_lines(proof) if opening else ():
            console.print(line, soft_wrap=True, highlight=False, markup=False)
    raise typer.Exit(0 if proof.verdict.ok else VerificationFailedError.exit_code)
