"""The embedded stack: object store, Prefect server, worker and watcher on this machine, in one state folder.

Rule kept here: everything listens on 127.0.0.1, nothing phones home, all data lies in the state folder, and whatever
happens to this process, no child is left or the next start ends it. Only Prefect's server can be told to listen
elsewhere, and then not without a credential. Each process gets the store's accounts of its own roles; none but the
store itself gets the administrator's.

    STATE/store/         objects, their index, credentials*.json of the administrator and each role (mode 0600)
    STATE/prefect/       Prefect's home: database, leases
    STATE/logs/*.log     what each server prints
    STATE/run/           pid files, the lock, environment.json (mode 0600) while the stack runs
    STATE/ports.json     chosen once, chosen anew when taken
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, NoReturn, Self

import httpx

from flows.settings import variable_of
from infra.access import set_up_accounts, set_up_buckets
from infra.children import Child, ServerFailedError, end_stale
from infra.deploy import POOL
from infra.gateway import HOST, Gateway, free_port
from tasks.errors import ConfigurationError
from tasks.model import Role
from tasks.store import S3Store

REGION = "us-east-1"

_CHILDREN = (
    "watcher",
    "worker",
    "prefect",
    "store",
)  # the order of stopping: first what makes work, last what holds it
BESIDES = 2
"""Runs that the worker takes beside those on requests: a person's decision, the sweep."""

_SERVER_TIMEOUT_S = 180
_WORKER_TIMEOUT_S = 60
_LOCK_ATTEMPTS = 3
_RESTARTS = 5
_RESTART_WINDOW_S = 600.0
_NOT_INHERITED = ("PREFECT_", "PREFECT__", "MINIO_", "JFS_", "AWS_", "FOI_STORE_", "FOI_BUCKET_PREFIX")


