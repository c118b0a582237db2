"""What was lost in each pane, of counts that only grow."""

from __future__ import annotations

from collections.abc import Mapping

from dashlight.metrics.losses import SignalFate


class PaneLosses:
    """Remembers what had been lost when the last pane ended."""

    def __init__(self) -> None:
        self.before: Mapping[SignalFate, int] = {}
        """Since the start, when a pane ended last."""

    def since(self, counts: Mapping[SignalFate, int]) -> Mapping[SignalFate, int]:
        """What *counts*, which are since the start, hold more than then."""
        before = self.before
        return {key: new for key, count in counts.items() if (new := count - before.get(key, 0)) > 0}

    def close(self, counts: Mapping[SignalFate, int]) -> Mapping[SignalFate, int]:
        """The same, for the pane that ends now."""
        since = self.since(counts)
        self.before = counts
        return since
