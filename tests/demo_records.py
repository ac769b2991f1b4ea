"""The records of the demo, taken the way the pipeline takes them, once for all tests that look at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from infra.demo.sample import build_sample
from tasks.errors import RejectedInputError
from tasks.model import Media, PageRaster, RedactionPlan
from tasks.pipeline import find_in_record, gate_record, plan_in_request, read_record, redact_record
from tasks.reading.media import inspect
from tasks.reading.rasterise import rasterise
from tasks.reading.settings import Limits, OcrSettings
from tasks.request import Policy, parse_request

TITLE = "A record of the demo"


@dataclass(frozen=True)
class DemoRecord:
    """A record as it came, what was to be hidden in it, and what the gate let out."""

    source: bytes
    media: Media
    plan: RedactionPlan
    pdf: bytes

    def pages(self) -> list[PageRaster]:
        """The source's pages."""
        return list(rasterise(self.source, self.media, Limits()))


@cache
def demo_records() -> tuple[DemoRecord, ...]:
    """The seven that can be read; takes about a minute."""
    limits, settings = Limits(), OcrSettings()
    sample = build_sample()
    policy = Policy().with_overrides(parse_request(sample.files["request.json"], sample.reference).policy)
    read = []
    for name, data in sample.files.items():
        try:
            media = inspect(data, name, limits)
            read.append((data, media, read_record(data, media, settings, limits)))
        except RejectedInputError:
            continue
    found = [find_in_record(transcript, policy) for _, _, transcript in read]
    every = [claim for claims in found for claim in claims]
    made = []
    for (data, media, transcript), own in zip(read, found, strict=True):
        plan = plan_in_request(transcript, own, every, policy)
        pdf = redact_record(data, media, plan, transcript, TITLE, limits)
        assert gate_record(pdf, plan, transcript, settings).findings == ()
        made.append(DemoRecord(data, media, plan, pdf))
    assert len(made) == 7
    assert sum(len(record.plan.marks) for record in made) > 20
    return tuple(made)
