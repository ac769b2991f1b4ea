"""`foi doctor` on a Dask cluster: whether it answers, has workers, and runs what runs here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.doctor import Check, check_dask
from infra.gateway import HOST, free_port
from tests.flows.dask_cluster import DaskCluster, dask_cluster

pytestmark = [
    pytest.mark.servers,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Mismatched versions"),  # by the look at the cluster that waits for its worker
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running


def dask_line(address: str) -> Check:
    """What `foi doctor` finds when FOI_DASK says so."""
    (line,) = check_dask({**os.environ, "FOI_DASK": address})
    return line


def test_without_the_setting_nothing_is_said() -> None:
    assert check_dask({**os.environ, "FOI_DASK": ""}) == []


def test_an_address_where_nobody_is_and_one_that_is_none_are_told_apart() -> None:
    nobody, nonsense = dask_line(f"tcp://{HOST}:{free_port()}"), dask_line("http://dask")
    assert (nobody.ok, nonsense.ok) == (False, False)
    assert "No scheduler answers" in nobody.found
    assert "No scheduler answers" not in nonsense.found


def test_a_cluster_is_looked_at_with_its_workers(cluster: DaskCluster, tmp_path: Path) -> None:
    alone = dask_line(cluster.address)
    assert (alone.ok, "no worker" in alone.found) == (False, True)

    cluster.add_worker("as-here", {})
    cluster.wait_for(1)
    fitting = dask_line(cluster.address)
    assert (fitting.ok, fitting.found) == (True, "scheduler answers, workers: 1, versions as here")

    metadata = tmp_path / "toolz-0.0.1.dist-info" / "METADATA"  # found before the installed one
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: toolz\nVersion: 0.0.1\n")
    cluster.add_worker("other", {"PYTHONPATH": str(tmp_path)})
    cluster.wait_for(2)
    differing = dask_line(cluster.address)
    assert not differing.ok
    assert "than here: toolz." in differing.found
