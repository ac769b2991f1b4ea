"""Why something is withheld, in words a person can defend.

Rule kept here: the text for one section comes from three places, the later overriding field by field: what is built in
(s.31(1)(a), s.40(2)), the policy, the request's decision. What none of them says stays empty and is reported missing;
nothing is made up. Explanations stay general, because s.17(4) forbids one that would itself disclose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.request import Exemption


@dataclass(frozen=True, slots=True)
class ExemptionText:
    """What the response says of one exemption.

    Attributes:
        section: e.g. `s.31(1)(a)`.
        subject: what the section is about, e.g. `Law enforcement: ...`; "" when the section is not in part II.
        reason: why it applies, s.17(1)(c).
        harm: the prejudice; only prejudice-based sections need it.
        public_interest_for: considerations favouring disclosure.
        public_interest_against: considerations favouring withholding.
        balance: where the balance lies.
        scope: what the built-in reason says of how far the exemption reaches; "" beside any other reason.
        others: what persons withheld under it for reasons of their own: (reason, number of parts).
    """

    section: str
    subject: str
    reason: str = ""
    harm: str = ""
    public_interest_for: tuple[str, ...] = ()
    public_interest_against: tuple[str, ...] = ()
    balance: str = ""
    scope: str = ""
    others: tuple[tuple[str, int], ...] = ()

    @property
    def absolute(self) -> bool:
        """Whether s.2(3) spares it the public interest test."""
        return is_absolute(self.section)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the law wants said of it and nobody has said."""
        wanted = [("the reason why it applies", self.reason or "".join(reason for reason, _ in self.others))]
        if is_prejudice_based(self.section):
            wanted.append(("the harm disclosure would cause", self.harm))
        if not self.absolute:
            wanted += [
                ("the public interest in disclosure", "".join(self.public_interest_for)),
                ("the public interest in withholding", "".join(self.public_interest_against)),
                ("the balance of the public interest", self.balance),
            ]
        return tuple(name for name, text in wanted if not text.strip())


_SUBJECTS = {
    "21": "Information reasonably accessible by other means",
    "22": "Information intended for future publication",
    "22A": "Research",
    "23": "Bodies dealing with security matters",
    "24": "National security",
    "26": "Defence",
    "27": "International relations",
    "28": "Relations within the United Kingdom",
    "29": "The economy",
    "30": "Investigations and proceedings",
    "31": "Law enforcement",
    "32": "Court records",
    "33": "Audit functions",
    "34": "Parliamentary privilege",
    "35": "Formulation of government policy",
    "36": "Effective conduct of public affairs",
    "37": "Communications with the Sovereign and honours",
    "38": "Health and safety",
    "39": "Environmental information",
    "40": "Personal information",
    "41": "Information provided in confidence",
    "42": "Legal professional privilege",
    "43": "Commercial interests",
    "44": "Prohibitions on disclosure",
}

_ABSOLUTE = ("21", "23", "32", "34", "40(1)", "40(2)", "41", "44")
_SILENT = (
    *(
        "22(2)",
        "22A(2)",
        "23(5)",
        "24(2)",
        "26(3)",
        "27(4)",
        "28(3)",
        "29(2)",
        "30(3)",
        "31(3)",
        "32(3)",
        "33(3)",
        "34(2)",
    ),
    *("35(3)", "36(3)", "37(2)", "38(2)", "39(2)", "40(5)", "40(5A)", "40(5B)", "41(2)", "42(2)", "43(3)", "44(2)"),
)
"""The limbs of part II that lift the duty to confirm or deny whether information is held (s.1(1)(a), s.2(1))."""

_PREJUDICE = ("26", "27(1)", "28", "29", "31", "33", "36", "38", "43(2)")


def _within(section: str, listed: Sequence[str]) -> bool:
    """Whether a section is one of `listed` or a limb of one."""
    name = section.removeprefix("s.")
    return any(name == entry or name.startswith(f"{entry}(") for entry in listed)


def is_absolute(section: str) -> bool:
    """Whether the exemption is absolute (s.2(3)): no public interest test."""
    return _within(section, _ABSOLUTE)


def is_prejudice_based(section: str) -> bool:
    """Whether the exemption needs evidence that disclosure would, or would be likely to, cause prejudice."""
    return _within(section, _PREJUDICE)


def is_silent(section: str) -> bool:
    """Whether relying on it means neither confirming nor denying that the information is held."""
    return _within(section, _SILENT)


def spoken(section: str) -> str:
    """`s.31(1)(a)` as `section 31(1)(a)`."""
    return section.replace("s.", "section ", 1)


def subject_of(section: str) -> str:
    """What the section is about, or ""."""
    found = re.match(r"s\.(\d{1,2}[A-Z]?)", section)
    return _SUBJECTS.get(found.group(1), "") if found else ""


