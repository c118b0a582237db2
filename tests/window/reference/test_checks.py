from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import ColumnReference, Runs, Variation
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.reference.checks import check_columns

Columns = Callable[..., ColumnReference]
EVENTS, FUNCTIONALS = np.ones(EVENT_COUNT), np.ones(FUNCTIONAL_COUNT)
RUNS = np.ones(EVENT_COUNT, np.int64)


def runs(
    *, held: NDArray[np.int64] = 2 * RUNS, counts: NDArray[np.int64] = RUNS, bursts: NDArray[np.float64] = 0 * EVENTS
) -> Runs:
    return Runs(5, held, counts, bursts)


def test_columns_that_can_be_pass(column: Columns) -> None:
    unmeasured = Variation(100, 1, EVENTS * np.nan, FUNCTIONALS * np.nan)
    check_columns(
        [
            column("a", edges=[1.0, 2.0], low=0.0, high=2.0, counts={4: 3}, variation=(unmeasured,)),
            column("constant", low=1.0, high=1.0),
            column("c", "categorical", categories=["x"], known=["y"], counts={4: 1}, single_block_rows=1),
            column("t", "text"),
            column("a", role="output"),
        ]
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"counts": np.zeros(35, np.int64)}, "35 counts instead of 36", id="counts of another layout"),
        pytest.param({"counts": np.full(36, -1)}, "a count below zero", id="negative count"),
        pytest.param({"rows": 7}, "do not add up to its 7 rows", id="rows that are not there"),
        pytest.param({"single_block_rows": 4}, "more rows in single blocks than rows", id="too many single rows"),
        pytest.param({"single_block_rows": -1}, "more rows in single blocks than rows", id="negative single rows"),
        pytest.param({"edges": np.array([2.0, 1.0])}, "do not ascend", id="edges that descend"),
        pytest.param({"edges": np.array([1.0, 1.0])}, "do not ascend", id="edges that repeat"),
        pytest.param({"edges": np.array([0.0])}, "do not ascend", id="an edge at the lowest value"),
        pytest.param({"edges": np.array([np.nan])}, "do not ascend", id="an edge that is nowhere"),
        pytest.param({"edges": np.array([10.0])}, "highest value lies below", id="an edge above the highest value"),
        pytest.param({"high": -1.0}, "highest value lies below", id="a range upside down"),
        pytest.param({"edges": np.linspace(1, 2, 32)}, "32 edges, more than 31", id="too many edges"),
        pytest.param({"categories": ("x",)}, "categories, though it has none", id="a number with categories"),
        pytest.param(
            {"kind": "text", "edges": np.array([1.0])}, "edges, though it is not numeric", id="a text with edges"
        ),
        pytest.param(
            {"kind": "categorical", "categories": tuple(map(str, range(32)))}, "32 categories", id="too many categories"
        ),
        pytest.param({"kind": "categorical", "categories": ("x", "x")}, "occurs twice", id="a category twice"),
        pytest.param(
            {"kind": "categorical", "categories": ("x",), "known": frozenset("x")}, "occurs twice", id="known twice"
        ),
        pytest.param(
            {"variation": (Variation(100, 5, EVENTS[1:], FUNCTIONALS),)}, "is not of 92 events", id="short events"
        ),
        pytest.param({"variation": (Variation(100, 5, EVENTS, EVENTS),)}, "and 8 functionals", id="many functionals"),
        pytest.param({"variation": (Variation(100, 5, -EVENTS, FUNCTIONALS),)}, "below zero", id="negative variation"),
        pytest.param({"runs": runs(counts=RUNS[1:])}, "runs are not of 92 events", id="runs of fewer events"),
        pytest.param({"runs": runs(counts=3 * RUNS)}, "more rows than there are", id="more runs than rows in them"),
        pytest.param({"runs": runs(counts=0 * RUNS)}, "runs of no rows", id="rows in no run"),
        pytest.param({"runs": runs(held=9 * RUNS)}, "more rows than there are", id="runs of more rows"),
        pytest.param({"runs": runs(bursts=EVENTS * np.nan)}, "a burst of more", id="a burst of nothing"),
    ],
)
def test_what_cannot_be_is_named(column: Columns, changes: dict[str, object], problem: str) -> None:
    good = column("temp", counts={4: 3}, low=0.0, high=5.0)

    with pytest.raises(ReferenceDataError, match=f"'temp' what cannot be: .*{problem}"):
        check_columns([replace(good, **changes)])  # type: ignore[arg-type]


def test_a_name_may_occur_once_in_a_role(column: Columns) -> None:
    with pytest.raises(ReferenceDataError, match="of the output 'y' what cannot be: occurs twice"):
        check_columns([column("y"), column("y", role="output"), column("y", role="output")])


def test_an_output_before_a_feature_is_refused(column: Columns) -> None:
    with pytest.raises(ReferenceDataError, match="an output before a feature"):
        check_columns([column("a", role="output"), column("b")])
