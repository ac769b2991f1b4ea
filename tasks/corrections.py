"""Corrections of a request's marks by persons: asked for, checked against what was shown, kept.

Rules kept here:

* a correction is an object written once, bound to the digest of the dossier it was made on, and refused when another
  one is held by now;
* **removing a mark makes its value public in this request.** While any other mark withholds the same value the removal
  is refused, and the message names those marks: all of them go, or none. So the gate and the sweep for repeated values
  never have to know a value that is withheld here and shown there;
* a drawn box hides a place and says nothing about values; a term hides a value wherever it stands;
* corrections stay with the request: when it is processed again they are followed again, each in the files it was made
  on.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.codec import decode, digest, encode
from tasks.decisions import corrections_in_force, read_log, record_decision
from tasks.model import Act, Area, Case, Correction, Detection, Dossier, Mark, RedactedRecord
from tasks.redaction.gate.values import CONFUSED, LEAST_DIGITS, check_values, national_digits
from tasks.review.asked import Asked, CorrectionRefusedError, check_terms, parse_asked, parse_box, parse_mark
from tasks.review.claims import claims_under
from tasks.status import now
from tasks.typed import holds_contact
from tasks.workplace import Workplace


def upload_asked(place: Workplace, reference: str, asked: Asked) -> str:
    """Put what a person asks for into the work bucket; returns its name, which gives nothing away."""
    salted = encode(asked.model_copy(update={"salt": secrets.token_hex(16)}).model_dump(mode="json"))
    name = digest(salted)
    place.save_bytes(_asked_key(reference, name), salted, "application/json")
    return name


def load_asked(place: Workplace, reference: str, name: str) -> Asked:
    """What was asked for under a name.

    Raises:
        CorrectionRefusedError: there is no such object, or it is another by now.
    """
    if not place.has(_asked_key(reference, name)):
        raise CorrectionRefusedError("There is no corrections file of this name.")
    data = place.load_bytes(_asked_key(reference, name))
    if digest(data) != name:
        raise CorrectionRefusedError("The corrections file was changed.")
    return parse_asked(data)


def load_corrections(place: Workplace, reference: str) -> tuple[tuple[str, ...], tuple[Correction, ...]]:
    """Names and contents of the corrections in force, in the order they were made."""
    names = corrections_in_force(read_log(place, reference))
    return names, tuple(load_correction(place, reference, name) for name in names)


def load_correction(place: Workplace, reference: str, name: str) -> Correction:
    """A correction that was made.

    Raises:
        CorrectionRefusedError: it was changed since.
    """
    data = place.load_bytes(_key(reference, name))
    if digest(data) != name:
        raise CorrectionRefusedError("A correction was changed after it was made.")
    return decode(data, Correction)


def make_correction(
    place: Workplace,
    reference: str,
    dossier: str,
    asked: Asked,
    by: str,
    why: str = "",
    *,
    going_on: bool = False,
) -> str:
    """Check what is asked for against the dossier that was shown, and keep it; returns the correction's name.

    The same correction, made again because its run was cut off, is the one that was made; with `going_on` there may be
    no other.

    Raises:
        CorrectionRefusedError: nothing is asked for; a mark, page or box is not there; or a removed mark's value would
            stay withheld elsewhere.
    """
    content = place.load(f"dossiers/{reference}/{dossier}.json.gz", Dossier)
    case = place.load(f"cases/{reference}/{dossier}.json.gz", Case)
    check_terms(asked.terms)
    removed = _marks_asked_for(content, asked)
    if not (removed or asked.boxes or asked.terms):
        raise CorrectionRefusedError("Nothing is asked for.")
    if holds_contact(asked.public_reason, place.policy, asked.terms):
        raise CorrectionRefusedError("The public reason holds a contact detail, or what is to be withheld.")
    if removed:
        _refuse_partial_removal(load_shown(place, content, case), {(r.number, m.number) for r, m in removed})
    made = Correction(
        reference,
        dossier,
        tuple(Area(record.source_sha256, mark.page, mark.regions) for record, mark in removed),
        tuple(dict.fromkeys(_drawn(content, asked))),
        tuple(dict.fromkeys(asked.terms)),
        asked.reason or why,
        by,
        now(),
        secrets.token_hex(16),
        asked.exemption,
        asked.public_reason,
    )
    name = _made_before(place, made)
    if not name and going_on:
        raise CorrectionRefusedError("A run of this request is at work.")
    if not name:
        name = digest(encode(made))
        place.save_bytes(_key(reference, name), encode(made), "application/json")
    record_decision(place, reference, Act.CORRECT, dossier, by, correction=name)
    return name


def _made_before(place: Workplace, made: Correction) -> str:
    """The name of the same correction when it is the last in force: a step that is tried again makes no second one."""
    names = corrections_in_force(read_log(place, made.reference))
    if not names:
        return ""
    last = load_correction(place, made.reference, names[-1])
    return names[-1] if replace(last, at=made.at, salt=made.salt) == made else ""


def refuse_correction(place: Workplace, reference: str, dossier: str, name: str) -> None:
    """Note that the gate refused what a correction led to: it counts no more."""
    record_decision(place, reference, Act.REFUSE, dossier, "the gate", correction=name)


# ------------------------------------------------------------------------------------------------ what was shown


@dataclass(frozen=True, slots=True)
class ShownMark:
    """A mark with what it stands for; `name` is `record.mark`."""

    record: int
    mark: Mark
    claims: tuple[Detection, ...]

    @property
    def name(self) -> str:
        """As the review pack numbers it."""
        return f"{self.record}.{self.mark.number}"

    @property
    def values(self) -> tuple[str, ...]:
        """What is withheld by it."""
        return tuple(dict.fromkeys(claim.text.strip() for claim in self.claims if claim.text.strip()))


def load_shown(place: Workplace, content: Dossier, case: Case) -> tuple[ShownMark, ...]:
    """Every mark of a dossier with its claims."""
    shown = []
    for record, keys in zip(content.records, case.records, strict=True):
        claims = place.load(keys.claims, tuple[Detection, ...]) if keys.claims else ()
        by_page: dict[int, list[Detection]] = {}
        for claim in claims:
            by_page.setdefault(claim.page, []).append(claim)
        shown += [ShownMark(record.number, m, claims_under(m, by_page.get(m.page, ()))) for m in record.marks]
    return tuple(shown)


def marks_alike(shown: Sequence[ShownMark]) -> dict[str, tuple[str, ...]]:
    """For each mark the names of the others that withhold the same value, as the gate compares values."""
    by_value: dict[str, set[str]] = {}
    for one in shown:
        for value in one.values:
            by_value.setdefault(value, set()).add(one.name)
    forms = {value: _form(value) for value in by_value}
    names: dict[str, set[str]] = {one.name: set() for one in shown}
    for value, form in forms.items():
        likely = (other for other, its in forms.items() if its[1] in form[0] or form[1] in its[0])
        alike = set().union(*(by_value[other] for other in likely if is_same(value, other)))
        for name in by_value[value]:
            names[name] |= alike
    order = [one.name for one in shown]
    return {name: tuple(o for o in order if o in found and o != name) for name, found in names.items()}


def together(name: str, alike: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The marks that can only be removed with a mark: those alike, those alike to them, and so on; itself first."""
    found = [name]
    for one in found:
        found += [other for other in alike[one] if other not in found]
    return tuple(found)


