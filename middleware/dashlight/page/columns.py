"""The columns of a model, those that moved most first."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import isfinite
from typing import Final, TypeAlias

from dashlight.metrics.instruments import label
from dashlight.page.shape import ShownColumn
from dashlight.page.values import rounded, value_of
from dashlight.records import Role, Score

MOST_COLUMNS: Final = 100
"""Of a model that are shown."""
ColumnPlace: TypeAlias = tuple[Role | None, str]
_SHOWN: Final = frozenset({"psi", "missing_rate", "minimum_detectable_shift"})


def shown_columns(scores: Iterable[Score], in_force: Collection[ColumnPlace]) -> tuple[list[ShownColumn], int]:
    """The columns in *scores* that are shown, and how many there are; those *in_force* are the first."""
    by_column: dict[ColumnPlace, dict[str, Score]] = {}
    for score in scores:
        if score.column is not None:
            by_column.setdefault((score.role, score.column), {})
            if score.statistic in _SHOWN:
                by_column[score.role, score.column][score.statistic] = score
    places = sorted(by_column, key=lambda place: (place not in in_force, -_moved(by_column[place])))
    found = [_column(place, by_column[place], in_force=place in in_force) for place in places[:MOST_COLUMNS]]
    return found, len(places)


def _moved(scores: dict[str, Score]) -> float:
    """How far it is from its reference for sure: a lower bound of the PSI, then the PSI itself."""
    psi = scores.get("psi")
    if psi is None or not isfinite(psi.value):
        return -1.0
    return (max(psi.low, 0.0) if isfinite(psi.low) else 0.0) + 1e-6 * psi.value


def _column(place: ColumnPlace, scores: dict[str, Score], *, in_force: bool) -> ShownColumn:
    role, name = place
    shift = scores.get("minimum_detectable_shift")
    return ShownColumn(
        name=label(name),
        role=role,
        psi=value_of(scores.get("psi")),
        missing_rate=value_of(scores.get("missing_rate")),
        detectable_shift=None if shift is None else rounded(shift.value),
        is_in_force=in_force,
    )
