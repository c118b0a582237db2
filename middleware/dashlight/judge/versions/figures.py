"""The report of two versions: every figure with its interval, and what the one that decides says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite, nan
from typing import Final

from dashlight.judge.versions.auc import auc, auc_evidence
from dashlight.judge.versions.distributions import distance, distance_evidence
from dashlight.judge.versions.evidence import LEVEL, Decision, SequentialEvidence
from dashlight.judge.versions.pair import MOST_UNKNOWN, VersionPair
from dashlight.judge.versions.pooled import pooled_evidence
from dashlight.judge.versions.quantiles import latency_evidence
from dashlight.judge.versions.report import (
    FAILURE_RATE,
    OTHER_VERSIONS,
    UNKNOWN_VERSION,
    VersionFigure,
    VersionReport,
)
from dashlight.judge.versions.totals import MEASURES, MOST_LOG_LOSS, VersionTotals
from dashlight.judge.versions.words import SHOWN_ONLY, figure_words, report_words
from dashlight.window.histogram import LATENCY, quantile

MAX_LOSS: Final = 0.01
"""How much worse the failure rate may be, where nobody says it."""
_QUANTILES: Final = (("latency_p50", 0.5), ("latency_p90", 0.9), ("latency_p99", 0.99))
_RATES: Final = ("failure_rate", "refusal_rate")


def report_of_pair(pair: VersionPair, *, endpoint: str, model: str) -> VersionReport:
    """All that is known of *pair* by now."""
    figures = tuple(_figures(pair))
    deciding = next(each for each in figures if each.is_deciding)
    stable, candidate = pair.totals
    asked = {
        pair.stable: stable.asked,
        pair.candidate: candidate.asked,
        OTHER_VERSIONS: pair.others.asked,
        UNKNOWN_VERSION: pair.unknown.asked,
    }
    asked = {name: count for name, count in asked.items() if count or name in {pair.stable, pair.candidate}}
    total = sum(asked.values())
    return VersionReport(
        endpoint=endpoint,
        model=model,
        stable=pair.stable,
        candidate=pair.candidate,
        is_simultaneous=pair.is_simultaneous,
        shares={name: count / total if total else 0.0 for name, count in asked.items()},
        rows=asked,
        figures=figures,
        figure=FAILURE_RATE,
        max_loss=MAX_LOSS,
        level=LEVEL,
        decision=pair.decision,
        decided_at=pair.decided_at,
        words=report_words(
            pair.decision,
            versions=(pair.stable, pair.candidate),
            figure=FAILURE_RATE,
            max_loss=MAX_LOSS,
            rows=(deciding.stable_rows, deciding.candidate_rows),
            is_simultaneous=pair.is_simultaneous,
            unknown="" if deciding.evidence is not None else deciding.words,
        ),
    )


def deciding_figure(pair: VersionPair) -> VersionFigure:
    """The figure that decides, as it stands."""
    return _rate(pair, FAILURE_RATE)


def _figures(pair: VersionPair) -> Iterator[VersionFigure]:
    yield from (_rate(pair, name) for name in _RATES)
    stable, candidate = _sides(pair)
    rows = stable.asked, candidate.asked
    for name, share in _QUANTILES:
        found = latency_evidence(stable.durations, candidate.durations, share)
        values = tuple(quantile(each.durations, LATENCY, share).value for each in (stable, candidate))
        yield _figure(name, (values[0], values[1]), rows, found)
    yield from _outputs(stable, candidate)
    for name, (_, higher_is_worse) in MEASURES.items():
        if name in stable.measured or name in candidate.measured:
            yield _measure(pair, name, stable, candidate, higher_is_worse=higher_is_worse)
    if stable.scores.any() and candidate.scores.any():
        areas = auc(stable.scores)[0], auc(candidate.scores)[0]
        found = auc_evidence(stable.scores, candidate.scores)
        rows = int(stable.scores.sum()), int(candidate.scores.sum())
        yield _figure("auc", areas, rows, found, higher_is_worse=False, is_asymptotic=True)


_REMEDY = "set DASHLIGHT_MODEL_VERSION, or name it in the path"


def _sides(pair: VersionPair) -> tuple[VersionTotals, VersionTotals]:
    """What is compared: at one time what came since the candidate did, else all of the stable version's of late."""
    stable, candidate = pair.totals
    return (stable if pair.is_simultaneous else pair.before + stable), candidate


