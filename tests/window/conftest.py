from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from dashlight.records import Cell, Kind, Role, Table
from dashlight.window.columns import ColumnReference, Variation
from dashlight.window.layout import BINS

# A busy machine is no failure.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture
def column() -> Callable[..., ColumnReference]:
    def make(
        name: str = "x",
        kind: Kind = "numeric",
        *,
        role: Role = "feature",
        counts: Mapping[int, int] | None = None,
        edges: Sequence[float] = (),
        low: float = float("-inf"),
        high: float = float("inf"),
        categories: Sequence[str] = (),
        known: Sequence[str] = (),
        single_block_rows: int = 0,
        variation: tuple[Variation, ...] = (),
    ) -> ColumnReference:
        by_bin = np.zeros(BINS, np.int64)
        for bin_, count in (counts or {}).items():
            by_bin[bin_] = count
        return ColumnReference(
            name=name,
            role=role,
            kind=kind,
            rows=int(by_bin.sum()),
            counts=by_bin,
            edges=np.array(edges, np.float64),
            low=low,
            high=high,
            categories=tuple(categories),
            known=frozenset(known),
            single_block_rows=single_block_rows,
            variation=variation,
        )

    return make


@pytest.fixture
def table() -> Callable[..., Table]:
    def make(
        numbers: Mapping[str, Sequence[float]] | None = None, cells: Mapping[str, Sequence[Cell]] | None = None
    ) -> Table:
        numbers, cells = numbers or {}, cells or {}
        rows = max(map(len, [*numbers.values(), *cells.values()]), default=0)
        matrix: NDArray[np.float64] = np.array(list(numbers.values()), np.float64).reshape(len(numbers), rows)
        return Table(rows, tuple(numbers), matrix, tuple(cells), tuple(cells.values()), np.arange(rows))

    return make
