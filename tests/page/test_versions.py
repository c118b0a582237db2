"""Two versions side by side: what is shown can be asked again, and says no more than was found."""

from __future__ import annotations

from math import inf, isnan, log, nan
from typing import Any

import msgspec
import pytest

from dashlight.judge.versions.evidence import Decision, SequentialEvidence
from dashlight.judge.versions.report import VersionFigure, VersionReport, decide
from dashlight.page.versions import MOST_COMPARISONS, MOST_FIGURES, ShownVersions, report_of, versions_of

EVIDENCE = SequentialEvidence((0.0, 0.01, 0.02), (log(20) + 1e-6, 1.2349, 0.0), (0.0, 2.0, 8.0))


def figure(name: str = "failure_rate", **others: Any) -> VersionFigure:
    usual: dict[str, Any] = {
        "stable": 0.02,
        "candidate": 0.031234567,
        "difference": 0.011234567,
        "low": 0.0,
        "high": inf,
        "higher_is_worse": True,
        "stable_rows": 900,
        "candidate_rows": 100,
        "is_deciding": name == "failure_rate",
        "is_asymptotic": False,
        "decision": "undecided",
        "words": "too few",
        "evidence": EVIDENCE,
    }
    return VersionFigure(name, **{**usual, **others})


def report(*figures: VersionFigure, **others: Any) -> VersionReport:
    usual: dict[str, Any] = {
        "endpoint": "/predict",
        "model": "risk",
        "stable": "v1",
        "candidate": "v2",
        "is_simultaneous": True,
        "shares": {"v1": 0.9, "v2": 0.1},
        "rows": {"v1": 900, "v2": 100},
        "figures": figures or (figure(),),
        "figure": "failure_rate",
        "max_loss": 0.01,
        "level": 0.05,
        "decision": "undecided",
        "decided_at": nan,
        "words": "too few exchanges",
    }
    return VersionReport(**{**usual, **others})


def sent(*reports: VersionReport) -> ShownVersions:
    """What comes of *reports* at the other end."""
    body = msgspec.json.encode(versions_of(reports, at=20.0, pane_seconds=10.0))
    return msgspec.json.decode(body, type=ShownVersions)


def test_what_is_shown_is_the_report_rounded() -> None:
    shown = sent(report())

    (one,) = shown.comparisons
    assert (shown.version, shown.at, one.model, one.stable, one.candidate) == (1, 20.0, "risk", "v1", "v2")
    assert (one.figures[0].candidate, one.figures[0].low, one.figures[0].high) == (0.031235, 0.0, None)
    assert (one.decided_at, one.shares) == (None, {"v1": 0.9, "v2": 0.1})


def test_evidence_is_never_shown_surer_than_it_is() -> None:
    evidence = sent(report()).comparisons[0].figures[0].evidence

    assert evidence is not None
    assert evidence.above == (2.995, 1.234, 0.0)


@pytest.mark.parametrize(
    ("loss", "level", "decision"),
    [(0.02, 0.05, "no_worse"), (0.01, 0.05, "undecided"), (0.01, 0.2, "no_worse"), (0.0, 0.06, "worse")],
)
def test_it_is_decided_at_any_loss_and_level_by_who_reads_it(loss: float, level: float, decision: Decision) -> None:
    again = report_of(sent(report()).comparisons[0])

    assert decide(again, max_loss=loss, level=level) == decision
    assert decide(report(), max_loss=loss, level=level) == decision


def test_what_is_not_known_stays_so() -> None:
    unknown = figure("accuracy", stable=nan, difference=nan, low=nan, high=nan, evidence=None)

    again = report_of(sent(report(unknown)).comparisons[0]).figures[0]

    assert all(map(isnan, (again.stable, again.difference, again.low, again.high)))
    assert again.evidence is None
    bounded = report_of(sent(report()).comparisons[0]).figures[0]
    assert (bounded.low, bounded.high) == (0.0, inf)


def test_many_comparisons_stay_small_and_hostile_names_valid() -> None:
    name = "\x1b\ud800" + "x" * 10_000
    one = report(*(figure(f"{name}{place}", words=name) for place in range(100)), model=name, words=name)

    shown = sent(*[one] * 100)

    assert (len(shown.comparisons), shown.comparison_count) == (MOST_COMPARISONS, 100)
    assert len(shown.comparisons[0].figures) == MOST_FIGURES
    assert len(msgspec.json.encode(shown)) < 2_000_000
    assert shown.comparisons[0].model.isprintable()
