"""Scores and alerts as the judges give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.records import Alert, Score
from dashlight.watching.endpoint import Snapshot

USUAL: dict[str, Any] = {
    "key": "drift/risk/%2Fpredict/feature/age",
    "source": "drift",
    "model": "risk",
    "version": "3",
    "endpoint": "/predict",
    "column": "age",
    "role": "feature",
    "state": "firing",
    "summary": "age rose",
    "at": 100.0,
    "since_at": 90.0,
    "rows": 500,
    "score": 0.4,
}


@pytest.fixture
def alert() -> Callable[..., Alert]:
    """An alert of drift of `age` that fires, save what is given otherwise."""

    def made(**others: Any) -> Alert:
        return Alert(**{**USUAL, **others})

    return made


@pytest.fixture
def score() -> Callable[..., Score]:
    """A score of a whole: (statistic, value, low, high, rows, ...)."""

    def made(statistic: str, value: float, **others: Any) -> Score:
        usual: dict[str, Any] = {"column": None, "role": None, "low": value, "high": value, "rows": 500}
        return Score(statistic=statistic, value=value, **{**usual, **others})

    return made


@pytest.fixture
def snapshots(score: Callable[..., Score]) -> list[tuple[str, Snapshot]]:
    """Of one endpoint with one model that is watched, and two segments of it."""
    own = [
        score("error_rate", 0.02, low=0.01, high=0.03, rows=1000),
        score("refusal_rate", 0.0, rows=1000),
        score("latency_p50", 0.005, rows=1000),
        score("latency_p99", 0.05, rows=1000),
        score("throughput", 12.5, rows=1000),
    ]
    of_model = [
        score("psi", 0.01, column="income", role="feature", low=0.0, high=0.02),
        score("psi", 0.5, column="age", role="feature", low=0.4, high=0.6),
        score("missing_rate", 0.1, column="age", role="feature", reference=0.01),
        score("minimum_detectable_shift", 0.08, column="age", role="feature"),
        score("psi", 0.0, column="score", role="output"),
        score("accuracy", 0.9, low=0.88, high=0.92, rows=300, reference=0.93),
        score("recall[fraud]", 0.5, rows=30),
        score("estimated_accuracy", 0.91, low=0.9, high=0.92),
        score("estimated_accuracy_error", 0.01),
        score("label_coverage", 0.4),
        score("rows", 200, segment="carrier=UA"),
        score("traffic_share", 0.35, segment="carrier=UA"),
        score("is_judged", 1, segment="carrier=UA"),
        score("failure_rate", 0.3, low=0.2, high=0.4, rows=200, segment="carrier=UA"),
        score("accuracy", 0.7, low=0.6, high=0.8, rows=80, segment="carrier=UA"),
        score("psi", 0.7, column="age", role="feature", low=0.5, high=0.9, rows=200, segment="carrier=UA"),
        score("rows", 300, segment="carrier=AA"),
        score("failure_rate", 0.0, rows=300, segment="carrier=AA"),
    ]
    return [("/predict", Snapshot("", "", own)), ("/predict", Snapshot("risk", "3", of_model, "watching"))]
