"""Where the steps work: the store and its buckets, the policy, the readers, the keys.

Built once per process by `flows.place` and handed to every step. Deliberately no dataclass: Prefect walks the
fields of those on every call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Self, TypeVar

from tasks.codec import decode, encode, fingerprint, pack, unpack
from tasks.disclosure.keys import SigningKeys
from tasks.disclosure.timestamp import Stamper
from tasks.errors import ConfigurationError, KeysMissingError
from tasks.fingerprints import DOSSIER, gate_fingerprint, reading_fingerprint, redaction_fingerprint
from tasks.model import Role
from tasks.readers import Readers
from tasks.reading.settings import ReadingSettings
from tasks.request import Policy
from tasks.store import ObjectMissingError, ObjectStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Buckets:
    """Names of the four buckets; see the contract in the README for who may do what."""

    intake: str
    work: str
    quarantine: str
    disclosure: str


class Workplace:
    """Everything a step needs besides its arguments.

    Args:
        store: the object store, in the name of the role that processes.
        buckets: names of its buckets.
        policy: of the authority, before a request's overrides.
        reading: OCR settings and limits.
        readers: the stages that touch files, each in a fresh process.
        keys: for signing and for commitments; None where nothing is published.
        allow_unreviewed: whether a request may ask to be published without a person's approval.
        store_of: opens the store in the name of another role; None where one account does everything.
        stamper: puts a time stamp on each publication; None where there is no authority for that.
        approvals: how many different persons must release the same dossier.
        public_url: where readers find the objects of the disclosure bucket; without a slash at its end.
        missing_keys: names of the settings for want of which there are no keys.
        open_there: a function of a module, which opens the workplace of another process from that one's own settings;
            None where all work is done in this one. What travels is its name: credentials never do.
    """

    def __init__(
        self,
        store: ObjectStore,
        buckets: Buckets,
        policy: Policy,
        reading: ReadingSettings,
        readers: Readers,
        keys: SigningKeys | None = None,
        allow_unreviewed: bool = False,
        store_of: Callable[[Role], ObjectStore] | None = None,
        stamper: Stamper | None = None,
        approvals: int = 1,
        public_url: str = "",
        missing_keys: tuple[str, ...] = (),
        open_there: Callable[[], Workplace] | None = None,
    ) -> None:
        self.store = store
        self._store_of = store_of
        self.buckets = buckets
        self.policy = policy
        self.reading = reading
        self.readers = readers
        self._keys = keys
        self.allow_unreviewed = allow_unreviewed
        self.stamper = stamper
        self.approvals = approvals
        self.public_url = public_url
        self._missing_keys = missing_keys
        self._open_there = open_there
        self._kept: tuple[str, bytes] = ("", b"")
        self._keeping = Lock()
        self.reading_fingerprint = reading_fingerprint(reading.ocr, reading.limits)
        self.gate_fingerprint = gate_fingerprint(reading.ocr)
        self.fingerprint = fingerprint(
            self.reading_fingerprint, redaction_fingerprint(policy), self.gate_fingerprint, DOSSIER
        )

    @property
    def has_keys(self) -> bool:
        """Whether anything can be signed here."""
        return self._keys is not None

    @property
    def keys(self) -> SigningKeys:
        """The signing keys.

        Raises:
            KeysMissingError: there are none; nothing is published unsigned.
        """
        if self._keys is None:
            raise KeysMissingError(f"Not set: {' and '.join(self._missing_keys)}." if self._missing_keys else "")
        return self._keys

    def acting_as(self, role: Role) -> Self:
        """This workplace with the store opened in the name of another role.

        Raises:
            ConfigurationError: that role has no account here.
        """
        acting = object.__new__(type(self))
        acting.__dict__.update(self.__dict__)
        if self._store_of is not None:
            acting.store = self._store_of(role)
        return acting

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets a workplace of its own.

        Raises:
            TypeError: this one stays where it is.
        """
        if self._open_there is None:
            raise TypeError("A workplace holds credentials and stays in its process.")
        return _opened_there, (self._open_there, self.buckets, self.fingerprint)

    def keep(self, name: str, get: Callable[[], bytes]) -> bytes:
        """What `get` gives for a name; the last is kept, for those who ask for the same one after another."""
        with self._keeping:
            if self._kept[0] != name:
                self.let_go()
                self._kept = (name, get())
            return self._kept[1]

    def let_go(self) -> None:
        """Keep nothing any longer."""
        self._kept = ("", b"")

    # -------------------------------------------------------------------------------- values in the work bucket

    def has(self, key: str) -> bool:
        """Whether the work bucket holds this result."""
        return self.store.head(self.buckets.work, key) is not None

    def load(self, key: str, kind: type[T]) -> T:
        """A packed value of the work bucket.

        Raises:
            ObjectMissingError: there is none.
        """
        return unpack(self.store.get(self.buckets.work, key), kind)

    def load_bytes(self, key: str) -> bytes:
        """An object of the work bucket as it is."""
        return self.store.get(self.buckets.work, key)

    def save(self, key: str, value: object) -> str:
        """Store a value packed under a key made of its content or of what it depends on; returns the key."""
        return self.save_bytes(key, pack(value), "application/gzip")

    def save_bytes(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> str:
        """Store bytes in the work bucket; returns the key."""
        self.store.put(self.buckets.work, key, data, content_type)
        return key

    def load_plain(self, key: str, kind: type[T]) -> T | None:
        """A small JSON document of the work bucket, or None."""
        try:
            data = self.store.get(self.buckets.work, key)
        except ObjectMissingError:
            return None
        return decode(data, kind)

    def save_plain(self, key: str, value: object) -> None:
        """Store a small JSON document in the work bucket."""
        self.store.put(self.buckets.work, key, encode(value), "application/json")


def _opened_there(open_there: Callable[[], Workplace], buckets: Buckets, fingerprint: str) -> Workplace:
    """The workplace of this process, which was sent work by another.

    Raises:
        ConfigurationError: it would do that work otherwise than the process that sent it.
    """
    place = open_there()
    if (place.buckets, place.fingerprint) != (buckets, fingerprint):
        raise ConfigurationError("A process that was sent work has other settings, policy or versions than the sender.")
    return place
