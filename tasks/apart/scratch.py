"""The private folder of temporary files: readable by its owner alone, and gone at the end, whatever the end is.

Rule kept here: whoever uses a folder holds a lock on it, and the kernel lets go of the lock when the holder dies, by
kill -9 too. What nobody holds is removed at the next start; what somebody holds never is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

PREFIX = "foi-scratch-"


class Scratch:
    """A new private folder; removes what dead owners left beside it.

    Args:
        parent: where it is made; default the system's folder for temporary files.
    """

    def __init__(self, parent: Path | None = None) -> None:
        where = parent or Path(tempfile.gettempdir())
        _remove_abandoned(where)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))  # mode 0700
            lock = _lock(self.path)
            if lock is not None:
                self._lock = lock
                return
            # Somebody who was cleaning up took it for abandoned, in the moment before we held it.

    def folder(self) -> Path:
        """A new folder within."""
        return Path(tempfile.mkdtemp(dir=self.path))

    def close(self) -> None:
        """Remove the folder."""
        remove(self.path)
        with contextlib.suppress(OSError):
            os.close(self._lock)


def remove(path: Path) -> None:
    """Remove a file or folder, whatever rights were taken from it; what cannot be removed stays, silently."""

    def once_more(act: Callable[[str], object], name: str, _: object) -> None:
        with contextlib.suppress(OSError):
            Path(name).parent.chmod(0o700)
            if Path(name).is_dir() and not Path(name).is_symlink():
                Path(name).chmod(0o700)
                shutil.rmtree(name, ignore_errors=True)
            else:
                act(name)

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=once_more)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def empty(folder: Path) -> None:
    """Remove everything below a folder."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        for path in folder.iterdir():
            remove(path)


def _remove_abandoned(where: Path) -> None:
    with contextlib.suppress(OSError):
        for path in where.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                if path.lstat().st_uid == os.geteuid() and (lock := _lock(path)) is not None:
                    remove(path)
                    os.close(lock)


def _lock(path: Path) -> int | None:
    """A lock on a folder, or None when somebody has it or it is gone."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(folder), path.lstat()):
            return folder
    except OSError:
        pass
    os.close(folder)
    return None
