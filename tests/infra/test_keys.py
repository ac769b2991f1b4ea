"""Keys of a publisher on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.keys import make_keys
from tasks.disclosure.keys import key_id_of, load_public_key
from tasks.errors import ConfigurationError

pytestmark = pytest.mark.slow


def test_keys_are_made_once_and_belong_to_their_owner(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "secrets")
    before = made.signing.read_bytes(), made.commitment.read_bytes()
    assert make_keys(tmp_path / "secrets") == made
    assert (made.signing.read_bytes(), made.commitment.read_bytes()) == before
    for secret in (made.signing, made.commitment):
        assert secret.stat().st_mode & 0o077 == 0


def test_the_public_key_is_that_of_the_signing_key(tmp_path: Path) -> None:
    made = make_keys(tmp_path)
    assert key_id_of(load_public_key(made.public.read_bytes())) == made.key_id
    assert b"PRIVATE" not in made.public.read_bytes()


def test_a_file_that_is_no_key_is_neither_used_nor_overwritten(tmp_path: Path) -> None:
    (tmp_path / "signing.pem").write_text("something else")
    with pytest.raises(ConfigurationError):
        make_keys(tmp_path)
    assert (tmp_path / "signing.pem").read_text() == "something else"
