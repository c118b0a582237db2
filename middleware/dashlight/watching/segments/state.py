"""What the watch of segments keeps from pane to pane, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from dashlight.judge.segments.drift import SegmentDriftState
from dashlight.judge.segments.traffic import SegmentTrafficState


@dataclass(frozen=True, slots=True, eq=False)
class SegmentsState:
    """Of `SegmentWatch`."""

    names: tuple[str, ...]
    """Of all segments: it goes on with the same ones only."""
    judged: tuple[str, ...]
    """Names of the columns that are judged within them."""
    drift: SegmentDriftState | None
    """None where no column is."""
    traffic: SegmentTrafficState
