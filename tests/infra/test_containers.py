"""Compose, image, units and Kubernetes template: what their own tools and schemas say of them, and that they fit."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.utilities.templating import apply_values, find_placeholders

from flows.settings import FILE_SUFFIX, PREFIX, Settings, in_files, variable_of
from infra.access import RIGHTS
from infra.make_secrets import make_secrets

ROOT = Path(__file__).parents[2]
OPINIONS = ROOT / ".venv/opinions/bin"
COMPOSE = ROOT / "infra/compose.yaml"
UNITS = sorted((ROOT / "infra/systemd").glob("*.service"))
TEMPLATE = ROOT / "infra/kubernetes/base-job-template.json"
KUBERNETES = "1.31"

KNOWN = {variable_of(name) for name in Settings.model_fields}
KNOWN |= {variable_of(name) + FILE_SUFFIX for name in in_files()}


def checked(*argv: str, content: str | None = None) -> None:
    done = subprocess.run(argv, input=content, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text()))


def test_compose_is_valid_by_the_schema_of_its_specification() -> None:
    checked(str(OPINIONS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE))


def test_the_schema_would_notice_a_misspelt_field(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("depends_on:", "depend_on:", 1))
    with pytest.raises(AssertionError, match="depend_on"):
        checked(str(OPINIONS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(wrong))


def test_every_secret_is_made_by_the_command_and_used_by_some_service(compose: dict[str, Any], tmp_path: Path) -> None:
    made = {path.name for path in make_secrets(tmp_path)}
    declared = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    used = {name for service in compose["services"].values() for name in service.get("secrets", ())}
    assert made == declared == used
    assert all((tmp_path / name).stat().st_mode & 0o077 == 0 for name in made)
    before = {name: (tmp_path / name).read_bytes() for name in made}
    make_secrets(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in made} == before
    known = {
        account["credentials"][0]["accessKey"] for account in json.loads(before["store-identities.json"])["identities"]
    }
    assert before["store-work-access-key"].decode().strip() in known
    assert len(known) == len(RIGHTS) + 1


def test_each_service_is_given_the_files_it_names_and_settings_that_exist(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        environment: dict[str, str] = service.get("environment", {})
        given = {f"/run/secrets/{secret}" for secret in service.get("secrets", ())}
        named = {value for variable, value in environment.items() if variable.endswith("_FILE")}
        assert named <= given, name
        assert {v for v in environment if v.startswith(PREFIX)} <= KNOWN, name


def test_no_process_is_given_what_is_not_its_own(compose: dict[str, Any]) -> None:
    secrets = {name: set(service.get("secrets", ())) for name, service in compose["services"].items()}
    assert not any("admin" in one for name in ("prefect", "worker", "watcher", "receiver") for one in secrets[name])
    assert not any("publish" in one or "work" in one for name in ("watcher", "receiver") for one in secrets[name])
    assert [name for name, given in secrets.items() if "signing.pem" in given] == ["worker"]


def test_only_this_machine_reaches_what_compose_publishes(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_servers_are_waited_for_until_they_are_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] in {"service_healthy", "service_completed_successfully"}, name
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], other


def test_the_image_copies_what_there_is_and_does_not_run_as_root() -> None:
    lines = (ROOT / "infra/Dockerfile").read_text().replace("\\\n", " ").splitlines()
    for line in lines:
        if line.startswith("COPY "):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
    assert [line.split()[1] for line in lines if line.startswith("USER ")] == ["foi"]


def test_secrets_in_files_reach_a_program_that_knows_only_the_environment(tmp_path: Path) -> None:
    credential = tmp_path / "credential"
    credential.write_text("user:pass word$`'\n")
    done = subprocess.run(
        [str(ROOT / "infra/with-secrets"), "env"],
        env={
            "PATH": os.environ["PATH"],
            "PREFECT_API_AUTH_STRING_FILE": str(tmp_path / "credential"),
            "FOI_X_FILE": "y",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PREFECT_API_AUTH_STRING=user:pass word$`'\n" in done.stdout
    assert "PREFECT_API_AUTH_STRING_FILE" not in done.stdout
    assert "FOI_X_FILE=y" in done.stdout


def test_a_secret_that_is_not_there_stops_the_program(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PREFECT_API_AUTH_STRING_FILE": str(tmp_path / "nothing")}
    done = subprocess.run([str(ROOT / "infra/with-secrets"), "env"], env=environment, capture_output=True, check=False)
    assert done.returncode != 0
    assert done.stdout == b""


# ------------------------------------------------------------------------------------------------ systemd


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units as they are, but for where the checkout is."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/foi", str(ROOT)))
    return [str(tmp_path / unit.name) for unit in UNITS]


def test_systemd_understands_every_line_of_the_units(installed: list[str]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *installed], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "foi-" in line]
    assert (done.returncode, ours) == (0, [])


def test_systemd_would_notice_a_misspelt_line(installed: list[str], tmp_path: Path) -> None:
    wrong = tmp_path / "foi-watch.service"
    wrong.write_text(wrong.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(wrong)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "NoNewPrivilege" in done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_given_the_credentials_it_names_and_settings_that_exist(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    made = {path.name for path in make_secrets(tmp_path)}
    loaded = dict(re.findall(r"^LoadCredential=([^:]+):/etc/foi/secrets/(.+)$", text, re.MULTILINE))
    assert set(loaded.values()) <= made
    assert set(re.findall(r"=%d/(\S+)", text)) == set(loaded)
    lines = re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
    variables = {word.partition("=")[0] for line in lines for word in shlex.split(line)}
    assert {variable for variable in variables if variable.startswith(PREFIX)} <= KNOWN


# ------------------------------------------------------------------------------------------------ Kubernetes


def test_the_job_that_the_template_makes_is_valid_for_kubernetes(tmp_path: Path) -> None:
    template = json.loads(TEMPLATE.read_text())
    variables = template["variables"]["properties"]
    values = {name: variable["default"] for name, variable in variables.items() if "default" in variable}
    # What the worker of prefect-kubernetes fills in for a run.
    values |= {"name": "brave-otter", "command": ["prefect", "flow-run", "execute"], "labels": {"a": "b"}}
    values["env"] = [{"name": "PREFECT_API_URL", "value": "http://prefect:4200/api"}]
    job = apply_values(template["job_configuration"]["job_manifest"], values)
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    checked(str(OPINIONS / "kubernetes-validate"), "--strict", "--version", KUBERNETES, str(tmp_path / "job.yaml"))


def test_every_placeholder_of_the_template_is_a_variable() -> None:
    template = json.loads(TEMPLATE.read_text())
    used = {placeholder.name for placeholder in find_placeholders(template["job_configuration"])}
    assert used == set(template["variables"]["properties"])


def test_the_settings_for_kubernetes_are_valid_and_exist(tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all((ROOT / "infra/kubernetes/settings.yaml").read_text()))
    for number, document in enumerate(documents):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(document))
        checked(
            str(OPINIONS / "kubernetes-validate"), "--strict", "--version", KUBERNETES, str(tmp_path / f"{number}.yaml")
        )
    data = documents[0]["data"]
    assert {name for name in data if name.startswith(PREFIX)} <= KNOWN
    made = {path.name for path in make_secrets(tmp_path / "secrets")}
    assert {Path(value).name for name, value in data.items() if name.endswith("_FILE")} <= made
