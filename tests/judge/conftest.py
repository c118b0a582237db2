"""References and panes made from plain values, and a drift judge run over panes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from dashlight.judge.columns.judge import DriftJudge
from dashlight.records import Alert
from dashlight.store.layout import Layout
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS
from dashlight.window.reference.build import build_reference
from dashlight.window.tables import Column, table_of_columns

Values: TypeAlias = Mapping[str, Column]
Counts: TypeAlias = NDArray[np.int64]
State = TypeVar("State")
Run: TypeAlias = tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]


def frozen_state(state: object) -> bytes:
    layout: Layout[object] = Layout("state", 1, type(state))
    return b"".join(layout.freeze(state))


def thawed_state(state: State) -> State:
    layout: Layout[State] = Layout("state", 1, type(state))
    return layout.thaw(frozen_state(state))


def columns_of_values(values: Values, *, ordered: bool = True) -> tuple[ColumnReference, ...]:
    table = table_of_columns(values)
    rng = np.random.default_rng(0)
    return build_reference(lambda: [{"feature": table}], rng=rng, created_at=0.0, ordered=ordered, least_rows=1).columns


def counts_of_panes(columns: Sequence[ColumnReference], values: Values, rows: int) -> Counts:
    binner = Binner(columns)
    codes = binner.codes(table_of_columns(values))
    panes = codes.shape[1] // rows
    return np.array([binner.count(codes[:, pane * rows : (pane + 1) * rows]) for pane in range(panes)])


def judged_panes(judge: DriftJudge, panes: Counts) -> Run:
    """Alerts, firing columns after each pane (panes, columns), margins likewise; a pane takes ten seconds."""
    sums = np.concatenate([np.zeros((1, *panes.shape[1:]), np.int64), np.cumsum(panes, axis=0)])
    place = {(column.role, column.name): at for at, column in enumerate(judge.columns)}
    firing = np.zeros(panes.shape[:2], np.bool_)
    margins = np.zeros(panes.shape[:2], np.float32)
    alerts: list[Alert] = []

    def window_after(pane: int) -> Callable[[int], tuple[Counts, int]]:
        def window(wanted: int) -> tuple[Counts, int]:
            held = min(wanted, pane + 1)
            return sums[pane + 1] - sums[pane + 1 - held], held

        return window

    for pane, counts in enumerate(panes):
        firing[pane] = firing[pane - 1] if pane else False
        for alert in judge.update(counts, 10.0 * (pane + 1), window_after(pane)):
            alerts.append(alert)
            if alert.role is not None and alert.column is not None:
                firing[pane, place[alert.role, alert.column]] = alert.state == "firing"
        margins[pane] = judge.margins
    return alerts, firing, margins


def table_of_rows(rng: np.random.Generator, rows: int) -> dict[str, NDArray[np.float64]]:
    values = {
        "normal": rng.standard_normal(rows),
        "skewed": np.where(rng.random(rows) < 0.01, np.nan, np.exp(rng.standard_normal(rows))),
        "zeros": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(size=rows)),
        "rare": np.where(rng.random(rows) < 0.01, 1.0, 0.0),
    }
    weights = 1 / np.arange(1, 21)
    values["code"] = rng.choice(20, rows, p=weights / weights.sum()).astype(float)
    return values


def words_of_codes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "code": [f"c{code:.0f}" for code in values["code"]]}


def rows_that_remember(rng: np.random.Generator, rows: int, rho: float) -> dict[str, NDArray[np.float64]]:
    noise = rng.standard_normal((rows + 1000, 4)) * np.sqrt(1 - rho**2)
    remembered = lfilter([1], [1, -rho], noise, axis=0)[1000:]
    return {f"x{place}": remembered[:, place] for place in range(4)}


@pytest.fixture
def frozen() -> Callable[[object], bytes]:
    """The bytes of a state."""
    return frozen_state


@pytest.fixture
def thawed() -> Callable[[State], State]:
    """A state, written and read again."""
    return thawed_state


@pytest.fixture
def table() -> Callable[..., dict[str, NDArray[np.float64]]]:
    """Awkward shapes: normal, skewed with missing values, many zeros, a rare flag, codes."""
    return table_of_rows


@pytest.fixture
def words() -> Callable[..., dict[str, Any]]:
    """A table with its codes as texts."""
    return words_of_codes


@pytest.fixture
def memory() -> Callable[..., dict[str, NDArray[np.float64]]]:
    """Four columns in which each row is correlated with the one before."""
    return rows_that_remember


@pytest.fixture(scope="session")
def columns_of() -> Callable[..., tuple[ColumnReference, ...]]:
    return columns_of_values


@pytest.fixture
def panes_of() -> Callable[..., Counts]:
    return counts_of_panes


@pytest.fixture
def judged() -> Callable[..., Run]:
    return judged_panes


@pytest.fixture
def column_with() -> Callable[..., ColumnReference]:
    """A numeric column with the given counts by bin and edges."""

    def column(
        counts: Mapping[int, int], edges: Sequence[float], ends: tuple[float, float], name: str = "x"
    ) -> ColumnReference:
        held = np.zeros(BINS, np.int64)
        held[list(counts)] = list(counts.values())
        return ColumnReference(
            name=name,
            role="feature",
            kind="numeric",
            rows=int(held.sum()),
            counts=held,
            edges=np.array(edges, np.float64),
            low=ends[0],
            high=ends[1],
            categories=(),
            known=frozenset(),
            single_block_rows=0,
        )

    return column
