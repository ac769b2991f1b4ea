"""The research object crate: the same bundle described for machines (RO-Crate 1.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tasks.model import Approval, Dossier
from tasks.request import Policy

_FORMATS = {".pdf": "application/pdf", ".html": "text/html", ".csv": "text/csv", ".json": "application/json"}
_NAMES = {
    "response.html": "Response (HTML)",
    "response.pdf": "Response (PDF)",
    "schedule.csv": "Schedule of withheld information (CSV)",
    "schedule.html": "Schedule of withheld information (HTML)",
    "schedule.json": "Schedule of withheld information (JSON)",
}


def _file(path: str, data: bytes, name: str) -> dict[str, Any]:
    return {
        "@id": path,
        "@type": "File",
        "name": name,
        "contentSize": str(len(data)),
        "encodingFormat": _FORMATS[path[path.rindex(".") :]],
    }


def crate_metadata(
    dossier: Dossier, approval: Approval | None, policy: Policy, payload: Mapping[str, bytes], version: int
) -> bytes:
    """`data/ro-crate-metadata.json`: the crate's root is the bag's `data/`.

    Args:
        dossier: what is disclosed.
        approval: gives the date of publication; None for a draft, which has none.
        policy: names the publisher.
        payload: every other payload file, path in the bag -> bytes.
        version: of the publication.
    """
    titles = {f"records/{record.file_name}": record.title for record in dossier.records} | _NAMES
    inner = {path.removeprefix("data/"): data for path, data in payload.items()}
    publisher = policy.authority.url
    graph: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "identifier": dossier.reference,
            "version": str(version),
            "name": dossier.title,
            "description": (
                "Records disclosed under the Freedom of Information Act 2000, the response and the schedule of what is "
                "withheld."
            ),
            **({"datePublished": approval.at[:10]} if approval else {}),
            "license": {"@id": "#re-use"},
            "author": {"@id": publisher},
            "publisher": {"@id": publisher},
            "hasPart": [{"@id": path} for path in sorted(inner)],
        },
        {"@id": publisher, "@type": "Organization", "name": policy.authority.name, "url": publisher},
        {
            "@id": "#re-use",
            "@type": "CreativeWork",
            "name": "Terms of re-use",
            "description": "Re-use is subject to the terms the publisher states and to the rights of third parties.",
        },
    ]
    graph += [_file(path, inner[path], titles[path]) for path in sorted(inner)]
    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return json.dumps(crate, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
