"""Objects in buckets, on any server that speaks S3.

Rule kept here: this is the one place that knows S3. Callers see bytes, `ObjectInfo` and the errors of `tasks.errors`;
a key never stands in a message or a repr, because upstream names files after people.

Keys are any text but these, refused here so that they are refused alike everywhere: empty, with a NUL, or with an
empty, `.` or `..` part. Servers answer those with an error, or store them under another name. (A backslash is kept by
most servers; SeaweedFS makes a slash of it.)

Nothing here reads the environment, the AWS configuration files or instance metadata: all that counts is passed in.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Protocol

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ParamValidationError,
    ResponseStreamingError,
)
from botocore.exceptions import ConnectionError as UnreachableError

from tasks.errors import ConfigurationError, FoiError, StoreUnavailableError, UnsafeKeyError

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 60
_ATTEMPTS = 3
_CONNECTIONS = 32
_TORN_PAUSES_S = (0.02, 0.1, 0.5, 2.0)
_DIGEST = "sha256"  # name of the metadata field in which an object carries the digest of its bytes

# Error codes of S3, of the MinIO API and of SeaweedFS. What is not named here is judged by its HTTP status.
_KEY_MISSING = frozenset({"NoSuchKey", "NoSuchVersion"})
_BUCKET_MISSING = frozenset({"NoSuchBucket", "InvalidBucketName"})
_KEY_REFUSED = frozenset({"KeyTooLongError", "XMinioInvalidObjectName", "XMinioInvalidResourceName", "InvalidURI"})
_EXISTS = frozenset({"PreconditionFailed"})
_CONDITION_UNKNOWN = frozenset({"NotImplemented", "NotSupported"})
_TRANSIENT = frozenset(
    {
        "ConditionalRequestConflict",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
        "Throttling",
        "TooManyRequests",
        "XMinioServerNotInitialized",
    }
)


class ObjectMissingError(FoiError):
    """No object under this key."""

    code = "object-missing"
    message = "An object is not in the store."
    action = "Process the request again; if an upload was cut short, upload it again."
    exit_code = 66


class ObjectExistsError(FoiError):
    """A write-once key is taken."""

    code = "object-exists"
    message = "An object that is written once exists already."
    action = "Nothing, if the same work ran twice. Otherwise compare the two before doing anything."
    exit_code = 73


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing says of an object.

    Attributes:
        key: the whole key; untrusted text.
        size: bytes.
        etag: without quotes. Changes when the content does; not always an MD5 of it.
        modified: UTC, ISO 8601, whole seconds.
    """

    key: str = field(repr=False)
    size: int
    etag: str
    modified: str


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials of one account of a store. Empty strings: there is none."""

    access_key: str = ""
    secret_key: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.access_key and self.secret_key)


class ObjectStore(Protocol):
    """What the pipeline asks of a store. All methods raise `StoreUnavailableError` and `ConfigurationError`."""

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> str:
        """Write an object whole; returns its etag. `if_absent` raises `ObjectExistsError` instead of replacing."""
        ...

    def get(self, bucket: str, key: str) -> bytes:
        """The object's bytes. Raises `ObjectMissingError`."""
        ...

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """What is known of the object, or None when it is not there."""
        ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, ordered by key."""
        ...

    def list_folders(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """Names, without slashes, of the folders directly below `prefix` (itself "" or ending in a slash)."""
        ...

    def list_by_folder(self, bucket: str) -> Iterator[tuple[str, dict[str, ObjectInfo]]]:
        """Each folder at the top with its objects, by name relative to it; objects beside the folders are left out."""
        ...

    def copy(self, bucket: str, key: str, to_bucket: str, to_key: str) -> str:
        """Copy on the server; returns the copy's etag. Raises `ObjectMissingError`."""
        ...

    def delete(self, bucket: str, key: str) -> None:
        """Remove the object; nothing happens when it is not there."""
        ...

    def ensure_bucket(self, bucket: str) -> None:
        """Create the bucket unless it exists."""
        ...


