from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.detectable import detectable_share, detectable_shifts, minimum_detectable_shift
from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.evidence.null import Null, null_of, shifted
from dashlight.judge.evidence.score_tables import EvidenceTables, evidence_tables
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import NULL, UNSEEN

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
Judged = Callable[[DriftJudge, NDArray[np.int64]], tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]]
Shown = tuple[Null, EvidenceTables, NDArray[np.float64]]
GATE = 0.141


def shifts_in(columns: tuple[ColumnReference, ...], rows: float, gate: float = GATE) -> Shown:
    null, weights = null_of(columns), np.full(len(columns), 1 / max(len(columns), 1))
    tables = evidence_tables(null, weights, panes=259_200.0)
    shifts = detectable_shifts(null, tables, np.full(len(columns), rows), panes=int(rows / 100), gate=gate)
    return null, tables, shifts


def visible_in(columns: tuple[ColumnReference, ...], rows: float, gate: float = GATE) -> NDArray[np.float64]:
    null, _, shifts = shifts_in(columns, rows, gate)
    return minimum_detectable_shift(shifts, null)


def test_a_shift_is_visible_where_its_evidence_and_its_size_are_sure(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": (np.random.default_rng(260).random(1_000_000) < 0.5).tolist()}, ordered=False)

    # Threshold ln(259200 * bets * 4 / 0.75), about 17 nats; a shift of h takes about 2 * 17 / h**2 rows, and as rows err.
    (found,) = visible_in(columns, 1000.0)

    assert found == pytest.approx((2 * 17 / 1000) ** 0.5 + 1.2 / 1000**0.5, rel=0.15)


def test_much_traffic_shows_no_less_than_the_gate_and_what_the_reference_may_be_off_by(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": (np.random.default_rng(261).random(50_000) < 0.5).tolist()}, ordered=False)

    assert visible_in(columns, 1e9) == pytest.approx(GATE + 2.2 * 50_000**-0.5, rel=1e-3)
    assert visible_in(columns, 1e9, gate=0.0) < GATE


def test_what_a_reference_is_too_small_to_show_is_told(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(263)
    for rows, most_missing, most_unseen in ((2000, 0.04, 0.01), (200_000, 0.02, 0.002)):
        missing = np.where(rng.random(rows) < 0.01, np.nan, rng.standard_normal(rows))
        columns = columns_of({"x": missing, "word": rng.choice(["a", "b", "c"], rows).tolist()}, ordered=False)
        null, tables, shifts = shifts_in(columns, 1e9)

        missing_share, unseen_share = (
            detectable_share(null, tables, shifts, event)[[0, 1]] for event in (NULL, UNSEEN)
        )

        # Of two thousand rows neither 2 % instead of 1 % missing nor 0.3 % of a new category can be told from chance.
        assert most_missing / 2 < missing_share[0] < most_missing
        assert most_unseen / 3 < unseen_share[1] < most_unseen


@pytest.mark.parametrize("rows", [500, 2000, 10_000])
@pytest.mark.parametrize("kind", ["number", "truth"])
def test_a_shift_of_that_size_is_found_in_most_runs(
    rows: int, kind: str, columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng, names = np.random.default_rng([264, rows]), [f"x{place}" for place in range(20)]
    watched = 2000

    def drawn(share: float, count: int) -> dict[str, Any]:
        upper = {name: rng.random(count) < share for name in names}
        if kind == "truth":
            return {name: values.tolist() for name, values in upper.items()}
        return {name: rng.random(count) + values for name, values in upper.items()}

    columns = columns_of(drawn(0.4, rows))
    judge = DriftJudge(columns, panes=259_200.0)
    shift = float(np.median(judge.minimum_detectable_shift(np.full(len(names), float(watched)))))
    live = drawn(float(shifted(np.array(0.4), shift)), watched)

    _, firing, _ = judged(judge, panes_of(columns, live, 100))

    assert np.mean(firing.any(0)) >= 0.8


def test_nothing_is_visible_in_no_rows_nor_in_a_column_of_one_value(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.random.default_rng(262).standard_normal(5000), "one": np.full(5000, 3.0)})

    assert np.isinf(visible_in(columns, 0.0)).all()
    # Only missing and wrong values are watched there; one in about a hundred is seen soon.
    assert np.isfinite(visible_in(columns, 1000.0)).all()


def test_no_columns_have_no_shift() -> None:
    assert visible_in((), 100.0).shape == (0,)
