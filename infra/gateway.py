"""The embedded object store: JuiceFS's gateway, a MinIO S3 server on one SQLite file and a folder.

Rule kept here: it answers on 127.0.0.1 only, reports nothing to anyone, and all it knows lies in the folder given.

It has no versions, no object lock and no conditional PUT; `tasks.store` says what that means.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import httpx

from infra.children import Child, ServerFailedError
from tasks.model import Role
from tasks.store import Account

HOST = "127.0.0.1"
_VOLUME = "foi"
_FORMAT_TIMEOUT_S = 60
_HEALTH_TIMEOUT_S = 30


def free_port(wanted: int = 0) -> int:
    """`wanted` if it is free on 127.0.0.1, else another that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerFailedError("No port is free.")


def program(name: str) -> str:
    """Path of a program that was installed beside this Python, or its bare name to be found on PATH."""
    beside = [Path(sysconfig.get_path("scripts")) / name, Path(sys.executable).parent / name]
    return next((str(path) for path in beside if path.is_file()), name)


def load_account(path: Path, name: str = "admin") -> Account:
    """An account's credentials; made by chance the first time and kept in `path`, which only its owner may read."""
    try:
        kept = json.loads(path.read_text())
        return Account(str(kept["access_key"]), str(kept["secret_key"]))
    except (OSError, ValueError, KeyError):
        made = Account(f"foi-{name}-{secrets.token_hex(6)}", secrets.token_urlsafe(30))
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"access_key": made.access_key, "secret_key": made.secret_key}, file)
    fresh.replace(path)
    return made


class Gateway:
    """The store's server.

    Args:
        folder: where `store/`, `logs/` and `run/` go; must exist.
        port: to listen on; must be free.
        environment: what the process inherits.

    Attributes:
        admin: the account that may do everything; only the store and whoever sets it up know it.
        accounts: those of the roles; `infra.access` gives them their rights.
    """

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self._store = (folder / "store").resolve()
        self._store.mkdir(mode=0o700, exist_ok=True)
        self.admin = load_account(self._store / "credentials.json")
        self.accounts = {role: load_account(self._store / f"credentials-{role}.json", role) for role in Role}
        self.endpoint = f"http://{HOST}:{port}"
        self._volume_url = f"sqlite3://{self._store / 'volume.db'}"
        self._juicefs = (program("juicefs"), "--no-agent")  # the agent would serve memory dumps on a port
        self._environment = {
            **environment,
            "HOME": str(self._store),  # MinIO makes a folder for certificates there
            "MINIO_ROOT_USER": self.admin.access_key,
            "MINIO_ROOT_PASSWORD": self.admin.secret_key,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
        }
        arguments = (
            *("--multi-buckets", "--keep-etag", "--object-tag", "--object-meta"),
            *("--no-banner", "--no-usage-report", "--metrics", f"{HOST}:0"),
            *("--cache-dir", str(self._store / "cache"), "--cache-size", "0"),
        )
        self.child = Child(
            "store",
            (*self._juicefs, "gateway", *arguments, self._volume_url, f"{HOST}:{port}"),
            self._environment,
            folder,
        )

    def start(self) -> None:
        """Start and wait until it answers; the first time, lay out the volume.

        Raises:
            ServerFailedError: it did not.
        """
        self._format()
        self.child.start()
        self.child.wait_until(self._is_healthy, _HEALTH_TIMEOUT_S)

    def _format(self) -> None:
        """Lay the volume out; or, when the folder was moved or restored elsewhere, tell it where its objects are."""
        laid_out = self._store / "laid-out"
        place = f"{self._store / 'objects'}/"
        known = laid_out.read_text() if laid_out.exists() else None
        if known == place:
            return
        if known is None:
            # No trash: what is deleted from the restricted buckets is gone at once.
            what = ("format", "--storage", "file", "--trash-days", "0", "--no-update", self._volume_url, _VOLUME)
        else:
            what = ("config", self._volume_url, "--force", "--yes")
        self.child.log.parent.mkdir(parents=True, exist_ok=True)
        with self.child.log.open("ab") as log:
            done = subprocess.run(
                (*self._juicefs, *what, "--bucket", place),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_FORMAT_TIMEOUT_S,
                umask=0o077,
                check=False,
            )
        if done.returncode:
            raise ServerFailedError(f"The store's volume could not be laid out; see {self.child.log}.")
        laid_out.write_text(place)

    def _is_healthy(self) -> bool:
        try:
            answer = httpx.get(f"{self.endpoint}/minio/health/live", timeout=2, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK
