"""What `foi prove` does: from a reference and a file to a yes or no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from infra.bundles import bundle_files
from infra.keys import PUBLIC, SIGNING
from tasks.disclosure.keys import load_commitment_key, load_keys
from tasks.disclosure.opening import UnsafeBundleError
from tasks.disclosure.prove import Proof, prove_source
from tasks.errors import ConfigurationError, VerificationFailedError


def commitment_key(given: Path | None, state: Path) -> bytes:
    """The commitment key in the file given, else that of the embedded stack.

    Raises:
        ConfigurationError: there is none.
    """
    path = given or state / "keys" / "commitment.key"
    if not path.is_file():
        raise ConfigurationError("No commitment key: give --commitment-key, or set FOI_COMMITMENT_KEY_FILE.")
    return load_commitment_key(path.read_bytes())


def authority_keys(given: Path | None, signing: Path | None, secret: bytes, state: Path) -> bytes:
    """The authority's public keys (PEM): those given; else that of its signing key, and those published beside it.

    Args:
        given: a file of public keys.
        signing: the authority's signing key, as the settings name it.
        secret: its commitment key.
        state: folder of the embedded stack, which has keys of its own.

    Raises:
        ConfigurationError: there are none, or one is damaged.
    """
    if given:
        return given.read_bytes()
    signing = signing or state / "keys" / SIGNING
    if not signing.is_file():
        raise ConfigurationError("No public key of the authority: give --key, or set FOI_SIGNING_KEY_FILE.")
    published = signing.with_name(PUBLIC)
    own = load_keys(signing.read_bytes(), secret).public.pem
    return own + (published.read_bytes() if published.is_file() else b"")


def prove(reference: str, source: bytes, secret: bytes, *, bundle: str, state: Path, trusted_key: bytes) -> Proof:
    """Whether a file is the source of a record of a published request.

    Args:
        reference: of the request.
        source: the file's bytes.
        secret: the commitment key.
        bundle: where it is; "" for the newest version in the store.
        state: folder of the embedded stack, for the store.
        trusted_key: the publisher's public keys (PEM).

    Raises:
        UnknownRequestError: nothing was published under this reference.
        NothingThereError: it was withdrawn, or there is no such bundle.
        VerificationFailedError: the bundle cannot be opened.
    """
    try:
        files = bundle_files(bundle) if bundle else _from_store(reference, state)
    except UnsafeBundleError as error:
        raise VerificationFailedError(str(error), subject=bundle) from None
    return prove_source(files, reference, source, secret, trusted_key)


def _from_store(reference: str, state: Path) -> dict[str, bytes]:
    from infra.desk import open_desk  # here: a bundle at hand needs no store
    from tasks.disclosure.publish import published_statement
    from tasks.model import Role

    with open_desk(state) as place:
        return published_statement(place.acting_as(Role.PUBLISH).store, place.buckets.disclosure, reference)


def opening_lines(proof: Proof) -> Iterator[str]:
    """How a third person sees it for themselves, with OpenSSL and the file alone."""
    for opening in proof.openings:
        yield f"Record {opening.record}: the statement's sourceCommitment is {opening.commitment}."
        yield "Anybody who has the file gets the same from this line:"
        yield (
            f"printf %s $(sha256sum < FILE | cut -c1-64) | openssl dgst -sha256 -mac HMAC -macopt hexkey:{opening.key}"
        )
