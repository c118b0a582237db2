"""An estimate of performance in one window, made before its labels came."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

EstimateMethod: TypeAlias = Literal["cbpe", "adapted", "direct_loss"]
"""`cbpe`: from calibrated scores; `adapted`: from scores calibrated on the reference rows that are like those of the window;
`direct_loss`: from a model of the reference's errors."""
NoEstimate: TypeAlias = Literal[
    "no_labels", "few_labels", "no_scores", "no_bins", "outside_reference", "unknown_task", "other_classes", "few_rows"
]
"""Why there is none.

`no_labels`: the reference says nothing of labels, and none have come; `few_labels`: too few of them;
`no_scores`: the model told no score; `no_bins`: no rows of the window have their bins; `outside_reference`: too many of them
are like no row of the reference; `unknown_task`: of a ranking or a text nothing is estimated; `other_classes`: the
window's are named or ordered otherwise than the reference's; `few_rows`: too few in the
window."""


@dataclass(frozen=True, slots=True)
class EstimatedMeasure:
    """One measure of performance, estimated."""

    name: str
    """`accuracy`, `precision`, `recall`, `f1`, `roc_auc`, `brier`, `log_loss`; `mae`, `rmse`; of one class `recall[cat]`."""
    value: float
    low: float
    """The realised value is expected from here to *high* in 95 of 100 windows, as long as equal inputs have equal outcomes."""
    high: float
    method: EstimateMethod


@dataclass(frozen=True, slots=True)
class PerformanceEstimate:
    """What is estimated of a window, or why nothing is."""

    rows: int
    """Rows with a score, of which it is made."""
    measures: tuple[EstimatedMeasure, ...] = ()
    effective_share: float | None = None
    """As what share of the reference's sample its rows like those of the window count, 0 to 1; None where nobody can say."""
    outside_share: float | None = None
    """Share of the window's rows, 0 to 1, that lie outside the reference; None where nobody can say."""
    outside_columns: tuple[tuple[str, float], ...] = ()
    """The columns by which rows lie outside, with the share that does, the largest first."""
    reason: NoEstimate | None = None
    """None where there is an estimate."""
    detail: str = ""
    """The reason in words; of an estimate, what it lacks."""
