"""The near end: `Apart`, in the process that holds the credentials.

Rule kept here: nothing a child says is believed. The file it answered in is measured before it is read, its error must
be of a family that the call allows, its detail a sentence that readers have.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tasks.apart.bounds import MIB, Bounds
from tasks.apart.details import safe_detail
from tasks.apart.frames import BadFrameError, read_frame, write_frame
from tasks.apart.layers import Layer, enclosure, hide_memory, readable, surroundings
from tasks.apart.messages import LAYERS_JOB, PACKET_BYTES, Call, Ended, Orders, Verdict
from tasks.apart.scratch import Scratch
from tasks.codec import decode, encode
from tasks.errors import (
    ConfigurationError,
    CorruptFileError,
    FoiError,
    LimitExceededError,
    ReaderUnavailableError,
    RejectedInputError,
    all_errors,
)

Families = tuple[type[FoiError], ...]
"""Errors a child may report, with all below them in the tree."""

DEFAULT_TIMEOUT_S = 3600.0
_START_S = 120.0
_END_S = 5.0
_DETAIL_CHARACTERS = 200

ROOM_BYTES = 128 * MIB
"""With less of it free, a child that failed may have failed for that: a page of 80 million pixels takes 80 MB."""


class ChildCrashedError(CorruptFileError):
    """The process that parsed the file died: the file is hostile, or memory ran out."""

    code = "child-crashed"
    message = "The process that read the file died."


class ChildTimedOutError(LimitExceededError):
    """The process that parsed the file did not finish in its time."""

    code = "child-timed-out"
    message = "Reading the file took longer than its limit."


class ChildAnswerError(CorruptFileError):
    """What came back is nothing that a reader answers: the file took the process over."""

    code = "child-answer"
    message = "The process that read the file gave an answer that cannot be right."


class ReadersNotStartedError(ReaderUnavailableError):
    """No mother could be started: a matter of this machine, and of no file."""

    code = "readers-not-started"
    message = "The process that starts readers died."
    action = "Nothing: it is tried again. If it lasts, run `foi doctor`."


class NoRoomError(ReadersNotStartedError):
    """Where temporary files go is full: a matter of this machine, and of no file."""

    code = "no-room"
    message = "There is no room for temporary files."
    action = "Nothing: it is tried again. If it lasts, make room on the disk that TMPDIR or /tmp is on."


class _Mother:
    """The caller's hold on a mother: her process and the socket to her."""

    def __init__(self, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        self.process = process
        self.socket = ours
        self.layers: tuple[Layer, ...] = ()

    def stop(self) -> None:
        """End her and everything below her."""
        self.socket.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()  # and the kernel kills the rest: a namespace dies with its first process
            self.process.wait()


class Apart:
    """A handful of mothers, each serving one call at a time; safe to use from several threads.

    From then on no other process of this user can read this process's memory or environment.

    Args:
        slots: how many calls may run at once.
        scratch: where the private folder for temporary files is made; default the system's temporary folder.
        jobs: the module whose `JOBS` can be called.
        bounds: what each child may use up.
        needs: names of `LAYERS` without which nothing is run.
    """

    def __init__(
        self,
        slots: int,
        scratch: Path | None = None,
        jobs: str = "tasks.jobs",
        bounds: Bounds | None = None,
        needs: Collection[str] = (),
    ) -> None:
        self._jobs = jobs
        self._bounds = bounds or Bounds()
        self._needs = frozenset(needs)
        try:
            self._scratch = Scratch(scratch)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoomError from None
            raise
        self._idle: queue.LifoQueue[_Mother | None] = queue.LifoQueue()
        self._cpu_s: defaultdict[str, float] = defaultdict(float)
        self._counting = threading.Lock()
        # The kernel ends a mother in namespaces with the *thread* that started her, so that one must last.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="mothers")
        for _ in range(slots):
            self._idle.put(None)
        hide_memory()

    def __enter__(self) -> Self:
        """Start the first mother where layers are needed, otherwise nothing before the first call.

        Raises:
            ConfigurationError: a layer that is needed cannot be had.
        """
        if self._needs:
            try:
                self.layers()
            except BaseException:
                self.__exit__(None, None, None)
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        """Stop the mothers and remove the temporary files."""
        while not self._idle.empty():
            if mother := self._idle.get_nowait():
                mother.stop()
        self._starter.shutdown()
        self._scratch.close()

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds that finished calls took so far, by job; those of mothers are not in it."""
        with self._counting:
            return dict(self._cpu_s)

    def layers(self) -> tuple[Layer, ...]:
        """What keeps children in, as a child found it."""
        mother = self._idle.get()
        try:
            mother = self._running(mother)
            return mother.layers
        finally:
            self._idle.put(mother)

    def call(
        self,
        job: str,
        *blobs: bytes,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        answer_bytes: int | None = None,
        may_raise: Families = (RejectedInputError,),
    ) -> tuple[bytes, ...]:
        """Run the job of that name (see `tasks.jobs`) on `blobs` in a fresh child.

        Args:
            job: its name.
            blobs: its arguments.
            timeout_s: wall clock for the child, and processor time for each process of it.
            answer_bytes: how large the answer may be; default what the bounds say of files.
            may_raise: what the child is believed when it fails, beside an error that nobody foresaw. A child that read
                a stranger's file may reject it, and must not be able to end more than that.

        Raises:
            FoiError: the job's own error, rebuilt here from its code; of those families, or `FoiError` itself.
            ChildCrashedError: the child died without an answer.
            ChildTimedOutError: it was killed after `timeout_s` seconds.
            ChildAnswerError: what it answered cannot be right, or is an error that it may not raise.
            ReadersNotStartedError: no mother could be started.
            NoRoomError: something went wrong, and where temporary files go there is no room.
            ConfigurationError: a layer that is needed cannot be had.
        """
        try:
            return self._call(job, blobs, timeout_s, answer_bytes, may_raise)
        except (FoiError, OSError) as error:
            # A file that is known to be bad stays so. Anything else is not held against it in such a moment.
            known = isinstance(error, (RejectedInputError, ConfigurationError))
            if (not known or isinstance(error, ChildCrashedError)) and self._lacks_room():
                raise NoRoomError from None
            raise

    def _lacks_room(self) -> bool:
        try:
            return shutil.disk_usage(self._scratch.path).free < ROOM_BYTES
        except OSError:
            return False

    def _call(
        self,
        job: str,
        blobs: Sequence[bytes],
        timeout_s: float,
        answer_bytes: int | None,
        may_raise: Families,
    ) -> tuple[bytes, ...]:
        mother = self._idle.get()
        try:
            mother = self._running(mother)
            answer = self._exchange(mother, job, blobs, timeout_s, answer_bytes)
        except BaseException:
            if mother:
                mother.stop()
            mother = None
            raise
        finally:
            self._idle.put(mother)
        return _believe(answer, may_raise)

    def _running(self, mother: _Mother | None) -> _Mother:
        if mother is not None and mother.process.poll() is None:
            return mother
        if mother is not None:
            mother.stop()
        mother = self._starter.submit(self._start).result()
        try:
            (found,) = _believe(self._exchange(mother, LAYERS_JOB, (), _START_S, None), ())
            mother.layers = tuple(decode(found, list[Layer]))
            missing = sorted(self._needs - {layer.name for layer in mother.layers if layer.active})
            if missing:
                raise ConfigurationError(f"The sandbox lacks: {', '.join(missing)}.")
        except (ChildCrashedError, ChildTimedOutError, ChildAnswerError):
            mother.stop()
            raise ReadersNotStartedError from None
        except BaseException:
            mother.stop()
            raise
        return mother

    def _start(self) -> _Mother:
        folder = self._scratch.folder()
        environment = _modest_environment(folder)
        may_read = readable(self._jobs, environment)
        around = enclosure(folder, may_read, self._bounds.file_bytes)
        counted = around[:1] == ["bwrap"] and os.geteuid() != 0
        orders = Orders(self._jobs, str(folder), may_read, surroundings(), self._bounds, counted)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [*around, sys.executable, "-m", "tasks.apart.mother", encode(orders).decode()],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        return _Mother(process, ours)

    def _exchange(
        self, mother: _Mother, job: str, blobs: Sequence[bytes], timeout_s: float, answer_bytes: int | None
    ) -> list[bytes]:
        asked, answer = os.memfd_create("asked"), os.memfd_create("answer")
        try:
            write_frame(asked, blobs)
            ended = self._wait(mother, Call(job, timeout_s), [asked, answer], timeout_s)
            with self._counting:
                self._cpu_s[job] += ended.cpu_s
            status = ended.status
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
                raise ChildTimedOutError
            if status != 0:
                raise ChildCrashedError
            return read_frame(answer, min(answer_bytes or self._bounds.file_bytes, self._bounds.file_bytes))
        except BadFrameError:
            raise ChildAnswerError from None
        finally:
            os.close(asked)
            os.close(answer)

    @staticmethod
    def _wait(mother: _Mother, call: Call, files: list[int], timeout_s: float) -> Ended:
        """How the child ended."""
        mother.socket.settimeout(timeout_s)
        try:
            socket.send_fds(mother.socket, [encode(call)], files)
            said = mother.socket.recv(PACKET_BYTES)
        except TimeoutError:
            raise ChildTimedOutError from None
        except OSError:
            raise ChildCrashedError from None
        if not said:
            raise ChildCrashedError  # the mother died of this child: nothing else ends her
        return decode(said, Ended)


def _believe(answer: list[bytes], may_raise: Families) -> tuple[bytes, ...]:
    """The blobs after a verdict of success.

    Raises:
        FoiError: the verdict is an error, or none.
    """
    try:
        verdict = decode(answer[0], Verdict)
    except (IndexError, msgspec.DecodeError):
        raise ChildAnswerError from None
    if verdict.code:
        raise _error(verdict, may_raise)
    return tuple(answer[1:])


def _error(verdict: Verdict, may_raise: Families) -> FoiError:
    if verdict.detail.isprintable() and len(verdict.detail) <= _DETAIL_CHARACTERS:
        for kind in all_errors():
            may_say_so = kind is FoiError or issubclass(kind, may_raise)
            if kind.code == verdict.code and may_say_so and not issubclass(kind, ReadersNotStartedError):
                return kind(safe_detail(verdict.detail))
    return ChildAnswerError()


def _modest_environment(scratch: Path) -> dict[str, str]:
    """What a mother needs to find Python and Tesseract, and no credential of her parent."""
    wanted = ("PATH", "LANG", "LC_ALL", "TESSDATA_PREFIX", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
    handed_on = {name: os.environ[name] for name in wanted if name in os.environ}  # a child's start, not a setting
    code = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    own = {"HOME": str(scratch), "TMPDIR": str(scratch), "OMP_THREAD_LIMIT": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**handed_on, **own, "PYTHONPATH": os.pathsep.join(code), "PYTHONSAFEPATH": "1"}
