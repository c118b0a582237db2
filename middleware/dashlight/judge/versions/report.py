"""What is shown of two versions of a model at one endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashlight.judge.versions.evidence import LEVEL, Decision, SequentialEvidence

FAILURE_RATE = "failure_rate"
"""The figure that decides unless another is named."""
UNKNOWN_VERSION = "unknown"
"""Stands for exchanges of which nobody knows which version they asked."""
OTHER_VERSIONS = "other"
"""Stands for versions beyond those that there is a place for."""


@dataclass(frozen=True, slots=True)
class VersionFigure:
    """One figure of both versions, and their difference with an interval that is valid at every look."""

    name: str
    """`failure_rate`, `refusal_rate`, `latency_p99`, `output_distance[score]`, `accuracy` ..."""
    stable: float
    """NaN, as all that follows, where it is not known or not comparable: *words* says why."""
    candidate: float
    difference: float
    """Candidate minus stable, in the unit of the figure (rates 0 to 1, seconds); of a distance itself."""
    low: float
    """The difference lies between this and ..."""
    high: float
    """... this at 1 - level, at all looks together; -inf or inf where it is not bounded yet."""
    higher_is_worse: bool
    stable_rows: int
    """Exchanges, or rows with labels, that it is of."""
    candidate_rows: int
    is_deciding: bool
    """Whether the decision is made by it; all other figures are shown and decide nothing."""
    is_asymptotic: bool
    """Whether the interval is valid for many rows only."""
    decision: Decision
    """What it says by itself, at the report's level and allowed loss."""
    words: str
    """One sentence for people."""
    evidence: SequentialEvidence | None = None
    """From which `decide` answers for another allowed loss or level; None where it is not known or not comparable."""


@dataclass(frozen=True, slots=True)
class VersionReport:
    """Two versions of one model at one endpoint."""

    endpoint: str
    model: str
    stable: str
    """The version that was there first."""
    candidate: str
    """The one that came later."""
    is_simultaneous: bool
    """Whether both are asked at the same time; else it is before and after, and traffic may differ."""
    shares: Mapping[str, float]
    """Of the model's exchanges, by version; `other` for versions without a place, `unknown` where it is not known."""
    rows: Mapping[str, int]
    """Exchanges, likewise."""
    figures: tuple[VersionFigure, ...]
    """The deciding one first."""
    figure: str
    """The name of the one that decides."""
    max_loss: float
    """How much worse the candidate may be, in the unit of that figure."""
    level: float
    """Chance of a wrong decision, at most, at however many looks."""
    decision: Decision
    decided_at: float
    """NaN while it is undecided."""
    words: str
    """For people: what is decided, or how much is missing."""


def decide(
    report: VersionReport, figure: str = FAILURE_RATE, *, max_loss: float = 0.0, level: float = LEVEL
) -> Decision:
    """What *figure* says of the candidate: whether it is worse than stable by more than *max_loss*.

    A wrong answer has a chance of at most *level*, however often it is asked, if figure and loss were chosen before.

    Raises:
        KeyError: There is no figure of this name in the report.
        ValueError: *level* is not between 0 and 1, or *max_loss* is below 0 or no number.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level}: expected a number between 0 and 1")
    if not 0 <= max_loss < float("inf"):
        raise ValueError(f"max_loss {max_loss}: expected a number from 0")
    one = {each.name: each for each in report.figures}[figure]
    if one.evidence is None:
        return "undecided"
    return one.evidence.decision(max_loss, level, higher_is_worse=one.higher_is_worse)
