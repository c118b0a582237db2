"""Our judge on a stream: rows to tables to panes to alerts, by the code that a server runs, or by the public class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from benchmarks.detection_outcome import Alarms
from benchmarks.detection_streams import Column, Columns

from dashlight import DriftDetector
from dashlight.counting.policy import Policy
from dashlight.records import Alert, Prediction, Table
from dashlight.watching.rows import Comparison
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import NO_EXCHANGE, table_of_columns

PANE_SECONDS = 10.0
PANES_A_MONTH = 30 * 86_400 / PANE_SECONDS
TOLERANCE = 0.02
POLICY = Policy(panes_between_false_alarms=PANES_A_MONTH, tolerance=TOLERANCE)
NO_TRACES = np.zeros(1, np.dtype("V16"))
Ours: TypeAlias = Callable[..., Alarms]
"""`by_comparison` or `by_detector`."""


def by_comparison(reference: Columns, current: Columns, *, pane_rows: int) -> Alarms:
    """What fires after every pane, shape (panes, columns + 1): one place a column, and the last for joint alarms.

    By what the server runs for each model, without what makes tables of bodies and arrays.
    """
    return firing(_alerts_of_comparison(reference, current, pane_rows), tuple(reference))


def by_detector(reference: Columns, current: Columns, *, pane_rows: int) -> Alarms:
    """The same by the public class, as a notebook has it."""
    return firing(_alerts_of_detector(reference, current, pane_rows), tuple(reference))


def _alerts_of_detector(reference: Columns, current: Columns, pane_rows: int) -> Iterator[Sequence[Alert]]:
    words = {name: "categorical" for name, values in reference.items() if isinstance(values, list)}
    detector = DriftDetector(reference, words, tolerance=TOLERANCE, pane_seconds=PANE_SECONDS)
    # The first call only starts the clock, so it has the first row and the rest of that pane comes with the second.
    detector.update({name: values[:1] for name, values in current.items()}, at=0.0)
    for pane in range(rows_in(current) // pane_rows):
        rows = slice(max(pane * pane_rows, 1), (pane + 1) * pane_rows)
        yield detector.update({name: values[rows] for name, values in current.items()}, at=(pane + 1) * PANE_SECONDS)


def _alerts_of_comparison(reference: Columns, current: Columns, pane_rows: int) -> Iterator[Sequence[Alert]]:
    comparison = comparison_of(reference)
    counter = comparison.counter()
    for pane, table in enumerate(panes_of(current, pane_rows)):
        counter.add(prediction_of(table), NO_TRACES)
        yield comparison.close_pane(counter.close(), (pane + 1) * PANE_SECONDS)
        counter.follow(comparison.directions)


def comparison_of(reference: Columns) -> Comparison:
    """A judge of *reference*, its rows in time order, with the whole budget of one false alarm in thirty days."""
    built = build_reference_from_columns(
        reference,
        {},
        rng=np.random.default_rng(0),
        created_at=0.0,
        categorical=[name for name, values in reference.items() if isinstance(values, list)],
    )
    return Comparison(built, POLICY, endpoint="/predict", model="bench", version="1")


def firing(alerts: Iterator[Sequence[Alert]], columns: Sequence[str]) -> Alarms:
    """Which of *columns* fire after each pane, shape (panes, columns + 1); an alert about none or several is the last."""
    places = {name: place for place, name in enumerate(columns)}
    now: dict[str, int] = {}
    rows: list[list[bool]] = []
    for news in alerts:
        for alert in news:
            if alert.source == "traffic":  # that one payload is sent again and again is no drift
                continue
            if alert.state == "firing":
                now[alert.key] = places.get(alert.column or "", len(places))
            else:
                now.pop(alert.key, None)
        held = set(now.values())
        rows.append([place in held for place in range(len(places) + 1)])
    return np.array(rows, np.bool_).reshape(-1, len(places) + 1)


def panes_of(columns: Columns, pane_rows: int) -> Iterator[Table]:
    """*columns* as tables of *pane_rows* rows each; what is left over is left out."""
    whole = table_of_columns(dict(columns))
    for begin in range(0, whole.rows - pane_rows + 1, pane_rows):
        part = slice(begin, begin + pane_rows)
        yield Table(
            rows=pane_rows,
            number_names=whole.number_names,
            numbers=np.ascontiguousarray(whole.numbers[:, part]),
            cell_names=whole.cell_names,
            cells=tuple(cells[part] for cells in whole.cells),
            exchange=np.zeros(pane_rows, np.intp),
        )


def prediction_of(table: Table) -> Prediction:
    """*table* as the features of a prediction that answers nothing."""
    nothing = Table(
        rows=0,
        number_names=(),
        numbers=np.zeros((0, 0)),
        cell_names=(),
        cells=(),
        exchange=np.full(0, NO_EXCHANGE, np.intp),
    )
    return Prediction(
        endpoint="/predict", model="bench", version="1", protocol="bench", features=table, outputs=nothing
    )


def rows_in(columns: Columns) -> int:
    """Rows of *columns*."""
    values: Column = next(iter(columns.values()))
    return len(values)
