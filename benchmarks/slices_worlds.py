"""Rows of columns as models have them, correlated or not, with slices planted in them: for `benchmarks.slices`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Kind
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, VALUE_BINS

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Condition: TypeAlias = Callable[[Floats], Mask]

REFERENCE_ROWS = 8_000
_PLANTING_ROWS = 3_000
FACTORS = 5
_LEAST_EACH, _MOST_EACH = 0.08, 0.6
"""Share of the rows in either of two conditions: each has to matter."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Columns, and how rows of them are drawn."""

    columns: tuple[ColumnReference, ...]
    draw: Callable[[np.random.Generator, int], Floats]
    """Shape (columns, rows): numbers, or numbers of categories; NaN is missing."""

    def codes(self, values: Floats) -> NDArray[np.uint8]:
        """The bins of *values*."""
        return np.array([_codes(column, row) for column, row in zip(self.columns, values, strict=True)], np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A slice of two conditions on values, whose borders are anywhere."""

    places: tuple[int, int]
    conditions: tuple[Condition, Condition]
    words: str

    def holds(self, values: Floats) -> Mask:
        """Which rows are in it."""
        one, other = self.places
        inside: Mask = self.conditions[0](values[one]) & self.conditions[1](values[other])
        return inside


def world_of(rng: np.random.Generator, count: int, *, correlated: bool) -> World:
    """*count* columns: six in ten are numbers (some whole, some mostly 0), three categories, one yes or no."""
    kinds = rng.choice(
        ["normal", "skewed", "hour", "zeros", "category", "flag"], count, p=[0.25, 0.2, 0.1, 0.05, 0.3, 0.1]
    )
    loadings = rng.normal(size=(count, FACTORS)) * (rng.random((count, FACTORS)) < 0.4)
    strength = np.where(np.abs(loadings).sum(1) > 0, rng.uniform(0.3, 0.9, count), 0.0) * correlated
    loadings /= np.maximum(np.linalg.norm(loadings, axis=1, keepdims=True), 1e-9)
    category_counts = rng.choice([3, 5, 8, 15, 30, 80], count)
    missing = np.where(rng.random(count) < 0.2, rng.uniform(0.005, 0.1, count), 0.0)

    def draw(draws: np.random.Generator, rows: int) -> Floats:
        factors = draws.normal(size=(FACTORS, rows))
        own = draws.normal(size=(count, rows))
        mixed = strength[:, None] * (loadings @ factors) + np.sqrt(1 - strength**2)[:, None] * own
        values = np.array(
            [
                _shaped(kind, row, int(categories))
                for kind, row, categories in zip(kinds, mixed, category_counts, strict=True)
            ]
        )
        values[draws.random((count, rows)) < missing[:, None]] = np.nan
        return values

    sample = draw(rng, REFERENCE_ROWS)
    columns = [
        _column(f"column_{place}", "categorical" if kind in {"category", "flag"} else "numeric", row)
        for place, (kind, row) in enumerate(zip(kinds, sample, strict=True))
    ]
    return World(tuple(columns), draw)


def planted_in(rng: np.random.Generator, world: World, least: float, most: float) -> Planted:
    """A slice of two columns that holds between *least* and *most* of the rows."""
    values = world.draw(rng, _PLANTING_ROWS)
    while True:
        one, other = sorted(int(place) for place in rng.choice(len(world.columns), 2, replace=False))
        made = [_condition(rng, world.columns[place], values[place]) for place in (one, other)]
        planted = Planted((one, other), (made[0][0], made[1][0]), f"{made[0][1]} and {made[1][1]}")
        alone = [each[0](values[place]).mean() for each, place in zip(made, (one, other), strict=True)]
        if min(alone) >= _LEAST_EACH and max(alone) <= _MOST_EACH and least <= planted.holds(values).mean() <= most:
            return planted


def _shaped(kind: str, row: Floats, categories: int) -> Floats:
    if kind == "skewed":
        return np.exp(row)
    if kind == "hour":
        return np.floor(24 * _rank(row))
    if kind == "zeros":
        return np.maximum(row - 0.3, 0.0)
    if kind == "flag":
        return (row > 0.5).astype(float)
    if kind == "category":  # by 1 / rank, in an order that has nothing to do with how frequent they are
        shares = 1 / np.arange(1, categories + 1)
        order = np.argsort(np.sin(np.arange(categories) * 12.9898))
        ends = np.cumsum(shares[order] / shares.sum())
        return order[np.minimum(np.searchsorted(ends, _rank(row)), categories - 1)].astype(float)
    return row


def _rank(row: Floats) -> Floats:
    """Normal deviates as shares (logistic, near enough)."""
    return 1 / (1 + np.exp(-1.702 * row))


def _column(name: str, kind: Kind, row: Floats) -> ColumnReference:
    filled = row[~np.isnan(row)]
    values, counts = np.unique(filled, return_counts=True)
    edges, categories, known = np.zeros(0), tuple[str, ...](), frozenset[str]()
    if kind == "categorical":
        by_frequency = [f"v{value:.0f}" for value in values[np.argsort(-counts, kind="stable")]]
        categories, known = tuple(by_frequency[: VALUE_BINS - 1]), frozenset(by_frequency[VALUE_BINS - 1 :])
    elif len(values) <= VALUE_BINS:
        edges = (values[1:] + values[:-1]) / 2
    else:
        edges = np.unique(np.quantile(filled, np.arange(1, VALUE_BINS) / VALUE_BINS))
        edges = edges[edges > filled.min()]
    column = ColumnReference(
        name, "feature", kind, len(row), np.zeros(BINS, np.int64), edges, float(filled.min()), float(filled.max()),
        categories, known, 0,
    )  # fmt: skip
    column.counts[:] = np.bincount(_codes(column, row), minlength=BINS)
    return column


def _codes(column: ColumnReference, row: Floats) -> NDArray[np.uint8]:
    filled = np.nan_to_num(row)
    if column.kind == "categorical":
        places = {int(text[1:]): STRUCTURAL_BINS + place for place, text in enumerate(column.categories)}
        places |= {int(text[1:]): BINS - 1 for text in column.known}
        by_value = np.full(256, ABOVE)
        for value, bin_ in places.items():
            by_value[value] = bin_
        codes = by_value[filled.astype(int)]
    else:
        codes = STRUCTURAL_BINS + np.searchsorted(column.edges, filled, side="right")
        codes = np.where(filled < column.low, BELOW, np.where(filled > column.high, ABOVE, codes))
    return np.where(np.isnan(row), NULL, codes).astype(np.uint8)


def _condition(rng: np.random.Generator, column: ColumnReference, row: Floats) -> tuple[Condition, str]:
    filled = row[~np.isnan(row)]
    if column.kind == "categorical":
        value = float(rng.choice(filled[:200]))
        return (lambda values: values == value), f"{column.name}=v{value:.0f}"
    start, width = rng.uniform(0, 1), rng.uniform(_LEAST_EACH, _MOST_EACH)
    if rng.random() < 0.5:
        start = rng.choice([0.0, 1 - width])
    low, high = np.quantile(filled, [min(start, 1 - width), min(start + width, 1.0)])
    low = -np.inf if start == 0 else low
    high = np.inf if start >= 1 - width else high
    return (lambda values: (values >= low) & (values <= high)), f"{column.name} {low:.3g} to {high:.3g}"
