"""Columns of awkward shapes, a judge of breaks over them, and rows that run through it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.signal import lfilter

from dashlight.judge.breaks.judge import BreakJudge
from dashlight.records import Alert, Role
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.profile import ProfileMeter
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns, taken

Values: TypeAlias = dict[str, Any]
PANES = 259_200.0


@dataclass(frozen=True, slots=True)
class Watched:
    """Columns and their profiles."""

    columns: tuple[ColumnReference, ...]
    profiles: Mapping[tuple[Role, str], Profile]

    def judge(self) -> BreakJudge:
        return BreakJudge(self.columns, self.profiles, panes=PANES, model="m", endpoint="/e")


def rows_of_columns(rng: np.random.Generator, rows: int, *, clusters: bool = False) -> Values:
    def memory(rho: float) -> Any:
        return lfilter([1], [1, -rho], rng.standard_normal(rows + 2000) * np.sqrt(1 - rho**2))[2000:]

    weights = 1 / np.arange(1, 21)
    daily = np.concatenate([np.full(6, 0.01), np.full(14, 0.06), np.full(4, 0.025)])
    values: Values = {
        "normal": 40 + 10 * rng.standard_normal(rows),
        "price": np.round(np.exp(3 + 0.5 * rng.standard_normal(rows)), 2),
        "age": np.round(40 + 12 * rng.standard_normal(rows)).clip(0, 99),
        "zeros": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(size=rows)),
        "rare": np.where(rng.random(rows) < 0.01, 1.0, 0.0),
        "constant": np.full(rows, 7.0),
        "temp": np.round(15 + 8 * rng.standard_normal(rows), 1),
        "slow": memory(0.99),
        "brisk": memory(0.9),
        "count": rng.poisson(3.2, rows).astype(float),
        "weight": 60 + 10 * rng.standard_normal(rows),
        "share": rng.beta(2, 5, rows),
        "moment": 1.7e9 + np.arange(rows) * 3.0 + rng.random(rows),
        "hour": rng.choice(24, rows, p=daily).astype(float),
        "distance": rng.exponential(300, rows),
        "nightly": np.where(np.arange(rows) // 1500 % 2 == 0, 0.0, rng.random(rows)),
        "carrier": [f"C{code}" for code in rng.choice(20, rows, p=weights / weights.sum())],
        "city": rng.choice(["Malmö", "Köln", "Orléans"], rows).tolist(),
        "flag": (rng.random(rows) < 0.01).tolist(),
        "note": [f"note {code}" for code in rng.integers(10**9, size=rows)],
    }
    if not clusters:
        return values
    places = np.repeat(np.arange(0, rows, 20), 20)[:rows]
    return {name: taken_from(column, places) for name, column in values.items()}


def taken_from(column: Column, places: Any) -> Column:
    return column[places] if isinstance(column, np.ndarray) else [column[place] for place in places]


def watched_columns(values: Values, *, ordered: bool = True) -> Watched:
    rng = np.random.default_rng(0)
    columns = build_reference_from_columns(values, {}, rng=rng, created_at=0.0, ordered=ordered).columns
    meter = ProfileMeter(columns)
    meter.add(table_of_columns(values))
    return Watched(columns, meter.profiles())


def run_of_rows(
    watched: Watched, *streams: Values, rows: int = 10, judge: BreakJudge | None = None
) -> list[tuple[int, Alert]]:
    """Alerts, each with the rows that had come by then; *streams* come one after the other, a pane takes ten seconds."""
    judge = judge or watched.judge()
    recent = judge.recent_values()
    collector = RecentCollector(recent.columns)
    came, alerts = 0, list[tuple[int, Alert]]()
    for stream in streams:
        table = table_of_columns(stream)
        for start in range(0, table.rows, rows):
            collector.add("feature", taken(table, np.arange(start, min(start + rows, table.rows))))
            came += rows
            at = 10.0 * came / rows
            recent.take(collector.close(), at)
            alerts.extend((came, alert) for alert in judge.update(recent, at))
    return alerts


@pytest.fixture(scope="session")
def rows_of() -> Callable[..., Values]:
    """Columns of awkward shapes: heavy ties, memory, rare flags, a constant, hours, categories, notes."""
    return rows_of_columns


@pytest.fixture(scope="session")
def watch() -> Callable[..., Watched]:
    return watched_columns


@pytest.fixture(scope="session")
def run() -> Callable[..., list[tuple[int, Alert]]]:
    return run_of_rows


@pytest.fixture(scope="session")
def awkward() -> Watched:
    """The awkward columns with a reference of 5,000 rows."""
    return watched_columns(rows_of_columns(np.random.default_rng(101), 5000))
