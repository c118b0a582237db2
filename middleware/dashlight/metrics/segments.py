"""Figures of segments, where DASHLIGHT_SEGMENT_METRICS asks for them: few, and no more than there is a place for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Final

from dashlight.metrics.figures import Figure
from dashlight.metrics.gauges import DETAILS, ShownScores, named
from dashlight.metrics.instruments import figure, label
from dashlight.records import Score

MOST_COLUMNS: Final = 8
"""Columns of a model whose values are segments."""
MOST_VALUES: Final = 32
"""Segments of a column."""
MOST_SEGMENT_SERIES: Final = 600
"""Of all models."""
_FAILURE_RATES: Final = frozenset({"failure_rate", "error_rate"})


def segment_figures(snapshots: Sequence[tuple[str, ShownScores]]) -> tuple[list[Figure], int]:
    """Figures of segments as a whole, how many rows each has before anything else; and how many were left out.

    Not of columns within segments, nor of classes and other details: these are on the page and in events.
    """
    found = [
        ranked
        for endpoint, snapshot in snapshots
        for score in _admitted(snapshot.scores)
        for ranked in _of(score, named(endpoint, snapshot))
    ]
    found.sort(key=lambda ranked: ranked[0])
    figures = [each for _, each in found[:MOST_SEGMENT_SERIES]]
    wanted = [score for _, snapshot in snapshots for score in snapshot.scores if _is_wanted(score)]
    admitted = sum(1 for _, snapshot in snapshots for _ in _admitted(snapshot.scores))
    return figures, len(found) - len(figures) + len(wanted) - admitted


def _admitted(scores: Sequence[Score]) -> Iterator[Score]:
    """Those of the first columns, and of the first values of each."""
    values: dict[str, set[str]] = {}
    for score in scores:
        if not _is_wanted(score):
            continue
        column, _, value = score.segment.partition("=")
        if column not in values and len(values) >= MOST_COLUMNS:
            continue
        known = values.setdefault(column, set())
        if value in known or len(known) < MOST_VALUES:
            known.add(value)
            yield score


def _is_wanted(score: Score) -> bool:
    is_detail = "[" in score.statistic or score.statistic.endswith(DETAILS)
    return bool(score.segment) and score.column is None and isfinite(score.value) and not is_detail


def _of(score: Score, named_model: Mapping[str, str]) -> Iterator[tuple[int, Figure]]:
    column, _, value = score.segment.partition("=")
    told = {
        **named_model,
        "dashlight.segment.column": label(column),
        "dashlight.segment.value": label(value) or '""',
    }
    if score.statistic == "rows":
        yield 0, figure("dashlight.segment.rows", score.value, told)
    elif score.statistic in _FAILURE_RATES:
        yield 1, figure("dashlight.segment.failure_rate", score.value, told)
        yield 3, figure("dashlight.segment.failures", round(score.value * score.rows), told)
    elif score.statistic == "refusal_rate":
        yield 2, figure("dashlight.segment.refusal_rate", score.value, told)
        yield 4, figure("dashlight.segment.refusals", round(score.value * score.rows), told)
    else:
        yield 5, figure("dashlight.segment.score", score.value, {**told, "dashlight.statistic": label(score.statistic)})
