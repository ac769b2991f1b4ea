"""Who may do what in which bucket, and how a store is told.

Rule kept here: the rights stand once, in `RIGHTS`; every document that a store enforces is made from them. No role has
what its work does not need: whoever processes cannot write what is public, whoever publishes cannot read what came in,
and nobody but upstream systems writes there.

    python -m infra.access documents [FOLDER]   write the documents for stores that are set up by hand
    python -m infra.access seaweedfs            print the file that SeaweedFS takes with -s3.config; it holds secrets
    python -m infra.access apply                make buckets, accounts and policies on the store that the settings name

The last two take an administrator's account from FOI_STORE_ACCESS_KEY and FOI_STORE_SECRET_KEY, and each role's from
FOI_STORE_<ROLE>_ACCESS_KEY and FOI_STORE_<ROLE>_SECRET_KEY. All may be run again at any time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, S3Error

from flows.settings import Settings
from tasks.errors import ConfigurationError, FoiError, StoreUnavailableError
from tasks.model import Role
from tasks.store import Account, S3Store, public_policy

POLICIES_FOLDER = Path(__file__).parent / "policies"
DEFAULT_PREFIX = "foi-"
PUBLIC = "disclosure"

_TIMEOUT_S = 10


class Right(StrEnum):
    """What can be allowed in a bucket. Without `LIST`, a store answers "forbidden" where an object is missing."""

    READ = "read"
    LIST = "list"
    LISTEN = "listen"
    WRITE = "write"
    DELETE = "delete"


RIGHTS: Mapping[Role, Mapping[str, tuple[Right, ...]]] = {
    Role.UPSTREAM: {"intake": (Right.READ, Right.LIST, Right.WRITE)},
    Role.INTAKE: {"intake": (Right.READ, Right.LIST, Right.LISTEN)},
    Role.WORK: {
        "intake": (Right.READ, Right.LIST),
        "work": (Right.READ, Right.LIST, Right.WRITE),
        "quarantine": (Right.LIST, Right.WRITE),  # listed by `foi doctor` only
    },
    Role.PUBLISH: {
        "work": (Right.READ, Right.LIST),
        "disclosure": (Right.READ, Right.LIST, Right.WRITE, Right.DELETE),
    },
}
"""Role -> bucket, without its prefix -> rights."""

USED_BY: Mapping[Role, str] = {
    Role.UPSTREAM: "scanners and case management; `foi submit`",
    Role.INTAKE: "the watcher",
    Role.WORK: "runs, up to held; the sweep; `foi status`, `foi review`",
    Role.PUBLISH: "the steps that publish, withdraw and clear up after it; `foi prove`",
}

_ON_BUCKET = {Right.LIST: "s3:ListBucket", Right.LISTEN: "s3:ListenBucketNotification"}
_ON_OBJECTS = {Right.READ: "s3:GetObject", Right.WRITE: "s3:PutObject", Right.DELETE: "s3:DeleteObject"}


class AccountsUnsupportedError(ConfigurationError):
    """The store has no administration by the MinIO API, so accounts cannot be made from here."""

    code = "accounts-unsupported"
    message = "The object store does not let accounts be made from here."
    action = "Make them with the store's own tools; `python -m infra.access documents` writes what each may do."


# ------------------------------------------------------------------------------------------------ documents


def account_policy(role: Role, prefix: str = DEFAULT_PREFIX) -> dict[str, Any]:
    """What a role may do, as a policy document of AWS IAM; MinIO, RustFS, Ceph and SeaweedFS read the same."""
    statements = []
    for bucket, rights in RIGHTS[role].items():
        name = f"arn:aws:s3:::{prefix}{bucket}"
        for actions, resource in ((_ON_BUCKET, name), (_ON_OBJECTS, f"{name}/*")):
            allowed = [actions[right] for right in rights if right in actions]
            if allowed:
                statements.append({"Effect": "Allow", "Action": allowed, "Resource": [resource]})
    return {"Version": "2012-10-17", "Statement": statements}


def seaweedfs_identities(admin: Account, accounts: Mapping[Role, Account], prefix: str = DEFAULT_PREFIX) -> str:
    """All of it as the file that SeaweedFS takes with `-s3.config`; the public reads by a policy on the bucket."""
    all_rights = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = [{"name": "admin", "credentials": [_credentials(admin)], "actions": all_rights}]
    identities += [
        {"name": role.value, "credentials": [_credentials(account)], "actions": [], "policyNames": [prefix + role]}
        for role, account in accounts.items()
    ]
    policies = [{"name": prefix + role, "content": json.dumps(account_policy(role, prefix))} for role in accounts]
    return json.dumps({"identities": identities, "policies": policies}, indent=1)


def _credentials(account: Account) -> dict[str, str]:
    return {"accessKey": account.access_key, "secretKey": account.secret_key}


def documents(prefix: str = DEFAULT_PREFIX) -> dict[str, str]:
    """File name -> JSON: a policy for each role's account, and the policy of the public bucket."""
    made = {f"{role}.json": account_policy(role, prefix) for role in RIGHTS}
    made["public-bucket.json"] = public_policy(prefix + PUBLIC)
    return {name: json.dumps(document, indent=2) + "\n" for name, document in made.items()}


