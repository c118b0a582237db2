"""A column of a reference that was counted."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from dashlight.records import Role
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS


@pytest.fixture
def column() -> Callable[..., ColumnReference]:
    """Makes one."""

    def make(name: str, *, role: Role = "feature", counts: Mapping[int, int] | None = None) -> ColumnReference:
        by_bin = np.zeros(BINS, np.int64)
        for bin_, count in (counts or {}).items():
            by_bin[bin_] = count
        return ColumnReference(
            name=name,
            role=role,
            kind="numeric",
            rows=int(by_bin.sum()),
            counts=by_bin,
            edges=np.zeros(0),
            low=float("-inf"),
            high=float("inf"),
            categories=(),
            known=frozenset(),
            single_block_rows=0,
        )

    return make
