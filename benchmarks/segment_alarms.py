"""What segments cost in rows, in false alarms and in time: `python -m benchmarks.segment_alarms`.

A model of 20 numeric columns beside a column of 20 segments, 5 % of the rows each; its reference has 20,000 rows, 1,000 of each
segment. "A model of its own" is one whose reference was built of just these 1,000 rows, and that has the whole budget of a
model; both see the same rows. Constants of the method were chosen on seeds below 1,000; what is printed is of seeds from 7,000 on.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import TypeAlias

import numpy as np
from benchmarks.segment_streams import (
    COLUMNS,
    NULLS,
    PANE_ROWS,
    PANES,
    SEGMENT_COUNT,
    TOLERANCE,
    drift_of,
    judged,
    null_alarms,
    reference_of,
)
from benchmarks.segment_traffic import TRAFFIC_NULLS, traffic_alarms
from numpy.typing import NDArray

from dashlight.judge.alert_budget import SEGMENTS, TRAFFIC, shares
from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.segments.traffic import LEARNED_PART, SegmentTraffic, outcomes_of, tallies_of
from dashlight.judge.traffic.course import TrafficCourse
from dashlight.judge.traffic.events import Quantity
from dashlight.judge.traffic.judge import Recent
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS, STRUCTURAL_BINS
from dashlight.window.panes import Panes
from dashlight.window.parts.segments import SegmentPane
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column, table_of_columns

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]
Change: TypeAlias = Callable[[Floats, np.random.Generator], Floats]

MOST_ROWS = 12_000
EXCHANGES_A_PANE, LEARNED_EXCHANGES = 10, 10_000
FIRST_SEED = 7_000
PARTS = shares(pairs=True, directions=True, breaks=True, segments=True)
WHOLE = shares(pairs=True, directions=True, breaks=True)


def missing(share: float) -> Change:
    """A change of that *share* of the values to null."""
    return lambda values, rng: np.where(rng.random(len(values)) < share, np.nan, values)


def higher(size: float) -> Change:
    """A change of the mean, in deviations."""
    return lambda values, _: values + size


CHANGES: dict[str, Change] = {
    "mean 1 sd": higher(1.0),
    "mean 0.5 sd": higher(0.5),
    "mean 0.35 sd": higher(0.35),
    "missing 0 -> 10 %": missing(0.1),
    "missing 0 -> 4 %": missing(0.04),
}
FAILURES = (0.2, 0.1, 0.05, 0.03)
USUAL_FAILURES = 0.01


class Own:
    """The same segment as a model of its own."""

    def __init__(self, reference: Reference) -> None:
        self.binner = Binner(reference.columns)
        self._judge = DriftJudge(reference.columns, panes=PANES, tolerance=TOLERANCE, share=WHOLE.columns)
        self._panes = Panes(len(reference.columns))

    def fires(self, counts: Counts, at: float) -> bool:
        """Whether an alert fires with this pane."""
        self._panes.add(counts)
        closed = self._panes.close(at)
        alerts = self._judge.update(
            closed, at, lambda panes: ((found := self._panes.window(panes)).counts, found.panes)
        )
        return any(alert.state == "firing" for alert in alerts)


def rows_until(seed: int) -> Iterator[tuple[str, float, float]]:
    """Of each change the rows of the segment until its alert, as a segment and as a model of its own; inf: not in time."""
    rng = np.random.default_rng(seed)
    reference, rows = reference_of(rng)
    inside = np.array(rows["segment"]) == "s03"
    own_rows: dict[str, Column] = {
        name: np.asarray(values)[inside] for name, values in rows.items() if name != "segment"
    }
    own_reference = build_reference_from_columns(own_rows, {}, rng=rng, created_at=0.0)
    binner, number = Binner(reference.columns), [column.name for column in reference.columns]
    for name, change in CHANGES.items():
        drift, references = drift_of(reference, panes=PANES, share=PARTS.segments, only="s03")
        own, live = Own(own_reference), np.random.default_rng(seed + 500_000)
        whole = Panes(len(number))
        found = [np.inf, np.inf]
        for pane in range(20 + MOST_ROWS // PANE_ROWS):
            values: dict[str, Column] = {f"x{k}": live.standard_normal(PANE_ROWS) for k in range(COLUMNS)}
            if pane >= 20:
                values["x5"] = change(np.asarray(values["x5"], np.float64), live)
            at, passed = 10.0 * (pane + 1), float(PANE_ROWS * (pane - 19))
            if found[1] == np.inf and own.fires(own.binner.count(own.binner.codes(table_of_columns(values))), at):
                found[1] = passed
            if found[0] == np.inf:
                codes = binner.codes(table_of_columns({**values, "segment": ["s03"] * PANE_ROWS}))
                counts = np.zeros((SEGMENT_COUNT + 1, len(number), BINS), np.int64)
                counts[references.segments[0]] = binner.count(codes)
                whole.add(counts.sum(axis=0))
                whole.close(at)
                if any(alert.state == "firing" for alert in judged(drift, counts, at, whole)):
                    found[0] = passed
            if np.isfinite(found).all():
                break
        yield name, found[0], found[1]


def exchanges_until(seed: int) -> Iterator[tuple[float, float, float]]:
    """Of each new share of failures the exchanges until the alert, as a segment and as an endpoint of its own."""
    rng = np.random.default_rng(seed)
    reference, _ = reference_of(np.random.default_rng(1))
    segmentation = segmentation_of(reference, ["segment"])
    segments = SegmentTraffic(segmentation, rows=5_000, panes=PANES, tolerance=TOLERANCE, share=TRAFFIC * SEGMENTS)
    own = TrafficCourse(rows=round(5_000 * LEARNED_PART), panes=PANES, share=TRAFFIC * 0.75, tolerance=TOLERANCE)
    for pane in range(LEARNED_EXCHANGES // EXCHANGES_A_PANE):
        _failing((segments, own), segmentation.count, USUAL_FAILURES, pane, rng)
    for share in FAILURES:
        both = deepcopy((segments, own))
        found = [np.inf, np.inf]
        for pane in range(MOST_ROWS // EXCHANGES_A_PANE):
            fired = _failing(both, segmentation.count, share, 10_000 + pane, rng)
            for place, one in enumerate(fired):
                if one and found[place] == np.inf:
                    found[place] = EXCHANGES_A_PANE * (pane + 1.0)
            if np.isfinite(found).all():
                break
        yield share, found[0], found[1]


def _failing(
    both: tuple[SegmentTraffic, TrafficCourse], count: int, share: float, pane: int, rng: np.random.Generator
) -> tuple[bool, bool]:
    (segments, own), exchanges, failed = both, np.zeros(count, np.int64), np.zeros(count, np.int64)
    exchanges[3] = EXCHANGES_A_PANE
    failed[3] = rng.binomial(EXCHANGES_A_PANE, share)
    durations = np.zeros((count, LATENCY.bins), np.int64)
    places: Floats = np.clip(100 + 6 * rng.standard_normal(EXCHANGES_A_PANE - int(failed[3])), 1, LATENCY.bins - 2)
    durations[3] = np.bincount(places.astype(np.intp), minlength=LATENCY.bins)
    rows = np.zeros((count, 1, BINS), np.int32)
    rows[3, 0, STRUCTURAL_BINS] = EXCHANGES_A_PANE
    counted, at = (
        SegmentPane.of(
            "", rows=rows, exchanges=exchanges, failed=failed, refused=np.zeros(count, np.int64), durations=durations
        ),
        10.0 * (pane + 1),
    )
    of_segment = finished(segments.update(counted, at, told=()))
    outcomes = outcomes_of(tallies_of(counted)[3], 1, at, at)
    of_own = own.update(outcomes, at, Recent(lambda _: outcomes, _no_traces))
    return _fires(of_segment), _fires(of_own)


def _fires(alerts: Sequence[Alert]) -> bool:
    return any(alert.state == "firing" for alert in alerts)


def _no_traces(_quantity: Quantity, _since_at: float) -> tuple[str, ...]:
    return ()


def told(found: Sequence[tuple[float, float]]) -> str:
    """Medians of both and their ratio, and how often either did not come."""
    both = np.array(found)
    segment, own = np.median(both, axis=0)
    missed = np.isinf(both).sum(axis=0)
    return f"{segment:.0f} ({missed[0]}) | {own:.0f} ({missed[1]}) | {segment / own:.2f}"


def main() -> None:
    """Prints tables in Markdown."""
    parser = argparse.ArgumentParser(description="Alarms of segments against those of models of their own.")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--panes", type=int, default=2_000, help="of each null stream")
    parser.add_argument("--null-seeds", type=int, default=4)
    parser.add_argument("--only", default="", help="drift, failures, nulls or traffic")
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    if asked.only in {"", "drift"}:
        print(
            "| rows of the segment until its alert: median (missed) | segment | model of its own | ratio |\n|---|---:|---:|---:|"
        )
        drifts: dict[str, list[tuple[float, float]]] = {name: [] for name in CHANGES}
        for seed in seeds:
            for name, segment, own in rows_until(seed):
                drifts[name].append((segment, own))
        for name, both in drifts.items():
            print(f"| {name} | {told(both)} |", flush=True)
    if asked.only in {"", "failures"}:
        print(
            f"\n| exchanges until the alert, failures {USUAL_FAILURES:.0%} -> | segment | endpoint of its own | ratio |\n|---|---:|---:|---:|"
        )
        failing: dict[float, list[tuple[float, float]]] = {share: [] for share in FAILURES}
        for seed in seeds:
            for share, segment, own in exchanges_until(seed):
                failing[share].append((segment, own))
        for share, both in failing.items():
            print(f"| {share:.0%} | {told(both)} |", flush=True)
    if asked.only in {"", "nulls"}:
        print(
            "\n| nothing changed | panes | budget | alarms allowed | alarms | CPU a pane |\n|---|---:|---:|---:|---:|---:|"
        )
        for moving in NULLS:
            for panes, part in ((PANES, PARTS.segments), (200.0, 1.0)):
                runs = [
                    null_alarms(moving, seed, pane_count=asked.panes, panes=panes, share=part)
                    for seed in range(asked.first_seed, asked.first_seed + asked.null_seeds)
                ]
                pane_count = asked.panes * asked.null_seeds
                allowed, alarms = pane_count * part / panes, sum(run[0] for run in runs)
                spent = np.median([run[1] for run in runs]) * 1000
                budget = f"1 in {panes / part:,.0f}"
                print(
                    f"| {moving.name} | {pane_count:,} | {budget} | {allowed:.3g} | {alarms} | {spent:.1f} ms |",
                    flush=True,
                )
    if asked.only in {"", "traffic"}:
        print("\n| exchanges, nothing changed | panes | budget | alarms allowed | alarms |\n|---|---:|---:|---:|---:|")
        for served in TRAFFIC_NULLS:
            for panes, part in ((PANES, TRAFFIC * SEGMENTS), (200.0, 1.0)):
                alarms = sum(
                    traffic_alarms(served, seed, pane_count=asked.panes, panes=panes, share=part)
                    for seed in range(asked.first_seed, asked.first_seed + asked.null_seeds)
                )
                pane_count, budget = asked.panes * asked.null_seeds, f"1 in {panes / part:,.0f}"
                allowed = pane_count * part / panes
                print(f"| {served.name} | {pane_count:,} | {budget} | {allowed:.3g} | {alarms} |", flush=True)


if __name__ == "__main__":
    main()
