"""Nothing phones home: not the second reader's runtime, not Prefect's client."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SWITCHES = ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK", "CI")

READ = """
import numpy as np
from tasks.reading.second import prepare, recognise_lines
prepare()
recognise_lines(np.full((120, 400), 255, np.uint8))
import onnxruntime
"""


def files_left_by(code: str, home: Path) -> list[str]:
    """What a process leaves in a home of its own, where nothing says that it should be quiet."""
    noisy = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "TMPDIR": str(home)}
    subprocess.run([sys.executable, "-c", code], env={**noisy, **places}, check=True, capture_output=True)
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_the_second_reader_leaves_nothing_to_send(tmp_path: Path) -> None:
    assert files_left_by(READ, tmp_path) == []


def test_left_alone_its_runtime_would(tmp_path: Path) -> None:
    """So that the test above cannot pass because nothing is ever left."""
    assert any("deviceid" in name for name in files_left_by("import onnxruntime", tmp_path))


@pytest.mark.parametrize("module", ["flows.watch", "flows.process_request", "flows.receive"])
def test_prefects_client_finds_it_switched_off_when_it_is_imported(module: str, tmp_path: Path) -> None:
    code = f"""
import sys, importlib.abc
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        import os
        assert name != "prefect" or os.environ.get("DO_NOT_TRACK") == "1"
sys.meta_path.insert(0, Watch())
import {module}
"""
    files_left_by(code, tmp_path)
