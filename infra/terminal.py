"""The terminal that the commands share: where they print, what they ask for alike, what may be printed."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

console = Console()
problems = Console(stderr=True)

STATE_FOLDER = Path("build/stack")

StateOption = Annotated[
    Path, typer.Option("--state", envvar="FOI_STATE", help="Folder where the embedded servers keep their data.")
]
ReferenceArgument = Annotated[str, typer.Argument(metavar="REF", help="Reference of the request.")]


def printable(untrusted: str) -> str:
    """Text for the terminal: no markup, and nothing that moves the cursor or turns the direction of what follows."""
    return escape("".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "?" for c in untrusted))
