"""What the settings want to be watched, and how strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashlight.runtime.assembly.memory import MemoryShares
from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.counting.policy import Policy


def policy_of(settings: Settings, shares: MemoryShares) -> Policy:
    """The policy of *settings*, within the *shares* of memory. SettingsError: thresholds that cannot be read."""
    from dashlight.counting.policy import Policy
    from dashlight.judge.traffic.rules import limits_of

    return Policy(
        pane_seconds=settings.pane,
        rules=limits_of(settings.thresholds, pane_seconds=settings.pane),
        panes_between_false_alarms=settings.false_alarms / settings.pane,
        tolerance=settings.tolerance,
        reference_rows=settings.reference_rows,
        importance=settings.importance,
        ignored=settings.ignore,
        labels=settings.labels,
        segments=settings.segments,
        features=settings.features,
        prediction=settings.prediction,
        model=settings.model,
        model_version=settings.model_version,
        window_seconds=settings.window,
        label_window_seconds=settings.label_window,
        positive_within_seconds=settings.positive_within,
        excluded_agents=settings.excluded_agents,
        counting_bytes=shares.counting_bytes,
        judging_bytes=shares.judging_bytes,
    )
