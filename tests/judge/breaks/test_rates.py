"""A break is named whatever the rate of the traffic, and no more is named at one rate than at another."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashlight.records import Alert

Values = dict[str, Any]
Run = Callable[..., list[tuple[int, Alert]]]

BREAKS: dict[str, Callable[[Values], Values]] = {
    "unit": lambda rows: {"temp": np.round(rows["temp"] * 1.8 + 32, 1)},
    "constant": lambda rows: {"temp": np.full(len(rows["temp"]), 14.2)},
    "fill": lambda rows: {"temp": np.where(np.arange(len(rows["temp"])) % 5 < 2, -999.0, rows["temp"])},
    "rounding": lambda rows: {"temp": np.round(rows["temp"])},
    "encoding": lambda rows: {"city": [city.upper() for city in rows["city"]]},
    "gone": lambda rows: {"temp": rows["temp"] * np.nan},
}


def rows_of_three_columns(rng: np.random.Generator, rows: int) -> Values:
    return {
        "temp": np.round(15 + 8 * rng.standard_normal(rows), 1),
        "amount": np.round(rng.lognormal(3, 0.5, rows), 2),
        "city": rng.choice(["Malmö", "Köln", "Orléans"], rows).tolist(),
    }


@pytest.fixture(scope="module")
def three_columns(watch: Any) -> Any:
    return watch(rows_of_three_columns(np.random.default_rng(301), 5000))


@pytest.mark.parametrize("pane_rows", [1, 10, 26, 100, 256, 1000, 5000])
@pytest.mark.parametrize("kind", list(BREAKS))
def test_a_break_is_named_at_any_rate(kind: str, pane_rows: int, three_columns: Any, run: Run) -> None:
    rng = np.random.default_rng(302)
    panes = 240 if pane_rows == 1 else 37
    before, after = (rows_of_three_columns(rng, panes * pane_rows) for _ in range(2))

    alerts = run(three_columns, before, after | BREAKS[kind](after), rows=pane_rows)

    fired = [(alert.column, alert.key.rsplit("/", 1)[1]) for _, alert in alerts if alert.state == "firing"]
    assert fired == [("city" if kind == "encoding" else "temp", kind)]


@pytest.mark.parametrize("pane_rows", [10, 100, 2000])
def test_nothing_is_named_at_any_rate_where_nothing_broke(pane_rows: int, three_columns: Any, run: Run) -> None:
    rows = rows_of_three_columns(np.random.default_rng(303), 120 * pane_rows)

    assert run(three_columns, rows, rows=pane_rows) == []
