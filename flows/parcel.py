"""What Dask's scheduler sees of a step: bytes that only a worker opens, so that it imports nothing of what works."""

from __future__ import annotations

import cloudpickle


def open_and_run(parcel: bytes) -> object:
    """What comes of the call in a parcel."""
    return cloudpickle.loads(parcel)()
