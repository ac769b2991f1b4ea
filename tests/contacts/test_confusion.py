import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from tasks.contacts.confusion import (
    DIGIT_LOOKALIKES,
    LETTER_GROUPS,
    distance,
    fold_digits,
    noisy_pattern,
    skeleton,
    skeleton_with_positions,
)
from tests.contacts.noise import noisy


@pytest.mark.parametrize(
    ("read", "digits"), [("O2O 7946", "0207946"), ("0l6l 496", "0161496"), ("07700 9OO", "07700900"), ("B5S|", "8551")]
)
def test_lookalikes_fold_to_digits_at_a_price(read: str, digits: str) -> None:
    folded, cost = fold_digits(read)
    assert folded == digits
    assert (cost > 0) == any(c in DIGIT_LOOKALIKES for c in read)


@pytest.mark.parametrize(
    ("a", "b"), [("smith", "srnith"), ("0161", "Ol6I"), ("police.uk", "police,uk"), ("will", "wi11"), ("vvww", "www")]
)
def test_confusable_texts_have_one_skeleton(a: str, b: str) -> None:
    if "w" not in a:
        assert skeleton(a) == skeleton(b)
    assert distance(a, b) <= 1.5


@given(st.text(max_size=40))
def test_a_skeleton_knows_where_each_glyph_came_from(text: str) -> None:
    form, positions = skeleton_with_positions(text)
    assert form == skeleton(text)
    assert len(form) == len(positions)
    assert list(positions) == sorted(set(positions))
    assert all(not text[p].isspace() for p in positions)


@given(st.text("abcdelmnorsvw01.@", max_size=12), st.text("abcdelmnorsvw01.@", max_size=12))
def test_distance_is_symmetric_zero_on_equals_and_never_above_plain_edit_distance(a: str, b: str) -> None:
    assert distance(a, a) == 0
    assert distance(a, b) == pytest.approx(distance(b, a))
    assert distance(a, b) <= Levenshtein.distance(a, b) + 1e-9


@given(st.sampled_from(["telephone", "mobile", "extension", "e_mail", "facsimile"]), st.randoms(use_true_random=False))
def test_a_label_is_recognised_under_the_noise_it_was_made_for(word: str, random) -> None:  # type: ignore[no-untyped-def]
    shown = word.replace("_", "-")
    i = random.randrange(len(shown))
    shown = shown[:i] + noisy(shown[i], random, only_letters=True) + shown[i + 1 :]
    assert re.fullmatch(noisy_pattern(word), shown)


@pytest.mark.parametrize("letter", string.ascii_lowercase + "äçéñöøšüÿž")
def test_every_letter_is_known_in_either_case(letter: str) -> None:
    assert re.fullmatch(noisy_pattern(letter), letter)
    assert re.fullmatch(noisy_pattern(letter), letter.upper())


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("zoë", "Zoe"),
        ("zoe", "Zoë"),
        ("zoë", "Zoe\u0308"),
        ("müller", "MUELLER"),
        ("weiß", "Weiss"),
        ("o'brien", "O’Brien"),
    ],
)
def test_a_word_is_known_with_and_without_its_accents(word: str, shown: str) -> None:
    assert re.fullmatch(noisy_pattern(word), shown)


def test_no_glyph_stands_in_two_classes() -> None:
    members = [m for _, group in LETTER_GROUPS for m in group]
    assert len(members) == len(set(members))
