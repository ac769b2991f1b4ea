"""What the operator sets, read once from the environment.

Rule kept here: beside `infra`, only this module reads the environment; a setting that is wrong, or that nobody knows
because its name is misspelt, stops the program at once and by name, without showing a value.

A credential may lie in a file, as container engines and service managers hand secrets out: `NAME_FILE` holds its path
where `NAME` would hold the value.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.apart import LAYERS, Bounds
from tasks.apart.bounds import MIB
from tasks.errors import ConfigurationError
from tasks.model import Role
from tasks.request import fields_at_fault
from tasks.store import Account, S3Store

PREFIX = "FOI_"

FILE_SUFFIX = "_FILE"

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]


def _access_key(of: str) -> Any:
    return Field(default="", repr=False, description=f"Access key of {of}; default: `FOI_STORE_ACCESS_KEY`.")


def _secret_key() -> Any:
    return Field(default=SecretStr(""), description="Secret key of that account.")


def _names_of(known: Iterable[str]) -> str:
    """Pattern of a list, separated by commas, of known names, or of nothing."""
    one = f"({'|'.join(known)})"
    return f"^({one}(,{one})*)?$"


class Settings(BaseSettings):
    """Every setting; `FOI_STORE_ENDPOINT` in the environment is `store_endpoint` here, and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    store_endpoint: Url = Field(
        default="http://127.0.0.1:9000", description="URL of the object store, any server that speaks S3."
    )
    store_access_key: str = Field(
        default="", repr=False, description="Access key of the account for every role that has none of its own."
    )
    store_secret_key: SecretStr = _secret_key()
    store_upstream_access_key: str = _access_key("the account that uploads requests (`foi submit`)")
    store_upstream_secret_key: SecretStr = _secret_key()
    store_intake_access_key: str = _access_key("the account that only reads the intake bucket (the watcher)")
    store_intake_secret_key: SecretStr = _secret_key()
    store_work_access_key: str = _access_key("the account that processes requests")
    store_work_secret_key: SecretStr = _secret_key()
    store_publish_access_key: str = _access_key("the account that publishes and withdraws")
    store_publish_secret_key: SecretStr = _secret_key()
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
    tsa_url: Url | None = Field(
        default=None,
        description="URL of a time stamping authority (RFC 3161) that stamps each publication; without one there is no "
        "time stamp.",
    )
    tsa_certificate_file: FilePath | None = Field(
        default=None, description="PEM file with the certificates that its stamps verify against."
    )
    ocr_timeout_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=120, description="Seconds that Tesseract may take over one pass of one page."
    )
    jobs: Annotated[int, Field(ge=1, le=256)] = Field(
        default_factory=lambda: os.cpu_count() or 1,
        description="Records, or parts of long ones, worked on at the same time.",
    )
    reader_memory_mib: Annotated[int, Field(ge=1024, le=1024 * 1024)] = Field(
        default=4096,
        description="MiB of memory (address space) that each process which reads files may take; a page of 80 million "
        "pixels takes 2,100.",
    )
    sandbox: Annotated[str, Field(pattern=_names_of(LAYERS))] = Field(
        default="",
        description=f"Layers of the sandbox without which no file is read: {', '.join(LAYERS)}, separated by commas. "
        "Those not named are used where the system allows it; `foi doctor` says which are.",
    )
    allow_unreviewed: bool = Field(
        default=False, description="Whether a request that asks for no review may be published without a person."
    )
    receiver_host: str = Field(
        default="127.0.0.1", description="Address on which `python -m flows.receive` takes webhooks of the store."
    )
    receiver_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=9470, description="Port on which it takes them."
    )
    receiver_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token of 16 characters or more that a webhook must bring, as `Authorization: Bearer` or as the "
        "password of `Basic`.",
    )
    notification_arn: Annotated[str, Field(pattern=r"^(arn:[A-Za-z0-9:_.-]+)?$")] = Field(
        default="",
        description="Name, in the store, of the webhook that leads to `python -m flows.receive`; `foi init` makes the "
        "rule that posts each `request.json` to it.",
    )
    runs_at_once: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="Requests worked on at the same time by all workers together; `foi init` sets it."
    )
    dask: Annotated[str, Field(pattern=r"^((tcp|tls)://[^\s/]+:[0-9]{1,5})?$")] = Field(
        default="",
        description="Address of a Dask scheduler, e.g. `tls://dask.internal:8786`, over whose workers the records and "
        "pages of a request are spread; without one, they are worked on where the run is.",
    )
    notify_webhook_url: SecretStr = Field(
        default=SecretStr(""),
        description="URL to which alarms are posted as JSON (`alarm`, `text`); `foi init` hands it to Prefect.",
    )
    notify_mail_url: SecretStr = Field(
        default=SecretStr(""),
        description="Mail server and addresses that alarms are sent by and to, as a URL of Apprise, e.g. "
        "`mailtos://user:password@mail.example.org:587?from=foi@example.org&to=duty@example.org&format=text`; "
        "`foi init` hands it to Prefect.",
    )
    notify_block: Annotated[str, Field(pattern=r"^([a-z0-9-]+/[a-z0-9-]+)?$")] = Field(
        default="",
        description="Notification block in Prefect, e.g. for a chat, that alarms go to as well, e.g. "
        "`ms-teams-webhook/foi`.",
    )
    approvals: Annotated[int, Field(ge=1, le=5)] = Field(
        default=1, description="How many different persons must release the same dossier before it is published."
    )
    public_url: Url | None = Field(
        default=None,
        description="Address at which readers find the disclosure bucket, for links in Prefect; default: the bucket on "
        "the store's own endpoint.",
    )
    state: Path = Field(
        default=Path("build/stack"), description="Folder of the embedded servers' data, credentials and logs."
    )
    prefect_host: str = Field(
        default="127.0.0.1",
        description="IPv4 address on which `foi up` lets Prefect's server listen; any but this machine's own needs "
        "`PREFECT_SERVER_API_AUTH_STRING`.",
    )
    prefect_server_api_auth_string: SecretStr | None = Field(
        default=None,
        validation_alias="PREFECT_SERVER_API_AUTH_STRING",
        description="`user:password` that the Prefect server of `foi up` is to ask for.",
    )
    prefect_server_database_connection_url: SecretStr | None = Field(
        default=None,
        validation_alias="PREFECT_SERVER_DATABASE_CONNECTION_URL",
        description="Database of the Prefect server of `foi up`; default: SQLite in the state folder.",
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
        known |= {variable_of(name) + FILE_SUFFIX for name in in_files()}
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise ConfigurationError(f"Unknown: {', '.join(unknown)}.")
        try:
            super().__init__(**{**_from_files(), **values})
        except ValidationError as error:
            raise ConfigurationError(f"{_as_variables(fields_at_fault(error))}.") from None
        for role in Role:
            own = self._own_account(role)
            if not own and (own.access_key or own.secret_key):
                raise ConfigurationError(_both(role))
        if (self.tsa_url is None) != (self.tsa_certificate_file is None):
            raise ConfigurationError("FOI_TSA_URL and FOI_TSA_CERTIFICATE_FILE: both are needed.")

    def _own_account(self, role: str) -> Account:
        names = _credentials_of(role)
        secret: SecretStr = getattr(self, names[1])
        return Account(getattr(self, names[0]), secret.get_secret_value())

    def account(self, role: Role) -> Account:
        """The account of a role: its own, else the one for all.

        Raises:
            ConfigurationError: there is neither.
        """
        account = self._own_account(role) or self._own_account("")
        if not account:
            raise ConfigurationError(f"No account for the role {role}. {_both('')}")
        return account

    @property
    def needed_layers(self) -> frozenset[str]:
        """Layers of the sandbox without which no file is read."""
        return frozenset(filter(None, self.sandbox.split(",")))

    @property
    def bounds(self) -> Bounds:
        """What each process that reads files may use up."""
        return Bounds(memory_bytes=self.reader_memory_mib * MIB)

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


def in_files() -> list[str]:
    """The fields whose value may lie in a file: all credentials."""
    return [
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) or name.endswith("_access_key")
    ]


