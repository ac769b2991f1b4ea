"""A bundle or a record of a withdrawal, wherever a reader has it: a folder, a zip, a file, a web address.

Rule kept here: what is fetched is fetched within bounds and judged like any file. An address also says what the reader
expects (which request, which version), and the publisher's log beside it says what is current; both are held against
what was signed.
"""

from __future__ import annotations

import posixpath
import re
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.disclosure.current import (
    Logged,
    read_log,
    shown_as_withdrawn,
    verify_withdrawal,
    with_log,
    with_reference,
    withdrawal_with_log,
    without_log,
)
from tasks.disclosure.inspect_record import inspect_record
from tasks.disclosure.layout import LOG, WITHDRAWAL_RECORD
from tasks.disclosure.opening import MAX_BYTES, open_bundle
from tasks.disclosure.verdict import Check, Verdict
from tasks.disclosure.verify import verify_bundle
from tasks.errors import NoSuchFileError, NothingThereError, UnknownRequestError
from tasks.fetch import AddressRefusedError, fetch, fetch_into
from tasks.inspection import inspecting_apart
from tasks.model import REFERENCE

MAX_LOG_BYTES = 64 * 1024 * 1024
MAX_STATEMENT_BYTES = 1024 * 1024
FETCH_S, FETCH_BUNDLE_S = 60.0, 3600.0

_WEB = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?P<base>.*/)disclosures/(?P<reference>[^/]+)/"
    r"(?:(?:index\.html)?|v(?P<version>\d{1,6})(?:\.zip|/.*)?|withdrawal(?:-v\d{1,6})?\.dsse\.json)"
)
_RECORD = re.compile(r"withdrawal(?P<older>-v\d{1,6})?\.dsse\.json")
"""The record of a withdrawal: of the newest, or of an earlier one by its version."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the verifier has from elsewhere, PEM.

    Attributes:
        keys: the publisher's.
        tsa: certificates of the authority for time.
    """

    keys: bytes | None = None
    tsa: bytes | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where on a publisher's site something lies. `version` is 0 for a request's page."""

    base: str
    reference: str
    version: int

    @property
    def folder(self) -> str:
        """Address of the request's folder."""
        return f"{self.base}disclosures/{self.reference}/"

    def zip(self, version: int) -> str:
        """Address of a version's zip."""
        return f"{self.folder}v{version}.zip"


def is_web_address(target: str) -> bool:
    """Whether this is a URL and not a path."""
    return bool(_WEB.match(target))


def _address(url: str) -> Address | None:
    """Where on a publisher's site a URL lies; None when it does not look like one of those."""
    parts = urllib.parse.urlsplit(url)
    found = _ADDRESS.fullmatch(_plain_path(url))
    if found is None or not REFERENCE.fullmatch(found["reference"]):
        return None
    base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, urllib.parse.quote(found["base"]), "", ""))
    return Address(base, found["reference"], int(found["version"] or 0))


def _plain_path(url: str) -> str:
    """The path of a URL in one spelling: without escapes, doubled slashes and dots."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
    plain = re.sub("^/+", "/", posixpath.normpath(path))
    return plain + "/" if path.endswith("/") and plain != "/" else plain


@contextmanager
def fetched_zip(url: str) -> Iterator[BinaryIO]:
    """A bundle's zip from a web address, as a temporary file."""
    with tempfile.TemporaryFile() as file:
        fetch_into(file, url, at_most=MAX_BYTES, within_s=FETCH_BUNDLE_S)
        file.seek(0)
        yield file


def _log_of(address: Address) -> bytes:
    return fetch(address.base + LOG, at_most=MAX_LOG_BYTES, within_s=FETCH_S)


def _shown(address: Address) -> tuple[Logged | None, bytes]:
    """What the site's own log shows as current under this reference, None when nothing; and that log.

    Raises:
        AddressUnavailableError: the server does not answer.
        AddressRefusedError: there is no log, or it is damaged.
    """
    log = _log_of(address)
    try:
        return read_log(log).get(address.reference), log
    except ValueError:
        raise AddressRefusedError("The disclosure log is damaged.", subject=address.base + LOG) from None


# ------------------------------------------------------------------------------------------------ verify


def verify(target: str, trust: Trust, log: str | None = None) -> Verdict:
    """What can be said about a bundle, or about the signed record of a withdrawal.

    Args:
        target: path of a folder, a zip or a `withdrawal.dsse.json`; or a web address of one of the last two, or of a
            request's page, which stands for its current version.
        trust: what the verifier has from elsewhere.
        log: path or web address of a `disclosures.json` to compare with; None for the one that lies beside an address.

    Raises:
        NoSuchFileError: there is no such file or folder.
        AddressUnavailableError: a server does not answer.
        AddressRefusedError: there is nothing of use behind an address.
    """
    given_log = None if log is None else _read(log, MAX_LOG_BYTES)
    if is_web_address(target):
        return _verify_address(target, trust, given_log)
    path = _existing(target)
    if path.is_file() and (record := _RECORD.fullmatch(path.name)):
        verdict = verify_withdrawal(path.read_bytes(), trust.keys)
        return verdict if given_log is None else withdrawal_with_log(verdict, given_log, older=bool(record["older"]))
    return _compared(_verify(path, trust), given_log)


