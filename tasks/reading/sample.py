"""Words of drawn pages read from the pixels, and what that says of all their letters.

Rule kept here: a form (one outline of one font under one character) counts as confirmed when Tesseract read that
character where an ordinary letter of the form is drawn; signs, when at least no letter and no digit was read there.
Characters that look alike count as one (0 and O, 1 and l): whoever looks for contact details expects those mixed up.

Which words are read follows from the words alone, so that the same record gives the same sample.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from tasks.model import Drawn, Word
from tasks.reading.engine import recognise
from tasks.reading.settings import OcrSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

OF_EACH_PAGE, CHOICE = 1, 24
"""Words of every page that are in the sample whatever they hold; and among how many words with a form one is chosen."""

SIZES_PX = (36, 52, 28)
"""Size of the letters on the sheets that are read, one after the other, as long as forms are open: Tesseract misreads
other letters in each size."""

HOPELESS = 0.25
"""Share of the forms that may be open after a round for another one to be worth it."""

AGREES = 0.75
"""Share of each page's sample that must be read as the layer has it: 0.9 to 1 on pages whose layer tells the truth."""

LEAST_WORD, LONGEST_PIECE = 3, 12
"""Letters of a word that is easily read by itself, and of one that is read in pieces."""

GAP_PX, SHEET_PX, SHEET_DPI, PSM = 44, 1700, 300, 6
"""What parts the words on a sheet, and its width, px; and how it is read."""

EM = 1.2
"""Height of a letter's box in type sizes."""

MARGIN_EM, INSET_EM = 0.08, 0.04
"""What is cut with a word on both sides, and what is not of a piece, where the letter beside it may reach in."""

LOW, LOW_SIGNS, FULL = 0.25, frozenset(".-'"), 0.65
"""Of a line's height, how high rows of dots, dashes and quotes are, which are read as all sorts of letters; and how
much of its rectangle a bullet fills. No letter is as low or as full."""

