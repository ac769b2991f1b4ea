"""The jobs of `tasks.jobs` as their callers see them: typed on this side, apart on the other.

Values come back packed (`tasks.codec.pack`), because most callers only store them and hand them on.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.apart import Apart
from tasks.codec import decode, encode
from tasks.jobs import ReadingSettings, time_limit_s
from tasks.model import Media
from tasks.request import Policy

Packed = bytes


class Readers:
    """Every stage that touches a source file or a result of one, each call in a fresh process.

    All methods raise what `Apart.call` raises.

    Args:
        apart: the processes.
        settings: OCR settings and limits.
    """

    def __init__(self, apart: Apart, settings: ReadingSettings) -> None:
        self._apart = apart
        self._settings = encode(settings)

    def look(self, name: str, untrusted: bytes) -> Media:
        """What the file is, by its content; `name` only tells whether its suffix lies."""
        (media,) = self._apart.call("look", self._settings, name.encode(), untrusted)
        return decode(media, Media)

    def read(self, media: Media, untrusted: bytes) -> Packed:
        """The Transcript of the file."""
        limit = time_limit_s(media.pages)
        (transcript,) = self._apart.call("read", self._settings, encode(media), untrusted, timeout_s=limit)
        return transcript

    def read_again(self, media: Media, transcript: Packed, pages: Sequence[int], untrusted: bytes) -> Packed:
        """The Transcript with a second look at some pages (0-based)."""
        wanted, limit = encode(sorted(pages)), time_limit_s(len(pages))
        (looked,) = self._apart.call(
            "again", self._settings, encode(media), transcript, wanted, untrusted, timeout_s=limit
        )
        return looked

    def find(self, policy: Policy, transcript: Packed) -> Packed:
        """The Detections of one record."""
        (found,) = self._apart.call("find", _json(policy), transcript)
        return found

    def plan(self, policy: Policy, transcript: Packed, found: Packed, in_request: Sequence[Packed]) -> Packed:
        """The RedactionPlan of one record, given the Detections of every record of its request."""
        (plan,) = self._apart.call("plan", _json(policy), transcript, found, *in_request)
        return plan

    def redact(self, media: Media, plan: Packed, transcript: Packed, title: str, untrusted: bytes) -> bytes:
        """The redacted PDF."""
        blobs = (encode(media), plan, transcript, title.encode(), untrusted)
        (pdf,) = self._apart.call("redact", self._settings, *blobs)
        return pdf

    def gate(self, pdf: bytes, plan: Packed, transcript: Packed) -> Packed:
        """The VerificationReport on a redacted PDF."""
        (report,) = self._apart.call("gate", self._settings, pdf, plan, transcript)
        return report


def _json(policy: Policy) -> bytes:
    return policy.model_dump_json(by_alias=True).encode()
