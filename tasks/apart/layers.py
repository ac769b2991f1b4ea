"""What keeps a child in, besides its bounds. Each layer is put on where the system allows it, and looked at afterwards.

    namespaces   user, network, process, IPC and mount namespaces of its own (bubblewrap): no network, no other process
                 in sight, a read-only file tree of programs and libraries, a scratch folder in memory, of limited size
    privileges   no capability, and no way to gain one (`no_new_privs`)
    seccomp      no socket of any kind, no tracing, mounting, namespaces, keys, kernel modules (libseccomp)
    landlock     the same file tree once more, enforced by another part of the kernel; no signal to a process outside

Namespaces surround a mother, seccomp is loaded into her, and a child enters Landlock when it is forked, so that a call
costs one system call more than a fork.

Rule kept here: `report` says what it sees and tries, not what was asked for.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py_landlock import RulesetFd

LIMITS, NAMESPACES, PRIVILEGES, SECCOMP, LANDLOCK = "limits", "namespaces", "privileges", "seccomp", "landlock"

LAYERS = {
    LIMITS: "Report it: limits need nothing but Linux.",
    NAMESPACES: "apt-get install bubblewrap. In a container, allow user namespaces (and mounting /proc).",
    PRIVILEGES: "Let the layer of namespaces work, or run as an ordinary user.",
    SECCOMP: "apt-get install libseccomp2; use a kernel with CONFIG_SECCOMP_FILTER.",
    LANDLOCK: "Use Linux 5.13 or newer with Landlock (boot with lsm=landlock,...).",
}
"""Every layer, and what to do where it is missing."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_NAMESPACES = ("user", "net", "pid", "mnt", "ipc")
_CLONE_NEWUSER = 0x10000000

_SYSTEM_FILES = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/sys/devices/system/cpu",
)
_KERNEL_FILES = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/dev/urandom", "/dev/random")

_REFUSED = (
    # The network, and everything else that speaks over a socket.
    *("socket", "connect", "bind", "listen", "accept", "accept4"),
    # Other processes: their memory, descriptors, limits of time.
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise"),
    # The file tree and its namespaces.
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_by_handle_at", "quotactl"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "mount_setattr"),
    # Ways into the kernel that no reader of files needs.
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("add_key", "keyctl", "request_key", "init_module", "finit_module", "delete_module", "kexec_load"),
    *("kexec_file_load", "reboot", "swapon", "swapoff", "acct", "settimeofday", "clock_settime", "syslog"),
    *("iopl", "ioperm", "modify_ldt", "personality", "vhangup"),
    # Memory that outlives a process or escapes the limit on its address space.
    *("memfd_create", "memfd_secret", "shmget", "shmat", "msgget", "semget", "mq_open"),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as a child found it."""

    name: str
    active: bool
    found: str = ""

    @property
    def action(self) -> str:
        """What to do where it is missing."""
        return LAYERS[self.name]


# ------------------------------------------------------------------------------------------------ around a mother


@cache
def surroundings() -> tuple[str, ...]:
    """Names of the namespaces of this process, in a fixed order; unknown ones are empty."""
    return tuple(_link(f"/proc/self/ns/{name}") for name in _NAMESPACES)


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def readable(jobs: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What a child may read and run: the system's programs, this Python, the packages of the jobs, Tesseract's data.

    The folder that *contains* a package is left out: a checkout may hold keys beside the code.
    """
    packages = [Path(__file__).parents[1], _package(jobs)]
    wanted = [*map(Path, _SYSTEM_FILES), Path(sys.prefix), Path(sys.base_prefix), *packages]
    if tesseract := shutil.which("tesseract", path=environment.get("PATH")):
        wanted += [Path(tesseract), Path(tesseract).resolve()]
    for name in ("PYTHONPATH", "LD_LIBRARY_PATH", "TESSDATA_PREFIX"):
        given = (Path(part).absolute() for part in environment.get(name, "").split(os.pathsep) if part)
        wanted += [path for path in given if not any(package.is_relative_to(path) for package in packages)]
    return tuple(sorted({str(path) for path in wanted if path.exists()}))


def _package(jobs: str) -> Path:
    spec = importlib.util.find_spec(jobs.partition(".")[0])
    assert spec is not None and spec.submodule_search_locations  # noqa: S101 - jobs live in packages of ours
    return Path(next(iter(spec.submodule_search_locations)))


def enclosure(scratch: Path, may_read: Iterable[str], scratch_bytes: int) -> list[str]:
    """What to put before a command to run it in namespaces of its own, or without capabilities at least, or nothing."""
    command = _in_namespaces(scratch, may_read, scratch_bytes)
    if _runs(command):
        return command
    if os.geteuid() == 0 and _runs(unprivileged := ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]):
        return unprivileged
    return []


