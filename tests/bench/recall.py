"""What `foi redact` finds and what it spares: per kind and per scan quality, with 95 % intervals, and the review curve.

    python -m tests.bench.recall                        a fresh set of the tests' own corpus
    python -m tests.bench.recall --records 60 --seed 7
    python -m tests.bench.recall --set DIR              a set that is already there (requests/ and truth/)
    python -m tests.bench.recall --set DIR --outputs OUT    score what an earlier run wrote
    ... --json FILE     every verdict too; --misses N   name what was not redacted (invented details only)

A detail counts as redacted when at least 98 % of its ink is gone. How that is told: `tests.bench.scoring`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.looks import REVIEW_FROM
from tests.bench.scoring import DESTROYED_ABOVE, FileScore, PageScore, Verdict, score_set, wilson
from tests.corpus.write import take_turns, write_set


@dataclass(frozen=True, slots=True)
class Recall:
    """How the contact details of one group fared."""

    n: int
    redacted: int
    partial: int
    missed: int
    withheld: int
    unreadable: int
    leaked: int

    @property
    def judged(self) -> int:
        """How many there was something to say about."""
        return self.n - self.withheld - self.unreadable

    @property
    def share(self) -> float:
        """Strict recall; 1 when nothing was judged."""
        return self.redacted / self.judged if self.judged else 1.0


@dataclass(frozen=True, slots=True)
class Loss:
    """How much of what should have stayed is gone."""

    n: int
    lost: int

    @property
    def share(self) -> float:
        """Of all that was judged."""
        return self.lost / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """If pages with at least this review score are looked at: how many, and what stays unseen on the others."""

    score: float
    flagged: float
    unseen_misses: int
    unseen_pages: int


@dataclass(frozen=True, slots=True)
class Score:
    """A whole set."""

    files: tuple[FileScore, ...]

    @property
    def pages(self) -> tuple[PageScore, ...]:
        """All pages."""
        return tuple(page for file in self.files for page in file.pages)

    def verdicts(self, role: str, quality: str = "", kind: str = "") -> list[Verdict]:
        """Verdicts on items of a role; of one quality and one kind, if given."""
        return [
            verdict
            for file in self.files
            for verdict in file.verdicts
            if verdict.role == role and quality in ("", verdict.quality) and kind in ("", verdict.kind)
        ]

    def recall(self, quality: str = "", kind: str = "") -> Recall:
        """Of contact details to withhold."""
        found = self.verdicts("withheld", quality, kind)

        def having(status: str) -> int:
            return sum(verdict.status == status for verdict in found)

        return Recall(
            len(found),
            having("REDACTED"),
            having("PARTIAL"),
            having("MISSED"),
            having("WITHHELD"),
            having("UNREADABLE"),
            sum(verdict.leaked for verdict in found),
        )

    def loss(self, role: str, quality: str = "") -> Loss:
        """Of look-alikes (`kept`) or public contacts (`public`)."""
        shares = [verdict.gone for verdict in self.verdicts(role, quality) if verdict.gone is not None]
        return Loss(len(shares), sum(gone > DESTROYED_ABOVE for gone in shares))

    def words(self, quality: str = "") -> Loss:
        """Of all other words."""
        pages = [page for page in self.pages if quality in ("", page.quality)]
        return Loss(sum(page.words for page in pages), sum(page.words_destroyed for page in pages))

    def qualities(self) -> list[str]:
        """The qualities there are, best first as far as they are known."""
        order = ("digital", "clean", "office", "fax", "poor")
        return sorted({page.quality for page in self.pages}, key=lambda q: order.index(q) if q in order else len(order))

    def kinds(self) -> list[str]:
        """The kinds there are, most frequent first."""
        kinds = [verdict.kind for verdict in self.verdicts("withheld")]
        return sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))

    def review_curve(self) -> list[CurvePoint]:
        """From looking at nothing to looking at everything, a point for each score that was given."""
        misses: dict[tuple[str, int], int] = {}
        for verdict in self.verdicts("withheld"):
            place = (verdict.file, verdict.page)
            misses[place] = misses.get(place, 0) + (not verdict.safe)
        scores = {(page.file, page.page): page.review for page in self.pages}
        points = []
        for score in [2.0, *sorted({*scores.values(), REVIEW_FROM, 0.0}, reverse=True)]:
            unseen = [misses.get(place, 0) for place, given in scores.items() if given < score]
            flagged = 1 - len(unseen) / max(1, len(scores))
            points.append(CurvePoint(score, flagged, sum(unseen), sum(count > 0 for count in unseen)))
        return points


def redact(requests: Path, outputs: Path) -> int:
    """Run the command an officer runs; returns its exit code."""
    command = [sys.executable, "-m", "infra.cli", "redact", str(requests), "--output", str(outputs)]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode


def measure(folder: Path, outputs: Path) -> Score:
    """Score what was written."""
    return Score(tuple(score_set(folder, outputs)))


def tables(score: Score) -> str:
    """The whole table, as text."""
    head = f"{'n':>6}{'redacted':>10}{'partial':>9}{'missed':>8}{'withheld':>10}{'leaks':>7}{'recall':>9}   95 %"
    out = [f"{'quality':<12}{head}{'':>12}words lost        look-alikes lost  public lost"]
    for quality in [*score.qualities(), ""]:
        lost = [score.words(quality), score.loss("kept", quality), score.loss("public", quality)]
        losses = "".join(f"{f'{each.lost}/{each.n}':>12} {each.share:5.1%}" for each in lost)
        out.append(f"{quality or 'all':<12}{_row(score.recall(quality))}{losses}")
    out += ["", f"{'kind':<12}{head}"]
    out += [f"{kind:<12}{_row(score.recall(kind=kind))}" for kind in score.kinds()]
    out += ["", f"{'recall (n)':<12}" + "".join(f"{quality:>14}" for quality in score.qualities())]
    for kind in score.kinds():
        cells = [score.recall(quality, kind) for quality in score.qualities()]
        out.append(f"{kind:<12}" + "".join(f"{_cell(each):>14}" for each in cells))
    hidden, leaked = sum(f.hidden for f in score.files), sum(f.hidden_leaked for f in score.files)
    outcomes = sorted(f.outcome for f in score.files)
    ended = ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes))
    out += ["", f"hidden strings found in outputs: {leaked}/{hidden}     files: {ended}"]
    out += [
        "",
        "review: pages at or above a score are looked at",
        "  score   pages looked at   misses unseen   pages with one",
    ]
    out += [_point(point) for point in _thinned(score.review_curve())]
    return "\n".join(out)


def _row(recall: Recall) -> str:
    low, high = wilson(recall.redacted, recall.judged)
    counts = f"{recall.n:>6}{recall.redacted:>10}{recall.partial:>9}{recall.missed:>8}{recall.withheld:>10}"
    share = f"{recall.share:.2%}" if recall.judged else "-"
    return f"{counts}{recall.leaked:>7}{share:>9}   {low:6.1%} to {high:6.1%}"


def _cell(recall: Recall) -> str:
    return f"{recall.share:.1%} ({recall.judged})" if recall.judged else "-"


def _point(point: CurvePoint) -> str:
    name = "none" if point.score > 1 else f"{point.score:.2f}"
    note = "   <- in use" if point.score == REVIEW_FROM else ""
    return f"  {name:>5}   {point.flagged:>15.1%}   {point.unseen_misses:>13}   {point.unseen_pages:>14}{note}"


def _thinned(points: Sequence[CurvePoint], most: int = 24) -> Iterable[CurvePoint]:
    """Few enough lines to read, the threshold in use among them."""
    step = max(1, -(-len(points) // most))
    return [p for i, p in enumerate(points) if i % step == 0 or p.score == REVIEW_FROM or i == len(points) - 1]


def as_json(score: Score) -> dict[str, object]:
    """Everything, for machines."""
    groups = {
        "all": asdict(score.recall()),
        **{quality: asdict(score.recall(quality)) for quality in score.qualities()},
        **{kind: asdict(score.recall(kind=kind)) for kind in score.kinds()},
    }
    losses = {
        quality or "all": {
            "words": asdict(score.words(quality)),
            "kept": asdict(score.loss("kept", quality)),
            "public": asdict(score.loss("public", quality)),
        }
        for quality in ("", *score.qualities())
    }
    verdicts = [asdict(verdict) for file in score.files for verdict in file.verdicts]
    curve = [asdict(point) for point in score.review_curve()]
    return {
        "recall": groups,
        "losses": losses,
        "review": curve,
        "pages": [asdict(page) for page in score.pages],
        "verdicts": verdicts,
    }


def main() -> None:
    """Draw, redact, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, help="folder with requests/ and truth/; default: one is drawn")
    parser.add_argument("--outputs", type=Path, help="what `foi redact` wrote for it; default: it is run")
    parser.add_argument("--records", type=int, default=46)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--misses", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, outputs = options.set, options.outputs
        if folder is None:
            folder = Path(scratch) / "set"
            write_set(folder, options.seed, take_turns(options.seed, options.records))
        if outputs is None:
            outputs = Path(scratch) / "out"
            redact(folder / "requests", outputs)
        score = measure(folder, outputs)
    print(tables(score))
    for verdict in [v for v in score.verdicts("withheld") if not v.safe][: options.misses]:
        gone = "-" if verdict.gone is None else f"{verdict.gone:.3f}"
        leak = " LEAKED" if verdict.leaked else ""
        print(
            f"{verdict.status:<9} {gone:>6} {verdict.kind:<10} {verdict.file} page {verdict.page + 1}: "
            f"{verdict.text!r}{leak}"
        )
    if options.json:
        options.json.write_text(json.dumps(as_json(score), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
