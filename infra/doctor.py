"""`foi doctor`: everything the pipeline needs on this machine, each looked at for real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from infra.embedded import read_environment
from tasks.errors import ConfigurationError, FoiError, KeysMissingError


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        needed: False for servers, which `foi redact` and `foi verify` do without, and for layers of the sandbox that no
            setting asks for.
        otherwise: what to call it when it is neither ok nor needed.
    """

    name: str
    ok: bool
    found: str
    action: str
    needed: bool = True
    otherwise: str = "not running"


def examine(state: Path) -> list[Check]:
    """Look at everything; nothing is changed."""
    environment = {**(read_environment(state) or {}), **os.environ}
    return [
        _python(),
        _tesseract(),
        _language("eng", "reading"),
        _language("osd", "finding which way up a page is"),
        _library("WeasyPrint's Pango", "import weasyprint", "libpango-1.0-0 libpangoft2-1.0-0"),
        *_sandbox(environment),
        _temporary_folder(),
        _settings(environment),
        _policy(environment),
        check_keys(environment),
        _store(environment),
        _prefect(environment),
        *check_dask(environment),
    ]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")


def _tesseract() -> Check:
    install = "apt-get install tesseract-ocr"
    if shutil.which("tesseract") is None:
        return Check("Tesseract", False, "not found", install)
    said = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, timeout=20, check=False)
    version = (said.stdout or said.stderr).split("\n")[0].removeprefix("tesseract ")
    return Check("Tesseract", version.startswith("5"), version, f"{install} (version 5)")


