"""The keys of a publisher, as files. Secret ones are readable by their owner alone.

Rules kept here: a key is made once and never overwritten by chance; a public key that ever signed stays in the file to
publish, with every certificate that went with it, so that old bundles keep verifying. A rotation killed at any moment
leaves keys that work: the file to publish names the new key before anything is signed with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tasks.disclosure.keys import (
    PublisherKey,
    SigningKeys,
    generate_commitment_key,
    generate_signing_key,
    load_keys,
    load_publisher,
)
from tasks.errors import KeysMissingError

SIGNING, COMMITMENT, PUBLIC = "signing.pem", "commitment.key", "publisher.pem"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Absolute paths of the two secret files and of the one to publish, and what the latter holds.

    Attributes:
        signing: the signing key.
        commitment: the commitment key.
        public: every public key that ever signed, newest first.
        key_id: identifier of the key that signs now.
        retired: identifiers of those that signed before, newest first.
    """

    signing: Path
    commitment: Path
    public: Path
    key_id: str
    retired: tuple[str, ...] = ()


def make_keys(folder: Path) -> KeyFiles:
    """The keys in a folder; what is missing is made.

    Raises:
        ConfigurationError: a file that is there is not a key.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _ensure(folder / SIGNING, _new_signing_key)
    _ensure(folder / COMMITMENT, generate_commitment_key)
    return _published(folder, _load(folder, SIGNING).public)


def rotate_signing_key(folder: Path) -> KeyFiles:
    """Replace the signing key by a new one; the old private key is gone, its public half stays published.

    Raises:
        KeysMissingError: there is no key to replace.
        ConfigurationError: a file is not a key.
    """
    if not (folder / SIGNING).is_file():
        raise KeysMissingError("There is no signing key to replace here.", subject=str(folder))
    _published(folder, _load(folder, SIGNING).public)
    new = folder / "signing.new"
    _write_secret(new, _new_signing_key())
    made = _published(folder, _load(folder, new.name).public)
    new.replace(folder / SIGNING)
    return made


def _new_signing_key() -> bytes:
    """A signing key whose certificate begins today, at midnight: clocks may differ by some hours."""
    return generate_signing_key(start=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))


def _load(folder: Path, signing: str) -> SigningKeys:
    return load_keys((folder / signing).read_bytes(), (folder / COMMITMENT).read_bytes())


def _published(folder: Path, current: PublisherKey) -> KeyFiles:
    """The key files, with the current key first in the one to publish; what went with a key before stays with it."""
    public = folder.resolve() / PUBLIC
    known = load_publisher(public.read_bytes()) if public.is_file() else ()
    retired = [key for key in known if key.key_id != current.key_id]
    for before in known:
        if before.key_id == current.key_id:
            current = current.known_before(before)
    partial = public.with_suffix(".part")
    partial.write_bytes(b"\n".join(key.pem for key in (current, *retired)))
    partial.replace(public)
    return KeyFiles(
        folder.resolve() / SIGNING,
        folder.resolve() / COMMITMENT,
        public,
        current.key_id,
        tuple(key.key_id for key in retired),
    )


def _ensure(path: Path, generate: Callable[[], bytes]) -> None:
    if not path.is_file():
        partial = path.with_suffix(".part")
        _write_secret(partial, generate())
        partial.replace(path)


def _write_secret(path: Path, secret: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