class Stack:
    """The servers, as a context manager: started and healthy inside, gone outside.

    Args:
        state: folder for everything the stack keeps; made if missing.
        limit: runs on requests that are at work at once; the worker takes some others beside them.
        watch: start the watcher at once; else call `start_watcher` when the deployments are made.
        environment: more variables for worker and watcher, e.g. `FOI_POLICY_FILE`.
        bucket_prefix: what the four buckets' names start with.
        host: IPv4 address on which Prefect's server listens; the store stays on 127.0.0.1.
        api_credential: `user:password` that Prefect's server asks everybody for.
        database_url: of Prefect's database; "" for SQLite in the state folder.

    Raises:
        ConfigurationError: another stack runs in the folder; or the server would be open to others without asking.
        ServerFailedError: a server did not become healthy; nothing is left running.
    """

    def __init__(
        self,
        state: Path,
        *,
        limit: int = 2,
        watch: bool = True,
        environment: Mapping[str, str] | None = None,
        bucket_prefix: str = "foi-",
        host: str = HOST,
        api_credential: str = "",
        database_url: str = "",
    ) -> None:
        check_exposure(host, api_credential)
        self.state = state.resolve()
        self._host = host
        self._api_credential = api_credential
        self._database_url = database_url
        self._limit = limit
        self._watch = watch
        self._more = dict(environment or {})
        self._prefix = bucket_prefix
        self._children: dict[str, Child] = {}
        self._gateway: Gateway | None = None
        self._socket: socket.socket | None = None
        self._lock: IO[str] | None = None
        self._old_handlers: dict[signal.Signals, object] = {}
        self.environment: dict[str, str] = {}

    @property
    def ui_url(self) -> str:
        """Where the operator opens Prefect's pages."""
        return self.environment["PREFECT_API_URL"].removesuffix("/api")

    @property
    def store(self) -> S3Store:
        """A new store object on the stack's object store, in the administrator's name."""
        if self._gateway is None:
            raise RuntimeError
        return S3Store(self._gateway.endpoint, self._gateway.admin.access_key, self._gateway.admin.secret_key, REGION)

    @property
    def pids(self) -> dict[str, int]:
        """Name and process id of each server that was started."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C too: nothing may stay behind
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start what is not running and wait until all is healthy. Use the context manager if you can."""
        self._take_state()
        ports = _load_ports(self.state)
        self._socket, ports["prefect"] = _bound_socket(self._host, ports.get("prefect", 0))
        ports["store"] = free_port(ports.get("store", 0))
        (self.state / "ports.json").write_text(json.dumps(ports))

        self._gateway = Gateway(self.state, ports["store"], _inherited_environment())
        self.environment = self._make_environment(ports["prefect"])
        # Both import Prefect, for seconds; the store is made ready meanwhile.
        self._start_prefect()
        self._start_worker()
        self._children["store"] = self._gateway.child
        self._gateway.start()
        set_up_buckets(self.store, self._prefix)
        set_up_accounts(
            self._gateway.endpoint, REGION, self._gateway.admin, self._gateway.accounts, prefix=self._prefix
        )
        user, _, password = self._api_credential.partition(":")
        auth = (user, password) if self._api_credential else None
        with httpx.Client(base_url=self.environment["PREFECT_API_URL"], trust_env=False, timeout=1, auth=auth) as api:
            self._children["prefect"].wait_until(lambda: _is_healthy(api), _SERVER_TIMEOUT_S)
            self._children["worker"].wait_until(lambda: self._is_working(api), _WORKER_TIMEOUT_S)
        if self._watch:
            self.start_watcher()
        _write_private(self.state / "run" / "environment.json", json.dumps(self._for_programs()))

    def start_watcher(self) -> None:
        """Announce uploads from now on, and what lies in the bucket already."""
        self._start("watcher", (sys.executable, "-m", "flows.watch"), roles=(Role.INTAKE,))

    def check(self) -> None:
        """Make sure that all servers run.

        Raises:
            ServerFailedError: one ended; says which, how, and where its log is.
        """
        for child in self._children.values():
            child.check()

    def supervise(self, stop: threading.Event | None = None) -> None:
        """Keep all servers running, until `stop` is set or Ctrl-C; one that ends is started again.

        Raises:
            ServerFailedError: one ended more than five times in ten minutes.
        """
        stop = stop or threading.Event()
        ended: dict[str, list[float]] = {}
        while not stop.wait(1.0):
            for name in [name for name, child in self._children.items() if child.exit_status is not None]:
                now = time.monotonic()
                ended[name] = [*(moment for moment in ended.get(name, ()) if now - moment < _RESTART_WINDOW_S), now]
                if len(ended[name]) > _RESTARTS:
                    self._children[name].check()
                self.restart(name)

    def stop(self) -> None:
        """End all servers, in order, and give the state folder free. Harmless when nothing runs."""
        with contextlib.ExitStack() as last:
            last.callback(self._give_state_back)
            for name in reversed(_CHILDREN):  # an ExitStack runs backwards, and runs all, whatever one raises
                if child := self._children.get(name):
                    last.callback(child.stop)
            if self._lock:
                (self.state / "run" / "environment.json").unlink(missing_ok=True)

    def _take_state(self) -> None:
        (self.state / "run").mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)
        self._lock = _locked(self.state)
        for name in _CHILDREN:
            end_stale(name, self.state)
        if threading.current_thread() is threading.main_thread():
            # A shell has what it starts in the background ignore SIGINT, and children inherit that: with a handler of
            # ours, they get the default back.
            handlers = {signal.SIGTERM: _leave, signal.SIGINT: signal.default_int_handler}
            self._old_handlers = {number: signal.signal(number, handler) for number, handler in handlers.items()}

    def _give_state_back(self) -> None:
        self._children.clear()
        if self._socket:
            self._socket.close()
            self._socket = None
        if self._lock:
            self._lock.close()
            self._lock = None
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._old_handlers.clear()

    def _make_environment(self, prefect_port: int) -> dict[str, str]:
        if self._gateway is None:
            raise RuntimeError
        reached_at = HOST if self._host == "0.0.0.0" else self._host  # noqa: S104 - compared, not bound
        return {
            "PREFECT_HOME": str(self.state / "prefect"),
            "PREFECT_API_URL": f"http://{reached_at}:{prefect_port}/api",
            **({"PREFECT_API_AUTH_STRING": self._api_credential} if self._api_credential else {}),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "FOI_STORE_ENDPOINT": self._gateway.endpoint,
            "FOI_STORE_REGION": REGION,
            "FOI_BUCKET_PREFIX": self._prefix,
            **dict.fromkeys(("NO_PROXY", "no_proxy"), _unproxied(reached_at)),
            **{name: value for role in Role for name, value in self._credentials(role).items()},
        }

    def _for_programs(self) -> dict[str, str]:
        """What a program outside needs; the policy too, by which `foi release` judges what is complete."""
        policy = variable_of("policy_file")
        given = self._more.get(policy) or os.environ.get(policy)
        return {**self.environment, **({policy: str(Path(given).resolve())} if given else {})}

    def _credentials(self, role: Role) -> dict[str, str]:
        """The variables that hold a role's account."""
        if self._gateway is None:
            raise RuntimeError
        account = self._gateway.accounts[role]
        names = (variable_of(f"store_{role}_access_key"), variable_of(f"store_{role}_secret_key"))
        return dict(zip(names, (account.access_key, account.secret_key), strict=True))

    def _start(
        self, name: str, argv: tuple[str, ...], more: Mapping[str, str] | None = None, roles: tuple[Role, ...] = ()
    ) -> None:
        """Start a child with our environment, but of the store's accounts only those of `roles`."""
        others = {variable for role in Role if role not in roles for variable in self._credentials(role)}
        ours = {name: value for name, value in self.environment.items() if name not in others}
        environment = {**_inherited_environment(), **ours, **self._more, **(more or {})}
        self._children[name] = Child(name, argv, environment, self.state)
        inherit = (self._socket.fileno(),) if self._socket and name == "prefect" else ()
        self._children[name].start(inherit)

    def _start_prefect(self) -> None:
        if self._socket is None:
            raise RuntimeError
        self._start(
            "prefect",
            (sys.executable, "-m", "infra.prefect_server", str(self._socket.fileno())),
            {
                "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
                "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
                "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": self.ui_url,
                # Browsers on other machines ask where the page came from, not where we reach the server.
                "PREFECT_SERVER_UI_API_URL": "/api",
                **({"PREFECT_SERVER_API_AUTH_STRING": self._api_credential} if self._api_credential else {}),
                **({"PREFECT_SERVER_DATABASE_CONNECTION_URL": self._database_url} if self._database_url else {}),
                # Runs, logs and artifacts would be kept for ever.
                "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
                # Requests wait in their queue, so "late" says nothing; and on SQLite the service that says it, trying
                # every five seconds for each, keeps a burst from being worked off.
                "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
                # One transaction for each of a task's three states is half of what the server does for a task. A server
                # that is killed has not noted the states of the last two seconds; no result depends on them.
                "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
                "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
                # In memory, the default, limits stay used up for ever when worker and server are killed together.
                "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            },
        )

    def _start_worker(self) -> None:
        self._worker_started = datetime.now(UTC)
        self._start(
            "worker",
            (sys.executable, "-m", "infra.prefect_worker", POOL, str(self._limit + BESIDES)),
            {
                "PREFECT_WORKER_QUERY_SECONDS": "2",
                "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
                "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",  # they are of one installation
            },
            roles=(Role.WORK, Role.PUBLISH),
        )

    def restart(self, name: str) -> None:
        """Stop a server if it still runs, and start it."""
        self._children[name].stop()
        match name:
            case "store" if self._gateway:
                self._gateway.start()
            case "prefect":
                self._start_prefect()
            case "worker":
                self._start_worker()
            case "watcher":
                self.start_watcher()

    def _is_working(self, api: httpx.Client) -> bool:
        """Whether the worker has reported since it was started; an older report is of the one before."""
        try:
            answer = api.post(f"/work_pools/{POOL}/workers/filter", json={})
            reports = [worker["last_heartbeat_time"] for worker in answer.json()] if answer.is_success else []
        except httpx.HTTPError:
            return False
        return any(datetime.fromisoformat(report) >= self._worker_started for report in reports if report)


def check_exposure(host: str, api_credential: str) -> None:
    """Refuse to let others than this machine reach Prefect's server without a credential.

    Raises:
        ConfigurationError: the host is no IPv4 address; or others reach it and there is no `user:password`.
    """
    try:
        others = not ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        raise ConfigurationError("FOI_PREFECT_HOST: not an IPv4 address.") from None
    user, _, password = api_credential.partition(":")
    if api_credential and not (user and password):
        raise ConfigurationError("PREFECT_SERVER_API_AUTH_STRING: not user:password.")
    if others and not api_credential:
        raise ConfigurationError(
            "Others than this machine would reach Prefect's server: set PREFECT_SERVER_API_AUTH_STRING to "
            "user:password, or leave FOI_PREFECT_HOST as it is."
        )


def read_environment(state: Path) -> dict[str, str] | None:
    """What a program needs to talk to the stack that runs in `state`; None when none does."""
    try:
        with (state / "run" / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except OSError:  # locked: it runs
        try:
            return dict(json.loads((state / "run" / "environment.json").read_text()))
        except (OSError, ValueError):
            return None
    return None


def _locked(state: Path) -> IO[str]:
    """The state folder's lock, which the kernel frees when its holder is gone, however it went."""
    lock = (state / "run" / "lock").open("w")
    for attempt in range(_LOCK_ATTEMPTS):  # `read_environment` holds it for an instant
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(0.1 * attempt)
        else:
            return lock
    lock.close()
    raise ConfigurationError(f"Another stack runs in {state}.")


def _inherited_environment() -> dict[str, str]:
    """Ours, without what would lead a server elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}


def _unproxied(reached_at: str) -> str:
    """Hosts that are reached directly: ours, and those the operator named."""
    named = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return ",".join(dict.fromkeys((*filter(None, named.split(",")), HOST, reached_at)))


def _is_healthy(api: httpx.Client) -> bool:
    try:
        return api.get("/health").is_success
    except httpx.HTTPError:
        return False


def _load_ports(state: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads((state / "ports.json").read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _bound_socket(host: str, wanted: int) -> tuple[socket.socket, int]:
    """A socket bound to `wanted` if that is free, else to another port; it is handed to the server."""
    for port in (wanted, 0):
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError:
            bound.close()
            continue
        return bound, int(bound.getsockname()[1])
    raise ServerFailedError("No port is free.")


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM as an exception, so that the servers are stopped."""
    raise SystemExit(128 + signal.SIGTERM)
