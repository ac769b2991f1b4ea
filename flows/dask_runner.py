"""Prefect's own runner of tasks on Dask, with less in what it sends. Imported only where `FOI_DASK` is set.

Rule kept here: no credential goes through Dask. Prefect would send its settings along, and the `user:password` of its
server among them; a worker has settings of its own, from its own environment, and opens its own workplace.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import cloudpickle
from distributed import Client, Future, KilledWorker
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from prefect_dask import DaskTaskRunner
from prefect_dask.client import PrefectDaskClient

from flows.parcel import open_and_run
from tasks.errors import ConfigurationError, TransientError

CONNECT_S, WORKER_S = 30.0, 120.0
"""Seconds to wait for the scheduler, and for its first worker: importing everything takes one some ten."""

_OF_THE_CALL = ("task", "task_run_id", "parameters", "wait_for", "dependencies", "return_type", "context")


class DaskUnavailableError(TransientError):
    """Dask's scheduler or all its workers are away, or were lost with work in hand."""

    code = "dask-unavailable"
    message = "The Dask cluster did not answer."
    action = "Nothing: it is tried again. If it lasts, check that scheduler and workers run and FOI_DASK is right."


class _ParcelClient(Client):
    """Sends a task of Prefect's as one parcel."""

    def submit(self, func: Any, *_arguments: Any, **options: Any) -> Future:
        call = {name: options.pop(name) for name in _OF_THE_CALL}
        call["context"] = {**call["context"], "settings_context": {}}
        name = f"{call['task'].fn.__name__}-{call['task_run_id']}"
        parcel = cloudpickle.dumps(partial(func, **call))
        return super().submit(open_and_run, parcel, **{**options, "key": name, "pure": False})


class _PrefectClient(PrefectDaskClient, _ParcelClient):
    """Prefect's client, whose own `submit` ends in that of a parcel."""


class _Runner(DaskTaskRunner):
    """Prefect's runner, with that client."""

    @property
    def client(self) -> PrefectDaskClient:
        if self._client is None:
            self._client = self._exit_stack.enter_context(_PrefectClient(self.address, **self.client_kwargs))
        return self._client


@contextmanager
def connected(address: str, connect_s: float = CONNECT_S, worker_s: float = WORKER_S) -> Iterator[DaskTaskRunner]:
    """A runner of tasks on the cluster whose scheduler is there, once that has a worker.

    Raises:
        DaskUnavailableError: there is no scheduler, or no worker in time; or the work in hand was lost with them.
        ConfigurationError: the address asks for TLS, and Dask has no certificates.
    """
    with _Runner(address=address, client_kwargs={"timeout": connect_s}) as runner:
        try:
            client = runner.client
        except (OSError, ValueError):  # a time out is an OSError; a name that is none gives either
            raise DaskUnavailableError("No scheduler.") from None
        except TypeError:
            raise ConfigurationError("FOI_DASK asks for TLS, and DASK_DISTRIBUTED__COMM__TLS__… are not set.") from None
        try:
            client.wait_for_workers(1, timeout=worker_s)
        except OSError:
            raise DaskUnavailableError("No worker.") from None
        try:
            yield runner
        except (FutureCancelledError, KilledWorker, CommClosedError):
            raise DaskUnavailableError("It was lost with work in hand.") from None
