"""What the operator sets, read once from the environment.

Rule kept here: beside `infra`, only this module reads the environment; a setting that is wrong, or that nobody knows
because its name is misspelt, stops the program at once and by name, without showing a value.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.errors import ConfigurationError
from tasks.request import fields_at_fault
from tasks.store import S3Store

PREFIX = "FOI_"

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


class Settings(BaseSettings):
    """Every setting; `FOI_STORE_ENDPOINT` in the environment is `store_endpoint` here, and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    store_endpoint: Url = Field(
        default="http://127.0.0.1:9000", description="URL of the object store, any server that speaks S3."
    )
    store_access_key: str = Field(
        default="", repr=False, description="Access key of an account that may read and write the buckets."
    )
    store_secret_key: SecretStr = Field(default=SecretStr(""), description="Secret key of that account.")
    store_region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(
        default="us-east-1", description="Region of the object store; most private servers take any."
    )
    bucket_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,40}$")] = Field(
        default="foi-", description="What the names of the four buckets start with."
    )
    policy_file: FilePath | None = Field(
        default=None, description="JSON file with the policy: what is withheld, under which exemption, what is public."
    )
    signing_key_file: FilePath | None = Field(
        default=None, description="PEM file with the key that signs disclosures; `foi keys` makes one."
    )
    commitment_key_file: FilePath | None = Field(
        default=None, description="File with the secret that keys the published commitments to the sources."
    )
    ocr_timeout_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=120, description="Seconds that Tesseract may take over one pass of one page."
    )
    jobs: Annotated[int, Field(ge=1, le=256)] = Field(
        default_factory=lambda: os.cpu_count() or 1, description="Records worked on at the same time."
    )
    allow_unreviewed: bool = Field(
        default=False, description="Whether a request that asks for no review may be published without a person."
    )
    state: Path = Field(
        default=Path("build/stack"), description="Folder of the embedded servers' data, credentials and logs."
    )
    prefect_api_url: Url | None = Field(
        default=None, validation_alias="PREFECT_API_URL", description="URL of the Prefect server's API."
    )
    prefect_api_auth_string: SecretStr | None = Field(
        default=None,
        validation_alias="PREFECT_API_AUTH_STRING",
        description="`user:password` that the Prefect server asks for, if it does.",
    )

    def __init__(self, **values: Any) -> None:
        """Read the environment; what is given by name comes first.

        Raises:
            ConfigurationError: naming each variable that is wrong or unknown, never its value.
        """
        known = {variable_of(name) for name in Settings.model_fields}
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise ConfigurationError(f"Unknown: {', '.join(unknown)}.")
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(f"{_as_variables(fields_at_fault(error))}.") from None

    @property
    def intake_bucket(self) -> str:
        """Written by upstream systems, read-only to us."""
        return f"{self.bucket_prefix}intake"

    @property
    def work_bucket(self) -> str:
        """Restricted: transcripts, plans, drafts, status."""
        return f"{self.bucket_prefix}work"

    @property
    def quarantine_bucket(self) -> str:
        """Restricted: rejected files and why."""
        return f"{self.bucket_prefix}quarantine"

    @property
    def disclosure_bucket(self) -> str:
        """Public: only the publish step writes here."""
        return f"{self.bucket_prefix}disclosure"

    @property
    def buckets(self) -> tuple[str, str, str, str]:
        """All four, in the order of the way."""
        return self.intake_bucket, self.work_bucket, self.quarantine_bucket, self.disclosure_bucket


def variable_of(name: str) -> str:
    """The environment variable that sets a field."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def open_store(settings: Settings) -> S3Store:
    """The object store that the settings name.

    Raises:
        ConfigurationError: a credential is missing, or the endpoint cannot be right.
    """
    if not (settings.store_access_key and settings.store_secret_key.get_secret_value()):
        raise ConfigurationError("FOI_STORE_ACCESS_KEY and FOI_STORE_SECRET_KEY: both are needed.")
    return S3Store(
        settings.store_endpoint,
        settings.store_access_key,
        settings.store_secret_key.get_secret_value(),
        settings.store_region,
    )


def _as_variables(faults: str) -> str:
    """`store_endpoint: missing` as the operator knows it, `FOI_STORE_ENDPOINT: missing`."""
    named = (fault.partition(": ") for fault in faults.split("; "))
    return "; ".join(
        f"{variable_of(field) if field in Settings.model_fields else field}: {rule}" for field, _, rule in named
    )
