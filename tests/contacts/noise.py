"""The noise model of the tests: what a scan does to a value, driven by a seeded source of chance."""

from random import Random

SAME_GLYPH = {
    "0": "Oo",
    "O": "0",
    "o": "0",
    "1": "lI|",
    "l": "1I",
    "I": "l1",
    "i": "1",
    "5": "S",
    "S": "5",
    "8": "B",
    "B": "8",
    "2": "Z",
    "Z": "2",
    "6": "G",
    ".": ",",
    ",": ".",
}
LETTERS_ONLY = {"i": "1l", "l": "1I", "o": "0O", "e": "c", "s": "5S", "b": "8"}


def noisy(text: str, random: Random, *, glyphs: int = 1, only_letters: bool = False) -> str:
    """`text` with up to `glyphs` glyphs replaced by look-alikes."""
    table = LETTERS_ONLY if only_letters else SAME_GLYPH
    places = [i for i, c in enumerate(text) if c in table]
    out = list(text)
    for i in random.sample(places, min(glyphs, len(places))):
        out[i] = random.choice(table[text[i]])
    return "".join(out)


def spaced(text: str, random: Random) -> str:
    """`text` with a space put before or behind one dot or at sign, as Tesseract does."""
    places = [i for i, c in enumerate(text) if c in "@."]
    if not places:
        return text
    i = random.choice(places)
    return random.choice(
        [text[:i] + " " + text[i:], text[: i + 1] + " " + text[i + 1 :], text[:i] + " " + text[i] + " " + text[i + 1 :]]
    )
