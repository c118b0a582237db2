"""What an operator wants to be watched, and how strictly: the same for whoever counts and whoever judges. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashlight.judge.traffic.rules import Rule


@dataclass(frozen=True, slots=True)
class Policy:
    """How rows and exchanges are counted and judged. Plain values: it can be kept beside the statistics made under it.

    Statistics can go on under an equal policy. What leaves them valid (`compare=False`) makes no difference to that.
    """

    pane_seconds: float = 10.0
    rules: tuple[Rule, ...] = ()
    """Fixed limits, beside the budget of false alarms."""
    panes_between_false_alarms: float = 259_200.0
    """The budget: one false alarm in so many panes, of everything that is watched."""
    tolerance: float = 0.02
    """The smallest shift worth an alert, as a PSI."""
    reference_rows: int = 5000
    """Rows, and exchanges, from which a reference is learned."""
    importance: Mapping[str, float] = field(default_factory=dict[str, float])
    """Columns with so many times the budget of others; 0 leaves one out. Names that no column has mean nothing."""
    ignored: tuple[str, ...] = ()
    """Globs of columns that are not looked at, also where the reference holds them."""
    labels: bool = False
    """Whether labels are taken: the part of the budget that is kept for performance is not the columns' then."""
    features: tuple[str, ...] = field(default=(), compare=False)
    """Globs of the only features that are decoded; empty: all."""
    prediction: tuple[str, ...] = field(default=(), compare=False)
    """Globs of the only outputs, likewise."""
    model: str = field(default="", compare=False)
    """Name of the model where an exchange does not say it."""
    model_version: str = field(default="", compare=False)
    """Likewise."""
    segments: tuple[str, ...] = field(default=(), compare=False)
    """Features each of whose values is watched by itself."""
    excluded_agents: tuple[str, ...] = field(default=(), compare=False)
    """Whose rows are left out beside those of well-known probes; with `none` theirs alone."""
    counting_bytes: int = field(default=32 << 20, compare=False)
    """What each process may keep of what it counts, by its own count."""
    judging_bytes: int = field(default=128 << 20, compare=False)
    """What the process that judges may keep beside that."""
    window_seconds: float = field(default=3600.0, compare=False)
    """What the scores that are shown look back on: alerts have a memory of their own."""
    label_window_seconds: float = field(default=90 * 86_400.0, compare=False)
    """So long after a prediction labels are taken."""
    positive_within_seconds: float = 0.0
    """After how long without a label a prediction counts as negative; 0: never."""
