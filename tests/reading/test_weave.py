"""What the second reader saw in unread places stands where it is read, in the company it has on the page."""

from __future__ import annotations

from tasks.geometry import Box
from tasks.model import Word
from tasks.reading.weave import weave

HEIGHT = 20


def line(y: int, text: str, *, x: int = 100, ordinal: int = 0, confidence: float = 96.0) -> list[Word]:
    """Words of one line, 10 px a letter and 10 px between."""
    words = []
    for word in text.split():
        words.append(Word(word, Box(x, y, x + 10 * len(word), y + HEIGHT), confidence, ordinal))
        x += 10 * len(word) + 10
    return words


def text_of(words: tuple[Word, ...]) -> list[str]:
    lines: dict[int, list[str]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.text)
    assert list(lines) == sorted(lines)
    return [" ".join(texts) for texts in lines.values()]


READ = (*line(100, "Contact To-"), *line(160, "police.example or", ordinal=1), *line(190, "by post", ordinal=2))
LOST = line(130, "HQ.desk@")
PLACE = Box(95, 128, 200, 152)


def test_a_line_that_was_passed_over_stands_between_its_neighbours() -> None:
    assert text_of(weave(READ, LOST, [PLACE])) == ["Contact To-", "HQ.desk@", "police.example or", "by post"]


def test_what_was_seen_again_where_the_first_reading_is_sure_changes_nothing() -> None:
    again = [*line(100, "Contad T0-"), *line(130, "HQ.desk@", ordinal=1)]
    assert text_of(weave(READ, again, [PLACE])) == text_of(weave(READ, LOST, [PLACE]))


def test_a_word_takes_the_place_of_what_stood_there_unread() -> None:
    read = (*line(100, "Ext"), *line(100, "\\63l97", x=140, confidence=15.0))
    again = line(101, "163197", x=140)
    assert text_of(weave(read, again, [Box(138, 100, 200, 122)])) == ["Ext 163197"]


def test_what_was_read_unsurely_beside_a_filled_place_is_read_anew_too() -> None:
    read = (*line(100, "*1020", confidence=70.0), *line(100, "7946", x=160), *line(100, "Ol23", x=210, confidence=10.0))
    again = line(101, "020 7945 0123", x=110)
    assert text_of(weave(read, again, [Box(208, 100, 260, 122)])) == ["020 7946 0123"]


def test_the_other_column_is_another_line() -> None:
    right = line(130, "The group agreed", x=230, ordinal=3)
    assert text_of(weave((*READ, *right), LOST, [PLACE])) == [
        "Contact To-",
        "HQ.desk@",
        "police.example or",
        "by post",
        "The group agreed",
    ]


def test_what_only_grazes_a_line_does_not_take_its_place() -> None:
    lost = line(118, "HQ.desk@")
    lines = text_of(weave(READ, lost, [PLACE]))
    assert lines == ["Contact To-", "HQ.desk@", "police.example or", "by post"]


def test_of_several_places_each_has_lines_of_its_own() -> None:
    again = [*line(130, "HQ.desk@"), *line(220, "Ext 4", ordinal=1)]
    woven = weave(READ, again, [PLACE, Box(95, 218, 160, 242)])
    assert text_of(woven) == ["Contact To-", "HQ.desk@", "police.example or", "by post", "Ext 4"]


def test_nothing_seen_is_no_reading() -> None:
    assert weave(READ, (), [PLACE]) == ()
    assert weave(READ, LOST, []) == ()


def test_below_everything_is_the_end() -> None:
    assert text_of(weave(READ, line(300, "020 7946 0123"), [Box(0, 290, 400, 330)]))[-1] == "020 7946 0123"