def _rate(pair: VersionPair, name: str) -> VersionFigure:
    stable, candidate = _sides(pair)
    counted = [
        (each.failed if name == FAILURE_RATE else each.refused, each.asked)
        for each in (stable, candidate, pair.unknown)
    ]
    rows = counted[0][1], counted[1][1]
    missing, known = counted[2][0], counted[0][0] + counted[1][0]
    if missing > MOST_UNKNOWN * (missing + known):
        what = "failed" if name == FAILURE_RATE else "refused"
        return _unknown(
            name, rows, f"not attributable: {missing:,} {what} exchanges do not say their version: {_REMEDY}"
        )
    found = pair.bets[name].evidence if pair.is_simultaneous else pooled_evidence(counted[0], counted[1])
    values = tuple(count / asked if asked else nan for count, asked in counted[:2])
    return _figure(name, (values[0], values[1]), rows, found)


def _outputs(stable: VersionTotals, candidate: VersionTotals) -> Iterator[VersionFigure]:
    for output in sorted(stable.outputs.keys() | candidate.outputs.keys()):
        name = f"output_distance[{output}]"
        sides = [each.outputs.get(output) for each in (stable, candidate)]
        rows = tuple(0 if each is None else int(each.sum()) for each in sides)
        if sides[0] is None or sides[1] is None or stable.reference != candidate.reference:
            why = "not comparable: the two versions are counted against different references"
            yield _unknown(name, (rows[0], rows[1]), why)
            continue
        apart, found = distance(sides[0], sides[1]), distance_evidence(sides[0], sides[1])
        yield _figure(name, (nan, nan), (rows[0], rows[1]), found, difference=apart)


def _measure(
    pair: VersionPair, name: str, stable: VersionTotals, candidate: VersionTotals, *, higher_is_worse: bool
) -> VersionFigure:
    values = MEASURES[name][0]
    sides = [each.measured.get(name, 0.0 * values) for each in (stable, candidate)]
    sums = [(float(each @ values), float(each.sum())) for each in sides]
    scale = {"mae": pair.numbers_scale, "log_loss": MOST_LOG_LOSS}.get(name, 1.0)
    means = [total / rows * scale if rows else nan for total, rows in sums]
    found = (
        pair.bets[name].evidence if pair.is_simultaneous and name in pair.bets else pooled_evidence(sums[0], sums[1])
    )
    rows = round(sums[0][1]), round(sums[1][1])
    found = replace(found, differences=tuple(scale * each for each in found.differences))
    return _figure(name, (means[0], means[1]), rows, found, higher_is_worse=higher_is_worse)


def _figure(
    name: str,
    values: tuple[float, float],
    rows: tuple[int, int],
    evidence: SequentialEvidence,
    *,
    higher_is_worse: bool = True,
    is_asymptotic: bool = False,
    difference: float | None = None,
) -> VersionFigure:
    low, high = evidence.interval()
    apart = values[1] - values[0] if difference is None else difference
    return VersionFigure(
        name=name,
        stable=values[0],
        candidate=values[1],
        difference=apart,
        low=low,
        high=high,
        higher_is_worse=higher_is_worse,
        stable_rows=rows[0],
        candidate_rows=rows[1],
        is_deciding=name == FAILURE_RATE,
        is_asymptotic=is_asymptotic,
        decision=_decision(evidence, name, higher_is_worse=higher_is_worse),
        words=figure_words(
            name,
            values=values,
            difference=apart,
            bounds=(low, high),
            is_deciding=name == FAILURE_RATE,
            is_asymptotic=is_asymptotic,
            is_distance=difference is not None,
        ),
        evidence=evidence if isfinite(apart) else None,
    )


def _decision(evidence: SequentialEvidence, name: str, *, higher_is_worse: bool) -> Decision:
    """Of a figure that does not decide: whether it is worse at all; a distance is no loss."""
    if name.startswith("output_distance"):
        return "undecided"
    return evidence.decision(MAX_LOSS if name == FAILURE_RATE else 0.0, higher_is_worse=higher_is_worse)


def _unknown(name: str, rows: tuple[int, int], why: str) -> VersionFigure:
    is_deciding = name == FAILURE_RATE
    return VersionFigure(
        *(name, nan, nan, nan, nan, nan, True, rows[0], rows[1], is_deciding, False, "undecided"),
        words=why if is_deciding else f"{name}: {why}; {SHOWN_ONLY}",
    )
