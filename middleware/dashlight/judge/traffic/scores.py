"""Scores of an endpoint as a whole: failures, latency, traffic, and how much of it was analysed. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.traffic.thresholds import Quantities
from dashlight.records import Score
from dashlight.window.histogram import Quantile
from dashlight.window.outcomes import NOT_FAILURES, OutcomeCounts

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def quantities_of(
    counts: OutcomeCounts,
    *,
    pane_seconds: float,
    in_flight: int = 0,
    undecodable_count: int = 0,
    analysed_count: int = 0,
    was_readable: bool = True,
    missing: Sequence[Score] = (),
) -> Quantities:
    """What the fixed thresholds are held against, from the counts of some panes."""
    some = counts.exchanges > 0
    answered = bool(counts.first_bytes.any())
    return Quantities(
        exchange_count=counts.exchanges,
        failures={kind: count for kind, count in counts.failures.items() if kind not in NOT_FAILURES},
        latency_seconds={name: counts.latency_quantile(q).value for name, q in _QUANTILES.items()} if some else {},
        first_byte_seconds=(
            {name: counts.first_byte_quantile(q).value for name, q in _QUANTILES.items()} if answered else {}
        ),
        throughput=counts.throughput(counts.panes * pane_seconds) if counts.panes else 0.0,
        in_flight=in_flight,
        undecodable_count=undecodable_count,
        analysed_count=analysed_count,
        missing=missing,
        refusals=counts.refusals,
        refused_count=counts.refused,
        was_readable=was_readable,
    )


def quantities_of_process(*, in_flight: int, unanswered: int) -> Quantities:
    """What is measured of the process as a whole: the requests that it is about."""
    return Quantities(
        exchange_count=0,
        failures={},
        latency_seconds={},
        first_byte_seconds={},
        throughput=0.0,
        in_flight=in_flight,
        undecodable_count=0,
        analysed_count=0,
        unanswered=unanswered,
    )


def traffic_scores(
    counts: OutcomeCounts,
    measured: Quantities,
    *,
    analysed_rate: float,
    dropped_count: int,
    unwatched_rows: int,
    undecodable: Mapping[str, int],
) -> list[Score]:
    """Scores of an endpoint over the window of *counts*; none where it had no exchange.

    *analysed_rate* is the share of the exchanges that is decoded now (1 unless the CPU budget binds). Since the process
    started: *dropped_count* exchanges found no room before analysis, *unwatched_rows* belonged to models too many to be
    judged, and no protocol could read those in *undecodable*, by reason.
    """
    exchanges = counts.exchanges
    if not exchanges:
        return []
    failed = sum(measured.failures.values())
    found = [
        _rate("error_rate", failed, exchanges),
        *(_rate(f"error_rate[{kind}]", count, exchanges) for kind, count in measured.failures.items()),
        _rate("refusal_rate", counts.refused, exchanges),
        *(_rate(f"refusal_rate[{kind}]", count, exchanges) for kind, count in counts.refusals.items()),
        *_quantiles("latency", counts.latency_quantile, exchanges),
        _exact("throughput", measured.throughput, exchanges),
        _exact("in_flight", measured.in_flight, exchanges),
        _exact("rows", counts.rows, exchanges),
        _exact("analysed_rate", analysed_rate, exchanges),
        _exact("dropped_count", dropped_count, exchanges),
        _exact("unwatched_rows", unwatched_rows, exchanges),
    ]
    if counts.excluded_rows and counts.rows:
        found.append(_rate("excluded_share", counts.excluded_rows, counts.rows))
    answered = int(counts.first_bytes.sum())
    if answered:
        found += _quantiles("first_byte", counts.first_byte_quantile, answered)
    if measured.analysed_count:
        found.append(_rate("undecodable_rate", measured.undecodable_count, measured.analysed_count))
    found += [_exact(f"undecodable_count[{reason}]", count, exchanges) for reason, count in undecodable.items()]
    return found


def worst_missing(scores: Iterable[Score]) -> list[Score]:
    """Of the *scores* of several models, how much is missing of each column: where models share one, that which lacks most. Segments are parts of them."""
    worst: dict[tuple[str | None, str | None], Score] = {}
    for score in scores:
        if score.statistic == "missing_rate" and not score.segment:
            key = score.role, score.column
            worst[key] = max(worst.get(key, score), score, key=lambda each: each.value)
    return list(worst.values())


def _rate(statistic: str, count: int, total: int) -> Score:
    held = wilson_interval(np.array([count]), np.array([total]))
    return Score(None, None, statistic, float(held.value[0]), float(held.low[0]), float(held.high[0]), total)


def _quantiles(name: str, quantile_at: Callable[[float], Quantile], exchanges: int) -> list[Score]:
    quantiles = {suffix: quantile_at(share) for suffix, share in _QUANTILES.items()}
    return [
        Score(None, None, f"{name}_{suffix}", quantile.value, quantile.low, quantile.high, exchanges)
        for suffix, quantile in quantiles.items()
    ]


def _exact(statistic: str, value: float, exchanges: int) -> Score:
    return Score(None, None, statistic, value, value, value, exchanges)
