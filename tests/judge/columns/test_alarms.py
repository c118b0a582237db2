from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
Judged = Callable[[DriftJudge, NDArray[np.int64]], tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]]
Values = Mapping[str, Any]
MakeValues = Callable[..., dict[str, NDArray[np.float64]]]
Change = Callable[[dict[str, NDArray[np.float64]], np.random.Generator], Values]

MONTH = 259_200.0
"""Panes of ten seconds in thirty days."""


def judge_of(columns: tuple[ColumnReference, ...], *, tolerance: float = 0.02) -> DriftJudge:
    return DriftJudge(columns, panes=MONTH, tolerance=tolerance, model="late", version="1", endpoint="/predict")


@pytest.fixture
def null_run(columns_of: MakeColumns, panes_of: MakePanes, judged: Judged) -> Callable[..., int]:
    """How many alarms 1,000 panes of 100 rows without drift give."""

    def run(values: Values, reference_rows: int) -> int:
        columns = columns_of({name: value[:reference_rows] for name, value in values.items()})
        stream = {name: value[reference_rows:] for name, value in values.items()}
        alerts, _, _ = judged(judge_of(columns), panes_of(columns, stream, 100))
        return sum(alert.state == "firing" for alert in alerts)

    return run


@pytest.mark.parametrize("reference_rows", [500, 5000, 20_000])
def test_independent_rows_without_drift_do_not_alarm(
    null_run: Callable[..., int], reference_rows: int, table: MakeValues, words: MakeValues
) -> None:
    rng = np.random.default_rng(170 + reference_rows)

    assert null_run(words(table(rng, reference_rows + 100_000)), reference_rows) == 0


@pytest.mark.parametrize("reference_rows", [1000, 5000, 20_000])
def test_rows_that_come_in_clusters_do_not_alarm(
    null_run: Callable[..., int], reference_rows: int, table: MakeValues, words: MakeValues
) -> None:
    rng = np.random.default_rng(180 + reference_rows)
    entities = table(rng, (reference_rows + 100_000) // 20)

    assert null_run(words({name: np.repeat(value, 20) for name, value in entities.items()}), reference_rows) == 0


@pytest.mark.parametrize("reference_rows", [1000, 5000, 20_000])
def test_rows_that_remember_do_not_alarm(null_run: Callable[..., int], reference_rows: int, memory: MakeValues) -> None:
    rng = np.random.default_rng(190 + reference_rows)

    assert null_run(memory(rng, reference_rows + 100_000, 0.9), reference_rows) == 0


def test_a_daily_swing_that_the_reference_knows_does_not_alarm(null_run: Callable[..., int]) -> None:
    rng = np.random.default_rng(200)
    swing = 0.5 * np.sin(2 * np.pi * np.arange(148_000) / 4800)

    assert null_run({"x": rng.standard_normal(148_000) + swing}, 48_000) == 0


@pytest.mark.parametrize("rows", [7, 400])
def test_panes_of_any_size_do_not_alarm(
    *, columns_of: MakeColumns, panes_of: MakePanes, judged: Judged, rows: int, table: MakeValues, words: MakeValues
) -> None:
    rng = np.random.default_rng(210)
    columns = columns_of(words(table(rng, 5000)))

    alerts, _, _ = judged(judge_of(columns), panes_of(columns, words(table(rng, 300 * rows)), rows))

    assert alerts == []


def test_one_row_in_four_is_no_drift(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged, table: MakeValues, words: MakeValues
) -> None:
    # What the analysis drops above its budget: the rows that are left count as they are, unweighted.
    rng = np.random.default_rng(211)
    columns = columns_of(words(table(rng, 5000)))
    stream = table(rng, 100_000)
    kept = rng.random(100_000) < 0.25

    alerts, _, _ = judged(
        judge_of(columns), panes_of(columns, words({name: value[kept] for name, value in stream.items()}), 25)
    )

    assert alerts == []


def shift(size: float) -> Change:
    return lambda values, rng: {**values, "normal": values["normal"] + size}


def spread(size: float) -> Change:
    return lambda values, rng: {**values, "normal": values["normal"] * size}


def missing(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        return {**values, "skewed": np.where(rng.random(len(values["skewed"])) < share, np.nan, values["skewed"])}

    return change


def out_of_range(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        return {**values, "zeros": np.where(rng.random(len(values["zeros"])) < share, 1000.0, values["zeros"])}

    return change


def below_range(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        return {**values, "normal": np.where(rng.random(len(values["normal"])) < share, -1000.0, values["normal"])}

    return change


def peaked() -> Change:
    return lambda values, rng: {**values, "normal": rng.laplace(0, 0.5**0.5, len(values["normal"]))}


def leaning() -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        # Mean 0, deviation 1, as before: a gamma distribution of shape 4.
        return {**values, "normal": (rng.gamma(4.0, size=len(values["normal"])) - 4) / 2}

    return change


def new_category(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        return {**values, "code": np.where(rng.random(len(values["code"])) < share, 99.0, values["code"])}

    return change


def wrong_type(share: float) -> Change:
    def change(values: dict[str, NDArray[np.float64]], rng: np.random.Generator) -> Values:
        wrong = rng.random(len(values["normal"])) < share
        cells = [str(value) if bad else value for value, bad in zip(values["normal"].tolist(), wrong, strict=True)]
        return {**values, "normal": cells}

    return change


@pytest.mark.parametrize(
    ("change", "column", "rows"),
    [
        (shift(1.0), "normal", 200),
        (shift(0.5), "normal", 500),
        (shift(-0.5), "normal", 500),
        (shift(0.25), "normal", 1500),
        (spread(1.5), "normal", 500),
        (spread(0.6), "normal", 500),
        (new_category(0.05), "code", 500),
        (missing(0.1), "skewed", 500),
        (out_of_range(0.05), "zeros", 400),
        (wrong_type(0.02), "normal", 600),
        (below_range(0.05), "normal", 400),
        (peaked(), "normal", 1500),
        (leaning(), "normal", 1000),
    ],
    ids=[
        "mean by 1", "mean by 0.5", "mean by -0.5", "mean by 0.25", "spread by 1.5", "spread by 0.6",
        "new category", "missing", "above the range", "wrong type", "below the range", "peaked", "leaning",
    ],
)  # fmt: skip
def test_a_drift_alarms_in_its_column_within_rows(
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
    table: MakeValues,
    words: MakeValues,
    *,
    change: Change,
    column: str,
    rows: int,
) -> None:
    delays = []
    for seed in range(220, 225):
        rng = np.random.default_rng(seed)
        columns = columns_of(words(table(rng, 10_000)))
        before, after = table(rng, 1000), table(rng, 4000)
        panes = np.concatenate(
            [panes_of(columns, words(before), 100), panes_of(columns, words(change(after, rng)), 100)]
        )
        alerts, firing, _ = judged(judge_of(columns), panes)
        assert {alert.column for alert in alerts} <= {column}
        delays.append(100 * (int(np.flatnonzero(firing.any(1))[0]) - 9))

    assert min(delays) > 0
    assert sorted(delays)[2] <= rows
