"""A bundle or a record of a withdrawal, wherever a reader has it: a folder, a zip, a file, a web address.

Rule kept here: what is fetched is fetched within bounds and judged like any file. An address also says what the reader
expects (which request, which version), and the publisher's log beside it says what is current; both are held against
what was signed.
"""

from __future__ import annotations

import re
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.disclosure.current import read_log, verify_withdrawal, with_log, with_reference
from tasks.disclosure.inspect_record import inspect_record
from tasks.disclosure.opening import MAX_BYTES, open_bundle
from tasks.disclosure.publish import WITHDRAWAL_RECORD
from tasks.disclosure.verdict import Check, Verdict
from tasks.disclosure.verify import verify_bundle
from tasks.errors import NothingThereError
from tasks.fetch import AddressRefusedError, fetch, fetch_into
from tasks.inspection import inspecting_apart

LOG = "disclosures.json"
MAX_LOG_BYTES = 64 * 1024 * 1024
MAX_STATEMENT_BYTES = 1024 * 1024
FETCH_S, FETCH_BUNDLE_S = 60.0, 3600.0

_WEB = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?P<base>.*/)disclosures/(?P<reference>[^/]+)/"
    r"(?:(?:index\.html)?|v(?P<version>\d+)(?:\.zip|/.*)?|withdrawal\.dsse\.json)"
)


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
        return f"{self.base}disclosures/{urllib.parse.quote(self.reference)}/"

    def zip(self, version: int) -> str:
        """Address of a version's zip."""
        return f"{self.folder}v{version}.zip"


def is_web_address(target: str) -> bool:
    """Whether this is a URL and not a path."""
    return bool(_WEB.match(target))


def _address(url: str) -> Address | None:
    """Where on a publisher's site a URL lies; None when it does not look like one of those."""
    parts = urllib.parse.urlsplit(url)
    found = _ADDRESS.fullmatch(parts.path)
    if found is None:
        return None
    base = urllib.parse.urlunsplit((parts.scheme, parts.netloc, found["base"], "", ""))
    return Address(base, urllib.parse.unquote(found["reference"]), int(found["version"] or 0))


@contextmanager
def fetched_zip(url: str) -> Iterator[BinaryIO]:
    """A bundle's zip from a web address, as a temporary file."""
    with tempfile.TemporaryFile() as file:
        fetch_into(file, url, at_most=MAX_BYTES, within_s=FETCH_BUNDLE_S)
        file.seek(0)
        yield file


def _log_of(address: Address) -> bytes:
    return fetch(address.base + LOG, at_most=MAX_LOG_BYTES, within_s=FETCH_S)


# ------------------------------------------------------------------------------------------------ verify


def verify(target: str, trust: Trust, log: str = "") -> Verdict:
    """What can be said about a bundle, or about the signed record of a withdrawal.

    Args:
        target: path of a folder, a zip or a `withdrawal.dsse.json`; or a web address of one of the last two, or of a
            request's page, which stands for its current version.
        trust: what the verifier has from elsewhere.
        log: path or web address of a `disclosures.json` to compare with; "" for the one that lies beside an address.

    Raises:
        NothingThereError: there is no such file or folder.
        AddressUnavailableError: a server does not answer.
        AddressRefusedError: there is nothing of use behind an address.
    """
    given_log = _read(log, MAX_LOG_BYTES) if log else None
    if is_web_address(target):
        return _verify_address(target, trust, given_log)
    path = _existing(target)
    if path.suffix == ".json":
        return verify_withdrawal(path.read_bytes(), trust.keys)
    return _compared(_verify(path, trust), given_log)


def _existing(target: str) -> Path:
    path = Path(target)
    if not path.exists():
        raise NothingThereError("There is no such file or folder.", subject=target)
    return path


def _read(target: str, at_most: int) -> bytes:
    if is_web_address(target):
        return fetch(target, at_most=at_most, within_s=FETCH_S)
    return _existing(target).read_bytes()


def _verify(bundle: Path | BinaryIO, trust: Trust, called: int = 0) -> Verdict:
    # The processes apart are made of Linux; elsewhere the PDFs are parsed in this one.
    apart = inspecting_apart() if sys.platform == "linux" else nullcontext(inspect_record)
    with apart as inspect:
        return verify_bundle(bundle, trust.keys, trusted_tsa=trust.tsa, inspect=inspect, called=called)


def _compared(verdict: Verdict, log: bytes | None, asked: int = 0) -> Verdict:
    return verdict if log is None else with_log(verdict, log, asked=asked)


def _verify_address(url: str, trust: Trust, log: bytes | None) -> Verdict:
    address = _address(url)
    if url.endswith(".json"):
        return verify_withdrawal(fetch(url, at_most=MAX_STATEMENT_BYTES, within_s=FETCH_S), trust.keys)
    if address is None:
        with fetched_zip(url) as file:
            return _compared(_verify(file, trust), log)
    if not address.version:
        return _verify_page(address, trust, log)
    with fetched_zip(address.zip(address.version)) as file:
        verdict = with_reference(_verify(file, trust, address.version), address.reference)
    try:
        log = log or _log_of(address)
    except AddressRefusedError:  # a copy elsewhere, without the publisher's log: the check of the version says so
        return verdict
    return _compared(verdict, log, asked=address.version)


def _verify_page(address: Address, trust: Trust, given_log: bytes | None) -> Verdict:
    """What the site's own log shows as current under this reference, held against the log given, if there is one."""
    own_log = _log_of(address)
    try:
        logged = read_log(own_log).get(address.reference)
    except ValueError:
        raise AddressRefusedError("The disclosure log is damaged.", subject=address.base + LOG) from None
    if logged is None:
        unknown = Check("disclosure log", False, "The disclosure log does not know this disclosure.")
        return Verdict(False, False, address.reference, 0, (unknown,))
    if logged.withdrawn:
        record = fetch(address.folder + WITHDRAWAL_RECORD, at_most=MAX_STATEMENT_BYTES, within_s=FETCH_S)
        return with_reference(verify_withdrawal(record, trust.keys), address.reference)
    with fetched_zip(address.zip(logged.version)) as file:
        verdict = with_reference(_verify(file, trust, logged.version), address.reference)
    return with_log(verdict, given_log or own_log)


# ------------------------------------------------------------------------------------------------ prove


def bundle_files(target: str) -> dict[str, bytes]:
    """The files of a bundle: a folder, a zip, or the web address of a zip or a request's page.

    Raises:
        UnsafeBundleError: it is damaged, or tries to be more than files below one folder.
        NothingThereError: there is no such file or folder.
        AddressUnavailableError: a server does not answer.
        AddressRefusedError: there is nothing of use behind an address.
    """
    if not is_web_address(target):
        return open_bundle(_existing(target)).files
    address = _address(target)
    url = target
    if address is not None:
        logged = None if address.version else read_log(_log_of(address)).get(address.reference)
        url = address.zip(address.version or (logged.version if logged else 1))
    with fetched_zip(url) as file:
        return open_bundle(file).files
