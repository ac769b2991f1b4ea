"""What results depend on: the versions of the stages, of tools and libraries, and the settings.

Rule kept here: two results with one fingerprint are equal. Nothing that makes a result is imported: who only asks
whether one exists already needs no reader.
"""

from __future__ import annotations

from importlib.metadata import version

from tasks.codec import fingerprint
from tasks.reading.settings import Limits, OcrSettings
from tasks.reading.versions import engine_version, reader_version
from tasks.request import Policy

READING = 9
"""Raise it when reading the same file can give another transcript."""

REDACTION = 7
"""Raise it when the same transcript and policy can give other marks or bytes."""

GATE = 8
"""Raise it when the gate can find what it did not find before."""

DOSSIER = 4
"""Raise it when a dossier or a case says more than before: what is held is put together again."""

PIPELINE = f"foi-disclosure {version('foi-disclosure')} reading {READING} redaction {REDACTION} gate {GATE}"


def tool_versions() -> tuple[tuple[str, str], ...]:
    """Names and versions of what a result depends on besides this code."""
    return (
        ("pymupdf", version("pymupdf")),
        ("opencv", version("opencv-python-headless")),
        ("tesseract", engine_version().removeprefix("tesseract ")),
    )


def reading_fingerprint(settings: OcrSettings, limits: Limits) -> str:
    """What a transcript depends on besides the source's bytes."""
    return fingerprint(
        READING, tool_versions(), reader_version(), version("zxing-cpp"), version("pillow"), settings, limits
    )


def redaction_fingerprint(policy: Policy) -> str:
    """What marks and redacted files depend on besides the transcripts of their request."""
    libraries = [version(name) for name in ("phonenumbers", "tldextract", "rapidfuzz", "pymupdf", "pillow")]
    return fingerprint(REDACTION, libraries, policy.digest)


def gate_fingerprint(settings: OcrSettings) -> str:
    """What a report depends on besides file, plan and transcript: a stricter gate looks at everything again."""
    return fingerprint(GATE, tool_versions(), version("pikepdf"), version("pypdfium2"), settings)
