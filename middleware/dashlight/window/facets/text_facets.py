"""What numbers say of texts: how long they are, and of what characters. Pure."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

TEXT_FACETS = ("length", "words", "word_length", "digit_share", "upper_share", "symbol_share", "non_ascii_share")
MOST_CHARACTERS = 4096
"""Of a longer text only the beginning is looked at, save for its length."""
TEXTS_AT_ONCE = 256
BREAK = "\0"
"""Stands between texts that are looked at together."""

Codes: TypeAlias = NDArray[np.uint8] | NDArray[np.uint32]
"""The code of every character of texts joined."""

SPACE, DIGIT, UPPER, SYMBOL, NON_ASCII, UNSPACED = (1 << bit for bit in range(6))
"""Marks of a character; UNSPACED is one of a script that has no spaces between words."""
_START = 1 << 6
"""Mark of the first character of a word."""
_CLASSES = 1 << 7
_HAS = (np.arange(_CLASSES)[:, np.newaxis] >> np.arange(7) & 1).astype(np.float64)
"""Shape (_CLASSES, 7): which of the marks each sum of marks holds."""
_UNSPACED_SCRIPTS = (
    (0x0E00, 0x0F00),  # Thai, Lao
    (0x1000, 0x10A0),  # Burmese
    (0x1780, 0x1800),  # Khmer
    (0x3040, 0x3100),  # Hiragana, Katakana
    (0x3400, 0xA000),  # Chinese characters
    (0xF900, 0xFB00),
)
_PLANE = 0x10000
_SUPPLEMENT = (0x20000, 0x40000)
"""More Chinese characters; all else beyond the first plane counts as a symbol, most of it being emoji."""


def text_facets(texts: Sequence[str]) -> NDArray[np.float64]:
    """TEXT_FACETS of *texts*, shape (len(TEXT_FACETS), len(texts)); of an empty text all are 0.

    Words are what stands between spaces. Shares are of the characters looked at.
    """
    found = np.zeros((len(TEXT_FACETS), len(texts)))
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        part = texts[first : first + TEXTS_AT_ONCE]
        codes = codes_of(joined(part))
        space, digit, upper, symbol, foreign, _, words, characters = mark_counts(codes, marks_of(codes))
        some = np.maximum(characters, 1)
        length = np.array([len(text) for text in part], np.float64)
        word_length = (characters - space) / np.maximum(words, 1)
        found[:, first : first + len(part)] = (
            length,
            words,
            word_length,
            digit / some,
            upper / some,
            symbol / some,
            foreign / some,
        )
    return found


def joined(texts: Sequence[str]) -> str:
    """*texts* in one, each cut, with a BREAK between two and nowhere else."""
    cut = [text[:MOST_CHARACTERS] for text in texts]
    together = BREAK.join(cut)
    if together.count(BREAK) == len(texts) - 1:
        return together
    return BREAK.join(text.replace(BREAK, " ") for text in cut)


def codes_of(together: str) -> Codes:
    """The code of every character; half of a surrogate pair, which JSON can bring, is a character too."""
    if together.isascii():
        return np.frombuffer(together.encode("ascii"), np.uint8)
    return np.frombuffer(together.encode("utf-32-le", "surrogatepass"), np.uint32)


def marks_of(codes: Codes) -> NDArray[np.uint8]:
    """The marks of every character, added up; a BREAK is a space."""
    plane = _marks_of_plane()
    if codes.dtype == np.uint8:
        ascii_marks: NDArray[np.uint8] = plane[codes]
        return ascii_marks
    marks: NDArray[np.uint8] = plane[np.minimum(codes, _PLANE - 1)]
    marks[codes >= _PLANE] = NON_ASCII | SYMBOL
    marks[(codes >= _SUPPLEMENT[0]) & (codes < _SUPPLEMENT[1])] = NON_ASCII | UNSPACED
    return marks


def lengths_of(codes: Codes) -> NDArray[np.intp]:
    """Characters of each of the texts joined, without the BREAK after it."""
    ends = np.append(np.flatnonzero(codes == 0), len(codes))
    lengths: NDArray[np.intp] = np.diff(ends, prepend=-1) - 1
    return lengths


def starts_of(space: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where words start, given where spaces stand."""
    starts = ~space
    starts[1:] &= space[:-1]
    return starts


def mark_counts(codes: Codes, marks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of each of the texts joined: characters that bear each of the six marks, words, characters; shape (8, texts)."""
    lengths = lengths_of(codes)
    texts = len(lengths)
    borne = marks + starts_of((marks & SPACE).astype(np.bool_)) * np.uint8(_START)
    place = np.repeat(np.arange(texts) * _CLASSES, lengths + 1)[: len(codes)]
    counts = np.bincount(place + borne, minlength=texts * _CLASSES).reshape(texts, _CLASSES) @ _HAS
    counts[:-1, 0] -= 1  # the BREAK after each but the last
    return np.column_stack([counts, lengths.astype(np.float64)]).T


@lru_cache(maxsize=1)
def _marks_of_plane() -> NDArray[np.uint8]:
    """The marks of each of the first 65,536 characters."""
    marks = np.zeros(_PLANE, np.uint8)
    for code in range(_PLANE):
        character = chr(code)
        category = unicodedata.category(character)
        mark = DIGIT if category == "Nd" else UPPER if category == "Lu" else SYMBOL if category[0] in "PS" else 0
        marks[code] = SPACE if character.isspace() or character == BREAK else mark
    marks[128:] |= NON_ASCII
    for first, stop in _UNSPACED_SCRIPTS:
        marks[first:stop] |= UNSPACED
    return marks
