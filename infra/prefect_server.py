"""Runs the Prefect server on a socket that the parent has bound: `python -m infra.prefect_server FD`.

Rule kept here: it is Prefect's own server with its own settings; only the way in differs from `prefect server start`.
The port cannot be lost between choosing and listening, nothing is fetched from elsewhere, and it starts a little
sooner.
"""

from __future__ import annotations

import gc
import socket
import sys

_GRACE_S = 3
_KEEP_ALIVE_S = 5


def main() -> None:
    """Serve until SIGTERM."""
    gc.disable()  # importing makes a million objects that all stay: collecting costs 10 % of the start
    import uvicorn
    from prefect.server.api import collections
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    # The UI asks the server for descriptions of workers and blocks, and the server would ask GitHub. An address that
    # cannot be fetched makes it take the copy in the package.
    collections.KNOWN_VIEWS.update(dict.fromkeys(collections.KNOWN_VIEWS, "none:"))
    app = create_app(final=True)
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(
        app,
        log_level=get_current_settings().server.logging_level.lower(),
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
