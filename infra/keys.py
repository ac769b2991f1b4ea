"""The keys of a publisher, as files readable by their owner alone; made once, never overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.disclosure.keys import generate_commitment_key, generate_signing_key, load_keys


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Absolute paths of the two secret files and of the public key, and the public key's identifier."""

    signing: Path
    commitment: Path
    public: Path
    key_id: str


def make_keys(folder: Path) -> KeyFiles:
    """The keys in a folder; what is missing is made.

    Raises:
        ConfigurationError: a file that is there is not a key.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signing = _ensure(folder / "signing.pem", generate_signing_key)
    commitment = _ensure(folder / "commitment.key", generate_commitment_key)
    keys = load_keys(signing.read_bytes(), commitment.read_bytes())
    public = folder.resolve() / "publisher.pem"
    public.write_bytes(keys.public_pem)
    return KeyFiles(signing, commitment, public, keys.key_id)


def _ensure(path: Path, generate: Callable[[], bytes]) -> Path:
    if not path.is_file():
        partial = path.with_suffix(".part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(generate())
        partial.replace(path)
    return path.resolve()