def _in_namespaces(scratch: Path, may_read: Iterable[str], scratch_bytes: int) -> list[str]:
    shown = [word for path in may_read for word in ("--ro-bind", path, path)]
    return [
        *("bwrap", "--unshare-user", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"),
        *("--die-with-parent", "--new-session", *shown, "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
        *("--perms", "0700", "--size", str(scratch_bytes), "--tmpfs", str(scratch), "--remount-ro", "/"),
        *("--chdir", "/", "--"),
    ]


def _runs(command: list[str]) -> bool:
    try:
        tried = subprocess.run(
            [*command, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


# ------------------------------------------------------------------------------------------------ in a mother


def hide_memory() -> None:
    """Let no other process of this user read this one's memory and environment, and no core file hold them."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so that none is lost."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def lock_in() -> str:
    """Give up every way to gain privileges, and load the system call filter; returns why not, or ""."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    try:
        import pyseccomp as seccomp

        rules = seccomp.SyscallFilter(seccomp.ALLOW)
        for name in _REFUSED:
            with suppress(OSError):  # a system call that this libseccomp or processor does not know
                rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
        new_user = seccomp.Arg(0, seccomp.MASKED_EQ, _CLONE_NEWUSER, _CLONE_NEWUSER)
        rules.add_rule(seccomp.ERRNO(errno.EPERM), "clone", new_user)
        # Its flags lie in memory, where a filter cannot look; the C library takes clone instead.
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
        rules.load()
    except (OSError, RuntimeError, ImportError) as error:
        return str(error)
    return ""


class Fence:
    """A Landlock ruleset, made once; every child enters it with one system call.

    Args:
        may_read: files and folders to read and run.
        may_write: the folder to write in.
    """

    def __init__(self, may_read: Iterable[str], may_write: Path) -> None:
        self.why_not = ""
        self._rules: RulesetFd | None = None
        try:
            self._rules = _ruleset(may_read, may_write)
        except Exception as error:  # whatever the library says of a kernel without it
            self.why_not = str(error)

    def enter(self) -> None:
        """Put this process and its descendants behind the fence, if there is one.

        Raises:
            py_landlock.LandlockError: there is one, and the kernel refuses.
        """
        if self._rules is not None:
            import py_landlock

            py_landlock.restrict_self(self._rules, None)


def _ruleset(may_read: Iterable[str], may_write: Path) -> RulesetFd:
    import py_landlock
    from py_landlock.abi import get_supported_fs, get_supported_net, get_supported_scope

    abi = py_landlock.get_abi_version()
    every, rights = get_supported_fs(abi), py_landlock.AccessFs
    handled = py_landlock.RulesetAttr()
    handled.handled_access_fs, handled.handled_access_net = every, get_supported_net(abi)
    handled.scoped = get_supported_scope(abi)
    rules = py_landlock.create_ruleset(handled)
    look = rights.READ_FILE | rights.READ_DIR | rights.EXECUTE
    of_files = look | rights.WRITE_FILE | rights.TRUNCATE
    devices = rights.MAKE_CHAR | rights.MAKE_BLOCK | rights.MAKE_SOCK | rights.IOCTL_DEV | rights.EXECUTE
    allowed = [(path, look) for path in (*may_read, *_KERNEL_FILES)]
    allowed += [("/dev/null", look | rights.WRITE_FILE), (str(may_write), every & ~devices)]
    for path, access in allowed:
        with suppress(FileNotFoundError):
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = py_landlock.PathBeneathAttr()
            rule.parent_fd = file
            rule.allowed_access = access & every & (~0 if Path(path).is_dir() else of_files & ~rights.READ_DIR)
            py_landlock.add_rule(rules, rule)
            os.close(file)
    return rules


# ------------------------------------------------------------------------------------------------ in a child


def die_with(parent: int) -> None:
    """End this process when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(70)


def go_first() -> None:
    """Be the process that the kernel ends when the machine runs out of memory."""
    _prctl(_PR_SET_DUMPABLE, 1)  # /proc/self belongs to root while memory is hidden
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _prctl(_PR_SET_DUMPABLE, 0)


def standing() -> Mapping[str, str]:
    """What the kernel says of this process: capabilities, `no_new_privs`, seccomp mode."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def report(limited: bool, outside: Iterable[str], status: Mapping[str, str], why_not: Mapping[str, str]) -> list[Layer]:
    """The layers around this process.

    Args:
        limited: whether its bounds hold.
        outside: `surroundings` of the caller.
        status: `standing` of this process.
        why_not: what was said where a layer could not be put on.
    """
    pairs = zip(_NAMESPACES, surroundings(), outside, strict=True)
    shared = [name for name, ours, theirs in pairs if not ours or ours == theirs]
    powers = int(status.get("CapEff", "1"), 16) | int(status.get("CapPrm", "1"), 16)
    unprivileged = not powers and status.get("NoNewPrivs") == "1"
    filtered = status.get("Seccomp") == "2" and _refused(socket.socket)
    fenced = _refused(lambda: os.scandir("/").close())
    return [
        Layer(LIMITS, limited, "memory, processor time, files, descriptors"),
        Layer(NAMESPACES, not shared, f"shares {', '.join(shared)} with its caller" if shared else "own"),
        Layer(PRIVILEGES, unprivileged, "none" if unprivileged else "has some of its user's"),
        Layer(SECCOMP, filtered, "no socket can be made" if filtered else why_not[SECCOMP] or "not loaded"),
        Layer(LANDLOCK, fenced, "files outside are refused" if fenced else why_not[LANDLOCK] or "not enforced"),
    ]


def _refused(act: Callable[[], object]) -> bool:
    try:
        done = act()
    except PermissionError:
        return True
    except OSError:
        return False
    if isinstance(done, socket.socket):
        done.close()
    return False


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
