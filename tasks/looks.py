"""Who must look again: the gate and the readers at a record in doubt, a person at a page."""

from __future__ import annotations

from tasks.model import PageReview, RedactionPlan, VerificationReport

READABLE = frozenset({"A09", "A25"})
"""Findings that say: a withheld value, or a part of one, can still be read."""

REVIEW_FROM = 0.7
"""Score of a page's worst doubt from which a person must look; weaker doubts are listed and hold nothing up."""

LOOKS = 2
"""How often the gate may look before its refusal stands: a second look at the pages in doubt mends most of them."""


def pages_to_review(plan: RedactionPlan) -> tuple[PageReview, ...]:
    """The pages of a record that a person must look at before it leaves."""
    return tuple(review for review in plan.reviews if review.score >= REVIEW_FROM)


def doubtful_pages(report: VerificationReport) -> tuple[int, ...]:
    """Pages (0-based) on which the gate read something that a second look may find and mark."""
    return tuple(sorted({f.page for f in report.findings if f.code in READABLE and f.page is not None}))