# ------------------------------------------------------------------------------------------------ on a store


def set_up_buckets(store: S3Store, prefix: str = DEFAULT_PREFIX) -> None:
    """Make the four buckets unless they are there, and let anyone read objects of the public one.

    Raises:
        ConfigurationError: the account may not.
        StoreUnavailableError: no proper answer.
    """
    for bucket in ("intake", "work", "quarantine", PUBLIC):
        store.ensure_bucket(prefix + bucket)
    store.open_to_public(prefix + PUBLIC)


def set_up_accounts(
    endpoint: str, region: str, admin: Account, accounts: Mapping[Role, Account], prefix: str = DEFAULT_PREFIX
) -> None:
    """Make each role's account with exactly its rights, on a store that is administrated by the MinIO API.

    Doing it again changes nothing; an account with another secret than the store knows gets the new one.

    Args:
        endpoint: URL of the store.
        region: what the store calls its region.
        admin: an administrator's account.
        accounts: role -> the credentials it is to have; an access key has at least 3 characters, a secret 8.
        prefix: of the buckets' names, and of the policies'.

    Raises:
        AccountsUnsupportedError: it is another kind of store.
        ConfigurationError: the store refused.
        StoreUnavailableError: it did not answer.
    """
    place = urlsplit(endpoint)
    provider = StaticProvider(admin.access_key, admin.secret_key)
    timeout = urllib3.PoolManager(timeout=_TIMEOUT_S, retries=False)
    store = MinioAdmin(
        endpoint=place.netloc,
        credentials=provider,
        region=region,
        secure=place.scheme == "https",
        http_client=timeout,
    )
    with _translated():
        store.policy_list()  # says at once whether there is such an administration
    for role, account in accounts.items():
        with _translated():
            store.policy_add(prefix + role, policy=account_policy(role, prefix))
            if not _lets_in(endpoint, region, account):
                store.user_add(access_key=account.access_key, secret_key=account.secret_key)
            store.policy_set(prefix + role, user=account.access_key)


def _lets_in(endpoint: str, region: str, account: Account) -> bool:
    """Whether the store knows the account by this secret. Making an account anew costs half a second of hashing."""
    place = urlsplit(endpoint)
    pool = urllib3.PoolManager(timeout=_TIMEOUT_S, retries=False)
    client = Minio(
        place.netloc,
        access_key=account.access_key,
        secret_key=account.secret_key,
        secure=place.scheme == "https",
        region=region,
        http_client=pool,
    )
    try:
        client.list_buckets()
    except S3Error as error:
        return error.code not in {"InvalidAccessKeyId", "SignatureDoesNotMatch"}
    return True


@contextmanager
def _translated() -> Iterator[None]:
    """The errors of the MinIO client, which quote requests, as ours."""
    try:
        yield
    except MinioAdminException as error:
        # Where there is no such administration, its path is that of an object: missing, or closed to everybody.
        if str(error._code) in {"404", "405", "501"}:
            raise AccountsUnsupportedError from None
        raise ConfigurationError(f"The store refused to set up accounts: HTTP {error._code}.") from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnavailableError(f"{type(error).__name__}.") from None


def accounts_of(settings: Settings) -> tuple[Account, dict[Role, Account]]:
    """The administrator's account and the roles', as the settings name them.

    Raises:
        ConfigurationError: there is no administrator's account, or two of them are the same.
    """
    admin = Account(settings.store_access_key, settings.store_secret_key.get_secret_value())
    if not admin:
        raise ConfigurationError("FOI_STORE_ACCESS_KEY and FOI_STORE_SECRET_KEY: an administrator's are needed.")
    accounts = {role: settings.account(role) for role in RIGHTS}
    keys = {admin.access_key, *(account.access_key for account in accounts.values())}
    if len(keys) != len(accounts) + 1:
        raise ConfigurationError("Each role needs an access key of its own, none of them the administrator's.")
    return admin, accounts


def apply(settings: Settings) -> None:
    """Make buckets, accounts and policies on the store that the settings name.

    Raises:
        ConfigurationError: an account is missing, or the store refused.
        AccountsUnsupportedError: the buckets are made, the accounts must be made by hand.
        StoreUnavailableError: the store did not answer.
    """
    admin, accounts = accounts_of(settings)
    prefix = settings.bucket_prefix
    set_up_buckets(S3Store(settings.store_endpoint, admin.access_key, admin.secret_key, settings.store_region), prefix)
    set_up_accounts(settings.store_endpoint, settings.store_region, admin, accounts, prefix)


def main(arguments: list[str]) -> int:
    """`documents [FOLDER]`, `seaweedfs` or `apply`; returns the exit code."""
    try:
        match arguments:
            case ["documents", *rest] if len(rest) < 2:
                folder = Path(rest[0]) if rest else POLICIES_FOLDER
                folder.mkdir(parents=True, exist_ok=True)
                for name, document in documents(Settings().bucket_prefix).items():
                    (folder / name).write_text(document)
            case ["seaweedfs"]:
                settings = Settings()
                print(seaweedfs_identities(*accounts_of(settings), settings.bucket_prefix))
            case ["apply"]:
                apply(Settings())
                print("Buckets, accounts and policies are as they should be.")
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except FoiError as error:
        print(f"{error.code}: {error} {error.action}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
