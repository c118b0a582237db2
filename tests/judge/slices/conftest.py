from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS, STRUCTURAL_BINS

MakeNumeric: TypeAlias = Callable[..., ColumnReference]
MakeCategorical: TypeAlias = Callable[..., ColumnReference]


@pytest.fixture
def numeric() -> MakeNumeric:
    """Whole numbers 0 to 31, a bin each."""

    def make(name: str, of: str = "", role: Role = "feature") -> ColumnReference:
        counts = np.where(np.arange(BINS) >= STRUCTURAL_BINS, 100, 0)
        return ColumnReference(
            name, role, "numeric", 3200, counts, np.linspace(0.5, 30.5, 31), 0.0, 31.0, (), frozenset(), 0, of=of
        )

    return make


@pytest.fixture
def categorical() -> MakeCategorical:
    def make(name: str, categories: Sequence[str] = ("UA", "AA", "DL", "WN")) -> ColumnReference:
        counts = np.zeros(BINS, np.int64)
        counts[STRUCTURAL_BINS : STRUCTURAL_BINS + len(categories)] = 3200 // len(categories)
        return ColumnReference(
            name, "feature", "categorical", 3200, counts, np.zeros(0), float("-inf"), float("inf"), tuple(categories),
            frozenset(), 0, shown=True,
        )  # fmt: skip

    return make


@pytest.fixture
def drawn() -> Callable[[np.random.Generator, Sequence[ColumnReference], int], NDArray[np.uint8]]:
    """Bins of independent columns, as the reference has them."""

    def draw(rng: np.random.Generator, columns: Sequence[ColumnReference], rows: int) -> NDArray[np.uint8]:
        return np.array([rng.choice(BINS, rows, p=each.counts / each.counts.sum()) for each in columns], np.uint8)

    return draw
