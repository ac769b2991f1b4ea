"""How an error becomes a state that an operator can read, the same way in every flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.errors import FoiError, LeakFoundError, TransientError
from tasks.model import State

Save = Callable[[State, str], object]


@contextmanager
def quoting_nothing() -> Iterator[None]:
    """Around all that a flow does: Prefect keeps the text of an error that ends a run, and only ours is safe to keep.

    Raises:
        FoiError: as it was; or one with no more than the name of the class in place of any other error.
    """
    try:
        yield
    except FoiError:
        raise
    except Exception as error:  # a decoder quotes what it cannot decode
        raise FoiError(f"{type(error).__name__}.") from None


@contextmanager
def settling(save: Save, *, on_error: State = State.FAILED) -> Iterator[None]:
    """Write the request's status when the work inside ends with an error, and pass the error on.

    Args:
        save: writes a state and the reason for it.
        on_error: the state after errors of ours other than a leak; a release that failed is held again.
    """
    try:
        yield
    except LeakFoundError as error:
        _try(save, State.BLOCKED, str(error))
        raise
    except FoiError as error:
        _try(save, on_error, str(error))
        raise
    except Exception as error:  # its text may quote a record
        _try(save, on_error, type(error).__name__)
        raise


def _try(save: Save, state: State, reason: str) -> None:
    try:
        save(state, reason)
    except TransientError:
        return  # the store is why it failed; the error itself says so, and the sweep finds the request