def _language(name: str, why: str) -> Check:
    said = ""
    if shutil.which("tesseract"):
        said = subprocess.run(
            ["tesseract", "--list-langs"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    there = name in said.split("\n")
    return Check(
        f"Tesseract data {name} ({why})",
        there,
        "found" if there else "not found",
        f"apt-get install tesseract-ocr-{name}",
    )


def _library(name: str, statement: str, packages: str) -> Check:
    # In a child: a missing shared library can end the interpreter that loads it.
    said = subprocess.run([sys.executable, "-c", statement], capture_output=True, timeout=60, check=False)
    there = said.returncode == 0
    return Check(name, there, "loads" if there else "does not load", f"apt-get install {packages}")


def _sandbox(environment: dict[str, str]) -> list[Check]:
    """A line for each layer, as a process that reads files found it; a layer is needed when FOI_SANDBOX names it."""
    from tasks.apart import LAYERS, Apart

    demanded = {"limits", *environment.get("FOI_SANDBOX", "").split(",")}
    try:
        with Apart(1) as apart:
            found = apart.layers()
    except FoiError as error:
        return [Check("Sandbox", False, str(error), "Run `make test`: the readers do not start.")]
    said = {layer.name: layer for layer in found}
    return [
        Check(f"Sandbox: {name}", said[name].active, said[name].found, action, name in demanded, "not active")
        for name, action in LAYERS.items()
    ]


def _temporary_folder() -> Check:
    import tempfile

    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free // 2**20
    return Check("Temporary folder", free > 500, f"{free} MiB free", "Free some space, or set TMPDIR to a larger disk.")


def _settings(environment: dict[str, str]) -> Check:
    from flows.settings import Settings

    def read() -> str:
        settings = Settings()
        return f"store {settings.store_endpoint}, buckets {settings.bucket_prefix}*"

    # A wrong setting stops every command, of servers or not.
    return replace(_try("Settings", read, environment, otherwise="wrong"), needed=True)


def _policy(environment: dict[str, str]) -> Check:
    from flows.place import load_policy
    from flows.settings import Settings

    def read() -> str:
        policy = load_policy(Settings().policy_file)
        if unsaid := policy.authority.unsaid:
            raise ConfigurationError(
                f"The policy does not say the authority's {' and '.join(unsaid)}: every response stays held."
            )
        return f"version {policy.version}, {policy.authority.name}"

    action = "Name a policy file: FOI_POLICY_FILE, or foi up --policy."
    return _try("Policy", read, environment, action, "incomplete")


def check_keys(environment: dict[str, str]) -> Check:
    """Whether there are keys to sign with. `environment` is what the settings are read from."""
    from flows.place import load_signing_keys, missing_keys
    from flows.settings import Settings

    def read() -> str:
        settings = Settings()
        keys = load_signing_keys(settings)
        if keys is None:
            raise KeysMissingError(f"Not set: {' and '.join(missing_keys(settings))}.")
        return f"signs as {keys.key_id}"

    action = "Make them once with foi keys, and set what it says: without them nothing is published."
    return _try("Signing keys", read, environment, action, "unusable")


def _store(environment: dict[str, str]) -> Check:
    from flows.settings import Settings, open_store
    from infra.access import RIGHTS, Right

    def reach() -> str:
        settings = Settings()
        for role, buckets in RIGHTS.items():
            store = open_store(settings, role)
            for name in (bucket for bucket, rights in buckets.items() if Right.LIST in rights):
                next(iter(store.list(f"{settings.bucket_prefix}{name}", "doctor/")), None)
        return "all four buckets answer to each role"

    return _try("Object store", reach, environment)


def _try(
    name: str,
    look: Callable[[], str],
    environment: dict[str, str],
    action: str = "Start a stack: foi up. Or check the FOI_ settings.",
    otherwise: str = "not running",
) -> Check:
    """What a look at servers and settings says; `foi redact` and `foi verify` need neither."""
    saved = dict(os.environ)
    os.environ.update(environment)
    try:
        return Check(name, True, look(), "", needed=False)
    except FoiError as error:
        return Check(name, False, str(error), action, False, otherwise)
    except Exception as error:
        return Check(name, False, type(error).__name__, "Check the FOI_ settings.", False, otherwise)
    finally:
        os.environ.clear()
        os.environ.update(saved)


def _prefect(environment: dict[str, str]) -> Check:
    url = environment.get("PREFECT_API_URL", "")
    start = "Start it: foi up"
    if not url:
        return Check("Prefect", False, "PREFECT_API_URL is not set", start, needed=False)
    try:
        healthy = httpx.get(f"{url}/health", timeout=5).is_success
    except httpx.HTTPError:
        healthy = False
    return Check("Prefect", healthy, "answers" if healthy else "does not answer", start, needed=False)


def check_dask(environment: dict[str, str]) -> list[Check]:
    """Whether the cluster that FOI_DASK names answers and has our versions; nothing where it names none."""
    address = environment.get("FOI_DASK", "")

    def reach() -> str:
        from flows.settings import Settings

        Settings()  # an address that is none is refused here
        versions = _versions_on(address)
        ours, scheduler, workers = versions["client"], versions["scheduler"], versions["workers"].values()
        if not workers:
            raise ConfigurationError("The scheduler answers and has no worker.")
        differing = {name for name in _SCHEDULERS if scheduler["packages"][name] != ours["packages"][name]}
        for worker in workers:
            differing |= {name for name in ours["packages"] if worker["packages"][name] != ours["packages"][name]}
        if differing:
            raise ConfigurationError(f"Other versions there than here: {', '.join(sorted(differing))}.")
        return f"scheduler answers, workers: {len(workers)}, versions as here"

    action = "Start scheduler and workers with the versions of infra/constraints.txt, or unset FOI_DASK."
    return [_try("Dask", reach, environment, action, "unusable")] if address else []


_SCHEDULERS = ("python", "dask", "distributed", "cloudpickle", "msgpack", "tornado", "toolz")
_DASK_TIMEOUT_S = 10


def _versions_on(address: str) -> dict[str, Any]:
    """Versions of packages here, with the scheduler, and with each worker, as Dask tells them."""
    try:
        from distributed import Client
    except ImportError:
        raise ConfigurationError("The extra `dask` is not installed.") from None
    try:
        with warnings.catch_warnings(), Client(address, timeout=_DASK_TIMEOUT_S, set_as_default=False) as client:
            warnings.simplefilter("ignore")  # Dask's own table of versions
            versions: dict[str, Any] = client.get_versions(packages=["prefect", "prefect-dask"])
    except (OSError, ValueError):  # a time out is an OSError; a name that is none gives either
        raise ConfigurationError("No scheduler answers.") from None
    except TypeError:
        raise ConfigurationError("FOI_DASK asks for TLS, and DASK_DISTRIBUTED__COMM__TLS__… are not set.") from None
    return versions
