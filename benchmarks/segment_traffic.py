"""Exchanges of 20 segments in which nothing changes, for `benchmarks.segment_alarms --only traffic`."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from benchmarks.segment_streams import SEGMENT_COUNT, TOLERANCE, reference_of
from numpy.typing import NDArray

from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.segments.traffic import SegmentTraffic
from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.parts.segments import Segmentation, SegmentPane
from dashlight.window.reference.steps import finished

Floats: TypeAlias = NDArray[np.float64]

EXCHANGES_A_PANE = 10.0
"""Of one segment, on average."""
PANES_A_DAY = 400


@dataclass(frozen=True, slots=True)
class Served:
    """How the exchanges of segments fail, are refused and last."""

    name: str
    failing: float = 0.01
    refused: float = 0.01
    differ: float = 1.0
    """Rates of segments lie between 1 / this and this times as much."""
    day: float = 0.0
    """Bins of latency by which a day of PANES_A_DAY moves all exchanges, one way and the other."""


TRAFFIC_NULLS = (
    Served("failures and refusals 1 %"),
    Served("segments between a fifth and five times that", differ=5.0),
    Served("failures 0.1 %, refusals 5 %", failing=0.001, refused=0.05),
    Served("latency follows a day", day=2.0),
)


def traffic_alarms(served: Served, seed: int, *, pane_count: int, panes: float, share: float) -> int:
    """Alerts that began to fire, of all segments, where nothing changed."""
    rng = np.random.default_rng(seed)
    reference, _ = reference_of(np.random.default_rng(1))
    segmentation = segmentation_of(reference, ["segment"])
    traffic = SegmentTraffic(segmentation, rows=5_000, panes=panes, tolerance=TOLERANCE, share=share)
    times = served.differ ** rng.uniform(-1, 1, SEGMENT_COUNT)
    begun, alarms = set[str](), 0
    for pane in range(pane_count):
        counted = _pane(served, segmentation, times, served.day * np.sin(2 * np.pi * pane / PANES_A_DAY), rng)
        for alert in finished(traffic.update(counted, 10.0 * (pane + 1), told=())):
            alarms += alert.state == "firing" and alert.key not in begun
            begun = begun | {alert.key} if alert.state == "firing" else begun - {alert.key}
    return alarms


def _pane(
    served: Served, segmentation: Segmentation, times: Floats, slower: float, rng: np.random.Generator
) -> SegmentPane:
    count = segmentation.count
    exchanges, failed, refused = np.zeros((3, count), np.int64)
    exchanges[:SEGMENT_COUNT] = rng.poisson(EXCHANGES_A_PANE, SEGMENT_COUNT)
    failed[:SEGMENT_COUNT] = rng.binomial(exchanges[:SEGMENT_COUNT], served.failing * times)
    refused[:SEGMENT_COUNT] = rng.binomial((exchanges - failed)[:SEGMENT_COUNT], np.minimum(served.refused * times, 1))
    durations, rows = np.zeros((count, LATENCY.bins), np.int64), np.zeros((count, 1, BINS), np.int32)
    rows[:, 0, -1] = exchanges
    answered: list[int] = (exchanges - failed - refused).tolist()
    for number, each in enumerate(answered):
        places: Floats = np.clip(100 + slower + 6 * rng.standard_normal(each), 1, LATENCY.bins - 2)
        durations[number] = np.bincount(places.astype(np.intp), minlength=LATENCY.bins)
    return SegmentPane.of("", rows=rows, exchanges=exchanges, failed=failed, refused=refused, durations=durations)
