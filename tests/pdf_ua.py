"""Three checkers of PDF/UA-1 that we did not write, in the environment of `infra/opinions.txt`.

page-validation tests 104 rules and passes veraPDF's corpus; pdfua tests the claims and the catalog; outloud also reads
what a screen reader would say. None of them renders the file as its writers do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = Path(sys.prefix) / "opinions/bin"

BEYOND_A_SCAN = {"HDG-012", "LNK-010"}
"""What outloud warns of (none is a rule of PDF/UA) and a scan cannot meet: headings that give a long document its
order, links where addresses are printed. Which lines are headings, tables or lists, a scan does not say."""

GUESSES = {"PAG-001", "TBL-010"}
"""What outloud guesses of letters: that lines alike at pages' edges are running lines (they are rows of a long table,
and its header again), and that a table of one row has too many header cells."""

VALIDATE = """
import json, sys, page
reports = {path: page.validate_pdf(path, profile="ua1") for path in sys.argv[1:]}
assert all(report.rules.total > 100 for report in reports.values())
print(json.dumps({path: [failure.rule_id for failure in report.failures] for path, report in reports.items()}))
"""


def complaints(paths: Sequence[Path]) -> dict[str, set[str]]:
    """The rules that each file breaks in any checker's eyes, warnings included; none for a file without faults."""
    found: dict[str, set[str]] = {str(path): set() for path in paths}
    for path, rules in json.loads(_answer("python", "-c", VALIDATE, *paths)).items():
        found[path] |= set(rules)
    for path in paths:
        report = json.loads(_answer("pdfua", "check", "--format", "json", path))
        assert report["summary"]["rules_run"] >= 11
        found[str(path)] |= {finding["rule_id"] for finding in report["findings"]}
    results = json.loads(_answer("outloud", "--json", "-", "--quiet", "--fail-on", "never", *paths))["results"]
    for result in results:
        assert result["error"] is None
        found[result["path"]] |= {finding["rule"] for finding in result["findings"] if finding["severity"] != "info"}
    return found


def _answer(program: str, *arguments: str | Path) -> str:
    command = [str(PROGRAMS / program), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in range(4), done.stderr[-500:]
    return done.stdout[done.stdout.index("{") :]
