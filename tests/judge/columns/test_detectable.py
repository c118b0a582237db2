from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.detectable import minimum_detectable_shift
from dashlight.judge.evidence.null import null_of
from dashlight.judge.evidence.score_tables import evidence_tables
from dashlight.window.columns import ColumnReference

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
GATE = 0.141


def visible_in(columns: tuple[ColumnReference, ...], rows: float, gate: float = GATE) -> NDArray[np.float64]:
    found, weights = null_of(columns), np.full(len(columns), 1 / max(len(columns), 1))
    tables = evidence_tables(found, weights, panes=259_200.0)
    return minimum_detectable_shift(found, tables, np.full(len(columns), rows), gate=gate)


def test_a_shift_is_visible_where_its_evidence_and_its_size_are_sure(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.random.default_rng(260).standard_normal(1_000_000)}, ordered=False)

    # Threshold ln(259200 * bets * 4 / 0.35), about 20 nats; a shift of h takes about 2 * 20 / h**2 rows.
    (found,) = visible_in(columns, 1000.0)

    assert found == pytest.approx((2 * 20 / 1000) ** 0.5, rel=0.15)


def test_much_traffic_shows_no_less_than_the_gate(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.random.default_rng(261).standard_normal(50_000)}, ordered=False)

    assert visible_in(columns, 1e9) == pytest.approx(GATE + 50_000**-0.5, rel=1e-3)
    assert visible_in(columns, 1e9, gate=0.0) < GATE


def test_nothing_is_visible_in_no_rows_nor_in_a_column_of_one_value(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.random.default_rng(262).standard_normal(5000), "one": np.full(5000, 3.0)})

    assert np.isinf(visible_in(columns, 0.0)).all()
    # Only missing and wrong values are watched there; one in about a hundred is seen soon.
    assert np.isfinite(visible_in(columns, 1000.0)).all()


def test_no_columns_have_no_shift() -> None:
    assert visible_in((), 100.0).shape == (0,)
