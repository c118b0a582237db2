"""What numbers say of vectors: their size, their mean, and how far they reach in fixed directions. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell
from dashlight.window.values import is_listed, number_of, numbers_of

PROJECTIONS = 8
VECTOR_FACETS = ("norm", "mean", *(f"projection_{place}" for place in range(1, PROJECTIONS + 1)))
LEAST_WIDTH = 16
MOST_WIDTH = 4096
DIMENSIONS = 256
"""Wider vectors are folded into so many."""

Vectors: TypeAlias = Sequence[Cell] | NDArray[Any]
"""Lists of numbers, None where null; or an array of shape (rows, width)."""

_DIGITS = 18
"""Binary ones, of the norm."""
_LARGEST = 1e15
"""Larger numbers, infinite ones too, count as this: far out of any range, and their squares can be added."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Vectors of one width, as numbers."""

    rows: NDArray[np.float64]
    """Shape (rows, width); NaN throughout where null or wrong."""
    wrong: NDArray[np.bool_]
    """Shape (rows,): which are neither null nor so many numbers."""


def width_of(vectors: Vectors) -> int | None:
    """The width that most of *vectors* have; None where none has from LEAST_WIDTH to MOST_WIDTH."""
    if isinstance(vectors, np.ndarray):
        widths = Counter({vectors.shape[1]: 1} if vectors.ndim == 2 else {})
    else:
        widths = Counter(len(cell) for cell in vectors if is_listed(cell))
    # By width among equals, so that the order of rows means nothing.
    fitting = [(count, width) for width, count in widths.items() if LEAST_WIDTH <= width <= MOST_WIDTH]
    return max(fitting)[1] if fitting else None


def embedding_of(vectors: Vectors, width: int) -> Embedding:
    """*vectors* of *width*; of any other width, or not of numbers, they are wrong; with a NaN or null inside, null."""
    rows = np.full((len(vectors), width), np.nan)
    wrong = np.ones(len(vectors), np.bool_)
    if isinstance(vectors, np.ndarray):
        if vectors.ndim == 2 and vectors.shape[1] == width and vectors.dtype.kind in "iuf":
            rows, wrong = vectors.astype(np.float64), np.zeros(len(vectors), np.bool_)
    else:
        for place, cell in enumerate(vectors):
            numbers = _numbers(cell, width)
            if numbers is not None:
                rows[place] = numbers
                wrong[place] = False
    np.clip(rows, -_LARGEST, _LARGEST, out=rows)
    rows[np.isnan(rows).any(axis=1)] = np.nan
    return Embedding(rows, wrong)


def vector_facets(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """VECTOR_FACETS of *rows*, shape (rows, width), as shape (len(VECTOR_FACETS), rows); NaN where a row is NaN.

    They are good to five digits of the norm and say nothing of what is beyond. Vectors of length 1 have no other length
    than that: how a client happened to round them must not become what is usual.
    """
    rows = rows.astype(np.float32).astype(np.float64)
    found = np.empty((len(VECTOR_FACETS), len(rows)))
    found[0] = np.sqrt(np.einsum("rw,rw->r", rows, rows))
    found[1] = rows.mean(axis=1)
    found[2:] = _directions(rows.shape[1]) @ rows.T
    _, exponents = np.frexp(found[0])
    grain: NDArray[np.float64] = np.ldexp(1.0, _DIGITS - exponents)  # a power of two, so that nothing else is rounded
    return np.rint(found * grain) / grain


def folded(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """*rows* themselves, or, wider than DIMENSIONS, each dimension added to one of DIMENSIONS with a sign.

    Inner products stay what they are on average. Source: Charikar, Chen and Farach-Colton (2002), Finding frequent
    items in data streams, ICALP; here every dimension takes up as many as any other.
    """
    width = rows.shape[1]
    if width <= DIMENSIONS:
        return rows.astype(np.float32)
    order, signs, begins = _folds(width)
    sums: NDArray[np.float64] = np.add.reduceat(rows[:, order] * signs, begins, axis=1)
    return sums.astype(np.float32)


def _numbers(cell: Cell, width: int) -> NDArray[np.float64] | float | None:
    """What *cell* holds, NaN where it is null, None where it is wrong."""
    if not is_listed(cell):
        number = number_of(cell)
        return number if number is not None and np.isnan(number) else None
    if len(cell) != width:
        return None
    try:
        array: NDArray[Any] = np.asarray(cell)
    except ValueError:  # lists of several lengths inside
        return None
    if array.ndim != 1:
        return None
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    if array.dtype.kind != "O":  # texts, truths
        return None
    numbers, wrong = numbers_of(array.tolist())
    return None if wrong.any() else numbers


@lru_cache(maxsize=16)
def _directions(width: int) -> NDArray[np.float64]:
    """Signs that follow from *width* alone, scaled to length 1, shape (PROJECTIONS, width)."""
    signs = 1.0 - 2.0 * (_scrambled(PROJECTIONS * width, seed=width) >> np.uint64(63)).astype(np.float64)
    directions: NDArray[np.float64] = signs.reshape(PROJECTIONS, width) / np.sqrt(width)
    return directions


@lru_cache(maxsize=16)
def _folds(width: int) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """The dimensions in the order in which they are added up, their signs in that order, and where each sum begins."""
    scrambled = _scrambled(width, seed=~width)
    order = np.argsort(scrambled, kind="stable")
    signs: NDArray[np.float64] = 1.0 - 2.0 * (scrambled[order] & np.uint64(1)).astype(np.float64)
    return order, signs, np.arange(DIMENSIONS, dtype=np.intp) * width // DIMENSIONS


def _scrambled(count: int, *, seed: int) -> NDArray[np.uint64]:
    """*count* numbers of 64 bits that look random and are the same everywhere; source: Steele, Lea and Flood (2014), SplitMix."""
    mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64(seed * 0xD1B54A32D192ED03 % 2**64)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
