"""Whether a bag is complete and every byte of it the one that its manifests name (RFC 8493).

Rules kept here: a file is disclosed (below `data/`), or it is one of those that every bundle of ours has; there is no
third kind. A list of files has one form, and is compared with the files themselves, name by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from tasks.disclosure.bag import ALGORITHMS, PATH, payload_oxum
from tasks.disclosure.layout import ACCOMPANYING, DECLARATION, INFO, UNLISTED
from tasks.disclosure.verdict import Check, named

MANIFESTS = frozenset(f"manifest-{algorithm}.txt" for algorithm in ALGORITHMS)
TAG_MANIFESTS = frozenset(f"tagmanifest-{algorithm}.txt" for algorithm in ALGORITHMS)
TAG_FILES = ACCOMPANYING | UNLISTED | MANIFESTS | TAG_MANIFESTS
"""All that may stand beside what is disclosed."""

_LINE = re.compile(r"([0-9a-f]+)  (.+)")
_INFO_LINE = re.compile(r"([A-Za-z-]+): (.*)")


def _parse_manifest(data: bytes) -> dict[str, str]:
    """Path -> digest.

    Raises:
        ValueError: a line is not one, or a path appears twice.
    """
    listed: dict[str, str] = {}
    *lines, rest = data.decode("utf-8").split("\n")
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None or found[2] in listed:
            raise ValueError("not a line")
        listed[found[2]] = found[1]
    if rest:
        raise ValueError("cut short")
    return listed


def _fixity(files: Mapping[str, bytes], manifest: str, covered: Mapping[str, bytes], what: str) -> Check:
    """Whether a manifest lists exactly `covered` and every digest is right."""
    name = f"fixity: {manifest}"
    algorithm = manifest.rsplit("-", 1)[1].removesuffix(".txt")
    if manifest not in files:
        return Check(name, False, f"{manifest} is missing.")
    try:
        listed = _parse_manifest(files[manifest])
    except (ValueError, UnicodeDecodeError):
        return Check(name, False, f"{manifest} is not a list of files.")
    actual = {path: hashlib.new(algorithm, data).hexdigest() for path, data in covered.items()}
    missing, extra = listed.keys() - actual.keys(), actual.keys() - listed.keys()
    changed = [path for path in listed.keys() & actual.keys() if listed[path] != actual[path]]
    faults = [
        f"{words}: {named(paths)}"
        for words, paths in (("missing", missing), ("not listed", extra), ("changed", changed))
        if paths
    ]
    if faults:
        return Check(name, False, f"Against {manifest}, " + "; ".join(faults) + ".")
    return Check(name, True, f"All {len(actual)} {what} are there and unchanged ({algorithm.upper()}).")


def bag_info(files: Mapping[str, bytes]) -> dict[str, str]:
    """What `bag-info.txt` says, label -> value."""
    lines = files.get(INFO, b"").decode("utf-8", "replace").split("\n")
    return {found[1]: found[2] for line in lines if (found := _INFO_LINE.fullmatch(line))}


def _is_plain_info(data: bytes) -> bool:
    """Whether every line is a label and its value, and no label comes twice: one reader sees what the other sees."""
    *lines, rest = data.decode("utf-8", "replace").split("\n")
    labels = [found[1] for line in lines if (found := _INFO_LINE.fullmatch(line))]
    return not rest and len(labels) == len(lines) == len(set(labels))


def _declaration(files: Mapping[str, bytes], payload: Mapping[str, bytes]) -> Check:
    name = "bag"
    strangers = [path for path in files.keys() - payload.keys() if path not in TAG_FILES]
    strangers += [path for path in payload if not PATH.fullmatch(path)]
    if strangers:
        return Check(name, False, f"It holds files that no disclosure of ours has: {named(strangers)}.")
    if not files.get(DECLARATION, b"").startswith(b"BagIt-Version: "):
        return Check(name, False, "This is not a bag: bagit.txt is missing or not a declaration.")
    if bag_info(files).get("Payload-Oxum") != payload_oxum(payload) or not _is_plain_info(files[INFO]):
        return Check(name, False, "The number or size of the files is not what bag-info.txt says.")
    return Check(name, True, f"It is a bag (RFC 8493) with {len(payload)} files.")


def fixity_checks(files: Mapping[str, bytes]) -> list[Check]:
    """The declaration and each of the manifests."""
    payload = {path: data for path, data in files.items() if path.startswith("data/")}
    unlisted = payload.keys() | TAG_MANIFESTS | UNLISTED
    tags = {path: data for path, data in files.items() if path not in unlisted}
    checks = [_declaration(files, payload)]
    checks += [_fixity(files, f"manifest-{name}.txt", payload, "disclosed files") for name in ALGORITHMS]
    return checks + [_fixity(files, f"tagmanifest-{name}.txt", tags, "accompanying files") for name in ALGORITHMS]
