"""Whether a bag is complete and every byte of it the one that its manifests name (RFC 8493)."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.disclosure.bag import ALGORITHMS, manifest_of, payload_oxum
from tasks.disclosure.bundle import UNLISTED
from tasks.disclosure.verdict import Check, named


def _parse_manifest(data: bytes) -> dict[str, str]:
    """Path -> digest.

    Raises:
        ValueError: a line is not one, or a path appears twice.
    """
    listed: dict[str, str] = {}
    for line in data.decode("utf-8").splitlines():
        value, path = line.split(maxsplit=1)
        if path in listed:
            raise ValueError("twice")
        listed[path] = value.lower()
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
    actual = _parse_manifest(manifest_of(covered, algorithm))
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
    text = files.get("bag-info.txt", b"").decode("utf-8", "replace")
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {label.strip(): value.strip() for label, value in pairs}


def _declaration(files: Mapping[str, bytes], payload: Mapping[str, bytes]) -> Check:
    if not files.get("bagit.txt", b"").startswith(b"BagIt-Version: "):
        return Check("bag", False, "This is not a bag: bagit.txt is missing or not a declaration.")
    if bag_info(files).get("Payload-Oxum") != payload_oxum(payload):
        return Check("bag", False, "The number or size of the files is not what bag-info.txt says.")
    return Check("bag", True, f"It is a bag (RFC 8493) with {len(payload)} files.")


def fixity_checks(files: Mapping[str, bytes]) -> list[Check]:
    """The declaration and each of the manifests."""
    payload = {path: data for path, data in files.items() if path.startswith("data/")}
    tags = {
        path: data
        for path, data in files.items()
        if path not in payload and not path.startswith("tagmanifest-") and path not in UNLISTED
    }
    checks = [_declaration(files, payload)]
    checks += [_fixity(files, f"manifest-{name}.txt", payload, "disclosed files") for name in ALGORITHMS]
    return checks + [_fixity(files, f"tagmanifest-{name}.txt", tags, "accompanying files") for name in ALGORITHMS]
