"""All outputs of a request together: what one withholds no other shows, in whatever way it is written."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from urllib.parse import quote

import pytest

from tasks.casework import refuse_values
from tasks.codec import decode, encode
from tasks.errors import LeakFoundError
from tasks.jobs import search
from tasks.redaction.gate.values import check_values
from tasks.redaction.gate.values_in_pdf import check_visible
from tests.redaction.drawn import SECRETS, DrawnRecord, draw_page, record_of

VALUE = "O'Brien & Sons, 4 Sample Row"
MAIL = "jordan.example@police.example"

WRITTEN = {
    "HTML": html.escape(VALUE),
    "HTML by numbers": "".join(f"&#{ord(c)};" for c in MAIL),
    "between tags": "<b>jordan.example</b><wbr>@<span class='x'>police</span>.example",
    "a link": f"mailto:{quote(MAIL, safe='')}",
    "JSON": json.dumps(MAIL).replace("@", "\\u0040"),
    "an envelope": json.dumps({"payload": base64.b64encode(f'{{"name": "{MAIL}"}}'.encode()).decode()}),
    "an envelope for links": base64.urlsafe_b64encode(b"???>>>" + MAIL.encode()).decode(),
    "an envelope in an envelope": base64.b64encode(base64.b64encode(MAIL.encode())).decode(),
    "quoted printable": "jordan=2Eexample=40police=\r\n.example",
    "with soft hyphens": "jordan.exam\u00adple@po\u200blice.example",
    "UTF-16": MAIL,
}


@pytest.mark.parametrize("way", WRITTEN)
def test_a_value_is_found_however_it_is_written(way: str) -> None:
    blob = WRITTEN[way].encode("utf-16-le" if way == "UTF-16" else "utf-8")
    assert [finding.code for finding in check_values({"item": blob}, [VALUE, MAIL])] == ["A25"]
    assert check_values({"item": blob}, ["robin@elsewhere.example"]) == ()


def test_cells_of_a_table_do_not_run_together() -> None:
    table = b"<tr><td>020</td><td>7946</td><td>0123</td></tr>"
    assert check_values({"schedule": table}, ["020 7946 0123"]) == ()


def searched(pdf: bytes, values: Sequence[str]) -> tuple[str, ...]:
    """As the child searches that `Readers.search` asks."""
    (codes,) = search(encode(list(values)), pdf)
    return tuple(decode(codes, list[str]))


@pytest.fixture(scope="module")
def hidden() -> DrawnRecord:
    return record_of(draw_page())


@pytest.fixture(scope="module")
def shown() -> DrawnRecord:
    """The same values, not marked, on its second page."""
    return record_of(draw_page(("Nothing to see",), {}), draw_page(secrets={}, page=1))


def test_what_one_record_withholds_another_may_not_show(hidden: DrawnRecord, shown: DrawnRecord) -> None:
    records = {"001.pdf": hidden.apply(), "002.pdf": shown.apply()}
    assert check_visible({"001.pdf": records["001.pdf"]}, sorted(SECRETS)) == ()
    (finding,) = check_visible(records, sorted(SECRETS))
    assert (finding.code, finding.page) == ("A26", 1)
    assert "Record 2" in finding.message
    assert not any(value in repr(finding) for value in SECRETS)


def test_a_record_that_cannot_be_searched_is_a_finding() -> None:
    (finding,) = check_visible({"001.pdf": b"%PDF-1.7 broken"}, sorted(SECRETS))
    assert finding.code == "A00"


def test_a_bundle_with_such_a_record_is_refused(hidden: DrawnRecord, shown: DrawnRecord) -> None:
    first, second = {"data/records/001-a.pdf": hidden.apply()}, {"data/records/002-b.pdf": shown.apply()}
    refuse_values(first, set(SECRETS), searched)
    with pytest.raises(LeakFoundError, match="A26"):
        refuse_values({**first, **second}, set(SECRETS), searched)
