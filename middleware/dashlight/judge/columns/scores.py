"""Scores of every column for people to look at: rates of bad values, and distances from the reference. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.columns.divergence import js, ks, psi, w1
from dashlight.judge.evidence.intervals import Estimate, wilson_interval
from dashlight.records import Score
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, NULL, TYPE_ERROR, UNSEEN, VALUE_BINS

Counts: TypeAlias = NDArray[np.integer]

SHIFT = "minimum_detectable_shift"
RATES: Mapping[str, list[int]] = {
    "missing_rate": [NULL],
    "type_error_rate": [TYPE_ERROR],
    "out_of_range_rate": [BELOW, ABOVE],
    "unseen_rate": [UNSEEN],
}
"""The bins whose share each rate is."""


def scores(columns: Sequence[ColumnReference], reference: Counts, current: Counts) -> list[Score]:
    """Scores of *columns*, both counts of shape (columns, BINS); none for a column without rows in *current*.

    Numeric columns have out_of_range_rate, ks and w1; categorical and boolean ones unseen_rate; all have missing_rate,
    type_error_rate, psi and js. Rates come with their value in the reference.
    """
    rows = current.sum(1)
    found: dict[str, tuple[Estimate, NDArray[np.float64] | None]] = {}
    for statistic, bins in RATES.items():
        before = wilson_interval(reference[:, bins].sum(1), reference.sum(1))
        found[statistic] = wilson_interval(current[:, bins].sum(1), rows), before.value
    found["psi"] = psi(reference, current), None
    found["js"] = js(reference, current), None
    measured = [place for place, column in enumerate(columns) if _is_measured(column)]
    borders = np.array([_borders(columns[place]) for place in measured]).reshape(-1, VALUE_BINS + 1)
    found["ks"] = _among(ks(reference[measured], current[measured]), measured, len(columns)), None
    found["w1"] = _among(w1(reference[measured], current[measured], borders), measured, len(columns)), None
    return [
        _score(column, statistic, int(rows[place]), _at(place, *found[statistic]))
        for place, column in enumerate(columns)
        if rows[place]
        for statistic in _statistics_of(column)
    ]


def known_scores(
    columns: Sequence[ColumnReference], values: Mapping[str, NDArray[np.float64]], rows: NDArray[np.float64]
) -> list[Score]:
    """What is known without doubt of *columns* after so many *rows*: *values* by statistic; none where one is not finite.

    *rows* and each of *values* have the shape (columns,).
    """
    return [
        Score(column.name, column.role, statistic, value, value, value, int(of_column))
        for statistic, found in values.items()
        for column, value, of_column in zip(columns, found.tolist(), rows, strict=True)
        if np.isfinite(value)
    ]


def _is_measured(column: ColumnReference) -> bool:
    return column.kind == "numeric" and bool(np.isfinite(column.low))


def _statistics_of(column: ColumnReference) -> tuple[str, ...]:
    everyone = ("missing_rate", "type_error_rate", "psi", "js")
    if _is_measured(column):
        return (*everyone, "out_of_range_rate", "ks", "w1")
    return (*everyone, "unseen_rate") if column.kind in {"categorical", "boolean"} else everyone


def _borders(column: ColumnReference) -> NDArray[np.float64]:
    """Ends of the value bins, VALUE_BINS + 1 of them, the largest value repeated where there are fewer."""
    known = np.concatenate([[column.low], column.edges])
    return np.concatenate([known, np.full(VALUE_BINS + 1 - len(known), column.high)])


def _among(estimate: Estimate, places: Sequence[int], columns: int) -> Estimate:
    """*estimate* of the columns at *places*, among all columns."""
    spread = np.zeros((len(estimate), columns))
    spread[:, places] = np.array(estimate)
    return Estimate(*spread)


def _at(place: int, estimate: Estimate, before: NDArray[np.float64] | None) -> tuple[float, float, float, float | None]:
    value, low, high = (float(part[place]) for part in estimate)
    return value, low, high, None if before is None else float(before[place])


def _score(
    column: ColumnReference, statistic: str, rows: int, found: tuple[float, float, float, float | None]
) -> Score:
    value, low, high, reference = found
    return Score(column.name, column.role, statistic, value, low, high, rows, reference)
