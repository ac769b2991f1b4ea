"""Runs the flow run that PREFECT__FLOW_RUN_ID names: `python -m infra.prefect_run`.

Rule kept here: it is Prefect's own engine, started a little sooner.
"""

from __future__ import annotations

import gc
import runpy
import sys


def main() -> None:
    """Run it; the exit status is Prefect's."""
    gc.disable()  # see infra.prefect_server
    import prefect.flow_engine  # noqa: F401

    gc.freeze()
    gc.enable()
    sys.modules.pop("prefect.engine")  # the import above brought it along; it is run afresh, as Prefect does it
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