_BUILT_IN = (
    ExemptionText(
        section="s.31(1)(a)",
        subject="Law enforcement: the prevention or detection of crime",
        reason=(
            "The records give direct ways of reaching officers, staff, teams and buildings that the authority does not "
            "publish: direct telephone numbers, individual and team mailboxes, internal extensions, account names, "
            "internal addresses and the like. Section 31(1)(a) exempts information whose disclosure would, or would be "
            "likely to, prejudice the prevention or detection of crime. Disclosure under the Act is disclosure to the "
            "world."
        ),
        scope=(
            "The exemption is applied to those details, and to as little else as the scan allows; the routes by which "
            "the public is invited to make contact have been left in."
        ),
        harm=(
            "Publishing unadvertised contact details would be likely to let people who wish to disrupt the authority’s "
            "work reach the people doing it: by flooding operational lines and mailboxes with calls and messages, by "
            "sending fraudulent or malicious messages that appear to come from a colleague, by impersonating a "
            "department, and by targeting individuals. Time spent dealing with such contact is taken from calls, "
            "investigations and the protection of the public, and a mailbox or line that is compromised can expose "
            "live operational information. The details could also be collected from successive disclosures and "
            "combined. The likelihood is real and not remote, because unpublished contact details of public bodies "
            "are known to be used in this way once they can be found."
        ),
        public_interest_for=(
            "Disclosing the records in full would show completely who holds and handles the information, and would "
            "add to openness about how the authority is organised.",
            "Some members of the public would find it convenient to reach a particular team directly.",
        ),
        public_interest_against=(
            "There is a strong public interest in the authority being able to prevent and detect crime without its "
            "working lines of communication being obstructed or abused.",
            "The details add almost nothing to an understanding of what the records say: their substance has been "
            "disclosed.",
            "The authority already publishes ways to contact it, which are monitored and are able to direct every "
            "enquiry to the right place.",
        ),
        balance=(
            "The interest in openness is met by the disclosure of the records themselves. What remains withheld would "
            "tell the public little, and would give those who mean to interfere with law enforcement a practical "
            "means of doing so. We therefore find that the public interest in maintaining the exemption outweighs "
            "the public interest in disclosure."
        ),
    ),
    ExemptionText(
        section="s.40(2)",
        subject="Personal information of other people",
        reason=(
            "The withheld information identifies living individuals other than the requester, or can be "
            "linked to them, and is their personal data within section 3(2) of the Data Protection Act 2018. It is "
            "exempt under section 40(2) by virtue of the condition in section 40(3A)(a), because giving it to "
            "a member of the public otherwise than under the Act would contravene a data protection principle: "
            "Article 5(1)(a) of the UK GDPR requires personal data to be processed lawfully, fairly and in a "
            "transparent manner. The only lawful basis that could apply is the legitimate interests of the public in "
            "Article 6(1)(f). There is a legitimate interest in knowing how the authority acts, and the disclosure of "
            "the rest of the records serves it; it is not necessary for that purpose to name or to give the "
            "details of the individuals concerned. They would not reasonably expect those details to be published, and "
            "publication could cause them unwarranted distress or intrusion. Disclosure would not be lawful or fair."
        ),
        balance=(
            "Where the condition in section 40(3A)(a) is met the exemption is absolute, and the Act requires no "
            "separate public interest test; the interests of the public and of the individuals were weighed in "
            "deciding whether disclosure would be lawful and fair."
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class WithheldPart:
    """A part that is withheld, as far as the reason depends on it.

    Attributes:
        contact: whether it is a contact detail.
        reason: the public one that a person gave for it, or "".
    """

    contact: bool
    reason: str = ""


_WIDER_SCOPE = (
    "The exemption is applied to those details, to the other parts named below, and to as little else as the scan "
    "allows; the routes by which the public is invited to make contact have been left in."
)


def _built_in(section: str) -> ExemptionText:
    """The text that comes with the package for a section or the limb's parent; empty where there is none."""
    for text in _BUILT_IN:
        if _within(section, (text.section.removeprefix("s."),)):
            return replace(text, section=section)
    return ExemptionText(section=section, subject=subject_of(section))


def _extended(text: ExemptionText, given: Exemption) -> ExemptionText:
    """`text` with every field that `given` fills."""
    return replace(
        text,
        reason=given.reason or text.reason,
        scope="" if given.reason else text.scope,
        harm=given.harm or text.harm,
        public_interest_for=given.public_interest_for or text.public_interest_for,
        public_interest_against=given.public_interest_against or text.public_interest_against,
        balance=given.balance or text.balance,
    )


def exemption_text(
    section: str, policy: Sequence[Exemption], decision: Sequence[Exemption], parts: Sequence[WithheldPart] = ()
) -> ExemptionText:
    """What the response says of `section`: built in, overridden by the policy, overridden by the request's decision.

    Args:
        section: e.g. `s.31(1)(a)`.
        policy: what the policy says of exemptions.
        decision: what the request's decision says of them.
        parts: what is withheld under it. Where none is a contact detail, what is built in about contact details is
            left out.
    """
    text = _built_in(section)
    if text.scope and parts and not any(part.contact for part in parts):
        text = ExemptionText(section=section, subject=text.subject)
    for given in (*policy, *decision):
        if given.section == section:
            text = _extended(text, given)
    return told_of_parts(text, parts)


def told_of_parts(text: ExemptionText, parts: Sequence[WithheldPart]) -> ExemptionText:
    """`text` with what persons said of parts that they withheld, and with a scope that is true beside it."""
    others = Counter(part.reason for part in parts if part.reason)
    scope = _WIDER_SCOPE if text.scope and others else text.scope
    return replace(text, others=tuple(others.items()), scope=scope)


def _order(section: str) -> tuple[int, str]:
    found = re.match(r"s\.(\d+)", section)
    return (int(found.group(1)) if found else 0, section)


def in_order(sections: Sequence[str]) -> tuple[str, ...]:
    """Distinct sections as the Act numbers them."""
    return tuple(sorted(set(sections), key=_order))
