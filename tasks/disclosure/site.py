"""The public pages: one for each request, the disclosure log, its feed.

Rule kept here: pages are pure functions of what was published, so the log can be made again from the entries alone; a
page links to nothing but files that are already there, and works without a script.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tasks.codec import digest, encode
from tasks.disclosure.bag import ALGORITHMS
from tasks.disclosure.bundle import bag_digest
from tasks.disclosure.notice import OUTCOME_WORDS, outcome_of, published_request, response_values
from tasks.disclosure.page import printable, render_page, render_text
from tasks.disclosure.wording import long_date
from tasks.model import Approval, Dossier
from tasks.request import Authority, Policy

FEED_LENGTH = 100
"""Newest entries in the Atom feed; the JSON holds all."""

SUMMARY_LENGTH = 280

FIRST_LENGTH = 100
"""Newest entries on the first page of the log; when there are more, pages by year list them all."""

ARCHIVE = "log/"
"""Where those pages lie."""

PART_LENGTH = 500
"""Entries on a page of a year."""

SHORT_LENGTH = 120
"""Letters of an older entry's summary that the first page's search knows."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One publication as the disclosure log knows it.

    Attributes:
        published: ISO 8601 UTC: the approval's moment, or the withdrawal's.
        version: from 1; a withdrawal carries the last version it withdraws.
        outcome: `all`, `part`, `refused` or `withdrawn`.
        records: records disclosed.
        pages: pages disclosed.
        withheld: parts of the disclosed records that are withheld.
        size: bytes of the zip.
        digest: keyed commitment to the dossier: equal means the same disclosure.
        bag: SHA-256 of the bag's tag manifest, hex.
        zip_sha256: digest of the zip, hex.
        received: ISO date.
        summary: the beginning of the request as published.
        changes: what differs from the version before.
        reason: of a withdrawal.
        withdrawn_up_to: the last version before this one that was withdrawn; 0 when none was.
        not_included: records that are not part of it because they could not be read.
    """

    reference: str
    title: str
    published: str
    version: int
    outcome: str
    records: int = 0
    pages: int = 0
    withheld: int = 0
    size: int = 0
    digest: str = ""
    bag: str = ""
    zip_sha256: str = ""
    received: str = ""
    summary: str = ""
    changes: tuple[str, ...] = ()
    reason: str = ""
    withdrawn_up_to: int = 0
    not_included: int = 0

    @property
    def withdrawn(self) -> bool:
        """Whether a notice stands in its place."""
        return self.outcome == "withdrawn"

    @property
    def outcome_words(self) -> str:
        """The outcome as a reader sees it."""
        return OUTCOME_WORDS[self.outcome]


_SALUTATION = re.compile(r"\s*(?:dear|hello|hi|to)\b[^\n]{0,80},[ \t]*\n", re.IGNORECASE)


def _summary(text: str, most: int = SUMMARY_LENGTH) -> str:
    """The beginning of a request, without its salutation."""
    words = " ".join(_SALUTATION.sub("", text, count=1).split() if _SALUTATION.match(text) else text.split())
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0] + " …"


def entry_of(
    dossier: Dossier,
    approval: Approval,
    bundle: dict[str, bytes],
    archive: bytes,
    commitment: str,
    version: int,
    changes: tuple[str, ...] = (),
) -> LogEntry:
    """What the log says of a new publication.

    Args:
        dossier: what is disclosed.
        approval: gives the date.
        bundle: the bag.
        archive: its zip.
        commitment: to the dossier.
        version: of the publication.
        changes: what differs from the version before.
    """
    request = published_request(dossier)
    return LogEntry(
        reference=dossier.reference,
        title=dossier.title,
        published=approval.at,
        version=version,
        outcome=outcome_of(dossier),
        records=len(dossier.records),
        pages=sum(len(record.pages) for record in dossier.records),
        withheld=sum(len(record.marks) for record in dossier.records),
        size=len(archive),
        digest=commitment,
        bag=bag_digest(bundle),
        zip_sha256=digest(archive),
        received=request.received.isoformat(),
        summary=_summary(request.request_text),
        changes=changes,
        not_included=sum(not record.exemption for record in dossier.withheld),
    )


def withdrawal_of(last: LogEntry, reason: str, at: str) -> LogEntry:
    """The entry that takes a request's publications back. Of the old ones it keeps only what names them."""
    return LogEntry(
        reference=last.reference,
        title=last.title,
        published=at,
        version=last.version,
        outcome="withdrawn",
        digest=last.digest,
        bag=last.bag,
        zip_sha256=last.zip_sha256,
        reason=reason,
    )


