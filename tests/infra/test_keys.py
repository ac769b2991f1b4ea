"""Keys of a publisher on disk."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.place import open_place
from flows.settings import Settings
from infra.doctor import check_keys
from infra.keys import make_keys, rotate_signing_key
from tasks.disclosure.keys import (
    generate_signing_key,
    key_id_of,
    load_certificates,
    load_public_key,
    load_publisher,
)
from tasks.errors import ConfigurationError, KeysMissingError
from tests.infra.test_cli import foi

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


def test_a_rotation_makes_a_new_key_keeps_the_commitment_key_and_publishes_both(tmp_path: Path) -> None:
    first = make_keys(tmp_path)
    old, commitment = first.signing.read_bytes(), first.commitment.read_bytes()
    second = rotate_signing_key(tmp_path)
    third = rotate_signing_key(tmp_path)
    assert len({first.key_id, second.key_id, third.key_id}) == 3
    assert third.retired == (second.key_id, first.key_id)
    assert [key.key_id for key in load_publisher(third.public.read_bytes())] == [third.key_id, *third.retired]
    assert third.commitment.read_bytes() == commitment
    assert make_keys(tmp_path) == third
    assert all(old not in path.read_bytes() for path in tmp_path.iterdir())
    assert b"PRIVATE" not in third.public.read_bytes()
    assert third.signing.stat().st_mode & 0o077 == 0


def test_a_rotation_killed_before_its_last_step_leaves_the_old_key_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_keys(tmp_path)
    before = made.signing.read_bytes()
    real = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if Path(target).name == "signing.pem":
            raise KeyboardInterrupt
        return real(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        rotate_signing_key(tmp_path)
    assert made.signing.read_bytes() == before
    assert make_keys(tmp_path).key_id == made.key_id
    after = rotate_signing_key(tmp_path)
    assert made.key_id in after.retired


BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n", re.DOTALL)


def blocks(pem: bytes) -> list[bytes]:
    """Ed25519 key, RSA key, certificate: each alone."""
    return [found.group() for found in BLOCK.finditer(pem)]


def test_a_certificate_begins_on_the_day_its_key_is_made(tmp_path: Path) -> None:
    make_keys(tmp_path)
    for made in (make_keys(tmp_path), rotate_signing_key(tmp_path)):
        (certificate,) = load_publisher(made.public.read_bytes())[0].certificates
        assert certificate is not None
        age = datetime.now(UTC) - certificate.not_valid_before_utc
        assert timedelta(0) <= age < timedelta(days=1, minutes=5)


def test_a_renewed_certificate_stands_before_the_old_one_of_its_key(tmp_path: Path) -> None:
    made = make_keys(tmp_path)
    (old,) = load_publisher(made.public.read_bytes())[0].certificates
    first, _, _ = blocks(made.signing.read_bytes())
    _, rsa, renewed = blocks(generate_signing_key())
    made.signing.write_bytes(first + rsa + renewed)
    assert make_keys(tmp_path) == made
    (key,) = load_publisher(made.public.read_bytes())
    assert key.certificates == (load_certificates(renewed)[0], old)
    made.signing.write_bytes(first)  # and one day without
    assert make_keys(tmp_path).retired == ()
    (key,) = load_publisher(made.public.read_bytes())
    assert key.certificates == (None, load_certificates(renewed)[0], old)


@pytest.mark.parametrize("missing", [("SIGNING",), ("COMMITMENT",), ("SIGNING", "COMMITMENT")])
def test_where_keys_are_missing_each_is_named_and_no_other(tmp_path: Path, missing: tuple[str, ...]) -> None:
    made = make_keys(tmp_path / "keys")
    files = {"SIGNING": made.signing, "COMMITMENT": made.commitment}
    given = {f"{name.lower()}_key_file": path for name, path in files.items() if name not in missing}
    settings = Settings(store_access_key="somebody", store_secret_key="something", **given)
    with open_place(settings) as place, pytest.raises(KeysMissingError) as caught:
        _ = place.keys
    assert [name for name in files if f"FOI_{name}_KEY_FILE" in str(caught.value)] == list(missing)
    assert "foi keys" in caught.value.action


def test_doctor_looks_at_the_keys(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "keys")
    signing, commitment = f"FOI_SIGNING_KEY_FILE={made.signing}", f"FOI_COMMITMENT_KEY_FILE={made.commitment}"
    assert made.key_id in keys_line(signing, commitment)
    assert "FOI_COMMITMENT_KEY_FILE" in keys_line(signing)
    assert "FOI_SIGNING_KEY_FILE" not in keys_line(signing)
    made.commitment.write_text("short")
    assert "shorter" in keys_line(signing, commitment)


def keys_line(*settings: str) -> str:
    """What `foi doctor` finds of the keys under some settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (setting.split("=") for setting in settings):
            patch.setenv(name, value)
        return check_keys(dict(os.environ)).found


def test_there_must_be_a_key_to_rotate(tmp_path: Path) -> None:
    with pytest.raises(KeysMissingError, match="no signing key"):
        rotate_signing_key(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_to_publish_that_is_none_is_not_overwritten(tmp_path: Path) -> None:
    make_keys(tmp_path).public.write_text("something else")
    with pytest.raises(ConfigurationError):
        rotate_signing_key(tmp_path)
    assert (tmp_path / "publisher.pem").read_text() == "something else"


def test_openssl_reads_the_file_to_publish(tmp_path: Path) -> None:
    """As VERIFY.txt uses a key and a certificate: the newest come first."""
    make_keys(tmp_path)
    made = rotate_signing_key(tmp_path)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", made.public, "-outform", "DER"], capture_output=True, check=True
    ).stdout
    assert hashlib.sha256(der).hexdigest() == made.key_id
    subprocess.run(["openssl", "x509", "-in", made.public, "-noout"], check=True)


def test_the_command_shows_what_to_set_and_what_to_publish(tmp_path: Path) -> None:
    assert foi("keys", str(tmp_path)).returncode == 0
    done = foi("keys", str(tmp_path), "--rotate")
    assert done.returncode == 0, done.stderr
    made = make_keys(tmp_path)
    assert f"FOI_SIGNING_KEY_FILE={made.signing}" in done.stdout
    assert f"{made.key_id}  signs now" in done.stdout
    assert f"{made.retired[0]}  signed before" in done.stdout
    assert foi("keys", str(tmp_path / "none"), "--rotate").returncode == 78
