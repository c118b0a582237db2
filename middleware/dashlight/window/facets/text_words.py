"""Texts as vectors: their words hashed, the same way in every process. Pure."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dashlight.window.facets.text_facets import (
    SPACE,
    SYMBOL,
    TEXTS_AT_ONCE,
    Codes,
    codes_of,
    joined,
    lengths_of,
    mark_counts,
    marks_of,
    starts_of,
)

DIMENSIONS = 256
"""A direction is learned in so many, whatever the vocabulary."""

_LONGEST_WORD = 20
"""Texts whose words are longer on average have no words: scripts without spaces, identifiers, encoded bytes."""
_LINE = ord("\n")
_WORD_BYTES = bytes(
    _LINE if code == 0 else code if code > 127 or chr(code).isalnum() else ord(" ") for code in range(256)
)
"""What remains of every byte: letters, digits and what is not ASCII; a line break for a BREAK, a space for all else."""


def hashed_words(texts: Sequence[str]) -> NDArray[np.float32]:
    """Words of *texts* and pairs of neighbouring words, shape (len(texts), DIMENSIONS); each row of length 1.

    Each adds 1 or -1 in the dimension that its checksum says. Three neighbouring characters stand for a word where a
    text has no spaces. A text without any is 0 throughout.

    Source: Weinberger et al. (2009), Feature hashing for large scale multitask learning, ICML.
    """
    found = np.zeros((len(texts), DIMENSIONS), np.float32)
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        part = texts[first : first + TEXTS_AT_ONCE]
        found[first : first + len(part)] = _of_part(joined(part).lower(), len(part))
    return found


def _of_part(together: str, texts: int) -> NDArray[np.float64]:
    codes = codes_of(together)
    marks = marks_of(codes)
    if not together.isascii():
        # Of the many spaces and signs of Unicode split() knows few, and a BREAK must stay what it is.
        codes = np.where((marks & (SPACE | SYMBOL) > 0) & (codes != 0), np.uint32(ord(" ")), codes)
        marks = marks_of(codes)
        together = codes.tobytes().decode("utf-32-le", "surrogatepass")
    has_words = ~_is_unspaced(codes, marks)
    rows, hashes = _word_hashes(together, texts, has_words)
    if not has_words.all():
        more_rows, more = _character_hashes(codes, ~has_words)
        rows, hashes = np.concatenate([rows, more_rows]), np.concatenate([hashes, more])
    signs = 1.0 - 2.0 * (hashes >> 31)
    sums = np.bincount(rows * DIMENSIONS + hashes % DIMENSIONS, signs, minlength=texts * DIMENSIONS)
    sums = sums.reshape(texts, DIMENSIONS)
    lengths = np.sqrt(np.einsum("td,td->t", sums, sums))
    scaled: NDArray[np.float64] = sums / np.maximum(lengths, 1)[:, np.newaxis]
    return scaled


def _is_unspaced(codes: Codes, marks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which texts have no words: mostly of a script without spaces, or of words too long."""
    space, _, _, _, _, unspaced, words, characters = mark_counts(codes, marks)
    letters = characters - space
    mostly: NDArray[np.bool_] = (2 * unspaced > letters) | (letters > _LONGEST_WORD * words)
    return mostly


def _word_hashes(together: str, texts: int, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Text and hash of every word, and of every pair of neighbours, of the texts *wanted*."""
    written = together.encode("utf-8", "surrogatepass").translate(_WORD_BYTES)
    words = written.split()
    hashes = _mixed(np.fromiter(map(crc32, words), np.uint32, len(words)))
    codes = np.frombuffer(written, np.uint8)
    ends = np.append(np.flatnonzero(codes == _LINE), len(codes))
    started = np.append(0, np.cumsum(starts_of((codes == ord(" ")) | (codes == _LINE))))
    rows = np.repeat(np.arange(texts), np.diff(started[ends], prepend=0))
    kept = wanted[rows]
    rows, hashes = rows[kept], hashes[kept]
    neighbours = rows[1:] == rows[:-1]
    pairs = _mixed(hashes[:-1] * np.uint32(31) + hashes[1:])[neighbours]
    return np.concatenate([rows, rows[1:][neighbours]]), np.concatenate([hashes, pairs])


def _character_hashes(codes: Codes, wanted: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Text and hash of every three neighbouring characters of the texts *wanted*."""
    lengths = lengths_of(codes)
    rows = np.repeat(np.arange(len(lengths)), lengths + 1)[: len(codes)]
    kept = wanted[rows] & (codes != 0)
    rows, letters = rows[kept], codes[kept].astype(np.uint32)
    hashes = _mixed(_mixed(_mixed(letters[:-2]) + letters[1:-1]) + letters[2:])
    within = rows[2:] == rows[:-2]
    return rows[2:][within], hashes[within]


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """*hashes* with every bit spread over all others; source: C. Wellons, hash-prospector, lowbias32."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= np.uint32(0x7FEB352D)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x846CA68B)
    mixed ^= mixed >> np.uint32(16)
    return mixed
