"""Where the steps on records run: in threads of the run's own process, or on a Dask cluster.

Rule kept here: the operator chooses by `FOI_DASK` alone. What a step makes is the same wherever it runs, and lies in
the work bucket: a cluster that dies loses the parts that were being read, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from prefect.context import FlowRunContext

from flows.settings import Settings
from tasks.errors import ConfigurationError


@contextmanager
def spread_out() -> Iterator[None]:
    """Within a run of a flow: steps that are submitted in here run where the operator wants them.

    Raises:
        ConfigurationError: Dask is chosen and not installed.
        DaskUnavailableError: its scheduler does not answer, has no worker, or was lost with work in hand.
    """
    address = Settings().dask
    if not address:
        yield
        return
    if find_spec("prefect_dask") is None:
        raise ConfigurationError("FOI_DASK is set, and prefect-dask is not installed: the extra `dask` brings it.")
    from flows.dask_runner import connected

    with connected(address) as runner, FlowRunContext.get().model_copy(update={"task_runner": runner}):
        yield