def is_same(value: str, other: str) -> bool:
    """Whether showing the one would show the other."""
    if _plain(value) == _plain(other):
        return True
    return bool(check_values({"one": value}, [other]) or check_values({"one": other}, [value]))


def _plain(value: str) -> str:
    return "".join(c for c in value.casefold() if c.isalnum())


def _form(value: str) -> tuple[str, str]:
    """A value as the text another may stand in, and as what is sought in such a text; comparing in full is dear."""
    whole = "".join(c for c in unicodedata.normalize("NFKC", value).casefold().translate(CONFUSED) if c.isalnum())
    number = national_digits(value)
    return whole, number if len(number) >= LEAST_DIGITS else whole


def _refuse_partial_removal(shown: Sequence[ShownMark], removed: set[tuple[int, int]]) -> None:
    going = [one for one in shown if (one.record, one.mark.number) in removed]
    names = {one.name for one in going}
    alike = marks_alike(shown)
    for one in going:
        others = [name for name in alike[one.name] if name not in names]
        if others:
            raise CorrectionRefusedError(
                f"Mark {one.name} withholds what {_listed(others)} withhold{'s' if len(others) == 1 else ''} too: "
                "remove all of them, or none."
            )


def _listed(names: Sequence[str]) -> str:
    first = ", ".join(names[:8])
    return first if len(names) <= 8 else f"{first} and {len(names) - 8} others"


def _marks_asked_for(content: Dossier, asked: Asked) -> list[tuple[RedactedRecord, Mark]]:
    marks = {(r.number, m.number): (r, m) for r in content.records for m in r.marks}
    wanted = [(name, parse_mark(name)) for name in dict.fromkeys(asked.remove)]
    unknown = [name for name, numbers in wanted if numbers not in marks]
    if unknown:
        raise CorrectionRefusedError(f"There is no mark {_listed(unknown)}.")
    return [marks[numbers] for _, numbers in wanted]


def _drawn(content: Dossier, asked: Asked) -> Iterator[Area]:
    records = {record.number: record for record in content.records}
    for name in asked.boxes:
        number, page, box = parse_box(name)
        if number not in records or not 1 <= page <= len(records[number].pages):
            raise CorrectionRefusedError(f"There is no page {page} in a record {number}.")
        inside = box.clipped(*records[number].pages[page - 1])
        if inside.width <= 0 or inside.height <= 0:
            raise CorrectionRefusedError(f"The box on page {page} of record {number} covers nothing.")
        yield Area(records[number].source_sha256, page - 1, (inside,))


def concerning(corrections: Iterable[Correction], source: str) -> tuple[Correction, ...]:
    """The corrections that change anything in a file."""
    return tuple(c for c in corrections if c.terms or any(area.source == source for area in (*c.removed, *c.drawn)))


def _key(reference: str, name: str) -> str:
    return f"corrections/{reference}/{name}.json"


def _asked_key(reference: str, name: str) -> str:
    return f"corrections/{reference}/asked/{name}.json"
