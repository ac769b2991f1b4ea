"""What roc-validator says of a crate: one line an issue, exit code 1 when there is one. Runs in .venv/opinions.

The validator fetches the JSON-LD context from the web. Tests ask nobody, so it gets one with the terms that our crates
use, which are schema.org's names; a term that is not among them makes it object.
"""

from __future__ import annotations

import sys

from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

CONTEXT_URL = "https://w3id.org/ro/crate/1.1/context"
SCHEMA = "http://schema.org/"
TERMS = (
    *("CreativeWork", "Dataset", "Organization", "about", "author", "contentSize", "datePublished", "description"),
    *("encodingFormat", "hasPart", "identifier", "license", "name", "publisher", "url", "version"),
)
CONTEXT = {
    "@context": {
        **{term: SCHEMA + term for term in TERMS},
        "File": SCHEMA + "MediaObject",
        "conformsTo": "http://purl.org/dc/terms/conformsTo",
    }
}


class Answer:
    """The context as a web server would give it."""

    status_code = 200
    headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012 - what requests has
    from_cache = True

    def json(self) -> dict[str, object]:
        return CONTEXT


def answer(_self: object, url: str, **_options: object) -> Answer:
    if url != CONTEXT_URL:
        raise SystemExit(f"asked for {url}")
    return Answer()


HttpRequester.get = answer
issues = services.validate(
    services.ValidationSettings(
        rocrate_uri=sys.argv[1],
        profile_identifier="ro-crate-1.1",
        requirement_severity=models.Severity.RECOMMENDED,
        enable_profile_inheritance=False,
    )
).get_issues()
for issue in issues:
    print(issue.check.identifier, issue.message)
sys.exit(bool(issues))
