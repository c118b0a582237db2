"""The segments of a model: how much of its traffic each is, and how it fares."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from dashlight.metrics.instruments import label
from dashlight.page.measures import measures_of
from dashlight.page.shape import ShownSegment
from dashlight.page.values import rounded, value_of
from dashlight.records import Score

MOST_SEGMENTS: Final = 256
"""Of a model that are shown: 8 columns of 32 values."""
MOST_MEASURES: Final = 3
"""Of one of them."""
_FAILURE_RATES: Final = ("failure_rate", "error_rate")
_TRAFFIC: Final = ("failure_rate", "error_rate", "refusal_rate", "latency_", "first_byte_", "throughput", "exchanges")


def shown_segments(scores: Iterable[Score], in_force: Collection[str], *, rows: int) -> tuple[list[ShownSegment], int]:
    """The segments in *scores* that are shown, of a model with so many *rows*, and how many there are.

    Those *in_force* are the first, then those that fail most for sure, then the largest.
    """
    by_segment: dict[str, list[Score]] = {}
    for score in scores:
        if score.segment:
            by_segment.setdefault(score.segment, []).append(score)
    found = [_segment(name, each, in_force=name in in_force, rows=rows) for name, each in by_segment.items()]
    found.sort(key=lambda each: (not each.is_in_force, -_hurts(each), -each.rows))
    return found[:MOST_SEGMENTS], len(found)


def _segment(name: str, scores: list[Score], *, in_force: bool, rows: int) -> ShownSegment:
    whole = {score.statistic: score for score in scores if score.column is None}
    column, _, value = name.partition("=")
    known = whole.get("rows")
    # Of other scores the rows may be those with a label.
    own_rows = round(known.value) if known is not None else max((score.rows for score in scores), default=0)
    share = whole.get("traffic_share")
    drifted = max((each for each in scores if each.statistic == "psi"), key=lambda each: each.low, default=None)
    own = [score for statistic, score in whole.items() if not statistic.startswith(_TRAFFIC)]
    failures = next((whole[name] for name in _FAILURE_RATES if name in whole), None)
    return ShownSegment(
        name=label(name),
        column=label(column),
        value=label(value),
        rows=own_rows,
        share=rounded(share.value if share is not None else own_rows / rows if rows else None),
        failure_rate=value_of(failures),
        refusal_rate=value_of(whole.get("refusal_rate")),
        latency_p50_seconds=value_of(whole.get("latency_p50")),
        latency_p99_seconds=value_of(whole.get("latency_p99")),
        performance=measures_of(own)[:MOST_MEASURES],
        moved="" if drifted is None or drifted.low <= 0 else label(drifted.column or ""),
        psi=None if drifted is None or drifted.low <= 0 else value_of(drifted),
        is_in_force=in_force,
    )


def _hurts(segment: ShownSegment) -> float:
    return (segment.failure_rate.low or 0.0) if segment.failure_rate is not None else 0.0
