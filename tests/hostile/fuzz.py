"""Spoilt files, one after the other, each parsed in a process of the sandbox as a source is.

    python -m tests.hostile.fuzz --seconds 1200 --seed 1 --save crashers/

Every file must end as a result or as a rejection within its time and memory. What ends otherwise is saved, with the
seed and the number that make it again; so is what crashed or timed out, for it was contained and still is a defect of
a parser. A run of the same seed and length of time makes the same files in the same order, as far as it comes.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tasks.apart import Apart, ChildCrashedError, ChildTimedOutError
from tasks.apart.bounds import MIB
from tasks.codec import decode, encode
from tasks.errors import FoiError, RejectedInputError
from tasks.readers import ReaderFailedError, Readers
from tests.hostile.hurried import BOUNDS, SETTINGS
from tests.hostile.mutate import mutated

TIMEOUT_S = 20.0
SLACK_S = 5.0
"""What ending a process and its descendants may take beside."""

READ_ONE_IN = 150
"""Files that are also read whole, by Tesseract; the others are drawn only."""


@dataclass
class Tally:
    """What a run came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    contained: list[str] = field(default_factory=list)
    peak_bytes: int = 0
    slowest_s: float = 0.0
    slowest: str = ""

    @property
    def executions(self) -> int:
        """Files tried."""
        return self.outcomes.total()

    def __str__(self) -> str:
        lines = [f"{count:8,} {outcome}" for outcome, count in self.outcomes.most_common()]
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return "\n".join(
            [
                f"{self.executions:,} files",
                *lines,
                f"most memory {self.peak_bytes / MIB:.0f} MiB where a file was drawn, "
                f"{largest:.0f} MiB of any process, limit {BOUNDS.memory_bytes / MIB:.0f} MiB",
                f"slowest {self.slowest_s:.1f} s: {self.slowest}",
                f"contained: {', '.join(self.contained) or 'nothing crashed or hung'}",
                f"findings: {', '.join(self.findings) or 'none'}",
            ]
        )


def fuzz(seconds: float, seed: int, save: Path | None = None) -> Tally:
    """Spoil, parse and count until the time is over."""
    tally = Tally()
    with Apart(1, jobs="tests.hostile.probe", bounds=BOUNDS) as apart:
        readers = Readers(apart, SETTINGS)
        apart.layers()
        until = time.monotonic() + seconds
        number = 0
        while time.monotonic() < until:
            _one(apart, readers, tally, seed, number, save)
            number += 1
    return tally


def _one(apart: Apart, readers: Readers, tally: Tally, seed: int, number: int, save: Path | None) -> None:
    name, data = mutated(random.Random(f"{seed}-{number}"))
    recipe = f"{seed}-{number} ({ascii(name)[1:-1]})"
    begin = time.monotonic()
    outcome, contained, finding = "result", False, False
    try:
        if number % READ_ONE_IN == 0:
            readers.read(readers.look(name, data), data)
        else:
            _, peak = apart.call("parse", encode(SETTINGS), name.encode(errors="replace"), data, timeout_s=TIMEOUT_S)
            tally.peak_bytes = max(tally.peak_bytes, decode(peak, int))
    except ReaderFailedError as error:
        outcome, finding = f"{error.code} {error.detail}", True
    except (ChildCrashedError, ChildTimedOutError) as error:
        outcome, contained = error.code, True
    except RejectedInputError as error:
        outcome = error.code
    except FoiError as error:
        outcome, finding = f"{error.code} {error.detail}", True
    taken = time.monotonic() - begin
    tally.outcomes[outcome] += 1
    if taken > tally.slowest_s:
        tally.slowest_s, tally.slowest = taken, recipe
    if number % READ_ONE_IN and taken > TIMEOUT_S + SLACK_S:
        finding, outcome = True, f"{outcome} after {taken:.0f} s"
    if finding or contained:
        (tally.findings if finding else tally.contained).append(f"{recipe}: {outcome}")
        if save:
            save.mkdir(parents=True, exist_ok=True)
            (save / f"{'finding' if finding else 'contained'}-{seed}-{number}{Path(name).suffix}").write_bytes(data)


def main() -> int:
    """The command; its exit code is 1 when there is a finding."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--save", type=Path, help="folder for files that did not end as they should")
    chosen = asked.parse_args()
    tally = fuzz(chosen.seconds, chosen.seed, chosen.save)
    print(tally)
    return 1 if tally.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
