"""What outside data may say: `request.json` and the policy.

Rule kept here: an unknown field or option fails at load, with its name. The JSON Schema of both is exported to
`infra/schema/` and a test keeps it equal.
"""

from __future__ import annotations

import re
from datetime import date as Date  # a field is called date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.codec import fingerprint
from tasks.errors import ConfigurationError, InvalidRequestError
from tasks.model import REFERENCE as REFERENCE
from tasks.model import Kind

SECTION = r"^s\.\d{1,2}[A-Z]?(\(\d{1,2}[A-Z]?\))*(\([a-z]{1,3}\))*$"

REVIEWER = re.compile(r"[^:@0-9]{2,80}")
"""Who decides: printed in the provenance, so a name and no contact detail."""

MIN_NAME_PART = 4
FORMS_OF_ADDRESS = ("Dear", "Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Prof", "Professor", "Sir", "Lady")
"""Characters; shorter parts of a name are ordinary words too often."""

Line = Annotated[str, Field(min_length=1, max_length=300)]
Paragraph = Annotated[str, Field(min_length=1, max_length=20_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Exchange(_Strict):
    """One letter of the clarification."""

    sender: Literal["authority", "requester"] = Field(alias="from")
    date: Date | None = None
    text: Paragraph = Field(repr=False)


class Exemption(_Strict):
    """One exemption claimed; what is left out is filled from the built-in text for its section, where there is one."""

    section: Annotated[str, Field(pattern=SECTION)]
    reason: Paragraph | None = None
    harm: Paragraph | None = None
    public_interest_for: tuple[Paragraph, ...] = ()
    public_interest_against: tuple[Paragraph, ...] = ()
    balance: Paragraph | None = None


class Decision(_Strict):
    """What the authority decided. Outcome `auto` follows from what was withheld."""

    outcome: Literal["auto", "all", "part", "refused"] = "auto"
    exemptions: tuple[Exemption, ...] = ()


class ListedRecord(_Strict):
    """A record the request names; `file` is relative to the request's folder, e.g. `records/memo.pdf`."""

    file: Annotated[str, Field(min_length=1, max_length=900, repr=False)]
    title: Line | None = Field(default=None, repr=False)
    date: Date | None = None


class PolicyOverrides(_Strict):
    """What one request may change of the policy."""

    withhold: tuple[Kind, ...] | None = None
    terms: tuple[Line, ...] = Field(default=(), repr=False)
    public_contacts: tuple[Line, ...] = ()
    keep_email_domain: bool | None = None


class Request(_Strict):
    """`request.json`, uploaded last by the upstream system."""

    reference: str
    title: Line
    received: Date
    request_text: Paragraph = Field(repr=False)
    requester: tuple[Line, ...] = Field(default=(), repr=False, description="names of the requester, withheld")
    clarification: tuple[Exchange, ...] = ()
    decision: Decision = Decision()
    records: tuple[ListedRecord, ...] | None = None
    policy: PolicyOverrides = PolicyOverrides()
    review: Literal["required", "none"] = "required"

    @property
    def requester_terms(self) -> tuple[str, ...]:
        """The requester's names as they may stand anywhere.

        Whole, each part that is long enough to mean them, and a shorter one behind a form of address.
        """
        splits = (r"[\s,_]+", r"[\s,_-]+")
        parts = [part for name in self.requester for split in splits for part in re.split(split, name)]
        alone = [part for part in parts if len(part) >= MIN_NAME_PART]
        short = [part for part in parts if 1 < len(part) < MIN_NAME_PART]
        addressed = [f"{form} {part}" for part in short for form in FORMS_OF_ADDRESS]
        return tuple(dict.fromkeys((*self.requester, *alone, *addressed)))

    @field_validator("reference")
    @classmethod
    def _reference_is_safe(cls, value: str) -> str:
        if not REFERENCE.fullmatch(value):
            raise ValueError("use 1 to 64 letters, digits, dots, dashes or underscores, letter or digit at both ends")
        return value


class Authority(_Strict):
    """Who answers; printed on the letter. Name, contact and address are placeholders until a policy says them."""

    name: Line = "The authority"
    unit: Line = "Information Access Unit"
    contact: Paragraph = Field(
        default="Use the contact form on the authority’s website, quoting the reference number.",
        description="how the public reaches the unit: a mail address, the address of a form, or a sentence with either",
    )
    internal_review: Paragraph | None = Field(
        default=None,
        description="how to ask for an internal review; by default through `contact`. The letter itself says within "
        "which time, and who carries it out",
    )
    alternative_formats: Paragraph | None = Field(
        default=None, description="how to ask for another format; by default through `contact`"
    )
    url: Annotated[str, Field(pattern=r"^https?://")] = Field(
        default="https://foi.example.org",
        description="where readers find the disclosure log; letters and the feed link to it",
    )
    key_url: Annotated[str, Field(pattern=r"^https?://")] | None = Field(
        default=None,
        description="where the public signing keys are published, somewhere other than in the disclosure log",
    )

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Names of the fields that nobody can default and the policy leaves at their placeholder."""
        fields = type(self).model_fields
        return tuple(name for name in ("name", "contact", "url") if getattr(self, name) == fields[name].default)

    @property
    def contact_words(self) -> str:
        """How to make contact, as a sentence."""
        words = self.contact
        if " " not in words:
            words = f"{'Use' if words.startswith('http') else 'Write to'} {words}"
        return words if words.endswith((".", "!", "?")) else f"{words}."

    @property
    def review_words(self) -> str:
        """How to ask for an internal review."""
        return self.internal_review or f"{self.contact_words} Say why you are not satisfied and quote the reference."

    @property
    def format_words(self) -> str:
        """How to ask for another format."""
        return self.alternative_formats or (
            "If you need this response or a record in another format (large print, audio, plain text), tell us which. "
            + self.contact_words
        )


class Policy(_Strict):
    """What is withheld, under which exemption, and what stays public."""

    version: Line = "2026-11"
    withhold: tuple[Kind, ...] = tuple(Kind)
    exemption: Annotated[str, Field(pattern=SECTION)] = "s.31(1)(a)"
    terms: tuple[Line, ...] = Field(default=(), repr=False)
    public_contacts: tuple[Line, ...] = ()
    keep_email_domain: bool = False
    grey_output: bool = Field(
        default=False, description="publish every page without colour, so that printers' tracking dots are gone"
    )
    release_without_unreadable: bool = Field(
        default=False,
        description="release a request that asks for no review without a person even if some of its records could not "
        "be read; the response promises that readable copies are asked for, and somebody has to ask for them",
    )
    exemptions: tuple[Exemption, ...] = ()
    authority: Authority = Authority()

    def with_overrides(self, overrides: PolicyOverrides) -> Policy:
        """The policy as one request changes it."""
        return self.model_copy(
            update={
                "withhold": self.withhold if overrides.withhold is None else overrides.withhold,
                "terms": self.terms + overrides.terms,
                "public_contacts": self.public_contacts + overrides.public_contacts,
                "keep_email_domain": (
                    self.keep_email_domain if overrides.keep_email_domain is None else overrides.keep_email_domain
                ),
            }
        )

    def withholds(self, kind: Kind) -> bool:
        """Whether this kind is withheld. What a request names, and what a person draws, always is."""
        return kind in (Kind.TERM, Kind.BOX) or kind in self.withhold

    @property
    def digest(self) -> str:
        """SHA-256 over the policy, hex."""
        return fingerprint(self.model_dump(mode="json"))


def fields_at_fault(error: ValidationError) -> str:
    """Names and rules of the invalid fields, without the values that were given."""
    return "; ".join(
        f"{'.'.join(_field_name(part) for part in fault['loc']) or 'the whole file'}: {_rule(fault['type'])}"
        for fault in error.errors(include_input=False, include_context=False, include_url=False)
    )


def _field_name(part: int | str) -> str:
    """A field's name, unless it is somebody's text in the place of one."""
    return str(part) if isinstance(part, int) or re.fullmatch(r"[A-Za-z_]{1,40}", part) else "(a name that is no field)"


def _rule(fault: str) -> str:
    """The rule that was broken, in words; pydantic's own code where that is clear enough."""
    if fault.startswith("date"):
        return "not a date like 2026-11-02"
    return {"extra_forbidden": "unknown field", "json_invalid": "not JSON"}.get(fault, fault.replace("_", " "))


MAX_REQUEST_BYTES = 1_000_000


def parse_request(untrusted: bytes, reference: str) -> Request:
    """The request in a `request.json`.

    Args:
        untrusted: the object's bytes.
        reference: name of the folder it came from; the file must say the same.

    Raises:
        InvalidRequestError: naming each field at fault, never its value.
    """
    if len(untrusted) > MAX_REQUEST_BYTES:
        raise InvalidRequestError(f"the whole file: larger than {MAX_REQUEST_BYTES} bytes", subject=reference)
    try:
        request = Request.model_validate_json(untrusted)
    except ValidationError as error:
        raise InvalidRequestError(fields_at_fault(error), subject=f"{reference}/request.json") from None
    if request.reference != reference:
        raise InvalidRequestError("reference: differs from its folder", subject=f"{reference}/request.json")
    return request


def parse_policy(untrusted: bytes) -> Policy:
    """The policy in a JSON file.

    Raises:
        ConfigurationError: naming each field at fault.
    """
    try:
        return Policy.model_validate_json(untrusted)
    except ValidationError as error:
        raise ConfigurationError(f"Policy: {fields_at_fault(error)}") from None
