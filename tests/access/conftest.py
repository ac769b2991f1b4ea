"""Two real servers on which every role has an account of its own, with the rights that `infra.access` gives it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from flows.settings import Settings
from infra.access import seaweedfs_identities, set_up_accounts, set_up_buckets
from infra.embedded import REGION
from infra.gateway import Gateway, free_port
from tasks.model import Role
from tasks.store import Account, S3Store
from tests.conftest import running_seaweedfs

ADMIN = Account("foi-admin-test", "the-administrators-secret")
ACCOUNTS = {role: Account(f"foi-{role}-test", f"the-secret-of-{role}-here") for role in Role}


@dataclass(frozen=True)
class GuardedServer:
    """A running store with buckets, accounts and policies as they should be."""

    endpoint: str
    admin: Account
    accounts: dict[Role, Account]

    def store(self, role: Role | None = None) -> S3Store:
        """The store in the name of a role; of the administrator without one."""
        account = self.accounts[role] if role else self.admin
        return S3Store(self.endpoint, account.access_key, account.secret_key)

    def settings(self, **more: object) -> Settings:
        """Settings with the roles' accounts and no other."""
        credentials = {
            f"store_{role}_{name}": getattr(account, name)
            for role, account in self.accounts.items()
            for name in ("access_key", "secret_key")
        }
        return Settings(store_endpoint=self.endpoint, **credentials, **more)


@pytest.fixture(scope="session")
def guarded_juicefs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedServer]:
    gateway = Gateway(tmp_path_factory.mktemp("guarded"), free_port(), os.environ)
    try:
        gateway.start()
        server = GuardedServer(gateway.endpoint, gateway.admin, gateway.accounts)
        set_up_buckets(server.store())
        set_up_accounts(server.endpoint, REGION, server.admin, server.accounts)
        yield server
    finally:
        gateway.child.stop()


@pytest.fixture(scope="session")
def guarded_seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedServer]:
    identities = seaweedfs_identities(ADMIN, ACCOUNTS)
    with running_seaweedfs(tmp_path_factory.mktemp("guarded"), identities) as (endpoint, _):
        server = GuardedServer(endpoint, ADMIN, ACCOUNTS)
        set_up_buckets(server.store())
        yield server


@pytest.fixture(scope="session", params=["juicefs", "seaweedfs"])
def guarded(request: pytest.FixtureRequest) -> GuardedServer:
    server: GuardedServer = request.getfixturevalue(f"guarded_{request.param}")
    return server