class S3Store:
    """An `ObjectStore` on a server that speaks S3. One client is made and shared; threads may use it together.

    Args:
        endpoint: URL of the server, e.g. `http://127.0.0.1:9000` or `https://s3.eu-west-2.amazonaws.com`.
        access_key: of an account that may read and write the buckets.
        secret_key: belonging to it.
        region: what the server calls its region; most private servers take any.
        read_timeout_s: silence, in seconds, after which an answer is given up.

    Raises:
        ConfigurationError: the endpoint is not a URL, or a credential is empty.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
        *,
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        if not (access_key and secret_key):
            raise ConfigurationError("The store's access key or secret key is empty.")
        self.endpoint = endpoint
        self._region = region
        try:
            self._client = _session().client(
                "s3",
                endpoint_url=endpoint,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                region_name=region,
                config=Config(
                    signature_version="s3v4",
                    s3={"addressing_style": "path"},
                    # The newer trailing checksums are not understood by every server.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    connect_timeout=_CONNECT_TIMEOUT_S,
                    read_timeout=read_timeout_s,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                    max_pool_connections=_CONNECTIONS,
                ),
            )
        except (BotoCoreError, ValueError):
            raise ConfigurationError("The store's endpoint or region is not usable.") from None

    def __repr__(self) -> str:
        return f"S3Store({self.endpoint!r})"

    def put(
        self,
        bucket: str,
        key: str,
        data: bytes,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> str:
        """Write an object whole, in one request, and return its etag.

        `if_absent` looks first and then writes under `If-None-Match: *`. A server that honours the condition
        (AWS, SeaweedFS, Ceph) lets exactly one of two racing writers through. One that ignores it (JuiceFS) leaves the
        moment between look and write open, so do not use it as a lock there.

        Raises:
            ObjectExistsError: `if_absent`, and the key is taken. After an answer lost on the network it may be our
                own write that is found.
            UnsafeKeyError: the server cannot hold an object of this name.
            ConfigurationError: no such bucket, or not allowed.
            StoreUnavailableError: no proper answer.
        """
        _check(key)
        arguments: dict[str, Any] = {
            "Bucket": bucket,
            "Key": key,
            "Body": data,
            "ContentType": content_type,
            "Metadata": {_DIGEST: hashlib.sha256(data).hexdigest()},
        }
        if not if_absent:
            with _translated(key):
                return _etag(self._client.put_object(**arguments))
        if self.head(bucket, key) is not None:
            raise ObjectExistsError(subject=key)
        with _translated(key):
            try:
                return _etag(self._client.put_object(**arguments, IfNoneMatch="*"))
            except ClientError as error:
                if _code(error) not in _CONDITION_UNKNOWN:
                    raise
                return _etag(self._client.put_object(**arguments))

    def get(self, bucket: str, key: str) -> bytes:
        """The object's bytes: all of one writing, where we wrote it.

        While an object is replaced, JuiceFS answers with the new bytes cut to the old length, or breaks off. What `put`
        wrote carries its digest, so such an answer is noticed; it is asked for again.

        Raises:
            ObjectMissingError: it is not there.
            ConfigurationError: no such bucket, or not allowed.
            StoreUnavailableError: no proper answer, or one that broke off, or bytes that are not those written.
        """
        _check(key)
        before: bytes | None = None
        for pause_s in (0.0, *_TORN_PAUSES_S):
            time.sleep(pause_s)
            with _translated(key):
                data, sure = _body(self._client.get_object(Bucket=bucket, Key=key))
            if data is not None and (sure or data == before):
                return data
            before = data
        raise StoreUnavailableError("The bytes that came are not those that were written.", subject=key)

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """What is known of the object, or None when it is not there.

        S3 does not say why a HEAD finds nothing, so a missing bucket gives None too.
        """
        _check(key)
        try:
            with _translated(key):
                answer = self._client.head_object(Bucket=bucket, Key=key)
        except ObjectMissingError:
            return None
        return ObjectInfo(key, int(answer["ContentLength"]), _etag(answer), _iso(answer["LastModified"]))

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, ordered by the code points of its key.

        All pages are fetched before the first object comes out, because SeaweedFS lists in the order of a folder tree.
        Folder markers (keys ending in a slash) are left out: some servers invent them.
        """
        yield from sorted(self._listed(bucket, prefix), key=lambda info: info.key)

    def list_folders(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """Names, without slashes, of the folders directly below `prefix` (itself "" or ending in a slash), in order."""
        yield from sorted(
            item["Prefix"][len(prefix) :].rstrip("/")
            for page in self._pages(bucket, prefix, Delimiter="/")
            for item in page.get("CommonPrefixes", ())
        )

    def list_by_folder(self, bucket: str) -> Iterator[tuple[str, dict[str, ObjectInfo]]]:
        """Each folder at the top with its objects, by name relative to it; objects beside the folders are left out.

        One listing of the bucket, of which one page and one folder are held at a time: every server lists a folder's
        objects one after the other. Folders come in the server's order.
        """
        inside = (info for info in self._listed(bucket) if "/" in info.key)
        for folder, infos in groupby(inside, key=lambda info: info.key.partition("/")[0]):
            yield folder, {info.key[len(folder) + 1 :]: info for info in infos}

    def copy(self, bucket: str, key: str, to_bucket: str, to_key: str) -> str:
        """Copy on the server and return the copy's etag; up to 5 GB.

        Raises:
            ObjectMissingError: the source is not there.
        """
        _check(key)
        _check(to_key)
        with _translated(key):
            answer = self._client.copy_object(
                CopySource={"Bucket": bucket, "Key": key},
                Bucket=to_bucket,
                Key=to_key,
                MetadataDirective="COPY",
                TaggingDirective="REPLACE",  # tags of others would need a right of their own
            )
            return _etag(answer["CopyObjectResult"])

    def delete(self, bucket: str, key: str) -> None:
        """Remove the object; nothing happens when it is not there."""
        _check(key)
        try:
            with _translated(key):
                self._client.delete_object(Bucket=bucket, Key=key)
        except ObjectMissingError:
            return

    def ensure_bucket(self, bucket: str) -> None:
        """Create the bucket unless it exists."""
        place = {} if self._region == "us-east-1" else {"LocationConstraint": self._region}
        with _translated():
            try:
                self._client.head_bucket(Bucket=bucket)
            except ClientError as error:
                if _status(error) != 404:
                    raise
            else:
                return
            try:
                self._client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
            except ClientError as error:
                if _code(error) != "BucketAlreadyOwnedByYou":
                    raise

    def open_to_public(self, bucket: str) -> None:
        """Let anyone read the bucket's objects, by key and without an account; listing and writing stay closed."""
        with _translated():
            self._client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(public_policy(bucket)))

    def _listed(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects, not folder markers, in the server's order."""
        return (
            ObjectInfo(item["Key"], int(item["Size"]), _etag(item), _iso(item["LastModified"]))
            for page in self._pages(bucket, prefix)
            for item in page.get("Contents", ())
            if not item["Key"].endswith("/")
        )

    def _pages(self, bucket: str, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
        with _translated(prefix):
            yield from self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **options)


def public_policy(bucket: str) -> dict[str, Any]:
    """The bucket policy by which anyone reads objects, as S3 and the MinIO API understand it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _session() -> boto3.Session:
    """A session that takes nothing from AWS_PROFILE and the files in ~/.aws: their faults are not ours."""
    nothing = (None, None, os.devnull, None)
    session = botocore.session.Session(
        session_vars={"profile": (None, None, None, None), "config_file": nothing, "credentials_file": nothing}
    )
    return boto3.Session(botocore_session=session)


def _check(key: str) -> None:
    parts = re.split(r"[/\\]", key)
    try:
        key.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        raise UnsafeKeyError(subject=key) from None
    if "\0" in key or "" in key.split("/") or "." in parts or ".." in parts:
        raise UnsafeKeyError(subject=key)


@contextmanager
def _translated(key: str = "") -> Iterator[None]:
    """Botocore's exceptions, which quote keys, as ours, which do not."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error, key) from None
    except ParamValidationError:
        raise ConfigurationError("Store: the bucket's name is not valid.", subject=key) from None
    except (UnreachableError, HTTPClientError, IncompleteReadError, OSError) as error:
        raise StoreUnavailableError(f"{type(error).__name__}.", subject=key) from None
    except BotoCoreError as error:
        raise ConfigurationError(f"Store: {type(error).__name__}.", subject=key) from None


def _meaning(error: ClientError, key: str) -> FoiError:
    code, status = _code(error), _status(error)
    if code in _BUCKET_MISSING:
        return ConfigurationError(f"Store: {code}.", subject=key)
    if code in _KEY_REFUSED:
        return UnsafeKeyError(code, subject=key)
    if code in _EXISTS:
        return ObjectExistsError(subject=key)
    if code in _TRANSIENT or status in (408, 429) or status >= 500 or status == 0:
        return StoreUnavailableError(f"HTTP {status}.", subject=key)
    if code in _KEY_MISSING or status == 404:
        return ObjectMissingError(subject=key)
    return ConfigurationError(f"Store: HTTP {status}.", subject=key)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _body(answer: dict[str, Any]) -> tuple[bytes | None, bool]:
    """The bytes of a GET's answer, None when they are known to be torn; and whether they are known to be whole.

    Not known is: an object without our digest whose tag is not its MD5, because another wrote it under encryption, or
    because it is just being replaced and digest and tag are not stored yet.
    """
    body = answer["Body"]
    try:
        with body:
            data = bytes(body.read())
    except (ResponseStreamingError, IncompleteReadError):
        return None, False
    if told := answer.get("Metadata", {}).get(_DIGEST):
        whole = told == hashlib.sha256(data).hexdigest()
        return (data if whole else None), whole
    tag = _etag(answer)
    return data, "-" in tag or tag == hashlib.md5(data, usedforsecurity=False).hexdigest()


def _etag(answer: dict[str, Any]) -> str:
    # JuiceFS's gateway leaves it out for the moment between writing an object and storing its tag.
    return str(answer.get("ETag", "")).strip('"')


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
