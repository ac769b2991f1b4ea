"""A seeded set of requests with records and their truth.

    python -m tests.corpus.write DIR --seed N --records N [--template NAME ...]

writes DIR/requests/<reference>/request.json and records/*, DIR/truth/<reference>/records/<file>.json and
DIR/truth/<reference>/request.truth.json.

Truth of a page: its `width` and `height` are the px to judge it at. `entities` are the contact details (`public` ones
must stay), `negatives` the look-alikes, `words` everything printed (`ref` to an entity or a look-alike, `label` for a
label beside a value). `quads` are corners in px, one for each piece of a line, clockwise from the top left of the text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.corpus import letters, notices, tables
from tests.corpus.cast import Cast
from tests.corpus.files import Packed, pack
from tests.corpus.leaf import Leaf, Point
from tests.corpus.marked import Note, Role, plain
from tests.corpus.qualities import PASSAGES, QUALITIES, Page, pass_through

Template = Callable[[Cast], list[Leaf]]
TEMPLATES: tuple[Template, ...] = (
    letters.council_letter,
    tables.duty_roster,
    notices.filled_form,
    letters.email_thread,
    tables.phone_sheet,
    notices.newsletter,
    tables.incident_log,
    tables.card_sheet,
    letters.fax_cover,
    tables.contact_directory,
    notices.parking_notice,
    tables.minutes,
    notices.message_slips,
    tables.org_chart,
    letters.plain_policy,
    tables.purchase_order,
    notices.staff_page,
    letters.bilingual_letter,
    tables.vehicle_table,
    notices.poster,
    tables.on_call_sheet,
    letters.labelled_letter,
    tables.print_log,
)
RECORDS_A_REQUEST = 2


@dataclass(frozen=True, slots=True)
class Record:
    """One file with its truth."""

    pages: tuple[Page, ...]
    packed: Packed


def draw_record(template: Template, quality: str, seed: str) -> Record:
    """One record of a template in a quality; some office records hold a page that was never scanned."""
    cast = Cast(seed)
    leaves = template(cast)
    versos = [*leaves[1:], leaves[0]]
    passage = PASSAGES[quality](cast.random) if quality in PASSAGES else None
    pages = [
        pass_through(leaf, quality, passage, cast, f"{seed} {number}", verso)
        for number, (leaf, verso) in enumerate(zip(leaves, versos, strict=True))
    ]
    if quality == "office" and cast.random.random() < 0.2:
        pages.append(pass_through(letters.council_letter(cast)[0], "digital", None, cast, seed))
    return Record(tuple(pages), pack(pages, cast))


def take_turns(seed: int, records: int, templates: Sequence[Template] = TEMPLATES) -> list[tuple[Template, str]]:
    """Template and quality of each record of a set, so that each template meets each quality in time."""
    return [
        (
            templates[(number + seed * 7) % len(templates)],
            QUALITIES[(number + number // len(QUALITIES) + seed) % len(QUALITIES)],
        )
        for number in range(records)
    ]


def draw_set(seed: int, turns: Sequence[tuple[Template, str]]) -> Iterator[tuple[str, str, Record]]:
    """Reference, file name and record, one for each template and quality."""
    for number, (template, quality) in enumerate(turns):
        record = draw_record(template, quality, f"{seed}/{number}")
        reference = f"REQ-{seed:03d}-{number // RECORDS_A_REQUEST + 1:03d}"
        yield reference, f"{number + 1:03d}_{record.pages[0].leaf.template}{record.packed.suffix}", record


def truth_of(record: Record, path: str) -> dict[str, object]:
    """What is known of a record; `path` is relative to the folder of requests."""
    return {
        "file": path,
        "format": record.packed.form,
        "profile": record.pages[0].quality,
        "template": record.pages[0].leaf.template,
        "hidden": list(record.packed.hidden.values()),
        "hidden_where": record.packed.hidden,
        "pages": [_page_truth(number, page) for number, page in enumerate(record.pages)],
    }


def write_set(folder: Path, seed: int, turns: Sequence[tuple[Template, str]]) -> int:
    """Write a whole set below `folder`; returns how many pages it has."""
    pages = 0
    for reference, name, record in draw_set(seed, turns):
        path = f"{reference}/records/{name}"
        _put(folder / "requests" / path, record.packed.content)
        _put(folder / "truth" / f"{path}.json", _json(truth_of(record, path)))
        if not (folder / "requests" / reference / "request.json").exists():
            _write_request(folder, reference, seed)
        pages += len(record.pages)
    return pages


def _write_request(folder: Path, reference: str, seed: int) -> None:
    cast = Cast(f"{seed}/{reference}")
    asker = cast.person()
    own = plain(cast.email(asker))
    text = f"Please send me the papers of the last year. You may reach me at {own}.\n\n{asker.name}"
    request = {
        "reference": reference,
        "title": "Papers of the last year",
        "received": "2024-03-11",
        "request_text": text,
    }
    _put(folder / "requests" / reference / "request.json", _json(request))
    truth = {"reference": reference, "authority": cast.body, "hidden": [own]}
    _put(folder / "truth" / reference / "request.truth.json", _json(truth))


def _page_truth(number: int, page: Page) -> dict[str, object]:
    names: dict[int, str] = {}
    found: dict[int, dict[str, object]] = {}
    for piece, quad in page.values:
        note = piece.note
        assert note is not None
        if note.role is Role.LABEL:
            continue
        mark = "n" if note.role is Role.KEPT else "e"
        names.setdefault(id(note), f"{mark}{number}{len(names):04d}")
        entry = found.setdefault(id(note), _entry(names[id(note)], note, piece.light))
        _add_line(entry, piece.text, quad)
    entries = list(found.values())
    words = []
    for piece, quad in page.words:
        word: dict[str, object] = {"text": piece.text, "box": _box(quad), "quad": _rounded(quad)}
        if piece.note and piece.note.role is Role.LABEL:
            word["label"] = True
        elif piece.note:
            word["ref"] = names[id(piece.note)]
        words.append(word)
    return {
        "page": number,
        "width": page.size_px[0],
        "height": page.size_px[1],
        "template": page.leaf.template,
        "profile": page.quality,
        "born_digital": page.scan is None,
        "dpi": [round(r) for r in page.scan.dpi] if page.scan else [150, 150],
        "mode": page.mode,
        "skew_deg": round(page.skew_degrees, 2),
        "quarter_turns": page.quarter_turns,
        "entities": [entry for entry in entries if str(entry["id"])[0] == "e"],
        "negatives": [entry for entry in entries if str(entry["id"])[0] == "n"],
        "words": words,
    }


def _entry(name: str, note: Note, light: bool) -> dict[str, object]:
    return {
        "id": name,
        "type": note.kind,
        "subtype": note.form,
        "text": note.text,
        "public": note.role is Role.PUBLIC,
        "lines": [],
        "boxes": [],
        "quads": [],
        "polarity": "light" if light else "dark",
        "height": 0.0,
    }


def _add_line(entry: dict[str, object], text: str, quad: Sequence[Point]) -> None:
    height = ((quad[3][0] - quad[0][0]) ** 2 + (quad[3][1] - quad[0][1]) ** 2) ** 0.5
    entry["height"] = max(float(str(entry["height"])), round(height, 1))
    for key, value in (("lines", text), ("boxes", _box(quad)), ("quads", _rounded(quad))):
        entry[key].append(value)  # type: ignore[attr-defined]


def _box(quad: Sequence[Point]) -> list[int]:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return [int(min(xs)), int(min(ys)), int(max(xs)) + 1, int(max(ys)) + 1]


def _rounded(quad: Sequence[Point]) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in quad]


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main() -> None:
    """Write a set and say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=46)
    parser.add_argument("--template", nargs="*", default=[], help="only these, by name")
    options = parser.parse_args()
    chosen = [each for each in TEMPLATES if not options.template or each.__name__ in options.template]
    pages = write_set(options.folder, options.seed, take_turns(options.seed, options.records, chosen))
    print(f"{options.records} records, {pages} pages in {options.folder}")


if __name__ == "__main__":
    main()
