"""A headless Chromium, spoken to in its own protocol (Chrome DevTools Protocol): no driver to install."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)


class Browser:
    """One browser with one page. `complaints`: what it reported (refused by policy, script errors, failed requests)."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._page: ClientConnection

    def __enter__(self) -> Browser:
        if CHROMIUM is None:
            pytest.skip("needs Chromium")
        self._profile = tempfile.mkdtemp(prefix="browser-")
        self._process = subprocess.Popen(
            [CHROMIUM, *_OPTIONS, f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = self._port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as answer:
            (page,) = [entry for entry in json.load(answer) if entry["type"] == "page"]
        self._page = connect(page["webSocketDebuggerUrl"], max_size=None)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if hasattr(self, "_page"):
            self._page.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _port(self) -> int:
        file = Path(self._profile) / "DevToolsActivePort"
        for _ in range(400):
            if file.exists() and file.read_text():
                return int(file.read_text().splitlines()[0])
            time.sleep(0.05)
        raise TimeoutError("the browser did not start")

    def _call(self, method: str, wait_for: str = "", **params: Any) -> dict[str, Any]:
        """One command; then, if wanted, the next event of a name."""
        number = next(self._numbers)
        self._page.send(json.dumps({"id": number, "method": method, "params": params}))
        result: dict[str, Any] | None = None
        while result is None or wait_for:
            message = json.loads(self._page.recv(timeout=30))
            if message.get("id") == number:
                result = message.get("result", {})
            elif message.get("method") == wait_for:
                wait_for = ""
            elif message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed"):
                self.complaints.append(json.dumps(message["params"])[:500])
        return result

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Load a file at a window size in CSS px."""
        self.complaints.clear()
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._call("Page.navigate", wait_for="Page.loadEventFired", url=page.resolve().as_uri())

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """The whole page as PNG."""
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])
