"""An authority with a name: without one no response is complete, and everything stays held."""

from __future__ import annotations

from pathlib import Path

from tasks.codec import encode
from tasks.request import Authority, Policy

EASTMERE = Authority(
    name="Eastmere Constabulary", contact="foi@eastmere.example", url="https://disclosures.eastmere.example"
)
NAMED = Policy(authority=EASTMERE)


def write_policy(folder: Path, *, release_without_unreadable: bool = True) -> Path:
    """A policy file of Eastmere's in the folder."""
    policy = Policy(authority=EASTMERE, release_without_unreadable=release_without_unreadable)
    path = folder / "policy.json"
    path.write_bytes(encode(policy.model_dump(mode="json")))
    return path
