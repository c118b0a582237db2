"""Two versions of a model side by side, as `/api/v1/versions` has them, and as they are asked again by who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from typing import Final

import msgspec

from dashlight.judge.versions.evidence import Decision, SequentialEvidence
from dashlight.judge.versions.report import VersionFigure, VersionReport
from dashlight.metrics.instruments import label
from dashlight.page.shape import VERSION
from dashlight.page.values import rounded, sentence

MOST_COMPARISONS: Final = 16
MOST_FIGURES: Final = 40
"""Of a comparison."""


class ShownEvidence(msgspec.Struct, frozen=True):
    """How sure it is that the difference lies above, or below, each of a row of values: valid at every look.

    It is the log of one over the smallest level at which that is shown: 3.0 is 5 %.
    """

    differences: tuple[float, ...]
    above: tuple[float, ...]
    below: tuple[float, ...]


class ShownFigure(msgspec.Struct, frozen=True):
    """One figure of both versions, and their difference with an interval that is valid at every look."""

    name: str
    stable: float | None
    """Null, as all that follows, where it is not known or not comparable; null at an end: not bounded yet."""
    candidate: float | None
    difference: float | None
    """Candidate minus stable."""
    low: float | None
    high: float | None
    higher_is_worse: bool
    stable_rows: int
    candidate_rows: int
    is_deciding: bool
    is_asymptotic: bool
    decision: Decision
    words: str
    evidence: ShownEvidence | None
    """From which it can be decided for another loss or level."""


class ShownComparison(msgspec.Struct, frozen=True):
    """Two versions of one model at one endpoint."""

    endpoint: str
    model: str
    stable: str
    candidate: str
    is_simultaneous: bool
    shares: dict[str, float]
    """Of the model's exchanges, by version; `other`: without a place, `unknown`: nobody knows."""
    rows: dict[str, int]
    figures: list[ShownFigure]
    """The deciding one first."""
    figure: str
    """The one that decides."""
    max_loss: float
    level: float
    decision: Decision
    decided_at: float | None
    """Null while it is undecided."""
    words: str


class ShownVersions(msgspec.Struct, frozen=True):
    """What `/api/v1/versions` answers."""

    version: int
    at: float
    pane_seconds: float
    comparisons: list[ShownComparison]
    comparison_count: int


def versions_of(reports: Sequence[VersionReport], *, at: float, pane_seconds: float) -> ShownVersions:
    """What is shown of *reports* at the moment *at*."""
    found = [_comparison(report) for report in reports[:MOST_COMPARISONS]]
    return ShownVersions(VERSION, at, pane_seconds, found, len(reports))


def report_of(shown: ShownComparison) -> VersionReport:
    """The report of which *shown* was made, as far as it is shown: to decide by another figure, loss or level."""
    return VersionReport(
        endpoint=shown.endpoint,
        model=shown.model,
        stable=shown.stable,
        candidate=shown.candidate,
        is_simultaneous=shown.is_simultaneous,
        shares=shown.shares,
        rows=shown.rows,
        figures=tuple(map(_figure_of, shown.figures)),
        figure=shown.figure,
        max_loss=shown.max_loss,
        level=shown.level,
        decision=shown.decision,
        decided_at=_known(shown.decided_at),
        words=shown.words,
    )


def _comparison(report: VersionReport) -> ShownComparison:
    return ShownComparison(
        endpoint=label(report.endpoint),
        model=label(report.model),
        stable=label(report.stable),
        candidate=label(report.candidate),
        is_simultaneous=report.is_simultaneous,
        shares={label(name): share for name, share in report.shares.items() if isfinite(share)},
        rows={label(name): rows for name, rows in report.rows.items()},
        figures=[_figure(figure) for figure in report.figures[:MOST_FIGURES]],
        figure=label(report.figure),
        max_loss=report.max_loss,
        level=report.level,
        decision=report.decision,
        decided_at=report.decided_at if isfinite(report.decided_at) else None,
        words=sentence(report.words),
    )


def _figure(figure: VersionFigure) -> ShownFigure:
    evidence = figure.evidence
    return ShownFigure(
        name=label(figure.name),
        stable=rounded(figure.stable),
        candidate=rounded(figure.candidate),
        difference=rounded(figure.difference),
        low=rounded(figure.low),
        high=rounded(figure.high),
        higher_is_worse=figure.higher_is_worse,
        stable_rows=figure.stable_rows,
        candidate_rows=figure.candidate_rows,
        is_deciding=figure.is_deciding,
        is_asymptotic=figure.is_asymptotic,
        decision=figure.decision,
        words=sentence(figure.words),
        evidence=None if evidence is None else _evidence(evidence),
    )


def _evidence(evidence: SequentialEvidence) -> ShownEvidence:
    # Rounded down: what is shown is never surer than what was found.
    above, below = (tuple(int(sure * 1000) / 1000 for sure in each) for each in (evidence.above, evidence.below))
    return ShownEvidence(evidence.differences, above, below)


def _figure_of(shown: ShownFigure) -> VersionFigure:
    known, evidence = shown.difference is not None, shown.evidence
    return VersionFigure(
        name=shown.name,
        stable=_known(shown.stable),
        candidate=_known(shown.candidate),
        difference=_known(shown.difference),
        low=-float("inf") if known and shown.low is None else _known(shown.low),
        high=float("inf") if known and shown.high is None else _known(shown.high),
        higher_is_worse=shown.higher_is_worse,
        stable_rows=shown.stable_rows,
        candidate_rows=shown.candidate_rows,
        is_deciding=shown.is_deciding,
        is_asymptotic=shown.is_asymptotic,
        decision=shown.decision,
        words=shown.words,
        evidence=None if evidence is None else SequentialEvidence(evidence.differences, evidence.above, evidence.below),
    )


def _known(value: float | None) -> float:
    return nan if value is None else value