ALIKE = ("0o", "1li|", "'‘’`´‚", "-‐‑‒–—−_", '"“”„')
_FOLDED = str.maketrans({c: group[0] for group in ALIKE for c in group})
_AT = str.maketrans({"©": "@", "®": "@"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page to be sampled.

    Attributes:
        ink: (height, width): 255 where a letter covers a pixel whole, 0 on its ground.
        odd: bool (letters,), which are drawn unlike the others of their form.
    """

    drawn: Drawn = field(repr=False)
    ink: Grey = field(repr=False)
    odd: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word that can be read, or a part of a long one: letters `first` to before `end` of its page.

    Attributes:
        forms: of each of its letters.
        text: the character of each.
        odd: whether one of them is drawn unlike the others of its form.
        begins, ends: whether its word does so with it.
    """

    page: int
    first: int
    end: int
    forms: tuple[int, ...] = field(repr=False)
    text: tuple[str, ...] = field(repr=False)
    odd: bool
    begins: bool
    ends: bool


@dataclass
class _Findings:
    """What was read so far."""

    confirmed: set[int] = field(default_factory=set)
    agreeing: set[_Piece] = field(default_factory=set)
    """Words of which every letter was read as the layer has it."""
    read: Counter[int] = field(default_factory=Counter)
    agreed: Counter[int] = field(default_factory=Counter)
    """Characters of each page's sample, and those read as the layer has them."""


def number_forms(pages: Sequence[Drawn]) -> list[list[int]]:
    """Of each page a number for each of its forms; the same form has the same number on all of them."""
    numbers: dict[tuple[int, int, int], int] = {}
    return [[numbers.setdefault(form, len(numbers)) for form in page.forms] for page in pages]


def find_confirmed(pages: Sequence[Drawing], settings: OcrSettings) -> list[bool]:
    """Whether each page's letters are those that its layer names.

    Raises:
        ReaderUnavailableError: Tesseract failed or did not finish in time.
        ConfigurationError: Tesseract or its language data is missing.
    """
    of_page = number_forms([page.drawn for page in pages])
    candidates = sorted(_pieces(pages, of_page), key=_seeded(pages))
    ordinary = [word for word in candidates if not word.odd]
    odd = [word for word in candidates if word.odd]
    holding: dict[int, list[_Piece]] = defaultdict(list)
    for word in ordinary:
        for form in set(word.forms):
            holding[form].append(word)
    found = _Findings()
    chosen = {*odd, *_of_each_page(ordinary)}
    tried: set[_Piece] = set()
    for em_px in SIZES_PX:
        chosen |= _choose(holding, found.confirmed, tried | chosen)
        if not chosen or (tried and len(found.confirmed) < (1 - HOPELESS) * len(holding)):
            break
        _judge(pages, sorted(chosen, key=lambda word: (word.page, word.first)), found, em_px, settings)
        tried |= chosen
        chosen = {word for word in odd if word not in found.agreeing}
    needed: list[set[int]] = [set() for _ in pages]
    for word in ordinary:
        needed[word.page].update(word.forms)
    return [
        needed[page] <= found.confirmed
        and not any(word.page == page and word not in found.agreeing for word in odd)
        and found.agreed[page] >= AGREES * found.read[page]
        for page in range(len(pages))
    ]


def _pieces(pages: Sequence[Drawing], of_page: Sequence[Sequence[int]]) -> Iterator[_Piece]:
    for number, (page, forms) in enumerate(zip(pages, of_page, strict=True)):
        drawn = page.drawn
        form_of, text_of = drawn.of_form.tolist(), [chr(character) for _, _, character in drawn.forms]
        odd = page.odd.tolist()
        for word in drawn.words:
            length = word.end - word.first
            parts = -(-length // LONGEST_PIECE)
            sides = [word.first + length * part // parts for part in range(parts + 1)]
            for first, end in pairwise(sides):
                letters = form_of[first:end]
                text = tuple(text_of[form] for form in letters)
                held = tuple(forms[form] for form in letters)
                begins, ends = first == word.first, end == word.end
                yield _Piece(number, first, end, held, text, any(odd[first:end]), begins, ends)


def _seeded(pages: Sequence[Drawing]) -> Callable[[_Piece], bytes]:
    """An order of the words that nobody chose, and that depends on all of them."""
    text = "\n".join(word.text for page in pages for word in page.drawn.words)
    seed = blake2b(text.encode(), digest_size=16).digest()

    def key(word: _Piece) -> bytes:
        return blake2b(f"{word.page} {word.first}".encode(), key=seed, digest_size=8).digest()

    return key


def _of_each_page(ordinary: Iterable[_Piece]) -> set[_Piece]:
    """Some longer words of every page."""
    taken: Counter[int] = Counter()
    chosen = set()
    for word in ordinary:
        if len(word.text) > LEAST_WORD and taken[word.page] < OF_EACH_PAGE:
            taken[word.page] += 1
            chosen.add(word)
    return chosen


def _choose(holding: dict[int, list[_Piece]], confirmed: set[int], tried: set[_Piece]) -> set[_Piece]:
    """Few words that hold every form which is not confirmed, the rarest forms first; other words before those tried."""
    chosen: set[_Piece] = set()
    left = set(holding) - confirmed
    for form in sorted(left, key=lambda form: (len(holding[form]), form)):
        if form in left:
            new = [word for word in holding[form] if word not in tried]
            best = max((new or holding[form])[:CHOICE], key=lambda word: _worth(word, left))
            chosen.add(best)
            left.difference_update(best.forms)
    return chosen


def _worth(word: _Piece, left: set[int]) -> float:
    """How many forms a word would settle for its length; words that are hard to read are worth less."""
    new = len(left.intersection(word.forms))
    return new - 0.1 * len(word.forms) - (2 if len(word.forms) < LEAST_WORD else 0)


# ------------------------------------------------------------------------------------------------ reading


def _judge(
    pages: Sequence[Drawing], chosen: Sequence[_Piece], found: _Findings, em_px: int, settings: OcrSettings
) -> None:
    """Read words from the pixels and note what they confirm."""
    crops = [_crop(pages[word.page], word, em_px) for word in chosen]
    for word, crop, read in zip(chosen, crops, _read(crops, settings), strict=True):
        held, owners = _fold_word(word)
        seen = _fold(read.translate(_AT) if "@" in word.text else read)
        matched = _matches(held, seen, crop)
        found.read[word.page] += len(held)
        found.agreed[word.page] += max(len(matched), len(held) - Levenshtein.distance(held, seen))
        if len(matched) == len(held):
            found.agreeing.add(word)
        if not word.odd:
            unmatched = {word.forms[owners[at]] for at in range(len(held)) if at not in matched}
            found.confirmed |= {word.forms[owners[at]] for at in matched} - unmatched


def _crop(page: Drawing, word: _Piece, em_px: int) -> Grey:
    """A word, dark on light, its letters `em_px` large."""
    boxes = page.drawn.boxes[word.first : word.end]
    x0, y0, _, _ = boxes.min(axis=0).tolist()
    _, _, x1, y1 = boxes.max(axis=0).tolist()
    em = max(1.0, (y1 - y0) / EM)
    height, width = page.ink.shape
    margin = MARGIN_EM * em
    left = int(x0 - margin) if word.begins else round(x0 + INSET_EM * em)
    right = int(x1 + margin) + 1 if word.ends else round(x1 - INSET_EM * em)
    left = min(max(0, left), width - 1)
    right = max(left + 1, min(width, right))
    top = min(max(0, int(y0)), height - 1)
    bottom = max(top + 1, min(height, int(y1) + 1))
    zoom = em_px / em
    size = max(1, round((right - left) * zoom)), max(1, round((bottom - top) * zoom))
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    return np.asarray(255 - cv2.resize(page.ink[top:bottom, left:right], size, interpolation=way), np.uint8)


def _read(crops: Sequence[Grey], settings: OcrSettings) -> list[str]:
    """What stands in each crop, by one reading of all of them on a sheet."""
    width = max(SHEET_PX, *(crop.shape[1] + 2 * GAP_PX for crop in crops))
    places: list[tuple[int, int]] = []
    x, row = GAP_PX, 0
    for crop in crops:
        if x > GAP_PX and x + crop.shape[1] + GAP_PX > width:
            x, row = GAP_PX, row + 1
        places.append((x, row))
        x += crop.shape[1] + GAP_PX
    tallest = max(crop.shape[0] for crop in crops)
    pitch = tallest + GAP_PX // 2
    sheet = np.full((pitch * (row + 1) + GAP_PX, width), 255, np.uint8)
    for crop, (x, row) in zip(crops, places, strict=True):
        y = GAP_PX // 2 + row * pitch
        sheet[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    words = recognise(sheet, psm=PSM, dpi=SHEET_DPI, language=settings.language, timeout_s=settings.timeout_s)
    rows: dict[int, list[Word]] = defaultdict(list)
    for word in words:
        rows[int((word.box.center[1] - GAP_PX // 2) // pitch)].append(word)
    return [
        "".join(
            word.text
            for word in sorted(rows[row], key=lambda word: word.box.x0)
            if x - GAP_PX / 2 <= word.box.center[0] < x + crop.shape[1] + GAP_PX / 2
        )
        for crop, (x, row) in zip(crops, places, strict=True)
    ]


# ------------------------------------------------------------------------------------------------ comparing


def _fold(text: str) -> str:
    bare = (c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
    return "".join("".join(bare).translate(_FOLDED).split())


def _fold_word(word: _Piece) -> tuple[str, list[int]]:
    """A word with look-alikes made one, and the letter that each of its characters came from: ligatures give two."""
    parts = [_fold(character) for character in word.text]
    return "".join(parts), [letter for letter, part in enumerate(parts) for _ in part]


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "@"


def _matches(held: str, read: str, crop: Grey) -> set[int]:
    """Which characters of a word were read as they are, place by place; none when letters were left out or put in.

    To look for the best fit instead would let a layer pass that only exchanges two digits. Of signs it is enough that
    they were not read as letters.
    """
    if held and set(held) <= LOW_SIGNS and _is_low(crop):
        return set(range(len(held)))
    letters = [at for at, character in enumerate(held) if _is_letter(character)]
    seen = [character for character in read if _is_letter(character)]
    matched = {at for at, character in zip(letters, seen, strict=False) if held[at] == character}
    if len(letters) != len(seen) or 2 * len(matched) < len(letters):
        return set()
    if len(matched) == len(letters) and (letters or held == read or _is_full(crop)):
        return set(range(len(held)))
    return matched


def _extent(crop: Grey) -> tuple[int, int, int]:
    """Height and width of what is drawn, and how many of their pixels it fills."""
    _, _, width, height = cv2.boundingRect(np.asarray(crop < 128, np.uint8))
    return height, width, int((crop < 128).sum())


def _is_low(crop: Grey) -> bool:
    return 0 < _extent(crop)[0] <= LOW * float(crop.shape[0])


def _is_full(crop: Grey) -> bool:
    height, width, filled = _extent(crop)
    return 0 < height < 2 * width and filled >= FULL * height * width
