from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.alert_budget import PERFORMANCE
from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.performance.judge import PerformanceJudge
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.panes import Panes
from dashlight.window.tables import table_of_columns

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
PANE_ROWS = 100


def labelled(rng: np.random.Generator, rows: int, *, accuracy: float = 0.8, error: float = 1.0) -> dict[str, object]:
    return {
        "correct": (rng.random(rows) < accuracy).tolist(),
        "absolute_error": error * np.abs(rng.standard_normal(rows)),
    }


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    return columns_of(labelled(np.random.default_rng(500), 5000))


@pytest.fixture
def run(columns: tuple[ColumnReference, ...]) -> Callable[..., list[Alert]]:
    """The alerts of 20 usual panes, then 30 of another accuracy and error, then 40 usual ones."""

    def judged(*, accuracy: float, error: float = 1.0) -> list[Alert]:
        rng = np.random.default_rng(501)
        judge = PerformanceJudge(
            DriftJudge(columns, panes=259_200.0, share=PERFORMANCE, model="risk", endpoint="/predict")
        )
        binner, panes = Binner(columns), Panes(len(columns))

        def window(wanted: int) -> tuple[NDArray[np.int64], int]:
            held = panes.window(wanted)
            return held.counts, held.panes

        found: list[Alert] = []
        for pane in range(90):
            is_other = 20 <= pane < 50
            values = labelled(rng, PANE_ROWS, accuracy=accuracy if is_other else 0.8, error=error if is_other else 1.0)
            panes.add(binner.count(binner.codes(table_of_columns(values))))  # type: ignore[arg-type]
            found += judge.update(panes.close(10.0 * pane), 10.0 * pane, window)
        return found

    return judged


def test_accuracy_that_falls_fires_and_resolves_when_it_is_back(run: Callable[..., list[Alert]]) -> None:
    alerts = run(accuracy=0.6)

    assert {alert.key for alert in alerts} == {"performance/risk/%2Fpredict/correct"}
    assert [state for state in ("firing", "resolved") if state in {alert.state for alert in alerts}] == [
        "firing",
        "resolved",
    ]
    assert next(alert for alert in alerts if alert.state == "firing").at < 270.0


def test_accuracy_that_rises_is_no_news(run: Callable[..., list[Alert]]) -> None:
    assert run(accuracy=0.95) == []


def test_errors_that_grow_are_news_and_errors_that_shrink_are_none(run: Callable[..., list[Alert]]) -> None:
    grown, shrunk = run(accuracy=0.8, error=1.6), run(accuracy=0.8, error=0.6)

    assert {(alert.source, alert.column) for alert in grown if alert.state == "firing"} == {
        ("performance", "absolute_error")
    }
    assert shrunk == []


def test_labels_like_those_of_the_reference_are_quiet(run: Callable[..., list[Alert]]) -> None:
    assert run(accuracy=0.8) == []


def test_a_column_of_which_nobody_knows_what_is_worse_is_refused(columns_of: MakeColumns) -> None:
    with pytest.raises(ValueError, match="neither boolean nor numeric: label"):
        PerformanceJudge(DriftJudge(columns_of({"label": ["a", "b"] * 100}), panes=259_200.0))
