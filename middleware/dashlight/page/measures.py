"""Figures of performance among the scores of a model or a segment: as labels say, beside what is estimated."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Final

from dashlight.metrics.instruments import label
from dashlight.page.shape import ShownMeasure
from dashlight.page.values import rounded, value_of
from dashlight.records import Score

MOST_MEASURES: Final = 40
MOST_FACTS: Final = 60
_ESTIMATED: Final = "estimated_"
_FACTS: Final = (
    "label",
    "reference_",
    "refused_pane_count",
    "left_out_share",
    "estimate_unavailable",
    "outside_reference_rate",
    "mistake_count",
    "rows",
    "exchanges",
    "traffic_share",
    "is_judged",
    "predictions_without_segment",
)
"""Begin of the names of what is known of a whole model, and is no figure of its performance."""


def measures_of(scores: Iterable[Score]) -> list[ShownMeasure]:
    """The figures of performance in *scores*, which are those of a whole: the plain ones first, then those of classes."""
    realised: dict[str, Score] = {}
    estimated: dict[str, Score] = {}
    for score in scores:
        name = score.statistic
        if not is_measure(name) or not isfinite(score.value):
            continue
        if name.startswith(_ESTIMATED):
            estimated[name.removeprefix(_ESTIMATED)] = score
        else:
            realised[name] = score
    names = sorted({**realised, **estimated}, key=_is_detail)[:MOST_MEASURES]
    return [ShownMeasure(label(name), value_of(realised.get(name)), value_of(estimated.get(name))) for name in names]


def facts_of(scores: Iterable[Score]) -> dict[str, float]:
    """What else *scores* say of the whole, by statistic."""
    told = {
        label(score.statistic): value
        for score in scores
        if not is_measure(score.statistic) and (value := rounded(score.value)) is not None
    }
    return dict(list(told.items())[:MOST_FACTS])


def is_measure(statistic: str) -> bool:
    """Whether it is a figure of performance, realised or estimated; the names of an operator's own are."""
    return not statistic.startswith(_FACTS) and not (statistic.startswith(_ESTIMATED) and statistic.endswith("_error"))


def _is_detail(name: str) -> tuple[bool, bool]:
    return "[" in name, name.endswith(("_macro", "_weighted", "_by_prediction_time"))
