import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.contacts.plain import Span, find_in_text, withhold_in_text
from tasks.contacts.text import NO_WORD, text_of_lines
from tasks.geometry import Box
from tasks.model import Kind, Word
from tasks.request import Policy

TOKENS = st.text(st.characters(exclude_categories=("Zs", "Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)


@st.composite
def lines_of_words(draw: st.DrawFn) -> list[list[Word]]:
    lines = []
    for n, tokens in enumerate(draw(st.lists(st.lists(TOKENS, min_size=1, max_size=6), max_size=6))):
        x, line = 10, []
        for token in tokens:
            x += draw(st.integers(1, 90))
            line.append(Word(token, Box(x, 30 * n, x + 10 * len(token), 30 * n + 20), 90, n))
            x += 10 * len(token)
        lines.append(line)
    return lines


@given(lines_of_words())
def test_mapping_words_to_text_and_back_loses_nothing(lines: list[list[Word]]) -> None:
    text = text_of_lines(lines)
    flat = [w for line in lines for w in line]
    assert list(text.words) == flat
    assert len(text.text) == len(text.owner)
    assert "".join(c for c, o in zip(text.text, text.owner, strict=True) if o != NO_WORD) == "".join(
        w.text for w in flat
    )
    for i, word in enumerate(flat):
        start, end = text.span_of(i)
        assert text.text[start:end] == word.text
        assert text.words_of(start, end) == (i,)
    assert text.words_of(0, len(text.text)) == tuple(range(len(flat)))


@given(lines_of_words())
def test_layout_characters_say_what_the_page_shows(lines: list[list[Word]]) -> None:
    text = text_of_lines(lines)
    assert text.text.count("\n") == max(0, len([line for line in lines if line]) - 1)


def test_a_wide_gap_is_a_tab_unless_the_line_is_justified() -> None:
    line = [Word("one", Box(0, 0, 30, 20), 90, 0), Word("two", Box(80, 0, 110, 20), 90, 0)]
    assert text_of_lines([line]).text == "one\ttwo"
    assert text_of_lines([line], [True]).text == "one two"


LETTER = (
    "Please write to any.person@example.com or 20 Marsh Lane, Thatford ZZ9 9ZZ (tel 020 7946 0958).\n"
    "Ring 101 or 0800 555 111. See www.ico.org.uk, my ref FOI-12345-22 of 3 May 2023. Any Person"
)


def test_plain_text_keeps_what_is_public_and_what_is_no_contact() -> None:
    published = withhold_in_text(LETTER, Policy(), ("Any Person",))
    assert published == (
        "Please write to [withheld] or [withheld] (tel [withheld]).\n"
        "Ring 101 or 0800 555 111. See www.ico.org.uk, my ref FOI-12345-22 of 3 May 2023. [withheld]"
    )


@pytest.mark.parametrize(
    "name", ["Linda Lloyd", "Ann Lee", "Laurel House", "Zoë Brontë", "Brian O'Brien", "Al Smith-Jones"]
)
@pytest.mark.parametrize("written", [str, str.upper, str.lower], ids=["as given", "upper", "lower"])
def test_a_term_is_found_in_either_case(name: str, written: Callable[[str], str]) -> None:
    assert withhold_in_text(f"Yours, {written(name)}.", Policy(), (name,)) == "Yours, [withheld]."


def test_the_domain_stays_when_the_policy_says_so() -> None:
    published = withhold_in_text("to any.person@example.com now", Policy(keep_email_domain=True), label="#")
    assert published == "to #@example.com now"


def test_kinds_the_policy_does_not_withhold_stay() -> None:
    policy = Policy(withhold=(Kind.EMAIL,))
    assert find_in_text("020 7946 0958 or a.b@example.com", policy) == (Span(17, 32, Kind.EMAIL),)


@given(st.text(max_size=200))
def test_withholding_never_fails_and_only_replaces_spans(text: str) -> None:
    spans = find_in_text(text, Policy(), ("Person",))
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    rest, at = [], 0
    for span in spans:
        rest.append(text[at : span.start])
        at = span.end
    assert withhold_in_text(text, Policy(), ("Person",), label="") == "".join([*rest, text[at:]])


def test_the_type_written_in_a_browser_is_found_too() -> None:
    assert withhold_in_text("tel\u00a0020\u00a07946\u00a00958\r\n", Policy()) == "tel\u00a0[withheld]\r\n"


@pytest.mark.parametrize(
    "value",
    [
        "０７７００ ９００ ９５４",
        "٠٧٧٠٠ ٩٠٠ ٩٥٤",
        "07700\u2060 900\u2060 954",
        "07700\u00ad900\u00ad954",
        "07700\u2009900\u2009954",
        "m.oakshott＠mailbox.example",
        "m.oakshott@mail\u200bbox.example",
    ],
)
def test_no_disguise_of_characters_hides_a_value_from_plain_text(value: str) -> None:
    assert withhold_in_text(f"Reach me: {value}, please.", Policy()) == "Reach me: [withheld], please."
