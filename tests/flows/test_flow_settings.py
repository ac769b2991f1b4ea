"""Settings: every one described, read from the environment, wrong ones named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.place import open_place
from flows.settings import Settings, open_store, variable_of
from tasks.disclosure.keys import generate_commitment_key, generate_signing_key, load_keys
from tasks.errors import ConfigurationError, KeysMissingError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("FOI_", "PREFECT_"))]:
        monkeypatch.delenv(name)


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_setting_but_credentials_has_a_default() -> None:
    settings = Settings()
    assert settings.buckets == ("foi-intake", "foi-work", "foi-quarantine", "foi-disclosure")
    with pytest.raises(ConfigurationError, match="FOI_STORE_ACCESS_KEY and FOI_STORE_SECRET_KEY"):
        open_store(settings)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.touch()
    for name, value in {
        "FOI_STORE_ENDPOINT": "https://s3.example.org",
        "FOI_STORE_ACCESS_KEY": "key",
        "FOI_STORE_SECRET_KEY": "hunter2",
        "FOI_BUCKET_PREFIX": "other-",
        "FOI_POLICY_FILE": str(policy),
        "FOI_JOBS": "3",
        "FOI_ALLOW_UNREVIEWED": "true",
        "FOI_SIGNING_KEY_FILE": "",
        "PREFECT_API_URL": "http://127.0.0.1:4200/api",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.disclosure_bucket == "other-disclosure"
    assert settings.policy_file == policy
    assert (settings.jobs, settings.allow_unreviewed, settings.signing_key_file) == (3, True, None)
    assert settings.prefect_api_url == "http://127.0.0.1:4200/api"
    assert repr(open_store(settings)) == "S3Store('https://s3.example.org')"


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_STORE_SECRET_KEY", "hunter2")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "admin:hunter2")
    assert "hunter2" not in f"{Settings()!r} {Settings()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FOI_STORE_ENDPOINT", "s3.example.org"),
        ("FOI_STORE_ENDPOINT", "ftp://s3.example.org"),
        ("FOI_STORE_REGION", "eu west"),
        ("FOI_BUCKET_PREFIX", "Foi_"),
        ("FOI_POLICY_FILE", "/nowhere/policy.json"),
        ("FOI_SIGNING_KEY_FILE", "/nowhere/key.pem"),
        ("FOI_COMMITMENT_KEY_FILE", "/nowhere/key"),
        ("FOI_OCR_TIMEOUT_S", "0"),
        ("FOI_OCR_TIMEOUT_S", "long"),
        ("FOI_JOBS", "0"),
        ("FOI_DASK", "dask.internal:8786"),
        ("FOI_ALLOW_UNREVIEWED", "perhaps"),
        ("FOI_PUBLIC_URL", "foi.example.org"),
        ("PREFECT_API_URL", "127.0.0.1:4200"),
    ],
)
def test_a_wrong_value_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        Settings()
    assert len(value) < 2 or value not in str(caught.value)


def test_a_misspelt_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOI_POLICY_FLIE", "x")
    with pytest.raises(ConfigurationError, match="FOI_POLICY_FLIE"):
        Settings()


def test_variables_are_named_after_the_fields() -> None:
    assert variable_of("store_endpoint") == "FOI_STORE_ENDPOINT"
    assert variable_of("prefect_api_url") == "PREFECT_API_URL"


def test_a_time_stamping_authority_needs_its_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOI_TSA_URL", "https://tsa.example.org")
    with pytest.raises(ConfigurationError, match="FOI_TSA_CERTIFICATE_FILE"):
        Settings()
    certificate = tmp_path / "tsa.pem"
    certificate.write_bytes(b"none")
    monkeypatch.setenv("FOI_TSA_CERTIFICATE_FILE", str(certificate))
    for name in ("FOI_STORE_ACCESS_KEY", "FOI_STORE_SECRET_KEY"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigurationError, match="certificate"), open_place():
        pass
    made = load_keys(generate_signing_key(), generate_commitment_key())
    certificate.write_bytes(made.certificate_pem or b"")
    with open_place() as place:
        assert place.stamper is not None
        assert place.stamper.certificates_pem == made.certificate_pem


def test_without_keys_nothing_can_be_published_and_the_message_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("FOI_STORE_ACCESS_KEY", "FOI_STORE_SECRET_KEY"):
        monkeypatch.setenv(name, "x")
    with open_place() as place:
        assert place.stamper is None
        with pytest.raises(
            KeysMissingError, match="Not set: FOI_SIGNING_KEY_FILE and FOI_COMMITMENT_KEY_FILE"
        ) as caught:
            place.keys  # noqa: B018 - asking for it is what publishing does
        assert "`foi keys`" in caught.value.action


def test_a_credential_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"FOI_STORE_ACCESS_KEY": "key", "FOI_STORE_SECRET_KEY": "hunter2"}.items():
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    (tmp_path / "credential").write_text("user:pass")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING_FILE", str(tmp_path / "credential"))
    settings = Settings()
    assert (settings.store_access_key, settings.store_secret_key.get_secret_value()) == ("key", "hunter2")
    assert settings.prefect_api_auth_string is not None
    assert settings.prefect_api_auth_string.get_secret_value() == "user:pass"
    monkeypatch.setenv("FOI_STORE_ACCESS_KEY", "from the environment")
    assert Settings().store_access_key == "from the environment"


def test_a_file_that_is_not_there_or_not_for_a_credential_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FOI_STORE_SECRET_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ConfigurationError, match="FOI_STORE_SECRET_KEY_FILE: the file cannot be read"):
        Settings()
    monkeypatch.delenv("FOI_STORE_SECRET_KEY_FILE")
    monkeypatch.setenv("FOI_JOBS_FILE", str(tmp_path / "jobs"))
    with pytest.raises(ConfigurationError, match="Unknown: FOI_JOBS_FILE"):
        Settings()
