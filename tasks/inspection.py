"""A record of a stranger's bundle, looked into apart: `foi verify` parses no PDF in its own process.

Both ends of one job: `JOBS` is the far one, in the child; `inspecting_apart` the near one.

Rule kept here: what a child says is checked before anybody prints it. A record that ends its reader is a record with a
fault, never the end of the verification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain

import msgspec

from tasks.apart import Apart, Bounds, ChildAnswerError, Job
from tasks.codec import decode, encode
from tasks.disclosure.inspect_record import Boxes, Inspector, RecordFaults, inspect_record
from tasks.errors import RejectedInputError

ANSWER_BYTES = 1024 * 1024
NO_TITLE = encode(None)
_SENTENCE_CHARACTERS = 200


def _inspect(pages_px: bytes, boxes: bytes, exemptions: bytes, title: bytes, untrusted: bytes) -> list[bytes]:
    """Pages, boxes, their exemptions, title, PDF -> [RecordFaults]."""
    found = inspect_record(
        untrusted,
        decode(pages_px, list[list[int]]),
        decode(boxes, list[tuple[int, list[int]]]),
        decode(exemptions, list[str]),
        None if title == NO_TITLE else decode(title, str),
    )
    return [encode(found)]


JOBS: Mapping[str, Job] = {"inspect": _inspect}


def time_limit_s(pages: int) -> float:
    """Seconds after which a record is given up: a page of 200 million pixels takes about three."""
    return 60.0 + 6.0 * pages


@contextmanager
def inspecting_apart(bounds: Bounds | None = None) -> Iterator[Inspector]:
    """An inspector whose every look happens in a fresh, locked-in process; it ends with the context."""
    with Apart(1, jobs="tasks.inspection", bounds=bounds) as apart:

        def inspect(
            pdf: bytes,
            pages_px: Sequence[Sequence[int]],
            boxes: Boxes,
            exemptions: Sequence[str] = (),
            title: str | None = None,
        ) -> RecordFaults:
            try:
                (said,) = apart.call(
                    "inspect",
                    encode(pages_px),
                    encode(boxes),
                    encode(exemptions),
                    encode(title),
                    pdf,
                    timeout_s=time_limit_s(len(pages_px)),
                    answer_bytes=ANSWER_BYTES,
                )
                return _believed(said)
            except (RejectedInputError, ValueError) as error:
                code = error.code if isinstance(error, RejectedInputError) else ChildAnswerError.code
                fault = (f"it cannot be looked into ({code})",)
                return RecordFaults(fault, fault, fault)

        yield inspect


def _believed(said: bytes) -> RecordFaults:
    """The faults, if they are sentences fit to print.

    Raises:
        ValueError: they are not.
    """
    try:
        faults = decode(said, RecordFaults)
    except msgspec.DecodeError:
        raise ValueError("not faults") from None
    if not all(
        fault.isprintable() and len(fault) <= _SENTENCE_CHARACTERS
        for fault in chain(faults.pages, faults.boxes, faults.hidden)
    ):
        raise ValueError("not a sentence")
    return faults
