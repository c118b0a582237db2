from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.columns.seasons import Seasons
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference
from dashlight.window.tables import table_of_columns

ROWS_A_DAY = 4800
SECONDS_A_ROW = 86_400 / ROWS_A_DAY
REFERENCE_ROWS = 5 * ROWS_A_DAY
PANE_ROWS = 200


def daily(rng: np.random.Generator, first_row: int, rows: int) -> NDArray[np.float64]:
    """Two columns: one follows the hour by one standard deviation up and down, the other does not."""
    hour = 2 * np.pi * (first_row + np.arange(rows)) / ROWS_A_DAY
    values: NDArray[np.float64] = rng.standard_normal((2, rows)) + np.array([np.sin(hour), np.zeros(rows)])
    return values


def given(counts: NDArray[np.int64], wanted: int) -> tuple[NDArray[np.int64], int]:
    """A window of as many panes as are wanted, that holds *counts*."""
    return counts, wanted


@pytest.fixture(scope="module")
def columns() -> tuple[ColumnReference, ...]:
    values = daily(np.random.default_rng(401), 0, REFERENCE_ROWS)
    table = table_of_columns({"warmth": values[0], "weight": values[1]})
    moments = np.arange(REFERENCE_ROWS, dtype=np.float64) * SECONDS_A_ROW
    rng = np.random.default_rng(0)
    return build_reference(lambda: [{"feature": table}], rng=rng, created_at=0.0, moments=moments).columns


@pytest.fixture
def run(columns: tuple[ColumnReference, ...]) -> Callable[[NDArray[np.float64]], list[tuple[int, Alert]]]:
    """The alerts of rows that follow the reference, each with the number of its pane."""

    def judged(values: NDArray[np.float64]) -> list[tuple[int, Alert]]:
        judge, binner, panes = DriftJudge(columns, panes=259_200.0), Binner(columns), Panes(len(columns))
        codes = binner.codes(table_of_columns({"warmth": values[0], "weight": values[1]}))

        def window(wanted: int) -> tuple[NDArray[np.int64], int]:
            held = panes.window(wanted)
            return held.counts, held.panes

        found: list[tuple[int, Alert]] = []
        for pane in range(codes.shape[1] // PANE_ROWS):
            panes.add(binner.count(codes[:, pane * PANE_ROWS : (pane + 1) * PANE_ROWS]))
            began_at, at = ((REFERENCE_ROWS + rows * PANE_ROWS) * SECONDS_A_ROW for rows in (pane, pane + 1))
            found += [(pane, alert) for alert in judge.update(panes.close(at), at, window, began_at=began_at)]
        return found

    return judged


def test_only_what_follows_the_hour_has_a_season(columns: tuple[ColumnReference, ...]) -> None:
    assert [column.season is not None for column in columns] == [True, False]


def test_two_days_like_those_of_the_reference_are_quiet(
    run: Callable[[NDArray[np.float64]], list[tuple[int, Alert]]],
) -> None:
    assert run(daily(np.random.default_rng(402), REFERENCE_ROWS, 2 * ROWS_A_DAY)) == []


def test_half_a_deviation_beyond_what_the_hour_expects_fires_soon_and_once(
    run: Callable[[NDArray[np.float64]], list[tuple[int, Alert]]],
) -> None:
    values = daily(np.random.default_rng(403), REFERENCE_ROWS, 2 * ROWS_A_DAY)
    values[0, 2000:] += 0.5

    alerts = run(values)

    pane, alert = next((pane, alert) for pane, alert in alerts if alert.state == "firing")
    assert (alert.column, alert.summary.endswith("(what the hour explains is taken off)")) == ("warmth", True)
    assert 10 <= pane <= 15
    assert {alert.state for _, alert in alerts if alert.column == "warmth"} <= {"pending", "firing"}


def test_windows_without_the_season_look_like_the_reference_at_every_hour(
    columns: tuple[ColumnReference, ...],
) -> None:
    judge, binner = DriftJudge(columns, panes=259_200.0), Binner(columns)
    usual = columns[0].counts / columns[0].rows
    for hour in range(0, 24, 6):
        seasons = Seasons(columns, np.ones(2) / 2, panes=259_200.0, like=judge.tables)
        first = REFERENCE_ROWS + hour * ROWS_A_DAY // 24
        values = daily(np.random.default_rng(404 + hour), first, ROWS_A_DAY // 24)
        counts = binner.count(binner.codes(table_of_columns({"warmth": values[0], "weight": values[1]})))
        began_at = first * SECONDS_A_ROW
        seasons.tables(began_at, began_at + 3600, ROWS_A_DAY // 24)

        adjusted, panes = seasons.taken_off(partial(given, counts))(1)

        seen, left = (held[0] / held[0].sum() for held in (counts, adjusted))
        assert panes == 1
        assert np.abs(left - usual).sum() < 0.45
        assert (adjusted[1] == counts[1]).all()
        if hour in {6, 18}:  # the crest and the trough of the day
            assert np.abs(left - usual).sum() < 0.6 * np.abs(seen - usual).sum()
