from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS, NULL

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakeValues = Callable[..., dict[str, NDArray[np.float64]]]
MakePanes = Callable[..., NDArray[np.int64]]
Judged = Callable[[DriftJudge, NDArray[np.int64]], tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]]

MONTH = 259_200.0
"""Panes of ten seconds in thirty days."""


@pytest.mark.parametrize(
    ("importance", "message"),
    [
        ({"x": -1.0}, "0 or more"),
        ({"x": float("nan")}, "0 or more"),
        ({"x": float("inf")}, "0 or more"),
        ({"x": 0.0, "y": 0.0}, "nothing would be watched"),
        ({"z": 1.0, "a": 1.0}, "unknown columns: a, z"),
    ],
    ids=["negative", "no number", "infinite", "all zero", "unknown"],
)
def test_a_mistaken_importance_is_refused(
    columns_of: MakeColumns, importance: Mapping[str, float], message: str
) -> None:
    columns = columns_of({"x": np.arange(500.0), "y": np.arange(500.0)})

    with pytest.raises(ValueError, match=message):
        DriftJudge(columns, panes=MONTH, importance=importance)


def test_the_facets_of_a_text_have_its_importance(columns_of: MakeColumns, panes_of: MakePanes) -> None:
    rng = np.random.default_rng(243)
    plain, facet = columns_of({"x": rng.standard_normal(5000), "y": rng.standard_normal(5000)})
    panes = panes_of([plain, facet], {"x": rng.standard_normal(100), "y": rng.standard_normal(100)}, 100)
    judge = DriftJudge((plain, replace(facet, of="text")), panes=MONTH, importance={"text": 0.0})

    judge.update(panes[0], 1.0, lambda wanted: (panes[0], 1))

    assert judge.margins[1] < -1e6 < judge.margins[0]


def test_a_strict_judge_fires_on_evidence_alone_and_not_below_the_tolerance(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(244)
    columns = columns_of({"x": rng.standard_normal(20_000)})
    fired: list[bool] = []
    for size in (0.08, 0.3):  # the tolerance is a shift of 0.141
        judge = DriftJudge(columns, panes=MONTH, strict=True)
        alerts, firing, margins = judged(judge, panes_of(columns, {"x": rng.standard_normal(60_000) + size}, 100))
        assert ((margins[:, 0] >= 0) <= firing[:, 0]).all()
        assert "pending" not in {alert.state for alert in alerts}
        fired.append(bool(firing.any()))

    assert fired == [False, True]


def test_the_minimum_detectable_shift_shrinks_down_to_the_tolerance(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(246)
    columns = columns_of({"x": rng.standard_normal(10_000)})
    gated, strict = (DriftJudge(columns, panes=MONTH, strict=strict) for strict in (False, True))

    shifts = [float(gated.minimum_detectable_shift(np.array([rows]))[0]) for rows in (0.0, 5.0, 200.0, 2000.0, 1e6)]

    assert shifts[0] == np.inf
    assert shifts == sorted(shifts, reverse=True)
    # A quarter more than the gate and an error of the reference, 1.2 of which may hide a part of it.
    assert shifts[-1] == pytest.approx(1.25 * (0.02**0.5 + 2.2 * 10_000**-0.5), rel=0.02)
    assert strict.minimum_detectable_shift(np.array([1e6]))[0] > shifts[-1]


def test_a_reference_too_short_for_its_own_variation_is_named(columns_of: MakeColumns, memory: MakeValues) -> None:
    rng = np.random.default_rng(240)
    columns = columns_of({**memory(rng, 5000, 0.99), "plain": rng.standard_normal(5000)})

    assert [column.name for column in DriftJudge(columns, panes=MONTH).too_short] == ["x0", "x1", "x2", "x3"]


def test_features_and_outputs_of_one_name_are_told_apart(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(241)
    (feature,) = columns_of({"x": rng.standard_normal(10_000)})
    panes = panes_of([feature], {"x": rng.standard_normal(3000)}, 100)
    moved = panes_of([feature], {"x": rng.standard_normal(3000) + 1.0}, 100)
    judge = DriftJudge((feature, replace(feature, role="output")), panes=MONTH)

    alerts, firing, _ = judged(judge, np.concatenate([panes, moved], axis=1))

    assert {alert.role for alert in alerts} == {"output"}
    assert alerts[0].key.endswith("/output/x")
    assert firing.any(0).tolist() == [False, True]


def test_windows_are_asked_for_only_as_far_back_as_anybody_keeps(columns_of: MakeColumns) -> None:
    judge = DriftJudge(columns_of({"x": np.arange(1000.0)}, ordered=False), panes=MONTH)
    counts = np.zeros((1, BINS), np.int64)
    counts[0, NULL] = 100
    asked: list[int] = []

    def endless(wanted: int) -> tuple[NDArray[np.int64], int]:
        asked.append(wanted)
        return counts * wanted, wanted

    judge.update(counts, 10.0, endless)

    assert asked[:21] == [1 << power for power in range(21)]
    assert max(asked[21:]) <= 36


def test_a_judge_without_columns_has_nothing_to_say() -> None:
    judge = DriftJudge((), panes=MONTH)

    assert judge.update(np.zeros((0, BINS), np.int64), 1.0, lambda wanted: (np.zeros((0, BINS), np.int64), 1)) == []
    assert judge.too_short == ()
