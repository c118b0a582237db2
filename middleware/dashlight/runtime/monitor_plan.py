"""What the assembly makes of the settings for a Monitor."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from dashlight.capture.tee import Tee
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.label_queue import LabelQueue
from dashlight.serving.door import Answers


@dataclass(frozen=True, slots=True)
class MonitorPlan:
    """How a Monitor runs."""

    excluded: re.Pattern[str] | None
    cpu_share: float
    shutdown_seconds: float
    prepare: Callable[[], Analysis]
    """Makes the analysis, on its thread: loads numpy and the rest, reads the reference."""
    look_around: Callable[[], None]
    """Looks whether OpenTelemetry or logging has been configured meanwhile."""
    answers: Answers | None = None
    """What answers below DASHLIGHT_PATH; None where nothing does."""
    labels: LabelQueue = field(default_factory=LabelQueue)
    """Where labels wait that the app gives."""
    tee: type[Tee] = Tee
    """What stands around each request."""
