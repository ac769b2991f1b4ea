"""Child processes that are watched, logged and never left behind.

Rule kept here: a process is ended only when it is certainly ours: started here, or named by our pid file with the same
command line and the same moment of start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks.errors import FoiError

PROJECT_FOLDER = Path(__file__).resolve().parents[1]

_STOP_S = 10.0
_POLL_S = 0.05
_LOG_BYTES = 10_000_000


class ServerFailedError(FoiError):
    """A server of the embedded stack ended, or did not become healthy."""

    code = "server-failed"
    message = "An embedded server failed."
    action = "Read the end of the log that is named here, then start again."
    exit_code = 70


@dataclass
class Child:
    """One process, leader of its own group, so that Ctrl-C in the terminal reaches only the parent.

    Attributes:
        name: names the pid file and the log.
        argv: program and arguments.
        environment: the whole environment of the process.
        folder: state folder; the pid file goes to `run/`, the log to `logs/`.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Process id, once started."""
        return self._process.pid if self._process else None

    @property
    def exit_status(self) -> int | None:
        """None while it runs or before it was started; negative for the signal that ended it."""
        return self._process.poll() if self._process else None

    def start(self, inherit: Sequence[int] = ()) -> None:
        """Start the process; `inherit` are open file descriptors to hand on.

        Raises:
            ServerFailedError: the program cannot be started.
        """
        end_stale(self.name, self.folder)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self.argv,
                    env=dict(self.environment),
                    cwd=PROJECT_FOLDER,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=tuple(inherit),
                    umask=0o077,
                )
            except OSError as error:
                raise ServerFailedError(f"{self.name} cannot be started: {error.strerror}.") from None
        pid_file = _pid_file(self.name, self.folder)
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        identity = {
            "pid": self._process.pid,
            "command": " ".join(self.argv),
            "started": _moment_of_start(self._process.pid),
        }
        pid_file.write_text(json.dumps(identity))

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            ServerFailedError: it ended; says how and where its log is.
        """
        if self.exit_status is not None:
            raise ServerFailedError(f"{self.name} ended with status {self.exit_status}; see the end of {self.log}.")

    def wait_until(self, healthy: Callable[[], bool], timeout_s: float) -> None:
        """Wait for health.

        Raises:
            ServerFailedError: it ended, or is not healthy after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        while not healthy():
            self.check()
            if time.monotonic() > deadline:
                raise ServerFailedError(f"{self.name} is not healthy after {timeout_s:.0f} s; see {self.log}.")
            time.sleep(_POLL_S)

    def stop(self, timeout_s: float = _STOP_S) -> None:
        """Ask it to end, insist after `timeout_s` seconds, and end what it started itself."""
        if self._process is None:
            return
        try:
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:  # on a second Ctrl-C too
            _kill_group(self._process.pid)
            self._process.wait()
            _pid_file(self.name, self.folder).unlink(missing_ok=True)


def end_stale(name: str, folder: Path) -> None:
    """End the process that a killed parent left behind, if there is one and it is ours."""
    pid_file = _pid_file(name, folder)
    try:
        recorded = json.loads(pid_file.read_text())
        pid, command, started = int(recorded["pid"]), str(recorded["command"]), str(recorded["started"])
    except (OSError, ValueError, KeyError, TypeError):
        pid_file.unlink(missing_ok=True)
        return
    if _is_ours(pid, command, started):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while _is_ours(pid, command, started) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        _kill_group(pid)
    pid_file.unlink(missing_ok=True)


def _pid_file(name: str, folder: Path) -> Path:
    return folder / "run" / f"{name}.pid"


def _kill_group(leader: int) -> None:
    """Kill what is left of a group; harmless when nothing is."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _is_ours(pid: int, command: str, started: str) -> bool:
    """Whether the process is the recorded one; False when it is gone or a zombie.

    JuiceFS cuts its own command line off before what might be a password, so the beginning has to do.
    """
    try:
        shown = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    except OSError:
        return False
    return shown != "" and command.startswith(shown) and _moment_of_start(pid) == started


def _moment_of_start(pid: int) -> str | None:
    """Clock ticks from the machine's start to the process's; None when it is gone."""
    try:
        # Field 22 of proc(5)'s stat, counted after the name, which may hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None
