"""`foi init` on real servers: everything is there after it, and nothing changes when it is run again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.children import Child
from infra.gateway import HOST, Gateway, free_port
from tasks.model import Role
from tests.conftest import StoreServer

pytestmark = [pytest.mark.flow, pytest.mark.timeout(900)]

TOKEN = "the-token-of-the-receiver"
ARN = "arn:minio:sqs::FOI:webhook"


@dataclass
class Place:
    """A store and a Prefect server in which nothing is set up, and the settings that name them."""

    environment: dict[str, str]
    api: httpx.Client

    def init(self, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", "init"],
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def everything(self) -> dict[str, Any]:
        """What is set up in Prefect, with the ids: what is made anew gets another."""
        api = self.api
        asked = {"limit": 200}
        pools = api.post("/work_pools/filter", json=asked).json()
        return {
            "pools": [(pool["id"], pool["name"], pool["type"]) for pool in pools],
            "queues": sorted(
                (queue["id"], queue["name"], queue["concurrency_limit"])
                for queue in api.post("/work_pools/local-process/queues/filter", json=asked).json()
            ),
            "deployments": sorted(
                (one["id"], one["name"], one["updated"]) for one in api.post("/deployments/filter", json=asked).json()
            ),
            "automations": sorted(
                (one["id"], one["name"], one["updated"]) for one in api.post("/automations/filter", json=asked).json()
            ),
            "blocks": sorted(one["id"] for one in api.post("/block_documents/filter", json=asked).json()),
        }


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    state = tmp_path_factory.mktemp("init")
    webhook = {
        "MINIO_NOTIFY_WEBHOOK_ENABLE_FOI": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_FOI": f"http://{HOST}:{free_port()}/notifications",
        "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_FOI": TOKEN,
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_FOI": str(state / "queue"),
    }
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("FOI_", "PREFECT_"))}
    gateway = Gateway(state, free_port(), {**os.environ, **webhook})
    port = free_port()
    home = {"PREFECT_HOME": str(state / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    argv = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    server = Child("prefect", argv, {**plain, **home}, state)
    with httpx.Client(base_url=f"http://{HOST}:{port}/api", timeout=30, trust_env=False) as api:
        try:
            server.start()
            gateway.start()
            server.wait_until(lambda: _healthy(api), 180)
            secrets = state / "secrets"
            secrets.mkdir()
            environment = {
                **plain,
                **home,
                "FOI_STORE_ENDPOINT": gateway.endpoint,
                "PREFECT_API_URL": str(api.base_url),
            }
            accounts = {"STORE": gateway.admin, **{f"STORE_{r.upper()}": gateway.accounts[r] for r in Role}}
            for name, account in accounts.items():
                for part in ("access_key", "secret_key"):
                    path = secrets / f"{name}_{part}"
                    path.write_text(getattr(account, part) + "\n")
                    environment[f"FOI_{name}_{part.upper()}_FILE"] = str(path)
            yield Place(environment, api)
        finally:
            server.stop()
            gateway.child.stop()


def _healthy(api: httpx.Client) -> bool:
    try:
        return api.get("/health").is_success
    except httpx.HTTPError:
        return False


def test_init_sets_everything_up_and_again_changes_nothing(bare: Place) -> None:
    settings = {
        "FOI_NOTIFICATION_ARN": ARN,
        "FOI_NOTIFY_WEBHOOK_URL": "http://127.0.0.1:9/alarms",
        "FOI_RUNS_AT_ONCE": "3",
    }
    first = bare.init(**settings)
    assert first.returncode == 0, first.stdout + first.stderr
    made = bare.everything()
    assert [name for _, name, _ in made["pools"]] == ["local-process"]
    assert ("requests", 3) in {(name, limit) for _, name, limit in made["queues"]}
    assert {name for _, name, _ in made["deployments"]} >= {"on-request", "by-officer", "nightly", "on-order"}
    assert {name for _, name, _ in made["automations"]} >= {
        "process-on-submission",
        "foi-quarantined",
        "foi-blocked",
        "foi-due-soon",
        "foi-sweep-missing",
        "foi-not-started",
    }
    assert len(made["blocks"]) == 1

    second = bare.init(**settings)
    assert second.returncode == 0, second.stdout + second.stderr
    assert bare.everything() == made
    assert "made or changed" in first.stdout
    assert "made or changed" not in second.stdout
    assert len(second.stdout.splitlines()) == len(first.stdout.splitlines()) == 5


def test_what_the_settings_change_is_changed_and_nothing_else(bare: Place) -> None:
    before = bare.everything()
    done = bare.init(FOI_NOTIFICATION_ARN=ARN, FOI_NOTIFY_WEBHOOK_URL="http://127.0.0.1:9/other", FOI_RUNS_AT_ONCE="4")
    assert done.returncode == 0, done.stdout + done.stderr
    after = bare.everything()
    assert after["deployments"] == before["deployments"]
    assert after["automations"] == before["automations"]
    assert ("requests", 4) in {(name, limit) for _, name, limit in after["queues"]}


def test_a_webhook_that_the_store_does_not_know_is_left_to_a_person(bare: Place) -> None:
    done = bare.init(FOI_NOTIFICATION_ARN="arn:minio:sqs::OTHER:webhook")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "TO DO" in done.stdout
    assert "Alarms" in done.stdout  # and the rest is done all the same


def test_a_store_without_administration_is_said_and_the_rest_is_done(bare: Place, seaweedfs_store: StoreServer) -> None:
    files = {name: value for name, value in bare.environment.items() if not name.startswith("FOI_STORE")}
    accounts = {
        f"FOI_STORE_{role.upper()}_{part}": f"{role}-{part}" for role in Role for part in ("ACCESS_KEY", "SECRET_KEY")
    }
    place = Place(files, bare.api)
    done = place.init(
        FOI_STORE_ENDPOINT=seaweedfs_store.endpoint,
        FOI_STORE_ACCESS_KEY=seaweedfs_store.access_key,
        FOI_STORE_SECRET_KEY=seaweedfs_store.secret_key,
        FOI_BUCKET_PREFIX="init-",
        **accounts,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "TO DO  Accounts and policies" in done.stdout
    assert seaweedfs_store.secret_key not in done.stdout + done.stderr
    seaweedfs_store.store.put("init-work", "there", b"")
