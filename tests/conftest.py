"""Real servers that tests share: each starts when the first test asks for it, and is gone when the run ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from infra.access import seaweedfs_identities
from infra.children import Child
from infra.embedded import Stack
from infra.gateway import HOST, Gateway, free_port, program
from tasks.store import Account, S3Store

_KINDS = ("port", "port.grpc")


@dataclass(frozen=True)
class StoreServer:
    """A running object store and an `S3Store` on it."""

    store: S3Store
    endpoint: str
    access_key: str
    secret_key: str
    child: Child


@pytest.fixture(scope="session")
def juicefs_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """JuiceFS's gateway: a MinIO S3 server, with bucket notifications, without conditional PUT."""
    gateway = Gateway(tmp_path_factory.mktemp("juicefs"), free_port(), os.environ)
    try:
        gateway.start()
        admin = gateway.admin
        store = S3Store(gateway.endpoint, admin.access_key, admin.secret_key)
        yield StoreServer(store, gateway.endpoint, admin.access_key, admin.secret_key, gateway.child)
    finally:
        gateway.child.stop()


@pytest.fixture(scope="session")
def seaweedfs_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """SeaweedFS: conditional PUT, no bucket notifications."""
    admin = Account("foi-test", "seaweedfs-secret")
    with running_seaweedfs(tmp_path_factory.mktemp("seaweedfs"), seaweedfs_identities(admin, {})) as (endpoint, child):
        store = S3Store(endpoint, admin.access_key, admin.secret_key)
        yield StoreServer(store, endpoint, admin.access_key, admin.secret_key, child)


@contextmanager
def running_seaweedfs(folder: Path, identities: str) -> Iterator[tuple[str, Child]]:
    """A SeaweedFS of its own that knows these identities: its endpoint and its process."""
    ports = {f"{part}.{kind}": free_port() for part in ("master", "volume", "filer", "s3") for kind in _KINDS}
    endpoint = f"http://{HOST}:{ports['s3.port']}"
    child = _seaweedfs(folder, ports, identities)
    try:
        child.start()
        child.wait_until(lambda: _answers(f"{endpoint}/status"), timeout_s=60)
        yield endpoint, child
    finally:
        child.stop(timeout_s=1)  # it waits for its clients, who keep their connections
        for left in Path("/tmp").glob("seaweedfs-*.sock"):  # noqa: S108 - where it puts them
            if left.stem.rpartition("-")[2] in map(str, ports.values()):
                left.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole embedded stack with its watcher; `stack.environment` is what programs need to use it."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def _seaweedfs(folder: Path, ports: dict[str, int], identities: str) -> Child:
    config = folder / "identities.json"
    config.write_text(identities)
    argv = [
        *(program("weed"), "server", f"-dir={folder}", f"-ip={HOST}", f"-ip.bind={HOST}", "-filer", "-s3"),
        *(f"-{name}={port}" for name, port in ports.items()),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={config}", "-s3.autoCreateBucket=false"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=200"),
    ]
    return Child("seaweedfs", argv, os.environ, folder)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False