def _from_files() -> dict[str, str]:
    """Field -> value of those credentials that the environment gives by file and not by value.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    found = {}
    for name in in_files():
        variable = variable_of(name)
        path = os.environ.get(variable + FILE_SUFFIX, "")
        if path and not os.environ.get(variable):
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise ConfigurationError(f"{variable + FILE_SUFFIX}: the file cannot be read.") from None
            alias = Settings.model_fields[name].validation_alias
            found[alias if isinstance(alias, str) else name] = value
    return found


def _credentials_of(role: str) -> tuple[str, str]:
    """Names of the fields that hold a role's credentials; of the account for all where `role` is ""."""
    of = f"store_{role}_" if role else "store_"
    return f"{of}access_key", f"{of}secret_key"


def _both(role: str) -> str:
    access_key, secret_key = map(variable_of, _credentials_of(role))
    return f"{access_key} and {secret_key}: both are needed."


def open_store(settings: Settings, role: Role = Role.WORK) -> S3Store:
    """The object store that the settings name, in the name of a role.

    Raises:
        ConfigurationError: a credential is missing, or the endpoint cannot be right.
    """
    account = settings.account(role)
    return S3Store(settings.store_endpoint, account.access_key, account.secret_key, settings.store_region)


def _as_variables(faults: str) -> str:
    """`store_endpoint: missing` as the operator knows it, `FOI_STORE_ENDPOINT: missing`."""
    named = (fault.partition(": ") for fault in faults.split("; "))
    return "; ".join(
        f"{variable_of(field) if field in Settings.model_fields else field}: {rule}" for field, _, rule in named
    )