def request_page(
    dossier: Dossier,
    policy: Policy,
    approval: Approval,
    entries: Sequence[LogEntry],
    key_id: str,
) -> bytes:
    """`disclosures/<reference>/index.html`: the newest response, its files, the versions before, how to verify.

    Args:
        dossier: of the newest version.
        policy: it was made under.
        approval: of it.
        entries: the request's readable publications, oldest first; the last is the newest.
        key_id: identifier of the key that signed it.
    """
    newest = entries[-1]
    folder = f"v{newest.version}/"
    return render_page(
        "request.html",
        **response_values(dossier, policy, approval),
        version=newest.version,
        first_given=entries[0].published,
        changes=newest.changes,
        files=f"{folder}data/records/",
        data=f"{folder}data/",
        folder=folder,
        newest=newest,
        older=list(reversed(entries[:-1])),
        key_id=key_id,
        algorithms=ALGORITHMS,
    )


def tombstone_page(entry: LogEntry, authority: Authority) -> bytes:
    """`disclosures/<reference>/index.html` of a withdrawn disclosure."""
    return render_page("tombstone.html", entry=entry, authority=authority)


def newest_first(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Entries as the log lists them."""
    return sorted(sorted(entries, key=lambda e: e.reference), key=lambda e: e.published, reverse=True)


@dataclass(frozen=True, slots=True)
class LogPart:
    """A page of the log's archive.

    Attributes:
        name: `2025`, or `2025, part 2`.
        path: below the log's folder.
        entries: newest first.
    """

    name: str
    path: str
    entries: tuple[LogEntry, ...]


def archive_parts(listed: Sequence[LogEntry]) -> tuple[LogPart, ...]:
    """The log by year, newest first.

    Parts of a year are filled from its beginning, so that a new publication changes the last part only. A new version
    of an old one, or its withdrawal, moves to its own date, and those behind it move up.

    Args:
        listed: newest first.
    """
    parts: list[LogPart] = []
    for year, of_year in groupby(reversed(listed), lambda entry: entry.published[:4]):
        entries = tuple(of_year)
        filled = [entries[at : at + PART_LENGTH] for at in range(0, len(entries), PART_LENGTH)]
        for number, part in enumerate(filled, 1):
            name = year if len(filled) == 1 else f"{year}, part {number}"
            parts.append(LogPart(name, f"{ARCHIVE}{year}-{number}.html", part[::-1]))
    return tuple(reversed(parts))


def _short(entry: LogEntry) -> tuple[object, ...]:
    """An older entry as the search of the first page knows it; `log.js` names the columns."""
    return (
        entry.reference,
        printable(entry.title),
        long_date(entry.published),
        entry.outcome,
        printable(_summary(entry.reason or entry.summary, SHORT_LENGTH)),
        entry.records,
        entry.pages,
        entry.withheld,
        entry.version,
        entry.not_included,
    )


def log_pages(entries: Sequence[LogEntry], authority: Authority) -> dict[str, bytes]:
    """The disclosure log, path -> bytes: `disclosures.json`, `feed.xml`, pages by year below `log/`, `index.html`.

    Args:
        entries: the current one of each request.
        authority: who publishes.
    """
    listed = newest_first(entries)
    first, older = listed[:FIRST_LENGTH], listed[FIRST_LENGTH:]
    parts = archive_parts(listed) if older else ()
    base = authority.url.rstrip("/")
    years = sorted({entry.published[:4] for entry in listed}, reverse=True)
    outcomes = {outcome: words for outcome, words in OUTCOME_WORDS.items() if any(e.outcome == outcome for e in listed)}
    feed = render_text(
        "feed.xml",
        entries=[replace(entry, summary=entry.reason or entry.summary) for entry in listed[:FEED_LENGTH]],
        authority=authority,
        base=base,
        updated=listed[0].published if listed else "1970-01-01T00:00:00Z",
    )
    index = render_page(
        "log.html",
        script="log.js",
        entries=first,
        older=[_short(entry) for entry in older],
        parts=parts,
        total=len(listed),
        authority=authority,
        years=years,
        outcomes=outcomes,
    )
    pages = {part.path: render_page("year.html", part=part, parts=parts, authority=authority) for part in parts}
    return {
        "disclosures.json": encode({"authority": authority.name, "url": base, "disclosures": listed}),
        "feed.xml": feed,
        **pages,
        "index.html": index,
    }
