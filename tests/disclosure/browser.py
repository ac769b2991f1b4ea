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

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

KEYS = {"Tab": 9, "Enter": 13}

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
    """One browser with one page.

    Attributes:
        complaints: what it reported of the open page (refused by policy, script errors, failed requests).
        requests: the addresses it asked for since the page was opened.
    """

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._page: ClientConnection

    def __enter__(self) -> Browser:
        assert CHROMIUM is not None, "needs Chromium: infra/install-packages test"
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
            elif message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            elif message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed"):
                self.complaints.append(json.dumps(message["params"])[:500])
        return result

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Load a file at a window size in CSS px."""
        self.complaints.clear()
        self.requests.clear()
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self._call("Page.navigate", wait_for="Page.loadEventFired", url=page.resolve().as_uri())

    def allow_scripts(self, allowed: bool) -> None:
        """Whether pages opened from now on may run scripts; `evaluate` always can."""
        self._call("Emulation.setScriptExecutionDisabled", value=not allowed)

    def press(self, key: str) -> None:
        """A key of `KEYS`, down and up."""
        code = KEYS[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def type(self, text: str) -> None:
        """Text into whatever has the focus."""
        self._call("Input.insertText", text=text)

    def drag(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and release the mouse over an element; places in shares of its width and height."""
        where = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{where}.scrollIntoView(), 0")
        left, top, width, height = self.evaluate(
            f"(() => {{ const e = {where}.getBoundingClientRect(); return [e.left, e.top, e.width, e.height]; }})()"
        )
        for kind, (x, y) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            place = {"x": left + x * width, "y": top + y * height}
            self._call("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **place)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """The whole page as PNG."""
        answer = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])
