"""Makes the files with secrets that compose and systemd hand out: `python -m infra.make_secrets FOLDER`.

Rule kept here: made once, never overwritten, readable by their owner alone; one secret a file, so that each process is
given only its own.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from infra.access import seaweedfs_identities
from infra.keys import make_keys
from tasks.model import Role
from tasks.store import Account

ADMIN = "admin"
IDENTITIES = "store-identities.json"


def make_secrets(folder: Path) -> list[Path]:
    """The files in a folder; what is missing is made.

    Returns:
        all of them, those of the signing keys too.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [
        _ensure(folder / "database-password", secrets.token_urlsafe(30)),
        _ensure(folder / "prefect-credential", f"foi:{secrets.token_urlsafe(30)}"),
        _ensure(folder / "receiver-token", secrets.token_urlsafe(30)),
    ]
    accounts: dict[str, Account] = {}
    for name in (ADMIN, *Role):
        access = _ensure(folder / f"store-{name}-access-key", f"foi-{name}-{secrets.token_hex(6)}")
        secret = _ensure(folder / f"store-{name}-secret-key", secrets.token_urlsafe(30))
        accounts[name] = Account(access.read_text().strip(), secret.read_text().strip())
        made += [access, secret]
    identities = seaweedfs_identities(accounts[ADMIN], {role: accounts[role] for role in Role})
    made.append(_ensure(folder / IDENTITIES, identities))
    keys = make_keys(folder)
    return [*made, keys.signing, keys.commitment]


def _ensure(path: Path, content: str) -> Path:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{content}\n")
    return path


def main(arguments: list[str]) -> int:
    """One folder; returns the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    for path in make_secrets(Path(arguments[0])):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
