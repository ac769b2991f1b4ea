"""The request that the sample's records answer, and its clarification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.demo.documents.cast import CAMPAIGN, FORCE, withheld
from infra.demo.sheet import Truth, read_marks

REFERENCE = "01.FOI.26.012345"
REQUESTER = "Marguerite Oakshott"

REQUEST_TEXT = f"""I understand that {FORCE} runs an internal campaign on standards of behaviour, “{CAMPAIGN}”, which \
is shown to officers and staff on posters and on the intranet.

Please send me a copy of all material used in the campaign since {{4 March 2024}}, and the correspondence about where \
it is displayed and what it cost.

I would like the answer by e-mail to {withheld("m.oakshott@mailbox.example")}. If anything is unclear my number is \
{withheld("07700 900 954")}.

{REQUESTER}"""

QUESTION = """Your request could cover every poster and page on any standard of behaviour. Please tell us whether you \
mean only material that carries the campaign’s name, and whether correspondence may be limited to the second print run \
of {February 2026}."""

ANSWER = f"""Yes, only what carries the name, and yes, the second print run is enough. Reference as before. If it is \
quicker to talk, call {withheld("0161 496 0377")} after {{4pm}}.

M Oakshott"""


def write_request(records: Sequence[tuple[str, str, str]]) -> tuple[dict[str, Any], Truth]:
    """The content of `request.json`.

    Args:
        records: file, title and ISO date of each.
    """
    (text, in_text), (question, asked), (answer, answered) = map(read_marks, (REQUEST_TEXT, QUESTION, ANSWER))
    plain = {key: value.replace("\u00a0", " ") for key, value in (("t", text), ("q", question), ("a", answer))}
    content = {
        "reference": REFERENCE,
        "title": f"Internal campaign “{CAMPAIGN}”: posters, intranet material and their display",
        "received": "2026-11-02",
        "request_text": plain["t"],
        "requester": [REQUESTER, "M Oakshott"],
        "clarification": [
            {"from": "authority", "date": "2026-11-06", "text": plain["q"]},
            {"from": "requester", "date": "2026-11-11", "text": plain["a"]},
        ],
        "records": [{"file": file, "title": title, "date": date} for file, title, date in records],
        "review": "none",
    }
    return content, in_text + asked + answered