def _existing(target: str) -> Path:
    path = Path(target)
    if not path.exists():
        raise NoSuchFileError(subject=target)
    return path


def _read(target: str, at_most: int) -> bytes:
    if is_web_address(target):
        return fetch(target, at_most=at_most, within_s=FETCH_S)
    path = _existing(target)
    if not path.is_file():
        raise NoSuchFileError("It is a folder.", subject=target)
    return path.read_bytes()


def _verify(bundle: Path | BinaryIO, trust: Trust, called: int = 0) -> Verdict:
    # The processes apart are made of Linux; elsewhere the PDFs are parsed in this one.
    apart = inspecting_apart() if sys.platform == "linux" else nullcontext(inspect_record)
    with apart as inspect:
        return verify_bundle(bundle, trust.keys, trusted_tsa=trust.tsa, inspect=inspect, called=called)


def _compared(verdict: Verdict, log: bytes | None, asked: int = 0) -> Verdict:
    return verdict if log is None else with_log(verdict, log, asked=asked)


def _found_log(address: Address | None) -> bytes | None:
    """The log that lies beside an address; None when there is none, as with a copy elsewhere."""
    try:
        return None if address is None else _log_of(address)
    except AddressRefusedError:
        return None


def _verify_address(url: str, trust: Trust, given_log: bytes | None) -> Verdict:
    address = _address(url)
    if record := _RECORD.fullmatch(posixpath.basename(_plain_path(url))):
        log = _found_log(address) if given_log is None else given_log
        return _verify_record(url, trust, address, log, older=bool(record["older"]))
    if address is not None and not address.version:
        return _verify_page(address, trust, given_log)
    version = address.version if address else 0
    with fetched_zip(address.zip(version) if address else url) as file:
        verdict = _verify(file, trust, version)
    if address is not None:
        verdict = with_reference(verdict, address.reference)
    log = _found_log(address) if given_log is None else given_log
    return without_log(verdict) if log is None else with_log(verdict, log, asked=version)


def _verify_page(address: Address, trust: Trust, given_log: bytes | None) -> Verdict:
    """What the site's own log shows as current under this reference, held against the log given, if there is one."""
    logged, own_log = _shown(address)
    log = own_log if given_log is None else given_log
    if logged is None:
        unknown = Check("disclosure log", False, "The disclosure log does not know this disclosure.")
        return Verdict(False, False, address.reference, 0, (unknown,))
    if logged.withdrawn and trust.keys is None:
        return verify_withdrawal(b"").plus(shown_as_withdrawn(logged))
    if logged.withdrawn:
        return _verify_record(address.folder + WITHDRAWAL_RECORD, trust, address, log)
    with fetched_zip(address.zip(logged.version)) as file:
        verdict = with_reference(_verify(file, trust, logged.version), address.reference)
    return with_log(verdict, log)


def _verify_record(
    url: str, trust: Trust, address: Address | None, log: bytes | None, *, older: bool = False
) -> Verdict:
    """The signed record of a withdrawal; where its address says of which request, it must be of that one."""
    verdict = verify_withdrawal(fetch(url, at_most=MAX_STATEMENT_BYTES, within_s=FETCH_S), trust.keys)
    if address is not None:
        verdict = with_reference(verdict, address.reference)
    return without_log(verdict) if log is None else withdrawal_with_log(verdict, log, older=older)


# ------------------------------------------------------------------------------------------------ prove


def bundle_files(target: str) -> dict[str, bytes]:
    """The files of a bundle: a folder, a zip, or the web address of a zip or a request's page.

    Raises:
        UnsafeBundleError: it is damaged, or tries to be more than files below one folder.
        NothingThereError: there is no such file or folder, or the disclosure was withdrawn.
        UnknownRequestError: the site's log does not know the request.
        AddressUnavailableError: a server does not answer.
        AddressRefusedError: there is nothing of use behind an address.
    """
    if not is_web_address(target):
        return open_bundle(_existing(target)).files
    address = _address(target)
    with fetched_zip(target if address is None else address.zip(address.version or _current(address))) as file:
        return open_bundle(file).files


def _current(address: Address) -> int:
    logged, _ = _shown(address)
    if logged is None:
        raise UnknownRequestError("The disclosure log does not know it.", subject=address.reference)
    if logged.withdrawn:
        raise NothingThereError("It was withdrawn.", subject=address.reference)
    return logged.version
